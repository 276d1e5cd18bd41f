/* The `pare` program: finds the command, reads its options, runs it; and how all commands print. */
#include "experiments/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define RED "\033[1;31m"
#define CYAN "\033[1;36m"
#define PLAIN "\033[0m"

const struct pare_command *const pare_command_table[] = {
        &pare_command_validate,   &pare_command_train,     &pare_command_run,
        &pare_command_resume,     &pare_command_trials,    &pare_command_front,
        &pare_command_show,       &pare_command_export,    &pare_command_eval,
        &pare_command_model_info, &pare_command_lut_build, &pare_command_lut_show,
        &pare_command_version,    &pare_command_help,      NULL,
};

const struct pare_command *pare_command_find(const char *name)
{
	for (const struct pare_command *const *command = pare_command_table; *command; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

void pare_command_overview(struct pare_strbuf *out)
{
	pare_strbuf_add(out, "usage: pare COMMAND [arguments]\n\n"
	                     "Searches for a smaller, faster version of a neural network that meets your budgets.\n\n");
	for (const struct pare_command *const *command = pare_command_table; *command; command++)
		pare_strbuf_printf(out, "  %-10s  %s\n", (*command)->name, (*command)->help);
	pare_strbuf_add(out,
	                "\n`pare COMMAND --help` tells more; `pare help config` lists the keys of a configuration.\n"
	                "First steps: pare validate configs/smoke.yaml; pare run configs/smoke.yaml\n");
}

/* ---- printing ---- */

static int exit_code(int status)
{
	switch (status) {
	case PARE_E_INVALID: /* by its definition: an argument or a configured value */
		return PARE_EXIT_USAGE;
	case PARE_E_INFEASIBLE:
		return PARE_EXIT_INFEASIBLE;
	case PARE_E_STOPPED:
		return PARE_EXIT_STOPPED;
	default:
		return PARE_EXIT_FAILED;
	}
}

/* Text that may quote a file goes through here: lines stay, what drives a terminal does not. */
static void print_clean(const char *text)
{
	struct pare_strbuf line;

	pare_strbuf_init(&line);
	for (; *text; text += *text != '\0') {
		size_t length = strcspn(text, "\n");
		char *part = strndup(text, length);
		pare_printable(part ? part : "?", &line);
		free(part);
		text += length;
		pare_strbuf_add(&line, *text ? "\n" : "");
	}
	fputs(line.text, stderr);
	pare_strbuf_release(&line);
}

static void complain(const struct pare_cli *cli, const char *text)
{
	bool color = cli && cli->color_err;

	fprintf(stderr, "pare: %serror:%s ", color ? RED : "", color ? PLAIN : "");
	print_clean(text);
	fputc('\n', stderr);
}

int pare_cli_fail(const struct pare_cli *cli, const struct pare_error *error)
{
	char text[PARE_ERROR_TEXT_SIZE + PARE_ERROR_FILE_SIZE + 64];

	pare_error_format(error, text, sizeof(text));
	complain(cli, text[0] ? text : pare_status_text(error->code));
	return exit_code(error->code);
}

static void print_line(const char *label, const char *format, va_list arguments)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_strbuf_vprintf(&text, format, arguments);
	fputs(label, stderr);
	print_clean(text.text);
	fputc('\n', stderr);
	pare_strbuf_release(&text);
}

void pare_cli_hint(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("pare: hint: ", format, arguments);
	va_end(arguments);
}

void pare_cli_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line("pare: ", format, arguments);
	va_end(arguments);
}

int pare_cli_refuse(const struct pare_cli *cli, const char *format, ...)
{
	struct pare_strbuf text;
	va_list arguments;

	pare_strbuf_init(&text);
	va_start(arguments, format);
	pare_strbuf_vprintf(&text, format, arguments);
	va_end(arguments);
	complain(cli, text.text);
	pare_strbuf_release(&text);
	if (cli && cli->command)
		pare_cli_hint("pare %s --help", cli->command->name);
	return PARE_EXIT_USAGE;
}

static int fail_output(const struct pare_cli *cli)
{
	struct pare_error error = {0};

	pare_error_set(&error, PARE_E_IO, "cannot write to standard output: %s", strerror(errno));
	return pare_cli_fail(cli, &error);
}

int pare_cli_print(const struct pare_cli *cli, struct pare_strbuf *text)
{
	bool failed = text->failed;
	size_t written = failed ? 0 : fwrite(text->text, 1, text->length, stdout), wanted = text->length;

	pare_strbuf_release(text);
	if (failed)
		return pare_cli_fail(cli, &(struct pare_error){.code = PARE_E_NOMEM});
	if (written != wanted || fflush(stdout))
		return fail_output(cli);
	return PARE_EXIT_OK;
}

int pare_cli_print_json(const struct pare_cli *cli, json_t *document)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	text.failed |= pare_json_text(document, &text) != 0;
	return pare_cli_print(cli, &text);
}

struct pare_table_style pare_cli_style(const struct pare_cli *cli)
{
	return (struct pare_table_style){.width = cli->width, .color = cli->color_out};
}

