/*
 * The controller contract: it is asked, never in charge.
 *
 *     open(problem, option values, seed)
 *     while ((what = propose(&proposal)) != DONE)
 *         POINT: someone evaluates proposal.point, then observe(&observation)
 *         WAIT:  proposals are still out; observe one of them first
 *     close
 *
 * Several proposals may be out at once (the runner says how many). Trial ids are given by the runner, ascending.
 * Observations arrive in trial order. What is proposed depends only on (problem, options, seed, what was observed):
 * never on clocks, threads or how often the study was stopped. So resume = replay. Random numbers: pare_rng_make(seed,
 * PARE_STREAM_CONTROLLER, trial). A controller never prints, reads clocks or files, or evaluates. Failed, infeasible
 * and NaN trials are observed too.
 *
 * To write one: one file in search/, opening with its paper and what it does differently; one `const struct
 * pare_controller_kind` at its end; one line in controller_table.c. search/uniform.c is the smallest example.
 */
#ifndef PARE_SEARCH_CONTROLLER_H
#define PARE_SEARCH_CONTROLLER_H

#include <stdint.h>

#include "engine/base/option.h"
#include "search/problem.h"

#define PARE_TRIAL_BASELINE (-1) /* the uncut network's weights */

struct pare_proposal {
	int64_t trial;  /* in: the id that the runner gives to this proposal */
	double *point;  /* in: [n_knobs] storage of the runner's; out: allowed values */
	int64_t parent; /* out: a trial whose weights it starts from, or PARE_TRIAL_BASELINE */
	int64_t round;  /* out: iteration, generation, ...; for the record */
};

enum pare_trial_state {
	PARE_TRIAL_COMPLETE,
	PARE_TRIAL_INFEASIBLE, /* over a budget after the final check */
	PARE_TRIAL_FAILED,     /* diverged, crashed, timed out */
};

struct pare_observation {
	int64_t trial;
	enum pare_trial_state state;
	double accuracy;         /* in [0, 1]; NaN unless COMPLETE */
	const double *resources; /* [n_resources]; NaN where unknown */
};

enum pare_propose_result {
	PARE_PROPOSE_POINT = 1, /* proposal filled */
	PARE_PROPOSE_WAIT = 2,  /* nothing to propose until an outstanding trial is observed */
	PARE_PROPOSE_DONE = 3,  /* finished; pare_controller.reason says why */
};

struct pare_controller {
	const struct pare_controller_kind *kind;
	const char *reason; /* after DONE or an error: one phrase, static: "all budgets met", "no group can be cut
	                       further" */
};

struct pare_controller_kind {
	const char *name;                  /* "netadapt" */
	const char *help;                  /* one line, with the paper */
	const struct pare_option *options; /* ends with PARE_OPTION_END */

	/* values: parallel to options, in their ranges. The controller keeps pointers to problem; *controller is freed
	 * by close (NULL is fine there). PARE_E_INVALID or PARE_E_INFEASIBLE with a message when the problem cannot be
	 * served (a budget below the smallest network). */
	int (*open)(const struct pare_problem *problem, const double *values, uint64_t seed,
	            struct pare_controller **controller, struct pare_error *error);
	/* enum pare_propose_result, or a negative status. */
	int (*propose)(struct pare_controller *controller, struct pare_proposal *proposal, struct pare_error *error);
	/* 0, PARE_E_NOMEM, or PARE_E_INVALID for a trial that is not outstanding. */
	int (*observe)(struct pare_controller *controller, const struct pare_observation *observation);
	/* (optional) Trials whose networks are worth long fine-tuning, best first, at most `max`; returns how many.
	 * Default: feasible complete trials by accuracy. */
	int (*finalists)(const struct pare_controller *controller, int64_t *trials, int max);
	/* (optional) Trials whose weights may still be asked for as parents or finalists: the others may be deleted.
	 * Default: all. */
	bool (*may_need)(const struct pare_controller *controller, int64_t trial);
	void (*close)(struct pare_controller *controller);
};

extern const struct pare_controller_kind *const pare_controller_table[]; /* NULL-terminated */
const struct pare_controller_kind *pare_controller_find(const char *name);

#endif
