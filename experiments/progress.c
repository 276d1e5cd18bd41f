#include "experiments/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiments/table.h"

#define REDRAW_MS 100.0     /* at most 10 Hz: more is not seen, and flickers over slow lines */
#define PLAIN_TABLE_MS 30e3 /* a sign of life in a log */
#define LEAST_SHARE 0.05    /* below, a remaining time is a guess */
#define ERASE_LINE "\r\033[2K"
#define UP "\033[1A"

void pare_duration_text(double seconds, char *text, size_t size)
{
	int64_t whole = seconds > 0.0 && seconds < 1e12 ? (int64_t)seconds : 0;

	if (whole < 60)
		snprintf(text, size, "%.1f s", seconds > 0.0 ? seconds : 0.0);
	else if (whole < 3600)
		snprintf(text, size, "%" PRId64 " min %02" PRId64 " s", whole / 60, whole % 60);
	else
		snprintf(text, size, "%" PRId64 " h %02" PRId64 " min", whole / 3600, whole / 60 % 60);
}

void pare_progress_init(struct pare_progress *progress, const struct pare_progress_options *options, double now_ms)
{
	*progress = (struct pare_progress){
	        .options = *options, .start_ms = now_ms, .phase_ms = now_ms, .best = NAN, .drawn_ms = -INFINITY};
}

void pare_progress_set_goals(struct pare_progress *progress, const struct pare_progress_goal *goals, int count)
{
	progress->n_goals = count < PARE_MAX_RESOURCES ? count : PARE_MAX_RESOURCES;
	memcpy(progress->goals, goals, (size_t)progress->n_goals * sizeof(*goals));
}

/* ---- the block ---- */

static void erase(struct pare_progress *progress, struct pare_strbuf *out)
{
	if (progress->drawn)
		pare_strbuf_add(out, ERASE_LINE UP ERASE_LINE);
	progress->drawn = false;
}

/* A line longer than the terminal would wrap, and the cursor would no longer stand where it is thought to. */
static void add_cut(struct pare_strbuf *out, const char *line, int width)
{
	for (int used = 0; *line; used++) {
		size_t size = 1;
		while (((unsigned char)line[size] & 0xc0) == 0x80)
			size++;
		if (used >= width - 1)
			return;
		pare_strbuf_add_bytes(out, line, size);
		line += size;
	}
}

static void draw(struct pare_progress *progress, double now_ms, int width, bool at_once, struct pare_strbuf *out)
{
	if (!progress->options.terminal || progress->options.quiet)
		return;
	if (!at_once && now_ms - progress->drawn_ms < REDRAW_MS)
		return;
	erase(progress, out);
	add_cut(out, progress->first, width);
	pare_strbuf_add(out, "\n");
	add_cut(out, progress->second, width);
	progress->drawn = true;
	progress->drawn_ms = now_ms;
}

void pare_progress_end(struct pare_progress *progress, struct pare_strbuf *out)
{
	erase(progress, out);
}

/* A line that stays. */
static void keep_line(struct pare_progress *progress, const char *line, struct pare_strbuf *out)
{
	if (progress->options.quiet)
		return;
	erase(progress, out);
	pare_strbuf_add(out, line);
	pare_strbuf_add(out, "\n");
}

static bool is_plain(const struct pare_progress *progress)
{
	return !progress->options.terminal && !progress->options.quiet;
}

/* " - about 2 min left", when `share` of the phase is done; nothing while that would be a guess */
static void remaining_text(const struct pare_progress *progress, double now_ms, double share, char *text, size_t size)
{
	char duration[32];
	double seconds = (now_ms - progress->phase_ms) / 1e3;

	text[0] = '\0';
	if (!(share >= LEAST_SHARE && share < 1.0))
		return;
	pare_duration_text(seconds * (1.0 - share) / share, duration, sizeof(duration));
	snprintf(text, size, ", about %s left", duration);
}

static void set_first(struct pare_progress *progress, double now_ms)
{
	char duration[32];
	pare_duration_text((now_ms - progress->start_ms) / 1e3, duration, sizeof(duration));
	snprintf(progress->first, sizeof(progress->first), "%.200s  [%s]", progress->phase, duration);
}

/* ---- events ---- */

