#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "search/controllers.h"
#include "tests/support/toy_problem.h"

static struct toy_study study;

static void run(struct toy *toy)
{
	struct pare_controller *controller =
	        toy_run(toy, &pare_controller_uniform, NULL, 5, 2, 0, toy_evaluate, &study);

	assert_int_equal(study.n, 1);
	assert_int_equal(study.parent[0], PARE_TRIAL_BASELINE);
	assert_string_equal(study.reason, "the one uniform plan was tried");
	controller->kind->close(controller);
}

/* The first common ratio on the way down from 1, in steps far smaller than any knob's, that meets the budgets. */
static void by_scan(struct toy *toy, double *point)
{
	double cost[PARE_MAX_RESOURCES];

	for (int t = 20000; t >= 0; t--) {
		for (int k = 0; k < toy->problem.space.n_knobs; k++)
			point[k] = t / 20000.0;
		assert_true(pare_space_round(&toy->problem.space, point));
		assert_int_equal(toy->problem.cost(toy, point, cost, NULL), 0);
		if (pare_problem_feasible(&toy->problem, cost))
			return;
	}
	fail_msg("no common ratio is within budget");
}

static void test_uniform__half_of_equal_groups(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 3, (int[]){16, 16, 16}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	run(&toy);
	for (int k = 0; k < 3; k++)
		assert_true(study.point[0][k] == 0.5);
	toy_release(&toy);
}

/* Equal groups move together: with 23 of 48 nothing but 7 + 7 + 7 is uniform. */
static void test_uniform__equal_groups_stay_equal(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 3, (int[]){16, 16, 16}, 1);
	toy_add_resource(&toy, TOY_SUM, 23.0 / 48.0);
	run(&toy);
	for (int k = 0; k < 3; k++)
		assert_true(study.point[0][k] == 7.0 / 16.0);
	toy_release(&toy);
}

static void test_uniform__is_the_largest_ratio_that_fits(void **state)
{
	enum toy_cost costs[] = {TOY_SUM, TOY_CHAIN, TOY_STAIRCASE, TOY_TEETH, TOY_LARGEST};
	double shares[] = {0.47, 0.5, 0.62, 0.8, 0.99}, point[TOY_MAX_KNOBS];

	(void)state;
	for (int c = 0; c < 5; c++)
		for (int s = 0; s < 5; s++) {
			struct toy toy;

			toy_init(&toy, 4, (int[]){12, 30, 17, 9}, 2);
			toy_add_resource(&toy, costs[c], shares[s]);
			toy_add_resource(&toy, TOY_ODD, 0.9);
			run(&toy);
			by_scan(&toy, point);
			assert_memory_equal(study.point[0], point, 4 * sizeof(double));
			toy_release(&toy);
		}
}

static void test_uniform__uncut_when_budgets_hold_already(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 2, (int[]){12, 30}, 2);
	toy_add_resource(&toy, TOY_CHAIN, 1.0);
	run(&toy);
	assert_true(study.point[0][0] == 1.0 && study.point[0][1] == 1.0);
	toy_release(&toy);
}

static void test_uniform__a_group_that_cannot_be_cut(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 2, (int[]){8, 8}, 1);
	toy.problem.space.knobs[0].values[0] = 1.0;
	toy.problem.space.knobs[0].n_values = 1;
	toy_add_resource(&toy, TOY_SUM, 0.75);
	run(&toy);
	assert_true(study.point[0][0] == 1.0 && study.point[0][1] == 0.5);
	toy_release(&toy);
}

static void refuses(double share, int status, const char *what)
{
	struct toy toy;
	struct pare_controller *controller = NULL;
	struct pare_error error = {0};

	toy_init(&toy, 2, (int[]){16, 16}, 4);
	toy_add_resource(&toy, TOY_SUM, share);
	assert_int_equal(pare_controller_uniform.open(&toy.problem, NULL, 1, &controller, &error), status);
	assert_null(controller);
	if (!strstr(error.text, what))
		fail_msg("'%s' is not in: %s", what, error.text);
	toy_release(&toy);
}

static void test_uniform__open_refuses_what_it_cannot_serve(void **state)
{
	(void)state;
	refuses(0.2, PARE_E_INFEASIBLE, "macs <= 6.4 cannot be met: it is 8 with");
	refuses(INFINITY, PARE_E_INVALID, "needs a budget");
}

static void test_uniform__a_cost_that_fails_is_passed_on(void **state)
{
	struct toy toy;
	struct pare_controller *controller = NULL;
	struct pare_error error = {0};

	(void)state;
	toy_init(&toy, 2, (int[]){16, 16}, 4);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	toy.fails_at = 3;
	assert_int_equal(pare_controller_uniform.open(&toy.problem, NULL, 1, &controller, &error), PARE_E_NOMEM);
	assert_string_equal(error.text, "no memory for a price");
	assert_null(controller);
	toy_release(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_uniform__half_of_equal_groups),
	        cmocka_unit_test(test_uniform__equal_groups_stay_equal),
	        cmocka_unit_test(test_uniform__is_the_largest_ratio_that_fits),
	        cmocka_unit_test(test_uniform__uncut_when_budgets_hold_already),
	        cmocka_unit_test(test_uniform__a_group_that_cannot_be_cut),
	        cmocka_unit_test(test_uniform__open_refuses_what_it_cannot_serve),
	        cmocka_unit_test(test_uniform__a_cost_that_fails_is_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
