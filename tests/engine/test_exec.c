/* The executor, forward: whole networks against the reference operators, layouts, memory, partial runs. */
#include "engine/graph/exec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "engine/zoo/zoo.h"
#include "tests/support/exec_rig.h"
#include "tests/support/nets.h"
#include "tests/support/reference_graph.h"

static int64_t output_count(const struct pare_graph *graph, int64_t images)
{
	return images * pare_shape_elements(&graph->values[graph->output].shape);
}

static int64_t value_count(const struct pare_graph *graph, int value, int64_t images)
{
	return images * pare_shape_elements(&graph->values[value].shape);
}

static float *to_floats(const double *values, int64_t count)
{
	float *floats = malloc((size_t)count * sizeof(*floats));
	assert_non_null(floats);
	for (int64_t i = 0; i < count; i++)
		floats[i] = (float)values[i];
	return floats;
}

static float *reference_output(const struct pare_graph *graph, const float *images, int64_t n, bool training)
{
	struct reference_graph r;
	reference_graph_open(&r, graph, n, training);
	for (int64_t i = 0; i < value_count(graph, graph->input, n); i++)
		r.values[graph->input][i] = (double)images[i];
	reference_graph_run(&r);
	float *output = to_floats(r.values[graph->output], output_count(graph, n));
	reference_graph_close(&r);
	return output;
}

/* The output of a new executor. */
static float *run_once(const struct pare_graph *graph, const struct pare_exec_options *options, const float *images)
{
	struct pare_exec *exec = exec_open(graph, options);
	exec_forward(exec, images);
	float *output = exec_read(exec, graph->output);
	pare_exec_free(exec);
	return output;
}

/* ---- numbers ---- */

/* Float sums of some thousand products, layer after layer: 1e-5 of the largest output, a few times over for depth. The
 * statistics of a few images divide by small deviations, and each batch norm passes on what the one before lost. */
#define FORWARD_TOLERANCE 3e-5
#define TRAINING_TOLERANCE 3e-4

static void check_numbers(const struct pare_graph *graph, bool training)
{
	enum { IMAGES = 5 };
	float *images = exec_images(graph, IMAGES, 1);
	float *wanted = reference_output(graph, images, IMAGES, training);
	int64_t count = output_count(graph, IMAGES);
	for (int lanes = 1; lanes <= PARE_LANES; lanes += PARE_LANES - 1) {
		struct pare_exec_options options = {.images = IMAGES, .lanes = lanes, .training = training};
		float *output = run_once(graph, &options, images);
		assert_close(graph->name, output, wanted, count, training ? TRAINING_TOLERANCE : FORWARD_TOLERANCE);
		free(output);
	}
	free(images);
	free(wanted);
}

static void test_exec__all_networks_agree_with_the_reference_in_both_layouts(void **state)
{
	struct pare_graph *graph;
	(void)state;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		test_net_randomize(graph, 3);
		check_numbers(graph, false);
		check_numbers(graph, true);
		pare_graph_free(graph);
	}
}

/* 19 images in two blocks, the last one not full: image by image what lanes = 1 gives. */
static void test_exec__both_layouts_agree_over_several_blocks(void **state)
{
	struct pare_graph *graph;
	(void)state;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		float *images = exec_images(graph, 19, 2);
		test_net_randomize(graph, 4);
		float *plain = run_once(graph, &(struct pare_exec_options){.images = 19, .lanes = 1}, images);
		float *lanes = run_once(graph, &(struct pare_exec_options){.images = 19, .lanes = PARE_LANES}, images);
		assert_close(graph->name, lanes, plain, output_count(graph, 19), FORWARD_TOLERANCE);
		free(plain);
		free(lanes);
		free(images);
		pare_graph_free(graph);
	}
}

