#include "engine/math/im2col.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"

struct window_case {
	int64_t channels;
	struct pare_window rows, columns;
};

static const struct window_case cases[] = {
        {1, {5, 5, 3, 1, 1, 1}, {7, 7, 3, 1, 1, 1}},   /* "same" */
        {3, {6, 4, 3, 1, 0, 1}, {5, 3, 3, 1, 0, 1}},   /* "valid" */
        {2, {9, 5, 3, 2, 1, 1}, {8, 4, 3, 2, 1, 1}},   /* strided */
        {2, {4, 4, 1, 1, 0, 1}, {6, 6, 1, 1, 0, 1}},   /* 1x1 */
        {2, {11, 3, 2, 4, 0, 1}, {10, 2, 1, 7, 0, 1}}, /* stride > kernel */
        {3, {9, 5, 3, 1, 0, 2}, {9, 9, 3, 1, 3, 3}},   /* dilation */
        {2, {3, 19, 3, 1, 9, 1}, {2, 7, 2, 3, 9, 1}},  /* padding > kernel */
        {1, {1, 1, 1, 1, 0, 1}, {1, 1, 1, 1, 0, 1}},   /* one pixel */
        {4, {3, 1, 3, 1, 0, 1}, {5, 1, 5, 1, 0, 1}},   /* the whole image */
        {1, {2, 4, 2, 1, 9, 1}, {2, 4, 2, 1, 9, 1}},   /* windows that never reach the image */
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static int64_t image_size(const struct window_case *c)
{
	return c->channels * c->rows.in * c->columns.in;
}

static int64_t matrix_size(const struct window_case *c)
{
	return c->channels * c->rows.kernel * c->columns.kernel * c->rows.out * c->columns.out;
}

/* Exactly as large as said, so that the address sanitizer guards both ends. */
static float *random_floats(int64_t count, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 0);
	float *values = malloc((size_t)count * sizeof(*values));
	assert_non_null(values);
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)pare_rng_normal(&rng);
	return values;
}

static float *filled(int64_t count, float value)
{
	float *values = malloc((size_t)count * sizeof(*values));
	assert_non_null(values);
	for (int64_t i = 0; i < count; i++)
		values[i] = value;
	return values;
}

/* The image element that a matrix element comes from; -1 = padding. */
static int64_t origin(const struct window_case *c, int64_t element)
{
	const struct pare_window *r = &c->rows, *k = &c->columns;
	int64_t x = element % k->out, y = element / k->out % r->out, row = element / k->out / r->out;
	int64_t kx = row % k->kernel, ky = row / k->kernel % r->kernel, channel = row / k->kernel / r->kernel;
	int64_t in_y = y * r->stride - r->pad + ky * r->dilation, in_x = x * k->stride - k->pad + kx * k->dilation;
	if (in_y < 0 || in_y >= r->in || in_x < 0 || in_x >= k->in)
		return -1;
	return (channel * r->in + in_y) * k->in + in_x;
}

static void test_im2col__agrees_with_the_definition(void **state)
{
	(void)state;
	for (int i = 0; i < N_CASES; i++) {
		const struct window_case *c = &cases[i];
		float *x = random_floats(image_size(c), 1), *matrix = filled(matrix_size(c), NAN);
		pare_im2col(x, c->channels, &c->rows, &c->columns, matrix);
		for (int64_t e = 0; e < matrix_size(c); e++) {
			int64_t from = origin(c, e);
			float wanted = from < 0 ? 0.0f : x[from];
			if (!(matrix[e] == wanted))
				fail_msg("case %d element %lld: %g, not %g", i, (long long)e, (double)matrix[e],
				         (double)wanted);
		}
		free(x);
		free(matrix);
	}
}

/* <im2col(x), m> = <x, col2im(m)>: one is the other's transpose. */
static void test_im2col__col2im_is_the_adjoint(void **state)
{
	(void)state;
	for (int i = 0; i < N_CASES; i++) {
		const struct window_case *c = &cases[i];
		float *x = random_floats(image_size(c), 2), *m = random_floats(matrix_size(c), 3);
		float *columns = filled(matrix_size(c), NAN), *back = filled(image_size(c), 0.0f);
		double left = 0.0, right = 0.0, size = 0.0;
		pare_im2col(x, c->channels, &c->rows, &c->columns, columns);
		pare_col2im_add(m, c->channels, &c->rows, &c->columns, back);
		for (int64_t e = 0; e < matrix_size(c); e++) {
			left += (double)columns[e] * (double)m[e];
			size += fabs((double)columns[e] * (double)m[e]);
		}
		for (int64_t e = 0; e < image_size(c); e++)
			right += (double)x[e] * (double)back[e];
		assert_true(fabs(left - right) <= 1e-6 * size + 1e-30);
		free(x);
		free(m);
		free(columns);
		free(back);
	}
}

static void test_im2col__col2im_adds_to_what_is_there(void **state)
{
	(void)state;
	for (int i = 0; i < N_CASES; i++) {
		const struct window_case *c = &cases[i];
		float *m = filled(matrix_size(c), 1.0f), *x = filled(image_size(c), 100.0f);
		float *wanted = filled(image_size(c), 100.0f);
		for (int64_t e = 0; e < matrix_size(c); e++)
			if (origin(c, e) >= 0)
				wanted[origin(c, e)] += 1.0f;
		pare_col2im_add(m, c->channels, &c->rows, &c->columns, x);
		assert_memory_equal(x, wanted, (size_t)image_size(c) * sizeof(*x));
		free(m);
		free(x);
		free(wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_im2col__agrees_with_the_definition),
	        cmocka_unit_test(test_im2col__col2im_is_the_adjoint),
	        cmocka_unit_test(test_im2col__col2im_adds_to_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
