#include "engine/train/sgd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "tests/support/exec_rig.h"
#include "tests/support/nets.h"

#define STEPS 4

/* The rule in double, for one number: v = m v + g + d w; w -= lr v, or lr (g + d w + m v) with Nesterov's look-ahead.
 */
struct expected {
	double weight, velocity;
};

static void expect_step(struct expected *e, const struct pare_sgd_options *o, double gradient, double decay,
                        double rate)
{
	double g = gradient + decay * e->weight;
	e->velocity = o->momentum * e->velocity + g;
	e->weight -= rate * (o->nesterov ? g + o->momentum * e->velocity : e->velocity);
}

/* The gradient of number i of parameter p in a step: anything, as long as it is known. */
static float gradient_of(int step, int p, int64_t i)
{
	struct pare_rng rng = pare_rng_make((uint64_t)step, PARE_STREAM_TEST, (uint64_t)p * 100000 + (uint64_t)i);
	return (float)pare_rng_normal(&rng);
}

static double rate_of(int step)
{
	return 0.1 / (double)(step + 1);
}

static void check_param(const struct pare_graph *graph, const struct pare_graph *before, int p,
                        const struct pare_sgd_options *options)
{
	const struct pare_param *param = &graph->params[p];
	double decay = param->role == PARE_PARAM_WEIGHT ? options->weight_decay : 0.0;
	for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++) {
		struct expected e = {.weight = (double)before->params[p].data[i]};
		for (int step = 0; step < STEPS && exec_is_trained(graph, p); step++)
			expect_step(&e, options, (double)gradient_of(step, p, i), decay, rate_of(step));
		double off = fabs((double)param->data[i] - e.weight);
		if (!(off <= (exec_is_trained(graph, p) ? 1e-6 : 0.0)))
			fail_msg("%s[%lld] is %.9g, not %.9g", param->name, (long long)i, (double)param->data[i],
			         e.weight);
	}
}

static void check_options(const struct pare_sgd_options *options)
{
	struct pare_graph *graph = test_net_build("plain"); /* weights, biases, batch norm */
	test_net_randomize(graph, 1);
	struct pare_graph *before = pare_graph_copy(graph);
	struct pare_exec *exec = exec_open(graph, &(struct pare_exec_options){.images = 1, .training = true});
	struct pare_sgd sgd;

	assert_int_equal(pare_sgd_init(&sgd, graph, options), PARE_OK);
	for (int step = 0; step < STEPS; step++) {
		for (int p = 0; p < graph->n_params; p++) {
			float *gradient = pare_exec_param_gradient(exec, p);
			for (int64_t i = 0; gradient && i < pare_shape_elements(&graph->params[p].shape); i++)
				gradient[i] = gradient_of(step, p, i);
		}
		pare_sgd_step(&sgd, exec, rate_of(step));
	}
	for (int p = 0; p < graph->n_params; p++)
		check_param(graph, before, p, options);
	pare_sgd_release(&sgd);
	pare_exec_free(exec);
	pare_graph_free(graph);
	pare_graph_free(before);
}

static void test_sgd__follows_the_rule(void **state)
{
	(void)state;
	check_options(&(struct pare_sgd_options){0});
	check_options(&(struct pare_sgd_options){.momentum = 0.9});
	check_options(&(struct pare_sgd_options){.weight_decay = 0.05});
	check_options(&(struct pare_sgd_options){.momentum = 0.9, .weight_decay = 0.05});
	check_options(&(struct pare_sgd_options){.momentum = 0.9, .nesterov = true, .weight_decay = 0.05});
}

static void test_sgd__can_be_released_twice(void **state)
{
	struct pare_graph *graph = test_net_build("plain");
	struct pare_sgd sgd;
	(void)state;
	assert_int_equal(pare_sgd_init(&sgd, graph, &(struct pare_sgd_options){0}), PARE_OK);
	pare_sgd_release(&sgd);
	pare_sgd_release(&sgd);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_sgd__follows_the_rule),
	        cmocka_unit_test(test_sgd__can_be_released_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
