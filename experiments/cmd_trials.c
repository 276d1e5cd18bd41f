/* pare trials: the record of a study, trial by trial. */
#include "experiments/cli.h"
#include "experiments/study_report.h"

static int run(const struct pare_cli *cli)
{
	struct pare_error error = {0};
	struct pare_study_view view;
	struct pare_table table;
	int code;

	if (pare_study_view_read(&view, cli->operands[0], &error))
		return pare_cli_fail(cli, &error);
	pare_trials_table(&view, &table);
	code = pare_cli_print_table(cli, &table);
	pare_study_view_release(&view);
	return code;
}

static const char *const formats[] = {"table", "csv", "json", NULL};

static const struct pare_cli_option options[] = {
        {.name = "format", .argument = "FORMAT", .choices = formats, .help = "csv and json have every field"},
        {0},
};

const struct pare_command pare_command_trials = {
        .name = "trials",
        .operands = "RUN_DIR",
        .n_operands = 1,
        .help = "lists the trials of a study",
        .details =
                "May be asked while the study runs. A study that was killed and resumed has the same csv and json as "
                "one\n"
                "that was not, but for `seconds`, which is a timing. (In pare front, measured_latency_ms and\n"
                "prediction_error are the timings.)\n"
                "\n"
                "Example:\n"
                "  pare trials runs/demo --format csv > trials.csv\n",
        .options = options,
        .run = run,
};
