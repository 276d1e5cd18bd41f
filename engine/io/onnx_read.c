#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/io/onnx.h"
#include "engine/io/onnx_import.h"
#include "engine/io/onnx_proto.h"

/* Constants computed from the file, names, and second copies of vectors together: a multiple of what the file itself
 * holds. */
#define ARENA_FACTOR 4
#define ARENA_EXTRA_BYTES ((size_t)64 << 20)

static int find_opset(struct pare_onnx_import *import, const Onnx__ModelProto *model)
{
	import->opset = 0;
	for (size_t i = 0; i < model->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *set = model->opset_import[i];
		bool standard = !set->domain || !*set->domain || strcmp(set->domain, "ai.onnx") == 0;
		if (standard && set->has_version)
			import->opset = set->version;
	}
	if (import->opset < PARE_ONNX_OPSET_MIN || import->opset > PARE_ONNX_OPSET_MAX)
		return pare_error_set(import->error, import->opset ? PARE_E_UNSUPPORTED : PARE_E_FORMAT,
		                      "the model's opset is %" PRId64 "%s; %d to %d are supported", import->opset,
		                      import->opset ? "" : " (not given)", PARE_ONNX_OPSET_MIN, PARE_ONNX_OPSET_MAX);
	return PARE_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The initialisers' names, sorted; NULL when out of memory. */
static const char **initializer_names(struct pare_onnx_import *import, size_t *count)
{
	const char **names = pare_onnx_take(import, import->proto->n_initializer, sizeof(*names));
	*count = 0;
	for (size_t i = 0; names && i < import->proto->n_initializer; i++)
		if (import->proto->initializer[i]->name)
			names[(*count)++] = import->proto->initializer[i]->name;
	if (names)
		qsort(names, *count, sizeof(*names), by_text);
	return names;
}

/* Old files (IR 3) list initialisers among the inputs. */
static int find_input(struct pare_onnx_import *import, const Onnx__ValueInfoProto **input)
{
	size_t n_names;
	const char **names = initializer_names(import, &n_names);
	*input = NULL;
	if (!names)
		return import->arena.status;
	for (size_t i = 0; i < import->proto->n_input; i++) {
		const Onnx__ValueInfoProto *info = import->proto->input[i];
		if (!info->name || !*info->name)
			return pare_error_set(import->error, PARE_E_FORMAT, "input %zu has no name", i);
		if (bsearch(&info->name, names, n_names, sizeof(*names), by_text))
			continue;
		if (*input)
			return pare_error_set(import->error, PARE_E_UNSUPPORTED,
			                      "the graph has the inputs '%.100s' and '%.100s'; one is supported",
			                      (*input)->name, info->name);
		*input = info;
	}
	return *input ? PARE_OK : pare_error_set(import->error, PARE_E_FORMAT, "the graph has no input");
}

/* 0 for a dimension without a number. */
static int64_t fixed_dimension(const Onnx__TensorShapeProto__Dimension *dimension)
{
	bool fixed = dimension->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
	return fixed ? dimension->dim_value : 0;
}

/* {N, ...}: the batch may be open or fixed, the rest must be fixed. */
static int input_shape(struct pare_onnx_import *import, const Onnx__ValueInfoProto *input, struct pare_shape *shape)
{
	const Onnx__TypeProto *type = input->type;
	bool tensor = type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && type->tensor_type->shape;
	if (!tensor)
		return pare_error_set(import->error, PARE_E_FORMAT, "input '%.100s' has no tensor shape", input->name);
	if (type->tensor_type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "input '%.100s' has element type %d; FLOAT (1) is supported", input->name,
		                      (int)type->tensor_type->elem_type);
	const Onnx__TensorShapeProto *dims = type->tensor_type->shape;
	if (dims->n_dim < 2 || dims->n_dim > PARE_MAX_RANK + 1)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "input '%.100s' has %zu dimensions; 2 to %d are supported", input->name,
		                      dims->n_dim, PARE_MAX_RANK + 1);
	int64_t batch = fixed_dimension(dims->dim[0]);
	import->batch = batch > 0 ? batch : PARE_ONNX_BATCH;
	shape->rank = (int)dims->n_dim - 1;
	for (int i = 0; i < shape->rank; i++) {
		shape->dim[i] = fixed_dimension(dims->dim[i + 1]);
		if (shape->dim[i] <= 0)
			return pare_error_set(
			        import->error, PARE_E_UNSUPPORTED,
			        "dimension %d of input '%.100s' is open; only the batch (dimension 0) may be", i + 1,
			        input->name);
	}
	char text[96];
	if (!pare_shape_valid(shape))
		return pare_error_set(import->error, PARE_E_LIMIT, "input '%.100s' is too large: %s", input->name,
		                      pare_shape_text(shape, text, sizeof(text)));
	return PARE_OK;
}

