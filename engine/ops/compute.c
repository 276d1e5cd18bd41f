#include "engine/ops/compute.h"

#include "engine/math/gemm.h"
#include "engine/math/lane_kernels.h"

const char *pare_compute_kernels(void)
{
	return pare_lane_kernels()->name;
}

void pare_compute_blas(char *text, size_t size)
{
	pare_blas_describe(text, size);
}
