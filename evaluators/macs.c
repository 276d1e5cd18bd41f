/* Multiply-accumulates of one image, in convolutions and linear layers: the field's convention. FLOPs are twice that.
 */
#include "evaluators/evaluators.h"

static int evaluate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                    struct pare_metrics *metrics, struct pare_error *error)
{
	(void)setup;
	(void)error;
	pare_metrics_set(metrics, PARE_METRIC_MACS, (double)pare_graph_macs(candidate->graph));
	return PARE_OK;
}

const struct pare_evaluator pare_evaluator_macs = {
        .name = "macs",
        .help = "multiply-accumulates of one image, in convolutions and linear layers",
        .cost = 0,
        .evaluate = evaluate,
};
