/*
 *     y[c][i][j] = sum over the window of x[c][i * stride - pad + u][j * stride - pad + v] / size
 *     dx under the window += dy[c][i][j] / size
 *
 * size: with count_include_pad the window's pixels inside the padded image (a window that ceil_mode lets hang over the
 * end padding counts less), else those inside the image. Input {C, H, W}, no parameters. Backward needs dy only.
 */
#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/planes.h"
#include "engine/ops/window.h"

static float window_size(const struct pare_pool2d *attrs, struct pare_extent rows, struct pare_extent columns)
{
	if (attrs->count_include_pad)
		return (float)(rows.padded * columns.padded);
	return (float)((rows.end - rows.begin) * (columns.end - columns.begin));
}

/* One output pixel, all lanes; `lanes` is a constant where this is inlined. */
static inline void average_window(const float *x, int64_t in_width, struct pare_extent rows, struct pare_extent columns,
                                  float size, float *y, int lanes)
{
	float sum[PARE_LANES] = {0};

	for (int64_t h = rows.begin; h < rows.end; h++)
		for (int64_t w = columns.begin; w < columns.end; w++)
			for (int lane = 0; lane < lanes; lane++)
				sum[lane] += x[(h * in_width + w) * lanes + lane];
	for (int lane = 0; lane < lanes; lane++)
		y[lane] = sum[lane] / size;
}

static inline void spread_window(float *dx, int64_t in_width, struct pare_extent rows, struct pare_extent columns,
                                 float size, const float *dy, int lanes)
{
	float share[PARE_LANES];

	for (int lane = 0; lane < lanes; lane++)
		share[lane] = dy[lane] / size;
	for (int64_t h = rows.begin; h < rows.end; h++)
		for (int64_t w = columns.begin; w < columns.end; w++)
			for (int lane = 0; lane < lanes; lane++)
				dx[(h * in_width + w) * lanes + lane] += share[lane];
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_pool2d *attrs = args->node->attrs;
	const struct pare_shape *in = &args->in[0].shape, *out = &args->out.shape;
	const float *x = args->in[0].data + plane * pare_plane_floats(&args->in[0]);
	float *y = args->out.data + plane * pare_plane_floats(&args->out);

	(void)worker;
	for (int64_t i = 0; i < out->dim[1]; i++) {
		struct pare_extent rows = pare_pool2d_rows(attrs, i, in->dim[1]);
		for (int64_t j = 0; j < out->dim[2]; j++) {
			struct pare_extent columns = pare_pool2d_columns(attrs, j, in->dim[2]);
			float size = window_size(attrs, rows, columns);
			if (args->out.lanes == 1)
				average_window(x, in->dim[2], rows, columns, size, y, 1);
			else
				average_window(x, in->dim[2], rows, columns, size, y, PARE_LANES);
			y += args->out.lanes;
		}
	}
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_plane_count(&args->out), forward_plane, (void *)args);
}

static void backward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_pool2d *attrs = args->node->attrs;
	const struct pare_shape *in = &args->din[0].shape, *out = &args->dout.shape;
	int64_t in_floats = pare_plane_floats(&args->din[0]);
	const float *dy = args->dout.data + plane * pare_plane_floats(&args->dout);
	float *dx = args->din[0].data + plane * in_floats;

	(void)worker;
	if (!args->din_accumulate[0])
		memset(dx, 0, sizeof(float) * (size_t)in_floats);
	for (int64_t i = 0; i < out->dim[1]; i++) {
		struct pare_extent rows = pare_pool2d_rows(attrs, i, in->dim[1]);
		for (int64_t j = 0; j < out->dim[2]; j++) {
			struct pare_extent columns = pare_pool2d_columns(attrs, j, in->dim[2]);
			float size = window_size(attrs, rows, columns);
			if (args->dout.lanes == 1)
				spread_window(dx, in->dim[2], rows, columns, size, dy, 1);
			else
				spread_window(dx, in->dim[2], rows, columns, size, dy, PARE_LANES);
			dy += args->dout.lanes;
		}
	}
}

static void backward(const struct pare_op_args *args)
{
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_plane_count(&args->dout), backward_plane, (void *)args);
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_pool2d *attrs = node->attrs;

	pare_pool2d_describe(node, text);
	if (attrs->count_include_pad)
		pare_strbuf_add(text, " include_pad");
}

const struct pare_op pare_op_average_pool = {
        .name = "average_pool",
        .attrs_bytes = sizeof(struct pare_pool2d),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = pare_pool2d_infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = pare_couple_planes,
        .describe = describe,
};
