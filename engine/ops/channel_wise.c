#include "engine/ops/channel_wise.h"

int pare_channel_wise_infer(const struct pare_graph *graph, const struct pare_node *node, int axis,
                            struct pare_shape *out, struct pare_error *error)
{
	char text[64];

	*out = *pare_node_input_shape(graph, node, 0);
	if (axis < 0 || axis >= out->rank)
		return pare_error_set(error, PARE_E_INVALID, "along dimension %d; allowed are 0 to %d", axis,
		                      out->rank - 1);
	for (int i = 0; i < node->n_params; i++) {
		const struct pare_shape expected = pare_shape_vector(out->dim[axis]);
		if (!pare_shape_equal(pare_node_param_shape(graph, node, i), &expected))
			return pare_error_set(
			        error, PARE_E_INVALID, "parameter %d has shape %s; dimension %d has %lld indices", i,
			        pare_shape_text(pare_node_param_shape(graph, node, i), text, sizeof(text)), axis,
			        (long long)out->dim[axis]);
	}
	return PARE_OK;
}

int pare_channel_wise_couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                             int axis)
{
	int status = pare_couple_elementwise(map, graph, node);

	for (int i = 0; i < node->n_params && status == PARE_OK; i++)
		status = pare_channel_map_set_axis(map, node->params[i], 0,
		                                   pare_channel_map_value(map, node->inputs[0], axis));
	return status;
}
