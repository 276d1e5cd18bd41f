/*
 *     y = a / b       da = dy / b       db = -dy * a / b^2
 *
 * One rank; a dimension of 1 is spread over the other input's. No parameters. Channels of the divisor
 * are frozen.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/binary.h"
#include "engine/ops/builders.h"

static void value(const float *restrict a, const float *restrict b, float *restrict y, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = a[i] / b[i];
}

static void gradient_a(const float *restrict a, const float *restrict b, const float *restrict dy, float *restrict g,
                       int64_t count)
{
	(void)a;
	for (int64_t i = 0; i < count; i++)
		g[i] = dy[i] / b[i];
}

static void gradient_b(const float *restrict a, const float *restrict b, const float *restrict dy, float *restrict g,
                       int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		g[i] = -dy[i] * a[i] / (b[i] * b[i]);
}

static const struct pare_binary binary = {
        .forward = value,
        .gradient = {gradient_a, gradient_b},
        .partial = true,
};

static void forward(const struct pare_op_args *args)
{
	pare_binary_forward(args, &binary);
}

static void backward(const struct pare_op_args *args)
{
	pare_binary_backward(args, &binary);
}

/* A masked channel may be 0, and 0 / 0 is heard everywhere. */
static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	for (int d = 0; d < pare_node_input_shape(graph, node, 1)->rank; d++)
		pare_channel_map_freeze_dim(map, node->inputs[1], d, "another value is divided by it");
	return pare_binary_couple(map, graph, node);
}

const struct pare_op pare_op_div = {
        .name = "div",
        .attrs_bytes = sizeof(struct pare_spread),
        .min_inputs = 2,
        .max_inputs = 2,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = pare_binary_infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .slim = pare_binary_slim,
};
