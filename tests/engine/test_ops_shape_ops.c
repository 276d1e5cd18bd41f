/* Add, concat, flatten, pad, slice: values and gradients against the reference; what they tell the channel map; how pad
 * and slice follow a cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static const struct pare_concat along_channels = {.axis = 0};

static const struct {
	int64_t images;
	int lanes;
} batches[] = {{1, 1}, {3, 1}, {16, 16}, {19, 16}, {40, 16}};
#define N_BATCHES ((int)(sizeof(batches) / sizeof(batches[0])))

/* Copies are exact; the tolerance of gradients is the difference quotient's. */
static void check_over_batches(struct op_case c)
{
	char name[96];

	for (int b = 0; b < N_BATCHES; b++) {
		snprintf(name, sizeof(name), "%s, %lld images", c.name, (long long)batches[b].images);
		struct op_case batch = c;
		batch.name = name;
		batch.images = batches[b].images;
		batch.lanes = batches[b].lanes;
		batch.gradient_tolerance = 1e-7;
		op_check(&batch);
	}
}

static void test_ops_shape_ops__add_agrees_with_reference(void **state)
{
	const struct pare_shape shapes[] = {pare_shape_chw(1, 5, 7), pare_shape_chw(23, 3, 3), pare_shape_vector(11)};

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int activation = PARE_ACTIVATION_NONE; activation <= PARE_ACTIVATION_RELU6; activation++)
			check_over_batches((struct op_case){.name = "add",
			                                    .op = &pare_op_add,
			                                    .reference = reference_add,
			                                    .n_inputs = 2,
			                                    .in = {shapes[i], shapes[i]},
			                                    .activation = activation,
			                                    .tolerance = 1e-7 /* one rounding */});
}

static void test_ops_shape_ops__concat_agrees_with_reference(void **state)
{
	(void)state;
	check_over_batches((struct op_case){.name = "concat of 1",
	                                    .op = &pare_op_concat,
	                                    .attrs = &along_channels,
	                                    .reference = reference_concat,
	                                    .n_inputs = 1,
	                                    .in = {pare_shape_chw(3, 2, 5)}});
	check_over_batches(
	        (struct op_case){.name = "concat of 3",
	                         .op = &pare_op_concat,
	                         .attrs = &along_channels,
	                         .reference = reference_concat,
	                         .n_inputs = 3,
	                         .in = {pare_shape_chw(5, 3, 5), pare_shape_chw(1, 3, 5), pare_shape_chw(11, 3, 5)}});
	check_over_batches((struct op_case){.name = "concat of vectors",
	                                    .op = &pare_op_concat,
	                                    .attrs = &along_channels,
	                                    .reference = reference_concat,
	                                    .n_inputs = 2,
	                                    .in = {pare_shape_vector(3), pare_shape_vector(23)}});
}

/* concat(x, x) and add(x, x): the executor hands out the same gradient memory twice and accumulates the second time. */
static void check_same_input_twice(const struct op_case *c)
{
	struct op_rig rig;

	op_rig_open(&rig, c);
	float *second = rig.din[1].data;
	int64_t size = pare_tensor_size(&rig.din[0]), out_block = pare_tensor_block_size(&rig.dout);
	int64_t shift = c->op == &pare_op_concat ? size : 0;
	assert_int_equal(pare_tensor_blocks(&rig.dout), 1);
	assert_true(shift + size <= out_block);
	rig.din[1].data = rig.din[0].data;
	rig.accumulate[1] = true;
	op_rig_run(&rig, true, NULL);
	for (int64_t i = 0; i < size; i++)
		assert_true(rig.din[0].data[i] == rig.dout_start[i] + rig.dout_start[shift + i]);
	rig.din[1].data = second;
	op_rig_close(&rig);
}

static void test_ops_shape_ops__gradient_adds_up_when_both_inputs_are_one_value(void **state)
{
	struct op_case c = {.name = "both",
	                    .op = &pare_op_add,
	                    .reference = reference_add,
	                    .n_inputs = 2,
	                    .in = {pare_shape_chw(3, 4, 5), pare_shape_chw(3, 4, 5)},
	                    .images = 9,
	                    .lanes = 16};

	(void)state;
	check_same_input_twice(&c);
	c.op = &pare_op_concat;
	c.attrs = &along_channels;
	c.reference = reference_concat;
	check_same_input_twice(&c);
}

