/* Arithmetic on constants while a file is read. What it gives is looked at through the amounts of a Pad or a bias. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "tests/support/onnx_fixture.h"

static void open_file(struct onnx_fixture *file, int64_t opset)
{
	onnx_fixture_init(file, opset);
	onnx_fixture_input(file, "x", 4, (int64_t[]){-1, 3, 8, 8});
	onnx_fixture_output(file, "y");
}

static struct pare_pad pads_of(struct onnx_fixture *file)
{
	onnx_fixture_node(file, "Pad", "pad", "x pads", "y");
	struct pare_graph *graph = onnx_fixture_read(file);
	assert_int_equal(graph->n_nodes, 1);
	struct pare_pad pad = *(struct pare_pad *)graph->nodes[0].attrs;
	pare_graph_free(graph);
	return pad;
}

/* Expects that "pads" of the file is [0, 1, 2, 3, 0, 4, 5, 6]. */
static void expect_pads(struct onnx_fixture *file)
{
	const struct pare_pad wanted = {{1, 2, 3}, {4, 5, 6}};
	struct pare_pad pad = pads_of(file);
	assert_memory_equal(&pad, &wanted, sizeof(pad));
}

static const int64_t amounts[] = {0, 1, 2, 3, 0, 4, 5, 6};

static void test_onnx_fold__arithmetic(void **state)
{
	(void)state;
	static const struct {
		const char *op_type;
		int64_t a[8], b;
	} cases[] = {
	        {"Add", {-7, -6, -5, -4, -7, -3, -2, -1}, 7},
	        {"Sub", {3, 4, 5, 6, 3, 7, 8, 9}, 3},
	        {"Mul", {0, 1, 2, 3, 0, 4, 5, 6}, 1},
	        {"Div", {-1, 3, 5, 7, 1, 8, 11, 12}, 2},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "a", 8, cases[i].a);
		onnx_fixture_ints(&file, "b", 1, &cases[i].b);
		onnx_fixture_node(&file, cases[i].op_type, "math", "a b", "pads");
		expect_pads(&file);
	}
}

/* [2][1] + [4] is [2][4]: 0 and 3 added to 0 1 2 3, minus what makes both rows begin with 0. */
static void test_onnx_fold__broadcasting(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	struct pare_strbuf column = onnx_tensor("column", ONNX_INT64, 2, (int64_t[]){2, 1});
	message_bytes(&column, 9, (int64_t[]){0, 3}, 16);
	onnx_fixture_tensor(&file, &column);
	onnx_fixture_ints(&file, "row", 4, (int64_t[]){0, 1, 2, 3});
	onnx_fixture_ints(&file, "less", 8, (int64_t[]){0, 0, 0, 0, 3, 0, 0, 0});
	onnx_fixture_ints(&file, "flat", 1, (int64_t[]){-1});
	onnx_fixture_node(&file, "Add", NULL, "column row", "table");
	onnx_fixture_node(&file, "Reshape", NULL, "table flat", "list");
	onnx_fixture_node(&file, "Sub", NULL, "list less", "pads");
	expect_pads(&file);
}

static void test_onnx_fold__floats_and_casts(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_floats(&file, "a", 1, (int64_t[]){8}, (float[]){0, 1.5f, 2.5f, 3.5f, -0.5f, 4.25f, 5, 6.5f});
	onnx_fixture_floats(&file, "two", 0, NULL, (float[]){2});
	onnx_fixture_node(&file, "Mul", NULL, "a two", "twice");
	onnx_fixture_node(&file, "Div", NULL, "twice two", "once");
	onnx_fixture_node(&file, "Cast", NULL, "once", "pads");
	onnx_fixture_attr_int(&file, "to", ONNX_INT64);
	expect_pads(&file);
}

