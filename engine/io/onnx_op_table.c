/* Every ONNX operator that can be read. Sorted by name: the table is searched by halves. */
#include <stdlib.h>
#include <string.h>

#include "engine/io/onnx_ops.h"

const struct pare_onnx_op pare_onnx_op_table[] = {
        {"Add", 2, 2, pare_onnx_fold_arithmetic, pare_onnx_build_add},
        {"AveragePool", 1, 1, NULL, pare_onnx_build_average_pool},
        {"BatchNormalization", 5, 5, NULL, pare_onnx_build_batch_norm},
        {"Cast", 1, 1, pare_onnx_fold_cast, NULL},
        {"Clip", 1, 3, NULL, pare_onnx_build_clip},
        {"Concat", 1, -1, pare_onnx_fold_concat, pare_onnx_build_concat},
        {"Constant", 0, 0, pare_onnx_fold_constant, NULL},
        {"ConstantOfShape", 1, 1, pare_onnx_fold_constant_of_shape, NULL},
        {"Conv", 2, 3, NULL, pare_onnx_build_conv},
        {"Div", 2, 2, pare_onnx_fold_arithmetic, NULL},
        {"Dropout", 1, 3, NULL, pare_onnx_build_dropout},
        {"Flatten", 1, 1, NULL, pare_onnx_build_flatten},
        {"Gather", 2, 2, pare_onnx_fold_gather, NULL},
        {"Gemm", 2, 3, NULL, pare_onnx_build_gemm},
        {"GlobalAveragePool", 1, 1, NULL, pare_onnx_build_global_average_pool},
        {"Identity", 1, 1, pare_onnx_fold_identity, pare_onnx_build_identity},
        {"LogSoftmax", 1, 1, NULL, pare_onnx_build_softmax},
        {"MatMul", 2, 2, NULL, pare_onnx_build_mat_mul},
        {"MaxPool", 1, 1, NULL, pare_onnx_build_max_pool},
        {"Mul", 2, 2, pare_onnx_fold_arithmetic, NULL},
        {"Pad", 1, 4, NULL, pare_onnx_build_pad},
        {"ReduceMean", 1, 2, NULL, pare_onnx_build_reduce_mean},
        {"Relu", 1, 1, NULL, pare_onnx_build_relu},
        {"Reshape", 2, 2, pare_onnx_fold_reshape, pare_onnx_build_reshape},
        {"Shape", 1, 1, pare_onnx_fold_shape, pare_onnx_build_shape},
        {"Slice", 1, 5, pare_onnx_fold_slice, pare_onnx_build_slice},
        {"Softmax", 1, 1, NULL, pare_onnx_build_softmax},
        {"Squeeze", 1, 2, pare_onnx_fold_squeeze, pare_onnx_build_squeeze},
        {"Sub", 2, 2, pare_onnx_fold_arithmetic, NULL},
        {"Transpose", 1, 1, pare_onnx_fold_transpose, NULL},
        {"Unsqueeze", 1, 2, pare_onnx_fold_unsqueeze, NULL},
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
