/* The executor, backward: gradients of whole networks against finite differences of the reference in double. */
#include "engine/graph/exec.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "tests/support/exec_rig.h"
#include "tests/support/grad_check.h"
#include "tests/support/nets.h"
#include "tests/support/reference_graph.h"

/* ---- an operator that cannot accumulate: y = 2 a, or y = 2 a + 3 b ---- */

static int blend_infer(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	(void)error;
	*out = *pare_node_input_shape(graph, node, 0);
	return PARE_OK;
}

static void blend_forward(const struct pare_op_args *args)
{
	for (int64_t e = 0; e < pare_tensor_size(&args->out); e++)
		args->out.data[e] =
		        2.0f * args->in[0].data[e] + (args->node->n_inputs > 1 ? 3.0f * args->in[1].data[e] : 0.0f);
}

static void blend_backward(const struct pare_op_args *args)
{
	for (int i = 0; i < args->node->n_inputs; i++) {
		assert_false(args->din_accumulate[i]);
		for (int64_t e = 0; args->din[i].data && e < pare_tensor_size(&args->dout); e++)
			args->din[i].data[e] = (i == 0 ? 2.0f : 3.0f) * args->dout.data[e];
	}
}

static void blend_reference(const struct reference_call *call)
{
	for (int64_t e = 0; e < call->images * pare_shape_elements(&call->out_shape); e++)
		call->out[e] = 2.0 * call->in[0][e] + (call->n_inputs > 1 ? 3.0 * call->in[1][e] : 0.0);
}

static const struct pare_op blend = {.name = "blend",
                                     .min_inputs = 1,
                                     .max_inputs = 2,
                                     .infer_shape = blend_infer,
                                     .forward = blend_forward,
                                     .backward = blend_backward};

/* ---- networks in which values have several readers ---- */

static struct pare_error error;

static int add_blend(struct pare_graph *graph, int a, int b)
{
	int value, inputs[] = {a, b};
	assert_int_equal(
	        pare_graph_add_node(graph,
	                            &(struct pare_node_spec){
	                                    .name = "blend", .op = &blend, .inputs = inputs, .n_inputs = b < 0 ? 1 : 2},
	                            &value, &error),
	        PARE_OK);
	return value;
}

static int conv(struct pare_graph *graph, int value, int64_t channels)
{
	assert_int_equal(pare_build_conv(graph, "conv", channels, 3, 1, 1, true, &value, &error), PARE_OK);
	return value;
}

static int linear(struct pare_graph *graph, int value, int64_t features)
{
	assert_int_equal(pare_build_linear(graph, "fc", features, true, &value, &error), PARE_OK);
	return value;
}

static int flatten(struct pare_graph *graph, int value)
{
	assert_int_equal(pare_build_flatten(graph, "flatten", &value, &error), PARE_OK);
	return value;
}

static int add(struct pare_graph *graph, int a, int b)
{
	assert_int_equal(pare_build_add(graph, "add", b, &a, &error), PARE_OK);
	return a;
}

static int relu(struct pare_graph *graph, int value)
{
	assert_int_equal(pare_build_relu(graph, "relu", &value, &error), PARE_OK);
	return value;
}

/* `a` has five readers: a concat that takes it twice, a blend that takes it twice, one more blend and a ReLU; `joined`
 * is read by two linear layers through a view, and directly. Backward goes from the last node to the first, so the
 * first reader of each is the one that adds. */
static struct pare_graph *build_tangle(void)
{
	struct pare_graph *graph = pare_graph_new("tangle", pare_shape_chw(3, 6, 6), "input");
	assert_non_null(graph);
	int a = conv(graph, graph->input, 4), doubled = add_blend(graph, a, a);
	int sum = add(graph, doubled, doubled), all, parts[] = {a, sum, a};
	assert_int_equal(pare_build_concat(graph, "concat", parts, 3, &all, &error), PARE_OK);
	int mixed = add_blend(graph, conv(graph, all, 4), a), clipped = relu(graph, a);
	int joined = add(graph, mixed, clipped), flat = flatten(graph, joined);
	int first = linear(graph, flat, 5), second = linear(graph, flat, 5), pooled = joined;
	assert_int_equal(pare_build_global_average_pool(graph, "gap", &pooled, &error), PARE_OK);
	int third = linear(graph, flatten(graph, pooled), 5);
	graph->output = add(graph, add(graph, first, second), third);
	test_net_randomize(graph, 21);
	return graph;
}

