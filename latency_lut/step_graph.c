#include "latency_lut/step_graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* A value that some earlier layer would have written. The executor starts behind it. */
static int infer_given(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	(void)graph;
	(void)error;
	*out = *(const struct pare_shape *)node->attrs;
	return PARE_OK;
}

static const struct pare_op op_given = {
        .name = "given", .attrs_bytes = sizeof(struct pare_shape), .infer_shape = infer_given};

struct cut {
	const struct pare_channel_map *map;
	const struct pare_graph *graph; /* the network */
	const struct pare_node *node;
	int64_t in_channels, out_channels; /* wanted; in_channels 0 = one axis */
	int64_t *inputs;                   /* [n_inputs] channels of each input */
	unsigned char *fate;               /* [n_atoms] */
	unsigned char *kept;               /* masks of all inputs and the output, one after the other */
	struct pare_channel_keep *keep;    /* [n_inputs + 1], the output last */
	void *attrs;
};

static int64_t channels_of(const struct cut *cut, int value)
{
	return cut->graph->values[value].shape.dim[0];
}

/* What is known of an atom: not in the output, in the output and undecided, decided. */
enum { ABSENT, PRESENT, STAYS, GOES };

/* Atom by atom as the operator hands them on (before any union with other layers): `wanted` of `all` different ones
 * stay, evenly spread, so that every input keeps its share, and one of each input in any case. */
static void choose_atoms(struct cut *cut)
{
	const int *out = pare_channel_map_value(cut->map, cut->node->output, 0);
	int64_t channels = channels_of(cut, cut->node->output), all = 0, wanted, position = 0;

	for (int64_t c = 0; c < channels; c++)
		if (cut->fate[out[c]] == ABSENT) {
			cut->fate[out[c]] = PRESENT;
			all++;
		}
	wanted = (cut->out_channels * all + channels / 2) / channels;
	for (int i = 0; i < cut->node->n_inputs; i++) {
		const int *in = pare_channel_map_value(cut->map, cut->node->inputs[i], 0);
		if (in && cut->fate[in[0]] == PRESENT) {
			cut->fate[in[0]] = STAYS;
			all--;
			wanted--;
		}
	}
	for (int64_t c = 0; c < channels; c++) {
		if (cut->fate[out[c]] != PRESENT)
			continue;
		bool stays = (position + 1) * wanted / all > position * wanted / all;
		cut->fate[out[c]] = stays ? STAYS : GOES;
		position++;
	}
}

/* All of a value. */
static struct pare_channel_keep keep_all(const struct pare_shape *shape)
{
	struct pare_channel_keep keep = {.rank = shape->rank};
	for (int d = 0; d < shape->rank; d++)
		keep.dim[d] = (struct pare_dim_keep){.size = shape->dim[d], .n_kept = shape->dim[d]};
	return keep;
}

/* An input none of whose channels are in the output (an addition's second one) shrinks as the output does. What has its
 * channels elsewhere, or none, stays whole. */
static void choose_channels(struct cut *cut, int value, unsigned char *kept, struct pare_channel_keep *keep)
{
	const int *atoms = pare_channel_map_value(cut->map, value, 0);
	int64_t channels = channels_of(cut, value), full = channels_of(cut, cut->node->output);
	*keep = keep_all(&cut->graph->values[value].shape);
	if (!atoms || !pare_channel_map_value(cut->map, cut->node->output, 0))
		return;
	keep->dim[0] = (struct pare_dim_keep){.kept = kept, .size = channels};
	for (int64_t c = 0; c < channels; c++) {
		if (cut->fate[atoms[c]] != ABSENT)
			kept[c] = cut->fate[atoms[c]] == STAYS;
		else
			kept[c] = (c + 1) * cut->out_channels / full > c * cut->out_channels / full;
		keep->dim[0].n_kept += kept[c];
	}
}

static int cut_one_axis(struct cut *cut, struct pare_error *error)
{
	const struct pare_node *node = cut->node;
	int64_t total = channels_of(cut, node->output), at = 0;
	for (int i = 0; i < node->n_inputs; i++)
		total += channels_of(cut, node->inputs[i]);
	cut->fate = pare_calloc(cut->map->n_atoms, 1);
	cut->kept = pare_calloc((size_t)total, 1);
	cut->keep = pare_calloc((size_t)node->n_inputs + 1, sizeof(*cut->keep));
	if (!cut->fate || !cut->kept || !cut->keep)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (pare_channel_map_value(cut->map, node->output, 0))
		choose_atoms(cut);
	for (int i = 0; i <= node->n_inputs; i++) {
		int value = i < node->n_inputs ? node->inputs[i] : node->output;
		choose_channels(cut, value, cut->kept + at, &cut->keep[i]);
		at += channels_of(cut, value);
		if (i < node->n_inputs)
			cut->inputs[i] = cut->keep[i].dim[0].n_kept;
	}
	if (node->op->slim)
		node->op->slim(cut->attrs, cut->keep, node->n_inputs, &cut->keep[node->n_inputs]);
	return PARE_OK;
}

