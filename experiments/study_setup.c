/* Opening a study: run directory, spec, store, data, network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/io/onnx.h"
#include "experiments/study_private.h"

struct pare_train_options pare_spec_train_options(const struct pare_spec *spec, const struct pare_spec_train *section,
                                                  uint64_t seed, struct pare_pool *pool)
{
	return (struct pare_train_options){
	        .batch = section->batch,
	        .epochs = section->epochs,
	        .steps = section->steps,
	        .schedule = section->schedule,
	        .sgd = section->sgd,
	        .label_smoothing = section->label_smoothing,
	        .flip = section->flip,
	        .crop_padding = section->crop_padding,
	        .normalization = spec->normalization,
	        .seed = seed,
	        .pool = pool,
	};
}

static int check_input(const struct pare_graph *graph, const struct pare_dataset *data, struct pare_error *error)
{
	const struct pare_shape *input = &graph->values[graph->input].shape;
	struct pare_shape wanted = pare_shape_chw(data->channels, data->height, data->width);
	char a[64], b[64];

	if (pare_shape_equal(input, &wanted))
		return PARE_OK;
	return pare_error_set(error, PARE_E_INVALID, "the network takes %s images, the data set has %s",
	                      pare_shape_text(input, a, sizeof a), pare_shape_text(&wanted, b, sizeof b));
}

static int check_crop(const struct pare_spec_train *section, const char *name, const struct pare_dataset *data,
                      struct pare_error *error)
{
	int32_t side = data->height < data->width ? data->height : data->width;
	if (section->crop_padding <= side)
		return PARE_OK;
	return pare_error_set(error, PARE_E_INVALID, "%s.crop_padding is %d pixels, the images are %dx%d", name,
	                      section->crop_padding, data->height, data->width);
}

static int check_data(const struct pare_spec *spec, const struct pare_dataset *data, struct pare_error *error)
{
	int status;
	if ((spec->n_mean > 1 && spec->n_mean != data->channels) || (spec->n_std > 1 && spec->n_std != data->channels))
		return pare_error_set(error, PARE_E_INVALID,
		                      "data.mean has %d numbers and data.std %d; the images have %d channel%s (one "
		                      "number stands for all)",
		                      spec->n_mean, spec->n_std, data->channels, data->channels == 1 ? "" : "s");
	status = spec->has_train ? check_crop(&spec->train, "train", data, error) : PARE_OK;
	if (!status && spec->has_search)
		status = check_crop(&spec->fine_tune_short, "fine_tune.short", data, error);
	if (!status && spec->has_search)
		status = check_crop(&spec->fine_tune_long, "fine_tune.long", data, error);
	return status;
}

int pare_spec_load_data(const struct pare_spec *spec, bool test_only, struct pare_splits *splits,
                        struct pare_error *error)
{
	int status = test_only ? pare_splits_load_test(splits, &spec->data, error)
	                       : pare_splits_load(splits, &spec->data, error);
	if (!status)
		status = check_data(spec, &splits->test_part, error);
	if (status)
		pare_splits_release(splits);
	return status;
}

int pare_spec_network(const struct pare_spec *spec, const struct pare_dataset *data, struct pare_graph **graph,
                      struct pare_error *error)
{
	int status;

	*graph = NULL;
	if (spec->zoo) {
		struct pare_zoo_options options = {.input = pare_shape_chw(data->channels, data->height, data->width),
		                                   .classes = data->classes,
		                                   .width = spec->width,
		                                   .seed = spec->seed};
		return spec->zoo->build(&options, graph, error);
	}
	status = pare_onnx_read(spec->onnx, graph, error);
	if (!status)
		status = check_input(*graph, data, error);
	if (status) {
		pare_graph_free(*graph);
		*graph = NULL;
	}
	return status;
}

/* One hash over the pixels and labels of both parts. */
static void hash_data(const struct pare_splits *splits, char *hash)
{
	const struct pare_dataset *parts[] = {&splits->train_part, &splits->test_part};
	char hashes[4][PARE_HASH_TEXT_SIZE];
	for (int i = 0; i < 2; i++) {
		const struct pare_dataset *d = parts[i];
		size_t pixels = (size_t)d->images * (size_t)d->channels * (size_t)d->height * (size_t)d->width;
		pare_hash_bytes(d->pixels, pixels, hashes[2 * i]);
		pare_hash_bytes(d->labels, (size_t)d->images, hashes[2 * i + 1]);
	}
	pare_hash_bytes(hashes, sizeof hashes, hash);
}

