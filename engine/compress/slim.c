#include "engine/compress/slim.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/compress/cut.h"

/* Copies the rows (axis 0) and columns (axis 1) that stay; what lies behind axis 1 is copied whole. */
static void gather(const struct pare_cut *cut, int param, float *out)
{
	const struct pare_param *from = &cut->groups->graph->params[param];
	int64_t columns = from->shape.rank > 1 ? from->shape.dim[1] : 1;
	int64_t inner = pare_shape_plane(&from->shape) / columns;
	for (int64_t row = 0; row < from->shape.dim[0]; row++) {
		if (!pare_cut_index_stays(cut, param, 0, row))
			continue;
		for (int64_t column = 0; column < columns; column++) {
			if (!pare_cut_index_stays(cut, param, 1, column))
				continue;
			memcpy(out, from->data + (row * columns + column) * inner, (size_t)inner * sizeof(*out));
			out += inner;
		}
	}
}

static int add_params(const struct pare_cut *cut, struct pare_graph *slim, bool with_weights, struct pare_error *error)
{
	const struct pare_graph *graph = cut->groups->graph;
	for (int p = 0; p < graph->n_params; p++) {
		const struct pare_param *param = &graph->params[p];
		struct pare_shape shape = pare_cut_param_shape(cut, p);
		int added;
		int status = pare_graph_add_param(slim, param->name, param->role, &shape, NULL, &added, error);
		if (status)
			return status;
		if (with_weights)
			gather(cut, p, slim->params[added].data);
	}
	return PARE_OK;
}

/* An operator whose couple and slim contradict each other would give a network that runs and means something else. */
static int check_output(const struct pare_cut *cut, int n, const struct pare_shape *shape, struct pare_error *error)
{
	const struct pare_node *node = &cut->groups->graph->nodes[n];
	const struct pare_channel_keep *keep = &cut->value[node->output];
	struct pare_shape expected = {.rank = keep->rank};
	char expected_text[96], text[96];
	for (int d = 0; d < keep->rank; d++)
		expected.dim[d] = keep->dim[d].n_kept;
	if (pare_shape_equal(shape, &expected))
		return PARE_OK;
	return pare_error_set(error, PARE_E_UNSUPPORTED, "%s (%s): cut to %s, but its operator gives %s", node->name,
	                      node->op->name, pare_shape_text(&expected, expected_text, sizeof(expected_text)),
	                      pare_shape_text(shape, text, sizeof(text)));
}

/* value_map: [n_values] from the old graph's values to the new one's */
static int add_node(const struct pare_cut *cut, struct pare_graph *slim, int n, int *value_map, int *inputs,
                    void *attrs, struct pare_error *error)
{
	const struct pare_graph *graph = cut->groups->graph;
	const struct pare_node *node = &graph->nodes[n];
	for (int i = 0; i < node->n_inputs; i++)
		inputs[i] = value_map[node->inputs[i]];
	pare_cut_attrs(cut, node, attrs);
	struct pare_node_spec spec = {.name = node->name,
	                              .op = node->op,
	                              .attrs = node->op->attrs_bytes ? attrs : NULL,
	                              .inputs = inputs,
	                              .n_inputs = node->n_inputs,
	                              .params = node->params,
	                              .n_params = node->n_params,
	                              .output_name = graph->values[node->output].name};
	int *value = &value_map[node->output];
	int status = pare_graph_add_node(slim, &spec, value, error);
	return status ? status : check_output(cut, n, &slim->values[*value].shape, error);
}

static int add_nodes(const struct pare_cut *cut, struct pare_graph *slim, struct pare_error *error)
{
	const struct pare_graph *graph = cut->groups->graph;
	size_t attrs_bytes = 0, n_inputs = 0;
	for (int n = 0; n < graph->n_nodes; n++) {
		if (graph->nodes[n].op->attrs_bytes > attrs_bytes)
			attrs_bytes = graph->nodes[n].op->attrs_bytes;
		if ((size_t)graph->nodes[n].n_inputs > n_inputs)
			n_inputs = (size_t)graph->nodes[n].n_inputs;
	}
	void *attrs = pare_calloc(attrs_bytes, 1);
	int *inputs = pare_calloc(n_inputs, sizeof(*inputs));
	int *value_map = pare_calloc((size_t)graph->n_values, sizeof(*value_map));
	int status = attrs && inputs && value_map ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		value_map[graph->input] = slim->input;
	for (int n = 0; n < graph->n_nodes && !status; n++)
		status = add_node(cut, slim, n, value_map, inputs, attrs, error);
	if (!status)
		slim->output = value_map[graph->output];
	free(attrs);
	free(inputs);
	free(value_map);
	return status;
}

