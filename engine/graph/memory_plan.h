/*
 * Offsets for buffers that live from one time to another, so that buffers alive together never overlap.
 *
 * Greedy by size: the largest buffer first, at the lowest offset that is free over its whole life (Pisarchyk and Lee
 * 2020, "Efficient Memory Management for Deep Neural Net Inference", greedy by size).
 */
#ifndef PARE_ENGINE_GRAPH_MEMORY_PLAN_H
#define PARE_ENGINE_GRAPH_MEMORY_PLAN_H

#include <stddef.h>

struct pare_memory_item {
	size_t bytes;
	int first, last; /* alive in [first, last], any unit of time */
	size_t offset;   /* out: a multiple of 64 */
};

/* Fills the offsets; *total = size of the arena. 0 or PARE_E_NOMEM. */
int pare_memory_plan(struct pare_memory_item *items, int n, size_t *total);

#endif