static void test_exec__layout_follows_from_the_batch(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	static const int64_t batches[] = {1, 7, 8, 33};
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = batches[i]});
		struct pare_tensor input = pare_exec_input(exec), output = pare_exec_output(exec);
		assert_int_equal(input.images, batches[i]);
		assert_int_equal(input.lanes, batches[i] < 8 ? 1 : PARE_LANES);
		assert_int_equal(output.lanes, input.lanes);
		assert_true(pare_shape_equal(&output.shape, &graph->values[graph->output].shape));
		assert_int_equal((uintptr_t)input.data % 64, 0);
		pare_exec_free(exec);
	}
	pare_graph_free(graph);
}

static void test_exec__refuses_impossible_batches(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	static const struct pare_exec_options bad[] = {{.images = 0},
	                                               {.images = -3},
	                                               {.images = 4, .lanes = 8},
	                                               {.images = (int64_t)1 << 40},
	                                               {.images = INT64_MAX}};
	(void)state;
	for (int i = 0; i < 5; i++) {
		struct pare_error error = {0};
		struct pare_exec *exec;
		int status = pare_exec_new(&exec, graph, &bad[i], &error);
		assert_int_equal(status, i < 3 ? PARE_E_INVALID : PARE_E_LIMIT);
		assert_int_equal(error.code, status);
		assert_null(exec);
	}
	pare_exec_free(NULL);
	pare_graph_free(graph);
}

/* ---- again and again ---- */

static void test_exec__a_second_forward_gives_the_same(void **state)
{
	struct pare_graph *graph;
	(void)state;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		float *images = exec_images(graph, 9, 3);
		test_net_randomize(graph, 5);
		for (int training = 0; training <= 1; training++) {
			struct pare_exec *exec =
			        exec_open(graph, &(struct pare_exec_options){.images = 9, .training = training != 0});
			exec_forward(exec, images);
			float *first = exec_read(exec, graph->output);
			pare_exec_forward(exec); /* the input is still there */
			float *second = exec_read(exec, graph->output);
			assert_same(graph->name, second, first, output_count(graph, 9));
			free(first);
			free(second);
			pare_exec_free(exec);
		}
		free(images);
		pare_graph_free(graph);
	}
}

static void test_exec__refresh_takes_changed_parameters(void **state)
{
	(void)state;
	for (int64_t batch = 3; batch <= 20; batch += 17) {
		struct pare_graph *graph = test_net_build("flatten");
		float *images = exec_images(graph, batch, 4);
		struct pare_exec_options options = {.images = batch};
		test_net_randomize(graph, 6);
		struct pare_exec *exec = exec_open(graph, &options);
		exec_forward(exec, images);
		float *before = exec_read(exec, graph->output);
		test_net_randomize(graph, 7);
		pare_exec_refresh(exec);
		pare_exec_forward(exec);
		float *after = exec_read(exec, graph->output), *wanted = run_once(graph, &options, images);
		assert_memory_not_equal(after, before, sizeof(float));
		assert_same("refreshed", after, wanted, output_count(graph, batch));
		free(images);
		free(before);
		free(after);
		free(wanted);
		pare_exec_free(exec);
		pare_graph_free(graph);
	}
}

static void test_exec__running_takes_no_memory(void **state)
{
	struct pare_graph *graph = test_net_build_zoo("resnet8");
	float *images = exec_images(graph, 20, 5), *gradient = calloc(20 * 5, sizeof(float));
	(void)state;
	for (int64_t batch = 3; batch <= 20; batch += 17) {
		struct pare_exec *exec =
		        exec_open(graph, &(struct pare_exec_options){.images = batch, .training = true});
		exec_forward(exec, images); /* the BLAS sets up its buffers */
		exec_backward(exec, gradient);
		size_t before = heap_bytes();
		for (int i = 0; i < 5; i++) {
			pare_exec_set_images(exec, batch - i % 3);
			pare_exec_refresh(exec);
			exec_forward(exec, images);
			exec_backward(exec, gradient);
		}
		assert_int_equal(heap_bytes(), before);
		pare_exec_free(exec);
	}
	free(images);
	free(gradient);
	pare_graph_free(graph);
}

/* ---- batches that are not full ---- */

