#include "experiments/study_view.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "experiments/export.h"
#include "search/pareto.h"

/* A number that the study noted under "<prefix>.<metric>"; *found = false when there is none. */
static int read_number(struct pare_store *store, const char *prefix, enum pare_metric metric, double *value,
                       bool *found, struct pare_error *error)
{
	char key[64], *text = NULL, *end;
	int status;

	snprintf(key, sizeof(key), "%s.%s", prefix, pare_metric_info[metric].name);
	status = pare_store_get(store, key, &text, error);
	*found = !status && text;
	if (*found) {
		*value = strtod(text, &end);
		if (end == text || *end)
			status = pare_error_set(error, PARE_E_FORMAT, "the study notes '%s' as its %s: not a number",
			                        text, key);
	}
	free(text);
	return status;
}

static int read_attributes(struct pare_study_view *view, struct pare_store *store, struct pare_error *error)
{
	char *text = NULL;
	int status = pare_store_get(store, "status", &text, error);

	view->complete = !status && text && strcmp(text, "complete") == 0;
	free(text);
	for (int m = 0; !status && m < PARE_METRIC_COUNT; m++) {
		bool limited;
		status = read_number(store, "baseline", m, &view->baseline.value[m], &view->baseline.present[m], error);
		view->budget[m] = INFINITY;
		if (!status)
			status = read_number(store, "budget", m, &view->budget[m], &limited, error);
	}
	return status;
}

/* ---- the front ---- */

static void choose_objectives(struct pare_study_view *view)
{
	view->objectives[view->n_objectives++] = PARE_METRIC_ACCURACY;
	for (int m = 0; m < PARE_METRIC_COUNT; m++)
		if (m != PARE_METRIC_ACCURACY && isfinite(view->budget[m]))
			view->objectives[view->n_objectives++] = m;
}

/* NaN for what is not known: such a point is on no front. */
static void fill_point(const struct pare_study_view *view, const struct pare_metrics *metrics, bool complete,
                       double *point)
{
	for (int k = 0; k < view->n_objectives; k++) {
		enum pare_metric metric = view->objectives[k];
		point[k] = complete && metrics->present[metric] ? metrics->value[metric] : NAN;
	}
}

/* The uncut network is point 0: of equal points the first stays. */
static int mark_front(struct pare_study_view *view, struct pare_error *error)
{
	size_t count = (size_t)view->n_trials + 1, width = (size_t)view->n_objectives;
	double *points = pare_calloc(count * width, sizeof(*points));
	bool *front = pare_calloc(count, sizeof(*front));
	bool maximise[PARE_METRIC_COUNT];
	int status = PARE_OK;

	view->on_front = pare_calloc(count, sizeof(*view->on_front));
	if (!points || !front || !view->on_front) {
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
		goto out;
	}
	for (int k = 0; k < view->n_objectives; k++)
		maximise[k] = pare_metric_info[view->objectives[k]].maximise;
	fill_point(view, &view->baseline, true, points);
	for (int64_t t = 0; t < view->n_trials; t++)
		fill_point(view, &view->trials[t].metrics, view->trials[t].state == PARE_TRIAL_COMPLETE,
		           points + ((size_t)t + 1) * width);
	pare_pareto_front(points, (int)count, view->n_objectives, maximise, front);
	view->baseline_on_front = front[0] && view->baseline.present[PARE_METRIC_ACCURACY];
	for (int64_t t = 0; t < view->n_trials; t++)
		view->on_front[t] = front[t + 1] && view->trials[t].state == PARE_TRIAL_COMPLETE;
out:
	free(points);
	free(front);
	return status;
}

/* ---- reading ---- */

static int open_store(struct pare_store **store, const char *directory, struct pare_error *error)
{
	char *path = pare_path_join(directory, "study.db");
	int status;

	if (!path)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (pare_file_exists(path))
		status = pare_store_open(store, path, PARE_STORE_READ, error);
	else
		status = pare_error_set_at(error, PARE_E_NOT_FOUND, directory, 0, 0, "%s",
		                           pare_file_is_directory(directory)
		                                   ? "this is no run directory: it has no study.db"
		                                   : "there is no such run directory");
	free(path);
	return status;
}

int pare_study_view_read(struct pare_study_view *view, const char *directory, struct pare_error *error)
{
	struct pare_store *store = NULL;
	int status;

	*view = (struct pare_study_view){.directory = pare_strdup(directory), .best_final = -1};
	status = view->directory ? open_store(&store, directory, error)
	                         : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = read_attributes(view, store, error);
	if (!status)
		status = pare_store_trials(store, &view->trials, &view->n_trials, error);
	if (!status)
		status = pare_store_finals(store, &view->finals, &view->n_finals, error);
	if (!status) {
		view->best_final = pare_best_final(view->finals, view->n_finals);
		choose_objectives(view);
		status = mark_front(view, error);
	}
	pare_store_close(store);
	if (status)
		pare_study_view_release(view);
	return status;
}

void pare_study_view_release(struct pare_study_view *view)
{
	free(view->directory);
	pare_trials_free(view->trials, view->n_trials);
	free(view->finals);
	free(view->on_front);
	*view = (struct pare_study_view){0};
}

/* ---- questions ---- */

bool pare_study_view_feasible(const struct pare_study_view *view, const struct pare_metrics *metrics)
{
	for (int m = 0; m < PARE_METRIC_COUNT; m++)
		if (isfinite(view->budget[m]) && !(metrics->present[m] && metrics->value[m] <= view->budget[m]))
			return false;
	return true;
}

const struct pare_final *pare_study_view_final(const struct pare_study_view *view, int64_t trial)
{
	for (int i = 0; i < view->n_finals; i++)
		if (view->finals[i].trial == trial)
			return &view->finals[i];
	return NULL;
}

int pare_study_view_trial(const struct pare_study_view *view, const char *text, int64_t *trial,
                          struct pare_error *error)
{
	char *end;

	*trial = PARE_TRIAL_BASELINE;
	if (strcmp(text, "baseline") == 0 || strcmp(text, "-1") == 0) /* -1: as csv and json have it */
		return PARE_OK;
	if (strcmp(text, "best") == 0) {
		if (view->best_final < 0)
			return pare_error_set(error, PARE_E_NOT_FOUND, "the study has no finalist yet");
		*trial = view->finals[view->best_final].trial;
		return PARE_OK;
	}
	errno = 0;
	*trial = strtoll(text, &end, 10);
	if (errno || end == text || *end || *trial < 0)
		return pare_error_set(error, PARE_E_INVALID,
		                      "trial '%s': expected a trial's number, 'best' or 'baseline'", text);
	if (*trial >= view->n_trials)
		return pare_error_set(error, PARE_E_NOT_FOUND, "there is no trial %" PRId64 "; the study has %" PRId64,
		                      *trial, view->n_trials);
	return PARE_OK;
}
