#include "engine/train/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/train/evaluate.h"
#include "tests/support/small_data.h"

static struct pare_train_options usual_options(void)
{
	return (struct pare_train_options){.batch = 20,
	                                   .steps = 8,
	                                   .schedule = {.kind = PARE_SCHEDULE_CONSTANT, .learning_rate = 0.05},
	                                   .sgd = {.momentum = 0.9, .weight_decay = 1e-4},
	                                   .flip = true,
	                                   .crop_padding = 2,
	                                   .normalization = small_data_normalization,
	                                   .seed = 3};
}

static void train(struct pare_graph *graph, const struct pare_split *split, const struct pare_train_options *options)
{
	struct pare_error error;
	if (pare_train(graph, split, options, &error))
		fail_msg("%s", error.text);
}

/* All parameters, running statistics included, bit for bit. */
static bool same_params(const struct pare_graph *a, const struct pare_graph *b)
{
	for (int p = 0; p < a->n_params; p++) {
		size_t bytes = (size_t)pare_shape_elements(&a->params[p].shape) * sizeof(float);
		if (memcmp(a->params[p].data, b->params[p].data, bytes) != 0)
			return false;
	}
	return true;
}

static void test_train__a_small_network_learns(void **state)
{
	struct pare_splits splits;
	struct pare_evaluation before, after;
	struct pare_error error;
	struct pare_pool *pool = pare_pool_new(2);
	struct pare_graph *graph = small_net(true, 1);
	struct pare_train_options options = usual_options();
	(void)state;
	small_data_load(&splits, 2000, 500);
	options.batch = 32;
	options.steps = 400;
	options.schedule =
	        (struct pare_schedule_options){.kind = PARE_SCHEDULE_COSINE, .learning_rate = 0.2, .warmup = 0.1};
	options.flip = false; /* a mirrored grating is of another class */
	options.pool = pool;
	assert_int_equal(pare_evaluate(graph, &splits.test, &small_data_normalization, pool, &before, &error), PARE_OK);
	train(graph, &splits.train, &options);
	assert_int_equal(pare_evaluate(graph, &splits.test, &small_data_normalization, pool, &after, &error), PARE_OK);
	if (!(before.accuracy < 0.3 && after.accuracy > 0.8))
		fail_msg("accuracy %.3f before, %.3f after", before.accuracy, after.accuracy);
	assert_true(after.loss < before.loss / 2.0);
	pare_graph_free(graph);
	pare_splits_release(&splits);
	pare_pool_free(pool);
}

static void test_train__weights_do_not_depend_on_threads(void **state)
{
	struct pare_splits splits;
	(void)state;
	small_data_load(&splits, 90, 10);
	for (int64_t batch = 5; batch <= 41; batch += 36) { /* both layouts; blocks that are not full; three epochs */
		struct pare_train_options options = usual_options();
		struct pare_graph *serial = small_net(true, 2);
		options.batch = batch;
		options.label_smoothing = 0.1;
		options.steps = batch == 5 ? 20 : 6;
		train(serial, &splits.train, &options);
		for (int threads = 1; threads <= 3; threads++) {
			struct pare_graph *graph = small_net(true, 2);
			options.pool = pare_pool_new(threads);
			train(graph, &splits.train, &options);
			assert_true(same_params(graph, serial));
			pare_pool_free(options.pool);
			pare_graph_free(graph);
		}
		pare_graph_free(serial);
	}
	pare_splits_release(&splits);
}

static void test_train__the_seed_decides(void **state)
{
	struct pare_splits splits;
	struct pare_graph *graphs[3];
	(void)state;
	small_data_load(&splits, 60, 10);
	for (int i = 0; i < 3; i++) {
		struct pare_train_options options = usual_options();
		options.seed = i == 2 ? 4 : 3;
		graphs[i] = small_net(true, 5);
		train(graphs[i], &splits.train, &options);
	}
	assert_true(same_params(graphs[0], graphs[1]));
	assert_false(same_params(graphs[0], graphs[2]));
	for (int i = 0; i < 3; i++)
		pare_graph_free(graphs[i]);
	pare_splits_release(&splits);
}

/* ---- progress ---- */

#define MAX_REPORTS 64

struct record {
	int n;
	struct pare_train_progress reports[MAX_REPORTS];
	int64_t stop_at; /* step; 0 = never */
};

static int note(void *context, const struct pare_train_progress *progress)
{
	struct record *record = context;
	assert_true(record->n < MAX_REPORTS);
	record->reports[record->n++] = *progress;
	return record->stop_at && progress->step >= record->stop_at;
}

