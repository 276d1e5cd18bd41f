#include "tests/support/op_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/grad_check.h"

static int64_t out_count(const struct op_rig *rig)
{
	return rig->c->images * pare_shape_elements(&rig->reference.out_shape);
}

static int64_t param_count(const struct op_rig *rig, int i)
{
	return pare_shape_elements(&rig->c->param[i]);
}

static size_t tensor_bytes(const struct pare_tensor *tensor)
{
	return sizeof(float) * (size_t)pare_tensor_size(tensor);
}

static void run_reference(struct op_rig *rig, bool training)
{
	rig->reference.training = training;
	rig->c->reference(&rig->reference);
	for (int64_t i = 0; i < out_count(rig); i++)
		rig->reference.out[i] = reference_activation(rig->reference.out[i], rig->c->activation);
}

static void check_forward(struct op_rig *rig, bool training)
{
	const struct op_case *c = rig->c;
	int64_t count = out_count(rig), elements = pare_shape_elements(&rig->out.shape);
	double largest = 0.0;

	run_reference(rig, training);
	for (int64_t i = 0; i < count; i++)
		largest = fmax(largest, fabs(rig->reference.out[i]));
	for (int64_t i = 0; i < count; i++) {
		double expected = rig->reference.out[i];
		double found = (double)*pare_tensor_at(&rig->out, i / elements, i % elements);
		if (!(fabs(found - expected) <= c->tolerance * largest))
			fail_msg("%s: %s, image %lld element %lld is %.9g, the reference says %.9g (largest %.4g)",
			         c->name, training ? "training" : "inference", (long long)(i / elements),
			         (long long)(i % elements), found, expected, largest);
	}
	for (int64_t i = 0; i < pare_tensor_size(&rig->out); i++)
		if (!isfinite(rig->out.data[i]))
			fail_msg("%s: float %lld of the output is not finite (unused lanes included)", c->name,
			         (long long)i);
}

static double loss(void *context)
{
	struct op_rig *rig = context;
	double sum = 0.0;

	run_reference(rig, true);
	for (int64_t i = 0; i < out_count(rig); i++)
		sum += rig->weights[i] * rig->reference.out[i];
	return sum;
}

static void check_gradient(struct op_rig *rig, const char *what, int index, double *values, const float *gradient,
                           int64_t count)
{
	char text[256];
	/* Inputs and weights in steps of 1e-5 do not reach a kink (drop_kinks) and do not swap two maxima
	 * (distinct_inputs). Large batches get fewer coordinates, because each costs two runs of the reference. */
	struct grad_check check = {.loss = loss,
	                           .context = rig,
	                           .values = values,
	                           .gradient = gradient,
	                           .count = count,
	                           .epsilon = 1e-5,
	                           .tolerance = rig->c->gradient_tolerance,
	                           .samples = rig->c->images < 8 ? 5 : 1,
	                           .seed = 3};

	if (!grad_check(&check, text, sizeof(text)))
		fail_msg("%s: gradient of %s %d: %s", rig->c->name, what, index, text);
}

static void check_unused_lanes(const struct op_rig *rig, int input)
{
	const struct pare_tensor *din = &rig->din[input];
	int64_t elements = pare_shape_elements(&din->shape);

	for (int64_t i = din->images; i < pare_tensor_blocks(din) * din->lanes; i++)
		for (int64_t e = 0; e < elements; e++)
			if (*pare_tensor_at(din, i, e) != 0.0f)
				fail_msg("%s: input %d: gradient of a lane without an image is %g, it must be 0",
				         rig->c->name, input, (double)*pare_tensor_at(din, i, e));
}

static void clear_gradients(struct op_rig *rig, float value)
{
	for (int i = 0; i < rig->c->n_inputs; i++)
		for (int64_t k = 0; k < pare_tensor_size(&rig->din[i]); k++)
			rig->din[i].data[k] = value;
	for (int i = 0; i < rig->c->n_trained; i++)
		for (int64_t k = 0; k < param_count(rig, i); k++)
			rig->dparam[i][k] = value;
}

