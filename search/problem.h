/*
 * What a controller may ask while it thinks. experiments/bind.c implements it over the network, the coupling groups and the
 * latency table; tests implement it over analytic functions.
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

	/* Exact resources of a point, after the same rounding that slimming does. out[n_resources]. Cheap, pure: the same point gives the
	 * same numbers. */
	int (*cost)(void *context, const double *point, double *out, struct pare_error *error);
	void *context;
};

/* All budgets hold. */
bool pare_problem_feasible(const struct pare_problem *problem, const double *resources);

#endif
