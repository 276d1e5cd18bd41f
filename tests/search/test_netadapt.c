#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "search/controllers.h"
#include "search/netadapt_round.h"
#include "tests/support/toy_problem.h"

enum { STEP, DECAY, PICK, MAX_ROUNDS };

static struct toy_study study;

/* cost = 10 a + 20 b with a, b in 1..4: 120 uncut, budget 60; b is cheap to cut, a is dear. */
static void init_small(struct toy *toy)
{
	toy_init(toy, 2, (int[]){4, 4}, 1);
	toy->price[0] = 10.0;
	toy->price[1] = 20.0;
	toy->weight[0] = 0.4;
	toy->weight[1] = 0.1;
	toy_add_resource(toy, TOY_SUM, 0.5);
}

static void expect_trial(const struct toy *toy, int i, int a, int b, int64_t parent, int64_t round)
{
	assert_true(study.point[i][0] == a / (double)toy->channels[0]);
	assert_true(study.point[i][1] == b / (double)toy->channels[1]);
	assert_int_equal(study.parent[i], parent);
	assert_int_equal(study.round[i], round);
}

/*
 * By hand, with step 0.25 and decay 0.5. Round 1: 120 - 30 = 90; a = 1 costs 90, accuracy 0.725; b = 2 costs 80,
 * accuracy 0.925: b. Round 2: max(60, 80 - 15) = 65; a = 2 costs 60, accuracy 0.825; b = 1 costs 60, accuracy 0.894: b.
 * 60 is the budget.
 */
static void test_netadapt__small_example_by_hand(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.25, 0.5, 0, 0};
	int64_t finalists[4];

	(void)state;
	init_small(&toy);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 1, 0, toy_evaluate, &study);
	assert_int_equal(study.n, 4);
	expect_trial(&toy, 0, 1, 4, PARE_TRIAL_BASELINE, 1);
	expect_trial(&toy, 1, 4, 2, PARE_TRIAL_BASELINE, 1);
	expect_trial(&toy, 2, 2, 2, 1, 2);
	expect_trial(&toy, 3, 4, 1, 1, 2);
	assert_string_equal(study.reason, "all budgets met");
	assert_int_equal(controller->kind->finalists(controller, finalists, 4), 2);
	assert_int_equal(finalists[0], 3);
	assert_int_equal(finalists[1], 2);
	assert_int_equal(controller->kind->finalists(controller, finalists, 1), 1);
	assert_int_equal(finalists[0], 3);
	controller->kind->close(controller);
	toy_release(&toy);
}

static int next(struct pare_controller *controller, int64_t trial, double *point)
{
	struct pare_proposal proposal = {.trial = trial, .point = point};

	return controller->kind->propose(controller, &proposal, NULL);
}

static void tell(struct pare_controller *controller, int64_t trial, double accuracy)
{
	struct pare_observation observation = {trial, PARE_TRIAL_COMPLETE, accuracy, NULL};

	assert_int_equal(controller->kind->observe(controller, &observation), 0);
}

static bool needs(const struct pare_controller *controller, int64_t trial)
{
	return controller->kind->may_need(controller, trial);
}

static void test_netadapt__weights_are_needed_as_long_as_they_may_be_asked_for(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.25, 0.5, 0, 0}, point[2];

	(void)state;
	init_small(&toy);
	assert_int_equal(pare_controller_netadapt.open(&toy.problem, values, 1, &controller, NULL), 0);
	assert_int_equal(next(controller, 10, point), PARE_PROPOSE_POINT);
	assert_int_equal(next(controller, 11, point), PARE_PROPOSE_POINT);
	assert_int_equal(next(controller, 12, point), PARE_PROPOSE_WAIT);
	assert_false(needs(controller, 9));
	tell(controller, 10, 0.7);
	tell(controller, 11, 0.9);
	assert_true(needs(controller, 10) && needs(controller, 11));
	assert_int_equal(next(controller, 12, point), PARE_PROPOSE_POINT);
	assert_false(needs(controller, 10));
	assert_true(needs(controller, 11) && needs(controller, 12));
	assert_int_equal(next(controller, 13, point), PARE_PROPOSE_POINT);
	tell(controller, 12, 0.8);
	tell(controller, 13, 0.7);
	assert_int_equal(next(controller, 14, point), PARE_PROPOSE_DONE);
	assert_false(needs(controller, 11));
	assert_true(needs(controller, 12) && needs(controller, 13));
	controller->kind->close(controller);
	toy_release(&toy);
}

