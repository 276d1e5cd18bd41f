#include "engine/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_SIZE 1024

void pare_log(const struct pare_log *log, enum pare_log_level level, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	va_list arguments;

	if (!log || !log->write || level > log->level)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log->write(log->context, level, message);
}