static int open_graph(struct pare_onnx_import *import)
{
	const Onnx__GraphProto *proto = import->proto;
	const Onnx__ValueInfoProto *input;
	struct pare_shape shape = {0};
	if (proto->n_sparse_initializer)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "sparse initializers are not supported");
	if (proto->n_output != 1 || !proto->output[0]->name)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "the graph has %zu outputs; one, with a name, is supported", proto->n_output);
	int status = find_input(import, &input);
	if (!status)
		status = pare_onnx_order(import, input->name, proto->output[0]->name);
	if (!status)
		status = input_shape(import, input, &shape);
	if (status)
		return status;
	import->graph = pare_graph_new(proto->name ? proto->name : "onnx", shape, input->name);
	if (!import->graph)
		return pare_error_set(import->error, PARE_E_NOMEM, "out of memory");
	struct pare_onnx_value *value = pare_onnx_value_find(import, input->name);
	value->kind = PARE_ONNX_ACTIVATION;
	value->value = import->graph->input;
	return PARE_OK;
}

static int unknown_operator(struct pare_onnx_import *import)
{
	char list[512] = "";
	size_t at = 0;
	for (size_t i = 0; i < pare_onnx_op_count && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
		                       pare_onnx_op_table[i].op_type);
	return pare_error_set(import->error, PARE_E_UNSUPPORTED, "the operator is not supported (known: %s)", list);
}

static int check_node(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_onnx_op *op)
{
	const char *domain = node->proto->domain;
	if (domain && *domain && strcmp(domain, "ai.onnx") != 0)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "the operator is of the domain '%.100s'; only ai.onnx is supported", domain);
	if (!op)
		return unknown_operator(import);
	if (node->n_inputs < op->min_inputs || (op->max_inputs >= 0 && node->n_inputs > op->max_inputs))
		return pare_error_set(import->error, PARE_E_FORMAT, "%d inputs; %d to %d are allowed", node->n_inputs,
		                      op->min_inputs, op->max_inputs);
	for (int i = 0; i < node->n_inputs; i++)
		if (!node->inputs[i] && (i < op->min_inputs || op->max_inputs < 0))
			return pare_error_set(import->error, PARE_E_FORMAT, "input %d is left out", i);
	for (size_t i = 1; !op->many_outputs && i < node->proto->n_output; i++) {
		const char *name = node->proto->output[i];
		if (*name && pare_onnx_value_find(import, name)->readers > 0)
			return pare_error_set(import->error, PARE_E_UNSUPPORTED,
			                      "its output %zu ('%.100s') is used; only the first is supported", i,
			                      name);
	}
	return PARE_OK;
}

static int load_initializers(struct pare_onnx_import *import, const struct pare_onnx_node *node, bool *all_constant)
{
	*all_constant = true;
	for (int i = 0; i < node->n_inputs; i++) {
		struct pare_onnx_value *input = node->inputs[i];
		if (input && input->kind == PARE_ONNX_PENDING) {
			int status = pare_onnx_constant_load(import, input->initializer, &input->constant);
			if (status)
				return pare_error_prefix(import->error, status, "initializer '%.100s'", input->name);
			input->kind = PARE_ONNX_CONSTANT;
		}
		*all_constant = *all_constant && (!input || input->kind == PARE_ONNX_CONSTANT);
	}
	return PARE_OK;
}

static int run_operator(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_op *op = pare_onnx_op_find(node->proto->op_type);
	bool all_constant;
	int status = check_node(import, node, op);
	if (!status)
		status = load_initializers(import, node, &all_constant);
	if (status)
		return status;
	if (all_constant ? !op->fold : !op->build)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "the operator is supported only on %s",
		                      all_constant ? "values that depend on the graph's input" : "constants");
	return all_constant ? op->fold(import, node) : op->build(import, node);
}

