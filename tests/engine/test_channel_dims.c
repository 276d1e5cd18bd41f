/* The channel map where channels lie along other dimensions than the first, or must not be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/map_rig.h"

static void test_channel_dims__transpose_moves_atoms_with_their_dimension(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1);
	int last = map_rig_unary(graph, &pare_op_transpose, &(struct pare_transpose){{1, 2, 0}}, a);
	int up = map_rig_linear(graph, "up", last, 7);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_linear(graph, "out", up, 2));

	for (int c = 0; c < 5; c++) {
		assert_int_equal(map_rig_atom(map, last, 2, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_along(map, "up.weight", 1, c), map_rig_channel(map, a, c));
		assert_null(map_rig_frozen(map, a, c));
	}
	for (int c = 0; c < 7; c++)
		assert_int_equal(map_rig_atom(map, up, 2, c), map_rig_along(map, "up.weight", 0, c));
	assert_int_equal(map_rig_atom(map, up, 0, 0), -1);
	assert_int_equal(map_rig_atom(map, last, 1, 0), -1);
	assert_int_equal(map_rig_count_sets(map), 2 + 5 + 7 + 2);
	map_rig_release(map, graph);
}

/* {6, 4, 4} -> {2, 3, 4, 4}: channel c goes with channel c + 3. */
static void test_channel_dims__splitting_channels_unites_across_groups(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 6, 1);
	int split = map_rig_reshape(graph, a, (struct pare_shape){.rank = 4, .dim = {2, 3, 4, 4}});
	int swap = map_rig_unary(graph, &pare_op_transpose, &(struct pare_transpose){{1, 0, 2, 3}}, split);
	int whole = map_rig_reshape(graph, swap, pare_shape_chw(6, 4, 4));
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", whole, 2, 1));

	for (int c = 0; c < 6; c++) {
		for (int other = 0; other < 6; other++)
			assert_int_equal(map_rig_channel(map, a, c) == map_rig_channel(map, a, other),
			                 c % 3 == other % 3);
		assert_int_equal(map_rig_atom(map, split, 1, c % 3), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_channel(map, whole, c), map_rig_channel(map, a, c / 2));
		assert_null(map_rig_frozen(map, a, c));
	}
	assert_int_equal(map_rig_atom(map, split, 0, 0), -1);
	assert_int_equal(map_rig_count_sets(map), 2 + 3 + 2);
	map_rig_release(map, graph);
}

static void test_channel_dims__reshape_carries_channels_through(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1);
	int pixels = map_rig_reshape(graph, a, (struct pare_shape){.rank = 2, .dim = {5, 16}});
	int flat = map_rig_reshape(graph, pixels, pare_shape_vector(80));
	int back = map_rig_reshape(graph, flat, pare_shape_chw(5, 4, 4));
	int thin = map_rig_reshape(graph, back, (struct pare_shape){.rank = 5, .dim = {1, 5, 1, 16, 1}});
	int plain = map_rig_reshape(graph, thin, (struct pare_shape){.rank = 2, .dim = {5, 16}});
	struct pare_channel_map *map = map_rig_map(graph, map_rig_linear(graph, "out", plain, 2));

	for (int c = 0; c < 5; c++) {
		assert_int_equal(map_rig_atom(map, pixels, 0, c), map_rig_channel(map, a, c));
		for (int i = 0; i < 16; i++)
			assert_int_equal(map_rig_atom(map, flat, 0, 16 * c + i), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_atom(map, back, 0, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_atom(map, thin, 1, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_atom(map, plain, 0, c), map_rig_channel(map, a, c));
	}
	assert_int_equal(map_rig_atom(map, back, 1, 0), -1);
	assert_int_equal(map_rig_atom(map, thin, 0, 0), -1);
	map_rig_release(map, graph);
}

/* {C, pixels} whose pixels are new channels too: flattened, an index stands for two atoms. */
static void test_channel_dims__two_dimensions_of_channels_are_not_flattened_into_one(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1);
	int mixed = map_rig_linear(graph, "mixed",
	                           map_rig_reshape(graph, a, (struct pare_shape){.rank = 2, .dim = {5, 16}}), 7);
	int flat = map_rig_unary(graph, &pare_op_flatten, NULL, mixed);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_linear(graph, "out", flat, 2));

	map_rig_expect_reason(map, mixed, 0, "two dimensions");
	map_rig_expect_reason(map, mixed, 1, "two dimensions");
	assert_int_equal(map_rig_atom(map, flat, 0, 0), -1);
	map_rig_release(map, graph);
}

