/* Fully connected layers, Gemm and MatMul by a constant, and layer normalisation. */
#include "engine/base/memory.h"
#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

/* [in][out] into [out][in]. */
static float *transposed(struct pare_onnx_import *import, const struct pare_onnx_constant *weight)
{
	int64_t in = weight->dim[0], out = weight->dim[1];
	float *data = pare_onnx_take(import, (size_t)weight->count, sizeof(*data));
	for (int64_t i = 0; data && i < in; i++)
		for (int64_t j = 0; j < out; j++)
			data[j * in + i] = weight->floats[i * out + j];
	return data;
}

/* The weight as [out][in]; one that had to be turned is not tied to other uses of the same initialiser. */
static int linear_weight(struct pare_onnx_import *import, const struct pare_onnx_node *node, bool is_transposed,
                         int64_t *out_features, int *param)
{
	const struct pare_onnx_constant *weight;
	int status = pare_onnx_constant(import, node, 1, PARE_ONNX_FLOAT, &weight);
	if (status)
		return status;
	if (weight->rank != 2)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "its weight has %d dimensions; 2 are supported", weight->rank);
	float *turned = is_transposed ? NULL : transposed(import, weight);
	if (!is_transposed && !turned)
		return import->arena.status;
	*out_features = weight->dim[is_transposed ? 0 : 1];
	struct pare_shape shape = {.rank = 2, .dim = {*out_features, weight->dim[is_transposed ? 1 : 0]}};
	return pare_onnx_weight(import, node->inputs[1], &shape, turned, param);
}

static int add_linear(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, const int *params,
                      int n_params)
{
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = &pare_op_linear,
	                                                   .inputs = &value,
	                                                   .n_inputs = 1,
	                                                   .params = params,
	                                                   .n_params = n_params});
}

static int check_gemm(struct pare_onnx_import *import, const struct pare_onnx_node *node, int64_t *trans_b)
{
	int64_t trans_a;
	float alpha, beta;
	int status = pare_onnx_attr_int(import, node, "transA", 0, &trans_a);
	if (!status)
		status = pare_onnx_attr_int(import, node, "transB", 0, trans_b);
	if (!status)
		status = pare_onnx_attr_float(import, node, "alpha", 1, &alpha);
	if (!status)
		status = pare_onnx_attr_float(import, node, "beta", 1, &beta);
	if (status)
		return status;
	bool scaled = alpha != 1 || (beta != 1 && pare_onnx_input(node, 2));
	if (trans_a || scaled)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "transA %lld, alpha %g, beta %g; 0, 1 and 1 are supported", (long long)trans_a,
		                      (double)alpha, (double)beta);
	return PARE_OK;
}

int pare_onnx_build_gemm(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *bias;
	int64_t trans_b, out_features;
	int value, params[2], n_params = pare_onnx_input(node, 2) ? 2 : 1;
	int status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = check_gemm(import, node, &trans_b);
	if (!status)
		status = linear_weight(import, node, trans_b != 0, &out_features, &params[0]);
	if (!status && n_params == 2)
		status = pare_onnx_constant(import, node, 2, PARE_ONNX_FLOAT, &bias);
	if (!status && n_params == 2)
		status = pare_onnx_vector(import, node->inputs[2], PARE_PARAM_BIAS, out_features, &params[1]);
	if (!status && pare_onnx_shape(import, value)->rank != 1)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "its input has %d dimensions; vectors [N, features] are supported",
		                        pare_onnx_shape(import, value)->rank + 1);
	return status ? status : add_linear(import, node, value, params, n_params);
}

int pare_onnx_build_mat_mul(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t out_features;
	int value, param, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = linear_weight(import, node, false, &out_features, &param);
	return status ? status : add_linear(import, node, value, &param, 1);
}

static int layer_norm_params(struct pare_onnx_import *import, const struct pare_onnx_node *node, int64_t features,
                             int *params)
{
	static const enum pare_param_role roles[2] = {PARE_PARAM_BN_SCALE, PARE_PARAM_BN_SHIFT};
	const struct pare_shape shape = pare_shape_vector(features);
	const struct pare_onnx_constant *vector;
	for (int i = 0; i < 2; i++) {
		int status = PARE_OK;
		if (pare_onnx_input(node, 1 + i)) {
			status = pare_onnx_constant(import, node, 1 + i, PARE_ONNX_FLOAT, &vector);
			if (!status)
				status = pare_onnx_vector(import, node->inputs[1 + i], roles[i], features, &params[i]);
		} else {
			status = pare_onnx_new_param(import, node, "bias", roles[i], &shape, 0, &params[i]);
		}
		if (status)
			return status;
	}
	return PARE_OK;
}

/* Opset 17; before that it is spelt out (onnx_merge.c). */
int pare_onnx_build_layer_norm(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int64_t attr;
	struct pare_layer_norm attrs;
	int value, axis, params[2], status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_attr_int(import, node, "axis", -1, &attr);
	if (!status)
		status = pare_onnx_attr_float(import, node, "epsilon", 1e-5f, &attrs.epsilon);
	if (status)
		return status;
	const struct pare_shape *shape = pare_onnx_shape(import, value);
	status = pare_onnx_axis(import, attr, shape->rank + 1, &axis);
	if (!status && axis != shape->rank)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                        "from axis %d of %d on; only the last dimension is supported", axis,
		                        shape->rank + 1);
	attrs.axis = axis - 1;
	if (!status)
		status = layer_norm_params(import, node, shape->dim[shape->rank - 1], params);
	return status ? status
	              : pare_onnx_add_node(import, node,
	                                   &(struct pare_onnx_step){.op = &pare_op_layer_norm,
	                                                            .attrs = &attrs,
	                                                            .inputs = &value,
	                                                            .n_inputs = 1,
	                                                            .params = params,
	                                                            .n_params = 2});
}
