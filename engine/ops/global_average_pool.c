/*
 *     y[c] = sum over all pixels of x[c] / (height * width)       dx[c] everywhere = dy[c] / (height * width)
 *
 * {C, H, W} -> {C, 1, 1}. No attributes, no parameters. Backward needs dy only.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/lane_sum.h"
#include "engine/ops/planes.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	char text[64];

	if (in->rank != 3)
		return pare_error_set(error, PARE_E_INVALID, "input is %s; pooling needs channels x height x width",
		                      pare_shape_text(in, text, sizeof(text)));
	*out = pare_shape_chw(in->dim[0], 1, 1);
	return PARE_OK;
}

static void forward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	int64_t floats = pare_plane_floats(&args->in[0]);
	int lanes = args->out.lanes;
	double pixels = (double)pare_shape_plane(&args->in[0].shape), sum[PARE_LANES] = {0};
	float *y = args->out.data + plane * lanes;

	(void)worker;
	pare_lane_sum(args->in[0].data + plane * floats, floats, sum);
	if (lanes == 1)
		sum[0] = pare_lane_total(sum, lanes, lanes);
	for (int lane = 0; lane < lanes; lane++)
		y[lane] = (float)(sum[lane] / pixels);
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_plane_count(&args->out), forward_plane, (void *)args);
}

static void backward_plane(void *context, int64_t plane, int worker)
{
	const struct pare_op_args *args = context;
	int64_t pixels = pare_shape_plane(&args->din[0].shape), floats = pare_plane_floats(&args->din[0]);
	int lanes = args->dout.lanes;
	const float *dy = args->dout.data + plane * lanes;
	float *restrict dx = args->din[0].data + plane * floats;
	bool accumulate = args->din_accumulate[0];
	float share[PARE_LANES];

	(void)worker;
	for (int lane = 0; lane < PARE_LANES; lane++) /* 1-lane planes: the same value in all, pixel by pixel */
		share[lane] = dy[lanes == 1 ? 0 : lane] / (float)pixels;
	for (int64_t i = 0; i < floats; i += PARE_LANES) {
		int64_t count = floats - i < PARE_LANES ? floats - i : PARE_LANES;
		for (int64_t lane = 0; lane < count; lane++)
			dx[i + lane] = accumulate ? dx[i + lane] + share[lane] : share[lane];
	}
}

static void backward(const struct pare_op_args *args)
{
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_plane_count(&args->dout), backward_plane, (void *)args);
}

const struct pare_op pare_op_global_average_pool = {
        .name = "global_average_pool",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = pare_couple_planes,
};
