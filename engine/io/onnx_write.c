#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/onnx.h"
#include "engine/io/onnx_export.h"

static void *take(struct pare_onnx_export *export, size_t count, size_t size)
{
	return pare_onnx_arena_take(&export->arena, count, size);
}

/* Parameters keep their names, except the rare one that is called like a value: ONNX has one name space for both. */
static char *free_name(struct pare_onnx_export *export, const char *name)
{
	const struct pare_graph *graph = export->graph;
	if (pare_graph_find_value(graph, name) < 0)
		return (char *)name;
	size_t size = strlen(name) + 32;
	char *text = take(export, size, 1);
	for (int i = 2; text; i++) {
		snprintf(text, size, "%s.param_%d", name, i);
		if (pare_graph_find_value(graph, text) < 0 && pare_graph_find_param(graph, text) < 0)
			break;
	}
	return text;
}

/* [out][in] into [in][out]. */
static unsigned char *turned(struct pare_onnx_export *export, const struct pare_param *param)
{
	int64_t rows = param->shape.dim[0], columns = param->shape.dim[1];
	float *data = take(export, (size_t)(rows * columns), sizeof(*data));
	for (int64_t i = 0; data && i < rows; i++)
		for (int64_t j = 0; j < columns; j++)
			data[j * rows + i] = param->data[i * columns + j];
	return (unsigned char *)data;
}

/* Float data is copied only when it is turned: the tensor looks into the graph until it is packed. */
static void put_param(struct pare_onnx_export *export, int index)
{
	const struct pare_param *param = &export->graph->params[index];
	const int form = export->param_forms[index], rank = param->shape.rank;
	Onnx__TensorProto *tensor = take(export, 1, sizeof(*tensor));
	int64_t *dims = take(export, 2 * PARE_MAX_RANK, sizeof(*dims));
	if (!tensor || !dims)
		return;
	onnx__tensor_proto__init(tensor);
	tensor->name = export->param_names[index] = free_name(export, param->name);
	tensor->n_dims = (size_t)(form > PARE_ONNX_TRAILING ? rank + form - PARE_ONNX_TRAILING : rank);
	tensor->dims = dims;
	for (int i = 0; i < (int)tensor->n_dims; i++)
		dims[i] = i >= rank ? 1 : param->shape.dim[form == PARE_ONNX_TURNED ? rank - 1 - i : i];
	tensor->has_data_type = 1;
	tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	tensor->has_raw_data = 1;
	tensor->raw_data.len = (size_t)pare_shape_elements(&param->shape) * sizeof(float);
	tensor->raw_data.data = form == PARE_ONNX_TURNED ? turned(export, param) : (unsigned char *)param->data;
	export->proto.initializer[export->proto.n_initializer++] = tensor;
}

/* Which form each parameter has in the file; two users must agree. */
static int choose_forms(struct pare_onnx_export *export, struct pare_error *error)
{
	const struct pare_graph *graph = export->graph;
	for (int i = 0; i < graph->n_nodes; i++) {
		const struct pare_node *node = &graph->nodes[i];
		const struct pare_onnx_export_op *op = pare_onnx_export_find(node->op);
		for (int j = 0; j < node->n_params; j++) {
			int form = op && op->form ? op->form(graph, node, j) : PARE_ONNX_AS_IT_IS;
			int *chosen = &export->param_forms[node->params[j]];
			if (*chosen != PARE_ONNX_UNUSED && *chosen != form)
				return pare_error_set(error, PARE_E_UNSUPPORTED,
				                      "node '%s': another node needs its parameter '%s' in another "
				                      "order of dimensions",
				                      node->name, graph->params[node->params[j]].name);
			*chosen = form;
		}
	}
	return PARE_OK;
}

/* Only parameters that a node uses. */
static int put_params(struct pare_onnx_export *export, struct pare_error *error)
{
	const struct pare_graph *graph = export->graph;
	export->param_forms = take(export, (size_t)graph->n_params, sizeof(*export->param_forms));
	export->param_names = take(export, (size_t)graph->n_params, sizeof(*export->param_names));
	if (!export->param_forms || !export->param_names)
		return PARE_OK;
	int status = choose_forms(export, error);
	for (int i = 0; i < graph->n_params && !export->arena.status && !status; i++)
		if (export->param_forms[i] != PARE_ONNX_UNUSED)
			put_param(export, i);
	return status;
}

static void put_node(struct pare_onnx_export *export, const struct pare_node *node,
                     const struct pare_onnx_export_op *op)
{
	const struct pare_graph *graph = export->graph;
	if (op->spell) {
		op->spell(export, node);
		return;
	}
	int n_inputs = 0;
	char **inputs = take(export, (size_t)node->n_inputs + (size_t)node->n_params, sizeof(*inputs));
	if (!inputs)
		return;
	for (int i = 0; i < node->n_inputs; i++)
		inputs[n_inputs++] = graph->values[node->inputs[i]].name;
	for (int i = 0; i < node->n_params; i++)
		inputs[n_inputs++] = export->param_names[node->params[i]];
	Onnx__NodeProto *out =
	        pare_onnx_put_node(export, op->op_type, node->name, n_inputs, inputs, graph->values[node->output].name);
	if (out && op->fill)
		op->fill(export, node, out);
}

static int put_nodes(struct pare_onnx_export *export, struct pare_error *error)
{
	for (int i = 0; i < export->graph->n_nodes && !export->arena.status; i++) {
		const struct pare_node *node = &export->graph->nodes[i];
		const struct pare_onnx_export_op *op = pare_onnx_export_find(node->op);
		if (!op)
			return pare_error_set(error, PARE_E_UNSUPPORTED,
			                      "node '%s': the operator %s cannot be written to ONNX", node->name,
			                      node->op->name);
		put_node(export, node, op);
	}
	return PARE_OK;
}

