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

/* Every controller of the table on every problem below. */

static const struct problem {
	const char *name;
	int n_knobs, channels[TOY_MAX_KNOBS], first;
	enum toy_cost cost[2];
	double share[2]; /* 0: no second resource */
	int fixed;       /* a knob with one value, or -1 */
} problems[] = {
        {"chain", 4, {24, 16, 32, 8}, 2, {TOY_CHAIN}, {0.5, 0}, -1},
        {"two budgets", 4, {24, 16, 32, 8}, 2, {TOY_CHAIN, TOY_SUM}, {0.4, 0.6}, -1},
        {"budgets apart", 4, {24, 16, 32, 8}, 2, {TOY_ODD, TOY_EVEN}, {0.5, 0.8}, -1},
        {"teeth", 3, {24, 16, 32}, 2, {TOY_TEETH}, {0.5, 0}, -1},
        {"plateau", 3, {12, 12, 12}, 2, {TOY_LARGEST}, {0.6, 0}, -1},
        {"one knob", 1, {40}, 2, {TOY_SUM}, {0.3, 0}, -1},
        {"a knob that cannot be cut", 3, {16, 16, 16}, 2, {TOY_SUM}, {0.6, 0}, 1},
        {"within budget", 2, {16, 16}, 2, {TOY_SUM}, {1.0, 0}, -1},
        {"only the smallest network", 2, {8, 8}, 2, {TOY_SUM}, {0.25, 0}, -1},
        {"a resource without budget", 2, {16, 16}, 2, {TOY_SUM, TOY_CHAIN}, {0.5, INFINITY}, -1},
        {"a resource that nobody knows", 2, {16, 16}, 2, {TOY_SUM, TOY_UNKNOWN}, {0.5, INFINITY}, -1},
};

#define N_PROBLEMS (sizeof(problems) / sizeof(problems[0]))

static struct toy_study study, other;
static const char *failing_kind, *failing_problem;

static void init(struct toy *toy, const struct problem *problem)
{
	toy_init(toy, problem->n_knobs, problem->channels, problem->first);
	toy->weight[0] = 0.25;
	if (problem->fixed >= 0) {
		toy->problem.space.knobs[problem->fixed].values[0] = 1.0;
		toy->problem.space.knobs[problem->fixed].n_values = 1;
	}
	for (int j = 0; j < 2 && problem->share[j] > 0.0; j++)
		toy_add_resource(toy, problem->cost[j], problem->share[j]);
}

typedef void (*matrix_fn)(struct toy *toy, const struct pare_controller_kind *kind, const double *values);

static void for_all(matrix_fn check)
{
	for (int c = 0; pare_controller_table[c]; c++)
		for (size_t p = 0; p < N_PROBLEMS; p++) {
			struct toy toy;
			double values[32] = {0};

			failing_kind = pare_controller_table[c]->name;
			failing_problem = problems[p].name;
			init(&toy, &problems[p]);
			toy_defaults(pare_controller_table[c], values);
			check(&toy, pare_controller_table[c], values);
			toy_release(&toy);
		}
}

static int print_place(void **state)
{
	(void)state;
	if (failing_kind)
		print_message("last: %s on '%s'\n", failing_kind, failing_problem);
	failing_kind = NULL;
	return 0;
}

/* Some trials are lost in each of the three ways. */
static struct pare_observation lossy(struct toy *toy, int64_t trial, const double *point)
{
	struct pare_observation observation = toy_evaluate(toy, trial, point);

	if (trial % 4 == 1)
		observation.accuracy = NAN;
	else if (trial % 7 == 2)
		observation = (struct pare_observation){trial, PARE_TRIAL_FAILED, NAN, NULL};
	else if (trial % 11 == 3)
		observation.state = PARE_TRIAL_INFEASIBLE;
	return observation;
}