/* {2, 3, H} -> {6, H} cut to {2, 1, H} -> {2, H}: by the sizes the ones could belong to H. */
static void test_channel_dims__reshape_remembers_its_runs_after_a_cut(void **state)
{
	(void)state;
	const unsigned char one[] = {0, 1, 0}, two[] = {0, 1, 0, 0, 1, 0};
	const struct pare_channel_keep in = {.rank = 3, .dim = {{NULL, 2, 2}, {one, 3, 1}, {NULL, 8, 8}}};
	const struct pare_channel_keep out = {.rank = 2, .dim = {{two, 6, 2}, {NULL, 8, 8}}};
	struct pare_reshape attrs = {.rank = 2, .dim = {6, 8}};

	pare_op_reshape.slim(&attrs, &in, 1, &out);
	assert_int_equal(attrs.dim[0], 2);
	assert_int_equal(attrs.dim[1], 8);
	assert_int_equal(attrs.decided, 1);
	assert_int_equal(attrs.in_starts, 5); /* dimensions 0, 1 | 2 */
	assert_int_equal(attrs.out_starts, 3);
	assert_int_equal(attrs.carriers, 1);
	const struct pare_reshape once = attrs;
	const unsigned char all[] = {1, 1};
	const struct pare_channel_keep in_again = {.rank = 3, .dim = {{NULL, 2, 2}, {all, 1, 1}, {NULL, 8, 8}}};
	const struct pare_channel_keep out_again = {.rank = 2, .dim = {{all, 2, 2}, {NULL, 8, 8}}};
	pare_op_reshape.slim(&attrs, &in_again, 1, &out_again);
	assert_memory_equal(&attrs, &once, sizeof(once));
}

