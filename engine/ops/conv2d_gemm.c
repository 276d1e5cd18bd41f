/*
 * Convolution for small batches (lanes = 1, plain NCHW): im2col and GEMM, image by image; depthwise by plain loops.
 */
#include <string.h>

#include "engine/math/gemm.h"
#include "engine/math/im2col.h"
#include "engine/ops/activation.h"
#include "engine/ops/conv2d_paths.h"

/* Every pixel has one input pixel, in the same order. */
static bool is_pointwise(const struct conv_shape *s)
{
	return s->taps == 1 && s->rows.in == 1 && s->rows.out == 1 && s->rows.pad == 0 && s->columns.pad == 0 &&
	       s->columns.in == s->columns.out && (s->columns.stride == 1 || s->columns.in == 1);
}

static int64_t pixels_in(const struct conv_shape *s)
{
	return (int64_t)s->rows.in * s->columns.in;
}

static int64_t pixels_out(const struct conv_shape *s)
{
	return (int64_t)s->rows.out * s->columns.out;
}

static int64_t columns_of(const struct conv_shape *s)
{
	return (int64_t)s->in * s->taps;
}

/* A column matrix, and in training one for its gradient. */
size_t pare_conv_gemm_workspace(const struct conv_shape *s, bool training)
{
	if (is_pointwise(s) || s->in == 1)
		return 0;
	return (size_t)columns_of(s) * (size_t)pixels_out(s) * sizeof(float) * (training ? 2 : 1);
}

/* One input channel a group: y += w * shifted x, row by row. Also right for the weight and data gradients, by `what`.
 */
enum depthwise_product { FORWARD, DATA_GRADIENT, WEIGHT_GRADIENT };

static void depthwise_row(enum depthwise_product what, int32_t count, int32_t stride, float *x, float *y, float *w)
{
	float sum = 0.0f;
	switch (what) {
	case FORWARD:
		for (int32_t i = 0; i < count; i++)
			y[i] += *w * x[(int64_t)i * stride];
		break;
	case DATA_GRADIENT:
		for (int32_t i = 0; i < count; i++)
			x[(int64_t)i * stride] += *w * y[i];
		break;
	case WEIGHT_GRADIENT:
		for (int32_t i = 0; i < count; i++)
			sum += x[(int64_t)i * stride] * y[i];
		*w += sum;
		break;
	}
}

static void depthwise(const struct conv_shape *s, enum depthwise_product what, float *x, float *y, float *w)
{
	for (int32_t ky = 0; ky < s->rows.kernel; ky++) {
		int32_t y0, y1;
		pare_axis_tap_range(&s->rows, ky, &y0, &y1);
		for (int32_t kx = 0; kx < s->columns.kernel; kx++, w++) {
			int32_t x0, x1;
			pare_axis_tap_range(&s->columns, kx, &x0, &x1);
			for (int32_t row = y0; row < y1; row++) {
				int64_t source = (int64_t)(row * s->rows.stride - s->rows.pad + ky * s->rows.dilation) *
				                         s->columns.in +
				                 x0 * s->columns.stride - s->columns.pad + kx * s->columns.dilation;
				if (x1 > x0)
					depthwise_row(what, x1 - x0, s->columns.stride, x + source,
					              y + (int64_t)row * s->columns.out + x0, w);
			}
		}
	}
}

/* One group of one image. */
struct part {
	const struct conv_shape *s;
	float *x, *y; /* the group's channels (or their gradients) */
	float *w;     /* the group's weights (or their gradient) */
	float *columns, *column_gradient;
};

static const float *make_columns(const struct part *p)
{
	if (is_pointwise(p->s))
		return p->x;
	pare_im2col(p->x, p->s->in, &p->s->rows, &p->s->columns, p->columns);
	return p->columns;
}

static void part_forward(const struct part *p)
{
	const struct conv_shape *s = p->s;
	if (s->in == 1) {
		for (int o = 0; o < s->out; o++)
			depthwise(s, FORWARD, p->x, p->y + o * pixels_out(s), p->w + o * s->taps);
		return;
	}
	pare_gemm(&(struct pare_gemm){.m = s->out,
	                              .n = pixels_out(s),
	                              .k = columns_of(s),
	                              .a = p->w,
	                              .lda = columns_of(s),
	                              .b = make_columns(p),
	                              .ldb = pixels_out(s),
	                              .beta = 1.0f,
	                              .c = p->y,
	                              .ldc = pixels_out(s)});
}

static void part_weight_gradient(const struct part *p)
{
	const struct conv_shape *s = p->s;
	if (s->in == 1) {
		for (int o = 0; o < s->out; o++)
			depthwise(s, WEIGHT_GRADIENT, p->x, p->y + o * pixels_out(s), p->w + o * s->taps);
		return;
	}
	pare_gemm(&(struct pare_gemm){.transpose_b = true,
	                              .m = s->out,
	                              .n = columns_of(s),
	                              .k = pixels_out(s),
	                              .a = p->y,
	                              .lda = pixels_out(s),
	                              .b = make_columns(p),
	                              .ldb = pixels_out(s),
	                              .beta = 1.0f,
	                              .c = p->w,
	                              .ldc = columns_of(s)});
}

