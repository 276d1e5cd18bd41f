#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "latency_lut/lut.h"
#include "tests/support/lut_tables.h"

/* All times are sums and products of a few exact numbers. */
#define TOLERANCE_MS 1e-12

#define CONV "conv2d k3x3 s1x1 p1,1,1,1 d1x1"

static const int in_widths[] = {4, 8, 16}, out_widths[] = {8, 12, 32};

static void expect_close(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("%.17g where %.17g is expected", found, expected);
}

struct net {
	struct pare_graph *graph;
	int value;
	struct pare_error error;
};

static void net_open(struct net *net, int64_t channels)
{
	*net = (struct net){.graph = pare_graph_new("net", pare_shape_chw(channels, 6, 5), "input")};
	assert_non_null(net->graph);
	net->value = net->graph->input;
}

static void add_conv(struct net *net, const char *name, int64_t out, int groups)
{
	int status = pare_build_conv(net->graph, name, out, 3, 1, groups, true, &net->value, &net->error);
	if (status)
		fail_msg("%s", net->error.text);
	net->graph->output = net->value;
}

static void add_relu(struct net *net)
{
	assert_int_equal(pare_build_relu(net->graph, "relu", &net->value, &net->error), 0);
	net->graph->output = net->value;
}

static void add_flatten(struct net *net)
{
	assert_int_equal(pare_build_flatten(net->graph, "flatten", &net->value, &net->error), 0);
	net->graph->output = net->value;
}

static void expect_ms(struct net *net, const struct pare_lut *lut, double expected)
{
	double ms = -1.0;
	int status = pare_lut_predict(lut, net->graph, &ms, &net->error);
	if (status)
		fail_msg("%s", net->error.text);
	expect_close(ms, expected, TOLERANCE_MS);
}

/* The message must name both. */
static void expect_not_found(struct net *net, const struct pare_lut *lut, const char *first, const char *second)
{
	double ms;
	assert_int_equal(pare_lut_predict(lut, net->graph, &ms, &net->error), PARE_E_NOT_FOUND);
	if (!strstr(net->error.text, first) || !strstr(net->error.text, second))
		fail_msg("\"%s\" does not name \"%s\" and \"%s\"", net->error.text, first, second);
}

static struct pare_lut *conv_table(void)
{
	struct pare_lut *lut = test_table_new();
	test_table_add(lut, CONV " g1 6x5", in_widths, 3, out_widths, 3);
	return lut;
}

