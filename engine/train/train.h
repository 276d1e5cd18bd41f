/*
 * Training and fine-tuning: SGD with momentum over a split, in place on the graph's parameters.
 *
 * The same graph, split, options and seed give the same weights bit for bit, whatever the number of threads.
 */
#ifndef PARE_ENGINE_TRAIN_TRAIN_H
#define PARE_ENGINE_TRAIN_TRAIN_H

#include <stdbool.h>

#include "engine/base/pool.h"
#include "engine/data/batch.h"
#include "engine/graph/graph.h"
#include "engine/train/schedule.h"

/* v = momentum * v + g + weight_decay * w (decay on PARE_PARAM_WEIGHT only); w -= lr * v, or with Nesterov's look-ahead
 * w -= lr * (g + momentum * v) (Sutskever et al. 2013, PyTorch's form). */
struct pare_sgd_options {
	double momentum;
	bool nesterov;
	double weight_decay;
};

struct pare_train_progress {
	int64_t step, steps;   /* done, in all */
	int64_t epoch, epochs; /* current (0-based), in all (rounded up) */
	double loss;           /* mean over the epoch so far */
	double accuracy;       /* of the training batches of the epoch so far, augmented */
	double learning_rate;
	bool epoch_end;
};

struct pare_train_options {
	int64_t batch; /* images a step; the last incomplete batch of an epoch is dropped */
	double epochs; /* may be a fraction; ignored when steps > 0 */
	int64_t steps; /* 0 = from epochs */
	struct pare_schedule_options schedule;
	struct pare_sgd_options sgd;
	double label_smoothing; /* [0, 1): target = (1 - s) * one-hot + s / classes (Szegedy et al. 2016) */
	bool flip;
	int crop_padding; /* pixels */
	struct pare_normalization normalization;
	uint64_t seed;
	struct pare_pool *pool;
	/* (optional) Called after every step that ends an epoch and at most about every `report_steps` steps (0 =
	 * epochs only). A result other than 0 stops the training with PARE_E_STOPPED. */
	int (*progress)(void *context, const struct pare_train_progress *progress);
	void *progress_context;
	int64_t report_steps;
};

/* PARE_E_DIVERGED (with step and loss) as soon as a batch's loss is not finite: the weights are spoilt then. */
int pare_train(struct pare_graph *graph, const struct pare_split *split, const struct pare_train_options *options,
               struct pare_error *error);

#endif
