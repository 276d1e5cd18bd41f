/*
 * The network: nodes in topological order, values (activations) and parameters, all by index.
 *
 *     struct pare_graph *graph = pare_graph_new("lenet", input_shape, "input");
 *     int weight, value = graph->input;
 *     pare_graph_add_param(graph, "conv1.weight", PARE_PARAM_WEIGHT, &shape, NULL, &weight, &error);
 *     pare_graph_add_node(graph, &(struct pare_node_spec){.name = "conv1", .op = &pare_op_conv2d, .attrs = &attrs,
 *                         .inputs = &value, .n_inputs = 1, .params = &weight, .n_params = 1}, &value, &error);
 *     graph->output = value;
 *
 * engine/ops/builders.h has one short function per operator on top of this. Every node has one output. A graph has one
 * input and one output. The graph owns names, attributes and parameter data. It is not changed while an executor runs on it,
 * except for parameter data, which training updates in place.
 */
#ifndef PARE_ENGINE_GRAPH_GRAPH_H
#define PARE_ENGINE_GRAPH_GRAPH_H

#include "engine/graph/name_set.h"
#include "engine/graph/op.h"

enum pare_param_role {
	PARE_PARAM_WEIGHT,   /* convolution [out][in/groups][kh][kw], linear [out][in]: trained, decayed */
	PARE_PARAM_BIAS,     /* [out]: trained, not decayed */
	PARE_PARAM_BN_SCALE, /* gamma [channels]: trained, not decayed; also layer norm's and scale's */
	PARE_PARAM_BN_SHIFT, /* beta [channels]: trained, not decayed; likewise */
	PARE_PARAM_BN_MEAN,  /* running mean [channels]: not trained by gradients */
	PARE_PARAM_BN_VAR,   /* running variance [channels]: not trained by gradients */
};

struct pare_param {
	char *name; /* unique in the graph */
	enum pare_param_role role;
	struct pare_shape shape; /* its own dimensions, no batch */
	float *data;             /* aligned, row-major; owned */
};

struct pare_value {
	char *name; /* unique in the graph */
	struct pare_shape shape;
	int producer; /* node index; -1 for the graph's input */
};

struct pare_node {
	char *name; /* unique in the graph; users address layers by it */
	const struct pare_op *op;
	void *attrs; /* op->attrs_bytes; owned */
	int *inputs; /* value indices */
	int n_inputs;
	int output; /* value index */
	int *params; /* parameter indices, in the order the operator documents */
	int n_params;
};

struct pare_graph {
	char *name;
	struct pare_node *nodes;
	struct pare_value *values;
	struct pare_param *params;
	int n_nodes, n_values, n_params;
	size_t node_capacity, value_capacity, param_capacity;
	struct pare_name_set node_names, value_names, param_names; /* as they were added: see pare_graph_infer on renaming */
	int input;  /* value index */
	int output; /* value index; set by the builder, checked by pare_graph_validate */
};

/* What a new node is made of; everything is copied. */
struct pare_node_spec {
	const char *name; /* made unique with a suffix if taken; NULL = the operator's name */
	const struct pare_op *op;
	const void *attrs;
	const int *inputs;
	int n_inputs;
	const int *params;
	int n_params;
	const char *output_name; /* NULL = the node's name */
};

/* NULL when out of memory or the shape is not valid. */
struct pare_graph *pare_graph_new(const char *name, struct pare_shape input, const char *input_name);
void pare_graph_free(struct pare_graph *graph); /* NULL is fine */
/* A deep copy; NULL when out of memory. */
struct pare_graph *pare_graph_copy(const struct pare_graph *graph);

/* data: pare_shape_elements(shape) floats, copied; NULL = zeros. A name that is taken gets a suffix. Rank at least 1. */
int pare_graph_add_param(struct pare_graph *graph, const char *name, enum pare_param_role role,
                         const struct pare_shape *shape, const float *data, int *param, struct pare_error *error);
/* Takes back the newest parameters until n_params are left (no node may read them): for builders whose node was refused. */
void pare_graph_drop_params(struct pare_graph *graph, int n_params);
/* Appends a node, infers its output's shape; *value = its output. On failure the graph is unchanged; the message begins with the
 * node's name and operator. */
int pare_graph_add_node(struct pare_graph *graph, const struct pare_node_spec *spec, int *value, struct pare_error *error);

/* Infers all shapes again (after attributes or parameters changed) and checks the whole: topological order, indices, unique
 * names, output set. After a failure the shapes are partly the old ones. Whoever changes a name in place relies on this check:
 * adding nodes compares with the names as they were added. */
int pare_graph_infer(struct pare_graph *graph, struct pare_error *error);
/* One node: checks numbers and indices of its inputs and parameters, then asks the operator. The message begins with the node's
 * name and operator. */
int pare_node_infer(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                    struct pare_error *error);

int pare_graph_find_node(const struct pare_graph *graph, const char *name);  /* -1 when there is none */
int pare_graph_find_value(const struct pare_graph *graph, const char *name); /* -1 when there is none */
int pare_graph_find_param(const struct pare_graph *graph, const char *name); /* -1 when there is none */
/* How many nodes read this value (the graph's output counts as one more). */
int pare_graph_consumers(const struct pare_graph *graph, int value);

static inline const struct pare_shape *pare_node_input_shape(const struct pare_graph *graph, const struct pare_node *node,
                                                             int input)
{
	return &graph->values[node->inputs[input]].shape;
}
static inline const struct pare_shape *pare_node_output_shape(const struct pare_graph *graph, const struct pare_node *node)
{
	return &graph->values[node->output].shape;
}
static inline const struct pare_shape *pare_node_param_shape(const struct pare_graph *graph, const struct pare_node *node,
                                                             int param)
{
	return &graph->params[node->params[param]].shape;
}

int64_t pare_node_macs(const struct pare_graph *graph, const struct pare_node *node);
/* Totals for one image. Parameters: trained ones (weights, biases, BN scale and shift); bytes: all of them as float. */
int64_t pare_graph_macs(const struct pare_graph *graph);
int64_t pare_graph_parameters(const struct pare_graph *graph);
int64_t pare_graph_bytes(const struct pare_graph *graph);

/* A canonical hash of structure, names, attributes, shapes and parameter values. PARE_E_NOMEM or 0. */
int pare_graph_hash(const struct pare_graph *graph, char *text /* PARE_HASH_TEXT_SIZE */);

#endif
