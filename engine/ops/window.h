/*
 * The sliding window of the pooling operators: attribute checks, output shape, and where each window lies.
 */
#ifndef PARE_ENGINE_OPS_WINDOW_H
#define PARE_ENGINE_OPS_WINDOW_H

#include "engine/ops/builders.h"

/* Refuses anything but {C, H, W}, sizes and strides below 1, negative padding, padding as large as the kernel (a window
 * could lie in it completely), and windows that do not fit. */
int pare_pool2d_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                            struct pare_error *error);

/* "k3x3 s2x2 p1,1,1,1" (top, left, bottom, right), then " ceil". */
void pare_pool2d_describe(const struct pare_node *node, struct pare_strbuf *text);

/* Rows or columns [begin, end) of the image under window `output`; `padded` is its length clipped to the padded image.
 */
struct pare_extent {
	int64_t begin, end, padded;
};

static inline struct pare_extent pare_extent_at(int64_t output, int64_t in, int64_t kernel, int64_t stride,
                                                int64_t pad_begin, int64_t pad_end)
{
	int64_t begin = output * stride - pad_begin, end = begin + kernel;
	int64_t padded_end = end < in + pad_end ? end : in + pad_end;
	return (struct pare_extent){begin > 0 ? begin : 0, end < in ? end : in, padded_end - begin};
}

static inline struct pare_extent pare_pool2d_rows(const struct pare_pool2d *attrs, int64_t output, int64_t in)
{
	return pare_extent_at(output, in, attrs->kernel_h, attrs->stride_h, attrs->pad_top, attrs->pad_bottom);
}

static inline struct pare_extent pare_pool2d_columns(const struct pare_pool2d *attrs, int64_t output, int64_t in)
{
	return pare_extent_at(output, in, attrs->kernel_w, attrs->stride_w, attrs->pad_left, attrs->pad_right);
}

#endif
