#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/zoo/zoo.h"
#include "tests/support/fake_op.h"
#include "tests/support/map_rig.h"

static void test_channel_map__unite_keeps_lowest_atom_and_frozen_reason(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(1, 4);
	struct pare_channel_map *map = map_rig_map(graph, fake_add(graph, "n", 0, -1, -1));
	int atoms[6];

	assert_int_equal(pare_channel_map_new_atoms(map, 6, atoms), PARE_OK);
	pare_channel_map_freeze(map, atoms[5], "five");
	pare_channel_map_freeze(map, atoms[5], "not the first reason");
	pare_channel_map_unite(map, atoms[5], atoms[3]);
	pare_channel_map_unite(map, atoms[4], atoms[5]);
	pare_channel_map_unite(map, atoms[1], atoms[4]);
	pare_channel_map_unite(map, atoms[4], atoms[1]);
	for (int i = 0; i < 6; i++) {
		bool joined = i == 1 || i >= 3;
		assert_int_equal(pare_channel_map_find(map, atoms[i]), joined ? atoms[1] : atoms[i]);
		if (joined)
			assert_string_equal(map->frozen[pare_channel_map_find(map, atoms[i])], "five");
		else
			assert_null(map->frozen[atoms[i]]);
	}
	map_rig_release(map, graph);
}

static void test_channel_map__elementwise_unites_inputs_and_output(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(4, 4);
	int a = map_rig_conv(graph, "a", 0, 5, 1), b = map_rig_conv(graph, "b", 0, 5, 1);
	int param = fake_param(graph, "scale", 5, 1.0f), sum = fake_add(graph, "sum", a, b, param);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", sum, 2, 1));

	for (int c = 0; c < 5; c++) {
		assert_int_equal(map_rig_channel(map, a, c), map_rig_channel(map, b, c));
		assert_int_equal(map_rig_channel(map, a, c), map_rig_channel(map, sum, c));
		assert_int_equal(map_rig_channel(map, a, c), map_rig_along(map, "scale", 0, c));
		for (int other = 0; other < c; other++)
			assert_int_not_equal(map_rig_channel(map, sum, c), map_rig_channel(map, sum, other));
	}
	map_rig_release(map, graph);
}

static void test_channel_map__operator_without_output_is_refused(void **state)
{
	(void)state;
	const struct fake_attrs attrs = {0};
	const int input = 0;
	struct pare_graph *graph = map_rig_graph(1, 4);
	struct pare_node_spec spec = {
	        .name = "lazy", .op = &fake_op_uncoupled, .attrs = &attrs, .inputs = &input, .n_inputs = 1};
	struct pare_error error = {0};

	assert_int_equal(pare_graph_add_node(graph, &spec, &graph->output, NULL), PARE_OK);
	assert_null(pare_channel_map_new(graph, &error));
	assert_int_equal(error.code, PARE_E_INVALID);
	assert_non_null(strstr(error.text, "'lazy' (fake_uncoupled)"));
	pare_graph_free(graph);
	pare_channel_map_free(NULL);
}

