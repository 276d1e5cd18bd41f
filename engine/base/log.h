/*
 * A logger is a value passed in: level and callback. NULL logger = silent. Library code logs facts (which kernel set,
 * how many groups); progress and results are the program's business.
 */
#ifndef PARE_ENGINE_BASE_LOG_H
#define PARE_ENGINE_BASE_LOG_H

enum pare_log_level { PARE_LOG_ERROR, PARE_LOG_WARNING, PARE_LOG_INFO, PARE_LOG_DEBUG };

struct pare_log {
	enum pare_log_level level; /* messages above this level are dropped */
	void (*write)(void *context, enum pare_log_level level, const char *message);
	void *context;
};

void pare_log(const struct pare_log *log, enum pare_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
