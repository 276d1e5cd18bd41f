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

static struct toy_study study, again;

static void run(struct toy *toy, double trials, int64_t first, int workers, struct toy_study *into)
{
	struct pare_controller *controller =
	        toy_run(toy, &pare_controller_random, &trials, first, workers, 0, toy_evaluate, into);

	assert_int_equal(into->n, (int)trials);
	assert_string_equal(into->reason, "all trials were made");
	controller->kind->close(controller);
}

static void test_random__budgets_hold_and_are_nearly_used(void **state)
{
	enum toy_cost costs[] = {TOY_SUM, TOY_CHAIN, TOY_STAIRCASE, TOY_TEETH};

	(void)state;
	for (int c = 0; c < 4; c++) {
		struct toy toy;

		toy_init(&toy, 4, (int[]){48, 60, 64, 40}, 2);
		toy_add_resource(&toy, costs[c], 0.5);
		run(&toy, 50, 0, 1, &study);
		for (int i = 0; i < study.n; i++) {
			double cost = toy_cost(&toy, study.point[i], 0);

			assert_true(cost <= toy.problem.resources[0].budget);
			assert_true(cost >= 0.8 * toy.problem.resources[0].budget);
			assert_int_equal(study.parent[i], PARE_TRIAL_BASELINE);
		}
		toy_release(&toy);
	}
}

static void test_random__every_budget_holds(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 4, (int[]){48, 60, 64, 40}, 2);
	toy_add_resource(&toy, TOY_ODD, 0.5);
	toy_add_resource(&toy, TOY_EVEN, 0.7);
	run(&toy, 50, 0, 1, &study);
	for (int i = 0; i < study.n; i++)
		for (int j = 0; j < 2; j++)
			assert_true(toy_cost(&toy, study.point[i], j) <= toy.problem.resources[j].budget);
	toy_release(&toy);
}

/* Without a budget the draws are not moved: every value of a knob comes up about as often. */
static void test_random__draws_are_uniform(void **state)
{
	struct toy toy;
	int seen[2][5] = {{0}};

	(void)state;
	toy_init(&toy, 2, (int[]){5, 5}, 1);
	toy_add_resource(&toy, TOY_SUM, INFINITY);
	run(&toy, 1000, 0, 1, &study);
	for (int i = 0; i < study.n; i++)
		for (int k = 0; k < 2; k++)
			seen[k][(int)(study.point[i][k] * 5.0 + 0.5) - 1]++;
	for (int k = 0; k < 2; k++)
		for (int v = 0; v < 5; v++)
			assert_in_range(seen[k][v], 140, 260); /* 200 expected, standard deviation 12.6 */
	toy_release(&toy);
}

/* A trial is a function of (seed, id): a study that starts at id 3 makes the same networks from there on. */
static void test_random__a_trial_depends_on_its_id_alone(void **state)
{
	struct toy toy;

	(void)state;
	toy_init(&toy, 3, (int[]){48, 60, 64}, 2);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	run(&toy, 20, 0, 1, &study);
	run(&toy, 17, 3, 7, &again);
	assert_memory_equal(study.point[3], again.point[0], 17 * sizeof(study.point[0]));
	assert_memory_not_equal(study.point[0], study.point[1], 3 * sizeof(double));
	toy_release(&toy);
}

static void test_random__open_refuses_an_unreachable_budget(void **state)
{
	struct toy toy;
	struct pare_controller *controller = NULL;
	struct pare_error error = {0};
	double trials = 5;

	(void)state;
	toy_init(&toy, 2, (int[]){16, 16}, 4);
	toy_add_resource(&toy, TOY_SUM, 0.2);
	assert_int_equal(pare_controller_random.open(&toy.problem, &trials, 1, &controller, &error), PARE_E_INFEASIBLE);
	assert_non_null(strstr(error.text, "macs <= 6.4 cannot be met: it is 8 with"));
	assert_null(controller);
	toy_release(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_random__budgets_hold_and_are_nearly_used),
	        cmocka_unit_test(test_random__every_budget_holds),
	        cmocka_unit_test(test_random__draws_are_uniform),
	        cmocka_unit_test(test_random__a_trial_depends_on_its_id_alone),
	        cmocka_unit_test(test_random__open_refuses_an_unreachable_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
