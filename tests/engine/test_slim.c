#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/base/rng.h"
#include "engine/compress/slim.h"
#include "engine/graph/exec.h"
#include "engine/ops/builders.h"
#include "tests/support/nets.h"

/* Float sums in another order: a few times 1e-6 per layer, over up to 56 layers. */
#define TOLERANCE 1e-4

static const double ratios[] = {0.3, 0.5, 0.8};
#define N_RATIOS ((int)(sizeof(ratios) / sizeof(ratios[0])))

/* A network, a plan for it, and what comes out. */
struct cutting {
	struct pare_graph *graph;
	struct pare_groups groups;
	struct pare_plan plan;
	struct pare_graph *slim, *masked;
	struct pare_error error;
};

/* Takes the graph; nothing is cut in the plan yet. */
static void cutting_open(struct cutting *cutting, struct pare_graph *graph)
{
	*cutting = (struct cutting){.graph = graph};
	test_net_randomize(graph, 11);
	assert_int_equal(pare_groups_init(&cutting->groups, graph, &cutting->error), PARE_OK);
	assert_int_equal(pare_plan_init(&cutting->plan, &cutting->groups), PARE_OK);
}

static void cutting_close(struct cutting *cutting)
{
	pare_graph_free(cutting->slim);
	pare_graph_free(cutting->masked);
	pare_plan_release(&cutting->plan);
	pare_groups_release(&cutting->groups);
	pare_graph_free(cutting->graph);
}

static void keep(struct cutting *cutting, const char *group, int64_t channels)
{
	int g = pare_groups_find(&cutting->groups, group);
	assert_true(g >= 0);
	cutting->plan.kept[g] = channels;
}

static void expect_ok(int status, const struct pare_error *error)
{
	if (status)
		fail_msg("%s", error->text);
}

static void cut(struct cutting *cutting)
{
	struct pare_error *error = &cutting->error;
	expect_ok(pare_slim(&cutting->groups, &cutting->plan, &pare_criterion_l2, &cutting->slim, error), error);
	expect_ok(pare_mask(&cutting->groups, &cutting->plan, &pare_criterion_l2, &cutting->masked, error), error);
}

/* Runs a test on every network, hand-made and zoo, at several ratios. `least`: channels every group keeps. */
static void for_each_cutting(void (*test)(struct cutting *cutting), int64_t least)
{
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		pare_graph_free(graph);
		for (int r = 0; r < N_RATIOS; r++) {
			struct cutting cutting;
			cutting_open(&cutting, test_net_build_any(n));
			test_plan_randomize(&cutting.plan, &cutting.groups, ratios[r], least, (uint64_t)(100 * n + r));
			cut(&cutting);
			test(&cutting);
			cutting_close(&cutting);
		}
	}
}

static void expect_agreement(struct cutting *cutting)
{
	double difference = -1.0;
	int64_t images = cutting->plan.kept[1] % 2 ? 9 : 3; /* both layouts */
	expect_ok(pare_slim_check(cutting->slim, cutting->masked, images, 5, &difference, &cutting->error),
	          &cutting->error);
	if (!(difference >= 0.0 && difference <= TOLERANCE))
		fail_msg("%s: slim and masked differ by %g", cutting->graph->name, difference);
	assert_true(pare_graph_parameters(cutting->slim) < pare_graph_parameters(cutting->graph));
}

static void test_slim__slim_and_masked_networks_agree(void **state)
{
	(void)state;
	for_each_cutting(expect_agreement, 1);
}

/* Weights are nowhere 0 and variances nowhere 1 before the cut (test_net_randomize), so what is left in the masked
 * network is what was not cut; the slim one must hold exactly that, in that order. */
static void expect_same_survivors(struct cutting *cutting)
{
	for (int p = 0; p < cutting->graph->n_params; p++) {
		const struct pare_param *masked = &cutting->masked->params[p], *slim = &cutting->slim->params[p];
		const float absent = masked->role == PARE_PARAM_BN_VAR ? 1.0f : 0.0f;
		int64_t next = 0, n_slim = pare_shape_elements(&slim->shape);
		for (int64_t i = 0; i < pare_shape_elements(&masked->shape); i++) {
			if (masked->data[i] == absent)
				continue;
			assert_true(next < n_slim);
			assert_true(masked->data[i] == cutting->graph->params[p].data[i]);
			assert_true(masked->data[i] == slim->data[next++]);
		}
		assert_int_equal(next, n_slim);
	}
}

static void test_slim__masked_network_is_zero_where_slim_is_cut_and_survivors_keep_their_order(void **state)
{
	(void)state;
	for_each_cutting(expect_same_survivors, 1);
}

