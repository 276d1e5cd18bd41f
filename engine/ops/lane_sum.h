/*
 * Sums over contiguous floats in a fixed order: 16 running sums (element i goes to sum i % 16, which is the lane in the
 * 16-lane layout), in float over short chunks, in double across chunks. Vectorises without fast-math and depends
 * neither on threads nor on the instruction set.
 */
#ifndef PARE_ENGINE_OPS_LANE_SUM_H
#define PARE_ENGINE_OPS_LANE_SUM_H

#include "engine/graph/tensor.h"
#include "engine/ops/float4.h"

/* Floats summed in single precision before they are added to the doubles: 64 additions a lane. */
#define PARE_LANE_SUM_CHUNK (64 * PARE_LANES)

/* sum[i % 16] += x[i] */
void pare_lane_sum(const float *x, int64_t count, double sum[PARE_LANES]);

/* The lanes that hold images, added up: the first `used` of 16-lane data; all of them for 1-lane data. */
double pare_lane_total(const double sum[PARE_LANES], int lanes, int used);

#endif
