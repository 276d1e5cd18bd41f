/* What machine a latency was measured on. */
#ifndef PARE_LATENCY_LUT_MACHINE_H
#define PARE_LATENCY_LUT_MACHINE_H

struct pare_machine {
	char cpu[128];    /* model name and family/model/stepping from /proc/cpuinfo: "AMD EPYC (family 26 model 2 stepping 1)" */
	char flags[128];  /* SIMD features that matter, blank separated: "avx2 fma avx512f ..." */
	char kernels[32]; /* kernel set chosen: pare_kernels_name() */
	char blas[128];   /* library and core: "OpenBLAS 0.3.21 Cooperlake" */
	char governor[32]; /* cpufreq governor, "unknown" where it cannot be read */
	int cores;
};

void pare_machine_describe(struct pare_machine *machine);

#endif