static void expect_same_shapes(const struct pare_graph *slim, const struct pare_graph *shape)
{
	assert_int_equal(pare_graph_macs(shape), pare_graph_macs(slim));
	assert_int_equal(pare_graph_parameters(shape), pare_graph_parameters(slim));
	assert_int_equal(pare_graph_bytes(shape), pare_graph_bytes(slim));
	assert_int_equal(shape->n_values, slim->n_values);
	for (int v = 0; v < slim->n_values; v++)
		assert_true(pare_shape_equal(&shape->values[v].shape, &slim->values[v].shape));
}

static void expect_shape_network(struct cutting *cutting)
{
	struct pare_graph *shape = NULL;
	expect_ok(pare_slim_shape(&cutting->groups, &cutting->plan, &shape, &cutting->error), &cutting->error);
	expect_same_shapes(cutting->slim, shape);
	for (int p = 0; p < shape->n_params; p++)
		for (int64_t i = 0; i < pare_shape_elements(&shape->params[p].shape); i++)
			assert_true(shape->params[p].data[i] == 0.0f);
	pare_graph_free(shape);
}

static void test_slim__shape_network_counts_like_the_slim_one(void **state)
{
	(void)state;
	for_each_cutting(expect_shape_network, 1);
}

/* The same slimmer over and over, with a refused plan in between. */
static void test_slim__shape_slimmer_can_be_cut_again_and_again(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct cutting cutting;
		struct pare_shape_slimmer *slimmer = NULL;
		const struct pare_graph *shape;
		cutting_open(&cutting, graph);
		int free_group = 0;
		while (cutting.groups.group[free_group].frozen)
			free_group++;
		expect_ok(pare_shape_slimmer_new(&slimmer, &cutting.groups, &cutting.error), &cutting.error);
		for (uint64_t trial = 0; trial < 4; trial++) {
			struct pare_graph *fresh = NULL;
			cutting.plan.kept[free_group] = 0;
			assert_int_equal(pare_shape_slimmer_cut(slimmer, &cutting.plan, &shape, NULL), PARE_E_INVALID);
			assert_null(shape);
			test_plan_randomize(&cutting.plan, &cutting.groups, 0.2 * (double)(trial + 1), 1, trial);
			expect_ok(pare_shape_slimmer_cut(slimmer, &cutting.plan, &shape, &cutting.error),
			          &cutting.error);
			expect_ok(pare_slim_shape(&cutting.groups, &cutting.plan, &fresh, NULL), &cutting.error);
			expect_same_shapes(fresh, shape);
			pare_graph_free(fresh);
		}
		pare_shape_slimmer_free(slimmer);
		cutting_close(&cutting);
	}
}

static void expect_frozen_untouched(struct cutting *cutting)
{
	const struct pare_graph *graph = cutting->graph, *slim = cutting->slim;
	assert_true(pare_shape_equal(&slim->values[slim->input].shape, &graph->values[graph->input].shape));
	assert_true(pare_shape_equal(&slim->values[slim->output].shape, &graph->values[graph->output].shape));
	assert_string_equal(slim->values[slim->output].name, graph->values[graph->output].name);
	for (int g = 0; g < cutting->groups.n_groups; g++) {
		const struct pare_group *group = &cutting->groups.group[g];
		for (int n = 0; group->frozen && n < group->n_nodes; n++) {
			int weight = graph->nodes[group->nodes[n]].params[0];
			assert_int_equal(slim->params[weight].shape.dim[0], graph->params[weight].shape.dim[0]);
		}
	}
}

static void test_slim__frozen_groups_are_untouched(void **state)
{
	(void)state;
	for_each_cutting(expect_frozen_untouched, 1);
}

static void expect_same_groups(struct cutting *cutting)
{
	struct pare_groups groups;
	expect_ok(pare_groups_init(&groups, cutting->slim, &cutting->error), &cutting->error);
	assert_int_equal(groups.n_groups, cutting->groups.n_groups);
	for (int g = 0; g < groups.n_groups; g++) {
		assert_string_equal(groups.group[g].name, cutting->groups.group[g].name);
		assert_int_equal(groups.group[g].channels, cutting->plan.kept[g]);
	}
	pare_groups_release(&groups);
}

static void test_slim__slim_network_has_the_same_groups(void **state)
{
	(void)state;
	for_each_cutting(expect_same_groups, 1);
}

