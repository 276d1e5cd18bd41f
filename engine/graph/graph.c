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
	pare_name_set_release(&graph->node_names);
	pare_name_set_release(&graph->value_names);
	pare_name_set_release(&graph->param_names);
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

	if (!data)
		return pare_float_new(count);
	float *copy = pare_aligned_new(count * sizeof(*copy));
	if (copy)
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
static char *unique_name(const struct pare_name_set *taken, const char *name, const char *fallback, int count)
{
	const char *wanted = name && name[0] ? name : fallback;
	if (!pare_name_set_has(taken, wanted))
		return pare_strdup(wanted);

	size_t size = strlen(wanted) + SUFFIX_SIZE;
	char *text = pare_calloc(size, 1);
	for (int number = count; text && number < INT_MAX; number++) {
		snprintf(text, size, "%s_%d", wanted, number);
		if (!pare_name_set_has(taken, text))
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
	if (!graph->values[0].name || pare_name_set_add(&graph->value_names, graph->values[0].name) < 0)
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

	if (pare_name_set_copy(&copy->node_names, &graph->node_names) < 0 ||
	    pare_name_set_copy(&copy->value_names, &graph->value_names) < 0 ||
	    pare_name_set_copy(&copy->param_names, &graph->param_names) < 0)
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
	made.name = unique_name(&graph->param_names, name, "param", graph->n_params);
	made.data = duplicate_floats(data, shape);
	if (!made.name || !made.data || reserve_param(graph) < 0 ||
	    pare_name_set_add(&graph->param_names, made.name) < 0) {
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
	/* There was room for more names than are left: adding cannot fail. */
	pare_name_set_clear(&graph->param_names);
	for (int i = 0; i < graph->n_params; i++)
		pare_name_set_add(&graph->param_names, graph->params[i].name);
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
	        .name = unique_name(&graph->node_names, spec->name, spec->op->name, graph->n_nodes),
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
		status = pare_node_infer(graph, &node, &made.shape, error);
	if (status < 0)
		goto fail;
	made.name = unique_name(&graph->value_names, spec->output_name, node.name, graph->n_values);
	if (!made.name || reserve_node(graph) < 0 || reserve_value(graph) < 0 ||
	    pare_name_set_add(&graph->node_names, node.name) < 0 ||
	    pare_name_set_add(&graph->value_names, made.name) < 0) {
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
