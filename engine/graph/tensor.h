/*
 * A tensor view: a batch of images in the lane-blocked layout. It never owns its memory.
 *
 * Layout: [blocks][shape.dim[0]][shape.dim[1]]...[lanes], blocks = ceil(images / lanes). Image i is lane i % lanes of block
 * i / lanes. With lanes = 1 this is plain NCHW; with lanes = 16 the SIMD lanes hold 16 *images*, so every kernel runs at
 * full width whatever the channel count: a search lives among odd widths (11, 23, 45 channels), which channel-blocked
 * layouts pad to 16.
 *
 * Lanes past the last image hold finite values that mean nothing. Nobody may let them reach a result: losses give them a
 * zero gradient, batch norm leaves them out of its statistics and zeroes their gradient.
 */
#ifndef PARE_ENGINE_GRAPH_TENSOR_H
#define PARE_ENGINE_GRAPH_TENSOR_H

#include "engine/graph/shape.h"

#define PARE_LANES 16

struct pare_tensor {
	float *data; /* aligned to 64 bytes */
	struct pare_shape shape;
	int64_t images;
	int lanes; /* 1 or PARE_LANES */
};

/* The layout used for a batch of this size: 1 below 8 images, PARE_LANES from there on. */
static inline int pare_lanes_for(int64_t images)
{
	return images < 8 ? 1 : PARE_LANES;
}

static inline int64_t pare_tensor_blocks(const struct pare_tensor *tensor)
{
	return (tensor->images + tensor->lanes - 1) / tensor->lanes;
}

/* Floats in one block: elements of one image times lanes. */
static inline int64_t pare_tensor_block_size(const struct pare_tensor *tensor)
{
	return pare_shape_elements(&tensor->shape) * tensor->lanes;
}

/* Floats in the whole view. */
static inline int64_t pare_tensor_size(const struct pare_tensor *tensor)
{
	return pare_tensor_blocks(tensor) * pare_tensor_block_size(tensor);
}

/* Address of element e (row-major within one image) of image i. */
static inline float *pare_tensor_at(const struct pare_tensor *tensor, int64_t image, int64_t element)
{
	int64_t block = image / tensor->lanes, lane = image % tensor->lanes;
	return tensor->data + block * pare_tensor_block_size(tensor) + element * tensor->lanes + lane;
}

/* Between plain NCHW (images x elements, dense) and the view's layout; unused lanes are written as 0. */
void pare_tensor_from_nchw(const struct pare_tensor *tensor, const float *nchw);
void pare_tensor_to_nchw(const struct pare_tensor *tensor, float *nchw);

#endif
