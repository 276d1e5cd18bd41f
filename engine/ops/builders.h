/*
 * One short function per operator to add it to a graph, and the attributes of each. Parameters: see each operator's file.
 *
 * All builders: *value is the input's value index and becomes the output's; 0 or a negative status; `error` names the node.
 */
#ifndef PARE_ENGINE_OPS_BUILDERS_H
#define PARE_ENGINE_OPS_BUILDERS_H

#include "engine/graph/graph.h"

/* Convolution, cross-correlation as everywhere in the field. Input {C, H, W}; weight [O][C/groups][kernel_h][kernel_w]; bias [O]
 * (optional second parameter). */
struct pare_conv2d {
	int32_t kernel_h, kernel_w;
	int32_t stride_h, stride_w;
	int32_t pad_top, pad_left, pad_bottom, pad_right;
	int32_t dilation_h, dilation_w;
	int32_t groups; /* C for depthwise */
};

/* Batch normalisation over dimension 0 of {C, H, W} or {C}. Parameters: scale, shift, running mean, running variance. */
struct pare_batch_norm {
	float epsilon;
	float momentum; /* running = (1 - momentum) * running + momentum * batch (PyTorch's meaning) */
};

/* Max and average pooling over {C, H, W}. */
struct pare_pool2d {
	int32_t kernel_h, kernel_w;
	int32_t stride_h, stride_w;
	int32_t pad_top, pad_left, pad_bottom, pad_right;
	int32_t ceil_mode;         /* 0 or 1 */
	int32_t count_include_pad; /* average pooling: 0 divides by the pixels inside the image */
};

/* Zero padding; begin/end per dimension of {C, H, W}. Negative amounts are not allowed. */
struct pare_pad {
	int32_t begin[3], end[3];
};

/* start, stop (exclusive, already clipped) and step > 0 per dimension of {C, H, W}. */
struct pare_slice {
	int32_t start[3], stop[3], step[3];
};

extern const struct pare_op pare_op_conv2d, pare_op_batch_norm, pare_op_relu, pare_op_relu6, pare_op_max_pool,
	pare_op_average_pool, pare_op_global_average_pool, pare_op_add, pare_op_concat, pare_op_flatten, pare_op_linear,
	pare_op_pad, pare_op_slice;

/* NULL-terminated list of every operator, and look-up by name (NULL when unknown). In op_table.c. */
extern const struct pare_op *const pare_op_table[];
const struct pare_op *pare_op_find(const char *name);

/* Parameters made by these builders are called "<name>.weight", "<name>.bias", ... They start as zeros (BN: scale 1, variance 1);
 * pare_graph_initialize (engine/zoo/zoo.h) fills them. */
int pare_build_conv2d(struct pare_graph *graph, const char *name, int64_t out_channels, const struct pare_conv2d *attrs,
                      bool bias, int *value, struct pare_error *error);
/* The usual case: square kernel, "same" padding (kernel / 2), dilation 1. */
int pare_build_conv(struct pare_graph *graph, const char *name, int64_t out_channels, int kernel, int stride, int groups,
                    bool bias, int *value, struct pare_error *error);
int pare_build_batch_norm(struct pare_graph *graph, const char *name, int *value, struct pare_error *error);
int pare_build_relu(struct pare_graph *graph, const char *name, int *value, struct pare_error *error);
int pare_build_relu6(struct pare_graph *graph, const char *name, int *value, struct pare_error *error);
int pare_build_max_pool(struct pare_graph *graph, const char *name, const struct pare_pool2d *attrs, int *value,
                        struct pare_error *error);
int pare_build_average_pool(struct pare_graph *graph, const char *name, const struct pare_pool2d *attrs, int *value,
                            struct pare_error *error);
/* {C, H, W} -> {C, 1, 1} */
int pare_build_global_average_pool(struct pare_graph *graph, const char *name, int *value, struct pare_error *error);
/* *value + other -> *value; equal shapes. */
int pare_build_add(struct pare_graph *graph, const char *name, int other, int *value, struct pare_error *error);
/* Along channels, in the order given. */
int pare_build_concat(struct pare_graph *graph, const char *name, const int *inputs, int n_inputs, int *value,
                      struct pare_error *error);
/* {C, H, W} -> {C*H*W} */
int pare_build_flatten(struct pare_graph *graph, const char *name, int *value, struct pare_error *error);
/* {in} -> {out}; weight [out][in], bias [out] */
int pare_build_linear(struct pare_graph *graph, const char *name, int64_t out_features, bool bias, int *value,
                      struct pare_error *error);
int pare_build_pad(struct pare_graph *graph, const char *name, const struct pare_pad *attrs, int *value,
                   struct pare_error *error);
int pare_build_slice(struct pare_graph *graph, const char *name, const struct pare_slice *attrs, int *value,
                     struct pare_error *error);

#endif
