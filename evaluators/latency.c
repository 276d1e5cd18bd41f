/* Latency by the table: the sum over the folded network's steps. */
#include "engine/compress/fold.h"
#include "evaluators/evaluators.h"

static int evaluate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                    struct pare_metrics *metrics, struct pare_error *error)
{
	struct pare_graph *folded;
	double ms = 0.0;
	int status;

	if (!setup->lut)
		return PARE_OK;
	folded = pare_fold_batch_norm(candidate->graph, error);
	if (!folded)
		return PARE_E_NOMEM;
	status = pare_lut_predict(setup->lut, folded, &ms, error);
	if (!status)
		pare_metrics_set(metrics, PARE_METRIC_LATENCY_MS, ms);
	pare_graph_free(folded);
	return status;
}

const struct pare_evaluator pare_evaluator_latency = {
        .name = "latency",
        .help = "milliseconds of one run, by the latency table; none without a table",
        .cost = 3,
        .evaluate = evaluate,
};
