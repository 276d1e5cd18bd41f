/*
 * Exporting, inside engine/io: what one export is made of. Memory comes from the arena and failures stick to it, so the
 * functions return nothing and pare_onnx_write_bytes asks once at the end.
 *
 * An operator is one line in onnx_export_ops.c: the node's inputs are written first, then its parameters in the
 * operator's order, then what `fill` adds. One that ONNX (opset 13) has no name for is spelt out by `spell`
 * (onnx_export_spell.c), the way onnx_merge.c finds it again: the last node, or the one with the first parameter, gets
 * the node's name, the others "<name>/<what>".
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

#define PARE_ONNX_SPELT 10 /* nodes that one of ours can become, at most */

/* How a parameter lies in the file. */
enum pare_onnx_form { PARE_ONNX_UNUSED, PARE_ONNX_AS_IT_IS, PARE_ONNX_TURNED, PARE_ONNX_TRAILING };

struct pare_onnx_export {
	const struct pare_graph *graph;
	Onnx__GraphProto proto;
	char **param_names; /* [n_params], as written */
	int *param_forms;   /* [n_params] enum pare_onnx_form, TURNED: [in][out]; TRAILING + n: n ones behind its own
	                       shape */
	struct pare_onnx_arena arena;
};

struct pare_onnx_export_op {
	const struct pare_op *op;
	const char *op_type;
	/* (optional) Attributes and constant inputs. */
	void (*fill)(struct pare_onnx_export *export, const struct pare_node *node, Onnx__NodeProto *out);
	/* (optional) Writes all nodes; op_type and fill are not used. */
	void (*spell)(struct pare_onnx_export *export, const struct pare_node *node);
	/* (optional; default AS_IT_IS) The form this node needs its parameter in. */
	int (*form)(const struct pare_graph *graph, const struct pare_node *node, int param);
};

/* onnx_export_spell.c */
void pare_onnx_spell_silu(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_hard_swish(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_gelu(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_affine(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_scale(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_layer_norm(struct pare_onnx_export *export, const struct pare_node *node);
void pare_onnx_spell_linear(struct pare_onnx_export *export, const struct pare_node *node);
int pare_onnx_form_scale(const struct pare_graph *graph, const struct pare_node *node, int param);
int pare_onnx_form_layer_norm(const struct pare_graph *graph, const struct pare_node *node, int param);
int pare_onnx_form_linear(const struct pare_graph *graph, const struct pare_node *node, int param);

/* onnx_export_ops.c; NULL when the operator cannot be written. */
const struct pare_onnx_export_op *pare_onnx_export_find(const struct pare_op *op);

/* onnx_export.c: nodes. */
/* A node with these inputs whose output is called `output`; NULL when out of memory. */
Onnx__NodeProto *pare_onnx_put_node(struct pare_onnx_export *export, const char *op_type, char *name, int n_inputs,
                                    char *const *inputs, char *output);
/* "<node>/<what>", which no value, parameter or other such name has. */
char *pare_onnx_inner_name(struct pare_onnx_export *export, const char *node, const char *what);

/* onnx_export.c: what a node has. `ints` and `numbers` are copied. */
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
