#include "engine/compress/filter_sum.h"

static void add_weight(const struct pare_groups *groups, const struct pare_group *group, int param,
                       pare_filter_fn measure, double *sum)
{
	const struct pare_param *weight = &groups->graph->params[param];
	const int *atoms = groups->map->axis_atoms[0][param];
	int64_t size = pare_shape_plane(&weight->shape);
	for (int64_t o = 0; atoms && o < weight->shape.dim[0]; o++) {
		int64_t i = groups->slot[atoms[o]] - group->first_slot;
		if (i >= 0 && i < group->channels)
			sum[i] += measure(weight->data + o * size, size);
	}
}

void pare_filter_sum(const struct pare_groups *groups, int group, pare_filter_fn measure, double *sum)
{
	const struct pare_group *members = &groups->group[group];
	for (int64_t i = 0; i < members->channels; i++)
		sum[i] = 0.0;
	for (int p = 0; p < groups->graph->n_params; p++)
		if (groups->graph->params[p].role == PARE_PARAM_WEIGHT)
			add_weight(groups, members, p, measure, sum);
}
