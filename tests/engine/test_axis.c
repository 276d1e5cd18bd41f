#include "engine/math/axis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_TARGETS 64
#define MAX_KERNEL 8

/* What every target reads from each tap: a source position, or -1. Written from the definition in axis.h alone. */
struct reads {
	int source[MAX_TARGETS][MAX_KERNEL];
};

static void clear(struct reads *reads)
{
	for (int target = 0; target < MAX_TARGETS; target++)
		for (int tap = 0; tap < MAX_KERNEL; tap++)
			reads->source[target][tap] = -1;
}

static void brute_force(const struct pare_window *w, bool backward, struct reads *reads)
{
	clear(reads);
	for (int o = 0; o < w->out; o++)
		for (int t = 0; t < w->kernel; t++) {
			int in = o * w->stride - w->pad + t * w->dilation;
			if (in < 0 || in >= w->in)
				continue;
			if (backward)
				reads->source[in][t] = o;
			else
				reads->source[o][t] = in;
		}
}

static void check_segments(const struct pare_axis *axis, int targets, const struct reads *wanted)
{
	struct reads found;
	int visits[MAX_TARGETS] = {0};

	clear(&found);
	for (int s = 0; s < axis->n_segments; s++) {
		const struct pare_axis_segment *segment = &axis->segments[s];
		assert_true(segment->count >= 1);
		for (int i = 0; i < segment->count; i++) {
			int target = segment->first + i * segment->step;
			assert_in_range(target, 0, targets - 1);
			visits[target]++;
			for (int t = 0; t < segment->n_taps; t++) {
				assert_in_range(segment->taps[t].tap, 0, MAX_KERNEL - 1);
				assert_int_equal(found.source[target][segment->taps[t].tap], -1);
				found.source[target][segment->taps[t].tap] =
				        segment->taps[t].first + i * segment->source_step;
			}
		}
	}
	for (int target = 0; target < targets; target++)
		assert_int_equal(visits[target], 1);
	assert_memory_equal(&found, wanted, sizeof(found));
}

/* Exactly as much memory as asked for: the address sanitizer sees one byte more. */
static void check_direction(const struct pare_window *w, bool backward)
{
	int targets = backward ? w->in : w->out;
	void *memory = malloc(pare_axis_bytes(targets, w->kernel));
	struct reads wanted;

	assert_non_null(memory);
	brute_force(w, backward, &wanted);
	struct pare_axis axis = backward ? pare_axis_backward(w, memory) : pare_axis_forward(w, memory);
	check_segments(&axis, targets, &wanted);
	free(memory);
}

static void check_tap_ranges(const struct pare_window *w)
{
	for (int t = 0; t < w->kernel; t++) {
		int32_t begin, end;
		pare_axis_tap_range(w, t, &begin, &end);
		assert_true(0 <= begin && begin <= end && end <= w->out);
		for (int o = 0; o < w->out; o++) {
			int in = o * w->stride - w->pad + t * w->dilation;
			assert_int_equal(o >= begin && o < end, in >= 0 && in < w->in);
		}
	}
}

static void check_window(const struct pare_window *w)
{
	check_direction(w, false);
	check_direction(w, true);
	check_tap_ranges(w);
}

/* Every window of a size, and every shorter output: end padding may be smaller than the begin's. */
static void check_outputs(struct pare_window w, int pad_end)
{
	int room = w.in + w.pad + pad_end - w.dilation * (w.kernel - 1) - 1;
	if (room < 0)
		return;
	w.out = room / w.stride + 1;
	check_window(&w);
}

static void test_axis__all_small_windows(void **state)
{
	(void)state;
	for (int in = 1; in <= 9; in++)
		for (int kernel = 1; kernel <= 5; kernel++)
			for (int stride = 1; stride <= 4; stride++)
				for (int pad = 0; pad <= 4; pad++)
					for (int dilation = 1; dilation <= 3; dilation++)
						for (int pad_end = 0; pad_end <= pad; pad_end += 2)
							check_outputs((struct pare_window){.in = in,
							                                   .kernel = kernel,
							                                   .stride = stride,
							                                   .pad = pad,
							                                   .dilation = dilation},
							              pad_end);
}