int pare_cli_print_table(const struct pare_cli *cli, struct pare_table *table)
{
	const char *format = pare_cli_value(cli, "format");
	struct pare_table_style style = pare_cli_style(cli);
	struct pare_strbuf text;
	int status;

	pare_strbuf_init(&text);
	if (strcmp(format, "csv") == 0)
		status = pare_table_csv(table, &text);
	else if (strcmp(format, "json") == 0)
		status = pare_json_text(pare_table_json(table), &text);
	else
		status = pare_table_text(table, &style, &text);
	pare_table_release(table);
	text.failed |= status != 0;
	return pare_cli_print(cli, &text);
}

/* ---- the command line ---- */

/* --color counts before anything is printed; a line that cannot be parsed falls back to "auto". */
static void set_terminal(struct pare_cli *cli)
{
	const char *when = pare_cli_value(cli, "color"), *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	bool automatic = !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
	bool always = strcmp(when, "always") == 0, never = strcmp(when, "never") == 0;
	struct winsize size;

	cli->color_out = always || (!never && automatic && isatty(STDOUT_FILENO));
	cli->color_err = always || (!never && automatic && isatty(STDERR_FILENO));
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		cli->width = size.ws_col;
}

static int run_command(const struct pare_command *command, int argc, char **argv)
{
	struct pare_error error = {0};
	struct pare_strbuf help;
	struct pare_cli cli;
	int code;

	if (pare_cli_parse(&cli, command, argc, argv, &error)) {
		set_terminal(&cli);
		code = pare_cli_refuse(&cli, "%s", error.text);
	} else if (set_terminal(&cli), pare_cli_given(&cli, "help")) {
		pare_strbuf_init(&help);
		pare_cli_help(command, &help);
		code = pare_cli_print(&cli, &help);
	} else {
		code = command->run(&cli);
	}
	pare_cli_release(&cli);
	return code;
}

/* "lut build" from two words, "run" from one; *words says how many. */
static const struct pare_command *find_command(int argc, char **argv, int *words)
{
	const struct pare_command *command = NULL;
	char name[64];

	*words = 2;
	if (argc > 2) {
		snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
		command = pare_command_find(name);
	}
	if (command)
		return command;
	*words = 1;
	if (strcmp(argv[1], "--version") == 0)
		return &pare_command_version;
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return &pare_command_help;
	return pare_command_find(argv[1]);
}

/* Whether `word` is the first of a command's two: "lut". */
static bool begins_command(const struct pare_command *command, const char *word)
{
	size_t length = strlen(word);
	return strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

bool pare_command_group(const char *word, struct pare_strbuf *out)
{
	bool found = false;

	for (const struct pare_command *const *command = pare_command_table; *command; command++) {
		if (!begins_command(*command, word))
			continue;
		if (!found)
			pare_strbuf_printf(out, "usage: pare %s COMMAND [arguments]\n\n", word);
		pare_strbuf_printf(out, "  pare %-12s  %s\n", (*command)->name, (*command)->help);
		found = true;
	}
	if (found)
		pare_strbuf_printf(out, "\n`pare %s COMMAND --help` tells more.\n", word);
	return found;
}

/* "pare lut --help" */
static bool asks_for_group(int argc, char **argv, struct pare_strbuf *help)
{
	bool asks = argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
	return asks && pare_command_group(argv[1], help);
}

static int refuse_command(int argc, char **argv)
{
	const char *names[32] = {0}, *near;
	struct pare_strbuf group;
	char name[64];
	int count = 0;

	pare_strbuf_init(&group);
	for (const struct pare_command *const *command = pare_command_table; *command; command++) {
		names[count++] = (*command)->name;
		if (begins_command(*command, argv[1]))
			pare_strbuf_printf(&group, "%s'pare %s'", group.length ? " or " : "", (*command)->name);
	}
	snprintf(name, sizeof(name), "%s%s%s", argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	near = pare_did_you_mean(name, names);
	near = near ? near : pare_did_you_mean(argv[1], names);
	if (group.length)
		pare_cli_refuse(NULL, "unknown command '%s': it is %s", name, group.text);
	else
		pare_cli_refuse(NULL, "unknown command '%s'%s%s%s", argv[1], near ? "; did you mean '" : "",
		                near ? near : "", near ? "'?" : "");
	pare_strbuf_release(&group);
	pare_cli_hint("pare help");
	return PARE_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	const struct pare_command *command;
	struct pare_strbuf help;
	int words;

	if (argc < 2) {
		pare_strbuf_init(&help);
		pare_command_overview(&help);
		fputs(help.text, stderr);
		pare_strbuf_release(&help);
		return PARE_EXIT_USAGE;
	}
	command = find_command(argc, argv, &words);
	pare_strbuf_init(&help);
	if (!command && asks_for_group(argc, argv, &help))
		return pare_cli_print(NULL, &help);
	return command ? run_command(command, argc - words, argv + words) : refuse_command(argc, argv);
}