static int build(const struct pare_cut *cut, bool with_weights, struct pare_graph **slim, struct pare_error *error)
{
	const struct pare_graph *graph = cut->groups->graph;
	const struct pare_value *input = &graph->values[graph->input];
	*slim = pare_graph_new(graph->name, input->shape, input->name);
	if (!*slim)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	int status = add_params(cut, *slim, with_weights, error);
	if (!status)
		status = add_nodes(cut, *slim, error);
	if (status) {
		pare_graph_free(*slim);
		*slim = NULL;
		return pare_error_prefix(error, status, "slimming \"%s\"", graph->name);
	}
	return PARE_OK;
}

int pare_slim(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **slim, struct pare_error *error)
{
	struct pare_cut cut;
	*slim = NULL;
	int status = pare_cut_init(&cut, groups, error);
	if (!status)
		status = pare_cut_choose_best(&cut, plan, criterion, error);
	if (!status)
		status = build(&cut, true, slim, error);
	pare_cut_release(&cut);
	return status;
}

int pare_slim_shape(const struct pare_groups *groups, const struct pare_plan *plan, struct pare_graph **slim,
                    struct pare_error *error)
{
	struct pare_cut cut;
	*slim = NULL;
	int status = pare_cut_init(&cut, groups, error);
	if (!status)
		status = pare_cut_choose_first(&cut, plan, error);
	if (!status)
		status = build(&cut, false, slim, error);
	pare_cut_release(&cut);
	return status;
}

struct pare_shape_slimmer {
	struct pare_cut cut;
	struct pare_graph *graph; /* full-size zero weights; only shapes and attributes change */
};

int pare_shape_slimmer_new(struct pare_shape_slimmer **slimmer, const struct pare_groups *groups,
                           struct pare_error *error)
{
	*slimmer = pare_calloc(1, sizeof(**slimmer));
	if (!*slimmer)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	int status = pare_cut_init(&(*slimmer)->cut, groups, error);
	if (!status)
		status = build(&(*slimmer)->cut, false, &(*slimmer)->graph, error);
	if (status) {
		pare_shape_slimmer_free(*slimmer);
		*slimmer = NULL;
	}
	return status;
}

void pare_shape_slimmer_free(struct pare_shape_slimmer *slimmer)
{
	if (!slimmer)
		return;
	pare_cut_release(&slimmer->cut);
	pare_graph_free(slimmer->graph);
	free(slimmer);
}

int pare_shape_slimmer_cut(struct pare_shape_slimmer *slimmer, const struct pare_plan *plan,
                           const struct pare_graph **graph, struct pare_error *error)
{
	const struct pare_graph *full = slimmer->cut.groups->graph;
	struct pare_graph *slim = slimmer->graph;
	*graph = NULL;
	int status = pare_cut_choose_first(&slimmer->cut, plan, error);
	for (int p = 0; p < full->n_params && !status; p++)
		slim->params[p].shape = pare_cut_param_shape(&slimmer->cut, p);
	for (int n = 0; n < full->n_nodes && !status; n++) {
		const struct pare_node *node = &slim->nodes[n];
		struct pare_shape *shape = &slim->values[node->output].shape;
		pare_cut_attrs(&slimmer->cut, &full->nodes[n], node->attrs);
		status = node->op->infer_shape(slim, node, shape, error);
		if (!status)
			status = check_output(&slimmer->cut, n, shape, error);
		if (status)
			pare_error_prefix(error, status, "%s (%s)", node->name, node->op->name);
	}
	if (!status)
		*graph = slim;
	return status;
}
