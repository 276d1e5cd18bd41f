#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/compress/fold.h"
#include "engine/train/evaluate.h"
#include "evaluators/evaluators.h"
#include "tests/support/small_data.h"

/* A network, data, a table for it, and what the evaluators say. */
struct bench {
	struct pare_splits splits;
	struct pare_graph *graph, *folded;
	struct pare_lut *lut;
	struct pare_evaluation_setup setup;
	struct pare_candidate candidate;
	struct pare_metrics metrics;
	struct pare_error error;
};

static void build_table(struct bench *bench)
{
	struct pare_lut_build_options options = {
	        .batch = 16, .threads = 1, .step = 4, .points = 2, .min_ratio = 0.5, .max_ms = 0.001};
	struct pare_groups groups;
	assert_int_equal(pare_groups_init(&groups, bench->folded, &bench->error), 0);
	if (pare_lut_build(&bench->lut, bench->folded, &groups, &options, &bench->error))
		fail_msg("%s", bench->error.text);
	pare_groups_release(&groups);
}

static int open_bench(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	small_data_load(&bench->splits, 100, 60);
	bench->graph = small_net(true, 1);
	bench->folded = pare_fold_batch_norm(bench->graph, &bench->error);
	assert_non_null(bench->folded);
	build_table(bench);
	bench->candidate = (struct pare_candidate){.graph = bench->graph, .seed = 5};
	bench->setup = (struct pare_evaluation_setup){
	        .lut = bench->lut,
	        .train = &bench->splits.train,
	        .search = &bench->splits.test,
	        .fine_tune = {.batch = 20,
	                      .steps = 4,
	                      .schedule = {.kind = PARE_SCHEDULE_CONSTANT, .learning_rate = 0.05},
	                      .normalization = small_data_normalization,
	                      .crop_padding = 1,
	                      .seed = 999}};
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;
	pare_lut_free(bench->lut);
	pare_graph_free(bench->folded);
	pare_graph_free(bench->graph);
	pare_splits_release(&bench->splits);
	free(bench);
	return 0;
}

static int run(struct bench *bench, const struct pare_limit *limits, int n_limits)
{
	return pare_evaluate_candidate(&bench->setup, &bench->candidate, limits, n_limits, &bench->metrics,
	                               &bench->error);
}

static void expect_ok(struct bench *bench, int status)
{
	if (status)
		fail_msg("%s", bench->error.text);
}

struct digest {
	char text[PARE_HASH_TEXT_SIZE];
};

static struct digest weights_of(const struct pare_graph *graph)
{
	struct digest digest;
	assert_int_equal(pare_graph_hash(graph, digest.text), 0);
	return digest;
}

static bool same(struct digest a, struct digest b)
{
	return strcmp(a.text, b.text) == 0;
}

static void test_evaluate_candidate__all_metrics_are_filled_in(void **state)
{
	struct bench *bench = *state;
	double ms;
	expect_ok(bench, run(bench, NULL, 0));
	for (int m = 0; m < PARE_METRIC_COUNT; m++)
		assert_true(bench->metrics.present[m]);
	assert_int_equal(pare_lut_predict(bench->lut, bench->folded, &ms, &bench->error), 0);
	assert_true(bench->metrics.value[PARE_METRIC_LATENCY_MS] == ms && ms > 0.0);
	assert_true(bench->metrics.value[PARE_METRIC_MACS] == (double)pare_graph_macs(bench->graph));
}

static void test_evaluate_candidate__without_a_table_there_is_no_latency(void **state)
{
	struct bench *bench = *state;
	bench->setup.lut = NULL;
	expect_ok(bench, run(bench, NULL, 0));
	assert_false(bench->metrics.present[PARE_METRIC_LATENCY_MS]);
	assert_true(bench->metrics.present[PARE_METRIC_ACCURACY]);
}

/* The accuracy is that of the tuned weights, which the candidate keeps. */
static void test_evaluate_candidate__accuracy_tunes_in_place_with_the_candidates_seed(void **state)
{
	struct bench *bench = *state;
	struct pare_graph *copy = pare_graph_copy(bench->graph), *other = pare_graph_copy(bench->graph);
	struct digest untouched = weights_of(bench->graph);
	struct pare_evaluation evaluation;
	assert_true(copy && other);
	expect_ok(bench, run(bench, NULL, 0));
	struct digest tuned = weights_of(bench->graph);
	assert_false(same(untouched, tuned));
	struct pare_graph *folded = pare_fold_batch_norm(bench->graph, &bench->error);
	expect_ok(bench, pare_evaluate(folded, bench->setup.search, &small_data_normalization, NULL, &evaluation,
	                               &bench->error));
	assert_true(evaluation.accuracy == bench->metrics.value[PARE_METRIC_ACCURACY]);

	bench->setup.fine_tune.seed = 1000; /* not looked at */
	bench->candidate.graph = copy;
	expect_ok(bench, run(bench, NULL, 0));
	assert_true(same(weights_of(copy), tuned));
	bench->candidate = (struct pare_candidate){.graph = other, .seed = 6};
	expect_ok(bench, run(bench, NULL, 0));
	assert_false(same(weights_of(other), tuned));
	pare_graph_free(folded);
	pare_graph_free(other);
	pare_graph_free(copy);
}

static void test_evaluate_candidate__no_steps_and_no_epochs_leave_the_weights_alone(void **state)
{
	struct bench *bench = *state;
	struct digest before = weights_of(bench->graph);
	bench->setup.fine_tune.steps = 0;
	expect_ok(bench, run(bench, NULL, 0));
	assert_true(same(weights_of(bench->graph), before));
	bench->setup.fine_tune.epochs = 0.4;
	expect_ok(bench, run(bench, NULL, 0));
	assert_false(same(weights_of(bench->graph), before));
}

