/* Whatever the compiler makes of 4-wide vectors on any CPU; the reference for the other two. */
#define VECTOR 4
#define CONV_OUTPUTS 6
#define MOST_PIXELS 2
#define GRADIENT_OUTPUTS 4
#define KERNEL_SET pare_lane_kernels_portable
#define KERNEL_NAME "portable"
#define KERNEL_SUPPORTED true
#include "engine/math/lane_kernels.inc"
