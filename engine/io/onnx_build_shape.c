/* Operators that give an activation's numbers another shape or order. Views that nobody would notice vanish. */
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

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
	return status ? status : pare_onnx_one_input(import, node, &pare_op_flatten, value, NULL);
}

/* The input under another shape; down to one dimension that is a flatten. */
static int add_view(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value,
                    const struct pare_shape *shape)
{
	const struct pare_shape *in = pare_onnx_shape(import, value);
	struct pare_reshape attrs = {.rank = shape->rank};
	if (pare_shape_equal(in, shape))
		return pare_onnx_alias(import, node, value);
	if (shape->rank == 1)
		return pare_onnx_one_input(import, node, &pare_op_flatten, value, NULL);
	for (int d = 0; d < shape->rank; d++)
		attrs.dim[d] = (int32_t)shape->dim[d];
	return pare_onnx_one_input(import, node, &pare_op_reshape, value, &attrs);
}

/* The batch must stay in front: named by its size, by 0 (copied), or left open when the rest is known. */
static bool keeps_batch(const struct pare_onnx_import *import, const struct pare_onnx_constant *wanted, bool rest_open)
{
	int64_t first = wanted->ints[0];
	return first == import->batch || first == 0 || (first == -1 && !rest_open);
}

/* What a Reshape makes of one image; false when that is not for every batch the same. 0 copies the dimension at that
 * place, -1 is what is left over. */
static bool image_shape(const struct pare_onnx_import *import, const struct pare_onnx_constant *wanted,
                        const struct pare_shape *in, struct pare_shape *out)
{
	int64_t known = 1, elements = pare_shape_elements(in);
	int open = -1, n_open = 0;
	*out = (struct pare_shape){.rank = (int)wanted->count - 1};
	for (int d = 0; d < out->rank; d++) {
		int64_t size = wanted->ints[d + 1];
		if (size == 0 && d < in->rank)
			size = in->dim[d];
		if (size == -1) {
			open = d;
			n_open++;
			size = 1;
		}
		out->dim[d] = size;
		if (size < 1 || size > elements || known > elements / size)
			return false;
		known *= size;
	}
	if (open >= 0)
		out->dim[open] = elements / known;
	return n_open <= 1 && known * (open < 0 ? 1 : out->dim[open]) == elements &&
	       keeps_batch(import, wanted, open >= 0);
}

int pare_onnx_build_reshape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *wanted;
	int64_t allow_zero;
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_constant(import, node, 1, PARE_ONNX_INT64, &wanted);
	if (!status)
		status = pare_onnx_attr_int(import, node, "allowzero", 0, &allow_zero);
	if (status)
		return status;
	const struct pare_shape *in = pare_onnx_shape(import, value);
	struct pare_shape shape;
	bool zero = false, fits = wanted->count >= 2 && wanted->count <= PARE_MAX_RANK + 1;
	for (int i = 0; i < wanted->count; i++)
		zero |= wanted->ints[i] == 0;
	if (!fits || (zero && allow_zero) || !image_shape(import, wanted, in, &shape)) {
		char to[128], from[96];
		return pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "reshapes images of %s to %s; the batch must stay the first dimension, and 1 to %d "
		        "dimensions with as many elements must follow",
		        pare_shape_text(in, from, sizeof(from)),
		        pare_onnx_ints_text(wanted->ints, (size_t)wanted->count, to, sizeof(to)), PARE_MAX_RANK);
	}
	return add_view(import, node, value, &shape);
}

/* Marks the axes that Squeeze or Unsqueeze name, in a tensor of `rank` dimensions with the batch; *count = 0: none are
 * named. */
static int marked_axes(struct pare_onnx_import *import, const struct pare_onnx_node *node, int rank, bool *marked,
                       size_t *count)
{
	struct pare_onnx_ints axes;
	bool input = import->opset >= 13;
	int axis, status = pare_onnx_ints(import, node, input ? 1 : -1, input ? NULL : "axes", &axes);
	*count = axes.count;
	for (size_t i = 0; !status && i < axes.count; i++) {
		status = pare_onnx_axis(import, axes.values[i], rank, &axis);
		if (!status && (axis == 0 || marked[axis]))
			status = pare_error_set(
			        import->error, axis ? PARE_E_FORMAT : PARE_E_UNSUPPORTED,
			        axis ? "axis %d is named twice" : "axis %d is the batch, which stays in front", axis);
		if (!status)
			marked[axis] = true;
	}
	return status;
}

int pare_onnx_build_squeeze(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	bool marked[PARE_MAX_RANK + 1] = {false};
	size_t count;
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (status)
		return status;
	const struct pare_shape *in = pare_onnx_shape(import, value);
	struct pare_shape out = {.rank = 0};
	status = marked_axes(import, node, in->rank + 1, marked, &count);
	if (status)
		return status;
	for (int d = 0; d < in->rank; d++) {
		bool goes = count ? marked[d + 1] : in->dim[d] == 1;
		if (goes && in->dim[d] != 1)
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      "axis %d has %lld entries; only 1 can be dropped", d + 1,
			                      (long long)in->dim[d]);
		if (!goes)
			out.dim[out.rank++] = in->dim[d];
	}
	if (out.rank == 0 || (count == 0 && import->batch == 1))
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "it would leave no dimension, or drop the batch");
	return add_view(import, node, value, &out);
}

int pare_onnx_build_unsqueeze(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	bool marked[PARE_MAX_RANK + 1] = {false};
	struct pare_onnx_ints axes;
	size_t count;
	bool input = import->opset >= 13;
	int value, taken = 0, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_ints(import, node, input ? 1 : -1, input ? NULL : "axes", &axes);
	if (status)
		return status;
	const struct pare_shape *in = pare_onnx_shape(import, value);
	if (axes.count < 1 || axes.count > (size_t)(PARE_MAX_RANK - in->rank))
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "adds %zu dimensions to the %d of an image; 1 to %d in all are supported",
		                      axes.count, in->rank, PARE_MAX_RANK);
	struct pare_shape out = {.rank = in->rank + (int)axes.count};
	status = marked_axes(import, node, out.rank + 1, marked, &count);
	if (status)
		return status;
	for (int d = 0; d < out.rank; d++)
		out.dim[d] = marked[d + 1] ? 1 : in->dim[taken++];
	return add_view(import, node, value, &out);
}

/* Without `perm` the dimensions are turned round, which moves the batch. */
int pare_onnx_build_transpose(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_onnx_ints order;
	struct pare_transpose attrs = {{0}};
	bool seen[PARE_MAX_RANK + 1] = {false}, moves = false;
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_ints(import, node, -1, "perm", &order);
	if (status)
		return status;
	int rank = pare_onnx_shape(import, value)->rank + 1;
	bool valid = order.values && order.count == (size_t)rank && order.values[0] == 0;
	for (int i = 0; valid && i < rank; i++) {
		int64_t from = order.values[i];
		valid = from >= 0 && from < rank && !seen[from];
		if (!valid)
			break;
		seen[from] = true;
		moves |= from != i;
		if (i > 0)
			attrs.order[i - 1] = (int32_t)from - 1;
	}
	if (!valid) {
		char text[96];
		return pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "perm is %s; an order of all %d dimensions that begins with 0 (the batch) is supported",
		        order.values ? pare_onnx_ints_text(order.values, order.count, text, sizeof(text)) : "left out",
		        rank);
	}
	return moves ? pare_onnx_one_input(import, node, &pare_op_transpose, value, &attrs)
	             : pare_onnx_alias(import, node, value);
}
