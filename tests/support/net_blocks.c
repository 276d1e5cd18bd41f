#include "tests/support/net_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/net_steps.h"

/* "block.part" */
struct name {
	char text[48];
};

static struct name part(const char *block, const char *name)
{
	struct name result;
	snprintf(result.text, sizeof(result.text), "%s.%s", block, name);
	return result;
}

/* He et al., CVPR 2016: 1x1, 3x3 (here also grouped, Xie et al., CVPR 2017), 1x1, and a shortcut. */
static void bottleneck(struct net *net, const char *block, int64_t width, int groups, int64_t out, int stride)
{
	int input = net->value, shortcut = input;
	if (stride > 1 || net_shape(net)->dim[0] != out) {
		net_conv_with(net, part(block, "down").text, out, 1, stride, 1, false);
		shortcut = net_batch_norm(net, "bn");
		net->value = input;
	}
	net_conv_bn_relu(net, part(block, "conv1").text, width, 1, 1, 1);
	net_conv_bn_relu(net, part(block, "conv2").text, width, 3, stride, groups);
	net_conv_with(net, part(block, "conv3").text, out, 1, 1, 1, false);
	net_batch_norm(net, "bn");
	net_add(net, part(block, "add").text, shortcut);
	net_relu(net);
}

struct pare_graph *test_net_bottleneck(void)
{
	struct net net = net_start("bottleneck");
	net_conv_bn_relu(&net, "stem", 8, 3, 1, 1);
	bottleneck(&net, "b1", 6, 1, 12, 2);
	bottleneck(&net, "b2", 5, 1, 12, 1);
	return net_finish(&net);
}

struct pare_graph *test_net_resnext(void)
{
	struct net net = net_start("resnext");
	net_conv_bn_relu(&net, "stem", 6, 3, 1, 1);
	bottleneck(&net, "b1", 12, 3, 10, 1);
	bottleneck(&net, "b2", 8, 2, 10, 1);
	return net_finish(&net);
}

/* Squeeze-and-excitation (Hu et al., CVPR 2018): a gate for each channel of the value. */
static void squeeze_excitation(struct net *net, const char *block, int64_t width, const struct pare_op *inner,
                               const struct pare_op *gate, const void *gate_attrs)
{
	int features = net->value;
	int64_t channels = net_shape(net)->dim[0];
	net_mean(net, 6, true);
	net_conv_with(net, part(block, "se1").text, width, 1, 1, 1, true);
	net_unary(net, inner, NULL);
	net_conv_with(net, part(block, "se2").text, channels, 1, 1, 1, true);
	net_unary(net, gate, gate_attrs);
	net_binary(net, &pare_op_mul, features);
}

struct inverted {
	int64_t expanded, squeezed, out;
	int stride;
	const struct pare_op *activation, *se_activation, *gate;
	const void *gate_attrs;
};

/* Sandler et al., CVPR 2018; with a gate Howard et al., ICCV 2019 (MobileNetV3), Tan and Le, ICML 2019 (EfficientNet).
 */
static void inverted_residual(struct net *net, const char *block, const struct inverted *kind)
{
	int input = net->value;
	bool shortcut = kind->stride == 1 && net_shape(net)->dim[0] == kind->out;
	net_conv_with(net, part(block, "expand").text, kind->expanded, 1, 1, 1, false);
	net_batch_norm(net, "bn");
	net_unary(net, kind->activation, NULL);
	net_conv_with(net, part(block, "depth").text, kind->expanded, 3, kind->stride, (int)kind->expanded, false);
	net_batch_norm(net, "bn");
	net_unary(net, kind->activation, NULL);
	squeeze_excitation(net, block, kind->squeezed, kind->se_activation, kind->gate, kind->gate_attrs);
	net_conv_with(net, part(block, "project").text, kind->out, 1, 1, 1, false);
	net_batch_norm(net, "bn");
	net_unary(net, &pare_op_dropout, NULL);
	if (shortcut)
		net_add(net, part(block, "add").text, input);
}

