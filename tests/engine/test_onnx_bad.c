/* Files that must be refused, with a message that says where and why; and damaged files, which must never crash the
 * reader. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/io/onnx.h"
#include "tests/support/onnx_fixture.h"

static void open_file(struct onnx_fixture *file, int64_t opset)
{
	onnx_fixture_init(file, opset);
	onnx_fixture_input(file, "x", 4, (int64_t[]){-1, 3, 8, 8});
	onnx_fixture_output(file, "y");
}

static void refuse_bytes(const void *bytes, size_t size, int status, const char *part)
{
	struct pare_graph *graph;
	struct pare_error error = {0};
	int found = pare_onnx_read_bytes(bytes, size, "bad.onnx", &graph, &error);
	if (found != status || !strstr(error.text, part))
		fail_msg("expected status %d and '%s', got %d and '%s'", status, part, found, error.text);
	assert_string_equal(error.file, "bad.onnx");
	assert_null(graph);
}

static void refuse_message(struct pare_strbuf *message, int status, const char *part)
{
	refuse_bytes(message->text, message->length, status, part);
	pare_strbuf_release(message);
}

static void test_onnx_bad__wire_format(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		const char *part;
	} cases[] = {
	        {"", 0, "the file is empty"},
	        {"\x08", 1, "cut short at byte 1; the file is probably truncated"},
	        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "more than 10 bytes"},
	        {"\x12\x05"
	         "ab",
	         4, "longer than what holds it"},
	        {"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "longer than what holds it"},
	        {"\x09\x01\x02", 3, "longer than what holds it at byte 1; the file is probably truncated"},
	        {"\x0d\x01\x02", 3, "longer than what holds it"},
	        {"\x0b\x0c", 2, "unknown kind of field at byte 1"},
	        {"\x0e", 1, "unknown kind of field"},
	        {"\x00\x01", 2, "impossible field number"},
	        {"\x12\x02\xc3\x28", 4, "not UTF-8 at byte 2"},
	        {"\x12\x01\x00", 3, "not UTF-8"},
	        {"\x12\x02\xc0\x80", 4, "not UTF-8"},
	        {"\x12\x03\xe0\x80\x80", 5, "not UTF-8"},
	        {"\x12\x04\xf0\x8f\xbf\xbf", 6, "not UTF-8"},
	        {"\x12\x03\xed\xa0\x80", 5, "not UTF-8"},
	        {"\x12\x04\xf4\x90\x80\x80", 6, "not UTF-8"},
	        {"\x12\x01\xe2", 3, "not UTF-8"},
	        {"\x3a\x00\x3a\x00", 4, "occurs twice"},
	        {"\x12\x04\xf0\x9f\x98\x80", 6, "opset is 0"},
	        {"PK\x03\x04 no ONNX at all", 21, "not a readable ONNX file"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refuse_bytes(cases[i].bytes, cases[i].size, PARE_E_FORMAT, cases[i].part);
}

/* A node with an attribute that is a graph with a node with ..., which protobuf-c alone would follow until the stack
 * ends. */
static struct pare_strbuf nested(int levels)
{
	struct pare_strbuf graph, node, attribute;
	pare_strbuf_init(&graph);
	for (int i = 0; i < levels; i++) {
		pare_strbuf_init(&attribute);
		pare_strbuf_init(&node);
		message_nest(&attribute, 6, &graph);
		message_nest(&node, 5, &attribute);
		pare_strbuf_init(&graph);
		message_nest(&graph, 1, &node);
	}
	struct pare_strbuf model;
	pare_strbuf_init(&model);
	message_nest(&model, 7, &graph);
	return model;
}

static void test_onnx_bad__nesting(void **state)
{
	(void)state;
	struct pare_strbuf model = nested(5000);
	refuse_message(&model, PARE_E_LIMIT, "nested deeper than 64");
	model = nested(21); /* 2 + 3 * 21 = 65 messages deep */
	refuse_message(&model, PARE_E_LIMIT, "nested deeper than 64");
	model = nested(20);
	refuse_message(&model, PARE_E_FORMAT, "opset is 0");
}

/* Two bytes for each empty node: the structs would take a hundred times the file. */
static void test_onnx_bad__unpacking_takes_bounded_memory(void **state)
{
	(void)state;
	enum { NODES = 1 << 20 };
	struct pare_strbuf graph, model;
	pare_strbuf_init(&graph);
	pare_strbuf_init(&model);
	for (int i = 0; i < NODES; i++)
		pare_strbuf_add_bytes(&graph, "\x0a\x00", 2);
	message_nest(&model, 7, &graph);
	refuse_message(&model, PARE_E_LIMIT, "bytes of memory");
}

