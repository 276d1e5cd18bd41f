#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "engine/base/rng.h"
#include "search/pareto.h"

static const bool accuracy_cost[] = {true, false};

static void test_pareto__dominates(void **state)
{
	double a[] = {0.9, 10}, worse[] = {0.9, 11}, traded[] = {0.8, 5}, unknown[] = {NAN, 1}, also[] = {0.9, NAN};

	(void)state;
	assert_true(pare_dominates(a, worse, accuracy_cost, 2));
	assert_false(pare_dominates(worse, a, accuracy_cost, 2));
	assert_false(pare_dominates(a, a, accuracy_cost, 2));
	assert_false(pare_dominates(a, traded, accuracy_cost, 2));
	assert_false(pare_dominates(traded, a, accuracy_cost, 2));
	assert_true(pare_dominates(traded, unknown, accuracy_cost, 2));
	assert_false(pare_dominates(unknown, traded, accuracy_cost, 2));
	assert_false(pare_dominates(unknown, also, accuracy_cost, 2));
}

static void test_pareto__front_by_hand(void **state)
{
	double points[][2] = {{0.9, 10}, {0.8, 5},   {0.85, 5},  {0.9, 10},
	                      {NAN, 1},  {0.95, 30}, {0.94, 31}, {0.1, -INFINITY}};
	bool expected[] = {true, false, true, false, false, true, false, true};
	bool front[8];

	(void)state;
	pare_pareto_front(&points[0][0], 8, 2, accuracy_cost, front);
	assert_memory_equal(front, expected, sizeof(front));
}

static void test_pareto__degenerate_inputs(void **state)
{
	double unknown[] = {NAN, NAN}, one[] = {3.0};
	bool front[2];

	(void)state;
	pare_pareto_front(unknown, 0, 2, accuracy_cost, front);
	pare_pareto_front(unknown, 2, 1, accuracy_cost, front);
	assert_false(front[0] || front[1]);
	pare_pareto_front(one, 1, 1, accuracy_cost, front);
	assert_true(front[0]);
}

/* What a front is: nobody outside without a dominator or an equal inside, nobody inside dominated. */
static void test_pareto__front_of_random_points_is_one(void **state)
{
	static const bool maximise[] = {true, false, false};
	struct pare_rng rng = pare_rng_make(1, PARE_STREAM_TEST, 0);
	double points[200][3];
	bool front[200];
	int size = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < 3; k++)
			points[i][k] = pare_rng_below(&rng, 12);
	pare_pareto_front(&points[0][0], 200, 3, maximise, front);
	for (int i = 0; i < 200; i++) {
		bool covered = false;

		for (int j = 0; j < 200; j++) {
			if (front[i])
				assert_false(pare_dominates(points[j], points[i], maximise, 3));
			covered = covered || (front[j] && (pare_dominates(points[j], points[i], maximise, 3) ||
			                                   memcmp(points[i], points[j], sizeof(points[i])) == 0));
		}
		assert_true(covered);
		size += front[i];
	}
	assert_in_range(size, 2, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_pareto__dominates),
	        cmocka_unit_test(test_pareto__front_by_hand),
	        cmocka_unit_test(test_pareto__degenerate_inputs),
	        cmocka_unit_test(test_pareto__front_of_random_points_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
