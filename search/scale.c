#include "search/scale.h"

#include <limits.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "search/last_true.h"

/* Where knob `knob` goes from one value to the next. */
struct turn {
	double factor;
	int knob;
};

struct scale {
	const struct pare_problem *problem;
	struct turn *turns; /* ascending */
	int n_turns;
	int *ends; /* [n_ends] turns that are behind at the i-th distinct point: 0 for the smallest, n_turns for the
	              largest */
	int n_ends;
	double *point;
	int *level; /* [n_knobs] */
	struct pare_error *error;
};

static int by_factor(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->factor != y->factor)
		return x->factor < y->factor ? -1 : 1;
	return x->knob - y->knob;
}

static int count_turns(const struct pare_space *space)
{
	int64_t count = 0;

	for (int k = 0; k < space->n_knobs; k++)
		count += space->knobs[k].n_values - 1;
	return count < INT_MAX ? (int)count : -1;
}

static void fill_turns(struct scale *scale, const double *shape)
{
	const struct pare_space *space = &scale->problem->space;
	int n = 0;

	for (int k = 0; k < space->n_knobs; k++) {
		const struct pare_knob *knob = &space->knobs[k];

		for (int i = 1; i < knob->n_values; i++)
			scale->turns[n++] = (struct turn){(knob->values[i - 1] + knob->values[i]) / 2 / shape[k], k};
	}
	qsort(scale->turns, (size_t)n, sizeof(*scale->turns), by_factor);

	/* Turns at one factor are taken together: knobs of one shape move as one. */
	scale->ends[scale->n_ends++] = 0;
	for (int i = 1; i <= n; i++)
		if (i == n || scale->turns[i].factor != scale->turns[i - 1].factor)
			scale->ends[scale->n_ends++] = i;
}

static void go_to(struct scale *scale, int index)
{
	const struct pare_space *space = &scale->problem->space;

	for (int k = 0; k < space->n_knobs; k++)
		scale->level[k] = 0;
	for (int i = 0; i < scale->ends[index]; i++)
		scale->level[scale->turns[i].knob]++;
	for (int k = 0; k < space->n_knobs; k++)
		scale->point[k] = space->knobs[k].values[scale->level[k]];
}

static int is_feasible(void *context, int index)
{
	struct scale *scale = context;
	double cost[PARE_MAX_RESOURCES];
	int status;

	go_to(scale, index);
	status = scale->problem->cost(scale->problem->context, scale->point, cost, scale->error);
	return status < 0 ? status : pare_problem_feasible(scale->problem, cost);
}

int pare_scale_to_budget(const struct pare_problem *problem, const double *shape, int window, double *point,
                         struct pare_error *error)
{
	struct scale scale = {.problem = problem, .point = point, .error = error};
	int best, status = PARE_E_NOMEM;

	scale.n_turns = count_turns(&problem->space);
	if (scale.n_turns < 0)
		return pare_error_set(error, PARE_E_LIMIT, "the knobs have more than %d values together", INT_MAX);
	scale.turns = pare_calloc((size_t)scale.n_turns, sizeof(*scale.turns));
	scale.ends = pare_calloc((size_t)scale.n_turns + 1, sizeof(*scale.ends));
	scale.level = pare_calloc((size_t)problem->space.n_knobs, sizeof(*scale.level));
	if (!scale.turns || !scale.ends || !scale.level) {
		pare_error_set(error, PARE_E_NOMEM, "%d changes of a knob", scale.n_turns);
		goto out;
	}
	fill_turns(&scale, shape);
	status = pare_last_true(scale.n_ends, window, is_feasible, &scale, &best);
	if (status < 0)
		goto out;
	if (best < 0)
		status = PARE_E_INFEASIBLE;
	else
		go_to(&scale, best);
out:
	free(scale.turns);
	free(scale.ends);
	free(scale.level);
	return status;
}
