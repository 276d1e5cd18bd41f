/*
 * From a study to an ONNX file: a trial's network with batch norm folded (what is deployed), its plan, metrics and origin in
 * metadata_props: pare.version, pare.study, pare.controller, pare.trial, pare.plan, pare.<metric>, pare.test_accuracy.
 */
#ifndef PARE_EXPERIMENTS_EXPORT_H
#define PARE_EXPERIMENTS_EXPORT_H

#include "experiments/trial_store.h"

struct pare_export_options {
	const char *trial; /* "best" (the best finalist by search accuracy), "baseline", or a trial's number */
	bool keep_batch_norm; /* the trainable form */
};

/* Takes the network after long fine-tuning if the trial was a finalist, else as it was scored. PARE_E_NOT_FOUND when there is no
 * such trial or its weights were not kept (the message says which were). */
int pare_export(struct pare_store *store, const char *directory, const struct pare_export_options *options,
                const char *path, struct pare_error *error);

/* Index of the best finalist in finals [count] by search accuracy, ties to the earlier; the uncut network does not count. -1 = none. */
int pare_best_final(const struct pare_final *finals, int count);

#endif
