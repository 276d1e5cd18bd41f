/* Element-wise functions of one and two inputs: values and gradients against the reference; edges; what they tell the
 * channel map. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/graph/channel_map.h"
#include "engine/math/smooth.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static const struct {
	int64_t images;
	int lanes;
} batches[] = {{1, 1}, {3, 1}, {16, 16}, {19, 16}};
#define N_BATCHES ((int)(sizeof(batches) / sizeof(batches[0])))

static void check_over_batches(struct op_case c)
{
	char name[96], shape[64];

	for (int b = 0; b < N_BATCHES; b++) {
		struct op_case batch = c;
		snprintf(name, sizeof(name), "%s of %s, %lld images", c.op->name,
		         pare_shape_text(&c.in[0], shape, sizeof(shape)), (long long)batches[b].images);
		batch.name = name;
		batch.images = batches[b].images;
		batch.lanes = batches[b].lanes;
		op_check(&batch);
	}
}

static const struct pare_spread no_spread = {0};

/* Tolerances are of the largest value: a few roundings (1e-6), and erf's own error (3e-7 of 1). */
static const struct {
	const struct pare_op *op;
	reference_fn reference;
	const void *attrs;
	bool positive;
	double tolerance;
} functions[] = {
        {&pare_op_sigmoid, reference_sigmoid, NULL, false, 1e-6},
        {&pare_op_hard_sigmoid, reference_hard_sigmoid, &(struct pare_hard_sigmoid){0.2f, 0.5f}, false, 1e-6},
        {&pare_op_hard_swish, reference_hard_swish, NULL, false, 1e-6},
        {&pare_op_silu, reference_silu, NULL, false, 1e-6},
        {&pare_op_gelu, reference_gelu, NULL, false, 1e-6},
        {&pare_op_erf, reference_erf, NULL, false, 1e-6},
        {&pare_op_tanh, reference_tanh, NULL, false, 1e-6},
        {&pare_op_clip, reference_clip, &(struct pare_clip){-2.0f, 1.5f}, false, 0.0},
        {&pare_op_clip, reference_clip, &(struct pare_clip){0.25f, INFINITY}, false, 0.0},
        {&pare_op_leaky_relu, reference_leaky_relu, &(struct pare_leaky_relu){0.01f}, false, 1e-6},
        {&pare_op_elu, reference_elu, &(struct pare_elu){0.7f}, false, 1e-6},
        {&pare_op_sqrt, reference_sqrt, NULL, true, 1e-6},
        {&pare_op_pow, reference_pow, &(struct pare_pow){2.0f}, false, 1e-6},
        {&pare_op_pow, reference_pow, &(struct pare_pow){3.0f}, false, 1e-6},
        {&pare_op_pow, reference_pow, &(struct pare_pow){-0.5f}, true, 1e-6},
        {&pare_op_affine_scalar, reference_affine_scalar, &(struct pare_affine_scalar){-1.5f, 0.25f}, false, 1e-6},
};
#define N_FUNCTIONS ((int)(sizeof(functions) / sizeof(functions[0])))

static void test_ops_elementwise__functions_agree_with_reference(void **state)
{
	const struct pare_shape shapes[] = {
	        pare_shape_vector(11), pare_shape_chw(5, 3, 7), {.rank = 5, .dim = {2, 3, 1, 4, 2}}};

	(void)state;
	for (int f = 0; f < N_FUNCTIONS; f++)
		for (int s = 0; s < 3; s++)
			check_over_batches((struct op_case){.op = functions[f].op,
			                                    .reference = functions[f].reference,
			                                    .attrs = functions[f].attrs,
			                                    .n_inputs = 1,
			                                    .in = {shapes[s]},
			                                    .positive_inputs = functions[f].positive,
			                                    .tolerance = functions[f].tolerance,
			                                    .gradient_tolerance = 2e-6});
}

