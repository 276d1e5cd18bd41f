/* The table in memory: families, entries, and what lies between them. */
#include "latency_lut/lut.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "latency_lut/key.h"

void pare_lut_free(struct pare_lut *lut)
{
	if (!lut)
		return;
	for (int f = 0; f < lut->n_families; f++)
		free(lut->families[f].entries);
	free(lut->families);
	free(lut);
}

static int compare_key(const void *key, const void *family)
{
	return strcmp(key, ((const struct pare_lut_family *)family)->key);
}

static const struct pare_lut_family *find_family(const struct pare_lut *lut, const char *key)
{
	if (!lut->n_families)
		return NULL;
	return bsearch(key, lut->families, (size_t)lut->n_families, sizeof(*lut->families), compare_key);
}

/* Between which two of an axis' widths, and how far from the first to the second: below 0 beyond the lowest one. */
struct place {
	int at;
	double share;
};

/* One axis of a family's grid, seen along its first row or column. */
struct axis {
	const struct pare_lut_entry *entries;
	int count, stride;
	bool inputs;
};

static int64_t width_at(const struct axis *axis, int i)
{
	const struct pare_lut_entry *entry = &axis->entries[i * axis->stride];
	return axis->inputs ? entry->in_channels : entry->out_channels;
}

/* False above the axis, and below one of a single width: there is no slope to go by. */
static bool find_place(const struct axis *axis, int64_t channels, struct place *place)
{
	int low = 0, high = axis->count - 1;
	if (channels > width_at(axis, high))
		return false;
	while (low < high) {
		int middle = (low + high) / 2;
		if (width_at(axis, middle) < channels)
			low = middle + 1;
		else
			high = middle;
	}
	*place = (struct place){.at = low};
	if (width_at(axis, low) == channels)
		return true;
	if (axis->count == 1)
		return false;
	place->at = low > 0 ? low - 1 : 0;
	int64_t below = width_at(axis, place->at), above = width_at(axis, place->at + 1);
	place->share = (double)(channels - below) / (double)(above - below);
	return true;
}

/* Entries are the full product of both axes, so the first input width's entries show how long the output axis is. */
static int output_widths(const struct pare_lut_family *family)
{
	int low = 1, high = family->n_entries;
	while (low < high) {
		int middle = (low + high) / 2;
		if (family->entries[middle].in_channels == family->entries[0].in_channels)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static double along_outputs(const struct pare_lut_entry *row, struct place place)
{
	double low = row[place.at].median_ms;
	return place.share == 0.0 ? low : low + place.share * (row[place.at + 1].median_ms - low);
}

static bool interpolate(const struct pare_lut_family *family, const struct pare_lut_key *key, double *ms)
{
	int n_out = output_widths(family), n_in = family->n_entries / n_out;
	struct place in, out;
	struct axis inputs = {family->entries, n_in, n_out, true}, outputs = {family->entries, n_out, 1, false};
	if (!find_place(&inputs, key->in_channels, &in) || !find_place(&outputs, key->out_channels, &out))
		return false;
	const struct pare_lut_entry *row = family->entries + in.at * n_out;
	*ms = along_outputs(row, out);
	if (in.share != 0.0)
		*ms += in.share * (along_outputs(row + n_out, out) - *ms);
	/* A step extrapolated to fewer channels never takes less than no time. */
	*ms = *ms > 0.0 ? *ms : 0.0;
	return true;
}

static int describe_range(const struct pare_lut_family *family, const struct pare_node *node,
                          const struct pare_lut_key *key, struct pare_error *error)
{
	const struct pare_lut_entry *first = &family->entries[0], *last = &family->entries[family->n_entries - 1];
	return pare_error_set(error, PARE_E_NOT_FOUND,
	                      "%s: \"%s\" with %" PRId64 " x %" PRId64
	                      " channels is outside the latency table, which goes from %d x %d to %d x %d",
	                      node->name, key->family, key->in_channels, key->out_channels, first->in_channels,
	                      first->out_channels, last->in_channels, last->out_channels);
}

static int look_up(const struct pare_lut *lut, const struct pare_graph *graph, const struct pare_step *step,
                   struct pare_strbuf *scratch, double *ms, struct pare_error *error)
{
	const struct pare_node *node = &graph->nodes[step->node];
	const struct pare_lut_family *family, *other_family;
	struct pare_lut_key key, other;
	int status;

	*ms = 0.0;
	if (pare_lut_is_free(graph, step))
		return PARE_OK;
	status = pare_lut_key_make(&key, graph, step, PARE_LUT_SPELLING_USUAL, scratch, error);
	if (status)
		return status;
	family = find_family(lut, key.family);
	if (family && interpolate(family, &key, ms))
		return PARE_OK;
	if (!pare_lut_key_make(&other, graph, step, PARE_LUT_SPELLING_OTHER, scratch, NULL)) {
		other_family = find_family(lut, other.family);
		if (other_family && interpolate(other_family, &other, ms))
			return PARE_OK;
	}
	if (family)
		return describe_range(family, node, &key, error);
	return pare_error_set(error, PARE_E_NOT_FOUND, "%s: the latency table has no \"%s\"", node->name, key.family);
}

int pare_lut_step(const struct pare_lut *lut, const struct pare_graph *graph, const struct pare_step *step, double *ms,
                  struct pare_error *error)
{
	struct pare_strbuf scratch;
	pare_strbuf_init(&scratch);
	int status = look_up(lut, graph, step, &scratch, ms, error);
	pare_strbuf_release(&scratch);
	return status;
}

int pare_lut_predict(const struct pare_lut *lut, const struct pare_graph *graph, double *ms, struct pare_error *error)
{
	struct pare_strbuf scratch;
	struct pare_step *steps;
	int count = pare_graph_steps(graph, &steps), status = count < 0 ? count : PARE_OK;

	*ms = 0.0;
	if (status)
		return pare_error_set(error, status, "out of memory");
	pare_strbuf_init(&scratch);
	for (int s = 0; s < count && !status; s++) {
		double step_ms;
		status = look_up(lut, graph, &steps[s], &scratch, &step_ms, error);
		*ms += step_ms;
	}
	pare_strbuf_release(&scratch);
	free(steps);
	return status;
}