static void test_onnx_fold__casts_there_and_back(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "a", 8, amounts);
	onnx_fixture_ints(&file, "truth", 8, (int64_t[]){0, 9, -9, 1, 0, 1, 2, 3});
	onnx_fixture_node(&file, "Cast", NULL, "a", "real");
	onnx_fixture_attr_int(&file, "to", ONNX_FLOAT);
	onnx_fixture_node(&file, "Cast", NULL, "real", "whole");
	onnx_fixture_attr_int(&file, "to", ONNX_INT32);
	onnx_fixture_node(&file, "Cast", NULL, "truth", "bits");
	onnx_fixture_attr_int(&file, "to", ONNX_BOOL);
	onnx_fixture_node(&file, "Mul", NULL, "whole bits", "pads");
	expect_pads(&file);
}

static void test_onnx_fold__concat_gather_unsqueeze_squeeze(void **state)
{
	(void)state;
	for (int64_t opset = 11; opset <= 13; opset += 2) {
		struct onnx_fixture file;
		open_file(&file, opset);
		onnx_fixture_ints(&file, "a", 4, (int64_t[]){3, 0, 2, 1});
		onnx_fixture_ints(&file, "order", 4, (int64_t[]){1, -1, 2, 0});
		onnx_fixture_ints(&file, "b", 4, (int64_t[]){0, 4, 5, 6});
		onnx_fixture_ints(&file, "first", 1, (int64_t[]){0});
		onnx_fixture_ints(&file, "flat", 1, (int64_t[]){-1});
		onnx_fixture_node(&file, "Gather", NULL, "a order", "sorted");
		onnx_fixture_node(&file, "Unsqueeze", NULL, opset < 13 ? "sorted" : "sorted first", "row");
		if (opset < 13)
			onnx_fixture_attr_ints(&file, "axes", 1, (int64_t[]){0});
		onnx_fixture_node(&file, "Unsqueeze", NULL, opset < 13 ? "b" : "b first", "row2");
		if (opset < 13)
			onnx_fixture_attr_ints(&file, "axes", 1, (int64_t[]){0});
		onnx_fixture_node(&file, "Concat", NULL, "row row2", "joined");
		onnx_fixture_attr_int(&file, "axis", -1);
		onnx_fixture_node(&file, "Squeeze", NULL, opset < 13 ? "joined" : "joined first", "pads");
		if (opset < 13)
			onnx_fixture_attr_ints(&file, "axes", 1, (int64_t[]){0});
		expect_pads(&file);
	}
}

/* Joining along an inner axis interleaves; gathering along it picks columns. */
static void test_onnx_fold__inner_axes(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	struct pare_strbuf left = onnx_tensor("left", ONNX_INT64, 2, (int64_t[]){2, 3});
	message_bytes(&left, 9, (int64_t[]){1, 9, 0, 4, 9, 0}, 48);
	onnx_fixture_tensor(&file, &left);
	struct pare_strbuf right = onnx_tensor("right", ONNX_INT64, 2, (int64_t[]){2, 2});
	message_bytes(&right, 9, (int64_t[]){2, 3, 5, 6}, 32);
	onnx_fixture_tensor(&file, &right);
	onnx_fixture_ints(&file, "columns", 2, (int64_t[]){2, 0});
	onnx_fixture_ints(&file, "flat", 1, (int64_t[]){8});
	onnx_fixture_node(&file, "Gather", NULL, "left columns", "picked");
	onnx_fixture_attr_int(&file, "axis", 1);
	onnx_fixture_node(&file, "Concat", NULL, "picked right", "table");
	onnx_fixture_attr_int(&file, "axis", 1);
	onnx_fixture_node(&file, "Reshape", NULL, "table flat", "pads");
	expect_pads(&file);
}

