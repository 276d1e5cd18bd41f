/*
 *     y = x       dx = dy
 *
 * Dropout (Srivastava et al., JMLR 2014) as inference sees it, and here training too: fine-tuning after a cut is short
 * and wants capacity more than regularisation. It stays in the network so that a file that had it is written back with
 * it. Any shape; no attributes, no parameters.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"

const struct pare_op pare_op_dropout = {
        .name = "dropout",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_VIEW,
        .infer_shape = pare_activation_infer_shape,
        .couple = pare_couple_elementwise,
};