/* Far out, where exponentials overflow if nobody looks. */
static void test_ops_elementwise__functions_are_finite_far_out(void **state)
{
	const double far[] = {-1e30, -200.0, -90.0, -87.5, 0.0, 87.5, 90.0, 200.0, 1e30};

	(void)state;
	for (int f = 0; f < N_FUNCTIONS; f++) {
		struct op_case c = {.name = functions[f].op->name,
		                    .op = functions[f].op,
		                    .reference = functions[f].reference,
		                    .attrs = functions[f].attrs,
		                    .n_inputs = 1,
		                    .in = {pare_shape_vector(9)},
		                    .images = 1,
		                    .lanes = 1};
		struct op_rig rig;
		if (functions[f].op == &pare_op_pow || functions[f].positive)
			continue;
		op_rig_open(&rig, &c);
		for (int i = 0; i < 9; i++)
			rig.in[0].data[i] = (float)(rig.reference.in[0][i] = far[i]);
		op_rig_run(&rig, true, NULL);
		functions[f].reference(&rig.reference);
		for (int i = 0; i < 9; i++) {
			double expected = rig.reference.out[i];
			if (!(fabs((double)rig.out.data[i] - expected) <= 1e-6 * fmax(1.0, fabs(expected))))
				fail_msg("%s(%g) is %g, not %g", c.name, far[i], (double)rig.out.data[i], expected);
			if (!isfinite(rig.din[0].data[i]))
				fail_msg("%s has the slope %g at %g", c.name, (double)rig.din[0].data[i], far[i]);
		}
		op_rig_close(&rig);
	}
}

static void test_ops_elementwise__functions_hand_nan_on(void **state)
{
	(void)state;
	for (int f = 0; f < N_FUNCTIONS; f++)
		for (int at = 0; at < 7; at++) { /* vector loop and remainder */
			struct op_case c = {.name = functions[f].op->name,
			                    .op = functions[f].op,
			                    .reference = functions[f].reference,
			                    .attrs = functions[f].attrs,
			                    .n_inputs = 1,
			                    .in = {pare_shape_vector(7)},
			                    .positive_inputs = 1,
			                    .images = 1,
			                    .lanes = 1};
			struct op_rig rig;
			op_rig_open(&rig, &c);
			rig.in[0].data[at] = NAN;
			op_rig_run(&rig, false, NULL);
			for (int i = 0; i < 7; i++)
				if ((isnan(rig.out.data[i]) != 0) != (i == at))
					fail_msg("%s: NaN at %d, %g at %d", c.name, at, (double)rig.out.data[i], i);
			op_rig_close(&rig);
		}
}

/* What makes NaN of a negative number, or infinity of 0, must not do so in lanes without an image. */
static void test_ops_elementwise__unused_lanes_stay_finite(void **state)
{
	const float bad[] = {-4.0f, 0.0f};
	const struct {
		const struct pare_op *op;
		const void *attrs;
		reference_fn reference;
		int n_inputs;
	} partial[] = {{&pare_op_sqrt, NULL, reference_sqrt, 1},
	               {&pare_op_pow, &(struct pare_pow){-0.5f}, reference_pow, 1},
	               {&pare_op_div, NULL, reference_div, 2}};

	(void)state;
	for (int k = 0; k < 6; k++) {
		struct op_case c = {.name = partial[k / 2].op->name,
		                    .op = partial[k / 2].op,
		                    .reference = partial[k / 2].reference,
		                    .attrs = partial[k / 2].attrs,
		                    .n_inputs = partial[k / 2].n_inputs,
		                    .in = {pare_shape_chw(2, 3, 1), pare_shape_chw(2, 3, 1)},
		                    .positive_inputs = 3,
		                    .images = 18,
		                    .lanes = 16};
		struct op_rig rig;
		op_rig_open(&rig, &c);
		for (int t = 0; t < c.n_inputs; t++)
			for (int64_t i = 18; i < 32; i++)
				for (int64_t e = 0; e < 6; e++) {
					*pare_tensor_at(&rig.in[t], i, e) = bad[k % 2];
					*pare_tensor_at(&rig.din[t], i, e) = 0.0f;
				}
		for (int accumulate = 0; accumulate < 2; accumulate++) {
			rig.accumulate[0] = rig.accumulate[1] = accumulate;
			op_rig_run(&rig, true, NULL);
			for (int64_t i = 18; i < 32; i++)
				for (int64_t e = 0; e < 6; e++) {
					assert_true(*pare_tensor_at(&rig.out, i, e) == 0.0f);
					for (int t = 0; t < c.n_inputs; t++)
						assert_true(*pare_tensor_at(&rig.din[t], i, e) == 0.0f);
				}
		}
		op_rig_close(&rig);
	}
}