static void same_study(const struct toy_study *a, const struct toy_study *b)
{
	assert_int_equal(a->n, b->n);
	assert_string_equal(a->reason, b->reason);
	assert_memory_equal(a->point, b->point, (size_t)a->n * sizeof(a->point[0]));
	assert_memory_equal(a->parent, b->parent, (size_t)a->n * sizeof(a->parent[0]));
	assert_memory_equal(a->round, b->round, (size_t)a->n * sizeof(a->round[0]));
}

static int finalists_of(const struct pare_controller *controller, int64_t *finalists, int max)
{
	return controller->kind->finalists ? controller->kind->finalists(controller, finalists, max) : -1;
}

static void ends_with_feasible_finalists(struct toy *toy, const struct pare_controller_kind *kind, const double *values)
{
	struct pare_controller *controller = toy_run(toy, kind, values, 0, 1, 0, toy_evaluate, &study);
	int64_t finalists[64];
	int n = finalists_of(controller, finalists, 64);
	bool feasible = study.n == 0 && strcmp(failing_problem, "within budget") == 0;

	assert_int_equal(study.status, 0);
	assert_non_null(study.reason);
	for (int i = 0; i < study.n; i++) {
		double cost[PARE_MAX_RESOURCES];

		assert_int_equal(toy->problem.cost(toy, study.point[i], cost, NULL), 0);
		feasible = feasible || pare_problem_feasible(&toy->problem, cost);
	}
	assert_true(feasible);
	for (int i = 0; i < n; i++) {
		double cost[PARE_MAX_RESOURCES];

		assert_in_range(finalists[i], 0, study.n - 1);
		assert_int_equal(toy->problem.cost(toy, study.point[finalists[i]], cost, NULL), 0);
		assert_true(pare_problem_feasible(&toy->problem, cost));
		assert_true(!kind->may_need || kind->may_need(controller, finalists[i]));
		for (int j = 0; j < i; j++)
			assert_true(finalists[i] != finalists[j]);
	}
	assert_true(n != 0 || study.n == 0);
	kind->close(controller);
}

static void test_controllers__end_with_feasible_finalists(void **state)
{
	(void)state;
	for_all(ends_with_feasible_finalists);
}

static void workers_do_not_matter(struct toy *toy, const struct pare_controller_kind *kind, const double *values)
{
	static const int workers[] = {1, 2, 3, 100};

	kind->close(toy_run(toy, kind, values, 0, 1, 0, lossy, &study));
	for (int w = 0; w < 4; w++) {
		kind->close(toy_run(toy, kind, values, 0, workers[w], 0, lossy, &other));
		same_study(&study, &other);
	}
}

static void test_controllers__number_of_workers_does_not_matter(void **state)
{
	(void)state;
	for_all(workers_do_not_matter);
}

static void replays(struct toy *toy, const struct pare_controller_kind *kind, const double *values)
{
	int64_t finalists[64], others[64];
	struct pare_controller *controller = toy_run(toy, kind, values, 3, 2, 0, lossy, &study);
	int n = finalists_of(controller, finalists, 64), step = study.n / 40 + 1;

	kind->close(controller);
	for (int cut = 0; cut <= study.n; cut += step) {
		other = study;
		other.n = cut;
		/* what lies behind the cut must not be read */
		memset(other.point + cut, 0xff, sizeof(other.point) - (size_t)cut * sizeof(other.point[0]));
		controller = toy_run(toy, kind, values, 3, 2, cut, lossy, &other);
		same_study(&study, &other);
		assert_int_equal(finalists_of(controller, others, 64), n);
		if (n > 0)
			assert_memory_equal(finalists, others, (size_t)n * sizeof(finalists[0]));
		kind->close(controller);
	}
}

static void test_controllers__a_replayed_history_goes_on_identically(void **state)
{
	(void)state;
	for_all(replays);
}

