#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "experiments/spec.h"
#include "experiments/spec_table.h"
#include "tests/support/spec_helper.h"
#include "tests/support/text_files.h"

#define SMALL "model: {zoo: lenet}\ndata: {format: synthetic}\n"
#define SEARCHED SMALL "train: {}\nconstraints: {macs: 50%}\nsearch:\n  controller: netadapt\n"

/* Every key with a value that is not its default. */
static const char all_keys[] = "name: a_study-1\n"
                               "seed: 9007199254740992\n"
                               "threads: 3\n"
                               "model:\n"
                               "  zoo: resnet20\n"
                               "  width: 0.75\n"
                               "data:\n"
                               "  format: synthetic\n"
                               "  mean: [0.485, 0.456, 0.406]\n"
                               "  std: [0.229, 0.224, 0.225]\n"
                               "  search_images: 100\n"
                               "  train_images: 400\n"
                               "  test_images: 50\n"
                               "  synthetic_images: 700\n"
                               "  seed: 4\n"
                               "train:\n"
                               "  batch: 32\n"
                               "  epochs: 1.5\n"
                               "  learning_rate: 2.5e-1\n"
                               "  schedule: step\n"
                               "  milestones: [0.25, 0.5, .75]\n"
                               "  gamma: 0.3\n"
                               "  warmup: 0.01\n"
                               "  momentum: 0.8\n"
                               "  nesterov: true\n"
                               "  weight_decay: 1e-4\n"
                               "  label_smoothing: 0.1\n"
                               "  flip: true\n"
                               "  crop_padding: 4\n"
                               "constraints:\n"
                               "  peak_memory: 65536\n"
                               "  latency: 3.5\n"
                               "  macs: 33.3%\n"
                               "  params: 7%\n"
                               "  bytes: 100%\n"
                               "latency:\n"
                               "  batch: 1\n"
                               "  threads: 2\n"
                               "  table: tables/this.lut\n"
                               "  points: 5\n"
                               "  max_ms: 12.5\n"
                               "  foreign: true\n"
                               "space:\n"
                               "  criterion: l1\n"
                               "  step: 4\n"
                               "  min_ratio: 0.25\n"
                               "  ignore: [\"layer1.*\", 'a \"b\" \\ c', conv1]\n"
                               "  check_slimming: true\n"
                               "search:\n"
                               "  controller: netadapt\n"
                               "  netadapt: {decay: 0.9}\n"
                               "  baselines: [random, uniform]\n"
                               "  random: {trials: 7}\n"
                               "  finalists: 2\n"
                               "fine_tune:\n"
                               "  short: {steps: 20, batch: 16}\n"
                               "  long: {epochs: 2, final_learning_rate: 0.001}\n";

static double option_value(const struct pare_spec_controller *controller, const char *name)
{
	for (int i = 0; controller->kind->options[i].name; i++)
		if (strcmp(controller->kind->options[i].name, name) == 0)
			return controller->values[i];
	fail_msg("no option '%s'", name);
	return 0;
}

