/*
 * Accuracy on a split, in inference mode (hand in a folded graph for speed), images spread over the pool's workers in blocks of PARE_LANES,
 * each worker taking its block through the whole network. Results do not depend on the number of threads.
 */
#ifndef PARE_ENGINE_TRAIN_EVALUATE_H
#define PARE_ENGINE_TRAIN_EVALUATE_H

#include "engine/base/pool.h"
#include "engine/data/batch.h"
#include "engine/graph/graph.h"

struct pare_evaluation {
	int64_t correct, total;
	double accuracy; /* correct / total, in [0, 1] */
	double loss;     /* mean cross-entropy, without smoothing */
};

/* PARE_E_DIVERGED when a logit is NaN or infinite. A tie for the largest logit goes to the lower class. */
int pare_evaluate(const struct pare_graph *graph, const struct pare_split *split,
                  const struct pare_normalization *normalization, struct pare_pool *pool, struct pare_evaluation *result,
                  struct pare_error *error);

#endif