static void test_slim__nothing_cut_is_the_same_network(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct cutting cutting;
		char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE];
		test_net_name_output(graph, "logits");
		cutting_open(&cutting, graph);
		cut(&cutting);
		assert_int_equal(pare_graph_hash(graph, before), PARE_OK);
		assert_int_equal(pare_graph_hash(cutting.slim, after), PARE_OK);
		assert_string_equal(after, before);
		assert_int_equal(pare_graph_hash(cutting.masked, after), PARE_OK);
		assert_string_equal(after, before);
		cutting_close(&cutting);
	}
}

/* One channel a group is the end of the road, for depthwise and grouped convolutions too. */
static void test_slim__every_network_runs_with_one_channel_a_group(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct cutting cutting;
		cutting_open(&cutting, graph);
		test_plan_randomize(&cutting.plan, &cutting.groups, -1.0, 1, 0);
		cut(&cutting);
		expect_agreement(&cutting);
		cutting_close(&cutting);
	}
}

static void fill_normal(struct pare_tensor tensor, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 0);
	memset(tensor.data, 0, (size_t)pare_tensor_size(&tensor) * sizeof(float));
	for (int64_t i = 0; i < tensor.images; i++)
		for (int64_t e = 0; e < pare_shape_elements(&tensor.shape); e++)
			*pare_tensor_at(&tensor, i, e) = (float)pare_rng_normal(&rng);
}

static void expect_finite_gradients(const struct pare_exec *exec, const struct pare_graph *graph)
{
	double sum = 0.0;
	for (int p = 0; p < graph->n_params; p++) {
		const float *gradient = pare_exec_param_gradient(exec, p);
		for (int64_t i = 0; gradient && i < pare_shape_elements(&graph->params[p].shape); i++) {
			assert_true(isfinite(gradient[i]));
			sum += fabs((double)gradient[i]);
		}
	}
	assert_true(sum > 0.0);
}

static void expect_trainable(struct cutting *cutting)
{
	struct pare_exec *exec = NULL;
	struct pare_exec_options options = {.images = cutting->plan.kept[1] % 2 ? 9 : 3, .training = true};
	expect_ok(pare_exec_new(&exec, cutting->slim, &options, &cutting->error), &cutting->error);
	fill_normal(pare_exec_input(exec), 1);
	pare_exec_forward(exec);
	fill_normal(pare_exec_output_gradient(exec), 2);
	pare_exec_backward(exec);
	expect_finite_gradients(exec, cutting->slim);
	pare_exec_free(exec);
}

static void test_slim__slim_networks_can_be_trained(void **state)
{
	(void)state;
	for_each_cutting(expect_trainable, 1);
}

static double filter_norm(const struct pare_graph *graph, const char *param, int64_t filter, bool squared)
{
	const struct pare_param *weight = &graph->params[pare_graph_find_param(graph, param)];
	int64_t size = pare_shape_plane(&weight->shape);
	double sum = 0.0;
	for (int64_t i = filter * size; i < (filter + 1) * size; i++)
		sum += squared ? (double)weight->data[i] * (double)weight->data[i] : fabs((double)weight->data[i]);
	return sum;
}

/* Scores of the "residual" network's stream, straight from the definition: all three layers that write to it. */
static void test_slim__criteria_score_all_filters_of_a_channel(void **state)
{
	(void)state;
	struct cutting cutting;
	double l1[8], l2[8];
	cutting_open(&cutting, test_net_build("residual"));
	int g = pare_groups_find(&cutting.groups, "stem");
	assert_int_equal(pare_criterion_find("l1")->score(&cutting.groups, g, l1, NULL), PARE_OK);
	assert_int_equal(pare_criterion_find("l2")->score(&cutting.groups, g, l2, NULL), PARE_OK);
	for (int c = 0; c < 8; c++) {
		double sum = 0.0, squares = 0.0;
		static const char *const layers[] = {"stem.weight", "block1.conv2.weight", "block2.conv2.weight"};
		for (int layer = 0; layer < 3; layer++) {
			sum += filter_norm(cutting.graph, layers[layer], c, false);
			squares += filter_norm(cutting.graph, layers[layer], c, true);
		}
		assert_true(fabs(l1[c] - sum) <= 1e-9 * sum);
		assert_true(fabs(l2[c] - sqrt(squares)) <= 1e-9 * sqrt(squares));
	}
	assert_null(pare_criterion_find("l3"));
	cutting_close(&cutting);
}