/* The network's first node is one that cannot accumulate, and its input is read again. */
static struct pare_graph *build_blends(void)
{
	struct pare_graph *graph = pare_graph_new("blends", pare_shape_chw(2, 3, 3), "input");
	assert_non_null(graph);
	int a = add_blend(graph, graph->input, -1), b = add_blend(graph, graph->input, a);
	graph->output = linear(graph, flatten(graph, add_blend(graph, conv(graph, b, 2), graph->input)), 4);
	test_net_randomize(graph, 22);
	return graph;
}

/* ---- gradients ---- */

/* The executor's float rounding, relative to a parameter's gradient; and to all gradients for those that nearly vanish
 * (a bias before a batch norm). */
#define GRADIENT_TOLERANCE 2e-4
#define VANISHING 0.02

struct problem {
	struct reference_graph reference;
	const float *weights; /* the loss is <output, weights> */
};

static double loss(void *context)
{
	struct problem *problem = context;
	const struct reference_graph *r = &problem->reference;
	int64_t count = r->images * pare_shape_elements(&r->graph->values[r->graph->output].shape);
	double sum = 0.0;
	reference_graph_run(&problem->reference);
	for (int64_t i = 0; i < count; i++)
		sum += r->values[r->graph->output][i] * (double)problem->weights[i];
	return sum;
}

static double norm(const float *values, int64_t count)
{
	double sum = 0.0;
	for (int64_t i = 0; i < count; i++)
		sum += (double)values[i] * (double)values[i];
	return sqrt(sum);
}

static void check_one(struct problem *problem, const char *name, double *values, const float *gradient, int64_t count,
                      double norm_of_all)
{
	char text[256];
	double own = norm(gradient, count);
	struct grad_check check = {.loss = loss,
	                           .context = problem,
	                           .values = values,
	                           .gradient = gradient,
	                           .count = count,
	                           .epsilon = 1e-8, /* small: thousands of ReLUs have kinks */
	                           .tolerance = GRADIENT_TOLERANCE * (1.0 + VANISHING * norm_of_all / (own + 1e-30)),
	                           .samples = 1,
	                           .seed = 5};
	if (!grad_check(&check, text, sizeof text))
		fail_msg("%s, gradient of %s: %s", problem->reference.graph->name, name, text);
}

static void check_gradients(const struct pare_graph *graph, int64_t n)
{
	float *images = exec_images(graph, n, 1), *weights = exec_normal(&graph->values[graph->output].shape, n, 2);
	struct problem problem = {.weights = weights};
	int64_t count = exec_gradient_count(graph);
	reference_graph_open(&problem.reference, graph, n, true);
	problem.reference.own_op = &blend;
	problem.reference.own_reference = blend_reference;
	for (int64_t i = 0; i < n * pare_shape_elements(&graph->values[graph->input].shape); i++)
		problem.reference.values[graph->input][i] = (double)images[i];
	for (int lanes = 1; lanes <= PARE_LANES; lanes += PARE_LANES - 1) {
		struct pare_exec_options options = {
		        .images = n, .lanes = lanes, .training = true, .input_gradient = true};
		struct pare_exec *exec = exec_open(graph, &options);
		exec_forward(exec, images);
		exec_backward(exec, weights);
		float *gradients = exec_read_gradients(exec, graph), *at = gradients;
		struct pare_tensor input = pare_exec_input_gradient(exec);
		float *input_gradient = tensor_read(&input);
		double norm_of_all = norm(gradients, count);
		for (int p = 0; p < graph->n_params; p++) {
			int64_t size = pare_shape_elements(&graph->params[p].shape);
			if (!exec_is_trained(graph, p))
				continue;
			check_one(&problem, graph->params[p].name, problem.reference.params[p], at, size, norm_of_all);
			at += size;
		}
		check_one(&problem, "input", problem.reference.values[graph->input], input_gradient,
		          n * pare_shape_elements(&input.shape), norm_of_all);
		free(gradients);
		free(input_gradient);
		pare_exec_free(exec);
	}
	reference_graph_close(&problem.reference);
	free(images);
	free(weights);
}

