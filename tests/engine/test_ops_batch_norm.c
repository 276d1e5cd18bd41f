/* Batch norm: against the reference and finite differences over shapes and batches, and what is special about it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

enum { SCALE, SHIFT, RUNNING_MEAN, RUNNING_VARIANCE, N_PARAMS };

static const struct pare_batch_norm usual = {.epsilon = 1e-5f, .momentum = 0.1f};

static struct op_case make_case(struct pare_shape in, int64_t images, int lanes, enum pare_activation activation)
{
	struct op_case c = {
	        .name = "batch norm",
	        .op = &pare_op_batch_norm,
	        .reference = reference_batch_norm,
	        .attrs = &usual,
	        .n_inputs = 1,
	        .n_params = N_PARAMS,
	        .n_trained = 2,
	        .in = {in},
	        .positive_params = 1 << RUNNING_VARIANCE,
	        .noisy_gradient = true,
	        .images = images,
	        .lanes = lanes,
	        .activation = activation,
	        .tolerance = 2e-6,          /* a float mean and a float r, then three roundings */
	        .gradient_tolerance = 2e-5, /* two float sums of up to 64 terms, three products */
	};
	for (int i = 0; i < N_PARAMS; i++)
		c.param[i] = pare_shape_vector(in.dim[0]);
	return c;
}

static void check(struct pare_shape in, int64_t images, int lanes, enum pare_activation activation)
{
	struct op_case c = make_case(in, images, lanes, activation);
	char name[128];

	snprintf(name, sizeof(name), "batch norm %lldx%lldx%lld, %lld images, %d lanes, activation %d",
	         (long long)in.dim[0], (long long)(in.rank == 3 ? in.dim[1] : 1),
	         (long long)(in.rank == 3 ? in.dim[2] : 1), (long long)images, lanes, (int)activation);
	c.name = name;
	op_check(&c);
}

static void test_ops_batch_norm__agrees_with_reference_over_batches_and_shapes(void **state)
{
	(void)state;
	for (int activation = PARE_ACTIVATION_NONE; activation <= PARE_ACTIVATION_RELU6; activation++) {
		check(pare_shape_chw(1, 5, 7), 1, 1, activation);
		check(pare_shape_chw(5, 3, 3), 3, 1, activation);
		check(pare_shape_chw(11, 1, 1), 3, 1, activation);
		check(pare_shape_chw(3, 9, 5), 16, 16, activation);
		check(pare_shape_chw(23, 3, 4), 19, 16, activation);
		check(pare_shape_chw(11, 1, 1), 40, 16, activation);
		check(pare_shape_vector(5), 19, 16, activation);
		check(pare_shape_vector(3), 3, 1, activation);
	}
}

/* Planes of more than one summation chunk: 35 x 31 pixels in both layouts. */
static void test_ops_batch_norm__sums_planes_longer_than_a_chunk(void **state)
{
	(void)state;
	check(pare_shape_chw(2, 35, 31), 3, 1, PARE_ACTIVATION_RELU);
	check(pare_shape_chw(1, 35, 31), 17, 16, PARE_ACTIVATION_RELU);
}

static void test_ops_batch_norm__updates_running_statistics_in_training_only(void **state)
{
	struct op_case c = make_case(pare_shape_chw(3, 4, 5), 19, 16, PARE_ACTIVATION_NONE);
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	op_rig_run(&rig, false, NULL);
	for (int i = 0; i < N_PARAMS; i++)
		assert_memory_equal(rig.param[i], rig.param_start[i], 3 * sizeof(float));
	for (int i = 0; i < 3; i++)
		rig.dparam[SCALE][i] = rig.dparam[SHIFT][i] = 0.0f;
	op_rig_run(&rig, true, NULL);
	for (int channel = 0; channel < 3; channel++) {
		double mean, variance, n = 19 * 4 * 5;
		reference_moments(rig.reference.in[0], 19, &c.in[0], channel, &mean, &variance);
		double new_mean = 0.9 * rig.reference.param[RUNNING_MEAN][channel] + 0.1 * mean;
		double new_variance =
		        0.9 * rig.reference.param[RUNNING_VARIANCE][channel] + 0.1 * variance * n / (n - 1);
		assert_true(fabs((double)rig.param[RUNNING_MEAN][channel] - new_mean) < 1e-6);
		assert_true(fabs((double)rig.param[RUNNING_VARIANCE][channel] - new_variance) < 1e-6);
	}
	op_rig_close(&rig);
}

