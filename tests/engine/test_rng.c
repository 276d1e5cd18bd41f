#include "engine/base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DRAWS 100000

/* Counter, key and output of three of the known answers that the authors of Philox publish for Philox4x32-10. */
static void test_rng__known_answers(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], output[4];
	} cases[] = {
	        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
	        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
	         {0xffffffff, 0xffffffff},
	         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
	        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
	         {0xa4093822, 0x299f31d0},
	         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pare_rng rng = {.used = 4};

		memcpy(rng.key, cases[i].key, sizeof(rng.key));
		memcpy(rng.counter, cases[i].counter, sizeof(rng.counter));
		for (int j = 0; j < 4; j++)
			assert_int_equal(pare_rng_u32(&rng), cases[i].output[j]);
	}
}

static uint32_t nth(uint64_t seed, uint32_t stream, uint64_t index, int n)
{
	struct pare_rng rng = pare_rng_make(seed, stream, index);

	while (n-- > 0)
		pare_rng_u32(&rng);
	return pare_rng_u32(&rng);
}

static void test_rng__same_key_gives_the_same_numbers(void **state)
{
	struct pare_rng a = pare_rng_make(42, PARE_STREAM_TEST, 7), b = pare_rng_make(42, PARE_STREAM_TEST, 7);
	struct pare_rng other = pare_rng_make(1, PARE_STREAM_TEST, 7);

	(void)state;
	for (int i = 0; i < 100; i++) {
		pare_rng_u32(&other);
		assert_int_equal(pare_rng_u32(&a), pare_rng_u32(&b));
	}
}

/* These numbers are in users' studies: a change of the layout of key and counter must not pass unseen. */
static void test_rng__numbers_never_change(void **state)
{
	(void)state;
	assert_int_equal(nth(0x0123456789abcdef, PARE_STREAM_SHUFFLE, 0xfedcba9876543210, 0), 0x6be94f39);
	assert_int_equal(nth(0x0123456789abcdef, PARE_STREAM_SHUFFLE, 0xfedcba9876543210, 5), 0xa7b18eed);
	assert_true(pare_rng_derive(0x0123456789abcdef, PARE_STREAM_TEST, 3) == 0x3063cc0358dba824);
}

static void test_rng__every_part_of_the_key_matters(void **state)
{
	uint32_t base = nth(5, 3, 9, 0);

	(void)state;
	assert_int_not_equal(base, nth(6, 3, 9, 0));
	assert_int_not_equal(base, nth(5 + (UINT64_C(1) << 32), 3, 9, 0));
	assert_int_not_equal(base, nth(5, 4, 9, 0));
	assert_int_not_equal(base, nth(5, 3, 10, 0));
	assert_int_not_equal(base, nth(5, 3, 9 + (UINT64_C(1) << 32), 0));
	assert_true(pare_rng_derive(5, 3, 9) != pare_rng_derive(5, 3, 10));
	assert_true((uint32_t)(pare_rng_derive(5, 3, 9) >> 32) != base);
}

/* Mean and variance of n uniforms are 1/2 and 1/12 within 5 standard errors. */
static void test_rng__uniforms_have_mean_and_variance(void **state)
{
	struct pare_rng rng = pare_rng_make(1, PARE_STREAM_TEST, 0);
	double sum[2] = {0}, squares[2] = {0};

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		double values[2] = {(double)pare_rng_uniform(&rng), pare_rng_uniform_double(&rng)};

		for (int j = 0; j < 2; j++) {
			assert_true(values[j] >= 0.0 && values[j] < 1.0);
			sum[j] += values[j];
			squares[j] += (values[j] - 0.5) * (values[j] - 0.5);
		}
	}
	for (int j = 0; j < 2; j++) {
		assert_true(fabs(sum[j] / DRAWS - 0.5) < 5 * sqrt(1.0 / 12 / DRAWS));
		assert_true(fabs(squares[j] / DRAWS - 1.0 / 12) < 5 * sqrt(1.0 / 180 / DRAWS));
	}
}

/* Pearson's statistic over 64 equal cells; 63 degrees of freedom, so 130 is exceeded once in a million keys. */
static void test_rng__uniforms_fill_all_cells_evenly(void **state)
{
	struct pare_rng rng = pare_rng_make(2, PARE_STREAM_TEST, 0);
	int cells[64] = {0};
	double statistic = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++)
		cells[(int)(pare_rng_uniform(&rng) * 64.0f)]++;
	for (int i = 0; i < 64; i++) {
		double expected = DRAWS / 64.0;

		statistic += (cells[i] - expected) * (cells[i] - expected) / expected;
	}
	assert_true(statistic < 130);
	assert_true(statistic > 20); /* far too even is no chance either */
}

