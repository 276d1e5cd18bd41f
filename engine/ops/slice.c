/*
 *     y[i][j]... = x[start[0] + i * step[0]][start[1] + j * step[1]]...       dx there = dy, 0 elsewhere
 *
 * Any rank, no parameters. Every second row and column is how an option-A shortcut (He et al., CVPR 2016, section 3.3)
 * shrinks its input; a run of channels is one part of a split. A run of channels stays a run when some are cut, and
 * slim counts it again; every second channel does not, so channels that are sliced with a step are frozen.
 */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/strided.h"

static int64_t selected(const struct pare_slice *attrs, int d)
{
	return ((int64_t)attrs->stop[d] - attrs->start[d] + attrs->step[d] - 1) / attrs->step[d];
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_slice *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);

	*out = *in;
	for (int d = 0; d < in->rank; d++) {
		if (attrs->start[d] < 0 || attrs->start[d] >= attrs->stop[d] || attrs->stop[d] > in->dim[d] ||
		    attrs->step[d] < 1)
			return pare_error_set(
			        error, PARE_E_INVALID,
			        "dimension %d: start %d, stop %d, step %d; 0 <= start < stop <= %lld and step >= 1 "
			        "are allowed",
			        d, attrs->start[d], attrs->stop[d], attrs->step[d], (long long)in->dim[d]);
		out->dim[d] = selected(attrs, d);
	}
	return PARE_OK;
}

static struct pare_box box_of(const struct pare_op_args *args)
{
	const struct pare_slice *attrs = args->node->attrs;
	const struct pare_shape *out = pare_node_output_shape(args->graph, args->node);
	struct pare_box box = {.rank = out->rank};

	pare_box_steps(pare_node_input_shape(args->graph, args->node, 0), box.in_step);
	pare_box_steps(out, box.out_step);
	for (int d = 0; d < out->rank; d++) {
		box.size[d] = out->dim[d];
		box.in_start += attrs->start[d] * box.in_step[d];
		box.in_step[d] *= attrs->step[d];
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

	if (!args->din[0].data)
		return;
	if (!args->din_accumulate[0])
		pare_tensor_clear(args->pool, &args->din[0]);
	pare_box_backward(args->pool, &box, &args->dout, &args->din[0], true);
}

static int couple_dimension(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                            int d)
{
	const struct pare_slice *attrs = node->attrs;
	const int *in = pare_channel_map_value(map, node->inputs[0], d);
	int64_t count = pare_node_output_shape(graph, node)->dim[d];

	if (!in || attrs->step[d] == 1)
		return pare_channel_map_set_value(map, node->output, d, in ? in + attrs->start[d] : NULL);
	pare_channel_map_freeze_dim(map, node->inputs[0], d, "its channels are sliced with a step");
	int *atoms = pare_calloc((size_t)count, sizeof(*atoms));
	if (!atoms)
		return PARE_E_NOMEM;
	for (int64_t i = 0; i < count; i++)
		atoms[i] = in[attrs->start[d] + i * attrs->step[d]];
	int status = pare_channel_map_set_value(map, node->output, d, atoms);
	free(atoms);
	return status;
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	int status = PARE_OK;

	for (int d = 0; d < pare_node_output_shape(graph, node)->rank && status == PARE_OK; d++)
		status = couple_dimension(map, graph, node, d);
	return status;
}

static void slim(void *attributes, const struct pare_channel_keep *in, int n_inputs,
                 const struct pare_channel_keep *out)
{
	struct pare_slice *attrs = attributes;

	(void)n_inputs;
	for (int d = 0; d < out->rank; d++) {
		int32_t start = attrs->start[d], stop = attrs->stop[d];
		if (attrs->step[d] != 1)
			continue; /* frozen: all of them stay */
		attrs->start[d] = pare_dim_keep_count(&in[0].dim[d], 0, start);
		attrs->stop[d] = attrs->start[d] + pare_dim_keep_count(&in[0].dim[d], start, stop);
	}
}

/* Dimension 0 holds the channels nearly always; its amounts are counts. */
static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_slice *attrs = node->attrs;
	pare_strbuf_printf(text, "h%d:%d:%d w%d:%d:%d", attrs->start[1], attrs->stop[1], attrs->step[1],
	                   attrs->start[2], attrs->stop[2], attrs->step[2]);
}

const struct pare_op pare_op_slice = {
        .name = "slice",
        .attrs_bytes = sizeof(struct pare_slice),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES | PARE_OP_SELECTS,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .slim = slim,
        .describe = describe,
};
