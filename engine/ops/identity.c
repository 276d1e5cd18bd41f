/*
 *     y = x       dx = dy
 *
 * A view: no work at run time. Any shape; no attributes, no parameters.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"

const struct pare_op pare_op_identity = {
        .name = "identity",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_VIEW,
        .infer_shape = pare_activation_infer_shape,
        .couple = pare_couple_elementwise,
};
