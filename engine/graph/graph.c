#include "engine/graph/graph.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* Room for "_" and an int behind a name that is taken. */
#define SUFFIX_SIZE 16

static void node_release(struct pare_node *node)
{
	free(node->name);
	free(node->attrs);
	free(node->inputs);
	free(node->params);
	*node = (struct pare_node){0};
}

static void param_release(struct pare_param *param)
{
	free(param->name);
	free(param->data);
	*param = (struct pare_param){0};
}

void pare_graph_free(struct pare_graph *graph)
{
	if (!graph)
		return;
	for (int i = 0; i < graph->n_nodes; i++)
		node_release(&graph->nodes[i]);
	for (int i = 0; i < graph->n_values; i++)
		free(graph->values[i].name);
	for (int i = 0; i < graph->n_params; i++)
		param_release(&graph->params[i]);
	free(graph->nodes);
	free(graph->values);
	free(graph->params);
	free(graph->name);
	free(graph);
}

/* A copy of count * size bytes; a valid pointer for no bytes, NULL when out of memory. */
static void *duplicate(const void *data, size_t count, size_t size)
{
	void *copy = pare_calloc(count, size);

	if (copy && count > 0 && size > 0)
		memcpy(copy, data, count * size);
	return copy;
}

static float *duplicate_floats(const float *data, const struct pare_shape *shape)
{
	size_t count = (size_t)pare_shape_elements(shape);
	float *copy = pare_float_new(count);

	if (copy && data)
		memcpy(copy, data, count * sizeof(*copy));
	return copy;
}

/* Makes room for one more element. pare_array_grow wants a void **, which a struct pointer's address is not. */
#define GROW_BY_ONE(array, capacity, count) grow_by_one((array), &(capacity), (size_t)(count), sizeof(*(array)))

static void *grow_by_one(void *array, size_t *capacity, size_t count, size_t size)
{
	return pare_array_grow(&array, capacity, count + 1, size) == PARE_OK ? array : NULL;
}

static int reserve_node(struct pare_graph *graph)
{
	void *nodes = GROW_BY_ONE(graph->nodes, graph->node_capacity, graph->n_nodes);

	if (!nodes)
		return PARE_E_NOMEM;
	graph->nodes = nodes;
	return PARE_OK;
}

static int reserve_value(struct pare_graph *graph)
{
	void *values = GROW_BY_ONE(graph->values, graph->value_capacity, graph->n_values);

	if (!values)
		return PARE_E_NOMEM;
	graph->values = values;
	return PARE_OK;
}

static int reserve_param(struct pare_graph *graph)
{
	void *params = GROW_BY_ONE(graph->params, graph->param_capacity, graph->n_params);

	if (!params)
		return PARE_E_NOMEM;
	graph->params = params;
	return PARE_OK;
}

int pare_graph_find_node(const struct pare_graph *graph, const char *name)
{
	for (int i = 0; i < graph->n_nodes; i++)
		if (!strcmp(graph->nodes[i].name, name))
			return i;
	return -1;
}

int pare_graph_find_value(const struct pare_graph *graph, const char *name)
{
	for (int i = 0; i < graph->n_values; i++)
		if (!strcmp(graph->values[i].name, name))
			return i;
	return -1;
}

int pare_graph_find_param(const struct pare_graph *graph, const char *name)
{
	for (int i = 0; i < graph->n_params; i++)
		if (!strcmp(graph->params[i].name, name))
			return i;
	return -1;
}

/* `name` (or `fallback` when NULL or empty), with "_<number>" behind it when taken. Numbers start at `count`, so that
 * many equal names do not cost a search each. */
static char *unique_name(const struct pare_graph *graph, int (*find)(const struct pare_graph *, const char *),
                         const char *name, const char *fallback, int count)
{
	const char *wanted = name && name[0] ? name : fallback;
	if (find(graph, wanted) < 0)
		return pare_strdup(wanted);

	size_t size = strlen(wanted) + SUFFIX_SIZE;
	char *text = pare_calloc(size, 1);
	for (int number = count; text && number < INT_MAX; number++) {
		snprintf(text, size, "%s_%d", wanted, number);
		if (find(graph, text) < 0)
			return text;
	}
	free(text);
	return NULL;
}

