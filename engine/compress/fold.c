#include "engine/compress/fold.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/ops/builders.h"

enum { SCALE, SHIFT, MEAN, VAR }; /* order of batch norm's parameters */
enum { WEIGHT, BIAS };            /* order of a convolution's and a linear layer's */

struct fold {
	const struct pare_graph *graph;
	struct pare_graph *folded;
	int *partner;   /* [n_nodes] layer: the batch norm it takes in; batch norm: the layer it goes into; -1 = none */
	int *value_map; /* [n_values] from graph to folded */
	int *param_map; /* [n_params]; -1 = dropped */
	int *scratch;   /* inputs or parameters of one node */
};

/* A layer whose filters are the channels (dimension 0) that a batch norm behind it would see. */
static bool is_layer(const struct pare_graph *graph, const struct pare_node *node)
{
	return node->op == &pare_op_conv2d ||
	       (node->op == &pare_op_linear && pare_node_output_shape(graph, node)->rank == 1);
}

static int param_users(const struct pare_graph *graph, int param)
{
	int users = 0;
	for (int n = 0; n < graph->n_nodes; n++)
		for (int i = 0; i < graph->nodes[n].n_params; i++)
			users += graph->nodes[n].params[i] == param;
	return users;
}

/* The layer that batch norm n can go into, or -1. */
static int find_layer(const struct pare_graph *graph, int n)
{
	const struct pare_node *norm = &graph->nodes[n];
	int producer = norm->op == &pare_op_batch_norm ? graph->values[norm->inputs[0]].producer : -1;
	if (producer < 0 || !is_layer(graph, &graph->nodes[producer]) || pare_graph_consumers(graph, norm->inputs[0]) != 1)
		return -1;
	for (int i = 0; i < graph->nodes[producer].n_params; i++)
		if (param_users(graph, graph->nodes[producer].params[i]) != 1)
			return -1;
	return producer;
}

static void find_partners(struct fold *fold)
{
	for (int n = 0; n < fold->graph->n_nodes; n++)
		fold->partner[n] = -1;
	for (int n = 0; n < fold->graph->n_nodes; n++) {
		int layer = find_layer(fold->graph, n);
		if (layer >= 0) {
			fold->partner[n] = layer;
			fold->partner[layer] = n;
		}
	}
}

static bool is_folded_norm(const struct fold *fold, int n)
{
	return fold->partner[n] >= 0 && fold->graph->nodes[n].op == &pare_op_batch_norm;
}

/* A parameter goes when all its users do; one that nobody uses is none of our business and stays. */
static bool param_stays(const struct fold *fold, int param)
{
	bool used = false;
	for (int n = 0; n < fold->graph->n_nodes; n++) {
		for (int i = 0; i < fold->graph->nodes[n].n_params; i++) {
			if (fold->graph->nodes[n].params[i] != param)
				continue;
			if (!is_folded_norm(fold, n))
				return true;
			used = true;
		}
	}
	return !used;
}

static int copy_params(struct fold *fold, struct pare_error *error)
{
	for (int p = 0; p < fold->graph->n_params; p++) {
		const struct pare_param *param = &fold->graph->params[p];
		fold->param_map[p] = -1;
		if (!param_stays(fold, p))
			continue;
		int status = pare_graph_add_param(fold->folded, param->name, param->role, &param->shape, param->data,
		                                  &fold->param_map[p], error);
		if (status)
			return status;
	}
	return PARE_OK;
}

static int add_bias(struct fold *fold, const struct pare_node *layer, int *bias, struct pare_error *error)
{
	const struct pare_shape shape = pare_shape_vector(pare_node_output_shape(fold->graph, layer)->dim[0]);
	struct pare_strbuf name;
	pare_strbuf_init(&name);
	pare_strbuf_printf(&name, "%s.bias", layer->name);
	int status = name.failed ? PARE_E_NOMEM : PARE_OK;
	if (!status)
		status = pare_graph_add_param(fold->folded, name.text, PARE_PARAM_BIAS, &shape, NULL, bias, error);
	pare_strbuf_release(&name);
	return status;
}

