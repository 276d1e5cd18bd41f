/* Folding operators that move numbers about: shapes are computed with them. Numbers of both types are moved as they
 * are. */
#include <string.h>

#include "engine/io/onnx_ops.h"

static size_t element_bytes(const struct pare_onnx_constant *constant)
{
	return constant->type == PARE_ONNX_FLOAT ? sizeof(float) : sizeof(int64_t);
}

static void copy_elements(const struct pare_onnx_constant *out, int64_t to, const struct pare_onnx_constant *in,
                          int64_t from, int64_t count)
{
	size_t bytes = element_bytes(out);
	if (count > 0)
		memcpy((unsigned char *)out->data + (size_t)to * bytes,
		       (const unsigned char *)in->data + (size_t)from * bytes, (size_t)count * bytes);
}

static int64_t product(const int64_t *dim, int begin, int end)
{
	int64_t count = 1;
	for (int i = begin; i < end; i++)
		count *= dim[i];
	return count;
}

void pare_onnx_strides(const struct pare_onnx_constant *constant, int64_t *stride)
{
	int64_t elements = 1;
	for (int i = constant->rank - 1; i >= 0; i--) {
		stride[i] = elements;
		elements *= constant->dim[i];
	}
}

int64_t pare_onnx_strided(const struct pare_onnx_constant *shape, int64_t element, const int64_t *stride)
{
	int64_t at = 0;
	for (int i = shape->rank - 1; i >= 0; i--) {
		at += element % shape->dim[i] * stride[i];
		element /= shape->dim[i];
	}
	return at;
}

int pare_onnx_fold_identity(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	return pare_onnx_set_constant(import, node, &node->inputs[0]->constant);
}

/* A view of the same numbers under another shape. */
static int set_view(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                    const struct pare_onnx_constant *in, int rank, const int64_t *dim)
{
	struct pare_onnx_constant out = *in;
	out.rank = rank;
	memcpy(out.dim, dim, (size_t)rank * sizeof(*dim));
	int status = pare_onnx_constant_count(import, &out);
	if (status)
		return status;
	if (out.count != in->count)
		return pare_error_set(import->error, PARE_E_FORMAT, "%lld elements cannot become %lld",
		                      (long long)in->count, (long long)out.count);
	return pare_onnx_set_constant(import, node, &out);
}

/* 0 copies a dimension, -1 is what is left over (allowzero, opset 14: a 0 is a 0). */
static int target_shape(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                        const struct pare_onnx_constant *in, const struct pare_onnx_constant *wanted, int64_t *dim)
{
	int64_t allow_zero, known = 1;
	int open = -1, status = pare_onnx_attr_int(import, node, "allowzero", 0, &allow_zero);
	struct pare_onnx_constant fixed = {.rank = (int)wanted->count};
	if (status)
		return status;
	for (int i = 0; i < fixed.rank; i++) {
		dim[i] = wanted->ints[i];
		if (dim[i] == 0 && !allow_zero)
			dim[i] = i < in->rank ? in->dim[i] : -2;
		if (dim[i] == -1 && open < 0)
			open = i;
		fixed.dim[i] = dim[i] == -1 && open == i ? 1 : dim[i];
	}
	status = pare_onnx_constant_count(import, &fixed);
	known = fixed.count;
	if (status || open < 0)
		return status;
	if (known == 0)
		return pare_error_set(import->error, PARE_E_FORMAT, "dimension %d of an empty tensor is left open",
		                      open);
	dim[open] = in->count / known;
	return PARE_OK;
}

int pare_onnx_fold_reshape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant, *wanted;
	int status = pare_onnx_constant(import, node, 1, PARE_ONNX_INT64, &wanted);
	if (status)
		return status;
	if (wanted->rank != 1 || wanted->count > PARE_ONNX_CONSTANT_RANK)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a shape of %lld dimensions; at most %d are supported", (long long)wanted->count,
		                      PARE_ONNX_CONSTANT_RANK);
	int64_t dim[PARE_ONNX_CONSTANT_RANK];
	status = target_shape(import, node, in, wanted, dim);
	return status ? status : set_view(import, node, in, (int)wanted->count, dim);
}