static void test_spec__every_key_arrives_in_its_field(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, all_keys, "/tmp/x.yaml", NULL);
	assert_string_equal(spec.path, "/tmp/x.yaml");
	assert_string_equal(spec.name, "a_study-1");
	assert_true(spec.seed == 9007199254740992);
	assert_int_equal(spec.threads, 3);
	assert_ptr_equal(spec.zoo, pare_zoo_find("resnet20"));
	assert_true(spec.width == 0.75);
	assert_null(spec.onnx);
	assert_ptr_equal(spec.data.reader, pare_reader_find("synthetic"));
	assert_null(spec.data_path);
	assert_int_equal(spec.n_mean, 3);
	assert_true(spec.normalization.mean[2] == 0.406F && spec.normalization.std[0] == 0.229F);
	assert_int_equal(spec.data.search_images, 100);
	assert_int_equal(spec.data.train_images, 400);
	assert_int_equal(spec.data.test_images, 50);
	assert_int_equal(spec.data.reader_options.synthetic_images, 700);
	assert_int_equal(spec.data.seed, 4);
	assert_int_equal(spec.data.reader_options.seed, 4);
	assert_true(spec.has_search);
	assert_int_equal(spec.latency_batch, 1);
	assert_int_equal(spec.latency_threads, 2);
	assert_string_equal(spec.latency_table, "/tmp/tables/this.lut");
	assert_int_equal(spec.latency_points, 5);
	assert_true(spec.latency_max_ms == 12.5);
	assert_true(spec.latency_foreign);
	assert_ptr_equal(spec.criterion, pare_criterion_find("l1"));
	assert_int_equal(spec.step, 4);
	assert_true(spec.min_ratio == 0.25);
	assert_int_equal(spec.n_ignore, 3);
	assert_string_equal(spec.ignore[1], "a \"b\" \\ c");
	assert_true(spec.check_slimming);
	assert_int_equal(spec.finalists, 2);
	pare_spec_release(&spec);
}

static void test_spec__training_sections_do_not_mix(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, all_keys, "x.yaml", NULL);
	assert_true(spec.has_train);
	assert_int_equal(spec.train.batch, 32);
	assert_true(spec.train.epochs == 1.5);
	assert_int_equal(spec.train.steps, 0);
	assert_int_equal(spec.train.schedule.kind, PARE_SCHEDULE_STEP);
	assert_true(spec.train.schedule.learning_rate == 0.25);
	assert_true(spec.train.schedule.warmup == 0.01);
	assert_int_equal(spec.train.schedule.n_milestones, 3);
	assert_true(spec.train.schedule.milestones[2] == 0.75);
	assert_true(spec.train.schedule.gamma == 0.3);
	assert_true(spec.train.sgd.momentum == 0.8 && spec.train.sgd.nesterov && spec.train.sgd.weight_decay == 1e-4);
	assert_true(spec.train.label_smoothing == 0.1);
	assert_true(spec.train.flip);
	assert_int_equal(spec.train.crop_padding, 4);
	assert_int_equal(spec.fine_tune_short.steps, 20);
	assert_true(spec.fine_tune_short.epochs == 0); /* steps are given instead */
	assert_int_equal(spec.fine_tune_short.batch, 16);
	assert_false(spec.fine_tune_short.flip);
	assert_true(spec.fine_tune_long.epochs == 2);
	assert_int_equal(spec.fine_tune_long.batch, 128);
	assert_true(spec.fine_tune_long.schedule.final_learning_rate == 0.001);
	pare_spec_release(&spec);
}

static void test_spec__controllers_get_their_options(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, all_keys, "x.yaml", NULL);
	assert_ptr_equal(spec.controller.kind, pare_controller_find("netadapt"));
	assert_true(option_value(&spec.controller, "decay") == 0.9);
	for (int i = 0; spec.controller.kind->options[i].name; i++)
		if (strcmp(spec.controller.kind->options[i].name, "decay") != 0)
			assert_true(spec.controller.values[i] == spec.controller.kind->options[i].fallback);
	assert_int_equal(spec.n_baselines, 2);
	assert_ptr_equal(spec.baselines[0].kind, pare_controller_find("random"));
	assert_true(option_value(&spec.baselines[0], "trials") == 7);
	assert_ptr_equal(spec.baselines[1].kind, pare_controller_find("uniform"));
	pare_spec_release(&spec);
}

static void test_spec__constraints_are_shares_or_numbers(void **state)
{
	static const struct pare_spec_constraint expected[] = {
	        {PARE_METRIC_LATENCY_MS, 3.5, false},          {PARE_METRIC_MACS, 33.3 / 100, true},
	        {PARE_METRIC_PARAMS, 7.0 / 100, true},         {PARE_METRIC_BYTES, 1, true},
	        {PARE_METRIC_PEAK_MEMORY_BYTES, 65536, false},
	};
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, all_keys, "x.yaml", NULL);
	assert_int_equal(spec.n_constraints, 5);
	for (int i = 0; i < 5; i++) { /* in the table's order, whatever the file's */
		assert_int_equal(spec.constraints[i].metric, expected[i].metric);
		assert_true(spec.constraints[i].value == expected[i].value);
		assert_int_equal(spec.constraints[i].relative, expected[i].relative);
	}
	pare_spec_release(&spec);
}