struct pare_graph *pare_graph_new(const char *name, struct pare_shape input, const char *input_name)
{
	if (input.rank < 1 || !pare_shape_valid(&input))
		return NULL;

	struct pare_graph *graph = pare_calloc(1, sizeof(*graph));
	if (!graph)
		return NULL;
	graph->output = -1;
	graph->name = pare_strdup(name ? name : "");
	if (!graph->name || reserve_value(graph) < 0)
		goto fail;
	graph->values[0] = (struct pare_value){
	        .name = pare_strdup(input_name ? input_name : "input"), .shape = input, .producer = -1};
	graph->n_values = 1;
	if (!graph->values[0].name)
		goto fail;
	return graph;
fail:
	pare_graph_free(graph);
	return NULL;
}

static bool node_copy(struct pare_node *target, const struct pare_node *source)
{
	*target = (struct pare_node){
	        .name = pare_strdup(source->name),
	        .op = source->op,
	        .attrs = duplicate(source->attrs, 1, source->op->attrs_bytes),
	        .inputs = duplicate(source->inputs, (size_t)source->n_inputs, sizeof(*source->inputs)),
	        .n_inputs = source->n_inputs,
	        .output = source->output,
	        .params = duplicate(source->params, (size_t)source->n_params, sizeof(*source->params)),
	        .n_params = source->n_params,
	};
	return target->name && target->attrs && target->inputs && target->params;
}

static bool param_copy(struct pare_param *target, const struct pare_param *source)
{
	*target = (struct pare_param){
	        .name = pare_strdup(source->name),
	        .role = source->role,
	        .shape = source->shape,
	        .data = duplicate_floats(source->data, &source->shape),
	};
	return target->name && target->data;
}

struct pare_graph *pare_graph_copy(const struct pare_graph *graph)
{
	struct pare_graph *copy = pare_calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->name = pare_strdup(graph->name);
	copy->nodes = pare_calloc((size_t)graph->n_nodes, sizeof(*copy->nodes));
	copy->values = pare_calloc((size_t)graph->n_values, sizeof(*copy->values));
	copy->params = pare_calloc((size_t)graph->n_params, sizeof(*copy->params));
	copy->node_capacity = (size_t)graph->n_nodes;
	copy->value_capacity = (size_t)graph->n_values;
	copy->param_capacity = (size_t)graph->n_params;
	copy->input = graph->input;
	copy->output = graph->output;
	if (!copy->name || !copy->nodes || !copy->values || !copy->params)
		goto fail;

	/* Each count grows before the check, so that what is half copied is freed too. */
	while (copy->n_nodes < graph->n_nodes) {
		int i = copy->n_nodes++;
		if (!node_copy(&copy->nodes[i], &graph->nodes[i]))
			goto fail;
	}
	while (copy->n_values < graph->n_values) {
		int i = copy->n_values++;
		copy->values[i] = graph->values[i];
		copy->values[i].name = pare_strdup(graph->values[i].name);
		if (!copy->values[i].name)
			goto fail;
	}
	while (copy->n_params < graph->n_params) {
		int i = copy->n_params++;
		if (!param_copy(&copy->params[i], &graph->params[i]))
			goto fail;
	}
	return copy;
fail:
	pare_graph_free(copy);
	return NULL;
}

