#include "experiments/cmd_watch.h"

#include <stdio.h>

#include "engine/base/clock.h"

void pare_watch_begin(struct pare_watch *watch, bool quiet, const struct pare_study *study)
{
	struct pare_progress_options options = {.terminal = pare_cli_live(), .quiet = quiet};

	watch->study = study;
	pare_progress_init(&watch->progress, &options, pare_clock_ms());
	pare_cli_catch_signals();
}

/* What an event wants shown; and the answer to it: go on or stop. */
static int show(struct pare_strbuf *text)
{
	fputs(text->text, stderr);
	fflush(stderr);
	pare_strbuf_release(text);
	return pare_cli_stopped();
}

void pare_watch_end(struct pare_watch *watch)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_progress_end(&watch->progress, &text);
	show(&text);
}

/* The budgets are known as soon as the study has bound its network. */
static void ask_goals(struct pare_watch *watch)
{
	const struct pare_study *study = watch->study;
	struct pare_progress_goal goals[PARE_MAX_RESOURCES];

	if (!study || !study->bound || watch->progress.n_goals > 0)
		return;
	for (int r = 0; r < study->binding.problem.n_resources; r++) {
		const struct pare_resource *resource = &study->binding.problem.resources[r];
		goals[r] = (struct pare_progress_goal){study->binding.resource_metric[r], resource->baseline,
		                                       resource->budget};
	}
	pare_progress_set_goals(&watch->progress, goals, study->binding.problem.n_resources);
}

int pare_watch_warning(void *context, const char *text)
{
	struct pare_watch *watch = context;
	struct pare_strbuf erased;

	/* Whole, also when quiet: what it says matters when the run is over. */
	pare_strbuf_init(&erased);
	pare_progress_end(&watch->progress, &erased);
	int answer = show(&erased);
	pare_cli_note("warning: %s", text);
	return answer;
}

int pare_watch_phase(void *context, const char *name, const char *detail)
{
	struct pare_watch *watch = context;
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	ask_goals(watch);
	pare_progress_phase(&watch->progress, pare_clock_ms(), pare_cli_stderr_width(), name, detail, &text);
	return show(&text);
}

int pare_watch_training(void *context, const struct pare_train_progress *training)
{
	struct pare_watch *watch = context;
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_progress_training(&watch->progress, pare_clock_ms(), pare_cli_stderr_width(), training, &text);
	return show(&text);
}

int pare_watch_table(void *context, int64_t done, int64_t total)
{
	struct pare_watch *watch = context;
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_progress_table(&watch->progress, pare_clock_ms(), pare_cli_stderr_width(), done, total, &text);
	return show(&text);
}

int pare_watch_trial(void *context, const struct pare_trial *trial, bool replayed)
{
	struct pare_watch *watch = context;
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_progress_trial(&watch->progress, pare_clock_ms(), pare_cli_stderr_width(), trial, replayed, &text);
	return show(&text);
}

int pare_watch_final(void *context, const struct pare_final *final)
{
	struct pare_watch *watch = context;
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_progress_final(&watch->progress, pare_clock_ms(), pare_cli_stderr_width(), final, &text);
	return show(&text);
}
