#include "tests/support/nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/zoo/zoo.h"
#include "tests/support/net_blocks.h"
#include "tests/support/net_steps.h"

static struct pare_graph *build_plain(void)
{
	struct net net = net_start("plain");
	net_conv_with(&net, "conv1", 8, 3, 1, 1, true);
	net_relu(&net);
	net_conv_with(&net, "conv2", 12, 3, 2, 1, false);
	net_batch_norm(&net, "bn2");
	net_relu(&net);
	net_conv_with(&net, "conv3", 7, 1, 1, 1, true);
	net_batch_norm(&net, "bn3");
	return net_finish(&net);
}

/* The stem's channels live on through two adds. */
static struct pare_graph *build_residual(void)
{
	struct net net = net_start("residual");
	net_conv(&net, "stem", 8);
	net_batch_norm(&net, "stem.bn");
	int stream = net_relu(&net);
	for (int block = 1; block <= 2; block++) {
		net_conv(&net, block == 1 ? "block1.conv1" : "block2.conv1", 10);
		net_batch_norm(&net, block == 1 ? "block1.bn1" : "block2.bn1");
		net_relu(&net);
		net_conv(&net, block == 1 ? "block1.conv2" : "block2.conv2", 8);
		net_batch_norm(&net, block == 1 ? "block1.bn2" : "block2.bn2");
		net_add(&net, block == 1 ? "block1.add" : "block2.add", stream);
		stream = net_relu(&net);
	}
	return net_finish(&net);
}

static struct pare_graph *build_concat(void)
{
	struct net net = net_start("concat");
	int stem = net_conv(&net, "stem", 6);
	int left = net_conv(&net, "left", 8);
	net.value = stem;
	net_conv_with(&net, "right", 5, 1, 1, 1, true);
	int right = net_relu(&net);
	net_concat(&net, "concat", left, right);
	net_batch_norm(&net, "bn");
	net_relu(&net);
	net_conv(&net, "join", 9);
	return net_finish(&net);
}

/* Each layer sees all layers before it (Huang et al., CVPR 2017), through a batch norm of its own. */
static struct pare_graph *build_dense(void)
{
	struct net net = net_start("dense");
	static const char *const names[][3] = {
	        {"bn1", "conv1", "concat1"}, {"bn2", "conv2", "concat2"}, {"bn3", "conv3", "concat3"}};
	int grown = net_conv(&net, "stem", 8);
	for (int layer = 0; layer < 3; layer++) {
		net_batch_norm(&net, names[layer][0]);
		net_relu(&net);
		net_conv(&net, names[layer][1], 4);
		grown = net_concat(&net, names[layer][2], grown, net.value);
	}
	net_batch_norm(&net, "bn4");
	return net_finish(&net);
}

static struct pare_graph *build_depthwise(void)
{
	struct net net = net_start("depthwise");
	net_conv(&net, "stem", 8);
	net_batch_norm(&net, "stem.bn");
	net_relu(&net);
	net_conv_with(&net, "depth1", 8, 3, 1, 8, false);
	net_batch_norm(&net, "depth1.bn");
	net_relu(&net);
	net_conv_with(&net, "point1", 10, 1, 1, 1, false);
	net_batch_norm(&net, "point1.bn");
	net_relu(&net);
	net_conv_with(&net, "depth2", 20, 3, 2, 10, true);
	net_conv_with(&net, "point2", 6, 1, 1, 1, true);
	return net_finish(&net);
}

static struct pare_graph *build_grouped(void)
{
	struct net net = net_start("grouped");
	net_conv(&net, "stem", 16);
	net_batch_norm(&net, "stem.bn");
	net_relu(&net);
	net_conv_with(&net, "grouped1", 24, 3, 1, 4, false);
	net_batch_norm(&net, "grouped1.bn");
	net_relu(&net);
	net_conv_with(&net, "grouped2", 12, 3, 1, 2, true);
	net_relu(&net);
	net_conv(&net, "last", 6);
	return net_finish(&net);
}

/* 4 x 4 pixels a channel reach the linear layer; then linear layers behind each other, one with a batch norm. */
static struct pare_graph *build_flatten(void)
{
	struct net net = net_start("flatten");
	net_conv(&net, "conv", 6);
	net_batch_norm(&net, "bn");
	net_relu(&net);
	net_max_pool(&net);
	net_flatten(&net);
	net_linear(&net, "fc1", 11, false);
	net_batch_norm(&net, "fc1.bn");
	net_relu(&net);
	net_linear(&net, "fc2", 9, true);
	net_relu(&net);
	net_linear(&net, "fc3", NET_CLASSES, true);
	net.graph->output = net.value;
	return net.graph;
}

static void option_a_block(struct net *net, const char *conv1, const char *conv2, int64_t channels)
{
	int input = net->value;
	int32_t in = (int32_t)net->graph->values[input].shape.dim[0];
	int32_t missing = (int32_t)channels - in;
	net_slice_channels(net, "slice", input, 0, in, 2);
	int shortcut = net_pad_channels(net, "pad", missing / 2, missing - missing / 2);
	net->value = input;
	net_conv_with(net, conv1, channels, 3, 2, 1, false);
	net_relu(net);
	net_conv(net, conv2, channels);
	net_batch_norm(net, "bn");
	net_add(net, "add", shortcut);
	net_relu(net);
}

/* Two option-A shortcuts (He et al. 2015, 4.2); the padding comes before the convolutions it is added to. */
static struct pare_graph *build_option_a(void)
{
	struct net net = net_start("option_a");
	net_conv(&net, "stem", 4);
	net_relu(&net);
	option_a_block(&net, "block1.conv1", "block1.conv2", 9);
	option_a_block(&net, "block2.conv1", "block2.conv2", 16);
	return net_finish(&net);
}

