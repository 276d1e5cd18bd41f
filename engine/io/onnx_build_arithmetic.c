/*
 * Add, Sub, Mul, Div and Pow where an input depends on the graph's. Two activations are one of our binary operators.
 * With a constant it is one number               affine_scalar (pow for Pow) a vector, [C, 1, 1]      scale with one
 * number for each index of that dimension; behind a Conv, Gemm, MatMul or Mul by a vector that has no bias yet: its
 * bias
 */
#include <math.h>
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

/* Which dimension of the activation a constant has one number for each index of; -1 when it is anything else. Shapes
 * are aligned at their last dimension, and the activation's first in the file is the batch. */
static int vector_axis(const struct pare_onnx_constant *constant, const struct pare_shape *shape)
{
	int axis = -1, lead = shape->rank + 1 - constant->rank;
	if (lead < 0)
		return -1;
	for (int i = 0; i < constant->rank; i++) {
		if (constant->dim[i] == 1)
			continue;
		int d = i + lead - 1;
		if (axis >= 0 || d < 0 || constant->dim[i] != shape->dim[d])
			return -1;
		axis = d;
	}
	return axis;
}

/* A layer of one channel has a bias of one number: its place in the constant says nothing. */
static int bias_axis(const struct pare_node *producer, const struct pare_shape *shape)
{
	if (producer->op == &pare_op_conv2d)
		return 0;
	if (producer->op == &pare_op_linear)
		return shape->rank - 1;
	if (producer->op == &pare_op_scale)
		return ((const struct pare_scale *)producer->attrs)->axis;
	return -1;
}

/* The node that made the value, when nobody else reads it; NULL otherwise. */
static struct pare_node *sole_producer(const struct pare_onnx_import *import, const struct pare_onnx_value *in)
{
	const struct pare_value *value = &import->graph->values[in->value];
	if (value->producer < 0 || in->readers != 1 || strcmp(value->name, in->name) != 0)
		return NULL;
	return &import->graph->nodes[value->producer];
}

static bool takes_bias(const struct pare_onnx_import *import, const struct pare_onnx_value *in,
                       const struct pare_onnx_constant *bias)
{
	const struct pare_shape *shape = pare_onnx_shape(import, in->value);
	const struct pare_node *producer = sole_producer(import, in);
	int axis = producer && producer->n_params == 1 ? bias_axis(producer, shape) : -1;
	if (axis < 0 || bias->count != shape->dim[axis] || bias->rank > shape->rank + 1)
		return false;
	return bias->count == 1 || vector_axis(bias, shape) == axis;
}

static int add_bias(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                    struct pare_onnx_value *bias)
{
	const struct pare_node *producer = sole_producer(import, in);
	enum pare_param_role role = producer->op == &pare_op_scale ? PARE_PARAM_BN_SHIFT : PARE_PARAM_BIAS;
	int param, status = pare_onnx_vector(import, bias, role, bias->constant.count, &param);
	return status ? status : pare_onnx_absorb(import, node, in->value, param);
}

static int add_affine(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                      float factor, float addend)
{
	struct pare_node *producer = sole_producer(import, in);
	struct pare_affine_scalar attrs = {factor, addend};
	if (!isfinite(factor) || !isfinite(addend))
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "computes %g * x + %g", (double)factor,
		                      (double)addend);
	if (factor == 1 && producer && producer->op == &pare_op_affine_scalar &&
	    ((struct pare_affine_scalar *)producer->attrs)->addend == 0) {
		((struct pare_affine_scalar *)producer->attrs)->addend = addend;
		return pare_onnx_absorb(import, node, in->value, -1);
	}
	return pare_onnx_add_node(
	        import, node,
	        &(struct pare_onnx_step){
	                .op = &pare_op_affine_scalar, .attrs = &attrs, .inputs = &in->value, .n_inputs = 1});
}

/* `factors` and `addends`: [count], NULL = ones and none. */
static int add_scale(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, int axis,
                     struct pare_onnx_value *factors, struct pare_onnx_value *addends)
{
	const struct pare_shape shape = pare_shape_vector(pare_onnx_shape(import, value)->dim[axis]);
	int params[2], status;
	if (factors) {
		status = pare_onnx_vector(import, factors, PARE_PARAM_BN_SCALE, shape.dim[0], &params[0]);
	} else {
		status = pare_onnx_new_param(import, node, "weight", PARE_PARAM_BN_SCALE, &shape, 1, &params[0]);
	}
	if (!status && addends)
		status = pare_onnx_vector(import, addends, PARE_PARAM_BN_SHIFT, shape.dim[0], &params[1]);
	return status ? status
	              : pare_onnx_add_node(import, node,
	                                   &(struct pare_onnx_step){.op = &pare_op_scale,
	                                                            .attrs = &(struct pare_scale){axis},
	                                                            .inputs = &value,
	                                                            .n_inputs = 1,
	                                                            .params = params,
	                                                            .n_params = addends ? 2 : 1});
}

