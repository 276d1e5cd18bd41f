/* The phases around the search: baseline, latency table, the whole, the end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/compress/fold.h"
#include "engine/ops/compute.h"
#include "engine/train/evaluate.h"
#include "experiments/export.h"
#include "experiments/study_private.h"
#include "experiments/weights.h"

int pare_study_phase(struct pare_study *study, const char *name, const char *detail, struct pare_error *error)
{
	const struct pare_study_events *events = study->events;
	if (events && events->phase && events->phase(events->context, name, detail))
		return pare_error_set(error, PARE_E_STOPPED, "stopped before %s", name);
	return PARE_OK;
}

int pare_study_network(struct pare_study *study, int64_t trial, struct pare_graph **graph, struct pare_error *error)
{
	struct pare_trial record;
	int status;

	*graph = NULL;
	if (trial == PARE_TRIAL_BASELINE) {
		*graph = pare_graph_copy(study->graph);
		return *graph ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	}
	status = pare_store_trial(study->store, trial, &record, error);
	if (status)
		return status;
	if (record.weights[0])
		status = pare_weights_get(study->weights_directory, record.weights, graph, error);
	else
		status = pare_error_set(error, PARE_E_NOT_FOUND, "the weights of trial %lld were not kept",
		                        (long long)trial);
	pare_trial_release(&record);
	return status;
}

/* Often enough for Ctrl-C and a progress line. */
#define REPORT_STEPS 20

static void show_training(const struct pare_study *study, struct pare_train_options *options)
{
	if (!study->events)
		return;
	options->progress = study->events->training;
	options->progress_context = study->events->context;
	options->report_steps = REPORT_STEPS;
}

static int train_baseline(struct pare_study *study, struct pare_graph *graph, struct pare_error *error)
{
	struct pare_train_options options = pare_spec_train_options(
	        &study->spec, &study->spec.train, pare_rng_derive(study->spec.seed, PARE_STREAM_TRAIN, 0), study->pool);

	show_training(study, &options);
	return pare_train(graph, &study->splits.train, &options, error);
}

/* Makes the uncut network and keeps it; what is used from then on is always what was read back. */
static int make_baseline(struct pare_study *study, char *hash, struct pare_error *error)
{
	struct pare_graph *graph = NULL;
	int status = pare_spec_network(&study->spec, &study->splits.train_part, &graph, error);

	if (!status && study->spec.has_train)
		status = train_baseline(study, graph, error);
	if (!status)
		status = pare_weights_put(study->weights_directory, graph, hash, error);
	if (!status)
		status = pare_store_set(study->store, "baseline_weights", hash, error);
	pare_graph_free(graph);
	return status;
}

static int score(struct pare_study *study, const struct pare_graph *graph, const struct pare_split *split,
                 double *accuracy, struct pare_error *error)
{
	struct pare_evaluation result;
	struct pare_graph *folded = pare_fold_batch_norm(graph, error);
	int status = folded ? pare_evaluate(folded, split, &study->spec.normalization, study->pool, &result, error)
	                    : PARE_E_NOMEM;

	pare_graph_free(folded);
	*accuracy = status ? NAN : result.accuracy;
	return status;
}

int pare_study_baseline(struct pare_study *study, struct pare_error *error)
{
	char hash[PARE_HASH_TEXT_SIZE] = "", *stored = NULL;
	int status =
	        pare_study_phase(study, "baseline", study->spec.zoo ? study->spec.zoo->name : study->spec.onnx, error);

	if (!status)
		status = pare_store_get(study->store, "baseline_weights", &stored, error);
	if (!status && stored)
		snprintf(hash, sizeof hash, "%s", stored);
	else if (!status)
		status = make_baseline(study, hash, error);
	free(stored);
	if (!status)
		status = pare_weights_get(study->weights_directory, hash, &study->graph, error);
	if (!status)
		status = score(study, study->graph, &study->splits.search, &study->baseline_accuracy, error);
	return status ? status : pare_study_warn_about_baseline(study, error);
}

/* ---- latency table ---- */

static int build_table(struct pare_study *study, const char *path, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	const struct pare_study_events *events = study->events;
	struct pare_groups groups = {0};
	struct pare_lut_build_options options = {.batch = spec->latency_batch,
	                                         .threads = spec->latency_threads,
	                                         .step = spec->step,
	                                         .points = spec->latency_points,
	                                         .min_ratio = spec->min_ratio,
	                                         .max_ms = spec->latency_max_ms};
	struct pare_graph *folded = pare_fold_batch_norm(study->graph, error);
	int status = folded ? pare_groups_init(&groups, folded, error) : PARE_E_NOMEM;

	if (events) {
		options.progress = events->table;
		options.progress_context = events->context;
	}
	if (!status)
		status = pare_lut_build(&study->lut, folded, &groups, &options, error);
	if (!status)
		status = pare_lut_write(study->lut, path, error);
	pare_groups_release(&groups);
	pare_graph_free(folded);
	return status;
}

