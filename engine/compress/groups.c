#include "engine/compress/groups.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

/* What is known of each representative atom while groups are formed. */
struct survey {
	const struct pare_graph *graph;
	const struct pare_channel_map *map;
	int64_t *touch_start; /* [n_atoms + 1] into touch */
	int *touch;      /* 2 * parameter + axis, ascending within an atom, once for every index it owns there; then
	                    2 * n_params + node for nodes that select it among others */
	bool *has_param; /* [n_atoms] touches a parameter */
	int *owner;      /* [n_atoms] producer: node index, -1 the graph's input, UNOWNED */
	int64_t *rank;   /* [n_atoms] channel index in the owner */
	int *order;      /* [n_order] atoms that touch a parameter */
	int64_t n_order;
};

#define UNOWNED INT_MAX

/* A node whose output has some of its input's channels and not others: both kinds must not be interchangeable, or a cut
 * could take all of the output. */
static void touch_selection(struct survey *survey, int n, void (*visit)(struct survey *, int atom, int key))
{
	const struct pare_node *node = &survey->graph->nodes[n];
	const struct pare_shape *in = pare_node_input_shape(survey->graph, node, 0);
	const struct pare_shape *out = pare_node_output_shape(survey->graph, node);
	for (int d = 0; d < out->rank; d++) {
		const int *atoms = pare_channel_map_value(survey->map, node->output, d);
		for (int64_t i = 0; atoms && out->dim[d] < in->dim[d] && i < out->dim[d]; i++)
			visit(survey, pare_channel_map_find(survey->map, atoms[i]), 2 * survey->graph->n_params + n);
	}
}

/* Visits every parameter index that carries an atom, parameters and axes in ascending order; then selections. */
static void for_each_touch(struct survey *survey, void (*visit)(struct survey *, int atom, int key))
{
	for (int p = 0; p < survey->graph->n_params; p++) {
		for (int axis = 0; axis < 2; axis++) {
			const int *atoms = survey->map->axis_atoms[axis][p];
			for (int64_t i = 0; atoms && i < survey->graph->params[p].shape.dim[axis]; i++)
				visit(survey, pare_channel_map_find(survey->map, atoms[i]), 2 * p + axis);
		}
	}
	for (int n = 0; n < survey->graph->n_nodes; n++)
		if (survey->graph->nodes[n].op->flags & PARE_OP_SELECTS)
			touch_selection(survey, n, visit);
}

static void count_touch(struct survey *survey, int atom, int key)
{
	survey->touch_start[atom + 1]++;
	survey->has_param[atom] |= key < 2 * survey->graph->n_params;
}

/* Uses touch_start[atom] as the cursor; survey_touches shifts the starts back afterwards. */
static void write_touch(struct survey *survey, int atom, int key)
{
	survey->touch[survey->touch_start[atom]++] = key;
}

static int survey_touches(struct survey *survey)
{
	size_t n = survey->map->n_atoms;
	for_each_touch(survey, count_touch);
	for (size_t a = 0; a < n; a++) {
		survey->n_order += survey->has_param[a];
		survey->touch_start[a + 1] += survey->touch_start[a];
	}
	survey->touch = pare_calloc((size_t)survey->touch_start[n], sizeof(*survey->touch));
	survey->order = pare_calloc((size_t)survey->n_order, sizeof(*survey->order));
	if (!survey->touch || !survey->order)
		return PARE_E_NOMEM;
	for_each_touch(survey, write_touch);
	memmove(survey->touch_start + 1, survey->touch_start, n * sizeof(*survey->touch_start));
	survey->touch_start[0] = 0;
	for (size_t a = 0, i = 0; a < n; a++)
		if (survey->has_param[a])
			survey->order[i++] = (int)a;
	return PARE_OK;
}

static void claim(struct survey *survey, const int *atoms, int64_t count, int owner)
{
	for (int64_t c = 0; c < count; c++) {
		int atom = pare_channel_map_find(survey->map, atoms[c]);
		if (survey->owner[atom] == UNOWNED) {
			survey->owner[atom] = owner;
			survey->rank[atom] = c;
		}
	}
}

static void claim_value(struct survey *survey, int value, int owner)
{
	for (int d = 0; d < survey->graph->values[value].shape.rank; d++) {
		const int *atoms = pare_channel_map_value(survey->map, value, d);
		claim(survey, atoms, atoms ? survey->graph->values[value].shape.dim[d] : 0, owner);
	}
}

/* Layers with filters come first, so that a shortcut's padding does not name the channels of the layer it is added to.
 */
