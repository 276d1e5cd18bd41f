#include "engine/train/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/graph/exec.h"
#include "engine/train/loss.h"

/* One executor a worker; one result a block, added up in order. */
struct evaluation {
	const struct pare_split *split;
	const struct pare_normalization *normalization;
	struct pare_exec **execs;
	struct pare_loss *losses;
};

static void evaluate_block(void *context, int64_t block, int worker)
{
	struct evaluation *e = context;
	struct pare_exec *exec = e->execs[worker];
	int32_t labels[PARE_LANES];
	int64_t first = block * PARE_LANES, left = e->split->images - first;

	pare_exec_set_images(exec, left < PARE_LANES ? left : PARE_LANES);
	struct pare_tensor input = pare_exec_input(exec);
	pare_batch_fill(e->split, NULL, first, e->normalization, NULL, 0, &input, labels);
	pare_exec_forward(exec);
	struct pare_tensor logits = pare_exec_output(exec);
	e->losses[block] = pare_cross_entropy(&logits, labels, 0.0, NULL);
}

static int check(const struct pare_graph *graph, const struct pare_split *split, struct pare_error *error)
{
	const struct pare_shape *input = &graph->values[graph->input].shape, *output = &graph->values[graph->output].shape;
	const struct pare_dataset *data = split->dataset;
	struct pare_shape wanted = pare_shape_chw(data->channels, data->height, data->width);
	char a[64], b[64];

	if (split->images < 1)
		return pare_error_set(error, PARE_E_INVALID, "there are no images to evaluate on");
	if (!pare_shape_equal(input, &wanted))
		return pare_error_set(error, PARE_E_INVALID, "the network takes %s images, the data set has %s",
		                      pare_shape_text(input, a, sizeof a), pare_shape_text(&wanted, b, sizeof b));
	if (output->rank != 1 || output->dim[0] < data->classes)
		return pare_error_set(error, PARE_E_INVALID, "the network's output is %s, the data set has %d classes",
		                      pare_shape_text(output, a, sizeof a), data->classes);
	return PARE_OK;
}

static int run(struct evaluation *e, const struct pare_graph *graph, struct pare_pool *pool, struct pare_evaluation *result,
               struct pare_error *error)
{
	int64_t blocks = (e->split->images + PARE_LANES - 1) / PARE_LANES;
	struct pare_exec_options options = {.images = PARE_LANES, .lanes = PARE_LANES};

	for (int t = 0; t < pare_pool_threads(pool); t++) {
		int status = pare_exec_new(&e->execs[t], graph, &options, error);
		if (status)
			return status;
	}
	pare_pool_for(pool, blocks, evaluate_block, e);
	*result = (struct pare_evaluation){.total = e->split->images};
	double sum = 0.0;
	for (int64_t block = 0; block < blocks; block++) {
		result->correct += e->losses[block].correct;
		sum += e->losses[block].sum;
	}
	if (!isfinite(sum))
		return pare_error_set(error, PARE_E_DIVERGED, "the network's outputs are not finite");
	result->accuracy = (double)result->correct / (double)result->total;
	result->loss = sum / (double)result->total;
	return PARE_OK;
}

int pare_evaluate(const struct pare_graph *graph, const struct pare_split *split,
                  const struct pare_normalization *normalization, struct pare_pool *pool, struct pare_evaluation *result,
                  struct pare_error *error)
{
	struct evaluation e = {.split = split, .normalization = normalization};
	int threads = pare_pool_threads(pool), status = check(graph, split, error);

	if (status)
		return status;
	e.execs = pare_calloc((size_t)threads, sizeof *e.execs);
	e.losses = pare_calloc((size_t)((split->images + PARE_LANES - 1) / PARE_LANES), sizeof *e.losses);
	if (e.execs && e.losses)
		status = run(&e, graph, pool, result, error);
	else
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory for evaluation");
	for (int t = 0; e.execs && t < threads; t++)
		pare_exec_free(e.execs[t]);
	free(e.execs);
	free(e.losses);
	return status;
}