static void test_ops_elementwise__functions_refuse_impossible_numbers(void **state)
{
	const struct {
		const struct pare_op *op;
		const void *attrs;
	} refused[] = {{&pare_op_clip, &(struct pare_clip){1.0f, 0.5f}},
	               {&pare_op_clip, &(struct pare_clip){NAN, 0.5f}},
	               {&pare_op_leaky_relu, &(struct pare_leaky_relu){-0.1f}},
	               {&pare_op_elu, &(struct pare_elu){-1.0f}},
	               {&pare_op_pow, &(struct pare_pow){INFINITY}},
	               {&pare_op_hard_sigmoid, &(struct pare_hard_sigmoid){NAN, 0.0f}},
	               {&pare_op_affine_scalar, &(struct pare_affine_scalar){0.0f, INFINITY}}};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct op_case c = {
		        .op = refused[i].op, .attrs = refused[i].attrs, .n_inputs = 1, .in = {pare_shape_vector(3)}};
		struct pare_shape out;
		struct pare_error error = {0};
		assert_int_equal(op_infer(&c, &out, &error), PARE_E_INVALID);
		assert_non_null(strstr(error.text, "it needs"));
	}
}

/* Over the whole range of exp, and where erf is not 1 yet. */
static void test_ops_elementwise__exp_and_erf_are_as_exact_as_stated(void **state)
{
	(void)state;
	for (int i = -8700; i <= 8800; i++) {
		float x = (float)i * 0.01f;
		double exact = exp((double)x);
		if (!(fabs((double)pare_exp(x) - exact) <= 2e-7 * exact))
			fail_msg("exp(%g) is %.9g, not %.9g", (double)x, (double)pare_exp(x), exact);
	}
	for (int i = -5000; i <= 5000; i++) {
		float x = (float)i * 0.001f;
		double exact = erf((double)x), error = fabs((double)pare_erf(x) - exact);
		if (!(error <= 3e-7 && error <= 1e-6 * fabs(exact)))
			fail_msg("erf(%g) is %.9g, not %.9g", (double)x, (double)pare_erf(x), exact);
	}
}

static const struct {
	const struct pare_op *op;
	reference_fn reference;
} pairs[] = {{&pare_op_mul, reference_mul}, {&pare_op_sub, reference_sub}, {&pare_op_div, reference_div}};

/* Equal shapes; a gate per channel; one number a pixel; both spread; spread in the middle, and over everything. The
 * last ones are longer than what is worked on at once. */
static void test_ops_elementwise__pairs_agree_with_reference(void **state)
{
	const struct {
		struct pare_shape a, b;
	} shapes[] = {
	        {pare_shape_vector(11), pare_shape_vector(11)},
	        {pare_shape_chw(5, 3, 7), pare_shape_chw(5, 3, 7)},
	        {pare_shape_chw(5, 3, 7), pare_shape_chw(5, 1, 1)},
	        {pare_shape_chw(5, 1, 1), pare_shape_chw(5, 3, 7)},
	        {pare_shape_chw(5, 3, 7), pare_shape_chw(1, 3, 7)},
	        {pare_shape_chw(5, 3, 7), pare_shape_chw(5, 3, 1)},
	        {pare_shape_chw(5, 1, 7), pare_shape_chw(1, 3, 1)},
	        {pare_shape_chw(4, 3, 5), pare_shape_chw(4, 1, 5)},
	        {pare_shape_chw(4, 3, 5), pare_shape_chw(1, 1, 1)},
	        {{.rank = 5, .dim = {2, 3, 2, 1, 3}}, {.rank = 5, .dim = {2, 1, 2, 2, 1}}},
	        {pare_shape_chw(1, 1, 1), pare_shape_chw(1, 1, 1)},
	};

	(void)state;
	for (int op = 0; op < 3; op++)
		for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
			check_over_batches((struct op_case){.op = pairs[op].op,
			                                    .attrs = &no_spread,
			                                    .reference = pairs[op].reference,
			                                    .n_inputs = 2,
			                                    .in = {shapes[s].a, shapes[s].b},
			                                    .positive_inputs = pairs[op].op == &pare_op_div ? 2 : 0,
			                                    .tolerance = 2e-7,
			                                    .gradient_tolerance = 2e-6});
}

