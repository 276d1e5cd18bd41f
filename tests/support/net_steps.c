#include "tests/support/net_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(int status, const struct pare_error *error)
{
	if (status)
		fail_msg("%s", error->text);
}

struct net net_start(const char *name)
{
	struct pare_graph *graph = pare_graph_new(name, pare_shape_chw(3, 8, 8), "input");
	assert_non_null(graph);
	return (struct net){graph, graph->input};
}

int net_conv_with(struct net *net, const char *name, int64_t channels, int kernel, int stride, int groups, bool bias)
{
	struct pare_error error;
	check(pare_build_conv(net->graph, name, channels, kernel, stride, groups, bias, &net->value, &error), &error);
	return net->value;
}

int net_conv(struct net *net, const char *name, int64_t channels)
{
	return net_conv_with(net, name, channels, 3, 1, 1, false);
}

int net_batch_norm(struct net *net, const char *name)
{
	struct pare_error error;
	check(pare_build_batch_norm(net->graph, name, &net->value, &error), &error);
	return net->value;
}

int net_relu(struct net *net)
{
	struct pare_error error;
	check(pare_build_relu(net->graph, "relu", &net->value, &error), &error);
	return net->value;
}

int net_add(struct net *net, const char *name, int other)
{
	struct pare_error error;
	check(pare_build_add(net->graph, name, other, &net->value, &error), &error);
	return net->value;
}

int net_concat(struct net *net, const char *name, int first, int second)
{
	struct pare_error error;
	int inputs[] = {first, second};
	check(pare_build_concat(net->graph, name, inputs, 2, &net->value, &error), &error);
	return net->value;
}

void net_max_pool(struct net *net)
{
	struct pare_error error;
	struct pare_pool2d attrs = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
	check(pare_build_max_pool(net->graph, "pool", &attrs, &net->value, &error), &error);
}

void net_flatten(struct net *net)
{
	struct pare_error error;
	check(pare_build_flatten(net->graph, "flatten", &net->value, &error), &error);
}

void net_linear(struct net *net, const char *name, int64_t features, bool bias)
{
	struct pare_error error;
	check(pare_build_linear(net->graph, name, features, bias, &net->value, &error), &error);
}

int net_slice_channels(struct net *net, const char *name, int value, int32_t begin, int32_t end, int stride)
{
	struct pare_error error;
	const struct pare_shape *in = &net->graph->values[value].shape;
	struct pare_slice attrs = {.start = {begin, 0, 0},
	                           .stop = {end, (int32_t)in->dim[1], (int32_t)in->dim[2]},
	                           .step = {1, stride, stride}};
	net->value = value;
	check(pare_build_slice(net->graph, name, &attrs, &net->value, &error), &error);
	return net->value;
}

int net_pad_channels(struct net *net, const char *name, int32_t begin, int32_t end)
{
	struct pare_error error;
	struct pare_pad attrs = {.begin = {begin, 0, 0}, .end = {end, 0, 0}};
	check(pare_build_pad(net->graph, name, &attrs, &net->value, &error), &error);
	return net->value;
}

struct pare_graph *net_finish(struct net *net)
{
	struct pare_error error;
	check(pare_build_global_average_pool(net->graph, "gap", &net->value, &error), &error);
	net_flatten(net);
	net_linear(net, "fc", NET_CLASSES, true);
	net->graph->output = net->value;
	return net->graph;
}

int net_conv_bn_relu(struct net *net, const char *name, int64_t channels, int kernel, int stride, int groups)
{
	net_conv_with(net, name, channels, kernel, stride, groups, false);
	net_batch_norm(net, "bn");
	return net_relu(net);
}

int net_unary(struct net *net, const struct pare_op *op, const void *attrs)
{
	struct pare_error error;
	check(pare_build_unary(net->graph, op->name, op, attrs, &net->value, &error), &error);
	return net->value;
}

int net_binary(struct net *net, const struct pare_op *op, int other)
{
	struct pare_error error;
	check(pare_build_binary(net->graph, op->name, op, other, &net->value, &error), &error);
	return net->value;
}

int net_reshape(struct net *net, int rank, const int64_t *dim)
{
	struct pare_error error;
	struct pare_shape shape = {.rank = rank};
	for (int d = 0; d < rank; d++)
		shape.dim[d] = dim[d];
	check(pare_build_reshape(net->graph, "reshape", &shape, &net->value, &error), &error);
	return net->value;
}

int net_transpose(struct net *net, const int *order)
{
	struct pare_error error;
	check(pare_build_transpose(net->graph, "transpose", order, &net->value, &error), &error);
	return net->value;
}

int net_layer_norm(struct net *net, const char *name, int axis)
{
	struct pare_error error;
	struct pare_layer_norm attrs = {.axis = axis, .epsilon = 1e-5f};
	check(pare_build_layer_norm(net->graph, name, &attrs, &net->value, &error), &error);
	return net->value;
}

int net_scale(struct net *net, const char *name, int axis, bool shift)
{
	struct pare_error error;
	check(pare_build_scale(net->graph, name, axis, shift, &net->value, &error), &error);
	return net->value;
}

int net_mean(struct net *net, int32_t axes, bool keep_dims)
{
	return net_unary(net, &pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = axes, .keep_dims = keep_dims});
}

const struct pare_shape *net_shape(const struct net *net)
{
	return &net->graph->values[net->value].shape;
}
