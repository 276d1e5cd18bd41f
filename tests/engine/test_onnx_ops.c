/* One ONNX operator at a time: what its attributes become, and which ones are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/io/onnx.h"
#include "engine/ops/builders.h"
#include "tests/support/onnx_fixture.h"

static const int64_t images[] = {-1, 6, 4, 5};

/* Images 6x4x5 come in as "x", "y" goes out. */
static void open_file(struct onnx_fixture *file, int64_t opset)
{
	onnx_fixture_init(file, opset);
	onnx_fixture_input(file, "x", 4, images);
	onnx_fixture_output(file, "y");
}

static const struct pare_node *only_node(const struct pare_graph *graph, const struct pare_op *op)
{
	assert_int_equal(graph->n_nodes, 1);
	assert_string_equal(graph->nodes[0].op->name, op->name);
	return &graph->nodes[0];
}

static void expect_shape(const struct pare_graph *graph, const char *wanted)
{
	char text[96];
	assert_string_equal(pare_shape_text(&graph->values[graph->output].shape, text, sizeof(text)), wanted);
}

static void test_onnx_ops__functions_without_attributes(void **state)
{
	(void)state;
	static const struct {
		const char *op_type;
		const struct pare_op *op;
	} cases[] = {{"Erf", &pare_op_erf},   {"Gelu", &pare_op_gelu},       {"HardSwish", &pare_op_hard_swish},
	             {"Relu", &pare_op_relu}, {"Sigmoid", &pare_op_sigmoid}, {"Sqrt", &pare_op_sqrt},
	             {"Tanh", &pare_op_tanh}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 20);
		onnx_fixture_node(&file, cases[i].op_type, "f", "x", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		only_node(graph, cases[i].op);
		expect_shape(graph, "6x4x5");
		pare_graph_free(graph);
	}
}

/* ONNX's defaults, and others. */
static void test_onnx_ops__functions_with_attributes(void **state)
{
	(void)state;
	for (int given = 0; given < 2; given++) {
		static const char *const types[] = {"HardSigmoid", "LeakyRelu", "Elu"};
		static const float defaults[] = {0.2f, 0.01f, 1.0f};
		for (int i = 0; i < 3; i++) {
			struct onnx_fixture file;
			open_file(&file, 13);
			onnx_fixture_node(&file, types[i], "f", "x", "y");
			if (given)
				onnx_fixture_attr_float(&file, "alpha", 0.75f);
			if (given)
				onnx_fixture_attr_float(&file, "beta", 0.25f);
			struct pare_graph *graph = onnx_fixture_read(&file);
			const float *attrs = graph->nodes[0].attrs;
			assert_true(attrs[0] == (given ? 0.75f : defaults[i]));
			if (i == 0)
				assert_true(attrs[1] == (given ? 0.25f : 0.5f));
			pare_graph_free(graph);
		}
	}
}

static void test_onnx_ops__clip_to_any_bounds(void **state)
{
	(void)state;
	for (int64_t opset = 9; opset <= 13; opset += 4) {
		struct onnx_fixture file;
		open_file(&file, opset);
		onnx_fixture_floats(&file, "high", 0, NULL, (float[]){2.5f});
		onnx_fixture_node(&file, "Clip", "clip", opset < 11 ? "x" : "x - high", "y");
		if (opset < 11)
			onnx_fixture_attr_float(&file, "max", 2.5f);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_clip *attrs = only_node(graph, &pare_op_clip)->attrs;
		assert_true(isinf(attrs->min) && attrs->min < 0);
		assert_true(attrs->max == 2.5f);
		pare_graph_free(graph);
	}
}

