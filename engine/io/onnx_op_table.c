/* Every ONNX operator that can be read. Sorted by name: the table is searched by halves. */
#include <stdlib.h>
#include <string.h>

#include "engine/io/onnx_ops.h"

const struct pare_onnx_op pare_onnx_op_table[] = {
        {"Add", 2, 2, pare_onnx_fold_arithmetic, pare_onnx_build_arithmetic, false},
        {"AveragePool", 1, 1, NULL, pare_onnx_build_average_pool, false},
        {"BatchNormalization", 5, 5, NULL, pare_onnx_build_batch_norm, false},
        {"Cast", 1, 1, pare_onnx_fold_cast, NULL, false},
        {"Clip", 1, 3, NULL, pare_onnx_build_clip, false},
        {"Concat", 1, -1, pare_onnx_fold_concat, pare_onnx_build_concat, false},
        {"Constant", 0, 0, pare_onnx_fold_constant, NULL, false},
        {"ConstantOfShape", 1, 1, pare_onnx_fold_constant_of_shape, NULL, false},
        {"Conv", 2, 3, NULL, pare_onnx_build_conv, false},
        {"Div", 2, 2, pare_onnx_fold_arithmetic, pare_onnx_build_arithmetic, false},
        {"Dropout", 1, 3, NULL, pare_onnx_build_dropout, false},
        {"Elu", 1, 1, NULL, pare_onnx_build_elu, false},
        {"Erf", 1, 1, NULL, pare_onnx_build_function, false},
        {"Flatten", 1, 1, NULL, pare_onnx_build_flatten, false},
        {"Gather", 2, 2, pare_onnx_fold_gather, NULL, false},
        {"Gelu", 1, 1, NULL, pare_onnx_build_gelu, false},
        {"Gemm", 2, 3, NULL, pare_onnx_build_gemm, false},
        {"GlobalAveragePool", 1, 1, NULL, pare_onnx_build_global_average_pool, false},
        {"HardSigmoid", 1, 1, NULL, pare_onnx_build_hard_sigmoid, false},
        {"HardSwish", 1, 1, NULL, pare_onnx_build_function, false},
        {"Identity", 1, 1, pare_onnx_fold_identity, pare_onnx_build_identity, false},
        {"LayerNormalization", 2, 3, NULL, pare_onnx_build_layer_norm, false},
        {"LeakyRelu", 1, 1, NULL, pare_onnx_build_leaky_relu, false},
        {"LogSoftmax", 1, 1, NULL, pare_onnx_build_softmax, false},
        {"MatMul", 2, 2, NULL, pare_onnx_build_mat_mul, false},
        {"MaxPool", 1, 1, NULL, pare_onnx_build_max_pool, false},
        {"Mul", 2, 2, pare_onnx_fold_arithmetic, pare_onnx_build_arithmetic, false},
        {"Pad", 1, 4, NULL, pare_onnx_build_pad, false},
        {"Pow", 2, 2, NULL, pare_onnx_build_pow, false},
        {"ReduceMean", 1, 2, NULL, pare_onnx_build_reduce_mean, false},
        {"Relu", 1, 1, NULL, pare_onnx_build_function, false},
        {"Reshape", 2, 2, pare_onnx_fold_reshape, pare_onnx_build_reshape, false},
        {"Shape", 1, 1, pare_onnx_fold_shape, pare_onnx_build_shape, false},
        {"Sigmoid", 1, 1, NULL, pare_onnx_build_function, false},
        {"Slice", 1, 5, pare_onnx_fold_slice, pare_onnx_build_slice, false},
        {"Softmax", 1, 1, NULL, pare_onnx_build_softmax, false},
        {"Split", 1, 2, NULL, pare_onnx_build_split, true},
        {"Sqrt", 1, 1, NULL, pare_onnx_build_function, false},
        {"Squeeze", 1, 2, pare_onnx_fold_squeeze, pare_onnx_build_squeeze, false},
        {"Sub", 2, 2, pare_onnx_fold_arithmetic, pare_onnx_build_arithmetic, false},
        {"Tanh", 1, 1, NULL, pare_onnx_build_function, false},
        {"Transpose", 1, 1, pare_onnx_fold_transpose, pare_onnx_build_transpose, false},
        {"Unsqueeze", 1, 2, pare_onnx_fold_unsqueeze, pare_onnx_build_unsqueeze, false},
};
const size_t pare_onnx_op_count = sizeof(pare_onnx_op_table) / sizeof(*pare_onnx_op_table);

static int by_type(const void *key, const void *op)
{
	return strcmp(key, ((const struct pare_onnx_op *)op)->op_type);
}

const struct pare_onnx_op *pare_onnx_op_find(const char *op_type)
{
	return bsearch(op_type, pare_onnx_op_table, pare_onnx_op_count, sizeof(*pare_onnx_op_table), by_type);
}