/* Mean 4096, deviation 1: summing squares around 0 in float would leave no digit of the variance. */
static void test_ops_batch_norm__keeps_its_digits_far_from_zero(void **state)
{
	struct op_case c = make_case(pare_shape_chw(2, 8, 8), 19, 16, PARE_ACTIVATION_NONE);
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	for (int64_t image = 0; image < 19; image++)
		for (int64_t e = 0; e < 128; e++) {
			float *x = pare_tensor_at(&rig.in[0], image, e);
			*x += 4096.0f;
			rig.reference.in[0][image * 128 + e] = (double)*x;
		}
	for (int i = 0; i < 2; i++)
		rig.dparam[SCALE][i] = rig.dparam[SHIFT][i] = 0.0f;
	op_rig_run(&rig, true, NULL);
	rig.reference.training = true;
	reference_batch_norm(&rig.reference);
	for (int64_t i = 0; i < 19 * 128; i++) /* the mean itself is rounded to 2^-12 = 2.4e-4 */
		assert_true(fabs((double)*pare_tensor_at(&rig.out, i / 128, i % 128) - rig.reference.out[i]) < 1e-3);
	for (int channel = 0; channel < 2; channel++) {
		double mean, variance, n = 19 * 64;
		reference_moments(rig.reference.in[0], 19, &c.in[0], channel, &mean, &variance);
		double expected = 0.9 * rig.reference.param[RUNNING_VARIANCE][channel] + 0.1 * variance * n / (n - 1);
		assert_true(fabs((double)rig.param[RUNNING_VARIANCE][channel] / expected - 1.0) < 1e-5);
	}
	op_rig_close(&rig);
}

/* One value a channel: variance 0, so y = shift, dx = 0, and nothing is divided by n - 1 = 0. */
static void test_ops_batch_norm__survives_one_value_a_channel(void **state)
{
	struct op_case c = make_case(pare_shape_vector(3), 1, 1, PARE_ACTIVATION_NONE);
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	for (int i = 0; i < 3; i++)
		rig.dparam[SCALE][i] = rig.dparam[SHIFT][i] = 0.0f;
	op_rig_run(&rig, true, NULL);
	for (int i = 0; i < 3; i++) {
		double variance = 0.9 * (double)rig.param_start[RUNNING_VARIANCE][i];
		assert_true(rig.out.data[i] == rig.param[SHIFT][i]);
		assert_true(fabs((double)rig.din[0].data[i]) < 1e-4);
		assert_true(fabs((double)rig.param[RUNNING_VARIANCE][i] - variance) < 1e-6);
	}
	op_rig_close(&rig);
}

static void test_ops_batch_norm__lets_nan_through(void **state)
{
	(void)state;
	for (int activation = PARE_ACTIVATION_NONE; activation <= PARE_ACTIVATION_RELU6; activation++) {
		struct op_case c = make_case(pare_shape_chw(2, 3, 3), 16, 16, activation);
		struct op_rig rig;
		op_rig_open(&rig, &c);
		*pare_tensor_at(&rig.in[0], 3, 12) = NAN;
		op_rig_run(&rig, true, NULL);
		for (int64_t e = 0; e < 18; e++) /* channel 1 is spoiled, channel 0 is not */
			assert_int_equal(isnan(*pare_tensor_at(&rig.out, 0, e)) != 0, e >= 9);
		op_rig_close(&rig);
	}
}

static int infer(struct pare_batch_norm attrs, int64_t variances)
{
	struct op_case c = make_case(pare_shape_chw(3, 2, 2), 1, 1, PARE_ACTIVATION_NONE);
	struct pare_shape out;

	c.attrs = &attrs;
	c.param[RUNNING_VARIANCE] = pare_shape_vector(variances);
	return op_infer(&c, &out, NULL);
}

static void test_ops_batch_norm__refuses_bad_attributes(void **state)
{
	(void)state;
	assert_int_equal(infer(usual, 3), PARE_OK);
	assert_int_equal(infer(usual, 4), PARE_E_INVALID);
	assert_int_equal(infer((struct pare_batch_norm){.epsilon = 0.0f, .momentum = 0.1f}, 3), PARE_E_INVALID);
	assert_int_equal(infer((struct pare_batch_norm){.epsilon = NAN, .momentum = 0.1f}, 3), PARE_E_INVALID);
	assert_int_equal(infer((struct pare_batch_norm){.epsilon = 1e-5f, .momentum = 1.5f}, 3), PARE_E_INVALID);
	assert_int_equal(infer((struct pare_batch_norm){.epsilon = 1e-5f, .momentum = NAN}, 3), PARE_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_batch_norm__agrees_with_reference_over_batches_and_shapes),
	        cmocka_unit_test(test_ops_batch_norm__sums_planes_longer_than_a_chunk),
	        cmocka_unit_test(test_ops_batch_norm__updates_running_statistics_in_training_only),
	        cmocka_unit_test(test_ops_batch_norm__keeps_its_digits_far_from_zero),
	        cmocka_unit_test(test_ops_batch_norm__survives_one_value_a_channel),
	        cmocka_unit_test(test_ops_batch_norm__lets_nan_through),
	        cmocka_unit_test(test_ops_batch_norm__refuses_bad_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