struct pare_graph *test_net_inverted_residual(void)
{
	const struct pare_hard_sigmoid gate = {.alpha = 1.0f / 6.0f, .beta = 0.5f};
	struct inverted kind = {.expanded = 14,
	                        .squeezed = 4,
	                        .out = 8,
	                        .stride = 1,
	                        .activation = &pare_op_hard_swish,
	                        .se_activation = &pare_op_relu,
	                        .gate = &pare_op_hard_sigmoid,
	                        .gate_attrs = &gate};
	struct net net = net_start("inverted_residual");
	net_conv_with(&net, "stem", 8, 3, 1, 1, false);
	net_batch_norm(&net, "bn");
	net_unary(&net, &pare_op_hard_swish, NULL);
	inverted_residual(&net, "b1", &kind);
	kind.stride = 2;
	kind.out = 10;
	inverted_residual(&net, "b2", &kind);
	return net_finish(&net);
}

struct pare_graph *test_net_mbconv(void)
{
	struct inverted kind = {.expanded = 12,
	                        .squeezed = 3,
	                        .out = 6,
	                        .stride = 1,
	                        .activation = &pare_op_silu,
	                        .se_activation = &pare_op_silu,
	                        .gate = &pare_op_sigmoid};
	struct net net = net_start("mbconv");
	net_conv_with(&net, "stem", 6, 3, 2, 1, false);
	net_batch_norm(&net, "bn");
	net_unary(&net, &pare_op_silu, NULL);
	inverted_residual(&net, "b1", &kind);
	inverted_residual(&net, "b2", &kind);
	return net_finish(&net);
}

/* Radosavovic et al., CVPR 2020: a bottleneck without a neck, grouped, gated. */
struct pare_graph *test_net_regnet_y(void)
{
	struct net net = net_start("regnet_y");
	net_conv_bn_relu(&net, "stem", 6, 3, 1, 1);
	int input = net.value;
	net_conv_with(&net, "down", 12, 1, 2, 1, false);
	int shortcut = net_batch_norm(&net, "bn");
	net.value = input;
	net_conv_bn_relu(&net, "a", 12, 1, 1, 1);
	net_conv_bn_relu(&net, "b", 12, 3, 2, 3);
	squeeze_excitation(&net, "b", 4, &pare_op_relu, &pare_op_sigmoid, NULL);
	net_conv_with(&net, "c", 12, 1, 1, 1, false);
	net_batch_norm(&net, "bn");
	net_add(&net, "add", shortcut);
	net_relu(&net);
	return net_finish(&net);
}

/* {C, H, W} -> {2, C/2, H, W} -> {C/2, 2, H, W} -> {C, H, W} */
static void channel_shuffle(struct net *net)
{
	const struct pare_shape shape = *net_shape(net);
	net_reshape(net, 4, (int64_t[]){2, shape.dim[0] / 2, shape.dim[1], shape.dim[2]});
	net_transpose(net, (int[]){1, 0, 2, 3});
	net_reshape(net, 3, shape.dim);
}

static int shuffle_branch(struct net *net, const char *block, int64_t width, int stride)
{
	net_conv_bn_relu(net, part(block, "conv1").text, width, 1, 1, 1);
	net_conv_with(net, part(block, "depth").text, width, 3, stride, (int)width, false);
	net_batch_norm(net, "bn");
	return net_conv_bn_relu(net, part(block, "conv2").text, width, 1, 1, 1);
}

/* Ma et al., ECCV 2018: half of the channels pass by. */
static void shuffle_unit(struct net *net, const char *block)
{
	int input = net->value;
	int32_t channels = (int32_t)net_shape(net)->dim[0];
	int left = net_slice_channels(net, part(block, "left").text, input, 0, channels / 2, 1);
	net_slice_channels(net, part(block, "right").text, input, channels / 2, channels, 1);
	int right = shuffle_branch(net, block, channels / 2, 1);
	net_concat(net, part(block, "concat").text, left, right);
	channel_shuffle(net);
}

