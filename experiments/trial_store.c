#include "experiments/trial_store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "experiments/file_lock.h"
#include "experiments/trial_rows.h"
#include "experiments/trial_schema.h"

enum query {
	SET_ATTRIBUTE,
	GET_ATTRIBUTE,
	COUNT_TRIALS,
	ADD_TRIAL,
	ADD_TRIAL_METRIC,
	FORGET_WEIGHTS,
	GET_TRIAL,
	GET_TRIAL_METRICS,
	ADD_FINAL,
	ADD_FINAL_METRIC,
	GET_FINALS,
	GET_FINAL_METRICS,
	N_QUERIES
};

/* clang-format off */
static const char *const queries[N_QUERIES] = {
	[SET_ATTRIBUTE] =
		"INSERT INTO study (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
	[GET_ATTRIBUTE] =
		"SELECT value FROM study WHERE key = ?1",
	[COUNT_TRIALS] =
		"SELECT count(*), ifnull(max(trial) + 1, 0) FROM trials",
	[ADD_TRIAL] =
		"INSERT INTO trials (trial, controller, round, parent, state, plan, plan_hash, weights, message, seconds) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ADD_TRIAL_METRIC] =
		"INSERT INTO trial_metrics (trial, name, value) VALUES (?1, ?2, ?3)",
	[FORGET_WEIGHTS] =
		"UPDATE trials SET weights = NULL WHERE trial = ?1 RETURNING trial",
	[GET_TRIAL] =
		"SELECT trial, controller, round, parent, state, plan, plan_hash, weights, message, seconds FROM trials "
		"WHERE trial = ?1",
	[GET_TRIAL_METRICS] =
		"SELECT name, value FROM trial_metrics WHERE trial = ?1",
	[ADD_FINAL] =
		"INSERT INTO finals (final, trial, controller, test_accuracy, measured_latency_ms, weights) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[ADD_FINAL_METRIC] =
		"INSERT INTO final_metrics (final, name, value) VALUES (?1, ?2, ?3)",
	[GET_FINALS] =
		"SELECT final, trial, controller, test_accuracy, measured_latency_ms, weights FROM finals ORDER BY final",
	[GET_FINAL_METRICS] =
		"SELECT name, value FROM final_metrics WHERE final = ?1",
};
/* clang-format on */

struct pare_store {
	char *path;
	enum pare_store_mode mode;
	int lock; /* -1 for a reader */
	struct pare_database *database;
	struct pare_query *query[N_QUERIES];
};

void pare_store_close(struct pare_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < N_QUERIES; i++)
		pare_query_free(store->query[i]);
	pare_database_close(store->database);
	pare_file_unlock(store->lock);
	free(store->path);
	free(store);
}

static int refuse_memory(struct pare_error *error, const char *what)
{
	return pare_error_set(error, PARE_E_NOMEM, "%s", what);
}

static char *with_suffix(const char *path, const char *suffix)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	pare_strbuf_printf(&text, "%s%s", path, suffix);
	return pare_strbuf_detach(&text);
}

static int take_lock(struct pare_store *store, struct pare_error *error)
{
	char *path = with_suffix(store->path, ".lock");
	int status = path ? pare_file_lock(path, &store->lock, error) : refuse_memory(error, "the name of a lock");

	free(path);
	return status;
}

