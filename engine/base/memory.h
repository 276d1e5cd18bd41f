/*
 * Allocation helpers: sizes are checked for overflow; float arrays are aligned to 64 bytes (a cache line, an AVX-512
 * register).
 */
#ifndef PARE_ENGINE_BASE_MEMORY_H
#define PARE_ENGINE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* a * b into *out; false on overflow (of size_t or int64_t). */
bool pare_size_multiply(size_t a, size_t b, size_t *out);
bool pare_int64_multiply(int64_t a, int64_t b, int64_t *out); /* also false when either is negative */

/* Zeroed array of count * size bytes, free() it; NULL on overflow or out of memory. count 0 gives a valid pointer. */
void *pare_calloc(size_t count, size_t size);
/* `count` zeroed floats aligned to 64 bytes, free() them. */
float *pare_float_new(size_t count);
/* `size` uninitialised bytes aligned to 64, free() them. */
void *pare_aligned_new(size_t size);
/* Asks for large pages for a large block just allocated, before it is touched: tens of thousands of page faults less
 * for a file of weights. Only a hint; small blocks are left alone. Returns the block. */
void *pare_memory_hint(void *memory, size_t size);
/* Grows *array (element size `size`) so that it can hold `needed` elements; doubles. 0 or PARE_E_NOMEM. */
int pare_array_grow(void **array, size_t *capacity, size_t needed, size_t size);
char *pare_strdup(const char *text); /* NULL in, NULL out */

#endif
