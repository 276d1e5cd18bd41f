/* One function per operator with attributes, one line per operator in the table. */
#include <float.h>

#include "engine/io/onnx_export.h"
#include "engine/ops/builders.h"

static void put_pair(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, int32_t h, int32_t w)
{
	pare_onnx_put_ints(export, out, name, (int64_t[]){h, w}, 2);
}

static void fill_conv(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_conv2d *conv = node->attrs;
	put_pair(export, out, "dilations", conv->dilation_h, conv->dilation_w);
	pare_onnx_put_int(export, out, "group", conv->groups);
	put_pair(export, out, "kernel_shape", conv->kernel_h, conv->kernel_w);
	pare_onnx_put_ints(export, out, "pads",
	                   (int64_t[]){conv->pad_top, conv->pad_left, conv->pad_bottom, conv->pad_right}, 4);
	put_pair(export, out, "strides", conv->stride_h, conv->stride_w);
}

static void fill_batch_norm(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_batch_norm *norm = node->attrs;
	pare_onnx_put_float(export, out, "epsilon", norm->epsilon);
	/* ONNX has the part of the running value that is kept. */
	pare_onnx_put_float(export, out, "momentum", 1.0f - norm->momentum);
}

static void fill_max_pool(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_pool2d *pool = node->attrs;
	pare_onnx_put_int(export, out, "ceil_mode", pool->ceil_mode);
	put_pair(export, out, "kernel_shape", pool->kernel_h, pool->kernel_w);
	pare_onnx_put_ints(export, out, "pads",
	                   (int64_t[]){pool->pad_top, pool->pad_left, pool->pad_bottom, pool->pad_right}, 4);
	put_pair(export, out, "strides", pool->stride_h, pool->stride_w);
}

static void fill_average_pool(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_pool2d *pool = node->attrs;
	fill_max_pool(export, node, out);
	pare_onnx_put_int(export, out, "count_include_pad", pool->count_include_pad);
}

static void fill_relu6(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	(void)node;
	pare_onnx_put_scalar_input(export, out, "min", 0);
	pare_onnx_put_scalar_input(export, out, "max", 6);
}

/* Dimension d of an image is axis d + 1 in the file. */
static void fill_concat(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_concat *concat = node->attrs;
	pare_onnx_put_int(export, out, "axis", concat->axis + 1);
}

static void fill_softmax(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_softmax *softmax = node->attrs;
	pare_onnx_put_int(export, out, "axis", softmax->axis + 1);
}

static void fill_flatten(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	(void)node;
	pare_onnx_put_int(export, out, "axis", 1);
}

static int rank_of(const struct pare_onnx_export *export, const struct pare_node *node)
{
	return pare_node_input_shape(export->graph, node, 0)->rank;
}

static void fill_pad(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_pad *pad = node->attrs;
	int rank = rank_of(export, node);
	int64_t amounts[2 * (PARE_MAX_RANK + 1)] = {0};
	for (int d = 0; d < rank; d++) {
		amounts[d + 1] = pad->begin[d];
		amounts[rank + d + 2] = pad->end[d];
	}
	pare_onnx_put_text(export, out, "mode", "constant");
	pare_onnx_put_ints_input(export, out, "pads", amounts, 2 * (size_t)(rank + 1));
}

static void put_small_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name,
                            const int32_t *numbers, int count)
{
	int64_t wide[PARE_MAX_RANK];
	for (int i = 0; i < count; i++)
		wide[i] = numbers[i];
	pare_onnx_put_ints_input(export, out, name, wide, (size_t)count);
}

static void fill_slice(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	static const int32_t axes[PARE_MAX_RANK] = {1, 2, 3, 4, 5};
	const struct pare_slice *slice = node->attrs;
	int rank = rank_of(export, node);
	put_small_input(export, out, "starts", slice->start, rank);
	put_small_input(export, out, "ends", slice->stop, rank);
	put_small_input(export, out, "axes", axes, rank);
	put_small_input(export, out, "steps", slice->step, rank);
}

static void fill_hard_sigmoid(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_hard_sigmoid *attrs = node->attrs;
	pare_onnx_put_float(export, out, "alpha", attrs->alpha);
	pare_onnx_put_float(export, out, "beta", attrs->beta);
}

static void fill_leaky_relu(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	pare_onnx_put_float(export, out, "alpha", ((const struct pare_leaky_relu *)node->attrs)->slope);
}

static void fill_elu(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	pare_onnx_put_float(export, out, "alpha", ((const struct pare_elu *)node->attrs)->alpha);
}

/* No bound is the largest number. */
static void fill_clip(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_clip *clip = node->attrs;
	pare_onnx_put_scalar_input(export, out, "min", clip->min < -FLT_MAX ? -FLT_MAX : clip->min);
	pare_onnx_put_scalar_input(export, out, "max", clip->max > FLT_MAX ? FLT_MAX : clip->max);
}

