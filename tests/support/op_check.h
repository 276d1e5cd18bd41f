/*
 * One operator under test, run through struct pare_op_args without graph builder or executor.
 *
 *     op_check(&(struct op_case){.name = "relu 3x5x7", .op = &pare_op_relu, .reference = reference_relu, .n_inputs = 1,
 *                                .in = {pare_shape_chw(3, 5, 7)}, .images = 19, .lanes = 16, .tolerance = 1e-6});
 *
 * fails the running cmocka test, naming the case, unless
 *   - forward, inference and training, agrees with the reference: max |difference| <= tolerance * max |reference|;
 *   - the gradients of <output, random> agree with finite differences of the reference (grad_check.h) within
 * gradient_tolerance, and lanes without an image get 0;
 *   - a gradient that is accumulated is the old value plus that gradient; one that is not wanted (NULL) changes no
 * other;
 *   - pools of 1, 2 and 3 threads give bit for bit what the serial run gives.
 * Inputs are random; lanes without an image hold large finite numbers, so that one that leaks is seen. Workspaces and
 * saved state are exactly as large as the operator asks and start as NaN.
 */
#ifndef PARE_TESTS_SUPPORT_OP_CHECK_H
#define PARE_TESTS_SUPPORT_OP_CHECK_H

#include "engine/graph/graph.h"
#include "tests/support/reference_ops.h"

struct op_case {
	const char *name;
	const struct pare_op *op;
	reference_fn reference;
	const void *attrs;
	int n_inputs, n_params;
	int n_trained; /* the first so many parameters have gradients */
	struct pare_shape in[REFERENCE_MAX], param[REFERENCE_MAX];
	unsigned positive_params; /* bit i: parameter i is drawn from [0.5, 1.5) */
	unsigned positive_inputs; /* bit i: so is input i */
	bool distinct_inputs;     /* a shuffled grid: no two values of an input within 2^-10, for max pooling */
	bool noisy_gradient;      /* unused lanes of dout hold numbers too (batch norm must leave them out) */
	int64_t images;
	int lanes;
	enum pare_activation activation;
	double tolerance, gradient_tolerance;
};

void op_check(const struct op_case *c);

/* The operator's infer_shape on the case's inputs, parameters and attributes. */
int op_infer(const struct op_case *c, struct pare_shape *out, struct pare_error *error);

/* The parts, for tests that look at more than op_check does. */
struct op_rig {
	const struct op_case *c;
	struct pare_node node;
	struct pare_graph graph;
	struct pare_value values[REFERENCE_MAX + 1]; /* inputs, then the output */
	struct pare_param params[REFERENCE_MAX];
	int indices[REFERENCE_MAX];
	struct pare_tensor in[REFERENCE_MAX], din[REFERENCE_MAX], out, dout;
	float *param[REFERENCE_MAX], *param_start[REFERENCE_MAX], *dparam[REFERENCE_MAX];
	float *dout_start; /* backward may overwrite dout */
	bool accumulate[REFERENCE_MAX];
	struct reference_call reference;
	double *weights; /* [images][out]: the loss is <out, weights> */
};

void op_rig_open(struct op_rig *rig, const struct op_case *c);
void op_rig_close(struct op_rig *rig);
/* Parameters and dout are set back to their start first. pool NULL = serial. training: backward follows, into din and
 * dparam, which hold what the caller left there (dparam is always added to). */
void op_rig_run(struct op_rig *rig, bool training, struct pare_pool *pool);

#endif