/* Named axes alone are dropped, without names all that are 1. */
static void test_onnx_fold__squeeze_with_and_without_axes(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	struct pare_strbuf begin = onnx_tensor("begin", ONNX_INT64, 3, (int64_t[]){1, 4, 1});
	message_bytes(&begin, 9, (int64_t[]){0, 1, 2, 3}, 32);
	onnx_fixture_tensor(&file, &begin);
	struct pare_strbuf end = onnx_tensor("end", ONNX_INT64, 2, (int64_t[]){4, 1});
	message_bytes(&end, 9, (int64_t[]){0, 4, 5, 6}, 32);
	onnx_fixture_tensor(&file, &end);
	onnx_fixture_ints(&file, "first", 1, (int64_t[]){0});
	onnx_fixture_node(&file, "Squeeze", NULL, "begin first", "column");
	onnx_fixture_node(&file, "Concat", NULL, "column end", "both");
	onnx_fixture_attr_int(&file, "axis", 0);
	onnx_fixture_node(&file, "Squeeze", NULL, "both", "pads");
	expect_pads(&file);
}

static void test_onnx_fold__refuses_what_is_no_permutation(void **state)
{
	(void)state;
	static const int64_t perms[][2] = {{0, 0}, {2, 0}, {-1, 0}};
	for (int i = 0; i < 4; i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "a", 2, (int64_t[]){2, 3}, NULL);
		onnx_fixture_node(&file, "Transpose", "turn", "a", "b");
		onnx_fixture_attr_ints(&file, "perm", i < 3 ? 2 : 1, perms[i % 3]);
		onnx_fixture_node(&file, "Add", "add", "x b", "y");
		onnx_fixture_refuse(&file, PARE_E_FORMAT, i < 3 ? "not a permutation" : "1 entries for rank 2");
	}
}

/* How torch turns its own padding order into ONNX's: pairs, reversed, transposed. */
static void test_onnx_fold__reversed_and_transposed_pairs(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "torch", 6, (int64_t[]){3, 6, 2, 5, 1, 4});
	onnx_fixture_ints(&file, "two", 1, (int64_t[]){2});
	onnx_fixture_ints(&file, "pairs", 2, (int64_t[]){-1, 2});
	onnx_fixture_ints(&file, "back", 1, (int64_t[]){-1});
	onnx_fixture_ints(&file, "front", 1, (int64_t[]){INT64_MIN + 1});
	onnx_fixture_ints(&file, "axis", 1, (int64_t[]){0});
	onnx_fixture_node(&file, "ConstantOfShape", NULL, "two", "zeros");
	struct pare_strbuf zero = onnx_tensor(NULL, ONNX_INT64, 1, (int64_t[]){1});
	message_bytes(&zero, 9, (int64_t[]){0}, 8);
	onnx_fixture_attr_tensor(&file, "value", &zero);
	onnx_fixture_node(&file, "Concat", NULL, "torch zeros", "all");
	onnx_fixture_attr_int(&file, "axis", 0);
	onnx_fixture_node(&file, "Reshape", NULL, "all pairs", "table");
	onnx_fixture_node(&file, "Slice", NULL, "table back front axis back", "reversed");
	onnx_fixture_node(&file, "Transpose", NULL, "reversed", "turned");
	onnx_fixture_attr_ints(&file, "perm", 2, (int64_t[]){1, 0});
	onnx_fixture_node(&file, "Reshape", NULL, "turned back", "pads");
	expect_pads(&file);
}

static void test_onnx_fold__constant_of_shape_is_float_zero_by_default(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_ints(&file, "shape", 4, (int64_t[]){1, 1, 3, 1});
	onnx_fixture_floats(&file, "w", 4, (int64_t[]){3, 3, 1, 1}, NULL);
	onnx_fixture_floats(&file, "half", 0, NULL, (float[]){0.5f});
	onnx_fixture_node(&file, "ConstantOfShape", NULL, "shape", "zeros");
	onnx_fixture_node(&file, "Sub", NULL, "zeros half", "halves");
	onnx_fixture_node(&file, "Transpose", NULL, "halves", "b");
	onnx_fixture_attr_ints(&file, "perm", 4, (int64_t[]){0, 2, 1, 3});
	onnx_fixture_node(&file, "Conv", NULL, "x w", "c");
	onnx_fixture_node(&file, "Add", NULL, "c b", "y");
	struct pare_graph *graph = onnx_fixture_read(&file);
	const struct pare_node *node = &graph->nodes[0];
	assert_int_equal(node->n_params, 2);
	assert_true(graph->params[node->params[1]].data[2] == -0.5f);
	pare_graph_free(graph);
}

