/*
 * Two inputs of one rank, element by element; a dimension of 1 in one of them is spread over the other's (private to
 * engine/ops). The operators give their formulas as loops; everything else is common.
 */
#ifndef PARE_ENGINE_OPS_BINARY_H
#define PARE_ENGINE_OPS_BINARY_H

#include "engine/graph/op.h"

struct pare_binary {
	/* y = f(a, b), over contiguous floats */
	void (*forward)(const float *a, const float *b, float *y, int64_t count);
	/* g = dy * df/da, and dy * df/db. a and b are NULL unless the operator has PARE_OP_BACKWARD_READS_INPUT. */
	void (*gradient[2])(const float *a, const float *b, const float *dy, float *g, int64_t count);
	bool partial; /* not finite everywhere: lanes without an image become 0 */
};

int pare_binary_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                            struct pare_error *error);
int pare_binary_couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node);
void pare_binary_slim(void *attrs, const struct pare_channel_keep *in, int n_inputs,
                      const struct pare_channel_keep *out);
void pare_binary_forward(const struct pare_op_args *args, const struct pare_binary *binary);
void pare_binary_backward(const struct pare_op_args *args, const struct pare_binary *binary);

#endif
