/*
 * The search: one controller after the other over one sequence of trials. Propose, evaluate, make durable, observe.
 * Trials that are in the store already are replayed: the controller must propose them again, and observes what was
 * stored.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "experiments/study_private.h"
#include "experiments/weights.h"
#include "search/pareto.h"

/* Relative to the largest output. The sums are the same, only shorter; rounding differs. */
#define SLIM_TOLERANCE 1e-4

#define MAX_FINALISTS 16

/* One controller at work. */
struct arm {
	struct pare_study *study;
	const struct pare_spec_controller *spec;
	struct pare_controller *controller;
	int64_t next;   /* id of the next trial, of the whole study */
	int64_t stored; /* trials in the store */
	double *point;
	struct pare_plan plan;
};

/* ---- one trial ---- */

static int check_slim(const struct pare_groups *groups, const struct pare_plan *plan,
                      const struct pare_criterion *criterion, const struct pare_graph *slim, uint64_t seed,
                      struct pare_error *error)
{
	struct pare_graph *masked = NULL;
	double difference = NAN;
	int status = pare_mask(groups, plan, criterion, &masked, error);

	if (!status)
		status = pare_slim_check(slim, masked, PARE_LANES, seed, &difference, error);
	pare_graph_free(masked);
	if (!status && !(difference <= SLIM_TOLERANCE))
		status = pare_error_set(error, PARE_E_DIVERGED, "slim and masked networks differ by %g (at most %g)",
		                        difference, SLIM_TOLERANCE);
	return status;
}

/* The physically smaller network of a plan, from the parent's weights. */
static int slim_network(struct arm *arm, const struct pare_proposal *proposal, struct pare_graph **slim,
                        struct pare_error *error)
{
	const struct pare_spec *spec = &arm->study->spec;
	struct pare_graph *parent = NULL;
	struct pare_groups groups = {0};
	int status = pare_study_network(arm->study, proposal->parent, &parent, error);

	if (!status)
		status = pare_groups_init(&groups, parent, error);
	if (!status)
		status = pare_slim(&groups, &arm->plan, spec->criterion, slim, error);
	if (!status && spec->check_slimming)
		status = check_slim(&groups, &arm->plan, spec->criterion, *slim, spec->seed, error);
	pare_groups_release(&groups);
	pare_graph_free(parent);
	return status;
}

static int evaluate(struct arm *arm, struct pare_graph *slim, struct pare_trial *trial, struct pare_error *error)
{
	struct pare_study *study = arm->study;
	struct pare_candidate candidate = {
	        .graph = slim,
	        .seed = pare_rng_derive(study->spec.seed, PARE_STREAM_FINE_TUNE_SHORT, (uint64_t)trial->trial)};
	struct pare_evaluation_setup setup = {
	        .lut = study->lut,
	        .train = &study->splits.train,
	        .search = &study->splits.search,
	        .fine_tune = pare_spec_train_options(&study->spec, &study->spec.fine_tune_short, 0, study->pool),
	        .pool = study->pool,
	};
	/* No limits here: NetAdapt's networks come down to the budgets step by step. Finalists are checked. */
	int status = pare_evaluate_candidate(&setup, &candidate, NULL, 0, &trial->metrics, error);
	return status ? status : pare_weights_put(study->weights_directory, slim, trial->weights, error);
}

/* A trial that goes wrong by itself is recorded as failed; what goes wrong around it stops the study. */
static bool is_trials_fault(int status)
{
	return status == PARE_E_DIVERGED || status == PARE_E_INFEASIBLE;
}

static int run_trial(struct arm *arm, const struct pare_proposal *proposal, struct pare_trial *trial,
                     struct pare_error *error)
{
	struct pare_graph *slim = NULL;
	struct pare_error local = {0};
	double start = pare_clock_ms();
	int status = slim_network(arm, proposal, &slim, &local);

	if (!status)
		status = evaluate(arm, slim, trial, &local);
	pare_graph_free(slim);
	trial->seconds = (pare_clock_ms() - start) / 1e3;
	if (is_trials_fault(status)) {
		trial->state = status == PARE_E_INFEASIBLE ? PARE_TRIAL_INFEASIBLE : PARE_TRIAL_FAILED;
		trial->message = pare_strdup(local.text);
		trial->weights[0] = '\0';
		return PARE_OK;
	}
	if (status && error)
		*error = local;
	return status ? pare_error_prefix(error, status, "trial %lld", (long long)trial->trial) : PARE_OK;
}

