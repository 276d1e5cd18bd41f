/* One function per operator with attributes, one line per operator in the table. */
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

static void fill_concat(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	(void)node;
	pare_onnx_put_int(export, out, "axis", 1);
}

static void fill_flatten(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	(void)node;
	pare_onnx_put_int(export, out, "axis", 1);
}

static void fill_linear(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	(void)node;
	pare_onnx_put_int(export, out, "transB", 1);
}

static void fill_pad(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_pad *pad = node->attrs;
	int64_t amounts[8] = {0, pad->begin[0], pad->begin[1], pad->begin[2], 0, pad->end[0], pad->end[1], pad->end[2]};
	pare_onnx_put_text(export, out, "mode", "constant");
	pare_onnx_put_ints_input(export, out, "pads", amounts, 8);
}

static void fill_slice(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out)
{
	const struct pare_slice *slice = node->attrs;
	pare_onnx_put_ints_input(export, out, "starts", (int64_t[]){slice->start[0], slice->start[1], slice->start[2]},
	                         3);
	pare_onnx_put_ints_input(export, out, "ends", (int64_t[]){slice->stop[0], slice->stop[1], slice->stop[2]}, 3);
	pare_onnx_put_ints_input(export, out, "axes", (int64_t[]){1, 2, 3}, 3);
	pare_onnx_put_ints_input(export, out, "steps", (int64_t[]){slice->step[0], slice->step[1], slice->step[2]}, 3);
}

static const struct pare_onnx_export_op table[] = {
        {&pare_op_conv2d, "Conv", fill_conv},
        {&pare_op_batch_norm, "BatchNormalization", fill_batch_norm},
        {&pare_op_relu, "Relu", NULL},
        {&pare_op_relu6, "Clip", fill_relu6},
        {&pare_op_max_pool, "MaxPool", fill_max_pool},
        {&pare_op_average_pool, "AveragePool", fill_average_pool},
        {&pare_op_global_average_pool, "GlobalAveragePool", NULL},
        {&pare_op_add, "Add", NULL},
        {&pare_op_concat, "Concat", fill_concat},
        {&pare_op_flatten, "Flatten", fill_flatten},
        {&pare_op_linear, "Gemm", fill_linear},
        {&pare_op_pad, "Pad", fill_pad},
        {&pare_op_slice, "Slice", fill_slice},
};

const struct pare_onnx_export_op *pare_onnx_export_find(const struct pare_op *op)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (table[i].op == op)
			return &table[i];
	return NULL;
}