static void test_spec__defaults_are_filled_in(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, SMALL, "some/folder/My Study.v2.yaml", NULL);
	assert_string_equal(spec.name, "my_study_v2");
	assert_int_equal(spec.seed, 1);
	assert_true(spec.threads >= 1);
	assert_true(spec.width == 1);
	assert_false(spec.has_train);
	assert_false(spec.has_search);
	assert_int_equal(spec.n_mean, 1);
	assert_true(spec.normalization.mean[3] == 0 && spec.normalization.std[3] == 1);
	assert_ptr_equal(spec.criterion, pare_criterion_find("l2"));
	assert_null(spec.latency_table);
	assert_int_equal(spec.latency_batch, 16);
	assert_true(spec.train.schedule.gamma == 0.1);
	assert_true(spec.fine_tune_short.epochs == 0.1);
	assert_true(spec.fine_tune_long.epochs == 5);
	pare_spec_release(&spec);
}

static void test_spec__a_long_file_name_is_cut_to_a_name(void **state)
{
	struct pare_spec spec;
	char path[201];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	spec_from_text(&spec, SMALL, path, NULL);
	assert_int_equal(strlen(spec.name), 64);
	pare_spec_release(&spec);
	spec_from_text(&spec, SMALL, "-.yaml", NULL);
	assert_string_equal(spec.name, "_");
	pare_spec_release(&spec);
	spec_from_text(&spec, SMALL, "folder/", NULL);
	assert_true(strlen(spec.name) > 0);
	pare_spec_release(&spec);
}

static void test_spec__one_number_normalizes_all_channels(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, "data: {format: synthetic, mean: [0.25], std: [0.5]}\n", "x.yaml", NULL);
	for (int i = 0; i < 4; i++)
		assert_true(spec.normalization.mean[i] == 0.25F && spec.normalization.std[i] == 0.5F);
	pare_spec_release(&spec);
}

static void test_spec__data_may_stand_alone(void **state)
{
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, "data: {format: synthetic}\n", "x.yaml", NULL);
	assert_null(spec.zoo);
	assert_null(spec.onnx);
	pare_spec_release(&spec);
	assert_spec_refused("data: {format: synthetic}\ntrain: {}\n", NULL, "x.yaml: error: missing key 'model'");
}

static void test_spec__files_need_a_path(void **state)
{
	(void)state;
	assert_spec_refused("data: {format: idx}\n", NULL,
	                    "x.yaml:1:1: error: missing key 'data.path': format idx reads");
}

/* Overrides. */

static void test_spec__overrides_win(void **state)
{
	static const char *const overrides[] = {"seed=5",
	                                        "seed=6",
	                                        "constraints.macs=40%",
	                                        "constraints.params=1000",
	                                        "search.netadapt.decay=0.8",
	                                        "search.baselines=[uniform]",
	                                        "data.mean=[0.5]",
	                                        "train.schedule=cosine",
	                                        NULL};
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, SEARCHED, "x.yaml", overrides);
	assert_int_equal(spec.seed, 6);
	assert_int_equal(spec.n_constraints, 2);
	assert_true(spec.constraints[0].value == 0.4 && spec.constraints[0].relative);
	assert_true(spec.constraints[1].value == 1000 && !spec.constraints[1].relative);
	assert_true(option_value(&spec.controller, "decay") == 0.8);
	assert_int_equal(spec.n_baselines, 1);
	assert_true(spec.normalization.mean[0] == 0.5F);
	pare_spec_release(&spec);
}