static void test_ops_shape_ops__pad_agrees_with_reference(void **state)
{
	static const struct {
		const char *name;
		struct pare_pad attrs;
	} pads[] = {
	        {"pad nothing", {.begin = {0}}},
	        {"pad space unevenly", {.begin = {0, 1, 0}, .end = {0, 0, 3}}},
	        {"pad channels", {.begin = {4, 0, 0}, .end = {3, 0, 0}}},
	        {"pad everything", {.begin = {0, 2, 1}, .end = {5, 1, 2}}},
	};

	(void)state;
	for (int i = 0; i < 4; i++)
		check_over_batches((struct op_case){.name = pads[i].name,
		                                    .op = &pare_op_pad,
		                                    .reference = reference_pad,
		                                    .attrs = &pads[i].attrs,
		                                    .n_inputs = 1,
		                                    .in = {pare_shape_chw(5, 3, 4)}});
}

static void test_ops_shape_ops__slice_agrees_with_reference(void **state)
{
	static const struct {
		const char *name;
		struct pare_slice attrs;
	} slices[] = {
	        {"slice all", {.start = {0, 0, 0}, .stop = {5, 7, 6}, .step = {1, 1, 1}}},
	        {"slice every second pixel", {.start = {0, 0, 0}, .stop = {5, 7, 6}, .step = {1, 2, 2}}},
	        {"slice a run of channels", {.start = {1, 0, 0}, .stop = {4, 7, 6}, .step = {1, 1, 1}}},
	        {"slice channels with a step", {.start = {0, 1, 0}, .stop = {5, 5, 6}, .step = {2, 1, 1}}},
	        {"slice a corner with steps", {.start = {2, 1, 1}, .stop = {5, 7, 6}, .step = {2, 3, 4}}},
	};

	(void)state;
	for (int i = 0; i < 5; i++)
		check_over_batches((struct op_case){.name = slices[i].name,
		                                    .op = &pare_op_slice,
		                                    .reference = reference_slice,
		                                    .attrs = &slices[i].attrs,
		                                    .n_inputs = 1,
		                                    .in = {pare_shape_chw(5, 7, 6)}});
}

/* A view: the very same floats, read under the output's shape, are the reference's flatten. */
static void test_ops_shape_ops__flatten_is_a_view(void **state)
{
	const struct pare_shape in = pare_shape_chw(3, 2, 5);

	(void)state;
	assert_true(pare_op_flatten.flags & PARE_OP_VIEW);
	for (int b = 0; b < N_BATCHES; b++) {
		struct op_case c = {.name = "flatten",
		                    .op = &pare_op_flatten,
		                    .reference = reference_flatten,
		                    .n_inputs = 1,
		                    .in = {in},
		                    .images = batches[b].images,
		                    .lanes = batches[b].lanes};
		struct op_rig rig;
		op_rig_open(&rig, &c);
		assert_true(rig.out.shape.rank == 1 && rig.out.shape.dim[0] == 30);
		reference_flatten(&rig.reference);
		struct pare_tensor view = rig.out;
		view.data = rig.in[0].data;
		for (int64_t i = 0; i < c.images * 30; i++)
			assert_true((double)*pare_tensor_at(&view, i / 30, i % 30) == rig.reference.out[i]);
		op_rig_close(&rig);
	}
}

static void refuse(const struct pare_op *op, const void *attrs, struct pare_shape a, struct pare_shape b, int expected)
{
	struct op_case c = {.op = op, .attrs = attrs, .n_inputs = op->max_inputs == 1 ? 1 : 2, .in = {a, b}};
	struct pare_shape out;

	assert_int_equal(op_infer(&c, &out, NULL), expected);
}