static int failing_trial;

static struct pare_observation lose_one(struct toy *toy, int64_t trial, const double *point)
{
	struct pare_observation observation = toy_evaluate(toy, trial, point);

	if (trial == failing_trial)
		observation = (struct pare_observation){trial, PARE_TRIAL_FAILED, NAN, NULL};
	return observation;
}

static struct pare_observation give_nan(struct toy *toy, int64_t trial, const double *point)
{
	struct pare_observation observation = toy_evaluate(toy, trial, point);

	if (trial == failing_trial)
		observation.accuracy = NAN;
	return observation;
}

static struct pare_observation refuse_one(struct toy *toy, int64_t trial, const double *point)
{
	struct pare_observation observation = toy_evaluate(toy, trial, point);

	if (trial == failing_trial)
		observation.state = PARE_TRIAL_INFEASIBLE;
	return observation;
}

static void test_netadapt__lost_candidates_never_win(void **state)
{
	toy_evaluate_fn ways[] = {lose_one, give_nan, refuse_one};
	double values[] = {0.25, 0.5, 0, 0};

	(void)state;
	failing_trial = 1; /* the winner of the first round in the example */
	for (int i = 0; i < 3; i++) {
		struct toy toy;
		struct pare_controller *controller;

		init_small(&toy);
		controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, ways[i], &study);
		assert_int_equal(study.parent[2], 0);
		assert_string_equal(study.reason, "all budgets met");
		controller->kind->close(controller);
		toy_release(&toy);
	}
}

/* The loser of the last round meets the budget too, but nobody knows how good it is. */
static void test_netadapt__lost_candidates_are_no_finalists(void **state)
{
	toy_evaluate_fn ways[] = {lose_one, give_nan, refuse_one};
	double values[] = {0.25, 0.5, 0, 0};

	(void)state;
	failing_trial = 2;
	for (int i = 0; i < 3; i++) {
		struct toy toy;
		struct pare_controller *controller;
		int64_t finalists[4];

		init_small(&toy);
		controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, ways[i], &study);
		assert_int_equal(controller->kind->finalists(controller, finalists, 4), 1);
		assert_int_equal(finalists[0], 3);
		controller->kind->close(controller);
		toy_release(&toy);
	}
}

static struct pare_observation lose_all(struct toy *toy, int64_t trial, const double *point)
{
	(void)toy;
	(void)point;
	return (struct pare_observation){trial, PARE_TRIAL_FAILED, NAN, NULL};
}

static void test_netadapt__a_round_of_failures_ends_it(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.25, 0.5, 0, 0}, point[2];
	int64_t finalists[4];

	(void)state;
	init_small(&toy);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, lose_all, &study);
	assert_int_equal(study.n, 2);
	assert_string_equal(study.reason, "every candidate of a round failed");
	assert_int_equal(controller->kind->finalists(controller, finalists, 4), 0);
	assert_int_equal(next(controller, 2, point), PARE_PROPOSE_DONE);
	controller->kind->close(controller);
	toy_release(&toy);
}

static struct pare_observation all_alike(struct toy *toy, int64_t trial, const double *point)
{
	(void)toy;
	(void)point;
	return (struct pare_observation){trial, PARE_TRIAL_COMPLETE, 0.5, NULL};
}

/* Round 1 costs 90 and 80: the second. Round 2 costs 60 and 60: the earlier trial, but both are final. */
static void test_netadapt__ties_go_to_the_smaller_network_then_the_earlier_trial(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.25, 0.5, 0, 0};
	int64_t finalists[4];

	(void)state;
	init_small(&toy);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, all_alike, &study);
	assert_int_equal(study.parent[2], 1);
	assert_int_equal(controller->kind->finalists(controller, finalists, 4), 2);
	assert_int_equal(finalists[0], 2);
	controller->kind->close(controller);
	toy_release(&toy);
}

static double accuracies[8];

static struct pare_observation by_trial(struct toy *toy, int64_t trial, const double *point)
{
	(void)toy;
	(void)point;
	return (struct pare_observation){trial, PARE_TRIAL_COMPLETE, trial < 8 ? accuracies[trial] : 0.5, NULL};
}

