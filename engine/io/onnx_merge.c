/*
 * Functions that files spell out (opset 13 has no names for them) become one operator each, where the spelling is
 * exactly this one and nobody reads what is in between:
 *
 *     silu        x * sigmoid(x)
 *     hard_swish  x * hard_sigmoid(x), with 1/6 and 1/2
 *     gelu        0.5 * (x * (1 + erf(x / sqrt(2))))  or  (0.5 * x) * (1 + erf(x / sqrt(2)))
 *     layer_norm  d / sqrt(mean(d^2) + epsilon) * scale + shift,  d = x - mean(x), means over the dimension that scale
 *                 and shift belong to
 *
 * The operator takes the name of the last node. Everything else keeps its place.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/io/onnx_import.h"
#include "engine/ops/builders.h"

#define MERGED_MOST 8 /* nodes in front of the last one */

struct merge {
	const struct pare_graph *graph;
	int *readers;        /* [n_values] */
	bool *gone;          /* [n_nodes] */
	struct match *match; /* [n_nodes] at the last node of each */
	int n_matches;
};

struct match {
	const struct pare_op *op; /* NULL = none */
	struct pare_layer_norm layer_norm;
	int input;              /* value */
	int inner[MERGED_MOST]; /* nodes in between */
	int n_inner;
};

/* The node of this operator that made a value, counted among those in between, which nobody else may read `readers`
 * times; NULL otherwise. */
static const struct pare_node *made_by(const struct merge *merge, struct match *match, int value,
                                       const struct pare_op *op, int readers)
{
	const struct pare_graph *graph = merge->graph;
	int producer = graph->values[value].producer;
	if (producer < 0 || graph->nodes[producer].op != op || merge->readers[value] != readers ||
	    match->n_inner == MERGED_MOST)
		return NULL;
	match->inner[match->n_inner++] = producer;
	return &graph->nodes[producer];
}

static bool close_to(float found, double wanted)
{
	return fabs((double)found - wanted) <= 1e-6 * fabs(wanted);
}

static bool is_affine(const struct pare_node *node, double factor, double addend)
{
	const struct pare_affine_scalar *attrs = node->attrs;
	return close_to(attrs->factor, factor) && close_to(attrs->addend, addend);
}

/* x * f(x) in either order. */
static bool match_gated(const struct merge *merge, const struct pare_node *node, const struct pare_op *gate,
                        struct match *match)
{
	for (int i = 0; i < 2 && node->op == &pare_op_mul; i++) {
		const struct pare_node *found;
		match->n_inner = 0;
		match->input = node->inputs[i];
		found = made_by(merge, match, node->inputs[1 - i], gate, 1);
		if (found && found->inputs[0] == match->input)
			return true;
	}
	return false;
}

static bool match_silu(const struct merge *merge, const struct pare_node *node, struct match *match)
{
	match->op = &pare_op_silu;
	return match_gated(merge, node, &pare_op_sigmoid, match);
}

static bool match_hard_swish(const struct merge *merge, const struct pare_node *node, struct match *match)
{
	match->op = &pare_op_hard_swish;
	if (!match_gated(merge, node, &pare_op_hard_sigmoid, match))
		return false;
	const struct pare_hard_sigmoid *attrs = merge->graph->nodes[match->inner[0]].attrs;
	return close_to(attrs->alpha, 1.0 / 6.0) && attrs->beta == 0.5f;
}

/* value = 1 + erf(x / sqrt(2)); gives x, or -1. */
static int twice_normal(const struct merge *merge, struct match *match, int value)
{
	const struct pare_node *one = made_by(merge, match, value, &pare_op_affine_scalar, 1);
	const struct pare_node *erf = one ? made_by(merge, match, one->inputs[0], &pare_op_erf, 1) : NULL;
	const struct pare_node *half = erf ? made_by(merge, match, erf->inputs[0], &pare_op_affine_scalar, 1) : NULL;
	return half && is_affine(one, 1, 1) && is_affine(half, M_SQRT1_2, 0) ? half->inputs[0] : -1;
}