/* What is overwritten may have been anything; parameters' gradients are added to. */
static void spoil_gradients(struct op_rig *rig)
{
	clear_gradients(rig, 0.0f);
	for (int i = 0; i < rig->c->n_inputs; i++)
		memset(rig->din[i].data, 0xff, tensor_bytes(&rig->din[i])); /* NaN */
}

static void check_gradients(struct op_rig *rig)
{
	for (int i = 0; i < rig->c->n_inputs; i++) {
		int64_t elements = pare_shape_elements(&rig->c->in[i]);
		float *nchw = malloc(sizeof(float) * (size_t)(rig->c->images * elements));
		assert_non_null(nchw);
		for (int64_t k = 0; k < rig->c->images * elements; k++)
			nchw[k] = *pare_tensor_at(&rig->din[i], k / elements, k % elements);
		check_gradient(rig, "input", i, rig->reference.in[i], nchw, rig->c->images * elements);
		free(nchw);
		check_unused_lanes(rig, i);
	}
	for (int i = 0; i < rig->c->n_trained; i++)
		check_gradient(rig, "parameter", i, rig->reference.param[i], rig->dparam[i], param_count(rig, i));
}

/* What a run leaves behind, to compare other runs with. */
struct snapshot {
	float *out, *din[REFERENCE_MAX], *param[REFERENCE_MAX], *dparam[REFERENCE_MAX];
};

static float *copy_floats(const float *from, int64_t count)
{
	float *to = malloc(sizeof(float) * (size_t)count);
	assert_non_null(to);
	memcpy(to, from, sizeof(float) * (size_t)count);
	return to;
}

static struct snapshot snapshot_take(const struct op_rig *rig)
{
	struct snapshot shot = {.out = copy_floats(rig->out.data, pare_tensor_size(&rig->out))};
	for (int i = 0; i < rig->c->n_inputs; i++)
		shot.din[i] = copy_floats(rig->din[i].data, pare_tensor_size(&rig->din[i]));
	for (int i = 0; i < rig->c->n_params; i++)
		shot.param[i] = copy_floats(rig->param[i], param_count(rig, i));
	for (int i = 0; i < rig->c->n_trained; i++)
		shot.dparam[i] = copy_floats(rig->dparam[i], param_count(rig, i));
	return shot;
}

static void snapshot_release(struct snapshot *shot)
{
	free(shot->out);
	for (int i = 0; i < REFERENCE_MAX; i++) {
		free(shot->din[i]);
		free(shot->param[i]);
		free(shot->dparam[i]);
	}
}

static void check_same_bits(const struct op_rig *rig, const struct snapshot *shot, int threads)
{
	const char *name = rig->c->name;

	if (memcmp(rig->out.data, shot->out, tensor_bytes(&rig->out)) != 0)
		fail_msg("%s: the output with %d threads differs from the serial one", name, threads);
	for (int i = 0; i < rig->c->n_inputs; i++)
		if (memcmp(rig->din[i].data, shot->din[i], tensor_bytes(&rig->din[i])) != 0)
			fail_msg("%s: the gradient of input %d with %d threads differs from the serial one", name, i,
			         threads);
	for (int i = 0; i < rig->c->n_params; i++)
		if (memcmp(rig->param[i], shot->param[i], sizeof(float) * (size_t)param_count(rig, i)) != 0)
			fail_msg("%s: parameter %d with %d threads differs from the serial one", name, i, threads);
	for (int i = 0; i < rig->c->n_trained; i++)
		if (memcmp(rig->dparam[i], shot->dparam[i], sizeof(float) * (size_t)param_count(rig, i)) != 0)
			fail_msg("%s: the gradient of parameter %d with %d threads differs from the serial one", name,
			         i, threads);
}

static void check_threads(struct op_rig *rig, const struct snapshot *shot)
{
	for (int threads = 1; threads <= 3; threads++) {
		struct pare_pool *pool = pare_pool_new(threads);
		assert_non_null(pool);
		spoil_gradients(rig);
		op_rig_run(rig, true, pool);
		pare_pool_free(pool);
		check_same_bits(rig, shot, threads);
	}
}

static double largest_of(const float *values, int64_t count)
{
	double largest = 0.0;
	for (int64_t i = 0; i < count; i++)
		largest = fmax(largest, fabs((double)values[i]));
	return largest;
}