/* All bits set must stay below 1, and neither that nor all bits clear may give an infinite normal. */
static void test_rng__extreme_bits_stay_in_range(void **state)
{
	struct pare_rng rng = {.output = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
	struct pare_rng zero = {.used = 0};

	(void)state;
	assert_true(pare_rng_uniform(&rng) < 1.0f);
	rng.used = 0;
	assert_true(pare_rng_uniform_double(&rng) < 1.0);
	rng.used = 0;
	assert_true(isfinite(pare_rng_normal(&rng)));
	assert_true(pare_rng_normal(&zero) == 0.0);
}

/* Moments of the standard normal: 0, 1, 0, 3, with standard errors 1, sqrt(2), sqrt(15), sqrt(96) over sqrt(n). */
static void test_rng__normals_have_four_moments(void **state)
{
	static const double moments[4] = {0, 1, 0, 3}, variances[4] = {1, 2, 15, 96};
	struct pare_rng rng = pare_rng_make(3, PARE_STREAM_TEST, 0);
	double sums[4] = {0};

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		double value = pare_rng_normal(&rng);

		for (int j = 0; j < 4; j++)
			sums[j] += pow(value, j + 1);
	}
	for (int j = 0; j < 4; j++)
		assert_true(fabs(sums[j] / DRAWS - moments[j]) < 5 * sqrt(variances[j] / DRAWS));
}

static void test_rng__below_reaches_every_value_and_no_other(void **state)
{
	struct pare_rng rng = pare_rng_make(4, PARE_STREAM_TEST, 0);

	(void)state;
	for (uint32_t bound = 1; bound <= 17; bound++) {
		int hits[17] = {0};

		for (int i = 0; i < 1700; i++) {
			uint32_t value = pare_rng_below(&rng, bound);

			assert_true(value < bound);
			hits[value]++;
		}
		for (uint32_t i = 0; i < bound; i++)
			assert_true(hits[i] > 1700 / (int)bound / 2);
	}
}

/* With a bound of 3/4 * 2^32, taking the remainder alone would make the lowest third twice as likely. */
static void test_rng__below_is_unbiased_for_large_bounds(void **state)
{
	struct pare_rng rng = pare_rng_make(5, PARE_STREAM_TEST, 0);
	uint32_t third = UINT32_C(1) << 30;
	int low = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++)
		low += pare_rng_below(&rng, 3 * third) < third;
	assert_true(fabs(low / (double)DRAWS - 1.0 / 3) < 5 * sqrt(2.0 / 9 / DRAWS));
}

static void test_rng__shuffle_is_a_permutation(void **state)
{
	enum { COUNT = 1000 };
	int32_t values[COUNT], hits[COUNT] = {0}, moved = 0;
	struct pare_rng rng = pare_rng_make(6, PARE_STREAM_TEST, 0);

	(void)state;
	for (int32_t i = 0; i < COUNT; i++)
		values[i] = i;
	pare_rng_shuffle(&rng, values, COUNT);
	for (int32_t i = 0; i < COUNT; i++) {
		assert_true(values[i] >= 0 && values[i] < COUNT);
		hits[values[i]]++;
		moved += values[i] != i;
	}
	for (int32_t i = 0; i < COUNT; i++)
		assert_int_equal(hits[i], 1);
	assert_true(moved > COUNT * 9 / 10);
	pare_rng_shuffle(&rng, values, 0);
	pare_rng_shuffle(&rng, NULL, 0);
}

/* All six orders of three values come up equally often (five standard errors). */
static void test_rng__shuffle_gives_every_order_alike(void **state)
{
	enum { SHUFFLES = 12000 };
	struct pare_rng rng = pare_rng_make(7, PARE_STREAM_TEST, 0);
	int orders[27] = {0}, seen = 0;

	(void)state;
	for (int i = 0; i < SHUFFLES; i++) {
		int32_t values[3] = {0, 1, 2};

		pare_rng_shuffle(&rng, values, 3);
		orders[values[0] * 9 + values[1] * 3 + values[2]]++;
	}
	for (int i = 0; i < 27; i++) {
		if (!orders[i])
			continue;
		seen++;
		assert_true(fabs(orders[i] - SHUFFLES / 6.0) < 5 * sqrt(SHUFFLES * 5.0 / 36));
	}
	assert_int_equal(seen, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rng__known_answers),
	        cmocka_unit_test(test_rng__same_key_gives_the_same_numbers),
	        cmocka_unit_test(test_rng__numbers_never_change),
	        cmocka_unit_test(test_rng__every_part_of_the_key_matters),
	        cmocka_unit_test(test_rng__uniforms_have_mean_and_variance),
	        cmocka_unit_test(test_rng__uniforms_fill_all_cells_evenly),
	        cmocka_unit_test(test_rng__extreme_bits_stay_in_range),
	        cmocka_unit_test(test_rng__normals_have_four_moments),
	        cmocka_unit_test(test_rng__below_reaches_every_value_and_no_other),
	        cmocka_unit_test(test_rng__below_is_unbiased_for_large_bounds),
	        cmocka_unit_test(test_rng__shuffle_is_a_permutation),
	        cmocka_unit_test(test_rng__shuffle_gives_every_order_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
