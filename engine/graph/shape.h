/*
 * Shapes. A shape describes ONE image: the batch is not part of it. Feature maps are {channels, height, width}, rank 3;
 * vectors are {features}, rank 1. Convolutions, pooling and batch norm take dimension 0 as channels; others may have them
 * along any dimension, up to rank 5.
 */
#ifndef PARE_ENGINE_GRAPH_SHAPE_H
#define PARE_ENGINE_GRAPH_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PARE_MAX_RANK 5
#define PARE_MAX_DIMENSION (1 << 24)      /* no single dimension is larger */
#define PARE_MAX_ELEMENTS ((int64_t)1 << 31) /* no single tensor (one image, one parameter) holds more */

struct pare_shape {
	int rank;
	int64_t dim[PARE_MAX_RANK];
};

static inline struct pare_shape pare_shape_chw(int64_t channels, int64_t height, int64_t width)
{
	return (struct pare_shape){.rank = 3, .dim = {channels, height, width}};
}

static inline struct pare_shape pare_shape_vector(int64_t features)
{
	return (struct pare_shape){.rank = 1, .dim = {features}};
}

/* Product of the dimensions; 1 for rank 0. Valid shapes cannot overflow. */
int64_t pare_shape_elements(const struct pare_shape *shape);
/* Elements of one channel: the product of dimensions 1 and up. */
int64_t pare_shape_plane(const struct pare_shape *shape);
bool pare_shape_equal(const struct pare_shape *a, const struct pare_shape *b);
/* rank in [0, PARE_MAX_RANK], every dimension in [1, PARE_MAX_DIMENSION], at most PARE_MAX_ELEMENTS elements. */
bool pare_shape_valid(const struct pare_shape *shape);
/* "16x32x32"; cut to size. Returns text. */
char *pare_shape_text(const struct pare_shape *shape, char *text, size_t size);

/* Output size of a sliding window (convolution, pooling): floor((in + pad_begin + pad_end - dilation*(kernel-1) - 1) /
 * stride) + 1, or <= 0 when the window does not fit. ceil_mode rounds up, but never starts a window in the end padding
 * (PyTorch's rule). */
int64_t pare_window_output(int64_t in, int64_t kernel, int64_t stride, int64_t pad_begin, int64_t pad_end,
                           int64_t dilation, bool ceil_mode);

#endif