static void test_spec__an_override_mends_the_file(void **state)
{
	static const char *const overrides[] = {"seed=5", NULL};
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, SMALL "seed: wrong\n", "x.yaml", overrides);
	assert_int_equal(spec.seed, 5);
	pare_spec_release(&spec);
}

static void test_spec__overrides_do_not_hide_what_the_file_is(void **state)
{
	static const char *const overrides[] = {"seed=1", NULL};

	(void)state;
	assert_spec_refused("[1]\n", overrides, "x.yaml:1:1: error: the configuration: expected sections");
}

static void test_spec__overrides_take_sections_out(void **state)
{
	static const char *const overrides[] = {"search=null", "train=null", NULL};
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, SEARCHED, "x.yaml", overrides);
	assert_false(spec.has_train);
	assert_false(spec.has_search);
	pare_spec_release(&spec);
}

static void test_spec__overrides_choose_another_model(void **state)
{
	static const char *const onnx[] = {"model.onnx=x.onnx", NULL}, *const zoo[] = {"model.zoo=resnet8", NULL};
	static const char *const both[] = {"model.onnx=x.onnx", "model.zoo=resnet8", NULL};
	struct pare_spec spec;

	(void)state;
	spec_from_text(&spec, "model: {zoo: lenet, width: 0.5}\ndata: {format: synthetic}\n", "x.yaml", onnx);
	assert_null(spec.zoo);
	assert_non_null(spec.onnx);
	assert_true(spec.width == 1);
	pare_spec_release(&spec);
	spec_from_text(&spec, "model: {onnx: x.onnx}\ndata: {format: synthetic}\n", "x.yaml", zoo);
	assert_ptr_equal(spec.zoo, pare_zoo_find("resnet8"));
	assert_null(spec.onnx);
	pare_spec_release(&spec);
	assert_spec_refused(SMALL, both, "--set model.onnx=x.onnx: error: model: both zoo and onnx");
}

