#include "engine/graph/channel_map.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

void pare_channel_map_free(struct pare_channel_map *map)
{
	if (!map)
		return;
	for (int i = 0; map->value_atoms && i < map->graph->n_values; i++)
		free(map->value_atoms[i]);
	for (int axis = 0; axis < 2; axis++) {
		for (int i = 0; map->axis_atoms[axis] && i < map->graph->n_params; i++)
			free(map->axis_atoms[axis][i]);
		free(map->axis_atoms[axis]);
	}
	free(map->value_atoms);
	free(map->parent);
	free(map->frozen);
	free(map);
}

/* Walks only: the map may be read by many threads. unite keeps the paths short. */
int pare_channel_map_find(const struct pare_channel_map *map, int atom)
{
	while (map->parent[atom] != atom)
		atom = map->parent[atom];
	return atom;
}

static int find_and_shorten(struct pare_channel_map *map, int atom)
{
	while (map->parent[atom] != atom) {
		map->parent[atom] = map->parent[map->parent[atom]];
		atom = map->parent[atom];
	}
	return atom;
}

/* The lowest atom of a set represents it, whatever the order of the calls. */
void pare_channel_map_unite(struct pare_channel_map *map, int a, int b)
{
	int low = find_and_shorten(map, a), high = find_and_shorten(map, b);

	if (low == high)
		return;
	if (low > high) {
		int swap = low;
		low = high;
		high = swap;
	}
	map->parent[high] = low;
	if (!map->frozen[low])
		map->frozen[low] = map->frozen[high];
}

void pare_channel_map_freeze(struct pare_channel_map *map, int atom, const char *reason)
{
	int representative = find_and_shorten(map, atom);

	if (!map->frozen[representative])
		map->frozen[representative] = reason;
}

int pare_channel_map_new_atoms(struct pare_channel_map *map, int64_t count, int *atoms)
{
	void *parent = map->parent, *frozen = (void *)map->frozen;
	size_t needed = map->n_atoms + (size_t)count;

	if (count < 0 || needed > INT_MAX)
		return PARE_E_NOMEM;
	if (pare_array_grow(&parent, &map->parent_capacity, needed, sizeof(*map->parent)) < 0)
		return PARE_E_NOMEM;
	map->parent = parent;
	if (pare_array_grow(&frozen, &map->frozen_capacity, needed, sizeof(*map->frozen)) < 0)
		return PARE_E_NOMEM;
	map->frozen = frozen;
	for (int64_t i = 0; i < count; i++) {
		int atom = (int)map->n_atoms++;
		map->parent[atom] = atom;
		map->frozen[atom] = NULL;
		atoms[i] = atom;
	}
	return PARE_OK;
}

const int *pare_channel_map_value(const struct pare_channel_map *map, int value)
{
	return map->value_atoms[value];
}

/* *slot = a copy of atoms, or, when something is there already, each old atom united with the new one. */
static int set_or_unite(struct pare_channel_map *map, int **slot, const int *atoms, int64_t count)
{
	if (*slot) {
		for (int64_t i = 0; i < count; i++)
			pare_channel_map_unite(map, (*slot)[i], atoms[i]);
		return PARE_OK;
	}
	*slot = pare_calloc((size_t)count, sizeof(**slot));
	if (!*slot)
		return PARE_E_NOMEM;
	memcpy(*slot, atoms, (size_t)count * sizeof(**slot));
	return PARE_OK;
}

int pare_channel_map_set_value(struct pare_channel_map *map, int value, const int *atoms)
{
	return set_or_unite(map, &map->value_atoms[value], atoms, map->graph->values[value].shape.dim[0]);
}

int pare_channel_map_set_axis(struct pare_channel_map *map, int param, int axis, const int *atoms)
{
	return set_or_unite(map, &map->axis_atoms[axis][param], atoms, map->graph->params[param].shape.dim[axis]);
}

int pare_couple_elementwise(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const int64_t channels = pare_node_output_shape(graph, node)->dim[0];
	const int *first = pare_channel_map_value(map, node->inputs[0]);

	for (int k = 0; k < node->n_inputs; k++) {
		const int *other = pare_channel_map_value(map, node->inputs[k]);
		if (pare_node_input_shape(graph, node, k)->dim[0] != channels)
			return PARE_E_INVALID;
		for (int64_t c = 0; c < channels; c++)
			pare_channel_map_unite(map, first[c], other[c]);
	}
	return pare_channel_map_set_value(map, node->output, first);
}

static int couple_input(struct pare_channel_map *map)
{
	const struct pare_graph *graph = map->graph;
	const int64_t channels = graph->values[graph->input].shape.dim[0];
	int *atoms = pare_calloc((size_t)channels, sizeof(*atoms));

	if (!atoms)
		return PARE_E_NOMEM;
	map->value_atoms[graph->input] = atoms;
	if (pare_channel_map_new_atoms(map, channels, atoms) < 0)
		return PARE_E_NOMEM;
	for (int64_t c = 0; c < channels; c++)
		pare_channel_map_freeze(map, atoms[c], "network input");
	return PARE_OK;
}

static int couple_nodes(struct pare_channel_map *map, struct pare_error *error)
{
	const struct pare_graph *graph = map->graph;

	for (int i = 0; i < graph->n_nodes; i++) {
		const struct pare_node *node = &graph->nodes[i];
		int status = node->op->couple(map, graph, node);
		if (status == PARE_OK && !map->value_atoms[node->output])
			status = PARE_E_INVALID;
		if (status < 0)
			return pare_error_set(error, status,
			                      "node '%s' (%s): cannot tell how its channels hang together: %s",
			                      node->name, node->op->name, pare_status_text(status));
	}
	return PARE_OK;
}

/* After this every find takes at most one step. */
static void flatten(struct pare_channel_map *map)
{
	for (size_t i = 0; i < map->n_atoms; i++)
		map->parent[i] = find_and_shorten(map, (int)i);
}

struct pare_channel_map *pare_channel_map_new(const struct pare_graph *graph, struct pare_error *error)
{
	struct pare_channel_map *map = pare_calloc(1, sizeof(*map));

	if (!map)
		goto no_memory;
	map->graph = graph;
	map->value_atoms = pare_calloc((size_t)graph->n_values, sizeof(*map->value_atoms));
	map->axis_atoms[0] = pare_calloc((size_t)graph->n_params, sizeof(*map->axis_atoms[0]));
	map->axis_atoms[1] = pare_calloc((size_t)graph->n_params, sizeof(*map->axis_atoms[1]));
	if (!map->value_atoms || !map->axis_atoms[0] || !map->axis_atoms[1] || couple_input(map) < 0)
		goto no_memory;
	if (couple_nodes(map, error) < 0)
		goto fail;
	for (int64_t c = 0; c < graph->values[graph->output].shape.dim[0]; c++)
		pare_channel_map_freeze(map, map->value_atoms[graph->output][c], "network output");
	flatten(map);
	return map;
no_memory:
	pare_error_set(error, PARE_E_NOMEM, "channel map of graph '%s': out of memory", graph->name);
fail:
	pare_channel_map_free(map);
	return NULL;
}