static void test_ops_shape_ops__refuse_what_does_not_fit(void **state)
{
	const struct pare_shape image = pare_shape_chw(4, 5, 6), vector = pare_shape_vector(4);
	struct pare_pad pad = {.begin = {0, -1, 0}};
	struct pare_slice slice = {.start = {0, 0, 0}, .stop = {4, 5, 6}, .step = {1, 1, 1}};

	(void)state;
	refuse(&pare_op_add, NULL, image, pare_shape_chw(4, 5, 1), PARE_E_INVALID);
	refuse(&pare_op_add, NULL, image, vector, PARE_E_INVALID);
	refuse(&pare_op_concat, &along_channels, image, pare_shape_chw(4, 5, 7), PARE_E_INVALID);
	refuse(&pare_op_concat, &along_channels, image, vector, PARE_E_INVALID);
	refuse(&pare_op_concat, &along_channels, image, pare_shape_chw(9, 5, 6), PARE_OK);
	refuse(&pare_op_concat, &along_channels, pare_shape_vector(PARE_MAX_DIMENSION), vector, PARE_E_LIMIT);
	refuse(&pare_op_concat, &(struct pare_concat){.axis = 1}, vector, vector, PARE_E_INVALID);
	refuse(&pare_op_concat, &(struct pare_concat){.axis = -1}, vector, vector, PARE_E_INVALID);
	refuse(&pare_op_concat, &(struct pare_concat){.axis = 1}, image, pare_shape_chw(4, 9, 6), PARE_OK);
	refuse(&pare_op_flatten, NULL, pare_shape_chw(PARE_MAX_DIMENSION, 2, 1), image, PARE_E_LIMIT);
	refuse(&pare_op_pad, &pad, image, image, PARE_E_INVALID);
	pad = (struct pare_pad){.end = {INT32_MAX, 0, 0}};
	refuse(&pare_op_pad, &pad, image, image, PARE_E_LIMIT);
	pad.end[0] = 1;
	refuse(&pare_op_pad, &pad, vector, vector, PARE_OK);
	pad.end[1] = 1;
	refuse(&pare_op_pad, &pad, vector, vector, PARE_E_INVALID);
	refuse(&pare_op_slice, &slice, image, image, PARE_OK);
	refuse(&pare_op_slice, &slice, vector, vector, PARE_OK);
	slice.stop[1] = 6;
	refuse(&pare_op_slice, &slice, image, image, PARE_E_INVALID);
	slice.stop[1] = 5, slice.step[2] = 0;
	refuse(&pare_op_slice, &slice, image, image, PARE_E_INVALID);
	slice.step[2] = 1, slice.start[0] = 4;
	refuse(&pare_op_slice, &slice, image, image, PARE_E_INVALID);
}

static int add(struct pare_graph *graph, const struct pare_op *op, const void *attrs, const int *inputs, int n_inputs)
{
	struct pare_error error = {0};
	int value = -1;
	struct pare_node_spec spec = {.op = op, .attrs = attrs, .inputs = inputs, .n_inputs = n_inputs};

	if (pare_graph_add_node(graph, &spec, &value, &error) != PARE_OK)
		fail_msg("%s", error.text);
	graph->output = value;
	return value;
}

static struct pare_channel_map *map_of(const struct pare_graph *graph)
{
	struct pare_error error = {0};
	struct pare_channel_map *map = pare_channel_map_new(graph, &error);
	if (!map)
		fail_msg("%s", error.text);
	return map;
}

static int atom(const struct pare_channel_map *map, int value, int channel)
{
	return pare_channel_map_find(map, pare_channel_map_value(map, value, 0)[channel]);
}

