#include "latency_lut/widths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/compress/plan.h"

/* first, first + step, ..., and last in any case. */
struct span {
	int64_t first, step, last;
};

static int64_t span_count(const struct span *span)
{
	return (span->last - span->first + span->step - 1) / span->step + 1;
}

static int64_t span_width(const struct span *span, int64_t i)
{
	int64_t width = span->first + i * span->step;
	return width < span->last ? width : span->last;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static int group_of(const struct pare_groups *groups, int atom)
{
	int64_t slot = groups->slot[atom];
	for (int g = 0; slot >= 0 && g < groups->n_groups; g++)
		if (slot < groups->group[g].first_slot + groups->group[g].channels)
			return g;
	return -1;
}

/* count[g]: channels of the value that belong to group g; the last entry counts those in no group. */
static void count_channels(const struct pare_groups *groups, int value, int64_t *count /* [n_groups + 1], zero */)
{
	const int *atoms = pare_channel_map_value(groups->map, value, 0);
	for (int64_t c = 0; c < groups->graph->values[value].shape.dim[0]; c++) {
		int g = atoms ? group_of(groups, atoms[c]) : -1;
		count[g < 0 ? groups->n_groups : g]++;
	}
}

/* A single group's widths are exactly first, first + step, ...; the sums of several lie on that lattice, too. */
static struct span find_span(const struct pare_groups *groups, const int64_t *count,
                             const struct pare_lut_build_options *options)
{
	struct span span = {.first = count[groups->n_groups], .last = count[groups->n_groups]};
	for (int g = 0; g < groups->n_groups; g++) {
		const struct pare_group *group = &groups->group[g];
		int64_t repeats = count[g] / group->channels;
		int64_t least = pare_plan_round(group->channels, options->min_ratio, options->step);
		span.last += count[g];
		span.first += group->frozen ? count[g] : count[g] * least / group->channels;
		if (!group->frozen)
			span.step = greatest_common_divisor(span.step, repeats);
	}
	span.step = (span.step ? span.step : 1) * (options->step < 1 ? 1 : options->step);
	span.first = span.first < 1 ? 1 : span.first;
	return span;
}

static int insert(struct pare_widths *widths, int64_t width)
{
	void *array = widths->width;
	size_t at = 0;
	while (at < widths->count && widths->width[at] < width)
		at++;
	if (at < widths->count && widths->width[at] == width)
		return PARE_OK;
	if (pare_array_grow(&array, &widths->capacity, widths->count + 1, sizeof(*widths->width)))
		return PARE_E_NOMEM;
	widths->width = array;
	memmove(widths->width + at + 1, widths->width + at, (widths->count - at) * sizeof(*widths->width));
	widths->width[at] = width;
	widths->count++;
	return PARE_OK;
}

int pare_widths_add(struct pare_widths *widths, const struct pare_groups *groups, int value,
                    const struct pare_lut_build_options *options)
{
	int64_t *count = pare_calloc((size_t)groups->n_groups + 1, sizeof(*count));
	int status = PARE_OK;
	if (!count)
		return PARE_E_NOMEM;
	count_channels(groups, value, count);
	struct span span = find_span(groups, count, options);
	int64_t all = span_count(&span), points = all < options->points ? all : options->points;
	for (int64_t i = 0; i < points && !status; i++) {
		double position = points > 1 ? (double)i * (double)(all - 1) / (double)(points - 1) : 0.0;
		status = insert(widths, span_width(&span, llround(position)));
	}
	free(count);
	return status;
}

void pare_widths_release(struct pare_widths *widths)
{
	free(widths->width);
	*widths = (struct pare_widths){0};
}
