/* Convolution: dense, grouped, depthwise over kernels, strides, paddings, dilations, odd widths and batches, against
 * the reference and finite differences; shapes and MACs; what is refused; atoms and groups after a cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/graph/channel_map.h"
#include "engine/math/lane_kernels.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

/* {kernel}, {stride}, {pad top, left, bottom, right}, {dilation} */
struct window {
	int32_t kernel[2], stride[2], pad[4], dilation[2];
};

static const struct window w1x1 = {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
static const struct window w3x3 = {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};

static struct pare_conv2d make_attrs(const struct window *w, int32_t groups)
{
	return (struct pare_conv2d){.kernel_h = w->kernel[0],
	                            .kernel_w = w->kernel[1],
	                            .stride_h = w->stride[0],
	                            .stride_w = w->stride[1],
	                            .pad_top = w->pad[0],
	                            .pad_left = w->pad[1],
	                            .pad_bottom = w->pad[2],
	                            .pad_right = w->pad[3],
	                            .dilation_h = w->dilation[0],
	                            .dilation_w = w->dilation[1],
	                            .groups = groups};
}

static struct op_case make_case(const struct pare_conv2d *attrs, struct pare_shape in, int64_t out_channels)
{
	return (struct op_case){
	        .name = "conv2d",
	        .op = &pare_op_conv2d,
	        .reference = reference_conv2d,
	        .attrs = attrs,
	        .n_inputs = 1,
	        .n_params = 2,
	        .n_trained = 2,
	        .in = {in},
	        .param = {{.rank = 4,
	                   .dim = {out_channels, in.dim[0] / attrs->groups, attrs->kernel_h, attrs->kernel_w}},
	                  pare_shape_vector(out_channels)},
	        .images = 1,
	        .lanes = 1,
	        /* Float sums of up to 23 * 25 products: about sqrt(575) * 2^-24 of the largest result, ten times that
	           allowed. */
	        .tolerance = 1.5e-5,
	        /* Weight gradients sum over images and pixels, up to 40 * 81 products. */
	        .gradient_tolerance = 3e-5,
	};
}

struct widths {
	int64_t in, out;
	int32_t groups;
};

struct batch {
	int64_t images;
	int lanes;
};

static const struct batch all_batches[] = {{1, 1}, {3, 1}, {16, 16}, {19, 16}, {40, 16}};
#define N_BATCHES ((int)(sizeof(all_batches) / sizeof(all_batches[0])))

static void check(const struct window *w, struct widths widths, int64_t height, int64_t width, struct batch batch,
                  enum pare_activation activation, bool bias)
{
	struct pare_conv2d attrs = make_attrs(w, widths.groups);
	struct op_case c = make_case(&attrs, pare_shape_chw(widths.in, height, width), widths.out);
	char name[160];

	snprintf(name, sizeof(name),
	         "conv2d k%dx%d s%dx%d p%d,%d,%d,%d d%dx%d g%d, %lldx%lldx%lld to %lld, %lld images, activation %d, "
	         "bias %d",
	         w->kernel[0], w->kernel[1], w->stride[0], w->stride[1], w->pad[0], w->pad[1], w->pad[2], w->pad[3],
	         w->dilation[0], w->dilation[1], widths.groups, (long long)widths.in, (long long)height,
	         (long long)width, (long long)widths.out, (long long)batch.images, (int)activation, bias);
	c.name = name;
	c.images = batch.images;
	c.lanes = batch.lanes;
	c.activation = activation;
	c.n_params = c.n_trained = bias ? 2 : 1;
	op_check(&c);
}

static void test_ops_conv2d__agrees_over_widths_and_batches(void **state)
{
	static const struct widths widths[] = {{1, 1, 1},   {3, 5, 1},  {5, 3, 1}, {11, 23, 1},
	                                       {23, 11, 1}, {16, 8, 1}, {1, 23, 1}};

	(void)state;
	for (int i = 0; i < (int)(sizeof(widths) / sizeof(widths[0])); i++)
		for (int b = 0; b < N_BATCHES; b++) {
			check(&w1x1, widths[i], 3, 5, all_batches[b], PARE_ACTIVATION_NONE, i % 2);
			check(&w3x3, widths[i], 5, 3, all_batches[b], PARE_ACTIVATION_NONE, i % 2);
		}
}

static void test_ops_conv2d__agrees_over_windows(void **state)
{
	static const struct window windows[] = {
	        {{1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}}, /* the shortcut of a residual network: stride above the kernel
	                                                 */
	        {{1, 1}, {1, 1}, {1, 0, 0, 2}, {1, 1}}, /* a border of nothing but bias */
	        {{1, 3}, {1, 1}, {0, 1, 0, 1}, {1, 1}},
	        {{3, 1}, {2, 1}, {1, 0, 1, 0}, {1, 1}},
	        {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}},
	        {{3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
	        {{3, 3}, {1, 1}, {2, 0, 1, 2}, {1, 1}},
	        {{3, 3}, {2, 2}, {0, 0, 1, 1}, {1, 1}}, /* "SAME" of even images */
	        {{3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}},
	        {{3, 3}, {2, 1}, {0, 1, 2, 0}, {2, 1}},
	        {{5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}},
	        {{5, 5}, {2, 2}, {2, 2, 2, 2}, {1, 1}},
	        {{2, 2}, {3, 3}, {0, 0, 0, 0}, {1, 1}},
	        {{7, 7}, {2, 2}, {3, 3, 3, 3}, {1, 1}},
	};

	(void)state;
	for (int i = 0; i < (int)(sizeof(windows) / sizeof(windows[0])); i++)
		for (int b = 0; b < N_BATCHES; b++)
			check(&windows[i], (struct widths){3, 5, 1}, 7, 8, all_batches[b], PARE_ACTIVATION_NONE, true);
}

/* Small, even, odd, wide and tall images: tiles of any fast kernel end in the middle of each. */
static void test_ops_conv2d__agrees_over_image_sizes(void **state)
{
	(void)state;
	for (int64_t height = 1; height <= 9; height += 2)
		for (int64_t width = 1; width <= 10; width += 3)
			for (int b = 1; b < 4; b += 2) {
				check(&w3x3, (struct widths){5, 3, 1}, height, width, all_batches[b],
				      PARE_ACTIVATION_NONE, false);
				check(&w1x1, (struct widths){3, 5, 1}, height, width, all_batches[b],
				      PARE_ACTIVATION_NONE, true);
			}
}

/* More rows, columns and channels than one strip, chunk or tile of the fast kernels holds. */
static void test_ops_conv2d__agrees_over_large_images(void **state)
{
	static const struct window strided = {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}};
	static const struct widths wide = {3, 9, 1};

	(void)state;
	check(&w3x3, wide, 20, 23, (struct batch){19, 16}, PARE_ACTIVATION_RELU, true);
	check(&strided, wide, 21, 30, (struct batch){16, 16}, PARE_ACTIVATION_NONE, false);
	check(&w1x1, (struct widths){100, 9, 1}, 4, 5, (struct batch){19, 16}, PARE_ACTIVATION_NONE, true);
	check(&w3x3, wide, 20, 23, (struct batch){2, 1}, PARE_ACTIVATION_RELU6, true);
	check(&w3x3, (struct widths){2, 3, 1}, 5, 5, (struct batch){9, 1}, PARE_ACTIVATION_NONE, true);
}

static void test_ops_conv2d__agrees_grouped_and_depthwise(void **state)
{
	static const struct widths widths[] = {{4, 6, 2}, {15, 9, 3}, {1, 1, 1},    {5, 5, 5},  {11, 11, 11},
	                                       {3, 6, 3}, {5, 10, 5}, {23, 23, 23}, {10, 10, 5}};
	static const struct window windows[] = {
	        {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}, {{3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}},
	        {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}, {{5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}},
	        {{3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}}, {{1, 3}, {2, 1}, {0, 0, 1, 2}, {1, 1}},
	};

	(void)state;
	for (int i = 0; i < (int)(sizeof(widths) / sizeof(widths[0])); i++)
		for (int k = 0; k < (int)(sizeof(windows) / sizeof(windows[0])); k++)
			check(&windows[k], widths[i], 5, 6, all_batches[(i + k) % N_BATCHES], PARE_ACTIVATION_NONE,
			      (i + k) % 2);
}

static void test_ops_conv2d__agrees_with_fused_activations(void **state)
{
	static const struct widths widths[] = {{3, 5, 1}, {11, 11, 11}, {4, 6, 2}};

	(void)state;
	assert_true(pare_op_conv2d.flags & PARE_OP_FUSES_ACTIVATION);
	for (int activation = PARE_ACTIVATION_RELU; activation <= PARE_ACTIVATION_RELU6; activation++)
		for (int i = 0; i < 3; i++)
			for (int b = 0; b < N_BATCHES; b++) {
				check(&w3x3, widths[i], 5, 4, all_batches[b], activation, true);
				check(&w1x1, widths[i], 4, 3, all_batches[b], activation, false);
			}
}

/* The sweeps above run on the best set of kernels that this machine has; the others must be right, too. */
static void test_ops_conv2d__agrees_with_every_instruction_set(void **state)
{
	static const char *const sets[] = {"avx512", "avx2", "portable"};
	static const struct widths widths[] = {{1, 1, 1}, {5, 3, 1}, {3, 23, 1}, {11, 11, 11}, {4, 10, 2}};
	static const struct window windows[] = {
	        {{1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
	        {{3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
	        {{3, 3}, {2, 2}, {1, 0, 1, 2}, {1, 1}},
	        {{5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}},
	};

	(void)state;
	for (int set = 0; set < 3; set++) {
		if (!pare_lane_kernels_force(sets[set]))
			continue; /* this machine cannot */
		for (int i = 0; i < 5; i++)
			for (int k = 0; k < 4; k++)
				check(&windows[k], widths[i], 5, 6, (struct batch){19, 16},
				      (enum pare_activation)(k % 3), k % 2);
	}
	assert_true(pare_lane_kernels_force(NULL));
}

static int infer(struct pare_conv2d attrs, struct pare_shape in, struct pare_shape weight, struct pare_shape *out)
{
	struct op_case c = {
	        .op = &pare_op_conv2d, .attrs = &attrs, .n_inputs = 1, .n_params = 1, .in = {in}, .param = {weight}};
	return op_infer(&c, out, NULL);
}

static void test_ops_conv2d__infers_shapes_and_macs(void **state)
{
	struct pare_conv2d attrs = make_attrs(&w3x3, 2);
	struct op_case c = make_case(&attrs, pare_shape_chw(6, 9, 8), 4);
	struct op_rig rig;

	(void)state;
	attrs.stride_h = 2;
	attrs.dilation_w = 2;
	op_rig_open(&rig, &c);
	assert_true(rig.out.shape.rank == 3 && rig.out.shape.dim[0] == 4);
	assert_true(rig.out.shape.dim[1] == 5); /* (9 + 2 - 3) / 2 + 1 */
	assert_true(rig.out.shape.dim[2] == 6); /* 8 + 2 - 2 * 2 */
	assert_int_equal(pare_op_conv2d.macs(&rig.graph, &rig.node), 4 * 5 * 6 * 3 * 9);
	op_rig_close(&rig);
}

static void test_ops_conv2d__refuses_what_does_not_fit(void **state)
{
	const struct pare_conv2d good = make_attrs(&w3x3, 2);
	const struct pare_shape in = pare_shape_chw(6, 5, 5), weight = {.rank = 4, .dim = {4, 3, 3, 3}};
	struct pare_shape out, other;
	struct pare_conv2d bad;

	(void)state;
	assert_int_equal(infer(good, in, weight, &out), PARE_OK);
	assert_true(infer(good, pare_shape_vector(6), weight, &out) < 0);
	assert_true(infer(good, pare_shape_chw(5, 5, 5), weight, &out) < 0); /* 5 channels in 2 groups */
	assert_true(infer(good, pare_shape_chw(8, 5, 5), weight, &out) < 0);
	other = weight, other.dim[0] = 5; /* 5 filters in 2 groups */
	assert_true(infer(good, in, other, &out) < 0);
	other = weight, other.dim[3] = 5; /* not the attributes' kernel */
	assert_true(infer(good, in, other, &out) < 0);
	bad = good, bad.stride_w = 0;
	assert_true(infer(bad, in, weight, &out) < 0);
	bad = good, bad.dilation_h = 0;
	assert_true(infer(bad, in, weight, &out) < 0);
	bad = good, bad.pad_top = -1;
	assert_true(infer(bad, in, weight, &out) < 0);
	bad = good, bad.groups = 0;
	assert_true(infer(bad, in, weight, &out) < 0);
	bad = good, bad.dilation_h = 4; /* a window of 9 rows over 7 */
	assert_true(infer(bad, in, weight, &out) < 0);
}

/* A convolution in the middle of two others, so that nothing about it is frozen. */
struct sandwich {
	struct pare_graph *graph;
	struct pare_channel_map *map;
	int in, out; /* values before and behind the middle one */
};

static struct sandwich make_sandwich(int64_t in, int64_t out, int32_t groups)
{
	struct pare_error error = {0};
	struct sandwich s = {.graph = pare_graph_new("sandwich", pare_shape_chw(1, 4, 4), "x")};
	assert_non_null(s.graph);
	int value = s.graph->input;
	if (pare_build_conv(s.graph, "first", in, 1, 1, 1, true, &value, &error) != PARE_OK)
		fail_msg("%s", error.text);
	s.in = value;
	if (pare_build_conv(s.graph, "middle", out, 3, 1, groups, true, &value, &error) != PARE_OK)
		fail_msg("%s", error.text);
	s.out = value;
	if (pare_build_conv(s.graph, "last", 1, 1, 1, 1, true, &value, &error) != PARE_OK)
		fail_msg("%s", error.text);
	s.graph->output = value;
	s.map = pare_channel_map_new(s.graph, &error);
	if (!s.map)
		fail_msg("%s", error.text);
	return s;
}

static int atom(const struct sandwich *s, int value, int channel)
{
	return pare_channel_map_find(s->map, pare_channel_map_value(s->map, value, 0)[channel]);
}

static void free_sandwich(struct sandwich *s)
{
	pare_channel_map_free(s->map);
	pare_graph_free(s->graph);
}

static void test_ops_conv2d__dense_channels_are_atoms_of_their_own(void **state)
{
	struct sandwich s = make_sandwich(3, 3, 1);

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int o = 0; o < 3; o++)
			assert_int_not_equal(atom(&s, s.in, i), atom(&s, s.out, o));
	assert_int_not_equal(atom(&s, s.out, 0), atom(&s, s.out, 1));
	int weight = pare_graph_find_param(s.graph, "middle.weight"),
	    bias = pare_graph_find_param(s.graph, "middle.bias");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pare_channel_map_find(s.map, s.map->axis_atoms[0][weight][i]), atom(&s, s.out, i));
		assert_int_equal(pare_channel_map_find(s.map, s.map->axis_atoms[1][weight][i]), atom(&s, s.in, i));
		assert_int_equal(pare_channel_map_find(s.map, s.map->axis_atoms[0][bias][i]), atom(&s, s.out, i));
		assert_null(s.map->frozen[atom(&s, s.out, i)]);
	}
	free_sandwich(&s);
}

static void test_ops_conv2d__depthwise_channels_have_their_inputs_atoms(void **state)
{
	(void)state;
	for (int multiplier = 1; multiplier <= 2; multiplier++) {
		struct sandwich s = make_sandwich(3, 3 * multiplier, 3);
		for (int o = 0; o < 3 * multiplier; o++)
			for (int i = 0; i < 3; i++)
				assert_int_equal(atom(&s, s.out, o) == atom(&s, s.in, i), o / multiplier == i);
		free_sandwich(&s);
	}
}

static void test_ops_conv2d__depthwise_loses_groups_with_its_channels(void **state)
{
	const unsigned char in[] = {1, 0, 1, 1, 0}, out[] = {1, 1, 0, 0, 1, 1, 1, 1, 0, 0};
	struct pare_channel_keep keep_in = {.rank = 3, .dim = {{in, 5, 3}, {NULL, 8, 8}, {NULL, 8, 8}}};
	struct pare_channel_keep keep_out = {.rank = 3, .dim = {{out, 10, 6}, {NULL, 8, 8}, {NULL, 8, 8}}};
	struct pare_conv2d attrs = make_attrs(&w3x3, 5);

	(void)state;
	pare_op_conv2d.slim(&attrs, &keep_in, 1, &keep_out);
	assert_int_equal(attrs.groups, 3);
	attrs = make_attrs(&w3x3, 1);
	pare_op_conv2d.slim(&attrs, &keep_in, 1, &keep_out);
	assert_int_equal(attrs.groups, 1);
}

/* One channel left: counts say dense. One input channel a group left: counts say depthwise. */
static void test_ops_conv2d__remembers_what_counts_no_longer_tell(void **state)
{
	const unsigned char one_of_3[] = {0, 1, 0}, one_of_2[] = {1, 0, 1, 0, 1, 0};
	struct pare_channel_keep three = {.rank = 3, .dim = {{one_of_3, 3, 1}, {NULL, 8, 8}, {NULL, 8, 8}}};
	struct pare_channel_keep six = {.rank = 3, .dim = {{one_of_2, 6, 3}, {NULL, 8, 8}, {NULL, 8, 8}}};
	struct pare_conv2d attrs = make_attrs(&w3x3, 3);

	(void)state;
	pare_op_conv2d.slim(&attrs, &three, 1, &three);
	assert_int_equal(attrs.groups, 1);
	assert_int_equal(attrs.coupling, PARE_CONV_DEPTHWISE);
	attrs = make_attrs(&w3x3, 3);
	pare_op_conv2d.slim(&attrs, &six, 1, &six);
	assert_int_equal(attrs.groups, 3);
	assert_int_equal(attrs.coupling, PARE_CONV_GROUPED);
	attrs = make_attrs(&w3x3, 1);
	pare_op_conv2d.slim(&attrs, &three, 1, &three);
	assert_int_equal(attrs.coupling, PARE_CONV_BY_COUNTS);
}

static void test_ops_conv2d__describes_what_costs_time(void **state)
{
	struct pare_conv2d attrs = make_attrs(&(struct window){{3, 2}, {2, 1}, {1, 0, 2, 3}, {1, 2}}, 4);
	struct pare_node node = {.op = &pare_op_conv2d, .attrs = &attrs};
	struct pare_strbuf text;

	(void)state;
	pare_strbuf_init(&text);
	pare_op_conv2d.describe(&node, &text);
	assert_string_equal(text.text, "k3x2 s2x1 p1,0,2,3 d1x2 g4");
	pare_strbuf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_conv2d__agrees_over_widths_and_batches),
	        cmocka_unit_test(test_ops_conv2d__agrees_over_windows),
	        cmocka_unit_test(test_ops_conv2d__agrees_over_image_sizes),
	        cmocka_unit_test(test_ops_conv2d__agrees_over_large_images),
	        cmocka_unit_test(test_ops_conv2d__agrees_grouped_and_depthwise),
	        cmocka_unit_test(test_ops_conv2d__agrees_with_fused_activations),
	        cmocka_unit_test(test_ops_conv2d__agrees_with_every_instruction_set),
	        cmocka_unit_test(test_ops_conv2d__infers_shapes_and_macs),
	        cmocka_unit_test(test_ops_conv2d__refuses_what_does_not_fit),
	        cmocka_unit_test(test_ops_conv2d__dense_channels_are_atoms_of_their_own),
	        cmocka_unit_test(test_ops_conv2d__depthwise_channels_have_their_inputs_atoms),
	        cmocka_unit_test(test_ops_conv2d__depthwise_loses_groups_with_its_channels),
	        cmocka_unit_test(test_ops_conv2d__remembers_what_counts_no_longer_tell),
	        cmocka_unit_test(test_ops_conv2d__describes_what_costs_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