static void test_slim__depthwise_filters_count_for_their_channel(void **state)
{
	(void)state;
	struct cutting cutting;
	double l1[8];
	cutting_open(&cutting, test_net_build("depthwise"));
	int g = pare_groups_find(&cutting.groups, "stem");
	assert_int_equal(pare_criterion_l1.score(&cutting.groups, g, l1, NULL), PARE_OK);
	for (int c = 0; c < 8; c++) {
		double sum = filter_norm(cutting.graph, "stem.weight", c, false) +
		             filter_norm(cutting.graph, "depth1.weight", c, false);
		assert_true(fabs(l1[c] - sum) <= 1e-9 * sum);
	}
	cutting_close(&cutting);
}

static void set_filters(struct pare_graph *graph, const char *param, const float *values)
{
	struct pare_param *weight = &graph->params[pare_graph_find_param(graph, param)];
	int64_t size = pare_shape_plane(&weight->shape);
	for (int64_t i = 0; i < pare_shape_elements(&weight->shape); i++)
		weight->data[i] = values[i / size];
}

static void expect_filters(const struct pare_graph *slim, const char *param, const float *values, int64_t count)
{
	const struct pare_param *weight = &slim->params[pare_graph_find_param(slim, param)];
	assert_int_equal(weight->shape.dim[0], count);
	for (int64_t i = 0; i < count; i++)
		assert_true(weight->data[i * pare_shape_plane(&weight->shape)] == values[i]);
}

static void test_slim__highest_scores_stay_in_their_order(void **state)
{
	(void)state;
	struct cutting cutting;
	cutting_open(&cutting, test_net_build("plain"));
	set_filters(cutting.graph, "conv1.weight", (float[]){1, -7, 2, 5, -3, 8, 4, 6});
	keep(&cutting, "conv1", 4);
	cut(&cutting);
	expect_filters(cutting.slim, "conv1.weight", (float[]){-7, 5, 8, 6}, 4);
	cutting_close(&cutting);
}

static void test_slim__ties_go_to_the_lower_index(void **state)
{
	(void)state;
	struct cutting cutting;
	cutting_open(&cutting, test_net_build("plain"));
	set_filters(cutting.graph, "conv1.weight", (float[]){2, 2, -2, 3, 2, -2, 2, 2});
	float *bias = cutting.graph->params[pare_graph_find_param(cutting.graph, "conv1.bias")].data;
	for (int c = 0; c < 8; c++)
		bias[c] = (float)(c + 1);
	keep(&cutting, "conv1", 4);
	cut(&cutting);
	expect_filters(cutting.slim, "conv1.bias", (float[]){1, 2, 3, 4}, 4);
	cutting_close(&cutting);
}

/* Filters 2 and 5 of each of the four groups of six are the large ones. */
static void test_slim__grouped_convolutions_lose_the_same_channels_in_every_group(void **state)
{
	(void)state;
	struct cutting cutting;
	cutting_open(&cutting, test_net_build("grouped"));
	float filters[24];
	for (int o = 0; o < 24; o++)
		filters[o] = (float)(o % 6 == 2 || o % 6 == 5 ? 100 + o : 1);
	set_filters(cutting.graph, "grouped1.weight", filters);
	keep(&cutting, "grouped1", 2);
	cut(&cutting);
	expect_filters(cutting.slim, "grouped1.weight", (float[]){102, 105, 108, 111, 114, 117, 120, 123}, 8);
	expect_agreement(&cutting);
	cutting_close(&cutting);
}

static void expect_refused(struct cutting *cutting, int status, const char *message)
{
	struct pare_graph *graph = cutting->graph;
	const struct pare_criterion *l2 = &pare_criterion_l2;
	assert_int_equal(pare_slim(&cutting->groups, &cutting->plan, l2, &graph, &cutting->error), status);
	assert_null(graph);
	assert_non_null(strstr(cutting->error.text, message));
	graph = cutting->graph;
	assert_int_equal(pare_mask(&cutting->groups, &cutting->plan, l2, &graph, &cutting->error), status);
	assert_null(graph);
	assert_non_null(strstr(cutting->error.text, message));
}

static void test_slim__plans_out_of_range_are_refused(void **state)
{
	(void)state;
	struct cutting cutting;
	struct pare_graph *shape;
	cutting_open(&cutting, test_net_build("plain"));
	keep(&cutting, "conv1", 0);
	expect_refused(&cutting, PARE_E_INVALID, "group \"conv1\" cannot keep 0 channels, allowed are 1 to 8");
	assert_int_equal(pare_slim_shape(&cutting.groups, &cutting.plan, &shape, NULL), PARE_E_INVALID);
	assert_null(shape);
	keep(&cutting, "conv1", 9);
	expect_refused(&cutting, PARE_E_INVALID, "group \"conv1\" cannot keep 9 channels");
	keep(&cutting, "conv1", 8);
	keep(&cutting, "fc", 4);
	expect_refused(&cutting, PARE_E_INVALID, "frozen: ");
	cutting_close(&cutting);
}