/* ---- weights that nobody will ask for ---- */

/* objectives: accuracy, then the budgeted resources. */
static void mark_front(const struct arm *arm, const struct pare_trial *trials, int64_t count, bool *front,
                       double *points)
{
	const struct pare_binding *binding = &arm->study->binding;
	int objectives = 1 + binding->problem.n_resources;
	bool maximise[1 + PARE_MAX_RESOURCES] = {true};

	for (int64_t t = 0; t < count; t++) {
		double *point = points + t * objectives;
		point[0] = trials[t].state == PARE_TRIAL_COMPLETE ? trials[t].metrics.value[PARE_METRIC_ACCURACY] : NAN;
		for (int r = 0; r < binding->problem.n_resources; r++)
			point[1 + r] = trials[t].metrics.value[binding->resource_metric[r]];
	}
	pare_pareto_front(points, (int)count, objectives, maximise, front);
}

/* Does another trial that keeps its weights name the same file? */
static bool shared(const struct pare_trial *trials, int64_t count, int64_t trial)
{
	for (int64_t t = 0; t < count; t++)
		if (t != trial && !strcmp(trials[t].weights, trials[trial].weights))
			return true;
	return false;
}

/* Keeps the weights that the controller may start from and those of the front; forgets the others: first the record,
 * then the file. The first `known` trials are judged, by each other: in a study that goes on there are later ones, of
 * which an undisturbed one knew nothing at this moment. */
static int collect_weights(struct arm *arm, int64_t known, struct pare_error *error)
{
	struct pare_study *study = arm->study;
	const struct pare_controller_kind *kind = arm->spec->kind;
	struct pare_trial *trials = NULL;
	int64_t count = 0;
	int status;

	if (!kind->may_need)
		return PARE_OK;
	status = pare_store_trials(study->store, &trials, &count, error);
	bool *front = pare_calloc((size_t)count, sizeof *front);
	double *points = pare_calloc((size_t)count, (size_t)(1 + PARE_MAX_RESOURCES) * sizeof *points);

	if (!status && (!front || !points))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status && kind->may_need)
		mark_front(arm, trials, known, front, points);
	for (int64_t t = 0; !status && kind->may_need && t < known; t++) {
		struct pare_trial *trial = &trials[t];
		bool mine = !strcmp(trial->controller, kind->name);
		if (!trial->weights[0] || !mine || front[t] || kind->may_need(arm->controller, t))
			continue;
		status = pare_store_forget_weights(study->store, t, error);
		if (!status && !shared(trials, count, t))
			pare_weights_remove(study->weights_directory, trial->weights);
		trial->weights[0] = '\0';
	}
	free(front);
	free(points);
	pare_trials_free(trials, count);
	return status;
}

/* ---- propose, observe ---- */

static int observe(struct arm *arm, const struct pare_trial *trial, bool replayed, struct pare_error *error)
{
	struct pare_study *study = arm->study;
	const struct pare_binding *binding = &study->binding;
	double resources[PARE_MAX_RESOURCES];
	struct pare_observation observation = {
	        .trial = trial->trial, .state = trial->state, .accuracy = NAN, .resources = resources};

	if (trial->state == PARE_TRIAL_COMPLETE)
		observation.accuracy = trial->metrics.value[PARE_METRIC_ACCURACY];
	for (int r = 0; r < binding->problem.n_resources; r++) {
		enum pare_metric metric = binding->resource_metric[r];
		resources[r] = trial->metrics.present[metric] ? trial->metrics.value[metric] : NAN;
	}
	if (arm->spec->kind->observe(arm->controller, &observation))
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (study->events && study->events->trial && study->events->trial(study->events->context, trial, replayed))
		return pare_error_set(error, PARE_E_STOPPED, "stopped after trial %lld", (long long)trial->trial);
	return PARE_OK;
}

/* The stored trial must be the one that is proposed now: otherwise the program, the data or a library has changed. */
static int check_replay(const struct pare_trial *stored, const struct pare_trial *now, struct pare_error *error)
{
	if (stored->parent == now->parent && stored->round == now->round &&
	    !strcmp(stored->controller, now->controller) && !strcmp(stored->plan, now->plan))
		return PARE_OK;
	return pare_error_set(
	        error, PARE_E_INVALID,
	        "trial %lld in the store (%s, parent %lld: %s) is not what the controller proposes now (%s, parent "
	        "%lld: %s): pare or its input has changed since",
	        (long long)now->trial, stored->controller, (long long)stored->parent, stored->plan, now->controller,
	        (long long)now->parent, now->plan);
}

