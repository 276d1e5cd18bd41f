#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/zoo/zoo.h"

static struct pare_graph *build(const char *name, struct pare_shape input, int64_t classes, double width, uint64_t seed)
{
	const struct pare_zoo_options options = {.input = input, .classes = classes, .width = width, .seed = seed};
	const struct pare_zoo_model *model = pare_zoo_find(name);
	struct pare_graph *graph = NULL;
	struct pare_error error = {0};

	assert_non_null(model);
	if (model->build(&options, &graph, &error) < 0)
		fail_msg("%s at width %g: %s", name, width, error.text);
	return graph;
}

/* Layer by layer: `filters` of `inputs` x `area` weights at `pixels` positions. */
struct count {
	int64_t macs, parameters;
};

static void count_conv_bn(struct count *count, int64_t inputs, int64_t filters, int64_t area, int64_t pixels)
{
	count->macs += inputs * filters * area * pixels;
	count->parameters += inputs * filters * area + 2 * filters;
}

static void count_linear(struct count *count, int64_t inputs, int64_t outputs)
{
	count->macs += inputs * outputs;
	count->parameters += inputs * outputs + outputs;
}

static void check_counts(const char *name, struct pare_shape input, int64_t classes, struct count want)
{
	struct pare_graph *graph = build(name, input, classes, 1.0, 0);

	assert_int_equal(pare_graph_macs(graph), want.macs);
	assert_int_equal(pare_graph_parameters(graph), want.parameters);
	pare_graph_free(graph);
}

static struct count resnet_by_hand(int blocks, int64_t side)
{
	struct count count = {0};
	int64_t in = 16;

	count_conv_bn(&count, 3, 16, 9, side * side);
	for (int stage = 0; stage < 3; stage++) {
		const int64_t width = 16 << stage, pixels = (side >> stage) * (side >> stage);
		for (int block = 0; block < blocks; block++) {
			count_conv_bn(&count, in, width, 9, pixels);
			count_conv_bn(&count, width, width, 9, pixels);
			in = width;
		}
	}
	count_linear(&count, 64, 10);
	return count;
}

static void test_zoo__resnets_match_the_paper(void **state)
{
	(void)state;
	const struct pare_shape input = pare_shape_chw(3, 32, 32);

	check_counts("resnet8", input, 10, resnet_by_hand(1, 32));
	check_counts("resnet20", input, 10, resnet_by_hand(3, 32));
	check_counts("resnet56", input, 10, resnet_by_hand(9, 32));
	/* He et al. 2015, table 6: 0.27 M and 0.85 M parameters; 40.55 and 125.49 million MACs, added up by hand. */
	check_counts("resnet20", input, 10, (struct count){40551040, 269722});
	check_counts("resnet56", input, 10, (struct count){125485696, 853018});
}

static void test_zoo__plain_cnn_counts(void **state)
{
	(void)state;
	struct count count = {0};

	count_conv_bn(&count, 1, 16, 9, 28 * 28);
	count_conv_bn(&count, 16, 32, 9, 14 * 14);
	count_conv_bn(&count, 32, 32, 9, 14 * 14);
	count_conv_bn(&count, 32, 64, 9, 7 * 7);
	count_conv_bn(&count, 64, 64, 9, 7 * 7);
	count_linear(&count, 64, 10);
	check_counts("plain_cnn", pare_shape_chw(1, 28, 28), 10, count);
}

static void test_zoo__lenet_counts(void **state)
{
	(void)state;
	/* 61,706: the number everyone knows LeNet-5 by. */
	const int64_t parameters = (25 + 1) * 6 + (150 + 1) * 16 + 401 * 120 + 121 * 84 + 85 * 10;
	const int64_t macs = 25 * 6 * 28 * 28 + 150 * 16 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10;

	assert_int_equal(parameters, 61706);
	check_counts("lenet", pare_shape_chw(1, 28, 28), 10, (struct count){macs, parameters});
}

static void test_zoo__vgg_small_counts(void **state)
{
	(void)state;
	struct count count = {0};

	count_conv_bn(&count, 1, 32, 9, 28 * 28);
	count_conv_bn(&count, 32, 32, 9, 28 * 28);
	count_conv_bn(&count, 32, 64, 9, 14 * 14);
	count_conv_bn(&count, 64, 64, 9, 14 * 14);
	count_conv_bn(&count, 64, 128, 9, 7 * 7);
	count_conv_bn(&count, 128, 128, 9, 7 * 7);
	count_linear(&count, 128 * 3 * 3, 256);
	count_linear(&count, 256, 10);
	check_counts("vgg_small", pare_shape_chw(1, 28, 28), 10, count);
}

