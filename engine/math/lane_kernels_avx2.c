/* 16 registers of 8 floats: the 16 lanes in two halves, 6 x 2 and 4 x 3 accumulators. */
#define VECTOR 8
#define CONV_OUTPUTS 6
#define MOST_PIXELS 2
#define GRADIENT_OUTPUTS 4
#define KERNEL_SET pare_lane_kernels_avx2
#define KERNEL_NAME "avx2"
#define KERNEL_SUPPORTED (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#include "engine/math/lane_kernels.inc"
