/*
 * Between the store's structs and rows: one place that knows the order of the columns. Reading trusts nothing: a CHECK
 * in the file holds only for those who wrote through it.
 */
#ifndef PARE_EXPERIMENTS_TRIAL_ROWS_H
#define PARE_EXPERIMENTS_TRIAL_ROWS_H

#include "experiments/database.h"
#include "experiments/trial_store.h"

/* trial, controller, round, parent, state, plan, plan_hash, weights, message, seconds as parameters 1 to 10. The texts
 * must live until the query ran. */
int pare_trial_bind(struct pare_query *query, const struct pare_trial *trial, struct pare_error *error);
/* The same columns, counted from 0, of the row that the query stands on; `metrics` selects name, value by trial.
 * *trial: zeroed before, released by the caller after an error. */
int pare_trial_read(const struct pare_query *query, struct pare_query *metrics, const char *path,
                    struct pare_trial *trial, struct pare_error *error);

/* final (the row's id), trial, controller, test_accuracy, measured_latency_ms, weights. `trials`: how many there are.
 */
void pare_final_bind(struct pare_query *query, int64_t id, const struct pare_final *final);
int pare_final_read(const struct pare_query *query, struct pare_query *metrics, const char *path, int64_t trials,
                    struct pare_final *final, struct pare_error *error);

/* Inserts owner, name, value for each metric that is present. */
int pare_metrics_add(struct pare_query *query, int64_t owner, const struct pare_metrics *metrics,
                     struct pare_error *error);

#endif
