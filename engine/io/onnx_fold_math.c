/* Folding operators that make or compute numbers. Nothing is computed with the open batch size: its value is not known.
 */
#include <math.h>
#include <string.h>

#include "engine/io/onnx_ops.h"

static int scalar_or_list(struct pare_onnx_import *import, const struct pare_onnx_node *node, enum pare_onnx_type type,
                          int rank, size_t count, const void *data)
{
	struct pare_onnx_constant out = {.type = type, .rank = rank, .dim = {(int64_t)count}};
	int status = pare_onnx_constant_new(import, &out);
	if (status)
		return status;
	if (count > 0)
		memcpy(out.data, data, count * (type == PARE_ONNX_FLOAT ? sizeof(float) : sizeof(int64_t)));
	return pare_onnx_set_constant(import, node, &out);
}

int pare_onnx_fold_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const Onnx__AttributeProto *found = pare_onnx_attr_find(node, "value");
	if (found && found->t) {
		struct pare_onnx_constant out;
		int status = pare_onnx_constant_load(import, found->t, &out);
		return status ? status : pare_onnx_set_constant(import, node, &out);
	}
	if ((found = pare_onnx_attr_find(node, "value_int")) && found->has_i)
		return scalar_or_list(import, node, PARE_ONNX_INT64, 0, 1, &found->i);
	if ((found = pare_onnx_attr_find(node, "value_float")) && found->has_f)
		return scalar_or_list(import, node, PARE_ONNX_FLOAT, 0, 1, &found->f);
	if ((found = pare_onnx_attr_find(node, "value_ints")))
		return scalar_or_list(import, node, PARE_ONNX_INT64, 1, found->n_ints, found->ints);
	if ((found = pare_onnx_attr_find(node, "value_floats")))
		return scalar_or_list(import, node, PARE_ONNX_FLOAT, 1, found->n_floats, found->floats);
	return pare_error_set(import->error, PARE_E_UNSUPPORTED,
	                      "no attribute value, value_int, value_float, value_ints or value_floats");
}

int pare_onnx_fold_constant_of_shape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *shape;
	struct pare_onnx_constant out = {.type = PARE_ONNX_FLOAT}, fill = {.type = PARE_ONNX_FLOAT};
	const Onnx__AttributeProto *value = pare_onnx_attr_find(node, "value");
	int status = pare_onnx_constant(import, node, 0, PARE_ONNX_INT64, &shape);
	if (!status && value && value->t)
		status = pare_onnx_constant_load(import, value->t, &fill);
	if (status)
		return status;
	if (shape->rank > 1 || shape->count > PARE_ONNX_CONSTANT_RANK || (fill.data && fill.count != 1))
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a shape of %lld dimensions filled with %lld values; at most %d and one",
		                      (long long)shape->count, (long long)fill.count, PARE_ONNX_CONSTANT_RANK);
	out.type = fill.type;
	out.rank = (int)shape->count;
	if (out.rank > 0)
		memcpy(out.dim, shape->ints, (size_t)out.rank * sizeof(*out.dim));
	status = pare_onnx_constant_new(import, &out);
	if (status)
		return status;
	for (int64_t i = 0; fill.data && i < out.count; i++)
		if (out.type == PARE_ONNX_FLOAT)
			out.floats[i] = fill.floats[0];
		else
			out.ints[i] = fill.ints[0];
	return pare_onnx_set_constant(import, node, &out);
}

/* From opset 15 on a part of the shape can be asked for. */
static int shape_part(struct pare_onnx_import *import, const struct pare_onnx_node *node, int rank, const int64_t *dim)
{
	int64_t start, end;
	int status = pare_onnx_attr_int(import, node, "start", 0, &start);
	if (!status)
		status = pare_onnx_attr_int(import, node, "end", rank, &end);
	if (status)
		return status;
	start = start < -rank ? 0 : start < 0 ? start + rank : start > rank ? rank : start;
	end = end < -rank ? 0 : end < 0 ? end + rank : end > rank ? rank : end;
	size_t count = end > start ? (size_t)(end - start) : 0;
	return scalar_or_list(import, node, PARE_ONNX_INT64, 1, count, dim + start);
}

int pare_onnx_fold_shape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	return shape_part(import, node, in->rank, in->dim);
}

int pare_onnx_build_shape(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (status)
		return status;
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	int64_t dim[PARE_MAX_RANK + 1] = {import->batch};
	memcpy(dim + 1, shape->dim, (size_t)shape->rank * sizeof(*dim));
	return shape_part(import, node, shape->rank + 1, dim);
}

static int cast_to_int(struct pare_onnx_import *import, float number, int64_t *out)
{
	/* 2^63 is a float, 2^63 - 1 is not. */
	if (!(number >= -0x1p63f && number < 0x1p63f))
		return pare_error_set(import->error, PARE_E_FORMAT, "%g does not fit an integer", (double)number);
	*out = (int64_t)number;
	return PARE_OK;
}

