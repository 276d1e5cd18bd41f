#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/compress/fold.h"
#include "engine/compress/slim.h"
#include "engine/ops/builders.h"
#include "latency_lut/lut.h"
#include "tests/support/nets.h"
#include "tests/support/temp_directory.h"

/* Times do not matter here, so little is spent on them. */
static const struct pare_lut_build_options quick = {
        .batch = 1, .threads = 1, .step = 1, .points = 3, .min_ratio = 0.25, .max_ms = 0.001};

/* A folded network with its groups. */
struct net {
	struct pare_graph *folded;
	struct pare_groups groups;
	struct pare_lut *lut;
	struct pare_error error;
};

static void net_open(struct net *net, struct pare_graph *graph)
{
	*net = (struct net){0};
	net->folded = pare_fold_batch_norm(graph, &net->error);
	assert_non_null(net->folded);
	pare_graph_free(graph);
	assert_int_equal(pare_groups_init(&net->groups, net->folded, &net->error), 0);
}

static void net_build(struct net *net, const struct pare_lut_build_options *options)
{
	int status = pare_lut_build(&net->lut, net->folded, &net->groups, options, &net->error);
	if (status)
		fail_msg("%s: %s", net->folded->name, net->error.text);
}

static void net_close(struct net *net)
{
	pare_lut_free(net->lut);
	pare_groups_release(&net->groups);
	pare_graph_free(net->folded);
}

/* From the least that the table was made for to almost everything. */
static void expect_random_cuts_to_be_found(struct net *net)
{
	struct pare_plan plan;
	assert_int_equal(pare_plan_init(&plan, &net->groups), 0);
	for (int i = 0; i < 12; i++) {
		struct pare_graph *slim;
		double ms = -1.0;
		test_plan_randomize(&plan, &net->groups, 0.3 + 0.05 * i, 1, (uint64_t)i);
		assert_int_equal(pare_slim_shape(&net->groups, &plan, &slim, &net->error), 0);
		if (pare_lut_predict(net->lut, slim, &ms, &net->error))
			fail_msg("%s, cut %d: %s", net->folded->name, i, net->error.text);
		assert_true(ms >= 0.0);
		pare_graph_free(slim);
	}
	pare_plan_release(&plan);
}

static void test_lut_build__every_step_of_every_slim_network_can_be_looked_up(void **state)
{
	struct pare_graph *graph;
	int n;
	(void)state;
	for (n = 0; (graph = test_net_build_nth(n)); n++) {
		struct net net;
		struct pare_lut_build_options options = quick;
		double ms;
		net_open(&net, graph);
		options.points = n % 2 ? 3 : 2;
		net_build(&net, &options);
		assert_int_equal(pare_lut_predict(net.lut, net.folded, &ms, &net.error), 0);
		assert_true(ms > 0.0);
		expect_random_cuts_to_be_found(&net);
		net_close(&net);
	}
	assert_true(n >= 10);
}

/* ---- the grid ---- */

static const struct pare_lut_family *family_of(const struct net *net, const char *key)
{
	for (int f = 0; f < net->lut->n_families; f++)
		if (strcmp(net->lut->families[f].key, key) == 0)
			return &net->lut->families[f];
	fail_msg("%s: there is no family \"%s\"", net->folded->name, key);
	return NULL;
}

/* The full product of both axes (lists end with 0); in = NULL: one axis. */
static void expect_grid(const struct net *net, const char *key, const int *in, const int *out)
{
	static const int one_axis[] = {0, 0};
	const struct pare_lut_family *family = family_of(net, key);
	int e = 0, n_in = 1;
	for (n_in = 1; in && in[n_in];)
		n_in++;
	for (int i = 0; i < n_in; i++)
		for (int o = 0; out[o]; o++, e++) {
			assert_true(e < family->n_entries);
			assert_int_equal(family->entries[e].in_channels, (in ? in : one_axis)[i]);
			assert_int_equal(family->entries[e].out_channels, out[o]);
		}
	assert_int_equal(e, family->n_entries);
}