static void test_spec__wrong_overrides_are_placed_at_themselves(void **state)
{
	static const struct {
		const char *override, *text;
	} cases[] = {
	        {"sed=3", "--set sed=3: error: unknown key 'sed'\n      = help: did you mean 'seed'?"},
	        {"seed=abc", "--set seed=abc: error: seed: expected an integer, found 'abc'"},
	        {"search.trials=abc", "--set search.trials=abc: error: unknown key 'trials' in search"},
	        {"search.netadapt.dekay=1", "did you mean 'decay'?"},
	        {"search.controller=unifrom", "did you mean 'uniform'?"},
	        {"search.controller=uniform", "x.yaml:8:3: error: options for 'netadapt', which is neither"},
	        {"train=3", "--set train=3: error: train: expected a section"},
	        {"train.batch=[1]", "--set train.batch=[1]: error: train.batch: expected an integer, found a list"},
	        {"seed.x=1", "--set seed.x=1: error: seed: expected an integer, found a section"},
	        {"nonsense", "--set nonsense: error: not of the form key.subkey=value"},
	        {"seed=", "--set seed=: error: no value"},
	        {"data.std=[0]", "--set data.std=[0]: error: data.std: 0 is out of range"},
	        {"space.step=.nan", "--set space.step=.nan: error: space.step: '.nan' is not a finite number"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *const overrides[] = {cases[i].override, NULL};

		assert_spec_refused(SEARCHED "  baselines: []\n  netadapt: {decay: 0.9}\n", overrides, cases[i].text);
	}
}

/* Paths. */

static void assert_data_path(const char *yaml_path, const char *data_path, const char *override, const char *expected)
{
	const char *const overrides[] = {override, NULL};
	struct pare_spec spec;
	char text[512];

	snprintf(text, sizeof(text), "data: {format: idx, path: \"%s\"}\n", data_path);
	spec_from_text(&spec, text, yaml_path, override ? overrides : NULL);
	assert_string_equal(spec.data_path, expected);
	assert_ptr_equal(spec.data.reader_options.path, spec.data_path);
	pare_spec_release(&spec);
}

static void test_spec__paths_start_at_the_file(void **state)
{
	(void)state;
	assert_data_path("/usr/share/x.yaml", "a/b", NULL, "/usr/share/a/b");
	assert_data_path("/usr/share/x.yaml", "./a//b/./c/", NULL, "/usr/share/a/b/c");
	assert_data_path("/usr/share/x.yaml", "../lib", NULL, "/usr/lib");
	assert_data_path("/usr/share/x.yaml", "../../../../lib", NULL, "/lib");
	assert_data_path("/usr/share/x.yaml", "..", NULL, "/usr");
	assert_data_path("/usr/share/x.yaml", "../..", NULL, "/");
	assert_data_path("/x.yaml", ".", NULL, "/");
	assert_data_path("/usr/share/x.yaml", "/a//b/.", NULL, "/a/b");
	/* what may be a link is not taken apart */
	assert_data_path("/usr/share/x.yaml", "a/../b", NULL, "/usr/share/a/../b");
	assert_data_path("/usr/share/x.yaml", "../a/../b", NULL, "/usr/a/../b");
	assert_data_path("/usr/share/x.yaml", "/a/../b", NULL, "/a/../b");
}

static void test_spec__paths_of_overrides_start_here(void **state)
{
	char *here = realpath(".", NULL), *expected;

	(void)state;
	assert_true(asprintf(&expected, "%s/a/b", here) > 0);
	assert_data_path("/usr/share/x.yaml", "x", "data.path=a/b", expected);
	assert_data_path("a.yaml", "a/b", NULL, expected);
	free(expected);
	free(here);
}

/* Canonical text and hash. */

static void assert_text_is_stable(const char *text, const char *path)
{
	struct pare_spec spec, again;
	char *first, *second;

	spec_from_text(&spec, text, path, NULL);
	first = spec_to_text(&spec);
	spec_from_text(&again, first, "/elsewhere/other.yaml", NULL);
	second = spec_to_text(&again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	pare_spec_release(&spec);
	pare_spec_release(&again);
}

static void test_spec_text__reads_back_as_the_same_text(void **state)
{
	(void)state;
	assert_text_is_stable(all_keys, "/tmp/x.yaml");
	assert_text_is_stable(SMALL, "x.yaml");
	assert_text_is_stable(SEARCHED, "x.yaml");
	assert_text_is_stable("data: {format: idx, path: \"a \\\"b\\\" \\\\ \\t c\"}\nmodel: {onnx: \"\xc3\xa9\"}\n",
	                      "x.yaml");
}

/* All shares of the form n.n % print as they are written, not as 7.000000000000001%. */
static void test_spec_text__writes_shares_as_they_were_given(void **state)
{
	(void)state;
	for (int i = 1; i <= 1000; i++) {
		char text[512], line[64];
		struct pare_spec spec;
		char *written;

		snprintf(line, sizeof(line), "  macs: %.15g%%\n", i / 10.0);
		snprintf(text, sizeof(text), SMALL "constraints:\n%s", line);
		spec_from_text(&spec, text, "x.yaml", NULL);
		written = spec_to_text(&spec);
		assert_non_null(strstr(written, line));
		free(written);
		pare_spec_release(&spec);
	}
}

static void test_spec_text__has_every_key(void **state)
{
	struct pare_spec spec;
	char *text, *line;
	size_t lines = 0, keys = 0;

	(void)state;
	spec_from_text(&spec, all_keys, "x.yaml", NULL);
	text = spec_to_text(&spec);
	for (line = text; *line; line++)
		lines += *line == '\n';
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		char needle[100];

		if (strcmp(pare_spec_table[i].option.name, "model.onnx") == 0 ||
		    strcmp(pare_spec_table[i].option.name, "data.path") == 0 || pare_spec_table[i].type->claims)
			continue; /* not set; and the controllers' options, counted below */
		snprintf(needle, sizeof(needle), "%s:", pare_spec_key_name(&pare_spec_table[i]));
		assert_non_null(strstr(text, needle));
		keys++;
	}
	keys += 2; /* the sections of netadapt and random; uniform has no options */
	for (int i = 0; spec.controller.kind->options[i].name; i++)
		keys++;
	for (int i = 0; spec.baselines[0].kind->options[i].name; i++)
		keys++;
	assert_int_equal(lines, keys);
	free(text);
	pare_spec_release(&spec);
}

static void hash_of(const char *path, const char *override, char hash[PARE_HASH_TEXT_SIZE])
{
	const char *const overrides[] = {override, NULL};
	struct pare_spec spec;

	spec_from_text(&spec, SEARCHED "  netadapt: {decay: 0.9}\n", path, override ? overrides : NULL);
	assert_int_equal(pare_spec_hash(&spec, hash), PARE_OK);
	pare_spec_release(&spec);
}

static void test_spec_hash__is_of_what_decides_the_numbers(void **state)
{
	static const char *const same[] = {"name=other",
	                                   "threads=7",
	                                   "seed=1",
	                                   "train.batch=128",
	                                   "search.netadapt.decay=0.90",
	                                   "constraints.macs=50.0%"};
	static const char *const other[] = {"seed=2",
	                                    "model.width=0.5",
	                                    "data.seed=3",
	                                    "train.batch=64",
	                                    "space.step=2",
	                                    "latency.threads=2",
	                                    "data.mean=[0.1]",
	                                    "constraints.macs=49%",
	                                    "fine_tune.short.flip=true",
	                                    "search.netadapt.decay=0.8",
	                                    "search.baselines=[uniform]",
	                                    "data.path=/x",
	                                    "constraints.macs=0.5",
	                                    "search.finalists=2"};
	char base[PARE_HASH_TEXT_SIZE], hash[PARE_HASH_TEXT_SIZE];

	(void)state;
	hash_of("x.yaml", NULL, base);
	assert_int_equal(strlen(base), PARE_HASH_TEXT_SIZE - 1);
	hash_of("/tmp/other.yaml", NULL, hash);
	assert_string_equal(hash, base);
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		hash_of("x.yaml", same[i], hash);
		assert_string_equal(hash, base);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
		hash_of("x.yaml", other[i], hash);
		if (strcmp(hash, base) == 0)
			fail_msg("%s does not change the hash", other[i]);
	}
}

