/* The one list of networks, and their first weights. */
#include "engine/zoo/zoo.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/rng.h"
#include "engine/ops/builders.h"
#include "engine/zoo/zoo_builder.h"

const struct pare_zoo_model *const pare_zoo_table[] = {
        &pare_zoo_plain_cnn, &pare_zoo_lenet,    &pare_zoo_vgg_small,    &pare_zoo_resnet8,
        &pare_zoo_resnet20,  &pare_zoo_resnet56, &pare_zoo_mobilenet_v1, NULL,
};

const struct pare_zoo_model *pare_zoo_find(const char *name)
{
	for (const struct pare_zoo_model *const *model = pare_zoo_table; *model; model++)
		if (!strcmp((*model)->name, name))
			return *model;
	return NULL;
}

static void fill(struct pare_param *param, float number)
{
	for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++)
		param->data[i] = number;
}

static void fill_normal(struct pare_param *param, struct pare_rng rng, double deviation)
{
	for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++)
		param->data[i] = (float)(deviation * pare_rng_normal(&rng));
}

static void fill_uniform(struct pare_param *param, struct pare_rng rng, double bound)
{
	for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++)
		param->data[i] = (float)(bound * (2.0 * pare_rng_uniform_double(&rng) - 1.0));
}

/* He et al. 2015, eq. 14: variance 2 / (kernel area x filters that read one input channel). */
static void initialize_conv(struct pare_graph *graph, const struct pare_node *node, uint64_t seed)
{
	struct pare_param *weight = &graph->params[node->params[0]];
	const struct pare_conv2d *attrs = node->attrs;
	double readers = (double)weight->shape.dim[0] / attrs->groups;
	double fan_out = readers * (double)weight->shape.dim[2] * (double)weight->shape.dim[3];

	fill_normal(weight, pare_rng_make(seed, PARE_STREAM_INIT, (uint64_t)node->params[0]), sqrt(2.0 / fan_out));
}

/* PyTorch's default: weight and bias uniform in +-1 / sqrt(inputs). */
static void initialize_linear(struct pare_graph *graph, const struct pare_node *node, uint64_t seed)
{
	double bound = 1.0 / sqrt((double)graph->params[node->params[0]].shape.dim[1]);

	for (int i = 0; i < node->n_params; i++)
		fill_uniform(&graph->params[node->params[i]],
		             pare_rng_make(seed, PARE_STREAM_INIT, (uint64_t)node->params[i]), bound);
}

void pare_graph_initialize(struct pare_graph *graph, uint64_t seed)
{
	for (int i = 0; i < graph->n_params; i++) {
		enum pare_param_role role = graph->params[i].role;
		fill(&graph->params[i], role == PARE_PARAM_BN_SCALE || role == PARE_PARAM_BN_VAR ? 1.0f : 0.0f);
	}
	for (int i = 0; i < graph->n_nodes; i++) {
		if (graph->nodes[i].op == &pare_op_conv2d)
			initialize_conv(graph, &graph->nodes[i], seed);
		else if (graph->nodes[i].op == &pare_op_linear)
			initialize_linear(graph, &graph->nodes[i], seed);
	}
}
