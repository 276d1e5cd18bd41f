#include "experiments/scatter.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct pare_scatter_options small = {.x_title = "ms",
                                                  .y_title = "accuracy %",
                                                  .x_decimals = 1,
                                                  .y_decimals = 1,
                                                  .limit_x = INFINITY,
                                                  .columns = 21,
                                                  .rows = 5};

static void check(const struct pare_scatter_point *points, int count, const struct pare_scatter_options *options,
                  const char *expected)
{
	struct pare_strbuf out;

	pare_strbuf_init(&out);
	pare_scatter(points, count, options, &out);
	assert_string_equal(out.text, expected);
	pare_strbuf_release(&out);
}

static void test_scatter__corners_and_middle(void **state)
{
	const struct pare_scatter_point points[] = {
	        {1.0, 50.0, 'a'}, {3.0, 90.0, 'b'}, {2.0, 70.0, 'c'}, {3.0, 50.0, 'd'}};

	(void)state;
	check(points, 4, &small,
	      "     accuracy %\n"
	      "     90.0 |                    b\n"
	      "          |\n"
	      "          |          c\n"
	      "          |\n"
	      "     50.0 |a                   d\n"
	      "          +---------------------\n"
	      "           1.0      ms       3.0\n");
}

static void test_scatter__the_limit_widens_the_field_and_later_points_win(void **state)
{
	const struct pare_scatter_point points[] = {{2.0, 50.0, 'a'}, {2.0, 50.0, 'B'}, {3.0, 60.0, 'c'}};
	struct pare_scatter_options options = small;

	(void)state;
	options.limit_x = 1.0;
	options.rows = 3;
	check(points, 3, &options,
	      "     accuracy %\n"
	      "     60.0 |:                   c\n"
	      "          |:\n"
	      "     50.0 |:         B\n"
	      "          +:--------------------\n"
	      "           1.0      ms       3.0\n");
}

static void test_scatter__one_point_stands_in_the_middle(void **state)
{
	const struct pare_scatter_point point = {2.0, 50.0, 'B'};
	struct pare_scatter_options options = small;

	(void)state;
	options.rows = 3;
	check(&point, 1, &options,
	      "     accuracy %\n"
	      "     50.0 |\n"
	      "          |          B\n"
	      "     50.0 |\n"
	      "          +---------------------\n"
	      "           2.0      ms       2.0\n");
}

static void test_scatter__points_that_are_not_finite_are_left_out(void **state)
{
	const struct pare_scatter_point points[] = {{NAN, 50.0, 'a'}, {1.0, NAN, 'b'}, {INFINITY, 50.0, 'c'}};

	(void)state;
	check(points, 3, &small, "");
	check(points, 0, &small, "");
}

/* Sizes out of range are put right, not believed. */
static void test_scatter__any_size_is_safe(void **state)
{
	const struct pare_scatter_point points[] = {{-1.7e308, 1.7e308, 'a'}, {1.7e308, -1.7e308, 'b'}};
	struct pare_scatter_options options = small;
	struct pare_strbuf out;

	(void)state;
	pare_strbuf_init(&out);
	for (int size = -1000; size <= 1000; size += 500) {
		options.columns = options.rows = size;
		pare_scatter(points, 2, &options, &out);
	}
	assert_non_null(strchr(out.text, 'a'));
	assert_false(out.failed);
	pare_strbuf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_scatter__corners_and_middle),
	        cmocka_unit_test(test_scatter__the_limit_widens_the_field_and_later_points_win),
	        cmocka_unit_test(test_scatter__one_point_stands_in_the_middle),
	        cmocka_unit_test(test_scatter__points_that_are_not_finite_are_left_out),
	        cmocka_unit_test(test_scatter__any_size_is_safe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