/* The tables. */

static void assert_default_is_allowed(const struct pare_option *option, unsigned open)
{
	const char *const *choices = option->choices;
	int count = 0;

	assert_non_null(option->help);
	if (option->kind == PARE_OPTION_CHOICE) {
		while (choices[count])
			count++;
		assert_in_range((unsigned)option->fallback, 0, (unsigned)count - 1);
	} else if (strcmp(option->name, "threads") != 0) { /* its default is the machine's */
		assert_true(open & PARE_OPEN_LOW ? option->fallback > option->low : option->fallback >= option->low);
		assert_true(open & PARE_OPEN_HIGH ? option->fallback < option->high : option->fallback <= option->high);
	}
}

static void test_spec_table__is_in_itself_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];
		const char *name = pare_spec_key_name(key);

		assert_int_equal(pare_spec_find_key(key->option.name), i);
		assert_true(strlen(key->option.name) < 60); /* spec_check.c builds paths of up to 63 */
		assert_non_null(key->option.help);
		if (key->type == &pare_key_number)
			assert_default_is_allowed(&key->option, key->open);
		if (name > key->option.name) { /* its section stands before it */
			char section[64];

			snprintf(section, sizeof(section), "%.*s", (int)(name - key->option.name - 1),
			         key->option.name);
			assert_in_range(pare_spec_find_key(section), 0, (int)i);
		}
		if (key->only_with)
			assert_non_null(strchr(key->only_with, '='));
	}
}

