#include "engine/train/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define CLOSE 1e-12

static void assert_rate(const struct pare_schedule_options *options, int64_t step, int64_t steps, double wanted)
{
	double found = pare_schedule_rate(options, step, steps);
	if (!(fabs(found - wanted) <= CLOSE * fabs(wanted)))
		fail_msg("step %lld of %lld: %.17g, not %.17g", (long long)step, (long long)steps, found, wanted);
}

static void test_schedule__constant_stays(void **state)
{
	struct pare_schedule_options o = {.kind = PARE_SCHEDULE_CONSTANT, .learning_rate = 0.3};
	(void)state;
	for (int64_t step = 0; step < 7; step++)
		assert_rate(&o, step, 7, 0.3);
}

static void test_schedule__cosine_falls_from_peak_to_final(void **state)
{
	struct pare_schedule_options o = {
	        .kind = PARE_SCHEDULE_COSINE, .learning_rate = 0.4, .final_learning_rate = 0.1};
	(void)state;
	assert_rate(&o, 0, 100, 0.4);
	assert_rate(&o, 50, 100, 0.25);
	assert_rate(&o, 25, 100, 0.1 + 0.3 * (1.0 + sqrt(0.5)) / 2.0);
	assert_rate(&o, 75, 100, 0.1 + 0.3 * (1.0 - sqrt(0.5)) / 2.0);
	for (int64_t step = 1; step < 100; step++)
		assert_true(pare_schedule_rate(&o, step, 100) < pare_schedule_rate(&o, step - 1, 100));
	assert_true(pare_schedule_rate(&o, 99, 100) > 0.1);
	assert_true(pare_schedule_rate(&o, 99, 100) < 0.1 + 0.3 * 0.0003);
}

static void test_schedule__warm_up_rises_in_equal_steps(void **state)
{
	struct pare_schedule_options o = {.kind = PARE_SCHEDULE_COSINE, .learning_rate = 0.8, .warmup = 0.2};
	(void)state;
	for (int64_t step = 0; step < 4; step++)
		assert_rate(&o, step, 20, 0.8 * (double)(step + 1) / 4.0);
	assert_rate(&o, 4, 20, 0.8); /* the cosine begins at the peak, and spans what is left */
	assert_rate(&o, 12, 20, 0.4);
	o.kind = PARE_SCHEDULE_CONSTANT;
	assert_rate(&o, 3, 20, 0.8);
	assert_rate(&o, 19, 20, 0.8);
}

static void test_schedule__warm_up_shorter_than_a_step_is_none(void **state)
{
	struct pare_schedule_options o = {.kind = PARE_SCHEDULE_CONSTANT, .learning_rate = 0.5, .warmup = 0.09};
	(void)state;
	for (int64_t step = 0; step < 10; step++)
		assert_rate(&o, step, 10, 0.5);
	assert_rate(&o, 0, 1, 0.5);
}

static void test_schedule__steps_at_the_milestones(void **state)
{
	struct pare_schedule_options o = {.kind = PARE_SCHEDULE_STEP,
	                                  .learning_rate = 1.0,
	                                  .gamma = 0.1,
	                                  .milestones = {0.5, 0.75},
	                                  .n_milestones = 2};
	(void)state;
	assert_rate(&o, 0, 8, 1.0);
	assert_rate(&o, 3, 8, 1.0);
	assert_rate(&o, 4, 8, 0.1);
	assert_rate(&o, 5, 8, 0.1);
	assert_rate(&o, 6, 8, 0.01);
	assert_rate(&o, 7, 8, 0.01);
	o.warmup = 0.25; /* milestones stay fractions of all steps */
	assert_rate(&o, 0, 8, 0.5);
	assert_rate(&o, 3, 8, 1.0);
	assert_rate(&o, 4, 8, 0.1);
	o.n_milestones = 0;
	assert_rate(&o, 7, 8, 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_schedule__constant_stays),
	        cmocka_unit_test(test_schedule__cosine_falls_from_peak_to_final),
	        cmocka_unit_test(test_schedule__warm_up_rises_in_equal_steps),
	        cmocka_unit_test(test_schedule__warm_up_shorter_than_a_step_is_none),
	        cmocka_unit_test(test_schedule__steps_at_the_milestones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
