/*
 * Layer normalisation (Ba et al. 2016) over dimension `axis`, for each image and each index of the other dimensions:
 *
 *     y_c = scale_c * n_c + shift_c       n_c = (x_c - mean) * r       r = 1 / sqrt(variance + epsilon)
 *
 * mean and (biased) variance over the indices c. Backward, with g_c = dy_c * scale_c and means over c:
 *
 *     dx_c = r (g_c - mean g - n_c mean(g n))       dscale_c = sum of dy_c n_c       dshift_c = sum of dy_c
 *
 * the sums over all images and all other dimensions. Any shape; parameters: scale, shift, each [dim[axis]].
 *
 * Channels along the axis are frozen: without some of them mean and variance are others, in a slim network and in a masked
 * one alike but not equally (a masked channel still counts, as a 0).
 */
#include <math.h>

#include "engine/ops/builders.h"
#include "engine/ops/channel_wise.h"
#include "engine/ops/lines.h"

static int axis_of(const struct pare_node *node)
{
	const struct pare_layer_norm *attrs = node->attrs;
	return attrs->axis;
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_layer_norm *attrs = node->attrs;

	if (!(attrs->epsilon > 0.0f) || !isfinite(attrs->epsilon))
		return pare_error_set(error, PARE_E_INVALID, "epsilon is %g; it must be above 0", (double)attrs->epsilon);
	return pare_channel_wise_infer(graph, node, axis_of(node), out, error);
}

/* Mean, then r, of every line: [2][blocks][outer][inner]. */
static size_t saved_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes)
{
	struct pare_tensor in = {.shape = *pare_node_input_shape(graph, node, 0), .images = images, .lanes = lanes};
	return 2 * sizeof(float) * (size_t)(pare_tensor_size(&in) / in.shape.dim[axis_of(node)]);
}

struct work {
	const struct pare_op_args *args;
	struct pare_lines lines;
	int64_t count; /* of lines */
};

static struct work work_of(const struct pare_op_args *args)
{
	struct work work = {args, pare_lines_make(&args->out, axis_of(args->node), axis_of(args->node)), 0};
	work.count = work.lines.blocks * work.lines.outer * work.lines.inner;
	return work;
}

/* In two passes, in double: a line may be long, and its mean far from 0. */
static void statistics(const struct work *work, const struct pare_strip *strip, float *mean, float *r)
{
	const struct pare_layer_norm *attrs = work->args->node->attrs;
	const float *x = work->args->in[0].data + strip->begin;
	const double size = (double)work->lines.size;
	double sum[PARE_STRIP_FLOATS] = {0}, square[PARE_STRIP_FLOATS] = {0};

	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip->width; i++)
			sum[i] += (double)x[j * strip->step + i];
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip->width; i++) {
			double d = (double)x[j * strip->step + i] - sum[i] / size;
			square[i] += d * d;
		}
	for (int i = 0; i < strip->width; i++) {
		mean[i] = (float)(sum[i] / size);
		r[i] = (float)(1.0 / sqrt(square[i] / size + (double)attrs->epsilon));
	}
}

static void forward_strip(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	struct pare_strip strip = pare_strip_at(&work->lines, item);
	const float *restrict x = args->in[0].data + strip.begin;
	float *restrict y = args->out.data + strip.begin;
	float mean[PARE_STRIP_FLOATS], r[PARE_STRIP_FLOATS], *saved = args->saved;

	(void)worker;
	statistics(work, &strip, mean, r);
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++)
			y[j * strip.step + i] = (x[j * strip.step + i] - mean[i]) * r[i] * args->param[0][j] + args->param[1][j];
	for (int i = 0; i < strip.width && args->training; i++) {
		saved[strip.number + i] = mean[i];
		saved[work->count + strip.number + i] = r[i];
	}
}

static void forward(const struct pare_op_args *args)
{
	struct work work = work_of(args);
	pare_pool_for(args->pool, pare_lines_items(&work.lines), forward_strip, &work);
}

static void input_gradient_strip(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	struct pare_strip strip = pare_strip_at(&work->lines, item);
	const float *restrict x = args->in[0].data + strip.begin, *restrict dy = args->dout.data + strip.begin;
	const float *mean = (const float *)args->saved + strip.number, *r = mean + work->count;
	float *restrict dx = args->din[0].data + strip.begin;
	double sum[PARE_STRIP_FLOATS] = {0}, product[PARE_STRIP_FLOATS] = {0};
	const double size = (double)work->lines.size;
	const bool accumulate = args->din_accumulate[0];

	(void)worker;
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++) {
			float g = dy[j * strip.step + i] * args->param[0][j];
			sum[i] += (double)g;
			product[i] += (double)(g * (x[j * strip.step + i] - mean[i]) * r[i]);
		}
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++) {
			int64_t at = j * strip.step + i;
			float n = (x[at] - mean[i]) * r[i], g = dy[at] * args->param[0][j];
			float d = r[i] * (g - (float)(sum[i] / size) - n * (float)(product[i] / size));
			dx[at] = accumulate ? dx[at] + d : d;
		}
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
		const float *mean = (const float *)args->saved + row * inner, *r = mean + work->count;
		for (int64_t i = 0; i < inner; i++) {
			scale += (double)(dy[i] * (x[i] - mean[i]) * r[i]);
			shift += (double)dy[i];
		}
	}
	if (args->dparam[0])
		args->dparam[0][c] += (float)scale;
	if (args->dparam[1])
		args->dparam[1][c] += (float)shift;
}

static void backward(const struct pare_op_args *args)
{
	struct work work = work_of(args);

	if (args->dparam[0] || args->dparam[1])
		pare_pool_for(args->pool, work.lines.size, parameter_gradient, &work);
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_lines_items(&work.lines), input_gradient_strip, &work);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	pare_channel_map_freeze_dim(map, node->inputs[0], axis_of(node), "layer norm takes statistics over its channels");
	return pare_channel_wise_couple(map, graph, node, axis_of(node));
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	pare_strbuf_printf(text, "a%d", axis_of(node));
}

const struct pare_op pare_op_layer_norm = {
        .name = "layer_norm",
        .attrs_bytes = sizeof(struct pare_layer_norm),
        .min_inputs = 1,
        .max_inputs = 1,
        .min_params = 2,
        .max_params = 2,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .saved_bytes = saved_bytes,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