/* A vector that is computed: -c for x - c, 1 / c for x / c. */
static int changed(struct pare_onnx_import *import, char operation, struct pare_onnx_value *value,
                   struct pare_onnx_value *out)
{
	const struct pare_onnx_constant *from = &value->constant;
	*out = *value;
	int status = pare_onnx_constant_new(import, &out->constant);
	for (int64_t i = 0; !status && i < from->count; i++)
		out->constant.floats[i] = operation == 'S' ? -from->floats[i] : 1.0f / from->floats[i];
	return status;
}

static int with_vector(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                       struct pare_onnx_value *vector, int axis)
{
	char operation = node->proto->op_type[0];
	struct pare_onnx_value computed;
	int status = PARE_OK;
	if (operation == 'S' || operation == 'D') {
		status = changed(import, operation, vector, &computed);
		vector = &computed;
	}
	bool adds = operation == 'A' || operation == 'S';
	return status ? status : add_scale(import, node, in->value, axis, adds ? NULL : vector, adds ? vector : NULL);
}

static int refuse(struct pare_onnx_import *import, const struct pare_onnx_value *in,
                  const struct pare_onnx_value *constant)
{
	char found[128], image[96];
	return pare_error_set(
	        import->error, PARE_E_UNSUPPORTED,
	        "the constant '%.100s' of shape %s with images of %s; one number, or one for each index of one "
	        "dimension is supported",
	        constant->name,
	        pare_onnx_ints_text(constant->constant.dim, (size_t)constant->constant.rank, found, sizeof(found)),
	        pare_shape_text(pare_onnx_shape(import, in->value), image, sizeof(image)));
}

/* One number c; `swapped`: c - x rather than x - c. */
static int with_number(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                       float c, bool swapped)
{
	switch (node->proto->op_type[0]) {
	case 'A':
		return add_affine(import, node, in, 1, c);
	case 'S':
		return add_affine(import, node, in, swapped ? -1 : 1, swapped ? c : -c);
	case 'M':
		return add_affine(import, node, in, c, 0);
	default:
		return add_affine(import, node, in, 1.0f / c, 0);
	}
}

static int with_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                         struct pare_onnx_value *constant, bool swapped)
{
	const struct pare_onnx_constant *c = &constant->constant;
	const struct pare_shape *shape = pare_onnx_shape(import, in->value);
	char operation = node->proto->op_type[0];
	if (c->type != PARE_ONNX_FLOAT)
		return pare_error_set(import->error, PARE_E_FORMAT, "the constant '%.100s' holds integers",
		                      constant->name);
	if (swapped && operation == 'D')
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "divides the constant '%.100s'",
		                      constant->name);
	if (operation == 'A' && takes_bias(import, in, c))
		return add_bias(import, node, in, constant);
	if (c->count == 1 && c->rank <= shape->rank + 1)
		return with_number(import, node, in, c->floats[0], swapped);
	int axis = vector_axis(c, shape);
	if (axis < 0 || (swapped && operation == 'S'))
		return refuse(import, in, constant);
	return with_vector(import, node, in, constant, axis);
}

static const struct pare_op *binary_op(char operation)
{
	return operation == 'A'   ? &pare_op_add
	       : operation == 'S' ? &pare_op_sub
	       : operation == 'M' ? &pare_op_mul
	                          : &pare_op_div;
}

int pare_onnx_build_arithmetic(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_onnx_value *a = node->inputs[0], *b = node->inputs[1];
	if (b->kind == PARE_ONNX_CONSTANT)
		return with_constant(import, node, a, b, false);
	if (a->kind == PARE_ONNX_CONSTANT)
		return with_constant(import, node, b, a, true);
	int inputs[2] = {a->value, b->value};
	const struct pare_op *op = binary_op(node->proto->op_type[0]);
	struct pare_onnx_step step = {
	        .op = op, .attrs = op->attrs_bytes ? &(struct pare_spread){0} : NULL, .inputs = inputs, .n_inputs = 2};
	return pare_onnx_add_node(import, node, &step);
}

int pare_onnx_build_pow(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *exponent;
	struct pare_pow attrs;
	int value, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_constant(import, node, 1, node->inputs[1]->constant.type, &exponent);
	if (status)
		return status;
	if (exponent->count != 1)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "%lld exponents; one is supported",
		                      (long long)exponent->count);
	attrs.exponent = exponent->type == PARE_ONNX_FLOAT ? exponent->floats[0] : (float)exponent->ints[0];
	return pare_onnx_add_node(
	        import, node,
	        &(struct pare_onnx_step){.op = &pare_op_pow, .attrs = &attrs, .inputs = &value, .n_inputs = 1});
}
