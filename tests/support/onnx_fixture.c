#include "tests/support/onnx_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/io/onnx.h"

static void put_varint(struct pare_strbuf *message, uint64_t number)
{
	do {
		unsigned char byte = (unsigned char)(number & 0x7f) | (number > 0x7f ? 0x80 : 0);
		pare_strbuf_add_bytes(message, &byte, 1);
		number >>= 7;
	} while (number);
}

void message_int(struct pare_strbuf *message, int field, int64_t number)
{
	put_varint(message, (uint64_t)field << 3);
	put_varint(message, (uint64_t)number);
}

void message_float(struct pare_strbuf *message, int field, float number)
{
	put_varint(message, (uint64_t)field << 3 | 5);
	pare_strbuf_add_bytes(message, &number, sizeof(number));
}

void message_bytes(struct pare_strbuf *message, int field, const void *bytes, size_t size)
{
	put_varint(message, (uint64_t)field << 3 | 2);
	put_varint(message, size);
	pare_strbuf_add_bytes(message, bytes, size);
}

void message_text(struct pare_strbuf *message, int field, const char *text)
{
	message_bytes(message, field, text, strlen(text));
}

void message_nest(struct pare_strbuf *message, int field, struct pare_strbuf *inner)
{
	message_bytes(message, field, inner->text, inner->length);
	pare_strbuf_release(inner);
}

void onnx_fixture_init(struct onnx_fixture *file, int64_t opset)
{
	struct pare_strbuf set;
	*file = (struct onnx_fixture){.opset = opset};
	pare_strbuf_init(&file->model);
	pare_strbuf_init(&file->graph);
	pare_strbuf_init(&file->node);
	pare_strbuf_init(&set);
	message_int(&file->model, 1, 7);
	message_int(&set, 2, opset);
	message_nest(&file->model, 8, &set);
	message_text(&file->graph, 2, "fixture");
}

void onnx_fixture_release(struct onnx_fixture *file)
{
	pare_strbuf_release(&file->model);
	pare_strbuf_release(&file->graph);
	pare_strbuf_release(&file->node);
}

static struct pare_strbuf value_info(const char *name, int rank, const int64_t *dims)
{
	struct pare_strbuf info, type, tensor, shape, dim;
	pare_strbuf_init(&info);
	pare_strbuf_init(&type);
	pare_strbuf_init(&tensor);
	pare_strbuf_init(&shape);
	for (int i = 0; i < rank; i++) {
		pare_strbuf_init(&dim);
		if (dims[i] >= 0)
			message_int(&dim, 1, dims[i]);
		else
			message_text(&dim, 2, "N");
		message_nest(&shape, 1, &dim);
	}
	message_int(&tensor, 1, ONNX_FLOAT);
	message_nest(&tensor, 2, &shape);
	message_nest(&type, 1, &tensor);
	message_text(&info, 1, name);
	message_nest(&info, 2, &type);
	return info;
}

void onnx_fixture_input(struct onnx_fixture *file, const char *name, int rank, const int64_t *dims)
{
	struct pare_strbuf info = value_info(name, rank, dims);
	message_nest(&file->graph, 11, &info);
}

void onnx_fixture_output(struct onnx_fixture *file, const char *name)
{
	struct pare_strbuf info = value_info(name, 0, NULL);
	message_nest(&file->graph, 12, &info);
}

struct pare_strbuf onnx_tensor(const char *name, int type, int rank, const int64_t *dims)
{
	struct pare_strbuf tensor;
	pare_strbuf_init(&tensor);
	for (int i = 0; i < rank; i++)
		message_int(&tensor, 1, dims[i]);
	message_int(&tensor, 2, type);
	if (name)
		message_text(&tensor, 8, name);
	return tensor;
}

void onnx_fixture_tensor(struct onnx_fixture *file, struct pare_strbuf *tensor)
{
	message_nest(&file->graph, 5, tensor);
}

void onnx_fixture_floats(struct onnx_fixture *file, const char *name, int rank, const int64_t *dims, const float *data)
{
	struct pare_strbuf tensor = onnx_tensor(name, ONNX_FLOAT, rank, dims);
	size_t count = 1;
	for (int i = 0; i < rank; i++)
		count *= (size_t)dims[i];
	float *ramp = pare_float_new(count);
	assert_non_null(ramp);
	for (size_t i = 0; i < count; i++)
		ramp[i] = data ? data[i] : 0.01f * (float)(i + 1);
	message_bytes(&tensor, 9, ramp, count * sizeof(*ramp));
	free(ramp);
	onnx_fixture_tensor(file, &tensor);
}

