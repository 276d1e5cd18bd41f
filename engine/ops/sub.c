/*
 *     y = a - b       da = dy       db = -dy
 *
 * One rank; a dimension of 1 is spread over the other input's. No parameters.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/binary.h"
#include "engine/ops/builders.h"

static void value(const float *restrict a, const float *restrict b, float *restrict y, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = a[i] - b[i];
}

static void gradient_a(const float *restrict a, const float *restrict b, const float *restrict dy, float *restrict g,
                       int64_t count)
{
	(void)a;
	(void)b;
	for (int64_t i = 0; i < count; i++)
		g[i] = dy[i];
}

static void gradient_b(const float *restrict a, const float *restrict b, const float *restrict dy, float *restrict g,
                       int64_t count)
{
	(void)a;
	(void)b;
	for (int64_t i = 0; i < count; i++)
		g[i] = -dy[i];
}

static const struct pare_binary binary = {
        .forward = value,
        .gradient = {gradient_a, gradient_b},
};

static void forward(const struct pare_op_args *args)
{
	pare_binary_forward(args, &binary);
}

static void backward(const struct pare_op_args *args)
{
	pare_binary_backward(args, &binary);
}

const struct pare_op pare_op_sub = {
        .name = "sub",
        .attrs_bytes = sizeof(struct pare_spread),
        .min_inputs = 2,
        .max_inputs = 2,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = pare_binary_infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = pare_binary_couple,
        .slim = pare_binary_slim,
};
