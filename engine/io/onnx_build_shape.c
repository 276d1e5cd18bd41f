/* Operators that change an activation's shape, and the average over a whole image. */
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

static int one_input(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op,
                     int value, const void *attrs)
{
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = op, .attrs = attrs, .inputs = &value, .n_inputs = 1});
}

int pare_onnx_build_global_average_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	return status ? status : one_input(import, node, &pare_op_global_average_pool, value, NULL);
}

/* The mean over height and width is global average pooling; without keepdims a flatten follows. */
int pare_onnx_build_reduce_mean(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t keep;
	struct pare_onnx_ints axes;
	bool named[PARE_MAX_RANK + 1] = {false};
	int value, axis, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_attr_int(import, node, "keepdims", 1, &keep);
	if (!status)
		status = pare_onnx_ints(import, node, import->opset >= 18 ? 1 : -1, import->opset >= 18 ? NULL : "axes",
		                        &axes);
	if (status)
		return status;
	int rank = pare_onnx_shape(import, value)->rank + 1;
	for (size_t i = 0; i < axes.count; i++) {
		status = pare_onnx_axis(import, axes.values[i], rank, &axis);
		if (status)
			return status;
		named[axis] = true;
	}
	if (rank != 4 || axes.count != 2 || !named[2] || !named[3])
		return pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "only the mean over height and width (axes 2 and 3) of [N, C, H, W] is supported");
	if (keep)
		return one_input(import, node, &pare_op_global_average_pool, value, NULL);
	status = pare_onnx_add_step(
	        import, node, "pool",
	        &(struct pare_onnx_step){.op = &pare_op_global_average_pool, .inputs = &value, .n_inputs = 1}, &value);
	return status ? status : one_input(import, node, &pare_op_flatten, value, NULL);
}

int pare_onnx_build_concat(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t attr;
	int axis, value;
	int status = pare_onnx_attr_int(import, node, "axis", 1, &attr);
	int *inputs = pare_onnx_take(import, (size_t)node->n_inputs, sizeof(*inputs));
	if (!inputs)
		return import->arena.status;
	for (int i = 0; !status && i < node->n_inputs; i++)
		status = pare_onnx_activation(import, node, i, &inputs[i]);
	if (status)
		return status;
	value = inputs[0];
	status = pare_onnx_axis(import, attr, pare_onnx_shape(import, value)->rank + 1, &axis);
	if (!status && axis != 1)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "joins along axis %d; only channels (axis 1) are supported", axis);
	return status ? status
	              : pare_onnx_add_node(import, node,
	                                   &(struct pare_onnx_step){.op = &pare_op_concat,
	                                                            .attrs = &(struct pare_concat){0},
	                                                            .inputs = inputs,
	                                                            .n_inputs = node->n_inputs});
}

int pare_onnx_build_flatten(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t attr;
	int axis, value, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_attr_int(import, node, "axis", 1, &attr);
	if (!status)
		status = pare_onnx_axis(import, attr, pare_onnx_shape(import, value)->rank + 1, &axis);
	if (!status && axis != 1)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "flattens from axis %d on; only axis 1 (one vector per image) is supported",
		                        axis);
	return status ? status : one_input(import, node, &pare_op_flatten, value, NULL);
}

/* Does `wanted` name dimension i of [N, dim...]? 0 copies it, -1 is whatever is left over. */
static bool same_dimension(const struct pare_onnx_import *import, const struct pare_shape *shape, int64_t wanted, int i)
{
	int64_t is = i == 0 ? import->batch : shape->dim[i - 1];
	return wanted == 0 || wanted == is || wanted == -1;
}

int pare_onnx_build_reshape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *wanted;
	int64_t allow_zero;
	int value, open = 0, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_constant(import, node, 1, PARE_ONNX_INT64, &wanted);
	if (!status)
		status = pare_onnx_attr_int(import, node, "allowzero", 0, &allow_zero);
	if (status)
		return status;
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	struct pare_shape flat = pare_shape_vector(pare_shape_elements(shape));
	bool zero = false, same = wanted->count == shape->rank + 1, flatten = wanted->count == 2;
	for (int i = 0; i < wanted->count; i++) {
		open += wanted->ints[i] == -1;
		zero |= wanted->ints[i] == 0;
		same = same && same_dimension(import, shape, wanted->ints[i], i);
	}
	/* [.., 0] copies the old dimension 1, which is the features only if there was no other. */
	flatten = flatten && same_dimension(import, &flat, wanted->ints[0], 0) &&
	          same_dimension(import, &flat, wanted->ints[1], 1) && (wanted->ints[1] != 0 || shape->rank == 1);
	if (open > 1 || (zero && allow_zero) || (!same && !flatten)) {
		char to[128], from[96];
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "reshapes images of %s to %s; only flattening to [N, features] is supported",
		                      pare_shape_text(shape, from, sizeof(from)),
		                      pare_onnx_ints_text(wanted->ints, (size_t)wanted->count, to, sizeof(to)));
	}
	return same ? pare_onnx_alias(import, node, value) : one_input(import, node, &pare_op_flatten, value, NULL);
}

