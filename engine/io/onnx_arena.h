/* Memory that lives as long as one import or export: taken piece by piece, given back at once, with a ceiling. */
#ifndef PARE_ENGINE_IO_ONNX_ARENA_H
#define PARE_ENGINE_IO_ONNX_ARENA_H

#include <stddef.h>

struct pare_onnx_block;

struct pare_onnx_arena {
	struct pare_onnx_block *blocks;
	size_t used_bytes, limit_bytes;
	int status; /* 0, or why the last take failed: PARE_E_LIMIT, PARE_E_NOMEM. Sticky */
};

/* `count` zeroed elements of `size` bytes; NULL on failure, arena->status says why. count 0 gives a valid pointer. */
void *pare_onnx_arena_take(struct pare_onnx_arena *arena, size_t count, size_t size);
void pare_onnx_arena_release(struct pare_onnx_arena *arena);

#endif
