/*
 * Importing, inside engine/io: what one import is made of and what its operators work with.
 *
 *     unpack (onnx_proto) -> names and order (onnx_order) -> for each node, in order (onnx_read):
 *         every input a constant -> fold: the result is a constant again
 *         otherwise              -> build: nodes of the graph, or a constant (Shape), or just the input under another
 * name (Identity)
 *     the whole graph -> functions that are spelt out become one operator each (onnx_merge)
 *
 * To support one more ONNX operator, write its fold or build function and name both in onnx_op_table.c. Such a function
 *   - reads node->inputs (NULL = left out), attributes (pare_onnx_attr_*), lists that are attributes in old opsets and
 * inputs in new ones (pare_onnx_ints);
 *   - ends with pare_onnx_add_node, pare_onnx_alias or pare_onnx_set_constant for its output;
 *   - on failure sets import->error to what is wrong and what is allowed; node, operator, opset and file are put in
 * front by the caller.
 *
 * The batch: an activation of rank r in the graph has rank r + 1 in the file. A number that stands for the batch size
 * is PARE_ONNX_BATCH when the file leaves it open.
 */
#ifndef PARE_ENGINE_IO_ONNX_IMPORT_H
#define PARE_ENGINE_IO_ONNX_IMPORT_H

#include "engine/graph/graph.h"
#include "engine/io/onnx_arena.h"
#include "onnx.pb-c.h"

#define PARE_ONNX_OPSET_MIN 9
#define PARE_ONNX_OPSET_MAX 21
#define PARE_ONNX_CONSTANT_RANK 8
#define PARE_ONNX_MAX_FILE_NODES (1 << 17)  /* names are sorted, folding is linear */
#define PARE_ONNX_MAX_GRAPH_NODES (1 << 14) /* unique names in a graph are checked one against all */

/* The open batch size in shape arithmetic: "Nbatch" in ASCII, a number no real shape holds. Moving it is fine,
 * computing with it is not. */
#define PARE_ONNX_BATCH INT64_C(-0x4e6261746368)

/* All integer types of the file become int64, all real ones float. */
enum pare_onnx_type { PARE_ONNX_FLOAT, PARE_ONNX_INT64 };

struct pare_onnx_constant {
	enum pare_onnx_type type;
	int rank;
	int64_t dim[PARE_ONNX_CONSTANT_RANK];
	int64_t count; /* elements, may be 0 */
	union {
		float *floats;
		int64_t *ints;
		void *data;
	}; /* row-major; in the unpacked file, an external file or the arena; not changed once it is made */
};

enum pare_onnx_kind { PARE_ONNX_PENDING, PARE_ONNX_ACTIVATION, PARE_ONNX_CONSTANT };

/* One name of the file: the input, an initialiser or an output of a node. */
struct pare_onnx_value {
	const char *name;
	const Onnx__TensorProto *initializer; /* NULL unless it is one */
	int producer;                         /* node index in the file, -1 for input and initialisers */
	int readers; /* nodes that are needed and read it; the graph's output counts as one more */
	enum pare_onnx_kind kind;
	int value; /* ACTIVATION: index in the graph */
	struct pare_onnx_constant constant;
	int param;   /* tied weight: index in the graph, -1 = none yet */
	bool copied; /* a parameter was made from it */
};

struct pare_onnx_external; /* files beside the model that were read, onnx_external.c */

struct pare_onnx_import {
	const char *directory; /* of external data; NULL = not allowed */
	const Onnx__GraphProto *proto;
	int64_t opset;
	int64_t batch; /* PARE_ONNX_BATCH or the fixed number in the file */
	struct pare_graph *graph;

	struct pare_onnx_value *values; /* sorted by name */
	size_t n_values;
	struct pare_onnx_value **inputs; /* all nodes' inputs, NULL = left out */
	size_t *first_input;             /* [n_node + 1] node i's are inputs[first_input[i]] ... */
	int *order;                      /* the needed nodes, producers first */
	int n_order;

	struct pare_onnx_arena arena;
	struct pare_onnx_external *external;
	struct pare_error *error;
};

struct pare_onnx_node {
	const Onnx__NodeProto *proto;
	const char *name; /* the file's, or its output's where it has none */
	struct pare_onnx_value **inputs;
	int n_inputs;
	struct pare_onnx_value *output;
};

struct pare_onnx_op {
	const char *op_type;
	int min_inputs, max_inputs; /* -1 = any number */
	/* (optional; otherwise refused) All inputs are constants. */
	int (*fold)(struct pare_onnx_import *import, const struct pare_onnx_node *node);
	/* (optional; otherwise refused) At least one input is an activation. */
	int (*build)(struct pare_onnx_import *import, const struct pare_onnx_node *node);
	bool many_outputs; /* build looks after outputs beyond the first itself; otherwise nobody may read them */
};

/* onnx_op_table.c: sorted by op_type, `count` entries. */
extern const struct pare_onnx_op pare_onnx_op_table[];
extern const size_t pare_onnx_op_count;
const struct pare_onnx_op *pare_onnx_op_find(const char *op_type); /* NULL when there is none */

/* onnx_order.c: fills values, inputs and order from proto; `input` and `output` are the graph's two ends. */
int pare_onnx_order(struct pare_onnx_import *import, const char *input, const char *output);
struct pare_onnx_value *pare_onnx_value_find(const struct pare_onnx_import *import, const char *name);

/* onnx_node.c: attributes. Absent: the fallback. Present with another type: an error. */
int pare_onnx_attr_int(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                       int64_t fallback, int64_t *out);
int pare_onnx_attr_float(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                         float fallback, float *out);
#define PARE_ONNX_ATTR_TEXT_SIZE 32
/* Cut to size, unprintable bytes replaced. */
int pare_onnx_attr_text(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *name,
                        const char *fallback, char out[PARE_ONNX_ATTR_TEXT_SIZE]);
