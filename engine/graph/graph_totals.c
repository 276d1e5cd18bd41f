/* What a graph amounts to: readers of a value, MACs, parameters, bytes, hash. */
#include "engine/graph/graph.h"

#include <string.h>

#include "engine/base/hash.h"

int pare_graph_consumers(const struct pare_graph *graph, int value)
{
	int consumers = graph->output == value;

	for (int i = 0; i < graph->n_nodes; i++)
		for (int k = 0; k < graph->nodes[i].n_inputs; k++)
			if (graph->nodes[i].inputs[k] == value) {
				consumers++;
				break;
			}
	return consumers;
}

int64_t pare_node_macs(const struct pare_graph *graph, const struct pare_node *node)
{
	return node->op->macs ? node->op->macs(graph, node) : 0;
}

int64_t pare_graph_macs(const struct pare_graph *graph)
{
	int64_t total = 0;

	for (int i = 0; i < graph->n_nodes; i++)
		if (__builtin_add_overflow(total, pare_node_macs(graph, &graph->nodes[i]), &total))
			return INT64_MAX;
	return total;
}

int64_t pare_graph_parameters(const struct pare_graph *graph)
{
	int64_t total = 0;

	for (int i = 0; i < graph->n_params; i++)
		if (graph->params[i].role != PARE_PARAM_BN_MEAN && graph->params[i].role != PARE_PARAM_BN_VAR)
			total += pare_shape_elements(&graph->params[i].shape);
	return total;
}

int64_t pare_graph_bytes(const struct pare_graph *graph)
{
	int64_t total = 0;

	for (int i = 0; i < graph->n_params; i++)
		total += pare_shape_elements(&graph->params[i].shape) * (int64_t)sizeof(float);
	return total;
}

/* Names carry their length in front: no two graphs may give the same text. */
static void add_name(struct pare_strbuf *text, const char *name)
{
	pare_strbuf_printf(text, " %zu:%s", strlen(name), name);
}

static void add_indices(struct pare_strbuf *text, const int *indices, int n)
{
	pare_strbuf_printf(text, " %d", n);
	for (int i = 0; i < n; i++)
		pare_strbuf_printf(text, ",%d", indices[i]);
}

static void add_shape(struct pare_strbuf *text, const struct pare_shape *shape)
{
	char dims[128];

	pare_strbuf_printf(text, " [%s]", pare_shape_text(shape, dims, sizeof(dims)));
}

static void add_digest(struct pare_strbuf *text, const void *bytes, size_t size)
{
	char digest[PARE_HASH_TEXT_SIZE];

	pare_hash_bytes(bytes, size, digest);
	pare_strbuf_printf(text, " %s\n", digest);
}

int pare_graph_hash(const struct pare_graph *graph, char *text)
{
	struct pare_strbuf canonical;
	int status = PARE_OK;

	pare_strbuf_init(&canonical);
	pare_strbuf_printf(&canonical, "pare graph 1 %d %d", graph->input, graph->output);
	add_name(&canonical, graph->name);
	for (int i = 0; i < graph->n_values; i++) {
		pare_strbuf_printf(&canonical, "\nvalue %d", graph->values[i].producer);
		add_name(&canonical, graph->values[i].name);
		add_shape(&canonical, &graph->values[i].shape);
	}
	for (int i = 0; i < graph->n_nodes; i++) {
		const struct pare_node *node = &graph->nodes[i];
		pare_strbuf_printf(&canonical, "\nnode %s %d", node->op->name, node->output);
		add_name(&canonical, node->name);
		add_indices(&canonical, node->inputs, node->n_inputs);
		add_indices(&canonical, node->params, node->n_params);
		add_digest(&canonical, node->attrs, node->op->attrs_bytes);
	}
	for (int i = 0; i < graph->n_params; i++) {
		const struct pare_param *param = &graph->params[i];
		pare_strbuf_printf(&canonical, "\nparam %d", (int)param->role);
		add_name(&canonical, param->name);
		add_shape(&canonical, &param->shape);
		add_digest(&canonical, param->data, (size_t)pare_shape_elements(&param->shape) * sizeof(float));
	}
	if (canonical.failed)
		status = PARE_E_NOMEM;
	else
		pare_hash_bytes(canonical.text, canonical.length, text);
	pare_strbuf_release(&canonical);
	return status;
}
