/*
 * Kernels for the lane-blocked layout (engine/graph/tensor.h) with 16 lanes: 16 images sit in the SIMD lanes, weights
 * are broadcast. No im2col, no padding of channels: the register tile is (output channels) x (pixels), so odd widths
 * run at full speed.
 *
 * One source, lane_kernels.inc, compiled once per instruction set; pare_lane_kernels() gives the best set the CPU has.
 * All sets compute the same sums; fused multiply-add and tile sizes differ, so results agree to rounding, not bit for
 * bit, across sets.
 */
#ifndef PARE_ENGINE_MATH_LANE_KERNELS_H
#define PARE_ENGINE_MATH_LANE_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#define PARE_KERNEL_LANES 16

enum pare_kernel_activation { PARE_KERNEL_LINEAR, PARE_KERNEL_RELU, PARE_KERNEL_RELU6 };

/* One kernel position: where its input lies relative to the pixel's base, and which weight it takes. */
struct pare_tap {
	int64_t x_offset; /* floats */
	int32_t weight;   /* index in [0, taps_in_all) */
};

/* y[o][p] = activation(bias[o] + sum over i < inputs, t < n_taps of w[o][i][taps[t].weight] * x[i][p, tap t]) for a run
 * of pixels that share their taps. Used for convolution forward, for its data gradient (weights transposed), and for
 * linear layers. */
struct pare_pixels_job {
	const float *x;  /* pixel 0 of input channel 0 */
	int64_t x_plane; /* floats between input channels */
	int64_t x_step;  /* floats between neighbouring pixels' inputs */
	int inputs;
	const struct pare_tap *taps;
	int n_taps;
	const float *w; /* packed by pare_pack_weights */
	int taps_in_all;
	float *y; /* pixel 0 of output channel 0 */
	int64_t y_plane, y_step;
	int outputs;
	int64_t pixels;
	const float *bias; /* [outputs]; NULL = 0 */
	enum pare_kernel_activation activation;
	bool accumulate; /* add to y instead of overwriting it; not with bias or activation */
};

/* acc[j][o][lane] += sum over rows, pixels of x[j] * dy[o], for a register tile of `outputs` x `columns`. A column is
 * one (input channel, kernel position). */
struct pare_gradient_job {
	const float *dy;                   /* first pixel of the tile's first output channel */
	int64_t dy_plane, dy_row, dy_step; /* floats between channels, rows, pixels */
	int outputs;                       /* 1 .. gradient_outputs */
	const float *x;
	const int64_t *x_offset; /* [columns] floats, from x to the column's first pixel */
	int64_t x_row, x_step;
	int columns; /* 1 .. PARE_GRADIENT_COLUMNS */
	int64_t rows, pixels;
	float *const *acc; /* [columns]: [outputs][16] each */
};

#define PARE_GRADIENT_COLUMNS 3

/* Functions made of exponentials. e^x: relative error below 2e-7 between -87 and 88, where it stays beyond. erf: absolute
 * error below 3e-7. The slopes are derivatives with respect to x. */
enum pare_smooth {
	PARE_SMOOTH_EXP,
	PARE_SMOOTH_SIGMOID, /* 1 / (1 + e^-x) */
	PARE_SMOOTH_SILU,    /* x sigmoid(x) */
	PARE_SMOOTH_GELU,    /* x (1 + erf(x / sqrt(2))) / 2 */
	PARE_SMOOTH_ERF,
	PARE_SMOOTH_SILU_SLOPE,
	PARE_SMOOTH_GELU_SLOPE,
	PARE_SMOOTH_ERF_SLOPE,
};

struct pare_lane_kernels {
	const char *name;     /* "avx512" */
	int conv_outputs;     /* most output channels of a register tile */
	int gradient_outputs; /* the same of the weight gradient's tile */
	bool (*supported)(void);
	void (*pixels)(const struct pare_pixels_job *job);
	void (*gradient)(const struct pare_gradient_job *job);
	/* y[i] = function(x[i]), contiguous, at any address; y may be x. NaN is handed on. */
	void (*smooth)(enum pare_smooth function, const float *x, float *y, int64_t count);
};

/* The best set for this CPU, or the one chosen by pare_lane_kernels_force. */
const struct pare_lane_kernels *pare_lane_kernels(void);
/* For tests and comparisons: by name ("avx512", "avx2", "portable"); NULL = automatic again. False when unknown or not
 * supported. Not while kernels run. */
bool pare_lane_kernels_force(const char *name);

/* Output channels are cut into tiles of nearly equal size, at most `most` each: tile t of n covers [first, first +
 * size). */
int pare_tile_count(int outputs, int most);
void pare_tile_range(int outputs, int tiles, int tile, int *first, int *size);

/* Packs w into tiles: for each tile of outputs [i][tap][o in tile]. Element (o, i, t) is read at
 * w[o * stride_o + i * stride_i + t * stride_t]; so a transposed weight is only other strides.
 * packed: outputs * inputs * taps floats. */
void pare_pack_weights(const float *w, int outputs, int inputs, int taps, int64_t stride_o, int64_t stride_i,
                       int64_t stride_t, int tile_outputs, float *packed);

#endif
