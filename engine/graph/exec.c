/* The executor's life and its runs. */
#include "engine/graph/exec_private.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

static int copy_keep(struct pare_exec *exec)
{
	int n = exec->options.n_keep;
	int *keep = pare_calloc((size_t)n, sizeof *keep);
	if (!keep)
		return PARE_E_NOMEM;
	if (n)
		memcpy(keep, exec->options.keep, (size_t)n * sizeof *keep);
	exec->options.keep = keep;
	return PARE_OK;
}

int pare_exec_new(struct pare_exec **out, const struct pare_graph *graph, const struct pare_exec_options *options,
                  struct pare_error *error)
{
	struct pare_exec *exec;
	int lanes = options->lanes ? options->lanes : pare_lanes_for(options->images);

	*out = NULL;
	if (options->images > PARE_MAX_DIMENSION)
		return pare_error_set(error, PARE_E_LIMIT, "batch of %lld images: at most %d",
		                      (long long)options->images, PARE_MAX_DIMENSION);
	if (options->images < 1 || (lanes != 1 && lanes != PARE_LANES))
		return pare_error_set(error, PARE_E_INVALID,
		                      "batch of %lld images with %d lanes: at least 1 image, 1 or %d lanes",
		                      (long long)options->images, lanes, PARE_LANES);
	exec = pare_calloc(1, sizeof *exec);
	if (!exec)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	exec->graph = graph;
	exec->options = *options;
	exec->lanes = lanes;
	exec->images = options->images;
	exec->stale = true;
	if (copy_keep(exec) || pare_exec_plan(exec)) {
		pare_exec_free(exec);
		return pare_error_set(error, PARE_E_NOMEM, "out of memory for a batch of %lld images of network '%s'",
		                      (long long)options->images, graph->name);
	}
	*out = exec;
	return PARE_OK;
}

void pare_exec_free(struct pare_exec *exec)
{
	if (!exec)
		return;
	for (int s = 0; s < exec->n_steps; s++) {
		struct live_step *step = &exec->steps[s];
		free(step->in);
		free(step->din);
		free(step->accumulate);
		free(step->add_temporary);
		free(step->param);
		free(step->dparam);
	}
	for (int t = 0; exec->workspace && t < pare_pool_threads(exec->options.pool); t++)
		free(exec->workspace[t]);
	free(exec->workspace);
	free((int *)exec->options.keep);
	free(exec->steps);
	free(exec->buffers);
	free(exec->param_gradients);
	free(exec->gradient_arena);
	free(exec->arena);
	free(exec);
}

/* ---- access ---- */

static struct pare_tensor view(const struct pare_exec *exec, int value, float *data)
{
	return (struct pare_tensor){
	        .data = data, .shape = exec->graph->values[value].shape, .images = exec->images, .lanes = exec->lanes};
}

struct pare_tensor pare_exec_value(const struct pare_exec *exec, int value)
{
	return view(exec, value, exec->buffers[exec->buffers[value].root].data);
}

static struct pare_tensor gradient_view(const struct pare_exec *exec, int value)
{
	return view(exec, value, exec->buffers[exec->buffers[value].root].gradient);
}

struct pare_tensor pare_exec_input(const struct pare_exec *exec)
{
	return pare_exec_value(exec, exec->graph->input);
}

struct pare_tensor pare_exec_output(const struct pare_exec *exec)
{
	return pare_exec_value(exec, exec->graph->output);
}

struct pare_tensor pare_exec_output_gradient(const struct pare_exec *exec)
{
	return gradient_view(exec, exec->graph->output);
}

struct pare_tensor pare_exec_input_gradient(const struct pare_exec *exec)
{
	return gradient_view(exec, exec->graph->input);
}

float *pare_exec_param_gradient(const struct pare_exec *exec, int param)
{
	return exec->param_gradients[param];
}

size_t pare_exec_bytes(const struct pare_exec *exec)
{
	return exec->bytes + exec->gradient_floats * sizeof(float);
}

int pare_exec_step_count(const struct pare_exec *exec)
{
	return exec->n_steps;
}

void pare_exec_set_images(struct pare_exec *exec, int64_t images)
{
	exec->images = images;
}

void pare_exec_refresh(struct pare_exec *exec)
{
	exec->stale = true;
}

/* ---- running ---- */

static struct pare_op_args arguments(struct pare_exec *exec, struct live_step *step)
{
	const struct pare_node *node = node_of(exec, step);
	for (int i = 0; i < node->n_inputs; i++)
		step->in[i] = pare_exec_value(exec, node->inputs[i]);
	return (struct pare_op_args){
	        .graph = exec->graph,
	        .node = node,
	        .training = exec->options.training,
	        .activation = step->step.activation,
	        .in = step->in,
	        .out = pare_exec_value(exec, step->step.output),
	        .param = step->param,
	        .saved = step->saved,
	        .workspace = exec->workspace,
	        .shared_workspace = step->shared,
	        .pool = exec->options.pool,
	};
}

static void run_forward(struct pare_exec *exec, struct live_step *step)
{
	const struct pare_op *op = node_of(exec, step)->op;
	if (op->flags & PARE_OP_VIEW)
		return;
	struct pare_op_args args = arguments(exec, step);
	if (op->prepare && (exec->options.training || exec->stale))
		op->prepare(&args);
	op->forward(&args);
}

void pare_exec_run_step(struct pare_exec *exec, int step)
{
	run_forward(exec, &exec->steps[step]);
}

void pare_exec_forward(struct pare_exec *exec)
{
	for (int s = 0; s < exec->n_steps; s++)
		run_forward(exec, &exec->steps[s]);
	exec->stale = false;
}

/* For operators that cannot add by themselves. */
static void add_temporary(const struct pare_tensor *din, const float *temporary)
{
	int64_t size = pare_tensor_size(din);
	for (int64_t i = 0; i < size; i++)
		din->data[i] += temporary[i];
}

static void run_backward(struct pare_exec *exec, struct live_step *step)
{
	const struct pare_node *node = node_of(exec, step);
	struct pare_op_args args = arguments(exec, step);
	float *temporary = exec->temporary;

	args.dout = gradient_view(exec, step->step.output);
	if ((node->op->flags & PARE_OP_VIEW) || !args.dout.data)
		return;
	for (int i = 0; i < node->n_inputs; i++) {
		step->din[i] = gradient_view(exec, node->inputs[i]);
		if (!step->add_temporary[i])
			continue;
		step->din[i].data = temporary;
		temporary += temporary_floats(exec, node->inputs[i]);
	}
	args.din = step->din;
	args.din_accumulate = step->accumulate;
	args.dparam = step->dparam;
	node->op->backward(&args);
	for (int i = 0; i < node->n_inputs; i++)
		if (step->add_temporary[i]) {
			struct pare_tensor din = gradient_view(exec, node->inputs[i]);
			add_temporary(&din, step->din[i].data);
		}
}

void pare_exec_backward(struct pare_exec *exec)
{
	memset(exec->gradient_arena, 0, exec->gradient_floats * sizeof(float));
	for (int s = exec->n_steps - 1; s >= 0; s--)
		run_backward(exec, &exec->steps[s]);
}
