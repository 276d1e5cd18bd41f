/* pare run, pare resume: a study from its begin, or from where it stands, to the report. */
#include <stdlib.h>

#include "engine/base/file.h"
#include "experiments/cmd_watch.h"
#include "experiments/study_report.h"

static void hint_about(const struct pare_error *error, const char *directory)
{
	if (error->code == PARE_E_INFEASIBLE)
		pare_cli_hint(
		        "raise the budgets, lower space.min_ratio, or shorten space.ignore, and start a new study");
	else if (error->code == PARE_E_DIVERGED)
		pare_cli_hint("a smaller learning_rate or a longer warmup usually helps; start a new study for it");
	else if (error->code == PARE_E_IO || error->code == PARE_E_NOMEM)
		pare_cli_hint("once that is mended, go on with: pare resume %s", directory);
}

static int print_report(const struct pare_cli *cli, const char *directory)
{
	struct pare_table_style style = pare_cli_style(cli);
	struct pare_study_view view;
	struct pare_strbuf text;
	struct pare_error error = {0};

	if (pare_study_view_read(&view, directory, &error))
		return pare_cli_fail(cli, &error);
	pare_strbuf_init(&text);
	text.failed |= pare_study_report(&view, &style, &text) != 0;
	pare_study_view_release(&view);
	return pare_cli_print(cli, &text);
}

/* Takes the study over. */
static int go(const struct pare_cli *cli, struct pare_study *study, const char *directory)
{
	struct pare_error error = {0};
	struct pare_watch watch;
	struct pare_study_events events = {.context = &watch,
	                                   .phase = pare_watch_phase,
	                                   .warning = pare_watch_warning,
	                                   .training = pare_watch_training,
	                                   .table = pare_watch_table,
	                                   .trial = pare_watch_trial,
	                                   .final = pare_watch_final};
	int status, code;

	pare_watch_begin(&watch, pare_cli_given(cli, "quiet"), study);
	status = pare_study_run(study, &events, &error);
	pare_watch_end(&watch);
	pare_study_free(study);
	if (!status)
		return print_report(cli, directory);
	if (status == PARE_E_STOPPED) {
		pare_cli_note("stopped; go on with: pare resume %s", directory);
		return PARE_EXIT_STOPPED;
	}
	code = pare_cli_fail(cli, &error);
	hint_about(&error, directory);
	return code;
}

static int run_new(const struct pare_cli *cli)
{
	const char *given = pare_cli_value(cli, "run-dir");
	struct pare_study *study = NULL;
	struct pare_error error = {0};
	struct pare_spec spec;
	char *directory = NULL;
	int code = pare_cli_spec(cli, cli->operands[0], &spec);

	if (!code && !spec.has_search)
		code = pare_cli_refuse(
		        cli, "%s has no search section, so there is nothing to run (pare train trains a network)",
		        cli->operands[0]);
	if (!code) {
		directory = pare_path_join(given ? "." : "runs", given ? given : spec.name);
		code = directory ? PARE_EXIT_OK : pare_cli_fail(cli, &(struct pare_error){.code = PARE_E_NOMEM});
	}
	if (code) {
		pare_spec_release(&spec);
		free(directory);
		return code;
	}
	given = given ? given : directory;
	if (pare_study_create(&study, &spec, given, &error)) { /* the spec is the study's from here on */
		code = pare_cli_fail(cli, &error);
		if (error.code == PARE_E_INFEASIBLE)
			hint_about(&error, given);
	} else
		code = go(cli, study, given);
	free(directory);
	return code;
}

/* Nothing is left to do. What cannot be read, or has lost its best.onnx, is for pare_study_open and _run to judge. */
static bool is_complete(const char *directory)
{
	char *best = pare_path_join(directory, "best.onnx");
	struct pare_study_view view;
	bool complete = false;

	if (best && pare_file_exists(best) && pare_study_view_read(&view, directory, NULL) == PARE_OK) {
		complete = view.complete;
		pare_study_view_release(&view);
	}
	free(best);
	return complete;
}

static int run_resume(const struct pare_cli *cli)
{
	struct pare_study *study = NULL;
	struct pare_error error = {0};

	if (is_complete(cli->operands[0])) {
		if (!pare_cli_given(cli, "quiet"))
			pare_cli_note("the study is complete; this is its report");
		return print_report(cli, cli->operands[0]);
	}
	if (pare_study_open(&study, cli->operands[0], &error))
		return pare_cli_fail(cli, &error);
	return go(cli, study, cli->operands[0]);
}

#define OPTION_QUIET                                                                                                   \
	{                                                                                                              \
		.name = "quiet", .letter = 'q', .help = "only the report, no progress"                                 \
	}

static const struct pare_cli_option run_options[] = {
        {.name = "run-dir", .letter = 'd', .argument = "DIR", .help = "where the study lives; default: runs/NAME"},
        PARE_OPTION_SET,
        OPTION_QUIET,
        {0},
};

static const struct pare_cli_option resume_options[] = {OPTION_QUIET, {0}};

const struct pare_command pare_command_run = {
        .name = "run",
        .operands = "CONFIG",
        .n_operands = 1,
        .help = "runs a study: baseline, latency table, search, fine-tuning, report",
        .details =
                "Everything goes into the run directory, which must not be there yet: the effective configuration,\n"
                "the record of all trials, the latency table, networks, and best.onnx at the end. The report goes to\n"
                "stdout. Ctrl-C stops at the next safe point (exit code 130) and loses nothing that was recorded.\n"
                "Exit code 3: no network meets the budgets.\n"
                "\n"
                "Example:\n"
                "  pare run configs/demo.yaml --run-dir runs/half --set constraints.latency=50%\n",
        .options = run_options,
        .run = run_new,
};

const struct pare_command pare_command_resume = {
        .name = "resume",
        .operands = "RUN_DIR",
        .n_operands = 1,
        .help = "goes on with a study that was stopped or killed",
        .details = "The study goes on as if it had never stopped: recorded trials are not evaluated again, and the "
                   "result\n"
                   "is the one it would have had. For a study that is complete the report is printed once more.\n"
                   "\n"
                   "Example:\n"
                   "  pare resume runs/demo\n",
        .options = resume_options,
        .run = run_resume,
};
