/*
 * One short function per operator to add it to a graph, and the attributes of each. Parameters: see each operator's
 * file.
 *
 * All builders: *value is the input's value index and becomes the output's; 0 or a negative status; `error` names the
 * node.
 */
#ifndef PARE_ENGINE_OPS_BUILDERS_H
#define PARE_ENGINE_OPS_BUILDERS_H

#include "engine/graph/graph.h"

/* Convolution, cross-correlation as everywhere in the field. Input {C, H, W}; weight [O][C/groups][kernel_h][kernel_w];
 * bias [O] (optional second parameter). */
struct pare_conv2d {
	int32_t kernel_h, kernel_w;
	int32_t stride_h, stride_w;
	int32_t pad_top, pad_left, pad_bottom, pad_right;
	int32_t dilation_h, dilation_w;
	int32_t groups;   /* C for depthwise */
	int32_t coupling; /* enum pare_conv_coupling */
};

/* How channels hang together (engine/graph/channel_map.h). 0 is right for whoever builds a network: one input channel a
 * group and more than one group is depthwise. Slimming writes down what it was, since a depthwise convolution cut to
 * one channel looks like a dense one, and a grouped one cut to one input channel a group like a depthwise one. */
enum pare_conv_coupling { PARE_CONV_BY_COUNTS, PARE_CONV_GROUPED, PARE_CONV_DEPTHWISE };

/* Batch normalisation over dimension 0 of {C, H, W} or {C}. Parameters: scale, shift, running mean, running variance.
 */
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

/* Zero padding; begin/end per dimension, 0 for those the input does not have. Negative amounts are not allowed. */
struct pare_pad {
	int32_t begin[PARE_MAX_RANK], end[PARE_MAX_RANK];
};

/* start, stop (exclusive, already clipped) and step > 0 per dimension of the input; the rest is 0. */
struct pare_slice {
	int32_t start[PARE_MAX_RANK], stop[PARE_MAX_RANK], step[PARE_MAX_RANK];
};

/* Along dimension `axis` of one image (0 = channels of {C, H, W}). */
struct pare_concat {
	int32_t axis;
};

/* Dimension d of the output is dimension order[d] of the input; entries past the rank are 0. */
struct pare_transpose {
	int32_t order[PARE_MAX_RANK];
};

/* The shape of one image; entries past the rank are 0. The rest of the struct is 0 for whoever builds a network and
 * written by slimming (engine/ops/reshape.c). */
struct pare_reshape {
	int32_t rank, dim[PARE_MAX_RANK];
	int32_t decided; /* 0: how dimensions correspond follows from the sizes; 1: from the next three */
	int32_t in_starts,
	        out_starts; /* bit d: a run of dimensions that is reshaped on its own begins at dimension d */
	int32_t carriers;   /* bit d: dimension d of the output has its run's channels */
};

/* Element-wise functions, engine/ops/unary.c. */
struct pare_hard_sigmoid {
	float alpha, beta; /* y = min(max(alpha * x + beta, 0), 1) */
};
struct pare_clip {
	float min, max; /* y = min(max(x, min), max); -+infinity = no bound */
};
struct pare_leaky_relu {
	float slope; /* y = x above 0, slope * x below; slope >= 0 */
};
struct pare_elu {
	float alpha; /* y = x above 0, alpha * (e^x - 1) below; alpha >= 0 */
};
struct pare_pow {
	float exponent; /* y = x^exponent */
};
struct pare_affine_scalar {
	float factor, addend; /* y = factor * x + addend */
};

/* mul, sub, div: a dimension of 1 is spread over the other input's. All 0 for whoever builds a network; written by
 * slimming, since channels cut to one would look like one that is spread. */
struct pare_spread {
	int32_t decided;  /* 0: sizes tell; 1: */
	int32_t input[2]; /* bit d: this input has one index along dimension d for all of the other's */
};

/* Along one dimension. */
struct pare_softmax {
	int32_t axis;
};

/* y = scale * (x - mean) / sqrt(variance + epsilon) + shift, statistics over dimension `axis` of each image, for every
 * index of the other dimensions. Parameters: scale, shift, each [dim[axis]]. */
struct pare_layer_norm {
	int32_t axis;
	float epsilon;
};

/* y = scale * x (+ shift), one number for each index of dimension `axis`. Parameters: scale, shift (optional). */
struct pare_scale {
	int32_t axis;
};

