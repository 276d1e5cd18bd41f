/*
 * A study: a run directory, from an empty folder to the report.
 *
 *     <run directory>/config.yaml      the effective spec, absolute paths
 *                     study.db         the trial store (experiments/trial_store.h)
 *                     latency.lut      the table this study is priced by
 *                     weights/         networks by hash
 *                     best.onnx        the best finalist, batch norm folded, when the study is complete
 *
 *     pare_study_create(&study, spec, directory, ...) or pare_study_open(&study, directory, ...)
 *     pare_study_run(study, events, error)      as far as it gets; after a kill: open and run again
 *     pare_study_free(study)
 *
 * Running is a row of phases: baseline (train or read the network), latency table, each controller's search, long fine-tuning of the
 * finalists. Each leaves a durable mark and is skipped when the mark is there; trials that are in the store are replayed
 * into their controller. So a study that was killed anywhere goes on as if it had never stopped.
 */
#ifndef PARE_EXPERIMENTS_STUDY_H
#define PARE_EXPERIMENTS_STUDY_H

#include "experiments/binding.h"
#include "experiments/spec.h"
#include "experiments/trial_store.h"

/* What happens, for whoever shows it. All optional. A result other than 0 stops the study (PARE_E_STOPPED). */
struct pare_study_events {
	void *context;
	int (*phase)(void *context, const char *name, const char *detail); /* "baseline", "latency table", "search: netadapt", ... */
	int (*warning)(void *context, const char *text);
	int (*training)(void *context, const struct pare_train_progress *progress);
	int (*table)(void *context, int64_t done, int64_t total);
	int (*trial)(void *context, const struct pare_trial *trial, bool replayed);
	int (*final)(void *context, const struct pare_final *final);
};

struct pare_study {
	struct pare_spec spec;
	char *directory, *weights_directory;
	struct pare_store *store;
	struct pare_pool *pool;
	struct pare_splits splits;
	char data_hash[PARE_HASH_TEXT_SIZE]; /* of all images and labels */
	struct pare_graph *graph; /* baseline, trainable form */
	struct pare_lut *lut;
	struct pare_binding binding;
	bool bound;
	double baseline_accuracy; /* search split */
	const struct pare_study_events *events;
};

/* A new run directory; PARE_E_EXISTS when it is there already. Takes the spec over (it is released with the study, or on failure). */
int pare_study_create(struct pare_study **study, struct pare_spec *spec, const char *directory, struct pare_error *error);
/* An existing one, for going on. */
int pare_study_open(struct pare_study **study, const char *directory, struct pare_error *error);
void pare_study_free(struct pare_study *study); /* NULL is fine */

int pare_study_run(struct pare_study *study, const struct pare_study_events *events, struct pare_error *error);

/* The spec's data: all splits, or with `test_only` the test part. Also checks what only data can tell: as many means and standard
 * deviations as there are channels, crops that leave something of the image. */
int pare_spec_load_data(const struct pare_spec *spec, bool test_only, struct pare_splits *splits, struct pare_error *error);
/* The network the spec names: built with fresh weights (zoo), or read (ONNX) and checked against the data set's image size. */
int pare_spec_network(const struct pare_spec *spec, const struct pare_dataset *data, struct pare_graph **graph,
                      struct pare_error *error);
/* Options of engine/train for one of the spec's training sections. */
struct pare_train_options pare_spec_train_options(const struct pare_spec *spec, const struct pare_spec_train *section,
                                                  uint64_t seed, struct pare_pool *pool);
#endif