/* factor * x + addend for each way to put one number next to an activation. */
static void test_onnx_ops__arithmetic_with_a_number(void **state)
{
	(void)state;
	static const struct {
		const char *op_type, *inputs;
		float factor, addend;
	} cases[] = {{"Add", "x c", 1, 4}, {"Add", "c x", 1, 4}, {"Sub", "x c", 1, -4},   {"Sub", "c x", -1, 4},
	             {"Mul", "x c", 4, 0}, {"Mul", "c x", 4, 0}, {"Div", "x c", 0.25f, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "c", i % 2 ? 4 : 0, (int64_t[]){1, 1, 1, 1}, (float[]){4});
		onnx_fixture_node(&file, cases[i].op_type, "f", cases[i].inputs, "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_affine_scalar *attrs = only_node(graph, &pare_op_affine_scalar)->attrs;
		assert_true(attrs->factor == cases[i].factor && attrs->addend == cases[i].addend);
		pare_graph_free(graph);
	}
}

/* ... and for a vector along each dimension, which the constant's shape names. */
static void test_onnx_ops__arithmetic_with_a_vector(void **state)
{
	(void)state;
	static const struct {
		const char *op_type;
		float scale, shift; /* of the first entry, which is 2 */
	} cases[] = {{"Add", 1, 2}, {"Sub", 1, -2}, {"Mul", 2, 0}, {"Div", 0.5f, 0}};
	static const int64_t dims[3][3] = {{6, 1, 1}, {1, 4, 1}, {1, 1, 5}};
	static const float data[6] = {2, 3, 4, 5, 6, 7};
	for (size_t i = 0; i < 12; i++) {
		struct onnx_fixture file;
		int axis = (int)(i % 3);
		open_file(&file, 13);
		onnx_fixture_floats(&file, "c", 3, dims[axis], data);
		onnx_fixture_node(&file, cases[i / 3].op_type, "f", "x c", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, &pare_op_scale);
		assert_int_equal(((const struct pare_scale *)node->attrs)->axis, axis);
		assert_int_equal(node->n_params, cases[i / 3].shift != 0 ? 2 : 1);
		assert_true(graph->params[node->params[0]].data[0] == cases[i / 3].scale);
		if (node->n_params == 2)
			assert_true(graph->params[node->params[1]].data[0] == cases[i / 3].shift);
		pare_graph_free(graph);
	}
}

/* A number or vector that is added behind a product with one is part of the same operator. */
static void test_onnx_ops__product_and_sum_are_one(void **state)
{
	(void)state;
	for (int vector = 0; vector < 2; vector++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "a", vector ? 3 : 0, (int64_t[]){6, 1, 1}, NULL);
		onnx_fixture_floats(&file, "b", vector ? 3 : 0, (int64_t[]){6, 1, 1}, NULL);
		onnx_fixture_node(&file, "Mul", "mul", "x a", "m");
		onnx_fixture_node(&file, "Add", "add", "m b", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, vector ? &pare_op_scale : &pare_op_affine_scalar);
		assert_string_equal(node->name, "mul");
		assert_string_equal(graph->values[node->output].name, "y");
		assert_int_equal(node->n_params, vector ? 2 : 0);
		if (!vector)
			assert_true(((const struct pare_affine_scalar *)node->attrs)->addend == 0.01f);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__arithmetic_of_activations(void **state)
{
	(void)state;
	static const struct {
		const char *op_type;
		const struct pare_op *op;
	} cases[] = {{"Add", &pare_op_add}, {"Sub", &pare_op_sub}, {"Mul", &pare_op_mul}, {"Div", &pare_op_div}};
	for (size_t i = 0; i < 4; i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_node(&file, "Relu", "relu", "x", "r");
		onnx_fixture_node(&file, cases[i].op_type, "f", "r x", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		assert_ptr_equal(graph->nodes[1].op, cases[i].op);
		assert_int_equal(graph->nodes[1].inputs[0], 1);
		assert_int_equal(graph->nodes[1].inputs[1], 0);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__pow_by_a_number(void **state)
{
	(void)state;
	for (int integer = 0; integer < 2; integer++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "i", 1, (int64_t[]){3});
		onnx_fixture_floats(&file, "f", 0, NULL, (float[]){3});
		onnx_fixture_node(&file, "Pow", "pow", integer ? "x i" : "x f", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		assert_true(((const struct pare_pow *)only_node(graph, &pare_op_pow)->attrs)->exponent == 3);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__softmax_along_a_dimension(void **state)
{
	(void)state;
	for (int old = 0; old < 2; old++) {
		struct onnx_fixture file;
		open_file(&file, old ? 11 : 13);
		onnx_fixture_node(&file, "Softmax", "softmax", "x", "s");
		onnx_fixture_attr_int(&file, "axis", old ? 3 : -3);
		onnx_fixture_node(&file, "Relu", "relu", "s", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		assert_int_equal(((const struct pare_softmax *)graph->nodes[0].attrs)->axis, old ? 2 : 0);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__reduce_mean(void **state)
{
	(void)state;
	static const struct {
		int64_t axes[3];
		int count, keep, bits;
		const char *shape;
	} cases[] = {{{1}, 1, 1, 1, "1x4x5"},
	             {{-1}, 1, 0, 4, "6x4"},
	             {{1, 2}, 2, 1, 3, "1x1x5"},
	             {{1, 2, 3}, 3, 1, 7, "1x1x1"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_node(&file, "ReduceMean", "mean", "x", "y");
		onnx_fixture_attr_ints(&file, "axes", cases[i].count, cases[i].axes);
		onnx_fixture_attr_int(&file, "keepdims", cases[i].keep);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_reduce_mean *attrs = only_node(graph, &pare_op_reduce_mean)->attrs;
		assert_int_equal(attrs->axes, cases[i].bits);
		assert_int_equal(attrs->keep_dims, cases[i].keep);
		expect_shape(graph, cases[i].shape);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__layer_normalization(void **state)
{
	(void)state;
	for (int bias = 0; bias < 2; bias++) {
		struct onnx_fixture file;
		open_file(&file, 17);
		onnx_fixture_floats(&file, "w", 1, (int64_t[]){5}, NULL);
		onnx_fixture_floats(&file, "b", 1, (int64_t[]){5}, NULL);
		onnx_fixture_node(&file, "LayerNormalization", "norm", bias ? "x w b" : "x w", "y");
		onnx_fixture_attr_float(&file, "epsilon", 0.125f);
		struct pare_graph *graph = onnx_fixture_read(&file);
		const struct pare_node *node = only_node(graph, &pare_op_layer_norm);
		const struct pare_layer_norm *attrs = node->attrs;
		assert_int_equal(attrs->axis, 2);
		assert_true(attrs->epsilon == 0.125f);
		assert_int_equal(node->n_params, 2);
		assert_true(graph->params[node->params[1]].data[1] == (bias ? 0.02f : 0));
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__transpose(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Transpose", "turn", "x", "t");
	onnx_fixture_attr_ints(&file, "perm", 4, (int64_t[]){0, 2, 3, 1});
	onnx_fixture_node(&file, "Transpose", "same", "t", "s");
	onnx_fixture_attr_ints(&file, "perm", 4, (int64_t[]){0, 1, 2, 3});
	onnx_fixture_node(&file, "Relu", "relu", "s", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	assert_int_equal(graph->n_nodes, 2);
	const struct pare_transpose *attrs = graph->nodes[0].attrs;
	assert_int_equal(attrs->order[0], 1);
	assert_int_equal(attrs->order[1], 2);
	assert_int_equal(attrs->order[2], 0);
	expect_shape(graph, "4x5x6");
	pare_graph_free(graph);
}

static void test_onnx_ops__reshape_of_images(void **state)
{
	(void)state;
	static const struct {
		int64_t to[6];
		int count;
		const char *shape;
	} cases[] = {{{-1, 2, 3, 4, 5}, 5, "2x3x4x5"},
	             {{0, 2, -1, 4, 5}, 5, "2x3x4x5"},
	             {{0, 0, -1}, 3, "6x20"},
	             {{-1, 0, 0, 5, 1}, 5, "6x4x5x1"},
	             {{0, 1, 2, 3, 4, 5}, 6, "1x2x3x4x5"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "to", cases[i].count, cases[i].to);
		onnx_fixture_node(&file, "Reshape", "reshape", "x to", "y");
		struct pare_graph *graph = onnx_fixture_read(&file);
		only_node(graph, &pare_op_reshape);
		expect_shape(graph, cases[i].shape);
		pare_graph_free(graph);
	}
}

static void test_onnx_ops__squeeze_and_unsqueeze(void **state)
{
	(void)state;
	for (int64_t opset = 11; opset <= 13; opset += 2) {
		static const int64_t added[2] = {1, -1}, dropped[1] = {1};
		struct onnx_fixture file;
		bool input = opset >= 13;
		open_file(&file, opset);
		onnx_fixture_ints(&file, "added", 2, added);
		onnx_fixture_ints(&file, "dropped", 1, dropped);
		onnx_fixture_node(&file, "Unsqueeze", "more", input ? "x added" : "x", "u");
		if (!input)
			onnx_fixture_attr_ints(&file, "axes", 2, added);
		onnx_fixture_node(&file, "Squeeze", "less", input ? "u dropped" : "u", "y");
		if (!input)
			onnx_fixture_attr_ints(&file, "axes", 1, dropped);
		struct pare_graph *graph = onnx_fixture_read(&file);
		char text[96];
		assert_string_equal(pare_shape_text(&graph->values[1].shape, text, sizeof(text)), "1x6x4x5x1");
		expect_shape(graph, "6x4x5x1");
		pare_graph_free(graph);
	}
}

/* Parts become slices; the second has its output's name. */
static void test_onnx_ops__split(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct onnx_fixture file;
		open_file(&file, how == 1 ? 11 : 13);
		onnx_fixture_ints(&file, "parts", 2, (int64_t[]){4, 2});
		onnx_fixture_node(&file, "Split", "split", how == 2 ? "x parts" : "x", "a b");
		onnx_fixture_attr_int(&file, "axis", 1);
		if (how == 1)
			onnx_fixture_attr_ints(&file, "split", 2, (int64_t[]){4, 2});
		onnx_fixture_node(&file, "Concat", "join", "b a", "y");
		onnx_fixture_attr_int(&file, "axis", 1);
		struct pare_graph *graph = onnx_fixture_read(&file);
		assert_int_equal(graph->n_nodes, 3);
		assert_string_equal(graph->nodes[0].name, "split");
		assert_string_equal(graph->nodes[1].name, "b");
		const struct pare_slice *first = graph->nodes[0].attrs, *second = graph->nodes[1].attrs;
		int middle = how == 0 ? 3 : 4;
		assert_int_equal(first->start[0], 0);
		assert_int_equal(first->stop[0], middle);
		assert_int_equal(second->start[0], middle);
		assert_int_equal(second->stop[0], 6);
		assert_int_equal(second->stop[2], 5);
		pare_graph_free(graph);
	}
}

/* 5 into 3 is 2, 2 and 1; 5 into 4 is 2, 2, 1 and nothing. */
static void test_onnx_ops__split_without_sizes(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 18);
	onnx_fixture_node(&file, "Split", "split", "x", "a b y");
	onnx_fixture_attr_int(&file, "axis", 3);
	struct pare_graph *graph = onnx_fixture_read(&file);
	expect_shape(graph, "6x4x1");
	pare_graph_free(graph);

	open_file(&file, 18);
	onnx_fixture_node(&file, "Split", "split", "x", "a b c y");
	onnx_fixture_attr_int(&file, "axis", 3);
	onnx_fixture_refuse(&file, PARE_E_FORMAT, "part 3 of a dimension of 5 would have 0");
}

static void test_onnx_ops__unread_parts_of_a_split_are_left_out(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Split", "split", "x", "a y c");
	onnx_fixture_attr_int(&file, "axis", -3);
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_slice *slice = only_node(graph, &pare_op_slice)->attrs;
	assert_int_equal(slice->start[0], 2);
	assert_int_equal(slice->stop[0], 4);
	pare_graph_free(graph);
}

static void test_onnx_ops__concat_and_pad_along_any_dimension(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "to", 3, (int64_t[]){0, 6, 20});
	onnx_fixture_ints(&file, "pads", 6, (int64_t[]){0, 1, 2, 0, 3, 4});
	onnx_fixture_node(&file, "Reshape", "rows", "x to", "r");
	onnx_fixture_node(&file, "Concat", "join", "r r", "c");
	onnx_fixture_attr_int(&file, "axis", 2);
	onnx_fixture_node(&file, "Pad", "pad", "c pads", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	expect_shape(graph, "10x46");
	pare_graph_free(graph);
}

/* Along the last dimension, with its bias behind it. */
static void test_onnx_ops__mat_mul_of_rows(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "w", 2, (int64_t[]){5, 4}, NULL);
	onnx_fixture_floats(&file, "b", 1, (int64_t[]){4}, NULL);
	onnx_fixture_node(&file, "MatMul", "fc", "x w", "m");
	onnx_fixture_node(&file, "Add", "add", "b m", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_node *node = only_node(graph, &pare_op_linear);
	assert_int_equal(node->n_params, 2);
	assert_true(graph->params[node->params[0]].data[1] == 0.01f * 5);
	assert_true(graph->params[node->params[0]].data[5] == 0.01f * 2);
	assert_int_equal(graph->params[node->params[1]].role, PARE_PARAM_BIAS);
	expect_shape(graph, "6x4x4");
	pare_graph_free(graph);
}

/* The last nodes may do nothing, and the output still has its name. */
static void test_onnx_ops__output_keeps_its_name(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Relu", "relu", "x", "r");
	onnx_fixture_node(&file, "Identity", "same", "r", "i");
	onnx_fixture_node(&file, "Dropout", "drop", "i", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	only_node(graph, &pare_op_relu);
	assert_string_equal(graph->values[graph->output].name, "y");
	pare_graph_free(graph);
}

static void test_onnx_ops__bad_attributes(void **state)
{
	(void)state;
	static const struct {
		const char *op_type, *inputs, *attribute;
		int count; /* 0: an integer, -1: text */
		int64_t numbers[5];
		int status;
		const char *part;
	} cases[] = {
	        {"HardSigmoid", "x", "alpha", 0, {1}, PARE_E_FORMAT, "'alpha' is not a number"},
	        {"LeakyRelu", "x", "alpha", 0, {1}, PARE_E_FORMAT, "'alpha' is not a number"},
	        {"Elu", "x", "alpha", 0, {1}, PARE_E_FORMAT, "'alpha' is not a number"},
	        {"Gelu", "x", "approximate", -1, {0}, PARE_E_UNSUPPORTED, "approximate is 'tanh'"},
	        {"Softmax", "x", "axis", 0, {0}, PARE_E_UNSUPPORTED, "axis 0 of 4"},
	        {"Softmax", "x", "axis", 0, {4}, PARE_E_FORMAT, "axis 4"},
	        {"LogSoftmax", "x", "axis", 0, {1}, PARE_E_UNSUPPORTED, "LogSoftmax inside"},
	        {"Transpose", "x", "perm", 4, {1, 0, 2, 3}, PARE_E_UNSUPPORTED, "perm is [1, 0, 2, 3]"},
	        {"Transpose", "x", "perm", 4, {0, 1, 1, 3}, PARE_E_UNSUPPORTED, "perm is [0, 1, 1, 3]"},
	        {"Transpose", "x", "perm", 4, {0, 1, 2, 4}, PARE_E_UNSUPPORTED, "perm is [0, 1, 2, 4]"},
	        {"Transpose", "x", "perm", 3, {0, 1, 2}, PARE_E_UNSUPPORTED, "perm is [0, 1, 2]"},
	        {"Transpose", "x", "none", 0, {0}, PARE_E_UNSUPPORTED, "perm is left out"},
	        {"ReduceMean", "x", "axes", 2, {1, 3}, PARE_E_INVALID, "neighbouring"},
	        {"ReduceMean", "x", "axes", 2, {0, 1}, PARE_E_UNSUPPORTED, "batch (axis 0)"},
	        {"ReduceMean", "x", "none", 0, {0}, PARE_E_UNSUPPORTED, "mean over everything"},
	        {"ReduceMean", "x", "axes", 1, {4}, PARE_E_FORMAT, "axis 4"},
	        {"Split", "x", "axis", 0, {0}, PARE_E_UNSUPPORTED, "batch (axis 0) cannot be split"},
	        {"Split", "x parts", "axis", 0, {1}, PARE_E_FORMAT, "2 sizes for 1 outputs"},
	        {"Split", "x one", "axis", 0, {1}, PARE_E_FORMAT, "the parts have 3 together, the dimension 6"},
	        {"Split", "x minus", "axis", 0, {1}, PARE_E_FORMAT, "would have -1"},
	        {"Split", "x large", "axis", 0, {1}, PARE_E_FORMAT, "would have 9223372036854775807"},
	        {"Squeeze", "x one", "none", 0, {0}, PARE_E_FORMAT, "axis 3 has 5 entries"},
	        {"Squeeze", "x zero", "none", 0, {0}, PARE_E_UNSUPPORTED, "axis 0 is the batch"},
	        {"Unsqueeze", "x zero", "none", 0, {0}, PARE_E_UNSUPPORTED, "axis 0 is the batch"},
	        {"Unsqueeze", "x parts", "none", 0, {0}, PARE_E_FORMAT, "axis 4 is named twice"},
	        {"Unsqueeze", "x four", "none", 0, {0}, PARE_E_UNSUPPORTED, "adds 4 dimensions"},
	        {"LayerNormalization", "x w", "axis", 0, {2}, PARE_E_UNSUPPORTED, "from axis 2 of 4"},
	        {"LayerNormalization", "x three", "axis", 0, {-1}, PARE_E_FORMAT, "5 is needed"},
	        {"Pow", "x w", "none", 0, {0}, PARE_E_UNSUPPORTED, "5 exponents"},
	        {"Pow", "x x", "none", 0, {0}, PARE_E_UNSUPPORTED, "must be a constant"},
	        {"Div", "w x", "none", 0, {0}, PARE_E_UNSUPPORTED, "divides the constant"},
	        {"Div", "x nought", "none", 0, {0}, PARE_E_UNSUPPORTED, "computes inf * x"},
	        {"Mul", "x three", "none", 0, {0}, PARE_E_UNSUPPORTED, "constant 'three' of shape [3]"},
	        {"Mul", "x plane", "none", 0, {0}, PARE_E_UNSUPPORTED, "constant 'plane' of shape [4, 5]"},
	        {"Sub", "w x", "none", 0, {0}, PARE_E_UNSUPPORTED, "constant 'w' of shape [5]"},
	        {"Add", "x parts", "none", 0, {0}, PARE_E_FORMAT, "holds integers"},
	        {"Concat", "x x", "axis", 0, {0}, PARE_E_UNSUPPORTED, "along the batch"},
	        {"MatMul", "x plane", "none", 0, {0}, PARE_E_INVALID, "linear"},
	        {"Gemm", "x turned", "none", 0, {0}, PARE_E_UNSUPPORTED, "vectors [N, features]"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, strcmp(cases[i].op_type, "LayerNormalization") == 0 ? 17 : 13);
		onnx_fixture_floats(&file, "w", 1, (int64_t[]){5}, NULL);
		onnx_fixture_floats(&file, "three", 1, (int64_t[]){3}, NULL);
		onnx_fixture_floats(&file, "plane", 2, (int64_t[]){4, 5}, NULL);
		onnx_fixture_floats(&file, "turned", 2, (int64_t[]){5, 4}, NULL);
		onnx_fixture_floats(&file, "nought", 0, NULL, (float[]){0});
		onnx_fixture_ints(&file, "parts", 2, (int64_t[]){4, 4});
		onnx_fixture_ints(&file, "one", 1, (int64_t[]){3});
		onnx_fixture_ints(&file, "minus", 1, (int64_t[]){-1});
		onnx_fixture_ints(&file, "large", 1, (int64_t[]){INT64_MAX});
		onnx_fixture_ints(&file, "zero", 1, (int64_t[]){0});
		onnx_fixture_ints(&file, "four", 4, (int64_t[]){1, 2, 3, 4});
		onnx_fixture_node(&file, cases[i].op_type, "node", cases[i].inputs, "m");
		if (cases[i].count > 0)
			onnx_fixture_attr_ints(&file, cases[i].attribute, cases[i].count, cases[i].numbers);
		else if (cases[i].count == 0)
			onnx_fixture_attr_int(&file, cases[i].attribute, cases[i].numbers[0]);
		else
			onnx_fixture_attr_text(&file, cases[i].attribute, "tanh");
		onnx_fixture_node(&file, "Relu", "relu", "m", "y");
		onnx_fixture_refuse(&file, cases[i].status, cases[i].part);
	}
}

static void test_onnx_ops__reshapes_that_move_the_batch(void **state)
{
	(void)state;
	static const struct {
		int64_t to[8];
		int count;
	} cases[] = {{{1, -1}, 2},
	             {{-1, -1, 5}, 3},
	             {{-1, 0, -1}, 3},
	             {{60, 2, 1}, 3},
	             {{0, 7, -1}, 3},
	             {{0, 121}, 2},
	             {{0, -2, 60}, 3},
	             {{120, -1}, 2},
	             {{0, INT64_MAX, 2}, 3},
	             {{0}, 1},
	             {{0, 1, 1, 1, 1, 1, 120}, 7},
	             {{0, 6, 4, 5, 0}, 5}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "to", cases[i].count, cases[i].to);
		onnx_fixture_node(&file, "Reshape", "reshape", "x to", "y");
		onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "reshapes images of 6x4x5 to [");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_ops__functions_without_attributes),
	        cmocka_unit_test(test_onnx_ops__functions_with_attributes),
	        cmocka_unit_test(test_onnx_ops__clip_to_any_bounds),
	        cmocka_unit_test(test_onnx_ops__arithmetic_with_a_number),
	        cmocka_unit_test(test_onnx_ops__arithmetic_with_a_vector),
	        cmocka_unit_test(test_onnx_ops__product_and_sum_are_one),
	        cmocka_unit_test(test_onnx_ops__arithmetic_of_activations),
	        cmocka_unit_test(test_onnx_ops__pow_by_a_number),
	        cmocka_unit_test(test_onnx_ops__softmax_along_a_dimension),
	        cmocka_unit_test(test_onnx_ops__reduce_mean),
	        cmocka_unit_test(test_onnx_ops__layer_normalization),
	        cmocka_unit_test(test_onnx_ops__transpose),
	        cmocka_unit_test(test_onnx_ops__reshape_of_images),
	        cmocka_unit_test(test_onnx_ops__squeeze_and_unsqueeze),
	        cmocka_unit_test(test_onnx_ops__split),
	        cmocka_unit_test(test_onnx_ops__split_without_sizes),
	        cmocka_unit_test(test_onnx_ops__unread_parts_of_a_split_are_left_out),
	        cmocka_unit_test(test_onnx_ops__concat_and_pad_along_any_dimension),
	        cmocka_unit_test(test_onnx_ops__mat_mul_of_rows),
	        cmocka_unit_test(test_onnx_ops__output_keeps_its_name),
	        cmocka_unit_test(test_onnx_ops__bad_attributes),
	        cmocka_unit_test(test_onnx_ops__reshapes_that_move_the_batch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
