/* A study's record as the commands show it: written into a store by hand, read back as a view. */
#include "experiments/study_report.h"

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
#include "tests/support/temp_directory.h"

/* accuracy, macs */
static const double networks[][2] = {
        {0.80, 700.0}, /* 0: on the front, over the budget */
        {0.70, 750.0}, /* 1: beaten by 0 */
        {0.60, 500.0}, /* 2: on the front, just within the budget */
        {0.60, 500.0}, /* 3: the same: the first stays */
        {0.90, 100.0}, /* 4: would beat all, but failed */
        {0.50, 400.0}, /* 5: on the front */
};

#define N_NETWORKS 6
#define FAILED 4

static struct pare_store *open_new(const char *directory)
{
	struct pare_store *store;
	struct pare_error error = {0};
	char *path = pare_path_join(directory, "study.db");

	assert_int_equal(pare_store_open(&store, path, PARE_STORE_CREATE, &error), PARE_OK);
	free(path);
	return store;
}

static void set(struct pare_store *store, const char *key, const char *value)
{
	struct pare_error error = {0};
	assert_int_equal(pare_store_set(store, key, value, &error), PARE_OK);
}

static void add_trials(struct pare_store *store)
{
	for (int64_t t = 0; t < N_NETWORKS; t++) {
		struct pare_trial trial = {
		        .trial = t, .controller = "netadapt", .parent = t - 1, .plan = (char *)"conv1=3/4"};
		struct pare_error error = {0};
		snprintf(trial.plan_hash, sizeof(trial.plan_hash), "%032d", (int)t);
		if (t == FAILED) {
			trial.state = PARE_TRIAL_FAILED;
			trial.message = (char *)"loss is nan";
		}
		pare_metrics_set(&trial.metrics, PARE_METRIC_ACCURACY, networks[t][0]);
		pare_metrics_set(&trial.metrics, PARE_METRIC_MACS, networks[t][1]);
		assert_int_equal(pare_store_add_trial(store, &trial, &error), PARE_OK);
	}
}

static void add_final(struct pare_store *store, int64_t trial, const char *controller, double search, double test,
                      double macs)
{
	struct pare_final final = {.trial = trial, .test_accuracy = test, .measured_latency_ms = 1.6};
	struct pare_error error = {0};

	snprintf(final.controller, sizeof(final.controller), "%s", controller);
	snprintf(final.weights, sizeof(final.weights), "%032d", 1);
	pare_metrics_set(&final.metrics, PARE_METRIC_ACCURACY, search);
	pare_metrics_set(&final.metrics, PARE_METRIC_MACS, macs);
	pare_metrics_set(&final.metrics, PARE_METRIC_LATENCY_MS, 2.0);
	assert_int_equal(pare_store_add_final(store, &final, &error), PARE_OK);
}

/* A study with everything; its folder is the caller's. */
static char *study_new(void)
{
	char *directory = test_directory_new();
	struct pare_store *store = open_new(directory);

	set(store, "baseline.accuracy", "0.95");
	set(store, "baseline.macs", "1000");
	set(store, "budget.macs", "500");
	add_trials(store);
	add_final(store, PARE_TRIAL_BASELINE, "baseline", 0.95, 0.94, 1000.0);
	add_final(store, 2, "netadapt", 0.85, 0.84, 500.0);
	set(store, "status", "complete");
	pare_store_close(store);
	return directory;
}

static void view_of(struct pare_study_view *view, const char *directory)
{
	struct pare_error error = {0};
	assert_int_equal(pare_study_view_read(view, directory, &error), PARE_OK);
}

