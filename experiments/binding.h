/*
 * Where the search meets the network: implements search/problem.h over coupling groups and the latency table, and turns a point of the
 * search space into a plan.
 *
 * One knob per coupling group that may be cut: neither frozen nor ignored by the spec. Its values are kept / channels for every
 * multiple of the spec's step from the smallest allowed width to all channels.
 */
#ifndef PARE_EXPERIMENTS_BINDING_H
#define PARE_EXPERIMENTS_BINDING_H

#include "engine/compress/slim.h"
#include "evaluators/evaluator.h"
#include "experiments/spec.h"
#include "latency_lut/lut.h"
#include "search/problem.h"

struct pare_binding {
	struct pare_problem problem; /* for controllers; its context is the binding: do not move it */
	const struct pare_spec *spec;
	const struct pare_lut *lut;
	const struct pare_graph *graph;    /* the uncut network, trainable form */
	struct pare_graph *folded;         /* the same with batch norm folded: what is deployed and priced */
	struct pare_groups groups, folded_groups; /* same groups in the same order */
	struct pare_shape_slimmer *slimmer, *folded_slimmer;
	int *knob_group; /* [n_knobs] */
	struct pare_metrics baseline;      /* macs, params, bytes, peak memory, latency of the uncut network */
	enum pare_metric resource_metric[PARE_MAX_RESOURCES];
	struct pare_plan scratch;
};

/* Groups, knobs, baseline resources and budgets. graph, lut (may be NULL: no latency) and spec must outlive it. */
int pare_binding_init(struct pare_binding *binding, const struct pare_spec *spec, const struct pare_graph *graph,
                      const struct pare_lut *lut, struct pare_error *error);
void pare_binding_release(struct pare_binding *binding);

/* The plan of a point, rounded. *plan must be initialised (pare_plan_init on binding->groups). */
int pare_binding_plan(const struct pare_binding *binding, const double *point, struct pare_plan *plan,
                      struct pare_error *error);
/* What the plan costs: macs, params, bytes, peak memory, latency. */
int pare_binding_cost(struct pare_binding *binding, const struct pare_plan *plan, struct pare_metrics *metrics,
                      struct pare_error *error);
/* PARE_E_INFEASIBLE names the first budget that does not hold. */
int pare_binding_check(const struct pare_binding *binding, const struct pare_metrics *metrics, struct pare_error *error);

#endif