struct pare_graph *test_net_shuffle(void)
{
	struct net net = net_start("shuffle");
	int stem = net_conv_bn_relu(&net, "stem", 6, 3, 1, 1);
	net_conv_with(&net, "s.depth", 6, 3, 2, 6, false);
	net_batch_norm(&net, "bn");
	int left = net_conv_bn_relu(&net, "s.point", 8, 1, 1, 1);
	net.value = stem;
	int right = shuffle_branch(&net, "s", 8, 2);
	net_concat(&net, "s.concat", left, right);
	channel_shuffle(&net);
	shuffle_unit(&net, "u1");
	shuffle_unit(&net, "u2");
	net_conv_bn_relu(&net, "last", 10, 1, 1, 1);
	net_mean(&net, 6, false);
	net_linear(&net, "fc", NET_CLASSES, true);
	net.graph->output = net.value;
	return net.graph;
}

/* Zhang et al., CVPR 2018. One group of channels passes through the shuffle, so it can be cut to {2, 1, H, W}. */
struct pare_graph *test_net_shuffle_groups(void)
{
	struct net net = net_start("shuffle_groups");
	net_conv_bn_relu(&net, "stem", 4, 3, 1, 1);
	net_conv_bn_relu(&net, "grouped", 6, 1, 1, 2);
	channel_shuffle(&net);
	net_conv_with(&net, "depth", 6, 3, 1, 6, false);
	net_batch_norm(&net, "bn");
	net_conv_bn_relu(&net, "last", 7, 1, 1, 1);
	return net_finish(&net);
}

/* Iandola et al. 2016 */
static void fire(struct net *net, const char *block, int64_t squeezed, int64_t expanded)
{
	net_conv_with(net, part(block, "squeeze").text, squeezed, 1, 1, 1, true);
	int input = net_relu(net);
	net_conv_with(net, part(block, "one").text, expanded, 1, 1, 1, true);
	int one = net_relu(net);
	net->value = input;
	net_conv_with(net, part(block, "three").text, expanded, 3, 1, 1, true);
	net_concat(net, part(block, "concat").text, one, net_relu(net));
}

struct pare_graph *test_net_fire(void)
{
	struct net net = net_start("fire");
	net_conv_with(&net, "stem", 7, 3, 1, 1, true);
	net_relu(&net);
	fire(&net, "f1", 4, 6);
	net_max_pool(&net);
	fire(&net, "f2", 5, 7);
	net_unary(&net, &pare_op_dropout, NULL);
	net_conv_with(&net, "classes", NET_CLASSES, 1, 1, 1, true);
	net_relu(&net);
	net_mean(&net, 6, true);
	net_flatten(&net);
	net.graph->output = net.value;
	return net.graph;
}

/* Huang et al., CVPR 2017, DenseNet-B. */
static int dense_layer(struct net *net, const char *block, int grown)
{
	net->value = grown;
	net_batch_norm(net, "bn");
	net_relu(net);
	net_conv_with(net, part(block, "conv1").text, 8, 1, 1, 1, false);
	net_batch_norm(net, "bn");
	net_relu(net);
	net_conv(net, part(block, "conv2").text, 4);
	return net_concat(net, part(block, "concat").text, grown, net->value);
}

static void average_pool(struct net *net, int kernel, int stride, int pad, bool count_include_pad)
{
	struct pare_error error;
	struct pare_pool2d attrs = {.kernel_h = kernel,
	                            .kernel_w = kernel,
	                            .stride_h = stride,
	                            .stride_w = stride,
	                            .pad_top = pad,
	                            .pad_left = pad,
	                            .pad_bottom = pad,
	                            .pad_right = pad,
	                            .count_include_pad = count_include_pad};
	if (pare_build_average_pool(net->graph, "average", &attrs, &net->value, &error))
		fail_msg("%s", error.text);
}

