#include "engine/ops/builders.h"

/* The parameter "<node>.<what>" appended to the list `params`. */
static int add_param(struct pare_graph *graph, const char *node, const char *what, enum pare_param_role role,
                     struct pare_shape shape, int *params, int *n_params, struct pare_error *error)
{
	struct pare_strbuf name;
	int status;

	pare_strbuf_init(&name);
	pare_strbuf_printf(&name, "%s.%s", node, what);
	if (name.failed)
		status = pare_error_set(error, PARE_E_NOMEM, "node '%s': out of memory", node);
	else
		status = pare_graph_add_param(graph, name.text, role, &shape, NULL, &params[*n_params], error);
	if (status == PARE_OK)
		++*n_params;
	pare_strbuf_release(&name);
	return status;
}

static void fill_ones(struct pare_param *param)
{
	for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++)
		param->data[i] = 1.0f;
}

/* A node with one input and no parameters. */
static int add_plain(struct pare_graph *graph, const char *name, const struct pare_op *op, const void *attrs,
                     int *value, struct pare_error *error)
{
	struct pare_node_spec spec = {.name = name, .op = op, .attrs = attrs, .inputs = value, .n_inputs = 1};

	return pare_graph_add_node(graph, &spec, value, error);
}

/* The input's shape, or an error where the builder would have to read dimensions that are not there. */
static int input_shape(const struct pare_graph *graph, const char *name, const struct pare_op *op, int value, int rank,
                       struct pare_shape *shape, struct pare_error *error)
{
	char text[128];

	if (value < 0 || value >= graph->n_values)
		return pare_error_set(error, PARE_E_INVALID,
		                      "node '%s' (%s): input 0 is index %d, the graph has %d so far", name, op->name,
		                      value, graph->n_values);
	*shape = graph->values[value].shape;
	if (rank > 0 && shape->rank != rank)
		return pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): input shape is [%s], rank %d is needed",
		                      name, op->name, pare_shape_text(shape, text, sizeof(text)), rank);
	return PARE_OK;
}

/* Weight (already sized) and, if wanted, bias; then the node. The graph is unchanged on failure. */
static int add_weighted(struct pare_graph *graph, const char *name, const struct pare_op *op, const void *attrs,
                        struct pare_shape weight, bool bias, int *value, struct pare_error *error)
{
	const int params_before = graph->n_params;
	int params[2], n_params = 0;
	int status = add_param(graph, name, "weight", PARE_PARAM_WEIGHT, weight, params, &n_params, error);

	if (status == PARE_OK && bias)
		status = add_param(graph, name, "bias", PARE_PARAM_BIAS, pare_shape_vector(weight.dim[0]), params,
		                   &n_params, error);
	if (status == PARE_OK) {
		struct pare_node_spec spec = {.name = name,
		                              .op = op,
		                              .attrs = attrs,
		                              .inputs = value,
		                              .n_inputs = 1,
		                              .params = params,
		                              .n_params = n_params};
		status = pare_graph_add_node(graph, &spec, value, error);
	}
	if (status < 0)
		pare_graph_drop_params(graph, params_before);
	return status;
}

int pare_build_conv2d(struct pare_graph *graph, const char *name, int64_t out_channels, const struct pare_conv2d *attrs,
                      bool bias, int *value, struct pare_error *error)
{
	struct pare_shape in, weight = {.rank = 4};
	int status = input_shape(graph, name, &pare_op_conv2d, *value, 3, &in, error);

	if (status < 0)
		return status;
	if (attrs->groups < 1 || in.dim[0] % attrs->groups)
		return pare_error_set(error, PARE_E_INVALID,
		                      "node '%s' (conv2d): %d groups do not divide %lld input channels", name,
		                      attrs->groups, (long long)in.dim[0]);
	weight.dim[0] = out_channels;
	weight.dim[1] = in.dim[0] / attrs->groups;
	weight.dim[2] = attrs->kernel_h;
	weight.dim[3] = attrs->kernel_w;
	return add_weighted(graph, name, &pare_op_conv2d, attrs, weight, bias, value, error);
}

