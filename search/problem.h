/*
 * What a controller may ask while it thinks. experiments/binding.c implements it over the network, the coupling groups and
 * the latency table; tests implement it over analytic functions.
 */
#ifndef PARE_SEARCH_PROBLEM_H
#define PARE_SEARCH_PROBLEM_H

#include "engine/base/status.h"
#include "search/space.h"

#define PARE_MAX_RESOURCES 8

/* A resource with a budget: latency_ms, macs, params, ... */
struct pare_resource {
	const char *name;
	double baseline; /* of the uncut network */
	double budget;   /* hard upper limit; INFINITY when it is only reported */
};

struct pare_problem {
	struct pare_space space;
	struct pare_resource resources[PARE_MAX_RESOURCES];
	int n_resources;

	/* Exact resources of a point, after the same rounding that slimming does. out[n_resources]. Cheap, pure: the
	 * same point gives the same numbers. */
	int (*cost)(void *context, const double *point, double *out, struct pare_error *error);
	void *context;
};

/* All budgets hold. A NaN holds no budget. */
bool pare_problem_feasible(const struct pare_problem *problem, const double *resources);

/* At least one resource has a budget. */
bool pare_problem_limited(const struct pare_problem *problem);

/* What every controller's open asks first: knobs have ascending positive values, resources with a budget have a
 * positive baseline. PARE_E_INVALID names the knob or resource. */
int pare_problem_check(const struct pare_problem *problem, struct pare_error *error);

/* The point with every knob at its smallest value meets all budgets. PARE_E_INFEASIBLE names the first resource that
 * does not, its value there and the budget. */
int pare_problem_check_reachable(const struct pare_problem *problem, struct pare_error *error);

/* *point is malloc'd, [n_knobs]: every knob at its largest (nothing changed) or smallest value. PARE_E_NOMEM or 0. */
int pare_problem_corner(const struct pare_problem *problem, bool largest, double **point);

#endif
