#include "experiments/study_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"
#include "experiments/scatter.h"

#define PLOT_COLUMNS 64
#define PLOT_ROWS 12
#define PLOT_MARGIN 14 /* beside the field */

#define DOUBTFUL_ERROR 0.10 /* of a predicted latency: tables of a quiet machine do better */

const char *pare_trial_state_name(enum pare_trial_state state)
{
	switch (state) {
	case PARE_TRIAL_COMPLETE:
		return "complete";
	case PARE_TRIAL_INFEASIBLE:
		return "infeasible";
	case PARE_TRIAL_FAILED:
		return "failed";
	}
	return "unknown";
}

/* ---- cells ---- */

static double known(const struct pare_metrics *metrics, enum pare_metric metric)
{
	return metrics->present[metric] ? metrics->value[metric] : NAN;
}

/* A count that metrics keep as a double. */
static void add_whole(struct pare_table *table, const struct pare_metrics *metrics, enum pare_metric metric)
{
	if (metrics->present[metric] && fabs(metrics->value[metric]) < 9e18)
		pare_table_int(table, (int64_t)metrics->value[metric]);
	else
		pare_table_none(table);
}

/* accuracy, latency_ms, macs, params, bytes, peak_memory_bytes */
static void add_metrics(struct pare_table *table, const struct pare_metrics *metrics)
{
	pare_table_real(table, known(metrics, PARE_METRIC_ACCURACY));
	pare_table_real(table, known(metrics, PARE_METRIC_LATENCY_MS));
	add_whole(table, metrics, PARE_METRIC_MACS);
	add_whole(table, metrics, PARE_METRIC_PARAMS);
	add_whole(table, metrics, PARE_METRIC_BYTES);
	add_whole(table, metrics, PARE_METRIC_PEAK_MEMORY_BYTES);
}

#define METRIC_COLUMNS(dull)                                                                                           \
	{.name = "accuracy", .title = "search acc. %", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 2},         \
	        {.name = "latency_ms", .title = "latency ms", .kind = PARE_COLUMN_REAL, .decimals = 3},                \
	        {.name = "macs", .title = "MACs", .kind = PARE_COLUMN_INT},                                            \
	        {.name = "params", .kind = PARE_COLUMN_INT},                                                           \
	        {.name = "bytes", .kind = PARE_COLUMN_INT, .not_text = dull},                                          \
	{                                                                                                              \
		.name = "peak_memory_bytes", .kind = PARE_COLUMN_INT, .not_text = dull                                 \
	}

/* ---- all trials ---- */

static const struct pare_column trial_columns[] = {
        {.name = "trial", .kind = PARE_COLUMN_INT, .id = true},
        {.name = "controller", .kind = PARE_COLUMN_TEXT},
        {.name = "round", .kind = PARE_COLUMN_INT},
        {.name = "parent", .kind = PARE_COLUMN_INT, .id = true},
        {.name = "state", .kind = PARE_COLUMN_TEXT},
        METRIC_COLUMNS(true),
        {.name = "within_budgets", .title = "in budget", .kind = PARE_COLUMN_BOOL},
        {.name = "plan", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "plan_hash", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "weights", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "message", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "seconds", .title = "s", .kind = PARE_COLUMN_REAL, .decimals = 1, .not_text = true},
};

void pare_trials_table(const struct pare_study_view *view, struct pare_table *table)
{
	pare_table_init(table, trial_columns, sizeof(trial_columns) / sizeof(*trial_columns));
	for (int64_t t = 0; t < view->n_trials; t++) {
		const struct pare_trial *trial = &view->trials[t];
		pare_table_int(table, trial->trial);
		pare_table_string(table, trial->controller);
		pare_table_int(table, trial->round);
		pare_table_int(table, trial->parent);
		pare_table_string(table, pare_trial_state_name(trial->state));
		add_metrics(table, &trial->metrics);
		pare_table_bool(table,
		                trial->state == PARE_TRIAL_COMPLETE && pare_study_view_feasible(view, &trial->metrics));
		pare_table_string(table, trial->plan);
		pare_table_string(table, trial->plan_hash);
		pare_table_string(table, trial->weights[0] ? trial->weights : NULL);
		pare_table_string(table, trial->message);
		pare_table_real(table, trial->seconds);
	}
}

/* ---- the front ---- */

