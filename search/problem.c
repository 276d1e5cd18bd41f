#include "search/problem.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"

static bool has_budget(const struct pare_resource *resource)
{
	return resource->budget != INFINITY;
}

bool pare_problem_feasible(const struct pare_problem *problem, const double *resources)
{
	for (int j = 0; j < problem->n_resources; j++)
		if (has_budget(&problem->resources[j]) && !(resources[j] <= problem->resources[j].budget))
			return false;
	return true;
}

bool pare_problem_limited(const struct pare_problem *problem)
{
	for (int j = 0; j < problem->n_resources; j++)
		if (has_budget(&problem->resources[j]))
			return true;
	return false;
}

static int check_knob(const struct pare_knob *knob, struct pare_error *error)
{
	double before = 0.0;

	if (knob->n_values < 1)
		return pare_error_set(error, PARE_E_INVALID, "knob %s has no allowed value", knob->name);
	for (int i = 0; i < knob->n_values; i++) {
		if (!isfinite(knob->values[i]) || !(knob->values[i] > before))
			return pare_error_set(error, PARE_E_INVALID,
			                      "knob %s: value %d is %g after %g; values are positive and ascending",
			                      knob->name, i, knob->values[i], before);
		before = knob->values[i];
	}
	return PARE_OK;
}

static int check_resource(const struct pare_resource *resource, struct pare_error *error)
{
	if (!has_budget(resource))
		return PARE_OK;
	if (!isfinite(resource->budget))
		return pare_error_set(error, PARE_E_INVALID, "resource %s: the budget is %g; it must be a number",
		                      resource->name, resource->budget);
	if (!isfinite(resource->baseline) || !(resource->baseline > 0.0))
		return pare_error_set(error, PARE_E_INVALID,
		                      "resource %s: the uncut network's is %g; it must be positive", resource->name,
		                      resource->baseline);
	return PARE_OK;
}

int pare_problem_check(const struct pare_problem *problem, struct pare_error *error)
{
	int status = PARE_OK;

	if (problem->n_resources < 0 || problem->n_resources > PARE_MAX_RESOURCES)
		return pare_error_set(error, PARE_E_INVALID, "%d resources; allowed are 0 to %d", problem->n_resources,
		                      PARE_MAX_RESOURCES);
	for (int i = 0; i < problem->space.n_knobs && status == PARE_OK; i++)
		status = check_knob(&problem->space.knobs[i], error);
	for (int j = 0; j < problem->n_resources && status == PARE_OK; j++)
		status = check_resource(&problem->resources[j], error);
	return status;
}

int pare_problem_corner(const struct pare_problem *problem, bool largest, double **point)
{
	const struct pare_space *space = &problem->space;

	*point = pare_calloc((size_t)space->n_knobs, sizeof(**point));
	if (!*point)
		return PARE_E_NOMEM;
	for (int i = 0; i < space->n_knobs; i++)
		(*point)[i] = space->knobs[i].values[largest ? space->knobs[i].n_values - 1 : 0];
	return PARE_OK;
}

int pare_problem_check_reachable(const struct pare_problem *problem, struct pare_error *error)
{
	double cost[PARE_MAX_RESOURCES];
	double *point;
	int status = pare_problem_corner(problem, false, &point);

	if (status < 0)
		return pare_error_set(error, PARE_E_NOMEM, "a point of %d knobs", problem->space.n_knobs);
	status = problem->cost(problem->context, point, cost, error);
	free(point);
	if (status < 0 || pare_problem_feasible(problem, cost))
		return status;
	for (int j = 0; j < problem->n_resources; j++) {
		const struct pare_resource *resource = &problem->resources[j];

		if (has_budget(resource) && !(cost[j] <= resource->budget))
			return pare_error_set(
			        error, PARE_E_INFEASIBLE,
			        "the budget %s <= %.6g cannot be met: it is %.6g with every group at its smallest "
			        "(%.6g uncut)",
			        resource->name, resource->budget, cost[j], resource->baseline);
	}
	return PARE_E_INFEASIBLE;
}