static void survey_owners(struct survey *survey)
{
	const struct pare_graph *graph = survey->graph;
	for (size_t a = 0; a < survey->map->n_atoms; a++)
		survey->owner[a] = UNOWNED;
	for (int n = 0; n < graph->n_nodes; n++) {
		for (int i = 0; i < graph->nodes[n].n_params; i++) {
			int p = graph->nodes[n].params[i];
			if (graph->params[p].role == PARE_PARAM_WEIGHT && survey->map->axis_atoms[0][p])
				claim(survey, survey->map->axis_atoms[0][p], graph->params[p].shape.dim[0], n);
		}
	}
	claim_value(survey, graph->input, -1);
	for (int n = 0; n < graph->n_nodes; n++)
		claim_value(survey, graph->nodes[n].output, n);
}

static int survey_init(struct survey *survey, const struct pare_graph *graph, const struct pare_channel_map *map)
{
	*survey = (struct survey){.graph = graph, .map = map};
	survey->touch_start = pare_calloc(map->n_atoms + 1, sizeof(*survey->touch_start));
	survey->owner = pare_calloc(map->n_atoms, sizeof(*survey->owner));
	survey->rank = pare_calloc(map->n_atoms, sizeof(*survey->rank));
	survey->has_param = pare_calloc(map->n_atoms, sizeof(*survey->has_param));
	if (!survey->has_param || !survey->touch_start || !survey->owner || !survey->rank)
		return PARE_E_NOMEM;
	survey_owners(survey);
	return survey_touches(survey);
}

static void survey_release(struct survey *survey)
{
	free(survey->touch_start);
	free(survey->touch);
	free(survey->has_param);
	free(survey->owner);
	free(survey->rank);
	free(survey->order);
}

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Same signature = same parameter axes and selections, each equally often, and frozen or not alike. */
static int compare_signature(const struct survey *survey, int a, int b)
{
	const int *touch_a = survey->touch + survey->touch_start[a], *touch_b = survey->touch + survey->touch_start[b];
	int64_t n_a = survey->touch_start[a + 1] - survey->touch_start[a];
	int64_t n_b = survey->touch_start[b + 1] - survey->touch_start[b];
	for (int64_t i = 0; i < n_a && i < n_b; i++)
		if (touch_a[i] != touch_b[i])
			return compare(touch_a[i], touch_b[i]);
	if (n_a != n_b)
		return compare(n_a, n_b);
	return (survey->map->frozen[a] != NULL) - (survey->map->frozen[b] != NULL);
}

static int compare_atoms(const void *left, const void *right, void *context)
{
	const struct survey *survey = context;
	int a = *(const int *)left, b = *(const int *)right;
	int result = compare_signature(survey, a, b);
	if (!result)
		result = compare(survey->owner[a], survey->owner[b]);
	return result ? result : compare(survey->rank[a], survey->rank[b]);
}

/* Ties within one layer are broken by signature, not by channel index: the index changes when channels go. */
static int compare_groups(const void *left, const void *right, void *context)
{
	const struct survey *survey = context;
	int a = ((const struct pare_group *)left)->atoms[0], b = ((const struct pare_group *)right)->atoms[0];
	int result = compare(survey->owner[a], survey->owner[b]);
	return result ? result : compare_signature(survey, a, b);
}

static bool node_has_filters(const struct survey *survey, const struct pare_node *node, int atom)
{
	for (int i = 0; i < node->n_params; i++) {
		int p = node->params[i];
		if (survey->graph->params[p].role != PARE_PARAM_WEIGHT)
			continue;
		for (int64_t t = survey->touch_start[atom]; t < survey->touch_start[atom + 1]; t++)
			if (survey->touch[t] == 2 * p)
				return true;
	}
	return false;
}

static int list_nodes(const struct survey *survey, struct pare_group *group)
{
	group->nodes = pare_calloc((size_t)survey->graph->n_nodes, sizeof(*group->nodes));
	if (!group->nodes)
		return PARE_E_NOMEM;
	for (int n = 0; n < survey->graph->n_nodes; n++)
		if (node_has_filters(survey, &survey->graph->nodes[n], group->atoms[0]))
			group->nodes[group->n_nodes++] = n;
	return PARE_OK;
}

static int make_group(const struct survey *survey, const int *atoms, int64_t channels, struct pare_group *group)
{
	group->channels = channels;
	group->frozen = survey->map->frozen[atoms[0]];
	group->atoms = pare_calloc((size_t)channels, sizeof(*group->atoms));
	if (!group->atoms)
		return PARE_E_NOMEM;
	memcpy(group->atoms, atoms, (size_t)channels * sizeof(*atoms));
	return list_nodes(survey, group);
}

