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

#include <stddef.h>

#include "engine/base/strbuf.h"

struct pare_diagnostic {
	int line, column, end_column; /* 0 = the whole file */
	char *text;                   /* without "error:" */
	char *help;                   /* NULL = none */
};

struct pare_diagnostics {
	char *path;
	char *source; /* for caret lines; NULL = none */
	struct pare_diagnostic *items;
	size_t count, capacity;
};

void pare_diagnostics_init(struct pare_diagnostics *diagnostics);
void pare_diagnostics_release(struct pare_diagnostics *diagnostics);
int pare_diagnostics_set_source(struct pare_diagnostics *diagnostics, const char *path, const char *source);
/* help may be NULL. */
void pare_diagnostics_add(struct pare_diagnostics *diagnostics, int line, int column, int end_column, const char *help,
                          const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Everything, sorted by place; `color` uses ANSI colours. */
void pare_diagnostics_print(const struct pare_diagnostics *diagnostics, int color, struct pare_strbuf *out);

/* The candidate (NULL-terminated list) nearest to `word` by Damerau-Levenshtein distance, if the distance is at most
 * 1 + length / 4; else NULL. */
const char *pare_did_you_mean(const char *word, const char *const *candidates);

#endif
