/*
 * L1 norm of the filters (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017). There a residual block is
 * ranked by its shortcut layer alone; here by all layers that share the channel.
 */
#include <math.h>

#include "engine/compress/criterion.h"
#include "engine/compress/filter_sum.h"

static double sum_of_magnitudes(const float *filter, int64_t size)
{
	double sum = 0.0;
	for (int64_t i = 0; i < size; i++)
		sum += fabs((double)filter[i]);
	return sum;
}

static int score_group(const struct pare_groups *groups, int group, double *score, struct pare_error *error)
{
	(void)error;
	pare_filter_sum(groups, group, sum_of_magnitudes, score);
	return PARE_OK;
}

const struct pare_criterion pare_criterion_l1 = {
        .name = "l1",
        .help = "sum of the absolute filter weights (Li et al. 2017)",
        .score = score_group,
};
