/*
 * What can be known before anything is trained or written: that a study can work at all. A run directory is made only
 * when it can.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ops/builders.h"
#include "experiments/study_private.h"

/* Fine-tuning at rates above this one has been seen to diverge on networks without batch norm. */
#define RATE_WITHOUT_BATCH_NORM 1e-3

static int check_batch(const struct pare_study *study, const struct pare_spec_train *section, const char *name,
                       struct pare_error *error)
{
	if (section->batch <= study->splits.train.images)
		return PARE_OK;
	return pare_error_set(error, PARE_E_INVALID, "%s.batch is %lld, but there are only %lld training images", name,
	                      (long long)section->batch, (long long)study->splits.train.images);
}

static int check_batches(const struct pare_study *study, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	int status = spec->has_train ? check_batch(study, &spec->train, "train", error) : PARE_OK;

	if (!status)
		status = check_batch(study, &spec->fine_tune_short, "fine_tune.short", error);
	return status ? status : check_batch(study, &spec->fine_tune_long, "fine_tune.long", error);
}

/* A table that is not there yet cannot price anything: leaves out the constraints that need one. */
static void drop_latency(struct pare_spec *spec)
{
	int kept = 0;
	for (int c = 0; c < spec->n_constraints; c++)
		if (spec->constraints[c].metric != PARE_METRIC_LATENCY_MS)
			spec->constraints[kept++] = spec->constraints[c];
	spec->n_constraints = kept;
}

bool pare_study_meets_all_budgets(const struct pare_binding *binding)
{
	for (int r = 0; r < binding->problem.n_resources; r++)
		if (binding->problem.resources[r].baseline > binding->problem.resources[r].budget)
			return false;
	return true;
}

int pare_study_refuse_met_budgets(struct pare_error *error)
{
	return pare_error_set(
	        error, PARE_E_INVALID,
	        "the uncut network meets all budgets already: there is nothing to search for (tighten the "
	        "constraints)");
}

static int check_problem(const struct pare_study *study, const struct pare_graph *graph, const struct pare_lut *lut,
                         struct pare_error *error)
{
	struct pare_spec spec = study->spec; /* borrowed, not released */
	struct pare_binding binding;
	int status;

	if (!lut)
		drop_latency(&spec);
	status = pare_binding_init(&binding, &spec, graph, lut, error);
	if (status)
		return status;
	if (spec.n_constraints > 0)
		status = pare_problem_check_reachable(&binding.problem, error);
	if (!status && spec.n_constraints == study->spec.n_constraints && pare_study_meets_all_budgets(&binding))
		status = pare_study_refuse_met_budgets(error);
	pare_binding_release(&binding);
	return status;
}

int pare_study_check(const struct pare_study *study, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	struct pare_graph *graph = NULL;
	struct pare_lut *lut = NULL;
	int status = check_batches(study, error);

	if (!status)
		status = pare_spec_network(spec, &study->splits.train_part, &graph, error);
	if (!status && spec->latency_table)
		status = pare_lut_read(&lut, spec->latency_table, spec->latency_foreign, spec->latency_batch,
		                       spec->latency_threads, error);
	if (!status)
		status = check_problem(study, graph, lut, error);
	pare_lut_free(lut);
	pare_graph_free(graph);
	return status;
}

/* ---- warnings ---- */

int pare_study_warn(const struct pare_study *study, const char *text, struct pare_error *error)
{
	const struct pare_study_events *events = study->events;
	if (events && events->warning && events->warning(events->context, text))
		return pare_error_set(error, PARE_E_STOPPED, "stopped");
	return PARE_OK;
}

static bool has_batch_norm(const struct pare_graph *graph)
{
	for (int n = 0; n < graph->n_nodes; n++)
		if (graph->nodes[n].op == &pare_op_batch_norm)
			return true;
	return false;
}

int pare_study_warn_about_baseline(const struct pare_study *study, struct pare_error *error)
{
	const struct pare_spec *spec = &study->spec;
	double rate = spec->fine_tune_short.schedule.learning_rate, guess = 1.0 / study->splits.train_part.classes;
	char text[512];
	int status = PARE_OK;

	if (spec->fine_tune_long.schedule.learning_rate > rate)
		rate = spec->fine_tune_long.schedule.learning_rate;
	if (!has_batch_norm(study->graph) && rate > RATE_WITHOUT_BATCH_NORM) {
		snprintf(text, sizeof text,
		         "this network has no batch norm (exporters fold it away): fine-tuning at a learning rate of "
		         "%g may "
		         "diverge. Export it with batch norm kept (torch.onnx.export with "
		         "training=TrainingMode.PRESERVE, do_constant_folding=False), or set "
		         "fine_tune.short.learning_rate and "
		         "fine_tune.long.learning_rate to about 0.0005",
		         rate);
		status = pare_study_warn(study, text, error);
	}
	if (!status && study->baseline_accuracy < 1.2 * guess) {
		snprintf(text, sizeof text,
		         "the uncut network's accuracy is %.2f %%, hardly better than guessing among %d classes: its "
		         "training "
		         "may have diverged, or the data's normalisation is not the one it was trained with",
		         100.0 * study->baseline_accuracy, study->splits.train_part.classes);
		status = pare_study_warn(study, text, error);
	}
	return status;
}
