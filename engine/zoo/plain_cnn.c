/* Five 3x3 convolutions, no branches: the smallest network in which every layer can be pruned on its own. */
#include "engine/zoo/zoo_builder.h"

static int build(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	static const struct {
		int channels, stride;
	} layers[] = {{16, 1}, {32, 2}, {32, 1}, {64, 2}, {64, 1}};
	struct pare_zoo_builder builder;

	pare_zoo_start(&builder, "plain_cnn", options, error);
	for (int i = 0; i < 5; i++)
		pare_zoo_conv_bn_relu(&builder, "", i + 1, pare_zoo_width(&builder, layers[i].channels), 3,
		                      layers[i].stride, 1);
	pare_zoo_classify(&builder);
	return pare_zoo_finish(&builder, graph);
}

const struct pare_zoo_model pare_zoo_plain_cnn = {
        .name = "plain_cnn",
        .help = "five 3x3 convolutions (16, 32/2, 32, 64/2, 64), global average pool, linear",
        .build = build,
};