static void expect_conv_ms(int64_t in, int64_t out)
{
	struct pare_lut *lut = conv_table();
	struct net net;
	net_open(&net, in);
	add_conv(&net, "conv", out, 1);
	expect_ms(&net, lut, test_table_ms(in, out));
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

static void test_lut_lookup__entries_are_hit_exactly(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		for (int o = 0; o < 3; o++)
			expect_conv_ms(in_widths[i], out_widths[o]);
}

static void test_lut_lookup__between_entries_it_is_bilinear(void **state)
{
	(void)state;
	expect_conv_ms(5, 12);
	expect_conv_ms(8, 13);
	expect_conv_ms(7, 11);
	expect_conv_ms(15, 31);
}

static void test_lut_lookup__below_the_grid_it_is_linear(void **state)
{
	(void)state;
	expect_conv_ms(2, 12);
	expect_conv_ms(8, 3);
	expect_conv_ms(1, 1);
	expect_conv_ms(3, 20);
}

static void test_lut_lookup__no_step_takes_less_than_no_time(void **state)
{
	struct pare_lut *lut = conv_table();
	struct net net;
	(void)state;
	for (int e = 0; e < 3; e++)
		lut->families[0].entries[3 * e].median_ms = 0.001; /* steep at the lower end of the outputs */
	net_open(&net, 4);
	add_conv(&net, "conv", 1, 1);
	expect_ms(&net, lut, 0.0);
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

static void test_lut_lookup__above_the_grid_is_an_error_that_names_the_step(void **state)
{
	static const int too_wide[][2] = {{17, 8}, {4, 33}, {20, 40}};
	struct pare_lut *lut = conv_table();
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct net net;
		net_open(&net, too_wide[i][0]);
		add_conv(&net, "stage1.conv", too_wide[i][1], 1);
		expect_not_found(&net, lut, "stage1.conv", "outside");
		pare_graph_free(net.graph);
	}
	pare_lut_free(lut);
}

static void test_lut_lookup__an_unknown_family_is_an_error_that_names_the_step(void **state)
{
	struct pare_lut *lut = conv_table(), *empty = test_table_new();
	struct net net;
	(void)state;
	net_open(&net, 8);
	add_conv(&net, "stage1.conv", 8, 2);
	expect_not_found(&net, lut, "stage1.conv", CONV " g2 6x5");
	expect_not_found(&net, empty, "stage1.conv", CONV " g2 6x5");
	pare_graph_free(net.graph);
	pare_lut_free(empty);
	pare_lut_free(lut);
}

static void test_lut_lookup__a_fused_activation_is_another_family(void **state)
{
	struct pare_lut *lut = conv_table();
	struct net net;
	(void)state;
	net_open(&net, 8);
	add_conv(&net, "conv", 8, 1);
	add_relu(&net);
	expect_not_found(&net, lut, "conv", CONV " g1 relu 6x5");
	test_table_add(lut, CONV " g1 relu 6x5", in_widths, 3, out_widths, 3);
	expect_ms(&net, lut, test_table_ms(8, 8));
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

static void test_lut_lookup__depthwise_families_have_one_axis(void **state)
{
	static const int64_t channels[] = {8, 10, 32, 5};
	struct pare_lut *lut = test_table_new();
	(void)state;
	test_table_add(lut, CONV " gdw 6x5", NULL, 0, out_widths, 3);
	for (int i = 0; i < 4; i++) {
		struct net net;
		net_open(&net, channels[i]);
		add_conv(&net, "dw", channels[i], (int)channels[i]);
		expect_ms(&net, lut, test_table_ms(0, channels[i]));
		pare_graph_free(net.graph);
	}
	pare_lut_free(lut);
}

static void test_lut_lookup__filters_per_channel_are_in_a_depthwise_key(void **state)
{
	struct pare_lut *lut = test_table_new();
	struct net net;
	(void)state;
	test_table_add(lut, CONV " gdw x2 6x5", NULL, 0, out_widths, 3);
	net_open(&net, 6);
	add_conv(&net, "dw", 12, 6);
	expect_ms(&net, lut, test_table_ms(0, 12));
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

/* With one channel left, nothing tells it from a plain convolution of one channel. */
static void test_lut_lookup__a_depthwise_step_cut_to_one_channel_is_found(void **state)
{
	struct pare_lut *lut = test_table_new();
	struct net net;
	(void)state;
	test_table_add(lut, CONV " gdw 6x5", NULL, 0, out_widths, 3);
	net_open(&net, 1);
	add_conv(&net, "dw", 1, 1);
	expect_ms(&net, lut, test_table_ms(0, 1));
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

/* With one channel a group left, nothing tells it from a depthwise one. */
static void test_lut_lookup__a_grouped_step_cut_to_one_channel_a_group_is_found(void **state)
{
	struct pare_lut *lut = test_table_new();
	struct net net;
	(void)state;
	test_table_add(lut, CONV " g4 6x5", in_widths, 3, out_widths, 3);
	net_open(&net, 4);
	add_conv(&net, "grouped", 8, 4);
	expect_ms(&net, lut, test_table_ms(4, 8));
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

static void test_lut_lookup__an_axis_of_one_width_holds_for_that_width_only(void **state)
{
	static const int three[] = {3};
	struct pare_lut *lut = test_table_new();
	(void)state;
	test_table_add(lut, CONV " g1 6x5", three, 1, out_widths, 3);
	for (int64_t in = 2; in <= 4; in++) {
		struct net net;
		net_open(&net, in);
		add_conv(&net, "stem", 10, 1);
		if (in == 3)
			expect_ms(&net, lut, test_table_ms(3, 10));
		else
			expect_not_found(&net, lut, "stem", "outside");
		pare_graph_free(net.graph);
	}
	pare_lut_free(lut);
}

static void test_lut_lookup__a_network_is_the_sum_of_its_steps_and_views_are_free(void **state)
{
	struct pare_lut *lut = conv_table();
	struct pare_step *steps;
	struct net net;
	double sum = 0.0;
	(void)state;
	test_table_add(lut, CONV " g1 relu 6x5", in_widths, 3, out_widths, 3);
	net_open(&net, 4);
	add_conv(&net, "conv1", 8, 1);
	add_relu(&net);
	add_conv(&net, "conv2", 9, 1);
	add_flatten(&net);
	int n = pare_graph_steps(net.graph, &steps);
	assert_int_equal(n, 3);
	for (int s = 0; s < n; s++) {
		double ms;
		assert_int_equal(pare_lut_step(lut, net.graph, &steps[s], &ms, &net.error), 0);
		sum += ms;
	}
	expect_close(sum, test_table_ms(4, 8) + test_table_ms(8, 9), TOLERANCE_MS);
	expect_ms(&net, lut, sum);
	free(steps);
	pare_graph_free(net.graph);
	pare_lut_free(lut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lut_lookup__entries_are_hit_exactly),
	        cmocka_unit_test(test_lut_lookup__between_entries_it_is_bilinear),
	        cmocka_unit_test(test_lut_lookup__below_the_grid_it_is_linear),
	        cmocka_unit_test(test_lut_lookup__no_step_takes_less_than_no_time),
	        cmocka_unit_test(test_lut_lookup__above_the_grid_is_an_error_that_names_the_step),
	        cmocka_unit_test(test_lut_lookup__an_unknown_family_is_an_error_that_names_the_step),
	        cmocka_unit_test(test_lut_lookup__a_fused_activation_is_another_family),
	        cmocka_unit_test(test_lut_lookup__depthwise_families_have_one_axis),
	        cmocka_unit_test(test_lut_lookup__filters_per_channel_are_in_a_depthwise_key),
	        cmocka_unit_test(test_lut_lookup__a_depthwise_step_cut_to_one_channel_is_found),
	        cmocka_unit_test(test_lut_lookup__a_grouped_step_cut_to_one_channel_a_group_is_found),
	        cmocka_unit_test(test_lut_lookup__an_axis_of_one_width_holds_for_that_width_only),
	        cmocka_unit_test(test_lut_lookup__a_network_is_the_sum_of_its_steps_and_views_are_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