static void parents_are_kept(struct toy *toy, const struct pare_controller_kind *kind, const double *values)
{
	struct pare_controller *controller;
	double point[TOY_MAX_KNOBS];
	int64_t trial = 0;
	int what = 0;

	assert_int_equal(kind->open(&toy->problem, values, 1, &controller, NULL), 0);
	while (what != PARE_PROPOSE_DONE) {
		bool kept[4096];
		struct pare_proposal proposal = {.trial = trial, .point = point};

		assert_in_range(trial, 0, 4095);
		for (int64_t i = 0; i < trial; i++)
			kept[i] = !kind->may_need || kind->may_need(controller, i);
		what = kind->propose(controller, &proposal, NULL);
		if (what == PARE_PROPOSE_POINT) {
			struct pare_observation observation = lossy(toy, trial, point);

			assert_true(proposal.parent == PARE_TRIAL_BASELINE || kept[proposal.parent]);
			assert_int_equal(kind->observe(controller, &observation), 0);
			trial++;
		}
	}
	kind->close(controller);
}

static void test_controllers__parents_are_still_needed_when_they_are_asked_for(void **state)
{
	(void)state;
	for_all(parents_are_kept);
}

static void refuses_strangers(struct toy *toy, const struct pare_controller_kind *kind, const double *values)
{
	struct pare_controller *controller;
	double point[TOY_MAX_KNOBS];
	struct pare_proposal proposal = {.trial = 8, .point = point};
	struct pare_observation observation = {8, PARE_TRIAL_COMPLETE, 0.5, NULL};

	assert_int_equal(kind->open(&toy->problem, values, 1, &controller, NULL), 0);
	assert_ptr_equal(controller->kind, kind);
	assert_int_equal(kind->observe(controller, &observation), PARE_E_INVALID);
	if (kind->propose(controller, &proposal, NULL) == PARE_PROPOSE_POINT) {
		observation.trial = 9;
		assert_int_equal(kind->observe(controller, &observation), PARE_E_INVALID);
		observation.trial = 8;
		assert_int_equal(kind->observe(controller, &observation), 0);
		assert_int_equal(kind->observe(controller, &observation), PARE_E_INVALID);
	}
	kind->close(controller);
	kind->close(NULL);
}

static void test_controllers__only_outstanding_trials_are_observed(void **state)
{
	(void)state;
	for_all(refuses_strangers);
}

static void test_controllers__table_and_options_are_well_formed(void **state)
{
	(void)state;
	for (int c = 0; pare_controller_table[c]; c++) {
		const struct pare_controller_kind *kind = pare_controller_table[c];

		assert_ptr_equal(pare_controller_find(kind->name), kind);
		assert_true(strlen(kind->help) > 10 && strlen(kind->name) < 32);
		for (int i = 0; kind->options[i].name; i++) {
			const struct pare_option *option = &kind->options[i];

			assert_true(strlen(option->help) > 10);
			if (option->kind == PARE_OPTION_INT || option->kind == PARE_OPTION_FLOAT)
				assert_true(option->low <= option->fallback && option->fallback <= option->high);
			if (option->kind == PARE_OPTION_CHOICE)
				assert_non_null(option->choices[(int)option->fallback]);
			for (int j = 0; j < i; j++)
				assert_string_not_equal(option->name, kind->options[j].name);
		}
	}
	assert_null(pare_controller_find("gradient"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_controllers__end_with_feasible_finalists, print_place),
	        cmocka_unit_test_teardown(test_controllers__number_of_workers_does_not_matter, print_place),
	        cmocka_unit_test_teardown(test_controllers__a_replayed_history_goes_on_identically, print_place),
	        cmocka_unit_test_teardown(test_controllers__parents_are_still_needed_when_they_are_asked_for,
	                                  print_place),
	        cmocka_unit_test_teardown(test_controllers__only_outstanding_trials_are_observed, print_place),
	        cmocka_unit_test_teardown(test_controllers__table_and_options_are_well_formed, print_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
