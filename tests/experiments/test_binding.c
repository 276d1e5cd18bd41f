/* The network as a search problem: knobs, rounding, resources, budgets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/zoo/zoo.h"
#include "experiments/binding.h"

static struct pare_graph *plain_cnn(void)
{
	struct pare_zoo_options options = {.input = pare_shape_chw(1, 12, 12), .classes = 10, .width = 1.0, .seed = 3};
	struct pare_graph *graph = NULL;
	struct pare_error error;
	assert_int_equal(pare_zoo_find("plain_cnn")->build(&options, &graph, &error), 0);
	return graph;
}

static struct pare_spec spec_with(enum pare_metric metric, double share)
{
	return (struct pare_spec){
	        .constraints = {{.metric = metric, .value = share, .relative = true}},
	        .n_constraints = 1,
	        .criterion = pare_criterion_find("l2"),
	        .step = 1,
	        .min_ratio = 0.25,
	};
}

static void test_binding__knobs_list_every_width(void **state)
{
	struct pare_graph *graph = plain_cnn();
	struct pare_spec spec = spec_with(PARE_METRIC_MACS, 0.5);
	struct pare_binding binding;
	struct pare_error error;
	(void)state;

	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	assert_int_equal(binding.problem.space.n_knobs, 5);
	for (int k = 0; k < 5; k++) {
		const struct pare_knob *knob = &binding.problem.space.knobs[k];
		double channels = (double)binding.groups.group[binding.knob_group[k]].channels;
		assert_int_equal(knob->n_values, (int)(channels - channels / 4 + 1));
		assert_true(knob->values[0] == 0.25);
		assert_true(knob->values[knob->n_values - 1] == 1.0);
		for (int i = 1; i < knob->n_values; i++)
			assert_true(fabs((knob->values[i] - knob->values[i - 1]) * channels - 1.0) < 1e-9);
	}
	pare_binding_release(&binding);
	pare_graph_free(graph);
}

static void test_binding__step_and_ignore(void **state)
{
	struct pare_graph *graph = plain_cnn();
	struct pare_spec spec = spec_with(PARE_METRIC_MACS, 0.5);
	struct pare_binding binding;
	struct pare_error error;
	char first[64];
	(void)state;

	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	strcpy(first, binding.problem.space.knobs[0].name);
	pare_binding_release(&binding);
	spec.step = 8;
	spec.ignore[0] = first;
	spec.n_ignore = 1;
	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	assert_int_equal(binding.problem.space.n_knobs, 4);
	for (int k = 0; k < 4; k++) {
		const struct pare_knob *knob = &binding.problem.space.knobs[k];
		double channels = (double)binding.groups.group[binding.knob_group[k]].channels;
		assert_string_not_equal(knob->name, first);
		for (int i = 0; i < knob->n_values; i++)
			assert_true(fmod(round(knob->values[i] * channels), 8.0) == 0.0);
	}
	pare_binding_release(&binding);
	pare_graph_free(graph);
}

static void test_binding__costs_are_those_of_the_slim_network(void **state)
{
	struct pare_graph *graph = plain_cnn(), *slim = NULL;
	struct pare_spec spec = spec_with(PARE_METRIC_MACS, 0.5);
	struct pare_binding binding;
	struct pare_plan plan;
	struct pare_error error;
	double point[5] = {1.0, 0.5, 0.75, 0.25, 0.3}, cost[PARE_MAX_RESOURCES];
	(void)state;

	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	assert_int_equal(binding.problem.n_resources, 1);
	assert_string_equal(binding.problem.resources[0].name, "macs");
	assert_true(binding.problem.resources[0].baseline == (double)pare_graph_macs(graph));
	assert_true(binding.problem.resources[0].budget == 0.5 * (double)pare_graph_macs(graph));

	assert_int_equal(pare_plan_init(&plan, &binding.groups), 0);
	assert_int_equal(pare_binding_plan(&binding, point, &plan, &error), 0);
	assert_int_equal(plan.kept[binding.knob_group[4]], 19); /* 0.3 of 64 channels */
	assert_int_equal(pare_slim(&binding.groups, &plan, spec.criterion, &slim, &error), 0);
	assert_int_equal(binding.problem.cost(binding.problem.context, point, cost, &error), 0);
	assert_true(cost[0] == (double)pare_graph_macs(slim));
	struct pare_metrics metrics;
	assert_int_equal(pare_binding_cost(&binding, &plan, &metrics, &error), 0);
	assert_true(metrics.value[PARE_METRIC_PARAMS] == (double)pare_graph_parameters(slim));
	assert_false(metrics.present[PARE_METRIC_LATENCY_MS]);

	pare_graph_free(slim);
	pare_plan_release(&plan);
	pare_binding_release(&binding);
	pare_graph_free(graph);
}

static void test_binding__budgets_are_checked(void **state)
{
	struct pare_graph *graph = plain_cnn();
	struct pare_spec spec = spec_with(PARE_METRIC_PARAMS, 0.5);
	struct pare_binding binding;
	struct pare_metrics metrics;
	struct pare_error error;
	(void)state;

	spec.constraints[1] = (struct pare_spec_constraint){.metric = PARE_METRIC_MACS, .value = 12345.0};
	spec.n_constraints = 2;
	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	assert_true(binding.problem.resources[1].budget == 12345.0);
	metrics = binding.baseline;
	assert_int_equal(pare_binding_check(&binding, &metrics, &error), PARE_E_INFEASIBLE);
	assert_non_null(strstr(error.text, "params"));
	metrics.value[PARE_METRIC_PARAMS] = 1.0;
	assert_int_equal(pare_binding_check(&binding, &metrics, &error), PARE_E_INFEASIBLE);
	assert_non_null(strstr(error.text, "12345"));
	metrics.value[PARE_METRIC_MACS] = 12345.0;
	assert_int_equal(pare_binding_check(&binding, &metrics, &error), 0);
	metrics.value[PARE_METRIC_MACS] = NAN;
	assert_int_equal(pare_binding_check(&binding, &metrics, &error), PARE_E_INFEASIBLE);
	pare_binding_release(&binding);
	pare_graph_free(graph);
}

static void test_binding__bad_points_and_empty_spaces(void **state)
{
	struct pare_graph *graph = plain_cnn();
	struct pare_spec spec = spec_with(PARE_METRIC_MACS, 0.5);
	struct pare_binding binding;
	struct pare_error error;
	char everything[] = "*";
	double point[5] = {1.0, 1.0, 0.0, 1.0, 1.0}, cost[PARE_MAX_RESOURCES];
	(void)state;

	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), 0);
	assert_int_equal(binding.problem.cost(binding.problem.context, point, cost, &error), PARE_E_INVALID);
	point[2] = NAN;
	assert_int_equal(binding.problem.cost(binding.problem.context, point, cost, &error), PARE_E_INVALID);
	pare_binding_release(&binding);

	spec.constraints[0].metric = PARE_METRIC_LATENCY_MS; /* no table */
	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "latency_ms"));
	spec.constraints[0].metric = PARE_METRIC_MACS;
	spec.ignore[0] = everything;
	spec.n_ignore = 1;
	assert_int_equal(pare_binding_init(&binding, &spec, graph, NULL, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "nothing to search"));
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_binding__knobs_list_every_width),
	        cmocka_unit_test(test_binding__step_and_ignore),
	        cmocka_unit_test(test_binding__costs_are_those_of_the_slim_network),
	        cmocka_unit_test(test_binding__budgets_are_checked),
	        cmocka_unit_test(test_binding__bad_points_and_empty_spaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
