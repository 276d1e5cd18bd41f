#include "tests/support/fake_op.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct fake_attrs *attrs = node->attrs;

	*out = *pare_node_input_shape(graph, node, 0);
	if (node->n_inputs == 2 && !pare_shape_equal(out, pare_node_input_shape(graph, node, 1)))
		return pare_error_set(error, PARE_E_INVALID, "inputs differ in shape");
	if (node->n_params && pare_node_param_shape(graph, node, 0)->dim[0] != out->dim[0])
		return pare_error_set(error, PARE_E_INVALID, "parameter does not fit the channels");
	if (attrs->crop < 0)
		return pare_error_set(error, PARE_E_INVALID, "crop is %d, allowed are 0 and more", attrs->crop);
	out->dim[1] -= attrs->crop;
	return PARE_OK;
}

static int64_t macs(const struct pare_graph *graph, const struct pare_node *node)
{
	const struct fake_attrs *attrs = node->attrs;

	return attrs->macs_per_pixel * pare_shape_elements(pare_node_output_shape(graph, node));
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	if (node->n_params &&
	    pare_channel_map_set_axis(map, node->params[0], 0, pare_channel_map_value(map, node->inputs[0], 0)) < 0)
		return PARE_E_NOMEM;
	return pare_couple_elementwise(map, graph, node);
}

static int couple_nothing(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	(void)map;
	(void)graph;
	(void)node;
	return PARE_OK;
}

int fake_add(struct pare_graph *graph, const char *name, int a, int b, int param)
{
	const struct fake_attrs attrs = {0};
	const int inputs[2] = {a, b};
	struct pare_node_spec spec = {.name = name,
	                              .op = &fake_op,
	                              .attrs = &attrs,
	                              .inputs = inputs,
	                              .n_inputs = b < 0 ? 1 : 2,
	                              .params = &param,
	                              .n_params = param >= 0};
	int value = -1;

	assert_int_equal(pare_graph_add_node(graph, &spec, &value, NULL), PARE_OK);
	return value;
}

int fake_param(struct pare_graph *graph, const char *name, int64_t channels, float number)
{
	const struct pare_shape shape = pare_shape_vector(channels);
	float *data = pare_float_new((size_t)channels);
	int param = -1;

	assert_non_null(data);
	for (int64_t i = 0; i < channels; i++)
		data[i] = number;
	assert_int_equal(pare_graph_add_param(graph, name, PARE_PARAM_BN_SCALE, &shape, data, &param, NULL), PARE_OK);
	free(data);
	return param;
}

const struct pare_op fake_op = {
        .name = "fake",
        .attrs_bytes = sizeof(struct fake_attrs),
        .min_inputs = 1,
        .max_inputs = 2,
        .max_params = 1,
        .infer_shape = infer_shape,
        .macs = macs,
        .couple = couple,
};

const struct pare_op fake_op_uncoupled = {
        .name = "fake_uncoupled",
        .attrs_bytes = sizeof(struct fake_attrs),
        .min_inputs = 1,
        .max_inputs = 2,
        .max_params = 1,
        .infer_shape = infer_shape,
        .couple = couple_nothing,
};