/* Which axes a Squeeze or Unsqueeze names: an attribute up to opset 12, an input from 13 on. */
static int marked_axes(struct pare_onnx_import *import, const struct pare_onnx_node *node, int rank, bool *marked,
                       struct pare_onnx_ints *axes)
{
	int status =
	        pare_onnx_ints(import, node, import->opset >= 13 ? 1 : -1, import->opset >= 13 ? NULL : "axes", axes);
	for (size_t i = 0; !status && i < axes->count; i++) {
		int axis;
		status = pare_onnx_axis(import, axes->values[i], rank, &axis);
		if (!status && marked[axis])
			status = pare_error_set(import->error, PARE_E_FORMAT, "axis %d is named twice", axis);
		if (!status)
			marked[axis] = true;
	}
	return status;
}

int pare_onnx_fold_unsqueeze(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	bool added[PARE_ONNX_CONSTANT_RANK] = {false};
	struct pare_onnx_ints axes;
	int status =
	        pare_onnx_ints(import, node, import->opset >= 13 ? 1 : -1, import->opset >= 13 ? NULL : "axes", &axes);
	if (status)
		return status;
	if (!axes.values || axes.count > (size_t)(PARE_ONNX_CONSTANT_RANK - in->rank))
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "%zu axes added to rank %d", axes.count,
		                      in->rank);
	int rank = in->rank + (int)axes.count;
	status = marked_axes(import, node, rank, added, &axes);
	if (status)
		return status;
	int64_t dim[PARE_ONNX_CONSTANT_RANK];
	for (int i = 0, from = 0; i < rank; i++)
		dim[i] = added[i] ? 1 : in->dim[from++];
	return set_view(import, node, in, rank, dim);
}

int pare_onnx_fold_squeeze(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	bool dropped[PARE_ONNX_CONSTANT_RANK] = {false};
	struct pare_onnx_ints axes;
	int status = marked_axes(import, node, in->rank, dropped, &axes);
	if (status)
		return status;
	int64_t dim[PARE_ONNX_CONSTANT_RANK];
	int rank = 0;
	for (int i = 0; i < in->rank; i++)
		if (axes.values ? !dropped[i] : in->dim[i] != 1)
			dim[rank++] = in->dim[i];
	return set_view(import, node, in, rank, dim);
}

int pare_onnx_fold_transpose(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	struct pare_onnx_ints perm;
	int64_t in_stride[PARE_ONNX_CONSTANT_RANK], stride[PARE_ONNX_CONSTANT_RANK];
	bool used[PARE_ONNX_CONSTANT_RANK] = {false};
	int status = pare_onnx_ints(import, node, -1, "perm", &perm);
	if (status)
		return status;
	if (perm.values && perm.count != (size_t)in->rank)
		return pare_error_set(import->error, PARE_E_FORMAT, "perm has %zu entries for rank %d", perm.count,
		                      in->rank);
	struct pare_onnx_constant out = {.type = in->type, .rank = in->rank};
	pare_onnx_strides(in, in_stride);
	for (int i = 0; i < in->rank; i++) {
		int64_t axis = perm.values ? perm.values[i] : in->rank - 1 - i;
		if (axis < 0 || axis >= in->rank || used[axis])
			return pare_error_set(import->error, PARE_E_FORMAT, "perm is not a permutation of the %d axes",
			                      in->rank);
		used[axis] = true;
		out.dim[i] = in->dim[axis];
		stride[i] = in_stride[axis];
	}
	status = pare_onnx_constant_new(import, &out);
	for (int64_t i = 0; !status && i < out.count; i++)
		copy_elements(&out, i, in, pare_onnx_strided(&out, i, stride), 1);
	return status ? status : pare_onnx_set_constant(import, node, &out);
}

