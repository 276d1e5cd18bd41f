#include "engine/graph/memory_plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"

#define ALIGNMENT 64

struct order {
	const struct pare_memory_item *items;
	int index;
};

/* Larger first, then earlier, then by index: a total order, so that plans do not depend on the sort. */
static int compare_size(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	const struct pare_memory_item *p = &x->items[x->index], *q = &y->items[y->index];
	if (p->bytes != q->bytes)
		return p->bytes > q->bytes ? -1 : 1;
	if (p->first != q->first)
		return p->first < q->first ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

/* Inserts `index` into placed[0..n), kept sorted by offset. */
static void insert_placed(const struct pare_memory_item *items, int *placed, int n, int index)
{
	while (n > 0 && items[placed[n - 1]].offset > items[index].offset) {
		placed[n] = placed[n - 1];
		n--;
	}
	placed[n] = index;
}

/* The lowest offset at which the item overlaps no placed one of the same time. */
static size_t lowest_gap(const struct pare_memory_item *items, const int *placed, int n,
                         const struct pare_memory_item *item)
{
	size_t at = 0;
	for (int i = 0; i < n; i++) {
		const struct pare_memory_item *other = &items[placed[i]];
		if (other->last < item->first || item->last < other->first)
			continue;
		if (other->offset >= at + item->bytes)
			break;
		size_t end = (other->offset + other->bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
		at = end > at ? end : at;
	}
	return at;
}

/* Whether the items fit into the address space one behind the other: then no sum below can overflow. */
static bool countable(const struct pare_memory_item *items, int n)
{
	size_t left = SIZE_MAX;
	for (int i = 0; i < n; i++) {
		if (items[i].bytes > SIZE_MAX - ALIGNMENT || items[i].bytes + ALIGNMENT > left)
			return false;
		left -= items[i].bytes + ALIGNMENT;
	}
	return true;
}

int pare_memory_plan(struct pare_memory_item *items, int n, size_t *total)
{
	struct order *order = pare_calloc((size_t)n, sizeof *order);
	int *placed = pare_calloc((size_t)n, sizeof *placed);
	int status = PARE_E_NOMEM;

	*total = 0;
	if (!order || !placed || !countable(items, n))
		goto out;
	for (int i = 0; i < n; i++)
		order[i] = (struct order){items, i};
	qsort(order, (size_t)n, sizeof *order, compare_size);
	for (int i = 0; i < n; i++) {
		struct pare_memory_item *item = &items[order[i].index];
		item->offset = lowest_gap(items, placed, i, item);
		insert_placed(items, placed, i, order[i].index);
		if (item->offset + item->bytes > *total)
			*total = item->offset + item->bytes;
	}
	status = PARE_OK;
out:
	free(order);
	free(placed);
	return status;
}