static int describe(struct arm *arm, const struct pare_proposal *proposal, struct pare_trial *trial,
                    struct pare_error *error)
{
	const struct pare_groups *groups = &arm->study->binding.groups;
	struct pare_strbuf text;
	int status = pare_binding_plan(&arm->study->binding, proposal->point, &arm->plan, error);

	*trial = (struct pare_trial){.trial = proposal->trial, .round = proposal->round, .parent = proposal->parent};
	if (status)
		return status;
	snprintf(trial->controller, sizeof trial->controller, "%s", arm->spec->kind->name);
	pare_strbuf_init(&text);
	if (pare_plan_text(&arm->plan, groups, &text) || pare_plan_hash(&arm->plan, groups, trial->plan_hash))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	trial->plan = pare_strbuf_detach(&text);
	return status || trial->plan ? status : pare_error_set(error, PARE_E_NOMEM, "out of memory");
}

static int replay_trial(struct arm *arm, const struct pare_trial *trial, struct pare_error *error)
{
	struct pare_trial stored;
	int status = pare_store_trial(arm->study->store, trial->trial, &stored, error);

	if (status)
		return status;
	status = check_replay(&stored, trial, error);
	if (!status)
		status = observe(arm, &stored, true, error);
	pare_trial_release(&stored);
	return status;
}

static int new_trial(struct arm *arm, const struct pare_proposal *proposal, struct pare_trial *trial,
                     struct pare_error *error)
{
	int status = run_trial(arm, proposal, trial, error);
	if (!status)
		status = pare_store_add_trial(arm->study->store, trial, error);
	if (!status)
		status = observe(arm, trial, false, error);
	return status ? status : collect_weights(arm, trial->trial + 1, error);
}

static int take_proposal(struct arm *arm, const struct pare_proposal *proposal, struct pare_error *error)
{
	struct pare_trial trial;
	int status = describe(arm, proposal, &trial, error);

	if (!status)
		status = proposal->trial < arm->stored ? replay_trial(arm, &trial, error)
		                                       : new_trial(arm, proposal, &trial, error);
	pare_trial_release(&trial);
	arm->next++;
	return status;
}

/* Each proposal is observed before the next is asked for, so a controller never has to wait. */
static int run_arm(struct arm *arm, struct pare_error *error)
{
	for (;;) {
		struct pare_proposal proposal = {.trial = arm->next, .point = arm->point};
		int result = arm->spec->kind->propose(arm->controller, &proposal, error);
		if (result ==
		    PARE_PROPOSE_DONE) /* a study that was stopped behind its last trial has not collected yet */
			return collect_weights(arm, arm->next, error);
		if (result == PARE_PROPOSE_WAIT)
			return pare_error_set(error, PARE_E_INVALID, "%s waits for a trial, but none is out",
			                      arm->spec->kind->name);
		if (result < 0)
			return pare_error_prefix(error, result, "%s", arm->spec->kind->name);
		int status = take_proposal(arm, &proposal, error);
		if (status)
			return status;
	}
}

/* ---- finalists ---- */

static int default_finalists(struct arm *arm, int64_t *ids, int max, struct pare_error *error)
{
	struct pare_trial *trials = NULL;
	int64_t count = 0;
	int found = 0, status = pare_store_trials(arm->study->store, &trials, &count, error);

	while (!status && found < max) {
		int64_t best = -1;
		for (int64_t t = 0; t < count; t++) {
			bool taken = false;
			for (int i = 0; i < found; i++)
				taken |= ids[i] == t;
			if (taken || trials[t].state != PARE_TRIAL_COMPLETE ||
			    strcmp(trials[t].controller, arm->spec->kind->name) ||
			    pare_binding_check(&arm->study->binding, &trials[t].metrics, NULL))
				continue;
			if (best < 0 || trials[t].metrics.value[PARE_METRIC_ACCURACY] >
			                        trials[best].metrics.value[PARE_METRIC_ACCURACY])
				best = t;
		}
		if (best < 0)
			break;
		ids[found++] = best;
	}
	pare_trials_free(trials, count);
	return status ? status : found;
}

