/*
 * Operators that opset 13 has no name for, as ONNX nodes. ONNX Runtime knows these spellings, too, and fuses them.
 */
#include <math.h>

#include "engine/io/onnx_export.h"
#include "engine/ops/builders.h"

/* A node between the first and the last: "<node>/<what>". Returns its output's name, NULL when out of memory. */
static char *inner(struct pare_onnx_export *export, const struct pare_node *node, const char *op_type, const char *what,
                   int n_inputs, char *const *inputs, Onnx__NodeProto **out)
{
	char *name = pare_onnx_inner_name(export, node->name, what);
	*out = pare_onnx_put_node(export, op_type, name, n_inputs, inputs, name);
	return *out ? name : NULL;
}

/* One with a constant second input. */
static char *inner_number(struct pare_onnx_export *export, const struct pare_node *node, const char *op_type,
                          const char *what, char *input, float number)
{
	Onnx__NodeProto *out;
	char *name = inner(export, node, op_type, what, 1, &input, &out);
	if (name)
		pare_onnx_put_scalar_input(export, out, "number", number);
	return name;
}

static char *input_of(const struct pare_onnx_export *export, const struct pare_node *node)
{
	return export->graph->values[node->inputs[0]].name;
}

static char *output_of(const struct pare_onnx_export *export, const struct pare_node *node)
{
	return export->graph->values[node->output].name;
}

static char *param_of(const struct pare_onnx_export *export, const struct pare_node *node, int param)
{
	return export->param_names[node->params[param]];
}

static void spell_gated(struct pare_onnx_export *export, const struct pare_node *node, const char *gate,
                        const char *what, bool swish)
{
	char *inputs[2] = {input_of(export, node)};
	Onnx__NodeProto *out;
	inputs[1] = inner(export, node, gate, what, 1, inputs, &out);
	if (!inputs[1])
		return;
	if (swish) {
		pare_onnx_put_float(export, out, "alpha", 1.0f / 6.0f);
		pare_onnx_put_float(export, out, "beta", 0.5f);
	}
	pare_onnx_put_node(export, "Mul", node->name, 2, inputs, output_of(export, node));
}

void pare_onnx_spell_silu(struct pare_onnx_export *export, const struct pare_node *node)
{
	spell_gated(export, node, "Sigmoid", "sigmoid", false);
}

void pare_onnx_spell_hard_swish(struct pare_onnx_export *export, const struct pare_node *node)
{
	spell_gated(export, node, "HardSigmoid", "hard_sigmoid", true);
}

void pare_onnx_spell_gelu(struct pare_onnx_export *export, const struct pare_node *node)
{
	char *x = input_of(export, node), *name, *pair[2] = {x};
	Onnx__NodeProto *out;
	name = inner_number(export, node, "Div", "divide", x, (float)M_SQRT2);
	if (name)
		name = inner(export, node, "Erf", "erf", 1, &name, &out);
	if (name)
		name = inner_number(export, node, "Add", "add", name, 1.0f);
	pair[1] = name;
	if (name)
		name = inner(export, node, "Mul", "multiply", 2, pair, &out);
	if (!name)
		return;
	out = pare_onnx_put_node(export, "Mul", node->name, 1, &name, output_of(export, node));
	if (out)
		pare_onnx_put_scalar_input(export, out, "half", 0.5f);
}

void pare_onnx_spell_affine(struct pare_onnx_export *export, const struct pare_node *node)
{
	const struct pare_affine_scalar *attrs = node->attrs;
	bool adds = attrs->addend != 0, multiplies = attrs->factor != 1 || !adds;
	char *name = input_of(export, node), *end = output_of(export, node);
	Onnx__NodeProto *out;
	if (multiplies) {
		char *product = adds ? pare_onnx_inner_name(export, node->name, "product") : end;
		out = pare_onnx_put_node(export, "Mul", node->name, 1, &name, product);
		if (!out)
			return;
		pare_onnx_put_scalar_input(export, out, "factor", attrs->factor);
		name = product;
	}
	if (!adds)
		return;
	char *sum = multiplies ? pare_onnx_inner_name(export, node->name, "add") : node->name;
	out = pare_onnx_put_node(export, "Add", sum, 1, &name, end);
	if (out)
		pare_onnx_put_scalar_input(export, out, "addend", attrs->addend);
}

