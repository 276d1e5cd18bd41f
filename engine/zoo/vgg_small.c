/*
 * Pairs of 3x3 convolutions with a pool behind each (Simonyan and Zisserman: "Very Deep Convolutional Networks for
 * Large-Scale Image Recognition", 2015), three pairs instead of five, with batch norm and one hidden linear layer.
 */
#include "engine/zoo/zoo_builder.h"

static int build(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	static const int channels[] = {32, 64, 128};
	struct pare_zoo_builder builder;

	pare_zoo_start(&builder, "vgg_small", options, error);
	for (int i = 0; i < 3; i++) {
		int64_t width = pare_zoo_width(&builder, channels[i]);
		pare_zoo_conv_bn_relu(&builder, "", 2 * i + 1, width, 3, 1, 1);
		pare_zoo_conv_bn_relu(&builder, "", 2 * i + 2, width, 3, 1, 1);
		pare_zoo_max_pool(&builder, i + 1);
	}
	pare_zoo_flatten(&builder);
	pare_zoo_linear(&builder, "fc1", pare_zoo_width(&builder, 256));
	pare_zoo_relu(&builder, "", 7);
	pare_zoo_linear(&builder, "fc2", options->classes);
	return pare_zoo_finish(&builder, graph);
}

const struct pare_zoo_model pare_zoo_vgg_small = {
        .name = "vgg_small",
        .help = "three pairs of 3x3 convolutions (32, 64, 128) with pools, 256 hidden units (Simonyan & Zisserman "
                "2015)",
        .build = build,
};
