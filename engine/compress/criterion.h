/*
 * Which channels of a group matter (survey, Table 4.1). A criterion gives every atom of a group a score; the lowest go
 * first. One file a criterion, one line in criterion_table.c.
 */
#ifndef PARE_ENGINE_COMPRESS_CRITERION_H
#define PARE_ENGINE_COMPRESS_CRITERION_H

#include "engine/compress/groups.h"

struct pare_criterion {
	const char *name; /* "l2" */
	const char *help; /* one line, with the paper */
	/* score[i] for groups->group[group].atoms[i]: not negative, not NaN for finite weights. */
	int (*score)(const struct pare_groups *groups, int group, double *score /* [channels] */,
	             struct pare_error *error);
};

extern const struct pare_criterion pare_criterion_l1, pare_criterion_l2;

/* The first one is the default. */
extern const struct pare_criterion *const pare_criterion_table[]; /* NULL-terminated */
const struct pare_criterion *pare_criterion_find(const char *name);

#endif