static int cast_elements(struct pare_onnx_import *import, const struct pare_onnx_constant *in, bool to_bool,
                         const struct pare_onnx_constant *out)
{
	for (int64_t i = 0; i < in->count; i++) {
		bool is_float = in->type == PARE_ONNX_FLOAT;
		int status = PARE_OK;
		if (!is_float && in->ints[i] == PARE_ONNX_BATCH)
			return pare_error_set(import->error, PARE_E_UNSUPPORTED,
			                      "computes with the batch size, which is open");
		if (to_bool)
			out->ints[i] = is_float ? in->floats[i] != 0 : in->ints[i] != 0;
		else if (out->type == PARE_ONNX_FLOAT)
			out->floats[i] = is_float ? in->floats[i] : (float)in->ints[i];
		else if (is_float)
			status = cast_to_int(import, in->floats[i], &out->ints[i]);
		if (status)
			return status;
	}
	return PARE_OK;
}

int pare_onnx_fold_cast(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *in = &node->inputs[0]->constant;
	int64_t to;
	int status = pare_onnx_attr_int(import, node, "to", 0, &to);
	if (status)
		return status;
	bool real = to == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT || to == ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE;
	bool integer = to == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 || to == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
	bool to_bool = to == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL;
	if (!real && !integer && !to_bool)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "a cast to type %lld; FLOAT, DOUBLE, INT32, INT64 and BOOL are supported",
		                      (long long)to);
	struct pare_onnx_constant out = *in;
	out.type = real ? PARE_ONNX_FLOAT : PARE_ONNX_INT64;
	if (out.type == in->type && !to_bool)
		return pare_onnx_set_constant(import, node, in);
	status = pare_onnx_constant_new(import, &out);
	if (!status)
		status = cast_elements(import, in, to_bool, &out);
	return status ? status : pare_onnx_set_constant(import, node, &out);
}

/* Strides of an operand as seen from the broadcast result (https://onnx.ai/onnx/repo-docs/Broadcasting.html). */
static int broadcast(struct pare_onnx_import *import, const struct pare_onnx_constant *in,
                     const struct pare_onnx_constant *out, int64_t *stride)
{
	int64_t own[PARE_ONNX_CONSTANT_RANK];
	int lead = out->rank - in->rank;
	pare_onnx_strides(in, own);
	for (int i = 0; i < out->rank; i++) {
		stride[i] = i < lead || in->dim[i - lead] == 1 ? 0 : own[i - lead];
		if (i >= lead && in->dim[i - lead] != 1 && in->dim[i - lead] != out->dim[i])
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      "dimensions %lld and %lld do not go together",
			                      (long long)in->dim[i - lead], (long long)out->dim[i]);
	}
	return PARE_OK;
}

/* Dimension i of an operand, counted in the result; 1 in front of its own. */
static int64_t dim_or_one(const struct pare_onnx_constant *in, int rank, int i)
{
	int lead = rank - in->rank;
	return i < lead ? 1 : in->dim[i - lead];
}

static int int_arithmetic(struct pare_onnx_import *import, char operation, int64_t a, int64_t b, int64_t *out)
{
	bool failed = false;
	if (a == PARE_ONNX_BATCH || b == PARE_ONNX_BATCH)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "computes with the batch size, which is open");
	switch (operation) {
	case 'A':
		failed = __builtin_add_overflow(a, b, out);
		break;
	case 'S':
		failed = __builtin_sub_overflow(a, b, out);
		break;
	case 'M':
		failed = __builtin_mul_overflow(a, b, out);
		break;
	default:
		failed = b == 0 || (a == INT64_MIN && b == -1);
		*out = failed ? 0 : a / b;
	}
	return failed ? pare_error_set(import->error, PARE_E_FORMAT, "%lld and %lld give no 64-bit integer",
	                               (long long)a, (long long)b)
	              : PARE_OK;
}

static float float_arithmetic(char operation, float a, float b)
{
	return operation == 'A' ? a + b : operation == 'S' ? a - b : operation == 'M' ? a * b : a / b;
}

int pare_onnx_fold_arithmetic(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *a = &node->inputs[0]->constant, *b = &node->inputs[1]->constant;
	struct pare_onnx_constant out = {.type = a->type, .rank = a->rank > b->rank ? a->rank : b->rank};
	int64_t a_stride[PARE_ONNX_CONSTANT_RANK], b_stride[PARE_ONNX_CONSTANT_RANK];
	if (a->type != b->type)
		return pare_error_set(import->error, PARE_E_FORMAT, "one input holds integers, the other real numbers");
	for (int i = 0; i < out.rank; i++) {
		int64_t from_a = dim_or_one(a, out.rank, i), from_b = dim_or_one(b, out.rank, i);
		out.dim[i] = from_a == 1 ? from_b : from_a;
	}
	int status = broadcast(import, a, &out, a_stride);
	if (!status)
		status = broadcast(import, b, &out, b_stride);
	if (!status)
		status = pare_onnx_constant_new(import, &out);
	char operation = node->proto->op_type[0]; /* Add, Sub, Mul, Div */
	for (int64_t i = 0; !status && i < out.count; i++) {
		int64_t at_a = pare_onnx_strided(&out, i, a_stride), at_b = pare_onnx_strided(&out, i, b_stride);
		if (out.type == PARE_ONNX_INT64)
			status = int_arithmetic(import, operation, a->ints[at_a], b->ints[at_b], &out.ints[i]);
		else
			out.floats[i] = float_arithmetic(operation, a->floats[at_a], b->floats[at_b]);
	}
	return status ? status : pare_onnx_set_constant(import, node, &out);
}
