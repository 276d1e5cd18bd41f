/* What machine a latency was measured on. */
#ifndef PARE_LATENCY_LUT_MACHINE_H
#define PARE_LATENCY_LUT_MACHINE_H

struct pare_machine {
	char cpu[128]; /* model name and family/model/stepping from /proc/cpuinfo: "AMD EPYC (family 26 model 2 stepping
	                  1)" */
	char flags[128];   /* SIMD features that matter, blank separated: "avx2 fma avx512f ..." */
	char kernels[32];  /* kernel set chosen: pare_lane_kernels()->name */
	char blas[128];    /* library and core: "OpenBLAS 0.3.21 Cooperlake" */
	char governor[32]; /* cpufreq governor, "unknown" where it cannot be read */
	int cores;
};

/* No field is left empty, and all are printable ASCII: they go into the head of a table, one a line. */
void pare_machine_describe(struct pare_machine *machine);
/* cpu and flags from the text of /proc/cpuinfo, which differs between architectures and kernels; "unknown" and "none"
 * where it does not say. */
void pare_machine_parse_cpuinfo(struct pare_machine *machine, const char *cpuinfo);

#endif
