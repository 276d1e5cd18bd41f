/* pare show: one network of a study: what was cut where, what it costs, where it came from. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "experiments/cli.h"
#include "experiments/study_report.h"

#define BAR 40 /* characters of an uncut group */

/* Of the plan's text, which may come from somebody else's file. */
struct entry {
	const char *name;
	int name_length;
	int64_t kept, channels;
};

/* "name=kept/channels" up to a blank; false at the end or at what is none. Names may hold blanks and '='. */
static bool next_entry(const char **at, struct entry *entry)
{
	const char *begin = *at + strspn(*at, " ");

	for (const char *equals = strchr(begin, '='); equals; equals = strchr(equals + 1, '=')) {
		char *slash, *end;
		entry->kept = strtoll(equals + 1, &slash, 10);
		if (slash == equals + 1 || *slash != '/')
			continue;
		entry->channels = strtoll(slash + 1, &end, 10);
		if (end == slash + 1 || (*end && *end != ' '))
			continue;
		entry->name = begin;
		entry->name_length = (int)(equals - begin);
		*at = end;
		return entry->kept >= 0 && entry->channels > 0 && entry->kept <= entry->channels;
	}
	return false;
}

static void add_bar(const struct entry *entry, int width, struct pare_strbuf *text)
{
	int filled = (int)((double)entry->kept / (double)entry->channels * BAR + 0.5);

	filled = entry->kept > 0 && filled == 0 ? 1 : filled;
	filled = entry->kept < entry->channels && filled == BAR ? BAR - 1 : filled;
	pare_strbuf_printf(text, "  %-*.*s %5" PRId64 " of %5" PRId64 "  ", width, entry->name_length, entry->name,
	                   entry->kept, entry->channels);
	for (int i = 0; i < BAR; i++)
		pare_strbuf_add(text, i < filled ? "#" : ".");
	pare_strbuf_add(text, "\n");
}

static void add_plan(const char *plan, struct pare_strbuf *text)
{
	struct pare_strbuf clean;
	struct entry entry;
	const char *at;
	int width = 5;

	pare_strbuf_init(&clean);
	pare_printable(plan, &clean);
	for (at = clean.text; next_entry(&at, &entry);)
		width = entry.name_length > width ? entry.name_length : width;
	for (at = clean.text; next_entry(&at, &entry);)
		add_bar(&entry, width, text);
	text->failed |= clean.failed;
	pare_strbuf_release(&clean);
}

static void add_metrics(const struct pare_study_view *view, const struct pare_metrics *metrics,
                        struct pare_strbuf *text)
{
	for (int m = 0; m < PARE_METRIC_COUNT; m++) {
		const struct pare_metric_info *info = &pare_metric_info[m];
		if (!metrics->present[m])
			continue;
		if (m == PARE_METRIC_ACCURACY || m == PARE_METRIC_LATENCY_MS || !(fabs(metrics->value[m]) < 9e18)) {
			pare_strbuf_printf(text, "  %-20s %14.4f", info->name, metrics->value[m]);
		} else {
			struct pare_strbuf number;
			pare_strbuf_init(&number);
			pare_grouped((int64_t)metrics->value[m], &number);
			pare_strbuf_printf(text, "  %-20s %14s", info->name, number.text);
			pare_strbuf_release(&number);
		}
		if (view->baseline.present[m] && view->baseline.value[m] > 0.0)
			pare_strbuf_printf(text, "  %6.1f %% of the uncut network",
			                   100.0 * metrics->value[m] / view->baseline.value[m]);
		pare_strbuf_add(text, "\n");
	}
}

static void add_final(const struct pare_study_view *view, const struct pare_final *final, struct pare_strbuf *text)
{
	if (!final)
		return;
	pare_strbuf_add(text, final->trial == PARE_TRIAL_BASELINE ? "\nOn the test images:\n"
	                                                          : "\nAfter long fine-tuning, on the test images:\n");
	pare_strbuf_printf(text, "  %-20s %14.4f\n", "test_accuracy", final->test_accuracy);
	pare_strbuf_printf(text, "  %-20s %14.4f\n", "measured_latency_ms", final->measured_latency_ms);
	if (final->trial != PARE_TRIAL_BASELINE)
		add_metrics(view, &final->metrics, text);
}