static void test_exec__a_smaller_batch_gives_the_same_images(void **state)
{
	(void)state;
	static const struct {
		int64_t room, images;
	} batches[] = {{35, 21}, {35, 16}, {35, 1}, {6, 4}};
	for (int i = 0; i < 4; i++) {
		struct pare_graph *graph = test_net_build_zoo("resnet8");
		int64_t room = batches[i].room, n = batches[i].images;
		float *all = exec_images(graph, room, 6);
		struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = room});
		exec_forward(exec, all);
		float *full = exec_read(exec, graph->output);
		pare_exec_set_images(exec, n);
		assert_int_equal(pare_exec_input(exec).images, n);
		assert_int_equal(pare_exec_output(exec).images, n);
		exec_forward(exec, all);
		float *part = exec_read(exec, graph->output);
		assert_same("the first images", part, full, output_count(graph, n));
		pare_exec_set_images(exec, room);
		exec_forward(exec, all);
		float *again = exec_read(exec, graph->output);
		assert_same("all images again", again, full, output_count(graph, room));
		free(all);
		free(full);
		free(part);
		free(again);
		pare_exec_free(exec);
		pare_graph_free(graph);
	}
}

/* ---- parts of a network ---- */

static int *all_values(const struct pare_graph *graph)
{
	int *values = malloc((size_t)graph->n_values * sizeof(*values));
	assert_non_null(values);
	for (int v = 0; v < graph->n_values; v++)
		values[v] = v;
	return values;
}

/* Every value made before `first_node` that a later node reads (or that is the output). */
static void fill_frontier(struct pare_exec *part, const struct pare_exec *full, const struct pare_graph *graph,
                          int first_node)
{
	for (int v = 0; v < graph->n_values; v++) {
		bool read = v == graph->output;
		for (int n = first_node; n < graph->n_nodes; n++)
			for (int i = 0; i < graph->nodes[n].n_inputs; i++)
				read |= graph->nodes[n].inputs[i] == v;
		if (!read || graph->values[v].producer >= first_node)
			continue;
		struct pare_tensor to = pare_exec_value(part, v), from = pare_exec_value(full, v);
		assert_non_null(to.data);
		memcpy(to.data, from.data, (size_t)pare_tensor_size(&from) * sizeof(float));
	}
}

static void check_from_every_node(const struct pare_graph *graph, int64_t batch)
{
	int *keep = all_values(graph);
	float *images = exec_images(graph, batch, 7);
	struct pare_exec *full =
	        exec_open(graph, &(struct pare_exec_options){.images = batch, .keep = keep, .n_keep = graph->n_values});
	exec_forward(full, images);
	float *wanted = exec_read(full, graph->output);
	for (int first = 0; first <= graph->n_nodes; first++) {
		struct pare_exec *part =
		        exec_open(graph, &(struct pare_exec_options){.images = batch, .first_node = first});
		fill_frontier(part, full, graph, first);
		for (int again = 0; again < 2; again++) { /* what was filled in is not overwritten */
			pare_exec_forward(part);
			float *output = exec_read(part, graph->output);
			assert_same(first < graph->n_nodes ? graph->nodes[first].name : "no node", output, wanted,
			            output_count(graph, batch));
			free(output);
		}
		pare_exec_free(part);
	}
	free(keep);
	free(images);
	free(wanted);
	pare_exec_free(full);
}

/* In the full run all values are kept and nothing is fused; in the parts activations are: they agree to the bit. */
static void test_exec__from_any_node_on_gives_the_same_bits(void **state)
{
	(void)state;
	for (const struct test_net *net = test_nets; net->name; net++) {
		struct pare_graph *graph = net->build();
		test_net_randomize(graph, 8);
		check_from_every_node(graph, 5);
		check_from_every_node(graph, 18);
		pare_graph_free(graph);
	}
	struct pare_graph *graph = test_net_build_zoo("resnet8");
	check_from_every_node(graph, 16);
	pare_graph_free(graph);
}

static bool has_activation(const struct pare_graph *graph)
{
	for (int n = 0; n < graph->n_nodes; n++)
		if (graph->nodes[n].op->activation != PARE_ACTIVATION_NONE)
			return true;
	return false;
}

