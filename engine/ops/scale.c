/*
 * One number for each index c of dimension `axis` (ConvNeXt's layer scale, Touvron et al., ICCV 2021):
 *
 *     y_c = scale_c * x_c (+ shift_c)       dx_c = scale_c * dy_c       dscale_c = sum of dy_c x_c       dshift_c = sum of dy_c
 *
 * the sums over all images and all other dimensions. Any shape; parameters: scale, shift (optional), each [dim[axis]].
 */
#include "engine/ops/builders.h"
#include "engine/ops/channel_wise.h"
#include "engine/ops/lane_sum.h"
#include "engine/ops/lines.h"

static int axis_of(const struct pare_node *node)
{
	const struct pare_scale *attrs = node->attrs;
	return attrs->axis;
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	return pare_channel_wise_infer(graph, node, axis_of(node), out, error);
}

struct work {
	const struct pare_op_args *args;
	struct pare_lines lines;
};

/* One (block, outer). */
static void forward_row(void *context, int64_t row, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	const int64_t inner = work->lines.inner;
	const float *restrict x = args->in[0].data + row * work->lines.size * inner;
	float *restrict y = args->out.data + row * work->lines.size * inner;

	(void)worker;
	for (int64_t c = 0; c < work->lines.size; c++, x += inner, y += inner) {
		float scale = args->param[0][c], shift = args->node->n_params > 1 ? args->param[1][c] : 0.0f;
		for (int64_t i = 0; i < inner; i++)
			y[i] = scale * x[i] + shift;
	}
}

static void forward(const struct pare_op_args *args)
{
	struct work work = {args, pare_lines_make(&args->out, axis_of(args->node), axis_of(args->node))};
	pare_pool_for(args->pool, work.lines.blocks * work.lines.outer, forward_row, &work);
}

static void input_gradient_row(void *context, int64_t row, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	const int64_t inner = work->lines.inner;
	const float *restrict dy = args->dout.data + row * work->lines.size * inner;
	float *restrict dx = args->din[0].data + row * work->lines.size * inner;
	const bool accumulate = args->din_accumulate[0];

	(void)worker;
	for (int64_t c = 0; c < work->lines.size; c++, dy += inner, dx += inner)
		for (int64_t i = 0; i < inner; i++)
			dx[i] = accumulate ? dx[i] + args->param[0][c] * dy[i] : args->param[0][c] * dy[i];
}

/* The gradients of one index's parameters, in the order of memory. Lanes without an image have no gradient. */
static void parameter_gradient(void *context, int64_t c, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	const int64_t inner = work->lines.inner;
	double scale = 0.0, shift = 0.0;

	(void)worker;
	for (int64_t row = 0; row < work->lines.blocks * work->lines.outer; row++) {
		int64_t at = (row * work->lines.size + c) * inner;
		const float *x = args->in[0].data + at, *dy = args->dout.data + at;
		for (int64_t i = 0; i < inner; i++) {
			scale += (double)(dy[i] * x[i]);
			shift += (double)dy[i];
		}
	}
	if (args->dparam[0])
		args->dparam[0][c] += (float)scale;
	if (args->node->n_params > 1 && args->dparam[1])
		args->dparam[1][c] += (float)shift;
}

static void backward(const struct pare_op_args *args)
{
	struct work work = {args, pare_lines_make(&args->dout, axis_of(args->node), axis_of(args->node))};

	if (args->dparam[0] || (args->node->n_params > 1 && args->dparam[1]))
		pare_pool_for(args->pool, work.lines.size, parameter_gradient, &work);
	if (args->din[0].data)
		pare_pool_for(args->pool, work.lines.blocks * work.lines.outer, input_gradient_row, &work);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	return pare_channel_wise_couple(map, graph, node, axis_of(node));
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	pare_strbuf_printf(text, "a%d", axis_of(node));
}

const struct pare_op pare_op_scale = {
        .name = "scale",
        .attrs_bytes = sizeof(struct pare_scale),
        .min_inputs = 1,
        .max_inputs = 1,
        .min_params = 1,
        .max_params = 2,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
