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
#include "engine/ops/builders.h"
#include "engine/zoo/zoo.h"

#define CLASSES 5

/* A network under construction: the steps below all go on from `value`. */
struct net {
	struct pare_graph *graph;
	int value;
};

static void check(int status, const struct pare_error *error)
{
	if (status)
		fail_msg("%s", error->text);
}

static struct net start(const char *name)
{
	struct pare_graph *graph = pare_graph_new(name, pare_shape_chw(3, 8, 8), "input");
	assert_non_null(graph);
	return (struct net){graph, graph->input};
}

static int conv_with(struct net *net, const char *name, int64_t channels, int kernel, int stride, int groups, bool bias)
{
	struct pare_error error;
	check(pare_build_conv(net->graph, name, channels, kernel, stride, groups, bias, &net->value, &error), &error);
	return net->value;
}

static int conv(struct net *net, const char *name, int64_t channels)
{
	return conv_with(net, name, channels, 3, 1, 1, false);
}

static int batch_norm(struct net *net, const char *name)
{
	struct pare_error error;
	check(pare_build_batch_norm(net->graph, name, &net->value, &error), &error);
	return net->value;
}

static int relu(struct net *net)
{
	struct pare_error error;
	check(pare_build_relu(net->graph, "relu", &net->value, &error), &error);
	return net->value;
}

static int add(struct net *net, const char *name, int other)
{
	struct pare_error error;
	check(pare_build_add(net->graph, name, other, &net->value, &error), &error);
	return net->value;
}

static int concat(struct net *net, const char *name, int first, int second)
{
	struct pare_error error;
	int inputs[] = {first, second};
	check(pare_build_concat(net->graph, name, inputs, 2, &net->value, &error), &error);
	return net->value;
}

static void max_pool(struct net *net)
{
	struct pare_error error;
	struct pare_pool2d attrs = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
	check(pare_build_max_pool(net->graph, "pool", &attrs, &net->value, &error), &error);
}

static void flatten(struct net *net)
{
	struct pare_error error;
	check(pare_build_flatten(net->graph, "flatten", &net->value, &error), &error);
}

static void linear(struct net *net, const char *name, int64_t features, bool bias)
{
	struct pare_error error;
	check(pare_build_linear(net->graph, name, features, bias, &net->value, &error), &error);
}

static int slice_channels(struct net *net, const char *name, int value, int32_t begin, int32_t end, int stride)
{
	struct pare_error error;
	const struct pare_shape *in = &net->graph->values[value].shape;
	struct pare_slice attrs = {.start = {begin, 0, 0},
	                           .stop = {end, (int32_t)in->dim[1], (int32_t)in->dim[2]},
	                           .step = {1, stride, stride}};
	net->value = value;
	check(pare_build_slice(net->graph, name, &attrs, &net->value, &error), &error);
	return net->value;
}

static int pad_channels(struct net *net, const char *name, int32_t begin, int32_t end)
{
	struct pare_error error;
	struct pare_pad attrs = {.begin = {begin, 0, 0}, .end = {end, 0, 0}};
	check(pare_build_pad(net->graph, name, &attrs, &net->value, &error), &error);
	return net->value;
}

/* Global average pool, linear layer "fc". */
static struct pare_graph *finish(struct net *net)
{
	struct pare_error error;
	check(pare_build_global_average_pool(net->graph, "gap", &net->value, &error), &error);
	flatten(net);
	linear(net, "fc", CLASSES, true);
	net->graph->output = net->value;
	return net->graph;
}

static struct pare_graph *build_plain(void)
{
	struct net net = start("plain");
	conv_with(&net, "conv1", 8, 3, 1, 1, true);
	relu(&net);
	conv_with(&net, "conv2", 12, 3, 2, 1, false);
	batch_norm(&net, "bn2");
	relu(&net);
	conv_with(&net, "conv3", 7, 1, 1, 1, true);
	batch_norm(&net, "bn3");
	return finish(&net);
}

/* The stem's channels live on through two adds. */
static struct pare_graph *build_residual(void)
{
	struct net net = start("residual");
	conv(&net, "stem", 8);
	batch_norm(&net, "stem.bn");
	int stream = relu(&net);
	for (int block = 1; block <= 2; block++) {
		conv(&net, block == 1 ? "block1.conv1" : "block2.conv1", 10);
		batch_norm(&net, block == 1 ? "block1.bn1" : "block2.bn1");
		relu(&net);
		conv(&net, block == 1 ? "block1.conv2" : "block2.conv2", 8);
		batch_norm(&net, block == 1 ? "block1.bn2" : "block2.bn2");
		add(&net, block == 1 ? "block1.add" : "block2.add", stream);
		stream = relu(&net);
	}
	return finish(&net);
}

static struct pare_graph *build_concat(void)
{
	struct net net = start("concat");
	int stem = conv(&net, "stem", 6);
	int left = conv(&net, "left", 8);
	net.value = stem;
	conv_with(&net, "right", 5, 1, 1, 1, true);
	int right = relu(&net);
	concat(&net, "concat", left, right);
	batch_norm(&net, "bn");
	relu(&net);
	conv(&net, "join", 9);
	return finish(&net);
}

