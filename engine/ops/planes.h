/*
 * What the operators in this folder share about memory. A *plane* is one channel of one block: height * width * lanes
 * contiguous floats. Planes are numbered block * channels + channel, which is their order in memory.
 */
#ifndef PARE_ENGINE_OPS_PLANES_H
#define PARE_ENGINE_OPS_PLANES_H

#include "engine/graph/tensor.h"

/* Element-wise work is handed to the pool in spans of this many floats: 32 KiB, the first-level cache. */
#define PARE_SPAN_FLOATS 8192

struct pare_span {
	int64_t begin, count;
};

static inline int64_t pare_span_count(int64_t size)
{
	return (size + PARE_SPAN_FLOATS - 1) / PARE_SPAN_FLOATS;
}

static inline struct pare_span pare_span_at(int64_t size, int64_t span)
{
	int64_t begin = span * PARE_SPAN_FLOATS;
	int64_t left = size - begin;
	return (struct pare_span){begin, left < PARE_SPAN_FLOATS ? left : PARE_SPAN_FLOATS};
}

static inline int64_t pare_plane_floats(const struct pare_tensor *tensor)
{
	return pare_shape_plane(&tensor->shape) * tensor->lanes;
}

static inline int64_t pare_plane_count(const struct pare_tensor *tensor)
{
	return pare_tensor_blocks(tensor) * tensor->shape.dim[0];
}

/* How many lanes of a block hold an image. */
static inline int pare_block_lanes_used(const struct pare_tensor *tensor, int64_t block)
{
	int64_t left = tensor->images - block * tensor->lanes;
	return left < tensor->lanes ? (int)left : tensor->lanes;
}

/* Lanes without an image = 0: after operators that can make infinities or NaN of what stood there. */
static inline void pare_tensor_clear_unused(const struct pare_tensor *tensor)
{
	int64_t last = pare_tensor_blocks(tensor) - 1, size = pare_tensor_block_size(tensor);
	int used = pare_block_lanes_used(tensor, last);

	for (int64_t i = 0; used < tensor->lanes && i < size; i += tensor->lanes)
		for (int lane = used; lane < tensor->lanes; lane++)
			tensor->data[last * size + i + lane] = 0.0f;
}

#endif