static void test_channel_map__chain_ties_filters_to_next_layers_inputs(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int first = map_rig_conv(graph, "conv1", 0, 6, 1), value = first;

	assert_int_equal(pare_build_batch_norm(graph, "bn1", &value, NULL), PARE_OK);
	assert_int_equal(pare_build_relu(graph, "relu1", &value, NULL), PARE_OK);
	int relu = value, last = map_rig_conv(graph, "conv2", value, 4, 1);
	struct pare_channel_map *map = map_rig_map(graph, last);

	for (int c = 0; c < 6; c++) {
		const int atom = map_rig_channel(map, first, c);
		assert_int_equal(atom, map_rig_channel(map, relu, c));
		assert_int_equal(atom, map_rig_along(map, "conv1.weight", 0, c));
		assert_int_equal(atom, map_rig_along(map, "conv1.bias", 0, c));
		assert_int_equal(atom, map_rig_along(map, "bn1.weight", 0, c));
		assert_int_equal(atom, map_rig_along(map, "bn1.bias", 0, c));
		assert_int_equal(atom, map_rig_along(map, "bn1.running_mean", 0, c));
		assert_int_equal(atom, map_rig_along(map, "bn1.running_var", 0, c));
		assert_int_equal(atom, map_rig_along(map, "conv2.weight", 1, c));
		assert_null(map->frozen[atom]);
	}
	for (int c = 0; c < 3; c++) {
		assert_int_equal(map_rig_along(map, "conv1.weight", 1, c), map_rig_channel(map, 0, c));
		assert_string_equal(map_rig_frozen(map, 0, c), "network input");
	}
	for (int c = 0; c < 4; c++) {
		assert_int_equal(map_rig_along(map, "conv2.weight", 0, c), map_rig_channel(map, last, c));
		assert_string_equal(map_rig_frozen(map, last, c), "network output");
	}
	assert_int_equal(map_rig_count_sets(map), 3 + 6 + 4);
	map_rig_release(map, graph);
}

