/*
 * NetAdapt (Yang, Howard, Chen, Zhang, Go, Sandler, Sze, Adam, "NetAdapt: Platform-Aware Neural Network Adaptation for
 * Mobile Applications", ECCV 2018, algorithm 1). Budgets are tightened a little each round. In a round every group is
 * cut alone, just enough for the round's targets; each such candidate is fine-tuned shortly from the last winner's
 * weights; the most accurate one is the next winner. It ends when all budgets hold.
 *
 * Different from the paper: several budgets at once (netadapt_round.h says what a round asks of each); a group is a set
 * of coupled layers; a round that no group can serve alone asks for less instead of giving up. Different from the
 * authors' code: the winner is the most accurate candidate, as the paper has it (the code takes the least accuracy lost
 * per resource saved: pick accuracy_per_resource), and it is chosen on images that nothing was trained on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "search/controllers.h"
#include "search/netadapt_round.h"

enum pick { PICK_HIGHEST_ACCURACY, PICK_ACCURACY_PER_RESOURCE };

struct candidate {
	struct pare_netadapt_cut cut;
	int64_t trial;
	bool observed;
	double accuracy; /* NaN unless complete */
};

/* A complete trial that meets all budgets. */
struct finished {
	int64_t trial;
	double accuracy, load;
};

struct netadapt {
	struct pare_controller base;
	const struct pare_problem *problem;
	double step, decay;
	enum pick pick;
	int64_t max_rounds;

	/* the last round's winner; before the first round the uncut network */
	int64_t winner;
	double accuracy; /* NaN for the uncut network: nobody tells */
	double cost[PARE_MAX_RESOURCES];
	int *level; /* [n_knobs] */

	int64_t round;                  /* 1 in the first */
	struct candidate *candidates;   /* [n_knobs] of this round */
	struct pare_netadapt_cut *cuts; /* [n_knobs] */
	int n_candidates, n_proposed, n_observed;

	struct finished *finished;
	size_t n_finished, finished_capacity;
	bool done;
};

enum { OPTION_STEP, OPTION_DECAY, OPTION_PICK, OPTION_MAX_ROUNDS };

static const char *const picks[] = {
        [PICK_HIGHEST_ACCURACY] = "highest_accuracy",
        [PICK_ACCURACY_PER_RESOURCE] = "accuracy_per_resource",
        NULL,
};

static const struct pare_option options[] = {
        [OPTION_STEP] = {"step", PARE_OPTION_FLOAT, 0.0001, 1, 0.05, NULL,
                         "share of the uncut network's resource that the first round cuts (the authors' code: 0.025)"},
        [OPTION_DECAY] = {"decay", PARE_OPTION_FLOAT, 0.5, 1, 0.96, NULL,
                          "the step of each round, relative to the round before (the authors' code: 0.96)"},
        [OPTION_PICK] = {"pick", PARE_OPTION_CHOICE, 0, 0, PICK_HIGHEST_ACCURACY, picks,
                         "a round's winner: highest_accuracy (the paper) or accuracy_per_resource (the authors' code)"},
        [OPTION_MAX_ROUNDS] = {"max_rounds", PARE_OPTION_INT, 0, 1000000, 0, NULL,
                               "stop after so many rounds, budgets met or not; 0 = no limit"},
        PARE_OPTION_END,
};

static void netadapt_close(struct pare_controller *controller)
{
	struct netadapt *netadapt = (struct netadapt *)controller;

	if (!netadapt)
		return;
	free(netadapt->level);
	free(netadapt->candidates);
	free(netadapt->cuts);
	free(netadapt->finished);
	free(netadapt);
}

static int start_uncut(struct netadapt *netadapt, struct pare_error *error)
{
	const struct pare_problem *problem = netadapt->problem;
	double *point;
	int status = pare_problem_corner(problem, true, &point);

	if (status < 0)
		return pare_error_set(error, PARE_E_NOMEM, "a point of %d knobs", problem->space.n_knobs);
	for (int k = 0; k < problem->space.n_knobs; k++)
		netadapt->level[k] = problem->space.knobs[k].n_values - 1;
	netadapt->winner = PARE_TRIAL_BASELINE;
	netadapt->accuracy = NAN;
	status = problem->cost(problem->context, point, netadapt->cost, error);
	free(point);
	return status;
}

static int check(const struct pare_problem *problem, struct pare_error *error)
{
	int status = pare_problem_check(problem, error);

	if (status < 0)
		return status;
	if (!pare_problem_limited(problem))
		return pare_error_set(error, PARE_E_INVALID,
		                      "netadapt needs a budget: it cuts until all budgets are met");
	return pare_problem_check_reachable(problem, error);
}

static int netadapt_open(const struct pare_problem *problem, const double *values, uint64_t seed,
                         struct pare_controller **controller, struct pare_error *error)
{
	size_t n_knobs = (size_t)problem->space.n_knobs;
	struct netadapt *netadapt;
	int status = check(problem, error);