/* From the trial up to the uncut network. A parent is always older than its child, or the record is wrong. */
static void add_ancestors(const struct pare_study_view *view, int64_t trial, struct pare_strbuf *text)
{
	pare_strbuf_add(text, "\nWhere its weights come from:\n");
	while (trial >= 0 && trial < view->n_trials) {
		const struct pare_trial *record = &view->trials[trial];
		pare_strbuf_printf(text, "  trial %" PRId64 " (%s, round %" PRId64 ")", trial, record->controller,
		                   record->round);
		if (record->metrics.present[PARE_METRIC_ACCURACY])
			pare_strbuf_printf(text, ", accuracy %.4f", record->metrics.value[PARE_METRIC_ACCURACY]);
		pare_strbuf_add(text, "\n");
		if (record->parent >= trial)
			break;
		trial = record->parent;
	}
	pare_strbuf_add(text, "  the uncut network\n");
}

static void add_trial(const struct pare_study_view *view, int64_t number, struct pare_strbuf *text)
{
	const struct pare_trial *trial = &view->trials[number];
	bool complete = trial->state == PARE_TRIAL_COMPLETE;

	pare_strbuf_printf(text, "trial %" PRId64 " (%s, round %" PRId64 "): %s%s\n", number, trial->controller,
	                   trial->round, pare_trial_state_name(trial->state),
	                   !complete                                         ? ""
	                   : pare_study_view_feasible(view, &trial->metrics) ? ", within all budgets"
	                                                                     : ", over a budget");
	if (trial->message) {
		pare_strbuf_add(text, "  ");
		pare_printable(trial->message, text);
		pare_strbuf_add(text, "\n");
	}
	pare_strbuf_add(text, "\nChannels that stay:\n");
	add_plan(trial->plan, text);
	pare_strbuf_add(text, "\nAs it was scored:\n");
	add_metrics(view, &trial->metrics, text);
	add_final(view, pare_study_view_final(view, number), text);
	add_ancestors(view, number, text);
}

static void add_baseline(const struct pare_study_view *view, struct pare_strbuf *text)
{
	pare_strbuf_add(text, "the uncut network\n");
	add_metrics(view, &view->baseline, text);
	add_final(view, pare_study_view_final(view, PARE_TRIAL_BASELINE), text);
}

static int run(const struct pare_cli *cli)
{
	struct pare_error error = {0};
	struct pare_study_view view;
	struct pare_strbuf text;
	int64_t trial;
	int status = pare_study_view_read(&view, cli->operands[0], &error);

	if (status)
		return pare_cli_fail(cli, &error);
	status = pare_study_view_trial(&view, pare_cli_value(cli, "trial"), &trial, &error);
	if (status) {
		pare_study_view_release(&view);
		return pare_cli_fail(cli, &error);
	}
	pare_strbuf_init(&text);
	if (trial == PARE_TRIAL_BASELINE)
		add_baseline(&view, &text);
	else
		add_trial(&view, trial, &text);
	pare_study_view_release(&view);
	return pare_cli_print(cli, &text);
}

static const struct pare_cli_option options[] = {
        {.name = "trial",
         .letter = 't',
         .argument = "N|best|baseline",
         .required = true,
         .help = "which network; best: the finalist with the highest search accuracy"},
        {0},
};

const struct pare_command pare_command_show = {
        .name = "show",
        .operands = "RUN_DIR",
        .n_operands = 1,
        .help = "shows one network of a study: what was cut where, and what it costs",
        .details = "Example:\n"
                   "  pare show runs/demo --trial best\n",
        .options = options,
        .run = run,
};
