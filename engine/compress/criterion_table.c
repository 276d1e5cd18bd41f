#include "engine/compress/criterion.h"

#include <stddef.h>
#include <string.h>

const struct pare_criterion *const pare_criterion_table[] = {
        &pare_criterion_l2,
        &pare_criterion_l1,
        NULL,
};

const struct pare_criterion *pare_criterion_find(const char *name)
{
	for (const struct pare_criterion *const *criterion = pare_criterion_table; *criterion; criterion++)
		if (strcmp((*criterion)->name, name) == 0)
			return *criterion;
	return NULL;
}