static void test_onnx_bad__model(void **state)
{
	(void)state;
	struct pare_strbuf model, set;
	pare_strbuf_init(&model);
	pare_strbuf_init(&set);
	message_int(&set, 2, 13);
	message_nest(&model, 8, &set);
	refuse_message(&model, PARE_E_FORMAT, "no graph");

	struct onnx_fixture file;
	onnx_fixture_init(&file, 13);
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "0 outputs");
	onnx_fixture_init(&file, 13);
	onnx_fixture_output(&file, "y");
	onnx_fixture_refuse(&file, PARE_E_FORMAT, "no input");
	open_file(&file, 13);
	onnx_fixture_output(&file, "z");
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "2 outputs");
	open_file(&file, 13);
	onnx_fixture_input(&file, "x2", 4, (int64_t[]){-1, 3, 8, 8});
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "the inputs 'x' and 'x2'");
	open_file(&file, 13);
	onnx_fixture_refuse(&file, PARE_E_FORMAT, "no node gives the graph's output 'y'");
	open_file(&file, 13);
	onnx_fixture_node(&file, "Identity", "id", "x", "y");
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "output 'y' is its input");
	open_file(&file, 13);
	onnx_fixture_constant(&file, "y", 1, (int64_t[]){1});
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "output 'y' is a constant");
}

static void test_onnx_bad__input_shape(void **state)
{
	(void)state;
	static const struct {
		int rank;
		int64_t dims[7];
		int status;
		const char *part;
	} cases[] = {
	        {4, {-1, 3, -1, 8}, PARE_E_UNSUPPORTED, "dimension 2 of input 'x' is open"},
	        {4, {-1, 3, 0, 8}, PARE_E_UNSUPPORTED, "dimension 2"},
	        {1, {4}, PARE_E_UNSUPPORTED, "1 dimensions"},
	        {7, {1, 1, 1, 1, 1, 1, 1}, PARE_E_UNSUPPORTED, "7 dimensions"},
	        {4, {-1, 1 << 20, 1 << 20, 1 << 20}, PARE_E_LIMIT, "too large"},
	        {4, {-1, 3, INT64_MAX, INT64_MAX}, PARE_E_LIMIT, "too large"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		onnx_fixture_init(&file, 13);
		onnx_fixture_input(&file, "x", cases[i].rank, cases[i].dims);
		onnx_fixture_node(&file, "Relu", "relu", "x", "y");
		onnx_fixture_output(&file, "y");
		onnx_fixture_refuse(&file, cases[i].status, cases[i].part);
	}
}

static void test_onnx_bad__nodes(void **state)
{
	(void)state;
	static const struct {
		const char *op_type, *inputs, *outputs;
		int status;
		const char *part;
	} cases[] = {
	        {"Einsum", "x", "y", PARE_E_UNSUPPORTED,
	         "node 'bad' (Einsum, opset 13): the operator is not supported"},
	        {"Einsum", "x", "y", PARE_E_UNSUPPORTED, "Conv, Div"},
	        {"Relu", "nobody", "y", PARE_E_FORMAT, "node 'bad' (Relu) reads 'nobody'"},
	        {"Relu", "y", "y", PARE_E_FORMAT, "cycle through 'y'"},
	        {"Relu", "x x", "y", PARE_E_FORMAT, "2 inputs; 1 to 1 are allowed"},
	        {"Relu", "", "y", PARE_E_FORMAT, "0 inputs"},
	        {"Relu", "-", "y", PARE_E_FORMAT, "input 0 is left out"},
	        {"Concat", "x -", "y", PARE_E_FORMAT, "input 1 is left out"},
	        {"Relu", "x", "y y", PARE_E_FORMAT, "'y' is given to two values"},
	        {"Relu", "x", "x", PARE_E_FORMAT, "'x' is given to two values"},
	        {"Relu", "x", "- y", PARE_E_FORMAT, "no first output"},
	        {"Cast", "x", "y", PARE_E_UNSUPPORTED, "supported only on constants"},
	        {"Conv", "x x", "y", PARE_E_UNSUPPORTED, "input 1 depends on the graph's input"},
	        {"Gemm", "x x", "y", PARE_E_UNSUPPORTED, "input 1 depends"},
	        {"Softmax", "x", "y", PARE_E_UNSUPPORTED, "ends in a Softmax"},
	        {"GlobalAveragePool", "x", "relu\x07", PARE_E_FORMAT, "control character 0x07"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_node(&file, cases[i].op_type, "bad", cases[i].inputs, cases[i].outputs);
		onnx_fixture_refuse(&file, cases[i].status, cases[i].part);
	}
}

static void test_onnx_bad__domain(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Conv", "conv", "x x", "y");
	onnx_fixture_domain(&file, "com.example");
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "domain 'com.example'");
}

static void test_onnx_bad__used_second_output(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Dropout", "drop", "x", "d mask");
	onnx_fixture_node(&file, "Add", "add", "d mask", "y");
	onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "output 1 ('mask') is used");
}

