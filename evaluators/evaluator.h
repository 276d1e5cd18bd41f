/*
 * Evaluators turn a candidate network into numbers. One file each, one line in evaluator_table.c. They run in cost
 * order: the cheap ones first, so that a candidate over a hard limit never reaches the training ones.
 */
#ifndef PARE_EVALUATORS_EVALUATOR_H
#define PARE_EVALUATORS_EVALUATOR_H

#include "engine/data/dataset.h"
#include "engine/train/train.h"
#include "evaluators/metrics.h"
#include "latency_lut/lut.h"

/* What all evaluators of a study share; pointers are the caller's. */
struct pare_evaluation_setup {
	const struct pare_lut *lut;              /* NULL: no latency metric */
	const struct pare_split *train, *search; /* accuracy: fine-tunes on train, scores on search */
	struct pare_train_options
	        fine_tune; /* seed is replaced by the candidate's; steps = 0 and epochs = 0: no fine-tuning */
	struct pare_pool *pool;
};

struct pare_candidate {
	struct pare_graph
	        *graph; /* physically slim, trainable form (batch norm kept); accuracy fine-tunes it in place */
	uint64_t seed;  /* of its fine-tuning */
};

struct pare_evaluator {
	const char *name; /* "accuracy" */
	const char *help;
	int cost; /* order: lower runs earlier */
	/* Fills its metrics. PARE_E_DIVERGED when training or scoring produced NaN. */
	int (*evaluate)(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
	                struct pare_metrics *metrics, struct pare_error *error);
};

extern const struct pare_evaluator *const pare_evaluator_table[]; /* in cost order, NULL-terminated */

/* An upper limit on a metric; a hard post-condition. */
struct pare_limit {
	enum pare_metric metric;
	double limit;
};

/* Runs all evaluators in cost order. After each, limits on metrics that are present are checked: PARE_E_INFEASIBLE
 * names the metric, its value and the limit; metrics found so far stay filled in. A limit on a metric that nothing
 * filled in (latency without a table) is PARE_E_INVALID. */
int pare_evaluate_candidate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                            const struct pare_limit *limits, int n_limits, struct pare_metrics *metrics,
                            struct pare_error *error);

/* Only what needs no training and no data (macs, size, memory, latency) from shapes: `folded` is the folded slim graph,
 * `trainable` the slim graph with batch norm (parameters are counted there). Quick: controllers price thousands of
 * points. */
int pare_evaluate_cost(const struct pare_lut *lut, const struct pare_graph *trainable, const struct pare_graph *folded,
                       struct pare_metrics *metrics, struct pare_error *error);

#endif