struct pare_graph *test_net_densenet(void)
{
	struct net net = net_start("densenet");
	int grown = net_conv_bn_relu(&net, "stem", 6, 3, 1, 1);
	grown = dense_layer(&net, "d1", grown);
	dense_layer(&net, "d2", grown);
	net_batch_norm(&net, "bn");
	net_relu(&net);
	net_conv_with(&net, "transition", 7, 1, 1, 1, false);
	average_pool(&net, 2, 2, 0, false);
	dense_layer(&net, "d3", net.value);
	net_batch_norm(&net, "bn");
	net_relu(&net);
	return net_finish(&net);
}

static void flat_conv(struct net *net, const char *name, int64_t channels, int kernel_h, int kernel_w)
{
	struct pare_error error;
	struct pare_conv2d attrs = {.kernel_h = kernel_h,
	                            .kernel_w = kernel_w,
	                            .stride_h = 1,
	                            .stride_w = 1,
	                            .pad_top = kernel_h / 2,
	                            .pad_left = kernel_w / 2,
	                            .pad_bottom = kernel_h / 2,
	                            .pad_right = kernel_w / 2,
	                            .dilation_h = 1,
	                            .dilation_w = 1,
	                            .groups = 1};
	if (pare_build_conv2d(net->graph, name, channels, &attrs, false, &net->value, &error))
		fail_msg("%s", error.text);
	net_batch_norm(net, "bn");
	net_relu(net);
}

/* Szegedy et al., CVPR 2016. */
struct pare_graph *test_net_inception(void)
{
	struct net net = net_start("inception");
	int stem = net_conv_bn_relu(&net, "stem", 7, 3, 1, 1), branch[4];
	branch[0] = net_conv_bn_relu(&net, "one", 6, 1, 1, 1);
	net.value = stem;
	net_conv_bn_relu(&net, "seven1", 5, 1, 1, 1);
	flat_conv(&net, "seven2", 4, 1, 7);
	flat_conv(&net, "seven3", 8, 7, 1);
	branch[1] = net.value;
	net.value = stem;
	average_pool(&net, 3, 1, 1, true);
	branch[2] = net_conv_bn_relu(&net, "pool", 5, 1, 1, 1);
	branch[3] = stem;
	if (pare_build_concat(net.graph, "concat", branch, 4, &net.value, NULL))
		fail_msg("concat");
	net_max_pool(&net);
	net_conv_bn_relu(&net, "last", 9, 1, 1, 1);
	return net_finish(&net);
}

/* Along `axis`, as PyTorch writes it for opsets without LayerNormalization. */
static void spelt_out_norm(struct net *net, const char *name, int axis)
{
	int x = net->value, mean = net_mean(net, 1 << axis, true);
	net->value = x;
	int centred = net_binary(net, &pare_op_sub, mean);
	net_unary(net, &pare_op_pow, &(struct pare_pow){2.0f});
	net_mean(net, 1 << axis, true);
	net_unary(net, &pare_op_affine_scalar, &(struct pare_affine_scalar){1.0f, 1e-5f});
	int deviation = net_unary(net, &pare_op_sqrt, NULL);
	net->value = centred;
	net_binary(net, &pare_op_div, deviation);
	net_scale(net, name, axis, true);
}

static void last_norm(struct net *net, const char *name, bool spelt_out)
{
	if (spelt_out)
		spelt_out_norm(net, name, 2);
	else
		net_layer_norm(net, name, 2);
}

static void image_norm(struct net *net, const char *name, bool spelt_out)
{
	net_transpose(net, (int[]){1, 2, 0});
	last_norm(net, name, spelt_out);
	net_transpose(net, (int[]){2, 0, 1});
}

/* Liu et al., CVPR 2022. */
static void convnext_block(struct net *net, const char *block, bool spelt_out)
{
	int input = net->value;
	int64_t channels = net_shape(net)->dim[0];
	net_conv_with(net, part(block, "depth").text, channels, 7, 1, (int)channels, true);
	net_transpose(net, (int[]){1, 2, 0});
	last_norm(net, part(block, "norm").text, spelt_out);
	net_linear(net, part(block, "up").text, 4 * channels, true);
	net_unary(net, &pare_op_gelu, NULL);
	net_linear(net, part(block, "down").text, channels, true);
	net_transpose(net, (int[]){2, 0, 1});
	net_scale(net, part(block, "scale").text, 0, false);
	net_add(net, part(block, "add").text, input);
}

