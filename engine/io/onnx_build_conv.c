/* Sliding windows (convolution, pooling) and batch normalisation. */
#include <math.h>
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

struct window {
	int32_t kernel[2], stride[2], dilation[2];
	int32_t begin[2], end[2]; /* padding */
};

/* Up to `count` small integers of an attribute, each `fallback` when it is absent. */
static int read_small(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                      size_t count, int64_t low, int32_t fallback, int32_t *out)
{
	struct pare_onnx_ints list;
	int status = pare_onnx_ints(import, node, -1, name, &list);
	if (status)
		return status;
	if (list.values && list.count != count)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "%s has %zu entries; %zu are supported (2-d images)", name, list.count, count);
	for (size_t i = 0; !status && i < count; i++) {
		out[i] = fallback;
		if (list.values)
			status = pare_onnx_small(import, name, list.values[i], low, &out[i]);
	}
	return status;
}

/* SAME: as many outputs as ceil(inputs / stride); an odd pixel of padding goes to the end (UPPER) or the beginning
 * (LOWER). */
static void pad_same(struct window *window, const int64_t *in, bool upper)
{
	for (int i = 0; i < 2; i++) {
		int64_t out = (in[i] + window->stride[i] - 1) / window->stride[i];
		int64_t reach = (int64_t)(window->kernel[i] - 1) * window->dilation[i] + 1;
		int64_t total = (out - 1) * window->stride[i] + reach - in[i];
		if (total < 0)
			total = 0;
		window->begin[i] = (int32_t)(upper ? total / 2 : total - total / 2);
		window->end[i] = (int32_t)total - window->begin[i];
	}
}

static int read_padding(struct pare_onnx_import *import, const struct pare_onnx_node *node, const int64_t *in,
                        struct window *window)
{
	char mode[PARE_ONNX_ATTR_TEXT_SIZE];
	int32_t pads[4];
	int status = pare_onnx_attr_text(import, node, "auto_pad", "NOTSET", mode);
	if (!status)
		status = read_small(import, node, "pads", 4, 0, 0, pads);
	if (status)
		return status;
	bool same = strcmp(mode, "SAME_UPPER") == 0 || strcmp(mode, "SAME_LOWER") == 0;
	bool valid = strcmp(mode, "VALID") == 0;
	if (!same && !valid && strcmp(mode, "NOTSET") != 0 && *mode)
		return pare_error_set(import->error, PARE_E_FORMAT,
		                      "auto_pad is '%s'; NOTSET, SAME_UPPER, SAME_LOWER and VALID are allowed", mode);
	for (int i = 0; i < 2; i++) {
		window->begin[i] = valid ? 0 : pads[i];
		window->end[i] = valid ? 0 : pads[2 + i];
	}
	if (same)
		pad_same(window, in, strcmp(mode, "SAME_UPPER") == 0);
	return PARE_OK;
}

/* Everything but the kernel, which a convolution takes from its weight. The dilation is bounded so that the window's
 * reach fits. */
static int read_window(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value,
                       struct window *window)
{
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	if (shape->rank != 3)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "its input has %d dimensions; a batch of images [N, C, H, W] is needed",
		                      shape->rank + 1);
	int status = read_small(import, node, "strides", 2, 1, 1, window->stride);
	if (!status)
		status = read_small(import, node, "dilations", 2, 1, 1, window->dilation);
	for (int i = 0; !status && i < 2; i++)
		if ((int64_t)(window->kernel[i] - 1) * window->dilation[i] >= PARE_MAX_DIMENSION)
			status =
			        pare_error_set(import->error, PARE_E_UNSUPPORTED, "a window of %d pixels dilated by %d",
			                       (int)window->kernel[i], (int)window->dilation[i]);
	return status ? status : read_padding(import, node, shape->dim + 1, window);
}

/* The weight [O][C/groups][kh][kw] gives the kernel; kernel_shape only repeats it. */
static int read_kernel(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                       const struct pare_onnx_constant *weight, struct window *window)
{
	if (weight->rank != 4)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "its weight has %d dimensions; 4 are supported (2-d convolution)", weight->rank);
	int32_t repeated[2];
	int status = PARE_OK;
	for (int i = 0; !status && i < 2; i++)
		status = pare_onnx_small(import, "kernel size", weight->dim[2 + i], 1, &window->kernel[i]);
	if (!status)
		status = read_small(import, node, "kernel_shape", 2, 1, 0, repeated);
	for (int i = 0; !status && i < 2; i++)
		if (repeated[i] && repeated[i] != window->kernel[i])
			status = pare_error_set(import->error, PARE_E_FORMAT,
			                        "kernel_shape says %d, the weight's dimension %d is %d",
			                        (int)repeated[i], 2 + i, (int)window->kernel[i]);
	return status;
}

static int conv_params(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                       const struct pare_onnx_constant *weight, int *params, int *n_params)
{
	const struct pare_onnx_constant *bias;
	struct pare_shape shape = {.rank = 4};
	memcpy(shape.dim, weight->dim, 4 * sizeof(*shape.dim));
	int status = pare_onnx_weight(import, node->inputs[1], &shape, NULL, &params[0]);
	*n_params = 1;
	if (status || !pare_onnx_input(node, 2))
		return status;
	*n_params = 2;
	status = pare_onnx_constant(import, node, 2, PARE_ONNX_FLOAT, &bias);
	return status ? status : pare_onnx_vector(import, node->inputs[2], PARE_PARAM_BIAS, weight->dim[0], &params[1]);
}