static void test_channel_map__residual_add_unites_both_branches(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int stem = map_rig_conv(graph, "stem", 0, 5, 1), inner = map_rig_conv(graph, "inner", stem, 7, 1);
	int outer = map_rig_conv(graph, "outer", inner, 5, 1), sum = map_rig_add(graph, "sum", outer, stem);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", sum, 2, 1));

	for (int c = 0; c < 5; c++) {
		const int atom = map_rig_channel(map, sum, c);
		assert_int_equal(atom, map_rig_along(map, "stem.weight", 0, c));
		assert_int_equal(atom, map_rig_along(map, "outer.weight", 0, c));
		assert_int_equal(atom, map_rig_along(map, "inner.weight", 1, c));
		assert_int_equal(atom, map_rig_along(map, "last.weight", 1, c));
		assert_null(map->frozen[atom]);
	}
	assert_int_equal(map_rig_count_sets(map), 3 + 5 + 7 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__sum_with_the_input_is_frozen(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int a = map_rig_conv(graph, "a", 0, 3, 1), sum = map_rig_add(graph, "sum", a, 0);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", sum, 2, 1));

	for (int c = 0; c < 3; c++)
		assert_string_equal(map_rig_frozen(map, a, c), "network input");
	map_rig_release(map, graph);
}

static void test_channel_map__concat_puts_one_behind_the_other(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int a = map_rig_conv(graph, "a", 0, 4, 1), b = map_rig_conv(graph, "b", 0, 2, 1), joined;
	const int inputs[3] = {b, a, b};

	assert_int_equal(pare_build_concat(graph, "cat", inputs, 3, &joined, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", joined, 2, 1));
	for (int c = 0; c < 8; c++) {
		const int atom = c < 2   ? map_rig_channel(map, b, c)
		                 : c < 6 ? map_rig_channel(map, a, c - 2)
		                         : map_rig_channel(map, b, c - 6);
		assert_int_equal(map_rig_channel(map, joined, c), atom);
		assert_int_equal(map_rig_along(map, "last.weight", 1, c), atom);
	}
	assert_int_equal(map_rig_count_sets(map), 3 + 4 + 2 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__depthwise_passes_channels_on(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int a = map_rig_conv(graph, "a", 0, 6, 1), deep = map_rig_conv(graph, "deep", a, 6, 6);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", deep, 2, 1));

	for (int c = 0; c < 6; c++) {
		assert_int_equal(map_rig_channel(map, deep, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_along(map, "deep.weight", 0, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_along(map, "deep.bias", 0, c), map_rig_channel(map, a, c));
		assert_int_equal(map_rig_along(map, "last.weight", 1, c), map_rig_channel(map, a, c));
		assert_null(map_rig_frozen(map, deep, c));
	}
	assert_int_equal(map_rig_count_sets(map), 3 + 6 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__groups_are_cut_evenly(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int a = map_rig_conv(graph, "a", 0, 6, 1), grouped = map_rig_conv(graph, "grouped", a, 8, 2);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", grouped, 2, 1));

	for (int c = 0; c < 6; c++)
		for (int other = 0; other < 6; other++)
			assert_int_equal(map_rig_channel(map, a, c) == map_rig_channel(map, a, other),
			                 c % 3 == other % 3);
	for (int c = 0; c < 8; c++)
		for (int other = 0; other < 8; other++)
			assert_int_equal(map_rig_channel(map, grouped, c) == map_rig_channel(map, grouped, other),
			                 c % 4 == other % 4);
	for (int i = 0; i < 3; i++)
		assert_int_equal(map_rig_along(map, "grouped.weight", 1, i), map_rig_channel(map, a, i));
	for (int c = 0; c < 8; c++)
		assert_int_equal(map_rig_along(map, "grouped.weight", 0, c), map_rig_channel(map, grouped, c));
	assert_int_equal(map_rig_count_sets(map), 3 + 3 + 4 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__flatten_repeats_a_channel_over_its_pixels(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(2, 3);
	int a = map_rig_conv(graph, "a", 0, 4, 1), value = a;

	assert_int_equal(pare_build_flatten(graph, "flat", &value, NULL), PARE_OK);
	int flat = value;
	assert_int_equal(pare_build_linear(graph, "hidden", 5, true, &value, NULL), PARE_OK);
	int hidden = value;
	assert_int_equal(pare_build_linear(graph, "out", 3, false, &value, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, value);

	for (int i = 0; i < 4 * 9; i++) {
		assert_int_equal(map_rig_channel(map, flat, i), map_rig_channel(map, a, i / 9));
		assert_int_equal(map_rig_along(map, "hidden.weight", 1, i), map_rig_channel(map, a, i / 9));
	}
	for (int i = 0; i < 5; i++) {
		assert_int_equal(map_rig_along(map, "hidden.bias", 0, i), map_rig_channel(map, hidden, i));
		assert_int_equal(map_rig_along(map, "out.weight", 1, i), map_rig_channel(map, hidden, i));
		assert_null(map_rig_frozen(map, hidden, i));
	}
	assert_int_equal(map_rig_count_sets(map), 2 + 4 + 5 + 3);
	map_rig_release(map, graph);
}

static void test_channel_map__option_a_pad_leaves_new_channels_on_their_own(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	const struct pare_slice slice = {.stop = {4, 8, 8}, .step = {1, 2, 2}};
	const struct pare_pad pad = {.begin = {1}, .end = {2}};
	int stem = map_rig_conv(graph, "stem", 0, 4, 1), shortcut = stem, main = stem;

	assert_int_equal(pare_build_slice(graph, "slice", &slice, &shortcut, NULL), PARE_OK);
	assert_int_equal(pare_build_pad(graph, "pad", &pad, &shortcut, NULL), PARE_OK);
	assert_int_equal(pare_build_conv(graph, "wide", 7, 3, 2, 1, false, &main, NULL), PARE_OK);
	int sum = map_rig_add(graph, "sum", main, shortcut);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", sum, 2, 1));

	for (int c = 0; c < 7; c++) {
		const bool from_stem = c >= 1 && c < 5;
		assert_int_equal(map_rig_channel(map, sum, c), map_rig_along(map, "wide.weight", 0, c));
		assert_null(map_rig_frozen(map, sum, c));
		for (int s = 0; s < 4; s++)
			assert_int_equal(map_rig_channel(map, sum, c) == map_rig_along(map, "stem.weight", 0, s),
			                 from_stem && s == c - 1);
	}
	assert_int_equal(map_rig_count_sets(map), 3 + 7 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__shared_weights_unite_both_uses(void **state)
{
	(void)state;
	struct pare_graph *graph = map_rig_graph(3, 8);
	int a = map_rig_conv(graph, "a", 0, 4, 1), b = map_rig_conv(graph, "b", 0, 4, 1),
	    after_a = map_rig_conv(graph, "twice", a, 5, 1), again;
	const struct pare_node *first = &graph->nodes[graph->values[after_a].producer];
	struct pare_node_spec spec = {.name = "again",
	                              .op = first->op,
	                              .attrs = first->attrs,
	                              .inputs = &b,
	                              .n_inputs = 1,
	                              .params = first->params,
	                              .n_params = first->n_params};

	assert_int_equal(pare_graph_add_node(graph, &spec, &again, NULL), PARE_OK);
	const int inputs[2] = {after_a, again};
	int joined;
	assert_int_equal(pare_build_concat(graph, "cat", inputs, 2, &joined, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, map_rig_conv(graph, "last", joined, 2, 1));

	for (int c = 0; c < 4; c++)
		assert_int_equal(map_rig_channel(map, a, c), map_rig_channel(map, b, c));
	for (int c = 0; c < 5; c++)
		assert_int_equal(map_rig_channel(map, after_a, c), map_rig_channel(map, again, c));
	assert_int_equal(map_rig_count_sets(map), 3 + 4 + 5 + 2);
	map_rig_release(map, graph);
}

static void test_channel_map__resnet20_has_one_set_of_stage_channels(void **state)
{
	(void)state;
	const struct pare_zoo_options options = {.input = pare_shape_chw(3, 32, 32), .classes = 10, .width = 1.0};
	struct pare_graph *graph;

	assert_int_equal(pare_zoo_find("resnet20")->build(&options, &graph, NULL), PARE_OK);
	struct pare_channel_map *map = map_rig_map(graph, graph->output);
	/* Inside the blocks 3 x 16, 3 x 32, 3 x 64; along the shortcuts 16 become 32 become 64. */
	assert_int_equal(map_rig_count_sets(map), 3 + 3 * (16 + 32 + 64) + 64 + 10);
	/* 8 padded in front at the second stage, 16 at the third. */
	for (int c = 0; c < 16; c++) {
		assert_int_equal(map_rig_along(map, "conv1.weight", 0, c),
		                 map_rig_along(map, "layer2.0.conv2.weight", 0, c + 8));
		assert_int_equal(map_rig_along(map, "conv1.weight", 0, c),
		                 map_rig_along(map, "layer3.2.conv2.weight", 0, c + 24));
		assert_int_equal(map_rig_along(map, "conv1.weight", 0, c), map_rig_along(map, "fc.weight", 1, c + 24));
	}
	map_rig_release(map, graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_channel_map__unite_keeps_lowest_atom_and_frozen_reason),
	        cmocka_unit_test(test_channel_map__elementwise_unites_inputs_and_output),
	        cmocka_unit_test(test_channel_map__operator_without_output_is_refused),
	        cmocka_unit_test(test_channel_map__chain_ties_filters_to_next_layers_inputs),
	        cmocka_unit_test(test_channel_map__residual_add_unites_both_branches),
	        cmocka_unit_test(test_channel_map__sum_with_the_input_is_frozen),
	        cmocka_unit_test(test_channel_map__concat_puts_one_behind_the_other),
	        cmocka_unit_test(test_channel_map__depthwise_passes_channels_on),
	        cmocka_unit_test(test_channel_map__groups_are_cut_evenly),
	        cmocka_unit_test(test_channel_map__flatten_repeats_a_channel_over_its_pixels),
	        cmocka_unit_test(test_channel_map__option_a_pad_leaves_new_channels_on_their_own),
	        cmocka_unit_test(test_channel_map__shared_weights_unite_both_uses),
	        cmocka_unit_test(test_channel_map__resnet20_has_one_set_of_stage_channels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
