/*
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition", 1998): 6 and 16
 * 5x5 filters, 120 and 84 units. Differences, as in most of today's versions: ReLU for tanh, max pooling for trainable
 * subsampling, every filter of the second layer sees all maps, a linear layer for the RBF output.
 */
#include "engine/ops/builders.h"
#include "engine/zoo/zoo_builder.h"

/* A 5x5 window that is to leave something for the pool behind it. */
#define SMALLEST_UNPADDED 8

static void conv(struct pare_zoo_builder *builder, const char *name, int64_t channels, int pad)
{
	const struct pare_conv2d attrs = {
	        .kernel_h = 5,
	        .kernel_w = 5,
	        .stride_h = 1,
	        .stride_w = 1,
	        .pad_top = pad,
	        .pad_left = pad,
	        .pad_bottom = pad,
	        .pad_right = pad,
	        .dilation_h = 1,
	        .dilation_w = 1,
	        .groups = 1,
	};

	if (builder->status == PARE_OK)
		builder->status = pare_build_conv2d(builder->graph, name, channels, &attrs, true, &builder->value,
		                                    builder->error);
}

static int build(const struct pare_zoo_options *options, struct pare_graph **graph, struct pare_error *error)
{
	struct pare_zoo_builder builder;

	pare_zoo_start(&builder, "lenet", options, error);
	conv(&builder, "conv1", pare_zoo_width(&builder, 6), 2);
	pare_zoo_relu(&builder, "", 1);
	pare_zoo_max_pool(&builder, 1);
	const struct pare_shape shape = pare_zoo_shape(&builder);
	const bool small = shape.dim[1] < SMALLEST_UNPADDED || shape.dim[2] < SMALLEST_UNPADDED;
	conv(&builder, "conv2", pare_zoo_width(&builder, 16), small ? 2 : 0);
	pare_zoo_relu(&builder, "", 2);
	pare_zoo_max_pool(&builder, 2);
	pare_zoo_flatten(&builder);
	pare_zoo_linear(&builder, "fc1", pare_zoo_width(&builder, 120));
	pare_zoo_relu(&builder, "", 3);
	pare_zoo_linear(&builder, "fc2", pare_zoo_width(&builder, 84));
	pare_zoo_relu(&builder, "", 4);
	pare_zoo_linear(&builder, "fc3", options->classes);
	return pare_zoo_finish(&builder, graph);
}

const struct pare_zoo_model pare_zoo_lenet = {
        .name = "lenet",
        .help = "LeNet-5 with ReLU and max pooling, no batch norm (LeCun et al. 1998)",
        .build = build,
};
