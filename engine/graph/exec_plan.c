/*
 * Planning an executor: which steps run, which values share memory, which have gradients, and who lives how long.
 *
 * Time: forward step s runs at s; backward of step s at 2 * n_steps - s. The input exists from -1 on, the output's
 * gradient from n_steps on.
 */
#include "engine/graph/exec_private.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/memory_plan.h"

/* Everything needed while planning. */
struct plan {
	struct pare_exec *exec;
	struct pare_memory_item *items;
	float ***targets; /* where each item's address goes */
	int n_items, capacity;
};

static bool is_trained(const struct pare_param *param)
{
	return param->role != PARE_PARAM_BN_MEAN && param->role != PARE_PARAM_BN_VAR;
}

static void plan_item(struct plan *plan, size_t bytes, int first, int last, float **target)
{
	if (bytes == 0)
		return;
	plan->items[plan->n_items] = (struct pare_memory_item){.bytes = bytes, .first = first, .last = last};
	plan->targets[plan->n_items++] = target;
}

/* Steps that nothing depends on are dropped. */
static void drop_dead_steps(struct pare_exec *exec, bool *needed /* [n_values], zero */)
{
	needed[exec->graph->output] = true;
	for (int i = 0; i < exec->options.n_keep; i++)
		needed[exec->options.keep[i]] = true;
	int first_live = exec->n_steps;
	for (int s = exec->n_steps - 1; s >= 0; s--) {
		if (!needed[exec->steps[s].step.output])
			continue;
		exec->steps[--first_live] = exec->steps[s];
		const struct pare_node *node = node_of(exec, &exec->steps[first_live]);
		for (int i = 0; i < node->n_inputs; i++)
			needed[node->inputs[i]] = true;
	}
	exec->n_steps -= first_live;
	memmove(exec->steps, exec->steps + first_live, (size_t)exec->n_steps * sizeof *exec->steps);
}

static void find_roots(struct pare_exec *exec)
{
	for (int v = 0; v < exec->graph->n_values; v++)
		exec->buffers[v].root = v;
	for (int s = 0; s < exec->n_steps; s++) {
		const struct pare_node *node = node_of(exec, &exec->steps[s]);
		if (node->op->flags & PARE_OP_VIEW)
			exec->buffers[exec->steps[s].step.output].root = exec->buffers[node->inputs[0]].root;
	}
}

static bool has_gradient(const struct pare_exec *exec, int value)
{
	return exec->buffers[exec->buffers[value].root].wants_gradient;
}

/* Values between something trained and the output. Steps that run only because a value is kept have no gradient. */
static void find_gradients(struct pare_exec *exec, bool *leads_out /* [n_values], zero */)
{
	struct buffer *buffers = exec->buffers;
	if (!exec->options.training)
		return;
	leads_out[exec->graph->output] = true;
	for (int s = exec->n_steps - 1; s >= 0; s--) {
		const struct pare_node *node = node_of(exec, &exec->steps[s]);
		for (int i = 0; leads_out[exec->steps[s].step.output] && i < node->n_inputs; i++)
			leads_out[node->inputs[i]] = true;
	}
	buffers[exec->graph->input].wants_gradient = exec->options.input_gradient;
	for (int s = 0; s < exec->n_steps; s++) {
		const struct pare_node *node = node_of(exec, &exec->steps[s]);
		if (!leads_out[exec->steps[s].step.output])
			continue;
		bool wants = false;
		for (int i = 0; i < node->n_params; i++)
			wants |= is_trained(&exec->graph->params[node->params[i]]);
		for (int i = 0; i < node->n_inputs; i++)
			wants |= has_gradient(exec, node->inputs[i]);
		int root = buffers[exec->steps[s].step.output].root;
		buffers[root].wants_gradient |= wants;
	}
}

static void extend(int *last, int time)
{
	if (time > *last)
		*last = time;
}

