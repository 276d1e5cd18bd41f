/*
 * What a study came to, as text for a terminal: the uncut network beside every finalist, the Pareto front as a table
 * and as a plot, and what can be done next.
 */
#ifndef PARE_EXPERIMENTS_STUDY_REPORT_H
#define PARE_EXPERIMENTS_STUDY_REPORT_H

#include "experiments/study_view.h"
#include "experiments/table.h"

/* The closing report. PARE_E_NOMEM or 0. */
int pare_study_report(const struct pare_study_view *view, const struct pare_table_style *style,
                      struct pare_strbuf *out);

/* Its parts, for the commands that show one of them. The tables are released by the caller, whatever is returned. */
void pare_finals_table(const struct pare_study_view *view, struct pare_table *table);
void pare_front_table(const struct pare_study_view *view, struct pare_table *table);
void pare_trials_table(const struct pare_study_view *view, struct pare_table *table);
/* Accuracy against the first metric with a budget (latency, if there is none): all trials, the front, the uncut
 * network. */
void pare_front_plot(const struct pare_study_view *view, int width, struct pare_strbuf *out);

const char *pare_trial_state_name(enum pare_trial_state state); /* "complete", "infeasible", "failed" */

#endif
