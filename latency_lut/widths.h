/*
 * Which channel counts a value of a network can have during a search, and a few of them for an axis of the table.
 */
#ifndef PARE_LATENCY_LUT_WIDTHS_H
#define PARE_LATENCY_LUT_WIDTHS_H

#include "latency_lut/lut.h"

/* Ascending, without duplicates. */
struct pare_widths {
	int64_t *width;
	size_t count, capacity;
};

/* Adds at most options->points channel counts of `value`, its full width always among them. Channels of one group: the
 * counts the search may choose (multiples of step from min_ratio * channels on), each times the channels one of the
 * group's atoms stands for (a flattened feature map's pixels, a grouped convolution's groups). Channels of several
 * groups: from the sum of the parts' minima on. Evenly spaced if there are more than `points`. PARE_E_NOMEM or 0. */
int pare_widths_add(struct pare_widths *widths, const struct pare_groups *groups, int value,
                    const struct pare_lut_build_options *options);
void pare_widths_release(struct pare_widths *widths);

#endif
