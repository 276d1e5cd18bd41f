/*
 * Status codes and the error object.
 *
 * The rule: a function that can fail returns 0 (PARE_OK) or a negative enum pare_status. A function that reads what a
 * user wrote or handed over also takes a last argument `struct pare_error *error` (may be NULL) and fills it where the
 * failure is understood: what was found, what is allowed, and where. A function that returns void cannot fail.
 * Library code never prints and never exits.
 *
 *     int load(const char *path, struct pare_error *error)
 *     {
 *         if (size < 16)
 *             return pare_error_set_at(error, PARE_E_FORMAT, path, 0, 0, "file is %zu bytes, the header alone is 16", size);
 *         return PARE_OK;
 *     }
 */
#ifndef PARE_ENGINE_BASE_STATUS_H
#define PARE_ENGINE_BASE_STATUS_H

#include <stdint.h>

enum pare_status {
	PARE_OK = 0,
	PARE_E_NOMEM = -1,       /* out of memory */
	PARE_E_IO = -2,          /* the operating system refused: open, read, write, no space left */
	PARE_E_FORMAT = -3,      /* a file is malformed, truncated or of another version */
	PARE_E_INVALID = -4,     /* an argument or a configured value is not allowed */
	PARE_E_UNSUPPORTED = -5, /* well formed, but pare cannot do it (an unknown operator, say) */
	PARE_E_NOT_FOUND = -6,   /* no such file, trial, key, name */
	PARE_E_EXISTS = -7,      /* refuses to overwrite */
	PARE_E_INFEASIBLE = -8,  /* no candidate meets the budgets */
	PARE_E_DIVERGED = -9,    /* a loss, weight or score became NaN or infinite */
	PARE_E_STOPPED = -10,    /* the user asked to stop */
	PARE_E_LIMIT = -11,      /* over a stated limit (see the message) */
};

#define PARE_ERROR_TEXT_SIZE 1024
#define PARE_ERROR_FILE_SIZE 512

struct pare_error {
	enum pare_status code;
	char file[PARE_ERROR_FILE_SIZE]; /* "" when the error has no file */
	int64_t line;                    /* 1-based; 0 = no line */
	int64_t column;                  /* 1-based; 0 = no column */
	char text[PARE_ERROR_TEXT_SIZE]; /* one sentence, no trailing full stop or newline, names the offending value */
};

/* Both return `code`, so that `return pare_error_set(...)` reads well. `error` may be NULL. */
int pare_error_set(struct pare_error *error, enum pare_status code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int pare_error_set_at(struct pare_error *error, enum pare_status code, const char *file, int64_t line, int64_t column,
                      const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Puts "context: " in front of the text already there (the layer, the phase); returns error->code, or code if NULL. */
int pare_error_prefix(struct pare_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* "file:line:column: text" (the parts that are known), NUL-terminated, cut to size. */
void pare_error_format(const struct pare_error *error, char *text, int size);

/* A short phrase for a code ("out of memory"); never NULL. */
const char *pare_status_text(int status);

#endif
