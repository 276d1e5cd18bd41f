/* Trained parameters, and the bytes of all parameters as stored (32-bit floats, batch norm's running statistics
 * included). */
#include "evaluators/evaluators.h"

static int evaluate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                    struct pare_metrics *metrics, struct pare_error *error)
{
	(void)setup;
	(void)error;
	pare_metrics_set(metrics, PARE_METRIC_PARAMS, (double)pare_graph_parameters(candidate->graph));
	pare_metrics_set(metrics, PARE_METRIC_BYTES, (double)pare_graph_bytes(candidate->graph));
	return PARE_OK;
}

const struct pare_evaluator pare_evaluator_size = {
        .name = "size",
        .help = "trained parameters, and bytes of all parameters",
        .cost = 1,
        .evaluate = evaluate,
};
