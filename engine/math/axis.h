/*
 * One axis of a sliding window, cut into segments in which every position sees the same kernel taps. Border positions
 * see fewer taps, so nothing is ever padded and no product with a padding zero is computed.
 */
#ifndef PARE_ENGINE_MATH_AXIS_H
#define PARE_ENGINE_MATH_AXIS_H

#include <stddef.h>
#include <stdint.h>

/* A window along one axis: output position o and tap t meet input position o * stride - pad + t * dilation. */
struct pare_window {
	int32_t in, out, kernel, stride, pad, dilation;
};

struct pare_axis_tap {
	int32_t tap;   /* kernel index */
	int32_t first; /* source position of the segment's first target */
};

/* Targets first, first + step, ... (count of them); target number i reads source taps[].first + i * source_step. */
struct pare_axis_segment {
	int32_t first, step, count, source_step;
	int32_t n_taps;
	const struct pare_axis_tap *taps;
};

struct pare_axis {
	int n_segments;
	struct pare_axis_segment *segments;
};

/* Upper bound of the memory an axis with so many targets needs. */
size_t pare_axis_bytes(int32_t targets, int32_t kernel);

/* Forward: targets are outputs, sources inputs. Memory: pare_axis_bytes(window->out, kernel), aligned to 8. */
struct pare_axis pare_axis_forward(const struct pare_window *window, void *memory);
/* Data gradient: targets are inputs, sources outputs. Inputs that no window touches come in segments without taps.
 * Memory: pare_axis_bytes(window->in, kernel). */
struct pare_axis pare_axis_backward(const struct pare_window *window, void *memory);

/* Outputs [*begin, *end) whose tap t lies inside the input. */
void pare_axis_tap_range(const struct pare_window *window, int32_t tap, int32_t *begin, int32_t *end);

#endif
