#include "engine/compress/cut.h"
#include "engine/compress/slim.h"

static void mask_param(const struct pare_cut *cut, int p, struct pare_param *param)
{
	const float cut_value = param->role == PARE_PARAM_BN_VAR ? 1.0f : 0.0f;
	int64_t columns = param->shape.rank > 1 ? param->shape.dim[1] : 1;
	int64_t inner = pare_shape_plane(&param->shape) / columns;
	float *entry = param->data;
	for (int64_t row = 0; row < param->shape.dim[0]; row++) {
		bool row_stays = pare_cut_index_stays(cut, p, 0, row);
		for (int64_t column = 0; column < columns; column++, entry += inner) {
			bool stays = row_stays && pare_cut_index_stays(cut, p, 1, column);
			for (int64_t i = 0; !stays && i < inner; i++)
				entry[i] = cut_value;
		}
	}
}

int pare_mask(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **masked, struct pare_error *error)
{
	struct pare_cut cut;
	*masked = NULL;
	int status = pare_cut_init(&cut, groups, error);
	if (!status)
		status = pare_cut_choose_best(&cut, plan, criterion, error);
	if (!status && !(*masked = pare_graph_copy(groups->graph)))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory while masking \"%s\"", groups->graph->name);
	for (int p = 0; *masked && p < groups->graph->n_params; p++)
		mask_param(&cut, p, &(*masked)->params[p]);
	pare_cut_release(&cut);
	return status;
}