/* Shape of an activation: pad the height by the channels, the width by a part of the shape. */
static void test_onnx_fold__shape_of_an_activation(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 15);
	onnx_fixture_ints(&file, "zeros", 6, (int64_t[]){0, 0, 0, 0, 0, 0});
	onnx_fixture_node(&file, "Shape", NULL, "x", "part");
	onnx_fixture_attr_int(&file, "start", 1);
	onnx_fixture_attr_int(&file, "end", -1);
	onnx_fixture_node(&file, "Concat", NULL, "zeros part", "pads");
	onnx_fixture_attr_int(&file, "axis", 0);
	struct pare_pad pad = pads_of(&file);
	assert_int_equal(pad.end[1], 3);
	assert_int_equal(pad.end[2], 8);
	assert_int_equal(pad.end[0], 0);
}

static void test_onnx_fold__constants_of_every_form(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 13);
	onnx_fixture_node(&file, "Constant", NULL, "", "list");
	onnx_fixture_attr_ints(&file, "value_ints", 8, amounts);
	onnx_fixture_node(&file, "Constant", NULL, "", "one");
	onnx_fixture_attr_int(&file, "value_int", 1);
	onnx_fixture_node(&file, "Constant", NULL, "", "two");
	onnx_fixture_attr_float(&file, "value_float", 2.5f);
	onnx_fixture_node(&file, "Cast", NULL, "two", "two_int");
	onnx_fixture_attr_int(&file, "to", ONNX_INT64);
	onnx_fixture_node(&file, "Mul", NULL, "list two_int", "twice");
	onnx_fixture_node(&file, "Div", NULL, "twice two_int", "same");
	onnx_fixture_node(&file, "Mul", NULL, "same one", "pads");
	expect_pads(&file);
}

static void test_onnx_fold__allowzero(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file, 14);
	onnx_fixture_ints(&file, "none", 0, NULL);
	onnx_fixture_ints(&file, "to", 3, (int64_t[]){7, 0, 9});
	onnx_fixture_ints(&file, "flat", 1, (int64_t[]){0});
	onnx_fixture_ints(&file, "a", 8, amounts);
	onnx_fixture_node(&file, "Reshape", NULL, "none to", "empty");
	onnx_fixture_attr_int(&file, "allowzero", 1);
	onnx_fixture_node(&file, "Reshape", NULL, "empty flat", "nothing");
	onnx_fixture_attr_int(&file, "allowzero", 1);
	onnx_fixture_node(&file, "Concat", NULL, "nothing a", "pads");
	onnx_fixture_attr_int(&file, "axis", 0);
	expect_pads(&file);
}

