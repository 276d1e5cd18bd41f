#include "tests/support/toy_problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static double sum(const struct toy *toy, const double *channels, int from, int by, double step, double extra)
{
	double total = 0.0;

	for (int k = from; k < toy->problem.space.n_knobs; k += by) {
		double c = ceil(channels[k] / step) * step;

		total += toy->price[k] * (c + (c > channels[k] ? extra : 0.0));
	}
	return total;
}

static double chain(const struct toy *toy, const double *channels)
{
	double before = 3.0, total = 0.0;

	for (int k = 0; k < toy->problem.space.n_knobs; k++) {
		total += before * channels[k];
		before = channels[k];
	}
	return total + 10.0 * before;
}

static double largest(const struct toy *toy, const double *channels)
{
	double most = 0.0;

	for (int k = 0; k < toy->problem.space.n_knobs; k++)
		most = fmax(most, toy->price[k] * channels[k]);
	return most;
}

static double cost_of(const struct toy *toy, enum toy_cost cost, const double *channels)
{
	switch (cost) {
	case TOY_SUM:
		return sum(toy, channels, 0, 1, 1.0, 0.0);
	case TOY_CHAIN:
		return chain(toy, channels);
	case TOY_STAIRCASE:
		return sum(toy, channels, 0, 1, 4.0, 0.0);
	case TOY_TEETH:
		return sum(toy, channels, 0, 1, 4.0, 7.0);
	case TOY_LARGEST:
		return largest(toy, channels);
	case TOY_ODD:
		return sum(toy, channels, 0, 2, 1.0, 0.0);
	case TOY_EVEN:
		return sum(toy, channels, 1, 2, 1.0, 0.0);
	case TOY_UNKNOWN:
		return NAN;
	}
	return NAN;
}

static int cost(void *context, const double *point, double *out, struct pare_error *error)
{
	struct toy *toy = context;
	double channels[TOY_MAX_KNOBS];

	toy->asked++;
	if (toy->asked == toy->fails_at)
		return pare_error_set(error, PARE_E_NOMEM, "no memory for a price");
	for (int k = 0; k < toy->problem.space.n_knobs; k++)
		channels[k] = round(point[k] * toy->channels[k]);
	for (int j = 0; j < toy->problem.n_resources; j++)
		out[j] = cost_of(toy, toy->costs[j], channels);
	return PARE_OK;
}

void toy_init(struct toy *toy, int n_knobs, const int *channels, int first)
{
	struct pare_space *space = &toy->problem.space;

	memset(toy, 0, sizeof(*toy));
	assert_in_range(n_knobs, 0, TOY_MAX_KNOBS);
	space->n_knobs = n_knobs;
	space->knobs = calloc(TOY_MAX_KNOBS, sizeof(*space->knobs));
	for (int k = 0; k < n_knobs; k++) {
		struct pare_knob *knob = &space->knobs[k];

		toy->channels[k] = channels[k];
		toy->price[k] = 1.0;
		toy->weight[k] = 0.1;
		knob->name = malloc(24);
		snprintf(knob->name, 24, "group%d", k);
		knob->n_values = channels[k] - first + 1;
		knob->values = calloc((size_t)knob->n_values, sizeof(double));
		for (int i = 0; i < knob->n_values; i++)
			knob->values[i] = (double)(first + i) / channels[k];
	}
	toy->problem.cost = cost;
	toy->problem.context = toy;
}

void toy_release(struct toy *toy)
{
	pare_space_release(&toy->problem.space);
}

void toy_add_resource(struct toy *toy, enum toy_cost kind, double share)
{
	static const char *const names[] = {"macs", "params", "latency_ms", "bytes"};
	struct pare_resource *resource = &toy->problem.resources[toy->problem.n_resources];
	double channels[TOY_MAX_KNOBS];

	for (int k = 0; k < toy->problem.space.n_knobs; k++)
		channels[k] = toy->channels[k];
	toy->costs[toy->problem.n_resources] = kind;
	resource->name = names[toy->problem.n_resources++];
	resource->baseline = cost_of(toy, kind, channels);
	resource->budget = isinf(share) ? INFINITY : share * resource->baseline;
}

