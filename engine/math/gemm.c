#include "engine/math/gemm.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void use_one_thread(void)
{
	openblas_set_num_threads(1);
}

static void set_up(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, use_one_thread);
}

void pare_gemm(const struct pare_gemm *job)
{
	set_up();
	cblas_sgemm(CblasRowMajor, job->transpose_a ? CblasTrans : CblasNoTrans,
	            job->transpose_b ? CblasTrans : CblasNoTrans, (int)job->m, (int)job->n, (int)job->k, 1.0f, job->a,
	            (int)job->lda, job->b, (int)job->ldb, job->beta, job->c, (int)job->ldc);
}

void pare_blas_describe(char *text, size_t size)
{
	char config[256];
	snprintf(config, sizeof config, "%s", openblas_get_config());
	/* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the first two words are name and version. */
	char *end = strchr(config, ' ');
	if (end && (end = strchr(end + 1, ' ')))
		*end = '\0';
	snprintf(text, size, "%s %s", config, openblas_get_corename());
}
