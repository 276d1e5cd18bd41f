/*
 * For the files of this folder only: a graph under construction. Errors are sticky: after the first one the functions
 * do nothing, and pare_zoo_finish reports it.
 *
 *     struct pare_zoo_builder builder;
 *     pare_zoo_start(&builder, "lenet", options, error);
 *     pare_zoo_conv_bn_relu(&builder, "", "1", pare_zoo_width(&builder, 16), 3, 1, 1);
 *     return pare_zoo_finish(&builder, graph);
 *
 * Each step reads builder->value and leaves its output there.
 */
#ifndef PARE_ENGINE_ZOO_ZOO_BUILDER_H
#define PARE_ENGINE_ZOO_ZOO_BUILDER_H

#include "engine/zoo/zoo.h"

extern const struct pare_zoo_model pare_zoo_plain_cnn, pare_zoo_lenet, pare_zoo_vgg_small, pare_zoo_resnet8,
        pare_zoo_resnet20, pare_zoo_resnet56, pare_zoo_mobilenet_v1;

#define PARE_ZOO_PREFIX_SIZE 48 /* "layer1.0." */
#define PARE_ZOO_NAME_SIZE 96

struct pare_zoo_builder {
	const struct pare_zoo_options *options;
	struct pare_graph *graph;
	struct pare_error *error;
	int status;
	int value;                     /* the newest value */
	char name[PARE_ZOO_NAME_SIZE]; /* of the newest node */
};

/* Checks the options (input rank 3 with sides of 8 and more, classes, width) and makes the empty graph. */
void pare_zoo_start(struct pare_zoo_builder *builder, const char *name, const struct pare_zoo_options *options,
                    struct pare_error *error);
/* Checks and initialises the graph, whose output is builder->value. On failure *graph is NULL. */
int pare_zoo_finish(struct pare_zoo_builder *builder, struct pare_graph **graph);

/* channels times options->width, rounded to the nearest, at least 1. */
int64_t pare_zoo_width(const struct pare_zoo_builder *builder, int64_t channels);
/* The shape of builder->value; zeros after an error. */
struct pare_shape pare_zoo_shape(const struct pare_zoo_builder *builder);

/* `prefix` and `number` make the node names: prefix "layer1.0." and number 2 give "layer1.0.conv2", "layer1.0.bn2",
 * "layer1.0.relu2". Convolutions without bias, "same" padding. */
void pare_zoo_conv_bn(struct pare_zoo_builder *builder, const char *prefix, int number, int64_t channels, int kernel,
                      int stride, int64_t groups);
void pare_zoo_relu(struct pare_zoo_builder *builder, const char *prefix, int number);
void pare_zoo_conv_bn_relu(struct pare_zoo_builder *builder, const char *prefix, int number, int64_t channels,
                           int kernel, int stride, int64_t groups);
/* 2x2, stride 2, "pool<number>". */
void pare_zoo_max_pool(struct pare_zoo_builder *builder, int number);
void pare_zoo_flatten(struct pare_zoo_builder *builder);
void pare_zoo_linear(struct pare_zoo_builder *builder, const char *name, int64_t features);
/* Global average pool, flatten, linear "fc" to the classes. */
void pare_zoo_classify(struct pare_zoo_builder *builder);

#endif