/* One layer's channels go two ways: the first seven are convolved once more, the last five are not. */
static struct pare_graph *build_split(void)
{
	struct net net = net_start("split");
	int stem = net_conv(&net, "stem", 12);
	net_slice_channels(&net, "left", stem, 0, 7, 1);
	int left = net_conv(&net, "left.conv", 6);
	int right = net_slice_channels(&net, "right", stem, 7, 12, 1);
	net_concat(&net, "concat", right, left);
	net_batch_norm(&net, "bn");
	net_conv(&net, "join", 8);
	return net_finish(&net);
}

const struct test_net test_nets[] = {
        {"plain", build_plain, false},
        {"residual", build_residual, false},
        {"concat", build_concat, false},
        {"dense", build_dense, false},
        {"depthwise", build_depthwise, false},
        {"grouped", build_grouped, false},
        {"flatten", build_flatten, false},
        {"option_a", build_option_a, false},
        {"split", build_split, false},
        {"bottleneck", test_net_bottleneck, true},
        {"resnext", test_net_resnext, true},
        {"inverted_residual", test_net_inverted_residual, true},
        {"shuffle", test_net_shuffle, true},
        {"shuffle_groups", test_net_shuffle_groups, true},
        {"fire", test_net_fire, true},
        {"densenet", test_net_densenet, true},
        {"inception", test_net_inception, true},
        {"mbconv", test_net_mbconv, true},
        {"regnet_y", test_net_regnet_y, true},
        {"convnext", test_net_convnext, true},
        {"convnext_spelt_out", test_net_convnext_spelt_out, true},
        {"mixer", test_net_mixer, true},
        {"spatial_gate", test_net_spatial_gate, true},
        {"shared", test_net_shared, true},
        {NULL, NULL, false},
};

struct pare_graph *test_net_build(const char *name)
{
	for (const struct test_net *net = test_nets; net->name; net++)
		if (strcmp(net->name, name) == 0)
			return net->build();
	fail_msg("no test network \"%s\"", name);
	return NULL;
}

struct pare_graph *test_net_build_zoo(const char *name)
{
	const struct pare_zoo_model *model = pare_zoo_find(name);
	bool grey = strcmp(name, "lenet") == 0 || strcmp(name, "vgg_small") == 0;
	struct pare_zoo_options options = {.input = grey ? pare_shape_chw(1, 28, 28) : pare_shape_chw(3, 16, 16),
	                                   .classes = NET_CLASSES,
	                                   .width = strcmp(name, "lenet") == 0 ? 1.0 : 0.25,
	                                   .seed = 7};
	struct pare_graph *graph = NULL;
	struct pare_error error;
	assert_non_null(model);
	if (model->build(&options, &graph, &error))
		fail_msg("%s", error.text);
	return graph;
}

/* Counts *n down; NULL when there are fewer. */
static struct pare_graph *build_hand_made(int *n, bool block)
{
	for (const struct test_net *net = test_nets; net->name; net++)
		if (net->block == block && (*n)-- == 0)
			return net->build();
	return NULL;
}

static struct pare_graph *build_first_operators(int *n)
{
	struct pare_graph *graph = build_hand_made(n, false);
	for (const struct pare_zoo_model *const *model = pare_zoo_table; *model && !graph; model++)
		if ((*n)-- == 0)
			graph = test_net_build_zoo((*model)->name);
	return graph;
}

struct pare_graph *test_net_build_nth(int n)
{
	return build_first_operators(&n);
}

struct pare_graph *test_net_build_any(int n)
{
	struct pare_graph *graph = build_first_operators(&n);
	return graph ? graph : build_hand_made(&n, true);
}

static float random_entry(enum pare_param_role role, const struct pare_shape *shape, struct pare_rng *rng)
{
	float uniform = pare_rng_uniform(rng);
	switch (role) {
	case PARE_PARAM_WEIGHT: /* about unit gain, so that deep networks neither fade nor explode */
		return (float)(pare_rng_normal(rng) * sqrt(2.0 / (double)pare_shape_plane(shape)));
	case PARE_PARAM_BN_SCALE:
	case PARE_PARAM_BN_VAR:
		return 0.5f + 1.5f * uniform;
	default:
		return uniform - 0.5f;
	}
}

void test_net_randomize(struct pare_graph *graph, uint64_t seed)
{
	for (int p = 0; p < graph->n_params; p++) {
		struct pare_param *param = &graph->params[p];
		struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, (uint64_t)p);
		for (int64_t i = 0; i < pare_shape_elements(&param->shape); i++)
			do
				param->data[i] = random_entry(param->role, &param->shape, &rng);
			while (param->data[i] == 0.0f || param->data[i] == 1.0f);
	}
}

void test_net_name_output(struct pare_graph *graph, const char *name)
{
	struct pare_value *output = &graph->values[graph->output];
	free(output->name);
	output->name = pare_strdup(name);
	assert_non_null(output->name);
}

void test_plan_randomize(struct pare_plan *plan, const struct pare_groups *groups, double ratio, int64_t least,
                         uint64_t seed)
{
	for (int g = 0; g < groups->n_groups; g++) {
		struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, (uint64_t)g);
		int64_t channels = groups->group[g].channels;
		double wanted = ratio + 0.4 * ((double)pare_rng_uniform(&rng) - 0.5);
		int64_t kept = pare_plan_round(channels, wanted, 1);
		kept = kept < least ? least : kept;
		if (!groups->group[g].frozen)
			plan->kept[g] = kept < channels ? kept : channels;
	}
}