/* a op b where it makes no sense. */
static void test_onnx_fold__refuses_what_has_no_result(void **state)
{
	(void)state;
	static const struct {
		const char *op_type;
		int64_t a, b;
		const char *part;
	} cases[] = {
	        {"Div", 1, 0, "no 64-bit integer"},
	        {"Div", INT64_MIN, -1, "no 64-bit integer"},
	        {"Add", INT64_MAX, 1, "no 64-bit integer"},
	        {"Sub", INT64_MIN, 1, "no 64-bit integer"},
	        {"Mul", INT64_MAX, 2, "no 64-bit integer"},
	        {"Gather", 1, 1, "index 1 into 1"},
	        {"Gather", 1, -2, "index -2 into 1"},
	        {"Reshape", 1, 2, "1 elements cannot become 2"},
	        {"Reshape", 1, -2, "dimension 0 is -2"},
	        {"Reshape", 1, INT64_MAX, "at most"},
	        {"ConstantOfShape", INT64_MAX, 0, "at most"},
	        {"ConstantOfShape", -1, 0, "dimension 0 is -1"},
	        {"ConstantOfShape", (int64_t)1 << 30, 0, "take more than"},
	        {"Unsqueeze", 1, 5, "axis 5"},
	        {"Squeeze", 5, 3, "axis 3"},
	        {"Squeeze", INT64_MIN, INT64_MIN, "axis -9223372036854775808"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "a", 1, &cases[i].a);
		onnx_fixture_ints(&file, "b", 1, &cases[i].b);
		bool one = strcmp(cases[i].op_type, "ConstantOfShape") == 0;
		onnx_fixture_node(&file, cases[i].op_type, "math", one ? "a" : "a b", "pads");
		onnx_fixture_node(&file, "Pad", "pad", "x pads", "y");
		bool limit = strstr(cases[i].part, "at most") || strstr(cases[i].part, "dimension") ||
		             strstr(cases[i].part, "take");
		onnx_fixture_refuse(&file, limit ? PARE_E_LIMIT : PARE_E_FORMAT, cases[i].part);
	}
}

static void test_onnx_fold__refuses_to_compute_with_an_open_batch(void **state)
{
	(void)state;
	static const char *const ops[] = {"Add", "Mul", "Cast"};
	for (size_t i = 0; i < 3; i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_ints(&file, "one", 1, (int64_t[]){1});
		onnx_fixture_node(&file, "Shape", NULL, "x", "shape");
		onnx_fixture_node(&file, ops[i], "math", i < 2 ? "shape one" : "shape", "result");
		if (i == 2)
			onnx_fixture_attr_int(&file, "to", ONNX_FLOAT);
		onnx_fixture_node(&file, "Pad", "pad", "x result", "y");
		onnx_fixture_refuse(&file, PARE_E_UNSUPPORTED, "batch size");
	}
}

/* NaN and 2^63 have no integer. */
static void test_onnx_fold__refuses_casts_that_do_not_fit(void **state)
{
	(void)state;
	static const float numbers[] = {0x1p63f, -0x1.8p63f, __builtin_nanf(""), __builtin_inff()};
	for (size_t i = 0; i < 4; i++) {
		struct onnx_fixture file;
		open_file(&file, 13);
		onnx_fixture_floats(&file, "a", 1, (int64_t[]){1}, &numbers[i]);
		onnx_fixture_node(&file, "Cast", "cast", "a", "pads");
		onnx_fixture_attr_int(&file, "to", ONNX_INT64);
		onnx_fixture_node(&file, "Pad", "pad", "x pads", "y");
		onnx_fixture_refuse(&file, PARE_E_FORMAT, "does not fit an integer");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_fold__arithmetic),
	        cmocka_unit_test(test_onnx_fold__broadcasting),
	        cmocka_unit_test(test_onnx_fold__floats_and_casts),
	        cmocka_unit_test(test_onnx_fold__casts_there_and_back),
	        cmocka_unit_test(test_onnx_fold__concat_gather_unsqueeze_squeeze),
	        cmocka_unit_test(test_onnx_fold__inner_axes),
	        cmocka_unit_test(test_onnx_fold__squeeze_with_and_without_axes),
	        cmocka_unit_test(test_onnx_fold__refuses_what_is_no_permutation),
	        cmocka_unit_test(test_onnx_fold__reversed_and_transposed_pairs),
	        cmocka_unit_test(test_onnx_fold__constant_of_shape_is_float_zero_by_default),
	        cmocka_unit_test(test_onnx_fold__shape_of_an_activation),
	        cmocka_unit_test(test_onnx_fold__constants_of_every_form),
	        cmocka_unit_test(test_onnx_fold__allowzero),
	        cmocka_unit_test(test_onnx_fold__refuses_what_has_no_result),
	        cmocka_unit_test(test_onnx_fold__refuses_to_compute_with_an_open_batch),
	        cmocka_unit_test(test_onnx_fold__refuses_casts_that_do_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
