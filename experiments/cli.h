/*
 * What the commands of the `pare` program share. Only these files print and choose exit codes: results go to stdout,
 * everything else to stderr.
 */
#ifndef PARE_EXPERIMENTS_CLI_H
#define PARE_EXPERIMENTS_CLI_H

#include "engine/graph/graph.h"
#include "experiments/cli_options.h"
#include "experiments/spec.h"
#include "experiments/table.h"

enum pare_exit {
	PARE_EXIT_OK = 0,
	PARE_EXIT_FAILED = 1,
	PARE_EXIT_USAGE = 2,      /* the command line or the configuration is wrong */
	PARE_EXIT_INFEASIBLE = 3, /* no network meets the budgets */
	PARE_EXIT_STOPPED = 130,  /* by Ctrl-C, SIGTERM or SIGHUP; what was done is kept */
};

extern const struct pare_command pare_command_train, pare_command_run, pare_command_resume, pare_command_validate;
extern const struct pare_command pare_command_model_info, pare_command_eval, pare_command_lut_build,
        pare_command_lut_show;
extern const struct pare_command pare_command_trials, pare_command_front, pare_command_show, pare_command_export;
extern const struct pare_command pare_command_version, pare_command_help;

/* All commands, in the order of the help, NULL behind the last. */
extern const struct pare_command *const pare_command_table[];
/* "run", "lut build"; NULL when there is none. */
const struct pare_command *pare_command_find(const char *name);
/* All commands with their one line. */
void pare_command_overview(struct pare_strbuf *out);
/* The commands whose first of two words this is ("lut"); false, and nothing said, when there are none. */
bool pare_command_group(const char *word, struct pare_strbuf *out);

/* Options that several commands take. */
#define PARE_OPTION_SET                                                                                                \
	{                                                                                                              \
		.name = "set", .argument = "KEY=VALUE", .repeated = true,                                              \
		.help = "overrides a key of the configuration; may be repeated"                                        \
	}
#define PARE_OPTION_FORCE                                                                                              \
	{                                                                                                              \
		.name = "force", .letter = 'f', .help = "overwrites the file if it is there"                           \
	}
#define PARE_OPTION_JSON                                                                                               \
	{                                                                                                              \
		.name = "json", .help = "JSON instead of text"                                                         \
	}

/* ---- printing; all return an exit code ---- */

/* The text to stdout, and releases it. `failed` in it, or a stdout that takes no more, is an error. */
int pare_cli_print(const struct pare_cli *cli, struct pare_strbuf *text);
/* "pare: error: ..." to stderr. Returns the exit code that fits the error. */
int pare_cli_fail(const struct pare_cli *cli, const struct pare_error *error);
/* "pare: hint: ..." to stderr: what to do next. */
void pare_cli_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A wrong command line: the same, with a pointer to --help; returns PARE_EXIT_USAGE. */
int pare_cli_refuse(const struct pare_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "pare: ..." to stderr. */
void pare_cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct pare_table_style pare_cli_style(const struct pare_cli *cli);
/* The table as --format says (table, csv, json); releases it. */
int pare_cli_print_table(const struct pare_cli *cli, struct pare_table *table);
int pare_cli_print_json(const struct pare_cli *cli, json_t *document);

/* ---- what users name ---- */

/* Reads a configuration with the --set of the line. Everything that is wrong has been printed when the result is not 0
 * (an exit code); the spec is the caller's to release either way. */
int pare_cli_spec(const struct pare_cli *cli, const char *path, struct pare_spec *spec);
/* An ONNX file, or "zoo:NAME[:CxHxW]" with fresh weights and 10 classes (3x32x32 if no size is given). */
int pare_cli_model(const char *name, struct pare_graph **graph, struct pare_error *error);
/* Names the model in an error that names no file: the libraries know a network, not where it came from. */
void pare_cli_blame(const char *model, struct pare_error *error);
/* Refuses a directory, and (PARE_E_EXISTS) to overwrite without --force; asks early whether the folder can be written
 * to.
 */
int pare_cli_check_output(const struct pare_cli *cli, const char *path, struct pare_error *error);

/* ---- stopping and progress ---- */

/* SIGINT, SIGTERM and SIGHUP: from now on they are only noted; the second one ends the program at once. */
void pare_cli_catch_signals(void);
bool pare_cli_stopped(void);
/* stderr is a terminal that can redraw lines, and nobody said otherwise (TERM=dumb, CI). */
bool pare_cli_live(void);
/* Columns of the terminal on stderr; 80 if unknown. */
int pare_cli_stderr_width(void);

#endif