/* cost = 10 a + 30 b, 160 uncut. Round 1 wants 120: only b = 2 does. Round 2 goes from 100 to 80: a = 2 saves 20, b = 1
 * saves 30. */
static struct pare_controller *run_by_trial(struct toy *toy, double pick, double budget, double first, double a,
                                            double b)
{
	double values[] = {0.25, 0.5, pick, 0};

	accuracies[0] = first;
	accuracies[1] = a;
	accuracies[2] = b;
	toy_init(toy, 2, (int[]){4, 4}, 1);
	toy->price[0] = 10.0;
	toy->price[1] = 30.0;
	toy_add_resource(toy, TOY_SUM, budget / 160.0);
	return toy_run(toy, &pare_controller_netadapt, values, 0, 2, 0, by_trial, &study);
}

/* The parent of the third round's trials when the first three trials have these accuracies. */
static int64_t third_parent(double pick, double first, double a, double b)
{
	struct toy toy;
	struct pare_controller *controller = run_by_trial(&toy, pick, 45.0, first, a, b);

	controller->kind->close(controller);
	toy_release(&toy);
	assert_true(study.n > 3);
	assert_int_equal(study.round[3], 3);
	return study.parent[3];
}

static void test_netadapt__the_last_winner_is_the_first_finalist(void **state)
{
	struct toy toy;
	struct pare_controller *controller = run_by_trial(&toy, 1, 80.0, 0.9, 0.88, 0.875);
	int64_t finalists[4];

	(void)state;
	assert_int_equal(study.n, 3);
	assert_int_equal(controller->kind->finalists(controller, finalists, 4), 2);
	assert_int_equal(finalists[0], 2);
	assert_int_equal(finalists[1], 1);
	controller->kind->close(controller);
	toy_release(&toy);
}

static void test_netadapt__accuracy_per_resource_weighs_loss_by_saving(void **state)
{
	(void)state;
	assert_int_equal(third_parent(0, 0.9, 0.88, 0.875), 1);
	assert_int_equal(third_parent(1, 0.9, 0.88, 0.875), 2);
	assert_int_equal(third_parent(1, 0.9, 0.88, 0.865), 1);
	/* gains are no losses: the larger saving */
	assert_int_equal(third_parent(1, 0.9, 0.95, 0.91), 2);
}

static void test_netadapt__max_rounds_stops_before_the_budget(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.05, 0.96, 0, 3};
	int64_t finalists[4];

	(void)state;
	toy_init(&toy, 2, (int[]){64, 64}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, toy_evaluate, &study);
	assert_int_equal(study.n, 6);
	assert_int_equal(study.round[5], 3);
	assert_string_equal(study.reason, "max_rounds reached");
	assert_int_equal(controller->kind->finalists(controller, finalists, 4), 0);
	for (int64_t i = 0; i < study.n; i++)
		assert_false(needs(controller, i));
	controller->kind->close(controller);
	toy_release(&toy);
}

static void test_netadapt__nothing_to_do_within_budget(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.05, 0.96, 0, 0};

	(void)state;
	toy_init(&toy, 2, (int[]){64, 64}, 1);
	toy_add_resource(&toy, TOY_SUM, 1.0);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, toy_evaluate, &study);
	assert_int_equal(study.n, 0);
	assert_string_equal(study.reason, "all budgets met");
	controller->kind->close(controller);
	toy_release(&toy);
}

static void refuses(double share, enum toy_cost cost, int status, const char *what)
{
	struct toy toy;
	struct pare_controller *controller = NULL;
	struct pare_error error = {0};
	double values[] = {0.05, 0.96, 0, 0};

	toy_init(&toy, 2, (int[]){16, 16}, 4);
	toy_add_resource(&toy, cost, share);
	assert_int_equal(pare_controller_netadapt.open(&toy.problem, values, 1, &controller, &error), status);
	assert_null(controller);
	if (!strstr(error.text, what))
		fail_msg("'%s' is not in: %s", what, error.text);
	toy_release(&toy);
}

static void test_netadapt__open_refuses_what_it_cannot_serve(void **state)
{
	(void)state;
	refuses(0.2, TOY_SUM, PARE_E_INFEASIBLE, "macs <= 6.4 cannot be met: it is 8 with");
	refuses(INFINITY, TOY_SUM, PARE_E_INVALID, "needs a budget");
}