int pare_graph_add_param(struct pare_graph *graph, const char *name, enum pare_param_role role,
                         const struct pare_shape *shape, const float *data, int *param, struct pare_error *error)
{
	char text[128];

	if (shape->rank < 1 || !pare_shape_valid(shape))
		return pare_error_set(error, PARE_E_LIMIT,
		                      "parameter '%s': shape [%s] is not allowed (rank 1 to %d, dimensions 1 to %d, at "
		                      "most %lld elements)",
		                      name ? name : "", pare_shape_text(shape, text, sizeof(text)), PARE_MAX_RANK,
		                      PARE_MAX_DIMENSION, (long long)PARE_MAX_ELEMENTS);

	struct pare_param made = {.role = role, .shape = *shape};
	made.name = unique_name(graph, pare_graph_find_param, name, "param", graph->n_params);
	made.data = duplicate_floats(data, shape);
	if (!made.name || !made.data || reserve_param(graph) < 0) {
		param_release(&made);
		return pare_error_set(error, PARE_E_NOMEM, "parameter '%s': out of memory", name ? name : "");
	}
	*param = graph->n_params;
	graph->params[graph->n_params++] = made;
	return PARE_OK;
}

void pare_graph_drop_params(struct pare_graph *graph, int n_params)
{
	while (graph->n_params > n_params)
		param_release(&graph->params[--graph->n_params]);
}

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

static int infer_node(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
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

/* Everything of the node but its output. */
static int node_make(const struct pare_graph *graph, const struct pare_node_spec *spec, struct pare_node *node,
                     struct pare_error *error)
{
	if (spec->op->attrs_bytes > 0 && !spec->attrs)
		return pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): has no attributes",
		                      spec->name ? spec->name : spec->op->name, spec->op->name);
	if (spec->n_inputs < 0 || spec->n_params < 0)
		return pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): has %d inputs and %d parameters",
		                      spec->name ? spec->name : spec->op->name, spec->op->name, spec->n_inputs,
		                      spec->n_params);
	*node = (struct pare_node){
	        .name = unique_name(graph, pare_graph_find_node, spec->name, spec->op->name, graph->n_nodes),
	        .op = spec->op,
	        .attrs = duplicate(spec->attrs, 1, spec->op->attrs_bytes),
	        .inputs = duplicate(spec->inputs, (size_t)spec->n_inputs, sizeof(*spec->inputs)),
	        .n_inputs = spec->n_inputs,
	        .output = graph->n_values,
	        .params = duplicate(spec->params, (size_t)spec->n_params, sizeof(*spec->params)),
	        .n_params = spec->n_params,
	};
	if (!node->name || !node->attrs || !node->inputs || !node->params)
		return pare_error_set(error, PARE_E_NOMEM, "node '%s' (%s): out of memory",
		                      spec->name ? spec->name : spec->op->name, spec->op->name);
	return PARE_OK;
}

int pare_graph_add_node(struct pare_graph *graph, const struct pare_node_spec *spec, int *value,
                        struct pare_error *error)
{
	struct pare_node node = {0};
	struct pare_value made = {.producer = graph->n_nodes};
	int status = node_make(graph, spec, &node, error);

	if (status == PARE_OK)
		status = infer_node(graph, &node, &made.shape, error);
	if (status < 0)
		goto fail;
	made.name = unique_name(graph, pare_graph_find_value, spec->output_name, node.name, graph->n_values);
	if (!made.name || reserve_node(graph) < 0 || reserve_value(graph) < 0) {
		status =
		        pare_error_set(error, PARE_E_NOMEM, "node '%s' (%s): out of memory", node.name, spec->op->name);
		goto fail;
	}
	graph->nodes[graph->n_nodes++] = node;
	graph->values[graph->n_values++] = made;
	*value = node.output;
	return PARE_OK;
fail:
	node_release(&node);
	free(made.name);
	return status;
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

	if (node->output < 0 || node->output >= graph->n_values || made[node->output] ||
	    graph->values[node->output].producer != i)
		return pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): value %d is not its own to write",
		                      node->name, node->op->name, node->output);
	for (int k = 0; k < node->n_inputs; k++)
		if (node->inputs[k] >= 0 && node->inputs[k] < graph->n_values && !made[node->inputs[k]])
			return pare_error_set(error, PARE_E_INVALID,
			                      "node '%s' (%s): input %d, value '%s', is not made by an earlier node",
			                      node->name, node->op->name, k, graph->values[node->inputs[k]].name);
	status = infer_node(graph, node, &shape, error);
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
