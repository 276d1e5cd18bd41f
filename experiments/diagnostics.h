/*
 * All that is wrong with a configuration, at once, in the form editors jump to:
 *
 *     bad.yaml:3:3: error: unknown key 'stratgey' in search
 *         3 |   stratgey: nsga2
 *           |   ^^^^^^^^
 *           = help: did you mean 'strategy'?
 */
#ifndef PARE_EXPERIMENTS_DIAGNOSTICS_H
#define PARE_EXPERIMENTS_DIAGNOSTICS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/strbuf.h"

#define PARE_MAX_DIAGNOSTICS 100 /* more are counted, not kept */

struct pare_diagnostic {
	int line, column,
	        end_column; /* 1-based, in characters; end_column is behind the last one; line 0 = the whole file */
	char *origin;       /* where it stands if not in the file: "--set search.controller=x"; else NULL */
	char *text;         /* without "error:" */
	char *help;         /* NULL = none */
};

struct pare_diagnostics {
	char *path;
	char *source; /* for caret lines; NULL = none */
	struct pare_diagnostic *items;
	size_t count, capacity; /* kept items */
	size_t dropped;         /* beyond PARE_MAX_DIAGNOSTICS */
	const char *origin;     /* given to what is added next; the caller's; NULL = the file */
	bool failed;            /* out of memory: something could not be kept */
};

void pare_diagnostics_init(struct pare_diagnostics *diagnostics);
void pare_diagnostics_release(struct pare_diagnostics *diagnostics);
int pare_diagnostics_set_source(struct pare_diagnostics *diagnostics, const char *path, const char *source);
bool pare_diagnostics_any(const struct pare_diagnostics *diagnostics);
/* help may be NULL. */
void pare_diagnostics_add(struct pare_diagnostics *diagnostics, int line, int column, int end_column, const char *help,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Everything: the whole file first, then by line and column, then what stands outside of the file; equal places in the
 * order they were added. `color` uses ANSI colours. Control characters and bytes that are not UTF-8 come out as '?'. */
void pare_diagnostics_print(const struct pare_diagnostics *diagnostics, int color, struct pare_strbuf *out);

/* The candidate (NULL-terminated list) nearest to `word` by Damerau-Levenshtein distance, if the distance is at most
 * 1 + length / 4; else NULL. */
const char *pare_did_you_mean(const char *word, const char *const *candidates);

#endif
