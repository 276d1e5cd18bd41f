#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/strbuf.h"
#include "engine/compress/groups.h"
#include "engine/ops/builders.h"
#include "tests/support/nets.h"

/* "name:channels" of every group, "!" behind frozen ones, then the layers whose filters it holds. */
static void describe(const struct pare_groups *groups, struct pare_strbuf *text)
{
	for (int g = 0; g < groups->n_groups; g++) {
		const struct pare_group *group = &groups->group[g];
		pare_strbuf_printf(text, "%s%s:%d%s", g ? " " : "", group->name, (int)group->channels,
		                   group->frozen ? "!" : "");
		for (int n = 0; n < group->n_nodes; n++)
			pare_strbuf_printf(text, "%c%s", n ? '+' : '(', groups->graph->nodes[group->nodes[n]].name);
		pare_strbuf_add(text, group->n_nodes ? ")" : "");
	}
}

static void expect_groups(struct pare_graph *graph, const char *expected)
{
	struct pare_groups groups;
	struct pare_error error = {0};
	struct pare_strbuf text;
	assert_int_equal(pare_groups_init(&groups, graph, &error), PARE_OK);
	pare_strbuf_init(&text);
	describe(&groups, &text);
	assert_string_equal(text.text, expected);
	pare_strbuf_release(&text);
	pare_groups_release(&groups);
	pare_graph_free(graph);
}

static void test_groups__each_layer_of_a_plain_network_is_a_group(void **state)
{
	(void)state;
	expect_groups(test_net_build("plain"), "input:3! conv1:8(conv1) conv2:12(conv2) conv3:7(conv3) fc:5!(fc)");
}

static void test_groups__residual_stream_is_one_group_through_two_adds(void **state)
{
	(void)state;
	expect_groups(test_net_build("residual"),
	              "input:3! stem:8(stem+block1.conv2+block2.conv2) "
	              "block1.conv1:10(block1.conv1) block2.conv1:10(block2.conv1) fc:5!(fc)");
}

static void test_groups__concatenated_layers_stay_separate(void **state)
{
	(void)state;
	expect_groups(test_net_build("concat"),
	              "input:3! stem:6(stem) left:8(left) right:5(right) join:9(join) fc:5!(fc)");
	expect_groups(test_net_build("dense"),
	              "input:3! stem:8(stem) conv1:4(conv1) conv2:4(conv2) conv3:4(conv3) fc:5!(fc)");
}

static void test_groups__depthwise_filters_belong_to_the_layer_before(void **state)
{
	(void)state;
	expect_groups(test_net_build("depthwise"), "input:3! stem:8(stem+depth1) point1:10(point1+depth2) "
	                                           "point2:6(point2) fc:5!(fc)");
}

/* stem's 16 channels feed 4 groups of 4: one atom is 4 of them. grouped1 gives 24 channels in 4 groups of 6 and
 * grouped2 takes them in 2 groups of 12, so both ties meet in 6 atoms; grouped2 gives 2 groups of 6. */
static void test_groups__grouped_convolutions_are_cut_evenly_across_their_groups(void **state)
{
	(void)state;
	expect_groups(test_net_build("grouped"), "input:3! stem:4(stem) grouped1:6(grouped1) grouped2:6(grouped2) "
	                                         "last:6(last) fc:5!(fc)");
}

static void test_groups__channels_survive_flattening(void **state)
{
	(void)state;
	expect_groups(test_net_build("flatten"), "input:3! conv:6(conv) fc1:11(fc1) fc2:9(fc2) fc3:5!(fc3)");
}

/* The stream's channels by how far back they reach: from the stem, from the first shortcut's padding, from the
 * second's. */
static void test_groups__option_a_shortcuts_split_the_residual_stream(void **state)
{
	(void)state;
	expect_groups(test_net_build("option_a"),
	              "input:3! stem:4(stem+block1.conv2+block2.conv2) "
	              "block1.conv1:9(block1.conv1) block1.conv2:5(block1.conv2+block2.conv2) "
	              "block2.conv1:16(block2.conv1) block2.conv2:7(block2.conv2) fc:5!(fc)");
}