static int load_data(struct pare_study *study, struct pare_error *error)
{
	study->pool = pare_pool_new(study->spec.threads);
	if (!study->pool)
		return pare_error_set(error, PARE_E_NOMEM, "cannot start %d threads", study->spec.threads);
	int status = pare_spec_load_data(&study->spec, false, &study->splits, error);
	if (!status)
		hash_data(&study->splits, study->data_hash);
	return status;
}

static int set_directory(struct pare_study *study, const char *directory, struct pare_error *error)
{
	study->directory = pare_strdup(directory);
	study->weights_directory = pare_path_join(directory, "weights");
	return study->directory && study->weights_directory ? PARE_OK
	                                                    : pare_error_set(error, PARE_E_NOMEM, "out of memory");
}

char *pare_study_path(const struct pare_study *study, const char *name, struct pare_error *error)
{
	char *path = pare_path_join(study->directory, name);
	if (!path)
		pare_error_set(error, PARE_E_NOMEM, "out of memory");
	return path;
}

static int open_store(struct pare_study *study, enum pare_store_mode mode, struct pare_error *error)
{
	char *path = pare_study_path(study, "study.db", error);
	int status = path ? pare_store_open(&study->store, path, mode, error) : PARE_E_NOMEM;
	free(path);
	return status;
}

/* The folder must be ours from the start: two studies in one would overwrite each other. */
static int make_directory(const struct pare_study *study, struct pare_error *error)
{
	char *parent = pare_path_directory(study->directory);
	int status = parent ? pare_file_make_directories(parent, error)
	                    : pare_error_set(error, PARE_E_NOMEM, "out of memory");

	free(parent);
	if (status)
		return status;
	if (mkdir(study->directory, 0777) && errno == EEXIST)
		return pare_error_set_at(
		        error, PARE_E_EXISTS, study->directory, 0, 0,
		        "there is something here already; go on with `pare resume %s`, or choose another --run-dir",
		        study->directory);
	if (!pare_file_is_directory(study->directory))
		return pare_error_set_at(error, PARE_E_IO, study->directory, 0, 0, "cannot make the directory: %s",
		                         strerror(errno));
	return PARE_OK;
}

/* The spec file is written last of all: a folder without one was never a study. */
static int write_spec(struct pare_study *study, struct pare_error *error)
{
	struct pare_strbuf text;
	char hash[PARE_HASH_TEXT_SIZE];
	char *path = pare_study_path(study, "config.yaml", error);
	int status = PARE_E_NOMEM;

	pare_strbuf_init(&text);
	if (!path || pare_spec_text(&study->spec, &text) || pare_spec_hash(&study->spec, hash)) {
		pare_error_set(error, PARE_E_NOMEM, "out of memory");
		goto out;
	}
	status = pare_store_set(study->store, "spec", text.text, error);
	if (!status)
		status = pare_store_set(study->store, "spec_hash", hash, error);
	if (!status)
		status = pare_store_set(study->store, "pare_version", PARE_VERSION, error);
	if (!status)
		status = pare_store_set(study->store, "data_hash", study->data_hash, error);
	if (!status)
		status = pare_file_write_atomic(path, text.text, text.length, error);
out:
	pare_strbuf_release(&text);
	free(path);
	return status;
}

/* Takes back what begin() made, so that the same command can be given again. */
static void unmake_directory(struct pare_study *study)
{
	static const char *const ours[] = {"study.db",         "study.db-wal",     "study.db-shm",
	                                   "study.db.lock",    "study.db.new",     "study.db.new-journal",
	                                   "study.db.new-wal", "study.db.new-shm", "config.yaml"};
	pare_store_close(study->store);
	study->store = NULL;
	pare_file_remove_temporaries(study->directory);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		char *path = pare_path_join(study->directory, ours[i]);
		if (path)
			unlink(path);
		free(path);
	}
	rmdir(study->weights_directory);
	rmdir(study->directory);
}

static int begin(struct pare_study *study, struct pare_error *error)
{
	int status = pare_file_make_directories(study->weights_directory, error);

	if (!status)
		status = open_store(study, PARE_STORE_CREATE, error);
	if (!status)
		status = write_spec(study, error);
	if (status)
		unmake_directory(study);
	return status;
}

