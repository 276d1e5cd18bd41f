#include "engine/zoo/zoo_builder.h"

#include <math.h>
#include <stdio.h>

#include "engine/ops/builders.h"

#define MIN_SIDE 8
#define MAX_WIDTH 64.0 /* a slip of the keyboard, not a network */

static int check_options(const char *name, const struct pare_zoo_options *options, struct pare_error *error)
{
	const struct pare_shape *in = &options->input;
	char text[128];

	if (in->rank != 3 || !pare_shape_valid(in) || in->dim[1] < MIN_SIDE || in->dim[2] < MIN_SIDE)
		return pare_error_set(
		        error, PARE_E_INVALID,
		        "%s: input shape [%s] is not allowed: channels x height x width, sides of %d and more", name,
		        pare_shape_text(in, text, sizeof(text)), MIN_SIDE);
	if (options->classes < 1 || options->classes > PARE_MAX_DIMENSION)
		return pare_error_set(error, PARE_E_INVALID, "%s: %lld classes, allowed are 1 to %d", name,
		                      (long long)options->classes, PARE_MAX_DIMENSION);
	if (!(options->width > 0.0 && options->width <= MAX_WIDTH))
		return pare_error_set(error, PARE_E_INVALID, "%s: width %g is not in (0, %g]", name, options->width,
		                      MAX_WIDTH);
	return PARE_OK;
}

void pare_zoo_start(struct pare_zoo_builder *builder, const char *name, const struct pare_zoo_options *options,
                    struct pare_error *error)
{
	*builder = (struct pare_zoo_builder){.options = options, .error = error};
	builder->status = check_options(name, options, error);
	if (builder->status < 0)
		return;
	builder->graph = pare_graph_new(name, options->input, "input");
	if (builder->graph)
		builder->value = builder->graph->input;
	else
		builder->status = pare_error_set(error, PARE_E_NOMEM, "%s: out of memory", name);
}

int pare_zoo_finish(struct pare_zoo_builder *builder, struct pare_graph **graph)
{
	*graph = NULL;
	if (builder->status == PARE_OK) {
		builder->graph->output = builder->value;
		builder->status = pare_graph_infer(builder->graph, builder->error);
	}
	if (builder->status < 0) {
		pare_graph_free(builder->graph);
		return builder->status;
	}
	pare_graph_initialize(builder->graph, builder->options->seed);
	*graph = builder->graph;
	return PARE_OK;
}

int64_t pare_zoo_width(const struct pare_zoo_builder *builder, int64_t channels)
{
	if (builder->status < 0)
		return 1;

	int64_t scaled = llround((double)channels * builder->options->width);
	return scaled < 1 ? 1 : scaled;
}

struct pare_shape pare_zoo_shape(const struct pare_zoo_builder *builder)
{
	return builder->status < 0 ? (struct pare_shape){0} : builder->graph->values[builder->value].shape;
}

static const char *node_name(struct pare_zoo_builder *builder, const char *prefix, const char *what, int number)
{
	snprintf(builder->name, sizeof(builder->name), "%s%s%d", prefix, what, number);
	return builder->name;
}

void pare_zoo_conv_bn(struct pare_zoo_builder *builder, const char *prefix, int number, int64_t channels, int kernel,
                      int stride, int64_t groups)
{
	if (builder->status == PARE_OK)
		builder->status = pare_build_conv(builder->graph, node_name(builder, prefix, "conv", number), channels,
		                                  kernel, stride, (int)groups, false, &builder->value, builder->error);
	if (builder->status == PARE_OK)
		builder->status = pare_build_batch_norm(builder->graph, node_name(builder, prefix, "bn", number),
		                                        &builder->value, builder->error);
}

void pare_zoo_relu(struct pare_zoo_builder *builder, const char *prefix, int number)
{
	if (builder->status == PARE_OK)
		builder->status = pare_build_relu(builder->graph, node_name(builder, prefix, "relu", number),
		                                  &builder->value, builder->error);
}

void pare_zoo_conv_bn_relu(struct pare_zoo_builder *builder, const char *prefix, int number, int64_t channels,
                           int kernel, int stride, int64_t groups)
{
	pare_zoo_conv_bn(builder, prefix, number, channels, kernel, stride, groups);
	pare_zoo_relu(builder, prefix, number);
}

void pare_zoo_max_pool(struct pare_zoo_builder *builder, int number)
{
	const struct pare_pool2d attrs = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

	if (builder->status == PARE_OK)
		builder->status = pare_build_max_pool(builder->graph, node_name(builder, "", "pool", number), &attrs,
		                                      &builder->value, builder->error);
}

void pare_zoo_flatten(struct pare_zoo_builder *builder)
{
	if (builder->status == PARE_OK)
		builder->status = pare_build_flatten(builder->graph, "flatten", &builder->value, builder->error);
}

void pare_zoo_linear(struct pare_zoo_builder *builder, const char *name, int64_t features)
{
	if (builder->status == PARE_OK)
		builder->status =
		        pare_build_linear(builder->graph, name, features, true, &builder->value, builder->error);
}

void pare_zoo_classify(struct pare_zoo_builder *builder)
{
	if (builder->status == PARE_OK)
		builder->status =
		        pare_build_global_average_pool(builder->graph, "avgpool", &builder->value, builder->error);
	pare_zoo_flatten(builder);
	pare_zoo_linear(builder, "fc", builder->options->classes);
}
