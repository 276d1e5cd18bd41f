#include "engine/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* Sleeping takes wall time and no CPU time; 20 ms is a lower bound, so a busy machine cannot break this. */
static void test_clock__counts_milliseconds(void **state)
{
	double start_ms = pare_clock_ms();

	(void)state;
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	assert_true(pare_clock_ms() - start_ms >= 20);
}

static void test_clock__iso_is_the_present_in_utc(void **state)
{
	char text[21], small[5] = "xxxx";
	struct tm utc = {0};
	time_t before = time(NULL), read;

	(void)state;
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
	        cmocka_unit_test(test_clock__counts_milliseconds),
	        cmocka_unit_test(test_clock__iso_is_the_present_in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