static void test_train__stops_when_progress_says_so(void **state)
{
	struct pare_splits splits;
	struct pare_error error = {0};
	struct record record = {.stop_at = 3};
	struct pare_train_options options = usual_options();
	struct pare_graph *stopped = small_net(true, 6), *whole = small_net(true, 6);
	(void)state;
	small_data_load(&splits, 100, 10);
	options.progress = note;
	options.progress_context = &record;
	options.report_steps = 1;
	assert_int_equal(pare_train(stopped, &splits.train, &options, &error), PARE_E_STOPPED);
	assert_int_equal(error.code, PARE_E_STOPPED);
	assert_int_equal(record.n, 3);
	/* The rate is constant: three steps of eight are three steps of three. */
	options.progress = NULL;
	options.steps = 3;
	train(whole, &splits.train, &options);
	assert_true(same_params(stopped, whole));
	pare_graph_free(stopped);
	pare_graph_free(whole);
	pare_splits_release(&splits);
}

static void test_train__reports_steps_and_epochs(void **state)
{
	struct pare_splits splits;
	struct record record = {0};
	struct pare_train_options options = usual_options();
	struct pare_graph *graph = small_net(true, 7);
	/* 70 images in batches of 20: 3 steps an epoch, the last 10 images of each are dropped. 2.5 epochs: 8 steps. */
	static const struct {
		int64_t step, epoch;
		bool end;
	} wanted[] = {{2, 0, false}, {3, 0, true}, {4, 1, false}, {6, 1, true}, {8, 2, true}};
	(void)state;
	small_data_load(&splits, 70, 10);
	options.steps = 0;
	options.epochs = 2.5;
	options.report_steps = 2;
	options.progress = note;
	options.progress_context = &record;
	options.schedule.kind = PARE_SCHEDULE_COSINE;
	train(graph, &splits.train, &options);
	assert_int_equal(record.n, 5);
	for (int i = 0; i < 5; i++) {
		const struct pare_train_progress *p = &record.reports[i];
		assert_int_equal(p->step, wanted[i].step);
		assert_int_equal(p->epoch, wanted[i].epoch);
		assert_int_equal(p->epoch_end, wanted[i].end);
		assert_int_equal(p->steps, 8);
		assert_int_equal(p->epochs, 3);
		assert_true(p->learning_rate == pare_schedule_rate(&options.schedule, p->step - 1, 8));
		assert_true(p->loss > 0.0 && isfinite(p->loss));
		assert_in_range((int)(p->accuracy * 1000.0), 0, 1000);
	}
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

/* Loss and accuracy are means over the epoch so far, however often they are reported. */
static void test_train__reports_are_means(void **state)
{
	struct pare_splits splits;
	struct record single = {0}, pairs = {0}, alone = {0};
	struct pare_train_options options = usual_options();
	struct pare_graph *a = small_net(true, 8), *b = small_net(true, 8), *c = small_net(true, 8);
	(void)state;
	small_data_load(&splits, 200, 10);
	options.progress = note;
	options.progress_context = &single;
	options.report_steps = 1;
	train(a, &splits.train, &options);
	options.progress_context = &pairs;
	options.report_steps = 2;
	train(b, &splits.train, &options);
	assert_int_equal(single.n, 8);
	assert_int_equal(pairs.n, 4);
	for (int i = 0; i < 4; i++) {
		const struct pare_train_progress *same = &single.reports[2 * i + 1];
		assert_int_equal(pairs.reports[i].step, same->step);
		assert_true(pairs.reports[i].loss == same->loss);
		assert_true(pairs.reports[i].accuracy == same->accuracy);
	}
	/* The second step's own loss, from a run that reports the first alone: 2 * mean(1, 2) - 1. */
	options.progress_context = &alone;
	options.report_steps = 1;
	options.steps = 1;
	train(c, &splits.train, &options);
	assert_true(alone.reports[0].loss == single.reports[0].loss);
	double second = 2.0 * single.reports[1].loss - single.reports[0].loss;
	double third = 3.0 * single.reports[2].loss - 2.0 * single.reports[1].loss;
	assert_true(second > 0.0 && third > 0.0 && second != third);
	pare_graph_free(c);
	pare_graph_free(a);
	pare_graph_free(b);
	pare_splits_release(&splits);
}

/* At rate 0 and without batch norm, an epoch's mean loss is that of the whole split: no image is missed or taken twice.
 */
static void test_train__every_epoch_sees_every_image_once(void **state)
{
	struct pare_splits splits;
	struct record record = {0};
	struct pare_train_options options = usual_options();
	struct pare_graph *graph = small_net(false, 13);
	struct pare_evaluation whole;
	struct pare_error error;
	(void)state;
	small_data_load(&splits, 80, 10);
	options.steps = 12; /* three epochs */
	options.schedule.learning_rate = 0.0;
	options.flip = false;
	options.crop_padding = 0;
	options.progress = note;
	options.progress_context = &record;
	train(graph, &splits.train, &options);
	assert_int_equal(pare_evaluate(graph, &splits.train, &small_data_normalization, NULL, &whole, &error), PARE_OK);
	assert_int_equal(record.n, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(fabs(record.reports[i].loss - whole.loss) <= 1e-6 * whole.loss);
		assert_true(fabs(record.reports[i].accuracy - whole.accuracy) <= 1e-12);
	}
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

/* ---- what cannot work ---- */

static void test_train__an_absurd_learning_rate_diverges(void **state)
{
	struct pare_splits splits;
	struct pare_error error = {0};
	struct pare_train_options options = usual_options();
	struct pare_graph *graph = small_net(false, 9);
	(void)state;
	small_data_load(&splits, 100, 10);
	options.schedule.learning_rate = 1e12;
	assert_int_equal(pare_train(graph, &splits.train, &options, &error), PARE_E_DIVERGED);
	assert_int_equal(error.code, PARE_E_DIVERGED);
	assert_non_null(strstr(error.text, "step"));
	assert_non_null(strstr(error.text, "1e+12"));
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

static void assert_refused(const struct pare_split *split, const struct pare_train_options *options,
                           const struct pare_graph *from, const char *needle)
{
	struct pare_error error = {0};
	struct pare_graph *graph = pare_graph_copy(from);
	assert_int_equal(pare_train(graph, split, options, &error), PARE_E_INVALID);
	if (!strstr(error.text, needle))
		fail_msg("\"%s\" does not name \"%s\"", error.text, needle);
	assert_true(same_params(graph, from));
	pare_graph_free(graph);
}

static void test_train__impossible_options_are_refused(void **state)
{
	struct pare_splits splits;
	static const int64_t batches[] = {0, -1, 51};
	static const double epochs[] = {-1.0, NAN, INFINITY, 1e300};
	struct pare_graph *graph = small_net(true, 10);
	(void)state;
	small_data_load(&splits, 50, 10);
	for (int i = 0; i < 3; i++) {
		struct pare_train_options options = usual_options();
		options.batch = batches[i];
		assert_refused(&splits.train, &options, graph, i == 2 ? "51" : "batch");
	}
	for (int i = 0; i < 4; i++) {
		struct pare_train_options options = usual_options();
		options.steps = 0;
		options.epochs = epochs[i];
		assert_refused(&splits.train, &options, graph, "epochs");
	}
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

static void test_train__networks_that_do_not_fit_the_data_are_refused(void **state)
{
	struct pare_splits splits;
	struct pare_graph *graph = small_net(true, 11);
	struct pare_train_options options = usual_options();
	int output = graph->output;
	(void)state;
	small_data_load(&splits, 50, 10);
	graph->values[graph->input].shape.dim[1] = 32;
	assert_refused(&splits.train, &options, graph, "1x28x28");
	graph->values[graph->input].shape.dim[1] = 28;
	graph->values[output].shape.dim[0] = 9;
	assert_refused(&splits.train, &options, graph, "10 classes");
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

static void test_train__the_whole_split_in_one_batch(void **state)
{
	struct pare_splits splits;
	struct record record = {0};
	struct pare_train_options options = usual_options();
	struct pare_graph *graph = small_net(true, 12);
	(void)state;
	small_data_load(&splits, 50, 10);
	options.batch = 50;
	options.steps = 3;
	options.progress = note;
	options.progress_context = &record;
	train(graph, &splits.train, &options);
	assert_int_equal(record.n, 3); /* each step is an epoch */
	pare_graph_free(graph);
	pare_splits_release(&splits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_train__a_small_network_learns),
	        cmocka_unit_test(test_train__weights_do_not_depend_on_threads),
	        cmocka_unit_test(test_train__the_seed_decides),
	        cmocka_unit_test(test_train__stops_when_progress_says_so),
	        cmocka_unit_test(test_train__reports_steps_and_epochs),
	        cmocka_unit_test(test_train__reports_are_means),
	        cmocka_unit_test(test_train__every_epoch_sees_every_image_once),
	        cmocka_unit_test(test_train__an_absurd_learning_rate_diverges),
	        cmocka_unit_test(test_train__impossible_options_are_refused),
	        cmocka_unit_test(test_train__networks_that_do_not_fit_the_data_are_refused),
	        cmocka_unit_test(test_train__the_whole_split_in_one_batch),
	};
	alarm(600); /* a pool that waits for ever ends the program instead of blocking the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
