#include "engine/train/sgd.h"

#include <stdlib.h>

#include "engine/base/memory.h"

static bool is_trained(const struct pare_param *param)
{
	return param->role != PARE_PARAM_BN_MEAN && param->role != PARE_PARAM_BN_VAR;
}

int pare_sgd_init(struct pare_sgd *sgd, struct pare_graph *graph, const struct pare_sgd_options *options)
{
	*sgd = (struct pare_sgd){.graph = graph, .options = *options};
	sgd->velocity = pare_calloc((size_t)graph->n_params, sizeof *sgd->velocity);
	if (!sgd->velocity)
		return PARE_E_NOMEM;
	for (int p = 0; p < graph->n_params; p++) {
		if (!is_trained(&graph->params[p]))
			continue;
		sgd->velocity[p] = pare_float_new((size_t)pare_shape_elements(&graph->params[p].shape));
		if (!sgd->velocity[p])
			return PARE_E_NOMEM;
	}
	return PARE_OK;
}

void pare_sgd_release(struct pare_sgd *sgd)
{
	for (int p = 0; sgd->velocity && p < sgd->graph->n_params; p++)
		free(sgd->velocity[p]);
	free(sgd->velocity);
	sgd->velocity = NULL;
}

static void update(const struct pare_sgd_options *o, float rate, float decay, int64_t count, const float *restrict gradient,
                   float *restrict velocity, float *restrict weight)
{
	float momentum = (float)o->momentum;
	for (int64_t i = 0; i < count; i++) {
		float g = gradient[i] + decay * weight[i];
		velocity[i] = momentum * velocity[i] + g;
		weight[i] -= rate * (o->nesterov ? g + momentum * velocity[i] : velocity[i]);
	}
}

void pare_sgd_step(struct pare_sgd *sgd, const struct pare_exec *exec, double learning_rate)
{
	for (int p = 0; p < sgd->graph->n_params; p++) {
		struct pare_param *param = &sgd->graph->params[p];
		if (!sgd->velocity[p])
			continue;
		double decay = param->role == PARE_PARAM_WEIGHT ? sgd->options.weight_decay : 0.0;
		update(&sgd->options, (float)learning_rate, (float)decay, pare_shape_elements(&param->shape),
		       pare_exec_param_gradient(exec, p), sgd->velocity[p], param->data);
	}
}