static void test_ops_shape_ops__concat_and_flatten_carry_atoms_through(void **state)
{
	const struct pare_slice halves[] = {{.start = {0, 0, 0}, .stop = {2, 2, 3}, .step = {1, 1, 1}},
	                                    {.start = {2, 0, 0}, .stop = {4, 2, 3}, .step = {1, 1, 1}}};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(4, 2, 3), "x");

	(void)state;
	assert_non_null(graph);
	int first = add(graph, &pare_op_slice, &halves[0], &graph->input, 1);
	int second = add(graph, &pare_op_slice, &halves[1], &graph->input, 1);
	int joined = add(graph, &pare_op_concat, &along_channels, (int[]){second, first}, 2);
	int flat = add(graph, &pare_op_flatten, NULL, &joined, 1);
	struct pare_channel_map *map = map_of(graph);
	for (int c = 0; c < 4; c++) {
		assert_int_equal(atom(map, joined, c), atom(map, graph->input, (c + 2) % 4));
		for (int i = 0; i < 6; i++)
			assert_int_equal(atom(map, flat, 6 * c + i), atom(map, joined, c));
	}
	assert_int_not_equal(atom(map, joined, 0), atom(map, joined, 1));
	pare_channel_map_free(map);
	pare_graph_free(graph);
}

static void test_ops_shape_ops__add_unites_and_pad_brings_new_atoms(void **state)
{
	const struct pare_pad pads[] = {{.begin = {1, 0, 0}, .end = {2, 0, 0}}, {.begin = {3, 0, 0}, .end = {0, 0, 0}}};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(2, 2, 2), "x");

	(void)state;
	assert_non_null(graph);
	int a = add(graph, &pare_op_pad, &pads[0], &graph->input, 1);
	int b = add(graph, &pare_op_pad, &pads[1], &graph->input, 1);
	struct pare_channel_map *map = map_of(graph);
	for (int c = 0; c < 5; c++) { /* a = . x0 x1 . .     b = . . . x0 x1 */
		assert_int_equal(atom(map, a, c) == atom(map, graph->input, 0), c == 1);
		assert_int_equal(atom(map, a, c) == atom(map, graph->input, 1), c == 2);
		assert_int_equal(atom(map, b, c) == atom(map, graph->input, 1), c == 4);
		assert_int_not_equal(atom(map, a, 0), atom(map, b, c));
	}
	assert_int_not_equal(atom(map, a, 3), atom(map, a, 4));
	pare_channel_map_free(map);
	int sum = add(graph, &pare_op_add, NULL, (int[]){a, b}, 2);
	map = map_of(graph);
	for (int c = 0; c < 5; c++) {
		assert_int_equal(atom(map, a, c), atom(map, b, c));
		assert_int_equal(atom(map, a, c), atom(map, sum, c));
	}
	assert_int_equal(atom(map, a, 3), atom(map, graph->input, 0));
	assert_int_not_equal(atom(map, sum, 0), atom(map, sum, 1));
	pare_channel_map_free(map);
	pare_graph_free(graph);
}

/* Nothing else is frozen in the middle of this graph: the channels come from a pad. */
static void test_ops_shape_ops__slice_with_a_step_freezes_channels(void **state)
{
	const struct pare_pad pad = {.begin = {4, 0, 0}, .end = {0, 0, 0}};

	(void)state;
	for (int step = 1; step <= 2; step++) {
		const struct pare_slice slice = {.start = {1, 0, 0}, .stop = {4, 2, 2}, .step = {step, 1, 1}};
		const struct pare_slice rest = {.start = {4, 0, 0}, .stop = {5, 2, 2}, .step = {1, 1, 1}};
		struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(1, 2, 2), "x");
		assert_non_null(graph);
		int padded = add(graph, &pare_op_pad, &pad, &graph->input, 1);
		int sliced = add(graph, &pare_op_slice, &slice, &padded, 1);
		add(graph, &pare_op_slice, &rest, &padded, 1);
		struct pare_channel_map *map = map_of(graph);
		for (int c = 0; c < 4; c++)
			assert_int_equal(map->frozen[atom(map, padded, c)] != NULL, step == 2);
		for (int c = 0; c < (step == 1 ? 3 : 2); c++)
			assert_int_equal(atom(map, sliced, c), atom(map, padded, 1 + c * step));
		pare_channel_map_free(map);
		pare_graph_free(graph);
	}
}

static struct pare_channel_keep keep(const unsigned char *kept, int64_t channels)
{
	struct pare_channel_keep result = {.rank = 3, .dim = {{kept, channels, 0}, {NULL, 9, 9}, {NULL, 9, 9}}};
	for (int64_t i = 0; i < channels; i++)
		result.dim[0].n_kept += kept[i];
	return result;
}

