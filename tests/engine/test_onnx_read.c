#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/compress/slim.h"
#include "engine/io/onnx.h"
#include "engine/ops/builders.h"
#include "tests/support/onnx_fixture.h"
#include "tests/support/temp_directory.h"

static const int64_t images[] = {-1, 3, 8, 8};
static const int64_t vectors[] = {-1, 4};

/* A file with images coming in as "x" and "y" going out. */
static void open_file(struct onnx_fixture *file, int64_t opset)
{
	onnx_fixture_init(file, opset);
	onnx_fixture_input(file, "x", 4, images);
	onnx_fixture_output(file, "y");
}

static void open_vector_file(struct onnx_fixture *file, int64_t opset)
{
	onnx_fixture_init(file, opset);
	onnx_fixture_input(file, "x", 2, vectors);
	onnx_fixture_output(file, "y");
}

static const struct pare_node *node_of(const struct pare_graph *graph, const char *name)
{
	int node = pare_graph_find_node(graph, name);
	if (node < 0)
		fail_msg("no node '%s'", name);
	return &graph->nodes[node];
}

static const struct pare_node *only_node(const struct pare_graph *graph, const struct pare_op *op)
{
	assert_int_equal(graph->n_nodes, 1);
	assert_string_equal(graph->nodes[0].op->name, op->name);
	return &graph->nodes[0];
}

static void expect_shape(const struct pare_graph *graph, int value, const char *wanted)
{
	char text[96];
	assert_string_equal(pare_shape_text(&graph->values[value].shape, text, sizeof(text)), wanted);
}

static void test_onnx_read__convolution(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){6, 1, 3, 2}, NULL);
	onnx_fixture_floats(&file, "b", 1, (int64_t[]){6}, NULL);
	onnx_fixture_node(&file, "Conv", "/layer/conv", "x w b", "y");
	onnx_fixture_attr_ints(&file, "pads", 4, (int64_t[]){1, 2, 3, 4});
	onnx_fixture_attr_ints(&file, "strides", 2, (int64_t[]){2, 1});
	onnx_fixture_attr_ints(&file, "dilations", 2, (int64_t[]){1, 3});
	onnx_fixture_attr_ints(&file, "kernel_shape", 2, (int64_t[]){3, 2});
	onnx_fixture_attr_int(&file, "group", 3);
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_node *node = only_node(graph, &pare_op_conv2d);
	const struct pare_conv2d *conv = node->attrs;
	const struct pare_conv2d wanted = {3, 2, 2, 1, 1, 2, 3, 4, 1, 3, 3, 0};
	assert_memory_equal(conv, &wanted, sizeof(wanted));
	assert_string_equal(node->name, "/layer/conv");
	assert_string_equal(graph->values[graph->input].name, "x");
	assert_string_equal(graph->values[graph->output].name, "y");
	assert_string_equal(graph->name, "fixture");
	expect_shape(graph, graph->output, "6x5x11");
	assert_int_equal(node->n_params, 2);
	assert_string_equal(graph->params[node->params[0]].name, "w");
	assert_int_equal(graph->params[node->params[1]].role, PARE_PARAM_BIAS);
	assert_true(graph->params[node->params[0]].data[35] == 0.01f * 36);
	pare_graph_free(graph);
}

static void test_onnx_read__auto_pad(void **state)
{
	(void)state;
	/* 8 pixels, stride 2, kernel 3: 4 outputs need 1 pixel more; it goes to the end or the beginning. */
	static const struct {
		const char *mode;
		int32_t top, bottom;
	} cases[] = {{"SAME_UPPER", 0, 1}, {"SAME_LOWER", 1, 0}, {"VALID", 0, 0}, {"NOTSET", 2, 2}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 9);
		onnx_fixture_floats(&file, "w", 4, (int64_t[]){2, 3, 3, 3}, NULL);
		onnx_fixture_node(&file, "Conv", "conv", "x w", "y");
		onnx_fixture_attr_ints(&file, "strides", 2, (int64_t[]){2, 2});
		onnx_fixture_attr_text(&file, "auto_pad", cases[i].mode);
		if (strcmp(cases[i].mode, "NOTSET") == 0)
			onnx_fixture_attr_ints(&file, "pads", 4, (int64_t[]){2, 2, 2, 2});
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_conv2d *conv = graph->nodes[0].attrs;
		assert_int_equal(conv->pad_top, cases[i].top);
		assert_int_equal(conv->pad_left, cases[i].top);
		assert_int_equal(conv->pad_bottom, cases[i].bottom);
		assert_int_equal(conv->pad_right, cases[i].bottom);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__batch_norm(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	for (int i = 0; i < 4; i++)
		onnx_fixture_floats(&file, (const char *[]){"s", "b", "m", "v"}[i], 1, (int64_t[]){3},
		                    (float[]){1.f + (float)i, 2, 3});
	onnx_fixture_node(&file, "BatchNormalization", "bn", "x s b m v", "y");
	onnx_fixture_attr_float(&file, "epsilon", 0.5f);
	onnx_fixture_attr_float(&file, "momentum", 0.9f);
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_node *node = only_node(graph, &pare_op_batch_norm);
	const struct pare_batch_norm *norm = node->attrs;
	assert_true(norm->epsilon == 0.5f);
	assert_true(norm->momentum == 0.1f);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(graph->params[node->params[i]].role, (int)PARE_PARAM_BN_SCALE + i);
		assert_true(graph->params[node->params[i]].data[0] == 1.f + (float)i);
	}
	pare_graph_free(graph);
}

