/*
 *     {C, H, W} -> {C * H * W}
 *
 * A view: with lanes innermost, the elements of one image already lie in this order. Any rank; no attributes, no
 * parameters. A channel's atom is repeated over its pixels.
 */
#include "engine/ops/reshape.h"

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
	const struct pare_reshape all = {.decided = 1, .in_starts = 1, .out_starts = 1, .carriers = 1};
	return pare_couple_reshape(map, graph, node, &all);
}

const struct pare_op pare_op_flatten = {
        .name = "flatten",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_VIEW,
        .infer_shape = infer_shape,
        .couple = couple,
};
