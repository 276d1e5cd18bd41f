/* Steps: a node and the activation it computes in the same pass. */
#include "engine/graph/exec_private.h"

#include <stdlib.h>

#include "engine/base/memory.h"

static bool kept(const struct pare_exec_options *options, int value)
{
	for (int i = 0; i < options->n_keep; i++)
		if (options->keep[i] == value)
			return true;
	return false;
}

/* The activation that can be computed by `node`: the only reader of its output. */
static int fusable_activation(const struct pare_graph *graph, const struct pare_exec_options *options, int node,
                              const int *only_reader)
{
	const struct pare_node *n = &graph->nodes[node];
	if (!(n->op->flags & PARE_OP_FUSES_ACTIVATION) || n->output == graph->output || kept(options, n->output))
		return -1;
	int reader = only_reader[n->output];
	return reader >= 0 && graph->nodes[reader].op->activation != PARE_ACTIVATION_NONE ? reader : -1;
}

/* reader[v]: the node that alone reads v; -1 for none, -2 for several. */
static int *find_readers(const struct pare_graph *graph)
{
	int *reader = pare_calloc((size_t)graph->n_values, sizeof *reader);
	if (!reader)
		return NULL;
	for (int v = 0; v < graph->n_values; v++)
		reader[v] = -1;
	for (int n = 0; n < graph->n_nodes; n++)
		for (int i = 0; i < graph->nodes[n].n_inputs; i++) {
			int v = graph->nodes[n].inputs[i];
			reader[v] = reader[v] == -1 ? n : -2;
		}
	return reader;
}

int pare_exec_make_steps(const struct pare_graph *graph, const struct pare_exec_options *options,
                         struct pare_step **out)
{
	int *reader = find_readers(graph);
	bool *fused = pare_calloc((size_t)graph->n_nodes, sizeof *fused);
	struct pare_step *steps = pare_calloc((size_t)graph->n_nodes, sizeof *steps);
	int n_steps = 0;

	*out = NULL;
	if (!reader || !fused || !steps) {
		free(steps);
		n_steps = PARE_E_NOMEM;
		goto done;
	}
	for (int n = options->first_node; n < graph->n_nodes; n++) {
		if (fused[n])
			continue;
		struct pare_step step = {.node = n,
		                         .activation_node = fusable_activation(graph, options, n, reader),
		                         .output = graph->nodes[n].output};
		if (step.activation_node >= 0) {
			const struct pare_node *activation = &graph->nodes[step.activation_node];
			fused[step.activation_node] = true;
			step.activation = activation->op->activation;
			step.output = activation->output;
		}
		steps[n_steps++] = step;
	}
	*out = steps;
done:
	free(reader);
	free(fused);
	return n_steps;
}

int pare_graph_steps(const struct pare_graph *graph, struct pare_step **steps)
{
	struct pare_exec_options options = {.images = 1};
	return pare_exec_make_steps(graph, &options, steps);
}