	(void)seed; /* nothing here is random */
	if (status < 0)
		return status;
	netadapt = pare_calloc(1, sizeof(*netadapt));
	if (!netadapt)
		return pare_error_set(error, PARE_E_NOMEM, "a search over %zu groups", n_knobs);
	netadapt->base.kind = &pare_controller_netadapt;
	netadapt->problem = problem;
	netadapt->step = values[OPTION_STEP];
	netadapt->decay = values[OPTION_DECAY];
	netadapt->pick = (enum pick)values[OPTION_PICK];
	netadapt->max_rounds = (int64_t)values[OPTION_MAX_ROUNDS];
	netadapt->level = pare_calloc(n_knobs, sizeof(*netadapt->level));
	netadapt->candidates = pare_calloc(n_knobs, sizeof(*netadapt->candidates));
	netadapt->cuts = pare_calloc(n_knobs, sizeof(*netadapt->cuts));
	if (netadapt->level && netadapt->candidates && netadapt->cuts)
		status = start_uncut(netadapt, error);
	else
		status = pare_error_set(error, PARE_E_NOMEM, "a search over %zu groups", n_knobs);
	if (status < 0) {
		netadapt_close(&netadapt->base);
		return status;
	}
	*controller = &netadapt->base;
	return PARE_OK;
}

/* Resources with a budget, as shares of the uncut network's, summed: what breaks ties and what "per resource" divides
 * by. */
static double load_of(const struct pare_problem *problem, const double *cost)
{
	double load = 0.0;

	for (int j = 0; j < problem->n_resources; j++)
		if (problem->resources[j].budget != INFINITY)
			load += cost[j] / problem->resources[j].baseline;
	return load;
}

/* Lower is better. The constants keep the quotient finite, as in the authors' code. A gain in accuracy counts as no
 * loss: a negative loss divided by the saving would prefer small cuts. Without a known accuracy (first round) the
 * losses are measured from `reference`. */
static double loss_per_resource(const struct netadapt *netadapt, const struct candidate *candidate, double reference)
{
	double loss = fmax(reference - candidate->accuracy, 0.0) + 1e-6;
	double saved = load_of(netadapt->problem, netadapt->cost) - load_of(netadapt->problem, candidate->cut.cost);

	return loss / (fmax(saved, 0.0) + 1e-5);
}

static bool better(const struct netadapt *netadapt, const struct candidate *a, const struct candidate *b,
                   double reference)
{
	double load_a = load_of(netadapt->problem, a->cut.cost), load_b = load_of(netadapt->problem, b->cut.cost);

	if (netadapt->pick == PICK_ACCURACY_PER_RESOURCE) {
		double loss_a = loss_per_resource(netadapt, a, reference),
		       loss_b = loss_per_resource(netadapt, b, reference);

		if (loss_a != loss_b)
			return loss_a < loss_b;
	} else if (a->accuracy != b->accuracy) {
		return a->accuracy > b->accuracy;
	}
	return load_a != load_b ? load_a < load_b : a->trial < b->trial;
}

/* NULL when every candidate failed. */
static const struct candidate *pick_winner(const struct netadapt *netadapt)
{
	const struct candidate *winner = NULL;
	double reference = netadapt->accuracy;

	for (int i = 0; isnan(netadapt->accuracy) && i < netadapt->n_candidates; i++)
		reference = fmax(reference, netadapt->candidates[i].accuracy);
	for (int i = 0; i < netadapt->n_candidates; i++) {
		const struct candidate *candidate = &netadapt->candidates[i];

		if (!isnan(candidate->accuracy) && (!winner || better(netadapt, candidate, winner, reference)))
			winner = candidate;
	}
	return winner;
}

static int stop(struct netadapt *netadapt, const char *reason)
{
	netadapt->done = true;
	netadapt->n_candidates = netadapt->n_proposed = netadapt->n_observed = 0;
	netadapt->base.reason = reason;
	return PARE_PROPOSE_DONE;
}

static bool take_winner(struct netadapt *netadapt)
{
	const struct candidate *winner = pick_winner(netadapt);

	if (!winner)
		return false;
	netadapt->winner = winner->trial;
	netadapt->accuracy = winner->accuracy;
	netadapt->level[winner->cut.knob] = winner->cut.level;
	memcpy(netadapt->cost, winner->cut.cost, sizeof(netadapt->cost));
	return true;
}

/* PARE_PROPOSE_POINT when a round is ready, PARE_PROPOSE_DONE, or a negative status. */
static int start_round(struct netadapt *netadapt, struct pare_error *error)
{
	double share;
	int status;

	if (netadapt->n_candidates > 0 && !take_winner(netadapt))
		return stop(netadapt, "every candidate of a round failed");
	if (pare_problem_feasible(netadapt->problem, netadapt->cost))
		return stop(netadapt, "all budgets met");
	if (netadapt->max_rounds > 0 && netadapt->round == netadapt->max_rounds)
		return stop(netadapt, "max_rounds reached");
	share = netadapt->step * pow(netadapt->decay, (double)netadapt->round);
	netadapt->n_candidates = netadapt->n_proposed = netadapt->n_observed = 0;
	status = pare_netadapt_choose(netadapt->problem, netadapt->level, netadapt->cost, share, netadapt->cuts,
	                              &netadapt->n_candidates, error);
	if (status < 0) {
		netadapt->n_candidates = 0;
		return status;
	}
	if (netadapt->n_candidates == 0)
		return stop(netadapt, "no group can be cut further");
	for (int i = 0; i < netadapt->n_candidates; i++)
		netadapt->candidates[i] = (struct candidate){.cut = netadapt->cuts[i], .accuracy = NAN};
	netadapt->round++;
	return PARE_PROPOSE_POINT;
}

