#include "engine/io/onnx_export.h"

#include <stdio.h>
#include <string.h>

/* The generated structs have no const; what is put into them is only read. */
static char *text_of(const char *text)
{
	return (char *)text;
}

static Onnx__AttributeProto *add_attribute(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *attribute = pare_onnx_arena_take(&export->arena, 1, sizeof(*attribute));
	if (!attribute)
		return NULL;
	onnx__attribute_proto__init(attribute);
	attribute->name = text_of(name);
	attribute->has_type = 1;
	attribute->type = type;
	out->attribute[out->n_attribute++] = attribute;
	return attribute;
}

void pare_onnx_put_int(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, int64_t number)
{
	Onnx__AttributeProto *attribute = add_attribute(export, out, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
	if (!attribute)
		return;
	attribute->has_i = 1;
	attribute->i = number;
}

void pare_onnx_put_float(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, float number)
{
	Onnx__AttributeProto *attribute =
	        add_attribute(export, out, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
	if (!attribute)
		return;
	attribute->has_f = 1;
	attribute->f = number;
}

void pare_onnx_put_text(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, const char *text)
{
	Onnx__AttributeProto *attribute =
	        add_attribute(export, out, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
	if (!attribute)
		return;
	attribute->has_s = 1;
	attribute->s = (ProtobufCBinaryData){.len = strlen(text), .data = (unsigned char *)text_of(text)};
}

void pare_onnx_put_ints(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, const int64_t *ints,
                        size_t count)
{
	Onnx__AttributeProto *attribute = add_attribute(export, out, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
	int64_t *copy = pare_onnx_arena_take(&export->arena, count, sizeof(*copy));
	if (!attribute || !copy)
		return;
	memcpy(copy, ints, count * sizeof(*copy));
	attribute->n_ints = count;
	attribute->ints = copy;
}

/* Values and initialisers share one name space in ONNX; in the graph they do not. */
static bool name_taken(const struct pare_onnx_export *export, const char *name)
{
	return pare_graph_find_value(export->graph, name) >= 0 || pare_graph_find_param(export->graph, name) >= 0;
}

static char *extra_name(struct pare_onnx_export *export, const char *node, char mark, const char *name)
{
	size_t size = strlen(node) + strlen(name) + 32;
	char *text = pare_onnx_arena_take(&export->arena, size, 1);
	if (!text)
		return NULL;
	snprintf(text, size, "%s%c%s", node, mark, name);
	for (int i = 2; name_taken(export, text); i++)
		snprintf(text, size, "%s%c%s_%d", node, mark, name, i);
	return text;
}

char *pare_onnx_inner_name(struct pare_onnx_export *export, const char *node, const char *what)
{
	return extra_name(export, node, '/', what);
}

Onnx__NodeProto *pare_onnx_put_node(struct pare_onnx_export *export, const char *op_type, char *name, int n_inputs,
                                    char *const *inputs, char *output)
{
	Onnx__NodeProto *out = pare_onnx_arena_take(&export->arena, 1, sizeof(*out));
	size_t most = (size_t)n_inputs + PARE_ONNX_EXTRA_INPUTS;
	char **names = pare_onnx_arena_take(&export->arena, most + 1, sizeof(*names));
	Onnx__AttributeProto **attributes =
	        pare_onnx_arena_take(&export->arena, PARE_ONNX_ATTRIBUTES, sizeof(Onnx__AttributeProto *));
	if (!out || !names || !attributes || !name || !output)
		return NULL;
	onnx__node_proto__init(out);
	out->name = name;
	out->op_type = text_of(op_type);
	out->attribute = attributes;
	out->input = names;
	for (int i = 0; i < n_inputs; i++)
		out->input[out->n_input++] = inputs[i];
	out->output = names + most;
	out->output[out->n_output++] = output;
	export->proto.node[export->proto.n_node++] = out;
	return out;
}

static void add_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, int32_t type, int rank,
                      const void *data, size_t count, size_t size)
{
	Onnx__TensorProto *tensor = pare_onnx_arena_take(&export->arena, 1, sizeof(*tensor));
	int64_t *dims = pare_onnx_arena_take(&export->arena, 1, sizeof(*dims));
	void *copy = pare_onnx_arena_take(&export->arena, count, size);
	char *full_name = extra_name(export, out->name, '.', name);
	if (!tensor || !dims || !copy || !full_name)
		return;
	memcpy(copy, data, count * size);
	*dims = (int64_t)count;
	onnx__tensor_proto__init(tensor);
	tensor->name = full_name;
	tensor->n_dims = (size_t)rank;
	tensor->dims = dims;
	tensor->has_data_type = 1;
	tensor->data_type = type;
	tensor->has_raw_data = 1;
	tensor->raw_data = (ProtobufCBinaryData){.len = count * size, .data = copy};
	export->proto.initializer[export->proto.n_initializer++] = tensor;
	out->input[out->n_input++] = full_name;
}

void pare_onnx_put_scalar_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, float number)
{
	add_input(export, out, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 0, &number, 1, sizeof(number));
}

void pare_onnx_put_ints_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name,
                              const int64_t *ints, size_t count)
{
	add_input(export, out, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, ints, count, sizeof(*ints));
}