static void check_fusion(const struct pare_graph *graph, int64_t batch, bool training)
{
	int *keep = all_values(graph);
	struct pare_exec_options options = {.images = batch, .training = training};
	struct pare_exec *fused = exec_open(graph, &options);
	float *images = exec_images(graph, batch, 8),
	      *gradient = exec_normal(&graph->values[graph->output].shape, batch, 9);
	options.keep = keep;
	options.n_keep = graph->n_values;
	struct pare_exec *unfused = exec_open(graph, &options);
	assert_true(pare_exec_step_count(fused) < pare_exec_step_count(unfused) || !has_activation(graph));
	assert_int_equal(pare_exec_step_count(unfused), graph->n_nodes);
	exec_forward(fused, images);
	exec_forward(unfused, images);
	float *a = exec_read(fused, graph->output), *b = exec_read(unfused, graph->output);
	assert_same(graph->name, a, b, output_count(graph, batch));
	free(a);
	free(b);
	if (training) {
		exec_backward(fused, gradient);
		exec_backward(unfused, gradient);
		a = exec_read_gradients(fused, graph);
		b = exec_read_gradients(unfused, graph);
		assert_close(graph->name, a, b, exec_gradient_count(graph), 1e-5);
		free(a);
		free(b);
	}
	free(keep);
	free(images);
	free(gradient);
	pare_exec_free(fused);
	pare_exec_free(unfused);
}

static void test_exec__fused_and_unfused_activations_agree(void **state)
{
	(void)state;
	for (const struct test_net *net = test_nets; net->name; net++) {
		struct pare_graph *graph = net->build();
		test_net_randomize(graph, 9);
		for (int64_t batch = 6; batch <= 19; batch += 13) {
			check_fusion(graph, batch, false);
			check_fusion(graph, batch, true);
		}
		pare_graph_free(graph);
	}
}

/* Kept values hold what the reference says after the whole network ran over the rest of the memory. */
static void test_exec__kept_values_stay(void **state)
{
	struct pare_graph *graph = test_net_build("residual");
	int keep[] = {pare_graph_find_value(graph, "stem"), pare_graph_find_value(graph, "block1.add"), graph->input};
	enum { BATCH = 4 };
	float *images = exec_images(graph, BATCH, 10);
	struct reference_graph r;
	(void)state;
	test_net_randomize(graph, 10);
	reference_graph_open(&r, graph, BATCH, false);
	for (int64_t i = 0; i < value_count(graph, graph->input, BATCH); i++)
		r.values[graph->input][i] = (double)images[i];
	reference_graph_run(&r);
	struct pare_exec *exec =
	        exec_open(graph, &(struct pare_exec_options){.images = BATCH, .keep = keep, .n_keep = 3});
	exec_forward(exec, images);
	for (int i = 0; i < 3; i++) {
		int64_t count = value_count(graph, keep[i], BATCH);
		float *found = exec_read(exec, keep[i]), *wanted = to_floats(r.values[keep[i]], count);
		assert_close(graph->values[keep[i]].name, found, wanted, count, FORWARD_TOLERANCE);
		free(found);
		free(wanted);
	}
	pare_exec_free(exec);
	reference_graph_close(&r);
	free(images);
	pare_graph_free(graph);
}

static void test_exec__keeping_costs_memory_and_nothing_else_does(void **state)
{
	struct pare_graph *graph = test_net_build_zoo("resnet20");
	int *keep = all_values(graph);
	size_t all = 0;
	(void)state;
	struct pare_exec *lean = exec_open(graph, &(struct pare_exec_options){.images = 16});
	struct pare_exec *fat =
	        exec_open(graph, &(struct pare_exec_options){.images = 16, .keep = keep, .n_keep = graph->n_values});
	for (int v = 0; v < graph->n_values; v++)
		all += (size_t)value_count(graph, v, 16) * sizeof(float);
	assert_true(pare_exec_bytes(fat) >= all);
	assert_true(pare_exec_bytes(lean) < pare_exec_bytes(fat) / 2);
	free(keep);
	pare_exec_free(lean);
	pare_exec_free(fat);
	pare_graph_free(graph);
}

