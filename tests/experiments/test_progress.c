#include "experiments/progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WIDE 200
#define REDRAW "\r\033[2K\033[1A\r\033[2K" /* the block's second line away, up, the first away */

static const struct pare_progress_goal half_macs = {PARE_METRIC_MACS, 1000.0, 500.0};

struct rig {
	struct pare_progress progress;
	struct pare_strbuf out;
};

static struct rig *rig_new(bool terminal, bool quiet)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	pare_progress_init(&rig->progress, &(struct pare_progress_options){.terminal = terminal, .quiet = quiet},
	                   1000.0);
	pare_strbuf_init(&rig->out);
	return rig;
}

static void rig_free(struct rig *rig)
{
	pare_strbuf_release(&rig->out);
	free(rig);
}

/* What was written since the last call. */
static char *taken(struct rig *rig)
{
	static char text[2000];
	snprintf(text, sizeof(text), "%s", rig->out.text);
	pare_strbuf_clear(&rig->out);
	return text;
}

static void train(struct rig *rig, double now_ms, int width, int64_t step, bool epoch_end)
{
	struct pare_train_progress training = {.step = step,
	                                       .steps = 100,
	                                       .epoch = (step - 1) / 50,
	                                       .epochs = 2,
	                                       .loss = 1.5,
	                                       .accuracy = 0.25,
	                                       .epoch_end = epoch_end};
	pare_progress_training(&rig->progress, now_ms, width, &training, &rig->out);
}

static void try_network(struct rig *rig, double now_ms, int64_t id, double accuracy, double macs, bool replayed)
{
	struct pare_trial trial = {.trial = id, .controller = "netadapt", .round = 2};

	pare_metrics_set(&trial.metrics, PARE_METRIC_ACCURACY, accuracy);
	pare_metrics_set(&trial.metrics, PARE_METRIC_MACS, macs);
	pare_progress_trial(&rig->progress, now_ms, WIDE, &trial, replayed, &rig->out);
}

static void test_progress__plain_lines_come_once_an_epoch(void **state)
{
	struct rig *rig = rig_new(false, false);

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "baseline", "resnet8", &rig->out);
	assert_string_equal(taken(rig), "baseline: resnet8\n");
	train(rig, 2000.0, WIDE, 10, false);
	assert_string_equal(taken(rig), "");
	train(rig, 6000.0, WIDE, 50, true);
	assert_string_equal(taken(rig),
	                    "epoch 1/2, step 50/100: loss 1.5000, training accuracy 25.00 %, about 5.0 s left\n");
	train(rig, 11000.0, WIDE, 100, true);
	assert_string_equal(taken(rig), "epoch 2/2, step 100/100: loss 1.5000, training accuracy 25.00 %\n");
	pare_progress_end(&rig->progress, &rig->out);
	assert_string_equal(taken(rig), "");
	rig_free(rig);
}

static void test_progress__a_table_tells_quarters_and_a_sign_of_life(void **state)
{
	struct rig *rig = rig_new(false, false);
	int lines = 0;

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "latency table", NULL, &rig->out);
	taken(rig);
	for (int i = 1; i <= 100; i++)
		pare_progress_table(&rig->progress, 1000.0 + i, WIDE, i, 100, &rig->out);
	for (const char *at = rig->out.text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 4);
	taken(rig);

	pare_progress_phase(&rig->progress, 2000.0, WIDE, "latency table", NULL, &rig->out);
	taken(rig);
	pare_progress_table(&rig->progress, 2000.0 + 29e3, WIDE, 1, 100, &rig->out);
	assert_string_equal(taken(rig), "");
	pare_progress_table(&rig->progress, 2000.0 + 30e3, WIDE, 2, 100, &rig->out);
	assert_string_equal(taken(rig), "2/100 shapes timed (2 %)\n");
	rig_free(rig);
}

static void test_progress__a_trial_tells_accuracy_and_budgets(void **state)
{
	struct rig *rig = rig_new(false, false);

	(void)state;
	pare_progress_set_goals(&rig->progress, &half_macs, 1);
	try_network(rig, 2000.0, 7, 0.875, 750.0, false);
	assert_string_equal(taken(rig), "trial 7 (netadapt, round 2): accuracy 87.50 %, macs 75.0 % (budget 50.0 %)\n");
	rig_free(rig);
}

