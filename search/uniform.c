/*
 * Uniform: the baseline that every search has to beat. One proposal, from the uncut network's weights: the largest
 * common ratio whose rounded plan meets all budgets (the width multiplier of Howard et al., "MobileNets",
 * arXiv:1704.04861, 2017, section 3.3). Different from it: the ratio is found from exact costs, so that no budget is
 * exceeded or left unused by rounding.
 */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "search/controllers.h"
#include "search/scale.h"

/* Teeth in a latency are at most this many channels wide: the 16 floats of a 512-bit register. */
#define TOOTH 16

struct uniform {
	struct pare_controller base;
	double *point;
	int n_knobs;
	int64_t trial;
	enum { READY, OUT, SEEN } state;
};

static const struct pare_option options[] = {PARE_OPTION_END};

static void uniform_close(struct pare_controller *controller)
{
	struct uniform *uniform = (struct uniform *)controller;

	if (!uniform)
		return;
	free(uniform->point);
	free(uniform);
}

static int find_point(const struct pare_problem *problem, double *point, struct pare_error *error)
{
	double *uncut;
	int window = problem->space.n_knobs < 4096 ? TOOTH * problem->space.n_knobs : 0;
	int status = pare_problem_corner(problem, true, &uncut);

	if (status < 0)
		return pare_error_set(error, PARE_E_NOMEM, "a point of %d knobs", problem->space.n_knobs);
	status = pare_scale_to_budget(problem, uncut, window, point, error);
	free(uncut);
	return status == PARE_E_INFEASIBLE ? pare_problem_check_reachable(problem, error) : status;
}

static int uniform_open(const struct pare_problem *problem, const double *values, uint64_t seed,
                        struct pare_controller **controller, struct pare_error *error)
{
	struct uniform *uniform;
	int status = pare_problem_check(problem, error);

	(void)values;
	(void)seed;
	if (status < 0)
		return status;
	if (!pare_problem_limited(problem))
		return pare_error_set(error, PARE_E_INVALID,
		                      "uniform needs a budget: without one its answer is the uncut network");
	uniform = pare_calloc(1, sizeof(*uniform));
	if (!uniform || pare_problem_corner(problem, true, &uniform->point) < 0) {
		uniform_close(&uniform->base);
		return pare_error_set(error, PARE_E_NOMEM, "a point of %d knobs", problem->space.n_knobs);
	}
	uniform->base.kind = &pare_controller_uniform;
	uniform->n_knobs = problem->space.n_knobs;
	status = find_point(problem, uniform->point, error);
	if (status < 0) {
		uniform_close(&uniform->base);
		return status;
	}
	*controller = &uniform->base;
	return PARE_OK;
}

static int uniform_propose(struct pare_controller *controller, struct pare_proposal *proposal, struct pare_error *error)
{
	struct uniform *uniform = (struct uniform *)controller;

	(void)error;
	if (uniform->state == OUT)
		return PARE_PROPOSE_WAIT;
	if (uniform->state == SEEN) {
		controller->reason = "the one uniform plan was tried";
		return PARE_PROPOSE_DONE;
	}
	for (int k = 0; k < uniform->n_knobs; k++)
		proposal->point[k] = uniform->point[k];
	proposal->parent = PARE_TRIAL_BASELINE;
	proposal->round = 0;
	uniform->trial = proposal->trial;
	uniform->state = OUT;
	return PARE_PROPOSE_POINT;
}

static int uniform_observe(struct pare_controller *controller, const struct pare_observation *observation)
{
	struct uniform *uniform = (struct uniform *)controller;

	if (uniform->state != OUT || observation->trial != uniform->trial)
		return PARE_E_INVALID;
	uniform->state = SEEN;
	return PARE_OK;
}

const struct pare_controller_kind pare_controller_uniform = {
        .name = "uniform",
        .help = "one common ratio for all groups, the largest that meets the budgets (baseline)",
        .options = options,
        .open = uniform_open,
        .propose = uniform_propose,
        .observe = uniform_observe,
        .close = uniform_close,
};
