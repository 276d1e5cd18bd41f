/* Softmax, layer norm, scale and means: along any dimension, values and gradients against the reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

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
		batch.tolerance = 1e-6; /* a few roundings, of the largest value */
		batch.gradient_tolerance = 3e-6;
		op_check(&batch);
	}
}

/* The last has strips that are not full, with one lane too. */
static const struct pare_shape shapes[] = {{.rank = 1, .dim = {13}},
                                           {.rank = 2, .dim = {3, 5}},
                                           {.rank = 3, .dim = {6, 3, 7}},
                                           {.rank = 5, .dim = {2, 3, 2, 2, 3}},
                                           {.rank = 3, .dim = {3, 11, 7}}};
#define N_SHAPES ((int)(sizeof(shapes) / sizeof(shapes[0])))

static void test_ops_lines__softmax_agrees_with_reference(void **state)
{
	(void)state;
	for (int s = 0; s < N_SHAPES; s++)
		for (int axis = 0; axis < shapes[s].rank; axis++) {
			const struct pare_softmax attrs = {.axis = axis};
			check_over_batches((struct op_case){.op = &pare_op_softmax,
			                                    .reference = reference_softmax,
			                                    .attrs = &attrs,
			                                    .n_inputs = 1,
			                                    .in = {shapes[s]}});
		}
}

static void test_ops_lines__layer_norm_agrees_with_reference(void **state)
{
	(void)state;
	for (int s = 0; s < N_SHAPES; s++)
		for (int axis = 0; axis < shapes[s].rank; axis++) {
			/* Large, since over two indices everything else cancels. */
			const struct pare_layer_norm attrs = {.axis = axis, .epsilon = 0.5f};
			const struct pare_shape param = pare_shape_vector(shapes[s].dim[axis]);
			check_over_batches((struct op_case){.op = &pare_op_layer_norm,
			                                    .reference = reference_layer_norm,
			                                    .attrs = &attrs,
			                                    .n_inputs = 1,
			                                    .in = {shapes[s]},
			                                    .n_params = 2,
			                                    .n_trained = 2,
			                                    .param = {param, param}});
		}
}

static void test_ops_lines__scale_agrees_with_reference(void **state)
{
	(void)state;
	for (int s = 0; s < N_SHAPES; s++)
		for (int axis = 0; axis < shapes[s].rank; axis++)
			for (int n_params = 1; n_params <= 2; n_params++) {
				const struct pare_scale attrs = {.axis = axis};
				const struct pare_shape param = pare_shape_vector(shapes[s].dim[axis]);
				check_over_batches((struct op_case){.op = &pare_op_scale,
				                                    .reference = reference_scale,
				                                    .attrs = &attrs,
				                                    .n_inputs = 1,
				                                    .in = {shapes[s]},
				                                    .n_params = n_params,
				                                    .n_trained = n_params,
				                                    .param = {param, param}});
			}
}

static void test_ops_lines__reduce_mean_agrees_with_reference(void **state)
{
	(void)state;
	for (int s = 0; s < N_SHAPES; s++)
		for (int first = 0; first < shapes[s].rank; first++)
			for (int last = first; last < shapes[s].rank; last++)
				for (int keep = 0; keep < 2; keep++) {
					const struct pare_reduce_mean attrs = {.axes = (2 << last) - (1 << first),
					                                       .keep_dims = keep};
					if (!keep && last - first + 1 == shapes[s].rank)
						continue;
					check_over_batches((struct op_case){.op = &pare_op_reduce_mean,
					                                    .reference = reference_reduce_mean,
					                                    .attrs = &attrs,
					                                    .n_inputs = 1,
					                                    .in = {shapes[s]}});
				}
}

static void refuse(const struct pare_op *op, const void *attrs, struct pare_shape in, struct pare_shape param)
{
	struct op_case c = {.op = op,
	                    .attrs = attrs,
	                    .n_inputs = 1,
	                    .in = {in},
	                    .n_params = op->max_params,
	                    .param = {param, param}};
	struct pare_error error = {0};
	struct pare_shape out;

	assert_int_equal(op_infer(&c, &out, &error), PARE_E_INVALID);
	assert_true(error.text[0] != '\0');
}

static void test_ops_lines__refuse_what_does_not_fit(void **state)
{
	const struct pare_shape image = pare_shape_chw(4, 5, 6), four = pare_shape_vector(4);

	(void)state;
	refuse(&pare_op_softmax, &(struct pare_softmax){3}, image, four);
	refuse(&pare_op_softmax, &(struct pare_softmax){-1}, image, four);
	refuse(&pare_op_layer_norm, &(struct pare_layer_norm){1, 1e-5f}, image, four);
	refuse(&pare_op_layer_norm, &(struct pare_layer_norm){0, 0.0f}, image, four);
	refuse(&pare_op_layer_norm, &(struct pare_layer_norm){0, NAN}, image, four);
	refuse(&pare_op_scale, &(struct pare_scale){2}, image, four);
	refuse(&pare_op_scale, &(struct pare_scale){5}, image, four);
	refuse(&pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = 0}, image, four);
	refuse(&pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = 5}, image, four);
	refuse(&pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = 8}, image, four);
	refuse(&pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = 7}, image, four);
	refuse(&pare_op_reduce_mean, &(struct pare_reduce_mean){.axes = -1, .keep_dims = 1}, image, four);
}

/* A mean far from 0 must not eat the variance. */
static void test_ops_lines__layer_norm_of_a_shifted_line(void **state)
{
	const struct pare_layer_norm attrs = {.axis = 0, .epsilon = 1e-5f};
	struct op_case c = {.name = "shifted",
	                    .op = &pare_op_layer_norm,
	                    .reference = reference_layer_norm,
	                    .attrs = &attrs,
	                    .n_inputs = 1,
	                    .in = {pare_shape_vector(64)},
	                    .n_params = 2,
	                    .param = {pare_shape_vector(64), pare_shape_vector(64)},
	                    .images = 1,
	                    .lanes = 1};
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	for (int i = 0; i < 64; i++)
		rig.in[0].data[i] = (float)(rig.reference.in[0][i] = 4096.0 + (double)(i % 5));
	op_rig_run(&rig, false, NULL);
	reference_layer_norm(&rig.reference);
	for (int i = 0; i < 64; i++)
		assert_true(fabs((double)rig.out.data[i] - rig.reference.out[i]) <=
		            1e-3 * (1 + fabs(rig.reference.out[i])));
	op_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_lines__softmax_agrees_with_reference),
	        cmocka_unit_test(test_ops_lines__layer_norm_agrees_with_reference),
	        cmocka_unit_test(test_ops_lines__scale_agrees_with_reference),
	        cmocka_unit_test(test_ops_lines__reduce_mean_agrees_with_reference),
	        cmocka_unit_test(test_ops_lines__refuse_what_does_not_fit),
	        cmocka_unit_test(test_ops_lines__layer_norm_of_a_shifted_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