/* A long cycle, and a long chain written backwards: neither may recurse. */
static void test_onnx_bad__cycles_and_long_chains(void **state)
{
	(void)state;
	enum { LENGTH = 3000 };
	for (int closed = 0; closed < 2; closed++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		for (int i = LENGTH; i > 0; i--) {
			char in[16], out[16];
			snprintf(in, sizeof(in), i > 1 ? "v%d" : closed ? "v%d" : "x", i > 1 ? i - 1 : LENGTH - 1);
			snprintf(out, sizeof(out), i < LENGTH ? "v%d" : "y", i);
			onnx_fixture_node(&file, "Identity", NULL, in, out);
		}
		onnx_fixture_refuse(&file, closed ? PARE_E_FORMAT : PARE_E_UNSUPPORTED,
		                    closed ? "cycle through" : "is its input");
	}
}

enum { WEIGHT_BYTES = 4 * 3 * 4 };

/* A 1x1 convolution with weight [4][3][1][1] whose tensor is what the test makes it. */
static void refuse_weight(struct pare_strbuf *tensor, int status, const char *part)
{
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_tensor(&file, tensor);
	onnx_fixture_node(&file, "Conv", "conv", "x w", "y");
	onnx_fixture_refuse(&file, status, part);
}

static void test_onnx_bad__tensors(void **state)
{
	(void)state;
	static const unsigned char data[WEIGHT_BYTES + 4];
	static const struct {
		int type, rank;
		int64_t dims[9];
		size_t bytes;
		int status;
		const char *part;
	} cases[] = {
	        {ONNX_FLOAT, 4, {4, 3, 1, 1}, WEIGHT_BYTES - 1, PARE_E_FORMAT, "47 bytes of data, 48 are needed"},
	        {ONNX_FLOAT, 4, {4, 3, 1, 1}, WEIGHT_BYTES + 4, PARE_E_FORMAT, "52 bytes of data, 48 are needed"},
	        {ONNX_FLOAT, 4, {4, 3, 1, 2}, WEIGHT_BYTES, PARE_E_FORMAT, "[4, 3, 1, 2] has 48 bytes"},
	        {ONNX_FLOAT, 4, {4, 3, -1, -1}, WEIGHT_BYTES, PARE_E_LIMIT, "dimension 2 is -1"},
	        {ONNX_FLOAT, 4, {INT64_MIN, 3, 1, 1}, WEIGHT_BYTES, PARE_E_LIMIT, "dimension 0"},
	        {ONNX_FLOAT, 4, {1L << 32, 1L << 32, 1, 1}, WEIGHT_BYTES, PARE_E_LIMIT, "dimension 0"},
	        {ONNX_FLOAT, 4, {1L << 31, 2, 1, 1}, WEIGHT_BYTES, PARE_E_LIMIT, "dimension 1"},
	        {ONNX_FLOAT, 4, {0, 1L << 40, 1L << 40, 1}, 0, PARE_E_LIMIT, "dimension 1"},
	        {ONNX_FLOAT, 4, {0, 3, 1, 1}, 0, PARE_E_FORMAT, "has shape [0, 3, 1, 1]"},
	        {ONNX_FLOAT, 9, {1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, PARE_E_UNSUPPORTED, "9 dimensions"},
	        {ONNX_FLOAT, 3, {4, 3, 1}, WEIGHT_BYTES, PARE_E_UNSUPPORTED, "3 dimensions; 4 are supported"},
	        {ONNX_INT8, 4, {4, 3, 1, 1}, 12, PARE_E_UNSUPPORTED, "INT8 (3)"},
	        {77, 4, {4, 3, 1, 1}, 12, PARE_E_UNSUPPORTED, "(77)"},
	        {ONNX_INT64, 1, {6}, WEIGHT_BYTES, PARE_E_FORMAT, "does not hold real numbers"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pare_strbuf tensor = onnx_tensor("w", cases[i].type, cases[i].rank, cases[i].dims);
		message_bytes(&tensor, 9, data, cases[i].bytes);
		refuse_weight(&tensor, cases[i].status, cases[i].part);
	}
}

static void test_onnx_bad__tensor_fields(void **state)
{
	(void)state;
	struct pare_strbuf tensor = onnx_tensor("w", ONNX_FLOAT, 4, (int64_t[]){4, 3, 1, 1});
	refuse_weight(&tensor, PARE_E_FORMAT, "has 0 numbers of data, 12 are needed");
	tensor = onnx_tensor("w", ONNX_DOUBLE, 4, (int64_t[]){4, 3, 1, 1});
	message_bytes(&tensor, 4, (float[12]){0}, 48);
	refuse_weight(&tensor, PARE_E_FORMAT, "has 0 numbers of data, 12 are needed");
	tensor = onnx_tensor("w", ONNX_FLOAT, 4, (int64_t[]){4, 3, 1, 1});
	message_bytes(&tensor, 3, "", 0);
	refuse_weight(&tensor, PARE_E_UNSUPPORTED, "segments");
	tensor = onnx_tensor("w", ONNX_FLOAT, 4, (int64_t[]){4, 3, 1, 1});
	message_int(&tensor, 14, 1);
	refuse_weight(&tensor, PARE_E_UNSUPPORTED, "a model in memory has no folder");
	tensor = onnx_tensor(NULL, ONNX_FLOAT, 4, (int64_t[]){4, 3, 1, 1});
	refuse_weight(&tensor, PARE_E_FORMAT, "initializer 0 has no name");
}

static void refuse_conv(const char *attribute, int count, const int64_t *numbers, int status, const char *part)
{
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){4, 3, 2, 2}, NULL);
	onnx_fixture_node(&file, "Conv", "conv", "x w", "y");
	if (count > 0)
		onnx_fixture_attr_ints(&file, attribute, count, numbers);
	else
		onnx_fixture_attr_int(&file, attribute, numbers[0]);
	onnx_fixture_refuse(&file, status, part);
}

