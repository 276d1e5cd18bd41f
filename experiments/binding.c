#include "experiments/binding.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/compress/fold.h"

/* Does a glob of space.ignore name the group? */
static bool is_ignored(const struct pare_spec *spec, const char *name)
{
	for (int i = 0; i < spec->n_ignore; i++)
		if (fnmatch(spec->ignore[i], name, 0) == 0)
			return true;
	return false;
}

/* Two channels at least: a trial's network is kept as ONNX, which cannot tell a depthwise convolution of one channel
 * from a dense one, and whoever starts from it must find the same groups again. */
static int64_t least_width(const struct pare_spec *spec, int64_t channels)
{
	int64_t least = (int64_t)ceil(spec->min_ratio * (double)channels - 1e-9);
	least = least < 2 ? 2 : least;
	least = (least + spec->step - 1) / spec->step * spec->step;
	return least < channels ? least : channels;
}

static int add_knob(struct pare_binding *b, int group)
{
	const struct pare_group *g = &b->groups.group[group];
	struct pare_space *space = &b->problem.space;
	int64_t least = least_width(b->spec, g->channels), step = b->spec->step;
	struct pare_knob *knob = &space->knobs[space->n_knobs];

	knob->name = pare_strdup(g->name);
	knob->kind = PARE_KNOB_CHANNEL_RATIO;
	knob->values = pare_calloc((size_t)((g->channels - least) / step + 2), sizeof *knob->values);
	b->knob_group[space->n_knobs++] = group;
	if (!knob->name || !knob->values)
		return PARE_E_NOMEM;
	for (int64_t kept = least; kept < g->channels; kept += step)
		knob->values[knob->n_values++] = (double)kept / (double)g->channels;
	knob->values[knob->n_values++] = 1.0;
	return PARE_OK;
}

static int make_space(struct pare_binding *b, struct pare_error *error)
{
	size_t groups = (size_t)b->groups.n_groups;
	b->problem.space.knobs = pare_calloc(groups, sizeof *b->problem.space.knobs);
	b->knob_group = pare_calloc(groups, sizeof *b->knob_group);
	if (!b->problem.space.knobs || !b->knob_group)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	for (int g = 0; g < b->groups.n_groups; g++) {
		const struct pare_group *group = &b->groups.group[g];
		if (group->frozen || is_ignored(b->spec, group->name) ||
		    least_width(b->spec, group->channels) == group->channels)
			continue;
		if (add_knob(b, g))
			return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	}
	if (b->problem.space.n_knobs == 0)
		return pare_error_set(
		        error, PARE_E_INVALID,
		        "there is nothing to search: no coupling group of this network can be cut (see pare model "
		        "info; check space.ignore, space.step and space.min_ratio)");
	return PARE_OK;
}

static int make_resources(struct pare_binding *b, struct pare_error *error)
{
	for (int c = 0; c < b->spec->n_constraints; c++) {
		const struct pare_spec_constraint *constraint = &b->spec->constraints[c];
		enum pare_metric metric = constraint->metric;
		if (!b->baseline.present[metric])
			return pare_error_set(error, PARE_E_INVALID, "a budget for %s, but nothing measures it",
			                      pare_metric_info[metric].name);
		double baseline = b->baseline.value[metric];
		b->resource_metric[b->problem.n_resources] = metric;
		b->problem.resources[b->problem.n_resources++] = (struct pare_resource){
		        .name = pare_metric_info[metric].name,
		        .baseline = baseline,
		        .budget = constraint->relative ? constraint->value * baseline : constraint->value,
		};
	}
	return PARE_OK;
}

static int problem_cost(void *context, const double *point, double *out, struct pare_error *error)
{
	struct pare_binding *b = context;
	struct pare_metrics metrics;
	int status = pare_binding_plan(b, point, &b->scratch, error);

	if (!status)
		status = pare_binding_cost(b, &b->scratch, &metrics, error);
	for (int r = 0; !status && r < b->problem.n_resources; r++)
		out[r] = metrics.value[b->resource_metric[r]];
	return status;
}