int pare_build_conv(struct pare_graph *graph, const char *name, int64_t out_channels, int kernel, int stride,
                    int groups, bool bias, int *value, struct pare_error *error)
{
	const int pad = kernel / 2;
	const struct pare_conv2d attrs = {
	        .kernel_h = kernel,
	        .kernel_w = kernel,
	        .stride_h = stride,
	        .stride_w = stride,
	        .pad_top = pad,
	        .pad_left = pad,
	        .pad_bottom = pad,
	        .pad_right = pad,
	        .dilation_h = 1,
	        .dilation_w = 1,
	        .groups = groups,
	};

	return pare_build_conv2d(graph, name, out_channels, &attrs, bias, value, error);
}

/* The first n_params of these, each as long as dimension `axis` of the input; scale and variance start at 1. */
static int add_channel_wise(struct pare_graph *graph, const char *name, const struct pare_op *op, const void *attrs,
                            int axis, int n_params, int *value, struct pare_error *error)
{
	static const struct {
		const char *name;
		enum pare_param_role role;
	} list[] = {{"weight", PARE_PARAM_BN_SCALE},
	            {"bias", PARE_PARAM_BN_SHIFT},
	            {"running_mean", PARE_PARAM_BN_MEAN},
	            {"running_var", PARE_PARAM_BN_VAR}};
	const int params_before = graph->n_params;
	struct pare_shape in;
	int params[4], n_made = 0;
	int status = input_shape(graph, name, op, *value, 0, &in, error);

	if (status == PARE_OK && (axis < 0 || axis >= in.rank))
		status = pare_error_set(error, PARE_E_INVALID, "node '%s' (%s): dimension %d of %d", name, op->name,
		                        axis, in.rank);
	for (int i = 0; i < n_params && status == PARE_OK; i++) {
		status = add_param(graph, name, list[i].name, list[i].role, pare_shape_vector(in.dim[axis]), params,
		                   &n_made, error);
		if (status == PARE_OK && (list[i].role == PARE_PARAM_BN_SCALE || list[i].role == PARE_PARAM_BN_VAR))
			fill_ones(&graph->params[params[i]]);
	}
	if (status == PARE_OK) {
		struct pare_node_spec spec = {.name = name,
		                              .op = op,
		                              .attrs = attrs,
		                              .inputs = value,
		                              .n_inputs = 1,
		                              .params = params,
		                              .n_params = n_params};
		status = pare_graph_add_node(graph, &spec, value, error);
	}
	if (status < 0)
		pare_graph_drop_params(graph, params_before);
	return status;
}

int pare_build_batch_norm(struct pare_graph *graph, const char *name, int *value, struct pare_error *error)
{
	/* PyTorch's defaults. */
	const struct pare_batch_norm attrs = {.epsilon = 1e-5f, .momentum = 0.1f};

	return add_channel_wise(graph, name, &pare_op_batch_norm, &attrs, 0, 4, value, error);
}

int pare_build_layer_norm(struct pare_graph *graph, const char *name, const struct pare_layer_norm *attrs, int *value,
                          struct pare_error *error)
{
	return add_channel_wise(graph, name, &pare_op_layer_norm, attrs, attrs->axis, 2, value, error);
}

int pare_build_scale(struct pare_graph *graph, const char *name, int axis, bool shift, int *value,
                     struct pare_error *error)
{
	const struct pare_scale attrs = {.axis = axis};

	return add_channel_wise(graph, name, &pare_op_scale, &attrs, axis, shift ? 2 : 1, value, error);
}

int pare_build_transpose(struct pare_graph *graph, const char *name, const int *order, int *value,
                         struct pare_error *error)
{
	struct pare_transpose attrs = {.order = {0}};
	struct pare_shape in;
	int status = input_shape(graph, name, &pare_op_transpose, *value, 0, &in, error);

