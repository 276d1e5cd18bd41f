/*
 * Batch normalisation (Ioffe and Szegedy, ICML 2015), per channel over all images and pixels:
 *
 *     y = activation(scale * (x - mean) * r + shift)          r = 1 / sqrt(variance + epsilon)
 *
 * In training mean and variance (biased) are the batch's, and
 *     running = (1 - momentum) * running + momentum * batch   (the variance unbiased, as PyTorch does; one value: as it
 * is) is updated in place. Else they are the running ones. Backward, with g = dy * activation'(y), n values a channel:
 *
 *     dshift = sum g       dscale = r * sum g * (x - mean)
 *     dx = scale * r * (g - sum g / n - (x - mean) * r^2 * sum(g * (x - mean)) / n)
 *
 * Input {C, H, W} or {C}; parameters scale, shift, running mean, running variance, each [C]. Fuses ReLU and ReLU6.
 * Lanes without an image take no part: they do not enter the sums and their dx is 0.
 *
 * One item of work is one channel, statistics first, then the write: its planes of the whole batch are still in cache
 * then.
 */
#include <math.h>
#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "engine/ops/lane_sum.h"
#include "engine/ops/planes.h"

enum { SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE, N_PARAMS };

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_batch_norm *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	struct pare_shape expected = pare_shape_vector(in->dim[0]);
	char text[64];

	if (!(attrs->epsilon > 0.0f) || !isfinite(attrs->epsilon))
		return pare_error_set(error, PARE_E_INVALID, "epsilon is %g; it must be above 0",
		                      (double)attrs->epsilon);
	if (!(attrs->momentum >= 0.0f && attrs->momentum <= 1.0f))
		return pare_error_set(error, PARE_E_INVALID, "momentum is %g; it must be in [0, 1]",
		                      (double)attrs->momentum);
	for (int i = 0; i < N_PARAMS; i++)
		if (!pare_shape_equal(pare_node_param_shape(graph, node, i), &expected))
			return pare_error_set(
			        error, PARE_E_INVALID, "parameter %d has shape %s; the input has %lld channels", i,
			        pare_shape_text(pare_node_param_shape(graph, node, i), text, sizeof(text)),
			        (long long)in->dim[0]);
	*out = *in;
	return PARE_OK;
}

/* Batch mean [C], then r [C]. */
static size_t saved_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes)
{
	(void)images;
	(void)lanes;
	return 2 * sizeof(float) * (size_t)pare_node_input_shape(graph, node, 0)->dim[0];
}

/* What turns one channel's x into y before the activation: (x - mean) * factor + shift. Forward and backward use the
 * same expression, so backward finds the activation's mask again without reading the output. */
struct affine {
	float mean, factor, shift;
};

static inline float affine_apply(struct affine affine, float x)
{
	return (x - affine.mean) * affine.factor + affine.shift;
}

/* Sums over a chunk around a shift k: sum (x - k), sum (x - k)^2, per lane. */
static void chunk_moments(const float *x, int64_t count, float k, double sum[PARE_LANES], double square[PARE_LANES])
{
	pare_float4 s[PARE_LANE_QUADS] = {0}, q[PARE_LANE_QUADS] = {0};
	int64_t i = 0;

	for (; i + PARE_LANES <= count; i += PARE_LANES)
		for (int quad = 0; quad < PARE_LANE_QUADS; quad++) {
			pare_float4 d = pare_float4_load(x + i + 4 * quad) - k;
			s[quad] += d;
			q[quad] += d * d;
		}
	for (int lane = 0; i + lane < count; lane++) {
		float d = x[i + lane] - k;
		s[lane / 4][lane % 4] += d;
		q[lane / 4][lane % 4] += d * d;
	}
	for (int lane = 0; lane < PARE_LANES; lane++) {
		sum[lane] += (double)s[lane / 4][lane % 4];
		square[lane] += (double)q[lane / 4][lane % 4];
	}
}

