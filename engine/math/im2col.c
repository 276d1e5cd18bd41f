#include "engine/math/im2col.h"

#include <string.h>

void pare_im2col(const float *x, int64_t channels, const struct pare_window *rows, const struct pare_window *columns,
                 float *matrix)
{
	for (int64_t c = 0; c < channels; c++, x += (int64_t)rows->in * columns->in) {
		for (int32_t ky = 0; ky < rows->kernel; ky++) {
			int32_t y0, y1;
			pare_axis_tap_range(rows, ky, &y0, &y1);
			for (int32_t kx = 0; kx < columns->kernel; kx++) {
				int32_t x0, x1;
				pare_axis_tap_range(columns, kx, &x0, &x1);
				memset(matrix, 0, (size_t)rows->out * columns->out * sizeof *matrix);
				for (int32_t y = y0; y < y1; y++) {
					const float *from =
					        x +
					        (int64_t)(y * rows->stride - rows->pad + ky * rows->dilation) *
					                columns->in -
					        columns->pad + kx * columns->dilation;
					float *to = matrix + (int64_t)y * columns->out;
					if (columns->stride == 1)
						memcpy(to + x0, from + x0, (size_t)(x1 - x0) * sizeof *to);
					else
						for (int32_t i = x0; i < x1; i++)
							to[i] = from[(int64_t)i * columns->stride];
				}
				matrix += (int64_t)rows->out * columns->out;
			}
		}
	}
}

void pare_col2im_add(const float *matrix, int64_t channels, const struct pare_window *rows,
                     const struct pare_window *columns, float *x)
{
	for (int64_t c = 0; c < channels; c++, x += (int64_t)rows->in * columns->in) {
		for (int32_t ky = 0; ky < rows->kernel; ky++) {
			int32_t y0, y1;
			pare_axis_tap_range(rows, ky, &y0, &y1);
			for (int32_t kx = 0; kx < columns->kernel; kx++) {
				int32_t x0, x1;
				pare_axis_tap_range(columns, kx, &x0, &x1);
				for (int32_t y = y0; y < y1; y++) {
					float *to = x +
					            (int64_t)(y * rows->stride - rows->pad + ky * rows->dilation) *
					                    columns->in -
					            columns->pad + kx * columns->dilation;
					const float *from = matrix + (int64_t)y * columns->out;
					for (int32_t i = x0; i < x1; i++)
						to[(int64_t)i * columns->stride] += from[i];
				}
				matrix += (int64_t)rows->out * columns->out;
			}
		}
	}
}