	if (status < 0)
		return status;
	for (int d = 0; d < in.rank; d++)
		attrs.order[d] = order[d];
	return add_plain(graph, name, &pare_op_transpose, &attrs, value, error);
}

int pare_build_reshape(struct pare_graph *graph, const char *name, const struct pare_shape *shape, int *value,
                       struct pare_error *error)
{
	struct pare_reshape attrs = {.rank = shape->rank};

	for (int d = 0; d < shape->rank && d < PARE_MAX_RANK; d++)
		attrs.dim[d] = (int32_t)shape->dim[d];
	return add_plain(graph, name, &pare_op_reshape, &attrs, value, error);
}

int pare_build_relu(struct pare_graph *graph, const char *name, int *value, struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_relu, NULL, value, error);
}

int pare_build_relu6(struct pare_graph *graph, const char *name, int *value, struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_relu6, NULL, value, error);
}

int pare_build_max_pool(struct pare_graph *graph, const char *name, const struct pare_pool2d *attrs, int *value,
                        struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_max_pool, attrs, value, error);
}

int pare_build_average_pool(struct pare_graph *graph, const char *name, const struct pare_pool2d *attrs, int *value,
                            struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_average_pool, attrs, value, error);
}

int pare_build_global_average_pool(struct pare_graph *graph, const char *name, int *value, struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_global_average_pool, NULL, value, error);
}

int pare_build_add(struct pare_graph *graph, const char *name, int other, int *value, struct pare_error *error)
{
	return pare_build_binary(graph, name, &pare_op_add, other, value, error);
}

int pare_build_binary(struct pare_graph *graph, const char *name, const struct pare_op *op, int other, int *value,
                      struct pare_error *error)
{
	const int inputs[2] = {*value, other};
	const struct pare_spread attrs = {0};
	struct pare_node_spec spec = {
	        .name = name, .op = op, .attrs = op->attrs_bytes ? &attrs : NULL, .inputs = inputs, .n_inputs = 2};

	return pare_graph_add_node(graph, &spec, value, error);
}

int pare_build_unary(struct pare_graph *graph, const char *name, const struct pare_op *op, const void *attrs,
                     int *value, struct pare_error *error)
{
	return add_plain(graph, name, op, attrs, value, error);
}

int pare_build_concat(struct pare_graph *graph, const char *name, const int *inputs, int n_inputs, int *value,
                      struct pare_error *error)
{
	return pare_build_concat_along(graph, name, 0, inputs, n_inputs, value, error);
}

int pare_build_concat_along(struct pare_graph *graph, const char *name, int axis, const int *inputs, int n_inputs,
                            int *value, struct pare_error *error)
{
	const struct pare_concat attrs = {.axis = axis};
	struct pare_node_spec spec = {
	        .name = name, .op = &pare_op_concat, .attrs = &attrs, .inputs = inputs, .n_inputs = n_inputs};

	return pare_graph_add_node(graph, &spec, value, error);
}

int pare_build_flatten(struct pare_graph *graph, const char *name, int *value, struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_flatten, NULL, value, error);
}

int pare_build_linear(struct pare_graph *graph, const char *name, int64_t out_features, bool bias, int *value,
                      struct pare_error *error)
{
	struct pare_shape in, weight = {.rank = 2};
	int status = input_shape(graph, name, &pare_op_linear, *value, 0, &in, error);

	if (status < 0)
		return status;
	weight.dim[0] = out_features;
	weight.dim[1] = in.dim[in.rank - 1];
	return add_weighted(graph, name, &pare_op_linear, NULL, weight, bias, value, error);
}

int pare_build_pad(struct pare_graph *graph, const char *name, const struct pare_pad *attrs, int *value,
                   struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_pad, attrs, value, error);
}

int pare_build_slice(struct pare_graph *graph, const char *name, const struct pare_slice *attrs, int *value,
                     struct pare_error *error)
{
	return add_plain(graph, name, &pare_op_slice, attrs, value, error);
}
