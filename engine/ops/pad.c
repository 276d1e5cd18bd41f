/*
 *     y[begin_c + c][begin_h + h][begin_w + w] = x[c][h][w], 0 elsewhere       dx[c][h][w] = dy at the same place
 *
 * {C, H, W}, no parameters. Padding channels is how an option-A shortcut (He et al., CVPR 2016, section 3.3) widens its
 * input; the new channels are atoms of their own, so a cut may take some of them: slim counts what is left on either
 * side.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "engine/ops/planes.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_pad *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	char text[64];

	if (in->rank != 3)
		return pare_error_set(error, PARE_E_INVALID, "input is %s; pad needs channels x height x width",
		                      pare_shape_text(in, text, sizeof(text)));
	*out = *in;
	for (int d = 0; d < 3; d++) {
		if (attrs->begin[d] < 0 || attrs->end[d] < 0)
			return pare_error_set(error, PARE_E_INVALID,
			                      "pads dimension %d by %d,%d; amounts must be at least 0", d,
			                      attrs->begin[d], attrs->end[d]);
		out->dim[d] += (int64_t)attrs->begin[d] + attrs->end[d];
	}
	if (!pare_shape_valid(out))
		return pare_error_set(error, PARE_E_LIMIT, "the padded shape %s is too large",
		                      pare_shape_text(out, text, sizeof(text)));
	return PARE_OK;
}

/* Where row h of the input's plane (numbered as planes are) lies in the output. */
static int64_t output_offset(const struct pare_pad *attrs, const struct pare_tensor *in, const struct pare_tensor *out,
                             int64_t plane, int64_t h)
{
	int64_t block = plane / in->shape.dim[0], channel = plane % in->shape.dim[0] + attrs->begin[0];
	int64_t row = (block * out->shape.dim[0] + channel) * out->shape.dim[1] + attrs->begin[1] + h;
	return (row * out->shape.dim[2] + attrs->begin[2]) * out->lanes;
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_pad *attrs = args->node->attrs;
	const struct pare_tensor *in = &args->in[0], *out = &args->out;
	int64_t floats = pare_plane_floats(out), row = in->shape.dim[2] * in->lanes;
	int64_t block = plane / out->shape.dim[0], channel = plane % out->shape.dim[0] - attrs->begin[0];
	int64_t in_plane = block * in->shape.dim[0] + channel;

	(void)worker;
	memset(out->data + plane * floats, 0, sizeof(float) * (size_t)floats);
	if (channel < 0 || channel >= in->shape.dim[0])
		return;
	for (int64_t h = 0; h < in->shape.dim[1]; h++)
		memcpy(out->data + output_offset(attrs, in, out, in_plane, h),
		       in->data + in_plane * pare_plane_floats(in) + h * row, sizeof(float) * (size_t)row);
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_plane_count(&args->out), forward_plane, (void *)args);
}

static void backward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_tensor *din = &args->din[0], *dout = &args->dout;
	int64_t row = din->shape.dim[2] * din->lanes;

	(void)worker;
	for (int64_t h = 0; h < din->shape.dim[1]; h++)
		pare_activation_backward(NULL, dout->data + output_offset(args->node->attrs, din, dout, plane, h),
		                         din->data + plane * pare_plane_floats(din) + h * row, row,
		                         PARE_ACTIVATION_NONE, args->din_accumulate[0]);
}

static void backward(const struct pare_op_args *args)
{
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_plane_count(&args->din[0]), backward_plane, (void *)args);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_pad *attrs = node->attrs;
	int64_t in = pare_node_input_shape(graph, node, 0)->dim[0], begin = attrs->begin[0], end = attrs->end[0];
	int *atoms = pare_calloc((size_t)(begin + in + end), sizeof(*atoms));
	int status;

	if (!atoms)
		return PARE_E_NOMEM;
	memcpy(atoms + begin, pare_channel_map_value(map, node->inputs[0]), sizeof(*atoms) * (size_t)in);
	status = pare_channel_map_new_atoms(map, begin, atoms);
	if (status == PARE_OK)
		status = pare_channel_map_new_atoms(map, end, atoms + begin + in);
	if (status == PARE_OK)
		status = pare_channel_map_set_value(map, node->output, atoms);
	free(atoms);
	return status;
}

static int32_t count_kept(const struct pare_channel_keep *keep, int64_t begin, int64_t end)
{
	int32_t count = 0;
	for (int64_t i = begin; i < end; i++)
		count += keep->kept[i];
	return count;
}

static void slim(void *attributes, const struct pare_channel_keep *in, int n_inputs,
                 const struct pare_channel_keep *out)
{
	struct pare_pad *attrs = attributes;
	int64_t begin = attrs->begin[0];

	(void)n_inputs;
	attrs->begin[0] = count_kept(out, 0, begin);
	attrs->end[0] = count_kept(out, begin + in[0].channels, out->channels);
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_pad *attrs = node->attrs;
	pare_strbuf_printf(text, "p%d,%d,%d,%d", attrs->begin[1], attrs->begin[2], attrs->end[1], attrs->end[2]);
}

const struct pare_op pare_op_pad = {
        .name = "pad",
        .attrs_bytes = sizeof(struct pare_pad),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .slim = slim,
        .describe = describe,
};
