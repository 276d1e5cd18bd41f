#include "engine/train/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"

#define MAX_IMAGES 40
#define MAX_CLASSES 12
#define MAX_FLOATS (48 * MAX_CLASSES)

/* Logits, labels and gradient of one call. */
struct call {
	struct pare_tensor logits, gradient;
	float logits_memory[MAX_FLOATS], gradient_memory[MAX_FLOATS];
	int32_t labels[MAX_IMAGES];
};

static void set_up(struct call *call, int64_t images, int64_t classes, int lanes, double scale)
{
	struct pare_rng rng = pare_rng_make((uint64_t)images, PARE_STREAM_TEST, (uint64_t)classes);
	struct pare_shape shape = pare_shape_vector(classes);
	call->logits =
	        (struct pare_tensor){.data = call->logits_memory, .shape = shape, .images = images, .lanes = lanes};
	call->gradient = call->logits;
	call->gradient.data = call->gradient_memory;
	for (int i = 0; i < MAX_FLOATS; i++) {
		call->logits_memory[i] = (float)(1e3 * pare_rng_normal(&rng)); /* unused lanes: anything finite */
		call->gradient_memory[i] = NAN;
	}
	for (int64_t i = 0; i < images; i++) {
		call->labels[i] = (int32_t)pare_rng_below(&rng, (uint32_t)classes);
		for (int64_t c = 0; c < classes; c++)
			*pare_tensor_at(&call->logits, i, c) = (float)(scale * pare_rng_normal(&rng));
	}
}

/* - sum over classes of target * log softmax(z), from the definition. */
static double naive_loss(const double *z, int64_t classes, int32_t label, double smoothing)
{
	long double sum = 0.0L, loss = 0.0L;
	for (int64_t c = 0; c < classes; c++)
		sum += expl((long double)z[c]);
	for (int64_t c = 0; c < classes; c++) {
		long double target = (c == label ? 1.0L - (long double)smoothing : 0.0L) +
		                     (long double)smoothing / (long double)classes;
		loss -= target * ((long double)z[c] - logl(sum));
	}
	return (double)loss;
}

static void read_image(const struct call *call, int64_t image, double *z)
{
	for (int64_t c = 0; c < call->logits.shape.dim[0]; c++)
		z[c] = (double)*pare_tensor_at(&call->logits, image, c);
}

static double naive_sum(const struct call *call, double smoothing)
{
	double z[MAX_CLASSES], sum = 0.0;
	for (int64_t i = 0; i < call->logits.images; i++) {
		read_image(call, i, z);
		sum += naive_loss(z, call->logits.shape.dim[0], call->labels[i], smoothing);
	}
	return sum;
}

static const struct {
	int64_t images, classes;
	int lanes;
} sizes[] = {
        {1, 2, 1}, {5, 10, 1}, {1, 10, PARE_LANES}, {16, 3, PARE_LANES}, {21, 10, PARE_LANES}, {40, 12, PARE_LANES},
        {7, 1, 1}};
#define N_SIZES ((int)(sizeof(sizes) / sizeof(sizes[0])))

static const double smoothings[] = {0.0, 0.1, 0.7};

static void test_loss__agrees_with_the_definition(void **state)
{
	struct call call;
	(void)state;
	for (int s = 0; s < N_SIZES; s++)
		for (int k = 0; k < 3; k++) {
			set_up(&call, sizes[s].images, sizes[s].classes, sizes[s].lanes, 3.0);
			struct pare_loss loss =
			        pare_cross_entropy(&call.logits, call.labels, smoothings[k], &call.gradient);
			double wanted = naive_sum(&call, smoothings[k]);
			assert_true(fabs(loss.sum - wanted) <= 1e-12 * (1.0 + wanted));
		}
}

/* d(mean loss)/d(logit) by central differences in double: good to about 1e-9. */
static void test_loss__gradient_is_that_of_the_mean(void **state)
{
	struct call call;
	(void)state;
	for (int s = 0; s < N_SIZES; s++)
		for (int k = 0; k < 3; k++) {
			int64_t classes = sizes[s].classes;
			double z[MAX_CLASSES], step = 1e-5;
			set_up(&call, sizes[s].images, classes, sizes[s].lanes, 2.0);
			pare_cross_entropy(&call.logits, call.labels, smoothings[k], &call.gradient);
			for (int64_t i = 0; i < sizes[s].images; i++)
				for (int64_t c = 0; c < classes; c++) {
					read_image(&call, i, z);
					double at = z[c];
					z[c] = at + step;
					double above = naive_loss(z, classes, call.labels[i], smoothings[k]);
					z[c] = at - step;
					double below = naive_loss(z, classes, call.labels[i], smoothings[k]);
					double wanted = (above - below) / (2.0 * step) / (double)sizes[s].images;
					double found = (double)*pare_tensor_at(&call.gradient, i, c);
					assert_true(fabs(found - wanted) <= 1e-7);
				}
		}
}