static void test_evaluate_candidate__over_a_limit_it_is_never_trained(void **state)
{
	struct bench *bench = *state;
	struct digest before = weights_of(bench->graph);
	double macs = (double)pare_graph_macs(bench->graph);
	struct pare_limit limits[] = {{PARE_METRIC_PARAMS, 1e9}, {PARE_METRIC_MACS, macs - 1.0}};
	assert_int_equal(run(bench, limits, 2), PARE_E_INFEASIBLE);
	assert_non_null(strstr(bench->error.text, "macs"));
	assert_true(bench->metrics.present[PARE_METRIC_MACS]);
	assert_true(bench->metrics.value[PARE_METRIC_MACS] == macs);
	assert_false(bench->metrics.present[PARE_METRIC_ACCURACY]);
	assert_true(same(weights_of(bench->graph), before));
}

static void test_evaluate_candidate__every_cost_can_be_limited_and_a_limit_may_be_reached(void **state)
{
	struct bench *bench = *state;
	struct pare_metrics costs;
	expect_ok(bench, pare_evaluate_cost(bench->lut, bench->graph, bench->folded, &costs, &bench->error));
	for (int m = 0; m < PARE_METRIC_COUNT; m++) {
		if (pare_metric_info[m].maximise)
			continue;
		struct pare_limit reached = {(enum pare_metric)m, costs.value[m]};
		struct pare_limit exceeded = {(enum pare_metric)m, costs.value[m] * 0.999};
		expect_ok(bench, run(bench, &reached, 1));
		assert_int_equal(run(bench, &exceeded, 1), PARE_E_INFEASIBLE);
		assert_non_null(strstr(bench->error.text, pare_metric_info[m].name));
		assert_false(bench->metrics.present[PARE_METRIC_ACCURACY]);
	}
}

static void test_evaluate_candidate__a_limit_that_nothing_is_held_against_is_an_error(void **state)
{
	struct bench *bench = *state;
	struct pare_limit limit = {PARE_METRIC_LATENCY_MS, 1e9};
	bench->setup.lut = NULL;
	assert_int_equal(run(bench, &limit, 1), PARE_E_INVALID);
	assert_non_null(strstr(bench->error.text, "latency_ms"));
}

static void test_evaluate_candidate__a_step_that_is_not_in_the_table_is_an_error(void **state)
{
	struct bench *bench = *state;
	bench->lut->families[0].key[0] = '!';
	assert_int_equal(run(bench, NULL, 0), PARE_E_NOT_FOUND);
	assert_false(bench->metrics.present[PARE_METRIC_LATENCY_MS]);
	assert_false(bench->metrics.present[PARE_METRIC_ACCURACY]);
}

static void test_evaluate_candidate__divergence_is_told_apart(void **state)
{
	struct bench *bench = *state;
	bench->setup.fine_tune.schedule.learning_rate = 1e30;
	assert_int_equal(run(bench, NULL, 0), PARE_E_DIVERGED);
	assert_false(bench->metrics.present[PARE_METRIC_ACCURACY]);
	assert_true(bench->metrics.present[PARE_METRIC_MACS]);
}

static void test_evaluate_candidate__costs_from_shapes_are_those_of_the_evaluators(void **state)
{
	struct bench *bench = *state;
	struct pare_metrics costs;
	expect_ok(bench, pare_evaluate_cost(bench->lut, bench->graph, bench->folded, &costs, &bench->error));
	expect_ok(bench, run(bench, NULL, 0));
	for (int m = 0; m < PARE_METRIC_COUNT; m++) {
		assert_int_equal(costs.present[m], m != PARE_METRIC_ACCURACY);
		if (costs.present[m])
			assert_true(costs.value[m] == bench->metrics.value[m]);
	}
	expect_ok(bench, pare_evaluate_cost(NULL, bench->graph, bench->folded, &costs, &bench->error));
	assert_false(costs.present[PARE_METRIC_LATENCY_MS]);
}

static void test_evaluate_candidate__the_table_is_in_cost_order(void **state)
{
	(void)state;
	for (int i = 1; pare_evaluator_table[i]; i++)
		assert_true(pare_evaluator_table[i - 1]->cost <= pare_evaluator_table[i]->cost);
	for (int i = 0; pare_evaluator_table[i]; i++)
		assert_true(strlen(pare_evaluator_table[i]->name) > 0 && strlen(pare_evaluator_table[i]->help) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_evaluate_candidate__all_metrics_are_filled_in),
	        TEST(test_evaluate_candidate__without_a_table_there_is_no_latency),
	        TEST(test_evaluate_candidate__accuracy_tunes_in_place_with_the_candidates_seed),
	        TEST(test_evaluate_candidate__no_steps_and_no_epochs_leave_the_weights_alone),
	        TEST(test_evaluate_candidate__over_a_limit_it_is_never_trained),
	        TEST(test_evaluate_candidate__every_cost_can_be_limited_and_a_limit_may_be_reached),
	        TEST(test_evaluate_candidate__a_limit_that_nothing_is_held_against_is_an_error),
	        TEST(test_evaluate_candidate__a_step_that_is_not_in_the_table_is_an_error),
	        TEST(test_evaluate_candidate__divergence_is_told_apart),
	        TEST(test_evaluate_candidate__costs_from_shapes_are_those_of_the_evaluators),
	        cmocka_unit_test(test_evaluate_candidate__the_table_is_in_cost_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
