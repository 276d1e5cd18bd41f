/*
 * Four floats at any address, in the vector extension that GCC and Clang share: operators work element by element,
 * comparisons give 0 or -1 per element. Every machine has these registers. Only where plain loops do not do: GCC
 * vectorises running sums in a float array across elements of the same lane, with shuffles (four times slower), and
 * branches in a pooling window not at all.
 */
#ifndef PARE_ENGINE_OPS_FLOAT4_H
#define PARE_ENGINE_OPS_FLOAT4_H

#include <stdint.h>

#include "engine/graph/tensor.h"

typedef float pare_float4 __attribute__((vector_size(16), aligned(sizeof(float)), may_alias));
typedef int32_t pare_int4 __attribute__((vector_size(16), may_alias));

#define PARE_LANE_QUADS (PARE_LANES / 4)

static inline pare_float4 pare_float4_load(const float *x)
{
	return *(const pare_float4 *)x;
}

/* mask ? a : b, element by element; each element of mask is 0 or -1. */
static inline pare_int4 pare_int4_select(pare_int4 mask, pare_int4 a, pare_int4 b)
{
	return (mask & a) | (~mask & b);
}

static inline pare_float4 pare_float4_select(pare_int4 mask, pare_float4 a, pare_float4 b)
{
	return (pare_float4)pare_int4_select(mask, (pare_int4)a, (pare_int4)b);
}

#endif
