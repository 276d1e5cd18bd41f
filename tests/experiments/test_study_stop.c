/* A study that is stopped after every single trial and every finalist, and opened anew each time, comes to what an
 * undisturbed one comes to. (test_kill_resume.sh kills at any moment; here the moments are those that are hardest to
 * hit.) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "experiments/study.h"
#include "experiments/study_view.h"
#include "tests/support/temp_directory.h"

#define CONFIG PARE_SOURCE_DIR "/configs/smoke.yaml"
#define MOST_RUNS 100

/* A table's times would differ from study to study, so there is one for both. */
static void create(struct pare_study **study, const char *directory, const char *table)
{
	char table_override[600];
	const char *overrides[] = {"train.steps=12",
	                           "data.synthetic_images=200",
	                           "data.search_images=64",
	                           "latency.max_ms=0.05",
	                           "fine_tune.short.steps=2",
	                           "fine_tune.long.steps=3",
	                           table ? table_override : NULL,
	                           NULL};
	struct pare_diagnostics diagnostics;
	struct pare_error error = {0};
	struct pare_spec spec;

	snprintf(table_override, sizeof(table_override), "latency.table=%s", table ? table : "");
	pare_diagnostics_init(&diagnostics);
	assert_int_equal(pare_spec_read(&spec, CONFIG, overrides, &diagnostics), PARE_OK);
	pare_diagnostics_release(&diagnostics);
	if (pare_study_create(study, &spec, directory, &error))
		fail_msg("%s", error.text);
}

static int stop_at_new_trial(void *context, const struct pare_trial *trial, bool replayed)
{
	(void)context;
	(void)trial;
	return !replayed;
}

static int stop_at_final(void *context, const struct pare_final *final)
{
	(void)context;
	(void) final;
	return 1;
}

/* How often it was stopped. */
static int run_with_stops(const char *directory, const char *table)
{
	struct pare_study_events events = {.trial = stop_at_new_trial, .final = stop_at_final};
	struct pare_error error = {0};
	struct pare_study *study;
	int stops = 0, status;

	create(&study, directory, table);
	while ((status = pare_study_run(study, &events, &error)) == PARE_E_STOPPED) {
		assert_true(++stops < MOST_RUNS);
		pare_study_free(study);
		if (pare_study_open(&study, directory, &error))
			fail_msg("%s", error.text);
	}
	if (status)
		fail_msg("%s", error.text);
	pare_study_free(study);
	return stops;
}

static void run_undisturbed(const char *directory)
{
	struct pare_error error = {0};
	struct pare_study *study;

	create(&study, directory, NULL);
	if (pare_study_run(study, NULL, &error))
		fail_msg("%s", error.text);
	pare_study_free(study);
}

static void compare_metrics(const struct pare_metrics *a, const struct pare_metrics *b)
{
	for (int m = 0; m < PARE_METRIC_COUNT; m++) {
		assert_int_equal(a->present[m], b->present[m]);
		assert_true(!a->present[m] || a->value[m] == b->value[m]);
	}
}

static void compare_trials(const struct pare_study_view *a, const struct pare_study_view *b)
{
	assert_int_equal(a->n_trials, b->n_trials);
	for (int64_t t = 0; t < a->n_trials; t++) {
		assert_string_equal(a->trials[t].controller, b->trials[t].controller);
		assert_int_equal(a->trials[t].parent, b->trials[t].parent);
		assert_int_equal(a->trials[t].state, b->trials[t].state);
		assert_string_equal(a->trials[t].plan, b->trials[t].plan);
		assert_string_equal(a->trials[t].weights, b->trials[t].weights);
		compare_metrics(&a->trials[t].metrics, &b->trials[t].metrics);
	}
}

static void compare_finals(const struct pare_study_view *a, const struct pare_study_view *b)
{
	assert_int_equal(a->n_finals, b->n_finals);
	for (int i = 0; i < a->n_finals; i++) {
		assert_int_equal(a->finals[i].trial, b->finals[i].trial);
		assert_string_equal(a->finals[i].weights, b->finals[i].weights);
		assert_true(a->finals[i].test_accuracy == b->finals[i].test_accuracy);
		compare_metrics(&a->finals[i].metrics, &b->finals[i].metrics);
	}
}

static void test_study_stop__stopped_everywhere_is_the_same_as_never(void **state)
{
	char *folder = test_directory_new(), *whole = pare_path_join(folder, "whole"),
	     *stopped = pare_path_join(folder, "stopped");
	char *table = pare_path_join(whole, "latency.lut");
	struct pare_study_view a, b;
	struct pare_error error = {0};
	int stops;

	(void)state;
	run_undisturbed(whole);
	stops = run_with_stops(stopped, table);
	assert_int_equal(pare_study_view_read(&a, whole, &error), PARE_OK);
	assert_int_equal(pare_study_view_read(&b, stopped, &error), PARE_OK);
	assert_true(b.complete);
	assert_int_equal(stops, a.n_trials + a.n_finals);
	compare_trials(&a, &b);
	compare_finals(&a, &b);
	pare_study_view_release(&a);
	pare_study_view_release(&b);
	free(table);
	free(whole);
	free(stopped);
	test_directory_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_study_stop__stopped_everywhere_is_the_same_as_never),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
