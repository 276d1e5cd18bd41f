#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "latency_lut/timing.h"

static void expect_close(double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("%.17g where %.17g is expected", found, expected);
}

static void fill(struct pare_samples *samples, const double *ms, int count)
{
	*samples = (struct pare_samples){0};
	for (int i = 0; i < count; i++)
		assert_int_equal(pare_samples_add(samples, ms[i]), 0);
}

static void test_timing__samples_are_kept_in_order(void **state)
{
	static const double ms[] = {3.0, 1.0, 2.0, 2.0, 0.5, 9.0};
	struct pare_samples samples;
	(void)state;
	fill(&samples, ms, 6);
	assert_int_equal(samples.count, 6);
	for (size_t i = 1; i < samples.count; i++)
		assert_true(samples.ms[i - 1] <= samples.ms[i]);
	expect_close(samples.ms[0], 0.5, 0.0);
	expect_close(samples.ms[5], 9.0, 0.0);
	pare_samples_release(&samples);
	assert_int_equal(samples.count, 0);
}

static void test_timing__quantiles_are_those_of_the_samples(void **state)
{
	static const double ms[] = {50.0, 10.0, 40.0, 20.0, 30.0};
	struct pare_samples samples;
	(void)state;
	fill(&samples, ms, 5);
	expect_close(pare_samples_quantile(&samples, 0.0), 10.0, 0.0);
	expect_close(pare_samples_quantile(&samples, 0.5), 30.0, 0.0);
	expect_close(pare_samples_quantile(&samples, 0.1), 14.0, 1e-12);
	expect_close(pare_samples_quantile(&samples, 0.9), 46.0, 1e-12);
	expect_close(pare_samples_quantile(&samples, 1.0), 50.0, 0.0);
	assert_int_equal(pare_samples_add(&samples, 60.0), 0);
	expect_close(pare_samples_quantile(&samples, 0.5), 35.0, 0.0);
	pare_samples_release(&samples);
	fill(&samples, ms, 1);
	expect_close(pare_samples_quantile(&samples, 0.9), 50.0, 0.0);
	pare_samples_release(&samples);
}

static void test_timing__five_samples_never_settle_six_equal_ones_do(void **state)
{
	static const double ms[] = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
	struct pare_samples samples;
	(void)state;
	fill(&samples, ms, 5);
	assert_false(pare_samples_settled(&samples));
	pare_samples_release(&samples);
	fill(&samples, ms, 6);
	assert_true(pare_samples_settled(&samples));
	pare_samples_release(&samples);
}

/* Of 17 samples the interval goes from the 4th to the 14th (binomial(17, 1/2): 2 * P(X <= 3) = 1.3 %). */
static void test_timing__only_the_middle_of_the_samples_must_agree(void **state)
{
	double ms[17];
	struct pare_samples samples;
	(void)state;
	for (int i = 0; i < 17; i++)
		ms[i] = i < 3 ? 0.1 : i > 13 ? 10.0 : 1.0;
	fill(&samples, ms, 17);
	assert_true(pare_samples_settled(&samples));
	pare_samples_release(&samples);
	ms[13] = 1.03;
	fill(&samples, ms, 17);
	assert_false(pare_samples_settled(&samples));
	pare_samples_release(&samples);
}

/* Counts calls; spends some time, so that a repetition is short or long. */
struct work {
	int64_t runs, befores, out_of_order;
	double run_ms;
	bool prepared;
};

static void spend(double ms)
{
	double end = pare_clock_ms() + ms;
	while (pare_clock_ms() < end)
		;
}

static void run(void *context)
{
	struct work *work = context;
	work->runs++;
	work->out_of_order += !work->prepared;
	work->prepared = false;
	spend(work->run_ms);
}

static void before(void *context)
{
	struct work *work = context;
	work->befores++;
	work->prepared = true;
}

static void test_timing__at_least_five_repetitions_however_little_time(void **state)
{
	struct work work = {.run_ms = 0.06};
	struct pare_samples samples = {0};
	(void)state;
	assert_int_equal(pare_samples_take(&samples, &(struct pare_timed){run, NULL, &work}, 0.0), 0);
	assert_int_equal(samples.count, 5);
	assert_true(work.runs >= 6); /* warm-up */
	assert_int_equal(pare_samples_take(&samples, &(struct pare_timed){run, NULL, &work}, 0.0), 0);
	assert_int_equal(samples.count, 10);
	pare_samples_release(&samples);
}

static void test_timing__short_runs_are_repeated_within_a_repetition(void **state)
{
	struct work work = {.run_ms = 0.0};
	struct pare_samples samples = {0};
	(void)state;
	assert_int_equal(pare_samples_take(&samples, &(struct pare_timed){run, NULL, &work}, 0.0), 0);
	assert_true(work.runs > 10 * (int64_t)samples.count);
	/* A sample is the time of one run, not of the repetition. */
	assert_true(samples.ms[0] < PARE_REPETITION_MS);
	pare_samples_release(&samples);
}

static void test_timing__what_comes_before_comes_before_every_run(void **state)
{
	struct work work = {.run_ms = 0.001};
	struct pare_samples samples = {0};
	(void)state;
	work.prepared = true; /* the very first run only warms up */
	assert_int_equal(pare_samples_take(&samples, &(struct pare_timed){run, before, &work}, 0.5), 0);
	assert_int_equal(work.out_of_order, 0);
	assert_int_equal(work.befores, work.runs - 1);
	pare_samples_release(&samples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_timing__samples_are_kept_in_order),
	        cmocka_unit_test(test_timing__quantiles_are_those_of_the_samples),
	        cmocka_unit_test(test_timing__five_samples_never_settle_six_equal_ones_do),
	        cmocka_unit_test(test_timing__only_the_middle_of_the_samples_must_agree),
	        cmocka_unit_test(test_timing__at_least_five_repetitions_however_little_time),
	        cmocka_unit_test(test_timing__short_runs_are_repeated_within_a_repetition),
	        cmocka_unit_test(test_timing__what_comes_before_comes_before_every_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
