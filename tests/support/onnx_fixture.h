/*
 * ONNX files made in memory, byte by byte, without the library under test: also ones that no sane program would write.
 *
 *     struct onnx_fixture file;
 *     onnx_fixture_init(&file, 13);
 *     onnx_fixture_input(&file, "x", 4, (int64_t[]){-1, 3, 8, 8});    // -1: open, "N"
 *     onnx_fixture_floats(&file, "w", 4, (int64_t[]){4, 3, 3, 3}, NULL);
 *     onnx_fixture_node(&file, "Conv", "conv1", "x w", "y");            // names parted by spaces, "-" = left out
 *     onnx_fixture_attr_ints(&file, "strides", 2, (int64_t[]){2, 2});   // of the node added last
 *     onnx_fixture_output(&file, "y");
 *     struct pare_graph *graph = onnx_fixture_read(&file);              // fails the test when it cannot be read
 *
 * onnx_fixture_read, _refuse and _bytes use the file up. The message_* functions are plain protobuf.
 */
#ifndef PARE_TESTS_SUPPORT_ONNX_FIXTURE_H
#define PARE_TESTS_SUPPORT_ONNX_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/file.h"
#include "engine/base/strbuf.h"
#include "engine/graph/graph.h"

void message_int(struct pare_strbuf *message, int field, int64_t number);
void message_float(struct pare_strbuf *message, int field, float number);
void message_bytes(struct pare_strbuf *message, int field, const void *bytes, size_t size);
void message_text(struct pare_strbuf *message, int field, const char *text);
/* Appends `inner` as a sub-message and releases it. */
void message_nest(struct pare_strbuf *message, int field, struct pare_strbuf *inner);

/* Element types of tensors in the file. */
enum { ONNX_FLOAT = 1, ONNX_INT8 = 3, ONNX_INT32 = 6, ONNX_INT64 = 7, ONNX_BOOL = 9, ONNX_DOUBLE = 11 };

struct onnx_fixture {
	int64_t opset;
	struct pare_strbuf model; /* ModelProto without its graph */
	struct pare_strbuf graph; /* GraphProto */
	struct pare_strbuf node;  /* the node added last, not yet in the graph */
	bool has_node;
};

void onnx_fixture_init(struct onnx_fixture *file, int64_t opset);
void onnx_fixture_release(struct onnx_fixture *file);

void onnx_fixture_input(struct onnx_fixture *file, const char *name, int rank, const int64_t *dims);
void onnx_fixture_output(struct onnx_fixture *file, const char *name);

/* Initialisers in raw_data. data NULL: 0.01, 0.02, ... */
void onnx_fixture_floats(struct onnx_fixture *file, const char *name, int rank, const int64_t *dims, const float *data);
void onnx_fixture_ints(struct onnx_fixture *file, const char *name, int count, const int64_t *data);
/* TensorProto up to its data: dims, type, name. */
struct pare_strbuf onnx_tensor(const char *name, int type, int rank, const int64_t *dims);
/* Adds it and releases it. */
void onnx_fixture_tensor(struct onnx_fixture *file, struct pare_strbuf *tensor);

void onnx_fixture_node(struct onnx_fixture *file, const char *op_type, const char *name, const char *inputs,
                       const char *outputs);
void onnx_fixture_domain(struct onnx_fixture *file, const char *domain);
void onnx_fixture_attr_int(struct onnx_fixture *file, const char *name, int64_t number);
void onnx_fixture_attr_float(struct onnx_fixture *file, const char *name, float number);
void onnx_fixture_attr_text(struct onnx_fixture *file, const char *name, const char *text);
void onnx_fixture_attr_ints(struct onnx_fixture *file, const char *name, int count, const int64_t *numbers);
void onnx_fixture_attr_tensor(struct onnx_fixture *file, const char *name, struct pare_strbuf *tensor);

/* A Constant node with a list of integers. */
void onnx_fixture_constant(struct onnx_fixture *file, const char *output, int count, const int64_t *data);

/* A small network with most operators and a shape computed by constants: conv, batch norm, ReLU, pool, shortcut with
 * Slice and Pad, add, mean, Reshape, Gemm. 3x8x8 to 5. */
void onnx_fixture_network(struct onnx_fixture *file);

struct pare_bytes onnx_fixture_bytes(struct onnx_fixture *file);
struct pare_graph *onnx_fixture_read(struct onnx_fixture *file);
/* Expects that reading fails with this status and that the message has `part` in it. */
void onnx_fixture_refuse(struct onnx_fixture *file, int status, const char *part);

#endif
