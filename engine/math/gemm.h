/*
 * Matrix products, over OpenBLAS: the only caller of cblas. Row-major. One BLAS thread: parallelism is the pool's.
 */
#ifndef PARE_ENGINE_MATH_GEMM_H
#define PARE_ENGINE_MATH_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* C [m][n] = op(A) op(B) + beta * C; op(A) is [m][k] (A is stored [k][m] when transpose_a), op(B) is [k][n] ([n][k]
 * stored when transpose_b). ld*: floats between the stored rows. */
struct pare_gemm {
	bool transpose_a, transpose_b;
	int64_t m, n, k;
	const float *a;
	int64_t lda;
	const float *b;
	int64_t ldb;
	float beta;
	float *c;
	int64_t ldc;
};

void pare_gemm(const struct pare_gemm *job);

/* "OpenBLAS 0.3.21 Cooperlake": library, version, kernels it chose. */
void pare_blas_describe(char *text, size_t size);

#endif
