#include "tests/support/reference_ops.h"

#include <math.h>

#include "engine/ops/builders.h"

/* Element (n, c, h, w) of an NCHW array; vectors are read as {C, 1, 1}. */
static int64_t height(const struct pare_shape *shape)
{
	return shape->rank == 3 ? shape->dim[1] : 1;
}

static int64_t width(const struct pare_shape *shape)
{
	return shape->rank == 3 ? shape->dim[2] : 1;
}

static int64_t at(const struct pare_shape *shape, int64_t n, int64_t c, int64_t h, int64_t w)
{
	return ((n * shape->dim[0] + c) * height(shape) + h) * width(shape) + w;
}

static bool inside(const struct pare_shape *shape, int64_t h, int64_t w)
{
	return h >= 0 && h < height(shape) && w >= 0 && w < width(shape);
}

/* Calls one(call, n, c, h, w) for every output element and stores what it returns. */
static void for_each_output(const struct reference_call *call,
                            double (*one)(const struct reference_call *, int64_t, int64_t, int64_t, int64_t))
{
	const struct pare_shape *out = &call->out_shape;
	for (int64_t n = 0; n < call->images; n++)
		for (int64_t c = 0; c < out->dim[0]; c++)
			for (int64_t h = 0; h < height(out); h++)
				for (int64_t w = 0; w < width(out); w++)
					call->out[at(out, n, c, h, w)] = one(call, n, c, h, w);
}

static double conv2d_element(const struct reference_call *call, int64_t n, int64_t o, int64_t oh, int64_t ow)
{
	const struct pare_conv2d *attrs = call->attrs;
	const struct pare_shape *in = &call->in_shape[0], *weight = &call->param_shape[0];
	int64_t per_group = weight->dim[1], group = o / (weight->dim[0] / attrs->groups);
	double sum = call->n_params > 1 ? call->param[1][o] : 0.0;

	for (int64_t c = 0; c < per_group; c++)
		for (int64_t u = 0; u < attrs->kernel_h; u++)
			for (int64_t v = 0; v < attrs->kernel_w; v++) {
				int64_t h = oh * attrs->stride_h - attrs->pad_top + u * attrs->dilation_h;
				int64_t w = ow * attrs->stride_w - attrs->pad_left + v * attrs->dilation_w;
				if (inside(in, h, w))
					sum += call->in[0][at(in, n, group * per_group + c, h, w)] *
					       call->param[0][((o * per_group + c) * attrs->kernel_h + u) *
					                              attrs->kernel_w +
					                      v];
			}
	return sum;
}

void reference_conv2d(const struct reference_call *call)
{
	for_each_output(call, conv2d_element);
}

void reference_moments(const double *in, int64_t images, const struct pare_shape *shape, int64_t channel, double *mean,
                       double *variance)
{
	double count = (double)(images * height(shape) * width(shape)), sum = 0.0, square = 0.0;

	for (int64_t n = 0; n < images; n++)
		for (int64_t h = 0; h < height(shape); h++)
			for (int64_t w = 0; w < width(shape); w++)
				sum += in[at(shape, n, channel, h, w)];
	*mean = sum / count;
	for (int64_t n = 0; n < images; n++)
		for (int64_t h = 0; h < height(shape); h++)
			for (int64_t w = 0; w < width(shape); w++)
				square += pow(in[at(shape, n, channel, h, w)] - *mean, 2);
	*variance = square / count;
}

void reference_batch_norm(const struct reference_call *call)
{
	const struct pare_batch_norm *attrs = call->attrs;
	const struct pare_shape *shape = &call->in_shape[0];

	for (int64_t c = 0; c < shape->dim[0]; c++) {
		double mean = call->param[2][c], variance = call->param[3][c];
		if (call->training)
			reference_moments(call->in[0], call->images, shape, c, &mean, &variance);
		double factor = call->param[0][c] / sqrt(variance + (double)attrs->epsilon);
		for (int64_t n = 0; n < call->images; n++)
			for (int64_t h = 0; h < height(shape); h++)
				for (int64_t w = 0; w < width(shape); w++) {
					int64_t i = at(shape, n, c, h, w);
					call->out[i] = (call->in[0][i] - mean) * factor + call->param[1][c];
				}
	}
}

double reference_activation(double x, enum pare_activation activation)
{
	if (activation != PARE_ACTIVATION_NONE)
		x = fmax(x, 0.0);
	return activation == PARE_ACTIVATION_RELU6 ? fmin(x, 6.0) : x;
}

static double relu_element(const struct reference_call *call, int64_t n, int64_t c, int64_t h, int64_t w)
{
	return reference_activation(call->in[0][at(&call->in_shape[0], n, c, h, w)], PARE_ACTIVATION_RELU);
}

void reference_relu(const struct reference_call *call)
{
	for_each_output(call, relu_element);
}

static double relu6_element(const struct reference_call *call, int64_t n, int64_t c, int64_t h, int64_t w)
{
	return reference_activation(call->in[0][at(&call->in_shape[0], n, c, h, w)], PARE_ACTIVATION_RELU6);
}

void reference_relu6(const struct reference_call *call)
{
	for_each_output(call, relu6_element);
}

static double max_pool_element(const struct reference_call *call, int64_t n, int64_t c, int64_t oh, int64_t ow)
{
	const struct pare_pool2d *attrs = call->attrs;
	const struct pare_shape *in = &call->in_shape[0];
	double best = -INFINITY;

	for (int64_t u = 0; u < attrs->kernel_h; u++)
		for (int64_t v = 0; v < attrs->kernel_w; v++) {
			int64_t h = oh * attrs->stride_h - attrs->pad_top + u,
			        w = ow * attrs->stride_w - attrs->pad_left + v;
			if (inside(in, h, w))
				best = fmax(best, call->in[0][at(in, n, c, h, w)]);
		}
	return best;
}

void reference_max_pool(const struct reference_call *call)
{
	for_each_output(call, max_pool_element);
}

static double average_pool_element(const struct reference_call *call, int64_t n, int64_t c, int64_t oh, int64_t ow)
{
	const struct pare_pool2d *attrs = call->attrs;
	const struct pare_shape *in = &call->in_shape[0];
	int64_t in_image = 0, in_padded_image = 0;
	double sum = 0.0;

	for (int64_t u = 0; u < attrs->kernel_h; u++)
		for (int64_t v = 0; v < attrs->kernel_w; v++) {
			int64_t h = oh * attrs->stride_h - attrs->pad_top + u,
			        w = ow * attrs->stride_w - attrs->pad_left + v;
			if (inside(in, h, w)) {
				sum += call->in[0][at(in, n, c, h, w)];
				in_image++;
			}
			if (h < in->dim[1] + attrs->pad_bottom && w < in->dim[2] + attrs->pad_right)
				in_padded_image++;
		}
	return sum / (double)(attrs->count_include_pad ? in_padded_image : in_image);
}

void reference_average_pool(const struct reference_call *call)
{
	for_each_output(call, average_pool_element);
}

static double global_average_pool_element(const struct reference_call *call, int64_t n, int64_t c, int64_t h, int64_t w)
{
	double mean, variance;

	(void)h;
	(void)w;
	reference_moments(call->in[0] + n * pare_shape_elements(&call->in_shape[0]), 1, &call->in_shape[0], c, &mean,
	                  &variance);
	return mean;
}

void reference_global_average_pool(const struct reference_call *call)
{
	for_each_output(call, global_average_pool_element);
}