static void part_data_gradient(const struct part *p)
{
	const struct conv_shape *s = p->s;
	if (s->in == 1) {
		for (int o = 0; o < s->out; o++)
			depthwise(s, DATA_GRADIENT, p->x, p->y + o * pixels_out(s), p->w + o * s->taps);
		return;
	}
	bool direct = is_pointwise(s);
	pare_gemm(&(struct pare_gemm){.transpose_a = true,
	                              .m = columns_of(s),
	                              .n = pixels_out(s),
	                              .k = s->out,
	                              .a = p->w,
	                              .lda = columns_of(s),
	                              .b = p->y,
	                              .ldb = pixels_out(s),
	                              .beta = direct ? 1.0f : 0.0f,
	                              .c = direct ? p->x : p->column_gradient,
	                              .ldc = pixels_out(s)});
	if (!direct)
		pare_col2im_add(p->column_gradient, s->in, &s->rows, &s->columns, p->x);
}

/* Group `item` of image `image`; x and y are whole tensors, w all groups. */
static struct part part_at(const struct conv_shape *s, const struct pare_op_args *args, const struct pare_tensor *x,
                           const struct pare_tensor *y, float *w, int64_t image, int group, int worker)
{
	struct part p = {.s = s};
	p.x = x->data + image * pare_tensor_block_size(x) + group * s->in * pixels_in(s);
	p.y = y->data + image * pare_tensor_block_size(y) + group * s->out * pixels_out(s);
	p.w = w + (int64_t)group * s->out * s->in * s->taps;
	p.columns = args->workspace ? args->workspace[worker] : NULL;
	p.column_gradient = p.columns ? p.columns + columns_of(s) * pixels_out(s) : NULL;
	return p;
}

static void forward_item(void *context, int64_t image, int worker)
{
	const struct pare_op_args *args = context;
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	float *y = args->out.data + image * pare_tensor_block_size(&args->out);

	for (int o = 0; o < s.groups * s.out; o++) {
		float bias = args->node->n_params > 1 ? args->param[1][o] : 0.0f;
		for (int64_t i = 0; i < pixels_out(&s); i++)
			y[o * pixels_out(&s) + i] = bias;
	}
	for (int g = 0; g < s.groups; g++) {
		struct part p = part_at(&s, args, &args->in[0], &args->out, args->param[0], image, g, worker);
		part_forward(&p);
	}
	if (args->activation != PARE_ACTIVATION_NONE)
		pare_activation_forward(y, y, pare_tensor_block_size(&args->out), args->activation);
}

void pare_conv_gemm_forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, args->out.images, forward_item, (void *)args);
}

/* A group's weights get their images' sums in order, by one worker. */
static void weight_item(void *context, int64_t group, int worker)
{
	const struct pare_op_args *args = context;
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	for (int64_t image = 0; image < args->out.images; image++) {
		struct part p =
		        part_at(&s, args, &args->in[0], &args->dout, args->dparam[0], image, (int)group, worker);
		part_weight_gradient(&p);
	}
}

static void data_item(void *context, int64_t image, int worker)
{
	const struct pare_op_args *args = context;
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	int64_t size = pare_tensor_block_size(&args->din[0]);

	if (!args->din_accumulate[0])
		memset(args->din[0].data + image * size, 0, (size_t)size * sizeof(float));
	for (int g = 0; g < s.groups; g++) {
		struct part p = part_at(&s, args, &args->din[0], &args->dout, args->param[0], image, g, worker);
		part_data_gradient(&p);
	}
}

static void bias_gradient(const struct pare_op_args *args)
{
	int64_t plane = pare_shape_plane(&args->dout.shape);
	for (int64_t o = 0; o < args->dout.shape.dim[0]; o++) {
		double sum = 0.0;
		for (int64_t image = 0; image < args->dout.images; image++) {
			const float *dy = args->dout.data + image * pare_tensor_block_size(&args->dout) + o * plane;
			for (int64_t i = 0; i < plane; i++)
				sum += dy[i];
		}
		args->dparam[1][o] += (float)sum;
	}
}

void pare_conv_gemm_backward(const struct pare_op_args *args)
{
	struct conv_shape s = pare_conv_shape(args->graph, args->node);

	if (args->activation != PARE_ACTIVATION_NONE)
		pare_activation_mask(args->out.data, args->dout.data, pare_tensor_size(&args->dout), args->activation);
	if (args->dparam[0])
		pare_pool_for(args->pool, s.groups, weight_item, (void *)args);
	if (args->node->n_params > 1 && args->dparam[1])
		bias_gradient(args);
	if (args->din[0].data)
		pare_pool_for(args->pool, args->din[0].images, data_item, (void *)args);
}
