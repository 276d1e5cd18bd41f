/*
 * A table of results, written for a person (aligned text), for a spreadsheet (CSV, RFC 4180) or for a program (JSON).
 *
 *     static const struct pare_column columns[] = {{.name = "trial", .kind = PARE_COLUMN_INT},
 *                                                  {.name = "accuracy", .title = "accuracy %", .kind =
 * PARE_COLUMN_REAL, .scale = 100, .decimals = 2}}; struct pare_table table; pare_table_init(&table, columns, 2); for
 * (...) { pare_table_int(&table, trial);          // cells from left to right; a full row begins the next
 *             pare_table_real(&table, accuracy);
 *     }
 *     pare_table_text(&table, &(struct pare_table_style){.width = 80}, &out);
 *     pare_table_release(&table);
 *
 * CSV and JSON carry every number as it is: integers whole, reals with 17 significant digits, what is unknown (or not
 * finite) empty and null. The text rounds, groups thousands, has units in its head, and puts "-" for what is unknown.
 * Names may come from somebody's file: bytes that drive a terminal or are no UTF-8 come out as '?'.
 *
 * Running out of memory is remembered in `failed`; text, CSV and JSON then fail.
 */
#ifndef PARE_EXPERIMENTS_TABLE_H
#define PARE_EXPERIMENTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "engine/base/strbuf.h"

enum pare_column_kind { PARE_COLUMN_TEXT, PARE_COLUMN_INT, PARE_COLUMN_REAL, PARE_COLUMN_BOOL };

struct pare_column {
	const char *name;  /* key of CSV and JSON: snake_case with unit */
	const char *title; /* head of the text; NULL = name */
	enum pare_column_kind kind;
	double scale;  /* REAL, text only: the value is shown times this; 0 = as it is */
	int decimals;  /* REAL, text only */
	bool id;       /* INT, text only: a negative number ("the uncut network") is shown as "-" */
	bool middle;   /* TEXT: cut in its middle, where begin and end tell more */
	bool not_text; /* too long or too dull for a terminal: only in CSV and JSON */
};

struct pare_cell {
	bool known;
	char *text;    /* TEXT; owned */
	int64_t whole; /* INT, BOOL */
	double real;   /* REAL */
};

struct pare_table {
	const struct pare_column *columns; /* the caller's */
	int n_columns;
	struct pare_cell *cells; /* row-major */
	size_t n_cells, capacity;
	bool failed;
};

struct pare_table_style {
	int width;  /* of the terminal; 0 = any: nothing is cut */
	bool color; /* ANSI: the head in bold */
};

void pare_table_init(struct pare_table *table, const struct pare_column *columns, int n_columns);
void pare_table_release(struct pare_table *table);

/* The next cell. The function must be the one of the column's kind; pare_table_none fits all. */
void pare_table_string(struct pare_table *table, const char *text); /* copied; NULL = unknown */
void pare_table_int(struct pare_table *table, int64_t value);
void pare_table_real(struct pare_table *table, double value); /* not finite = unknown */
void pare_table_bool(struct pare_table *table, bool value);
void pare_table_none(struct pare_table *table);
size_t pare_table_rows(const struct pare_table *table);

/* Numbers to the right, texts to the left. Where the width does not do, the widest texts are cut with "..." first. 0 or
 * PARE_E_NOMEM. */
int pare_table_text(const struct pare_table *table, const struct pare_table_style *style, struct pare_strbuf *out);
int pare_table_csv(const struct pare_table *table, struct pare_strbuf *out);
/* An array of objects; NULL when out of memory. The caller's (json_decref). */
json_t *pare_table_json(const struct pare_table *table);

/* The document as text with a newline at its end: two blanks a level, keys in the order they were put in, reals with 17
 * significant digits. Takes the reference over; NULL (out of memory while it was made) is PARE_E_NOMEM. */
int pare_json_text(json_t *document, struct pare_strbuf *out);
/* A real, or null where it is not finite; a whole number where it is one exactly and `whole` says so. */
json_t *pare_json_number(double value, bool whole);
/* A text, with '?' for what is no UTF-8. NULL in: null. */
json_t *pare_json_string(const char *text);

/* Appends text, with '?' for control characters and for bytes that are no UTF-8. */
void pare_printable(const char *text, struct pare_strbuf *out);
/* "40,551,040" */
void pare_grouped(int64_t value, struct pare_strbuf *out);

#endif
