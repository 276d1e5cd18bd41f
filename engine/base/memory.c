#include "engine/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/status.h"

#define ALIGNMENT 64
#define LARGE_PAGE ((size_t)2 << 20)
#define FIRST_CAPACITY 8

bool pare_size_multiply(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

bool pare_int64_multiply(int64_t a, int64_t b, int64_t *out)
{
	return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

void *pare_calloc(size_t count, size_t size)
{
	/* calloc checks the product; asking for one byte at least makes "NULL" mean only "no memory". */
	return count && size ? calloc(count, size) : calloc(1, 1);
}

void *pare_memory_hint(void *memory, size_t size)
{
	uintptr_t begin = ((uintptr_t)memory + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
	uintptr_t end = ((uintptr_t)memory + size) & ~(uintptr_t)(LARGE_PAGE - 1);

	/* Whole large pages inside the block only. A system that has none says no: nothing is lost. */
	if (memory && size >= 2 * LARGE_PAGE && end > begin)
		madvise((void *)begin, end - begin, MADV_HUGEPAGE);
	return memory;
}

void *pare_aligned_new(size_t size)
{
	/* aligned_alloc wants a multiple of the alignment. */
	if (size > SIZE_MAX - ALIGNMENT)
		return NULL;
	size = size ? (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
	return pare_memory_hint(aligned_alloc(ALIGNMENT, size), size);
}

float *pare_float_new(size_t count)
{
	size_t size;
	float *values;

	if (!pare_size_multiply(count, sizeof(float), &size))
		return NULL;
	values = pare_aligned_new(size);
	if (values)
		memset(values, 0, size);
	return values;
}

int pare_array_grow(void **array, size_t *capacity, size_t needed, size_t size)
{
	size_t wanted, bytes;
	void *grown;

	if (needed <= *capacity)
		return PARE_OK;
	wanted = *capacity > SIZE_MAX / 2 ? needed : *capacity * 2;
	if (wanted < FIRST_CAPACITY)
		wanted = FIRST_CAPACITY;
	if (wanted < needed)
		wanted = needed;
	if (!pare_size_multiply(wanted, size, &bytes))
		return PARE_E_NOMEM;
	grown = realloc(*array, bytes);
	if (!grown)
		return PARE_E_NOMEM;
	*array = grown;
	*capacity = wanted;
	return PARE_OK;
}

char *pare_strdup(const char *text)
{
	return text ? strdup(text) : NULL;
}