/* old + gradient. The operator may add its terms to the old value one by one, so it has the gradient's tolerance again.
 */
static void check_sum(const struct op_rig *rig, const char *what, int index, const float *found, const float *gradient,
                      float old, int64_t count)
{
	double largest = fmax(fabs((double)old), largest_of(gradient, count));
	double tolerance = (1e-7 + rig->c->gradient_tolerance) * largest;

	for (int64_t i = 0; i < count; i++) {
		double expected = (double)old + (double)gradient[i];
		if (!(fabs((double)found[i] - expected) <= tolerance))
			fail_msg("%s: %s %d, float %lld: accumulating %.9g onto %g gives %.9g", rig->c->name, what,
			         index, (long long)i, (double)gradient[i], (double)old, (double)found[i]);
	}
}

/* Lanes without an image are not looked at: nobody promises that they stay 0 when the old value is not. */
static void check_input_sum(const struct op_rig *rig, const struct snapshot *shot, int i, float old)
{
	const struct pare_tensor *din = &rig->din[i];
	struct pare_tensor before = *din;
	int64_t elements = pare_shape_elements(&din->shape), count = din->images * elements;
	float *found = malloc(sizeof(float) * (size_t)count), *gradient = malloc(sizeof(float) * (size_t)count);

	assert_true(found && gradient);
	before.data = shot->din[i];
	for (int64_t k = 0; k < count; k++) {
		found[k] = *pare_tensor_at(din, k / elements, k % elements);
		gradient[k] = *pare_tensor_at(&before, k / elements, k % elements);
	}
	check_sum(rig, "input", i, found, gradient, old, count);
	free(gradient);
	free(found);
}

static void check_accumulation(struct op_rig *rig, const struct snapshot *shot)
{
	const float old = 2.0f;

	clear_gradients(rig, old);
	for (int i = 0; i < rig->c->n_inputs; i++)
		rig->accumulate[i] = rig->c->op->flags & PARE_OP_ACCUMULATES;
	op_rig_run(rig, true, NULL);
	for (int i = 0; i < rig->c->n_inputs; i++) {
		check_input_sum(rig, shot, i, rig->accumulate[i] ? old : 0.0f);
		rig->accumulate[i] = false;
	}
	for (int i = 0; i < rig->c->n_trained; i++)
		check_sum(rig, "parameter", i, rig->dparam[i], shot->dparam[i], old, param_count(rig, i));
}

/* Without input gradients the parameters' are the same, and the other way round. */
static void check_unwanted(struct op_rig *rig, const struct snapshot *shot)
{
	float *hidden[REFERENCE_MAX];

	clear_gradients(rig, 0.0f);
	for (int i = 0; i < rig->c->n_inputs; i++) {
		hidden[i] = rig->din[i].data;
		rig->din[i].data = NULL;
	}
	op_rig_run(rig, true, NULL);
	for (int i = 0; i < rig->c->n_inputs; i++)
		rig->din[i].data = hidden[i];
	for (int i = 0; i < rig->c->n_trained; i++) {
		check_sum(rig, "parameter", i, rig->dparam[i], shot->dparam[i], 0.0f, param_count(rig, i));
		hidden[i] = rig->dparam[i];
		rig->dparam[i] = NULL;
	}
	op_rig_run(rig, true, NULL);
	for (int i = 0; i < rig->c->n_trained; i++)
		rig->dparam[i] = hidden[i];
	for (int i = 0; i < rig->c->n_inputs; i++)
		check_input_sum(rig, shot, i, 0.0f);
}

void op_check(const struct op_case *c)
{
	struct op_rig rig;

	op_rig_open(&rig, c);
	op_rig_run(&rig, false, NULL);
	check_forward(&rig, false);
	spoil_gradients(&rig);
	op_rig_run(&rig, true, NULL);
	struct snapshot shot = snapshot_take(&rig);
	check_forward(&rig, true);
	check_gradients(&rig);
	check_threads(&rig, &shot);
	check_accumulation(&rig, &shot);
	check_unwanted(&rig, &shot);
	snapshot_release(&shot);
	op_rig_close(&rig);
}