static const struct pare_op *read_clip(int64_t opset, float low, float high)
{
	struct onnx_fixture file;
	open_file(&file, opset);
	onnx_fixture_floats(&file, "low", 0, NULL, &low);
	onnx_fixture_floats(&file, "high", 0, NULL, &high);
	onnx_fixture_node(&file, "Clip", "clip", opset < 11 ? "x" : high == FLT_MAX ? "x low" : "x low high", "y");
	if (opset < 11) {
		onnx_fixture_attr_float(&file, "min", low);
		if (high != FLT_MAX)
			onnx_fixture_attr_float(&file, "max", high);
	}
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_op *op = graph->nodes[0].op;
	pare_graph_free(graph);
	return op;
}

static void test_onnx_read__clip_is_relu6_or_relu(void **state)
{
	(void)state;
	for (int64_t opset = 9; opset <= 13; opset += 4) {
		assert_ptr_equal(read_clip(opset, 0, 6), &pare_op_relu6);
		assert_ptr_equal(read_clip(opset, 0, FLT_MAX), &pare_op_relu);
	}
}

static void test_onnx_read__pooling(void **state)
{
	(void)state;
	for (int average = 0; average < 2; average++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_node(&file, average ? "AveragePool" : "MaxPool", "pool", "x", "y");
		onnx_fixture_attr_ints(&file, "kernel_shape", 2, (int64_t[]){3, 2});
		onnx_fixture_attr_ints(&file, "strides", 2, (int64_t[]){2, 2});
		onnx_fixture_attr_ints(&file, "pads", 4, (int64_t[]){1, 0, 0, 1});
		onnx_fixture_attr_int(&file, "ceil_mode", 1);
		if (average)
			onnx_fixture_attr_int(&file, "count_include_pad", 1);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, average ? &pare_op_average_pool : &pare_op_max_pool);
		const struct pare_pool2d wanted = {3, 2, 2, 2, 1, 0, 0, 1, 1, average};
		assert_memory_equal(node->attrs, &wanted, sizeof(wanted));
		pare_graph_free(graph);
	}
}

/* The mean over the image, then a vector: as GlobalAveragePool and ReduceMean write it. */
static void test_onnx_read__global_average(void **state)
{
	(void)state;
	for (int64_t opset = 13; opset <= 18; opset += 5)
		for (int keep = 0; keep < 2; keep++) {
			struct onnx_fixture file;
			open_file(&file, opset);
			onnx_fixture_ints(&file, "axes", 2, (int64_t[]){-1, 2});
			onnx_fixture_node(&file, "ReduceMean", "mean", opset < 18 ? "x" : "x axes", "y");
			onnx_fixture_attr_int(&file, "keepdims", keep);
			if (opset < 18)
				onnx_fixture_attr_ints(&file, "axes", 2, (int64_t[]){2, 3});
			struct pare_graph *graph = onnx_fixture_read(&file);
			assert_ptr_equal(graph->nodes[0].op, &pare_op_global_average_pool);
			assert_int_equal(graph->n_nodes, keep ? 1 : 2);
			assert_int_equal(pare_graph_find_node(graph, "mean"), keep ? 0 : 1);
			expect_shape(graph, graph->output, keep ? "3x1x1" : "3");
			pare_graph_free(graph);
		}
}

