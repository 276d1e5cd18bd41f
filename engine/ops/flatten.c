/*
 *     {C, H, W} -> {C * H * W}
 *
 * A view: with lanes innermost, the elements of one image already lie in this order. No attributes, no parameters.
 */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	int64_t features = pare_shape_elements(pare_node_input_shape(graph, node, 0));

	if (features > PARE_MAX_DIMENSION)
		return pare_error_set(error, PARE_E_LIMIT, "%lld features; one dimension holds at most %d",
		                      (long long)features, PARE_MAX_DIMENSION);
	*out = pare_shape_vector(features);
	return PARE_OK;
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	const int *channels = pare_channel_map_value(map, node->inputs[0]);
	int64_t plane = pare_shape_plane(in), features = in->dim[0] * plane;
	int *atoms = pare_calloc((size_t)features, sizeof(*atoms));
	int status;

	if (!atoms)
		return PARE_E_NOMEM;
	for (int64_t i = 0; i < features; i++)
		atoms[i] = channels[i / plane];
	status = pare_channel_map_set_value(map, node->output, atoms);
	free(atoms);
	return status;
}

const struct pare_op pare_op_flatten = {
        .name = "flatten",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_VIEW,
        .infer_shape = infer_shape,
        .couple = couple,
};
