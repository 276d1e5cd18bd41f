#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/compress/fold.h"
#include "engine/compress/slim.h"
#include "engine/ops/builders.h"
#include "tests/support/nets.h"

#define TOLERANCE 1e-4 /* relative to the largest output */

static struct pare_graph *fold(const struct pare_graph *graph)
{
	struct pare_error error;
	struct pare_graph *folded = pare_fold_batch_norm(graph, &error);
	if (!folded)
		fail_msg("%s", error.text);
	return folded;
}

static int count_batch_norms(const struct pare_graph *graph)
{
	int count = 0;
	for (int n = 0; n < graph->n_nodes; n++)
		count += graph->nodes[n].op == &pare_op_batch_norm;
	return count;
}

/* pare_slim_check compares any two networks of equal outputs. */
static void expect_same_function(const struct pare_graph *graph, const struct pare_graph *folded)
{
	struct pare_error error = {0};
	double difference = -1.0;
	assert_int_equal(pare_slim_check(folded, graph, 9, 3, &difference, &error), PARE_OK);
	if (!(difference >= 0.0 && difference <= TOLERANCE))
		fail_msg("%s: folding changes the outputs by %g", graph->name, difference);
}

static void test_fold__folded_networks_compute_the_same(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		test_net_randomize(graph, 21);
		test_net_name_output(graph, "logits");
		struct pare_graph *folded = fold(graph);
		expect_same_function(graph, folded);
		assert_true(folded->n_nodes + count_batch_norms(graph) == graph->n_nodes + count_batch_norms(folded));
		assert_int_equal(pare_graph_macs(folded), pare_graph_macs(graph));
		assert_string_equal(folded->values[folded->output].name, graph->values[graph->output].name);
		pare_graph_free(folded);
		pare_graph_free(graph);
	}
}

/* A study searches the network with its batch norms and prices the folded one: both must have the same knobs. */
static void test_fold__folding_keeps_the_coupling_groups(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct pare_graph *folded = fold(graph);
		struct pare_groups before, after;
		assert_int_equal(pare_groups_init(&before, graph, NULL), PARE_OK);
		assert_int_equal(pare_groups_init(&after, folded, NULL), PARE_OK);
		assert_int_equal(after.n_groups, before.n_groups);
		for (int g = 0; g < before.n_groups; g++) {
			assert_string_equal(after.group[g].name, before.group[g].name);
			assert_int_equal(after.group[g].channels, before.group[g].channels);
			assert_int_equal(after.group[g].frozen != NULL, before.group[g].frozen != NULL);
		}
		pare_groups_release(&before);
		pare_groups_release(&after);
		pare_graph_free(folded);
		pare_graph_free(graph);
	}
}

/* A linear layer's features lie along the last dimension, batch norm's channels along the first: here both are 5. */
static void test_fold__batch_norm_along_another_dimension_stays(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("rows", pare_shape_chw(5, 3, 4), "x");
	int value = graph->input;
	assert_int_equal(pare_build_linear(graph, "linear", 5, true, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "bn", &value, NULL), PARE_OK);
	graph->output = value;
	test_net_randomize(graph, 3);
	struct pare_graph *folded = fold(graph);
	assert_int_equal(count_batch_norms(folded), 1);
	expect_same_function(graph, folded);
	pare_graph_free(folded);
	pare_graph_free(graph);
}

static void test_fold__residual_and_depthwise_networks_lose_all_batch_norms(void **state)
{
	(void)state;
	static const char *const names[] = {"plain_cnn", "vgg_small", "resnet8",
	                                    "resnet20",  "resnet56",  "mobilenet_v1"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pare_graph *graph = test_net_build_zoo(names[i]);
		struct pare_graph *folded = fold(graph);
		assert_true(count_batch_norms(graph) > 0);
		assert_int_equal(count_batch_norms(folded), 0);
		for (int p = 0; p < folded->n_params; p++)
			assert_true(folded->params[p].role == PARE_PARAM_WEIGHT ||
			            folded->params[p].role == PARE_PARAM_BIAS);
		pare_graph_free(folded);
		pare_graph_free(graph);
	}
}

static void test_fold__layers_keep_their_names_and_get_a_bias(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build("residual");
	struct pare_graph *folded = fold(graph);
	for (int n = 0; n < graph->n_nodes; n++) {
		const struct pare_node *node = &graph->nodes[n];
		int found = pare_graph_find_node(folded, node->name);
		assert_true((found < 0) == (node->op == &pare_op_batch_norm));
		if (node->op == &pare_op_conv2d) {
			assert_int_equal(folded->nodes[found].n_params, 2);
			assert_string_equal(folded->params[folded->nodes[found].params[0]].name,
			                    graph->params[node->params[0]].name);
			assert_int_equal(folded->params[folded->nodes[found].params[1]].role, PARE_PARAM_BIAS);
		}
	}
	pare_graph_free(folded);
	pare_graph_free(graph);
}

/* Behind a concatenation there is nothing to fold into: "bn" of concat; bn1 ... bn4 of dense, whose stem and conv3 are
 * read by a concatenation as well. */
static void test_fold__batch_norms_behind_other_operators_stay(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build("concat"), *folded = fold(graph);
	assert_int_equal(count_batch_norms(folded), 1);
	assert_true(pare_graph_find_node(folded, "bn") >= 0);
	pare_graph_free(folded);
	pare_graph_free(graph);
	graph = test_net_build("dense");
	folded = fold(graph);
	assert_int_equal(count_batch_norms(folded), 4);
	pare_graph_free(folded);
	pare_graph_free(graph);
}

