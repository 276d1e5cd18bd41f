#include "latency_lut/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/graph/exec.h"
#include "latency_lut/lut_text.h"

static double round_as_written(double ms)
{
	char text[32];
	snprintf(text, sizeof(text), PARE_LUT_MS_FORMAT, ms);
	return strtod(text, NULL);
}

void pare_samples_summarise(const struct pare_samples *samples, struct pare_lut_entry *entry)
{
	entry->count = samples->count > INT32_MAX ? INT32_MAX : (int32_t)samples->count;
	entry->p10_ms = round_as_written(pare_samples_quantile(samples, 0.1));
	entry->median_ms = round_as_written(pare_samples_quantile(samples, 0.5));
	entry->p90_ms = round_as_written(pare_samples_quantile(samples, 0.9));
}

/* Ordinary numbers, also as a variance: no zeros, denormals or NaN, which some units handle faster or slower. */
static void fill(float *data, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		data[i] = (float)((i * 37 + 11) % 64 + 1) / 80.0f;
}

static void fill_value(struct pare_exec *exec, int value)
{
	struct pare_tensor tensor = pare_exec_value(exec, value);
	if (tensor.data)
		fill(tensor.data, pare_tensor_size(&tensor));
}

static void run_network(void *exec)
{
	pare_exec_forward(exec);
}

static void run_step(void *exec)
{
	pare_exec_run_step(exec, 0);
}

int pare_measure_step(const struct pare_graph *graph, int first_node, int64_t batch, struct pare_pool *pool,
                      double max_ms, struct pare_samples *samples, struct pare_error *error)
{
	struct pare_exec_options options = {.images = batch, .first_node = first_node, .pool = pool};
	struct pare_exec *exec;
	int status = pare_exec_new(&exec, graph, &options, error);
	if (status)
		return status;
	for (int p = 0; p < graph->n_params; p++)
		fill(graph->params[p].data, pare_shape_elements(&graph->params[p].shape));
	for (int i = 0; i < graph->nodes[first_node].n_inputs; i++)
		fill_value(exec, graph->nodes[first_node].inputs[i]);
	/* Packs the weights; run_step alone would pack them each time. */
	pare_exec_forward(exec);
	status = pare_samples_take(samples, &(struct pare_timed){run_step, exec}, max_ms);
	if (status)
		pare_error_set(error, status, "out of memory");
	pare_exec_free(exec);
	return status;
}

int pare_lut_measure(const struct pare_graph *graph, int64_t batch, int threads, double max_ms,
                     struct pare_lut_entry *result, struct pare_error *error)
{
	struct pare_pool *pool = pare_pool_new(threads);
	struct pare_exec_options options = {.images = batch, .pool = pool};
	struct pare_samples samples = {0};
	struct pare_exec *exec = NULL;
	int status;

	*result = (struct pare_lut_entry){0};
	if (!pool)
		return pare_error_set(error, PARE_E_INVALID, "cannot start %d threads", threads);
	status = pare_exec_new(&exec, graph, &options, error);
	if (status)
		goto out;
	fill_value(exec, graph->input);
	status = pare_samples_take(&samples, &(struct pare_timed){run_network, exec}, max_ms);
	if (status)
		pare_error_set(error, status, "out of memory");
	else
		pare_samples_summarise(&samples, result);
out:
	pare_samples_release(&samples);
	pare_exec_free(exec);
	pare_pool_free(pool);
	return status;
}