static void test_loss__unused_lanes_get_zero(void **state)
{
	struct call call;
	(void)state;
	for (int s = 0; s < N_SIZES; s++) {
		set_up(&call, sizes[s].images, sizes[s].classes, sizes[s].lanes, 1.0);
		pare_cross_entropy(&call.logits, call.labels, 0.1, &call.gradient);
		int64_t slots = pare_tensor_blocks(&call.gradient) * call.gradient.lanes;
		for (int64_t i = sizes[s].images; i < slots; i++)
			for (int64_t c = 0; c < sizes[s].classes; c++)
				assert_true(*pare_tensor_at(&call.gradient, i, c) == 0.0f);
	}
}

static void test_loss__counts_the_correct_ones(void **state)
{
	struct call call;
	(void)state;
	set_up(&call, 21, 10, PARE_LANES, 1.0);
	for (int64_t i = 0; i < 21; i++)
		if (i % 3) /* 14 of 21 */
			*pare_tensor_at(&call.logits, i, call.labels[i]) = 50.0f;
		else
			*pare_tensor_at(&call.logits, i, (call.labels[i] + 1) % 10) = 50.0f;
	assert_int_equal(pare_cross_entropy(&call.logits, call.labels, 0.0, NULL).correct, 14);
}

static void test_loss__ties_go_to_the_lower_class(void **state)
{
	struct call call;
	(void)state;
	set_up(&call, 2, 3, 1, 0.0); /* all logits 0 */
	call.labels[0] = 0;
	call.labels[1] = 1;
	struct pare_loss loss = pare_cross_entropy(&call.logits, call.labels, 0.0, NULL);
	assert_int_equal(loss.correct, 1);
	assert_true(fabs(loss.sum - 2.0 * log(3.0)) < 1e-15 * 4);
}

static void test_loss__gradient_is_optional(void **state)
{
	struct call call;
	struct pare_tensor none = {0};
	(void)state;
	set_up(&call, 5, 4, 1, 1.0);
	double with = pare_cross_entropy(&call.logits, call.labels, 0.1, &call.gradient).sum;
	assert_true(pare_cross_entropy(&call.logits, call.labels, 0.1, NULL).sum == with);
	assert_true(pare_cross_entropy(&call.logits, call.labels, 0.1, &none).sum == with);
}

static void test_loss__huge_logits_do_not_overflow(void **state)
{
	struct call call;
	(void)state;
	set_up(&call, 2, 2, 1, 0.0);
	float logits[] = {3e38f, -3e38f, -1000.0f, 1000.0f};
	memcpy(call.logits_memory, logits, sizeof(logits));
	call.labels[0] = 0; /* sure and right: loss 0 */
	call.labels[1] = 0; /* sure and wrong: loss 2000 */
	struct pare_loss loss = pare_cross_entropy(&call.logits, call.labels, 0.0, &call.gradient);
	assert_true(fabs(loss.sum - 2000.0) < 1e-9);
	assert_true(call.gradient_memory[0] == 0.0f && call.gradient_memory[1] == 0.0f);
	assert_true(call.gradient_memory[2] == -0.5f && call.gradient_memory[3] == 0.5f);
}

/* Wherever a logit that is not finite stands, and with every smoothing, the sum shows it; other images' gradients stay.
 */
static void test_loss__logits_that_are_not_finite_are_seen(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	struct call call;
	(void)state;
	for (int b = 0; b < 3; b++)
		for (int64_t c = 0; c < 4; c++)
			for (int k = 0; k < 3; k++) {
				set_up(&call, 18, 4, PARE_LANES, 1.0);
				*pare_tensor_at(&call.logits, 3, c) = bad[b];
				struct pare_loss loss =
				        pare_cross_entropy(&call.logits, call.labels, smoothings[k], &call.gradient);
				assert_false(isfinite(loss.sum));
				for (int64_t i = 0; i < 18; i++)
					assert_true(i == 3 || isfinite(*pare_tensor_at(&call.gradient, i, 0)));
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_loss__agrees_with_the_definition),
	        cmocka_unit_test(test_loss__gradient_is_that_of_the_mean),
	        cmocka_unit_test(test_loss__unused_lanes_get_zero),
	        cmocka_unit_test(test_loss__counts_the_correct_ones),
	        cmocka_unit_test(test_loss__ties_go_to_the_lower_class),
	        cmocka_unit_test(test_loss__gradient_is_optional),
	        cmocka_unit_test(test_loss__huge_logits_do_not_overflow),
	        cmocka_unit_test(test_loss__logits_that_are_not_finite_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