/* More than half of the controller's trials failed: then that is what went wrong, not the budgets. */
static bool mostly_failed(struct arm *arm, int *status, struct pare_error *error)
{
	struct pare_trial *trials = NULL;
	int64_t count = 0, mine = 0, failed = 0, last = -1;

	*status = pare_store_trials(arm->study->store, &trials, &count, error);
	for (int64_t t = 0; !*status && t < count; t++) {
		if (strcmp(trials[t].controller, arm->spec->kind->name))
			continue;
		mine++;
		if (trials[t].state == PARE_TRIAL_FAILED) {
			failed++;
			last = t;
		}
	}
	bool mostly = last >= 0 && 2 * failed > mine;
	if (!*status && mostly)
		*status = pare_error_set(error, PARE_E_DIVERGED,
		                         "%lld of %s's %lld trials failed; the last one, trial %lld: %s",
		                         (long long)failed, arm->spec->kind->name, (long long)mine, (long long)last,
		                         trials[last].message ? trials[last].message : "no message");
	pare_trials_free(trials, count);
	return *status || mostly;
}

static int arm_finalists(struct arm *arm, int64_t *ids, int max, struct pare_error *error)
{
	int status;
	int count = arm->spec->kind->finalists ? arm->spec->kind->finalists(arm->controller, ids, max)
	                                       : default_finalists(arm, ids, max, error);
	if (count == 0 && mostly_failed(arm, &status, error))
		return status;
	if (count == 0)
		return pare_error_set(error, PARE_E_INFEASIBLE,
		                      "%s ended (%s) without a network that meets all budgets", arm->spec->kind->name,
		                      arm->controller->reason ? arm->controller->reason : "no reason given");
	return count;
}

/* One controller, to its finalists. */
static int run_controller(struct pare_study *study, const struct pare_spec_controller *spec, int index, int64_t *next,
                          int64_t *finalists, int *n_finalists, struct pare_error *error)
{
	struct arm arm = {.study = study, .spec = spec, .next = *next, .stored = pare_store_trial_count(study->store)};
	uint64_t seed = pare_rng_derive(study->spec.seed, PARE_STREAM_CONTROLLER, (uint64_t)index);
	int status = pare_study_phase(study, "search", spec->kind->name, error);

	*n_finalists = 0;
	if (status)
		return status;
	arm.point = pare_calloc((size_t)study->binding.problem.space.n_knobs, sizeof *arm.point);
	if (!arm.point || pare_plan_init(&arm.plan, &study->binding.groups))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = spec->kind->open(&study->binding.problem, spec->values, seed, &arm.controller, error);
	if (!status)
		status = run_arm(&arm, error);
	if (!status) {
		status = arm_finalists(&arm, finalists, study->spec.finalists, error);
		*n_finalists = status > 0 ? status : 0;
		status = status > 0 ? PARE_OK : status;
	}
	if (arm.controller)
		spec->kind->close(arm.controller);
	pare_plan_release(&arm.plan);
	free(arm.point);
	*next = arm.next;
	return status;
}

int pare_study_search(struct pare_study *study, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	int64_t finalists[1 + PARE_MAX_BASELINES][MAX_FINALISTS], next = 0;
	int counts[1 + PARE_MAX_BASELINES] = {0}, found = 0, status = PARE_OK;
	struct pare_error text = {0};

	for (int a = 0; !status && a < 1 + spec->n_baselines; a++) {
		status = run_controller(study, a == 0 ? &spec->controller : &spec->baselines[a - 1], a, &next,
		                        finalists[a], &counts[a], error);
		if (is_trials_fault(status) && (found > 0 || a < spec->n_baselines)) {
			/* One controller without a result must not cost the others theirs. */
			text = *error;
			status = pare_study_warn(study, text.text, error);
		}
		found += counts[a];
	}
	if (!status && found == 0)
		status = text.code ? (*error = text, text.code) : PARE_E_INFEASIBLE;
	if (!status)
		status = pare_study_phase(study, "fine-tuning", "finalists; test split", error);
	if (!status)
		status = pare_study_final(study, PARE_TRIAL_BASELINE, error);
	for (int a = 0; !status && a < 1 + spec->n_baselines; a++)
		for (int i = 0; !status && i < counts[a]; i++)
			status = pare_study_final(study, finalists[a][i], error);
	return status;
}