/* Life of every root's activation and gradient. */
static int plan_values(struct plan *plan)
{
	struct pare_exec *exec = plan->exec;
	int n_values = exec->graph->n_values, end = 2 * exec->n_steps + 1;
	int *born = pare_calloc((size_t)n_values, sizeof *born), *last = pare_calloc((size_t)n_values, sizeof *last);
	int *gradient_born = pare_calloc((size_t)n_values, sizeof *gradient_born);
	int *gradient_last = pare_calloc((size_t)n_values, sizeof *gradient_last);
	int status = PARE_E_NOMEM;

	if (!born || !last || !gradient_born || !gradient_last)
		goto out;
	for (int v = 0; v < n_values; v++) {
		born[v] = -1; /* the input, and what was made before first_node */
		last[v] = -2; /* not used */
		gradient_born[v] = end;
		gradient_last[v] = -2;
	}
	for (int s = 0; s < exec->n_steps; s++) {
		const struct pare_node *node = node_of(exec, &exec->steps[s]);
		int root = exec->buffers[exec->steps[s].step.output].root, back = 2 * exec->n_steps - s;
		if (!(node->op->flags & PARE_OP_VIEW)) {
			born[root] = s;
			extend(&last[root], s);
			extend(&gradient_last[root], back);
		}
		bool reads_output =
		        (node->op->flags & PARE_OP_BACKWARD_READS_OUTPUT) || exec->steps[s].step.activation_node >= 0;
		if (exec->options.training && reads_output)
			extend(&last[root], back);
		for (int i = 0; i < node->n_inputs; i++) {
			int in = exec->buffers[node->inputs[i]].root;
			bool kept_for_backward =
			        exec->options.training && (node->op->flags & PARE_OP_BACKWARD_READS_INPUT);
			extend(&last[in], kept_for_backward ? back : s);
			if (back < gradient_born[in])
				gradient_born[in] = back;
		}
	}
	int out_root = exec->buffers[exec->graph->output].root;
	last[out_root] = end;
	gradient_born[out_root] = exec->n_steps < gradient_born[out_root] ? exec->n_steps : gradient_born[out_root];
	gradient_last[exec->buffers[exec->graph->input].root] = end;
	for (int i = 0; i < exec->options.n_keep; i++)
		extend(&last[exec->buffers[exec->options.keep[i]].root], end);
	for (int v = 0; v < n_values; v++) {
		struct buffer *b = &exec->buffers[v];
		if (b->root != v || last[v] == -2)
			continue;
		b->planned = true;
		/* What the caller fills stays, so that forward can be called again. */
		plan_item(plan, value_bytes(exec, v), born[v], born[v] == -1 ? end : last[v], &b->data);
		if (b->wants_gradient)
			plan_item(plan, value_bytes(exec, v), gradient_born[v], gradient_last[v], &b->gradient);
	}
	status = PARE_OK;
out:
	free(born);
	free(last);
	free(gradient_born);
	free(gradient_last);
	return status;
}

static void plan_steps(struct plan *plan, size_t *workspace_bytes)
{
	struct pare_exec *exec = plan->exec;
	int end = 2 * exec->n_steps + 1;
	*workspace_bytes = 0;
	for (int s = 0; s < exec->n_steps; s++) {
		struct live_step *step = &exec->steps[s];
		const struct pare_node *node = node_of(exec, step);
		const struct pare_op *op = node->op;
		int64_t images = exec->options.images;
		bool training = exec->options.training;
		if (op->saved_bytes && training)
			plan_item(plan, op->saved_bytes(exec->graph, node, images, exec->lanes), s,
			          2 * exec->n_steps - s, &step->saved);
		if (op->shared_workspace_bytes) {
			/* Kept over calls in inference; in training it is made anew for each step, and again on the way
			 * back. */
			size_t bytes = op->shared_workspace_bytes(exec->graph, node, images, exec->lanes, training);
			plan_item(plan, bytes, training ? s : -1, training ? 2 * exec->n_steps - s : end,
			          &step->shared);
		}
		if (op->workspace_bytes) {
			size_t bytes = op->workspace_bytes(exec->graph, node, images, exec->lanes, training);
			*workspace_bytes = bytes > *workspace_bytes ? bytes : *workspace_bytes;
		}
	}
}

/* Which gradients are written first and which are added to; needs all steps in backward order. Returns the floats of
 * `temporary`: what the neediest step adds through it. */
static size_t plan_accumulation(struct pare_exec *exec, bool *written /* [n_values], zero */)
{
	size_t most = 0;
	for (int s = exec->n_steps - 1; s >= 0; s--) {
		struct live_step *step = &exec->steps[s];
		const struct pare_node *node = node_of(exec, step);
		size_t temporary = 0;
		if ((node->op->flags & PARE_OP_VIEW) || !has_gradient(exec, step->step.output))
			continue;
		for (int i = 0; i < node->n_inputs; i++) {
			int root = exec->buffers[node->inputs[i]].root;
			if (!has_gradient(exec, root))
				continue;
			if (written[root]) {
				bool can = node->op->flags & PARE_OP_ACCUMULATES;
				step->accumulate[i] = can;
				step->add_temporary[i] = !can;
				temporary += can ? 0 : temporary_floats(exec, root);
			}
			written[root] = true;
		}
		most = temporary > most ? temporary : most;
	}
	return most;
}

static int allocate_step(struct pare_exec *exec, struct live_step *step)
{
	const struct pare_node *node = node_of(exec, step);
	size_t inputs = (size_t)node->n_inputs, params = (size_t)node->n_params;
	step->in = pare_calloc(inputs, sizeof *step->in);
	step->din = pare_calloc(inputs, sizeof *step->din);
	step->accumulate = pare_calloc(inputs, sizeof *step->accumulate);
	step->add_temporary = pare_calloc(inputs, sizeof *step->add_temporary);
	step->param = pare_calloc(params, sizeof *step->param);
	step->dparam = pare_calloc(params, sizeof *step->dparam);
	if (!step->in || !step->din || !step->accumulate || !step->add_temporary || !step->param || !step->dparam)
		return PARE_E_NOMEM;
	for (int i = 0; i < node->n_params; i++) {
		step->param[i] = exec->graph->params[node->params[i]].data;
		step->dparam[i] = exec->param_gradients[node->params[i]];
	}
	return PARE_OK;
}