/* The factor 0.5 stands at the end, or at x. */
static bool match_gelu(const struct merge *merge, const struct pare_node *node, struct match *match)
{
	match->op = &pare_op_gelu;
	bool outside = node->op == &pare_op_affine_scalar && is_affine(node, 0.5, 0);
	for (int i = 0; i < 2; i++) {
		match->n_inner = 0;
		const struct pare_node *product =
		        outside ? made_by(merge, match, node->inputs[0], &pare_op_mul, 1) : node;
		if (!product || product->op != &pare_op_mul)
			return false;
		match->input = twice_normal(merge, match, product->inputs[1 - i]);
		if (match->input >= 0 && outside && product->inputs[i] == match->input)
			return true;
		if (match->input < 0 || outside)
			continue;
		const struct pare_node *half = made_by(merge, match, product->inputs[i], &pare_op_affine_scalar, 1);
		if (half && is_affine(half, 0.5, 0) && half->inputs[0] == match->input)
			return true;
	}
	return false;
}

static bool is_mean(const struct pare_node *node, int axis)
{
	const struct pare_reduce_mean *attrs = node->attrs;
	return attrs->keep_dims && attrs->axes == 1 << axis;
}

/* d^2 as a power or a product; gives d, or -1. */
static int squared(const struct merge *merge, struct match *match, int value)
{
	const struct pare_node *power = made_by(merge, match, value, &pare_op_pow, 1);
	if (power)
		return ((const struct pare_pow *)power->attrs)->exponent == 2 ? power->inputs[0] : -1;
	const struct pare_node *product = made_by(merge, match, value, &pare_op_mul, 1);
	return product && product->inputs[0] == product->inputs[1] ? product->inputs[0] : -1;
}

static bool match_layer_norm(const struct merge *merge, const struct pare_node *node, struct match *match)
{
	match->op = &pare_op_layer_norm;
	match->n_inner = 0;
	if (node->op != &pare_op_scale || node->n_params != 2)
		return false;
	int axis = ((const struct pare_scale *)node->attrs)->axis;
	const struct pare_node *quotient = made_by(merge, match, node->inputs[0], &pare_op_div, 1);
	const struct pare_node *root = quotient ? made_by(merge, match, quotient->inputs[1], &pare_op_sqrt, 1) : NULL;
	const struct pare_node *sum = root ? made_by(merge, match, root->inputs[0], &pare_op_affine_scalar, 1) : NULL;
	const struct pare_node *variance = sum ? made_by(merge, match, sum->inputs[0], &pare_op_reduce_mean, 1) : NULL;
	int d = variance && is_mean(variance, axis) ? squared(merge, match, variance->inputs[0]) : -1;
	if (d < 0 || d != quotient->inputs[0])
		return false;
	const struct pare_node *difference = made_by(merge, match, d, &pare_op_sub, 2);
	const struct pare_node *mean =
	        difference ? made_by(merge, match, difference->inputs[1], &pare_op_reduce_mean, 1) : NULL;
	if (!mean || !is_mean(mean, axis) || mean->inputs[0] != difference->inputs[0])
		return false;
	const struct pare_affine_scalar *epsilon = sum->attrs;
	match->layer_norm = (struct pare_layer_norm){axis, epsilon->addend};
	match->input = mean->inputs[0];
	return epsilon->factor == 1 && epsilon->addend > 0;
}

static void find_matches(struct merge *merge)
{
	static bool (*const matchers[])(const struct merge *, const struct pare_node *,
	                                struct match *) = {match_silu, match_hard_swish, match_gelu, match_layer_norm};
	for (int n = 0; n < merge->graph->n_nodes; n++)
		for (size_t i = 0; i < sizeof(matchers) / sizeof(*matchers) && !merge->match[n].op; i++) {
			struct match match = {0};
			if (!matchers[i](merge, &merge->graph->nodes[n], &match))
				continue;
			merge->match[n] = match;
			merge->n_matches++;
			for (int k = 0; k < match.n_inner; k++)
				merge->gone[match.inner[k]] = true;
		}
}

