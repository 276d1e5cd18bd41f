#include "experiments/export.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/compress/fold.h"
#include "engine/io/onnx.h"
#include "experiments/weights.h"

#define MAX_METADATA (PARE_METRIC_COUNT + 8)

/* Metadata with room for its texts. */
struct metadata {
	struct pare_onnx_metadata items[MAX_METADATA];
	char keys[MAX_METADATA][48];
	char values[MAX_METADATA][48];
	int count;
};

/* What is exported: a finalist, or a trial as it was scored. */
struct choice {
	int64_t trial;
	char controller[32];
	char weights[PARE_HASH_TEXT_SIZE];
	struct pare_metrics metrics;
	double test_accuracy; /* NaN: not a finalist */
	char *plan;           /* owned; NULL for the uncut network */
};

int pare_best_final(const struct pare_final *finals, int count)
{
	int best = -1;
	for (int i = 0; i < count; i++) {
		if (finals[i].trial == PARE_TRIAL_BASELINE)
			continue;
		if (best < 0 ||
		    finals[i].metrics.value[PARE_METRIC_ACCURACY] > finals[best].metrics.value[PARE_METRIC_ACCURACY])
			best = i;
	}
	return best;
}

static void add(struct metadata *m, const char *key, const char *value)
{
	snprintf(m->keys[m->count], sizeof m->keys[0], "pare.%s", key);
	m->items[m->count] = (struct pare_onnx_metadata){m->keys[m->count], value};
	m->count++;
}

static void add_number(struct metadata *m, const char *key, double value)
{
	snprintf(m->values[m->count], sizeof m->values[0], "%.17g", value);
	add(m, key, m->values[m->count]);
}

static void describe(struct metadata *m, const struct choice *choice, const char *directory)
{
	add(m, "version", PARE_VERSION);
	add(m, "study", directory);
	add(m, "controller", choice->controller);
	add_number(m, "trial", (double)choice->trial);
	add(m, "plan", choice->plan ? choice->plan : "uncut");
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		if (choice->metrics.present[i])
			add_number(m, pare_metric_info[i].name, choice->metrics.value[i]);
	if (!isnan(choice->test_accuracy))
		add_number(m, "test_accuracy", choice->test_accuracy);
}

/* "best", "baseline" or a number; PARE_E_INVALID else. */
static int parse_trial(const char *text, const struct pare_final *finals, int count, int64_t *trial,
                       struct pare_error *error)
{
	char *end;
	if (!strcmp(text, "baseline")) {
		*trial = PARE_TRIAL_BASELINE;
		return PARE_OK;
	}
	if (!strcmp(text, "best")) {
		int best = pare_best_final(finals, count);
		if (best < 0)
			return pare_error_set(
			        error, PARE_E_NOT_FOUND,
			        "the study has no finalist yet; let it finish (pare resume), or name a trial");
		*trial = finals[best].trial;
		return PARE_OK;
	}
	errno = 0;
	*trial = strtoll(text, &end, 10);
	if (errno || end == text || *end || *trial < 0)
		return pare_error_set(error, PARE_E_INVALID, "trial '%s': a trial's number, 'best' or 'baseline'",
		                      text);
	return PARE_OK;
}

static int fill_from_trial(struct pare_store *store, struct choice *choice, struct pare_error *error)
{
	struct pare_trial trial;
	int status = pare_store_trial(store, choice->trial, &trial, error);

	if (status)
		return status;
	choice->plan = trial.plan;
	trial.plan = NULL;
	if (!choice->weights[0]) {
		snprintf(choice->weights, sizeof choice->weights, "%s", trial.weights);
		snprintf(choice->controller, sizeof choice->controller, "%s", trial.controller);
		choice->metrics = trial.metrics;
	}
	pare_trial_release(&trial);
	if (!choice->weights[0])
		status = pare_error_set(
		        error, PARE_E_NOT_FOUND,
		        "the weights of trial %lld were not kept (those of finalists and of the Pareto front are)",
		        (long long)choice->trial);
	return status;
}

static int choose(struct pare_store *store, const char *text, struct choice *choice, struct pare_error *error)
{
	struct pare_final *finals = NULL;
	int count = 0, status = pare_store_finals(store, &finals, &count, error);

	if (!status)
		status = parse_trial(text, finals, count, &choice->trial, error);
	for (int i = 0; !status && i < count; i++) {
		if (finals[i].trial != choice->trial)
			continue;
		choice->metrics = finals[i].metrics;
		choice->test_accuracy = finals[i].test_accuracy;
		memcpy(choice->controller, finals[i].controller, sizeof choice->controller);
		memcpy(choice->weights, finals[i].weights, sizeof choice->weights);
	}
	free(finals);
	if (status)
		return status;
	if (choice->trial != PARE_TRIAL_BASELINE)
		return fill_from_trial(store, choice, error);
	return choice->weights[0]
	               ? PARE_OK
	               : pare_error_set(error, PARE_E_NOT_FOUND, "the study has not come to its finalists yet");
}

int pare_export(struct pare_store *store, const char *directory, const struct pare_export_options *options,
                const char *path, struct pare_error *error)
{
	struct choice choice = {.test_accuracy = NAN};
	struct metadata metadata = {.count = 0};
	struct pare_graph *graph = NULL, *folded = NULL;
	char *weights = pare_path_join(directory, "weights");
	int status = weights ? choose(store, options->trial, &choice, error)
	                     : pare_error_set(error, PARE_E_NOMEM, "out of memory");

	if (!status)
		status = pare_weights_get(weights, choice.weights, &graph, error);
	if (!status && !options->keep_batch_norm) {
		folded = pare_fold_batch_norm(graph, error);
		status = folded ? PARE_OK : PARE_E_NOMEM;
	}
	if (!status) {
		describe(&metadata, &choice, directory);
		status = pare_onnx_write(folded ? folded : graph, path, metadata.items, metadata.count, error);
	}
	pare_graph_free(graph);
	pare_graph_free(folded);
	free(choice.plan);
	free(weights);
	return status;
}
