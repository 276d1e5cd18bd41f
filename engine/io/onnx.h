/*
 * ONNX in and out, over protobuf-c. The generated header is included only in this folder.
 *
 * Reading: opsets 9 to 21; one input {N, ...} and one output; weights in raw_data or float_data. Identity, Constant and
 * constant arithmetic on shapes are folded away. BatchNormalization is kept as an operator of its own. SiLU, hard
 * swish, GELU and layer normalisation, which files spell out, become one operator each (onnx_merge.c). Node names of
 * the file become node names of the graph; a node without one is called like its output. Operators: onnx_op_table.c.
 * Nodes that the output does not need are left out. Weights that several nodes share stay one parameter; vectors
 * (biases, batch norm) become one each, for exporters merge equal ones. The file is untrusted: it is pre-scanned for
 * nesting and lengths before protobuf-c sees it, every size is checked before memory is taken. Errors name the file,
 * the node, its operator and the opset.
 *
 * Writing: opset 13, IR 7, batch dimension dynamic ("N"), node names kept, `metadata` in metadata_props; replaced
 * atomically. Operators that opset 13 has not are spelt out again. What was written reads back as an equal graph
 * (pare_graph_hash), except that
 *   - a parameter called like a value gets another name (ONNX has one name space);
 *   - a batch norm momentum with more than 7 decimals is rounded (ONNX stores 1 - momentum);
 *   - identity, dropout and reshapes to the same shape are forgotten, one node that is a special case of another
 * becomes it (clip to [0, 6]: relu6; the mean over height and width: global_average_pool; x * sigmoid(x): silu; a
 * vector added behind a convolution: its bias);
 *   - what slimming wrote down about coupling (pare_conv2d's, pare_reshape's and pare_spread's) has no place
 * in ONNX: a network that was cut to very few channels may come back with other groups.
 */
#ifndef PARE_ENGINE_IO_ONNX_H
#define PARE_ENGINE_IO_ONNX_H

#include "engine/graph/graph.h"

#define PARE_ONNX_MAX_FILE_BYTES ((size_t)2 << 30)
#define PARE_ONNX_MAX_DEPTH 64 /* nesting of messages */

int pare_onnx_read(const char *path, struct pare_graph **graph, struct pare_error *error);
/* The same from memory; `name` stands for the path in messages. */
int pare_onnx_read_bytes(const void *bytes, size_t size, const char *name, struct pare_graph **graph,
                         struct pare_error *error);

struct pare_onnx_metadata {
	const char *key, *value;
};

int pare_onnx_write(const struct pare_graph *graph, const char *path, const struct pare_onnx_metadata *metadata,
                    int n_metadata, struct pare_error *error);
/* Into memory; *bytes is malloc'd. The same graph and metadata give the same bytes. */
int pare_onnx_write_bytes(const struct pare_graph *graph, const struct pare_onnx_metadata *metadata, int n_metadata,
                          unsigned char **bytes, size_t *size, struct pare_error *error);

#endif