/* weight' = weight * k, bias' = (bias - mean) * k + shift with k = scale / sqrt(var + eps), per output channel */
static void fold_statistics(const struct pare_graph *graph, const struct pare_node *norm, struct pare_param *weight,
                            struct pare_param *bias)
{
	const struct pare_batch_norm *attrs = norm->attrs;
	const float *scale = graph->params[norm->params[SCALE]].data, *shift = graph->params[norm->params[SHIFT]].data;
	const float *mean = graph->params[norm->params[MEAN]].data, *var = graph->params[norm->params[VAR]].data;
	int64_t filter_size = pare_shape_plane(&weight->shape);
	for (int64_t o = 0; o < weight->shape.dim[0]; o++) {
		double k = (double)scale[o] / sqrt((double)var[o] + (double)attrs->epsilon);
		for (int64_t i = 0; i < filter_size; i++)
			weight->data[o * filter_size + i] = (float)((double)weight->data[o * filter_size + i] * k);
		bias->data[o] = (float)(((double)bias->data[o] - (double)mean[o]) * k + (double)shift[o]);
	}
}

/* Writes the node's new parameters to scratch[0...]; a layer that takes in a batch norm gets its statistics, and a
 * bias. */
static int map_params(struct fold *fold, int n, int *n_params, struct pare_error *error)
{
	const struct pare_node *node = &fold->graph->nodes[n];
	int *params = fold->scratch;
	*n_params = node->n_params;
	for (int i = 0; i < node->n_params; i++)
		params[i] = fold->param_map[node->params[i]];
	if (fold->partner[n] < 0)
		return PARE_OK;
	if (node->n_params <= BIAS) {
		int status = add_bias(fold, node, &params[BIAS], error);
		if (status)
			return status;
		*n_params = BIAS + 1;
	}
	fold_statistics(fold->graph, &fold->graph->nodes[fold->partner[n]], &fold->folded->params[params[WEIGHT]],
	                &fold->folded->params[params[BIAS]]);
	return PARE_OK;
}

static int copy_node(struct fold *fold, int n, struct pare_error *error)
{
	const struct pare_graph *graph = fold->graph;
	const struct pare_node *node = &graph->nodes[n];
	int output = fold->partner[n] < 0 ? node->output : graph->nodes[fold->partner[n]].output;
	int n_params;
	int status = map_params(fold, n, &n_params, error);
	if (status)
		return status;
	int *inputs = fold->scratch + n_params;
	for (int i = 0; i < node->n_inputs; i++)
		inputs[i] = fold->value_map[node->inputs[i]];
	struct pare_node_spec spec = {.name = node->name,
	                              .op = node->op,
	                              .attrs = node->attrs,
	                              .inputs = inputs,
	                              .n_inputs = node->n_inputs,
	                              .params = fold->scratch,
	                              .n_params = n_params,
	                              .output_name = graph->values[output].name};
	return pare_graph_add_node(fold->folded, &spec, &fold->value_map[output], error);
}

static int fold_init(struct fold *fold, const struct pare_graph *graph)
{
	const struct pare_value *input = &graph->values[graph->input];
	size_t scratch = 0;
	for (int n = 0; n < graph->n_nodes; n++) {
		size_t needed = (size_t)graph->nodes[n].n_inputs + (size_t)graph->nodes[n].n_params + 1;
		scratch = needed > scratch ? needed : scratch;
	}
	*fold = (struct fold){.graph = graph};
	fold->partner = pare_calloc((size_t)graph->n_nodes, sizeof(*fold->partner));
	fold->value_map = pare_calloc((size_t)graph->n_values, sizeof(*fold->value_map));
	fold->param_map = pare_calloc((size_t)graph->n_params, sizeof(*fold->param_map));
	fold->scratch = pare_calloc(scratch, sizeof(*fold->scratch));
	if (!fold->partner || !fold->value_map || !fold->param_map || !fold->scratch)
		return PARE_E_NOMEM;
	fold->folded = pare_graph_new(graph->name, input->shape, input->name);
	return fold->folded ? PARE_OK : PARE_E_NOMEM;
}

static void fold_release(struct fold *fold)
{
	free(fold->partner);
	free(fold->value_map);
	free(fold->param_map);
	free(fold->scratch);
	pare_graph_free(fold->folded);
}

struct pare_graph *pare_fold_batch_norm(const struct pare_graph *graph, struct pare_error *error)
{
	struct fold fold;
	struct pare_graph *folded = NULL;
	int status = fold_init(&fold, graph);
	if (status) {
		pare_error_set(error, status, "out of memory while folding \"%s\"", graph->name);
		goto out;
	}
	find_partners(&fold);
	fold.value_map[graph->input] = fold.folded->input;
	status = copy_params(&fold, error);
	for (int n = 0; n < graph->n_nodes && !status; n++)
		if (!is_folded_norm(&fold, n))
			status = copy_node(&fold, n, error);
	if (status)
		goto out;
	fold.folded->output = fold.value_map[graph->output];
	folded = fold.folded;
	fold.folded = NULL;
out:
	fold_release(&fold);
	return folded;
}