static void test_study_view__reads_what_the_study_noted(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;

	(void)state;
	view_of(&view, directory);
	assert_true(view.complete);
	assert_int_equal(view.n_trials, N_NETWORKS);
	assert_int_equal(view.n_finals, 2);
	assert_true(view.baseline.present[PARE_METRIC_MACS] && view.baseline.value[PARE_METRIC_MACS] == 1000.0);
	assert_false(view.baseline.present[PARE_METRIC_LATENCY_MS]);
	assert_true(view.budget[PARE_METRIC_MACS] == 500.0);
	assert_true(isinf(view.budget[PARE_METRIC_PARAMS]));
	assert_int_equal(view.finals[view.best_final].trial, 2);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_view__the_front_has_the_undominated_and_the_uncut(void **state)
{
	static const bool expected[N_NETWORKS] = {true, false, true, false, false, true};
	char *directory = study_new();
	struct pare_study_view view;

	(void)state;
	view_of(&view, directory);
	assert_int_equal(view.n_objectives, 2);
	assert_int_equal(view.objectives[0], PARE_METRIC_ACCURACY);
	assert_int_equal(view.objectives[1], PARE_METRIC_MACS);
	assert_true(view.baseline_on_front);
	for (int t = 0; t < N_NETWORKS; t++)
		assert_int_equal(view.on_front[t], expected[t]);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_view__a_budget_holds_up_to_its_number(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;
	struct pare_metrics unknown = {0};

	(void)state;
	view_of(&view, directory);
	assert_false(pare_study_view_feasible(&view, &view.trials[0].metrics));
	assert_true(pare_study_view_feasible(&view, &view.trials[2].metrics));
	assert_false(pare_study_view_feasible(&view, &unknown));
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_view__finds_trials_by_what_users_type(void **state)
{
	static const struct {
		const char *text;
		int status;
		int64_t trial;
	} cases[] = {{"best", PARE_OK, 2},
	             {"baseline", PARE_OK, PARE_TRIAL_BASELINE},
	             {"0", PARE_OK, 0},
	             {"5", PARE_OK, 5},
	             {"6", PARE_E_NOT_FOUND, 0},
	             {"-1", PARE_OK, PARE_TRIAL_BASELINE},
	             {"-2", PARE_E_INVALID, 0},
	             {"", PARE_E_INVALID, 0},
	             {"1x", PARE_E_INVALID, 0},
	             {"bets", PARE_E_INVALID, 0},
	             {"99999999999999999999", PARE_E_INVALID, 0}};
	char *directory = study_new();
	struct pare_study_view view;

	(void)state;
	view_of(&view, directory);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pare_error error = {0};
		int64_t trial;
		assert_int_equal(pare_study_view_trial(&view, cases[i].text, &trial, &error), cases[i].status);
		if (cases[i].status)
			assert_string_not_equal(error.text, "");
		else
			assert_int_equal(trial, cases[i].trial);
	}
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_view__a_study_that_just_began_has_no_front_and_no_best(void **state)
{
	char *directory = test_directory_new();
	struct pare_study_view view;
	struct pare_strbuf out;
	struct pare_error error = {0};
	int64_t trial;

	(void)state;
	pare_store_close(open_new(directory));
	view_of(&view, directory);
	assert_false(view.complete || view.baseline_on_front);
	assert_int_equal(view.best_final, -1);
	assert_int_equal(pare_study_view_trial(&view, "best", &trial, &error), PARE_E_NOT_FOUND);
	pare_strbuf_init(&out);
	assert_int_equal(pare_study_report(&view, &(struct pare_table_style){0}, &out), 0);
	assert_non_null(strstr(out.text, "pare resume"));
	pare_strbuf_release(&out);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_view__a_folder_without_a_study_is_refused(void **state)
{
	char *directory = test_directory_new();
	struct pare_study_view view;
	struct pare_error error = {0};

	(void)state;
	assert_int_equal(pare_study_view_read(&view, directory, &error), PARE_E_NOT_FOUND);
	assert_non_null(strstr(error.text, "no study.db"));
	assert_int_equal(test_directory_count(directory), 0); /* looking made nothing */
	assert_int_equal(pare_study_view_read(&view, "/nonexistent/x", &error), PARE_E_NOT_FOUND);
	test_directory_free(directory);
}

static void test_study_view__a_number_that_is_none_is_refused(void **state)
{
	char *directory = test_directory_new();
	struct pare_store *store = open_new(directory);
	struct pare_study_view view;
	struct pare_error error = {0};

	(void)state;
	set(store, "budget.macs", "lots");
	pare_store_close(store);
	assert_int_equal(pare_study_view_read(&view, directory, &error), PARE_E_FORMAT);
	assert_non_null(strstr(error.text, "lots"));
	test_directory_free(directory);
}

/* ---- the report ---- */

static void test_study_report__compares_finalists_with_the_uncut_network(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	view_of(&view, directory);
	pare_finals_table(&view, &table);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){0}, &out), 0);
	assert_string_equal(out.text, "network   trial  test acc. %  points  search acc. %  latency ms   MACs  params  "
	                              "measured ms  error %  in budget  best\n"
	                              "baseline      -        94.00       -          95.00       2.000  1,000       -  "
	                              "      1.600     25.0  no         no\n"
	                              "netadapt      2        84.00  -10.00          85.00       2.000    500       -  "
	                              "      1.600     25.0  yes        yes\n");
	pare_strbuf_release(&out);
	pare_table_release(&table);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

static void test_study_report__tells_budgets_and_the_next_steps(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;
	struct pare_strbuf out;

	(void)state;
	view_of(&view, directory);
	pare_strbuf_init(&out);
	assert_int_equal(pare_study_report(&view, &(struct pare_table_style){.width = 100}, &out), 0);
	assert_non_null(strstr(out.text, "Budgets: macs at most 500 (50.0 % of the uncut network)"));
	assert_non_null(strstr(out.text, "/best.onnx"));
	assert_non_null(strstr(out.text, "pare export"));
	assert_null(strstr(out.text, "pare resume"));
	assert_non_null(strchr(out.text, 'B'));
	pare_strbuf_release(&out);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

/* In study_new, 2 ms were predicted for what took 1.6. */
static void test_study_report__explains_its_titles_and_doubts_bad_times(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;
	struct pare_strbuf out;

	(void)state;
	view_of(&view, directory);
	pare_strbuf_init(&out);
	assert_int_equal(pare_study_report(&view, &(struct pare_table_style){0}, &out), 0);
	assert_non_null(strstr(out.text, "points: test accuracy against the uncut network's"));
	assert_non_null(strstr(out.text, "above 0 where it is faster than predicted"));
	assert_non_null(strstr(out.text, "An error of 25 %: the machine was probably disturbed"));
	for (int i = 0; i < view.n_finals; i++)
		view.finals[i].measured_latency_ms = i ? 2.19 : 1.83; /* -8.7 %, 9.3 % */
	pare_strbuf_clear(&out);
	assert_int_equal(pare_study_report(&view, &(struct pare_table_style){0}, &out), 0);
	assert_null(strstr(out.text, "disturbed"));
	view.finals[0].measured_latency_ms = 2.3; /* -13 % */
	pare_strbuf_clear(&out);
	assert_int_equal(pare_study_report(&view, &(struct pare_table_style){0}, &out), 0);
	assert_non_null(strstr(out.text, "disturbed"));
	pare_strbuf_release(&out);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

/* Every trial with every field, the failed one too. */
static void test_study_report__trials_carry_every_field(void **state)
{
	char *directory = study_new();
	struct pare_study_view view;
	struct pare_table table;
	json_t *array, *row;

	(void)state;
	view_of(&view, directory);
	pare_trials_table(&view, &table);
	array = pare_table_json(&table);
	assert_int_equal(json_array_size(array), N_NETWORKS);
	row = json_array_get(array, FAILED);
	assert_string_equal(json_string_value(json_object_get(row, "state")), "failed");
	assert_string_equal(json_string_value(json_object_get(row, "message")), "loss is nan");
	assert_true(json_is_false(json_object_get(row, "within_budgets")));
	row = json_array_get(array, 2);
	assert_int_equal(json_integer_value(json_object_get(row, "parent")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "macs")), 500);
	assert_true(json_real_value(json_object_get(row, "accuracy")) == 0.60);
	assert_true(json_is_null(json_object_get(row, "weights")));
	assert_true(json_is_null(json_object_get(row, "latency_ms")));
	assert_string_equal(json_string_value(json_object_get(row, "plan")), "conv1=3/4");
	assert_true(json_is_true(json_object_get(row, "within_budgets")));
	json_decref(array);
	pare_table_release(&table);
	pare_study_view_release(&view);
	test_directory_free(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_study_view__reads_what_the_study_noted),
	        cmocka_unit_test(test_study_view__the_front_has_the_undominated_and_the_uncut),
	        cmocka_unit_test(test_study_view__a_budget_holds_up_to_its_number),
	        cmocka_unit_test(test_study_view__finds_trials_by_what_users_type),
	        cmocka_unit_test(test_study_view__a_study_that_just_began_has_no_front_and_no_best),
	        cmocka_unit_test(test_study_view__a_folder_without_a_study_is_refused),
	        cmocka_unit_test(test_study_view__a_number_that_is_none_is_refused),
	        cmocka_unit_test(test_study_report__compares_finalists_with_the_uncut_network),
	        cmocka_unit_test(test_study_report__tells_budgets_and_the_next_steps),
	        cmocka_unit_test(test_study_report__explains_its_titles_and_doubts_bad_times),
	        cmocka_unit_test(test_study_report__trials_carry_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