void onnx_fixture_ints(struct onnx_fixture *file, const char *name, int count, const int64_t *data)
{
	struct pare_strbuf tensor = onnx_tensor(name, ONNX_INT64, 1, (int64_t[]){count});
	message_bytes(&tensor, 9, data, (size_t)count * sizeof(*data));
	onnx_fixture_tensor(file, &tensor);
}

static void finish_node(struct onnx_fixture *file)
{
	if (file->has_node)
		message_nest(&file->graph, 1, &file->node);
	file->has_node = false;
}

static void put_names(struct pare_strbuf *node, int field, const char *names)
{
	while (*names) {
		size_t length = strcspn(names, " ");
		bool left_out = length == 1 && *names == '-';
		message_bytes(node, field, names, left_out ? 0 : length);
		names += length;
		names += *names == ' ';
	}
}

void onnx_fixture_node(struct onnx_fixture *file, const char *op_type, const char *name, const char *inputs,
                       const char *outputs)
{
	finish_node(file);
	pare_strbuf_init(&file->node);
	file->has_node = true;
	put_names(&file->node, 1, inputs);
	put_names(&file->node, 2, outputs);
	if (name)
		message_text(&file->node, 3, name);
	message_text(&file->node, 4, op_type);
}

void onnx_fixture_domain(struct onnx_fixture *file, const char *domain)
{
	message_text(&file->node, 7, domain);
}

static struct pare_strbuf attribute(const char *name, int type)
{
	struct pare_strbuf message;
	pare_strbuf_init(&message);
	message_text(&message, 1, name);
	message_int(&message, 20, type);
	return message;
}

void onnx_fixture_attr_int(struct onnx_fixture *file, const char *name, int64_t number)
{
	struct pare_strbuf message = attribute(name, 2);
	message_int(&message, 3, number);
	message_nest(&file->node, 5, &message);
}

void onnx_fixture_attr_float(struct onnx_fixture *file, const char *name, float number)
{
	struct pare_strbuf message = attribute(name, 1);
	message_float(&message, 2, number);
	message_nest(&file->node, 5, &message);
}

void onnx_fixture_attr_text(struct onnx_fixture *file, const char *name, const char *text)
{
	struct pare_strbuf message = attribute(name, 3);
	message_text(&message, 4, text);
	message_nest(&file->node, 5, &message);
}

void onnx_fixture_attr_ints(struct onnx_fixture *file, const char *name, int count, const int64_t *numbers)
{
	struct pare_strbuf message = attribute(name, 7);
	for (int i = 0; i < count; i++)
		message_int(&message, 8, numbers[i]);
	message_nest(&file->node, 5, &message);
}

void onnx_fixture_attr_tensor(struct onnx_fixture *file, const char *name, struct pare_strbuf *tensor)
{
	struct pare_strbuf message = attribute(name, 4);
	message_nest(&message, 5, tensor);
	message_nest(&file->node, 5, &message);
}

void onnx_fixture_constant(struct onnx_fixture *file, const char *output, int count, const int64_t *data)
{
	struct pare_strbuf tensor = onnx_tensor(NULL, ONNX_INT64, 1, (int64_t[]){count});
	message_bytes(&tensor, 9, data, (size_t)count * sizeof(*data));
	onnx_fixture_node(file, "Constant", NULL, "", output);
	onnx_fixture_attr_tensor(file, "value", &tensor);
}

static void add_batch_norm(struct onnx_fixture *file, const char *name, const char *input, const char *output)
{
	static const char *const vectors[4] = {"scale", "shift", "mean", "variance"};
	struct pare_strbuf inputs;
	pare_strbuf_init(&inputs);
	pare_strbuf_add(&inputs, input);
	for (int i = 0; i < 4; i++) {
		char vector[64];
		snprintf(vector, sizeof(vector), "%s.%s", name, vectors[i]);
		onnx_fixture_floats(file, vector, 1, (int64_t[]){4}, NULL);
		pare_strbuf_printf(&inputs, " %s", vector);
	}
	onnx_fixture_node(file, "BatchNormalization", name, inputs.text, output);
	onnx_fixture_attr_float(file, "momentum", 0.9f);
	pare_strbuf_release(&inputs);
}

