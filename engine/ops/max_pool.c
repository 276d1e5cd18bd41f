/*
 *     y[c][i][j] = max over the window of x[c][i * stride - pad + u][j * stride - pad + v]
 *     dx at the window's first maximum += dy[c][i][j]
 *
 * Padding is -inf, that is, it is never chosen. A NaN in the window wins, so that it stays visible. Input {C, H, W}, no
 * parameters. Training saves which element of the window won, a uint16 for each output element and lane.
 */
#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/float4.h"
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

/* The pixels under one window, and the number of the first of them within the window (padding counts). */
struct patch {
	const float *x; /* plane */
	int64_t row_floats;
	struct pare_extent rows, columns;
	int32_t first_offset, kernel_w;
};

/* A NaN in v fails v <= best and wins; a NaN in best fails best == best and stays. winner may be NULL. */
static void pool_one_lane(const struct patch *patch, float *y, uint16_t *winner)
{
	float best = patch->x[patch->rows.begin * patch->row_floats + patch->columns.begin];
	int32_t best_offset = patch->first_offset, row_offset = patch->first_offset;

	for (int64_t h = patch->rows.begin; h < patch->rows.end; h++, row_offset += patch->kernel_w)
		for (int64_t w = patch->columns.begin; w < patch->columns.end; w++) {
			float v = patch->x[h * patch->row_floats + w];
			if (best == best && !(v <= best)) {
				best = v;
				best_offset = row_offset + (int32_t)(w - patch->columns.begin);
			}
		}
	*y = best;
	if (winner)
		*winner = (uint16_t)best_offset;
}

static void pool_all_lanes(const struct patch *patch, float *y, uint16_t *winner)
{
	const float *first = patch->x + patch->rows.begin * patch->row_floats + patch->columns.begin * PARE_LANES;

	for (int lane = 0; lane < PARE_LANES; lane += 4) {
		pare_float4 best = pare_float4_load(first + lane);
		pare_int4 best_offset = (pare_int4){0} + patch->first_offset, row_offset = best_offset;
		for (int64_t h = patch->rows.begin; h < patch->rows.end; h++, row_offset += patch->kernel_w) {
			pare_int4 offset = row_offset;
			for (int64_t w = patch->columns.begin; w < patch->columns.end; w++, offset += 1) {
				pare_float4 v =
				        pare_float4_load(patch->x + h * patch->row_floats + w * PARE_LANES + lane);
				pare_int4 better = (best == best) & ~(v <= best);
				best = pare_float4_select(better, v, best);
				best_offset = pare_int4_select(better, offset, best_offset);
			}
		}
		*(pare_float4 *)(y + lane) = best;
		for (int i = 0; winner && i < 4; i++)
			winner[lane + i] = (uint16_t)best_offset[i];
	}
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_pool2d *attrs = args->node->attrs;
	const struct pare_shape *in = &args->in[0].shape, *out = &args->out.shape;
	int64_t out_floats = pare_plane_floats(&args->out), lanes = args->out.lanes;
	float *y = args->out.data + plane * out_floats;
	uint16_t *winners = args->training ? (uint16_t *)args->saved + plane * out_floats : NULL;
	struct patch patch = {.x = args->in[0].data + plane * pare_plane_floats(&args->in[0]),
	                      .row_floats = in->dim[2] * lanes,
	                      .kernel_w = attrs->kernel_w};

	(void)worker;
	for (int64_t i = 0; i < out->dim[1]; i++) {
		int64_t first_row = i * attrs->stride_h - attrs->pad_top;
		patch.rows = pare_pool2d_rows(attrs, i, in->dim[1]);
		for (int64_t j = 0; j < out->dim[2]; j++) {
			int64_t first_column = j * attrs->stride_w - attrs->pad_left,
			        pixel = (i * out->dim[2] + j) * lanes;
			patch.columns = pare_pool2d_columns(attrs, j, in->dim[2]);
			patch.first_offset = (int32_t)((patch.rows.begin - first_row) * attrs->kernel_w +
			                               patch.columns.begin - first_column);
			(lanes == 1 ? pool_one_lane : pool_all_lanes)(&patch, y + pixel,
			                                              winners ? winners + pixel : NULL);
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
        .couple = pare_couple_planes,
        .describe = pare_pool2d_describe,
};
