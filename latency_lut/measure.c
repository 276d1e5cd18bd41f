#include "latency_lut/measure.h"

#include <stdio.h>
#include <stdlib.h>

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

struct trial {
	struct pare_exec *exec;
	const struct pare_node *node;
	const struct pare_surroundings *surroundings;
	size_t bytes;
};

static void write_inputs(const struct trial *trial)
{
	for (int i = 0; i < trial->node->n_inputs; i++) {
		struct pare_tensor tensor = pare_exec_value(trial->exec, trial->node->inputs[i]);
		pare_surroundings_write(trial->surroundings, &tensor);
	}
}

static void surround(void *context)
{
	const struct trial *trial = context;
	pare_surroundings_pass(trial->surroundings, trial->bytes);
	write_inputs(trial);
}

static void run_step(void *context)
{
	const struct trial *trial = context;
	pare_exec_run_step(trial->exec, 0);
}

static void run_network(void *exec)
{
	pare_exec_forward(exec);
}

int pare_measure_step(struct pare_samples *samples, const struct pare_graph *graph, int first_node, int64_t batch,
                      const struct pare_surroundings *surroundings, size_t bytes, double max_ms,
                      struct pare_error *error)
{
	struct pare_exec_options options = {.images = batch, .first_node = first_node, .pool = surroundings->pool};
	struct trial trial = {.node = &graph->nodes[first_node], .surroundings = surroundings, .bytes = bytes};
	int status;

	for (int p = 0; p < graph->n_params; p++) {
		const struct pare_param *param = &graph->params[p];
		struct pare_tensor tensor = {.data = param->data, .shape = param->shape, .images = 1, .lanes = 1};
		pare_surroundings_write(surroundings, &tensor);
	}
	status = pare_exec_new(&trial.exec, graph, &options, error);
	if (status)
		return status;
	write_inputs(&trial);
	/* Packs the weights; run_step alone would pack them each time. */
	pare_exec_forward(trial.exec);
	status = pare_samples_take(samples, &(struct pare_timed){run_step, surround, &trial}, max_ms);
	if (status)
		pare_error_set(error, status, "out of memory");
	pare_exec_free(trial.exec);
	return status;
}

int pare_lut_measure(const struct pare_graph *graph, int64_t batch, int threads, double max_ms,
                     struct pare_lut_entry *result, struct pare_error *error)
{
	struct pare_pool *pool = pare_pool_new(threads);
	struct pare_surroundings surroundings = {.pool = pool};
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
	struct pare_tensor input = pare_exec_input(exec);
	pare_surroundings_write(&surroundings, &input);
	status = pare_samples_take(&samples, &(struct pare_timed){run_network, NULL, exec}, max_ms);
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
