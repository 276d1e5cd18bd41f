#include "search/pareto.h"

#include <math.h>

static bool has_nan(const double *values, int n)
{
	for (int i = 0; i < n; i++)
		if (isnan(values[i]))
			return true;
	return false;
}

bool pare_dominates(const double *a, const double *b, const bool *maximise, int objectives)
{
	bool better = false;

	if (has_nan(a, objectives))
		return false;
	if (has_nan(b, objectives))
		return true;
	for (int k = 0; k < objectives; k++) {
		if (maximise[k] ? a[k] < b[k] : a[k] > b[k])
			return false;
		better = better || a[k] != b[k];
	}
	return better;
}

static bool equal(const double *a, const double *b, int objectives)
{
	for (int k = 0; k < objectives; k++)
		if (a[k] != b[k])
			return false;
	return true;
}

static bool beaten(const double *points, int n, int i, int objectives, const bool *maximise)
{
	const double *point = points + (long)i * objectives;

	if (has_nan(point, objectives))
		return true;
	for (int j = 0; j < n; j++) {
		const double *other = points + (long)j * objectives;

		if (pare_dominates(other, point, maximise, objectives) || (j < i && equal(other, point, objectives)))
			return true;
	}
	return false;
}

void pare_pareto_front(const double *points, int n, int objectives, const bool *maximise, bool *front)
{
	for (int i = 0; i < n; i++)
		front[i] = !beaten(points, n, i, objectives, maximise);
}
