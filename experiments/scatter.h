/*
 * A scatter plot in characters, for a terminal: accuracy upwards, a cost to the right.
 *
 *     accuracy %
 *       91.0 |                           B
 *            |          o   o o
 *       88.2 |    F  .  .
 *            +---------:-----------------------
 *             0.4          latency ms          2.0
 */
#ifndef PARE_EXPERIMENTS_SCATTER_H
#define PARE_EXPERIMENTS_SCATTER_H

#include "engine/base/strbuf.h"

struct pare_scatter_point {
	double x, y;
	char mark; /* where two points meet, the later one is seen */
};

struct pare_scatter_options {
	const char *x_title, *y_title;
	int x_decimals, y_decimals; /* of the numbers at the axes */
	double limit_x;             /* a dotted line at this x; not finite = none */
	int columns, rows;          /* of the field, at least 10 and 3 */
};

/* Points that are not finite are left out; with none left nothing is drawn. */
void pare_scatter(const struct pare_scatter_point *points, int count, const struct pare_scatter_options *options,
                  struct pare_strbuf *out);

#endif
