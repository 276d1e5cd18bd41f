#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/ops/builders.h"

static void test_op_table__every_operator_is_found_by_name(void **state)
{
	(void)state;
	int n = 0;

	for (const struct pare_op *const *op = pare_op_table; *op; op++, n++) {
		assert_ptr_equal(pare_op_find((*op)->name), *op);
		assert_non_null((*op)->infer_shape);
		assert_non_null((*op)->couple);
		assert_int_equal((*op)->forward == NULL, ((*op)->flags & PARE_OP_VIEW) != 0);
		assert_int_equal((*op)->backward == NULL, ((*op)->flags & PARE_OP_VIEW) != 0);
	}
	assert_int_equal(n, 37);
	assert_null(pare_op_find("conv"));
	assert_null(pare_op_find(""));
}

static void test_builders__parameters_are_named_shaped_and_filled(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum pare_param_role role;
		const char *shape;
		float number;
	} want[] = {
	        {"c.weight", PARE_PARAM_WEIGHT, "8x2x3x3", 0},  {"c.bias", PARE_PARAM_BIAS, "8", 0},
	        {"b.weight", PARE_PARAM_BN_SCALE, "8", 1},      {"b.bias", PARE_PARAM_BN_SHIFT, "8", 0},
	        {"b.running_mean", PARE_PARAM_BN_MEAN, "8", 0}, {"b.running_var", PARE_PARAM_BN_VAR, "8", 1},
	        {"f.weight", PARE_PARAM_WEIGHT, "5x128", 0},
	};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(4, 8, 8), "input");
	int value = graph->input;

	assert_int_equal(pare_build_conv(graph, "c", 8, 3, 2, 2, true, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "b", &value, NULL), PARE_OK);
	assert_int_equal(pare_build_flatten(graph, "flat", &value, NULL), PARE_OK);
	assert_int_equal(pare_build_linear(graph, "f", 5, false, &value, NULL), PARE_OK);
	graph->output = value;
	assert_int_equal(pare_graph_infer(graph, NULL), PARE_OK);
	assert_int_equal(graph->n_params, sizeof(want) / sizeof(want[0]));
	for (int i = 0; i < graph->n_params; i++) {
		char text[64];
		assert_string_equal(graph->params[i].name, want[i].name);
		assert_int_equal(graph->params[i].role, want[i].role);
		assert_string_equal(pare_shape_text(&graph->params[i].shape, text, sizeof(text)), want[i].shape);
		for (int64_t k = 0; k < pare_shape_elements(&graph->params[i].shape); k++)
			assert_true(graph->params[i].data[k] == want[i].number);
	}
	pare_graph_free(graph);
}

static void test_builders__conv_keeps_the_size_at_stride_one(void **state)
{
	(void)state;
	for (int kernel = 1; kernel <= 7; kernel += 2)
		for (int stride = 1; stride <= 2; stride++) {
			struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(2, 9, 12), "input");
			const struct pare_shape want = pare_shape_chw(3, stride == 1 ? 9 : 5, stride == 1 ? 12 : 6);
			int value = graph->input;
			assert_int_equal(pare_build_conv(graph, "c", 3, kernel, stride, 1, false, &value, NULL),
			                 PARE_OK);
			assert_true(pare_shape_equal(&graph->values[value].shape, &want));
			pare_graph_free(graph);
		}
}

/* The nodes that a graph of one 4x8x8 input refuses. */
static int conv_groups(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_conv(graph, "bad", 6, 3, 1, 3, true, value, error);
}
static int conv_no_groups(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_conv(graph, "bad", 6, 3, 1, 0, true, value, error);
}
static int conv_no_filters(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_conv(graph, "bad", 0, 3, 1, 1, true, value, error);
}
static int conv_no_stride(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_conv(graph, "bad", 6, 3, 0, 1, true, value, error);
}
static int conv_too_large(struct pare_graph *graph, int *value, struct pare_error *error)
{
	const struct pare_conv2d attrs = {9, 9, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0};
	return pare_build_conv2d(graph, "bad", 6, &attrs, true, value, error);
}
static int linear_of_nothing(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_linear(graph, "bad", 0, true, value, error);
}
static int layer_norm_past_the_rank(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_layer_norm(graph, "bad", &(struct pare_layer_norm){.axis = 3, .epsilon = 1e-5f}, value,
	                             error);
}
static int reshape_to_another_size(struct pare_graph *graph, int *value, struct pare_error *error)
{
	const struct pare_shape shape = pare_shape_chw(2, 8, 8);
	return pare_build_reshape(graph, "bad", &shape, value, error);
}
static int transpose_of_one_dimension_twice(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_transpose(graph, "bad", (int[]){0, 2, 2}, value, error);
}
static int power_of_nan(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_unary(graph, "bad", &pare_op_pow, &(struct pare_pow){NAN}, value, error);
}
static int norm_of_nothing(struct pare_graph *graph, int *value, struct pare_error *error)
{
	int missing = 12;
	(void)value;
	return pare_build_batch_norm(graph, "bad", &missing, error);
}
static int pool_too_large(struct pare_graph *graph, int *value, struct pare_error *error)
{
	const struct pare_pool2d attrs = {.kernel_h = 9, .kernel_w = 9, .stride_h = 1, .stride_w = 1};
	return pare_build_max_pool(graph, "bad", &attrs, value, error);
}
static int add_of_nothing(struct pare_graph *graph, int *value, struct pare_error *error)
{
	return pare_build_add(graph, "bad", -1, value, error);
}
static int pad_negative(struct pare_graph *graph, int *value, struct pare_error *error)
{
	const struct pare_pad attrs = {.begin = {-1}};
	return pare_build_pad(graph, "bad", &attrs, value, error);
}
static int slice_of_no_step(struct pare_graph *graph, int *value, struct pare_error *error)
{
	const struct pare_slice attrs = {.stop = {4, 8, 8}};
	return pare_build_slice(graph, "bad", &attrs, value, error);
}

static void test_builders__refused_node_is_named_and_graph_unchanged(void **state)
{
	(void)state;
	static int (*const refused[])(struct pare_graph *, int *, struct pare_error *) = {
	        conv_groups,
	        conv_no_groups,
	        conv_no_filters,
	        conv_no_stride,
	        conv_too_large,
	        linear_of_nothing,
	        layer_norm_past_the_rank,
	        reshape_to_another_size,
	        transpose_of_one_dimension_twice,
	        power_of_nan,
	        norm_of_nothing,
	        pool_too_large,
	        add_of_nothing,
	        pad_negative,
	        slice_of_no_step,
	};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(4, 8, 8), "input");
	char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE];

	graph->output = graph->input;
	assert_int_equal(pare_graph_hash(graph, before), PARE_OK);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct pare_error error = {0};
		int value = graph->input;
		assert_true(refused[i](graph, &value, &error) < 0);
		assert_true(refused[i](graph, &value, NULL) < 0);
		assert_int_equal(value, graph->input);
		if (!strstr(error.text, "'bad"))
			fail_msg("case %zu does not name the node: '%s'", i, error.text);
		assert_int_equal(pare_graph_hash(graph, after), PARE_OK);
		assert_string_equal(before, after);
	}
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_op_table__every_operator_is_found_by_name),
	        cmocka_unit_test(test_builders__parameters_are_named_shaped_and_filled),
	        cmocka_unit_test(test_builders__conv_keeps_the_size_at_stride_one),
	        cmocka_unit_test(test_builders__refused_node_is_named_and_graph_unchanged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