static int netadapt_propose(struct pare_controller *controller, struct pare_proposal *proposal,
                            struct pare_error *error)
{
	struct netadapt *netadapt = (struct netadapt *)controller;
	const struct pare_space *space = &netadapt->problem->space;
	struct candidate *candidate;

	if (netadapt->done)
		return PARE_PROPOSE_DONE;
	if (netadapt->n_observed == netadapt->n_candidates) {
		int what = start_round(netadapt, error);

		if (what != PARE_PROPOSE_POINT)
			return what;
	}
	if (netadapt->n_proposed == netadapt->n_candidates)
		return PARE_PROPOSE_WAIT;
	candidate = &netadapt->candidates[netadapt->n_proposed++];
	candidate->trial = proposal->trial;
	for (int k = 0; k < space->n_knobs; k++)
		proposal->point[k] = space->knobs[k].values[netadapt->level[k]];
	proposal->point[candidate->cut.knob] = space->knobs[candidate->cut.knob].values[candidate->cut.level];
	proposal->parent = netadapt->winner;
	proposal->round = netadapt->round;
	return PARE_PROPOSE_POINT;
}

static struct candidate *find_candidate(const struct netadapt *netadapt, int64_t trial)
{
	for (int i = 0; i < netadapt->n_proposed; i++)
		if (netadapt->candidates[i].trial == trial)
			return &netadapt->candidates[i];
	return NULL;
}

static int netadapt_observe(struct pare_controller *controller, const struct pare_observation *observation)
{
	struct netadapt *netadapt = (struct netadapt *)controller;
	struct candidate *candidate = find_candidate(netadapt, observation->trial);
	bool complete = observation->state == PARE_TRIAL_COMPLETE && isfinite(observation->accuracy);

	if (!candidate || candidate->observed)
		return PARE_E_INVALID;
	if (complete && pare_problem_feasible(netadapt->problem, candidate->cut.cost)) {
		if (pare_array_grow((void **)&netadapt->finished, &netadapt->finished_capacity,
		                    netadapt->n_finished + 1, sizeof(*netadapt->finished)) < 0)
			return PARE_E_NOMEM;
		netadapt->finished[netadapt->n_finished++] = (struct finished){
		        candidate->trial, observation->accuracy, load_of(netadapt->problem, candidate->cut.cost)};
	}
	candidate->observed = true;
	candidate->accuracy = complete ? observation->accuracy : NAN;
	netadapt->n_observed++;
	return PARE_OK;
}

/* Whether a is the better finalist. The winner of the last round has the longest line of fine-tuned ancestors, so it
 * goes first. */
static bool ranks_before(const struct netadapt *netadapt, const struct finished *a, const struct finished *b)
{
	if (a->trial == netadapt->winner || b->trial == netadapt->winner)
		return a->trial == netadapt->winner;
	if (a->accuracy != b->accuracy)
		return a->accuracy > b->accuracy;
	return a->load != b->load ? a->load < b->load : a->trial < b->trial;
}

static int netadapt_finalists(const struct pare_controller *controller, int64_t *trials, int max)
{
	const struct netadapt *netadapt = (const struct netadapt *)controller;
	const struct finished *last = NULL;
	int n = 0;

	while (n < max) {
		const struct finished *next = NULL;

		for (size_t i = 0; i < netadapt->n_finished; i++) {
			const struct finished *finished = &netadapt->finished[i];

			if (finished != last && (!last || ranks_before(netadapt, last, finished)) &&
			    (!next || ranks_before(netadapt, finished, next)))
				next = finished;
		}
		if (!next)
			break;
		trials[n++] = next->trial;
		last = next;
	}
	return n;
}

static bool netadapt_may_need(const struct pare_controller *controller, int64_t trial)
{
	const struct netadapt *netadapt = (const struct netadapt *)controller;

	if ((trial == netadapt->winner && !netadapt->done) || find_candidate(netadapt, trial))
		return true;
	for (size_t i = 0; i < netadapt->n_finished; i++)
		if (netadapt->finished[i].trial == trial)
			return true;
	return false;
}

const struct pare_controller_kind pare_controller_netadapt = {
        .name = "netadapt",
        .help = "cuts one group at a time, just enough for a budget that tightens each round (Yang et al., ECCV 2018)",
        .options = options,
        .open = netadapt_open,
        .propose = netadapt_propose,
        .observe = netadapt_observe,
        .finalists = netadapt_finalists,
        .may_need = netadapt_may_need,
        .close = netadapt_close,
};
