#include "experiments/database.h"

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

#define BUSY_MS 10000
#define VALUE_LIMIT_BYTES (64 << 20)

struct pare_database {
	sqlite3 *handle;
	char *path;
};

struct pare_query {
	struct pare_database *database;
	sqlite3_stmt *statement;
	int failed; /* first failure of a bind, or SQLITE_OK */
};

static int status_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return PARE_E_NOMEM;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* the statements are ours, so the tables are not */
	case SQLITE_MISMATCH:
		return PARE_E_FORMAT;
	case SQLITE_CONSTRAINT:
		return PARE_E_INVALID;
	case SQLITE_TOOBIG:
		return PARE_E_LIMIT;
	default:
		return PARE_E_IO;
	}
}

static int fail(const struct pare_database *database, int code, struct pare_error *error)
{
	const char *text = database->handle ? sqlite3_errmsg(database->handle) : sqlite3_errstr(code);

	return pare_error_set_at(error, (enum pare_status)status_of(code), database->path, 0, 0, "%s", text);
}

static int configure(struct pare_database *database, enum pare_database_mode mode, struct pare_error *error)
{
	sqlite3 *handle = database->handle;

	sqlite3_extended_result_codes(handle, 1);
	sqlite3_busy_timeout(handle, BUSY_MS);
	sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_LIMIT_BYTES);
	sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	if (mode == PARE_DATABASE_READ)
		return pare_database_run(database, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON", error);
	return pare_database_run(
	        database, "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", error);
}

/* Whether a write-ahead log with something in it lies beside the file. */
static bool has_log(const char *path)
{
	struct pare_strbuf name;
	struct stat info;
	bool found;

	pare_strbuf_init(&name);
	pare_strbuf_printf(&name, "%s-wal", path);
	found = name.failed || (stat(name.text, &info) == 0 && info.st_size > 0);
	pare_strbuf_release(&name);
	return found;
}

static char *immutable_uri(const char *path)
{
	struct pare_strbuf uri;

	pare_strbuf_init(&uri);
	pare_strbuf_add(&uri, "file:");
	for (; *path; path++) {
		if (strchr("?#%", *path))
			pare_strbuf_printf(&uri, "%%%02X", (unsigned)*path);
		else
			pare_strbuf_add_bytes(&uri, path, 1);
	}
	pare_strbuf_add(&uri, "?immutable=1");
	return pare_strbuf_detach(&uri);
}

static int connect(struct pare_database *database, const char *name, int flags, enum pare_database_mode mode,
                   struct pare_error *error)
{
	int64_t tables;
	int code = sqlite3_open_v2(name, &database->handle, flags, NULL);
	int status = code == SQLITE_OK ? configure(database, mode, error) : fail(database, code, error);

	/* Opening looks at nothing; this reads the first page. */
	if (status == PARE_OK)
		status = pare_database_number(database, "SELECT count(*) FROM sqlite_schema", &tables, error);
	if (status < 0) {
		sqlite3_close(database->handle);
		database->handle = NULL;
	}
	return status;
}

/* Even a reader needs to make the log's index beside the file. Where it may not (a read-only folder or disk), and no
 * log is left over from a writer, the file alone is the whole study. */
static int connect_reader(struct pare_database *database, struct pare_error *error)
{
	int status = connect(database, database->path, SQLITE_OPEN_READONLY, PARE_DATABASE_READ, error);
	char *uri;

	if (status != PARE_E_IO || has_log(database->path))
		return status;
	uri = immutable_uri(database->path);
	if (!uri)
		return pare_error_set(error, PARE_E_NOMEM, "the name of %s", database->path);
	status = connect(database, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, PARE_DATABASE_READ, error);
	free(uri);
	return status;
}

static int check_file(const char *path, enum pare_database_mode mode, struct pare_error *error)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return mode == PARE_DATABASE_CREATE
		               ? PARE_OK
		               : pare_error_set_at(error, PARE_E_NOT_FOUND, path, 0, 0, "no such file");
	if (!S_ISREG(info.st_mode))
		return pare_error_set_at(error, PARE_E_IO, path, 0, 0, "not a regular file");
	return PARE_OK;
}

int pare_database_open(struct pare_database **out, const char *path, enum pare_database_mode mode,
                       struct pare_error *error)
{
	int flags = SQLITE_OPEN_READWRITE | (mode == PARE_DATABASE_CREATE ? SQLITE_OPEN_CREATE : 0);
	struct pare_database *database;
	int status = check_file(path, mode, error);

