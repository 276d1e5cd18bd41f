#include "engine/compress/cut.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

static bool atom_stays(const struct pare_cut *cut, int atom)
{
	int64_t slot = cut->groups->slot[atom];
	return slot < 0 || cut->slot_stays[slot];
}

/* *kept is where the next flags go. */
static struct pare_dim_keep spread_to_dim(const struct pare_cut *cut, const int *atoms, int64_t size,
                                          unsigned char **kept)
{
	struct pare_dim_keep keep = {.size = size, .n_kept = size};
	if (!atoms)
		return keep;
	keep.kept = *kept;
	keep.n_kept = 0;
	for (int64_t i = 0; i < size; i++)
		keep.n_kept += *(*kept)++ = atom_stays(cut, atoms[i]);
	return keep;
}

static void spread_to_values(struct pare_cut *cut)
{
	const struct pare_graph *graph = cut->groups->graph;
	unsigned char *kept = cut->channel_stays;
	for (int v = 0; v < graph->n_values; v++) {
		const struct pare_shape *shape = &graph->values[v].shape;
		cut->value[v].rank = shape->rank;
		for (int d = 0; d < shape->rank; d++)
			cut->value[v].dim[d] = spread_to_dim(cut, pare_channel_map_value(cut->groups->map, v, d),
			                                     shape->dim[d], &kept);
	}
}

static int allocate(struct pare_cut *cut)
{
	const struct pare_graph *graph = cut->groups->graph;
	size_t n_channels = 0;
	int most_inputs = 0;
	for (int v = 0; v < graph->n_values; v++)
		for (int d = 0; d < graph->values[v].shape.rank; d++)
			if (pare_channel_map_value(cut->groups->map, v, d))
				n_channels += (size_t)graph->values[v].shape.dim[d];
	for (int n = 0; n < graph->n_nodes; n++)
		if (graph->nodes[n].n_inputs > most_inputs)
			most_inputs = graph->nodes[n].n_inputs;
	cut->slot_stays = pare_calloc((size_t)cut->groups->n_slots, 1);
	cut->channel_stays = pare_calloc(n_channels, 1);
	cut->value = pare_calloc((size_t)graph->n_values, sizeof(*cut->value));
	cut->in = pare_calloc((size_t)most_inputs, sizeof(*cut->in));
	return cut->slot_stays && cut->channel_stays && cut->value && cut->in ? PARE_OK : PARE_E_NOMEM;
}

int pare_cut_init(struct pare_cut *cut, const struct pare_groups *groups, struct pare_error *error)
{
	*cut = (struct pare_cut){.groups = groups};
	if (allocate(cut)) {
		pare_cut_release(cut);
		return pare_error_set(error, PARE_E_NOMEM, "out of memory while cutting \"%s\"", groups->graph->name);
	}
	memset(cut->slot_stays, 1, (size_t)groups->n_slots);
	spread_to_values(cut);
	return PARE_OK;
}

void pare_cut_release(struct pare_cut *cut)
{
	free(cut->slot_stays);
	free(cut->channel_stays);
	free(cut->value);
	free(cut->in);
	*cut = (struct pare_cut){0};
}

int pare_cut_choose_first(struct pare_cut *cut, const struct pare_plan *plan, struct pare_error *error)
{
	int status = pare_plan_check(plan, cut->groups, error);
	if (status)
		return status;
	memset(cut->slot_stays, 0, (size_t)cut->groups->n_slots);
	for (int g = 0; g < plan->n_groups; g++)
		memset(cut->slot_stays + cut->groups->group[g].first_slot, 1, (size_t)plan->kept[g]);
	spread_to_values(cut);
	return PARE_OK;
}

struct ranked {
	double score;
	int64_t index;
};

static int best_first(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

static int choose_in_group(struct pare_cut *cut, int g, int64_t kept, const struct pare_criterion *criterion,
                           struct ranked *ranked, double *score, struct pare_error *error)
{
	const struct pare_group *group = &cut->groups->group[g];
	unsigned char *stays = cut->slot_stays + group->first_slot;
	memset(stays, kept == group->channels, (size_t)group->channels);
	if (kept == group->channels)
		return PARE_OK;
	int status = criterion->score(cut->groups, g, score, error);
	if (status)
		return status;
	for (int64_t i = 0; i < group->channels; i++) {
		if (isnan(score[i]))
			return pare_error_set(error, PARE_E_DIVERGED, "criterion \"%s\" gives NaN in group \"%s\"",
			                      criterion->name, group->name);
		ranked[i] = (struct ranked){score[i], i};
	}
	qsort(ranked, (size_t)group->channels, sizeof(*ranked), best_first);
	for (int64_t i = 0; i < kept; i++)
		stays[ranked[i].index] = 1;
	return PARE_OK;
}

int pare_cut_choose_best(struct pare_cut *cut, const struct pare_plan *plan, const struct pare_criterion *criterion,
                         struct pare_error *error)
{
	int status = pare_plan_check(plan, cut->groups, error);
	if (status)
		return status;
	struct ranked *ranked = pare_calloc((size_t)cut->groups->n_slots, sizeof(*ranked));
	double *score = pare_calloc((size_t)cut->groups->n_slots, sizeof(*score));
	if (!ranked || !score)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory while ranking channels");
	for (int g = 0; g < plan->n_groups && !status; g++)
		status = choose_in_group(cut, g, plan->kept[g], criterion, ranked, score, error);
	if (!status)
		spread_to_values(cut);
	free(ranked);
	free(score);
	return status;
}

bool pare_cut_index_stays(const struct pare_cut *cut, int param, int axis, int64_t i)
{
	const int *atoms = axis < 2 ? cut->groups->map->axis_atoms[axis][param] : NULL;
	return !atoms || atom_stays(cut, atoms[i]);
}

struct pare_shape pare_cut_param_shape(const struct pare_cut *cut, int param)
{
	struct pare_shape shape = cut->groups->graph->params[param].shape;
	for (int axis = 0; axis < 2 && axis < shape.rank; axis++) {
		const int *atoms = cut->groups->map->axis_atoms[axis][param];
		int64_t stay = 0;
		for (int64_t i = 0; atoms && i < shape.dim[axis]; i++)
			stay += atom_stays(cut, atoms[i]);
		if (atoms)
			shape.dim[axis] = stay;
	}
	return shape;
}

void pare_cut_attrs(const struct pare_cut *cut, const struct pare_node *node, void *attrs)
{
	if (node->op->attrs_bytes)
		memcpy(attrs, node->attrs, node->op->attrs_bytes);
	if (!node->op->slim)
		return;
	for (int i = 0; i < node->n_inputs; i++)
		cut->in[i] = cut->value[node->inputs[i]];
	node->op->slim(attrs, cut->in, node->n_inputs, &cut->value[node->output]);
}
