/*
 *     y[i[order[0]]][i[order[1]]]... = x[i[0]][i[1]]...       dx = dy at the same place
 *
 * Dimension d of the output is dimension order[d] of the input. Any rank; no parameters. The lanes of an element stay
 * together, so nothing finer than an element moves.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/strided.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_transpose *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	unsigned seen = 0;

	*out = (struct pare_shape){.rank = in->rank};
	for (int d = 0; d < in->rank; d++) {
		int from = attrs->order[d];
		if (from < 0 || from >= in->rank || (seen >> from & 1))
			return pare_error_set(
			        error, PARE_E_INVALID,
			        "dimension %d is to come from dimension %d; each of 0 to %d is allowed once", d, from,
			        in->rank - 1);
		seen |= 1u << from;
		out->dim[d] = in->dim[from];
	}
	return PARE_OK;
}

static struct pare_box box_of(const struct pare_op_args *args)
{
	const struct pare_transpose *attrs = args->node->attrs;
	const struct pare_shape *out = pare_node_output_shape(args->graph, args->node);
	struct pare_box box = {.rank = out->rank};
	int64_t step[PARE_MAX_RANK];

	pare_box_steps(pare_node_input_shape(args->graph, args->node, 0), step);
	pare_box_steps(out, box.out_step);
	for (int d = 0; d < out->rank; d++) {
		box.size[d] = out->dim[d];
		box.in_step[d] = step[attrs->order[d]];
	}
	return box;
}

static void forward(const struct pare_op_args *args)
{
	struct pare_box box = box_of(args);
	pare_box_forward(args->pool, &box, &args->in[0], &args->out);
}

static void backward(const struct pare_op_args *args)
{
	struct pare_box box = box_of(args);
	if (args->din[0].data)
		pare_box_backward(args->pool, &box, &args->dout, &args->din[0], args->din_accumulate[0]);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_transpose *attrs = node->attrs;
	int status = PARE_OK;

	for (int d = 0; d < pare_node_output_shape(graph, node)->rank && status == PARE_OK; d++)
		status = pare_channel_map_set_value(map, node->output, d,
		                                    pare_channel_map_value(map, node->inputs[0], attrs->order[d]));
	return status;
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_transpose *attrs = node->attrs;

	for (int d = 0; d < PARE_MAX_RANK; d++)
		pare_strbuf_printf(text, d ? ",%d" : "o%d", attrs->order[d]);
}

const struct pare_op pare_op_transpose = {
        .name = "transpose",
        .attrs_bytes = sizeof(struct pare_transpose),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
