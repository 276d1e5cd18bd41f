/*
 * Copying boxes: what slice, pad, concat and transpose do, for any rank. A box is a run of nested loops that visits the
 * elements of one image in two tensors at once. The lanes of an element move together.
 */
#ifndef PARE_ENGINE_OPS_STRIDED_H
#define PARE_ENGINE_OPS_STRIDED_H

#include "engine/graph/op.h"

/* Element (i0, i1, ...) with i[d] < size[d] is in[in_start + sum i[d] * in_step[d]], and so for `out`; counted in
 * elements of one image. */
struct pare_box {
	int rank;
	int64_t size[PARE_MAX_RANK];
	int64_t in_start, in_step[PARE_MAX_RANK];
	int64_t out_start, out_step[PARE_MAX_RANK];
};

/* Row-major steps of a shape, in elements. */
void pare_box_steps(const struct pare_shape *shape, int64_t step[PARE_MAX_RANK]);

/* out = in over the box, for every block. No element of `out` may be in the box twice. */
void pare_box_forward(struct pare_pool *pool, const struct pare_box *box, const struct pare_tensor *in,
                      const struct pare_tensor *out);
/* din = dout, or din += dout, over the box. No element of `din` may be in the box twice. */
void pare_box_backward(struct pare_pool *pool, const struct pare_box *box, const struct pare_tensor *dout,
                       const struct pare_tensor *din, bool accumulate);

/* All of the tensor = 0, unused lanes too. */
void pare_tensor_clear(struct pare_pool *pool, const struct pare_tensor *tensor);

#endif
