/*
 * Which names are taken: a set of 64-bit hashes, open addressing. Two different names with one hash would only cost the
 * later one a needless suffix, so the names themselves are not kept.
 */
#ifndef PARE_ENGINE_GRAPH_NAME_SET_H
#define PARE_ENGINE_GRAPH_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pare_name_set {
	uint64_t *slots; /* 0 = free */
	size_t capacity; /* 0 or a power of two */
	size_t count;
};

bool pare_name_set_has(const struct pare_name_set *set, const char *name);
/* 0 or PARE_E_NOMEM, the set is unchanged then. Adding a name twice is fine. */
int pare_name_set_add(struct pare_name_set *set, const char *name);
int pare_name_set_copy(struct pare_name_set *target, const struct pare_name_set *source); /* target: zeros */
void pare_name_set_clear(struct pare_name_set *set);                                      /* empty, memory kept */
void pare_name_set_release(struct pare_name_set *set);                                    /* zeros again */

#endif