static int allocate_param_gradients(struct pare_exec *exec)
{
	const struct pare_graph *graph = exec->graph;
	exec->param_gradients = pare_calloc((size_t)graph->n_params, sizeof *exec->param_gradients);
	if (!exec->param_gradients)
		return PARE_E_NOMEM;
	if (!exec->options.training)
		return PARE_OK;
	for (int p = 0; p < graph->n_params; p++)
		if (is_trained(&graph->params[p]))
			exec->gradient_floats += (size_t)pare_shape_elements(&graph->params[p].shape);
	exec->gradient_arena = pare_float_new(exec->gradient_floats);
	if (!exec->gradient_arena)
		return PARE_E_NOMEM;
	float *at = exec->gradient_arena;
	for (int p = 0; p < graph->n_params; p++) {
		if (!is_trained(&graph->params[p]))
			continue;
		exec->param_gradients[p] = at;
		at += pare_shape_elements(&graph->params[p].shape);
	}
	return PARE_OK;
}

static int allocate_workspace(struct pare_exec *exec, size_t bytes)
{
	int threads = pare_pool_threads(exec->options.pool);
	exec->workspace = pare_calloc((size_t)threads, sizeof *exec->workspace);
	if (!exec->workspace)
		return PARE_E_NOMEM;
	for (int t = 0; t < threads && bytes > 0; t++) {
		exec->workspace[t] = pare_aligned_new(bytes);
		if (!exec->workspace[t])
			return PARE_E_NOMEM;
		exec->bytes += bytes;
	}
	return PARE_OK;
}

static int allocate_arena(struct plan *plan)
{
	struct pare_exec *exec = plan->exec;
	size_t total;
	int status = pare_memory_plan(plan->items, plan->n_items, &total);
	if (status)
		return status;
	exec->arena = pare_float_new(total / sizeof(float) + 16);
	if (!exec->arena)
		return PARE_E_NOMEM;
	for (int i = 0; i < plan->n_items; i++)
		*plan->targets[i] = exec->arena + plan->items[i].offset / sizeof(float);
	exec->bytes += total;
	return PARE_OK;
}

static int plan_memory(struct pare_exec *exec)
{
	/* Values and their gradients; a step's saved and shared memory; the temporary. */
	struct plan plan = {.exec = exec, .capacity = 2 * exec->graph->n_values + 2 * exec->n_steps + 1};
	bool *flags = pare_calloc(2 * (size_t)exec->graph->n_values, sizeof *flags);
	size_t workspace_bytes;
	int status = PARE_E_NOMEM;

	plan.items = pare_calloc((size_t)plan.capacity, sizeof *plan.items);
	plan.targets = pare_calloc((size_t)plan.capacity, sizeof *plan.targets);
	if (!plan.items || !plan.targets || !flags)
		goto out;
	find_gradients(exec, flags);
	for (int s = 0; s < exec->n_steps; s++)
		if (allocate_step(exec, &exec->steps[s]))
			goto out;
	if (plan_values(&plan))
		goto out;
	plan_steps(&plan, &workspace_bytes);
	if (exec->options.training)
		plan_item(&plan, plan_accumulation(exec, flags + exec->graph->n_values) * sizeof(float), -1,
		          2 * exec->n_steps + 1, &exec->temporary);
	status = allocate_arena(&plan);
	if (!status)
		status = allocate_workspace(exec, workspace_bytes);
out:
	free(flags);
	free(plan.items);
	free(plan.targets);
	return status;
}

int pare_exec_plan(struct pare_exec *exec)
{
	struct pare_step *steps = NULL;
	bool *needed = pare_calloc((size_t)exec->graph->n_values, sizeof *needed);
	int status = PARE_E_NOMEM, n = pare_exec_make_steps(exec->graph, &exec->options, &steps);

	exec->buffers = pare_calloc((size_t)exec->graph->n_values, sizeof *exec->buffers);
	if (!needed || n < 0 || !exec->buffers)
		goto out;
	exec->steps = pare_calloc((size_t)n, sizeof *exec->steps);
	if (!exec->steps)
		goto out;
	exec->n_steps = n;
	for (int s = 0; s < n; s++)
		exec->steps[s].step = steps[s];
	drop_dead_steps(exec, needed);
	find_roots(exec);
	status = allocate_param_gradients(exec);
	if (!status)
		status = plan_memory(exec);
out:
	free(steps);
	free(needed);
	return status;
}