/* ---- views ---- */

static void test_exec__a_view_is_the_same_memory(void **state)
{
	struct pare_graph *graph = test_net_build("flatten");
	int view = pare_graph_find_value(graph, "flatten"), pooled = pare_graph_find_value(graph, "pool");
	(void)state;
	assert_true(view >= 0 && pooled >= 0);
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 9});
	assert_non_null(pare_exec_value(exec, view).data);
	assert_ptr_equal(pare_exec_value(exec, view).data, pare_exec_value(exec, pooled).data);
	assert_int_equal(pare_exec_value(exec, view).shape.rank, 1);
	assert_int_equal(pare_exec_value(exec, pooled).shape.rank, 3);
	pare_exec_free(exec);
	pare_graph_free(graph);
}

/* A network that begins and ends with a view, or is nothing else. */
static void test_exec__views_of_input_and_output(void **state)
{
	struct pare_error error;
	(void)state;
	struct pare_graph *only = pare_graph_new("only", pare_shape_chw(2, 3, 2), "input");
	int value = only->input;
	assert_int_equal(pare_build_flatten(only, "flatten", &value, &error), PARE_OK);
	only->output = value;
	float *images = exec_images(only, 9, 11);
	float *output = run_once(only, &(struct pare_exec_options){.images = 9}, images);
	assert_same("only a view", output, images, 9 * 12);
	free(output);
	free(images);
	pare_graph_free(only);

	struct pare_graph *graph = pare_graph_new("ends", pare_shape_chw(2, 3, 2), "input");
	value = graph->input;
	assert_int_equal(pare_build_flatten(graph, "flatten", &value, &error), PARE_OK);
	assert_int_equal(pare_build_linear(graph, "fc", 6, true, &value, &error), PARE_OK);
	assert_int_equal(pare_build_relu(graph, "relu", &value, &error), PARE_OK);
	assert_int_equal(pare_build_flatten(graph, "again", &value, &error), PARE_OK);
	graph->output = value;
	test_net_randomize(graph, 11);
	check_numbers(graph, false);
	pare_graph_free(graph);
}

/* ---- steps ---- */

static void test_exec__steps_cover_every_node_once(void **state)
{
	struct pare_graph *graph;
	(void)state;
	for (int n = 0; (graph = test_net_build_any(n)); n++) {
		struct pare_step *steps;
		int n_steps = pare_graph_steps(graph, &steps), *seen = calloc((size_t)graph->n_nodes, sizeof(*seen));
		assert_true(n_steps > 0);
		for (int s = 0; s < n_steps; s++) {
			const struct pare_step *step = &steps[s];
			seen[step->node]++;
			assert_int_equal(step->activation == PARE_ACTIVATION_NONE, step->activation_node < 0);
			int last = step->node;
			if (step->activation_node >= 0) {
				last = step->activation_node;
				seen[last]++;
				assert_int_equal(graph->nodes[last].op->activation, step->activation);
				assert_int_equal(graph->nodes[last].inputs[0], graph->nodes[step->node].output);
				assert_int_equal(pare_graph_consumers(graph, graph->nodes[step->node].output), 1);
			}
			assert_int_equal(step->output, graph->nodes[last].output);
		}
		for (int i = 0; i < graph->n_nodes; i++)
			assert_int_equal(seen[i], 1);
		struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 1});
		assert_int_equal(pare_exec_step_count(exec), n_steps);
		pare_exec_free(exec);
		free(seen);
		free(steps);
		pare_graph_free(graph);
	}
}

static void test_exec__running_step_by_step_is_forward(void **state)
{
	struct pare_graph *graph = test_net_build("concat");
	float *images = exec_images(graph, 17, 12);
	struct pare_exec_options options = {.images = 17};
	(void)state;
	test_net_randomize(graph, 12);
	float *wanted = run_once(graph, &options, images);
	struct pare_exec *exec = exec_open(graph, &options);
	struct pare_tensor input = pare_exec_input(exec);
	pare_tensor_from_nchw(&input, images);
	for (int s = 0; s < pare_exec_step_count(exec); s++)
		pare_exec_run_step(exec, s);
	float *output = exec_read(exec, graph->output);
	assert_same("step by step", output, wanted, output_count(graph, 17));
	free(output);
	free(wanted);
	free(images);
	pare_exec_free(exec);
	pare_graph_free(graph);
}