int pare_study_create(struct pare_study **out, struct pare_spec *spec, const char *directory, struct pare_error *error)
{
	struct pare_study *study = pare_calloc(1, sizeof *study);
	int status;

	*out = NULL;
	if (!study) {
		pare_spec_release(spec);
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	}
	study->spec = *spec;
	/* A path with a typo or a budget out of reach should not leave a run directory behind. */
	status = load_data(study, error);
	if (!status)
		status = pare_study_check(study, error);
	if (!status)
		status = set_directory(study, directory, error);
	if (!status)
		status = make_directory(study, error);
	if (!status)
		status = begin(study, error);
	if (status) {
		pare_study_free(study);
		return status;
	}
	*out = study;
	return PARE_OK;
}

/* The store and the spec file must tell of the same study. */
static int check_spec(struct pare_study *study, struct pare_error *error)
{
	char hash[PARE_HASH_TEXT_SIZE], *stored = NULL;
	int status = pare_store_get(study->store, "spec_hash", &stored, error);

	if (!status && pare_spec_hash(&study->spec, hash))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status && (!stored || strcmp(stored, hash)))
		status = pare_error_set_at(
		        error, PARE_E_INVALID, study->spec.path, 0, 0,
		        "this is not the configuration the study began with; start a new study for a changed one");
	free(stored);
	return status;
}

static int check_data_hash(struct pare_study *study, struct pare_error *error)
{
	char *stored = NULL;
	int status = pare_store_get(study->store, "data_hash", &stored, error);

	if (!status && (!stored || strcmp(stored, study->data_hash)))
		status = pare_error_set_at(
		        error, PARE_E_INVALID, study->spec.data_path, 0, 0,
		        "these are not the images the study began with; put them back, or start a new study");
	free(stored);
	return status;
}

/* A kill between mkdir and config.yaml. */
static bool is_unborn(const struct pare_study *study)
{
	char *lock = pare_path_join(study->directory, "study.db.lock");
	bool ours = lock && pare_file_exists(lock) && pare_file_is_directory(study->weights_directory);
	free(lock);
	return ours;
}

static int read_spec(struct pare_study *study, struct pare_error *error)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf text;
	char *path = pare_study_path(study, "config.yaml", error);
	int status = path ? PARE_OK : PARE_E_NOMEM;

	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&text);
	if (!status && !pare_file_exists(path) && is_unborn(study))
		status = pare_error_set_at(error, PARE_E_NOT_FOUND, study->directory, 0, 0,
		                           "this run was stopped before it began: delete the folder and run again");
	else if (!status && !pare_file_exists(path))
		status = pare_error_set_at(error, PARE_E_NOT_FOUND, study->directory, 0, 0,
		                           "this is no run directory: it has no config.yaml");
	if (!status && pare_spec_read(&study->spec, path, NULL, &diagnostics)) {
		pare_diagnostics_print(&diagnostics, 0, &text);
		status = pare_error_set(error, PARE_E_INVALID, "%s", text.text);
	}
	pare_strbuf_release(&text);
	pare_diagnostics_release(&diagnostics);
	free(path);
	return status;
}

int pare_study_open(struct pare_study **out, const char *directory, struct pare_error *error)
{
	struct pare_study *study = pare_calloc(1, sizeof *study);
	int status;

	*out = NULL;
	if (!study)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	status = set_directory(study, directory, error);
	if (!status)
		status = read_spec(study, error);
	if (!status)
		status = open_store(study, PARE_STORE_WRITE, error);
	if (!status) { /* the store's lock is ours: nobody else writes here */
		pare_file_remove_temporaries(study->directory);
		pare_file_remove_temporaries(study->weights_directory);
		status = check_spec(study, error);
	}
	if (!status)
		status = load_data(study, error);
	if (!status)
		status = check_data_hash(study, error);
	if (status) {
		pare_study_free(study);
		return status;
	}
	*out = study;
	return PARE_OK;
}

void pare_study_free(struct pare_study *study)
{
	if (!study)
		return;
	if (study->bound)
		pare_binding_release(&study->binding);
	pare_lut_free(study->lut);
	pare_graph_free(study->graph);
	pare_splits_release(&study->splits);
	pare_store_close(study->store);
	pare_pool_free(study->pool);
	pare_spec_release(&study->spec);
	free(study->directory);
	free(study->weights_directory);
	free(study);
}
