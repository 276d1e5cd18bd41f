/*
 * What scale and layer norm share: a tensor seen as [blocks][outer][size][inner floats] (lines.h) with one parameter
 * for each of the `size` indices (private to engine/ops).
 */
#ifndef PARE_ENGINE_OPS_CHANNEL_WISE_H
#define PARE_ENGINE_OPS_CHANNEL_WISE_H

#include "engine/graph/channel_map.h"

/* Every parameter of the node must be a vector as long as dimension `axis` of the input; *out = the input's shape. */
int pare_channel_wise_infer(const struct pare_graph *graph, const struct pare_node *node, int axis,
                            struct pare_shape *out, struct pare_error *error);
/* Element-wise, and the parameters' axis 0 has the atoms of dimension `axis`. */
int pare_channel_wise_couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                             int axis);

#endif
