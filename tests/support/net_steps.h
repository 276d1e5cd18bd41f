/*
 * Short names for building test networks: each step goes on from net->value, fails the test when it is refused, and
 * gives the new value back.
 */
#ifndef PARE_TESTS_SUPPORT_NET_STEPS_H
#define PARE_TESTS_SUPPORT_NET_STEPS_H

#include "engine/ops/builders.h"

#define NET_CLASSES 5

struct net {
	struct pare_graph *graph;
	int value;
};

struct net net_start(const char *name); /* 3x8x8 */
const struct pare_shape *net_shape(const struct net *net);

int net_conv_with(struct net *net, const char *name, int64_t channels, int kernel, int stride, int groups, bool bias);
int net_conv(struct net *net, const char *name, int64_t channels); /* 3x3, no bias */
int net_conv_bn_relu(struct net *net, const char *name, int64_t channels, int kernel, int stride, int groups);
int net_batch_norm(struct net *net, const char *name);
int net_relu(struct net *net);
int net_add(struct net *net, const char *name, int other);
int net_concat(struct net *net, const char *name, int first, int second);
void net_max_pool(struct net *net);
void net_flatten(struct net *net);
void net_linear(struct net *net, const char *name, int64_t features, bool bias);
/* Every stride-th pixel of channels begin ... end - 1 of a value. */
int net_slice_channels(struct net *net, const char *name, int value, int32_t begin, int32_t end, int stride);
int net_pad_channels(struct net *net, const char *name, int32_t begin, int32_t end);
int net_unary(struct net *net, const struct pare_op *op, const void *attrs);
int net_binary(struct net *net, const struct pare_op *op, int other);
int net_reshape(struct net *net, int rank, const int64_t *dim);
int net_transpose(struct net *net, const int *order);
int net_layer_norm(struct net *net, const char *name, int axis);
int net_scale(struct net *net, const char *name, int axis, bool shift);
int net_mean(struct net *net, int32_t axes, bool keep_dims);

/* Global average pool, linear layer "fc" to NET_CLASSES: the network's output. */
struct pare_graph *net_finish(struct net *net);

#endif