/* Dropping height and width of 1x1 images is a flatten. */
int pare_onnx_build_squeeze(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_onnx_ints axes;
	bool named[PARE_MAX_RANK + 1] = {false};
	int value, axis, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_ints(import, node, import->opset >= 13 ? 1 : -1, import->opset >= 13 ? NULL : "axes",
		                        &axes);
	if (status)
		return status;
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	for (size_t i = 0; i < axes.count; i++) {
		status = pare_onnx_axis(import, axes.values[i], shape->rank + 1, &axis);
		if (status)
			return status;
		named[axis] = true;
	}
	if (shape->rank != 3 || axes.count != 2 || !named[2] || !named[3] || shape->dim[1] != 1 || shape->dim[2] != 1)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "only dropping height and width (axes 2 and 3) of 1x1 images is supported");
	return one_input(import, node, &pare_op_flatten, value, NULL);
}

int pare_onnx_build_slice(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (status)
		return status;
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	int64_t dim[PARE_MAX_RANK + 1] = {-1};
	struct pare_onnx_range range;
	struct pare_slice attrs = {0};
	memcpy(dim + 1, shape->dim, (size_t)shape->rank * sizeof(*dim));
	status = pare_onnx_slice_range(import, node, shape->rank + 1, dim, &range);
	if (!status && shape->rank != 3)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "its input has %d dimensions; a batch of images [N, C, H, W] is needed",
		                        shape->rank + 1);
	for (int i = 0; !status && i < 3; i++) {
		attrs.start[i] = (int32_t)range.start[i + 1];
		attrs.stop[i] = (int32_t)range.end[i + 1];
		status = pare_onnx_small(import, "slice step", range.step[i + 1], 1, &attrs.step[i]);
	}
	return status ? status : one_input(import, node, &pare_op_slice, value, &attrs);
}

/* Constant mode with zeros. */
static int check_pad_mode(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	char mode[PARE_ONNX_ATTR_TEXT_SIZE];
	float fill = 0;
	int status = pare_onnx_attr_text(import, node, "mode", "constant", mode);
	if (!status && import->opset < 11)
		status = pare_onnx_attr_float(import, node, "value", 0, &fill);
	if (!status && import->opset >= 11 && pare_onnx_input(node, 2)) {
		const struct pare_onnx_constant *constant;
		status = pare_onnx_constant(import, node, 2, PARE_ONNX_FLOAT, &constant);
		if (!status && constant->count == 1)
			fill = constant->floats[0];
	}
	if (!status && (strcmp(mode, "constant") != 0 || fill != 0))
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "pads in mode '%s' with %g; only 'constant' with 0 is supported", mode,
		                        (double)fill);
	return status;
}

int pare_onnx_build_pad(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_onnx_ints pads, axes;
	int value, status = pare_onnx_activation(import, node, 0, &value);
	bool input = import->opset >= 11;
	if (!status)
		status = check_pad_mode(import, node);
	if (!status)
		status = pare_onnx_ints(import, node, input ? 1 : -1, input ? NULL : "pads", &pads);
	if (!status)
		status = pare_onnx_ints(import, node, import->opset >= 18 ? 3 : -1, NULL, &axes);
	if (status)
		return status;
	int rank = pare_onnx_shape(import, value)->rank + 1;
	size_t n_axes = axes.values ? axes.count : (size_t)rank;
	if (rank != 4 || n_axes > 4 || pads.count != 2 * n_axes)
		return pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "%zu amounts for %zu axes of an input with %d dimensions; [N, C, H, W] is supported",
		        pads.count, n_axes, rank);
	int32_t begin[4] = {0}, end[4] = {0};
	for (size_t i = 0; !status && i < n_axes; i++) {
		int axis;
		status = pare_onnx_axis(import, axes.values ? axes.values[i] : (int64_t)i, rank, &axis);
		if (!status)
			status = pare_onnx_small(import, "padding", pads.values[i], 0, &begin[axis]);
		if (!status)
			status = pare_onnx_small(import, "padding", pads.values[n_axes + i], 0, &end[axis]);
	}
	if (!status && (begin[0] || end[0]))
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED, "the batch (axis 0) cannot be padded");
	struct pare_pad attrs = {0};
	memcpy(attrs.begin, begin + 1, 3 * sizeof(*attrs.begin));
	memcpy(attrs.end, end + 1, 3 * sizeof(*attrs.end));
	return status ? status : one_input(import, node, &pare_op_pad, value, &attrs);
}