/* How often a value is read, by the same node twice counted once; the graph's output is one more. */
static void count_readers(struct merge *merge)
{
	const struct pare_graph *graph = merge->graph;
	merge->readers[graph->output]++;
	for (int n = 0; n < graph->n_nodes; n++)
		for (int i = 0; i < graph->nodes[n].n_inputs; i++) {
			const int *inputs = graph->nodes[n].inputs;
			merge->readers[inputs[i]] += i == 0 || inputs[i] != inputs[i - 1];
		}
}

/* Moves the numbers rather than copying them: a network's weights are held once, also on the way. */
static int move_params(struct pare_graph *from, struct pare_graph *to, struct pare_error *error)
{
	for (int i = 0; i < from->n_params; i++) {
		struct pare_param *param = &from->params[i];
		int index,
		        status = pare_graph_add_param(to, param->name, param->role, &param->shape, NULL, &index, error);
		if (status)
			return status;
		float *zeros = to->params[index].data;
		to->params[index].data = param->data;
		param->data = NULL;
		free(zeros);
	}
	return PARE_OK;
}

static int copy_node(const struct merge *merge, int n, struct pare_graph *to, int *value_map, int *inputs,
                     struct pare_error *error)
{
	const struct pare_node *node = &merge->graph->nodes[n];
	const struct match *match = &merge->match[n];
	struct pare_node_spec spec = {.name = node->name,
	                              .op = match->op ? match->op : node->op,
	                              .attrs = match->op ? (const void *)&match->layer_norm : node->attrs,
	                              .inputs = inputs,
	                              .n_inputs = match->op ? 1 : node->n_inputs,
	                              .params = node->params,
	                              .n_params = node->n_params,
	                              .output_name = merge->graph->values[node->output].name};
	if (spec.op->attrs_bytes == 0)
		spec.attrs = NULL;
	for (int i = 0; i < spec.n_inputs; i++)
		inputs[i] = value_map[match->op ? match->input : node->inputs[i]];
	return pare_graph_add_node(to, &spec, &value_map[node->output], error);
}

static int rebuild(const struct merge *merge, struct pare_graph *from, struct pare_graph **merged,
                   struct pare_error *error)
{
	const struct pare_value *input = &from->values[from->input];
	struct pare_graph *to = pare_graph_new(from->name, input->shape, input->name);
	int *value_map = pare_calloc((size_t)from->n_values, sizeof(*value_map)), *inputs = NULL;
	size_t most = 1;
	int status = PARE_OK;
	for (int n = 0; n < from->n_nodes; n++)
		most = (size_t)from->nodes[n].n_inputs > most ? (size_t)from->nodes[n].n_inputs : most;
	inputs = pare_calloc(most, sizeof(*inputs));
	if (!to || !value_map || !inputs)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status) {
		value_map[from->input] = to->input;
		status = move_params(from, to, error);
	}
	for (int n = 0; !status && n < from->n_nodes; n++)
		if (!merge->gone[n])
			status = copy_node(merge, n, to, value_map, inputs, error);
	if (!status) {
		to->output = value_map[from->output];
		*merged = to;
		to = NULL;
	}
	pare_graph_free(to);
	free(value_map);
	free(inputs);
	return status;
}

int pare_onnx_merge(struct pare_graph **graph, struct pare_error *error)
{
	struct merge merge = {.graph = *graph};
	struct pare_graph *merged = NULL;
	int status = PARE_OK;
	merge.readers = pare_calloc((size_t)(*graph)->n_values, sizeof(*merge.readers));
	merge.gone = pare_calloc((size_t)(*graph)->n_nodes, sizeof(*merge.gone));
	merge.match = pare_calloc((size_t)(*graph)->n_nodes, sizeof(*merge.match));
	if (!merge.readers || !merge.gone || !merge.match) {
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
		goto out;
	}
	count_readers(&merge);
	find_matches(&merge);
	if (merge.n_matches == 0)
		goto out;
	status = rebuild(&merge, *graph, &merged, error);
	if (!status) {
		pare_graph_free(*graph);
		*graph = merged;
	}
out:
	free(merge.readers);
	free(merge.gone);
	free(merge.match);
	return status;
}
