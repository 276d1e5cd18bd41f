/*
 * One round of NetAdapt: for every knob the smallest cut that reaches the round's targets (ChooseNumFilters of Yang et
 * al., ECCV 2018, algorithm 1), by exact cost.
 *
 * Target of a resource that is over its budget: max(budget, current - share * baseline); one within its budget must
 * stay within. When no knob reaches all targets alone, the round asks for less, in this order, until some knob can
 * serve:
 *   1. all targets;
 *   2. one of the targets, while no other resource that is over its budget rises (two resources that different knobs
 * pay for);
 *   3. 1 and 2 with half the share, a quarter, ...;
 *   4. a cut that raises nothing (a plateau has to be crossed before anything falls).
 * So when costs never rise by cutting, a round fails only with every knob at its smallest value.
 */
#ifndef PARE_SEARCH_NETADAPT_ROUND_H
#define PARE_SEARCH_NETADAPT_ROUND_H

#include "search/problem.h"

struct pare_netadapt_cut {
	int knob;
	int level; /* index of the knob's new value, below the current one */
	double cost[PARE_MAX_RESOURCES];
};

/* level [n_knobs]: the present network; cost [n_resources]: its resources; at least one is over its budget. cuts
 * [n_knobs], in the order of knobs; *n_cuts = 0 when no knob can be cut. */
int pare_netadapt_choose(const struct pare_problem *problem, const int *level, const double *cost, double share,
                         struct pare_netadapt_cut *cuts, int *n_cuts, struct pare_error *error);

#endif