struct info {
	Onnx__ValueInfoProto value;
	Onnx__TypeProto type;
	Onnx__TypeProto__Tensor tensor;
	Onnx__TensorShapeProto shape;
	Onnx__TensorShapeProto__Dimension dims[PARE_MAX_RANK + 1], *dim_list[PARE_MAX_RANK + 1];
	Onnx__ValueInfoProto *list[1];
};

/* {C, H, W} as float [N, C, H, W] with the batch open. */
static Onnx__ValueInfoProto **put_info(struct pare_onnx_export *export, int index)
{
	const struct pare_value *value = &export->graph->values[index];
	struct info *info = take(export, 1, sizeof(*info));
	if (!info)
		return NULL;
	onnx__value_info_proto__init(&info->value);
	onnx__type_proto__init(&info->type);
	onnx__type_proto__tensor__init(&info->tensor);
	onnx__tensor_shape_proto__init(&info->shape);
	for (int i = 0; i <= value->shape.rank; i++) {
		onnx__tensor_shape_proto__dimension__init(&info->dims[i]);
		info->dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		info->dims[i].dim_value = i ? value->shape.dim[i - 1] : 0;
		info->dim_list[i] = &info->dims[i];
	}
	info->dims[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	info->dims[0].dim_param = (char *)"N";
	info->shape.n_dim = (size_t)value->shape.rank + 1;
	info->shape.dim = info->dim_list;
	info->tensor.has_elem_type = 1;
	info->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	info->tensor.shape = &info->shape;
	info->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	info->type.tensor_type = &info->tensor;
	info->value.name = value->name;
	info->value.type = &info->type;
	info->list[0] = &info->value;
	return info->list;
}

static int put_graph(struct pare_onnx_export *export, struct pare_error *error)
{
	const struct pare_graph *graph = export->graph;
	size_t n_nodes = (size_t)graph->n_nodes;
	size_t n_initializers = (size_t)graph->n_params + n_nodes * PARE_ONNX_EXTRA_INPUTS;
	onnx__graph_proto__init(&export->proto);
	export->proto.name = graph->name[0] ? graph->name : (char *)"network";
	export->proto.node = take(export, n_nodes * PARE_ONNX_SPELT, sizeof(Onnx__NodeProto *));
	export->proto.initializer = take(export, n_initializers, sizeof(Onnx__TensorProto *));
	export->proto.input = put_info(export, graph->input);
	export->proto.output = put_info(export, graph->output);
	export->proto.n_input = export->proto.n_output = 1;
	if (export->arena.status)
		return PARE_OK;
	int status = put_params(export, error);
	return status ? status : put_nodes(export, error);
}

static void put_metadata(struct pare_onnx_export *export, const struct pare_onnx_metadata *metadata, int count,
                         Onnx__ModelProto *model)
{
	Onnx__StringStringEntryProto *pairs = take(export, (size_t)count, sizeof(*pairs));
	model->metadata_props = take(export, (size_t)count, sizeof(*model->metadata_props));
	for (int i = 0; pairs && model->metadata_props && i < count; i++) {
		onnx__string_string_entry_proto__init(&pairs[i]);
		pairs[i].key = (char *)metadata[i].key;
		pairs[i].value = (char *)metadata[i].value;
		model->metadata_props[model->n_metadata_props++] = &pairs[i];
	}
}

static int pack(const Onnx__ModelProto *model, unsigned char **bytes, size_t *size, struct pare_error *error)
{
	*size = onnx__model_proto__get_packed_size(model);
	/* The whole is at least as long as the weights; protobuf's lengths are 32 bits with a sign. */
	if (*size >= PARE_ONNX_MAX_FILE_BYTES)
		return pare_error_set(error, PARE_E_LIMIT,
		                      "the network takes %zu bytes, an ONNX file holds less than %zu", *size,
		                      PARE_ONNX_MAX_FILE_BYTES);
	*bytes = pare_calloc(*size, 1);
	if (!*bytes)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory for %zu bytes of ONNX", *size);
	onnx__model_proto__pack(model, *bytes);
	return PARE_OK;
}

int pare_onnx_write_bytes(const struct pare_graph *graph, const struct pare_onnx_metadata *metadata, int n_metadata,
                          unsigned char **bytes, size_t *size, struct pare_error *error)
{
	struct pare_onnx_export export = {.graph = graph, .arena.limit_bytes = SIZE_MAX};
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
	*bytes = NULL;
	*size = 0;
	int status = put_graph(&export, error);
	put_metadata(&export, metadata, n_metadata, &model);
	if (!status && export.arena.status)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status) {
		model.has_ir_version = 1;
		model.ir_version = PARE_ONNX_WRITTEN_IR;
		model.producer_name = (char *)"pare";
		model.graph = &export.proto;
		opset.domain = (char *)"";
		opset.has_version = 1;
		opset.version = PARE_ONNX_WRITTEN_OPSET;
		model.n_opset_import = 1;
		model.opset_import = opsets;
		status = pack(&model, bytes, size, error);
	}
	pare_onnx_arena_release(&export.arena);
	return status;
}

int pare_onnx_write(const struct pare_graph *graph, const char *path, const struct pare_onnx_metadata *metadata,
                    int n_metadata, struct pare_error *error)
{
	unsigned char *bytes;
	size_t size;
	int status = pare_onnx_write_bytes(graph, metadata, n_metadata, &bytes, &size, error);
	if (!status)
		status = pare_file_write_atomic(path, bytes, size, error);
	free(bytes);
	return status;
}
