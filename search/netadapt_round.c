#include "search/netadapt_round.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "search/last_true.h"

/* Teeth in a latency are at most this many channels wide: the 16 floats of a 512-bit register. */
#define TOOTH 16

/* 2^-30 of a step is far below the smallest cost of a channel. */
#define HALVINGS 30

enum rule { ALL_TARGETS, ONE_TARGET };

struct price {
	bool known;
	double cost[PARE_MAX_RESOURCES];
};

struct round {
	const struct pare_problem *problem;
	const double *cost; /* of the present network */
	double share;
	enum rule rule;
	double *point;         /* the present network; one knob is changed while a price is asked */
	struct price **prices; /* [n_knobs][values below the present one] */
	int knob;              /* the knob that is asked about */
	struct pare_error *error;
};

static const struct price *price_of(struct round *round, int index, int *status)
{
	struct price *price = &round->prices[round->knob][index];
	double before = round->point[round->knob];

	*status = PARE_OK;
	if (price->known)
		return price;
	round->point[round->knob] = round->problem->space.knobs[round->knob].values[index];
	*status = round->problem->cost(round->problem->context, round->point, price->cost, round->error);
	round->point[round->knob] = before;
	price->known = *status >= 0;
	return price;
}

static bool reaches(const struct round *round, const double *cost)
{
	bool one = false;

	for (int j = 0; j < round->problem->n_resources; j++) {
		const struct pare_resource *resource = &round->problem->resources[j];
		bool over = round->cost[j] > resource->budget;
		double target = round->cost[j] - round->share * resource->baseline;

		if (resource->budget == INFINITY)
			continue;
		if (!over || target < resource->budget)
			target = resource->budget;
		if (over && cost[j] <= target)
			one = true;
		else if (!(cost[j] <= (over && round->rule == ONE_TARGET ? round->cost[j] : target)))
			return false;
	}
	return one;
}

static int ask(void *context, int index)
{
	struct round *round = context;
	int status;
	const struct price *price = price_of(round, index, &status);

	return status < 0 ? status : reaches(round, price->cost);
}

static int choose_with_share(struct round *round, const int *level, struct pare_netadapt_cut *cuts, int *n_cuts)
{
	*n_cuts = 0;
	for (int k = 0; k < round->problem->space.n_knobs; k++) {
		int index, status;

		round->knob = k;
		status = pare_last_true(level[k], TOOTH, ask, round, &index);
		if (status < 0)
			return status;
		if (index < 0)
			continue;
		cuts[*n_cuts] = (struct pare_netadapt_cut){.knob = k, .level = index};
		memcpy(cuts[*n_cuts].cost, round->prices[k][index].cost, sizeof(cuts->cost));
		(*n_cuts)++;
	}
	return PARE_OK;
}

static int choose(struct round *round, const int *level, double share, struct pare_netadapt_cut *cuts, int *n_cuts)
{
	int status = PARE_OK;

	*n_cuts = 0;
	for (int halvings = 0; halvings <= HALVINGS && status == PARE_OK && *n_cuts == 0; halvings++) {
		round->share = halvings < HALVINGS ? share : 0.0;
		share /= 2;
		round->rule = ALL_TARGETS;
		status = choose_with_share(round, level, cuts, n_cuts);
		if (status < 0 || *n_cuts > 0)
			break;
		round->rule = ONE_TARGET;
		status = choose_with_share(round, level, cuts, n_cuts);
	}
	return status;
}

int pare_netadapt_choose(const struct pare_problem *problem, const int *level, const double *cost, double share,
                         struct pare_netadapt_cut *cuts, int *n_cuts, struct pare_error *error)
{
	const struct pare_space *space = &problem->space;
	struct round round = {.problem = problem, .cost = cost, .error = error};
	int status = PARE_OK;

	round.point = pare_calloc((size_t)space->n_knobs, sizeof(*round.point));
	round.prices = pare_calloc((size_t)space->n_knobs, sizeof(*round.prices));
	if (!round.point || !round.prices)
		status = PARE_E_NOMEM;
	for (int k = 0; k < space->n_knobs && status == PARE_OK; k++) {
		round.point[k] = space->knobs[k].values[level[k]];
		round.prices[k] = pare_calloc((size_t)level[k], sizeof(**round.prices));
		if (!round.prices[k])
			status = PARE_E_NOMEM;
	}
	if (status == PARE_OK)
		status = choose(&round, level, share, cuts, n_cuts);
	else
		pare_error_set(error, PARE_E_NOMEM, "the prices of %d groups", space->n_knobs);
	for (int k = 0; round.prices && k < space->n_knobs; k++)
		free(round.prices[k]);
	free(round.prices);
	free(round.point);
	return status;
}
