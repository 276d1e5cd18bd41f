#include "experiments/cli_options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "experiments/diagnostics.h"

#define FIRST_CODE 256 /* getopt_long's value of option 0: no character */

static const char *const color_choices[] = {"auto", "always", "never", NULL};

/* Every command takes these. */
static const struct pare_cli_option common[] = {
        {.name = "color",
         .argument = "WHEN",
         .choices = color_choices,
         .help = "colours; auto: on a terminal, unless NO_COLOR is set"},
        {.name = "help", .letter = 'h', .help = "this text"},
};

#define N_COMMON ((int)(sizeof(common) / sizeof(*common)))

/* The command's own, then the common ones; NULL behind the last. */
static const struct pare_cli_option *option_at(const struct pare_command *command, int index)
{
	int own = 0;

	while (command->options && command->options[own].name)
		own++;
	if (index < own)
		return &command->options[index];
	return index - own < N_COMMON ? &common[index - own] : NULL;
}

static int find_option(const struct pare_command *command, const char *name)
{
	const struct pare_cli_option *option;

	for (int i = 0; (option = option_at(command, i)); i++)
		if (strcmp(option->name, name) == 0)
			return i;
	return -1;
}

/* ---- one option's argument ---- */

static int check_choice(const struct pare_cli_option *option, const char *value, struct pare_error *error)
{
	struct pare_strbuf list;
	const char *near;

	for (const char *const *choice = option->choices; *choice; choice++)
		if (strcmp(*choice, value) == 0)
			return PARE_OK;
	near = pare_did_you_mean(value, option->choices);
	pare_strbuf_init(&list);
	for (const char *const *choice = option->choices; *choice; choice++)
		pare_strbuf_printf(&list, "%s%s", choice == option->choices ? "" : ", ", *choice);
	pare_error_set(error, PARE_E_INVALID, "--%s '%s': expected one of %s%s%s%s", option->name, value, list.text,
	               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	pare_strbuf_release(&list);
	return PARE_E_INVALID;
}

static int check_number(const struct pare_cli_option *option, const char *value, struct pare_error *error)
{
	char *end;
	int64_t number;

	errno = 0;
	number = strtoll(value, &end, 10);
	if (!errno && end != value && !*end && number >= option->low && number <= option->high)
		return PARE_OK;
	return pare_error_set(error, PARE_E_INVALID, "--%s '%s': expected a whole number from %" PRId64 " to %" PRId64,
	                      option->name, value, option->low, option->high);
}

static int take(struct pare_cli *cli, int index, const char *value, struct pare_error *error)
{
	const struct pare_cli_option *option = option_at(cli->command, index);
	int status = PARE_OK;

	if (option->choices)
		status = check_choice(option, value, error);
	else if (option->low != option->high)
		status = check_number(option, value, error);
	else if (value && !*value) /* an unset variable of a script, most often */
		status = pare_error_set(error, PARE_E_INVALID, "--%s is empty: expected %s", option->name,
		                        option->argument);
	if (option->repeated) {
		int count = 0;
		while (cli->repeated[count])
			count++;
		cli->repeated[count] = value;
	}
	cli->values[index] = value ? value : "";
	return status;
}

/* ---- the line ---- */

static void make_getopt_tables(const struct pare_command *command, struct option *longs, char *shorts)
{
	const struct pare_cli_option *option;
	int i;

	*shorts++ = ':'; /* tell a missing argument from an unknown option */
	for (i = 0; (option = option_at(command, i)); i++) {
		assert(i < PARE_MAX_CLI_OPTIONS);
		longs[i] = (struct option){.name = option->name,
		                           .has_arg = option->argument ? required_argument : no_argument,
		                           .val = FIRST_CODE + i};
		if (!option->letter)
			continue;
		*shorts++ = option->letter;
		if (option->argument)
			*shorts++ = ':';
	}
	longs[i] = (struct option){0};
	*shorts = '\0';
}

static int index_of(const struct pare_command *command, int code)
{
	const struct pare_cli_option *option;

	if (code >= FIRST_CODE)
		return code - FIRST_CODE;
	for (int i = 0; (option = option_at(command, i)); i++)
		if (option->letter == code)
			return i;
	return -1;
}

static int refuse_unknown(const struct pare_command *command, const char *word, struct pare_error *error)
{
	const char *names[PARE_MAX_CLI_OPTIONS + 1] = {0}, *near;
	const struct pare_cli_option *option;
	char name[64];
	size_t length = strcspn(word, "=");

	for (int i = 0; (option = option_at(command, i)); i++)
		names[i] = option->name;
	if (optopt) /* a short one; `word` may be another */
		return pare_error_set(error, PARE_E_INVALID, "unknown option '-%c'", optopt);
	length = length - 2 < sizeof(name) - 1 ? length - 2 : sizeof(name) - 1;
	memcpy(name, word + 2, length);
	name[length] = '\0';
	near = pare_did_you_mean(name, names);
	return pare_error_set(error, PARE_E_INVALID, "unknown option '--%s'%s%s%s", name,
	                      near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

/* What getopt_long could not make sense of. */
static int refuse(const struct pare_command *command, int code, const char *word, struct pare_error *error)
{
	int index = optopt ? index_of(command, optopt) : -1;

	if (index < 0)
		return refuse_unknown(command, word, error);
	if (code == ':')
		return pare_error_set(error, PARE_E_INVALID, "--%s needs an argument: %s",
		                      option_at(command, index)->name, option_at(command, index)->argument);
	return pare_error_set(error, PARE_E_INVALID, "--%s takes no argument", option_at(command, index)->name);
}

static int parse_options(struct pare_cli *cli, int argc, char **argv, struct pare_error *error)
{
	struct option longs[PARE_MAX_CLI_OPTIONS + 1];
	char shorts[2 * PARE_MAX_CLI_OPTIONS + 2];
	int code, status = PARE_OK;

	make_getopt_tables(cli->command, longs, shorts);
	optind = 0; /* glibc: forget everything about earlier lines */
	opterr = 0;
	while (!status && (code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == '?' || code == ':')
			return refuse(cli->command, code, argv[optind - 1], error);
		status = take(cli, index_of(cli->command, code), optarg, error);
	}
	return status;
}

static int check_complete(const struct pare_cli *cli, struct pare_error *error)
{
	const struct pare_command *command = cli->command;
	const struct pare_cli_option *option;

	if (cli->n_operands < command->n_operands)
		return pare_error_set(error, PARE_E_INVALID, "%s is missing", command->operands);
	for (int i = 0; (option = option_at(command, i)); i++)
		if (option->required && !cli->values[i])
			return pare_error_set(error, PARE_E_INVALID, "--%s %s is missing", option->name,
			                      option->argument ? option->argument : "");
	return PARE_OK;
}

int pare_cli_parse(struct pare_cli *cli, const struct pare_command *command, int argc, char **argv,
                   struct pare_error *error)
{
	int status;

	*cli = (struct pare_cli){.command = command, .repeated = pare_calloc((size_t)argc + 1, sizeof(char *))};
	if (!cli->repeated)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	status = parse_options(cli, argc, argv, error);
	if (status || pare_cli_given(cli, "help"))
		return status;
	for (; optind < argc; optind++) {
		if (cli->n_operands == command->n_operands + command->n_optional)
			return pare_error_set(error, PARE_E_INVALID, "'%s' is one argument too many", argv[optind]);
		if (!*argv[optind])
			return pare_error_set(error, PARE_E_INVALID, "an empty argument: expected %s",
			                      command->operands);
		cli->operands[cli->n_operands++] = argv[optind];
	}
	return check_complete(cli, error);
}

void pare_cli_release(struct pare_cli *cli)
{
	free(cli->repeated);
	*cli = (struct pare_cli){0};
}

const char *pare_cli_value(const struct pare_cli *cli, const char *name)
{
	int index = find_option(cli->command, name);
	const struct pare_cli_option *option;

	assert(index >= 0);
	option = option_at(cli->command, index);
	return !cli->values[index] && option->choices ? option->choices[0] : cli->values[index];
}

bool pare_cli_given(const struct pare_cli *cli, const char *name)
{
	int index = find_option(cli->command, name);
	return index >= 0 && cli->values[index];
}

int64_t pare_cli_number(const struct pare_cli *cli, const char *name, int64_t fallback)
{
	const char *value = pare_cli_value(cli, name);
	return value ? strtoll(value, NULL, 10) : fallback; /* checked when it was parsed */
}

/* ---- help ---- */

static void add_option(const struct pare_cli_option *option, struct pare_strbuf *out)
{
	struct pare_strbuf left;

	pare_strbuf_init(&left);
	if (option->letter)
		pare_strbuf_printf(&left, "-%c, --%s", option->letter, option->name);
	else
		pare_strbuf_printf(&left, "    --%s", option->name);
	if (option->choices) {
		for (const char *const *choice = option->choices; *choice; choice++)
			pare_strbuf_printf(&left, "%s%s", choice == option->choices ? "=" : "|", *choice);
	} else if (option->argument) {
		pare_strbuf_printf(&left, " %s", option->argument);
	}
	pare_strbuf_printf(out, "  %-32s  %s\n", left.text, option->help);
	out->failed |= left.failed;
	pare_strbuf_release(&left);
}

void pare_cli_help(const struct pare_command *command, struct pare_strbuf *out)
{
	const struct pare_cli_option *option;
	const char *gap = command->operands[0] ? " " : "";

	pare_strbuf_printf(out, "usage: pare %s%s%s", command->name, gap, command->operands);
	for (int i = 0; (option = option_at(command, i)); i++)
		if (option->required)
			pare_strbuf_printf(out, " --%s %s", option->name, option->argument);
	pare_strbuf_printf(out, " [options]\n\n%s\n\nOptions:\n", command->help);
	for (int i = 0; (option = option_at(command, i)); i++)
		add_option(option, out);
	pare_strbuf_printf(out, "\n%s", command->details);
}
