/*
 * What a study is doing, as text for stderr: on a terminal a block of two lines that is redrawn in place, at most ten
 * times a second; else plain lines, one an epoch, a trial, a quarter of the latency table.
 *
 *     struct pare_progress progress;
 *     pare_progress_init(&progress, &(struct pare_progress_options){.terminal = true}, pare_clock_ms());
 *     pare_progress_trial(&progress, pare_clock_ms(), 80, &trial, false, &out);     // then write out to stderr
 *     pare_progress_end(&progress, &out);                                         // takes the block away
 *
 * Every function appends what is to be written now, perhaps nothing. It knows no clock and no terminal: both are
 * arguments (now_ms monotonic; width in characters, asked for at each draw).
 */
#ifndef PARE_EXPERIMENTS_PROGRESS_H
#define PARE_EXPERIMENTS_PROGRESS_H

#include "engine/base/strbuf.h"
#include "engine/train/train.h"
#include "experiments/trial_store.h"
#include "search/problem.h"

#define PARE_PROGRESS_LINE 256

struct pare_progress_options {
	bool terminal; /* redraw in place */
	bool quiet;    /* nothing at all */
};

struct pare_progress_goal {
	enum pare_metric metric;
	double baseline, budget;
};

struct pare_progress {
	struct pare_progress_options options;
	double start_ms, phase_ms, drawn_ms,
	        plain_ms; /* begin of all, of the phase; last block; last line of a table */
	bool drawn;       /* a block stands on the terminal */
	char first[PARE_PROGRESS_LINE], second[PARE_PROGRESS_LINE]; /* its lines */
	char phase[PARE_PROGRESS_LINE];
	struct pare_progress_goal goals[PARE_MAX_RESOURCES];
	int n_goals;
	int64_t replayed; /* trials, in this phase */
	bool replay_told;
	double replayed_share; /* of the way to the budgets, that the replayed trials went */
	double best;           /* accuracy of the best trial so far within all budgets; NaN = none */
	int64_t best_trial;
	int table_quarter;
};

void pare_progress_init(struct pare_progress *progress, const struct pare_progress_options *options, double now_ms);
/* What the search has to reach; once it is known. */
void pare_progress_set_goals(struct pare_progress *progress, const struct pare_progress_goal *goals, int count);

void pare_progress_phase(struct pare_progress *progress, double now_ms, int width, const char *name, const char *detail,
                         struct pare_strbuf *out);
void pare_progress_training(struct pare_progress *progress, double now_ms, int width,
                            const struct pare_train_progress *training, struct pare_strbuf *out);
void pare_progress_table(struct pare_progress *progress, double now_ms, int width, int64_t done, int64_t total,
                         struct pare_strbuf *out);
void pare_progress_trial(struct pare_progress *progress, double now_ms, int width, const struct pare_trial *trial,
                         bool replayed, struct pare_strbuf *out);
void pare_progress_final(struct pare_progress *progress, double now_ms, int width, const struct pare_final *final,
                         struct pare_strbuf *out);
/* Takes the block away. */
void pare_progress_end(struct pare_progress *progress, struct pare_strbuf *out);

/* "4.2 s", "3 min 05 s", "2 h 10 min" */
void pare_duration_text(double seconds, char *text, size_t size);

#endif