static void test_netadapt__an_error_while_pricing_ends_the_round_cleanly(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.25, 0.5, 0, 0}, point[2];
	struct pare_proposal proposal = {.trial = 0, .point = point};
	struct pare_error error = {0};

	(void)state;
	init_small(&toy);
	toy.fails_at = 1;
	assert_int_equal(pare_controller_netadapt.open(&toy.problem, values, 1, &controller, &error), PARE_E_NOMEM);
	for (int i = 3; i < 8; i++) {
		toy.fails_at = i;
		toy.asked = 0;
		assert_int_equal(pare_controller_netadapt.open(&toy.problem, values, 1, &controller, NULL), 0);
		assert_int_equal(controller->kind->propose(controller, &proposal, &error), PARE_E_NOMEM);
		assert_string_equal(error.text, "no memory for a price");
		assert_int_equal(next(controller, 0, point), PARE_PROPOSE_POINT);
		assert_true(point[0] == 0.25 && point[1] == 1.0);
		assert_int_equal(next(controller, 1, point), PARE_PROPOSE_POINT);
		assert_int_equal(next(controller, 2, point), PARE_PROPOSE_WAIT);
		controller->kind->close(controller);
	}
	toy_release(&toy);
}

/* Every candidate of every round against a scan over all values: the largest that meets the target, and none left out.
 */
static void check_rounds(struct toy *toy, double step, double decay)
{
	const struct pare_space *space = &toy->problem.space;
	const struct pare_resource *resource = &toy->problem.resources[0];
	double present[TOY_MAX_KNOBS], point[TOY_MAX_KNOBS];
	int i = 0;

	for (int k = 0; k < space->n_knobs; k++)
		present[k] = 1.0;
	for (int64_t round = 1; i < study.n; round++) {
		double now, target;

		if (i > 0)
			memcpy(present, study.point[study.parent[i]], sizeof(present));
		now = toy_cost(toy, present, 0);
		target = fmax(resource->budget, now - step * pow(decay, (double)(round - 1)) * resource->baseline);
		for (int k = 0; k < space->n_knobs; k++) {
			int level = pare_knob_nearest(&space->knobs[k], present[k]) - 1;

			memcpy(point, present, sizeof(point));
			for (; level >= 0; level--) {
				point[k] = space->knobs[k].values[level];
				if (toy_cost(toy, point, 0) <= target)
					break;
			}
			if (level < 0)
				continue;
			assert_int_equal(study.round[i], round);
			assert_memory_equal(study.point[i], point, sizeof(double) * (size_t)space->n_knobs);
			i++;
		}
	}
}

static void test_netadapt__cuts_are_the_smallest_that_reach_the_target(void **state)
{
	enum toy_cost costs[] = {TOY_SUM, TOY_CHAIN, TOY_STAIRCASE, TOY_TEETH};

	(void)state;
	for (int c = 0; c < 4; c++) {
		struct toy toy;
		struct pare_controller *controller;
		double values[] = {0.05, 0.96, 0, 0};

		toy_init(&toy, 3, (int[]){64, 48, 96}, 4);
		toy.weight[1] = 0.3;
		toy_add_resource(&toy, costs[c], 0.6);
		controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
		controller->kind->close(controller);
		assert_string_equal(study.reason, "all budgets met");
		check_rounds(&toy, 0.05, 0.96);
		toy_release(&toy);
	}
}

/* One channel costs 1 of 192, so nothing need be left over: 96 exactly. */
static void test_netadapt__last_cut_is_just_enough(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.07, 0.96, 0, 0};
	int64_t finalist;

	(void)state;
	toy_init(&toy, 3, (int[]){64, 64, 64}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
	assert_int_equal(controller->kind->finalists(controller, &finalist, 1), 1);
	assert_true(toy_cost(&toy, study.point[finalist], 0) == 96.0);
	controller->kind->close(controller);
	toy_release(&toy);
}

/* Equal prices, losses 0.3 and 0.1 times the square of the cut: the best cuts are as 1 to 3. */
static void test_netadapt__finds_nearly_the_best_network(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.02, 1.0, 0, 0};
	double best[] = {0.75, 0.25};
	int64_t finalist;

	(void)state;
	toy_init(&toy, 2, (int[]){64, 64}, 1);
	toy.weight[0] = 0.3;
	toy_add_resource(&toy, TOY_SUM, 0.5);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
	assert_int_equal(controller->kind->finalists(controller, &finalist, 1), 1);
	assert_true(toy_accuracy(&toy, study.point[finalist]) > toy_accuracy(&toy, best) - 0.001);
	controller->kind->close(controller);
	toy_release(&toy);
}

