/* 32 registers of 16 floats: 6 x 4 accumulators forward, 8 x 3 for weight gradients. */
#define VECTOR 16
#define CONV_OUTPUTS 6
#define MOST_PIXELS 4
#define GRADIENT_OUTPUTS 8
#define KERNEL_SET pare_lane_kernels_avx512
#define KERNEL_NAME "avx512"
/* All that the file is compiled for: the compiler may use any of it. */
#define KERNEL_SUPPORTED                                                                                               \
	(__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&                                    \
	 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma"))
#include "engine/math/lane_kernels.inc"
