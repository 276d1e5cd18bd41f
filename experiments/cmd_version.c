/* pare version: what was built, and what it found here. */
#include "experiments/cli.h"
#include "latency_lut/machine.h"

static int run(const struct pare_cli *cli)
{
	struct pare_machine machine;
	struct pare_strbuf text;

	pare_machine_describe(&machine);
	pare_strbuf_init(&text);
	pare_strbuf_printf(&text,
	                   "pare %s\n"
	                   "kernels:  %s\n"
	                   "BLAS:     %s\n"
	                   "CPU:      %s, %d cores (%s)\n"
	                   "governor: %s\n",
	                   PARE_VERSION, machine.kernels, machine.blas, machine.cpu, machine.cores, machine.flags,
	                   machine.governor);
	return pare_cli_print(cli, &text);
}

const struct pare_command pare_command_version = {
        .name = "version",
        .operands = "",
        .help = "tells the version, the kernels in use, the BLAS library and the machine",
        .details = "Example:\n"
                   "  pare version\n",
        .run = run,
};