static struct pare_graph *convnext(const char *name, bool spelt_out)
{
	struct net net = net_start(name);
	net_conv_with(&net, "stem", 4, 3, 1, 1, true);
	image_norm(&net, "stem.norm", spelt_out);
	convnext_block(&net, "b1", spelt_out);
	image_norm(&net, "down.norm", spelt_out);
	net_conv_with(&net, "down", 6, 2, 2, 1, true);
	convnext_block(&net, "b2", spelt_out);
	return net_finish(&net);
}

struct pare_graph *test_net_convnext(void)
{
	return convnext("convnext", false);
}

struct pare_graph *test_net_convnext_spelt_out(void)
{
	return convnext("convnext_spelt_out", true);
}

/* Tolstikhin et al., NeurIPS 2021, without its norms: pixels are mixed in {C, pixels}, channels in {pixels, C}. A
 * softmax over pixels on the way, which mixes no channels. */
struct pare_graph *test_net_mixer(void)
{
	struct net net = net_start("mixer");
	net_conv_with(&net, "stem", 6, 3, 2, 1, true);
	int input = net_reshape(&net, 2, (int64_t[]){6, 16});
	net_linear(&net, "pixels1", 9, true);
	net_unary(&net, &pare_op_gelu, NULL);
	net_linear(&net, "pixels2", 16, true);
	net_unary(&net, &pare_op_softmax, &(struct pare_softmax){1});
	net_add(&net, "add1", input);
	int stream = net_transpose(&net, (int[]){1, 0});
	net_linear(&net, "channels1", 11, true);
	net_unary(&net, &pare_op_tanh, NULL);
	net_linear(&net, "channels2", 6, true);
	net_add(&net, "add2", stream);
	net_mean(&net, 1, false);
	net_linear(&net, "fc", NET_CLASSES, true);
	net.graph->output = net.value;
	return net.graph;
}

/* Woo et al., ECCV 2018 (CBAM), the spatial half: the gate is made of the mean over channels. */
struct pare_graph *test_net_spatial_gate(void)
{
	struct net net = net_start("spatial_gate");
	int stem = net_conv_bn_relu(&net, "stem", 6, 3, 1, 1),
	    features = net_conv_bn_relu(&net, "features", 8, 3, 1, 1);
	net.value = stem;
	net_mean(&net, 1, true);
	net_conv_with(&net, "gate", 1, 3, 1, 1, true);
	net_unary(&net, &pare_op_sigmoid, NULL);
	net_binary(&net, &pare_op_mul, features);
	net_conv_bn_relu(&net, "last", 7, 1, 1, 1);
	return net_finish(&net);
}

/* One convolution and its batch norm on two values. */
struct pare_graph *test_net_shared(void)
{
	struct net net = net_start("shared");
	int stem = net_conv_bn_relu(&net, "stem", 6, 3, 1, 1);
	int left = net_conv_bn_relu(&net, "left", 7, 3, 1, 1);
	net.value = stem;
	int right = net_conv_bn_relu(&net, "right", 7, 1, 1, 1), twice[2];
	net.value = left;
	twice[0] = net_conv_with(&net, "both", 5, 3, 1, 1, true);
	const struct pare_node both = net.graph->nodes[net.graph->n_nodes - 1];
	const struct pare_node_spec spec = {.name = "again",
	                                    .op = both.op,
	                                    .attrs = both.attrs,
	                                    .inputs = &right,
	                                    .n_inputs = 1,
	                                    .params = both.params,
	                                    .n_params = both.n_params};
	if (pare_graph_add_node(net.graph, &spec, &twice[1], NULL))
		fail_msg("again");
	net_concat(&net, "concat", twice[0], twice[1]);
	net_relu(&net);
	net_conv_bn_relu(&net, "last", 8, 1, 1, 1);
	return net_finish(&net);
}