static void test_exec_backward__gradients_of_all_networks(void **state)
{
	(void)state;
	for (const struct test_net *net = test_nets; net->name; net++) {
		struct pare_graph *graph = net->build();
		test_net_randomize(graph, 23);
		check_gradients(graph, 2);
		pare_graph_free(graph);
	}
}

static void test_exec_backward__several_readers_add_up(void **state)
{
	struct pare_graph *tangle = build_tangle(), *blends = build_blends();
	(void)state;
	check_gradients(tangle, 3);
	check_gradients(blends, 3);
	pare_graph_free(tangle);
	pare_graph_free(blends);
}

static void test_exec_backward__a_batch_of_one(void **state)
{
	(void)state;
	for (const struct test_net *net = test_nets; net->name; net++) {
		if (net->block)
			continue; /* for the sake of time */
		struct pare_graph *graph = net->build();
		test_net_randomize(graph, 24);
		check_gradients(graph, 1);
		pare_graph_free(graph);
	}
}

/* ---- the same again ---- */

/* Gradients of a new executor with room for `room` images, run with n of them. */
static float *gradients_of(const struct pare_graph *graph, int64_t room, int64_t n, const float *images,
                           const float *weights, float unused_lanes)
{
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = room, .training = true});
	pare_exec_set_images(exec, n);
	struct pare_tensor input = pare_exec_input(exec);
	pare_tensor_from_nchw(&input, images);
	for (int64_t i = n; i < pare_tensor_blocks(&input) * input.lanes; i++)
		for (int64_t e = 0; e < pare_shape_elements(&input.shape); e++)
			*pare_tensor_at(&input, i, e) = unused_lanes;
	pare_exec_forward(exec);
	exec_backward(exec, weights);
	float *gradients = exec_read_gradients(exec, graph);
	pare_exec_free(exec);
	return gradients;
}

static void test_exec_backward__unused_lanes_and_room_do_not_matter(void **state)
{
	(void)state;
	for (const struct test_net *net = test_nets; net->name; net++) {
		struct pare_graph *graph = net->build();
		test_net_randomize(graph, 25);
		float *images = exec_images(graph, 21, 3);
		float *weights = exec_normal(&graph->values[graph->output].shape, 21, 4);
		float *exact = gradients_of(graph, 21, 21, images, weights, 0.0f);
		float *roomy = gradients_of(graph, 50, 21, images, weights, 0.0f);
		float *noisy = gradients_of(graph, 50, 21, images, weights, 1000.0f);
		assert_same(net->name, roomy, exact, exec_gradient_count(graph));
		assert_same(net->name, noisy, exact, exec_gradient_count(graph));
		free(exact);
		free(roomy);
		free(noisy);
		exact = gradients_of(graph, 4, 4, images, weights, 0.0f);
		roomy = gradients_of(graph, 7, 4, images, weights, 0.0f);
		assert_same(net->name, roomy, exact, exec_gradient_count(graph));
		free(exact);
		free(roomy);
		free(images);
		free(weights);
		pare_graph_free(graph);
	}
}

static void test_exec_backward__a_second_time_gives_the_same(void **state)
{
	struct pare_graph *graphs[] = {build_tangle(), test_net_build("residual")};
	(void)state;
	for (int g = 0; g < 2; g++) {
		float *images = exec_images(graphs[g], 18, 5);
		float *weights = exec_normal(&graphs[g]->values[graphs[g]->output].shape, 18, 6);
		struct pare_exec *exec =
		        exec_open(graphs[g], &(struct pare_exec_options){.images = 18, .training = true});
		exec_forward(exec, images);
		exec_backward(exec, weights);
		float *first = exec_read_gradients(exec, graphs[g]);
		exec_forward(exec, images);
		exec_backward(exec, weights);
		float *second = exec_read_gradients(exec, graphs[g]);
		assert_same(graphs[g]->name, second, first, exec_gradient_count(graphs[g]));
		assert_true(norm(first, exec_gradient_count(graphs[g])) > 0.0);
		free(first);
		free(second);
		free(images);
		free(weights);
		pare_exec_free(exec);
		pare_graph_free(graphs[g]);
	}
}

/* ---- parts ---- */