static void test_groups__resnet8_has_three_groups_in_its_residual_stream(void **state)
{
	(void)state;
	expect_groups(test_net_build_zoo("resnet8"),
	              "input:3! conv1:4(conv1+layer1.0.conv2+layer2.0.conv2+layer3.0.conv2) "
	              "layer1.0.conv1:4(layer1.0.conv1) layer2.0.conv1:8(layer2.0.conv1) "
	              "layer2.0.conv2:4(layer2.0.conv2+layer3.0.conv2) layer3.0.conv1:16(layer3.0.conv1) "
	              "layer3.0.conv2:8(layer3.0.conv2) fc:5!(fc)");
}

static void test_groups__one_layer_in_two_groups_gets_a_suffix(void **state)
{
	(void)state;
	expect_groups(test_net_build("split"),
	              "input:3! stem:7(stem) stem#2:5(stem) left.conv:6(left.conv) join:8(join) fc:5!(fc)");
}

static void test_groups__bottlenecks_share_their_stream_and_groups_are_cut_evenly(void **state)
{
	(void)state;
	expect_groups(test_net_build("bottleneck"),
	              "input:3! stem:8(stem) b1.down:12(b1.down+b1.conv3+b2.conv3) b1.conv1:6(b1.conv1) "
	              "b1.conv2:6(b1.conv2) b2.conv1:5(b2.conv1) b2.conv2:5(b2.conv2) fc:5!(fc)");
	/* 12 channels in 3 groups, then 8 in 2: 4 atoms each. */
	expect_groups(test_net_build("resnext"),
	              "input:3! stem:6(stem) b1.down:10(b1.down+b1.conv3+b2.conv3) b1.conv1:4(b1.conv1) "
	              "b1.conv2:4(b1.conv2) b2.conv1:4(b2.conv1) b2.conv2:4(b2.conv2) fc:5!(fc)");
}

/* The layer that makes the gate has a filter for each channel that it gates. */
static void test_groups__gates_belong_to_what_they_gate(void **state)
{
	(void)state;
	expect_groups(test_net_build("inverted_residual"),
	              "input:3! stem:8(stem+b1.project) b1.expand:14(b1.expand+b1.depth+b1.se2) b1.se1:4(b1.se1) "
	              "b2.expand:14(b2.expand+b2.depth+b2.se2) b2.se1:4(b2.se1) b2.project:10(b2.project) fc:5!(fc)");
	expect_groups(test_net_build("mbconv"),
	              "input:3! stem:6(stem+b1.project+b2.project) b1.expand:12(b1.expand+b1.depth+b1.se2) "
	              "b1.se1:3(b1.se1) b2.expand:12(b2.expand+b2.depth+b2.se2) b2.se1:3(b2.se1) fc:5!(fc)");
	/* b's 12 channels in 3 groups are 4 atoms, and so are the gate's. */
	expect_groups(test_net_build("regnet_y"), "input:3! stem:6(stem) down:12(down+c) a:4(a) b:4(b+b.se2) "
	                                          "b.se1:4(b.se1) fc:5!(fc)");
}

/* The first shuffle makes one of channel i of both branches: t0 to t7. Its first half, t0 to t3 twice, passes unit 1 by
 * and meets conv2's eight channels there; its second half is convolved. Then the same with t0, t1 and t2, t3. */
static void test_groups__channel_shuffle_ties_what_it_interleaves(void **state)
{
	(void)state;
	expect_groups(test_net_build("shuffle"),
	              "input:3! stem:6(stem+s.depth) s.point:4(s.point+s.conv2) s.point#2:2(s.point+s.conv2+u1.conv2) "
	              "s.point#3:2(s.point+s.conv2+u1.conv2+u2.conv2) s.conv1:8(s.conv1+s.depth_11) "
	              "u1.conv1:8(u1.conv1+u1.depth) u2.conv1:8(u2.conv1+u2.depth) last:10(last) fc:5!(fc)");
	expect_groups(test_net_build("shuffle_groups"),
	              "input:3! stem:2(stem) grouped:3(grouped+depth) last:7(last) fc:5!(fc)");
}