static int split_into_groups(const struct survey *survey, struct pare_groups *groups)
{
	const int *order = survey->order;
	int count = 0;
	for (int64_t i = 0; i < survey->n_order; i++)
		count += i == 0 || compare_signature(survey, order[i - 1], order[i]) != 0;
	groups->group = pare_calloc((size_t)count, sizeof(*groups->group));
	if (!groups->group)
		return PARE_E_NOMEM;
	for (int64_t begin = 0, end; begin < survey->n_order; begin = end) {
		for (end = begin + 1; end < survey->n_order; end++)
			if (compare_signature(survey, order[begin], order[end]))
				break;
		int status = make_group(survey, order + begin, end - begin, &groups->group[groups->n_groups++]);
		if (status)
			return status;
	}
	return PARE_OK;
}

static int name_groups(const struct survey *survey, struct pare_groups *groups)
{
	for (int g = 0; g < groups->n_groups; g++) {
		int owner = survey->owner[groups->group[g].atoms[0]];
		const char *base =
		        owner < 0 ? survey->graph->values[survey->graph->input].name : survey->graph->nodes[owner].name;
		struct pare_strbuf name;
		pare_strbuf_init(&name);
		pare_strbuf_add(&name, base);
		for (int suffix = 2; pare_groups_find(groups, name.text) >= 0; suffix++) {
			pare_strbuf_clear(&name);
			pare_strbuf_printf(&name, "%s#%d", base, suffix);
		}
		groups->group[g].name = pare_strbuf_detach(&name);
		if (!groups->group[g].name)
			return PARE_E_NOMEM;
	}
	return PARE_OK;
}

static int number_slots(struct pare_groups *groups)
{
	size_t n_atoms = groups->map->n_atoms;
	groups->slot = pare_calloc(n_atoms, sizeof(*groups->slot));
	if (!groups->slot)
		return PARE_E_NOMEM;
	for (size_t a = 0; a < n_atoms; a++)
		groups->slot[a] = -1;
	for (int g = 0; g < groups->n_groups; g++) {
		struct pare_group *group = &groups->group[g];
		group->first_slot = groups->n_slots;
		for (int64_t i = 0; i < group->channels; i++)
			groups->slot[group->atoms[i]] = groups->n_slots++;
	}
	for (size_t a = 0; a < n_atoms; a++)
		groups->slot[a] = groups->slot[pare_channel_map_find(groups->map, (int)a)];
	return PARE_OK;
}

static int form_groups(struct survey *survey, struct pare_groups *groups)
{
	qsort_r(survey->order, (size_t)survey->n_order, sizeof(*survey->order), compare_atoms, survey);
	int status = split_into_groups(survey, groups);
	if (status)
		return status;
	qsort_r(groups->group, (size_t)groups->n_groups, sizeof(*groups->group), compare_groups, survey);
	status = name_groups(survey, groups);
	return status ? status : number_slots(groups);
}

int pare_groups_init(struct pare_groups *groups, const struct pare_graph *graph, struct pare_error *error)
{
	struct survey survey;
	struct pare_error refusal = {.code = PARE_E_NOMEM, .text = "out of memory"};
	*groups = (struct pare_groups){.graph = graph};
	groups->map = pare_channel_map_new(graph, &refusal);
	if (!groups->map) {
		if (error)
			*error = refusal;
		return refusal.code;
	}
	int status = survey_init(&survey, graph, groups->map);
	if (!status)
		status = form_groups(&survey, groups);
	survey_release(&survey);
	if (status) {
		pare_groups_release(groups);
		return pare_error_set(error, status, "out of memory while grouping the channels of \"%s\"",
		                      graph->name);
	}
	return PARE_OK;
}

void pare_groups_release(struct pare_groups *groups)
{
	for (int g = 0; g < groups->n_groups; g++) {
		free(groups->group[g].name);
		free(groups->group[g].atoms);
		free(groups->group[g].nodes);
	}
	free(groups->group);
	free(groups->slot);
	pare_channel_map_free(groups->map);
	*groups = (struct pare_groups){0};
}

int pare_groups_find(const struct pare_groups *groups, const char *name)
{
	for (int g = 0; g < groups->n_groups; g++)
		if (groups->group[g].name && strcmp(groups->group[g].name, name) == 0)
			return g;
	return -1;
}
