/*
 * An operator without arithmetic, for tests of the graph alone. One or two inputs of equal shape, at most one parameter
 * (one number a channel); the output is `crop` rows lower. Channels are coupled like an element-wise operator's.
 */
#ifndef PARE_TESTS_SUPPORT_FAKE_OP_H
#define PARE_TESTS_SUPPORT_FAKE_OP_H

#include "engine/graph/graph.h"

struct fake_attrs {
	int32_t crop;           /* refused when negative */
	int32_t macs_per_pixel; /* macs = this times the output's elements */
};

extern const struct pare_op fake_op;
/* The same, but its couple forgets the output. */
extern const struct pare_op fake_op_uncoupled;

/* Appends one; fails the running test when the graph refuses. The output's value index. */
int fake_add(struct pare_graph *graph, const char *name, int a, int b /* -1 = one input */, int param /* -1 = none */);
/* A parameter of `channels` numbers, all `number`. */
int fake_param(struct pare_graph *graph, const char *name, int64_t channels, float number);

#endif
