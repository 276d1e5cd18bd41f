/* Operators that join, take, pad or average parts of an activation along any dimension but the batch. */
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

int pare_onnx_build_global_average_pool(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	return status ? status : pare_onnx_one_input(import, node, &pare_op_global_average_pool, value, NULL);
}

/* Dimensions that are no neighbours are refused by the operator. */
static int add_mean(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, int rank,
                    const bool *named, size_t n_axes, bool keep)
{
	struct pare_reduce_mean attrs = {.keep_dims = keep};
	for (int i = 1; i < rank; i++)
		attrs.axes |= named[i] << (i - 1);
	if (n_axes == 0 || named[0])
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      n_axes ? "the mean over the batch (axis 0) is not supported"
		                             : "the mean over everything, the batch too, is not supported");
	return pare_onnx_one_input(import, node, &pare_op_reduce_mean, value, &attrs);
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
	bool image = rank == 4 && axes.count == 2 && named[2] && named[3];
	if (!image)
		return add_mean(import, node, value, rank, named, axes.count, keep != 0);
	if (keep)
		return pare_onnx_one_input(import, node, &pare_op_global_average_pool, value, NULL);
	status = pare_onnx_add_step(
	        import, node, "pool",
	        &(struct pare_onnx_step){.op = &pare_op_global_average_pool, .inputs = &value, .n_inputs = 1}, &value);
	return status ? status : pare_onnx_one_input(import, node, &pare_op_flatten, value, NULL);
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
	if (!status && axis == 0)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED, "joins along the batch (axis 0)");
	return status ? status
	              : pare_onnx_add_node(import, node,
	                                   &(struct pare_onnx_step){.op = &pare_op_concat,
	                                                            .attrs = &(struct pare_concat){axis - 1},
	                                                            .inputs = inputs,
	                                                            .n_inputs = node->n_inputs});
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
	for (int i = 0; !status && i < shape->rank; i++) {
		attrs.start[i] = (int32_t)range.start[i + 1];
		attrs.stop[i] = (int32_t)range.end[i + 1];
		status = pare_onnx_small(import, "slice step", range.step[i + 1], 1, &attrs.step[i]);
	}
	return status ? status : pare_onnx_one_input(import, node, &pare_op_slice, value, &attrs);
}

/* Sizes of the parts: a list, or as equal as can be with a smaller last one (an error up to opset 17). */
static int split_sizes(struct pare_onnx_import *import, const struct pare_onnx_node *node, int64_t size, int64_t *parts)
{
	struct pare_onnx_ints list;
	size_t n_parts = node->proto->n_output;
	int64_t sum = 0, most = (size + (int64_t)n_parts - 1) / (int64_t)n_parts;
	int status =
	        pare_onnx_ints(import, node, import->opset >= 13 ? 1 : -1, import->opset >= 13 ? NULL : "split", &list);
	if (status)
		return status;
	if (list.values && list.count != n_parts)
		return pare_error_set(import->error, PARE_E_FORMAT, "%zu sizes for %zu outputs", list.count, n_parts);
	for (size_t i = 0; i < n_parts; i++) {
		parts[i] = list.values ? list.values[i] : size - sum < most ? size - sum : most;
		if (parts[i] < 1 || parts[i] > size - sum)
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      "part %zu of a dimension of %lld would have %lld", i, (long long)size,
			                      (long long)parts[i]);
		sum += parts[i];
	}
	if (sum != size)
		return pare_error_set(import->error, PARE_E_FORMAT, "the parts have %lld together, the dimension %lld",
		                      (long long)sum, (long long)size);
	return PARE_OK;
}

/* Output i as a node of its own, called like the output from the second on. Nobody may read some of them. */
static int add_part(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, size_t i,
                    const struct pare_slice *attrs)
{
	const char *name = node->proto->output[i];
	struct pare_onnx_node part = *node;
	part.output = *name ? pare_onnx_value_find(import, name) : NULL;
	if (!part.output || part.output->readers == 0)
		return PARE_OK;
	if (i > 0)
		part.name = name;
	return pare_onnx_one_input(import, &part, &pare_op_slice, value, attrs);
}

int pare_onnx_build_split(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t attr;
	int value, axis, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_attr_int(import, node, "axis", 0, &attr);
	if (!status)
		status = pare_onnx_axis(import, attr, pare_onnx_shape(import, value)->rank + 1, &axis);
	if (!status && axis == 0)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED, "the batch (axis 0) cannot be split");
	if (status)
		return status;
	const struct pare_shape shape = *pare_onnx_shape(import, value);
	int64_t *parts = pare_onnx_take(import, node->proto->n_output, sizeof(*parts));
	if (!parts)
		return import->arena.status;
	status = split_sizes(import, node, shape.dim[axis - 1], parts);
	struct pare_slice attrs = {0};
	for (int d = 0; d < shape.rank; d++) {
		attrs.stop[d] = (int32_t)shape.dim[d];
		attrs.step[d] = 1;
	}
	attrs.stop[axis - 1] = 0;
	for (size_t i = 0; !status && i < node->proto->n_output; i++) {
		attrs.start[axis - 1] = attrs.stop[axis - 1];
		attrs.stop[axis - 1] += (int32_t)parts[i];
		status = add_part(import, node, value, i, &attrs);
	}
	return status;
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
	if (n_axes > (size_t)rank || pads.count != 2 * n_axes)
		return pare_error_set(import->error, PARE_E_FORMAT,
		                      "%zu amounts for %zu axes of an input with %d dimensions; two an axis are needed",
		                      pads.count, n_axes, rank);
	int32_t begin[PARE_MAX_RANK + 1] = {0}, end[PARE_MAX_RANK + 1] = {0};
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
	memcpy(attrs.begin, begin + 1, PARE_MAX_RANK * sizeof(*attrs.begin));
	memcpy(attrs.end, end + 1, PARE_MAX_RANK * sizeof(*attrs.end));
	return status ? status : pare_onnx_one_input(import, node, &pare_op_pad, value, &attrs);
}