static void fill_pow(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	pare_onnx_put_scalar_input(export, out, "exponent", ((const struct pare_pow *)node->attrs)->exponent);
}

static void fill_transpose(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_transpose *transpose = node->attrs;
	int rank = rank_of(export, node);
	int64_t order[PARE_MAX_RANK + 1] = {0};
	for (int d = 0; d < rank; d++)
		order[d + 1] = transpose->order[d] + 1;
	pare_onnx_put_ints(export, out, "perm", order, (size_t)rank + 1);
}

/* 0 copies the batch. */
static void fill_reshape(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_reshape *reshape = node->attrs;
	int64_t shape[PARE_MAX_RANK + 1] = {0};
	for (int d = 0; d < reshape->rank; d++)
		shape[d + 1] = reshape->dim[d];
	pare_onnx_put_ints_input(export, out, "shape", shape, (size_t)reshape->rank + 1);
}

static void fill_reduce_mean(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_reduce_mean *mean = node->attrs;
	int64_t axes[PARE_MAX_RANK];
	size_t count = 0;
	for (int d = 0; d < PARE_MAX_RANK; d++)
		if (mean->axes >> d & 1)
			axes[count++] = d + 1;
	pare_onnx_put_ints(export, out, "axes", axes, count);
	pare_onnx_put_int(export, out, "keepdims", mean->keep_dims);
}

static const struct pare_onnx_export_op table[] = {
        {.op = &pare_op_conv2d, .op_type = "Conv", .fill = fill_conv},
        {.op = &pare_op_batch_norm, .op_type = "BatchNormalization", .fill = fill_batch_norm},
        {.op = &pare_op_relu, .op_type = "Relu"},
        {.op = &pare_op_relu6, .op_type = "Clip", .fill = fill_relu6},
        {.op = &pare_op_max_pool, .op_type = "MaxPool", .fill = fill_max_pool},
        {.op = &pare_op_average_pool, .op_type = "AveragePool", .fill = fill_average_pool},
        {.op = &pare_op_global_average_pool, .op_type = "GlobalAveragePool"},
        {.op = &pare_op_add, .op_type = "Add"},
        {.op = &pare_op_mul, .op_type = "Mul"},
        {.op = &pare_op_sub, .op_type = "Sub"},
        {.op = &pare_op_div, .op_type = "Div"},
        {.op = &pare_op_concat, .op_type = "Concat", .fill = fill_concat},
        {.op = &pare_op_flatten, .op_type = "Flatten", .fill = fill_flatten},
        {.op = &pare_op_linear, .spell = pare_onnx_spell_linear, .form = pare_onnx_form_linear},
        {.op = &pare_op_pad, .op_type = "Pad", .fill = fill_pad},
        {.op = &pare_op_slice, .op_type = "Slice", .fill = fill_slice},
        {.op = &pare_op_sigmoid, .op_type = "Sigmoid"},
        {.op = &pare_op_hard_sigmoid, .op_type = "HardSigmoid", .fill = fill_hard_sigmoid},
        {.op = &pare_op_hard_swish, .spell = pare_onnx_spell_hard_swish},
        {.op = &pare_op_silu, .spell = pare_onnx_spell_silu},
        {.op = &pare_op_gelu, .spell = pare_onnx_spell_gelu},
        {.op = &pare_op_erf, .op_type = "Erf"},
        {.op = &pare_op_tanh, .op_type = "Tanh"},
        {.op = &pare_op_clip, .op_type = "Clip", .fill = fill_clip},
        {.op = &pare_op_leaky_relu, .op_type = "LeakyRelu", .fill = fill_leaky_relu},
        {.op = &pare_op_elu, .op_type = "Elu", .fill = fill_elu},
        {.op = &pare_op_sqrt, .op_type = "Sqrt"},
        {.op = &pare_op_pow, .op_type = "Pow", .fill = fill_pow},
        {.op = &pare_op_affine_scalar, .spell = pare_onnx_spell_affine},
        {.op = &pare_op_softmax, .op_type = "Softmax", .fill = fill_softmax},
        {.op = &pare_op_layer_norm, .spell = pare_onnx_spell_layer_norm, .form = pare_onnx_form_layer_norm},
        {.op = &pare_op_scale, .spell = pare_onnx_spell_scale, .form = pare_onnx_form_scale},
        {.op = &pare_op_reduce_mean, .op_type = "ReduceMean", .fill = fill_reduce_mean},
        {.op = &pare_op_transpose, .op_type = "Transpose", .fill = fill_transpose},
        {.op = &pare_op_reshape, .op_type = "Reshape", .fill = fill_reshape},
        {.op = &pare_op_identity, .op_type = "Identity"},
        {.op = &pare_op_dropout, .op_type = "Dropout"},
};

const struct pare_onnx_export_op *pare_onnx_export_find(const struct pare_op *op)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].op == op)
			return &table[i];
	return NULL;
}
