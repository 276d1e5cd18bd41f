#include "experiments/scatter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_COLUMNS 120
#define MAX_ROWS 40
#define LABEL 10 /* characters for the numbers at the left */

struct range {
	double low, high;
};

static void include(struct range *range, double value)
{
	range->low = fmin(range->low, value);
	range->high = fmax(range->high, value);
}

/* 0 ... cells - 1; one value alone stands in the middle */
static int cell_of(const struct range *range, double value, int cells)
{
	double width = range->high - range->low;
	double share = width > 0.0 ? (value - range->low) / width : 0.5;
	int cell = (int)lround(share * (cells - 1));
	return cell < 0 ? 0 : cell >= cells ? cells - 1 : cell;
}

static int clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static void axis(const struct pare_scatter_options *options, const struct range *x, int columns, int limit,
                 struct pare_strbuf *out)
{
	char low[32], high[32];
	int low_length = snprintf(low, sizeof(low), "%.*f", options->x_decimals, x->low);
	int high_length = snprintf(high, sizeof(high), "%.*f", options->x_decimals, x->high);
	int rest = columns - low_length - high_length - (int)strlen(options->x_title);

	rest = rest < 2 ? 2 : rest;
	pare_strbuf_printf(out, "%*s+", LABEL, "");
	for (int c = 0; c < columns; c++)
		pare_strbuf_add(out, c == limit ? ":" : "-");
	pare_strbuf_printf(out, "\n%*s %s%*s%s%*s%s\n", LABEL, "", low, rest / 2, "", options->x_title, rest - rest / 2,
	                   "", high);
}

/* Up to the last mark: no blanks at the ends of lines. */
static int used_columns(const char *row, int columns)
{
	while (columns > 0 && row[columns - 1] == ' ')
		columns--;
	return columns;
}

void pare_scatter(const struct pare_scatter_point *points, int count, const struct pare_scatter_options *options,
                  struct pare_strbuf *out)
{
	char field[MAX_ROWS][MAX_COLUMNS];
	int columns = clamp(options->columns, 10, MAX_COLUMNS), rows = clamp(options->rows, 3, MAX_ROWS), limit = -1;
	struct range x = {INFINITY, -INFINITY}, y = x;

	for (int i = 0; i < count; i++) {
		if (!isfinite(points[i].x) || !isfinite(points[i].y))
			continue;
		include(&x, points[i].x);
		include(&y, points[i].y);
	}
	if (!(x.low <= x.high))
		return;
	memset(field, ' ', sizeof(field));
	if (isfinite(options->limit_x)) {
		include(&x, options->limit_x);
		limit = cell_of(&x, options->limit_x, columns);
		for (int r = 0; r < rows; r++)
			field[r][limit] = ':';
	}
	for (int i = 0; i < count; i++)
		if (isfinite(points[i].x) && isfinite(points[i].y))
			field[rows - 1 - cell_of(&y, points[i].y, rows)][cell_of(&x, points[i].x, columns)] =
			        points[i].mark;
	pare_strbuf_printf(out, "%*s\n", LABEL + (int)strlen(options->y_title) / 2, options->y_title);
	for (int r = 0; r < rows; r++) {
		if (r == 0 || r == rows - 1)
			pare_strbuf_printf(out, "%*.*f |", LABEL - 1, options->y_decimals, r == 0 ? y.high : y.low);
		else
			pare_strbuf_printf(out, "%*s|", LABEL, "");
		pare_strbuf_printf(out, "%.*s\n", used_columns(field[r], columns), field[r]);
	}
	axis(options, &x, columns, limit, out);
}