static void test_ops_shape_ops__pad_recounts_after_a_cut(void **state)
{
	struct pare_pad attrs = {.begin = {2, 1, 1}, .end = {3, 0, 0}};
	const unsigned char in[] = {1, 0, 1, 1}, out[] = {0, 1, 1, 0, 1, 1, 1, 0, 1};
	struct pare_channel_keep keep_in = keep(in, 4), keep_out = keep(out, 9);

	(void)state;
	keep_out.dim[1] = keep_out.dim[2] = (struct pare_dim_keep){.size = 10, .n_kept = 10};
	pare_op_pad.slim(&attrs, &keep_in, 1, &keep_out);
	assert_int_equal(attrs.begin[0], 1);
	assert_int_equal(attrs.end[0], 2);
	assert_int_equal(attrs.begin[0] + keep_in.dim[0].n_kept + attrs.end[0], keep_out.dim[0].n_kept);
	assert_true(attrs.begin[1] == 1 && attrs.begin[2] == 1 && attrs.end[1] == 0 && attrs.end[2] == 0);
}

static void test_ops_shape_ops__slice_recounts_after_a_cut(void **state)
{
	struct pare_slice attrs = {.start = {2, 1, 0}, .stop = {6, 5, 4}, .step = {1, 2, 2}};
	const unsigned char in[] = {1, 0, 1, 0, 1, 1, 0, 1}, out[] = {1, 0, 1, 1};
	struct pare_channel_keep keep_in = keep(in, 8), keep_out = keep(out, 4);

	(void)state;
	pare_op_slice.slim(&attrs, &keep_in, 1, &keep_out);
	assert_int_equal(attrs.start[0], 1);
	assert_int_equal(attrs.stop[0], 4);
	assert_int_equal(attrs.stop[0] - attrs.start[0], keep_out.dim[0].n_kept);
	assert_true(attrs.start[1] == 1 && attrs.stop[1] == 5 && attrs.step[1] == 2 && attrs.stop[2] == 4);
}

static void test_ops_shape_ops__describe_space_and_not_channels(void **state)
{
	struct pare_pad pad = {.begin = {8, 1, 2}, .end = {8, 0, 3}};
	struct pare_slice slice = {.start = {2, 1, 0}, .stop = {6, 5, 4}, .step = {1, 2, 3}};
	struct pare_node node = {.attrs = &pad};
	struct pare_strbuf text;

	(void)state;
	pare_strbuf_init(&text);
	pare_op_pad.describe(&node, &text);
	assert_string_equal(text.text, "p1,2,0,3");
	pare_strbuf_clear(&text);
	node.attrs = &slice;
	pare_op_slice.describe(&node, &text);
	assert_string_equal(text.text, "h1:5:2 w0:4:3");
	pare_strbuf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_shape_ops__add_agrees_with_reference),
	        cmocka_unit_test(test_ops_shape_ops__concat_agrees_with_reference),
	        cmocka_unit_test(test_ops_shape_ops__gradient_adds_up_when_both_inputs_are_one_value),
	        cmocka_unit_test(test_ops_shape_ops__pad_agrees_with_reference),
	        cmocka_unit_test(test_ops_shape_ops__slice_agrees_with_reference),
	        cmocka_unit_test(test_ops_shape_ops__flatten_is_a_view),
	        cmocka_unit_test(test_ops_shape_ops__refuse_what_does_not_fit),
	        cmocka_unit_test(test_ops_shape_ops__concat_and_flatten_carry_atoms_through),
	        cmocka_unit_test(test_ops_shape_ops__add_unites_and_pad_brings_new_atoms),
	        cmocka_unit_test(test_ops_shape_ops__slice_with_a_step_freezes_channels),
	        cmocka_unit_test(test_ops_shape_ops__pad_recounts_after_a_cut),
	        cmocka_unit_test(test_ops_shape_ops__slice_recounts_after_a_cut),
	        cmocka_unit_test(test_ops_shape_ops__describe_space_and_not_channels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