/* A node with the first parameter, called like ours, and an Add with the second if there is one. */
static void put_with_bias(struct pare_onnx_export *export, const struct pare_node *node, const char *op_type,
                          char *input)
{
	char *pair[2] = {input, param_of(export, node, 0)}, *end = output_of(export, node);
	if (node->n_params == 1) {
		pare_onnx_put_node(export, op_type, node->name, 2, pair, end);
		return;
	}
	char *product = pare_onnx_inner_name(export, node->name, "product");
	pare_onnx_put_node(export, op_type, node->name, 2, pair, product);
	pair[0] = product;
	pair[1] = param_of(export, node, 1);
	pare_onnx_put_node(export, "Add", pare_onnx_inner_name(export, node->name, "add"), 2, pair, end);
}

void pare_onnx_spell_scale(struct pare_onnx_export *export, const struct pare_node *node)
{
	put_with_bias(export, node, "Mul", input_of(export, node));
}

static char *inner_mean(struct pare_onnx_export *export, const struct pare_node *node, const char *what, char *input,
                        int axis)
{
	Onnx__NodeProto *out;
	char *name = inner(export, node, "ReduceMean", what, 1, &input, &out);
	if (!name)
		return NULL;
	pare_onnx_put_ints(export, out, "axes", (int64_t[]){axis + 1}, 1);
	pare_onnx_put_int(export, out, "keepdims", 1);
	return name;
}

void pare_onnx_spell_layer_norm(struct pare_onnx_export *export, const struct pare_node *node)
{
	const struct pare_layer_norm *attrs = node->attrs;
	char *pair[2] = {input_of(export, node)}, *name;
	Onnx__NodeProto *out;
	pair[1] = inner_mean(export, node, "mean", pair[0], attrs->axis);
	pair[0] = pair[1] ? inner(export, node, "Sub", "subtract", 2, pair, &out) : NULL;
	name = pair[0] ? inner_number(export, node, "Pow", "square", pair[0], 2.0f) : NULL;
	if (name)
		name = inner_mean(export, node, "variance", name, attrs->axis);
	if (name)
		name = inner_number(export, node, "Add", "epsilon", name, attrs->epsilon);
	pair[1] = name ? inner(export, node, "Sqrt", "root", 1, &name, &out) : NULL;
	name = pair[1] ? inner(export, node, "Div", "divide", 2, pair, &out) : NULL;
	if (name)
		put_with_bias(export, node, "Mul", name);
}

/* Vectors are a Gemm; along the last of several dimensions it is a MatMul and an Add. */
void pare_onnx_spell_linear(struct pare_onnx_export *export, const struct pare_node *node)
{
	if (pare_node_input_shape(export->graph, node, 0)->rank > 1) {
		put_with_bias(export, node, "MatMul", input_of(export, node));
		return;
	}
	char *inputs[3] = {input_of(export, node)};
	for (int i = 0; i < node->n_params; i++)
		inputs[i + 1] = param_of(export, node, i);
	Onnx__NodeProto *out =
	        pare_onnx_put_node(export, "Gemm", node->name, node->n_params + 1, inputs, output_of(export, node));
	if (out)
		pare_onnx_put_int(export, out, "transB", 1);
}

/* Shapes are aligned at the last dimension: a vector along an earlier one needs ones behind it. */
static int trailing(const struct pare_graph *graph, const struct pare_node *node, int axis)
{
	int behind = pare_node_input_shape(graph, node, 0)->rank - 1 - axis;
	return behind ? PARE_ONNX_TRAILING + behind : PARE_ONNX_AS_IT_IS;
}

int pare_onnx_form_scale(const struct pare_graph *graph, const struct pare_node *node, int param)
{
	(void)param;
	return trailing(graph, node, ((const struct pare_scale *)node->attrs)->axis);
}

int pare_onnx_form_layer_norm(const struct pare_graph *graph, const struct pare_node *node, int param)
{
	(void)param;
	return trailing(graph, node, ((const struct pare_layer_norm *)node->attrs)->axis);
}

int pare_onnx_form_linear(const struct pare_graph *graph, const struct pare_node *node, int param)
{
	return param == 0 && pare_node_input_shape(graph, node, 0)->rank > 1 ? PARE_ONNX_TURNED : PARE_ONNX_AS_IT_IS;
}