static void test_channel_dims__gate_is_united_with_what_it_gates(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1), pooled = a, product = a;
	assert_int_equal(pare_build_global_average_pool(graph, "pool", &pooled, NULL), PARE_OK);
	int gate = map_rig_unary(graph, &pare_op_sigmoid, NULL, map_rig_conv(graph, "gate", pooled, 5, 1));
	assert_int_equal(pare_build_binary(graph, "mul", &pare_op_mul, gate, &product, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", product, 2, 1));

	for (int c = 0; c < 5; c++) {
		assert_int_equal(map_rig_along(map, "gate.weight", 0, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_along(map, "gate.weight", 1, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_channel(map, product, c), map_rig_channel(map, a, c));
		assert_null(map_rig_frozen(map, a, c));
	}
	assert_int_equal(map_rig_count_sets(map), 2 + 5 + 2);
	map_rig_release(map, graph);
}

static void test_channel_dims__what_cannot_be_cut_says_why(void **state)
{
	(void)state;
	const struct {
		const struct pare_op *op;
		const void *attrs;
		const char *reason; /* NULL: can be cut */
	} cases[] = {
	        {&pare_op_softmax, &(struct pare_softmax){0}, "softmax"},
	        {&pare_op_softmax, &(struct pare_softmax){2}, NULL},
	        {&pare_op_reduce_mean, &(struct pare_reduce_mean){1, 1}, "mean"},
	        {&pare_op_reduce_mean, &(struct pare_reduce_mean){3, 1}, "mean"},
	        {&pare_op_reduce_mean, &(struct pare_reduce_mean){6, 1}, NULL},
	        {&pare_op_sqrt, NULL, "root"},
	        {&pare_op_pow, &(struct pare_pow){-1.0f}, "root or power"},
	        {&pare_op_pow, &(struct pare_pow){0.5f}, "root or power"},
	        {&pare_op_pow, &(struct pare_pow){3.0f}, NULL},
	        {&pare_op_sigmoid, NULL, NULL},
	        {&pare_op_affine_scalar, &(struct pare_affine_scalar){2.0f, 1.0f}, NULL},
	        {&pare_op_slice, &(struct pare_slice){{0}, {5, 4, 4}, {2, 1, 1}}, "step"},
	        {&pare_op_transpose, &(struct pare_transpose){{2, 1, 0}}, "pixels"}, /* and then a convolution */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pare_graph *graph = map_rig_graph(2, 4);
		int a = map_rig_conv(graph, "a", 0, 5, 1);
		int value = map_rig_unary(graph, cases[i].op, cases[i].attrs, a);
		struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", value, 2, 1));
		map_rig_expect_reason(map, a, 0, cases[i].reason);
		map_rig_release(map, graph);
	}
}

static void test_channel_dims__layer_norm_freezes_only_what_it_averages(void **state)
{
	(void)state;
	for (int axis = 0; axis < 2; axis++) {
		struct pare_graph *graph = map_rig_graph(2, 4);
		int a = map_rig_conv(graph, "a", 0, 5, 1), value = a;
		const struct pare_layer_norm attrs = {.axis = axis, .epsilon = 1e-5f};
		assert_int_equal(pare_build_layer_norm(graph, "norm", &attrs, &value, NULL), PARE_OK);
		struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", value, 2, 1));
		map_rig_expect_reason(map, a, 0, axis == 0 ? "layer norm" : NULL);
		assert_int_equal(map->axis_atoms[0][pare_graph_find_param(graph, "norm.weight")] != NULL, axis == 0);
		map_rig_release(map, graph);
	}
}

static void test_channel_dims__divisor_is_frozen_and_dividend_with_it(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1), b = map_rig_conv(graph, "b", 0, 5, 1), ratio = a;
	assert_int_equal(pare_build_binary(graph, "div", &pare_op_div, b, &ratio, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", ratio, 2, 1));

	for (int c = 0; c < 5; c++) {
		assert_int_equal(map_rig_channel(map, a, c), map_rig_channel(map, b, c));
		assert_non_null(strstr(map_rig_frozen(map, b, c), "divided"));
	}
	map_rig_release(map, graph);
}

/* One number a pixel: the layer that makes it cannot lose its one channel, the gated ones can. */
static void test_channel_dims__channel_spread_over_many_is_frozen(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1), gate = map_rig_conv(graph, "gate", 0, 1, 1), product = gate;
	assert_int_equal(pare_build_binary(graph, "mul", &pare_op_mul, a, &product, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", product, 2, 1));

	assert_non_null(strstr(map_rig_frozen(map, gate, 0), "spread"));
	for (int c = 0; c < 5; c++) {
		assert_null(map_rig_frozen(map, a, c));
		assert_int_equal(map_rig_channel(map, product, c), map_rig_channel(map, a, c));
	}
	map_rig_release(map, graph);
}

/* A linear layer that is used along pixels, which are never cut, and along features that a layer made. */
static void test_channel_dims__weights_shared_with_what_is_never_cut_are_frozen(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		struct pare_graph *graph = map_rig_graph(2, 4);
		int a = map_rig_conv(graph, "a", 0, 5, 1),
		    last = map_rig_unary(graph, &pare_op_transpose, &(struct pare_transpose){{1, 2, 0}}, a);
		int wide = map_rig_linear(graph, "wide", last, 4); /* {4, 4, 4}, 4 features */
		int first = map_rig_linear(graph, "both", order ? a : wide, 6), second;
		const struct pare_node both = graph->nodes[graph->values[first].producer];
		const struct pare_node_spec spec = {.op = both.op,
		                                    .inputs = order ? &wide : &a,
		                                    .n_inputs = 1,
		                                    .params = both.params,
		                                    .n_params = 2};
		assert_int_equal(pare_graph_add_node(graph, &spec, &second, NULL), PARE_OK);
		graph->output = first;
		struct pare_channel_map *map = map_rig_map(graph, second);
		map_rig_expect_reason(map, wide, 2, "shared");
		map_rig_release(map, graph);
	}
}

static void test_channel_dims__joined_with_what_is_no_channel(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1), mean = a, joined;
	assert_int_equal(
	        pare_build_unary(graph, "mean", &pare_op_reduce_mean, &(struct pare_reduce_mean){1, 1}, &mean, NULL),
	        PARE_OK);
	int b = map_rig_conv(graph, "b", 0, 3, 1);
	const int inputs[] = {b, mean};
	assert_int_equal(pare_build_concat(graph, "cat", inputs, 2, &joined, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", joined, 2, 1));

	for (int c = 0; c < 3; c++) {
		assert_int_equal(map_rig_channel(map, joined, c), map_rig_channel(map, b, c));
		assert_null(map_rig_frozen(map, b, c));
	}
	assert_non_null(map_rig_frozen(map, joined, 3));
	assert_int_equal(map_rig_along(map, "last.weight", 1, 3), map_rig_channel(map, joined, 3));
	map_rig_release(map, graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_channel_dims__transpose_moves_atoms_with_their_dimension),
	        cmocka_unit_test(test_channel_dims__splitting_channels_unites_across_groups),
	        cmocka_unit_test(test_channel_dims__reshape_carries_channels_through),
	        cmocka_unit_test(test_channel_dims__two_dimensions_of_channels_are_not_flattened_into_one),
	        cmocka_unit_test(test_channel_dims__reshape_remembers_its_runs_after_a_cut),
	        cmocka_unit_test(test_channel_dims__gate_is_united_with_what_it_gates),
	        cmocka_unit_test(test_channel_dims__what_cannot_be_cut_says_why),
	        cmocka_unit_test(test_channel_dims__layer_norm_freezes_only_what_it_averages),
	        cmocka_unit_test(test_channel_dims__divisor_is_frozen_and_dividend_with_it),
	        cmocka_unit_test(test_channel_dims__channel_spread_over_many_is_frozen),
	        cmocka_unit_test(test_channel_dims__weights_shared_with_what_is_never_cut_are_frozen),
	        cmocka_unit_test(test_channel_dims__joined_with_what_is_no_channel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
