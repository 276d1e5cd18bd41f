/*
 *     y = min(max(x, 0), 6)       dx = dy where 0 < y < 6, else 0
 *
 * Any shape; no attributes, no parameters. Backward needs the output only. Behind a batch norm, an add or a convolution
 * the executor fuses it away; this file runs where it cannot.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"

static void forward(const struct pare_op_args *args)
{
	pare_activation_op_forward(args, PARE_ACTIVATION_RELU6);
}

static void backward(const struct pare_op_args *args)
{
	pare_activation_op_backward(args, PARE_ACTIVATION_RELU6);
}

const struct pare_op pare_op_relu6 = {
        .name = "relu6",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .activation = PARE_ACTIVATION_RELU6,
        .infer_shape = pare_activation_infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = pare_couple_elementwise,
};