/* The mean of the channel's first chunk: near enough to the channel's mean that sums around it do not cancel. */
static float first_mean(const struct pare_tensor *x, const float *plane, int64_t floats)
{
	double sum[PARE_LANES] = {0};
	int64_t count = floats < PARE_LANE_SUM_CHUNK ? floats : PARE_LANE_SUM_CHUNK;
	int used = pare_block_lanes_used(x, 0);

	pare_lane_sum(plane, count, sum);
	return (float)(pare_lane_total(sum, x->lanes, used) * x->lanes / ((double)count * used));
}

/* Mean and biased variance of one channel in one pass over memory, by sums of shifted values (Chan, Golub and LeVeque,
 * The American Statistician 37(3), 1983). */
static void channel_statistics(const struct pare_tensor *x, int64_t channel, double *mean, double *variance)
{
	int64_t floats = pare_plane_floats(x), block_size = pare_tensor_block_size(x);
	const float *planes = x->data + channel * floats;
	float k = first_mean(x, planes, floats);
	double n = (double)x->images * (double)pare_shape_plane(&x->shape);
	double total = 0.0, total_square = 0.0;

	for (int64_t block = 0; block < pare_tensor_blocks(x); block++) {
		double sum[PARE_LANES] = {0}, square[PARE_LANES] = {0};
		int used = pare_block_lanes_used(x, block);
		for (int64_t i = 0; i < floats; i += PARE_LANE_SUM_CHUNK) {
			int64_t left = floats - i;
			chunk_moments(planes + block * block_size + i,
			              left < PARE_LANE_SUM_CHUNK ? left : PARE_LANE_SUM_CHUNK, k, sum, square);
		}
		total += pare_lane_total(sum, x->lanes, used);
		total_square += pare_lane_total(square, x->lanes, used);
	}
	*mean = (double)k + total / n;
	*variance = (total_square - total * total / n) / n;
	if (*variance < 0.0) /* rounding; a NaN stays */
		*variance = 0.0;
}

static void update_running(const struct pare_op_args *args, int64_t channel, double mean, double variance)
{
	const struct pare_batch_norm *attrs = args->node->attrs;
	double n = (double)args->in[0].images * (double)pare_shape_plane(&args->in[0].shape);
	double momentum = (double)attrs->momentum, unbiased = n > 1.0 ? variance * n / (n - 1.0) : variance;
	float *running_mean = &args->param[RUNNING_MEAN][channel];
	float *running_variance = &args->param[RUNNING_VARIANCE][channel];

	*running_mean = (float)((1.0 - momentum) * (double)*running_mean + momentum * mean);
	*running_variance = (float)((1.0 - momentum) * (double)*running_variance + momentum * unbiased);
}

static inline void normalise_loop(const float *restrict x, float *restrict y, int64_t count, struct affine affine,
                                  enum pare_activation activation)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = pare_activate(affine_apply(affine, x[i]), activation);
}

static void normalise(const float *x, float *y, int64_t count, struct affine affine, enum pare_activation activation)
{
	switch (activation) {
	case PARE_ACTIVATION_NONE:
		normalise_loop(x, y, count, affine, PARE_ACTIVATION_NONE);
		break;
	case PARE_ACTIVATION_RELU:
		normalise_loop(x, y, count, affine, PARE_ACTIVATION_RELU);
		break;
	case PARE_ACTIVATION_RELU6:
		normalise_loop(x, y, count, affine, PARE_ACTIVATION_RELU6);
		break;
	}
}