int pare_onnx_fold_slice(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	struct pare_onnx_range range;
	int64_t stride[PARE_ONNX_CONSTANT_RANK], first = 0;
	int status = pare_onnx_slice_range(import, node, in->rank, in->dim, &range);
	if (status)
		return status;
	struct pare_onnx_constant out = {.type = in->type, .rank = in->rank};
	pare_onnx_strides(in, stride);
	for (int i = 0; i < in->rank; i++) {
		out.dim[i] = range.count[i];
		if (range.count[i] == 0)
			continue;
		first += range.start[i] * stride[i];
		stride[i] = range.count[i] > 1 ? stride[i] * range.step[i] : 0;
	}
	status = pare_onnx_constant_new(import, &out);
	for (int64_t i = 0; !status && i < out.count; i++)
		copy_elements(&out, i, in, first + pare_onnx_strided(&out, i, stride), 1);
	return status ? status : pare_onnx_set_constant(import, node, &out);
}

int pare_onnx_fold_gather(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant, *indices;
	int64_t axis_attr;
	int axis, status = pare_onnx_constant(import, node, 1, PARE_ONNX_INT64, &indices);
	if (!status)
		status = pare_onnx_attr_int(import, node, "axis", 0, &axis_attr);
	if (!status)
		status = pare_onnx_axis(import, axis_attr, in->rank, &axis);
	if (status)
		return status;
	struct pare_onnx_constant out = {.type = in->type, .rank = in->rank - 1 + indices->rank};
	if (out.rank > PARE_ONNX_CONSTANT_RANK)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "a result of rank %d; at most %d is supported",
		                      out.rank, PARE_ONNX_CONSTANT_RANK);
	for (int i = 0, to = 0; i < in->rank; i++)
		if (i != axis)
			out.dim[to++] = in->dim[i];
		else
			for (int j = 0; j < indices->rank; j++)
				out.dim[to++] = indices->dim[j];
	status = pare_onnx_constant_new(import, &out);
	if (status)
		return status;
	int64_t outer = product(in->dim, 0, axis), inner = product(in->dim, axis + 1, in->rank), at = 0;
	int64_t length = in->dim[axis];
	for (int64_t i = 0; out.count > 0 && i < outer; i++)
		for (int64_t j = 0; j < indices->count; j++, at += inner) {
			int64_t index = indices->ints[j];
			if (index < -length || index >= length)
				return pare_error_set(import->error, PARE_E_FORMAT, "index %lld into %lld entries",
				                      (long long)index, (long long)length);
			copy_elements(&out, at, in, (i * length + (index < 0 ? index + length : index)) * inner, inner);
		}
	return pare_onnx_set_constant(import, node, &out);
}

/* Sum of the inputs' lengths along the axis; everything else must be equal. */
static int concat_shape(struct pare_onnx_import *import, const struct pare_onnx_node *node, int axis,
                        struct pare_onnx_constant *out)
{
	for (int i = 1; i < node->n_inputs; i++) {
		const struct pare_onnx_constant *next = &node->inputs[i]->constant;
		bool fits = next->rank == out->rank && next->type == out->type;
		for (int j = 0; fits && j < out->rank; j++)
			fits = j == axis || next->dim[j] == out->dim[j];
		if (!fits)
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      "input %d ('%.100s') does not fit the first", i, node->inputs[i]->name);
		out->dim[axis] += next->dim[axis];
		int status = pare_onnx_constant_count(import, out);
		if (status)
			return status;
	}
	return PARE_OK;
}

int pare_onnx_fold_concat(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t axis_attr;
	int axis, status = pare_onnx_attr_int(import, node, "axis", 0, &axis_attr);
	struct pare_onnx_constant out = node->inputs[0]->constant;
	if (!status)
		status = pare_onnx_axis(import, axis_attr, out.rank, &axis);
	if (!status)
		status = concat_shape(import, node, axis, &out);
	if (!status)
		status = pare_onnx_constant_new(import, &out);
	if (status)
		return status;
	int64_t outer = product(out.dim, 0, axis), inner = product(out.dim, axis + 1, out.rank), at = 0;
	int64_t out_run = out.dim[axis] * inner;
	for (int i = 0; i < node->n_inputs; i++) {
		int64_t run = node->inputs[i]->constant.dim[axis] * inner;
		for (int64_t j = 0; run > 0 && j < outer; j++)
			copy_elements(&out, j * out_run + at, &node->inputs[i]->constant, j * run, run);
		at += run;
	}
	return pare_onnx_set_constant(import, node, &out);
}