/* No knob serves both budgets, so rounds ask for one target at a time. */
static void test_netadapt__two_budgets_that_different_groups_pay_for(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.05, 0.96, 0, 0};
	int64_t finalist;

	(void)state;
	toy_init(&toy, 4, (int[]){32, 32, 32, 32}, 1);
	toy_add_resource(&toy, TOY_ODD, 0.7);
	toy_add_resource(&toy, TOY_EVEN, 0.4);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
	assert_string_equal(study.reason, "all budgets met");
	assert_int_equal(controller->kind->finalists(controller, &finalist, 1), 1);
	assert_true(toy_cost(&toy, study.point[finalist], 0) <= toy.problem.resources[0].budget);
	assert_true(toy_cost(&toy, study.point[finalist], 0) > toy.problem.resources[0].budget - 1.0);
	assert_true(toy_cost(&toy, study.point[finalist], 1) > toy.problem.resources[1].budget - 1.0);
	controller->kind->close(controller);
	toy_release(&toy);
}

/* A tooth would lift the second resource over its budget, where it is from the start. */
static void test_netadapt__a_resource_within_budget_stays_there(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.01, 0.96, 0, 0};

	(void)state;
	toy_init(&toy, 2, (int[]){32, 32}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	toy_add_resource(&toy, TOY_TEETH, 1.0);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 2, 0, toy_evaluate, &study);
	assert_string_equal(study.reason, "all budgets met");
	assert_true(study.n > 10);
	for (int i = 0; i < study.n; i++)
		assert_true(toy_cost(&toy, study.point[i], 1) <= toy.problem.resources[1].budget);
	controller->kind->close(controller);
	toy_release(&toy);
}

/* The cost is the largest of three: no single cut lowers it, so the search walks over the plateau. */
static void test_netadapt__plateaus_are_crossed(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.05, 0.96, 0, 0};

	(void)state;
	toy_init(&toy, 3, (int[]){16, 16, 16}, 1);
	toy_add_resource(&toy, TOY_LARGEST, 0.5);
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
	assert_string_equal(study.reason, "all budgets met");
	controller->kind->close(controller);
	toy_release(&toy);
}

/* 10 uncut, 12 with either knob cut, 4 with both. */
static int rises_before_it_falls(void *context, const double *point, double *out, struct pare_error *error)
{
	(void)context;
	(void)error;
	out[0] = point[0] == point[1] ? (point[0] == 1.0 ? 10.0 : 4.0) : 12.0;
	return 0;
}

static void test_netadapt__stuck_says_so(void **state)
{
	struct toy toy;
	struct pare_controller *controller;
	double values[] = {0.05, 0.96, 0, 0};

	(void)state;
	toy_init(&toy, 2, (int[]){2, 2}, 1);
	toy_add_resource(&toy, TOY_SUM, 1.0);
	toy.problem.resources[0].baseline = 10.0;
	toy.problem.resources[0].budget = 5.0;
	toy.problem.cost = rises_before_it_falls;
	controller = toy_run(&toy, &pare_controller_netadapt, values, 0, 3, 0, toy_evaluate, &study);
	assert_int_equal(study.n, 0);
	assert_string_equal(study.reason, "no group can be cut further");
	controller->kind->close(controller);
	toy_release(&toy);
}