static void forward_channel(void *context, int64_t channel, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_batch_norm *attrs = args->node->attrs;
	const struct pare_tensor *x = &args->in[0];
	int64_t floats = pare_plane_floats(x), block_size = pare_tensor_block_size(x);
	double mean = (double)args->param[RUNNING_MEAN][channel];
	double variance = (double)args->param[RUNNING_VARIANCE][channel];

	(void)worker;
	if (args->training) {
		channel_statistics(x, channel, &mean, &variance);
		update_running(args, channel, mean, variance);
	}
	float r = (float)(1.0 / sqrt(variance + (double)attrs->epsilon));
	if (args->training) {
		float *saved = args->saved;
		saved[channel] = (float)mean;
		saved[x->shape.dim[0] + channel] = r;
	}
	struct affine affine = {(float)mean, args->param[SCALE][channel] * r, args->param[SHIFT][channel]};
	for (int64_t block = 0; block < pare_tensor_blocks(x); block++) {
		int64_t offset = block * block_size + channel * floats;
		normalise(x->data + offset, args->out.data + offset, floats, affine, args->activation);
	}
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, args->in[0].shape.dim[0], forward_channel, (void *)args);
}

/* pare_activation_gradient for four values. */
static inline pare_float4 mask_gradient(pare_float4 y, pare_float4 dy, enum pare_activation activation)
{
	if (activation != PARE_ACTIVATION_NONE)
		dy = (pare_float4)((pare_int4)dy & (y > 0.0f));
	if (activation == PARE_ACTIVATION_RELU6)
		dy = (pare_float4)((pare_int4)dy & (y < 6.0f));
	return dy;
}

/* sum g and sum g * (x - mean), per lane, over at most a chunk. */
static inline void chunk_gradient_sums(const float *x, const float *dy, int64_t count, struct affine affine,
                                       enum pare_activation activation, double sum[PARE_LANES],
                                       double product[PARE_LANES])
{
	pare_float4 s[PARE_LANE_QUADS] = {0}, p[PARE_LANE_QUADS] = {0};
	int64_t i = 0;

	for (; i + PARE_LANES <= count; i += PARE_LANES)
		for (int quad = 0; quad < PARE_LANE_QUADS; quad++) {
			pare_float4 d = pare_float4_load(x + i + 4 * quad) - affine.mean;
			pare_float4 g = mask_gradient(d * affine.factor + affine.shift,
			                              pare_float4_load(dy + i + 4 * quad), activation);
			s[quad] += g;
			p[quad] += g * d;
		}
	for (int lane = 0; i + lane < count; lane++) {
		float d = x[i + lane] - affine.mean;
		float g = pare_activation_gradient(affine_apply(affine, x[i + lane]), dy[i + lane], activation);
		s[lane / 4][lane % 4] += g;
		p[lane / 4][lane % 4] += g * d;
	}
	for (int lane = 0; lane < PARE_LANES; lane++) {
		sum[lane] += (double)s[lane / 4][lane % 4];
		product[lane] += (double)p[lane / 4][lane % 4];
	}
}

static void plane_gradient_sums(const float *x, const float *dy, int64_t count, struct affine affine,
                                enum pare_activation activation, double *sum, double *product)
{
	for (int64_t i = 0; i < count; i += PARE_LANE_SUM_CHUNK) {
		int64_t n = count - i < PARE_LANE_SUM_CHUNK ? count - i : PARE_LANE_SUM_CHUNK;
		switch (activation) {
		case PARE_ACTIVATION_NONE:
			chunk_gradient_sums(x + i, dy + i, n, affine, PARE_ACTIVATION_NONE, sum, product);
			break;
		case PARE_ACTIVATION_RELU:
			chunk_gradient_sums(x + i, dy + i, n, affine, PARE_ACTIVATION_RELU, sum, product);
			break;
		case PARE_ACTIVATION_RELU6:
			chunk_gradient_sums(x + i, dy + i, n, affine, PARE_ACTIVATION_RELU6, sum, product);
			break;
		}
	}
}

/* dx = by_g * g + by_x * (x - mean) + constant */
struct input_gradient {
	float by_g, by_x, constant;
};

static inline void input_gradient_loop(const float *restrict x, const float *restrict dy, float *restrict dx,
                                       int64_t count, struct affine affine, struct input_gradient by,
                                       enum pare_activation activation, bool accumulate)
{
	for (int64_t i = 0; i < count; i++) {
		float g = pare_activation_gradient(affine_apply(affine, x[i]), dy[i], activation);
		float d = by.by_g * g + by.by_x * (x[i] - affine.mean) + by.constant;
		dx[i] = accumulate ? dx[i] + d : d;
	}
}