/* A table from elsewhere is copied: the study must not change when that file does. */
static int copy_table(struct pare_study *study, const char *path, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	int status = pare_lut_read(&study->lut, spec->latency_table, spec->latency_foreign, spec->latency_batch,
	                           spec->latency_threads, error);
	return status ? status : pare_lut_write(study->lut, path, error);
}

static int check_table(struct pare_study *study, const char *path, struct pare_error *error)
{
	char hash[PARE_HASH_TEXT_SIZE], *stored = NULL;
	int status = pare_lut_hash(study->lut, hash);

	if (status)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	status = pare_store_get(study->store, "lut_hash", &stored, error);
	if (!status && stored && strcmp(stored, hash))
		status = pare_error_set_at(error, PARE_E_INVALID, path, 0, 0,
		                           "this is not the table the study began with");
	if (!status && !stored)
		status = pare_store_set(study->store, "lut_hash", hash, error);
	free(stored);
	return status;
}

/* Measuring again would give other numbers than those the trials were priced by. */
static int refuse_lost_table(struct pare_study *study, const char *path, struct pare_error *error)
{
	char *stored = NULL;
	int status = pare_store_get(study->store, "lut_hash", &stored, error);

	if (!status && stored && !pare_file_exists(path))
		status = pare_error_set_at(
		        error, PARE_E_NOT_FOUND, path, 0, 0,
		        "the table this study is priced by is gone; put it back, or start a new study");
	free(stored);
	return status;
}

static bool needs_latency(const struct pare_spec *spec)
{
	for (int c = 0; c < spec->n_constraints; c++)
		if (spec->constraints[c].metric == PARE_METRIC_LATENCY_MS)
			return true;
	return false;
}

/* Without a latency budget a study can do without a table that cannot be had for this network. */
static int go_without_table(struct pare_study *study, const struct pare_error *why, struct pare_error *error)
{
	char text[PARE_ERROR_TEXT_SIZE + 128];

	pare_lut_free(study->lut);
	study->lut = NULL;
	snprintf(text, sizeof text, "no latency table for this network, so latencies are not predicted: %s", why->text);
	return pare_study_warn(study, text, error);
}

static bool is_the_networks_fault(int status)
{
	return status == PARE_E_INVALID || status == PARE_E_UNSUPPORTED || status == PARE_E_NOT_FOUND;
}

/* Builds the table, or goes on without one if this network cannot have one and no budget needs it. */
static int build_or_do_without(struct pare_study *study, const char *path, struct pare_error *error)
{
	int status = build_table(study, path, error);

	if (is_the_networks_fault(status) && !needs_latency(&study->spec)) {
		struct pare_error why = *error;
		status = go_without_table(study, &why, error);
	}
	return status;
}

int pare_study_table(struct pare_study *study, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	char *path = pare_study_path(study, "latency.lut", error);
	int status = path ? PARE_OK : PARE_E_NOMEM;

	if (!status)
		status = pare_study_phase(study, "latency table",
		                          spec->latency_table ? spec->latency_table : "measured here", error);
	if (!status)
		status = refuse_lost_table(study, path, error);
	if (!status && pare_file_exists(path))
		status = pare_lut_read(&study->lut, path, spec->latency_foreign, spec->latency_batch,
		                       spec->latency_threads, error);
	else if (!status)
		status = spec->latency_table ? copy_table(study, path, error) : build_or_do_without(study, path, error);
	if (!status && study->lut)
		status = check_table(study, path, error);
	free(path);
	return status;
}

/* ---- the problem ---- */

/* Written once; later it must come out the same. */
static int record_number(struct pare_study *study, const char *prefix, const char *name, double number,
                         struct pare_error *error)
{
	char key[64], value[64], *stored = NULL;
	int status;

	snprintf(key, sizeof key, "%s.%s", prefix, name);
	snprintf(value, sizeof value, "%.17g", number);
	status = pare_store_get(study->store, key, &stored, error);
	if (!status && !stored)
		status = pare_store_set(study->store, key, value, error);
	else if (!status && strcmp(stored, value))
		status = pare_error_set(
		        error, PARE_E_INVALID,
		        "%s was %s when the study began and is %s now: pare, a library or the machine has changed", key,
		        stored, value);
	free(stored);
	return status;
}

