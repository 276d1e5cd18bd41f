#include "search/space.h"

#include <math.h>
#include <stdlib.h>

void pare_space_release(struct pare_space *space)
{
	for (int i = 0; i < space->n_knobs; i++) {
		free(space->knobs[i].name);
		free(space->knobs[i].values);
	}
	free(space->knobs);
	*space = (struct pare_space){0};
}

/* Index of the first value that is not below x; n_values when all are. */
static int first_not_below(const struct pare_knob *knob, double x)
{
	int low = 0, high = knob->n_values;

	while (low < high) {
		int middle = low + (high - low) / 2;

		if (knob->values[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int pare_knob_nearest(const struct pare_knob *knob, double x)
{
	int above = first_not_below(knob, x);

	if (above == 0)
		return 0;
	if (above == knob->n_values)
		return knob->n_values - 1;
	return knob->values[above] - x <= x - knob->values[above - 1] ? above : above - 1;
}

bool pare_space_round(const struct pare_space *space, double *point)
{
	for (int i = 0; i < space->n_knobs; i++)
		if (!isfinite(point[i]))
			return false;
	for (int i = 0; i < space->n_knobs; i++)
		point[i] = space->knobs[i].values[pare_knob_nearest(&space->knobs[i], point[i])];
	return true;
}
