#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "evaluators/metrics.h"

static void test_metrics__every_one_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < PARE_METRIC_COUNT; i++) {
		assert_non_null(pare_metric_info[i].name);
		assert_non_null(pare_metric_info[i].unit);
		assert_int_equal(pare_metric_find(pare_metric_info[i].name), i);
	}
	assert_int_equal(pare_metric_find("latency"), -1);
	assert_int_equal(pare_metric_find(""), -1);
}

static void test_metrics__only_accuracy_is_better_when_higher(void **state)
{
	(void)state;
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		assert_int_equal(pare_metric_info[i].maximise, i == PARE_METRIC_ACCURACY);
}

/* A unit in the name is the unit in the table. */
static void test_metrics__names_end_with_their_unit(void **state)
{
	(void)state;
	for (int i = 0; i < PARE_METRIC_COUNT; i++) {
		const char *name = pare_metric_info[i].name, *unit = pare_metric_info[i].unit;

		assert_true(strlen(name) >= strlen(unit));
		assert_string_equal(name + strlen(name) - strlen(unit), unit);
	}
}

static void test_metrics__set_marks_as_present(void **state)
{
	struct pare_metrics metrics = {0};

	(void)state;
	pare_metrics_set(&metrics, PARE_METRIC_MACS, 1e9);
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		assert_int_equal(metrics.present[i], i == PARE_METRIC_MACS);
	assert_true(metrics.value[PARE_METRIC_MACS] == 1e9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_metrics__every_one_is_found_by_its_name),
	        cmocka_unit_test(test_metrics__only_accuracy_is_better_when_higher),
	        cmocka_unit_test(test_metrics__names_end_with_their_unit),
	        cmocka_unit_test(test_metrics__set_marks_as_present),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
