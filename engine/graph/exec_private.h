/* What the executor's files share: exec.c runs what exec_plan.c planned over the steps of exec_steps.c. */
#ifndef PARE_ENGINE_GRAPH_EXEC_PRIVATE_H
#define PARE_ENGINE_GRAPH_EXEC_PRIVATE_H

#include "engine/graph/exec.h"

/* What is known of a value. Views share the buffer of their root. */
struct buffer {
	int root;     /* value whose memory this is; itself if not a view */
	bool planned; /* has activation memory (roots only) */
	bool wants_gradient;
	float *data, *gradient;
};

struct live_step {
	struct pare_step step;
	float *saved, *shared;
	/* Call arguments, one entry per input or parameter of the node. */
	struct pare_tensor *in, *din;
	bool *accumulate, *add_temporary;
	float **param, **dparam;
};

struct pare_exec {
	const struct pare_graph *graph;
	struct pare_exec_options options;
	int lanes;
	int64_t images;
	struct live_step *steps;
	int n_steps;
	struct buffer *buffers;  /* [n_values] */
	float **param_gradients; /* [n_params] */
	float *arena;
	float *gradient_arena; /* parameters' gradients, in one piece */
	size_t gradient_floats;
	void **workspace; /* [threads] */
	float *temporary; /* gradients of inputs whose operator cannot accumulate, one after the other */
	size_t bytes;
	bool stale; /* packed weights are not those of the parameters */
};

static inline const struct pare_node *node_of(const struct pare_exec *exec, const struct live_step *step)
{
	return &exec->graph->nodes[step->step.node];
}

static inline size_t value_bytes(const struct pare_exec *exec, int value)
{
	struct pare_tensor t = {
	        .shape = exec->graph->values[value].shape, .images = exec->options.images, .lanes = exec->lanes};
	return (size_t)pare_tensor_size(&t) * sizeof(float);
}

/* Space in `temporary` for the gradient of a value. */
static inline size_t temporary_floats(const struct pare_exec *exec, int value)
{
	return (value_bytes(exec, value) / sizeof(float) + 15) & ~(size_t)15;
}

/* The steps from options->first_node on; *out is malloc'd. Count or PARE_E_NOMEM. */
int pare_exec_make_steps(const struct pare_graph *graph, const struct pare_exec_options *options,
                         struct pare_step **out);

/* Everything but running: live steps, roots, gradients, memory. exec has graph, options, lanes, images. What was
 * allocated is freed by pare_exec_free, also after a failure. */
int pare_exec_plan(struct pare_exec *exec);

#endif
