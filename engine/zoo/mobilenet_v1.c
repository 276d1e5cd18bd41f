/*
 * MobileNet (Howard et al.: "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
 * table 1): 13 depthwise separable convolutions. For small images the first convolution keeps the resolution (stride 1
 * instead of 2), so that 32x32 ends at 2x2 and not at 1x1.
 */
#include <stdio.h>

#include "engine/zoo/zoo_builder.h"

static int build(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	static const struct {
		int channels, stride;
	} blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
	              {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
	struct pare_zoo_builder builder;
	char prefix[PARE_ZOO_PREFIX_SIZE];

	pare_zoo_start(&builder, "mobilenet_v1", options, error);
	pare_zoo_conv_bn_relu(&builder, "", 1, pare_zoo_width(&builder, 32), 3, 1, 1);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		const int64_t in = pare_zoo_shape(&builder).dim[0];
		snprintf(prefix, sizeof(prefix), "layers.%zu.", i);
		pare_zoo_conv_bn_relu(&builder, prefix, 1, in, 3, blocks[i].stride, in);
		pare_zoo_conv_bn_relu(&builder, prefix, 2, pare_zoo_width(&builder, blocks[i].channels), 1, 1, 1);
	}
	pare_zoo_classify(&builder);
	return pare_zoo_finish(&builder, graph);
}

const struct pare_zoo_model pare_zoo_mobilenet_v1 = {
        .name = "mobilenet_v1",
        .help = "13 depthwise separable convolutions, the first convolution at stride 1 (Howard et al. 2017)",
        .build = build,
};