static void tell_replay(struct pare_progress *progress, struct pare_strbuf *out)
{
	char line[PARE_PROGRESS_LINE];

	if (progress->replayed == 0 || progress->replay_told)
		return;
	progress->replay_told = true;
	snprintf(line, sizeof(line), "%" PRId64 " trial%s taken from the store", progress->replayed,
	         progress->replayed == 1 ? "" : "s");
	keep_line(progress, line, out);
}

void pare_progress_phase(struct pare_progress *progress, double now_ms, int width, const char *name, const char *detail,
                         struct pare_strbuf *out)
{
	struct pare_strbuf text;

	tell_replay(progress, out);
	pare_strbuf_init(&text);
	pare_printable(name, &text);
	if (detail && *detail) {
		pare_strbuf_add(&text, ": ");
		pare_printable(detail, &text);
	}
	snprintf(progress->phase, sizeof(progress->phase), "%s", text.text);
	pare_strbuf_release(&text);
	progress->phase_ms = now_ms;
	progress->replayed = 0;
	progress->replay_told = false;
	progress->replayed_share = 0.0;
	progress->table_quarter = 0;
	progress->plain_ms = now_ms;
	progress->best = NAN;
	progress->second[0] = '\0';
	if (is_plain(progress))
		keep_line(progress, progress->phase, out);
	set_first(progress, now_ms);
	draw(progress, now_ms, width, true, out);
}

void pare_progress_training(struct pare_progress *progress, double now_ms, int width,
                            const struct pare_train_progress *training, struct pare_strbuf *out)
{
	double share = training->steps > 0 ? (double)training->step / (double)training->steps : 0.0;
	char remaining[64];

	remaining_text(progress, now_ms, share, remaining, sizeof(remaining));
	set_first(progress, now_ms);
	snprintf(progress->second, sizeof(progress->second),
	         "epoch %" PRId64 "/%" PRId64 ", step %" PRId64 "/%" PRId64 ": loss %.4f, training accuracy %.2f %%%s",
	         training->epoch + 1, training->epochs, training->step, training->steps, training->loss,
	         100.0 * training->accuracy, remaining);
	if (is_plain(progress) && training->epoch_end)
		keep_line(progress, progress->second, out);
	draw(progress, now_ms, width, training->step == training->steps, out);
}

void pare_progress_table(struct pare_progress *progress, double now_ms, int width, int64_t done, int64_t total,
                         struct pare_strbuf *out)
{
	double share = total > 0 ? (double)done / (double)total : 1.0;
	int quarter = (int)floor(4.0 * share);
	char remaining[64];

	remaining_text(progress, now_ms, share, remaining, sizeof(remaining));
	set_first(progress, now_ms);
	snprintf(progress->second, sizeof(progress->second), "%" PRId64 "/%" PRId64 " shapes timed (%.0f %%)%s", done,
	         total, 100.0 * share, remaining);
	if (is_plain(progress) &&
	    (quarter > progress->table_quarter || now_ms - progress->plain_ms >= PLAIN_TABLE_MS)) {
		keep_line(progress, progress->second, out);
		progress->plain_ms = now_ms;
		progress->table_quarter = quarter;
	}
	draw(progress, now_ms, width, done == total, out);
}

/* ---- trials ---- */

static bool within_budgets(const struct pare_progress *progress, const struct pare_metrics *metrics)
{
	for (int g = 0; g < progress->n_goals; g++) {
		const struct pare_progress_goal *goal = &progress->goals[g];
		if (!(metrics->present[goal->metric] && metrics->value[goal->metric] <= goal->budget))
			return false;
	}
	return true;
}

/* How much of the way from the uncut network down to the budgets this network has come, by the worst of them. */
static double share_of_way(const struct pare_progress *progress, const struct pare_metrics *metrics)
{
	double least = 1.0;

	for (int g = 0; g < progress->n_goals; g++) {
		const struct pare_progress_goal *goal = &progress->goals[g];
		double way = goal->baseline - goal->budget;
		if (way > 0.0 && metrics->present[goal->metric])
			least = fmin(least, (goal->baseline - metrics->value[goal->metric]) / way);
	}
	return least;
}

