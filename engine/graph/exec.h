/*
 * The executor: a graph bound to a batch size. Memory is planned when it is made; running allocates nothing and cannot
 * fail.
 *
 *     struct pare_exec *exec;
 *     pare_exec_new(&exec, graph, &(struct pare_exec_options){.images = 128, .training = true, .pool = pool}, &error);
 *     fill pare_exec_input(exec); pare_exec_forward(exec);
 *     write pare_exec_output_gradient(exec) from pare_exec_output(exec);
 *     pare_exec_backward(exec);          // pare_exec_param_gradient(exec, p) for every trained parameter
 *     pare_exec_free(exec);
 *
 * Steps: an activation (ReLU, ReLU6) whose input has no other reader is computed by the operator before it, when that
 * one can (PARE_OP_FUSES_ACTIVATION). A step is a node plus at most one such activation; latency tables time steps.
 *
 * Inference of many images on many cores: one executor per worker with pool = NULL (engine/train/evaluate.h does that).
 * The graph must outlive the executor. Its structure may not change. Parameter data may be changed between calls; in
 * inference call pare_exec_refresh then, since operators keep packed copies.
 */
#ifndef PARE_ENGINE_GRAPH_EXEC_H
#define PARE_ENGINE_GRAPH_EXEC_H

#include "engine/graph/graph.h"

struct pare_exec;

struct pare_exec_options {
	int64_t images; /* batch size; the layout follows from it (pare_lanes_for) unless lanes is set */
	int lanes;      /* 0 = pare_lanes_for(images); else 1 or PARE_LANES */
	bool training;  /* keep what backward needs; batch norm uses batch statistics and updates its running ones */
	struct pare_pool *pool; /* spreads each operator over workers; NULL = serial */
	int first_node;  /* run only nodes from here on; values made earlier are inputs (pare_exec_value, fill them) */
	const int *keep; /* values whose memory is not reused, so that they can be read after forward */
	int n_keep;
	bool input_gradient; /* training: also compute the gradient with respect to the input */
};

struct pare_step {
	int node;                        /* index in the graph */
	int activation_node;             /* fused ReLU's node index, or -1 */
	enum pare_activation activation; /* NONE when activation_node is -1 */
	int output;                      /* value index the step writes: the activation's output if fused */
};

int pare_exec_new(struct pare_exec **exec, const struct pare_graph *graph, const struct pare_exec_options *options,
                  struct pare_error *error);
void pare_exec_free(struct pare_exec *exec); /* NULL is fine */

struct pare_tensor pare_exec_input(const struct pare_exec *exec);
struct pare_tensor pare_exec_output(const struct pare_exec *exec);
/* A value's view; .data is NULL if its memory is not planned or was fused away. */
struct pare_tensor pare_exec_value(const struct pare_exec *exec, int value);

/* The last batch may be smaller: images in [1, options.images], same layout. Default: options.images. */
void pare_exec_set_images(struct pare_exec *exec, int64_t images);

/* Inference: the parameters were changed. */
void pare_exec_refresh(struct pare_exec *exec);

void pare_exec_forward(struct pare_exec *exec);

/* Training only. The caller writes the output's gradient (0 in unused lanes); backward overwrites all parameter
 * gradients. */
struct pare_tensor pare_exec_output_gradient(const struct pare_exec *exec);
void pare_exec_backward(struct pare_exec *exec);
struct pare_tensor pare_exec_input_gradient(const struct pare_exec *exec);
/* Shaped like the parameter; NULL for parameters that are not trained. */
float *pare_exec_param_gradient(const struct pare_exec *exec, int param);

/* Bytes of planned memory: activations, gradients, saved state, workspaces. */
size_t pare_exec_bytes(const struct pare_exec *exec);

/* The steps in order, without making an executor. *steps is malloc'd, free() it; count or PARE_E_NOMEM. */
int pare_graph_steps(const struct pare_graph *graph, struct pare_step **steps);
/* Runs one step forward on memory of the caller, for timing. Steps are numbered from 0 as this executor runs them: with
 * first_node at a step of pare_graph_steps that is step 0, and steps that nothing depends on are left out. Weights are
 * packed at every call until pare_exec_forward has been called once. */
int pare_exec_step_count(const struct pare_exec *exec);
void pare_exec_run_step(struct pare_exec *exec, int step);

#endif