void onnx_fixture_network(struct onnx_fixture *file)
{
	onnx_fixture_init(file, 13);
	onnx_fixture_input(file, "input", 4, (int64_t[]){-1, 3, 8, 8});
	onnx_fixture_floats(file, "conv1.weight", 4, (int64_t[]){4, 3, 3, 3}, NULL);
	onnx_fixture_node(file, "Conv", "conv1", "input conv1.weight", "c1");
	onnx_fixture_attr_ints(file, "pads", 4, (int64_t[]){1, 1, 1, 1});
	add_batch_norm(file, "bn1", "c1", "b1");
	onnx_fixture_node(file, "Relu", "relu1", "b1", "r1");
	onnx_fixture_node(file, "MaxPool", "pool", "r1", "p1");
	onnx_fixture_attr_ints(file, "kernel_shape", 2, (int64_t[]){2, 2});
	onnx_fixture_attr_ints(file, "strides", 2, (int64_t[]){2, 2});
	onnx_fixture_ints(file, "starts", 2, (int64_t[]){0, 0});
	onnx_fixture_ints(file, "ends", 2, (int64_t[]){INT64_MAX, INT64_MAX});
	onnx_fixture_ints(file, "axes", 2, (int64_t[]){2, 3});
	onnx_fixture_ints(file, "steps", 2, (int64_t[]){2, 2});
	onnx_fixture_node(file, "Slice", "slice", "input starts ends axes steps", "s1");
	onnx_fixture_constant(file, "pads_begin", 4, (int64_t[]){0, 0, 0, 0});
	onnx_fixture_constant(file, "pads_end", 4, (int64_t[]){0, 1, 0, 0});
	onnx_fixture_node(file, "Concat", "pads_all", "pads_begin pads_end", "pads");
	onnx_fixture_attr_int(file, "axis", 0);
	onnx_fixture_node(file, "Pad", "pad", "s1 pads", "s2");
	onnx_fixture_node(file, "Add", "add", "p1 s2", "a1");
	onnx_fixture_node(file, "GlobalAveragePool", "mean", "a1", "g1");
	onnx_fixture_node(file, "Shape", NULL, "g1", "shape");
	onnx_fixture_constant(file, "zero", 1, (int64_t[]){0});
	onnx_fixture_node(file, "Gather", NULL, "shape zero", "batch");
	onnx_fixture_constant(file, "rest", 1, (int64_t[]){-1});
	onnx_fixture_node(file, "Concat", NULL, "batch rest", "flat_shape");
	onnx_fixture_attr_int(file, "axis", 0);
	onnx_fixture_node(file, "Reshape", "flat", "g1 flat_shape", "f1");
	onnx_fixture_floats(file, "fc.weight", 2, (int64_t[]){5, 4}, NULL);
	onnx_fixture_floats(file, "fc.bias", 1, (int64_t[]){5}, NULL);
	onnx_fixture_node(file, "Gemm", "fc", "f1 fc.weight fc.bias", "logits");
	onnx_fixture_attr_int(file, "transB", 1);
	onnx_fixture_output(file, "logits");
}

struct pare_bytes onnx_fixture_bytes(struct onnx_fixture *file)
{
	finish_node(file);
	message_nest(&file->model, 7, &file->graph);
	struct pare_bytes bytes = {.size = file->model.length};
	bytes.data = (unsigned char *)pare_strbuf_detach(&file->model);
	assert_non_null(bytes.data);
	onnx_fixture_release(file);
	return bytes;
}

struct pare_graph *onnx_fixture_read(struct onnx_fixture *file)
{
	struct pare_bytes bytes = onnx_fixture_bytes(file);
	struct pare_graph *graph;
	struct pare_error error = {0};
	int status = pare_onnx_read_bytes(bytes.data, bytes.size, "fixture.onnx", &graph, &error);
	pare_bytes_release(&bytes);
	if (status)
		fail_msg("%s: %s", error.file, error.text);
	return graph;
}

void onnx_fixture_refuse(struct onnx_fixture *file, int status, const char *part)
{
	struct pare_bytes bytes = onnx_fixture_bytes(file);
	struct pare_graph *graph = NULL;
	struct pare_error error = {0};
	int found = pare_onnx_read_bytes(bytes.data, bytes.size, "fixture.onnx", &graph, &error);
	pare_bytes_release(&bytes);
	if (found != status || !strstr(error.text, part))
		fail_msg("expected status %d and '%s', got %d and '%s'", status, part, found, error.text);
	assert_int_equal(error.code, status);
	assert_string_equal(error.file, "fixture.onnx");
	assert_null(graph);
}
