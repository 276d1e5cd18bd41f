#include "tests/support/map_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A graph under test; every step must be accepted. */
struct pare_graph *map_rig_graph(int64_t channels, int64_t side)
{
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(channels, side, side), "input");

	assert_non_null(graph);
	return graph;
}

int map_rig_conv(struct pare_graph *graph, const char *name, int value, int64_t channels, int groups)
{
	assert_int_equal(pare_build_conv(graph, name, channels, 3, 1, groups, true, &value, NULL), PARE_OK);
	return value;
}

int map_rig_add(struct pare_graph *graph, const char *name, int a, int b)
{
	assert_int_equal(pare_build_add(graph, name, b, &a, NULL), PARE_OK);
	return a;
}

struct pare_channel_map *map_rig_map(struct pare_graph *graph, int output)
{
	struct pare_error error = {0};

	graph->output = output;
	assert_int_equal(pare_graph_infer(graph, &error), PARE_OK);
	struct pare_channel_map *map = pare_channel_map_new(graph, &error);
	if (!map)
		fail_msg("%s", error.text);
	return map;
}

void map_rig_release(struct pare_channel_map *map, struct pare_graph *graph)
{
	pare_channel_map_free(map);
	pare_graph_free(graph);
}

int map_rig_channel(const struct pare_channel_map *map, int value, int64_t index)
{
	assert_true(index < map->graph->values[value].shape.dim[0]);
	return pare_channel_map_find(map, pare_channel_map_value(map, value, 0)[index]);
}

int map_rig_along(const struct pare_channel_map *map, const char *param, int axis, int64_t index)
{
	int p = pare_graph_find_param(map->graph, param);

	assert_true(p >= 0 && index < map->graph->params[p].shape.dim[axis]);
	assert_non_null(map->axis_atoms[axis][p]);
	return pare_channel_map_find(map, map->axis_atoms[axis][p][index]);
}

const char *map_rig_frozen(const struct pare_channel_map *map, int value, int64_t index)
{
	return map->frozen[map_rig_channel(map, value, index)];
}

int map_rig_count_sets(const struct pare_channel_map *map)
{
	int n = 0;

	for (size_t i = 0; i < map->n_atoms; i++)
		n += pare_channel_map_find(map, (int)i) == (int)i;
	return n;
}

/* An operator with one input and no parameters. */
int map_rig_unary(struct pare_graph *graph, const struct pare_op *op, const void *attrs, int value)
{
	assert_int_equal(pare_build_unary(graph, op->name, op, attrs, &value, NULL), PARE_OK);
	return value;
}

int map_rig_reshape(struct pare_graph *graph, int value, struct pare_shape shape)
{
	assert_int_equal(pare_build_reshape(graph, "reshape", &shape, &value, NULL), PARE_OK);
	return value;
}

int map_rig_linear(struct pare_graph *graph, const char *name, int value, int64_t features)
{
	assert_int_equal(pare_build_linear(graph, name, features, true, &value, NULL), PARE_OK);
	return value;
}

/* The representative along any dimension; -1 where nothing is cut. */
int map_rig_atom(const struct pare_channel_map *map, int value, int d, int64_t index)
{
	const int *atoms = pare_channel_map_value(map, value, d);
	return atoms ? pare_channel_map_find(map, atoms[index]) : -1;
}

void map_rig_expect_reason(const struct pare_channel_map *map, int value, int d, const char *reason)
{
	const char *found = map->frozen[map_rig_atom(map, value, d, 0)];
	if (!reason)
		assert_null(found);
	else if (!found || !strstr(found, reason))
		fail_msg("frozen for \"%s\", not for \"%s\"", found ? found : "no reason", reason);
}