static void test_slim__diverged_weights_are_refused(void **state)
{
	(void)state;
	struct cutting cutting;
	cutting_open(&cutting, test_net_build("plain"));
	cutting.graph->params[pare_graph_find_param(cutting.graph, "conv2.weight")].data[5] = NAN;
	cut(&cutting); /* nothing to choose, nothing to refuse */
	keep(&cutting, "conv2", 6);
	expect_refused(&cutting, PARE_E_DIVERGED, "\"conv2\"");
	cutting_close(&cutting);
}

/* Padding that keeps its amounts although channels of its output went away. */
static void test_slim__operator_that_contradicts_itself_is_named(void **state)
{
	(void)state;
	struct cutting cutting;
	struct pare_op stubborn = pare_op_pad;
	stubborn.slim = NULL;
	cutting_open(&cutting, test_net_build("option_a"));
	int pad = pare_graph_find_node(cutting.graph, "pad");
	cutting.graph->nodes[pad].op = &stubborn;
	keep(&cutting, "block1.conv2", 1);
	struct pare_graph *slim;
	assert_int_equal(pare_slim_shape(&cutting.groups, &cutting.plan, &slim, &cutting.error), PARE_E_UNSUPPORTED);
	assert_null(slim);
	assert_non_null(strstr(cutting.error.text, "pad (pad): cut to 5x4x4, but its operator gives 9x4x4"));
	cutting_close(&cutting);
}

static void test_slim__check_sees_a_wrong_weight(void **state)
{
	(void)state;
	struct cutting cutting;
	double difference = 0.0;
	cutting_open(&cutting, test_net_build("residual"));
	keep(&cutting, "stem", 5);
	cut(&cutting);
	cutting.slim->params[0].data[3] += 0.05f;
	expect_ok(pare_slim_check(cutting.slim, cutting.masked, 4, 1, &difference, &cutting.error), &cutting.error);
	assert_true(difference > 10 * TOLERANCE);
	cutting.slim->params[0].data[3] = NAN;
	expect_ok(pare_slim_check(cutting.slim, cutting.masked, 4, 1, &difference, &cutting.error), &cutting.error);
	assert_true(isnan(difference));
	cutting_close(&cutting);
}

static void test_slim__check_refuses_networks_of_different_outputs(void **state)
{
	(void)state;
	struct pare_graph *slim = test_net_build("plain"), *masked = pare_graph_copy(slim);
	struct pare_error error;
	double difference;
	slim->output = slim->nodes[0].output;
	assert_int_equal(pare_slim_check(slim, masked, 2, 1, &difference, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "8x8x8"));
	pare_graph_free(slim);
	pare_graph_free(masked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_slim__slim_and_masked_networks_agree),
	        cmocka_unit_test(test_slim__masked_network_is_zero_where_slim_is_cut_and_survivors_keep_their_order),
	        cmocka_unit_test(test_slim__shape_network_counts_like_the_slim_one),
	        cmocka_unit_test(test_slim__shape_slimmer_can_be_cut_again_and_again),
	        cmocka_unit_test(test_slim__frozen_groups_are_untouched),
	        cmocka_unit_test(test_slim__slim_network_has_the_same_groups),
	        cmocka_unit_test(test_slim__nothing_cut_is_the_same_network),
	        cmocka_unit_test(test_slim__every_network_runs_with_one_channel_a_group),
	        cmocka_unit_test(test_slim__slim_networks_can_be_trained),
	        cmocka_unit_test(test_slim__criteria_score_all_filters_of_a_channel),
	        cmocka_unit_test(test_slim__depthwise_filters_count_for_their_channel),
	        cmocka_unit_test(test_slim__highest_scores_stay_in_their_order),
	        cmocka_unit_test(test_slim__ties_go_to_the_lower_index),
	        cmocka_unit_test(test_slim__grouped_convolutions_lose_the_same_channels_in_every_group),
	        cmocka_unit_test(test_slim__plans_out_of_range_are_refused),
	        cmocka_unit_test(test_slim__diverged_weights_are_refused),
	        cmocka_unit_test(test_slim__operator_that_contradicts_itself_is_named),
	        cmocka_unit_test(test_slim__check_sees_a_wrong_weight),
	        cmocka_unit_test(test_slim__check_refuses_networks_of_different_outputs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
