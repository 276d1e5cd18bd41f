/* Activations, addition, and operators that do nothing at inference. */
#include <float.h>
#include <string.h>

#include "engine/io/onnx_ops.h"
#include "engine/ops/builders.h"

static int build_plain(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	return status ? status
	              : pare_onnx_add_node(import, node,
	                                   &(struct pare_onnx_step){.op = op, .inputs = &value, .n_inputs = 1});
}

int pare_onnx_build_relu(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	return build_plain(import, node, &pare_op_relu);
}

/* One end of a Clip: an attribute up to opset 10, an optional scalar input from 11 on. */
static int clip_bound(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input, const char *name,
                      float open, float *bound)
{
	if (import->opset < 11)
		return pare_onnx_attr_float(import, node, name, open, bound);
	*bound = open;
	if (!pare_onnx_input(node, input))
		return PARE_OK;
	const struct pare_onnx_constant *constant;
	int status = pare_onnx_constant(import, node, input, PARE_ONNX_FLOAT, &constant);
	if (!status && constant->count != 1)
		status = pare_error_set(import->error, PARE_E_FORMAT, "%s has %lld elements, 1 is needed", name,
		                        (long long)constant->count);
	if (!status)
		*bound = constant->floats[0];
	return status;
}

int pare_onnx_build_clip(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	float low, high;
	int status = clip_bound(import, node, 1, "min", -FLT_MAX, &low);
	if (!status)
		status = clip_bound(import, node, 2, "max", FLT_MAX, &high);
	if (status)
		return status;
	if (low == 0 && high == 6)
		return build_plain(import, node, &pare_op_relu6);
	if (low == 0 && high >= FLT_MAX)
		return build_plain(import, node, &pare_op_relu);
	return pare_error_set(import->error, PARE_E_UNSUPPORTED,
	                      "clips to [%g, %g]; [0, 6] (ReLU6) and [0, infinity) (ReLU) are supported", (double)low,
	                      (double)high);
}

/* A bias in a node of its own (MatMul + Add, or a convolution's): one number per channel, the same for every pixel. */
static bool is_channel_vector(const struct pare_onnx_constant *constant, const struct pare_shape *shape)
{
	int behind = shape->rank - 1; /* dimensions behind the channels */
	if (constant->count != shape->dim[0] || constant->rank > shape->rank + 1)
		return false;
	for (int i = 0; i < constant->rank; i++)
		if (constant->dim[i] != (i == constant->rank - 1 - behind ? shape->dim[0] : 1))
			return false;
	return true;
}

/* The operator that made the value can take a bias, has none, and nobody else reads its output. */
static bool takes_bias(const struct pare_onnx_import *import, const struct pare_onnx_value *in)
{
	const struct pare_value *value = &import->graph->values[in->value];
	if (value->producer < 0 || in->readers != 1 || strcmp(value->name, in->name) != 0)
		return false;
	const struct pare_node *producer = &import->graph->nodes[value->producer];
	return (producer->op == &pare_op_linear || producer->op == &pare_op_conv2d) && producer->n_params == 1;
}

static int add_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_onnx_value *in,
                        struct pare_onnx_value *bias)
{
	const struct pare_shape *shape = pare_onnx_shape(import, in->value);
	int param;
	if (!takes_bias(import, in) || bias->constant.type != PARE_ONNX_FLOAT ||
	    !is_channel_vector(&bias->constant, shape))
		return pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "adds the constant '%.100s', which is not the bias of the Conv or MatMul before it",
		        bias->name);
	int status = pare_onnx_vector(import, bias, PARE_PARAM_BIAS, shape->dim[0], &param);
	return status ? status : pare_onnx_absorb(import, node, in->value, param);
}

int pare_onnx_build_add(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_onnx_value *a = node->inputs[0], *b = node->inputs[1];
	if (b->kind == PARE_ONNX_CONSTANT)
		return add_constant(import, node, a, b);
	if (a->kind == PARE_ONNX_CONSTANT)
		return add_constant(import, node, b, a);
	int inputs[2] = {a->value, b->value};
	return pare_onnx_add_node(import, node,
	                          &(struct pare_onnx_step){.op = &pare_op_add, .inputs = inputs, .n_inputs = 2});
}

int pare_onnx_build_identity(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	return status ? status : pare_onnx_alias(import, node, value);
}

int pare_onnx_build_dropout(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	const struct pare_onnx_constant *training;
	if (pare_onnx_input(node, 2)) {
		int status = pare_onnx_constant(import, node, 2, PARE_ONNX_INT64, &training);
		if (status)
			return status;
		if (training->count != 1 || training->ints[0])
			return pare_error_set(import->error, PARE_E_UNSUPPORTED,
			                      "it is in training form; export the network in evaluation mode");
	}
	return pare_onnx_build_identity(import, node);
}

int pare_onnx_build_softmax(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	bool last = node->output->readers == 1 && strcmp(node->output->name, import->proto->output[0]->name) == 0;
	const char *type = node->proto->op_type;
	return last ? pare_error_set(import->error, PARE_E_UNSUPPORTED,
	                             "the network ends in a %s; losses start from logits: export it without", type)
	            : pare_error_set(import->error, PARE_E_UNSUPPORTED, "a %s inside the network is not supported",
	                             type);
}