/* "latency_ms 62 % (budget 50 %)", of the uncut network */
static void add_use(const struct pare_progress *progress, const struct pare_metrics *metrics, struct pare_strbuf *text)
{
	for (int g = 0; g < progress->n_goals; g++) {
		const struct pare_progress_goal *goal = &progress->goals[g];
		if (metrics->present[goal->metric] && goal->baseline > 0.0)
			pare_strbuf_printf(text, ", %s %.1f %% (budget %.1f %%)", pare_metric_info[goal->metric].name,
			                   100.0 * metrics->value[goal->metric] / goal->baseline,
			                   100.0 * goal->budget / goal->baseline);
	}
}

static void describe_trial(const struct pare_progress *progress, const struct pare_trial *trial,
                           struct pare_strbuf *text)
{
	pare_strbuf_printf(text, "trial %" PRId64 " (%s, round %" PRId64 "): ", trial->trial, trial->controller,
	                   trial->round);
	if (trial->state != PARE_TRIAL_COMPLETE) {
		pare_strbuf_add(text, trial->state == PARE_TRIAL_INFEASIBLE ? "over a budget: " : "failed: ");
		pare_printable(trial->message ? trial->message : "no reason given", text);
		return;
	}
	pare_strbuf_printf(text, "accuracy %.2f %%", 100.0 * trial->metrics.value[PARE_METRIC_ACCURACY]);
	add_use(progress, &trial->metrics, text);
}

static void note_best(struct pare_progress *progress, const struct pare_trial *trial)
{
	double accuracy = trial->metrics.value[PARE_METRIC_ACCURACY];

	if (trial->state != PARE_TRIAL_COMPLETE || !within_budgets(progress, &trial->metrics))
		return;
	if (isnan(progress->best) || accuracy > progress->best) {
		progress->best = accuracy;
		progress->best_trial = trial->trial;
	}
}

static void block_of_trial(struct pare_progress *progress, double now_ms, const struct pare_trial *trial,
                           const char *text)
{
	char remaining[64], best[96] = "none within all budgets yet", duration[32];
	double before = progress->replayed_share;
	double share = (share_of_way(progress, &trial->metrics) - before) / (1.0 - before);

	if (!isnan(progress->best))
		snprintf(best, sizeof(best), "best within budgets: %.2f %% (trial %" PRId64 ")", 100.0 * progress->best,
		         progress->best_trial);
	remaining_text(progress, now_ms, trial->state == PARE_TRIAL_COMPLETE ? share : 0.0, remaining,
	               sizeof(remaining));
	pare_duration_text((now_ms - progress->start_ms) / 1e3, duration, sizeof(duration));
	snprintf(progress->first, sizeof(progress->first), "%.80s  [%.31s]  %.80s%.50s", progress->phase, duration,
	         best, remaining);
	snprintf(progress->second, sizeof(progress->second), "%.250s", text);
}

void pare_progress_trial(struct pare_progress *progress, double now_ms, int width, const struct pare_trial *trial,
                         bool replayed, struct pare_strbuf *out)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	describe_trial(progress, trial, &text);
	note_best(progress, trial);
	progress->replayed += replayed;
	if (replayed) { /* the way that they went took no time now */
		progress->phase_ms = now_ms;
		progress->replayed_share = share_of_way(progress, &trial->metrics);
	} else {
		tell_replay(progress, out);
	}
	if (!replayed && (is_plain(progress) || trial->state != PARE_TRIAL_COMPLETE))
		keep_line(progress, text.text, out);
	block_of_trial(progress, now_ms, trial, text.text);
	pare_strbuf_release(&text);
	draw(progress, now_ms, width, false, out);
}

void pare_progress_final(struct pare_progress *progress, double now_ms, int width, const struct pare_final *final,
                         struct pare_strbuf *out)
{
	char line[PARE_PROGRESS_LINE], name[64] = "uncut network";

	if (final->trial != PARE_TRIAL_BASELINE)
		snprintf(name, sizeof(name), "%s, trial %" PRId64, final->controller, final->trial);
	snprintf(line, sizeof(line), "%s: test accuracy %.2f %%, measured %.3f ms", name, 100.0 * final->test_accuracy,
	         final->measured_latency_ms);
	keep_line(progress, line, out);
	progress->phase_ms = now_ms;
	progress->second[0] = '\0';
	set_first(progress, now_ms);
	draw(progress, now_ms, width, true, out);
}