static void test_groups__branches_and_dense_layers_stay_separate(void **state)
{
	(void)state;
	expect_groups(test_net_build("fire"),
	              "input:3! stem:7(stem) f1.squeeze:4(f1.squeeze) f1.one:6(f1.one) f1.three:6(f1.three) "
	              "f2.squeeze:5(f2.squeeze) f2.one:7(f2.one) f2.three:7(f2.three) classes:5!(classes)");
	expect_groups(
	        test_net_build("densenet"),
	        "input:3! stem:6(stem) d1.conv1:8(d1.conv1) d1.conv2:4(d1.conv2) d2.conv1:8(d2.conv1) "
	        "d2.conv2:4(d2.conv2) transition:7(transition) d3.conv1:8(d3.conv1) d3.conv2:4(d3.conv2) fc:5!(fc)");
	expect_groups(test_net_build("inception"),
	              "input:3! stem:7(stem) one:6(one) seven1:5(seven1) seven2:4(seven2) seven3:8(seven3) "
	              "pool:5(pool) last:9(last) fc:5!(fc)");
}

static void test_groups__layer_norm_freezes_its_channels_and_no_others(void **state)
{
	static const char *const nets[] = {"convnext", "convnext_spelt_out"};
	(void)state;
	for (int i = 0; i < 2; i++)
		expect_groups(test_net_build(nets[i]), "input:3! stem:4!(stem+b1.depth+b1.down) b1.up:16(b1.up) "
		                                       "down:6!(down+b2.depth+b2.down) b2.up:24(b2.up) fc:5!(fc)");
}

static void test_groups__channels_may_lie_along_any_dimension(void **state)
{
	(void)state;
	expect_groups(test_net_build("mixer"), "input:3! stem:6(stem+channels2) pixels1:9(pixels1) "
	                                       "pixels2:16!(pixels2) channels1:11(channels1) fc:5!(fc)");
	expect_groups(test_net_build("spatial_gate"),
	              "input:3! stem:6!(stem) features:8(features) gate:1!(gate) last:7(last) fc:5!(fc)");
}

static void test_groups__shared_weights_are_one_group(void **state)
{
	(void)state;
	expect_groups(test_net_build("shared"),
	              "input:3! stem:6(stem) left:7(left+right) both:5(both+again) last:8(last) fc:5!(fc)");
}

/* conv -> two halves -> concatenated the other way round: both halves touch the same weights, but each must keep some.
 */