/* Each layer sees all layers before it (Huang et al., CVPR 2017), through a batch norm of its own. */
static struct pare_graph *build_dense(void)
{
	struct net net = start("dense");
	static const char *const names[][3] = {
	        {"bn1", "conv1", "concat1"}, {"bn2", "conv2", "concat2"}, {"bn3", "conv3", "concat3"}};
	int grown = conv(&net, "stem", 8);
	for (int layer = 0; layer < 3; layer++) {
		batch_norm(&net, names[layer][0]);
		relu(&net);
		conv(&net, names[layer][1], 4);
		grown = concat(&net, names[layer][2], grown, net.value);
	}
	batch_norm(&net, "bn4");
	return finish(&net);
}

static struct pare_graph *build_depthwise(void)
{
	struct net net = start("depthwise");
	conv(&net, "stem", 8);
	batch_norm(&net, "stem.bn");
	relu(&net);
	conv_with(&net, "depth1", 8, 3, 1, 8, false);
	batch_norm(&net, "depth1.bn");
	relu(&net);
	conv_with(&net, "point1", 10, 1, 1, 1, false);
	batch_norm(&net, "point1.bn");
	relu(&net);
	conv_with(&net, "depth2", 20, 3, 2, 10, true);
	conv_with(&net, "point2", 6, 1, 1, 1, true);
	return finish(&net);
}

static struct pare_graph *build_grouped(void)
{
	struct net net = start("grouped");
	conv(&net, "stem", 16);
	batch_norm(&net, "stem.bn");
	relu(&net);
	conv_with(&net, "grouped1", 24, 3, 1, 4, false);
	batch_norm(&net, "grouped1.bn");
	relu(&net);
	conv_with(&net, "grouped2", 12, 3, 1, 2, true);
	relu(&net);
	conv(&net, "last", 6);
	return finish(&net);
}

/* 4 x 4 pixels a channel reach the linear layer; then linear layers behind each other, one with a batch norm. */
static struct pare_graph *build_flatten(void)
{
	struct net net = start("flatten");
	conv(&net, "conv", 6);
	batch_norm(&net, "bn");
	relu(&net);
	max_pool(&net);
	flatten(&net);
	linear(&net, "fc1", 11, false);
	batch_norm(&net, "fc1.bn");
	relu(&net);
	linear(&net, "fc2", 9, true);
	relu(&net);
	linear(&net, "fc3", CLASSES, true);
	net.graph->output = net.value;
	return net.graph;
}

static void option_a_block(struct net *net, const char *conv1, const char *conv2, int64_t channels)
{
	int input = net->value;
	int32_t in = (int32_t)net->graph->values[input].shape.dim[0];
	int32_t missing = (int32_t)channels - in;
	slice_channels(net, "slice", input, 0, in, 2);
	int shortcut = pad_channels(net, "pad", missing / 2, missing - missing / 2);
	net->value = input;
	conv_with(net, conv1, channels, 3, 2, 1, false);
	relu(net);
	conv(net, conv2, channels);
	batch_norm(net, "bn");
	add(net, "add", shortcut);
	relu(net);
}

/* Two option-A shortcuts (He et al. 2015, 4.2); the padding comes before the convolutions it is added to. */
static struct pare_graph *build_option_a(void)
{
	struct net net = start("option_a");
	conv(&net, "stem", 4);
	relu(&net);
	option_a_block(&net, "block1.conv1", "block1.conv2", 9);
	option_a_block(&net, "block2.conv1", "block2.conv2", 16);
	return finish(&net);
}

/* One layer's channels go two ways: the first seven are convolved once more, the last five are not. */
static struct pare_graph *build_split(void)
{
	struct net net = start("split");
	int stem = conv(&net, "stem", 12);
	slice_channels(&net, "left", stem, 0, 7, 1);
	int left = conv(&net, "left.conv", 6);
	int right = slice_channels(&net, "right", stem, 7, 12, 1);
	concat(&net, "concat", right, left);
	batch_norm(&net, "bn");
	conv(&net, "join", 8);
	return finish(&net);
}

const struct test_net test_nets[] = {
        {"plain", build_plain},         {"residual", build_residual},
        {"concat", build_concat},       {"dense", build_dense},
        {"depthwise", build_depthwise}, {"grouped", build_grouped},
        {"flatten", build_flatten},     {"option_a", build_option_a},
        {"split", build_split},         {NULL, NULL},
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
	                                   .classes = CLASSES,
	                                   .width = strcmp(name, "lenet") == 0 ? 1.0 : 0.25,
	                                   .seed = 7};
	struct pare_graph *graph = NULL;
	struct pare_error error;
	assert_non_null(model);
	check(model->build(&options, &graph, &error), &error);
	return graph;
}

struct pare_graph *test_net_build_nth(int n)
{
	for (const struct test_net *net = test_nets; net->name; net++)
		if (n-- == 0)
			return net->build();
	for (const struct pare_zoo_model *const *model = pare_zoo_table; *model; model++)
		if (n-- == 0)
			return test_net_build_zoo((*model)->name);
	return NULL;
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
