#include "engine/ops/lines.h"

#include <string.h>

#include "engine/ops/lane_sum.h"

/* Terms that are filled in at once, and indices that one item of work sums up: all of them when lines are single
 * floats, so that neighbours in memory are worked on together. */
#define CHUNK PARE_LANE_SUM_CHUNK
#define ITEM_INDICES 64
#define ITEM_LINES 8

struct work {
	const struct pare_lines *lines;
	pare_lines_fill fill;
	const void *context;
	float *sum;
};

/* inner is 1: indices lie side by side. */
static void sum_side_by_side(const struct work *work, int64_t begin, int64_t count)
{
	const struct pare_lines *lines = work->lines;
	double total[ITEM_INDICES] = {0};
	float terms[ITEM_INDICES];

	for (int64_t row = 0; row < lines->blocks * lines->outer; row++) {
		work->fill(work->context, row * lines->size + begin, row, 0, count, terms);
		for (int64_t c = 0; c < count; c++)
			total[c] += (double)terms[c];
	}
	for (int64_t c = 0; c < count; c++)
		work->sum[begin + c] += (float)total[c];
}

static void sum_index(const struct work *work, int64_t row, int64_t c, double total[PARE_LANES])
{
	const struct pare_lines *lines = work->lines;
	float terms[CHUNK];

	for (int64_t i = 0; i < lines->inner; i += CHUNK) {
		int64_t left = lines->inner - i, count = left < CHUNK ? left : CHUNK;
		work->fill(work->context, (row * lines->size + c) * lines->inner + i, row * lines->inner + i, 1, count,
		           terms);
		pare_lane_sum(terms, count, total);
	}
}

static void sum_apart(const struct work *work, int64_t begin, int64_t count)
{
	const struct pare_lines *lines = work->lines;
	double total[ITEM_LINES][PARE_LANES] = {0};

	for (int64_t row = 0; row < lines->blocks * lines->outer; row++)
		for (int64_t c = 0; c < count; c++)
			sum_index(work, row, begin + c, total[c]);
	for (int64_t c = 0; c < count; c++)
		work->sum[begin + c] += (float)pare_lane_total(total[c], PARE_LANES, PARE_LANES);
}

static int64_t item_size(const struct pare_lines *lines)
{
	return lines->inner == 1 ? ITEM_INDICES : ITEM_LINES;
}

static void sum_item(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	int64_t size = item_size(work->lines), begin = item * size, left = work->lines->size - begin;
	int64_t count = left < size ? left : size;

	(void)worker;
	if (work->lines->inner == 1)
		sum_side_by_side(work, begin, count);
	else
		sum_apart(work, begin, count);
}

void pare_lines_sum(struct pare_pool *pool, const struct pare_lines *lines, pare_lines_fill fill, const void *context,
                    float *sum)
{
	struct work work = {lines, fill, context, sum};
	pare_pool_for(pool, (lines->size + item_size(lines) - 1) / item_size(lines), sum_item, &work);
}

static void fill_plain(const void *context, int64_t at, int64_t line, int line_step, int64_t count, float *terms)
{
	(void)line;
	(void)line_step;
	memcpy(terms, (const float *)context + at, sizeof(*terms) * (size_t)count);
}

void pare_lines_sum_plain(struct pare_pool *pool, const struct pare_lines *lines, const float *x, float *sum)
{
	pare_lines_sum(pool, lines, fill_plain, x, sum);
}
