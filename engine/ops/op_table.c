/* The one list of operators: a new operator is its file and a line here. */
#include "engine/ops/builders.h"

#include <stddef.h>
#include <string.h>

const struct pare_op *const pare_op_table[] = {
        &pare_op_conv2d,
        &pare_op_batch_norm,
        &pare_op_relu,
        &pare_op_relu6,
        &pare_op_max_pool,
        &pare_op_average_pool,
        &pare_op_global_average_pool,
        &pare_op_add,
        &pare_op_concat,
        &pare_op_flatten,
        &pare_op_linear,
        &pare_op_pad,
        &pare_op_slice,
        &pare_op_sigmoid,
        &pare_op_hard_sigmoid,
        &pare_op_hard_swish,
        &pare_op_silu,
        &pare_op_gelu,
        &pare_op_erf,
        &pare_op_tanh,
        &pare_op_clip,
        &pare_op_leaky_relu,
        &pare_op_elu,
        &pare_op_sqrt,
        &pare_op_pow,
        &pare_op_affine_scalar,
        &pare_op_mul,
        &pare_op_sub,
        &pare_op_div,
        &pare_op_softmax,
        &pare_op_layer_norm,
        &pare_op_scale,
        &pare_op_reduce_mean,
        &pare_op_transpose,
        &pare_op_reshape,
        &pare_op_identity,
        &pare_op_dropout,
        NULL,
};

const struct pare_op *pare_op_find(const char *name)
{
	for (const struct pare_op *const *op = pare_op_table; *op; op++)
		if (!strcmp((*op)->name, name))
			return *op;
	return NULL;
}