static void test_onnx_read__add_concat_flatten(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Relu", "relu", "x", "r");
	onnx_fixture_node(&file, "Add", "add", "x r", "a");
	onnx_fixture_node(&file, "Concat", "concat", "a x r", "c");
	onnx_fixture_attr_int(&file, "axis", -3);
	onnx_fixture_node(&file, "Flatten", "flatten", "c", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(graph->n_nodes, 4);
	const struct pare_node *concat = node_of(graph, "concat");
	assert_int_equal(concat->n_inputs, 3);
	assert_string_equal(graph->values[concat->inputs[0]].name, "a");
	assert_string_equal(graph->values[concat->inputs[2]].name, "r");
	assert_ptr_equal(node_of(graph, "add")->op, &pare_op_add);
	expect_shape(graph, graph->output, "576");
	pare_graph_free(graph);
}

static void test_onnx_read__reshape_that_flattens(void **state)
{
	(void)state;
	static const int64_t targets[][2] = {{0, -1}, {-1, 192}, {0, 192}};
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "to", 2, targets[i]);
		onnx_fixture_node(&file, "Reshape", "flat", "x to", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		only_node(graph, &pare_op_flatten);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__reshape_by_the_batch_size(void **state)
{
	(void)state;
	for (int fixed = 0; fixed < 2; fixed++) {
		struct onnx_fixture file;
		onnx_fixture_init(&file, 11);
		onnx_fixture_input(&file, "x", 4, (int64_t[]){fixed ? 5 : -1, 3, 8, 8});
		onnx_fixture_output(&file, "y");
		struct pare_strbuf zero = onnx_tensor("zero", ONNX_INT64, 0, NULL);
		message_bytes(&zero, 9, &(int64_t){0}, 8);
		onnx_fixture_tensor(&file, &zero);
		onnx_fixture_ints(&file, "rest", 1, (int64_t[]){-1});
		onnx_fixture_node(&file, "Shape", NULL, "x", "shape");
		onnx_fixture_node(&file, "Gather", NULL, "shape zero", "n");
		onnx_fixture_node(&file, "Unsqueeze", NULL, "n", "n1");
		onnx_fixture_attr_ints(&file, "axes", 1, (int64_t[]){0});
		onnx_fixture_node(&file, "Concat", NULL, "n1 rest", "to");
		onnx_fixture_attr_int(&file, "axis", 0);
		onnx_fixture_node(&file, "Reshape", "flat", "x to", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		only_node(graph, &pare_op_flatten);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__reshape_to_the_same_shape_is_nothing(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "to", 4, (int64_t[]){0, 3, -1, 8});
	onnx_fixture_node(&file, "Reshape", "same", "x to", "s");
	onnx_fixture_node(&file, "Relu", "relu", "s", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	only_node(graph, &pare_op_relu);
	pare_graph_free(graph);
}

static void test_onnx_read__squeeze_of_one_pixel_is_flatten(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "axes", 2, (int64_t[]){2, 3});
	onnx_fixture_node(&file, "GlobalAveragePool", "mean", "x", "m");
	onnx_fixture_node(&file, "Squeeze", "squeeze", "m axes", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_ptr_equal(node_of(graph, "squeeze")->op, &pare_op_flatten);
	pare_graph_free(graph);
}

/* The weight is 2 out x 4 in, whichever way round the file has it. */
static void test_onnx_read__gemm(void **state)
{
	(void)state;
	static const float as_it_is[] = {1, 2, 3, 4, 5, 6, 7, 8}, turned[] = {1, 5, 2, 6, 3, 7, 4, 8};
	for (int trans = 0; trans < 2; trans++) {
		struct onnx_fixture file;
		open_vector_file(&file, 13);
		onnx_fixture_floats(&file, "w", 2, trans ? (int64_t[]){2, 4} : (int64_t[]){4, 2},
		                    trans ? as_it_is : turned);
		onnx_fixture_floats(&file, "b", 2, (int64_t[]){1, 2}, NULL);
		onnx_fixture_node(&file, "Gemm", "fc", "x w b", "y");
		onnx_fixture_attr_int(&file, "transB", trans);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, &pare_op_linear);
		assert_int_equal(node->n_params, 2);
		assert_memory_equal(graph->params[node->params[0]].data, as_it_is, sizeof(as_it_is));
		expect_shape(graph, graph->output, "2");
		assert_int_equal(graph->params[node->params[1]].shape.rank, 1);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__mat_mul_and_add_are_linear(void **state)
{
	(void)state;
	for (int bias_first = 0; bias_first < 2; bias_first++) {
		struct onnx_fixture file;
		open_vector_file(&file, 13);
		onnx_fixture_floats(&file, "w", 2, (int64_t[]){4, 2}, NULL);
		onnx_fixture_node(&file, "MatMul", "fc", "x w", "product");
		struct pare_strbuf bias = onnx_tensor(NULL, ONNX_FLOAT, 1, (int64_t[]){2});
		message_bytes(&bias, 9, (float[]){7, 8}, 8);
		onnx_fixture_node(&file, "Constant", NULL, "", "b");
		onnx_fixture_attr_tensor(&file, "value", &bias);
		onnx_fixture_node(&file, "Add", "add", bias_first ? "b product" : "product b", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, &pare_op_linear);
		assert_string_equal(node->name, "fc");
		assert_int_equal(node->n_params, 2);
		assert_int_equal(graph->params[node->params[1]].role, PARE_PARAM_BIAS);
		assert_true(graph->params[node->params[1]].data[1] == 8);
		assert_true(graph->params[node->params[0]].data[1] == 0.03f);
		assert_string_equal(graph->values[graph->output].name, "y");
		pare_graph_free(graph);
	}
}

static void test_onnx_read__bias_of_a_convolution_in_an_add(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){8, 3, 1, 1}, NULL);
	onnx_fixture_floats(&file, "b", 4, (int64_t[]){1, 8, 1, 1}, NULL);
	onnx_fixture_node(&file, "Conv", "conv", "x w", "c");
	onnx_fixture_node(&file, "Add", "add", "c b", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(only_node(graph, &pare_op_conv2d)->n_params, 2);
	pare_graph_free(graph);
}

/* [8] next to 8x8 images runs along the width, not the channels; and a value read twice cannot take a bias for one
 * reader. */
/* Along another dimension, or where somebody else reads the convolution, it is a node of its own. */
static void test_onnx_read__other_constants_are_no_bias(void **state)
{
	(void)state;
	static const struct {
		int rank, axis;
		int64_t dims[4];
		bool read_twice;
	} cases[] = {{1, 2, {8}, false}, {4, 1, {1, 1, 8, 1}, false}, {4, 0, {1, 8, 1, 1}, true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "w", 4, (int64_t[]){8, 3, 1, 1}, NULL);
		onnx_fixture_floats(&file, "b", cases[i].rank, cases[i].dims, NULL);
		onnx_fixture_node(&file, "Conv", "conv", "x w", "c");
		onnx_fixture_node(&file, "Add", "add", "c b", cases[i].read_twice ? "a" : "y");
		if (cases[i].read_twice)
			onnx_fixture_node(&file, "Add", "both", "a c", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		assert_int_equal(node_of(graph, "conv")->n_params, 1);
		const struct pare_node *add = node_of(graph, "add");
		assert_ptr_equal(add->op, &pare_op_scale);
		assert_int_equal(((const struct pare_scale *)add->attrs)->axis, cases[i].axis);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__slice(void **state)
{
	(void)state;
	for (int64_t opset = 9; opset <= 13; opset += 4) {
		struct onnx_fixture file;
		open_file(&file, opset);
		onnx_fixture_ints(&file, "starts", 3, (int64_t[]){0, -7, 1});
		onnx_fixture_ints(&file, "ends", 3, (int64_t[]){INT64_MAX, INT64_MAX, -1});
		onnx_fixture_ints(&file, "axes", 3, (int64_t[]){0, 2, -1});
		onnx_fixture_ints(&file, "steps", 3, (int64_t[]){1, 2, 3});
		onnx_fixture_node(&file, "Slice", "slice", opset < 10 ? "x" : "x starts ends axes steps", "y");
		if (opset < 10) {
			onnx_fixture_attr_ints(&file, "starts", 3, (int64_t[]){0, -7, 1});
			onnx_fixture_attr_ints(&file, "ends", 3, (int64_t[]){INT64_MAX, INT64_MAX, -1});
			onnx_fixture_attr_ints(&file, "axes", 3, (int64_t[]){0, 2, 3});
		}
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_slice *slice = only_node(graph, &pare_op_slice)->attrs;
		const struct pare_slice wanted = {{0, 1, 1}, {3, 8, 7}, {1, opset < 10 ? 1 : 2, opset < 10 ? 1 : 3}};
		assert_memory_equal(slice, &wanted, sizeof(wanted));
		pare_graph_free(graph);
	}
}

static void test_onnx_read__pad(void **state)
{
	(void)state;
	static const int64_t all[] = {0, 1, 2, 3, 0, 4, 5, 6}, some[] = {3, 1, 6, 4};
	for (int64_t opset = 9; opset <= 18; opset++) {
		struct onnx_fixture file;
		open_file(&file, opset);
		bool axes = opset >= 18;
		onnx_fixture_ints(&file, "pads", axes ? 4 : 8, axes ? some : all);
		onnx_fixture_ints(&file, "axes", 2, (int64_t[]){3, -3});
		onnx_fixture_node(&file, "Pad", "pad", opset < 11 ? "x" : axes ? "x pads - axes" : "x pads", "y");
		if (opset < 11)
			onnx_fixture_attr_ints(&file, "pads", 8, all);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_pad wanted = {{1, axes ? 0 : 2, 3}, {4, axes ? 0 : 5, 6}};
		assert_memory_equal(only_node(graph, &pare_op_pad)->attrs, &wanted, sizeof(wanted));
		pare_graph_free(graph);
	}
}

static void test_onnx_read__dropout_and_identity_are_nothing(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "ratio", 0, NULL, (float[]){0.5f});
	struct pare_strbuf training = onnx_tensor("training", ONNX_BOOL, 0, NULL);
	message_bytes(&training, 9, "\0", 1);
	onnx_fixture_tensor(&file, &training);
	onnx_fixture_node(&file, "Dropout", "drop", "x ratio training", "d mask");
	onnx_fixture_node(&file, "Identity", "id", "d", "i");
	onnx_fixture_node(&file, "Relu", "relu", "i", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(only_node(graph, &pare_op_relu)->inputs[0], graph->input);
	pare_graph_free(graph);
}

/* Two convolutions share a weight; two batch norms read one vector because an exporter merged equal ones. */
static void test_onnx_read__shared_weights_are_tied_and_merged_vectors_are_not(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){3, 3, 1, 1}, NULL);
	onnx_fixture_floats(&file, "one", 1, (int64_t[]){3}, (float[]){1, 1, 1});
	onnx_fixture_node(&file, "Identity", NULL, "w", "w_too");
	onnx_fixture_node(&file, "Conv", "conv1", "x w", "c1");
	onnx_fixture_node(&file, "BatchNormalization", "bn1", "c1 one one one one", "b1");
	onnx_fixture_node(&file, "Conv", "conv2", "b1 w", "c2");
	onnx_fixture_node(&file, "BatchNormalization", "bn2", "c2 one one one one", "b2");
	onnx_fixture_node(&file, "Conv", "conv3", "b2 w_too", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(node_of(graph, "conv1")->params[0], node_of(graph, "conv2")->params[0]);
	assert_int_not_equal(node_of(graph, "conv1")->params[0], node_of(graph, "conv3")->params[0]);
	assert_string_equal(graph->params[node_of(graph, "conv3")->params[0]].name, "w_too");
	assert_int_equal(graph->n_params, 2 + 8);
	pare_graph_free(graph);
}

static void test_onnx_read__nodes_in_any_order(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Add", "third", "r1 r2", "y");
	onnx_fixture_node(&file, "Relu", "second", "r1", "r2");
	onnx_fixture_node(&file, "Relu", "first", "x", "r1");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(pare_graph_find_node(graph, "first"), 0);
	assert_int_equal(pare_graph_find_node(graph, "second"), 1);
	assert_int_equal(pare_graph_find_node(graph, "third"), 2);
	pare_graph_free(graph);
}

/* Two independent branches: depth first would number them otherwise. */
static void test_onnx_read__keeps_the_order_of_the_file(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Relu", "a", "x", "ra");
	onnx_fixture_node(&file, "Relu", "b", "x", "rb");
	onnx_fixture_node(&file, "Add", "c", "rb ra", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(pare_graph_find_node(graph, "a"), 0);
	assert_int_equal(pare_graph_find_node(graph, "b"), 1);
	pare_graph_free(graph);
}

static void test_onnx_read__nodes_nobody_needs_are_left_out(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Relu", "relu", "x", "y");
	onnx_fixture_node(&file, "FancyNewOperator", "dead", "y", "z");
	struct pare_graph *graph = onnx_fixture_read(&file);
	only_node(graph, &pare_op_relu);
	pare_graph_free(graph);
}

static void test_onnx_read__node_without_a_name_takes_its_output_s(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Relu", NULL, "x", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_string_equal(graph->nodes[0].name, "y");
	pare_graph_free(graph);
}

static void test_onnx_read__initializers_among_the_inputs(void **state)
{
	(void)state;
	struct onnx_fixture file;
	onnx_fixture_init(&file, 9);
	onnx_fixture_input(&file, "w", 4, (int64_t[]){2, 3, 1, 1});
	onnx_fixture_input(&file, "x", 4, images);
	onnx_fixture_output(&file, "y");
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){2, 3, 1, 1}, NULL);
	onnx_fixture_node(&file, "Conv", "conv", "x w", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_string_equal(graph->values[graph->input].name, "x");
	pare_graph_free(graph);
}

/* The same bias in each of the places and types a tensor can have its numbers in. */
static void add_bias(struct onnx_fixture *file, int how)
{
	static const int types[] = {ONNX_FLOAT, ONNX_FLOAT, ONNX_DOUBLE, ONNX_DOUBLE};
	static const float floats[] = {1.5f, -2};
	static const double doubles[] = {1.5, -2};
	struct pare_strbuf tensor = onnx_tensor("b", types[how], 1, (int64_t[]){2});
	if (how == 0)
		message_bytes(&tensor, 9, floats, sizeof(floats));
	else if (how == 1)
		message_bytes(&tensor, 4, floats, sizeof(floats));
	else if (how == 2)
		message_bytes(&tensor, 9, doubles, sizeof(doubles));
	else
		message_bytes(&tensor, 10, doubles, sizeof(doubles));
	onnx_fixture_tensor(file, &tensor);
}

static void test_onnx_read__float_tensors(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct onnx_fixture file;
		open_vector_file(&file, 13);
		onnx_fixture_floats(&file, "w", 2, (int64_t[]){2, 4}, NULL);
		add_bias(&file, how);
		onnx_fixture_node(&file, "Gemm", "fc", "x w b", "y");
		onnx_fixture_attr_int(&file, "transB", 1);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const float *bias = graph->params[graph->nodes[0].params[1]].data;
		assert_true(bias[0] == 1.5f && bias[1] == -2);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__integer_tensors(void **state)
{
	(void)state;
	static const int32_t wide[] = {0, 0, 0, 0, 0, 0, 1, 2};
	for (int how = 0; how < 3; how++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		struct pare_strbuf tensor = onnx_tensor("pads", how ? ONNX_INT32 : ONNX_INT64, 1, (int64_t[]){8});
		if (how == 2)
			message_bytes(&tensor, 9, wide, sizeof(wide));
		for (int i = 0; how < 2 && i < 8; i++)
			message_int(&tensor, how ? 5 : 7, wide[i]);
		onnx_fixture_tensor(&file, &tensor);
		onnx_fixture_node(&file, "Pad", "pad", "x pads", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_pad *pad = graph->nodes[0].attrs;
		assert_int_equal(pad->end[1], 1);
		assert_int_equal(pad->end[2], 2);
		pare_graph_free(graph);
	}
}

static void test_onnx_read__opsets(void **state)
{
	(void)state;
	for (int64_t opset = 8; opset <= 22; opset++) {
		struct onnx_fixture file;
		open_file(&file, opset);
		onnx_fixture_node(&file, "Relu", "relu", "x", "y");
		if (opset == 8 || opset == 22) {
			onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, opset == 8 ? "opset is 8" : "opset is 22");
			continue;
		}
		pare_graph_free(onnx_fixture_read(&file));
	}
}

static void add_location(struct pare_strbuf *tensor, const char *key, const char *value)
{
	struct pare_strbuf pair;
	pare_strbuf_init(&pair);
	message_text(&pair, 1, key);
	message_text(&pair, 2, value);
	message_nest(tensor, 13, &pair);
}

/* w, 4 inputs x 2 outputs, lies in another file. */
static int read_external(const char *folder, const char *location, const char *offset, const char *length,
                         struct pare_graph **graph, struct pare_error *error)
{
	struct onnx_fixture file;
	open_vector_file(&file, 13);
	struct pare_strbuf tensor = onnx_tensor("w", ONNX_FLOAT, 2, (int64_t[]){4, 2});
	add_location(&tensor, "location", location);
	add_location(&tensor, "offset", offset);
	if (length)
		add_location(&tensor, "length", length);
	message_int(&tensor, 14, 1);
	onnx_fixture_tensor(&file, &tensor);
	onnx_fixture_node(&file, "MatMul", "fc", "x w", "y");
	struct pare_bytes bytes = onnx_fixture_bytes(&file);
	char path[512];
	snprintf(path, sizeof(path), "%s/model.onnx", folder);
	assert_int_equal(pare_file_write_atomic(path, bytes.data, bytes.size, NULL), PARE_OK);
	pare_bytes_release(&bytes);
	return pare_onnx_read(path, graph, error);
}

static void test_onnx_read__external_data(void **state)
{
	(void)state;
	char *folder = test_directory_new(), path[512];
	/* 3 bytes of something else, so that the numbers are not aligned */
	unsigned char data[3 + 32] = {1, 2, 3};
	memcpy(data + 3, (float[]){1.5f, -2, 3, 4, 5, 6, 7, 8}, 32);
	snprintf(path, sizeof(path), "%s/weights.bin", folder);
	assert_int_equal(pare_file_write_atomic(path, data, sizeof(data), NULL), PARE_OK);

	struct pare_graph *graph;
	struct pare_error error;
	assert_int_equal(read_external(folder, "weights.bin", "3", "32", &graph, &error), PARE_OK);
	assert_true(graph->params[graph->nodes[0].params[0]].data[4] == -2);
	pare_graph_free(graph);
	assert_int_equal(read_external(folder, "./weights.bin", "3", NULL, &graph, &error), PARE_OK);
	pare_graph_free(graph);

	static const struct {
		const char *location, *offset, *length;
		int status;
		const char *part;
	} bad[] = {
	        {"weights.bin", "4", NULL, PARE_E_FORMAT, "31 bytes of data, 32 are needed"},
	        {"weights.bin", "4", "32", PARE_E_FORMAT, "the file has 35"},
	        {"weights.bin", "36", NULL, PARE_E_FORMAT, "the file has 35"},
	        {"weights.bin", "-1", NULL, PARE_E_FORMAT, "offset"},
	        {"weights.bin", "3", "32x", PARE_E_FORMAT, "length"},
	        {"weights.bin", "3", "99999999999999999999", PARE_E_FORMAT, "length"},
	        {"missing.bin", "0", NULL, PARE_E_NOT_FOUND, "missing.bin"},
	        {"../weights.bin", "0", NULL, PARE_E_INVALID, "inside the model's folder"},
	        {"a/../../weights.bin", "0", NULL, PARE_E_INVALID, "inside the model's folder"},
	        {"a/..", "0", NULL, PARE_E_INVALID, "inside the model's folder"},
	        {"/etc/passwd", "0", NULL, PARE_E_INVALID, "inside the model's folder"},
	        {"", "0", NULL, PARE_E_INVALID, "inside the model's folder"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int status = read_external(folder, bad[i].location, bad[i].offset, bad[i].length, &graph, &error);
		if (status != bad[i].status || !strstr(error.text, bad[i].part))
			fail_msg("%s, offset %s: status %d, '%s'", bad[i].location, bad[i].offset, status, error.text);
		assert_non_null(strstr(error.text, "node 'fc' (MatMul, opset 13)"));
	}
	test_directory_free(folder);
}

/* The model lies in a folder of its own; a link in it leads to its neighbour. */
static void test_onnx_read__external_data_behind_a_link(void **state)
{
	(void)state;
	char *outside = test_directory_new(), *folder = test_directory_new(), path[512], link[512];
	struct pare_graph *graph;
	struct pare_error error;
	snprintf(path, sizeof(path), "%s/weights.bin", outside);
	assert_int_equal(pare_file_write_atomic(path, (float[]){1, 2}, 8, NULL), PARE_OK);
	snprintf(link, sizeof(link), "%s/weights.bin", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(read_external(folder, "weights.bin", "0", "8", &graph, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "leaves the model's folder"));
	test_directory_free(folder);
	test_directory_free(outside);
}

static struct pare_graph *read_shared(const char *name)
{
	char path[512];
	struct pare_graph *graph;
	struct pare_error error;
	snprintf(path, sizeof(path), "%s/../shared/models/%s", PARE_SOURCE_DIR, name);
	if (!pare_file_exists(path))
		skip();
	if (pare_onnx_read(path, &graph, &error))
		fail_msg("%s: %s", error.file, error.text);
	return graph;
}

/* He et al. 2015: option-A ResNets have as many MACs whether batch norm is folded or not. */
static void test_onnx_read__trained_networks(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		double million_macs;
		int nodes;
	} cases[] = {{"resnet20.onnx", 40.55, 19 + 19 + 9 + 6 + 3 - 2},
	             {"resnet20-bn.onnx", 40.55, 19 + 19 + 19 + 9 + 6 + 3 - 2},
	             {"resnet56.onnx", 125.49, 55 + 55 + 27 + 6 + 3 - 2},
	             {"resnet56-bn.onnx", 125.49, 55 + 55 + 55 + 27 + 6 + 3 - 2}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pare_graph *graph = read_shared(cases[i].file);
		assert_true((int64_t)((double)pare_graph_macs(graph) / 1e4 + 0.5) ==
		            (int64_t)(cases[i].million_macs * 100 + 0.5));
		assert_true(pare_graph_find_node(graph, "/layer3/layer3.0/conv1/Conv") > 0);
		assert_true(pare_graph_find_node(graph, "/layer2/layer2.0/shortcut/Pad") > 0);
		expect_shape(graph, graph->output, "10");
		assert_string_equal(graph->values[graph->output].name, "logits");
		pare_graph_free(graph);
	}
}

/* One network, exported with its batch norms folded by another program and with them kept. */
static void test_onnx_read__folded_and_kept_batch_norm_compute_the_same(void **state)
{
	(void)state;
	struct pare_graph *folded = read_shared("resnet20.onnx"), *kept = read_shared("resnet20-bn.onnx");
	struct pare_error error;
	double difference = -1;
	if (pare_slim_check(folded, kept, 16, 1, &difference, &error))
		fail_msg("%s", error.text);
	if (!(difference >= 0 && difference < 1e-4))
		fail_msg("outputs differ by %g", difference);
	pare_graph_free(folded);
	pare_graph_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_read__convolution),
	        cmocka_unit_test(test_onnx_read__auto_pad),
	        cmocka_unit_test(test_onnx_read__batch_norm),
	        cmocka_unit_test(test_onnx_read__clip_is_relu6_or_relu),
	        cmocka_unit_test(test_onnx_read__pooling),
	        cmocka_unit_test(test_onnx_read__global_average),
	        cmocka_unit_test(test_onnx_read__add_concat_flatten),
	        cmocka_unit_test(test_onnx_read__reshape_that_flattens),
	        cmocka_unit_test(test_onnx_read__reshape_by_the_batch_size),
	        cmocka_unit_test(test_onnx_read__reshape_to_the_same_shape_is_nothing),
	        cmocka_unit_test(test_onnx_read__squeeze_of_one_pixel_is_flatten),
	        cmocka_unit_test(test_onnx_read__gemm),
	        cmocka_unit_test(test_onnx_read__mat_mul_and_add_are_linear),
	        cmocka_unit_test(test_onnx_read__bias_of_a_convolution_in_an_add),
	        cmocka_unit_test(test_onnx_read__other_constants_are_no_bias),
	        cmocka_unit_test(test_onnx_read__slice),
	        cmocka_unit_test(test_onnx_read__pad),
	        cmocka_unit_test(test_onnx_read__dropout_and_identity_are_nothing),
	        cmocka_unit_test(test_onnx_read__shared_weights_are_tied_and_merged_vectors_are_not),
	        cmocka_unit_test(test_onnx_read__nodes_in_any_order),
	        cmocka_unit_test(test_onnx_read__keeps_the_order_of_the_file),
	        cmocka_unit_test(test_onnx_read__nodes_nobody_needs_are_left_out),
	        cmocka_unit_test(test_onnx_read__node_without_a_name_takes_its_output_s),
	        cmocka_unit_test(test_onnx_read__initializers_among_the_inputs),
	        cmocka_unit_test(test_onnx_read__float_tensors),
	        cmocka_unit_test(test_onnx_read__integer_tensors),
	        cmocka_unit_test(test_onnx_read__opsets),
	        cmocka_unit_test(test_onnx_read__external_data),
	        cmocka_unit_test(test_onnx_read__external_data_behind_a_link),
	        cmocka_unit_test(test_onnx_read__trained_networks),
	        cmocka_unit_test(test_onnx_read__folded_and_kept_batch_norm_compute_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
