#include "tests/support/reference_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/ops/builders.h"

static const struct {
	const struct pare_op *op;
	reference_fn reference;
} references[] = {
        {&pare_op_conv2d, reference_conv2d},
        {&pare_op_linear, reference_linear},
        {&pare_op_batch_norm, reference_batch_norm},
        {&pare_op_relu, reference_relu},
        {&pare_op_relu6, reference_relu6},
        {&pare_op_max_pool, reference_max_pool},
        {&pare_op_average_pool, reference_average_pool},
        {&pare_op_global_average_pool, reference_global_average_pool},
        {&pare_op_add, reference_add},
        {&pare_op_concat, reference_concat},
        {&pare_op_flatten, reference_flatten},
        {&pare_op_reshape, reference_flatten}, /* the same elements in the same order */
        {&pare_op_identity, reference_flatten},
        {&pare_op_dropout, reference_flatten},
        {&pare_op_mul, reference_mul},
        {&pare_op_sub, reference_sub},
        {&pare_op_div, reference_div},
        {&pare_op_sigmoid, reference_sigmoid},
        {&pare_op_hard_sigmoid, reference_hard_sigmoid},
        {&pare_op_hard_swish, reference_hard_swish},
        {&pare_op_silu, reference_silu},
        {&pare_op_gelu, reference_gelu},
        {&pare_op_erf, reference_erf},
        {&pare_op_tanh, reference_tanh},
        {&pare_op_clip, reference_clip},
        {&pare_op_leaky_relu, reference_leaky_relu},
        {&pare_op_elu, reference_elu},
        {&pare_op_sqrt, reference_sqrt},
        {&pare_op_pow, reference_pow},
        {&pare_op_affine_scalar, reference_affine_scalar},
        {&pare_op_softmax, reference_softmax},
        {&pare_op_layer_norm, reference_layer_norm},
        {&pare_op_scale, reference_scale},
        {&pare_op_reduce_mean, reference_reduce_mean},
        {&pare_op_transpose, reference_transpose},
        {&pare_op_pad, reference_pad},
        {&pare_op_slice, reference_slice},
};

static reference_fn find(const struct reference_graph *r, const struct pare_op *op)
{
	if (op == r->own_op)
		return r->own_reference;
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
		if (references[i].op == op)
			return references[i].reference;
	fail_msg("no reference for operator %s", op->name);
	return NULL;
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);
	assert_non_null(memory);
	return memory;
}

void reference_graph_open(struct reference_graph *r, const struct pare_graph *graph, int64_t images, bool training)
{
	*r = (struct reference_graph){.graph = graph, .images = images, .training = training};
	r->values = allocate((size_t)graph->n_values, sizeof(*r->values));
	r->params = allocate((size_t)graph->n_params, sizeof(*r->params));
	for (int v = 0; v < graph->n_values; v++)
		r->values[v] =
		        allocate((size_t)(images * pare_shape_elements(&graph->values[v].shape)), sizeof(double));
	for (int p = 0; p < graph->n_params; p++) {
		int64_t count = pare_shape_elements(&graph->params[p].shape);
		r->params[p] = allocate((size_t)count, sizeof(double));
		for (int64_t i = 0; i < count; i++)
			r->params[p][i] = (double)graph->params[p].data[i];
	}
}

void reference_graph_close(struct reference_graph *r)
{
	for (int v = 0; v < r->graph->n_values; v++)
		free(r->values[v]);
	for (int p = 0; p < r->graph->n_params; p++)
		free(r->params[p]);
	free(r->values);
	free(r->params);
}

void reference_graph_run(struct reference_graph *r)
{
	for (int n = 0; n < r->graph->n_nodes; n++) {
		const struct pare_node *node = &r->graph->nodes[n];
		struct reference_call call = {.attrs = node->attrs,
		                              .training = r->training,
		                              .images = r->images,
		                              .n_inputs = node->n_inputs,
		                              .n_params = node->n_params,
		                              .out_shape = *pare_node_output_shape(r->graph, node),
		                              .out = r->values[node->output]};
		assert_true(node->n_inputs <= REFERENCE_MAX && node->n_params <= REFERENCE_MAX);
		for (int i = 0; i < node->n_inputs; i++) {
			call.in_shape[i] = *pare_node_input_shape(r->graph, node, i);
			call.in[i] = r->values[node->inputs[i]];
		}
		for (int i = 0; i < node->n_params; i++) {
			call.param_shape[i] = *pare_node_param_shape(r->graph, node, i);
			call.param[i] = r->params[node->params[i]];
		}
		find(r, node->op)(&call);
	}
}
