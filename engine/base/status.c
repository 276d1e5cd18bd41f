#include "engine/base/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 6, 0))) static void set_formatted(struct pare_error *error, enum pare_status code,
                                                                const char *file, int64_t line, int64_t column,
                                                                const char *format, va_list arguments)
{
	/* The arguments may point into the error that is being overwritten, so the new text is made aside first. */
	struct pare_error made = {.code = code, .line = line, .column = column};

	snprintf(made.file, sizeof(made.file), "%s", file ? file : "");
	vsnprintf(made.text, sizeof(made.text), format, arguments);
	*error = made;
}

int pare_error_set(struct pare_error *error, enum pare_status code, const char *format, ...)
{
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	set_formatted(error, code, NULL, 0, 0, format, arguments);
	va_end(arguments);
	return code;
}

int pare_error_set_at(struct pare_error *error, enum pare_status code, const char *file, int64_t line, int64_t column,
                      const char *format, ...)
{
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	set_formatted(error, code, file, line, column, format, arguments);
	va_end(arguments);
	return code;
}

int pare_error_prefix(struct pare_error *error, int code, const char *format, ...)
{
	char text[PARE_ERROR_TEXT_SIZE];
	va_list arguments;

	if (!error)
		return code;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* An error that was never filled in still says something: the phrase of its code. */
	strncat(text, ": ", sizeof(text) - 1 - strlen(text));
	strncat(text, error->text[0] ? error->text : pare_status_text(code), sizeof(text) - 1 - strlen(text));
	memcpy(error->text, text, sizeof(text));
	if (error->code == PARE_OK)
		error->code = (enum pare_status)code;
	return error->code;
}

void pare_error_format(const struct pare_error *error, char *text, int size)
{
	char line[32] = "", column[32] = "";

	if (size <= 0)
		return;
	if (error->line > 0)
		snprintf(line, sizeof(line), "%" PRId64 ":", error->line);
	if (error->line > 0 && error->column > 0)
		snprintf(column, sizeof(column), "%" PRId64 ":", error->column);
	snprintf(text, (size_t)size, "%s%s%s%s%s%s", error->file, error->file[0] ? ":" : "", line, column,
	         error->file[0] || line[0] ? " " : "", error->text[0] ? error->text : pare_status_text(error->code));
}

const char *pare_status_text(int status)
{
	switch (status) {
	case PARE_OK:
		return "no error";
	case PARE_E_NOMEM:
		return "out of memory";
	case PARE_E_IO:
		return "input or output failed";
	case PARE_E_FORMAT:
		return "malformed file";
	case PARE_E_INVALID:
		return "value not allowed";
	case PARE_E_UNSUPPORTED:
		return "not supported";
	case PARE_E_NOT_FOUND:
		return "not found";
	case PARE_E_EXISTS:
		return "already exists";
	case PARE_E_INFEASIBLE:
		return "no candidate meets the budgets";
	case PARE_E_DIVERGED:
		return "diverged (NaN or infinite)";
	case PARE_E_STOPPED:
		return "stopped on request";
	case PARE_E_LIMIT:
		return "over a limit";
	default:
		return "unknown status";
	}
}
