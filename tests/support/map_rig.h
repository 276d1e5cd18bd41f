/*
 * What tests of the channel map share: building a graph in which every step must be accepted, and reading the map.
 */
#ifndef PARE_TESTS_SUPPORT_MAP_RIG_H
#define PARE_TESTS_SUPPORT_MAP_RIG_H

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"

/* Input {channels, side, side}. */
struct pare_graph *map_rig_graph(int64_t channels, int64_t side);
/* Each takes a value and gives the new one. conv: 3x3, same padding, bias; unary: pare_build_unary. */
int map_rig_conv(struct pare_graph *graph, const char *name, int value, int64_t channels, int groups);
int map_rig_linear(struct pare_graph *graph, const char *name, int value, int64_t features);
int map_rig_add(struct pare_graph *graph, const char *name, int a, int b);
int map_rig_unary(struct pare_graph *graph, const struct pare_op *op, const void *attrs, int value);
int map_rig_reshape(struct pare_graph *graph, int value, struct pare_shape shape);

struct pare_channel_map *map_rig_map(struct pare_graph *graph, int output);
void map_rig_release(struct pare_channel_map *map, struct pare_graph *graph);

/* Representatives: along a value's dimension d (-1 where nothing is cut), along dimension 0, along a parameter's axis.
 */
int map_rig_atom(const struct pare_channel_map *map, int value, int d, int64_t index);
int map_rig_channel(const struct pare_channel_map *map, int value, int64_t index);
int map_rig_along(const struct pare_channel_map *map, const char *param, int axis, int64_t index);
/* Why index `index` of dimension 0 is frozen; NULL = it is not. */
const char *map_rig_frozen(const struct pare_channel_map *map, int value, int64_t index);
/* Fails unless index 0 of dimension d is frozen for a reason with this in it; NULL: unless it is not frozen. */
void map_rig_expect_reason(const struct pare_channel_map *map, int value, int d, const char *reason);
int map_rig_count_sets(const struct pare_channel_map *map);

#endif
