#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evaluators/evaluators.h"
#include "tests/support/nets.h"

static double value_of(const struct pare_evaluator *evaluator, struct pare_graph *graph, enum pare_metric metric)
{
	struct pare_evaluation_setup setup = {0};
	struct pare_candidate candidate = {.graph = graph};
	struct pare_metrics metrics = {0};
	struct pare_error error;
	if (evaluator->evaluate(&setup, &candidate, &metrics, &error))
		fail_msg("%s", error.text);
	assert_true(metrics.present[metric]);
	return metrics.value[metric];
}

static void expect_number(double found, int64_t expected)
{
	if (found != (double)expected)
		fail_msg("%.17g where %lld is expected", found, (long long)expected);
}

/* conv1 3 -> 8, 3x3 on 8x8; conv2 8 -> 12, 3x3 to 4x4; conv3 12 -> 7, 1x1 on 4x4; fc 7 -> 5. */
static void test_macs__convolutions_and_linear_layers_count(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	(void)state;
	expect_number(value_of(&pare_evaluator_macs, graph, PARE_METRIC_MACS),
	              8 * 3 * 9 * 64 + 12 * 8 * 9 * 16 + 7 * 12 * 16 + 5 * 7);
	pare_graph_free(graph);
}

/* conv1 and conv3 have a bias; two batch norms train scale and shift, and also store mean and variance. */
static void test_macs__parameters_are_the_trained_ones_and_bytes_all(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	int64_t weights = 8 * 3 * 9 + 8 + 12 * 8 * 9 + 7 * 12 + 7 + 5 * 7 + 5;
	(void)state;
	expect_number(value_of(&pare_evaluator_size, graph, PARE_METRIC_PARAMS), weights + 2 * (12 + 7));
	expect_number(value_of(&pare_evaluator_size, graph, PARE_METRIC_BYTES), 4 * (weights + 4 * (12 + 7)));
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_macs__convolutions_and_linear_layers_count),
	        cmocka_unit_test(test_macs__parameters_are_the_trained_ones_and_bytes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