static int sync_directory(const char *path, struct pare_error *error)
{
	char *directory = pare_path_directory(path);
	int status = PARE_OK, fd;

	if (!directory)
		return refuse_memory(error, "the name of a folder");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		status = pare_error_set_at(error, PARE_E_IO, directory, 0, 0, "cannot be synced: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	free(directory);
	return status;
}

/* The whole file is made under another name, so that a study either has all its tables or does not exist. */
static int create_file(const char *path, struct pare_error *error)
{
	struct pare_database *database = NULL;
	char *draft = with_suffix(path, ".new");
	int status;

	if (!draft)
		return refuse_memory(error, "the name of a draft");
	unlink(draft);
	status = pare_database_open(&database, draft, PARE_DATABASE_CREATE, error);
	if (status == PARE_OK)
		status = pare_schema_create(database, error);
	pare_database_close(database);
	if (status == PARE_OK && rename(draft, path) < 0)
		status = pare_error_set_at(error, PARE_E_IO, path, 0, 0, "cannot be made: %s", strerror(errno));
	if (status == PARE_OK)
		status = sync_directory(path, error);
	else
		unlink(draft);
	free(draft);
	return status;
}

static int count_trials(struct pare_store *store, int64_t *rows, int64_t *next, struct pare_error *error)
{
	struct pare_query *query = store->query[COUNT_TRIALS];
	int status = pare_query_step(query, error);

	if (status > 0) {
		*rows = pare_query_get_number(query, 0);
		*next = pare_query_get_number(query, 1);
	}
	pare_query_reset(query);
	return status < 0 ? status : PARE_OK;
}

static int check_count(struct pare_store *store, struct pare_error *error)
{
	int64_t rows, next;
	int status = count_trials(store, &rows, &next, error);

	if (status == PARE_OK && rows != next)
		status = pare_error_set_at(error, PARE_E_FORMAT, store->path, 0, 0,
		                           "%" PRId64 " trials, but the last one is number %" PRId64, rows, next - 1);
	return status;
}

static int open_database(struct pare_store *store, struct pare_error *error)
{
	bool reads = store->mode == PARE_STORE_READ;
	int status = pare_database_open(&store->database, store->path, reads ? PARE_DATABASE_READ : PARE_DATABASE_WRITE,
	                                error);

	if (status == PARE_OK)
		status = pare_schema_check(store->database, store->path, error);
	if (status == PARE_OK && !reads)
		status = pare_database_check(store->database, error);
	if (status == PARE_OK && !reads)
		status = pare_database_run(store->database, "PRAGMA journal_mode = WAL", error);
	for (int i = 0; i < N_QUERIES && status == PARE_OK; i++)
		status = pare_query_prepare(&store->query[i], store->database, queries[i], error);
	return status == PARE_OK ? check_count(store, error) : status;
}

static int open_file(struct pare_store *store, struct pare_error *error)
{
	bool creates = store->mode == PARE_STORE_CREATE;
	int status = PARE_OK;

	if (!creates && !pare_file_exists(store->path))
		return pare_error_set_at(error, PARE_E_NOT_FOUND, store->path, 0, 0, "there is no study here");
	if (store->mode != PARE_STORE_READ)
		status = take_lock(store, error);
	if (status == PARE_OK && creates && pare_file_exists(store->path))
		status = pare_error_set_at(error, PARE_E_EXISTS, store->path, 0, 0, "there is a study here already");
	else if (status == PARE_OK && creates)
		status = create_file(store->path, error);
	return status == PARE_OK ? open_database(store, error) : status;
}

int pare_store_open(struct pare_store **out, const char *path, enum pare_store_mode mode, struct pare_error *error)
{
	struct pare_store *store = pare_calloc(1, sizeof(*store));
	int status;

	if (!store)
		return refuse_memory(error, "a trial store");
	store->mode = mode;
	store->lock = -1;
	store->path = pare_strdup(path);
	status = store->path ? open_file(store, error) : refuse_memory(error, "a trial store");
	if (status < 0) {
		pare_store_close(store);
		return status;
	}
	*out = store;
	return PARE_OK;
}

static int check_writer(const struct pare_store *store, struct pare_error *error)
{
	if (store->mode != PARE_STORE_READ)
		return PARE_OK;
	return pare_error_set_at(error, PARE_E_INVALID, store->path, 0, 0, "the study was opened for reading");
}

int pare_store_set(struct pare_store *store, const char *key, const char *value, struct pare_error *error)
{
	int status = check_writer(store, error);

	if (status < 0)
		return status;
	pare_query_text(store->query[SET_ATTRIBUTE], 1, key);
	pare_query_text(store->query[SET_ATTRIBUTE], 2, value);
	return pare_query_run(store->query[SET_ATTRIBUTE], error);
}

int pare_store_get(struct pare_store *store, const char *key, char **value, struct pare_error *error)
{
	struct pare_query *query = store->query[GET_ATTRIBUTE];
	const char *text;
	int status;

	*value = NULL;
	pare_query_text(query, 1, key);
	status = pare_query_step(query, error);
	if (status > 0) {
		text = pare_query_get_text(query, 0);
		*value = pare_strdup(text);
		if (!text)
			status = pare_error_set_at(error, PARE_E_FORMAT, store->path, 0, 0,
			                           "attribute %s is not a text", key);
		else if (!*value)
			status = refuse_memory(error, key);
	}
	pare_query_reset(query);
	return status < 0 ? status : PARE_OK;
}

int64_t pare_store_trial_count(struct pare_store *store)
{
	int64_t rows, next;
	int status = count_trials(store, &rows, &next, NULL);

	return status < 0 ? status : next;
}

/* Runs body within one transaction: all of it is in the file, or nothing. */
static int in_transaction(struct pare_store *store, int (*body)(struct pare_store *, const void *, struct pare_error *),
                          const void *argument, struct pare_error *error)
{
	int status = check_writer(store, error);

	if (status == PARE_OK)
		status = pare_database_run(store->database, "BEGIN IMMEDIATE", error);
	if (status < 0)
		return status;
	status = body(store, argument, error);
	if (status == PARE_OK)
		status = pare_database_run(store->database, "COMMIT", error);
	/* After a full disk SQLite has rolled back by itself: then this one fails, and nothing is lost. */
	if (status < 0)
		pare_database_run(store->database, "ROLLBACK", NULL);
	return status;
}

static int insert_trial(struct pare_store *store, const void *argument, struct pare_error *error)
{
	const struct pare_trial *trial = argument;
	struct pare_query *query = store->query[ADD_TRIAL];
	int64_t rows, next;
	int status = count_trials(store, &rows, &next, error);

	if (status < 0)
		return status;
	if (trial->trial != next)
		return pare_error_set_at(error, PARE_E_INVALID, store->path, 0, 0,
		                         "trial %" PRId64 " cannot be added: the next is %" PRId64, trial->trial, next);
	status = pare_trial_bind(query, trial, error);
	if (status == PARE_OK)
		status = pare_query_run(query, error);
	if (status == PARE_OK)
		status = pare_metrics_add(store->query[ADD_TRIAL_METRIC], trial->trial, &trial->metrics, error);
	return status == PARE_OK ? status : pare_error_prefix(error, status, "trial %" PRId64, trial->trial);
}

int pare_store_add_trial(struct pare_store *store, const struct pare_trial *trial, struct pare_error *error)
{
	return in_transaction(store, insert_trial, trial, error);
}

static int refuse_unknown_trial(struct pare_store *store, int64_t id, struct pare_error *error)
{
	return pare_error_set_at(error, PARE_E_NOT_FOUND, store->path, 0, 0,
	                         "there is no trial %" PRId64 "; the study has %" PRId64 ", counted from 0", id,
	                         pare_store_trial_count(store));
}

static int clear_weights(struct pare_store *store, const void *argument, struct pare_error *error)
{
	const int64_t *id = argument;
	struct pare_query *query = store->query[FORGET_WEIGHTS];
	int status;

	pare_query_number(query, 1, *id);
	status = pare_query_step(query, error);
	pare_query_reset(query);
	if (status == 0)
		return refuse_unknown_trial(store, *id, error);
	return status < 0 ? status : PARE_OK;
}

int pare_store_forget_weights(struct pare_store *store, int64_t trial, struct pare_error *error)
{
	return in_transaction(store, clear_weights, &trial, error);
}

static int insert_final(struct pare_store *store, const void *argument, struct pare_error *error)
{
	const struct pare_final *final = argument;
	struct pare_query *query = store->query[ADD_FINAL];
	int64_t id;
	int status = pare_database_number(store->database, "SELECT ifnull(max(final) + 1, 0) FROM finals", &id, error);

	if (status < 0)
		return status;
	pare_final_bind(query, id, final);
	status = pare_query_run(query, error);
	if (status == PARE_OK)
		status = pare_metrics_add(store->query[ADD_FINAL_METRIC], id, &final->metrics, error);
	return status == PARE_OK ? status : pare_error_prefix(error, status, "finalist %" PRId64, final->trial);
}

int pare_store_add_final(struct pare_store *store, const struct pare_final *final, struct pare_error *error)
{
	return in_transaction(store, insert_final, final, error);
}

int pare_store_trial(struct pare_store *store, int64_t id, struct pare_trial *trial, struct pare_error *error)
{
	struct pare_query *query = store->query[GET_TRIAL];
	int status;

	*trial = (struct pare_trial){0};
	pare_query_number(query, 1, id);
	status = pare_query_step(query, error);
	if (status > 0)
		status = pare_trial_read(query, store->query[GET_TRIAL_METRICS], store->path, trial, error);
	else if (status == 0)
		status = refuse_unknown_trial(store, id, error);
	pare_query_reset(query);
	if (status < 0)
		pare_trial_release(trial);
	return status;
}

int pare_store_trials(struct pare_store *store, struct pare_trial **trials, int64_t *count, struct pare_error *error)
{
	int64_t rows, next;
	int status = count_trials(store, &rows, &next, error);

	*trials = NULL;
	*count = 0;
	if (status < 0)
		return status;
	*trials = pare_calloc((size_t)rows, sizeof(**trials));
	if (!*trials)
		return refuse_memory(error, "the trials of a study");
	/* Trials are only ever added, so these are there whatever a writer does meanwhile. */
	while (*count < rows && status == PARE_OK) {
		status = pare_store_trial(store, *count, &(*trials)[*count], error);
		*count += status == PARE_OK;
	}
	if (status < 0) {
		pare_trials_free(*trials, *count);
		*trials = NULL;
		*count = 0;
	}
	return status;
}

void pare_trial_release(struct pare_trial *trial)
{
	free(trial->plan);
	free(trial->message);
	*trial = (struct pare_trial){0};
}

void pare_trials_free(struct pare_trial *trials, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		pare_trial_release(&trials[i]);
	free(trials);
}

int pare_store_finals(struct pare_store *store, struct pare_final **finals, int *count, struct pare_error *error)
{
	struct pare_query *query = store->query[GET_FINALS];
	size_t capacity = 0;
	int status;

	*finals = NULL;
	*count = 0;
	while ((status = pare_query_step(query, error)) > 0) {
		status = pare_array_grow((void **)finals, &capacity, (size_t)*count + 1, sizeof(**finals));
		if (status == PARE_OK)
			status = pare_final_read(query, store->query[GET_FINAL_METRICS], store->path,
			                         pare_store_trial_count(store), &(*finals)[*count], error);
		else
			refuse_memory(error, "the finalists of a study");
		if (status < 0)
			break;
		(*count)++;
	}
	pare_query_reset(query);
	if (status < 0) {
		free(*finals);
		*finals = NULL;
		*count = 0;
	}
	return status;
}
