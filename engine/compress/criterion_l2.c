/*
 * L2 norm of the filters (He et al., "Soft Filter Pruning", IJCAI 2018, with p = 2), over all layers that share the
 * channel: the square root of the sum of squares.
 */
#include <math.h>

#include "engine/compress/criterion.h"
#include "engine/compress/filter_sum.h"

static double sum_of_squares(const float *filter, int64_t size)
{
	double sum = 0.0;
	for (int64_t i = 0; i < size; i++)
		sum += (double)filter[i] * (double)filter[i];
	return sum;
}

static int score_group(const struct pare_groups *groups, int group, double *score, struct pare_error *error)
{
	(void)error;
	pare_filter_sum(groups, group, sum_of_squares, score);
	for (int64_t i = 0; i < groups->group[group].channels; i++)
		score[i] = sqrt(score[i]);
	return PARE_OK;
}

const struct pare_criterion pare_criterion_l2 = {
        .name = "l2",
        .help = "square root of the sum of squared filter weights (He et al. 2018)",
        .score = score_group,
};
