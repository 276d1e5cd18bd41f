/*
 *     y[c][h][w] = x[start_c + c * step_c][start_h + h * step_h][start_w + w * step_w]       dx there = dy, 0 elsewhere
 *
 * {C, H, W}, no parameters. Every second row and column is how an option-A shortcut (He et al., CVPR 2016, section 3.3)
 * shrinks its input. A run of channels stays a run when some are cut, and slim counts it again; every second channel
 * does not, so channels that are sliced with a step are frozen.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/planes.h"

static int64_t selected(const struct pare_slice *attrs, int d)
{
	return ((int64_t)attrs->stop[d] - attrs->start[d] + attrs->step[d] - 1) / attrs->step[d];
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_slice *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	char text[64];

	if (in->rank != 3)
		return pare_error_set(error, PARE_E_INVALID, "input is %s; slice needs channels x height x width",
		                      pare_shape_text(in, text, sizeof(text)));
	*out = *in;
	for (int d = 0; d < 3; d++) {
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

/* Where element (h, start_w) of the sliced plane (numbered as the small side's planes are) lies on the large side. */
static int64_t large_offset(const struct pare_slice *attrs, const struct pare_tensor *small,
                            const struct pare_tensor *large, int64_t plane, int64_t h)
{
	int64_t block = plane / small->shape.dim[0],
	        channel = attrs->start[0] + plane % small->shape.dim[0] * attrs->step[0];
	int64_t row =
	        (block * large->shape.dim[0] + channel) * large->shape.dim[1] + attrs->start[1] + h * attrs->step[1];
	return (row * large->shape.dim[2] + attrs->start[2]) * large->lanes;
}

/* to[i][lane] = from[i][step][lane]; `lanes` is a constant where this is inlined. */
static inline void gather_row(const float *restrict from, float *restrict to, int64_t count, int64_t step, int lanes)
{
	for (int64_t i = 0; i < count; i++)
		for (int lane = 0; lane < lanes; lane++)
			to[i * lanes + lane] = from[i * step * lanes + lane];
}

static inline void scatter_row(const float *restrict from, float *restrict to, int64_t count, int64_t step, int lanes)
{
	for (int64_t i = 0; i < count; i++)
		for (int lane = 0; lane < lanes; lane++)
			to[i * step * lanes + lane] += from[i * lanes + lane];
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_slice *attrs = args->node->attrs;
	const struct pare_tensor *in = &args->in[0], *out = &args->out;
	int64_t width = out->shape.dim[2];

	(void)worker;
	for (int64_t h = 0; h < out->shape.dim[1]; h++) {
		const float *x = in->data + large_offset(attrs, out, in, plane, h);
		float *y = out->data + (plane * out->shape.dim[1] + h) * width * out->lanes;
		if (attrs->step[2] == 1)
			memcpy(y, x, sizeof(float) * (size_t)(width * out->lanes));
		else if (out->lanes == 1)
			gather_row(x, y, width, attrs->step[2], 1);
		else
			gather_row(x, y, width, attrs->step[2], PARE_LANES);
	}
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_plane_count(&args->out), forward_plane, (void *)args);
}

static void clear_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	int64_t floats = pare_plane_floats(&args->din[0]);

	(void)worker;
	memset(args->din[0].data + plane * floats, 0, sizeof(float) * (size_t)floats);
}

static void backward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_slice *attrs = args->node->attrs;
	const struct pare_tensor *din = &args->din[0], *dout = &args->dout;
	int64_t width = dout->shape.dim[2];

	(void)worker;
	for (int64_t h = 0; h < dout->shape.dim[1]; h++) {
		const float *dy = dout->data + (plane * dout->shape.dim[1] + h) * width * dout->lanes;
		float *dx = din->data + large_offset(attrs, dout, din, plane, h);
		if (dout->lanes == 1)
			scatter_row(dy, dx, width, attrs->step[2], 1);
		else
			scatter_row(dy, dx, width, attrs->step[2], PARE_LANES);
	}
}

static void backward(const struct pare_op_args *args)
{
	if (!args->din[0].data)
		return;
	if (!args->din_accumulate[0])
		pare_pool_for(args->pool, pare_plane_count(&args->din[0]), clear_plane, (void *)args);
	pare_pool_for(args->pool, pare_plane_count(&args->dout), backward_plane, (void *)args);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_slice *attrs = node->attrs;
	const int *in = pare_channel_map_value(map, node->inputs[0]);
	int64_t count = selected(attrs, 0);

	if (attrs->step[0] == 1)
		return pare_channel_map_set_value(map, node->output, in + attrs->start[0]);
	for (int64_t i = 0; i < pare_node_input_shape(graph, node, 0)->dim[0]; i++)
		pare_channel_map_freeze(map, in[i], "its channels are sliced with a step");
	int *atoms = pare_calloc((size_t)count, sizeof(*atoms));
	if (!atoms)
		return PARE_E_NOMEM;
	for (int64_t i = 0; i < count; i++)
		atoms[i] = in[attrs->start[0] + i * attrs->step[0]];
	int status = pare_channel_map_set_value(map, node->output, atoms);
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
	struct pare_slice *attrs = attributes;
	int32_t start = attrs->start[0], stop = attrs->stop[0];

	(void)n_inputs;
	(void)out;
	if (attrs->step[0] != 1)
		return; /* frozen: all channels stay */
	attrs->start[0] = count_kept(in, 0, start);
	attrs->stop[0] = attrs->start[0] + count_kept(in, start, stop);
}

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
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .slim = slim,
        .describe = describe,
};
