/* What the files of experiments/study*.c share. */
#ifndef PARE_EXPERIMENTS_STUDY_PRIVATE_H
#define PARE_EXPERIMENTS_STUDY_PRIVATE_H

#include "experiments/study.h"

/* "<run directory>/name", malloc'd. */
char *pare_study_path(const struct pare_study *study, const char *name, struct pare_error *error);

/* Phases, in order. Each may be called again after a kill. */
int pare_study_baseline(struct pare_study *study, struct pare_error *error);
int pare_study_table(struct pare_study *study, struct pare_error *error);
int pare_study_bind(struct pare_study *study, struct pare_error *error);
int pare_study_search(struct pare_study *study, struct pare_error *error);
int pare_study_finish(struct pare_study *study, struct pare_error *error);

/* Long fine-tuning and the test split for one finalist (trial PARE_TRIAL_BASELINE: the uncut network, as it is), unless the store has it. */
int pare_study_final(struct pare_study *study, int64_t trial, struct pare_error *error);

/* A network to start from: the baseline's copy, or a trial's weights. */
int pare_study_network(struct pare_study *study, int64_t trial, struct pare_graph **graph, struct pare_error *error);

/* Before anything is trained or written: batches, network, table, groups, budgets. */
int pare_study_check(const struct pare_study *study, struct pare_error *error);
/* Warns of what will probably go wrong: no batch norm at a high rate, a baseline that guesses. */
int pare_study_warn_about_baseline(const struct pare_study *study, struct pare_error *error);
int pare_study_warn(const struct pare_study *study, const char *text, struct pare_error *error);
bool pare_study_meets_all_budgets(const struct pare_binding *binding);
int pare_study_refuse_met_budgets(struct pare_error *error);

int pare_study_phase(struct pare_study *study, const char *name, const char *detail, struct pare_error *error);

#endif
