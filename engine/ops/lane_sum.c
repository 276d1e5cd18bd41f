#include "engine/ops/lane_sum.h"

static void sum_chunk(const float *restrict x, int64_t count, double *restrict sum)
{
	float partial[PARE_LANES] = {0};
	int64_t i = 0;

	for (; i + PARE_LANES <= count; i += PARE_LANES)
		for (int lane = 0; lane < PARE_LANES; lane++)
			partial[lane] += x[i + lane];
	for (int lane = 0; i + lane < count; lane++)
		partial[lane] += x[i + lane];
	for (int lane = 0; lane < PARE_LANES; lane++)
		sum[lane] += (double)partial[lane];
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
