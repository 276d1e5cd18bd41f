/* Rules between keys. Each looks at what was given, so that a value already complained about does not lead to a second
 * error. */
#include <stdlib.h>
#include <string.h>

#include "experiments/spec_table.h"

static const struct pare_yaml_pair *given(const struct pare_spec_reader *reader, const char *path)
{
	return reader->given[pare_spec_find_key(path)];
}

static bool is_wrong(const struct pare_spec_reader *reader, const char *path)
{
	return reader->wrong[pare_spec_find_key(path)];
}

/* Where the key is given, or else the section that it is missing from. */
static struct pare_place place_of(const struct pare_spec_reader *reader, const char *path)
{
	const struct pare_yaml_pair *pair = given(reader, path);
	const char *dot = strrchr(path, '.');
	char section[64];

	if (pair)
		return pare_place_of_value(pair->value);
	if (!dot || (size_t)(dot - path) >= sizeof(section))
		return (struct pare_place){0};
	memcpy(section, path, (size_t)(dot - path));
	section[dot - path] = '\0';
	pair = given(reader, section);
	return pair ? pare_place_of_key(pair) : (struct pare_place){0};
}

/* "--set model.onnx=x" over a file with model.zoo replaces it, and the other way round. */
static void let_override_win(struct pare_spec_reader *reader)
{
	struct pare_spec *spec = reader->spec;
	const struct pare_yaml_pair *zoo = given(reader, "model.zoo"), *onnx = given(reader, "model.onnx"),
	                            *width = given(reader, "model.width");

	if (!zoo || !onnx || !zoo->value->origin == !onnx->value->origin)
		return;
	if (zoo->value->origin) {
		free(spec->onnx);
		spec->onnx = NULL;
		reader->given[pare_spec_find_key("model.onnx")] = NULL;
		return;
	}
	spec->zoo = NULL;
	if (width && !width->value->origin)
		spec->width = 1;
	reader->given[pare_spec_find_key("model.zoo")] = NULL;
}

static void check_model(struct pare_spec_reader *reader)
{
	const struct pare_spec *spec = reader->spec;
	bool zoo = given(reader, "model.zoo"), onnx = given(reader, "model.onnx");

	if (!zoo && !onnx && !is_wrong(reader, "model") &&
	    (given(reader, "model") || spec->has_train || spec->has_search))
		pare_spec_complain(
		        reader, place_of(reader, "model.zoo"), "zoo: plain_cnn, for example, or onnx: a file's path",
		        given(reader, "model") ? "model: neither zoo nor onnx is given" : "missing key 'model'");
	if (zoo && onnx)
		pare_spec_complain(reader, place_of(reader, "model.onnx"), "remove one of them",
		                   "model: both zoo and onnx are given");
	if (onnx && !zoo && spec->width != 1)
		pare_spec_complain(reader, place_of(reader, "model.width"), NULL,
		                   "model.width has no effect on an ONNX model");
	if (zoo && given(reader, "search") && !given(reader, "train"))
		pare_spec_complain(reader, place_of(reader, "model.zoo"), "add a train section, or write train: {}",
		                   "a zoo network has fresh weights: it must be trained before it is searched");
}

static void check_normalization(struct pare_spec_reader *reader)
{
	const struct pare_spec *spec = reader->spec;

	if (is_wrong(reader, "data.mean") || is_wrong(reader, "data.std"))
		return;
	if (spec->n_mean == 2)
		pare_spec_complain(reader, place_of(reader, "data.mean"), NULL,
		                   "data.mean: 2 numbers; allowed: 1 or 3");
	else if (spec->n_mean != spec->n_std)
		pare_spec_complain(reader, place_of(reader, given(reader, "data.std") ? "data.std" : "data.mean"), NULL,
		                   "data.mean has %d numbers, data.std has %d", spec->n_mean, spec->n_std);
}

static void check_path(struct pare_spec_reader *reader)
{
	const struct pare_spec *spec = reader->spec;

	if (!spec->data.reader)
		return;
	if (strcmp(spec->data.reader->name, "synthetic") != 0 && !given(reader, "data.path"))
		pare_spec_complain(reader, place_of(reader, "data.path"), spec->data.reader->help,
		                   "missing key 'data.path': format %s reads files", spec->data.reader->name);
}

static void check_images(struct pare_spec_reader *reader)
{
	const struct pare_spec *spec = reader->spec;
	bool synthetic = spec->data.reader && strcmp(spec->data.reader->name, "synthetic") == 0;
	int64_t images = spec->data.reader_options.synthetic_images;

	if (spec->has_search && spec->data.search_images == 0 && !is_wrong(reader, "data.search_images"))
		pare_spec_complain(reader, place_of(reader, "data.search_images"), NULL,
		                   "data.search_images is 0: a search needs images to score its candidates on");
	if (synthetic && spec->data.search_images >= images && !is_wrong(reader, "data.synthetic_images"))
		pare_spec_complain(reader, place_of(reader, "data.search_images"), NULL,
		                   "data.search_images is %lld of %lld synthetic_images: none are left to train on",
		                   (long long)spec->data.search_images, (long long)images);
}

/* One of the three training sections. */
struct training {
	const char *section;
	const struct pare_spec_train *options;
	bool may_be_nothing; /* 0 epochs are allowed */
};

