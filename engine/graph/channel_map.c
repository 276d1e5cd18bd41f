#include "engine/graph/channel_map.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

void pare_channel_map_free(struct pare_channel_map *map)
{
	if (!map)
		return;
	for (int i = 0; map->value_atoms && i < map->graph->n_values * PARE_MAX_RANK; i++)
		free(map->value_atoms[i]);
	for (int axis = 0; axis < 2; axis++) {
		for (int i = 0; map->axis_atoms[axis] && i < map->graph->n_params; i++)
			free(map->axis_atoms[axis][i]);
		free(map->axis_atoms[axis]);
		free(map->axis_fixed[axis]);
	}
	free(map->value_atoms);
	free(map->value_known);
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

	if (count < 0 || needed + map->n_entries > PARE_MAX_CHANNEL_ENTRIES)
		return PARE_E_LIMIT;
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

const int *pare_channel_map_value(const struct pare_channel_map *map, int value, int d)
{
	return map->value_atoms[value * PARE_MAX_RANK + d];
}

void pare_channel_map_unite_all(struct pare_channel_map *map, const int *a, const int *b, int64_t count,
                                const char *reason)
{
	const int *alone = a ? a : b;

	for (int64_t i = 0; alone && i < count; i++) {
		if (a && b)
			pare_channel_map_unite(map, a[i], b[i]);
		else
			pare_channel_map_freeze(map, alone[i], reason);
	}
}

void pare_channel_map_freeze_dim(struct pare_channel_map *map, int value, int d, const char *reason)
{
	pare_channel_map_unite_all(map, pare_channel_map_value(map, value, d), NULL,
	                           map->graph->values[value].shape.dim[d], reason);
}

/* *slot = a copy of atoms, or, when something is there already, each old atom united with the new one. */
static int set_or_unite(struct pare_channel_map *map, int **slot, const int *atoms, int64_t count)
{
	if (*slot) {
		pare_channel_map_unite_all(map, *slot, atoms, count, "shared with a layer that cannot be cut");
		return PARE_OK;
	}
	if ((size_t)count > PARE_MAX_CHANNEL_ENTRIES - map->n_atoms - map->n_entries)
		return PARE_E_LIMIT;
	map->n_entries += (size_t)count;
	*slot = pare_calloc((size_t)count, sizeof(**slot));
	if (!*slot)
		return PARE_E_NOMEM;
	memcpy(*slot, atoms, (size_t)count * sizeof(**slot));
	return PARE_OK;
}

int pare_channel_map_set_value(struct pare_channel_map *map, int value, int d, const int *atoms)
{
	map->value_known[value] = 1;
	if (!atoms)
		return PARE_OK;
	return set_or_unite(map, &map->value_atoms[value * PARE_MAX_RANK + d], atoms,
	                    map->graph->values[value].shape.dim[d]);
}

int pare_channel_map_set_axis(struct pare_channel_map *map, int param, int axis, const int *atoms)
{
	int **slot = &map->axis_atoms[axis][param];
	int64_t count = map->graph->params[param].shape.dim[axis];

	map->axis_fixed[axis][param] |= !atoms;
	if (map->axis_fixed[axis][param]) {
		const char *reason = "shared with a layer that cannot be cut";
		pare_channel_map_unite_all(map, atoms, NULL, count, reason);
		pare_channel_map_unite_all(map, *slot, NULL, count, reason);
	}
	return atoms ? set_or_unite(map, slot, atoms, count) : PARE_OK;
}

/* The output's atoms along dimension d: those of the inputs that are not spread there, united. */
static int couple_dimension(struct pare_channel_map *map, const struct pare_node *node, int d, const unsigned *spread)
{
	const int64_t size = map->graph->values[node->output].shape.dim[d];
	const int *atoms = NULL;
	bool found = false;

	for (int k = 0; k < node->n_inputs; k++) {
		const int *own = pare_channel_map_value(map, node->inputs[k], d);
		if (spread && (spread[k] >> d & 1)) {
			pare_channel_map_freeze_dim(map, node->inputs[k], d, "one channel is spread over many");
			continue;
		}
		if (map->graph->values[node->inputs[k]].shape.dim[d] != size)
			return PARE_E_INVALID;
		if (found)
			pare_channel_map_unite_all(map, atoms, own, size, "combined with what cannot be cut");
		atoms = found && !(atoms && own) ? NULL : own;
		found = true;
	}
	return pare_channel_map_set_value(map, node->output, d, atoms);
}

/* spread: NULL, or one mask of dimensions for each input. */
static int couple_inputs(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                         const unsigned *spread)
{
	const int rank = pare_node_output_shape(graph, node)->rank;
	int status = PARE_OK;

	for (int k = 0; k < node->n_inputs; k++)
		if (pare_node_input_shape(graph, node, k)->rank != rank)
			return PARE_E_INVALID;
	for (int d = 0; d < rank && status == PARE_OK; d++)
		status = couple_dimension(map, node, d, spread);
	return status;
}

int pare_couple_elementwise(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	return couple_inputs(map, graph, node, NULL);
}

int pare_couple_pair(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                     const unsigned spread[2])
{
	return couple_inputs(map, graph, node, spread);
}

int pare_couple_planes(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	for (int d = 1; d < pare_node_input_shape(graph, node, 0)->rank; d++)
		pare_channel_map_freeze_dim(map, node->inputs[0], d, "its channels are seen as the pixels of an image");
	return pare_channel_map_set_value(map, node->output, 0, pare_channel_map_value(map, node->inputs[0], 0));
}

int32_t pare_dim_keep_count(const struct pare_dim_keep *keep, int64_t begin, int64_t end)
{
	int32_t count = 0;

	if (!keep->kept)
		return (int32_t)(end - begin);
	for (int64_t i = begin; i < end; i++)
		count += keep->kept[i];
	return count;
}

static int couple_input(struct pare_channel_map *map)
{
	const struct pare_graph *graph = map->graph;
	const int64_t channels = graph->values[graph->input].shape.dim[0];
	int *atoms = pare_calloc((size_t)channels, sizeof(*atoms));

	if (!atoms)
		return PARE_E_NOMEM;
	map->value_atoms[graph->input * PARE_MAX_RANK] = atoms;
	if (pare_channel_map_new_atoms(map, channels, atoms) < 0)
		return PARE_E_NOMEM;
	pare_channel_map_freeze_dim(map, graph->input, 0, "network input");
	return PARE_OK;
}

static int couple_nodes(struct pare_channel_map *map, struct pare_error *error)
{
	const struct pare_graph *graph = map->graph;

	for (int i = 0; i < graph->n_nodes; i++) {
		const struct pare_node *node = &graph->nodes[i];
		int status = node->op->couple(map, graph, node);
		if (status == PARE_OK && !map->value_known[node->output])
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

static int allocate(struct pare_channel_map *map)
{
	const size_t n_values = (size_t)map->graph->n_values, n_params = (size_t)map->graph->n_params;

	map->value_atoms = pare_calloc(n_values * PARE_MAX_RANK, sizeof(*map->value_atoms));
	map->value_known = pare_calloc(n_values, 1);
	for (int axis = 0; axis < 2; axis++) {
		map->axis_atoms[axis] = pare_calloc(n_params, sizeof(*map->axis_atoms[axis]));
		map->axis_fixed[axis] = pare_calloc(n_params, 1);
		if (!map->axis_atoms[axis] || !map->axis_fixed[axis])
			return PARE_E_NOMEM;
	}
	return map->value_atoms && map->value_known ? PARE_OK : PARE_E_NOMEM;
}

struct pare_channel_map *pare_channel_map_new(const struct pare_graph *graph, struct pare_error *error)
{
	struct pare_channel_map *map = pare_calloc(1, sizeof(*map));

	if (!map)
		goto no_memory;
	map->graph = graph;
	if (allocate(map) < 0 || couple_input(map) < 0)
		goto no_memory;
	if (couple_nodes(map, error) < 0)
		goto fail;
	for (int d = 0; d < graph->values[graph->output].shape.rank; d++)
		pare_channel_map_freeze_dim(map, graph->output, d, "network output");
	flatten(map);
	return map;
no_memory:
	pare_error_set(error, PARE_E_NOMEM, "channel map of graph '%s': out of memory", graph->name);
fail:
	pare_channel_map_free(map);
	return NULL;
}