#define LIST(...) ((const int[]){__VA_ARGS__, 0})

/* conv1 has 8 channels, conv2 12, conv3 7; there are 3 in the input, 5 classes, 8x8 pixels. */
static void test_lut_build__axes_hold_at_most_so_many_widths_from_the_smallest_to_the_full(void **state)
{
	struct net net;
	(void)state;
	net_open(&net, test_net_build("plain"));
	net_build(&net, &quick);
	expect_grid(&net, "conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 8x8", LIST(3), LIST(2, 5, 8));
	expect_grid(&net, "conv2d k3x3 s2x2 p1,1,1,1 d1x1 g1 relu 8x8", LIST(2, 5, 8), LIST(3, 8, 12));
	expect_grid(&net, "global_average_pool 4x4", NULL, LIST(2, 5, 7));
	expect_grid(&net, "linear", LIST(2, 5, 7), LIST(5));
	net_close(&net);
}

static void test_lut_build__axes_hold_all_multiples_of_the_step_if_there_are_few(void **state)
{
	struct pare_lut_build_options options = quick;
	struct net net;
	(void)state;
	options.step = 4;
	options.points = 8;
	net_open(&net, test_net_build("plain"));
	net_build(&net, &options);
	expect_grid(&net, "conv2d k3x3 s2x2 p1,1,1,1 d1x1 g1 relu 8x8", LIST(4, 8), LIST(4, 8, 12));
	expect_grid(&net, "conv2d k1x1 s1x1 p0,0,0,0 d1x1 g1 4x4", LIST(4, 8, 12), LIST(4, 7));
	net_close(&net);
}

static void test_lut_build__nothing_to_choose_gives_full_widths_only(void **state)
{
	struct pare_lut_build_options options = quick;
	struct net net;
	(void)state;
	options.min_ratio = 1.0;
	net_open(&net, test_net_build("plain"));
	net_build(&net, &options);
	expect_grid(&net, "conv2d k3x3 s2x2 p1,1,1,1 d1x1 g1 relu 8x8", LIST(8), LIST(12));
	expect_grid(&net, "linear", LIST(7), LIST(5));
	net_close(&net);
}

/* conv1: 3 -> 8 and conv2: 8 -> 8 ... share a family: every input with every output of both. */
static void test_lut_build__layers_of_one_family_share_the_union_of_their_axes(void **state)
{
	struct pare_lut_build_options options = quick;
	struct pare_graph *graph = pare_graph_new("two", pare_shape_chw(3, 8, 8), "input");
	struct pare_error error;
	struct net net;
	int value = graph->input;
	(void)state;
	assert_int_equal(pare_build_conv(graph, "conv1", 6, 3, 1, 1, true, &value, &error), 0);
	assert_int_equal(pare_build_conv(graph, "conv2", 10, 3, 1, 1, true, &value, &error), 0);
	assert_int_equal(pare_build_global_average_pool(graph, "gap", &value, &error), 0);
	graph->output = value;
	options.step = 5;
	net_open(&net, graph);
	net_build(&net, &options);
	expect_grid(&net, "conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 8x8", LIST(3, 5, 6), LIST(5, 6, 10));
	net_close(&net);
}

/* 8 channels from the left and 5 from the right: from 2 + 1 on. */
static void test_lut_build__channels_of_several_groups_go_from_the_sum_of_their_minima(void **state)
{
	struct net net;
	(void)state;
	net_open(&net, test_net_build("concat"));
	net_build(&net, &quick);
	expect_grid(&net, "concat in2 8x8", NULL, LIST(3, 8, 13));
	net_close(&net);
}

