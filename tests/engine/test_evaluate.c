#include "engine/train/evaluate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/exec_rig.h"
#include "tests/support/nets.h"
#include "tests/support/small_data.h"

/* Image by image in the other layout, argmax and softmax by hand. */
static struct pare_evaluation by_hand(const struct pare_graph *graph, const struct pare_split *split)
{
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 1});
	struct pare_evaluation result = {.total = split->images};
	for (int64_t i = 0; i < split->images; i++) {
		struct pare_tensor input = pare_exec_input(exec);
		const struct pare_dataset *data = split->dataset;
		const uint8_t *pixels = data->pixels + (int64_t)split->index[i] * 28 * 28;
		int label = data->labels[split->index[i]], best = 0;
		double sum = 0.0;
		for (int64_t e = 0; e < 28 * 28; e++)
			*pare_tensor_at(&input, 0, e) = ((float)pixels[e] / 255.0f - small_data_normalization.mean[0]) /
			                                small_data_normalization.std[0];
		pare_exec_forward(exec);
		float *z = exec_read(exec, graph->output);
		for (int c = 0; c < 10; c++) {
			best = z[c] > z[best] ? c : best;
			sum += exp((double)z[c]);
		}
		result.correct += best == label;
		result.loss += log(sum) - (double)z[label];
		free(z);
	}
	result.accuracy = (double)result.correct / (double)result.total;
	result.loss /= (double)result.total;
	pare_exec_free(exec);
	return result;
}

/* A batch norm that moves and scales: the running statistics are not those of the start. */
static struct pare_graph *some_net(void)
{
	struct pare_graph *graph = small_net(true, 1);
	test_net_randomize(graph, 41);
	return graph;
}

static struct pare_evaluation evaluate(const struct pare_graph *graph, const struct pare_split *split,
                                       struct pare_pool *pool)
{
	struct pare_evaluation result;
	struct pare_error error;
	if (pare_evaluate(graph, split, &small_data_normalization, pool, &result, &error))
		fail_msg("%s", error.text);
	return result;
}

/* The last block is full, has one image, is the only one; and any number of threads gives the same bits. */
static void test_evaluate__agrees_with_a_loop_by_hand(void **state)
{
	static const int64_t sizes[] = {1, 15, 16, 17, 37, 64};
	struct pare_graph *graph = some_net();
	(void)state;
	for (int s = 0; s < 6; s++) {
		struct pare_splits splits;
		small_data_load(&splits, 10, sizes[s]);
		struct pare_evaluation wanted = by_hand(graph, &splits.test);
		for (int threads = 0; threads <= 3; threads++) {
			struct pare_pool *pool = threads ? pare_pool_new(threads) : NULL;
			struct pare_evaluation found = evaluate(graph, &splits.test, pool);
			assert_int_equal(found.total, sizes[s]);
			assert_int_equal(found.correct, wanted.correct);
			assert_true(found.accuracy == wanted.accuracy);
			assert_true(fabs(found.loss - wanted.loss) <= 1e-5 * wanted.loss);
			pare_pool_free(pool);
		}
		pare_splits_release(&splits);
	}
	pare_graph_free(graph);
}

static void test_evaluate__loss_has_the_same_bits_on_any_threads(void **state)
{
	struct pare_graph *graph = some_net();
	struct pare_splits splits;
	(void)state;
	small_data_load(&splits, 10, 203);
	struct pare_evaluation serial = evaluate(graph, &splits.test, NULL);
	for (int threads = 1; threads <= 3; threads++) {
		struct pare_pool *pool = pare_pool_new(threads);
		for (int again = 0; again < 3; again++) {
			struct pare_evaluation found = evaluate(graph, &splits.test, pool);
			assert_memory_equal(&found.loss, &serial.loss, sizeof(found.loss));
			assert_int_equal(found.correct, serial.correct);
		}
		pare_pool_free(pool);
	}
	pare_splits_release(&splits);
	pare_graph_free(graph);
}

static void test_evaluate__changes_no_parameter(void **state)
{
	struct pare_graph *graph = some_net(), *before = pare_graph_copy(graph);
	struct pare_splits splits;
	(void)state;
	small_data_load(&splits, 10, 20);
	evaluate(graph, &splits.test, NULL);
	for (int p = 0; p < graph->n_params; p++)
		assert_same(graph->params[p].name, graph->params[p].data, before->params[p].data,
		            pare_shape_elements(&graph->params[p].shape));
	pare_splits_release(&splits);
	pare_graph_free(graph);
	pare_graph_free(before);
}

static int evaluate_status(const struct pare_graph *graph, const struct pare_split *split, struct pare_error *error)
{
	struct pare_evaluation result;
	return pare_evaluate(graph, split, &small_data_normalization, NULL, &result, error);
}

static void test_evaluate__outputs_that_are_not_finite_are_divergence(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	struct pare_splits splits;
	struct pare_error error;
	(void)state;
	small_data_load(&splits, 10, 20);
	for (int i = 0; i < 3; i++) {
		struct pare_graph *graph = some_net();
		graph->params[pare_graph_find_param(graph, "fc.bias")].data[7] = bad[i];
		assert_int_equal(evaluate_status(graph, &splits.test, &error), PARE_E_DIVERGED);
		pare_graph_free(graph);
	}
	pare_splits_release(&splits);
}

static void test_evaluate__what_does_not_fit_is_refused(void **state)
{
	struct pare_graph *graph = some_net();
	struct pare_splits splits;
	struct pare_error error;
	(void)state;
	small_data_load(&splits, 10, 20);
	struct pare_split empty = splits.test;
	empty.images = 0;
	assert_int_equal(evaluate_status(graph, &empty, &error), PARE_E_INVALID);
	graph->values[graph->input].shape.dim[2] = 27;
	assert_int_equal(evaluate_status(graph, &splits.test, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "1x28x27"));
	graph->values[graph->input].shape.dim[2] = 28;
	graph->values[graph->output].shape.dim[0] = 9;
	assert_int_equal(evaluate_status(graph, &splits.test, &error), PARE_E_INVALID);
	pare_splits_release(&splits);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_evaluate__agrees_with_a_loop_by_hand),
	        cmocka_unit_test(test_evaluate__loss_has_the_same_bits_on_any_threads),
	        cmocka_unit_test(test_evaluate__changes_no_parameter),
	        cmocka_unit_test(test_evaluate__outputs_that_are_not_finite_are_divergence),
	        cmocka_unit_test(test_evaluate__what_does_not_fit_is_refused),
	};
	alarm(300); /* a pool that waits for ever ends the program instead of blocking the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
