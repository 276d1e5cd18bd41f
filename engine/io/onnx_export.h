/*
 * Exporting, inside engine/io: what one export is made of. Memory comes from the arena and failures stick to it, so the
 * functions return nothing and pare_onnx_write_bytes asks once at the end.
 *
 * An operator is one line in onnx_export_ops.c: the node's inputs are written first, then its parameters in the
 * operator's order, then what `fill` adds.
 */
#ifndef PARE_ENGINE_IO_ONNX_EXPORT_H
#define PARE_ENGINE_IO_ONNX_EXPORT_H

#include "engine/graph/graph.h"
#include "engine/io/onnx_arena.h"
#include "onnx.pb-c.h"

#define PARE_ONNX_WRITTEN_OPSET 13
#define PARE_ONNX_WRITTEN_IR 7
#define PARE_ONNX_EXTRA_INPUTS 4 /* at most, per node */
#define PARE_ONNX_ATTRIBUTES 8   /* at most, per node */

struct pare_onnx_export {
	const struct pare_graph *graph;
	Onnx__GraphProto proto;
	char **param_names; /* [n_params], as written */
	struct pare_onnx_arena arena;
};

struct pare_onnx_export_op {
	const struct pare_op *op;
	const char *op_type;
	/* (optional) Attributes and constant inputs. */
	void (*fill)(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out);
};

/* onnx_export_ops.c; NULL when the operator cannot be written. */
const struct pare_onnx_export_op *pare_onnx_export_find(const struct pare_op *op);

/* onnx_export.c. `ints` and `numbers` are copied. */
void pare_onnx_put_int(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, int64_t number);
void pare_onnx_put_float(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, float number);
void pare_onnx_put_text(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, const char *text);
void pare_onnx_put_ints(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, const int64_t *ints,
                        size_t count);
/* A constant input, kept as an initialiser "<node>.<name>". */
void pare_onnx_put_scalar_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name, float number);
void pare_onnx_put_ints_input(struct pare_onnx_export *export, Onnx__NodeProto *out, const char *name,
                              const int64_t *ints, size_t count);

#endif
