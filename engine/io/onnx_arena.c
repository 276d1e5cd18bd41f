#include "engine/io/onnx_arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"

struct pare_onnx_block {
	struct pare_onnx_block *next;
	alignas(16) unsigned char data[];
};

void *pare_onnx_arena_take(struct pare_onnx_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (!pare_size_multiply(count, size, &bytes) || bytes > arena->limit_bytes - arena->used_bytes) {
		arena->status = PARE_E_LIMIT;
		return NULL;
	}
	struct pare_onnx_block *block = NULL;
	if (bytes <= SIZE_MAX - sizeof(*block))
		block = calloc(1, sizeof(*block) + bytes);
	if (!block) {
		arena->status = PARE_E_NOMEM;
		return NULL;
	}
	arena->used_bytes += bytes;
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

void pare_onnx_arena_release(struct pare_onnx_arena *arena)
{
	while (arena->blocks) {
		struct pare_onnx_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	arena->used_bytes = 0;
}
