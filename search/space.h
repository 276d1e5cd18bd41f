/*
 * The search space: a list of knobs. Controllers see knobs and numbers, never networks.
 */
#ifndef PARE_SEARCH_SPACE_H
#define PARE_SEARCH_SPACE_H

#include <stdbool.h>

enum pare_knob_kind { PARE_KNOB_CHANNEL_RATIO, PARE_KNOB_WEIGHT_BITS, PARE_KNOB_ACTIVATION_BITS };

/* A knob takes one of n_values numbers, ascending. The last one is "nothing changed" (ratio 1, full bits). */
struct pare_knob {
	char *name; /* "layer1.0.conv1" */
	enum pare_knob_kind kind;
	double *values; /* ratio in (0, 1], or bits */
	int n_values;
};

struct pare_space {
	struct pare_knob *knobs;
	int n_knobs;
};

void pare_space_release(struct pare_space *space);
/* Index of the allowed value nearest to x (ties to the larger). */
int pare_knob_nearest(const struct pare_knob *knob, double x);
/* Writes the nearest allowed values back into point [n_knobs]; false if one is not finite. */
bool pare_space_round(const struct pare_space *space, double *point);

#endif