static int import_node(struct pare_onnx_import *import, int index)
{
	const Onnx__NodeProto *proto = import->proto->node[index];
	if (proto->n_output < 1 || !*proto->output[0] || !proto->op_type)
		return pare_error_set(import->error, PARE_E_FORMAT, "node %d ('%.100s') has no %s", index,
		                      proto->name ? proto->name : "", proto->op_type ? "first output" : "op_type");
	size_t first = import->first_input[index];
	struct pare_onnx_node node = {.proto = proto,
	                              .name = proto->name && *proto->name ? proto->name : proto->output[0],
	                              .inputs = import->inputs + first,
	                              .n_inputs = (int)(import->first_input[index + 1] - first),
	                              .output = pare_onnx_value_find(import, proto->output[0])};
	int status = run_operator(import, &node);
	return status ? pare_error_prefix(import->error, status, "node '%.200s' (%.40s, opset %" PRId64 ")", node.name,
	                                  proto->op_type, import->opset)
	              : PARE_OK;
}

static int import_graph(struct pare_onnx_import *import)
{
	int status = open_graph(import);
	for (int i = 0; !status && i < import->n_order; i++)
		status = import_node(import, import->order[i]);
	if (status)
		return status;
	const struct pare_onnx_value *output = pare_onnx_value_find(import, import->proto->output[0]->name);
	if (output->kind != PARE_ONNX_ACTIVATION || output->value == import->graph->input)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "the graph's output '%.100s' is %s",
		                      output->name, output->kind == PARE_ONNX_ACTIVATION ? "its input" : "a constant");
	import->graph->output = output->value;
	status = pare_onnx_name_output(import, output->value, output->name);
	if (!status)
		status = pare_onnx_merge(&import->graph, import->error);
	return status ? status : pare_graph_infer(import->graph, import->error);
}

/* Everything is in memory that the arena and the model own, except the graph. */
static int import_model(const Onnx__ModelProto *model, size_t size, const char *directory, struct pare_graph **graph,
                        struct pare_error *error)
{
	struct pare_onnx_import import = {.directory = directory,
	                                  .proto = model->graph,
	                                  .arena.limit_bytes = ARENA_FACTOR * size + ARENA_EXTRA_BYTES,
	                                  .error = error};
	int status = find_opset(&import, model);
	if (!status && !model->graph)
		status = pare_error_set(error, PARE_E_FORMAT, "the model has no graph");
	if (!status)
		status = import_graph(&import);
	if (status)
		pare_graph_free(import.graph);
	else
		*graph = import.graph;
	pare_onnx_external_release(&import);
	pare_onnx_arena_release(&import.arena);
	return status;
}

static int place(struct pare_error *error, const char *file, int status)
{
	if (status && error && !error->file[0])
		snprintf(error->file, sizeof(error->file), "%s", file);
	return status;
}

int pare_onnx_read_bytes(const void *bytes, size_t size, const char *name, struct pare_graph **graph,
                         struct pare_error *error)
{
	Onnx__ModelProto *model;
	*graph = NULL;
	int status = pare_onnx_unpack(bytes, size, &model, error);
	if (!status)
		status = import_model(model, size, NULL, graph, error);
	pare_onnx_unpacked_free(model);
	return place(error, name, status);
}

int pare_onnx_read(const char *path, struct pare_graph **graph, struct pare_error *error)
{
	struct pare_bytes bytes;
	Onnx__ModelProto *model = NULL;
	*graph = NULL;
	int status = pare_file_read(path, PARE_ONNX_MAX_FILE_BYTES, &bytes, error);
	if (status)
		return place(error, path, status);
	char *directory = pare_path_directory(path);
	size_t size = bytes.size;
	status = directory ? pare_onnx_unpack(bytes.data, size, &model, error)
	                   : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	pare_bytes_release(&bytes); /* before the graph is made: the weights are in memory often enough */
	if (!status)
		status = import_model(model, size, directory, graph, error);
	pare_onnx_unpacked_free(model);
	free(directory);
	return place(error, path, status);
}
