/* Functions of one number, softmax, and operators that do nothing at inference. */
#include <float.h>
#include <math.h>
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

/* Functions without attributes. */
static const struct {
	const char *op_type;
	const struct pare_op *op;
} functions[] = {
        {"Erf", &pare_op_erf},   {"HardSwish", &pare_op_hard_swish},
        {"Relu", &pare_op_relu}, {"Sigmoid", &pare_op_sigmoid},
        {"Sqrt", &pare_op_sqrt}, {"Tanh", &pare_op_tanh},
};

int pare_onnx_build_function(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	size_t i = 0;
	while (strcmp(functions[i].op_type, node->proto->op_type) != 0)
		i++;
	return build_plain(import, node, functions[i].op);
}

static int build_with(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op,
                      const void *attrs)
{
	int value, status = pare_onnx_activation(import, node, 0, &value);
	struct pare_onnx_step step = {.op = op, .attrs = attrs, .inputs = &value, .n_inputs = 1};
	return status ? status : pare_onnx_add_node(import, node, &step);
}

int pare_onnx_build_hard_sigmoid(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_hard_sigmoid attrs;
	int status = pare_onnx_attr_float(import, node, "alpha", 0.2f, &attrs.alpha);
	if (!status)
		status = pare_onnx_attr_float(import, node, "beta", 0.5f, &attrs.beta);
	return status ? status : build_with(import, node, &pare_op_hard_sigmoid, &attrs);
}

int pare_onnx_build_leaky_relu(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_leaky_relu attrs;
	int status = pare_onnx_attr_float(import, node, "alpha", 0.01f, &attrs.slope);
	return status ? status : build_with(import, node, &pare_op_leaky_relu, &attrs);
}

int pare_onnx_build_elu(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	struct pare_elu attrs;
	int status = pare_onnx_attr_float(import, node, "alpha", 1.0f, &attrs.alpha);
	return status ? status : build_with(import, node, &pare_op_elu, &attrs);
}

int pare_onnx_build_gelu(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	char mode[PARE_ONNX_ATTR_TEXT_SIZE];
	int status = pare_onnx_attr_text(import, node, "approximate", "none", mode);
	if (!status && strcmp(mode, "none") != 0)
		status = pare_error_set(import->error, PARE_E_UNSUPPORTED, "approximate is '%s'; 'none' is supported",
		                        mode);
	return status ? status : build_plain(import, node, &pare_op_gelu);
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
	/* The largest number is how exporters say "no bound". */
	struct pare_clip attrs = {low <= -FLT_MAX ? -INFINITY : low, high >= FLT_MAX ? INFINITY : high};
	return build_with(import, node, &pare_op_clip, &attrs);
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

/* Up to opset 12 everything from `axis` on is one vector. */
static int softmax_axis(struct pare_onnx_import *import, const struct pare_onnx_node *node, struct pare_softmax *attrs)
{
	int64_t attr;
	int value, axis, status = pare_onnx_activation(import, node, 0, &value);
	if (!status)
		status = pare_onnx_attr_int(import, node, "axis", import->opset < 13 ? 1 : -1, &attr);
	if (status)
		return status;
	int rank = pare_onnx_shape(import, value)->rank + 1;
	status = pare_onnx_axis(import, attr, rank, &axis);
	if (!status && (axis == 0 || (import->opset < 13 && axis != rank - 1)))
		status = pare_error_set(
		        import->error, PARE_E_UNSUPPORTED,
		        "axis %d of %d; one dimension behind the batch (up to opset 12 the last) is supported", axis,
		        rank);
	attrs->axis = axis - 1;
	return status;
}

int pare_onnx_build_softmax(struct pare_onnx_import *import, const struct pare_onnx_node *node)
{
	bool last = node->output->readers == 1 && strcmp(node->output->name, import->proto->output[0]->name) == 0;
	const char *type = node->proto->op_type;
	struct pare_softmax attrs;
	if (last)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED,
		                      "the network ends in a %s; losses start from logits: export it without", type);
	if (strcmp(type, "Softmax") != 0)
		return pare_error_set(import->error, PARE_E_UNSUPPORTED, "a %s inside the network is not supported",
		                      type);
	int status = softmax_axis(import, node, &attrs);
	return status ? status : build_with(import, node, &pare_op_softmax, &attrs);
}
