/*
 * One factor for all knobs: knob k gets the allowed value nearest to factor * shape[k] (ties to the larger, as
 * pare_knob_nearest). The point changes only at the factors where some knob is half-way between two of its values, so
 * all distinct points are known beforehand and none is missed between two trial factors.
 */
#ifndef PARE_SEARCH_SCALE_H
#define PARE_SEARCH_SCALE_H

#include "search/problem.h"

/* The point [n_knobs] of the largest factor that meets all budgets. shape [n_knobs]: positive. `window` as in
 * search/last_true.h, counted in distinct points. PARE_E_INFEASIBLE without a message when no factor does. */
int pare_scale_to_budget(const struct pare_problem *problem, const double *shape, int window, double *point,
                         struct pare_error *error);

#endif
