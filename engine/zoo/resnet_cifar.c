/*
 * Residual networks for small images (He, Zhang, Ren, Sun: "Deep Residual Learning for Image Recognition", 2015,
 * section 4.2): 6n + 2 layers, three stages of n blocks with 16, 32 and 64 channels. Where the shape changes the
 * shortcut is option A: every second pixel, zero channels around (no parameters). The paper pads behind; half before
 * and half behind is what the widespread PyTorch models do, so their weights fit.
 */
#include <stdio.h>

#include "engine/ops/builders.h"
#include "engine/zoo/zoo_builder.h"

static void shortcut(struct pare_zoo_builder *builder, const char *prefix, int64_t channels, int stride)
{
	const struct pare_shape in = pare_zoo_shape(builder);
	const int32_t missing = (int32_t)(channels - in.dim[0]);
	char name[PARE_ZOO_NAME_SIZE];

	if (builder->status == PARE_OK && stride > 1) {
		const struct pare_slice slice = {
		        .stop = {(int32_t)in.dim[0], (int32_t)in.dim[1], (int32_t)in.dim[2]},
		        .step = {1, stride, stride},
		};
		snprintf(name, sizeof(name), "%sslice", prefix);
		builder->status = pare_build_slice(builder->graph, name, &slice, &builder->value, builder->error);
	}
	if (builder->status == PARE_OK && missing > 0) {
		const struct pare_pad pad = {.begin = {missing / 2}, .end = {missing - missing / 2}};
		snprintf(name, sizeof(name), "%spad", prefix);
		builder->status = pare_build_pad(builder->graph, name, &pad, &builder->value, builder->error);
	}
}

static void basic_block(struct pare_zoo_builder *builder, const char *prefix, int64_t channels, int stride)
{
	const int input = builder->value;
	char name[PARE_ZOO_NAME_SIZE];

	pare_zoo_conv_bn_relu(builder, prefix, 1, channels, 3, stride, 1);
	pare_zoo_conv_bn(builder, prefix, 2, channels, 3, 1, 1);
	const int residual = builder->value;
	builder->value = input;
	shortcut(builder, prefix, channels, stride);
	const int other = builder->value;
	builder->value = residual;
	if (builder->status == PARE_OK) {
		snprintf(name, sizeof(name), "%sadd", prefix);
		builder->status = pare_build_add(builder->graph, name, other, &builder->value, builder->error);
	}
	pare_zoo_relu(builder, prefix, 2);
}

static int build(const char *name, int blocks, const struct pare_zoo_options *options, struct pare_graph **graph,
                 struct pare_error *error)
{
	struct pare_zoo_builder builder;
	char prefix[PARE_ZOO_PREFIX_SIZE];

	pare_zoo_start(&builder, name, options, error);
	pare_zoo_conv_bn_relu(&builder, "", 1, pare_zoo_width(&builder, 16), 3, 1, 1);
	for (int stage = 0; stage < 3; stage++) {
		for (int block = 0; block < blocks; block++) {
			snprintf(prefix, sizeof(prefix), "layer%d.%d.", stage + 1, block);
			basic_block(&builder, prefix, pare_zoo_width(&builder, 16 << stage),
			            stage > 0 && block == 0 ? 2 : 1);
		}
	}
	pare_zoo_classify(&builder);
	return pare_zoo_finish(&builder, graph);
}

static int build8(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	return build("resnet8", 1, options, graph, error);
}

static int build20(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	return build("resnet20", 3, options, graph, error);
}

static int build56(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	return build("resnet56", 9, options, graph, error);
}

const struct pare_zoo_model pare_zoo_resnet8 = {
        .name = "resnet8",
        .help = "CIFAR-style residual network, 8 layers (He et al. 2015, section 4.2)",
        .build = build8,
};

const struct pare_zoo_model pare_zoo_resnet20 = {
        .name = "resnet20",
        .help = "CIFAR-style residual network, 20 layers (He et al. 2015, section 4.2)",
        .build = build20,
};

const struct pare_zoo_model pare_zoo_resnet56 = {
        .name = "resnet56",
        .help = "CIFAR-style residual network, 56 layers (He et al. 2015, section 4.2)",
        .build = build56,
};
