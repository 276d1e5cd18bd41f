#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/compress/fold.h"
#include "engine/ops/builders.h"
#include "evaluators/evaluators.h"
#include "evaluators/memory.h"
#include "tests/support/nets.h"

static void expect_floats(const struct pare_graph *graph, int64_t floats)
{
	int64_t bytes = -1;
	assert_int_equal(pare_peak_activation_bytes(graph, &bytes), 0);
	assert_int_equal(bytes, 4 * floats);
}

static struct pare_graph *start(int *value)
{
	struct pare_graph *graph = pare_graph_new("net", pare_shape_chw(2, 4, 4), "input");
	assert_non_null(graph);
	*value = graph->input;
	return graph;
}

static void conv(struct pare_graph *graph, int64_t channels, int *value)
{
	struct pare_error error;
	if (pare_build_conv(graph, "conv", channels, 3, 1, 1, true, value, &error))
		fail_msg("%s", error.text);
	graph->output = *value;
}

static void add(struct pare_graph *graph, int other, int *value)
{
	struct pare_error error;
	if (pare_build_add(graph, "add", other, value, &error))
		fail_msg("%s", error.text);
	graph->output = *value;
}

/* Only neighbours are alive together: 2 + 5, 5 + 3, 3 + 4 channels of 16 pixels. */
static void test_memory_metric__a_chain_needs_input_and_output_of_one_step(void **state)
{
	int value;
	struct pare_graph *graph = start(&value);
	(void)state;
	conv(graph, 5, &value);
	conv(graph, 3, &value);
	conv(graph, 4, &value);
	expect_floats(graph, (5 + 3) * 16);
	pare_graph_free(graph);
}

/* The shortcut stays alive while both convolutions run. */
static void test_memory_metric__a_shortcut_is_alive_until_it_is_added(void **state)
{
	int value;
	struct pare_graph *graph = start(&value);
	(void)state;
	conv(graph, 4, &value);
	int shortcut = value;
	conv(graph, 6, &value);
	conv(graph, 4, &value);
	add(graph, shortcut, &value);
	expect_floats(graph, (4 + 6 + 4) * 16);
	pare_graph_free(graph);
}

static void test_memory_metric__a_fused_activation_takes_nothing(void **state)
{
	int value;
	struct pare_error error;
	struct pare_graph *graph = start(&value);
	(void)state;
	conv(graph, 5, &value);
	expect_floats(graph, (2 + 5) * 16);
	assert_int_equal(pare_build_relu(graph, "relu", &value, &error), 0);
	graph->output = value;
	expect_floats(graph, (2 + 5) * 16);
	pare_graph_free(graph);
}

/* Flattened or not, the 80 floats are there once; the linear layer reads them through the view. */
static void test_memory_metric__a_view_shares_its_inputs_memory(void **state)
{
	int value;
	struct pare_error error;
	struct pare_graph *graph = start(&value);
	(void)state;
	conv(graph, 5, &value);
	assert_int_equal(pare_build_flatten(graph, "flatten", &value, &error), 0);
	assert_int_equal(pare_build_linear(graph, "fc", 60, true, &value, &error), 0);
	graph->output = value;
	expect_floats(graph, 80 + 60);
	pare_graph_free(graph);
}

/* It is there while it is written, and not after. */
static void test_memory_metric__what_nobody_reads_dies_at_once(void **state)
{
	int value, unread;
	struct pare_graph *graph = start(&value);
	(void)state;
	unread = value;
	conv(graph, 9, &unread);
	conv(graph, 5, &value);
	conv(graph, 8, &value);
	expect_floats(graph, (5 + 8) * 16);
	pare_graph_free(graph);
}

static void test_memory_metric__the_evaluator_folds_batch_norm(void **state)
{
	struct pare_graph *graph = test_net_build("residual");
	struct pare_candidate candidate = {.graph = graph};
	struct pare_evaluation_setup setup = {0};
	struct pare_metrics metrics = {0};
	struct pare_error error;
	(void)state;
	assert_int_equal(pare_evaluator_memory.evaluate(&setup, &candidate, &metrics, &error), 0);
	assert_true(metrics.present[PARE_METRIC_PEAK_MEMORY_BYTES]);
	/* stem 8 alive while 10 become 8 channels of 64 pixels; unfolded, 10 and 10 would be alive as well. */
	assert_true(metrics.value[PARE_METRIC_PEAK_MEMORY_BYTES] == 4.0 * (8 + 10 + 8) * 64);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_memory_metric__a_chain_needs_input_and_output_of_one_step),
	        cmocka_unit_test(test_memory_metric__a_shortcut_is_alive_until_it_is_added),
	        cmocka_unit_test(test_memory_metric__a_fused_activation_takes_nothing),
	        cmocka_unit_test(test_memory_metric__a_view_shares_its_inputs_memory),
	        cmocka_unit_test(test_memory_metric__what_nobody_reads_dies_at_once),
	        cmocka_unit_test(test_memory_metric__the_evaluator_folds_batch_norm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