static void test_axis__stride_larger_than_kernel(void **state)
{
	(void)state;
	check_window(&(struct pare_window){.in = 30, .out = 5, .kernel = 2, .stride = 7, .pad = 0, .dilation = 1});
	check_window(&(struct pare_window){.in = 30, .out = 5, .kernel = 1, .stride = 7, .pad = 3, .dilation = 1});
	check_window(&(struct pare_window){.in = 5, .out = 1, .kernel = 3, .stride = 50, .pad = 1, .dilation = 1});
}

static void test_axis__padding_larger_than_kernel(void **state)
{
	(void)state;
	check_window(&(struct pare_window){.in = 4, .out = 22, .kernel = 3, .stride = 1, .pad = 10, .dilation = 1});
	check_window(&(struct pare_window){.in = 4, .out = 8, .kernel = 3, .stride = 3, .pad = 11, .dilation = 1});
	check_window(&(struct pare_window){.in = 1, .out = 40, .kernel = 1, .stride = 1, .pad = 20, .dilation = 1});
	/* No window reaches the image at all: all its outputs lie in the padding. */
	check_window(&(struct pare_window){.in = 3, .out = 4, .kernel = 2, .stride = 1, .pad = 9, .dilation = 1});
}

static void test_axis__wide_dilation(void **state)
{
	(void)state;
	check_window(&(struct pare_window){.in = 25, .out = 5, .kernel = 5, .stride = 1, .pad = 0, .dilation = 5});
	check_window(&(struct pare_window){.in = 9, .out = 9, .kernel = 3, .stride = 1, .pad = 8, .dilation = 8});
	check_window(&(struct pare_window){.in = 20, .out = 10, .kernel = 4, .stride = 2, .pad = 5, .dilation = 3});
}

/* What the cutting is for: a 3-tap "same" window has its two borders and one long middle. */
static void test_axis__borders_cost_one_segment_each(void **state)
{
	struct pare_window w = {.in = 28, .out = 28, .kernel = 3, .stride = 1, .pad = 1, .dilation = 1};
	void *memory = malloc(pare_axis_bytes(28, 3));
	(void)state;
	struct pare_axis axis = pare_axis_forward(&w, memory);
	assert_int_equal(axis.n_segments, 3);
	assert_int_equal(axis.segments[0].count, 1);
	assert_int_equal(axis.segments[1].count, 26);
	assert_int_equal(axis.segments[2].count, 1);
	axis = pare_axis_backward(&w, memory);
	assert_int_equal(axis.n_segments, 3);
	w = (struct pare_window){.in = 28, .out = 28, .kernel = 1, .stride = 1, .pad = 0, .dilation = 1};
	assert_int_equal(pare_axis_forward(&w, memory).n_segments, 1);
	free(memory);
}

static void test_axis__inputs_that_no_window_touches_have_no_taps(void **state)
{
	/* Stride 3, one tap: inputs 1, 2, 4, 5, ... are skipped. */
	struct pare_window w = {.in = 9, .out = 3, .kernel = 1, .stride = 3, .pad = 0, .dilation = 1};
	void *memory = malloc(pare_axis_bytes(9, 1));
	int untouched = 0;
	(void)state;
	struct pare_axis axis = pare_axis_backward(&w, memory);
	for (int s = 0; s < axis.n_segments; s++)
		untouched += axis.segments[s].n_taps == 0 ? axis.segments[s].count : 0;
	assert_int_equal(untouched, 6);
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_axis__all_small_windows),
	        cmocka_unit_test(test_axis__stride_larger_than_kernel),
	        cmocka_unit_test(test_axis__padding_larger_than_kernel),
	        cmocka_unit_test(test_axis__wide_dilation),
	        cmocka_unit_test(test_axis__borders_cost_one_segment_each),
	        cmocka_unit_test(test_axis__inputs_that_no_window_touches_have_no_taps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
