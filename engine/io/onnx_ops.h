/* The fold and build functions that onnx_op_table.c names (what they are: onnx_import.h), and what they share. */
#ifndef PARE_ENGINE_IO_ONNX_OPS_H
#define PARE_ENGINE_IO_ONNX_OPS_H

#include "engine/io/onnx_import.h"

typedef int pare_onnx_op_fn(struct pare_onnx_import *import, const struct pare_onnx_node *node);

/* onnx_fold_move.c */
pare_onnx_op_fn pare_onnx_fold_identity, pare_onnx_fold_reshape, pare_onnx_fold_unsqueeze, pare_onnx_fold_squeeze,
        pare_onnx_fold_transpose, pare_onnx_fold_slice, pare_onnx_fold_gather, pare_onnx_fold_concat;
/* onnx_fold_math.c */
pare_onnx_op_fn pare_onnx_fold_constant, pare_onnx_fold_constant_of_shape, pare_onnx_fold_shape, pare_onnx_build_shape,
        pare_onnx_fold_cast, pare_onnx_fold_arithmetic;
/* onnx_build_conv.c: windows and normalisation */
pare_onnx_op_fn pare_onnx_build_conv, pare_onnx_build_max_pool, pare_onnx_build_average_pool,
        pare_onnx_build_batch_norm;
/* onnx_build_pointwise.c */
pare_onnx_op_fn pare_onnx_build_function, pare_onnx_build_hard_sigmoid, pare_onnx_build_leaky_relu, pare_onnx_build_elu,
        pare_onnx_build_gelu, pare_onnx_build_clip, pare_onnx_build_identity, pare_onnx_build_dropout,
        pare_onnx_build_softmax;
/* onnx_build_arithmetic.c */
pare_onnx_op_fn pare_onnx_build_arithmetic, pare_onnx_build_pow;
/* onnx_build_linear.c */
pare_onnx_op_fn pare_onnx_build_gemm, pare_onnx_build_mat_mul, pare_onnx_build_layer_norm;
/* onnx_build_shape.c */
pare_onnx_op_fn pare_onnx_build_flatten, pare_onnx_build_reshape, pare_onnx_build_squeeze, pare_onnx_build_unsqueeze,
        pare_onnx_build_transpose;
/* onnx_build_region.c */
pare_onnx_op_fn pare_onnx_build_global_average_pool, pare_onnx_build_reduce_mean, pare_onnx_build_concat,
        pare_onnx_build_slice, pare_onnx_build_split, pare_onnx_build_pad;

/* A node with one input and no parameters. */
int pare_onnx_one_input(struct pare_onnx_import *import, const struct pare_onnx_node *node, const struct pare_op *op,
                        int value, const void *attrs);

/* Row-major strides, in elements. */
void pare_onnx_strides(const struct pare_onnx_constant *constant, int64_t *stride);
/* Where the element'th element of `shape`, row-major, lies under other strides. */
int64_t pare_onnx_strided(const struct pare_onnx_constant *shape, int64_t element, const int64_t *stride);

#endif