static int record_baseline(struct pare_study *study, struct pare_error *error)
{
	struct pare_metrics *baseline = &study->binding.baseline;
	const struct pare_problem *problem = &study->binding.problem;
	int status = PARE_OK;

	pare_metrics_set(baseline, PARE_METRIC_ACCURACY, study->baseline_accuracy);
	for (int m = 0; !status && m < PARE_METRIC_COUNT; m++)
		if (baseline->present[m])
			status = record_number(study, "baseline", pare_metric_info[m].name, baseline->value[m], error);
	for (int r = 0; !status && r < problem->n_resources; r++)
		status =
		        record_number(study, "budget", problem->resources[r].name, problem->resources[r].budget, error);
	return status;
}

/* Also prices the smallest network of the space: what the table does not know should show now, not in the middle. */
static int bind_network(struct pare_study *study, struct pare_error *error)
{
	struct pare_binding *binding = &study->binding;
	double *smallest = NULL, resources[PARE_MAX_RESOURCES];
	int status = pare_binding_init(binding, &study->spec, study->graph, study->lut, error);

	if (status)
		return status;
	if (pare_problem_corner(&binding->problem, false, &smallest))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = binding->problem.cost(binding->problem.context, smallest, resources, error);
	free(smallest);
	if (status)
		pare_binding_release(binding);
	return status;
}

int pare_study_bind(struct pare_study *study, struct pare_error *error)
{
	int status = bind_network(study, error);
	if (is_the_networks_fault(status) && study->lut && !needs_latency(&study->spec)) {
		struct pare_error why = *error;
		status = go_without_table(study, &why, error);
		if (!status)
			status = bind_network(study, error);
	}
	if (status)
		return status;
	study->bound = true;
	if (pare_study_meets_all_budgets(&study->binding))
		return pare_study_refuse_met_budgets(error);
	return record_baseline(study, error);
}

/* ---- finalists ---- */

static int tune_final(struct pare_study *study, const struct pare_trial *trial, struct pare_graph *graph,
                      struct pare_final *final, struct pare_error *error)
{
	struct pare_train_options options = pare_spec_train_options(
	        &study->spec, &study->spec.fine_tune_long,
	        pare_rng_derive(study->spec.seed, PARE_STREAM_FINE_TUNE_LONG, (uint64_t)trial->trial), study->pool);

	show_training(study, &options);
	final->metrics = trial->metrics;
	snprintf(final->controller, sizeof final->controller, "%s", trial->controller);
	int status = pare_train(graph, &study->splits.train, &options, error);
	if (!status)
		status = score(study, graph, &study->splits.search, &final->metrics.value[PARE_METRIC_ACCURACY], error);
	if (!status)
		status = pare_weights_put(study->weights_directory, graph, final->weights, error);
	return status;
}

/* A long fine-tuning that diverges must not cost the whole search: the network stays as it was scored. */
static int keep_as_scored(struct pare_study *study, const struct pare_trial *trial, struct pare_graph **graph,
                          struct pare_final *final, struct pare_error *error)
{
	char text[PARE_ERROR_TEXT_SIZE + 128];
	snprintf(text, sizeof text,
	         "the long fine-tuning of trial %lld diverged (%s); its network is kept as it was scored",
	         (long long)trial->trial, error ? error->text : "");
	final->metrics = trial->metrics;
	memcpy(final->weights, trial->weights, sizeof final->weights);
	pare_graph_free(*graph);
	int status = pare_study_network(study, trial->trial, graph, error);
	return status ? status : pare_study_warn(study, text, error);
}

static int baseline_final(struct pare_study *study, struct pare_final *final, struct pare_error *error)
{
	char *stored = NULL;
	int status = pare_store_get(study->store, "baseline_weights", &stored, error);

	if (!status && stored)
		snprintf(final->weights, sizeof final->weights, "%s", stored);
	free(stored);
	final->metrics = study->binding.baseline;
	snprintf(final->controller, sizeof final->controller, "baseline");
	return status;
}

static int measure(struct pare_study *study, const struct pare_graph *graph, double *ms, struct pare_error *error)
{
	struct pare_lut_entry entry;
	struct pare_graph *folded = pare_fold_batch_norm(graph, error);
	int status = folded ? pare_lut_measure(folded, study->spec.latency_batch, study->spec.latency_threads,
	                                       20.0 * study->spec.latency_max_ms, &entry, error)
	                    : PARE_E_NOMEM;
	pare_graph_free(folded);
	*ms = status ? NAN : entry.median_ms;
	return status;
}

