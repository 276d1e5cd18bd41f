/* pare help: all commands, one of them, or the keys of a configuration. */
#include <stdio.h>
#include <string.h>

#include "experiments/cli.h"

static int run(const struct pare_cli *cli)
{
	const struct pare_command *command = NULL;
	struct pare_strbuf text;
	char name[64] = "";

	pare_strbuf_init(&text);
	if (cli->n_operands > 0) {
		snprintf(name, sizeof(name), "%s%s%s", cli->operands[0], cli->n_operands > 1 ? " " : "",
		         cli->n_operands > 1 ? cli->operands[1] : "");
		command = pare_command_find(name);
	}
	if (command)
		pare_cli_help(command, &text);
	else if (strcmp(name, "config") == 0)
		text.failed |= pare_spec_manual(&text) != 0;
	else if (name[0] && !pare_command_group(name, &text))
		return pare_cli_refuse(cli, "there is no command '%s'", name);
	else if (!name[0])
		pare_command_overview(&text);
	return pare_cli_print(cli, &text);
}

const struct pare_command pare_command_help = {
        .name = "help",
        .operands = "[COMMAND | config]",
        .n_optional = 2,
        .help = "explains a command, or the keys of a configuration",
        .details = "Example:\n"
                   "  pare help lut build\n",
        .run = run,
};
