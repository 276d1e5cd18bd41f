/*
 * Accuracy on the search split after a short fine-tuning on the train split, in place: the candidate's weights are the
 * tuned ones afterwards, and whoever starts from it starts from them.
 */
#include "engine/compress/fold.h"
#include "engine/train/evaluate.h"
#include "evaluators/evaluators.h"

static int fine_tune(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                     struct pare_error *error)
{
	struct pare_train_options options = setup->fine_tune;

	if (options.steps <= 0 && !(options.epochs > 0.0))
		return PARE_OK;
	options.seed = candidate->seed;
	options.pool = setup->pool;
	return pare_train(candidate->graph, setup->train, &options, error);
}

static int evaluate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                    struct pare_metrics *metrics, struct pare_error *error)
{
	struct pare_evaluation result;
	struct pare_graph *folded;
	int status = fine_tune(setup, candidate, error);

	if (status)
		return status;
	folded = pare_fold_batch_norm(candidate->graph, error);
	if (!folded)
		return PARE_E_NOMEM;
	status = pare_evaluate(folded, setup->search, &setup->fine_tune.normalization, setup->pool, &result, error);
	if (!status)
		pare_metrics_set(metrics, PARE_METRIC_ACCURACY, result.accuracy);
	pare_graph_free(folded);
	return status;
}

const struct pare_evaluator pare_evaluator_accuracy = {
        .name = "accuracy",
        .help = "accuracy on the search split, after the short fine-tuning",
        .cost = 10,
        .evaluate = evaluate,
};