/* The operator's attributes hold for all widths: groups of grouped convolutions stay. */
static int cut_attributes(struct cut *cut, struct pare_error *error)
{
	cut->inputs = pare_calloc((size_t)cut->node->n_inputs, sizeof(*cut->inputs));
	cut->attrs = pare_calloc(cut->node->op->attrs_bytes, 1);
	if (!cut->inputs || !cut->attrs)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (cut->node->op->attrs_bytes)
		memcpy(cut->attrs, cut->node->attrs, cut->node->op->attrs_bytes);
	if (!cut->in_channels)
		return cut_one_axis(cut, error);
	cut->inputs[0] = cut->in_channels;
	return PARE_OK;
}

/* Axes that carry channels shrink as the channels do: [out][in / groups]. */
static struct pare_shape param_shape(const struct cut *cut, int p)
{
	struct pare_shape shape = cut->graph->params[p].shape;
	if (cut->map->axis_atoms[0][p])
		shape.dim[0] = shape.dim[0] * cut->out_channels / channels_of(cut, cut->node->output);
	if (cut->map->axis_atoms[1][p])
		shape.dim[1] = shape.dim[1] * cut->inputs[0] / channels_of(cut, cut->node->inputs[0]);
	return shape;
}

static struct pare_shape input_shape(const struct cut *cut, int i)
{
	struct pare_shape shape = cut->graph->values[cut->node->inputs[i]].shape;
	shape.dim[0] = cut->inputs[i];
	return shape;
}

static int add_inputs(const struct cut *cut, struct pare_graph *graph, int *inputs, struct pare_error *error)
{
	inputs[0] = graph->input;
	for (int i = 1; i < cut->node->n_inputs; i++) {
		struct pare_shape shape = input_shape(cut, i);
		struct pare_node_spec spec = {.op = &op_given, .attrs = &shape};
		int status = pare_graph_add_node(graph, &spec, &inputs[i], error);
		if (status)
			return status;
	}
	return PARE_OK;
}

static int add_params(const struct cut *cut, struct pare_graph *graph, int *params, struct pare_error *error)
{
	for (int i = 0; i < cut->node->n_params; i++) {
		const struct pare_param *param = &cut->graph->params[cut->node->params[i]];
		struct pare_shape shape = param_shape(cut, cut->node->params[i]);
		int status = pare_graph_add_param(graph, param->name, param->role, &shape, NULL, &params[i], error);
		if (status)
			return status;
	}
	return PARE_OK;
}

static int add_activation(const struct cut *cut, struct pare_graph *graph, int activation_node,
                          struct pare_error *error)
{
	if (activation_node < 0)
		return PARE_OK;
	const struct pare_node *node = &cut->graph->nodes[activation_node];
	struct pare_node_spec spec = {.op = node->op, .attrs = node->attrs, .inputs = &graph->output, .n_inputs = 1};
	int value, status = pare_graph_add_node(graph, &spec, &value, error);
	if (!status)
		graph->output = value;
	return status;
}

static int fill_graph(const struct cut *cut, const struct pare_step *step, struct pare_graph *graph, int *first_node,
                      struct pare_error *error)
{
	const struct pare_node *node = cut->node;
	int *inputs = pare_calloc((size_t)node->n_inputs, sizeof(*inputs));
	int *params = pare_calloc((size_t)node->n_params, sizeof(*params));
	struct pare_node_spec spec = {.op = node->op,
	                              .attrs = node->op->attrs_bytes ? cut->attrs : NULL,
	                              .inputs = inputs,
	                              .n_inputs = node->n_inputs,
	                              .params = params,
	                              .n_params = node->n_params};
	int status = inputs && params ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = add_inputs(cut, graph, inputs, error);
	if (!status)
		status = add_params(cut, graph, params, error);
	*first_node = graph->n_nodes;
	if (!status)
		status = pare_graph_add_node(graph, &spec, &graph->output, error);
	if (!status && graph->values[graph->output].shape.dim[0] != cut->out_channels)
		status = pare_error_set(error, PARE_E_UNSUPPORTED, "its operator gives %" PRId64 " channels",
		                        graph->values[graph->output].shape.dim[0]);
	if (!status)
		status = add_activation(cut, graph, step->activation_node, error);
	free(inputs);
	free(params);
	return status;
}

int pare_step_graph(struct pare_graph **graph, int *first_node, const struct pare_channel_map *map,
                    const struct pare_step *step, int64_t in_channels, int64_t out_channels, struct pare_error *error)
{
	struct cut cut = {.map = map,
	                  .graph = map->graph,
	                  .node = &map->graph->nodes[step->node],
	                  .in_channels = in_channels,
	                  .out_channels = out_channels};
	int status = cut_attributes(&cut, error);

	*graph = NULL;
	if (!status) {
		*graph = pare_graph_new("step", input_shape(&cut, 0), "input");
		if (!*graph)
			status = pare_error_set(error, PARE_E_UNSUPPORTED,
			                        "out of memory, or an input without channels");
	}
	if (!status)
		status = fill_graph(&cut, step, *graph, first_node, error);
	free(cut.inputs);
	free(cut.fate);
	free(cut.kept);
	free(cut.keep);
	free(cut.attrs);
	if (!status)
		return PARE_OK;
	pare_graph_free(*graph);
	*graph = NULL;
	return pare_error_prefix(error, status, "%s (%s) at %" PRId64 " x %" PRId64 " channels", cut.node->name,
	                         cut.node->op->name, in_channels, out_channels);
}
