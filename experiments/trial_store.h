/*
 * The trial store: one SQLite file (WAL), the record of a study. Together with the spec it is the only truth; fronts,
 * reports and controllers' states are recomputed from it.
 *
 * Rules: `pare run` and `pare resume` are its one writer (a lock in the store refuses a second one; the lock of a dead
 * process is taken over); readers may look at any time. A trial's row is committed (synchronous=FULL) before any
 * controller hears of it. Weights are files weights/<hash>.onnx beside the store, on disk before the row that names
 * them; a row never points at a file that is not there.
 *
 * The file comes from elsewhere as often as not: opening checks application_id, version and the tables; values are
 * checked when read.
 */
#ifndef PARE_EXPERIMENTS_TRIAL_STORE_H
#define PARE_EXPERIMENTS_TRIAL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/hash.h"
#include "engine/base/status.h"
#include "evaluators/metrics.h"
#include "search/controller.h"

struct pare_store;

enum pare_store_mode { PARE_STORE_CREATE, PARE_STORE_WRITE, PARE_STORE_READ };

struct pare_trial {
	int64_t trial; /* 0, 1, 2, ... across all controllers of the study */
	char controller[32];
	int64_t round;
	int64_t parent; /* PARE_TRIAL_BASELINE or a trial */
	enum pare_trial_state state;
	char *plan; /* canonical text (engine/compress/plan.h); owned */
	char plan_hash[PARE_HASH_TEXT_SIZE];
	struct pare_metrics metrics;
	char weights[PARE_HASH_TEXT_SIZE]; /* "" = not kept */
	char *message;                     /* why it failed; NULL otherwise; owned */
	double seconds;                    /* wall time of the evaluation: informative, never compared */
};

/* A finalist after long fine-tuning: quoted on the test split, once. */
struct pare_final {
	int64_t trial;               /* the trial it grew from; PARE_TRIAL_BASELINE for the uncut network */
	char controller[32];         /* "baseline" for the uncut network */
	struct pare_metrics metrics; /* accuracy: search split, after long fine-tuning */
	double test_accuracy;        /* test split */
	double measured_latency_ms;  /* end to end on this machine; NaN if not measured; informative, never compared */
	char weights[PARE_HASH_TEXT_SIZE];
};

/* path: the .db file. CREATE refuses an existing file (PARE_E_EXISTS). CREATE and WRITE hold <path>.lock until the
 * store is closed; PARE_E_IO names the process that has it already. On READ the file is not changed (SQLite may put its
 * -wal and -shm beside it). WRITE checks the whole file first; PARE_E_FORMAT: damaged, another program's, or another
 * version's. One thread at a time. */
int pare_store_open(struct pare_store **store, const char *path, enum pare_store_mode mode, struct pare_error *error);
void pare_store_close(struct pare_store *store); /* NULL is fine */

/* Study attributes: "spec" (effective YAML), "spec_hash", "pare_version", "lut_hash", "data_hash", "baseline.<metric>", "budget.<resource>", "status" */
int pare_store_set(struct pare_store *store, const char *key, const char *value, struct pare_error *error);
/* *value is malloc'd; NULL (and 0) when there is no such key. */
int pare_store_get(struct pare_store *store, const char *key, char **value, struct pare_error *error);

/* The next trial id must be trial->trial (0, 1, 2...): PARE_E_INVALID otherwise. Durable when it returns. */
int pare_store_add_trial(struct pare_store *store, const struct pare_trial *trial, struct pare_error *error);
/* Or a negative status. */
int64_t pare_store_trial_count(struct pare_store *store);
/* PARE_E_NOT_FOUND names the trial and how many there are. */
int pare_store_trial(struct pare_store *store, int64_t id, struct pare_trial *trial, struct pare_error *error);
/* All, in order; *trials malloc'd: pare_trials_free. */
int pare_store_trials(struct pare_store *store, struct pare_trial **trials, int64_t *count, struct pare_error *error);
/* The trial's weights are about to be removed: its row names none from now on. */
int pare_store_forget_weights(struct pare_store *store, int64_t trial, struct pare_error *error);
void pare_trial_release(struct pare_trial *trial);
void pare_trials_free(struct pare_trial *trials, int64_t count);

/* A trial (and the uncut network) can be final once: PARE_E_INVALID. */
int pare_store_add_final(struct pare_store *store, const struct pare_final *final, struct pare_error *error);
/* In the order in which they were added; *finals malloc'd, NULL when there is none. */
int pare_store_finals(struct pare_store *store, struct pare_final **finals, int *count, struct pare_error *error);

#endif
