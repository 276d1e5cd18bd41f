/*
 * im2col and its transpose, for one image of plain CHW layout: the fallback path of convolutions (batches below 8
 * images).
 */
#ifndef PARE_ENGINE_MATH_IM2COL_H
#define PARE_ENGINE_MATH_IM2COL_H

#include "engine/math/axis.h"

/* x [channels][rows.in][columns.in] -> matrix [channels * rows.kernel * columns.kernel][rows.out * columns.out] */
void pare_im2col(const float *x, int64_t channels, const struct pare_window *rows, const struct pare_window *columns,
                 float *matrix);
/* The transpose: adds every matrix element to the pixel it came from. */
void pare_col2im_add(const float *matrix, int64_t channels, const struct pare_window *rows,
                     const struct pare_window *columns, float *x);

#endif
