#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/graph/shape.h"

static void test_shape__elements_and_plane(void **state)
{
	(void)state;
	const struct pare_shape map = pare_shape_chw(16, 5, 7), vector = pare_shape_vector(9), scalar = {0};

	assert_int_equal(pare_shape_elements(&map), 16 * 5 * 7);
	assert_int_equal(pare_shape_plane(&map), 5 * 7);
	assert_int_equal(pare_shape_elements(&vector), 9);
	assert_int_equal(pare_shape_plane(&vector), 1);
	assert_int_equal(pare_shape_elements(&scalar), 1);
	assert_int_equal(pare_shape_plane(&scalar), 1);
}

static void test_shape__equal_needs_rank_and_every_dimension(void **state)
{
	(void)state;
	const struct pare_shape a = pare_shape_chw(4, 1, 1), same = pare_shape_chw(4, 1, 1),
	                        last = pare_shape_chw(4, 1, 2), first = pare_shape_chw(5, 1, 1),
	                        vector = pare_shape_vector(4);

	assert_true(pare_shape_equal(&a, &same));
	assert_false(pare_shape_equal(&a, &last));
	assert_false(pare_shape_equal(&a, &first));
	assert_false(pare_shape_equal(&a, &vector));
	assert_false(pare_shape_equal(&vector, &a));
}

static void test_shape__valid_within_limits_only(void **state)
{
	(void)state;
	static const struct {
		struct pare_shape shape;
		bool valid;
	} cases[] = {
	        {{.rank = 0}, true},
	        {{.rank = 1, .dim = {1}}, true},
	        {{.rank = 1, .dim = {0}}, false},
	        {{.rank = 1, .dim = {-3}}, false},
	        {{.rank = -1}, false},
	        {{.rank = PARE_MAX_RANK + 1}, false},
	        {{.rank = 1, .dim = {PARE_MAX_DIMENSION}}, true},
	        {{.rank = 1, .dim = {PARE_MAX_DIMENSION + 1}}, false},
	        {{.rank = 1, .dim = {INT64_MAX}}, false},
	        {{.rank = 2, .dim = {1 << 16, 1 << 15}}, true},
	        {{.rank = 2, .dim = {1 << 16, (1 << 15) + 1}}, false},
	        /* Would wrap around to a small number without a check after each factor. */
	        {{.rank = 5, .dim = {1 << 24, 1 << 24, 1 << 24, 1 << 24, 1 << 24}}, false},
	        {{.rank = 5, .dim = {1 << 16, 1 << 16, 1 << 16, 1 << 16, 1}}, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pare_shape_valid(&cases[i].shape), cases[i].valid);
}

static void test_shape__text_is_cut_to_size(void **state)
{
	(void)state;
	const struct pare_shape shape = pare_shape_chw(16, 32, 8), scalar = {0};
	char text[32], small[5];

	assert_string_equal(pare_shape_text(&shape, text, sizeof(text)), "16x32x8");
	assert_string_equal(pare_shape_text(&shape, small, sizeof(small)), "16x3");
	assert_string_equal(pare_shape_text(&scalar, text, sizeof(text)), "");
}

/* Counts the windows one by one: begins inside input or front padding, ends inside the padded input. */
static int64_t count_windows(int64_t in, int64_t kernel, int64_t stride, int64_t begin, int64_t end, int64_t dilation)
{
	int64_t n = 0;

	for (int64_t start = -begin; start + dilation * (kernel - 1) < in + end; start += stride)
		n++;
	return n;
}

static void test_window_output__equals_counting_windows(void **state)
{
	(void)state;
	for (int64_t in = 1; in <= 12; in++)
		for (int64_t kernel = 1; kernel <= 5; kernel++)
			for (int64_t stride = 1; stride <= 3; stride++)
				for (int64_t begin = 0; begin <= 2; begin++)
					for (int64_t end = 0; end <= 2; end++)
						for (int64_t dilation = 1; dilation <= 3; dilation++) {
							int64_t want =
							        count_windows(in, kernel, stride, begin, end, dilation);
							int64_t got = pare_window_output(in, kernel, stride, begin, end,
							                                 dilation, false);
							if (want == 0)
								assert_true(got <= 0);
							else
								assert_int_equal(got, want);
						}
}

static void test_window_output__ceil_mode_is_pytorchs(void **state)
{
	(void)state;
	/* torch.nn.MaxPool2d(kernel, stride, padding, ceil_mode=True) */
	assert_int_equal(pare_window_output(7, 2, 2, 0, 0, 1, true), 4);
	assert_int_equal(pare_window_output(7, 2, 2, 0, 0, 1, false), 3);
	assert_int_equal(pare_window_output(8, 2, 2, 0, 0, 1, true), 4);
	assert_int_equal(pare_window_output(6, 3, 2, 0, 0, 1, true), 3);
	/* The rounded-up fourth window would begin in the end padding. */
	assert_int_equal(pare_window_output(5, 2, 2, 1, 1, 1, true), 3);
	assert_int_equal(pare_window_output(4, 1, 3, 0, 0, 1, true), 2);
	assert_int_equal(pare_window_output(5, 1, 3, 0, 0, 1, true), 2);
}

static void test_window_output__nonsense_does_not_fit(void **state)
{
	(void)state;
	assert_true(pare_window_output(5, 0, 1, 0, 0, 1, false) <= 0);
	assert_true(pare_window_output(5, 3, 0, 0, 0, 1, false) <= 0);
	assert_true(pare_window_output(5, 3, 1, 0, 0, 0, false) <= 0);
	assert_true(pare_window_output(2, 3, 2, 0, 0, 1, true) <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_shape__elements_and_plane),
	        cmocka_unit_test(test_shape__equal_needs_rank_and_every_dimension),
	        cmocka_unit_test(test_shape__valid_within_limits_only),
	        cmocka_unit_test(test_shape__text_is_cut_to_size),
	        cmocka_unit_test(test_window_output__equals_counting_windows),
	        cmocka_unit_test(test_window_output__ceil_mode_is_pytorchs),
	        cmocka_unit_test(test_window_output__nonsense_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