const Onnx__AttributeProto *pare_onnx_attr_find(const struct pare_onnx_node *node, const char *name);

struct pare_onnx_ints {
	const int64_t *values; /* NULL = neither input nor attribute is there */
	size_t count;
};
/* A list given as input number `input` (-1 = never) or as an attribute (NULL = never). */
int pare_onnx_ints(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input, const char *attribute,
                   struct pare_onnx_ints *out);

/* Input `input`, NULL when left out. */
struct pare_onnx_value *pare_onnx_input(const struct pare_onnx_node *node, int input);
/* The same for an input that has to be an activation or a constant; fails with a message otherwise. */
int pare_onnx_activation(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input, int *value);
int pare_onnx_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node, int input,
                       enum pare_onnx_type type, const struct pare_onnx_constant **out);
/* axis in [-rank, rank) into [0, rank). */
int pare_onnx_axis(struct pare_onnx_import *import, int64_t axis, int rank, int *out);
/* Shape of an activation in the graph. */
const struct pare_shape *pare_onnx_shape(const struct pare_onnx_import *import, int value);
/* Checks that a number fits the int32 attributes of the graph's operators: in [low, PARE_MAX_DIMENSION]. */
int pare_onnx_small(struct pare_onnx_import *import, const char *what, int64_t number, int64_t low, int32_t *out);
/* "[0, -1]"; cut to size, the open batch as N. Returns text. */
char *pare_onnx_ints_text(const int64_t *values, size_t count, char *text, size_t size);

/* onnx_build.c: into the graph. */
struct pare_onnx_step {
	const struct pare_op *op;
	const void *attrs;
	const int *inputs;
	int n_inputs;
	const int *params;
	int n_params;
};
/* A node called node->name whose output is node->output. */
int pare_onnx_add_node(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                       const struct pare_onnx_step *step);
/* A node in front of that one, "<node->name>/<suffix>": ONNX operators that are two of ours. */
int pare_onnx_add_step(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *suffix,
                       const struct pare_onnx_step *step, int *value);
/* The node's output is this activation. */
int pare_onnx_alias(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value);
int pare_onnx_set_constant(struct pare_onnx_import *import, const struct pare_onnx_node *node,
                           const struct pare_onnx_constant *constant);
/* A weight [out][in][kh][kw] or [out][in]. Used twice under the same role and shape it is one tied parameter. `data`
 * NULL = the constant's. */
int pare_onnx_weight(struct pare_onnx_import *import, struct pare_onnx_value *value, const struct pare_shape *shape,
                     const float *data, int *param);
/* A vector of `length` numbers; leading and trailing dimensions of 1 are dropped. Never tied: exporters merge equal
 * initialisers, and fresh batch norms all look equal. */
int pare_onnx_vector(struct pare_onnx_import *import, struct pare_onnx_value *value, enum pare_param_role role,
                     int64_t length, int *param);
/* A parameter "<node->name>.<suffix>" full of one number, which the file has not. */
int pare_onnx_new_param(struct pare_onnx_import *import, const struct pare_onnx_node *node, const char *suffix,
                        enum pare_param_role role, const struct pare_shape *shape, float number, int *param);
/* Users know the network's output by the file's name, also when the last nodes do nothing. */
int pare_onnx_name_output(struct pare_onnx_import *import, int value, const char *name);
/* Replaces the node that made `value` by one with `param` added to it (a bias that stood in a node of its own); -1:
 * only its attributes have changed. */
int pare_onnx_absorb(struct pare_onnx_import *import, const struct pare_onnx_node *node, int value, int param);

/* onnx_constant.c */
int pare_onnx_constant_load(struct pare_onnx_import *import, const Onnx__TensorProto *tensor,
                            struct pare_onnx_constant *out);
/* Memory in the arena, zeroed, for a constant of out->type, out->rank, out->dim; sets count and data. */
int pare_onnx_constant_new(struct pare_onnx_import *import, struct pare_onnx_constant *out);
/* `count` zeroed elements from the arena; NULL = import->error says which limit was met, import->arena.status is the
 * code. */
void *pare_onnx_take(struct pare_onnx_import *import, size_t count, size_t size);
/* Product of dimensions; refuses negative ones and more than PARE_MAX_ELEMENTS. */
int pare_onnx_constant_count(struct pare_onnx_import *import, struct pare_onnx_constant *constant);

/* onnx_external.c: the bytes of a tensor that lies in a file beside the model. */
int pare_onnx_external_data(struct pare_onnx_import *import, const Onnx__TensorProto *tensor, unsigned char **data,
                            size_t *size);
void pare_onnx_external_release(struct pare_onnx_import *import);

/* onnx_merge.c: spelt-out functions into one operator each; *graph is replaced when there are any. */
int pare_onnx_merge(struct pare_graph **graph, struct pare_error *error);

/* onnx_slice.c: where a Slice starts and ends (exclusive, clamped to the dimension; -1 when a negative step runs to the
 * front), its step and how many it takes, per dimension. dim[0] < 0 stands for the batch, which must not be cut. */
struct pare_onnx_range {
	int64_t start[PARE_ONNX_CONSTANT_RANK], end[PARE_ONNX_CONSTANT_RANK], step[PARE_ONNX_CONSTANT_RANK];
	int64_t count[PARE_ONNX_CONSTANT_RANK];
};
int pare_onnx_slice_range(struct pare_onnx_import *import, const struct pare_onnx_node *node, int rank,
                          const int64_t *dim, struct pare_onnx_range *range);

#endif
