/* What does the arithmetic, in words: for tables and reports that must say what a time was measured with. */
#ifndef PARE_ENGINE_OPS_COMPUTE_H
#define PARE_ENGINE_OPS_COMPUTE_H

#include <stddef.h>

/* The kernel set in use: "avx512", "avx2", "portable". */
const char *pare_compute_kernels(void);
/* "OpenBLAS 0.3.21 Cooperlake": library, version, the kernels it chose. */
void pare_compute_blas(char *text, size_t size);

#endif