static const struct pare_column front_columns[] = {
        {.name = "trial", .kind = PARE_COLUMN_INT, .id = true},
        {.name = "controller", .kind = PARE_COLUMN_TEXT},
        METRIC_COLUMNS(true),
        {.name = "within_budgets", .title = "in budget", .kind = PARE_COLUMN_BOOL},
        {.name = "plan", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "weights", .kind = PARE_COLUMN_TEXT, .not_text = true},
};

void pare_front_table(const struct pare_study_view *view, struct pare_table *table)
{
	pare_table_init(table, front_columns, sizeof(front_columns) / sizeof(*front_columns));
	if (view->baseline_on_front) {
		pare_table_int(table, PARE_TRIAL_BASELINE);
		pare_table_string(table, "baseline");
		add_metrics(table, &view->baseline);
		pare_table_bool(table, pare_study_view_feasible(view, &view->baseline));
		pare_table_none(table);
		pare_table_none(table);
	}
	for (int64_t t = 0; t < view->n_trials; t++) {
		const struct pare_trial *trial = &view->trials[t];
		if (!view->on_front[t])
			continue;
		pare_table_int(table, trial->trial);
		pare_table_string(table, trial->controller);
		add_metrics(table, &trial->metrics);
		pare_table_bool(table, pare_study_view_feasible(view, &trial->metrics));
		pare_table_string(table, trial->plan);
		pare_table_string(table, trial->weights[0] ? trial->weights : NULL);
	}
}

/* ---- the finalists ---- */

static const struct pare_column final_columns[] = {
        {.name = "controller", .title = "network", .kind = PARE_COLUMN_TEXT},
        {.name = "trial", .kind = PARE_COLUMN_INT, .id = true},
        {.name = "test_accuracy", .title = "test acc. %", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 2},
        {.name = "test_accuracy_change", .title = "points", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 2},
        METRIC_COLUMNS(true),
        {.name = "measured_latency_ms", .title = "measured ms", .kind = PARE_COLUMN_REAL, .decimals = 3},
        {.name = "prediction_error", .title = "error %", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 1},
        {.name = "within_budgets", .title = "in budget", .kind = PARE_COLUMN_BOOL},
        {.name = "best", .kind = PARE_COLUMN_BOOL},
        {.name = "weights", .kind = PARE_COLUMN_TEXT, .not_text = true},
};

/* The prediction's, relative to what was measured. */
static double prediction_error(const struct pare_final *final)
{
	double predicted = known(&final->metrics, PARE_METRIC_LATENCY_MS);
	return final->measured_latency_ms > 0.0 ? predicted / final->measured_latency_ms - 1.0 : NAN;
}

void pare_finals_table(const struct pare_study_view *view, struct pare_table *table)
{
	const struct pare_final *baseline = pare_study_view_final(view, PARE_TRIAL_BASELINE);

	pare_table_init(table, final_columns, sizeof(final_columns) / sizeof(*final_columns));
	for (int i = 0; i < view->n_finals; i++) {
		const struct pare_final *final = &view->finals[i];
		bool uncut = final->trial == PARE_TRIAL_BASELINE;
		pare_table_string(table, final->controller);
		pare_table_int(table, final->trial);
		pare_table_real(table, final->test_accuracy);
		pare_table_real(table, baseline && !uncut ? final->test_accuracy - baseline->test_accuracy : NAN);
		add_metrics(table, &final->metrics);
		pare_table_real(table, final->measured_latency_ms);
		pare_table_real(table, prediction_error(final));
		pare_table_bool(table, pare_study_view_feasible(view, &final->metrics));
		pare_table_bool(table, i == view->best_final);
		pare_table_string(table, final->weights[0] ? final->weights : NULL);
	}
}

/* ---- the plot ---- */

static struct pare_scatter_point point_of(const struct pare_metrics *metrics, enum pare_metric cost, char mark)
{
	return (struct pare_scatter_point){known(metrics, cost), 100.0 * known(metrics, PARE_METRIC_ACCURACY), mark};
}