static void test_lut_build__inputs_of_a_flattened_map_go_by_whole_channels(void **state)
{
	struct net net;
	(void)state;
	net_open(&net, test_net_build("flatten"));
	net_build(&net, &quick);
	int plane = 0;
	for (int n = 0; n < net.folded->n_nodes; n++)
		if (net.folded->nodes[n].op == &pare_op_flatten)
			plane = (int)pare_shape_plane(pare_node_input_shape(net.folded, &net.folded->nodes[n], 0));
	assert_true(plane > 1);
	const struct pare_lut_family *family = &net.lut->families[net.lut->n_families - 1];
	int wide = 0;
	for (int f = 0; f < net.lut->n_families; f++) {
		family = &net.lut->families[f];
		if (strncmp(family->key, "linear", 6) != 0)
			continue;
		for (int e = 0; e < family->n_entries; e++)
			wide += family->entries[e].in_channels % plane == 0;
	}
	assert_true(wide > 0);
	net_close(&net);
}

static void test_lut_build__depthwise_and_elementwise_steps_have_one_axis(void **state)
{
	struct net net;
	(void)state;
	net_open(&net, test_net_build("depthwise"));
	net_build(&net, &quick);
	int depthwise = 0;
	for (int f = 0; f < net.lut->n_families; f++) {
		const struct pare_lut_family *family = &net.lut->families[f];
		depthwise += strstr(family->key, " gdw") != NULL;
		bool two = strncmp(family->key, "linear", 6) == 0 ||
		           (strncmp(family->key, "conv2d", 6) == 0 && !strstr(family->key, " gdw"));
		for (int e = 0; e < family->n_entries; e++)
			assert_int_equal(family->entries[e].in_channels > 0, two);
	}
	assert_true(depthwise > 0);
	net_close(&net);
}

/* ---- the rest ---- */

static void test_lut_build__it_says_what_was_measured_and_where(void **state)
{
	struct pare_lut_build_options options = quick;
	struct net net;
	(void)state;
	options.batch = 9;
	options.threads = 2;
	net_open(&net, test_net_build("residual"));
	net_build(&net, &options);
	assert_int_equal(net.lut->batch, 9);
	assert_int_equal(net.lut->threads, 2);
	assert_int_equal(strlen(net.lut->date), 20);
	assert_true(strlen(net.lut->machine.cpu) > 0 && strlen(net.lut->pare_version) > 0);
	for (int f = 0; f < net.lut->n_families; f++) {
		assert_true(f == 0 || strcmp(net.lut->families[f - 1].key, net.lut->families[f].key) < 0);
		for (int e = 0; e < net.lut->families[f].n_entries; e++) {
			const struct pare_lut_entry *entry = &net.lut->families[f].entries[e];
			assert_true(entry->count >= 15); /* five a pass */
			assert_true(entry->p10_ms > 0.0 && entry->p10_ms <= entry->median_ms);
			assert_true(entry->median_ms <= entry->p90_ms);
		}
	}
	net_close(&net);
}

static void test_lut_build__a_table_read_back_predicts_bit_for_bit_the_same(void **state)
{
	char *folder = test_directory_new(), *path = pare_path_join(folder, "table.txt");
	struct pare_lut *back;
	struct net net;
	double before, after;
	(void)state;
	net_open(&net, test_net_build("option_a"));
	net_build(&net, &quick);
	assert_int_equal(pare_lut_predict(net.lut, net.folded, &before, &net.error), 0);
	assert_int_equal(pare_lut_write(net.lut, path, &net.error), 0);
	if (pare_lut_read(&back, path, false, 1, 1, &net.error))
		fail_msg("%s", net.error.text);
	assert_int_equal(pare_lut_predict(back, net.folded, &after, &net.error), 0);
	assert_true(before == after);
	pare_lut_free(back);
	net_close(&net);
	free(path);
	test_directory_free(folder);
}

struct watcher {
	int64_t last, total, calls, stop_at;
};

static int watch(void *context, int64_t done, int64_t total)
{
	struct watcher *watcher = context;
	assert_int_equal(done, watcher->last + 1);
	assert_true(watcher->total == 0 || watcher->total == total);
	watcher->last = done;
	watcher->total = total;
	watcher->calls++;
	return done == watcher->stop_at;
}

