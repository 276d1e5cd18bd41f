#include "engine/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_clock__never_runs_backwards(void **state)
{
	double ms = pare_clock_ms(), cpu_s = pare_clock_cpu_s();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		double next_ms = pare_clock_ms(), next_cpu_s = pare_clock_cpu_s();

		assert_true(next_ms >= ms && next_cpu_s >= cpu_s);
		ms = next_ms;
		cpu_s = next_cpu_s;
	}
}

static double read_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1000000;
}

/* Read between two readings of the system's clock, so that no time limit is needed. One microsecond for rounding. */
static void test_clock__counts_milliseconds_and_cpu_seconds(void **state)
{
	double before_ms = read_ms(CLOCK_MONOTONIC), before_cpu_ms = read_ms(CLOCK_PROCESS_CPUTIME_ID);
	double ms = pare_clock_ms(), cpu_ms = 1000 * pare_clock_cpu_s();

	(void)state;
	assert_true(ms > before_ms - 1e-3 && ms < read_ms(CLOCK_MONOTONIC) + 1e-3);
	assert_true(cpu_ms > before_cpu_ms - 1e-3 && cpu_ms < read_ms(CLOCK_PROCESS_CPUTIME_ID) + 1e-3);
}

static void test_clock__iso_is_the_present_in_utc(void **state)
{
	char text[21], small[5] = "xxxx";
	struct tm utc = {0};
	time_t before = time(NULL), read;

	(void)state;
	setenv("TZ", "XYZ-5", 1); /* five hours off: local time must not slip in */
	tzset();
	pare_clock_iso(text, sizeof(text));
	assert_int_equal(strlen(text), 20);
	assert_ptr_equal(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc), text + 20);
	read = timegm(&utc);
	assert_true(read >= before && read <= time(NULL));
	pare_clock_iso(small, sizeof(small));
	assert_string_equal(small, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_clock__never_runs_backwards),
	        cmocka_unit_test(test_clock__counts_milliseconds_and_cpu_seconds),
	        cmocka_unit_test(test_clock__iso_is_the_present_in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