void pare_front_plot(const struct pare_study_view *view, int width, struct pare_strbuf *out)
{
	enum pare_metric cost = view->n_objectives > 1 ? view->objectives[1] : PARE_METRIC_LATENCY_MS;
	struct pare_scatter_options options = {.x_title = pare_metric_info[cost].name,
	                                       .y_title = "accuracy %",
	                                       .x_decimals = cost == PARE_METRIC_LATENCY_MS ? 3 : 0,
	                                       .y_decimals = 1,
	                                       .limit_x = view->budget[cost],
	                                       .columns = PLOT_COLUMNS,
	                                       .rows = PLOT_ROWS};
	struct pare_scatter_point *points = pare_calloc((size_t)view->n_trials + 1, sizeof(*points));
	int count = 0;

	if (!points) {
		out->failed = true;
		return;
	}
	if (width > PLOT_MARGIN && width - PLOT_MARGIN < options.columns)
		options.columns = width - PLOT_MARGIN;
	for (int pass = 0; pass < 2; pass++) /* the front over the others */
		for (int64_t t = 0; t < view->n_trials; t++)
			if (view->trials[t].state == PARE_TRIAL_COMPLETE && view->on_front[t] == (pass == 1))
				points[count++] = point_of(&view->trials[t].metrics, cost, pass ? 'o' : '.');
	points[count++] = point_of(&view->baseline, cost, 'B');
	pare_scatter(points, count, &options, out);
	pare_strbuf_printf(out, "           B uncut network, o Pareto front, . other trials%s\n",
	                   isfinite(view->budget[cost]) ? ", : budget" : "");
	free(points);
}

/* ---- the whole ---- */

static void add_budgets(const struct pare_study_view *view, struct pare_strbuf *out)
{
	const char *separator = "Budgets: ";

	for (int m = 0; m < PARE_METRIC_COUNT; m++) {
		const struct pare_metric_info *info = &pare_metric_info[m];
		if (!isfinite(view->budget[m]))
			continue;
		pare_strbuf_printf(out, "%s%s at most ", separator, info->name);
		if (m == PARE_METRIC_LATENCY_MS)
			pare_strbuf_printf(out, "%.3f", view->budget[m]);
		else
			pare_grouped((int64_t)fmin(floor(view->budget[m]), 9e18), out);
		if (view->baseline.present[m] && view->baseline.value[m] > 0.0)
			pare_strbuf_printf(out, " (%.1f %% of the uncut network)",
			                   100.0 * view->budget[m] / view->baseline.value[m]);
		separator = ", ";
	}
	pare_strbuf_add(out, "\n");
}

/* What the titles of the finalists' table are too short to say; and whether its times can be believed. */
static void explain_finals(const struct pare_study_view *view, struct pare_strbuf *out)
{
	double worst = 0.0;

	for (int i = 0; i < view->n_finals; i++) /* fmax passes over NaN: nothing was measured */
		worst = fmax(worst, fabs(prediction_error(&view->finals[i])));
	pare_strbuf_add(out, "\npoints: test accuracy against the uncut network's; error %: predicted against measured "
	                     "latency,\n"
	                     "above 0 where it is faster than predicted; best: the network in best.onnx\n");
	if (worst > DOUBTFUL_ERROR)
		pare_strbuf_printf(out,
		                   "An error of %.0f %%: the machine was probably disturbed while it measured; do not "
		                   "rely on these times.\n",
		                   100.0 * worst);
}

static void add_next_steps(const struct pare_study_view *view, struct pare_strbuf *out)
{
	const char *directory = view->directory;

	if (view->complete)
		pare_strbuf_printf(out, "The best network within the budgets is in %s/best.onnx.\n", directory);
	else
		pare_strbuf_printf(out, "The study is not complete; go on with\n  pare resume %s\n", directory);
	pare_strbuf_printf(out,
	                   "Go on with\n"
	                   "  pare show %s --trial best          what was cut where\n"
	                   "  pare front %s --format json        all networks worth having\n"
	                   "  pare export %s --trial N -o FILE   any of them as ONNX\n",
	                   directory, directory, directory);
}

int pare_study_report(const struct pare_study_view *view, const struct pare_table_style *style, struct pare_strbuf *out)
{
	struct pare_table finals, front;
	int status;

	pare_finals_table(view, &finals);
	pare_front_table(view, &front);
	pare_strbuf_printf(out, "Study in %s: %" PRId64 " trials\n", view->directory, view->n_trials);
	add_budgets(view, out);
	pare_strbuf_add(out, "\nResults, after long fine-tuning; the test images were seen only now\n\n");
	status = pare_table_text(&finals, style, out);
	if (view->n_finals > 0)
		explain_finals(view, out);
	pare_strbuf_add(out, "\nPareto front of the search (short fine-tuning, search images)\n\n");
	if (!status)
		status = pare_table_text(&front, style, out);
	pare_strbuf_add(out, "\n");
	pare_front_plot(view, style->width, out);
	pare_strbuf_add(out, "\n");
	add_next_steps(view, out);
	pare_table_release(&finals);
	pare_table_release(&front);
	return status || out->failed ? PARE_E_NOMEM : PARE_OK;
}
