/*
 * Reference networks built by code: for the quick start and the tests. A user's own network comes in as ONNX.
 *
 * All are made for small images ({1, 28, 28}, {3, 32, 32} and other sizes >= 8). Node names follow PyTorch habits
 * ("layer1.0.conv1"). Layers have batch norm unless said otherwise, convolutions before batch norm have no bias.
 */
#ifndef PARE_ENGINE_ZOO_ZOO_H
#define PARE_ENGINE_ZOO_ZOO_H

#include "engine/graph/graph.h"

struct pare_zoo_options {
	struct pare_shape input;
	int64_t classes;
	double width;  /* multiplier for all widths, rounded to at least 1 channel; 1.0 = the paper's */
	uint64_t seed; /* initial weights: Kaiming normal, fan-out (He et al. 2015), BN scale 1, linear as PyTorch */
};

struct pare_zoo_model {
	const char *name; /* "resnet20" */
	const char *help; /* one line, with the paper */
	int (*build)(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error);
};

/* plain_cnn: conv3x3 16, 32 /2, 32, 64 /2, 64 with BN and ReLU, global average pool, linear.
 * lenet, vgg_small: the classic small ones (LeCun et al. 1998; Simonyan & Zisserman 2015) for 1x28x28. lenet has no batch norm.
 * resnet8, resnet20, resnet56: CIFAR style, 6n+2 layers, widths 16/32/64, option-A shortcuts (slice + pad) (He et al.
 * 2015, 4.2). mobilenet_v1: depthwise separable (Howard et al. 2017) for small images: the stem keeps the resolution.
 */
extern const struct pare_zoo_model *const pare_zoo_table[];  /* NULL-terminated */
const struct pare_zoo_model *pare_zoo_find(const char *name); /* NULL when unknown */

/* Fresh weights for every parameter, keyed by (seed, PARE_STREAM_INIT, parameter index). */
void pare_graph_initialize(struct pare_graph *graph, uint64_t seed);

#endif