static void test_lut_build__progress_counts_up_and_can_stop_it(void **state)
{
	struct watcher watcher = {0};
	struct pare_lut_build_options options = quick;
	struct net net;
	(void)state;
	options.progress = watch;
	options.progress_context = &watcher;
	net_open(&net, test_net_build("plain"));
	net_build(&net, &options);
	assert_int_equal(watcher.last, watcher.total);
	pare_lut_free(net.lut);
	watcher = (struct watcher){.stop_at = 7};
	assert_int_equal(pare_lut_build(&net.lut, net.folded, &net.groups, &options, &net.error), PARE_E_STOPPED);
	assert_int_equal(watcher.calls, 7);
	assert_null(net.lut);
	net_close(&net);
}

static void test_lut_build__options_out_of_range_are_refused(void **state)
{
	struct net net;
	(void)state;
	net_open(&net, test_net_build("plain"));
	for (int i = 0; i < 8; i++) {
		struct pare_lut_build_options options = quick;
		options.batch = i == 0 ? 0 : options.batch;
		options.threads = i == 1 ? 0 : options.threads;
		options.step = i == 2 ? 0 : options.step;
		options.points = i == 3 ? 1 : options.points;
		options.min_ratio = i == 4 ? 0.0 : i == 5 ? 1.5 : options.min_ratio;
		options.max_ms = i == 6 ? 0.0 : i == 7 ? -1.0 : options.max_ms;
		assert_int_equal(pare_lut_build(&net.lut, net.folded, &net.groups, &options, &net.error),
		                 PARE_E_INVALID);
		assert_null(net.lut);
	}
	struct pare_graph *other = test_net_build("plain");
	assert_int_equal(pare_lut_build(&net.lut, other, &net.groups, &quick, &net.error), PARE_E_INVALID);
	pare_graph_free(other);
	net_close(&net);
}

static void test_lut_build__a_whole_network_can_be_timed(void **state)
{
	struct pare_lut_entry entry;
	struct net net;
	(void)state;
	net_open(&net, test_net_build("residual"));
	for (int threads = 1; threads <= 2; threads++) {
		assert_int_equal(pare_lut_measure(net.folded, 17, threads, 0.5, &entry, &net.error), 0);
		assert_true(entry.count >= 5);
		assert_true(entry.p10_ms > 0.0 && entry.p10_ms <= entry.median_ms && entry.median_ms <= entry.p90_ms);
	}
	assert_int_equal(pare_lut_measure(net.folded, 1, 0, 0.5, &entry, &net.error), PARE_E_INVALID);
	net_close(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lut_build__every_step_of_every_slim_network_can_be_looked_up),
	        cmocka_unit_test(test_lut_build__axes_hold_at_most_so_many_widths_from_the_smallest_to_the_full),
	        cmocka_unit_test(test_lut_build__axes_hold_all_multiples_of_the_step_if_there_are_few),
	        cmocka_unit_test(test_lut_build__nothing_to_choose_gives_full_widths_only),
	        cmocka_unit_test(test_lut_build__layers_of_one_family_share_the_union_of_their_axes),
	        cmocka_unit_test(test_lut_build__channels_of_several_groups_go_from_the_sum_of_their_minima),
	        cmocka_unit_test(test_lut_build__inputs_of_a_flattened_map_go_by_whole_channels),
	        cmocka_unit_test(test_lut_build__depthwise_and_elementwise_steps_have_one_axis),
	        cmocka_unit_test(test_lut_build__it_says_what_was_measured_and_where),
	        cmocka_unit_test(test_lut_build__a_table_read_back_predicts_bit_for_bit_the_same),
	        cmocka_unit_test(test_lut_build__progress_counts_up_and_can_stop_it),
	        cmocka_unit_test(test_lut_build__options_out_of_range_are_refused),
	        cmocka_unit_test(test_lut_build__a_whole_network_can_be_timed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
