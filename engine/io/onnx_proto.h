/*
 * From untrusted bytes to the generated structs, and nothing more: what the structs say is not checked here.
 *
 * protobuf-c 1.4 recurses once per nested message without a limit (a 54 KB file can exhaust the stack) and allocates a
 * few hundred bytes for each 2-byte message. So the bytes are walked first, without allocating: nesting at most
 * PARE_ONNX_MAX_DEPTH, every length inside its parent, no groups, no single message given twice (protobuf would merge
 * them), strings valid UTF-8 without NUL. After that protobuf-c unpacks through an allocator with a ceiling.
 */
#ifndef PARE_ENGINE_IO_ONNX_PROTO_H
#define PARE_ENGINE_IO_ONNX_PROTO_H

#include <stddef.h>

#include "engine/base/status.h"
#include "onnx.pb-c.h"

/* The walk alone. The message says what is wrong at which byte. */
int pare_onnx_scan(const unsigned char *bytes, size_t size, struct pare_error *error);

/* Walk, then unpack. *model is freed by pare_onnx_unpacked_free. */
int pare_onnx_unpack(const void *bytes, size_t size, Onnx__ModelProto **model, struct pare_error *error);
void pare_onnx_unpacked_free(Onnx__ModelProto *model); /* NULL is fine */

#endif