static void test_progress__a_failed_trial_tells_why_in_one_clean_line(void **state)
{
	struct pare_trial trial = {
	        .trial = 3, .controller = "random", .state = PARE_TRIAL_FAILED, .message = (char *)"loss\n\033[2J"};
	struct rig *rig = rig_new(false, false);

	(void)state;
	pare_progress_trial(&rig->progress, 2000.0, WIDE, &trial, false, &rig->out);
	assert_string_equal(taken(rig), "trial 3 (random, round 0): failed: loss??[2J\n");
	trial.state = PARE_TRIAL_INFEASIBLE;
	trial.message = NULL;
	pare_progress_trial(&rig->progress, 2000.0, WIDE, &trial, false, &rig->out);
	assert_string_equal(taken(rig), "trial 3 (random, round 0): over a budget: no reason given\n");
	rig_free(rig);
}

static void test_progress__replayed_trials_are_one_line(void **state)
{
	struct rig *rig = rig_new(false, false);

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "search", "netadapt", &rig->out);
	taken(rig);
	for (int i = 0; i < 5; i++)
		try_network(rig, 1000.0, i, 0.5, 900.0, true);
	assert_string_equal(taken(rig), "");
	try_network(rig, 2000.0, 5, 0.5, 900.0, false);
	assert_ptr_equal(strstr(rig->out.text, "5 trials taken from the store\ntrial 5 "), rig->out.text);
	taken(rig);
	try_network(rig, 2000.0, 6, 0.5, 900.0, false);
	assert_null(strstr(rig->out.text, "store"));
	taken(rig);

	/* A phase without a new trial tells it at its end, the next one not again. */
	pare_progress_phase(&rig->progress, 3000.0, WIDE, "search", "uniform", &rig->out);
	taken(rig);
	try_network(rig, 3000.0, 7, 0.5, 400.0, true);
	pare_progress_phase(&rig->progress, 3000.0, WIDE, "end", NULL, &rig->out);
	assert_string_equal(taken(rig), "1 trial taken from the store\nend\n");
	pare_progress_phase(&rig->progress, 3000.0, WIDE, "end", NULL, &rig->out);
	assert_string_equal(taken(rig), "end\n");
	rig_free(rig);
}

static void test_progress__quiet_says_nothing(void **state)
{
	(void)state;
	for (int terminal = 0; terminal < 2; terminal++) {
		struct rig *rig = rig_new(terminal, true);
		struct pare_final final = {.controller = "uniform"};
		pare_progress_phase(&rig->progress, 1000.0, WIDE, "search", NULL, &rig->out);
		train(rig, 2000.0, WIDE, 50, true);
		pare_progress_table(&rig->progress, 2000.0, WIDE, 1, 1, &rig->out);
		try_network(rig, 3000.0, 0, 0.5, 400.0, true);
		try_network(rig, 3000.0, 1, 0.5, 400.0, false);
		pare_progress_final(&rig->progress, 4000.0, WIDE, &final, &rig->out);
		pare_progress_end(&rig->progress, &rig->out);
		assert_string_equal(taken(rig), "");
		rig_free(rig);
	}
}

/* ---- on a terminal ---- */

static void test_progress__a_terminal_gets_a_block_of_two_lines(void **state)
{
	struct rig *rig = rig_new(true, false);

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "baseline", "resnet8", &rig->out);
	assert_string_equal(taken(rig), "baseline: resnet8  [0.0 s]\n");
	train(rig, 6000.0, WIDE, 50, true);
	assert_string_equal(taken(rig),
	                    REDRAW "baseline: resnet8  [5.0 s]\n"
	                           "epoch 1/2, step 50/100: loss 1.5000, training accuracy 25.00 %, about 5.0 s left");
	pare_progress_end(&rig->progress, &rig->out);
	assert_string_equal(taken(rig), REDRAW);
	pare_progress_end(&rig->progress, &rig->out);
	assert_string_equal(taken(rig), "");
	rig_free(rig);
}

static void test_progress__redraws_at_most_ten_times_a_second(void **state)
{
	struct rig *rig = rig_new(true, false);
	int drawn = 0;

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "baseline", NULL, &rig->out);
	taken(rig);
	for (int i = 1; i <= 99; i++) { /* 990 ms, an event every 10 ms */
		train(rig, 1000.0 + 10.0 * i, WIDE, i, i == 50);
		drawn += taken(rig)[0] != '\0';
	}
	assert_int_equal(drawn, 9);
	train(rig, 1995.0, WIDE, 100, true); /* the last one is always shown */
	assert_string_not_equal(taken(rig), "");
	rig_free(rig);
}

/* A line that wraps would leave the cursor in the wrong place. */
static void test_progress__lines_are_shorter_than_the_terminal(void **state)
{
	struct rig *rig = rig_new(true, false);
	char *text;

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, 20, "baseline", "r\xc3\xa9seau r\xc3\xa9siduel \xc3\xa9norme",
	                    &rig->out);
	text = taken(rig);
	assert_string_equal(text, "baseline: r\xc3\xa9seau r\xc3\xa9\n"); /* 19 characters */
	rig_free(rig);
}

