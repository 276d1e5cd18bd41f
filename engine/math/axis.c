#include "engine/math/axis.h"

#include <stdbool.h>

size_t pare_axis_bytes(int32_t targets, int32_t kernel)
{
	return (size_t)targets * (sizeof(struct pare_axis_segment) + (size_t)kernel * sizeof(struct pare_axis_tap));
}

/* Taps that target `at` sees; returns how many. */
static int taps_forward(const struct pare_window *w, int32_t at, struct pare_axis_tap *taps)
{
	int n = 0;
	for (int32_t t = 0; t < w->kernel; t++) {
		int32_t in = at * w->stride - w->pad + t * w->dilation;
		if (in >= 0 && in < w->in)
			taps[n++] = (struct pare_axis_tap){t, in};
	}
	return n;
}

static int taps_backward(const struct pare_window *w, int32_t at, struct pare_axis_tap *taps)
{
	int n = 0;
	for (int32_t t = 0; t < w->kernel; t++) {
		int32_t scaled = at + w->pad - t * w->dilation;
		if (scaled >= 0 && scaled % w->stride == 0 && scaled / w->stride < w->out)
			taps[n++] = (struct pare_axis_tap){t, scaled / w->stride};
	}
	return n;
}

/* Does `taps` (of the target behind the segment's last) continue the segment? */
static bool continues(const struct pare_axis_segment *segment, const struct pare_axis_tap *taps, int n_taps)
{
	if (segment->n_taps != n_taps)
		return false;
	for (int i = 0; i < n_taps; i++) {
		if (segment->taps[i].tap != taps[i].tap ||
		    segment->taps[i].first + segment->count * segment->source_step != taps[i].first)
			return false;
	}
	return true;
}

typedef int (*taps_fn)(const struct pare_window *w, int32_t at, struct pare_axis_tap *taps);

static struct pare_axis cut(const struct pare_window *w, void *memory, int32_t targets, int32_t step,
                            int32_t source_step, taps_fn taps_of)
{
	struct pare_axis axis = {.segments = memory};
	struct pare_axis_tap *taps = (void *)(axis.segments + targets);
	for (int32_t phase = 0; phase < step && phase < targets; phase++) {
		struct pare_axis_segment *segment = NULL;
		for (int32_t at = phase; at < targets; at += step) {
			int n = taps_of(w, at, taps);
			if (segment && continues(segment, taps, n)) {
				segment->count++;
				continue;
			}
			segment = &axis.segments[axis.n_segments++];
			*segment = (struct pare_axis_segment){.first = at,
			                                      .step = step,
			                                      .count = 1,
			                                      .source_step = source_step,
			                                      .n_taps = n,
			                                      .taps = taps};
			taps += n;
		}
	}
	return axis;
}

struct pare_axis pare_axis_forward(const struct pare_window *window, void *memory)
{
	return cut(window, memory, window->out, 1, window->stride, taps_forward);
}

struct pare_axis pare_axis_backward(const struct pare_window *window, void *memory)
{
	return cut(window, memory, window->in, window->stride, 1, taps_backward);
}

void pare_axis_tap_range(const struct pare_window *window, int32_t tap, int32_t *begin, int32_t *end)
{
	int32_t shift = window->pad - tap * window->dilation; /* o * stride >= shift, o * stride < in + shift */
	*begin = shift > 0 ? (shift + window->stride - 1) / window->stride : 0;
	*end = window->in + shift > 0 ? (window->in + shift + window->stride - 1) / window->stride : 0;
	if (*end > window->out)
		*end = window->out;
	if (*begin > *end)
		*begin = *end;
}