static void plane_input_gradient(const float *x, const float *dy, float *dx, int64_t count, struct affine affine,
                                 struct input_gradient by, enum pare_activation activation, bool accumulate)
{
	switch (activation) {
	case PARE_ACTIVATION_NONE:
		accumulate ? input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_NONE, true)
		           : input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_NONE, false);
		break;
	case PARE_ACTIVATION_RELU:
		accumulate ? input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_RELU, true)
		           : input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_RELU, false);
		break;
	case PARE_ACTIVATION_RELU6:
		accumulate ? input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_RELU6, true)
		           : input_gradient_loop(x, dy, dx, count, affine, by, PARE_ACTIVATION_RELU6, false);
		break;
	}
}

/* The formula gives lanes without an image a gradient too; every other source of theirs is 0, so 0 is right for
 * accumulation as well. */
static void clear_unused_lanes(float *plane, int64_t floats, int lanes, int used)
{
	for (int64_t i = 0; used < lanes && i < floats; i += lanes)
		memset(plane + i + used, 0, sizeof(float) * (size_t)(lanes - used));
}

static void backward_channel(void *context, int64_t channel, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_tensor *x = &args->in[0];
	const float *saved = args->saved;
	int64_t floats = pare_plane_floats(x), block_size = pare_tensor_block_size(x);
	float r = saved[x->shape.dim[0] + channel];
	struct affine affine = {saved[channel], args->param[SCALE][channel] * r, args->param[SHIFT][channel]};
	double n = (double)x->images * (double)pare_shape_plane(&x->shape);
	double total = 0.0, total_product = 0.0;

	(void)worker;
	for (int64_t block = 0; block < pare_tensor_blocks(x); block++) {
		int64_t offset = block * block_size + channel * floats;
		double sum[PARE_LANES] = {0}, product[PARE_LANES] = {0};
		int used = pare_block_lanes_used(x, block);
		plane_gradient_sums(x->data + offset, args->dout.data + offset, floats, affine, args->activation, sum,
		                    product);
		total += pare_lane_total(sum, x->lanes, used);
		total_product += pare_lane_total(product, x->lanes, used);
	}
	if (args->dparam[SHIFT])
		args->dparam[SHIFT][channel] += (float)total;
	if (args->dparam[SCALE])
		args->dparam[SCALE][channel] += (float)(total_product * (double)r);
	if (!args->din[0].data)
		return;

	double factor = (double)affine.factor, r2 = (double)r * (double)r;
	struct input_gradient by = {affine.factor, (float)(-factor * r2 * total_product / n),
	                            (float)(-factor * total / n)};
	for (int64_t block = 0; block < pare_tensor_blocks(x); block++) {
		int64_t offset = block * block_size + channel * floats;
		float *dx = args->din[0].data + offset;
		plane_input_gradient(x->data + offset, args->dout.data + offset, dx, floats, affine, by,
		                     args->activation, args->din_accumulate[0]);
		clear_unused_lanes(dx, floats, x->lanes, pare_block_lanes_used(x, block));
	}
}

static void backward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, args->in[0].shape.dim[0], backward_channel, (void *)args);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	int status = pare_couple_elementwise(map, graph, node);
	for (int i = 0; i < N_PARAMS && status == PARE_OK; i++)
		status = pare_channel_map_set_axis(map, node->params[i], 0,
		                                   pare_channel_map_value(map, node->inputs[0], 0));
	return status;
}

const struct pare_op pare_op_batch_norm = {
        .name = "batch_norm",
        .attrs_bytes = sizeof(struct pare_batch_norm),
        .min_inputs = 1,
        .max_inputs = 1,
        .min_params = N_PARAMS,
        .max_params = N_PARAMS,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_FUSES_ACTIVATION | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .saved_bytes = saved_bytes,
        .forward = forward,
        .backward = backward,
        .couple = couple,
};
