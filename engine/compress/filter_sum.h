/*
 * What the magnitude criteria share: a number for each filter, summed over all filters that one atom stands for.
 */
#ifndef PARE_ENGINE_COMPRESS_FILTER_SUM_H
#define PARE_ENGINE_COMPRESS_FILTER_SUM_H

#include "engine/compress/groups.h"

/* A filter: one axis-0 slice of a weight, `size` floats. */
typedef double (*pare_filter_fn)(const float *filter, int64_t size);

/* sum[i] = measure of every filter, in every weight, that belongs to groups->group[group].atoms[i]; 0 for groups
 * without filters. */
void pare_filter_sum(const struct pare_groups *groups, int group, pare_filter_fn measure, double *sum /* [channels] */);

#endif