static void test_netadapt_round__asks_for_less_until_some_group_can(void **state)
{
	struct toy toy;
	struct pare_netadapt_cut cuts[2];
	int level[] = {3, 3}, n;
	double cost[] = {120.0};

	(void)state;
	init_small(&toy);
	toy.problem.resources[0].budget = 10.0;
	/* 120 - 108 = 12: none; 120 - 54 = 66: a = 1 costs 90, b = 1 costs 60 */
	assert_int_equal(pare_netadapt_choose(&toy.problem, level, cost, 0.9, cuts, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cuts[0].knob, 1);
	assert_int_equal(cuts[0].level, 0);
	assert_true(cuts[0].cost[0] == 60.0);
	level[0] = level[1] = 0;
	cost[0] = 30.0;
	assert_int_equal(pare_netadapt_choose(&toy.problem, level, cost, 0.9, cuts, &n, NULL), 0);
	assert_int_equal(n, 0);
	toy_release(&toy);
}

static void test_netadapt_round__one_target_where_no_group_serves_both(void **state)
{
	struct toy toy;
	struct pare_netadapt_cut cuts[3];
	int level[] = {15, 15, 15}, n;
	double cost[] = {32.0, 16.0, 32.0};

	(void)state;
	toy_init(&toy, 3, (int[]){16, 16, 16}, 1);
	toy_add_resource(&toy, TOY_ODD, 0.5);
	toy_add_resource(&toy, TOY_EVEN, 0.5);
	toy_add_resource(&toy, TOY_ODD, INFINITY);
	assert_int_equal(pare_netadapt_choose(&toy.problem, level, cost, 0.25, cuts, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_int_equal(cuts[0].level, 16 - 8 - 1);
	assert_int_equal(cuts[1].level, 16 - 4 - 1);
	assert_int_equal(cuts[2].level, 16 - 8 - 1);
	toy_release(&toy);
}

static void test_netadapt_round__prices_are_asked_few_times(void **state)
{
	struct toy toy;
	struct pare_netadapt_cut cuts[1];
	int level[] = {4095}, n;
	double cost[] = {4096.0};

	(void)state;
	toy_init(&toy, 1, (int[]){4096}, 1);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	assert_int_equal(pare_netadapt_choose(&toy.problem, level, cost, 0.25, cuts, &n, NULL), 0);
	assert_int_equal(cuts[0].level, 3071);
	assert_in_range(toy.asked, 1, 13 + 16);
	toy_release(&toy);
}

/* At most 96 of 4096 can be cut: the step of 1024 is halved four times. */
static void test_netadapt_round__no_price_is_asked_twice(void **state)
{
	struct toy toy;
	struct pare_netadapt_cut cuts[1];
	int level[] = {96}, n;
	double cost[] = {4096.0};

	(void)state;
	toy_init(&toy, 1, (int[]){4096}, 4000);
	toy_add_resource(&toy, TOY_SUM, 0.5);
	assert_int_equal(pare_netadapt_choose(&toy.problem, level, cost, 0.25, cuts, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_int_equal(cuts[0].level, 96 - 64);
	assert_in_range(toy.asked, 1, 60);
	toy_release(&toy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_netadapt__small_example_by_hand),
	        cmocka_unit_test(test_netadapt__weights_are_needed_as_long_as_they_may_be_asked_for),
	        cmocka_unit_test(test_netadapt__lost_candidates_never_win),
	        cmocka_unit_test(test_netadapt__lost_candidates_are_no_finalists),
	        cmocka_unit_test(test_netadapt__a_round_of_failures_ends_it),
	        cmocka_unit_test(test_netadapt__ties_go_to_the_smaller_network_then_the_earlier_trial),
	        cmocka_unit_test(test_netadapt__accuracy_per_resource_weighs_loss_by_saving),
	        cmocka_unit_test(test_netadapt__the_last_winner_is_the_first_finalist),
	        cmocka_unit_test(test_netadapt__max_rounds_stops_before_the_budget),
	        cmocka_unit_test(test_netadapt__nothing_to_do_within_budget),
	        cmocka_unit_test(test_netadapt__open_refuses_what_it_cannot_serve),
	        cmocka_unit_test(test_netadapt__an_error_while_pricing_ends_the_round_cleanly),
	        cmocka_unit_test(test_netadapt__cuts_are_the_smallest_that_reach_the_target),
	        cmocka_unit_test(test_netadapt__last_cut_is_just_enough),
	        cmocka_unit_test(test_netadapt__finds_nearly_the_best_network),
	        cmocka_unit_test(test_netadapt__two_budgets_that_different_groups_pay_for),
	        cmocka_unit_test(test_netadapt__a_resource_within_budget_stays_there),
	        cmocka_unit_test(test_netadapt__plateaus_are_crossed),
	        cmocka_unit_test(test_netadapt__stuck_says_so),
	        cmocka_unit_test(test_netadapt_round__asks_for_less_until_some_group_can),
	        cmocka_unit_test(test_netadapt_round__one_target_where_no_group_serves_both),
	        cmocka_unit_test(test_netadapt_round__prices_are_asked_few_times),
	        cmocka_unit_test(test_netadapt_round__no_price_is_asked_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
