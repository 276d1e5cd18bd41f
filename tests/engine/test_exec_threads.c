/* The executor on pools of 1, 2 and 3 threads: bit for bit what the serial run gives. Run under ThreadSanitizer too. */
#include "engine/graph/exec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/math/lane_kernels.h"
#include "tests/support/exec_rig.h"
#include "tests/support/nets.h"

struct result {
	float *output, *gradients, *input_gradient, *running; /* running: batch norm's statistics after the step */
};

static void result_free(struct result *result)
{
	free(result->output);
	free(result->gradients);
	free(result->input_gradient);
	free(result->running);
}

static int64_t all_params(const struct pare_graph *graph)
{
	int64_t count = 0;
	for (int p = 0; p < graph->n_params; p++)
		count += pare_shape_elements(&graph->params[p].shape);
	return count;
}

static float *read_params(const struct pare_graph *graph)
{
	float *params = malloc((size_t)all_params(graph) * sizeof(*params)), *to = params;
	assert_non_null(params);
	for (int p = 0; p < graph->n_params; p++) {
		int64_t count = pare_shape_elements(&graph->params[p].shape);
		memcpy(to, graph->params[p].data, (size_t)count * sizeof(*to));
		to += count;
	}
	return params;
}

/* One training step on a copy of the graph. */
static struct result step(const struct pare_graph *original, int64_t batch, struct pare_pool *pool)
{
	struct pare_graph *graph = pare_graph_copy(original);
	float *images = exec_images(graph, batch, 1);
	float *weights = exec_normal(&graph->values[graph->output].shape, batch, 2);
	struct pare_exec *exec = exec_open(
	        graph,
	        &(struct pare_exec_options){.images = batch, .training = true, .input_gradient = true, .pool = pool});
	struct result result;

	exec_forward(exec, images);
	result.output = exec_read(exec, graph->output);
	exec_backward(exec, weights);
	result.gradients = exec_read_gradients(exec, graph);
	struct pare_tensor input = pare_exec_input_gradient(exec);
	result.input_gradient = tensor_read(&input);
	result.running = read_params(graph);
	free(images);
	free(weights);
	pare_exec_free(exec);
	pare_graph_free(graph);
	return result;
}

static float *infer(const struct pare_graph *graph, int64_t batch, struct pare_pool *pool)
{
	float *images = exec_images(graph, batch, 1);
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = batch, .pool = pool});
	exec_forward(exec, images);
	float *output = exec_read(exec, graph->output);
	free(images);
	pare_exec_free(exec);
	return output;
}

static void check_graph(const struct pare_graph *graph, int64_t batch)
{
	int64_t outputs = batch * pare_shape_elements(&graph->values[graph->output].shape);
	int64_t inputs = batch * pare_shape_elements(&graph->values[graph->input].shape);
	struct result serial = step(graph, batch, NULL);
	float *inferred = infer(graph, batch, NULL);

	for (int threads = 1; threads <= 3; threads++) {
		struct pare_pool *pool = pare_pool_new(threads);
		assert_non_null(pool);
		struct result found = step(graph, batch, pool);
		float *found_inferred = infer(graph, batch, pool);
		assert_same(graph->name, found_inferred, inferred, outputs);
		assert_same(graph->name, found.output, serial.output, outputs);
		assert_same(graph->name, found.gradients, serial.gradients, exec_gradient_count(graph));
		assert_same(graph->name, found.input_gradient, serial.input_gradient, inputs);
		assert_same(graph->name, found.running, serial.running, all_params(graph));
		result_free(&found);
		free(found_inferred);
		pare_pool_free(pool);
	}
	result_free(&serial);
	free(inferred);
}

static void check_all(const int64_t *batches, int n_batches)
{
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		test_net_randomize(graph, 31);
		for (int b = 0; b < n_batches && strcmp(graph->name, "resnet56") != 0; b++)
			check_graph(graph, batches[b]);
		pare_graph_free(graph);
	}
}

static void test_exec_threads__results_are_those_of_the_serial_run(void **state)
{
	static const int64_t batches[] = {1, 5, 16, 40};
	(void)state;
	check_all(batches, 4);
}

static void test_exec_threads__and_with_every_kernel_set(void **state)
{
	static const char *const sets[] = {"portable", "avx2", "avx512"};
	static const int64_t batch = 20;
	(void)state;
	for (int s = 0; s < 3; s++) {
		if (!pare_lane_kernels_force(sets[s]))
			continue;
		struct pare_graph *graph = test_net_build("depthwise");
		test_net_randomize(graph, 32);
		check_graph(graph, batch);
		pare_graph_free(graph);
	}
	pare_lane_kernels_force(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_exec_threads__results_are_those_of_the_serial_run),
	        cmocka_unit_test(test_exec_threads__and_with_every_kernel_set),
	};
	alarm(600); /* a pool that waits for ever ends the program instead of blocking the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
