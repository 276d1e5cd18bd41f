/* Functions made of exponentials: every instruction set against the C library. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/math/lane_kernels.h"

static double normal(double x)
{
	return 0.5 * erfc(-x / sqrt(2.0));
}

static double sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

static double exact(enum pare_smooth function, double x)
{
	switch (function) {
	case PARE_SMOOTH_EXP:
		return exp(x);
	case PARE_SMOOTH_SIGMOID:
		return sigmoid(x);
	case PARE_SMOOTH_SILU:
		return x * sigmoid(x);
	case PARE_SMOOTH_GELU:
		return x * normal(x);
	case PARE_SMOOTH_ERF:
		return erf(x);
	case PARE_SMOOTH_SILU_SLOPE:
		return sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)));
	case PARE_SMOOTH_GELU_SLOPE:
		return normal(x) + x * exp(-x * x / 2.0) / sqrt(2.0 * M_PI);
	case PARE_SMOOTH_ERF_SLOPE:
		return 2.0 / sqrt(M_PI) * exp(-x * x);
	}
	return NAN;
}

#define N_FUNCTIONS (PARE_SMOOTH_ERF_SLOPE + 1)

static void for_each_set(void (*check)(const struct pare_lane_kernels *kernels))
{
	static const char *const names[] = {"portable", "avx2", "avx512"};
	for (int i = 0; i < 3; i++)
		if (pare_lane_kernels_force(names[i])) /* else this machine cannot */
			check(pare_lane_kernels());
	assert_true(pare_lane_kernels_force(NULL));
}

/* One by one, so that every value also goes the way of a remainder. */
static float at(const struct pare_lane_kernels *kernels, enum pare_smooth function, float x)
{
	float y;
	kernels->smooth(function, &x, &y, 1);
	return y;
}

static void check_exactness(const struct pare_lane_kernels *kernels)
{
	for (int i = -8700; i <= 8800; i++) {
		float x = (float)i * 0.01f, y = at(kernels, PARE_SMOOTH_EXP, x);
		if (!(fabs((double)y - exp((double)x)) <= 2e-7 * exp((double)x)))
			fail_msg("%s: exp(%g) is %.9g", kernels->name, (double)x, (double)y);
	}
	for (int i = -5000; i <= 5000; i++) {
		float x = (float)i * 0.001f, y = at(kernels, PARE_SMOOTH_ERF, x);
		double error = fabs((double)y - erf((double)x));
		if (!(error <= 3e-7 && error <= 1e-6 * fabs(erf((double)x))))
			fail_msg("%s: erf(%g) is %.9g", kernels->name, (double)x, (double)y);
	}
	for (int f = 0; f < N_FUNCTIONS; f++)
		for (int i = -400; i <= 400; i++) {
			float x = (float)i * 0.03125f, y = at(kernels, f, x);
			double expected = exact(f, (double)x);
			if (!(fabs((double)y - expected) <= 5e-7 * fmax(1.0, fabs(expected))))
				fail_msg("%s: function %d of %g is %.9g, not %.9g", kernels->name, f, (double)x,
				         (double)y, expected);
		}
}

static void test_smooth_kernels__are_as_exact_as_stated(void **state)
{
	(void)state;
	for_each_set(check_exactness);
}

static void check_edges(const struct pare_lane_kernels *kernels)
{
	for (int f = 0; f < N_FUNCTIONS; f++) {
		assert_true(isnan(at(kernels, f, NAN)));
		assert_true(isfinite(at(kernels, f, 1e30f)));
		assert_true(isfinite(at(kernels, f, -1e30f)));
	}
	assert_true(at(kernels, PARE_SMOOTH_EXP, 0.0f) == 1.0f);
	assert_true(at(kernels, PARE_SMOOTH_EXP, 1000.0f) > 1e38f && isfinite(at(kernels, PARE_SMOOTH_EXP, 1000.0f)));
	assert_true(at(kernels, PARE_SMOOTH_ERF, INFINITY) == 1.0f);
	assert_true(at(kernels, PARE_SMOOTH_ERF, -INFINITY) == -1.0f);
	assert_true(at(kernels, PARE_SMOOTH_SIGMOID, -INFINITY) < 1e-37f);
}

static void test_smooth_kernels__hand_nan_on_and_stay_finite(void **state)
{
	(void)state;
	for_each_set(check_edges);
}

/* Every count and address gives the bits that one float alone gives; floats beside are untouched. */
static void check_places(const struct pare_lane_kernels *kernels)
{
	float x[48], y[48], alone[48];
	for (int i = 0; i < 48; i++)
		x[i] = (float)(i * i % 37) * 0.25f - 4.0f;
	for (int f = 0; f < N_FUNCTIONS; f++) {
		for (int i = 0; i < 48; i++)
			alone[i] = at(kernels, f, x[i]);
		for (int first = 0; first < 5; first++)
			for (int count = 0; first + count <= 48; count++) {
				memcpy(y, x, sizeof(y)); /* in place */
				kernels->smooth(f, y + first, y + first, count);
				for (int i = 0; i < 48; i++)
					assert_true(y[i] == (i >= first && i < first + count ? alone[i] : x[i]));
			}
	}
}

static void test_smooth_kernels__do_not_depend_on_the_place(void **state)
{
	(void)state;
	for_each_set(check_places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_smooth_kernels__are_as_exact_as_stated),
	        cmocka_unit_test(test_smooth_kernels__hand_nan_on_and_stay_finite),
	        cmocka_unit_test(test_smooth_kernels__do_not_depend_on_the_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
