#include "engine/io/onnx_proto.h"

#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/io/onnx.h"

/* Unpacking needs the weights once more, and for each small message its struct. Twenty exports of torchvision networks
 * took at most 1.1 times their size plus 1 MB; a file that wants more than this is not a network. */
#define UNPACK_FACTOR 4
#define UNPACK_EXTRA_BYTES ((size_t)64 << 20)

struct ceiling {
	size_t left_bytes;
	int status;
};

static void *take(void *context, size_t size)
{
	struct ceiling *ceiling = context;
	if (size > ceiling->left_bytes) {
		ceiling->status = PARE_E_LIMIT;
		return NULL;
	}
	void *memory = pare_memory_hint(malloc(size ? size : 1), size);
	if (memory)
		ceiling->left_bytes -= size;
	else
		ceiling->status = PARE_E_NOMEM;
	return memory;
}

static void give(void *context, void *memory)
{
	(void)context;
	free(memory);
}

int pare_onnx_unpack(const void *bytes, size_t size, Onnx__ModelProto **model, struct pare_error *error)
{
	*model = NULL;
	if (size > PARE_ONNX_MAX_FILE_BYTES)
		return pare_error_set(error, PARE_E_LIMIT, "%zu bytes; at most %zu can be read", size,
		                      PARE_ONNX_MAX_FILE_BYTES);
	if (size == 0)
		return pare_error_set(error, PARE_E_FORMAT, "not a readable ONNX file: the file is empty");
	int status = pare_onnx_scan(bytes, size, error);
	if (status)
		return status;
	struct ceiling ceiling = {.left_bytes = UNPACK_FACTOR * size + UNPACK_EXTRA_BYTES};
	ProtobufCAllocator allocator = {.alloc = take, .free = give, .allocator_data = &ceiling};
	*model = onnx__model_proto__unpack(&allocator, size, bytes);
	if (*model)
		return PARE_OK;
	if (ceiling.status == PARE_E_NOMEM)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory while unpacking %zu bytes", size);
	if (ceiling.status == PARE_E_LIMIT)
		return pare_error_set(error, PARE_E_LIMIT, "unpacking %zu bytes takes more than %zu bytes of memory",
		                      size, UNPACK_FACTOR * size + UNPACK_EXTRA_BYTES);
	return pare_error_set(error, PARE_E_FORMAT, "not a readable ONNX file: protobuf cannot unpack it");
}

void pare_onnx_unpacked_free(Onnx__ModelProto *model)
{
	ProtobufCAllocator allocator = {.alloc = take, .free = give};
	if (model)
		onnx__model_proto__free_unpacked(model, &allocator);
}