static void test_progress__the_best_is_the_best_within_budgets(void **state)
{
	struct rig *rig = rig_new(true, false);

	(void)state;
	pare_progress_set_goals(&rig->progress, &half_macs, 1);
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "search", "netadapt", &rig->out);
	try_network(rig, 2000.0, 0, 0.9, 750.0, false);
	assert_non_null(strstr(taken(rig), "none within all budgets yet, about 1.0 s left"));
	try_network(rig, 3000.0, 1, 0.8, 500.0, false);
	assert_non_null(strstr(taken(rig), "best within budgets: 80.00 % (trial 1)\n"));
	try_network(rig, 4000.0, 2, 0.7, 400.0, false);
	assert_non_null(strstr(taken(rig), "best within budgets: 80.00 % (trial 1)\n"));
	try_network(rig, 5000.0, 3, 0.85, 500.5, false);
	assert_non_null(strstr(taken(rig), "(trial 1)"));
	try_network(rig, 6000.0, 4, 0.81, 500.0, false);
	assert_non_null(strstr(taken(rig), "best within budgets: 81.00 % (trial 4)"));
	rig_free(rig);
}

/* Half of the way was replayed in no time: what is left takes as long as the new trials say. */
static void test_progress__replayed_trials_do_not_count_for_the_remaining_time(void **state)
{
	struct rig *rig = rig_new(true, false);

	(void)state;
	pare_progress_set_goals(&rig->progress, &half_macs, 1);
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "search", "netadapt", &rig->out);
	try_network(rig, 1500.0, 0, 0.9, 750.0, true);
	taken(rig);
	try_network(rig, 11500.0, 1, 0.9, 625.0, false); /* a quarter of the whole in 10 s, a quarter is left */
	assert_non_null(strstr(taken(rig), "about 10.0 s left"));
	rig_free(rig);
}

static void test_progress__a_final_stays_above_the_block(void **state)
{
	struct pare_final final = {
	        .trial = 12, .controller = "uniform", .test_accuracy = 0.901, .measured_latency_ms = 1.25};
	struct rig *rig = rig_new(true, false);

	(void)state;
	pare_progress_phase(&rig->progress, 1000.0, WIDE, "fine-tuning", NULL, &rig->out);
	taken(rig);
	pare_progress_final(&rig->progress, 2000.0, WIDE, &final, &rig->out);
	assert_string_equal(taken(rig), REDRAW "uniform, trial 12: test accuracy 90.10 %, measured 1.250 ms\n"
	                                       "fine-tuning  [1.0 s]\n");
	final.trial = PARE_TRIAL_BASELINE;
	pare_progress_final(&rig->progress, 2000.0, WIDE, &final, &rig->out);
	assert_non_null(strstr(taken(rig), "uncut network: test accuracy"));
	rig_free(rig);
}

static void test_progress__durations_read_well(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = {{0.0, "0.0 s"},          {-1.0, "0.0 s"},
	             {4.24, "4.2 s"},         {59.94, "59.9 s"},
	             {60.0, "1 min 00 s"},    {185.0, "3 min 05 s"},
	             {3599.9, "59 min 59 s"}, {3600.0, "1 h 00 min"},
	             {7800.0, "2 h 10 min"},  {360000.0, "100 h 00 min"},
	             {NAN, "0.0 s"}};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pare_duration_text(cases[i].seconds, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_progress__plain_lines_come_once_an_epoch),
	        cmocka_unit_test(test_progress__a_table_tells_quarters_and_a_sign_of_life),
	        cmocka_unit_test(test_progress__a_trial_tells_accuracy_and_budgets),
	        cmocka_unit_test(test_progress__a_failed_trial_tells_why_in_one_clean_line),
	        cmocka_unit_test(test_progress__replayed_trials_are_one_line),
	        cmocka_unit_test(test_progress__quiet_says_nothing),
	        cmocka_unit_test(test_progress__a_terminal_gets_a_block_of_two_lines),
	        cmocka_unit_test(test_progress__redraws_at_most_ten_times_a_second),
	        cmocka_unit_test(test_progress__lines_are_shorter_than_the_terminal),
	        cmocka_unit_test(test_progress__the_best_is_the_best_within_budgets),
	        cmocka_unit_test(test_progress__replayed_trials_do_not_count_for_the_remaining_time),
	        cmocka_unit_test(test_progress__a_final_stays_above_the_block),
	        cmocka_unit_test(test_progress__durations_read_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
