/* Shapes of all nodes, and whether the whole is a graph. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/graph.h"

static int check_count(const char *what, int count, int min, int max, struct pare_error *error)
{
	if (count >= min && (max < 0 || count <= max))
		return PARE_OK;
	if (max < 0)
		return pare_error_set(error, PARE_E_INVALID, "has %d %s, needs at least %d", count, what, min);
	return pare_error_set(error, PARE_E_INVALID, "has %d %s, allowed are %d to %d", count, what, min, max);
}

static int check_indices(const char *what, const int *indices, int n, int limit, struct pare_error *error)
{
	for (int i = 0; i < n; i++)
		if (indices[i] < 0 || indices[i] >= limit)
			return pare_error_set(error, PARE_E_INVALID, "%s %d is index %d, the graph has %d so far", what,
			                      i, indices[i], limit);
	return PARE_OK;
}

/* Counts and indices; the operator may then rely on them. */
static int check_node(const struct pare_graph *graph, const struct pare_node *node, struct pare_error *error)
{
	const struct pare_op *op = node->op;
	int status = check_count("inputs", node->n_inputs, op->min_inputs, op->max_inputs, error);

	if (status == PARE_OK)
		status = check_count("parameters", node->n_params, op->min_params, op->max_params, error);
	if (status == PARE_OK)
		status = check_indices("input", node->inputs, node->n_inputs, graph->n_values, error);
	if (status == PARE_OK)
		status = check_indices("parameter", node->params, node->n_params, graph->n_params, error);
	return status;
}

int pare_node_infer(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                    struct pare_error *error)
{
	char text[128];
	int status = check_node(graph, node, error);

	*out = (struct pare_shape){0};
	if (status == PARE_OK)
		status = node->op->infer_shape(graph, node, out, error);
	if (status == PARE_OK && (out->rank < 1 || !pare_shape_valid(out)))
		status = pare_error_set(
		        error, PARE_E_LIMIT,
		        "output shape [%s] is not allowed (rank 1 to %d, dimensions 1 to %d, at most %lld elements)",
		        pare_shape_text(out, text, sizeof(text)), PARE_MAX_RANK, PARE_MAX_DIMENSION,
		        (long long)PARE_MAX_ELEMENTS);
	return status == PARE_OK ? PARE_OK
	                         : pare_error_prefix(error, status, "node '%s' (%s)", node->name, node->op->name);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts the names and looks at neighbours. */
static int check_unique(const char *what, const char **names, int n, struct pare_error *error)
{
	qsort(names, (size_t)n, sizeof(*names), compare_text);
	for (int i = 1; i < n; i++)
		if (!strcmp(names[i - 1], names[i]))
			return pare_error_set(error, PARE_E_INVALID, "two %s are called '%s'", what, names[i]);
	return PARE_OK;
}

static int check_names(const struct pare_graph *graph, struct pare_error *error)
{
	size_t most = (size_t)graph->n_nodes + (size_t)graph->n_values + (size_t)graph->n_params;
	const char **names = pare_calloc(most, sizeof(*names));
	int status;

	if (!names)
		return pare_error_set(error, PARE_E_NOMEM, "graph '%s': out of memory", graph->name);
	for (int i = 0; i < graph->n_nodes; i++)
		names[i] = graph->nodes[i].name;
	status = check_unique("nodes", names, graph->n_nodes, error);
	for (int i = 0; i < graph->n_values; i++)
		names[i] = graph->values[i].name;
	if (status == PARE_OK)
		status = check_unique("values", names, graph->n_values, error);
	for (int i = 0; i < graph->n_params; i++)
		names[i] = graph->params[i].name;
	if (status == PARE_OK)
		status = check_unique("parameters", names, graph->n_params, error);
	free(names);
	return status;
}

/* Infers node i, whose inputs must be made already; marks its output as made. */
static int infer_in_order(struct pare_graph *graph, int i, bool *made, struct pare_error *error)
{
	struct pare_node *node = &graph->nodes[i];
	struct pare_shape shape;
	int status;

	if (node->output < 0 || node->output >= graph->n_values || graph->values[node->output].producer != i)
		return pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): value %d is not its own to write",
		                      node->name, node->op->name, node->output);
	for (int k = 0; k < node->n_inputs; k++)
		if (node->inputs[k] >= 0 && node->inputs[k] < graph->n_values && !made[node->inputs[k]])
			return pare_error_set(error, PARE_E_INVALID,
			                      "node '%s' (%s): input %d, value '%s', is not made by an earlier node",
			                      node->name, node->op->name, k, graph->values[node->inputs[k]].name);
	status = pare_node_infer(graph, node, &shape, error);
	if (status < 0)
		return status;
	graph->values[node->output].shape = shape;
	made[node->output] = true;
	return PARE_OK;
}

static int check_ends(const struct pare_graph *graph, const bool *made, struct pare_error *error)
{
	if (graph->output < 0 || graph->output >= graph->n_values)
		return pare_error_set(error, PARE_E_INVALID, "graph '%s': the output is value %d, the graph has %d",
		                      graph->name, graph->output, graph->n_values);
	for (int i = 0; i < graph->n_values; i++)
		if (!made[i])
			return pare_error_set(error, PARE_E_INVALID, "graph '%s': no node makes value '%s'",
			                      graph->name, graph->values[i].name);
	return PARE_OK;
}

int pare_graph_infer(struct pare_graph *graph, struct pare_error *error)
{
	bool *made = pare_calloc((size_t)graph->n_values, sizeof(*made));
	int status = PARE_OK;

	if (!made)
		return pare_error_set(error, PARE_E_NOMEM, "graph '%s': out of memory", graph->name);
	if (graph->input < 0 || graph->input >= graph->n_values || graph->values[graph->input].producer != -1) {
		status = pare_error_set(error, PARE_E_INVALID, "graph '%s': value %d cannot be its input", graph->name,
		                        graph->input);
		goto out;
	}
	made[graph->input] = true;
	for (int i = 0; i < graph->n_nodes && status == PARE_OK; i++)
		status = infer_in_order(graph, i, made, error);
	if (status == PARE_OK)
		status = check_ends(graph, made, error);
	if (status == PARE_OK)
		status = check_names(graph, error);
out:
	free(made);
	return status;
}
