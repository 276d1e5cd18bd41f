/* Pareto dominance and fronts over any number of objectives. */
#ifndef PARE_SEARCH_PARETO_H
#define PARE_SEARCH_PARETO_H

#include <stdbool.h>

/* a is at least as good everywhere and better somewhere. Objectives are minimised where maximise[k] is false. NaN never
 * dominates and is always dominated. */
bool pare_dominates(const double *a, const double *b, const bool *maximise, int objectives);

/* front[i] = true for the points that no other dominates; of equal points the first stays. points [n][objectives]. */
void pare_pareto_front(const double *points, int n, int objectives, const bool *maximise, bool *front);

#endif
