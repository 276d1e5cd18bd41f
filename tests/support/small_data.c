#include "tests/support/small_data.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "engine/ops/builders.h"
#include "engine/zoo/zoo.h"

const struct pare_normalization small_data_normalization = {.mean = {0.5f}, .std = {0.2f}};

void small_data_load(struct pare_splits *splits, int64_t train, int64_t test)
{
	struct pare_error error;
	struct pare_splits_options options = {.reader = pare_reader_find("synthetic"),
	                                      .reader_options = {.synthetic_images = train > test ? train : test},
	                                      .train_images = train,
	                                      .test_images = test,
	                                      .seed = 1};
	options.reader_options.seed = 1;
	assert_non_null(options.reader);
	if (pare_splits_load(splits, &options, &error))
		fail_msg("%s", error.text);
	assert_int_equal(splits->train.images, train);
	assert_int_equal(splits->test.images, test);
}

static void check(int status, const struct pare_error *error)
{
	if (status)
		fail_msg("%s", error->text);
}

static void layer(struct pare_graph *graph, int64_t channels, int kernel, bool batch_norm, int *value)
{
	struct pare_error error;
	check(pare_build_conv(graph, "conv", channels, kernel, 2, 1, !batch_norm, value, &error), &error);
	if (batch_norm)
		check(pare_build_batch_norm(graph, "bn", value, &error), &error);
	check(pare_build_relu(graph, "relu", value, &error), &error);
}

struct pare_graph *small_net(bool batch_norm, uint64_t seed)
{
	struct pare_error error;
	struct pare_graph *graph = pare_graph_new("small", pare_shape_chw(1, 28, 28), "input");
	assert_non_null(graph);
	int value = graph->input;
	layer(graph, 12, 5, batch_norm, &value);
	layer(graph, 20, 3, batch_norm, &value);
	check(pare_build_global_average_pool(graph, "gap", &value, &error), &error);
	check(pare_build_flatten(graph, "flatten", &value, &error), &error);
	check(pare_build_linear(graph, "fc", 10, true, &value, &error), &error);
	graph->output = value;
	pare_graph_initialize(graph, seed);
	return graph;
}