static void test_onnx_bad__attributes(void **state)
{
	(void)state;
	refuse_conv("strides", 2, (int64_t[]){0, 1}, PARE_E_UNSUPPORTED, "strides 0; 1 to");
	refuse_conv("strides", 3, (int64_t[]){1, 1, 1}, PARE_E_UNSUPPORTED, "3 entries");
	refuse_conv("strides", 0, (int64_t[]){1}, PARE_E_FORMAT, "'strides' is not a list");
	refuse_conv("dilations", 2, (int64_t[]){1 << 24, 1}, PARE_E_UNSUPPORTED, "dilated by 16777216");
	refuse_conv("dilations", 2, (int64_t[]){INT64_MAX, 1}, PARE_E_UNSUPPORTED, "dilations 9223372036854775807");
	refuse_conv("pads", 4, (int64_t[]){0, 0, -1, 0}, PARE_E_UNSUPPORTED, "pads -1; 0 to");
	refuse_conv("kernel_shape", 2, (int64_t[]){3, 3}, PARE_E_FORMAT, "kernel_shape says 3");
	refuse_conv("group", 0, (int64_t[]){-1}, PARE_E_UNSUPPORTED, "group -1");
	refuse_conv("group", 0, (int64_t[]){2}, PARE_E_INVALID, "conv2d");
	refuse_conv("group", 1, (int64_t[]){1}, PARE_E_FORMAT, "'group' is not an integer");
	refuse_conv("auto_pad", 0, (int64_t[]){1}, PARE_E_FORMAT, "'auto_pad' is not text");
}