static void key_path(char path[64], const struct training *training, const char *key)
{
	strcpy(stpcpy(stpcpy(path, training->section), "."), key);
}

static void complain_training(struct pare_spec_reader *reader, const struct training *training, const char *key,
                              const char *help, const char *text)
{
	char path[64];

	key_path(path, training, key);
	if (!is_wrong(reader, path))
		pare_spec_complain(reader, place_of(reader, path), help, "%s: %s", path, text);
}

static void check_milestones(struct pare_spec_reader *reader, const struct training *training)
{
	const struct pare_schedule_options *schedule = &training->options->schedule;

	if (schedule->kind == PARE_SCHEDULE_STEP && schedule->n_milestones == 0)
		complain_training(reader, training, "milestones", "for example [0.5, 0.75]",
		                  "schedule step needs milestones");
	for (int i = 1; i < schedule->n_milestones; i++)
		if (schedule->milestones[i] <= schedule->milestones[i - 1]) {
			complain_training(reader, training, "milestones", NULL, "the numbers must ascend");
			return;
		}
}

static void check_duration(struct pare_spec_reader *reader, const struct training *training, bool epochs_given)
{
	const struct pare_spec_train *options = training->options;

	if (options->steps > 0 && epochs_given && options->epochs > 0)
		complain_training(reader, training, "steps", "remove one of them", "both epochs and steps are given");
	if (options->steps == 0 && options->epochs == 0 && !training->may_be_nothing)
		complain_training(reader, training, "epochs", NULL, "0 epochs and 0 steps train nothing");
}

static void check_training(struct pare_spec_reader *reader, struct pare_spec_train *options, const char *section,
                           bool may_be_nothing)
{
	struct training training = {section, options, may_be_nothing};
	char epochs[64];

	key_path(epochs, &training, "epochs");
	check_duration(reader, &training, given(reader, epochs));
	check_milestones(reader, &training);
	if (options->schedule.kind == PARE_SCHEDULE_COSINE &&
	    options->schedule.final_learning_rate > options->schedule.learning_rate)
		complain_training(reader, &training, "final_learning_rate", NULL, "above learning_rate");
	if (options->sgd.nesterov && options->sgd.momentum == 0)
		complain_training(reader, &training, "nesterov", NULL, "needs a momentum");
	if (reader->spec->data.train_images > 0 && options->batch > reader->spec->data.train_images)
		complain_training(reader, &training, "batch", NULL,
		                  "more than data.train_images: there is no whole batch");
	if (options->steps > 0) /* one meaning, one text */
		options->epochs = 0;
}

static void check_search(struct pare_spec_reader *reader)
{
	bool limited = false;

	for (size_t i = 0; i < pare_spec_table_size; i++)
		limited |= pare_spec_table[i].type == &pare_key_budget && reader->given[i];
	if (given(reader, "search") && given(reader, "search")->value->kind == PARE_YAML_MAPPING && !limited)
		pare_spec_complain(
		        reader,
		        place_of(reader, given(reader, "constraints") ? "constraints.macs" : "search.controller"),
		        "add a section such as constraints: {latency: 50%}", "a search needs at least one constraint");
}

/* A key that has no effect must have its default: `only_with` is "key=value" of the same section. */
static void check_only_with(struct pare_spec_reader *reader, size_t index)
{
	const struct pare_spec_key *key = &pare_spec_table[index];
	const char *equals = strchr(key->only_with, '=');
	size_t section = (size_t)(pare_spec_key_name(key) - key->option.name);
	struct pare_spec defaults = {0};
	struct pare_strbuf path, value, normal;
	int other;

	pare_strbuf_init(&path);
	pare_strbuf_init(&value);
	pare_strbuf_init(&normal);
	pare_strbuf_add_bytes(&path, key->option.name, section);
	pare_strbuf_add_bytes(&path, key->only_with, (size_t)(equals - key->only_with));
	other = pare_spec_find_key(path.text);
	pare_spec_table[other].type->write(reader->spec, &pare_spec_table[other], &value);
	if (strcmp(value.text, equals + 1) != 0 && !reader->wrong[other]) {
		pare_strbuf_clear(&value);
		key->type->write(reader->spec, key, &value);
		key->type->reset(&defaults, key);
		key->type->write(&defaults, key, &normal);
		if (strcmp(value.text, normal.text) != 0)
			pare_spec_complain(reader, place_of(reader, key->option.name), NULL,
			                   "%s has an effect only with %s: %s", key->option.name,
			                   pare_spec_key_name(&pare_spec_table[other]), equals + 1);
	}
	pare_strbuf_release(&path);
	pare_strbuf_release(&value);
	pare_strbuf_release(&normal);
}

void pare_spec_check(struct pare_spec_reader *reader)
{
	struct pare_spec *spec = reader->spec;

	let_override_win(reader);
	check_model(reader);
	check_path(reader);
	check_normalization(reader);
	check_images(reader);
	check_training(reader, &spec->train, "train", false);
	check_training(reader, &spec->fine_tune_short, "fine_tune.short", true);
	check_training(reader, &spec->fine_tune_long, "fine_tune.long", true);
	check_search(reader);
	for (size_t i = 0; i < pare_spec_table_size; i++)
		if (pare_spec_table[i].only_with && reader->given[i] && !reader->wrong[i])
			check_only_with(reader, i);
}