static void test_zoo__mobilenet_counts(void **state)
{
	(void)state;
	static const int64_t in[] = {32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024},
	                     out[] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024},
	                     side[] = {32, 16, 16, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2};
	struct count count = {0};

	count_conv_bn(&count, 3, 32, 9, 32 * 32);
	for (int i = 0; i < 13; i++) {
		count_conv_bn(&count, 1, in[i], 9, side[i] * side[i]);
		count_conv_bn(&count, in[i], out[i], 1, side[i] * side[i]);
	}
	count_linear(&count, 1024, 100);
	check_counts("mobilenet_v1", pare_shape_chw(3, 32, 32), 100, count);
}

static void test_zoo__all_build_at_all_sizes_and_widths(void **state)
{
	(void)state;
	const struct pare_shape inputs[] = {pare_shape_chw(1, 28, 28), pare_shape_chw(3, 32, 32),
	                                    pare_shape_chw(3, 8, 8), pare_shape_chw(2, 9, 17)};
	static const double widths[] = {0.001, 0.25, 0.37, 1.0};

	for (const struct pare_zoo_model *const *model = pare_zoo_table; *model; model++) {
		assert_ptr_equal(pare_zoo_find((*model)->name), *model);
		assert_true(strlen((*model)->help) > 10);
		for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
			for (size_t w = 0; w < sizeof(widths) / sizeof(widths[0]); w++) {
				/* Full width once is enough: the initial weights take the time. */
				if (widths[w] == 1.0 && i > 0)
					continue;
				struct pare_graph *graph = build((*model)->name, inputs[i], 7, widths[w], 1);
				struct pare_channel_map *map = pare_channel_map_new(graph, NULL);
				assert_non_null(map);
				assert_string_equal(graph->name, (*model)->name);
				assert_int_equal(graph->values[graph->output].shape.rank, 1);
				assert_int_equal(graph->values[graph->output].shape.dim[0], 7);
				pare_channel_map_free(map);
				pare_graph_free(graph);
			}
	}
}

static void test_zoo__doubled_width_has_about_four_times_the_macs(void **state)
{
	(void)state;
	static const char *const names[] = {"plain_cnn", "lenet", "vgg_small", "resnet8", "resnet20"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct pare_graph *one = build(names[i], pare_shape_chw(3, 32, 32), 10, 1.0, 1);
		struct pare_graph *two = build(names[i], pare_shape_chw(3, 32, 32), 10, 2.0, 1);
		double ratio = (double)pare_graph_macs(two) / (double)pare_graph_macs(one);
		/* The first and the last layer only double. */
		assert_true(ratio > 2.8 && ratio < 4.0);
		pare_graph_free(one);
		pare_graph_free(two);
	}
}

static void test_zoo__odd_shortcut_pads_the_rest_behind(void **state)
{
	(void)state;
	/* 16, 32, 64 become 5.5 -> 6, 11, 22: 5 and 11 channels are missing. */
	struct pare_graph *graph = build("resnet8", pare_shape_chw(3, 32, 32), 10, 0.34375, 1);
	const struct pare_pad *second = graph->nodes[pare_graph_find_node(graph, "layer2.0.pad")].attrs;
	const struct pare_pad *third = graph->nodes[pare_graph_find_node(graph, "layer3.0.pad")].attrs;

	assert_int_equal(second->begin[0], 2);
	assert_int_equal(second->end[0], 3);
	assert_int_equal(third->begin[0], 5);
	assert_int_equal(third->end[0], 6);
	pare_graph_free(graph);
}

static void test_zoo__options_out_of_range_are_refused(void **state)
{
	(void)state;
	const struct pare_shape good = pare_shape_chw(3, 32, 32);
	const struct {
		struct pare_zoo_options options;
		const char *says;
	} cases[] = {
	        {{.input = pare_shape_chw(3, 7, 32), .classes = 10, .width = 1}, "[3x7x32]"},
	        {{.input = pare_shape_chw(3, 32, 7), .classes = 10, .width = 1}, "[3x32x7]"},
	        {{.input = pare_shape_chw(0, 32, 32), .classes = 10, .width = 1}, "[0x32x32]"},
	        {{.input = pare_shape_vector(100), .classes = 10, .width = 1}, "[100]"},
	        {{.input = good, .classes = 0, .width = 1}, "0 classes"},
	        {{.input = good, .classes = INT64_MAX, .width = 1}, "classes"},
	        {{.input = good, .classes = 10, .width = 0}, "width 0"},
	        {{.input = good, .classes = 10, .width = -1}, "width -1"},
	        {{.input = good, .classes = 10, .width = NAN}, "width"},
	        {{.input = good, .classes = 10, .width = INFINITY}, "width inf"},
	        {{.input = good, .classes = 10, .width = 1e9}, "width 1e+09"},
	};

	for (const struct pare_zoo_model *const *model = pare_zoo_table; *model; model++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct pare_graph *graph = (struct pare_graph *)&graph;
			struct pare_error error = {0};
			assert_int_equal((*model)->build(&cases[i].options, &graph, &error), PARE_E_INVALID);
			assert_null(graph);
			assert_ptr_equal(strstr(error.text, (*model)->name), error.text);
			assert_non_null(strstr(error.text, cases[i].says));
		}
	assert_null(pare_zoo_find("resnet21"));
}