int pare_onnx_build_conv(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, params[2], n_params;
	int64_t groups;
	struct window window;
	struct pare_conv2d attrs;
	const struct pare_onnx_constant *weight;
	int status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_constant(import, node, 1, PARE_ONNX_FLOAT, &weight);
	if (!status)
		status = read_kernel(import, node, weight, &window);
	if (!status)
		status = read_window(import, node, value, &window);
	if (!status)
		status = pare_onnx_attr_int(import, node, "group", 1, &groups);
	if (!status)
		status = pare_onnx_small(import, "group", groups, 1, &attrs.groups);
	if (!status)
		status = conv_params(import, node, weight, params, &n_params);
	if (status)
		return status;
	attrs = (struct pare_conv2d){.kernel_h = window.kernel[0],
	                             .kernel_w = window.kernel[1],
	                             .stride_h = window.stride[0],
	                             .stride_w = window.stride[1],
	                             .pad_top = window.begin[0],
	                             .pad_left = window.begin[1],
	                             .pad_bottom = window.end[0],
	                             .pad_right = window.end[1],
	                             .dilation_h = window.dilation[0],
	                             .dilation_w = window.dilation[1],
	                             .groups = attrs.groups};
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = &pare_op_conv2d,
	                                                   .attrs = &attrs,
	                                                   .inputs = &value,
	                                                   .n_inputs = 1,
	                                                   .params = params,
	                                                   .n_params = n_params});
}

static int read_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node, int *value,
                     struct pare_pool2d *attrs)
{
	struct window window;
	int64_t ceil_mode, order, count_pad;
	int status = pare_onnx_activation(import, node, 0, value);
	if (!status && !pare_onnx_attr_find(node, "kernel_shape"))
		status = pare_error_set(import->error, PARE_E_FORMAT, "no attribute kernel_shape");
	if (!status)
		status = read_small(import, node, "kernel_shape", 2, 1, 1, window.kernel);
	if (!status)
		status = read_window(import, node, *value, &window);
	if (!status)
		status = pare_onnx_attr_int(import, node, "ceil_mode", 0, &ceil_mode);
	if (!status)
		status = pare_onnx_attr_int(import, node, "storage_order", 0, &order);
	if (!status)
		status = pare_onnx_attr_int(import, node, "count_include_pad", 0, &count_pad);
	if (status)
		return status;
	if (window.dilation[0] != 1 || window.dilation[1] != 1)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "dilated pooling (%d, %d) is not supported",
		                      (int)window.dilation[0], (int)window.dilation[1]);
	if (order != 0)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "storage_order %lld; 0 is supported",
		                      (long long)order);
	*attrs = (struct pare_pool2d){.kernel_h = window.kernel[0],
	                              .kernel_w = window.kernel[1],
	                              .stride_h = window.stride[0],
	                              .stride_w = window.stride[1],
	                              .pad_top = window.begin[0],
	                              .pad_left = window.begin[1],
	                              .pad_bottom = window.end[0],
	                              .pad_right = window.end[1],
	                              .ceil_mode = ceil_mode != 0,
	                              .count_include_pad = count_pad != 0};
	return PARE_OK;
}

static int build_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op)
{
	int value;
	struct pare_pool2d attrs;
	int status = read_pool(import, node, &value, &attrs);
	return status ? status
	              : pare_onnx_add_node(
	                        import, node,
	                        &(struct pare_onnx_step){.op = op, .attrs = &attrs, .inputs = &value, .n_inputs = 1});
}

int pare_onnx_build_max_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	return build_pool(import, node, &pare_op_max_pool);
}

int pare_onnx_build_average_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	return build_pool(import, node, &pare_op_average_pool);
}

/* In training form it has more outputs (up to opset 13) or training_mode (from 14 on). */
static int refuse_training(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t training;
	size_t outputs = 0;
	int status = pare_onnx_attr_int(import, node, "training_mode", 0, &training);
	for (size_t i = 0; i < node->proto->n_output; i++)
		outputs += *node->proto->output[i] != '\0';
	if (!status && (training || outputs > 1))
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "it is in training form; export the network in evaluation mode");
	return status;
}

int pare_onnx_build_batch_norm(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	static const enum pare_param_role roles[4] = {PARE_PARAM_BN_SCALE, PARE_PARAM_BN_SHIFT, PARE_PARAM_BN_MEAN,
	                                              PARE_PARAM_BN_VAR};
	int value, params[4];
	struct pare_batch_norm attrs;
	float kept;
	int status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = refuse_training(import, node);
	if (!status)
		status = pare_onnx_attr_float(import, node, "epsilon", 1e-5f, &attrs.epsilon);
	if (!status)
		status = pare_onnx_attr_float(import, node, "momentum", 0.9f, &kept);
	for (int i = 0; !status && i < 4; i++) {
		const struct pare_onnx_constant *vector;
		status = pare_onnx_constant(import, node, 1 + i, PARE_ONNX_FLOAT, &vector);
		if (!status)
			status = pare_onnx_vector(import, node->inputs[1 + i], roles[i],
			                          pare_onnx_shape(import, value)->dim[0], &params[i]);
	}
	if (status)
		return status;
	if (!(kept >= 0 && kept <= 1))
		return pare_error_set(import->error, PARE_E_FORMAT, "momentum is %g; 0 to 1 is allowed", (double)kept);
	/* ONNX has the part that is kept, as a float: 7 decimals bring 0.1 back from 0.89999998. */
	attrs.momentum = (float)(round((1.0 - (double)kept) * 1e7) / 1e7);
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = &pare_op_batch_norm,
	                                                   .attrs = &attrs,
	                                                   .inputs = &value,
	                                                   .n_inputs = 1,
	                                                   .params = params,
	                                                   .n_params = 4});
}
