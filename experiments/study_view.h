/*
 * A study as it stands in its run directory, read at one moment: for tables, the front and the report. Nothing is
 * written, no lock is taken: the study may be running.
 *
 *     struct pare_study_view view;
 *     pare_study_view_read(&view, "runs/demo", &error);
 *     ...
 *     pare_study_view_release(&view);
 */
#ifndef PARE_EXPERIMENTS_STUDY_VIEW_H
#define PARE_EXPERIMENTS_STUDY_VIEW_H

#include "experiments/trial_store.h"

struct pare_study_view {
	char *directory;
	bool complete;                    /* the study ran to its end */
	struct pare_metrics baseline;     /* the uncut network; nothing present before the search began */
	double budget[PARE_METRIC_COUNT]; /* INFINITY = none */
	struct pare_trial *trials;
	int64_t n_trials;
	struct pare_final *finals; /* the uncut network's too, once it was tested */
	int n_finals;
	int best_final; /* index in finals, -1 = none yet */

	/* The Pareto front over accuracy and every metric with a budget, of all complete trials and the uncut network.
	 */
	enum pare_metric objectives[PARE_METRIC_COUNT]; /* accuracy first */
	int n_objectives;
	bool *on_front; /* [n_trials] */
	bool baseline_on_front;
};

/* PARE_E_NOT_FOUND when the directory holds no study. After a failure the view is as after release. */
int pare_study_view_read(struct pare_study_view *view, const char *directory, struct pare_error *error);
void pare_study_view_release(struct pare_study_view *view); /* leaves it zeroed */

/* All of this study's budgets hold. */
bool pare_study_view_feasible(const struct pare_study_view *view, const struct pare_metrics *metrics);
/* The final that grew from a trial (PARE_TRIAL_BASELINE: the uncut network), or NULL. */
const struct pare_final *pare_study_view_final(const struct pare_study_view *view, int64_t trial);
/* A trial's number from "12" or "best"; "baseline" or "-1" too (PARE_TRIAL_BASELINE). PARE_E_INVALID for any other
 * text, PARE_E_NOT_FOUND when there is no such trial or no finalist yet. */
int pare_study_view_trial(const struct pare_study_view *view, const char *text, int64_t *trial,
                          struct pare_error *error);

#endif