static void check_long(struct pare_shape a, struct pare_shape b, int64_t images, int lanes)
{
	op_check(&(struct op_case){.name = "long mul",
	                           .op = &pare_op_mul,
	                           .reference = reference_mul,
	                           .n_inputs = 2,
	                           .in = {a, b},
	                           .images = images,
	                           .lanes = lanes,
	                           .tolerance = 2e-7,
	                           .gradient_tolerance = 2e-6});
}

/* Several chunks, the last one not full. */
static void test_ops_elementwise__long_runs_agree_with_reference(void **state)
{
	(void)state;
	check_long(pare_shape_chw(2, 37, 59), pare_shape_chw(2, 1, 1), 1, 1);
	check_long(pare_shape_chw(2, 9, 17), pare_shape_chw(2, 1, 1), 9, 16);
	check_long(pare_shape_chw(3, 37, 59), pare_shape_chw(3, 37, 59), 1, 1);
}

/* mul(x, x): the same gradient memory twice, the second time accumulated. */
static void test_ops_elementwise__square_of_one_value(void **state)
{
	struct op_case c = {.name = "square",
	                    .op = &pare_op_mul,
	                    .reference = reference_mul,
	                    .n_inputs = 2,
	                    .in = {pare_shape_chw(3, 4, 5), pare_shape_chw(3, 4, 5)},
	                    .images = 9,
	                    .lanes = 16};
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	float *second_in = rig.in[1].data, *second = rig.din[1].data;
	rig.in[1].data = rig.in[0].data;
	rig.din[1].data = rig.din[0].data;
	rig.accumulate[1] = true;
	op_rig_run(&rig, true, NULL);
	for (int64_t i = 0; i < 9 * 60; i++) {
		float x = *pare_tensor_at(&rig.in[0], i / 60, i % 60), dy = (float)rig.weights[i];
		float dx = *pare_tensor_at(&rig.din[0], i / 60, i % 60);
		assert_true(*pare_tensor_at(&rig.out, i / 60, i % 60) == x * x);
		assert_true(fabsf(dx - 2.0f * x * dy) <= 1e-6f * fabsf(dx));
	}
	rig.in[1].data = second_in;
	rig.din[1].data = second;
	op_rig_close(&rig);
}

static void test_ops_elementwise__pairs_refuse_what_does_not_fit(void **state)
{
	const struct {
		struct pare_shape a, b;
	} refused[] = {{pare_shape_chw(4, 3, 3), pare_shape_chw(2, 3, 3)},
	               {pare_shape_chw(4, 3, 3), pare_shape_vector(4)},
	               {pare_shape_vector(4), pare_shape_vector(3)}};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct op_case c = {.op = &pare_op_mul, .n_inputs = 2, .in = {refused[i].a, refused[i].b}};
		struct pare_shape out;
		assert_int_equal(op_infer(&c, &out, NULL), PARE_E_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_elementwise__functions_agree_with_reference),
	        cmocka_unit_test(test_ops_elementwise__functions_are_finite_far_out),
	        cmocka_unit_test(test_ops_elementwise__functions_hand_nan_on),
	        cmocka_unit_test(test_ops_elementwise__unused_lanes_stay_finite),
	        cmocka_unit_test(test_ops_elementwise__functions_refuse_impossible_numbers),
	        cmocka_unit_test(test_ops_elementwise__exp_and_erf_are_as_exact_as_stated),
	        cmocka_unit_test(test_ops_elementwise__pairs_agree_with_reference),
	        cmocka_unit_test(test_ops_elementwise__long_runs_agree_with_reference),
	        cmocka_unit_test(test_ops_elementwise__square_of_one_value),
	        cmocka_unit_test(test_ops_elementwise__pairs_refuse_what_does_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
