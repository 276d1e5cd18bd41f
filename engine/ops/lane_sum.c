#include "engine/ops/lane_sum.h"

static void sum_chunk(const float *x, int64_t count, double sum[PARE_LANES])
{
	pare_float4 s[PARE_LANE_QUADS] = {0};
	int64_t i = 0;

	for (; i + PARE_LANES <= count; i += PARE_LANES)
		for (int quad = 0; quad < PARE_LANE_QUADS; quad++)
			s[quad] += pare_float4_load(x + i + 4 * quad);
	for (int lane = 0; i + lane < count; lane++)
		s[lane / 4][lane % 4] += x[i + lane];
	for (int lane = 0; lane < PARE_LANES; lane++)
		sum[lane] += (double)s[lane / 4][lane % 4];
}

void pare_lane_sum(const float *x, int64_t count, double sum[PARE_LANES])
{
	for (int64_t i = 0; i < count; i += PARE_LANE_SUM_CHUNK) {
		int64_t left = count - i;
		sum_chunk(x + i, left < PARE_LANE_SUM_CHUNK ? left : PARE_LANE_SUM_CHUNK, sum);
	}
}

double pare_lane_total(const double sum[PARE_LANES], int lanes, int used)
{
	double total = 0.0;
	for (int lane = 0; lane < (lanes == 1 ? PARE_LANES : used); lane++)
		total += sum[lane];
	return total;
}
