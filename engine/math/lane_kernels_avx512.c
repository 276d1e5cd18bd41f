/* 32 registers of 16 floats: 6 x 4 accumulators forward, 8 x 3 for weight gradients. */
#define VECTOR 16
#define CONV_OUTPUTS 6
#define MOST_PIXELS 4
#define GRADIENT_OUTPUTS 8
#define KERNEL_SET pare_lane_kernels_avx512
#define KERNEL_NAME "avx512"
#define KERNEL_SUPPORTED (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
#include "engine/math/lane_kernels.inc"
