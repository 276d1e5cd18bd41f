#include "engine/graph/name_set.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"

#define FIRST_CAPACITY 64

/* FNV-1a, 64 bits (Fowler, Noll, Vo); never 0. */
static uint64_t hash(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* The slot that holds h, or the free one where it belongs. capacity > count. */
static size_t slot_of(const struct pare_name_set *set, uint64_t h)
{
	size_t slot = (size_t)h & (set->capacity - 1);

	while (set->slots[slot] && set->slots[slot] != h)
		slot = (slot + 1) & (set->capacity - 1);
	return slot;
}

bool pare_name_set_has(const struct pare_name_set *set, const char *name)
{
	return set->count > 0 && set->slots[slot_of(set, hash(name))];
}

static int grow(struct pare_name_set *set)
{
	struct pare_name_set larger = {.capacity = set->capacity ? 2 * set->capacity : FIRST_CAPACITY,
	                               .count = set->count};

	larger.slots = pare_calloc(larger.capacity, sizeof(*larger.slots));
	if (!larger.slots)
		return PARE_E_NOMEM;
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i])
			larger.slots[slot_of(&larger, set->slots[i])] = set->slots[i];
	free(set->slots);
	*set = larger;
	return PARE_OK;
}

int pare_name_set_add(struct pare_name_set *set, const char *name)
{
	const uint64_t h = hash(name);

	/* At most half full: probing stays short. */
	if (2 * (set->count + 1) > set->capacity && grow(set) < 0)
		return PARE_E_NOMEM;
	size_t slot = slot_of(set, h);
	set->count += !set->slots[slot];
	set->slots[slot] = h;
	return PARE_OK;
}

int pare_name_set_copy(struct pare_name_set *target, const struct pare_name_set *source)
{
	if (source->capacity == 0)
		return PARE_OK;
	target->slots = pare_calloc(source->capacity, sizeof(*target->slots));
	if (!target->slots)
		return PARE_E_NOMEM;
	memcpy(target->slots, source->slots, source->capacity * sizeof(*target->slots));
	target->capacity = source->capacity;
	target->count = source->count;
	return PARE_OK;
}

void pare_name_set_clear(struct pare_name_set *set)
{
	if (set->capacity)
		memset(set->slots, 0, set->capacity * sizeof(*set->slots));
	set->count = 0;
}

void pare_name_set_release(struct pare_name_set *set)
{
	free(set->slots);
	*set = (struct pare_name_set){0};
}
