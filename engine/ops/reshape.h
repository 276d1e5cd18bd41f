/*
 * How channels pass through a reshape (private to engine/ops; the rules stand in reshape.c).
 */
#ifndef PARE_ENGINE_OPS_RESHAPE_H
#define PARE_ENGINE_OPS_RESHAPE_H

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"

/* couple for a node whose output has the input's elements in the same order. */
int pare_couple_reshape(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                        const struct pare_reshape *attrs);

#endif