/* The mean over some neighbouring dimensions. */
struct pare_reduce_mean {
	int32_t axes;      /* bit d: over dimension d; the bits are neighbours (else take one mean after the other) */
	int32_t keep_dims; /* 1: the dimensions stay, with size 1; 0: they go (one must be left) */
};

extern const struct pare_op pare_op_conv2d, pare_op_batch_norm, pare_op_relu, pare_op_relu6, pare_op_max_pool,
        pare_op_average_pool, pare_op_global_average_pool, pare_op_add, pare_op_concat, pare_op_flatten, pare_op_linear,
        pare_op_pad, pare_op_slice;
/* Element-wise, one input. No attributes unless a struct above has their name. gelu is the exact one (erf). */
extern const struct pare_op pare_op_sigmoid, pare_op_hard_sigmoid, pare_op_hard_swish, pare_op_silu, pare_op_gelu,
        pare_op_erf, pare_op_tanh, pare_op_clip, pare_op_leaky_relu, pare_op_elu, pare_op_sqrt, pare_op_pow,
        pare_op_affine_scalar;
/* Element-wise, two inputs of one rank. Attributes: struct pare_spread. */
extern const struct pare_op pare_op_mul, pare_op_sub, pare_op_div;
extern const struct pare_op pare_op_softmax, pare_op_layer_norm, pare_op_scale, pare_op_reduce_mean, pare_op_transpose;
/* Views: no work at run time. dropout is the identity (ignored in training too); no attributes. */
extern const struct pare_op pare_op_reshape, pare_op_identity, pare_op_dropout;

/* NULL-terminated list of every operator, and look-up by name (NULL when unknown). In op_table.c. */
extern const struct pare_op *const pare_op_table[];
const struct pare_op *pare_op_find(const char *name);

/* Parameters made by these builders are called "<name>.weight", "<name>.bias", ... They start as zeros (BN: scale 1,
 * variance 1); pare_graph_initialize (engine/zoo/zoo.h) fills them. */
int pare_build_conv2d(struct pare_graph *graph, const char *name, int64_t out_channels, const struct pare_conv2d *attrs,
                      bool bias, int *value, struct pare_error *error);
/* The usual case: square kernel, "same" padding (kernel / 2), dilation 1. */
int pare_build_conv(struct pare_graph *graph, const char *name, int64_t out_channels, int kernel, int stride,
                    int groups, bool bias, int *value, struct pare_error *error);
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
/* {..., in} -> {..., out}; weight [out][in], bias [out] */
int pare_build_linear(struct pare_graph *graph, const char *name, int64_t out_features, bool bias, int *value,
                      struct pare_error *error);
int pare_build_pad(struct pare_graph *graph, const char *name, const struct pare_pad *attrs, int *value,
                   struct pare_error *error);
int pare_build_slice(struct pare_graph *graph, const char *name, const struct pare_slice *attrs, int *value,
                     struct pare_error *error);
/* As pare_build_concat, along any dimension. */
int pare_build_concat_along(struct pare_graph *graph, const char *name, int axis, const int *inputs, int n_inputs,
                            int *value, struct pare_error *error);
/* Any operator with one input and no parameters: the element-wise functions, transpose, softmax, reduce_mean, reshape,
 * identity, dropout. attrs: the operator's, NULL if it has none. */
int pare_build_unary(struct pare_graph *graph, const char *name, const struct pare_op *op, const void *attrs,
                     int *value, struct pare_error *error);
/* *value op other -> *value; op: pare_op_add (equal shapes), pare_op_mul, pare_op_sub, pare_op_div. */
int pare_build_binary(struct pare_graph *graph, const char *name, const struct pare_op *op, int other, int *value,
                      struct pare_error *error);
/* order: [rank] */
int pare_build_transpose(struct pare_graph *graph, const char *name, const int *order, int *value,
                         struct pare_error *error);
/* shape: of one image, as many elements as the input */
int pare_build_reshape(struct pare_graph *graph, const char *name, const struct pare_shape *shape, int *value,
                       struct pare_error *error);
/* scale 1, shift 0 */
int pare_build_layer_norm(struct pare_graph *graph, const char *name, const struct pare_layer_norm *attrs, int *value,
                          struct pare_error *error);
int pare_build_scale(struct pare_graph *graph, const char *name, int axis, bool shift, int *value,
                     struct pare_error *error);

#endif