/* One layer alone, with its fused activation, as a latency table times it: step 0 from that node on. */
static void test_exec__one_step_alone(void **state)
{
	struct pare_graph *graph = test_net_build("residual");
	int *keep = all_values(graph), n_steps;
	struct pare_step *steps;
	float *images = exec_images(graph, 8, 13);
	(void)state;
	test_net_randomize(graph, 13);
	struct pare_exec *full =
	        exec_open(graph, &(struct pare_exec_options){.images = 8, .keep = keep, .n_keep = graph->n_values});
	exec_forward(full, images);
	n_steps = pare_graph_steps(graph, &steps);
	for (int s = 0; s < n_steps; s++) {
		struct pare_exec *exec =
		        exec_open(graph, &(struct pare_exec_options){.images = 8, .first_node = steps[s].node});
		fill_frontier(exec, full, graph, steps[s].node);
		pare_exec_run_step(exec, 0);
		float *output = exec_read(exec, steps[s].output), *wanted = exec_read(full, steps[s].output);
		assert_same(graph->nodes[steps[s].node].name, output, wanted, value_count(graph, steps[s].output, 8));
		free(output);
		free(wanted);
		pare_exec_free(exec);
	}
	free(steps);
	free(keep);
	free(images);
	pare_exec_free(full);
	pare_graph_free(graph);
}

static void test_exec__nodes_that_nothing_needs_are_not_run(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	struct pare_error error;
	int side = pare_graph_find_value(graph, "conv1"), end;
	(void)state;
	assert_true(side >= 0);
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 2});
	int before = pare_exec_step_count(exec);
	pare_exec_free(exec);
	end = side = graph->output;
	assert_int_equal(pare_build_relu(graph, "side", &side, &error), PARE_OK);
	assert_int_equal(pare_build_linear(graph, "side.fc", 3, true, &side, &error), PARE_OK);
	graph->output = end;
	exec = exec_open(graph, &(struct pare_exec_options){.images = 2});
	assert_int_equal(pare_exec_step_count(exec), before);
	assert_null(pare_exec_value(exec, side).data);
	pare_exec_free(exec);
	exec = exec_open(graph, &(struct pare_exec_options){.images = 2, .keep = &side, .n_keep = 1});
	assert_int_equal(pare_exec_step_count(exec), before + 2);
	pare_exec_free(exec);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_exec__all_networks_agree_with_the_reference_in_both_layouts),
	        cmocka_unit_test(test_exec__both_layouts_agree_over_several_blocks),
	        cmocka_unit_test(test_exec__layout_follows_from_the_batch),
	        cmocka_unit_test(test_exec__refuses_impossible_batches),
	        cmocka_unit_test(test_exec__a_second_forward_gives_the_same),
	        cmocka_unit_test(test_exec__refresh_takes_changed_parameters),
	        cmocka_unit_test(test_exec__running_takes_no_memory),
	        cmocka_unit_test(test_exec__a_smaller_batch_gives_the_same_images),
	        cmocka_unit_test(test_exec__from_any_node_on_gives_the_same_bits),
	        cmocka_unit_test(test_exec__fused_and_unfused_activations_agree),
	        cmocka_unit_test(test_exec__kept_values_stay),
	        cmocka_unit_test(test_exec__keeping_costs_memory_and_nothing_else_does),
	        cmocka_unit_test(test_exec__a_view_is_the_same_memory),
	        cmocka_unit_test(test_exec__views_of_input_and_output),
	        cmocka_unit_test(test_exec__steps_cover_every_node_once),
	        cmocka_unit_test(test_exec__running_step_by_step_is_forward),
	        cmocka_unit_test(test_exec__one_step_alone),
	        cmocka_unit_test(test_exec__nodes_that_nothing_needs_are_not_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