static int same_groups(const struct pare_groups *a, const struct pare_groups *b, struct pare_error *error)
{
	bool same = a->n_groups == b->n_groups;
	for (int g = 0; same && g < a->n_groups; g++)
		same = a->group[g].channels == b->group[g].channels && !strcmp(a->group[g].name, b->group[g].name);
	return same ? PARE_OK
	            : pare_error_set(error, PARE_E_UNSUPPORTED,
	                             "folding batch norm changed the network's coupling groups");
}

int pare_binding_init(struct pare_binding *b, const struct pare_spec *spec, const struct pare_graph *graph,
                      const struct pare_lut *lut, struct pare_error *error)
{
	struct pare_plan uncut = {0};
	int status;

	*b = (struct pare_binding){.spec = spec, .lut = lut, .graph = graph};
	b->problem.cost = problem_cost;
	b->problem.context = b;
	b->folded = pare_fold_batch_norm(graph, error);
	if (!b->folded)
		return error ? error->code : PARE_E_NOMEM;
	status = pare_groups_init(&b->groups, graph, error);
	if (!status)
		status = pare_groups_init(&b->folded_groups, b->folded, error);
	if (!status)
		status = same_groups(&b->groups, &b->folded_groups, error);
	if (!status)
		status = pare_shape_slimmer_new(&b->slimmer, &b->groups, error);
	if (!status)
		status = pare_shape_slimmer_new(&b->folded_slimmer, &b->folded_groups, error);
	if (!status && (pare_plan_init(&b->scratch, &b->groups) || pare_plan_init(&uncut, &b->groups)))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = make_space(b, error);
	if (!status)
		status = pare_binding_cost(b, &uncut, &b->baseline, error);
	if (!status)
		status = make_resources(b, error);
	pare_plan_release(&uncut);
	if (status)
		pare_binding_release(b);
	return status;
}

void pare_binding_release(struct pare_binding *b)
{
	pare_space_release(&b->problem.space);
	pare_plan_release(&b->scratch);
	pare_shape_slimmer_free(b->slimmer);
	pare_shape_slimmer_free(b->folded_slimmer);
	pare_groups_release(&b->groups);
	pare_groups_release(&b->folded_groups);
	pare_graph_free(b->folded);
	free(b->knob_group);
	*b = (struct pare_binding){0};
}

int pare_binding_plan(const struct pare_binding *b, const double *point, struct pare_plan *plan,
                      struct pare_error *error)
{
	for (int g = 0; g < b->groups.n_groups; g++)
		plan->kept[g] = b->groups.group[g].channels;
	for (int k = 0; k < b->problem.space.n_knobs; k++) {
		const struct pare_group *group = &b->groups.group[b->knob_group[k]];
		if (!(point[k] > 0.0 && point[k] <= 1.0))
			return pare_error_set(error, PARE_E_INVALID, "knob '%s' is %g; a ratio is in (0, 1]",
			                      group->name, point[k]);
		plan->kept[b->knob_group[k]] = pare_plan_round(group->channels, point[k], b->spec->step);
	}
	return PARE_OK;
}

int pare_binding_cost(struct pare_binding *b, const struct pare_plan *plan, struct pare_metrics *metrics,
                      struct pare_error *error)
{
	const struct pare_graph *slim, *folded;
	int status = pare_shape_slimmer_cut(b->slimmer, plan, &slim, error);

	*metrics = (struct pare_metrics){0};
	if (!status)
		status = pare_shape_slimmer_cut(b->folded_slimmer, plan, &folded, error);
	return status ? status : pare_evaluate_cost(b->lut, slim, folded, metrics, error);
}

int pare_binding_check(const struct pare_binding *b, const struct pare_metrics *metrics, struct pare_error *error)
{
	for (int r = 0; r < b->problem.n_resources; r++) {
		double value = metrics->value[b->resource_metric[r]];
		if (!(value <= b->problem.resources[r].budget))
			return pare_error_set(error, PARE_E_INFEASIBLE, "%s is %g, over the budget of %g",
			                      b->problem.resources[r].name, value, b->problem.resources[r].budget);
	}
	return PARE_OK;
}