	if (status < 0)
		return status;
	database = pare_calloc(1, sizeof(*database));
	if (database)
		database->path = pare_strdup(path);
	if (!database || !database->path)
		status = pare_error_set(error, PARE_E_NOMEM, "a database");
	else if (mode == PARE_DATABASE_READ)
		status = connect_reader(database, error);
	else
		status = connect(database, path, flags, mode, error);
	/* SQLite opens what it may not write for reading. */
	if (status == PARE_OK && mode != PARE_DATABASE_READ && sqlite3_db_readonly(database->handle, "main") != 0)
		status = pare_error_set_at(error, PARE_E_IO, path, 0, 0, "the file may only be read");
	if (status < 0) {
		pare_database_close(database);
		return status;
	}
	*out = database;
	return PARE_OK;
}

void pare_database_close(struct pare_database *database)
{
	if (!database)
		return;
	sqlite3_close(database->handle);
	free(database->path);
	free(database);
}

int pare_database_run(struct pare_database *database, const char *sql, struct pare_error *error)
{
	int code = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? PARE_OK : fail(database, code, error);
}

int pare_database_number(struct pare_database *database, const char *sql, int64_t *value, struct pare_error *error)
{
	struct pare_query *query;
	int status = pare_query_prepare(&query, database, sql, error);

	if (status < 0)
		return status;
	status = pare_query_step(query, error);
	if (status > 0)
		*value = pare_query_get_number(query, 0);
	else if (status == 0)
		status = pare_error_set_at(error, PARE_E_FORMAT, database->path, 0, 0, "no answer to: %s", sql);
	pare_query_free(query);
	return status < 0 ? status : PARE_OK;
}

int pare_database_check(struct pare_database *database, struct pare_error *error)
{
	struct pare_query *query;
	const char *found;
	int status = pare_query_prepare(&query, database, "PRAGMA quick_check(1)", error);

	if (status < 0)
		return status;
	status = pare_query_step(query, error);
	found = status > 0 ? pare_query_get_text(query, 0) : NULL;
	if (status >= 0 && (!found || strcmp(found, "ok") != 0))
		status = pare_error_set_at(error, PARE_E_FORMAT, database->path, 0, 0, "the file is damaged: %s",
		                           found ? found : "the check ends without an answer");
	pare_query_free(query);
	return status < 0 ? status : PARE_OK;
}

int pare_query_prepare(struct pare_query **out, struct pare_database *database, const char *sql,
                       struct pare_error *error)
{
	struct pare_query *query = pare_calloc(1, sizeof(*query));
	int code;

	if (!query)
		return pare_error_set(error, PARE_E_NOMEM, "a query");
	query->database = database;
	code = sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, NULL);
	if (code != SQLITE_OK) {
		free(query);
		return fail(database, code, error);
	}
	*out = query;
	return PARE_OK;
}

void pare_query_free(struct pare_query *query)
{
	if (!query)
		return;
	sqlite3_finalize(query->statement);
	free(query);
}

static void note(struct pare_query *query, int code)
{
	if (query->failed == SQLITE_OK)
		query->failed = code;
}

void pare_query_number(struct pare_query *query, int parameter, int64_t value)
{
	note(query, sqlite3_bind_int64(query->statement, parameter, value));
}

void pare_query_real(struct pare_query *query, int parameter, double value)
{
	note(query, isnan(value) ? sqlite3_bind_null(query->statement, parameter)
	                         : sqlite3_bind_double(query->statement, parameter, value));
}

void pare_query_text(struct pare_query *query, int parameter, const char *value)
{
	note(query,
	     value ? sqlite3_bind_text64(query->statement, parameter, value, strlen(value), SQLITE_STATIC, SQLITE_UTF8)
	           : sqlite3_bind_null(query->statement, parameter));
}

int pare_query_step(struct pare_query *query, struct pare_error *error)
{
	int code = query->failed == SQLITE_OK ? sqlite3_step(query->statement) : query->failed;

	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : fail(query->database, code, error);
}

void pare_query_reset(struct pare_query *query)
{
	sqlite3_reset(query->statement);
	sqlite3_clear_bindings(query->statement);
	query->failed = SQLITE_OK;
}

int pare_query_run(struct pare_query *query, struct pare_error *error)
{
	int status = pare_query_step(query, error);

	pare_query_reset(query);
	return status < 0 ? status : PARE_OK;
}

bool pare_query_is_null(const struct pare_query *query, int column)
{
	return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

int64_t pare_query_get_number(const struct pare_query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

double pare_query_get_real(const struct pare_query *query, int column)
{
	return pare_query_is_null(query, column) ? NAN : sqlite3_column_double(query->statement, column);
}

const char *pare_query_get_text(const struct pare_query *query, int column)
{
	const char *text = (const char *)sqlite3_column_text(query->statement, column);

	return text && strlen(text) == (size_t)sqlite3_column_bytes(query->statement, column) ? text : NULL;
}
