#include "evaluators/memory.h"

#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/compress/fold.h"
#include "engine/graph/exec.h"
#include "evaluators/evaluators.h"

/* root[v]: the value whose memory v is. last[v]: the last step that reads v's memory, or writes it if none does. */
static void find_lives(const struct pare_graph *graph, const struct pare_step *steps, int n_steps, int *root, int *last)
{
	for (int v = 0; v < graph->n_values; v++) {
		root[v] = v;
		last[v] = -1;
	}
	for (int s = 0; s < n_steps; s++) {
		const struct pare_node *node = &graph->nodes[steps[s].node];
		if (node->op->flags & PARE_OP_VIEW)
			root[steps[s].output] = root[node->inputs[0]];
		last[root[steps[s].output]] = s;
		for (int i = 0; i < node->n_inputs; i++)
			last[root[node->inputs[i]]] = s;
	}
	last[root[graph->output]] = n_steps;
}

static int64_t value_bytes(const struct pare_graph *graph, int value)
{
	return pare_shape_elements(&graph->values[value].shape) * (int64_t)sizeof(float);
}

static int64_t peak(const struct pare_graph *graph, const struct pare_step *steps, int n_steps, const int *root,
                    const int *last)
{
	int64_t alive = value_bytes(graph, graph->input), most = alive;
	for (int s = 0; s < n_steps; s++) {
		int out = steps[s].output;
		alive += root[out] == out ? value_bytes(graph, out) : 0;
		most = alive > most ? alive : most;
		for (int v = 0; v < graph->n_values; v++)
			if (root[v] == v && last[v] == s)
				alive -= value_bytes(graph, v);
	}
	return most;
}

int pare_peak_activation_bytes(const struct pare_graph *graph, int64_t *bytes)
{
	struct pare_step *steps = NULL;
	int n_steps = pare_graph_steps(graph, &steps), status = PARE_E_NOMEM;
	int *root = pare_calloc((size_t)graph->n_values, sizeof *root);
	int *last = pare_calloc((size_t)graph->n_values, sizeof *last);

	if (n_steps >= 0 && root && last) {
		find_lives(graph, steps, n_steps, root, last);
		*bytes = peak(graph, steps, n_steps, root, last);
		status = PARE_OK;
	}
	free(steps);
	free(root);
	free(last);
	return status;
}

static int evaluate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                    struct pare_metrics *metrics, struct pare_error *error)
{
	struct pare_graph *folded = pare_fold_batch_norm(candidate->graph, error);
	int64_t bytes = 0;
	int status = folded ? pare_peak_activation_bytes(folded, &bytes) : PARE_E_NOMEM;
	(void)setup;

	pare_graph_free(folded);
	if (status)
		return pare_error_set(error, status, "out of memory for the peak memory of '%s'",
		                      candidate->graph->name);
	pare_metrics_set(metrics, PARE_METRIC_PEAK_MEMORY_BYTES, (double)bytes);
	return PARE_OK;
}

const struct pare_evaluator pare_evaluator_memory = {
        .name = "memory",
        .help = "peak activation memory of one image at inference",
        .cost = 2,
        .evaluate = evaluate,
};