static void test_onnx_bad__unsupported_forms(void **state)
{
	(void)state;
	static const struct {
		const char *op_type, *inputs, *attribute;
		int64_t number;
		const char *part;
	} cases[] = {
	        {"Flatten", "x", "axis", 2, "only axis 1"},
	        {"Concat", "x x", "axis", 0, "along the batch"},
	        {"ReduceMean", "x", "keepdims", 1, "mean over everything"},
	        {"Reshape", "x two", "allowzero", 0, "reshapes images of 3x8x8 to [2, 2]"},
	        {"Slice", "x two two", "none", 0, "batch (axis 0) cannot be sliced"},
	        {"Pad", "x two", "none", 0, "2 amounts for 4 axes of an input"},
	        {"Pad", "x ones", "none", 0, "batch (axis 0) cannot be padded"},
	        {"Dropout", "x one truth", "none", 0, "training form"},
	        {"MaxPool", "x", "none", 0, "no attribute kernel_shape"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "two", 2, (int64_t[]){2, 2});
		onnx_fixture_ints(&file, "ones", 8, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1});
		onnx_fixture_ints(&file, "truth", 1, (int64_t[]){1});
		onnx_fixture_floats(&file, "one", 0, NULL, (float[]){1});
		onnx_fixture_node(&file, cases[i].op_type, "node", cases[i].inputs, "y");
		onnx_fixture_attr_int(&file, cases[i].attribute, cases[i].number);
		bool format = strcmp(cases[i].op_type, "MaxPool") == 0 || strstr(cases[i].part, "amounts");
		onnx_fixture_refuse(&file, format ? PARE_E_FORMAT : PARE_E_UNSUPPORTED, cases[i].part);
	}
}

static void test_onnx_bad__reshapes_that_move_the_batch(void **state)
{
	(void)state;
	static const struct {
		int64_t to[4], allow_zero;
		int count;
	} cases[] = {
	        {{0, 0}, 0, 2},  {{-1, 0}, 0, 2},  {{-1, -1}, 0, 2}, {{1, -1}, 0, 2},
	        {{0, -1}, 1, 2}, {{0, 191}, 0, 2}, {{-1}, 0, 1},     {{0, 3, -1, -1}, 0, 4},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 14);
		onnx_fixture_ints(&file, "to", cases[i].count, cases[i].to);
		onnx_fixture_node(&file, "Reshape", "reshape", "x to", "y");
		onnx_fixture_attr_int(&file, "allowzero", cases[i].allow_zero);
		onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "reshapes images of 3x8x8 to [");
	}
}

static void test_onnx_bad__vectors_of_another_shape(void **state)
{
	(void)state;
	static const int64_t shapes[][2] = {{2, 2}, {1, 3}, {5, 1}};
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "w", 4, (int64_t[]){4, 3, 1, 1}, NULL);
		onnx_fixture_floats(&file, "b", 2, shapes[i], NULL);
		onnx_fixture_node(&file, "Conv", "conv", "x w b", "y");
		onnx_fixture_refuse(&file, PARE_E_FORMAT, "'b'");
	}
}

static void test_onnx_bad__gemm_forms(void **state)
{
	(void)state;
	static const char *const names[] = {"alpha", "beta", "transA"};
	for (int i = 0; i < 3; i++) {
		struct onnx_fixture file;
		onnx_fixture_init(&file, 13);
		onnx_fixture_input(&file, "x", 2, (int64_t[]){-1, 4});
		onnx_fixture_output(&file, "y");
		onnx_fixture_floats(&file, "w", 2, (int64_t[]){4, 2}, NULL);
		onnx_fixture_floats(&file, "b", 1, (int64_t[]){2}, NULL);
		onnx_fixture_node(&file, "Gemm", "fc", "x w b", "y");
		if (i < 2)
			onnx_fixture_attr_float(&file, names[i], 0.5f);
		else
			onnx_fixture_attr_int(&file, names[i], 1);
		onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, names[i]);
	}
}

static void test_onnx_bad__batch_norm_in_training_form(void **state)
{
	(void)state;
	for (int form = 0; form < 2; form++) {
		struct onnx_fixture file;
		open_file(&file, 14);
		onnx_fixture_floats(&file, "v", 1, (int64_t[]){3}, NULL);
		onnx_fixture_node(&file, "BatchNormalization", "bn", "x v v v v", form ? "y mean" : "y");
		if (!form)
			onnx_fixture_attr_int(&file, "training_mode", 1);
		onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "training form");
	}
}

/* One vector used by many nodes is copied for each: the copies are limited by the size of the file. */
static void test_onnx_bad__copies_are_bounded(void **state)
{
	(void)state;
	enum { CHANNELS = 1 << 20, USES = 40 };
	struct onnx_fixture file;
	onnx_fixture_init(&file, 13);
	onnx_fixture_input(&file, "x", 2, (int64_t[]){-1, CHANNELS});
	onnx_fixture_output(&file, "v40");
	onnx_fixture_floats(&file, "v", 1, (int64_t[]){CHANNELS}, NULL);
	for (int i = 0; i < USES; i++) {
		char inputs[32], output[16];
		snprintf(inputs, sizeof(inputs), i ? "v%d v v v v" : "x v v v v", i);
		snprintf(output, sizeof(output), "v%d", i + 1);
		onnx_fixture_node(&file, "BatchNormalization", NULL, inputs, output);
	}
	onnx_fixture_refuse(&file, PARE_E_LIMIT, "used by too many nodes");
}