/* {3, 8, 8} -> conv, 4 channels */
static struct pare_graph *start_with_conv(int *value)
{
	struct pare_graph *graph = pare_graph_new("small", pare_shape_chw(3, 8, 8), "input");
	assert_non_null(graph);
	*value = graph->input;
	assert_int_equal(pare_build_conv(graph, "conv", 4, 3, 1, 1, false, value, NULL), PARE_OK);
	return graph;
}

static void expect_nothing_folded(struct pare_graph *graph)
{
	test_net_randomize(graph, 5);
	struct pare_graph *folded = fold(graph);
	assert_int_equal(count_batch_norms(folded), count_batch_norms(graph));
	assert_int_equal(folded->n_params, graph->n_params);
	expect_same_function(graph, folded);
	pare_graph_free(folded);
	pare_graph_free(graph);
}

static void test_fold__output_that_others_read_is_left_alone(void **state)
{
	(void)state;
	int value;
	struct pare_graph *graph = start_with_conv(&value);
	int raw = value;
	assert_int_equal(pare_build_batch_norm(graph, "bn", &value, NULL), PARE_OK);
	assert_int_equal(pare_build_add(graph, "add", raw, &value, NULL), PARE_OK);
	graph->output = value;
	expect_nothing_folded(graph);
}

/* The network hands out the convolution's own output, the batch norm is a dead end. */
static void test_fold__network_output_is_a_reader(void **state)
{
	(void)state;
	int value;
	struct pare_graph *graph = start_with_conv(&value);
	graph->output = value;
	assert_int_equal(pare_build_batch_norm(graph, "bn", &value, NULL), PARE_OK);
	expect_nothing_folded(graph);
}

/* Two layers, one weight, two batch norms: scaling the weight for one would spoil the other. */
static void test_fold__shared_weights_are_left_alone(void **state)
{
	(void)state;
	int left, right;
	struct pare_graph *graph = start_with_conv(&left);
	const struct pare_node *conv = &graph->nodes[0];
	struct pare_node_spec twin = {.name = "twin",
	                              .op = conv->op,
	                              .attrs = conv->attrs,
	                              .inputs = conv->inputs,
	                              .n_inputs = 1,
	                              .params = conv->params,
	                              .n_params = conv->n_params};
	assert_int_equal(pare_graph_add_node(graph, &twin, &right, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "left.bn", &left, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "right.bn", &right, NULL), PARE_OK);
	assert_int_equal(pare_build_add(graph, "add", left, &right, NULL), PARE_OK);
	graph->output = right;
	expect_nothing_folded(graph);
}

static void test_fold__only_the_first_of_two_batch_norms_is_folded(void **state)
{
	(void)state;
	int value;
	struct pare_graph *graph = start_with_conv(&value);
	assert_int_equal(pare_build_batch_norm(graph, "bn1", &value, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "bn2", &value, NULL), PARE_OK);
	graph->output = value;
	test_net_randomize(graph, 5);
	struct pare_graph *folded = fold(graph);
	assert_int_equal(count_batch_norms(folded), 1);
	assert_true(pare_graph_find_node(folded, "bn2") >= 0);
	expect_same_function(graph, folded);
	pare_graph_free(folded);
	pare_graph_free(graph);
}

/* One filter by hand: weight 2, bias 0.5, scale 3, shift -1, mean 0.25, variance 4 - epsilon. */
static void test_fold__numbers_of_one_filter(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("one", pare_shape_vector(1), "input");
	int value = graph->input;
	assert_int_equal(pare_build_linear(graph, "fc", 1, true, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "bn", &value, NULL), PARE_OK);
	graph->output = value;
	const struct pare_batch_norm *attrs = graph->nodes[1].attrs;
	const float values[] = {2.0f, 0.5f, 3.0f, -1.0f, 0.25f, 4.0f - attrs->epsilon};
	for (int p = 0; p < 6; p++)
		graph->params[p].data[0] = values[p];
	test_net_name_output(graph, "logits");
	struct pare_graph *folded = fold(graph);
	assert_string_equal(folded->values[folded->output].name, "logits");
	assert_int_equal(folded->n_params, 2);
	assert_true(fabs((double)folded->params[0].data[0] - 3.0) < 1e-6);    /* 2 * 3 / 2 */
	assert_true(fabs((double)folded->params[1].data[0] - -0.625) < 1e-6); /* (0.5 - 0.25) * 3 / 2 - 1 */
	pare_graph_free(folded);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_fold__folded_networks_compute_the_same),
	        cmocka_unit_test(test_fold__folding_keeps_the_coupling_groups),
	        cmocka_unit_test(test_fold__batch_norm_along_another_dimension_stays),
	        cmocka_unit_test(test_fold__residual_and_depthwise_networks_lose_all_batch_norms),
	        cmocka_unit_test(test_fold__layers_keep_their_names_and_get_a_bias),
	        cmocka_unit_test(test_fold__batch_norms_behind_other_operators_stay),
	        cmocka_unit_test(test_fold__output_that_others_read_is_left_alone),
	        cmocka_unit_test(test_fold__network_output_is_a_reader),
	        cmocka_unit_test(test_fold__shared_weights_are_left_alone),
	        cmocka_unit_test(test_fold__only_the_first_of_two_batch_norms_is_folded),
	        cmocka_unit_test(test_fold__numbers_of_one_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