static int make_final(struct pare_study *study, int64_t id, struct pare_final *final, struct pare_error *error)
{
	struct pare_graph *graph = NULL;
	struct pare_trial trial = {0};
	int status = pare_study_network(study, id, &graph, error);

	*final = (struct pare_final){.trial = id, .test_accuracy = NAN, .measured_latency_ms = NAN};
	if (!status && id == PARE_TRIAL_BASELINE)
		status = baseline_final(study, final, error);
	else if (!status) {
		status = pare_store_trial(study->store, id, &trial, error);
		if (!status) /* a budget is a hard post-condition, whatever the controller believed */
			status = pare_binding_check(&study->binding, &trial.metrics, error);
		if (!status)
			status = tune_final(study, &trial, graph, final, error);
		if (status == PARE_E_DIVERGED)
			status = keep_as_scored(study, &trial, &graph, final, error);
	}
	if (!status)
		status = score(study, graph, &study->splits.test, &final->test_accuracy, error);
	if (!status)
		status = measure(study, graph, &final->measured_latency_ms, error);
	pare_trial_release(&trial);
	pare_graph_free(graph);
	return status;
}

static bool find_final(const struct pare_final *finals, int count, int64_t trial)
{
	for (int i = 0; i < count; i++)
		if (finals[i].trial == trial)
			return true;
	return false;
}

int pare_study_final(struct pare_study *study, int64_t trial, struct pare_error *error)
{
	struct pare_final *finals = NULL, final;
	int count = 0, status = pare_store_finals(study->store, &finals, &count, error);
	bool done = !status && find_final(finals, count, trial);

	free(finals);
	if (status || done)
		return status;
	status = make_final(study, trial, &final, error);
	if (!status)
		status = pare_store_add_final(study->store, &final, error);
	if (!status && study->events && study->events->final && study->events->final(study->events->context, &final))
		status = pare_error_set(error, PARE_E_STOPPED, "stopped after the fine-tuning of trial %lld",
		                        (long long)trial);
	return status;
}

/* ---- the end ---- */

/* A kill between forgetting a record and removing its file leaves a file that no record names. */
static int sweep_weights(struct pare_study *study, struct pare_error *error)
{
	struct pare_trial *trials = NULL;
	struct pare_final *finals = NULL;
	int64_t n_trials = 0;
	int n_finals = 0, status = pare_store_trials(study->store, &trials, &n_trials, error);

	if (!status)
		status = pare_store_finals(study->store, &finals, &n_finals, error);
	const char **names = status ? NULL : pare_calloc((size_t)n_trials + (size_t)n_finals, sizeof *names);
	if (!status && !names)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	for (int64_t t = 0; !status && t < n_trials; t++)
		names[t] = trials[t].weights;
	for (int f = 0; !status && f < n_finals; f++)
		names[n_trials + f] = finals[f].weights;
	if (!status)
		pare_weights_sweep(study->weights_directory, names, n_trials + n_finals);
	free(names);
	free(finals);
	pare_trials_free(trials, n_trials);
	return status;
}

int pare_study_finish(struct pare_study *study, struct pare_error *error)
{
	char *path = pare_study_path(study, "best.onnx", error);
	int status = path ? pare_export(study->store, study->directory, &(struct pare_export_options){.trial = "best"},
	                                path, error)
	                  : PARE_E_NOMEM;

	if (!status)
		status = sweep_weights(study, error);
	if (!status)
		status = pare_store_set(study->store, "status", "complete", error);
	free(path);
	return status;
}

static int say_what_computes(struct pare_study *study, struct pare_error *error)
{
	char blas[128], text[256];
	pare_compute_blas(blas, sizeof blas);
	snprintf(text, sizeof text, "%s kernels, %s, %d thread%s", pare_compute_kernels(), blas, study->spec.threads,
	         study->spec.threads == 1 ? "" : "s");
	return pare_study_phase(study, "engine", text, error);
}

int pare_study_run(struct pare_study *study, const struct pare_study_events *events, struct pare_error *error)
{
	int status;

	study->events = events;
	status = say_what_computes(study, error);
	if (!status)
		status = pare_study_baseline(study, error);
	if (!status)
		status = pare_study_table(study, error);
	if (!status)
		status = pare_study_bind(study, error);
	if (!status)
		status = pare_study_search(study, error);
	if (!status)
		status = pare_study_finish(study, error);
	return status;
}
