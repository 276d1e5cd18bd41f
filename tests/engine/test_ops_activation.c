/* ReLU and ReLU6: against the reference and finite differences; edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static void check(struct pare_shape in, int64_t images, int lanes)
{
	char name[64];
	struct op_case c = {
	        .name = name,
	        .op = &pare_op_relu,
	        .reference = reference_relu,
	        .n_inputs = 1,
	        .in = {in},
	        .images = images,
	        .lanes = lanes,
	        .tolerance = 0.0,           /* nothing is rounded */
	        .gradient_tolerance = 1e-7, /* the difference quotient's */
	};

	snprintf(name, sizeof(name), "relu %lld channels, %lld images, %d lanes", (long long)in.dim[0],
	         (long long)images, lanes);
	op_check(&c);
	snprintf(name, sizeof(name), "relu6 %lld channels, %lld images, %d lanes", (long long)in.dim[0],
	         (long long)images, lanes);
	c.op = &pare_op_relu6;
	c.reference = reference_relu6;
	op_check(&c);
}

static void test_ops_activation__agrees_with_reference_over_batches_and_shapes(void **state)
{
	(void)state;
	check(pare_shape_chw(1, 5, 7), 1, 1);
	check(pare_shape_chw(3, 3, 3), 3, 1);
	check(pare_shape_chw(5, 9, 5), 16, 16);
	check(pare_shape_chw(11, 3, 1), 19, 16);
	check(pare_shape_chw(23, 3, 4), 40, 16);
	check(pare_shape_vector(10), 19, 16);
}

/* Normal inputs do not reach 6: these do, and lie on the bends, where the gradient is 0. */
static void test_ops_activation__bends_at_zero_and_six(void **state)
{
	const float x[] = {-1.0f, 0.0f, 3.0f, 6.0f, 7.0f, INFINITY, -INFINITY};
	const float relu[] = {0.0f, 0.0f, 3.0f, 6.0f, 7.0f, INFINITY, 0.0f},
	            relu6[] = {0.0f, 0.0f, 3.0f, 6.0f, 6.0f, 6.0f, 0.0f};
	const float through[] = {0.0f, 0.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.0f},
	            through6[] = {0.0f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f, 0.0f};
	const float ones[] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
	float y[7], dx[7];

	(void)state;
	pare_activation_forward(x, y, 7, PARE_ACTIVATION_RELU);
	assert_memory_equal(y, relu, sizeof(y));
	pare_activation_backward(y, ones, dx, 7, PARE_ACTIVATION_RELU, false);
	assert_memory_equal(dx, through, sizeof(dx));
	pare_activation_forward(x, y, 7, PARE_ACTIVATION_RELU6);
	assert_memory_equal(y, relu6, sizeof(y));
	pare_activation_backward(y, ones, dx, 7, PARE_ACTIVATION_RELU6, false);
	assert_memory_equal(dx, through6, sizeof(dx));
	pare_activation_backward(y, ones, dx, 7, PARE_ACTIVATION_RELU6, true);
	for (int i = 0; i < 7; i++)
		assert_true(dx[i] == 2.0f * through6[i]);
}

/* A diverged network must not look well again behind its next ReLU. Positions 0 to 7: vector loop and remainder. */
static void test_ops_activation__lets_nan_through(void **state)
{
	(void)state;
	for (int position = 0; position < 7; position++) {
		float x[7] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f}, y[7];
		x[position] = NAN;
		for (int activation = PARE_ACTIVATION_NONE; activation <= PARE_ACTIVATION_RELU6; activation++) {
			pare_activation_forward(x, y, 7, activation);
			for (int i = 0; i < 7; i++)
				assert_int_equal(isnan(y[i]) != 0, i == position);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_activation__agrees_with_reference_over_batches_and_shapes),
	        cmocka_unit_test(test_ops_activation__bends_at_zero_and_six),
	        cmocka_unit_test(test_ops_activation__lets_nan_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
