/* From the file's nodes to the graph's: nodes, names and parameters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/io/onnx_ops.h"

static int add(struct pare_onnx_import *import, const char *name, const char *output, const struct pare_onnx_step *step,
               int *value)
{
	if (import->graph->n_nodes >= PARE_ONNX_MAX_GRAPH_NODES)
		return pare_error_set(import->error, PARE_E_LIMIT, "more than %d nodes are left after folding",
		                      PARE_ONNX_MAX_GRAPH_NODES);
	struct pare_node_spec spec = {.name = name,
	                              .op = step->op,
	                              .attrs = step->attrs,
	                              .inputs = step->inputs,
	                              .n_inputs = step->n_inputs,
	                              .params = step->params,
	                              .n_params = step->n_params,
	                              .output_name = output};
	return pare_graph_add_node(import->graph, &spec, value, import->error);
}

int pare_onnx_add_node(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                       const struct pare_onnx_step *step)
{
	int value;
	int status = add(import, node->name, node->output->name, step, &value);
	return status ? status : pare_onnx_alias(import, node, value);
}

int pare_onnx_add_step(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *suffix,
                       const struct pare_onnx_step *step, int *value)
{
	size_t size = strlen(node->name) + 1 + strlen(suffix) + 1;
	char *name = pare_onnx_take(import, size, 1);
	if (!name)
		return import->arena.status;
	snprintf(name, size, "%s/%s", node->name, suffix);
	return add(import, name, NULL, step, value);
}

int pare_onnx_one_input(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op,
                        int value, const void *attrs)
{
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = op, .attrs = attrs, .inputs = &value, .n_inputs = 1});
}

int pare_onnx_alias(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value)
{
	(void)import;
	node->output->kind = PARE_ONNX_ACTIVATION;
	node->output->value = value;
	return PARE_OK;
}

int pare_onnx_set_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                           const struct pare_onnx_constant *constant)
{
	(void)import;
	node->output->kind = PARE_ONNX_CONSTANT;
	node->output->constant = *constant;
	return PARE_OK;
}

/* Parameters are copies. The first from each tensor is bounded by the file, the others are charged to the arena's
 * limit. */
static int add_param(struct pare_onnx_import *import, struct pare_onnx_value *value, enum pare_param_role role,
                     const struct pare_shape *shape, const float *data, int *param)
{
	size_t bytes = (size_t)pare_shape_elements(shape) * sizeof(float);
	struct pare_onnx_arena *arena = &import->arena;
	if (value->copied && bytes > arena->limit_bytes - arena->used_bytes)
		return pare_error_set(import->error, PARE_E_LIMIT, "'%.100s' is used by too many nodes", value->name);
	arena->used_bytes += value->copied ? bytes : 0;
	value->copied = true;
	return pare_graph_add_param(import->graph, value->name, role, shape, data, param, import->error);
}

static int check_elements(struct pare_onnx_import *import, const struct pare_onnx_value *value,
                          const struct pare_shape *shape)
{
	char wanted[96], found[128];
	if (!pare_shape_valid(shape) || pare_shape_elements(shape) != value->constant.count)
		return pare_error_set(
		        import->error, PARE_E_FORMAT, "'%.100s' has shape %s, %s is needed", value->name,
		        pare_onnx_ints_text(value->constant.dim, (size_t)value->constant.rank, found, sizeof(found)),
		        pare_shape_text(shape, wanted, sizeof(wanted)));
	return PARE_OK;
}

int pare_onnx_weight(struct pare_onnx_import *import, struct pare_onnx_value *value, const struct pare_shape *shape,
                     const float *data, int *param)
{
	int status = check_elements(import, value, shape);
	if (status)
		return status;
	bool tied = value->param >= 0 && !data && pare_shape_equal(&import->graph->params[value->param].shape, shape);
	if (tied) {
		*param = value->param;
		return PARE_OK;
	}
	status = add_param(import, value, PARE_PARAM_WEIGHT, shape, data ? data : value->constant.floats, param);
	if (!status && !data)
		value->param = *param;
	return status;
}

int pare_onnx_vector(struct pare_onnx_import *import, struct pare_onnx_value *value, enum pare_param_role role,
                     int64_t length, int *param)
{
	struct pare_shape shape = pare_shape_vector(length);
	int status = check_elements(import, value, &shape);
	int wide = 0;
	for (int i = 0; i < value->constant.rank; i++)
		wide += value->constant.dim[i] != 1;
	if (!status && (wide > 1 || value->constant.type != PARE_ONNX_FLOAT))
		status = pare_error_set(import->error, PARE_E_FORMAT, "'%.100s' is not a vector of %lld real numbers",
		                        value->name, (long long)length);
	return status ? status : add_param(import, value, role, &shape, value->constant.floats, param);
}

int pare_onnx_new_param(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *suffix,
                        enum pare_param_role role, const struct pare_shape *shape, float number, int *param)
{
	size_t size = strlen(node->name) + 1 + strlen(suffix) + 1;
	char *name = pare_onnx_take(import, size, 1);
	/* Its size follows from an activation, not from the file. */
	float *data = name ? pare_onnx_take(import, (size_t)pare_shape_elements(shape), sizeof(*data)) : NULL;
	if (!data)
		return import->arena.status;
	snprintf(name, size, "%s.%s", node->name, suffix);
	for (int64_t i = 0; i < pare_shape_elements(shape); i++)
		data[i] = number;
	return pare_graph_add_param(import->graph, name, role, shape, data, param, import->error);
}

static void rename_value(struct pare_graph *graph, int value, char *name)
{
	free(graph->values[value].name);
	graph->values[value].name = name;
}

int pare_onnx_name_output(struct pare_onnx_import *import, int value, const char *name)
{
	struct pare_graph *graph = import->graph;
	if (strcmp(graph->values[value].name, name) == 0 || pare_graph_find_value(graph, name) >= 0)
		return PARE_OK;
	char *copy = pare_strdup(name);
	if (!copy)
		return pare_error_set(import->error, PARE_E_NOMEM, "out of memory");
	rename_value(graph, value, copy);
	return PARE_OK;
}

int pare_onnx_absorb(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, int param)
{
	struct pare_graph *graph = import->graph;
	struct pare_node *producer = &graph->nodes[graph->values[value].producer];
	int *params = realloc(producer->params, ((size_t)producer->n_params + 1) * sizeof(*params));
	char *name = pare_strdup(node->output->name);
	if (params)
		producer->params = params;
	if (!params || !name) {
		free(name);
		return pare_error_set(import->error, PARE_E_NOMEM, "out of memory");
	}
	if (param >= 0)
		params[producer->n_params++] = param;
	if (pare_graph_find_value(graph, name) < 0)
		rename_value(graph, value, name);
	else
		free(name);
	struct pare_shape shape;
	int status = producer->op->infer_shape(graph, producer, &shape, import->error);
	return status ? status : pare_onnx_alias(import, node, value);
}
