/*
 * SQLite, as much of it as the trial store needs, with pare's errors: the message names the file and says what SQLite
 * said.
 *
 *     pare_query_prepare(&query, database, "SELECT value FROM study WHERE key = ?1", error);
 *     pare_query_text(query, 1, "spec");
 *     while ((status = pare_query_step(query, error)) > 0)
 *         ... pare_query_get_text(query, 0) ...
 *     pare_query_reset(query);
 *
 * A file may come from anywhere: views and triggers in it are off, values are at most 64 MiB, its schema is not trusted
 * to call functions. Not for several threads at a time.
 */
#ifndef PARE_EXPERIMENTS_DATABASE_H
#define PARE_EXPERIMENTS_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct pare_database;
struct pare_query;

enum pare_database_mode {
	PARE_DATABASE_CREATE, /* a new file, or an empty one */
	PARE_DATABASE_WRITE,  /* an existing one; every commit is on disk when it returns (synchronous=FULL) */
	PARE_DATABASE_READ,   /* never changes the file; waits up to 10 s for a writer's checkpoint */
};

/* PARE_E_IO: it cannot be opened or written; PARE_E_FORMAT: not a database, or damaged where it was looked at. */
int pare_database_open(struct pare_database **database, const char *path, enum pare_database_mode mode,
                       struct pare_error *error);
void pare_database_close(struct pare_database *database); /* NULL is fine; queries are freed before */

/* One or more statements without results. */
int pare_database_run(struct pare_database *database, const char *sql, struct pare_error *error);
/* The first column of the first row; PARE_E_FORMAT when there is no row. */
int pare_database_number(struct pare_database *database, const char *sql, int64_t *value, struct pare_error *error);
/* PARE_E_FORMAT with SQLite's first finding when the file is damaged (PRAGMA quick_check). */
int pare_database_check(struct pare_database *database, struct pare_error *error);

int pare_query_prepare(struct pare_query **query, struct pare_database *database, const char *sql,
                       struct pare_error *error);
void pare_query_free(struct pare_query *query); /* NULL is fine */

/* Parameters count from 1. Texts must live until the reset; NULL binds NULL; a NaN is bound as NULL. A failure is
 * reported by the next step. */
void pare_query_number(struct pare_query *query, int parameter, int64_t value);
void pare_query_real(struct pare_query *query, int parameter, double value);
void pare_query_text(struct pare_query *query, int parameter, const char *value);

/* 1 for a row, 0 at the end, or a negative status. PARE_E_INVALID: a CHECK or key of the table refuses the row. */
int pare_query_step(struct pare_query *query, struct pare_error *error);
/* Forgets row and parameters. */
void pare_query_reset(struct pare_query *query);
/* Steps a query without result and resets it. */
int pare_query_run(struct pare_query *query, struct pare_error *error);

/* Columns count from 0. */
bool pare_query_is_null(const struct pare_query *query, int column);
int64_t pare_query_get_number(const struct pare_query *query, int column);
double pare_query_get_real(const struct pare_query *query, int column); /* NaN for NULL */
/* Valid until the next step or reset. NULL for NULL, for a text with a NUL inside, and when out of memory. */
const char *pare_query_get_text(const struct pare_query *query, int column);

#endif
