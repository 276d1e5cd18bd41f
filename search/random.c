/*
 * Random: the baseline that shows what a search adds to luck. Each trial draws one allowed value per knob, all equally
 * likely, then moves the draw onto the budgets by one common factor (search/scale.h): up when the draw left budget
 * unused, down when it was over. Without a budget the draw stays as it is. Every trial starts from the uncut network's
 * weights and depends on (seed, trial) alone, so any number may be out at once.
 */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "search/controllers.h"
#include "search/scale.h"

struct random {
	struct pare_controller base;
	const struct pare_problem *problem;
	uint64_t seed;
	double *shape; /* [n_knobs] the draw */
	bool limited;
	int64_t trials; /* how many to propose */
	int64_t proposed, observed;
	int64_t *ids; /* [trials] of the proposals, ascending */
	bool *seen;   /* [trials] */
};

enum { OPTION_TRIALS };

static const struct pare_option options[] = {
        [OPTION_TRIALS] = {"trials", PARE_OPTION_INT, 1, 1000000, 50, NULL, "how many random networks to try"},
        PARE_OPTION_END,
};

static void random_close(struct pare_controller *controller)
{
	struct random *random = (struct random *)controller;

	if (!random)
		return;
	free(random->shape);
	free(random->ids);
	free(random->seen);
	free(random);
}

static int random_open(const struct pare_problem *problem, const double *values, uint64_t seed,
                       struct pare_controller **controller, struct pare_error *error)
{
	struct random *random;
	int status = pare_problem_check(problem, error);

	if (status == PARE_OK && pare_problem_limited(problem))
		status = pare_problem_check_reachable(problem, error);
	if (status < 0)
		return status;
	random = pare_calloc(1, sizeof(*random));
	if (!random)
		goto no_memory;
	random->base.kind = &pare_controller_random;
	random->problem = problem;
	random->seed = seed;
	random->limited = pare_problem_limited(problem);
	random->trials = (int64_t)values[OPTION_TRIALS];
	random->shape = pare_calloc((size_t)problem->space.n_knobs, sizeof(*random->shape));
	random->ids = pare_calloc((size_t)random->trials, sizeof(*random->ids));
	random->seen = pare_calloc((size_t)random->trials, sizeof(*random->seen));
	if (!random->shape || !random->ids || !random->seen)
		goto no_memory;
	*controller = &random->base;
	return PARE_OK;
no_memory:
	random_close(&random->base);
	return pare_error_set(error, PARE_E_NOMEM, "a random search of %lld trials", (long long)values[OPTION_TRIALS]);
}

static int draw(struct random *random, int64_t trial, double *point, struct pare_error *error)
{
	const struct pare_space *space = &random->problem->space;
	struct pare_rng rng = pare_rng_make(random->seed, PARE_STREAM_CONTROLLER, (uint64_t)trial);

	for (int k = 0; k < space->n_knobs; k++) {
		const struct pare_knob *knob = &space->knobs[k];

		random->shape[k] = knob->values[pare_rng_below(&rng, (uint32_t)knob->n_values)];
		point[k] = random->shape[k];
	}
	if (!random->limited)
		return PARE_OK;
	return pare_scale_to_budget(random->problem, random->shape, 0, point, error);
}

static int random_propose(struct pare_controller *controller, struct pare_proposal *proposal, struct pare_error *error)
{
	struct random *random = (struct random *)controller;
	int status;

	if (random->proposed == random->trials) {
		if (random->observed < random->proposed)
			return PARE_PROPOSE_WAIT;
		controller->reason = "all trials were made";
		return PARE_PROPOSE_DONE;
	}
	status = draw(random, proposal->trial, proposal->point, error);
	if (status < 0)
		return status;
	proposal->parent = PARE_TRIAL_BASELINE;
	proposal->round = 0;
	random->ids[random->proposed++] = proposal->trial;
	return PARE_PROPOSE_POINT;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int random_observe(struct pare_controller *controller, const struct pare_observation *observation)
{
	struct random *random = (struct random *)controller;
	const int64_t *id = bsearch(&observation->trial, random->ids, (size_t)random->proposed, sizeof(*id), by_id);

	if (!id || random->seen[id - random->ids])
		return PARE_E_INVALID;
	random->seen[id - random->ids] = true;
	random->observed++;
	return PARE_OK;
}

const struct pare_controller_kind pare_controller_random = {
        .name = "random",
        .help = "random ratios, scaled onto the budgets (baseline)",
        .options = options,
        .open = random_open,
        .propose = random_propose,
        .observe = random_observe,
        .close = random_close,
};