static void test_exec_backward__input_gradient_only_on_request(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	(void)state;
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 2, .training = true});
	assert_null(pare_exec_input_gradient(exec).data);
	assert_non_null(pare_exec_output_gradient(exec).data);
	pare_exec_free(exec);
	exec = exec_open(graph, &(struct pare_exec_options){.images = 2});
	for (int p = 0; p < graph->n_params; p++)
		assert_null(pare_exec_param_gradient(exec, p));
	pare_exec_free(exec);
	pare_graph_free(graph);
}

/* A value that is kept but does not lead to the output runs along, and leaves all gradients alone. */
static void test_exec_backward__kept_side_branches_have_no_gradient(void **state)
{
	struct pare_graph *graph = test_net_build("residual");
	int end = graph->output, stem = pare_graph_find_value(graph, "relu");
	(void)state;
	assert_true(stem >= 0);
	int n_params = graph->n_params, side = conv(graph, relu(graph, conv(graph, stem, 6)), 8),
	    beyond = relu(graph, end);
	int keep[] = {side, beyond};
	graph->output = end;
	test_net_randomize(graph, 26);
	float *images = exec_images(graph, 9, 7), *weights = exec_normal(&graph->values[end].shape, 9, 8);
	float *wanted = gradients_of(graph, 9, 9, images, weights, 0.0f);
	struct pare_exec *exec =
	        exec_open(graph, &(struct pare_exec_options){.images = 9, .training = true, .keep = keep, .n_keep = 2});
	for (int again = 0; again < 2; again++) {
		exec_forward(exec, images);
		exec_backward(exec, weights);
	}
	float *found = exec_read_gradients(exec, graph);
	assert_same("with a kept side branch", found, wanted, exec_gradient_count(graph));
	for (int p = n_params; p < graph->n_params; p++)
		assert_true(norm(pare_exec_param_gradient(exec, p), pare_shape_elements(&graph->params[p].shape)) ==
		            0.0);
	free(found);
	free(wanted);
	free(images);
	free(weights);
	pare_exec_free(exec);
	pare_graph_free(graph);
}

/* From the middle on: later layers get the gradients of the full run, earlier ones none. */
static void test_exec_backward__from_a_node_on(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	int middle = pare_graph_find_node(graph, "conv3"), frontier = graph->nodes[middle].inputs[0];
	(void)state;
	test_net_randomize(graph, 27);
	float *images = exec_images(graph, 9, 9), *weights = exec_normal(&graph->values[graph->output].shape, 9, 10);
	struct pare_exec *full = exec_open(
	        graph, &(struct pare_exec_options){.images = 9, .training = true, .keep = &frontier, .n_keep = 1});
	struct pare_exec *part =
	        exec_open(graph, &(struct pare_exec_options){.images = 9, .training = true, .first_node = middle});
	exec_forward(full, images);
	exec_backward(full, weights);
	struct pare_tensor from = pare_exec_value(full, frontier), to = pare_exec_value(part, frontier);
	memcpy(to.data, from.data, (size_t)pare_tensor_size(&from) * sizeof(float));
	pare_exec_forward(part);
	exec_backward(part, weights);
	int first_param = graph->nodes[middle].params[0];
	for (int p = 0; p < graph->n_params; p++) {
		const float *found = pare_exec_param_gradient(part, p), *wanted = pare_exec_param_gradient(full, p);
		int64_t count = pare_shape_elements(&graph->params[p].shape);
		if (!exec_is_trained(graph, p))
			continue;
		if (p >= first_param)
			assert_same(graph->params[p].name, found, wanted, count);
		else
			assert_true(norm(found, count) == 0.0);
	}
	free(images);
	free(weights);
	pare_exec_free(full);
	pare_exec_free(part);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_exec_backward__gradients_of_all_networks),
	        cmocka_unit_test(test_exec_backward__several_readers_add_up),
	        cmocka_unit_test(test_exec_backward__a_batch_of_one),
	        cmocka_unit_test(test_exec_backward__unused_lanes_and_room_do_not_matter),
	        cmocka_unit_test(test_exec_backward__a_second_time_gives_the_same),
	        cmocka_unit_test(test_exec_backward__input_gradient_only_on_request),
	        cmocka_unit_test(test_exec_backward__kept_side_branches_have_no_gradient),
	        cmocka_unit_test(test_exec_backward__from_a_node_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
