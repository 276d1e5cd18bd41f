/*
 * The program's commands as data: what each takes stands in one table, and parsing and `--help` come from it.
 */
#ifndef PARE_EXPERIMENTS_CLI_OPTIONS_H
#define PARE_EXPERIMENTS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "engine/base/strbuf.h"

#define PARE_MAX_CLI_OPTIONS 16 /* of one command, the common ones included */
#define PARE_MAX_CLI_OPERANDS 2

struct pare_cli;

struct pare_cli_option {
	const char *name;           /* the long form, without "--"; NULL ends a table */
	char letter;                /* the short form; 0 = none */
	const char *argument;       /* "FILE"; NULL = a switch */
	const char *const *choices; /* NULL-terminated, the first is the default; NULL = any text */
	int64_t low, high;          /* a whole number in this range; both 0 = no number */
	bool repeated;              /* may be given several times: pare_cli.repeated (one such option a command) */
	bool required;
	const char *help; /* one line */
};

struct pare_command {
	const char *name;           /* "run", "lut build" */
	const char *operands;       /* "CONFIG"; "" = none */
	int n_operands, n_optional; /* needed; and so many more are allowed */
	const char *help;           /* one line */
	const char *details;        /* paragraphs and an example, wrapped, with a newline at the end */
	const struct pare_cli_option *options;
	int (*run)(const struct pare_cli *cli); /* an exit code */
};

/* One call of a command. */
struct pare_cli {
	const struct pare_command *command;
	const char *values[PARE_MAX_CLI_OPTIONS]; /* by the option's place: its argument, "" for a switch, NULL = not
	                                             given */
	const char **repeated;                    /* NULL-terminated; owned */
	const char *operands[PARE_MAX_CLI_OPERANDS + 1];
	int n_operands;
	bool color_out, color_err; /* ANSI colours on stdout, stderr */
	int width;                 /* of the terminal on stdout; 0 = none */
};

/* argv[0] is the command's name. PARE_E_INVALID says what is wrong with the line, with the nearest option's name.
 * --help wins over everything that is missing. Options may stand after operands. */
int pare_cli_parse(struct pare_cli *cli, const struct pare_command *command, int argc, char **argv,
                   struct pare_error *error);
void pare_cli_release(struct pare_cli *cli);

/* An option's argument ("" for a switch), its default when it has choices, or NULL. The name must be in the table. */
const char *pare_cli_value(const struct pare_cli *cli, const char *name);
bool pare_cli_given(const struct pare_cli *cli, const char *name);
/* For an option with a range. */
int64_t pare_cli_number(const struct pare_cli *cli, const char *name, int64_t fallback);

/* "usage: ...", what it does, its options. */
void pare_cli_help(const struct pare_command *command, struct pare_strbuf *out);

#endif
