#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "tests/support/toy_problem.h"

static void test_space__nearest_value_and_ties_upwards(void **state)
{
	double values[] = {0.25, 0.5, 1.0};
	struct pare_knob knob = {.values = values, .n_values = 3};

	(void)state;
	assert_int_equal(pare_knob_nearest(&knob, -INFINITY), 0);
	assert_int_equal(pare_knob_nearest(&knob, 0.25), 0);
	assert_int_equal(pare_knob_nearest(&knob, 0.374), 0);
	assert_int_equal(pare_knob_nearest(&knob, 0.375), 1);
	assert_int_equal(pare_knob_nearest(&knob, 0.74), 1);
	assert_int_equal(pare_knob_nearest(&knob, 0.75), 2);
	assert_int_equal(pare_knob_nearest(&knob, 7.0), 2);
	knob.n_values = 1;
	assert_int_equal(pare_knob_nearest(&knob, 3.0), 0);
}

static void test_space__round_refuses_what_is_not_finite(void **state)
{
	struct toy toy;
	double point[] = {0.3, 0.61};
	double bad[] = {0.3, NAN}, infinite[] = {INFINITY, 0.5};

	(void)state;
	toy_init(&toy, 2, (int[]){4, 5}, 1);
	assert_true(pare_space_round(&toy.problem.space, point));
	assert_true(point[0] == 0.25);
	assert_true(point[1] == 0.6);
	assert_false(pare_space_round(&toy.problem.space, bad));
	assert_true(bad[0] == 0.3);
	assert_false(pare_space_round(&toy.problem.space, infinite));
	toy_release(&toy);
	assert_null(toy.problem.space.knobs);
	pare_space_release(&toy.problem.space);
}

static void test_problem__nan_holds_no_budget(void **state)
{
	struct toy toy;
	double fine[] = {12.0, NAN}, over[] = {12.0001, 1.0}, unknown[] = {NAN, 1.0};

	(void)state;
	toy_init(&toy, 1, (int[]){24}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	toy_add_resource(&toy, TOY_SUM, INFINITY);
	assert_true(pare_problem_limited(&toy.problem));
	assert_true(pare_problem_feasible(&toy.problem, fine));
	assert_false(pare_problem_feasible(&toy.problem, over));
	assert_false(pare_problem_feasible(&toy.problem, unknown));
	toy.problem.resources[0].budget = INFINITY;
	assert_false(pare_problem_limited(&toy.problem));
	assert_true(pare_problem_feasible(&toy.problem, over));
	toy_release(&toy);
}

static void refuses(struct toy *toy, const char *what)
{
	struct pare_error error = {0};

	assert_int_equal(pare_problem_check(&toy->problem, &error), PARE_E_INVALID);
	if (!strstr(error.text, what))
		fail_msg("'%s' is not in: %s", what, error.text);
}

static void test_problem__check_names_the_knob_or_resource(void **state)
{
	struct toy toy;
	double *values;

	(void)state;
	toy_init(&toy, 2, (int[]){4, 4}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	assert_int_equal(pare_problem_check(&toy.problem, NULL), 0);
	values = toy.problem.space.knobs[1].values;
	values[2] = values[1];
	refuses(&toy, "group1: value 2");
	values[2] = NAN;
	refuses(&toy, "group1: value 2");
	values[2] = 0.75;
	values[0] = 0.0;
	refuses(&toy, "group1: value 0");
	values[0] = 0.25;
	toy.problem.space.knobs[0].n_values = 0;
	refuses(&toy, "group0");
	toy.problem.space.knobs[0].n_values = 4;
	toy.problem.resources[0].budget = NAN;
	refuses(&toy, "macs");
	toy.problem.resources[0].budget = 4.0;
	toy.problem.resources[0].baseline = 0.0;
	refuses(&toy, "macs");
	toy.problem.resources[0].budget = INFINITY;
	assert_int_equal(pare_problem_check(&toy.problem, NULL), 0);
	toy.problem.n_resources = PARE_MAX_RESOURCES + 1;
	refuses(&toy, "9 resources");
	toy_release(&toy);
}

static void test_problem__unreachable_names_resource_value_and_budget(void **state)
{
	struct toy toy;
	struct pare_error error = {0};

	(void)state;
	toy_init(&toy, 2, (int[]){16, 16}, 4);
	toy_add_resource(&toy, TOY_SUM, 0.9);
	toy_add_resource(&toy, TOY_CHAIN, 0.1);
	assert_int_equal(pare_problem_check_reachable(&toy.problem, &error), PARE_E_INFEASIBLE);
	assert_string_equal(error.text,
	                    "the budget params <= 46.4 cannot be met: it is 68 with every group at its smallest "
	                    "(464 uncut)");
	toy.problem.resources[1].budget = 68.0;
	assert_int_equal(pare_problem_check_reachable(&toy.problem, &error), 0);
	toy_release(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_space__nearest_value_and_ties_upwards),
	        cmocka_unit_test(test_space__round_refuses_what_is_not_finite),
	        cmocka_unit_test(test_problem__nan_holds_no_budget),
	        cmocka_unit_test(test_problem__check_names_the_knob_or_resource),
	        cmocka_unit_test(test_problem__unreachable_names_resource_value_and_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
