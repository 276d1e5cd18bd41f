/*
 *     y[c][i][j] = max over the window of x[c][i * stride - pad + u][j * stride - pad + v]
 *     dx at the window's first maximum += dy[c][i][j]
 *
 * Padding is -inf, that is, it is never chosen. A NaN in the window wins, so that it stays visible. Input {C, H, W}, no
 * parameters. Training saves which element of the window won, a uint16 for each output element and lane.
 */
#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/planes.h"
#include "engine/ops/window.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_pool2d *attrs = node->attrs;
	int status = pare_pool2d_infer_shape(graph, node, out, error);

	if (status == PARE_OK && (int64_t)attrs->kernel_h * attrs->kernel_w > UINT16_MAX)
		status = pare_error_set(error, PARE_E_LIMIT, "kernel is %dx%d; max_pool takes at most %d elements",
		                        attrs->kernel_h, attrs->kernel_w, UINT16_MAX);
	return status;
}

static size_t saved_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes)
{
	struct pare_tensor out = {.shape = *pare_node_output_shape(graph, node), .images = images, .lanes = lanes};
	return sizeof(uint16_t) * (size_t)pare_tensor_size(&out);
}

/* One output pixel, all lanes. `lanes` is a constant where this is inlined. winner may be NULL. */
static inline void pool_window(const struct pare_pool2d *attrs, const float *x, int64_t in_width,
                               struct pare_window rows, struct pare_window columns, int64_t first_row,
                               int64_t first_column, float *y, uint16_t *winner, int lanes)
{
	float best[PARE_LANES];
	int32_t best_offset[PARE_LANES];
	int32_t first = (int32_t)((rows.begin - first_row) * attrs->kernel_w + columns.begin - first_column);

	for (int lane = 0; lane < lanes; lane++) {
		best[lane] = x[(rows.begin * in_width + columns.begin) * lanes + lane];
		best_offset[lane] = first;
	}
	for (int64_t h = rows.begin; h < rows.end; h++)
		for (int64_t w = columns.begin; w < columns.end; w++) {
			const float *pixel = x + (h * in_width + w) * lanes;
			int32_t offset = (int32_t)((h - first_row) * attrs->kernel_w + w - first_column);
			for (int lane = 0; lane < lanes; lane++) {
				float v = pixel[lane];
				/* not (v <= best): also when v is NaN; and once best is NaN it stays */
				int better = (best[lane] == best[lane]) & !(v <= best[lane]);
				best[lane] = better ? v : best[lane];
				best_offset[lane] = better ? offset : best_offset[lane];
			}
		}
	for (int lane = 0; lane < lanes; lane++)
		y[lane] = best[lane];
	for (int lane = 0; winner && lane < lanes; lane++)
		winner[lane] = (uint16_t)best_offset[lane];
}

static inline void pool_plane(const struct pare_op_args *args, int64_t plane, uint16_t *winners, int lanes)
{
	const struct pare_pool2d *attrs = args->node->attrs;
	const struct pare_shape *in = &args->in[0].shape, *out = &args->out.shape;
	const float *x = args->in[0].data + plane * pare_plane_floats(&args->in[0]);
	float *y = args->out.data + plane * pare_plane_floats(&args->out);

	for (int64_t i = 0; i < out->dim[1]; i++) {
		struct pare_window rows = pare_pool2d_rows(attrs, i, in->dim[1]);
		for (int64_t j = 0; j < out->dim[2]; j++) {
			int64_t pixel = (i * out->dim[2] + j) * lanes;
			pool_window(attrs, x, in->dim[2], rows, pare_pool2d_columns(attrs, j, in->dim[2]),
			            i * attrs->stride_h - attrs->pad_top, j * attrs->stride_w - attrs->pad_left,
			            y + pixel, winners ? winners + pixel : NULL, lanes);
		}
	}
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	uint16_t *winners = args->training ? (uint16_t *)args->saved + plane * pare_plane_floats(&args->out) : NULL;

	(void)worker;
	if (args->out.lanes == 1)
		pool_plane(args, plane, winners, 1);
	else
		pool_plane(args, plane, winners, PARE_LANES);
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_plane_count(&args->out), forward_plane, (void *)args);
}

static void backward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_pool2d *attrs = args->node->attrs;
	const struct pare_tensor *din = &args->din[0], *dout = &args->dout;
	int64_t in_floats = pare_plane_floats(din), out_floats = pare_plane_floats(dout), lanes = dout->lanes;
	const uint16_t *winner = (const uint16_t *)args->saved + plane * out_floats;
	const float *dy = dout->data + plane * out_floats;
	float *dx = din->data + plane * in_floats;

	(void)worker;
	if (!args->din_accumulate[0])
		memset(dx, 0, sizeof(float) * (size_t)in_floats);
	for (int64_t i = 0; i < dout->shape.dim[1]; i++)
		for (int64_t j = 0; j < dout->shape.dim[2]; j++) {
			int64_t row = i * attrs->stride_h - attrs->pad_top,
			        column = j * attrs->stride_w - attrs->pad_left;
			for (int64_t lane = 0; lane < lanes; lane++, winner++, dy++) {
				int64_t h = row + *winner / attrs->kernel_w, w = column + *winner % attrs->kernel_w;
				dx[(h * din->shape.dim[2] + w) * lanes + lane] += *dy;
			}
		}
}

static void backward(const struct pare_op_args *args)
{
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_plane_count(&args->dout), backward_plane, (void *)args);
}

const struct pare_op pare_op_max_pool = {
        .name = "max_pool",
        .attrs_bytes = sizeof(struct pare_pool2d),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .saved_bytes = saved_bytes,
        .forward = forward,
        .backward = backward,
        .couple = pare_couple_elementwise,
        .describe = pare_pool2d_describe,
};