static void moments(const struct pare_param *param, double *mean, double *deviation)
{
	const int64_t n = pare_shape_elements(&param->shape);
	double sum = 0, squares = 0;

	for (int64_t i = 0; i < n; i++) {
		sum += param->data[i];
		squares += (double)param->data[i] * param->data[i];
	}
	*mean = sum / (double)n;
	*deviation = sqrt(squares / (double)n - *mean * *mean);
}

/* Mean and deviation of n samples stray by about deviation / sqrt(n): bounds of five times that. */
static void check_moments(const struct pare_graph *graph, const char *name, double deviation)
{
	const struct pare_param *param = &graph->params[pare_graph_find_param(graph, name)];
	const double bound = 5.0 * deviation / sqrt((double)pare_shape_elements(&param->shape));
	double mean, got;

	moments(param, &mean, &got);
	assert_true(fabs(mean) < bound);
	assert_true(fabs(got - deviation) < bound);
}

static void test_initialize__scales_follow_the_papers(void **state)
{
	(void)state;
	struct pare_graph *graph = build("mobilenet_v1", pare_shape_chw(3, 32, 32), 100, 1.0, 3);

	check_moments(graph, "conv1.weight", sqrt(2.0 / (9 * 32)));
	check_moments(graph, "layers.6.conv1.weight", sqrt(2.0 / 9)); /* depthwise: one filter reads a channel */
	check_moments(graph, "layers.6.conv2.weight", sqrt(2.0 / 512));
	check_moments(graph, "fc.weight", 1.0 / sqrt(3.0 * 1024)); /* uniform: bound / sqrt(3) */
	check_moments(graph, "fc.bias", 1.0 / sqrt(3.0 * 1024));
	const struct pare_param *fc = &graph->params[pare_graph_find_param(graph, "fc.weight")];
	for (int64_t i = 0; i < pare_shape_elements(&fc->shape); i++)
		assert_true(fabsf(fc->data[i]) <= 1.0f / 32.0f);
	for (int i = 0; i < graph->n_params; i++) {
		const struct pare_param *param = &graph->params[i];
		const bool one = param->role == PARE_PARAM_BN_SCALE || param->role == PARE_PARAM_BN_VAR;
		const bool zero = param->role == PARE_PARAM_BN_SHIFT || param->role == PARE_PARAM_BN_MEAN;
		for (int64_t k = 0; (one || zero) && k < pare_shape_elements(&param->shape); k++)
			assert_true(param->data[k] == (one ? 1.0f : 0.0f));
	}
	pare_graph_free(graph);
}

static void test_initialize__depends_on_the_seed_alone(void **state)
{
	(void)state;
	char hash[3][PARE_HASH_TEXT_SIZE];
	static const uint64_t seeds[3] = {5, 5, 6};

	for (int i = 0; i < 3; i++) {
		struct pare_graph *graph = build("lenet", pare_shape_chw(1, 28, 28), 10, 1.0, seeds[i]);
		if (i == 1) {
			graph->params[0].data[0] = 3;
			graph->params[1].data[0] = 3;
			pare_graph_initialize(graph, 5);
		}
		assert_int_equal(pare_graph_hash(graph, hash[i]), PARE_OK);
		pare_graph_free(graph);
	}
	assert_string_equal(hash[0], hash[1]);
	assert_string_not_equal(hash[0], hash[2]);
}

static void test_initialize__every_layer_draws_its_own_numbers(void **state)
{
	(void)state;
	struct pare_graph *graph = build("resnet8", pare_shape_chw(3, 32, 32), 10, 1.0, 5);
	const float *a = graph->params[pare_graph_find_param(graph, "layer1.0.conv1.weight")].data;
	const float *b = graph->params[pare_graph_find_param(graph, "layer1.0.conv2.weight")].data;

	assert_memory_not_equal(a, b, 16 * 16 * 9 * sizeof(float));
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_zoo__resnets_match_the_paper),
	        cmocka_unit_test(test_zoo__plain_cnn_counts),
	        cmocka_unit_test(test_zoo__lenet_counts),
	        cmocka_unit_test(test_zoo__vgg_small_counts),
	        cmocka_unit_test(test_zoo__mobilenet_counts),
	        cmocka_unit_test(test_zoo__all_build_at_all_sizes_and_widths),
	        cmocka_unit_test(test_zoo__doubled_width_has_about_four_times_the_macs),
	        cmocka_unit_test(test_zoo__odd_shortcut_pads_the_rest_behind),
	        cmocka_unit_test(test_zoo__options_out_of_range_are_refused),
	        cmocka_unit_test(test_initialize__scales_follow_the_papers),
	        cmocka_unit_test(test_initialize__depends_on_the_seed_alone),
	        cmocka_unit_test(test_initialize__every_layer_draws_its_own_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