static void test_spec_table__controllers_fit(void **state)
{
	(void)state;
	for (size_t i = 0; pare_controller_table[i]; i++) {
		const struct pare_controller_kind *kind = pare_controller_table[i];
		int count = 0;

		assert_true(pare_spec_find_key("search") >= 0);
		for (; kind->options[count].name; count++)
			assert_default_is_allowed(&kind->options[count], 0);
		assert_true(count <= PARE_MAX_CONTROLLER_OPTIONS);
	}
}

static void test_spec_manual__names_every_key_and_option(void **state)
{
	struct pare_strbuf text;
	char needle[160];

	(void)state;
	pare_strbuf_init(&text);
	assert_int_equal(pare_spec_manual(&text), PARE_OK);
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		snprintf(needle, sizeof(needle), "%s: ", pare_spec_table[i].option.name);
		assert_true(pare_spec_table[i].type->claims || strstr(text.text, needle));
	}
	for (size_t i = 0; pare_controller_table[i]; i++) {
		const struct pare_controller_kind *kind = pare_controller_table[i];

		for (int k = 0; kind->options[k].name; k++) {
			snprintf(needle, sizeof(needle), "search.%s.%s: ", kind->name, kind->options[k].name);
			assert_non_null(strstr(text.text, needle));
		}
	}
	assert_non_null(strstr(text.text, "train.warmup: at least 0, below 1; default 0\n"));
	assert_non_null(strstr(text.text, "train.gamma: above 0, at most 1; default 0.1; only with schedule=step\n"));
	pare_strbuf_release(&text);
}

static void test_spec_read__places_errors_in_the_file(void **state)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	struct pare_spec spec;

	(void)state;
	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&printed);
	assert_int_equal(pare_spec_read(&spec, "/no/such.yaml", NULL, &diagnostics), PARE_E_INVALID);
	pare_diagnostics_print(&diagnostics, 0, &printed);
	assert_non_null(strstr(printed.text, "/no/such.yaml: error: "));
	assert_int_equal(spec.latency_points, 7); /* defaults all the same */
	pare_spec_release(&spec);
	pare_diagnostics_release(&diagnostics);
	pare_strbuf_release(&printed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_spec__every_key_arrives_in_its_field),
	        cmocka_unit_test(test_spec__training_sections_do_not_mix),
	        cmocka_unit_test(test_spec__controllers_get_their_options),
	        cmocka_unit_test(test_spec__constraints_are_shares_or_numbers),
	        cmocka_unit_test(test_spec__defaults_are_filled_in),
	        cmocka_unit_test(test_spec__a_long_file_name_is_cut_to_a_name),
	        cmocka_unit_test(test_spec__one_number_normalizes_all_channels),
	        cmocka_unit_test(test_spec__data_may_stand_alone),
	        cmocka_unit_test(test_spec__files_need_a_path),
	        cmocka_unit_test(test_spec__overrides_win),
	        cmocka_unit_test(test_spec__an_override_mends_the_file),
	        cmocka_unit_test(test_spec__overrides_do_not_hide_what_the_file_is),
	        cmocka_unit_test(test_spec__overrides_take_sections_out),
	        cmocka_unit_test(test_spec__overrides_choose_another_model),
	        cmocka_unit_test(test_spec__wrong_overrides_are_placed_at_themselves),
	        cmocka_unit_test(test_spec__paths_start_at_the_file),
	        cmocka_unit_test(test_spec__paths_of_overrides_start_here),
	        cmocka_unit_test(test_spec_text__reads_back_as_the_same_text),
	        cmocka_unit_test(test_spec_text__writes_shares_as_they_were_given),
	        cmocka_unit_test(test_spec_text__has_every_key),
	        cmocka_unit_test(test_spec_hash__is_of_what_decides_the_numbers),
	        cmocka_unit_test(test_spec_table__is_in_itself_consistent),
	        cmocka_unit_test(test_spec_table__controllers_fit),
	        cmocka_unit_test(test_spec_manual__names_every_key_and_option),
	        cmocka_unit_test(test_spec_read__places_errors_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
