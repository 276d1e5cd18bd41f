/*
 * The two ways a convolution is computed (private to conv2d*.c and linear.c): conv2d_lanes.c for 16 images in the SIMD lanes, with
 * the kernels of engine/math; conv2d_gemm.c, im2col and GEMM, for batches below 8 images.
 */
#ifndef PARE_ENGINE_OPS_CONV2D_PATHS_H
#define PARE_ENGINE_OPS_CONV2D_PATHS_H

#include "engine/graph/graph.h"
#include "engine/math/axis.h"
#include "engine/math/lane_kernels.h"

/* The largest kernel, height x width. */
#define CONV_MOST_TAPS 1024

static inline enum pare_kernel_activation pare_kernel_activation(enum pare_activation activation)
{
	switch (activation) {
	case PARE_ACTIVATION_RELU:
		return PARE_KERNEL_RELU;
	case PARE_ACTIVATION_RELU6:
		return PARE_KERNEL_RELU6;
	case PARE_ACTIVATION_NONE:
		break;
	}
	return PARE_KERNEL_LINEAR;
}

/* A convolution as plain numbers. 1x1 convolutions without stride and padding are seen as one long row. */
struct conv_shape {
	struct pare_window rows, columns;
	int groups;
	int in, out; /* channels of one group */
	int taps;    /* kernel height x width */
};

struct conv_shape pare_conv_shape(const struct pare_graph *graph, const struct pare_node *node);

size_t pare_conv_lanes_workspace(const struct conv_shape *shape);
size_t pare_conv_lanes_shared(const struct conv_shape *shape, bool training);
void pare_conv_lanes_prepare(const struct pare_op_args *args);
void pare_conv_lanes_forward(const struct pare_op_args *args);
void pare_conv_lanes_backward(const struct pare_op_args *args);

size_t pare_conv_gemm_workspace(const struct conv_shape *shape, bool training);
void pare_conv_gemm_forward(const struct pare_op_args *args);
void pare_conv_gemm_backward(const struct pare_op_args *args);

#endif