static void test_groups__parts_of_a_split_are_groups_of_their_own(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("halves", pare_shape_chw(3, 4, 4), "input");
	struct pare_slice slices[] = {{.start = {5, 0, 0}, .stop = {8, 4, 4}, .step = {1, 1, 1}},
	                              {.start = {0, 0, 0}, .stop = {5, 4, 4}, .step = {1, 1, 1}}};
	int value = graph->input, parts[2];
	assert_int_equal(pare_build_conv(graph, "conv", 8, 3, 1, 1, false, &value, NULL), PARE_OK);
	for (int i = 0; i < 2; i++) {
		parts[i] = value;
		assert_int_equal(pare_build_slice(graph, "slice", &slices[i], &parts[i], NULL), PARE_OK);
	}
	assert_int_equal(pare_build_concat(graph, "concat", parts, 2, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_conv(graph, "last", 4, 3, 1, 1, false, &value, NULL), PARE_OK);
	graph->output = value;
	expect_groups(graph, "input:3! conv:3(conv) conv#2:5(conv) last:4!(last)");
}

/* Channels 0 to 4 of one layer are the network's output, nobody reads the others: same layer, but not interchangeable.
 */
static void test_groups__frozen_channels_are_apart_from_free_ones(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("half", pare_shape_chw(3, 4, 4), "input");
	struct pare_slice slice = {.stop = {5, 4, 4}, .step = {1, 1, 1}};
	int value = graph->input;
	assert_int_equal(pare_build_conv(graph, "conv", 8, 3, 1, 1, false, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_slice(graph, "slice", &slice, &value, NULL), PARE_OK);
	graph->output = value;
	expect_groups(graph, "input:3! conv:3(conv) conv#2:5!(conv)");
}

static void test_groups__frozen_groups_say_why(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build("plain");
	struct pare_groups groups;
	struct pare_error error = {0};
	assert_int_equal(pare_groups_init(&groups, graph, &error), PARE_OK);
	assert_non_null(strstr(groups.group[pare_groups_find(&groups, "input")].frozen, "input"));
	assert_non_null(strstr(groups.group[pare_groups_find(&groups, "fc")].frozen, "output"));
	assert_int_equal(pare_groups_find(&groups, "nobody"), -1);
	pare_groups_release(&groups);
	pare_graph_free(graph);
}

/* Every atom with a slot is in the group that owns the slot; slots run through the groups in order. */
static void expect_consistent_slots(const struct pare_groups *groups)
{
	int64_t slot = 0;
	for (int g = 0; g < groups->n_groups; g++) {
		assert_int_equal(groups->group[g].first_slot, slot);
		for (int64_t i = 0; i < groups->group[g].channels; i++)
			assert_int_equal(groups->slot[groups->group[g].atoms[i]], slot++);
	}
	assert_int_equal(groups->n_slots, slot);
	for (size_t a = 0; a < groups->map->n_atoms; a++)
		assert_int_equal(groups->slot[a], groups->slot[pare_channel_map_find(groups->map, (int)a)]);
}

/* Atoms are in the order of their filters in the first layer. */
static void expect_ascending_channels(const struct pare_groups *groups)
{
	for (int g = 0; g < groups->n_groups; g++) {
		const struct pare_group *group = &groups->group[g];
		int64_t next = 0;
		if (group->n_nodes == 0)
			continue;
		int weight = groups->graph->nodes[group->nodes[0]].params[0];
		const int *atoms = groups->map->axis_atoms[0][weight];
		for (int64_t c = 0; c < groups->graph->params[weight].shape.dim[0] && next < group->channels; c++)
			next += pare_channel_map_find(groups->map, atoms[c]) == group->atoms[next];
		assert_int_equal(next, group->channels);
	}
}

static void test_groups__every_network_has_consistent_slots_in_channel_order(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct pare_groups groups;
		struct pare_error error = {0};
		assert_int_equal(pare_groups_init(&groups, graph, &error), PARE_OK);
		expect_consistent_slots(&groups);
		expect_ascending_channels(&groups);
		pare_groups_release(&groups);
		pare_graph_free(graph);
	}
}

static int refuse(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	(void)map;
	(void)graph;
	(void)node;
	return PARE_E_UNSUPPORTED;
}

static void test_groups__an_operator_that_cannot_tell_is_named(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build("plain");
	struct pare_op stubborn = *graph->nodes[1].op;
	struct pare_groups groups;
	struct pare_error error = {0};
	stubborn.couple = refuse;
	graph->nodes[1].op = &stubborn;
	assert_int_equal(pare_groups_init(&groups, graph, &error), PARE_E_UNSUPPORTED);
	assert_non_null(strstr(error.text, graph->nodes[1].name));
	pare_groups_release(&groups);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_groups__each_layer_of_a_plain_network_is_a_group),
	        cmocka_unit_test(test_groups__residual_stream_is_one_group_through_two_adds),
	        cmocka_unit_test(test_groups__concatenated_layers_stay_separate),
	        cmocka_unit_test(test_groups__depthwise_filters_belong_to_the_layer_before),
	        cmocka_unit_test(test_groups__grouped_convolutions_are_cut_evenly_across_their_groups),
	        cmocka_unit_test(test_groups__channels_survive_flattening),
	        cmocka_unit_test(test_groups__option_a_shortcuts_split_the_residual_stream),
	        cmocka_unit_test(test_groups__resnet8_has_three_groups_in_its_residual_stream),
	        cmocka_unit_test(test_groups__one_layer_in_two_groups_gets_a_suffix),
	        cmocka_unit_test(test_groups__bottlenecks_share_their_stream_and_groups_are_cut_evenly),
	        cmocka_unit_test(test_groups__gates_belong_to_what_they_gate),
	        cmocka_unit_test(test_groups__channel_shuffle_ties_what_it_interleaves),
	        cmocka_unit_test(test_groups__branches_and_dense_layers_stay_separate),
	        cmocka_unit_test(test_groups__layer_norm_freezes_its_channels_and_no_others),
	        cmocka_unit_test(test_groups__channels_may_lie_along_any_dimension),
	        cmocka_unit_test(test_groups__shared_weights_are_one_group),
	        cmocka_unit_test(test_groups__parts_of_a_split_are_groups_of_their_own),
	        cmocka_unit_test(test_groups__frozen_channels_are_apart_from_free_ones),
	        cmocka_unit_test(test_groups__frozen_groups_say_why),
	        cmocka_unit_test(test_groups__every_network_has_consistent_slots_in_channel_order),
	        cmocka_unit_test(test_groups__an_operator_that_cannot_tell_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
