/*
 * The operator interface. One operator = one file in engine/ops/, ending in its `const struct pare_op`, and one line in
 * engine/ops/op_table.c. The graph and the executor know operators only through this struct.
 *
 * Life of an operator in an executor: infer_shape (while the graph is built) -> workspace_bytes, saved_bytes (memory is
 * planned) -> forward, backward (no allocation, no failure).
 */
#ifndef PARE_ENGINE_GRAPH_OP_H
#define PARE_ENGINE_GRAPH_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/base/strbuf.h"
#include "engine/graph/shape.h"
#include "engine/graph/tensor.h"

struct pare_graph;
struct pare_node;
struct pare_channel_map;
struct pare_channel_keep;

/* An activation computed by the operator that produces its input, in the same pass ("fused"). */
enum pare_activation { PARE_ACTIVATION_NONE, PARE_ACTIVATION_RELU, PARE_ACTIVATION_RELU6 };

/* Facts the executor plans memory by. */
enum pare_op_flag {
	PARE_OP_BACKWARD_READS_INPUT = 1,  /* backward needs the input activations */
	PARE_OP_BACKWARD_READS_OUTPUT = 2, /* backward needs its output activation */
	PARE_OP_FUSES_ACTIVATION = 4,      /* forward applies args->activation to its output, and backward its derivative
	                                      (from the sign of the output; implies READS_OUTPUT then) */
	PARE_OP_VIEW = 8,                  /* the output is the input's memory under another shape; no forward, no backward */
	PARE_OP_ACCUMULATES = 16,          /* backward can add into din[i] when args->din_accumulate[i] */
	PARE_OP_SELECTS = 32,              /* the output may hold some channels of the input only: a cut must leave some of those */
};

/* What one call sees. Tensors are views; all arrays are valid during the call only. */
struct pare_op_args {
	const struct pare_graph *graph;
	const struct pare_node *node;
	bool training;                   /* batch norm: batch statistics; dropout would drop */
	enum pare_activation activation; /* fused, NONE unless PARE_OP_FUSES_ACTIVATION */

	const struct pare_tensor *in; /* [node->n_inputs] */
	struct pare_tensor out;       /* forward writes all of it, unused lanes too (finite values) */

	/* backward only */
	struct pare_tensor dout;          /* gradient of the loss with respect to out (after the fused activation); this is its last
	                                     use: backward may overwrite it (with the gradient before the activation) */
	const struct pare_tensor *din;    /* [node->n_inputs]; .data is NULL where no gradient is wanted */
	const bool *din_accumulate;       /* add instead of overwrite; only set for PARE_OP_ACCUMULATES */
	float *const *dparam;             /* [node->n_params], shaped like the parameters; NULL where not wanted. ADD to it */

	float *const *param;              /* [node->n_params] */
	void *saved;                      /* saved_bytes: written by forward in training, read by backward */
	void *const *workspace;           /* [threads of pool]: workspace_bytes of scratch for each worker */
	void *shared_workspace;           /* shared_workspace_bytes, one for all workers, kept between calls (packed weights) */
	struct pare_pool *pool;           /* for pare_pool_for; NULL = serial. Results must not depend on its threads */
};

struct pare_op {
	const char *name;   /* "conv2d" */
	size_t attrs_bytes; /* size of node->attrs; 0 = none. attrs are plain values, copied by memcpy */
	int min_inputs, max_inputs; /* max_inputs -1 = any number */
	int min_params, max_params;
	unsigned flags; /* enum pare_op_flag */
	enum pare_activation activation; /* the operator IS this activation and may be fused into its producer; else NONE */

	/* Checks attributes, inputs and parameters of `node` against each other and gives the output's shape. The node's
	 * inputs already have valid shapes. The message names what is wrong, not the node (the caller does). */
	int (*infer_shape)(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
	                   struct pare_error *error);

	/* (optional; default 0) Multiply-accumulates for one image. Convolutions and linear layers only: the field's convention. */
	int64_t (*macs)(const struct pare_graph *graph, const struct pare_node *node);

	/* (optional; default 0) `images`, `lanes`, `training` as the executor will run it. saved is for the whole batch. */
	size_t (*workspace_bytes)(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes,
	                          bool training);
	size_t (*shared_workspace_bytes)(const struct pare_graph *graph, const struct pare_node *node, int64_t images,
	                                 int lanes, bool training);
	size_t (*saved_bytes)(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes);

	/* (optional) Fills shared_workspace from the parameters (packed weights). Called before forward in training, and in inference once and
	 * whenever the parameters changed. Sees only graph, node, training, param, shared_workspace, and shapes, images and lanes of in and
	 * out (their data is NULL). */
	void (*prepare)(const struct pare_op_args *args);
	void (*forward)(const struct pare_op_args *args);  /* NULL only for PARE_OP_VIEW */
	void (*backward)(const struct pare_op_args *args); /* NULL only for PARE_OP_VIEW */

	/* How channels of inputs, parameters and output hang together: engine/graph/channel_map.h. */
	int (*couple)(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node);

	/* (optional) Adjusts attributes after some channels went away. in[i] and *out say which indices along each dimension
	 * of the OLD shapes stay. Convolution: groups; pad and slice along channels: amounts; reshape: its target. Also writes
	 * down what couple could no longer tell from the smaller counts. */
	void (*slim)(void *attrs, const struct pare_channel_keep *in, int n_inputs, const struct pare_channel_keep *out);

	/* (optional; default: nothing) Attributes as short text for tables and latency keys: "k3x3 s1x1 p1,1,1,1 d1x1 g1". Never
	 * channel counts or layer names. */
	void (*describe)(const struct pare_node *node, struct pare_strbuf *text);
};

#endif