/* Success or an error with a text; anything else is for the sanitizers to find. */
static int read_damaged(const unsigned char *bytes, size_t size)
{
	struct pare_graph *graph;
	struct pare_error error = {0};
	int status = pare_onnx_read_bytes(bytes, size, "damaged.onnx", &graph, &error);
	assert_true(status == PARE_OK ? graph != NULL : graph == NULL);
	assert_true(status == PARE_OK || error.text[0]);
	pare_graph_free(graph);
	return status;
}

/* Memory of exactly `size` bytes, so that reading past the end is seen. */
static void read_cut(const struct pare_bytes *file, size_t size)
{
	unsigned char *cut = malloc(size ? size : 1);
	assert_non_null(cut);
	memcpy(cut, file->data, size);
	assert_true(read_damaged(cut, size) < 0);
	free(cut);
}

static struct pare_bytes network(void)
{
	struct onnx_fixture file;
	onnx_fixture_network(&file);
	return onnx_fixture_bytes(&file);
}

static void test_onnx_bad__truncated(void **state)
{
	(void)state;
	struct pare_bytes file = network();
	assert_int_equal(read_damaged(file.data, file.size), PARE_OK);
	for (size_t size = 0; size < file.size; size += 97)
		read_cut(&file, size);
	for (size_t size = file.size - 97; size < file.size; size++)
		read_cut(&file, size);
	pare_bytes_release(&file);
}

static void test_onnx_bad__flipped(void **state)
{
	(void)state;
	static const unsigned char masks[] = {0x01, 0x80, 0xff};
	struct pare_bytes file = network();
	int failures = 0;
	for (size_t i = 0; i < file.size; i++)
		for (size_t j = 0; j < sizeof(masks); j++) {
			file.data[i] ^= masks[j];
			failures += read_damaged(file.data, file.size) < 0;
			file.data[i] ^= masks[j];
		}
	assert_true(failures > 0);
	assert_int_equal(read_damaged(file.data, file.size), PARE_OK);
	pare_bytes_release(&file);
}

/* Attribute values and counts are one byte each in a small file: every byte gets the smallest, largest and some other
 * number. */
static void test_onnx_bad__overwritten(void **state)
{
	(void)state;
	static const unsigned char values[] = {0x00, 0x7f, 0x08, 0x3a};
	struct pare_bytes file = network();
	for (size_t i = 0; i < file.size; i++) {
		unsigned char was = file.data[i];
		for (size_t j = 0; j < sizeof(values); j++) {
			file.data[i] = values[j];
			read_damaged(file.data, file.size);
		}
		file.data[i] = was;
	}
	pare_bytes_release(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_bad__wire_format),
	        cmocka_unit_test(test_onnx_bad__nesting),
	        cmocka_unit_test(test_onnx_bad__unpacking_takes_bounded_memory),
	        cmocka_unit_test(test_onnx_bad__model),
	        cmocka_unit_test(test_onnx_bad__input_shape),
	        cmocka_unit_test(test_onnx_bad__nodes),
	        cmocka_unit_test(test_onnx_bad__domain),
	        cmocka_unit_test(test_onnx_bad__used_second_output),
	        cmocka_unit_test(test_onnx_bad__cycles_and_long_chains),
	        cmocka_unit_test(test_onnx_bad__tensors),
	        cmocka_unit_test(test_onnx_bad__tensor_fields),
	        cmocka_unit_test(test_onnx_bad__attributes),
	        cmocka_unit_test(test_onnx_bad__unsupported_forms),
	        cmocka_unit_test(test_onnx_bad__reshapes_that_move_the_batch),
	        cmocka_unit_test(test_onnx_bad__vectors_of_another_shape),
	        cmocka_unit_test(test_onnx_bad__gemm_forms),
	        cmocka_unit_test(test_onnx_bad__batch_norm_in_training_form),
	        cmocka_unit_test(test_onnx_bad__copies_are_bounded),
	        cmocka_unit_test(test_onnx_bad__truncated),
	        cmocka_unit_test(test_onnx_bad__flipped),
	        cmocka_unit_test(test_onnx_bad__overwritten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
