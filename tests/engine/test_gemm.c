#include "engine/math/gemm.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/pool.h"
#include "engine/base/rng.h"

static float *random_floats(int64_t count, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 1);
	float *values = malloc((size_t)count * sizeof(*values));
	assert_non_null(values);
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)pare_rng_normal(&rng);
	return values;
}

/* op(A)[i][p] */
static double element(const float *a, int64_t ld, bool transposed, int64_t i, int64_t p)
{
	return (double)(transposed ? a[p * ld + i] : a[i * ld + p]);
}

/* C against sums in double: a float sum of k products is off by at most about k * 2^-24 of the sum of their sizes. */
static void check(const struct pare_gemm *job, const float *before)
{
	for (int64_t i = 0; i < job->m; i++)
		for (int64_t j = 0; j < job->n; j++) {
			double sum = job->beta != 0.0f ? (double)job->beta * (double)before[i * job->ldc + j] : 0.0;
			double size = fabs(sum);
			for (int64_t p = 0; p < job->k; p++) {
				double product = element(job->a, job->lda, job->transpose_a, i, p) *
				                 element(job->b, job->ldb, job->transpose_b, p, j);
				sum += product;
				size += fabs(product);
			}
			double bound = (double)(job->k + 2) * 0x1p-24 * size;
			if (!(fabs((double)job->c[i * job->ldc + j] - sum) <= bound))
				fail_msg("%lldx%lldx%lld transposes %d %d beta %g at (%lld, %lld): %.9g, not %.9g",
				         (long long)job->m, (long long)job->n, (long long)job->k, job->transpose_a,
				         job->transpose_b, (double)job->beta, (long long)i, (long long)j,
				         (double)job->c[i * job->ldc + j], sum);
		}
}

/* `slack`: floats between the end of a row and the next. */
static void run_case(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, float beta, int64_t slack)
{
	int64_t a_rows = transpose_a ? k : m, lda = (transpose_a ? m : k) + slack;
	int64_t b_rows = transpose_b ? n : k, ldb = (transpose_b ? k : n) + slack, ldc = n + slack;
	float *a = random_floats(a_rows * lda, 1), *b = random_floats(b_rows * ldb, 2);
	float *c = random_floats(m * ldc, 3), *before = random_floats(m * ldc, 3);

	if (beta == 0.0f)
		for (int64_t i = 0; i < m; i++)
			c[i * ldc] = NAN; /* must not be read */
	struct pare_gemm job = {.transpose_a = transpose_a,
	                        .transpose_b = transpose_b,
	                        .m = m,
	                        .n = n,
	                        .k = k,
	                        .a = a,
	                        .lda = lda,
	                        .b = b,
	                        .ldb = ldb,
	                        .beta = beta,
	                        .c = c,
	                        .ldc = ldc};
	pare_gemm(&job);
	check(&job, before);
	for (int64_t i = 0; i < m; i++) /* what lies between the rows stays */
		for (int64_t j = n; j < ldc; j++)
			assert_true(c[i * ldc + j] == before[i * ldc + j]);
	free(a);
	free(b);
	free(c);
	free(before);
}

static void test_gemm__agrees_with_plain_sums(void **state)
{
	static const int64_t sizes[][3] = {{1, 1, 1},   {1, 10, 64},  {7, 1, 5},    {3, 17, 1},
	                                   {16, 49, 9}, {5, 100, 27}, {33, 20, 70}, {64, 64, 64}};
	static const float betas[] = {0.0f, 1.0f, 0.5f};
	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (int transposes = 0; transposes < 4; transposes++)
			for (int beta = 0; beta < 3; beta++)
				for (int64_t slack = 0; slack <= 3; slack += 3)
					run_case(sizes[s][0], sizes[s][1], sizes[s][2], transposes & 1, transposes & 2,
					         betas[beta], slack);
}

#define N_JOBS 8
#define SIDE 40

struct jobs {
	float *a, *b, *c[N_JOBS];
};

static void run_job(void *context, int64_t item, int worker)
{
	struct jobs *jobs = context;
	(void)worker;
	pare_gemm(&(struct pare_gemm){.m = SIDE,
	                              .n = SIDE,
	                              .k = SIDE,
	                              .a = jobs->a,
	                              .lda = SIDE,
	                              .b = jobs->b,
	                              .ldb = SIDE,
	                              .c = jobs->c[item],
	                              .ldc = SIDE});
}

static void test_gemm__same_bits_from_several_threads_at_once(void **state)
{
	struct pare_pool *pool = pare_pool_new(3);
	struct jobs jobs = {.a = random_floats(SIDE * SIDE, 4), .b = random_floats(SIDE * SIDE, 5)};
	(void)state;
	for (int i = 0; i < N_JOBS; i++)
		jobs.c[i] = random_floats(SIDE * SIDE, 6);
	for (int round = 0; round < 20; round++)
		pare_pool_for(pool, N_JOBS, run_job, &jobs);
	for (int i = 1; i < N_JOBS; i++)
		assert_memory_equal(jobs.c[i], jobs.c[0], SIDE * SIDE * sizeof(float));
	for (int i = 0; i < N_JOBS; i++)
		free(jobs.c[i]);
	free(jobs.a);
	free(jobs.b);
	pare_pool_free(pool);
}

static void test_gemm__describes_the_library(void **state)
{
	char text[128], cut[8];
	(void)state;
	pare_blas_describe(text, sizeof text);
	assert_int_equal(strncmp(text, "OpenBLAS ", 9), 0);
	assert_int_equal(strspn(text + 9, "0123456789."), strcspn(text + 9, " ")); /* a version, then the core */
	assert_true(strlen(text) > 9 + strcspn(text + 9, " ") + 1);
	pare_blas_describe(cut, sizeof cut);
	assert_string_equal(cut, "OpenBLA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_gemm__agrees_with_plain_sums),
	        cmocka_unit_test(test_gemm__same_bits_from_several_threads_at_once),
	        cmocka_unit_test(test_gemm__describes_the_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