double toy_accuracy(const struct toy *toy, const double *point)
{
	double accuracy = 0.95;

	for (int k = 0; k < toy->problem.space.n_knobs; k++)
		accuracy -= toy->weight[k] * (1.0 - point[k]) * (1.0 - point[k]);
	return accuracy;
}

double toy_cost(struct toy *toy, const double *point, int j)
{
	double out[PARE_MAX_RESOURCES];

	assert_int_equal(cost(toy, point, out, NULL), 0);
	return out[j];
}

bool toy_is_allowed(const struct toy *toy, const double *point)
{
	for (int k = 0; k < toy->problem.space.n_knobs; k++) {
		const struct pare_knob *knob = &toy->problem.space.knobs[k];

		if (knob->values[pare_knob_nearest(knob, point[k])] != point[k])
			return false;
	}
	return true;
}

void toy_defaults(const struct pare_controller_kind *kind, double *values)
{
	for (int i = 0; kind->options[i].name; i++)
		values[i] = kind->options[i].fallback;
}

struct pare_observation toy_evaluate(struct toy *toy, int64_t trial, const double *point)
{
	return (struct pare_observation){trial, PARE_TRIAL_COMPLETE, toy_accuracy(toy, point), NULL};
}

/* Records a new proposal or, within the known part, compares it with the record. */
static void note(struct toy *toy, struct toy_study *study, int i, int known, const struct pare_proposal *proposal)
{
	size_t size = (size_t)toy->problem.space.n_knobs * sizeof(double);

	assert_true(toy_is_allowed(toy, proposal->point));
	assert_true(proposal->parent >= PARE_TRIAL_BASELINE && proposal->parent < proposal->trial);
	if (i < known) {
		assert_memory_equal(study->point[i], proposal->point, size);
		assert_int_equal(study->parent[i], proposal->parent);
		assert_int_equal(study->round[i], proposal->round);
		return;
	}
	assert_in_range(i, 0, 4095);
	memset(study->point[i], 0, sizeof(study->point[i]));
	memcpy(study->point[i], proposal->point, size);
	study->parent[i] = proposal->parent;
	study->round[i] = proposal->round;
	study->n = i + 1;
}

static void tell(struct toy *toy, struct pare_controller *controller, struct toy_study *study, int i, int known,
                 toy_evaluate_fn evaluate, int64_t trial)
{
	double resources[PARE_MAX_RESOURCES];
	struct pare_observation observation;

	if (i >= known)
		study->observed[i] = evaluate(toy, trial, study->point[i]);
	observation = study->observed[i];
	assert_int_equal(toy->problem.cost(toy, study->point[i], resources, NULL), 0);
	observation.resources = resources;
	assert_int_equal(controller->kind->observe(controller, &observation), 0);
}

struct pare_controller *toy_run(struct toy *toy, const struct pare_controller_kind *kind, const double *values,
                                int64_t first_trial, int workers, int known, toy_evaluate_fn evaluate,
                                struct toy_study *study)
{
	struct pare_controller *controller = NULL;
	struct pare_error error = {0};
	double point[TOY_MAX_KNOBS];
	int proposed = 0, observed = 0, what = PARE_PROPOSE_POINT;

	if (kind->open(&toy->problem, values, 7, &controller, &error) != 0)
		fail_msg("%s: %s", kind->name, error.text);
	study->status = 0;
	study->n = known;
	while (what != PARE_PROPOSE_DONE) {
		struct pare_proposal proposal = {.trial = first_trial + proposed, .point = point};

		what = PARE_PROPOSE_WAIT;
		if (proposed - observed < workers)
			what = kind->propose(controller, &proposal, &error);
		if (what < 0) {
			study->status = what;
			break;
		}
		if (what == PARE_PROPOSE_POINT) {
			note(toy, study, proposed++, known, &proposal);
		} else if (what == PARE_PROPOSE_WAIT) {
			assert_true(observed < proposed);
			tell(toy, controller, study, observed, known, evaluate, first_trial + observed);
			observed++;
		}
	}
	assert_true(what < 0 || observed == proposed);
	study->reason = controller->reason;
	return controller;
}
