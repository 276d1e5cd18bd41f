/*
 * What softmax, layer norm and means share: a tensor seen as [blocks][outer][size][inner floats], where `size` counts along
 * the dimension(s) of interest and `inner` holds the dimensions behind it and the lanes. A *line* is what varies with the
 * index along `size` alone; a *strip* is up to PARE_STRIP_FLOATS neighbouring lines of one (block, outer), worked on
 * together so that loops over them are SIMD loops.
 */
#ifndef PARE_ENGINE_OPS_LINES_H
#define PARE_ENGINE_OPS_LINES_H

#include "engine/graph/tensor.h"

#define PARE_STRIP_FLOATS 64

struct pare_lines {
	int64_t outer, size, inner; /* inner: floats, lanes included */
	int64_t blocks, strips;     /* strips of one (block, outer) */
};

/* Dimensions first ... last (inclusive) are the lines'. */
static inline struct pare_lines pare_lines_make(const struct pare_tensor *tensor, int first, int last)
{
	struct pare_lines lines = {
	        .outer = 1, .size = 1, .inner = tensor->lanes, .blocks = pare_tensor_blocks(tensor)};

	for (int d = 0; d < tensor->shape.rank; d++) {
		if (d < first)
			lines.outer *= tensor->shape.dim[d];
		else if (d <= last)
			lines.size *= tensor->shape.dim[d];
		else
			lines.inner *= tensor->shape.dim[d];
	}
	lines.strips = (lines.inner + PARE_STRIP_FLOATS - 1) / PARE_STRIP_FLOATS;
	return lines;
}

static inline int64_t pare_lines_items(const struct pare_lines *lines)
{
	return lines->blocks * lines->outer * lines->strips;
}

/* One strip: `width` lines; index j of line i is at begin + j * step + i floats. `number` counts lines from the first
 * block's on: it is the strip's first place in an array [blocks][outer][inner]. */
struct pare_strip {
	int64_t begin, step, number;
	int width;
};

static inline struct pare_strip pare_strip_at(const struct pare_lines *lines, int64_t item)
{
	int64_t row = item / lines->strips, first = item % lines->strips * PARE_STRIP_FLOATS;
	int64_t left = lines->inner - first;

	return (struct pare_strip){.begin = row * lines->size * lines->inner + first,
	                           .step = lines->inner,
	                           .number = row * lines->inner + first,
	                           .width = left < PARE_STRIP_FLOATS ? (int)left : PARE_STRIP_FLOATS};
}

#endif
