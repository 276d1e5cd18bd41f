/*
 * Option tables: what a plug-in (controller, evaluator) lets the user set. One line an option; the YAML loader, the help and the
 * manual are made from the same table.
 */
#ifndef PARE_ENGINE_BASE_OPTION_H
#define PARE_ENGINE_BASE_OPTION_H

#include <stdint.h>

enum pare_option_kind { PARE_OPTION_INT, PARE_OPTION_FLOAT, PARE_OPTION_BOOL, PARE_OPTION_CHOICE };

struct pare_option {
	const char *name; /* snake_case, unit in the name if it has one */
	enum pare_option_kind kind;
	double low, high;           /* allowed range, inclusive (INT, FLOAT) */
	double fallback;            /* default; for CHOICE an index into choices, for BOOL 0 or 1 */
	const char *const *choices; /* CHOICE: NULL-terminated */
	const char *help;           /* one line; with the source of the default (paper) */
};

/* A table ends with an entry whose name is NULL. Values are an array of doubles parallel to the table. */
#define PARE_OPTION_END                                                                                                \
	{                                                                                                                  \
		.name = 0                                                                                                      \
	}

#endif
