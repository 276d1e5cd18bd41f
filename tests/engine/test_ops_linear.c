/* Linear layers: against the reference and finite differences over widths and batches; what is refused; atoms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/graph/channel_map.h"
#include "engine/math/lane_kernels.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

/* shape: the input's; its last dimension becomes `out`. */
static void check_rows(struct pare_shape shape, int64_t out, int64_t images, int lanes, enum pare_activation activation,
                       bool bias)
{
	const int64_t in = shape.dim[shape.rank - 1];
	char name[96];
	struct op_case c = {
	        .name = name,
	        .op = &pare_op_linear,
	        .reference = reference_linear,
	        .n_inputs = 1,
	        .n_params = bias ? 2 : 1,
	        .n_trained = bias ? 2 : 1,
	        .in = {shape},
	        .param = {{.rank = 2, .dim = {out, in}}, pare_shape_vector(out)},
	        .images = images,
	        .lanes = lanes,
	        .activation = activation,
	        .tolerance = 1e-5, /* float sums of up to 230 products */
	        .gradient_tolerance = 1e-5,
	};

	snprintf(name, sizeof(name), "linear %lld to %lld, rank %d, %lld images, %d lanes, activation %d, bias %d",
	         (long long)in, (long long)out, shape.rank, (long long)images, lanes, (int)activation, bias);
	op_check(&c);
}

static void check(int64_t in, int64_t out, int64_t images, int lanes, enum pare_activation activation, bool bias)
{
	check_rows(pare_shape_vector(in), out, images, lanes, activation, bias);
}

static const struct {
	int64_t images;
	int lanes;
} batches[] = {{1, 1}, {3, 1}, {9, 1}, {16, 16}, {19, 16}, {70, 16}};
#define N_BATCHES ((int)(sizeof(batches) / sizeof(batches[0])))

static void test_ops_linear__agrees_over_widths_and_batches(void **state)
{
	static const int64_t widths[][2] = {{1, 1}, {3, 5}, {11, 10}, {64, 10}, {230, 3}, {23, 100}};

	(void)state;
	for (int i = 0; i < (int)(sizeof(widths) / sizeof(widths[0])); i++)
		for (int b = 0; b < N_BATCHES; b++)
			for (int bias = 0; bias <= 1; bias++)
				check(widths[i][0], widths[i][1], batches[b].images, batches[b].lanes,
				      PARE_ACTIVATION_NONE, bias);
}

/* Rows of feature maps with the channels last, more of them than one item of work takes. */
static void test_ops_linear__agrees_along_the_last_of_several_dimensions(void **state)
{
	const struct pare_shape shapes[] = {
	        {.rank = 2, .dim = {5, 7}}, {.rank = 3, .dim = {6, 7, 11}}, {.rank = 5, .dim = {2, 1, 3, 2, 5}}};

	(void)state;
	for (int s = 0; s < 3; s++)
		for (int b = 0; b < N_BATCHES; b++)
			check_rows(shapes[s], 6 + s, batches[b].images, batches[b].lanes,
			           b % 2 ? PARE_ACTIVATION_RELU : PARE_ACTIVATION_NONE, s != 1);
}

static void test_ops_linear__agrees_with_fused_activations(void **state)
{
	(void)state;
	assert_true(pare_op_linear.flags & PARE_OP_FUSES_ACTIVATION);
	for (int activation = PARE_ACTIVATION_RELU; activation <= PARE_ACTIVATION_RELU6; activation++)
		for (int b = 0; b < N_BATCHES; b++)
			check(11, 23, batches[b].images, batches[b].lanes, activation, b % 2);
}

static void test_ops_linear__agrees_with_every_instruction_set(void **state)
{
	static const char *const sets[] = {"avx512", "avx2", "portable"};

	(void)state;
	for (int set = 0; set < 3; set++) {
		if (!pare_lane_kernels_force(sets[set]))
			continue; /* this machine cannot */
		check(11, 23, 19, 16, PARE_ACTIVATION_RELU, true);
		check(64, 10, 40, 16, PARE_ACTIVATION_NONE, false);
	}
	assert_true(pare_lane_kernels_force(NULL));
}

static int infer(struct pare_shape in, struct pare_shape weight, struct pare_shape bias, struct pare_shape *out)
{
	struct op_case c = {.op = &pare_op_linear, .n_inputs = 1, .n_params = 2, .in = {in}, .param = {weight, bias}};
	return op_infer(&c, out, NULL);
}

static void test_ops_linear__infers_its_shape_and_refuses_others(void **state)
{
	const struct pare_shape weight = {.rank = 2, .dim = {5, 7}};
	struct pare_shape out;

	(void)state;
	assert_int_equal(infer(pare_shape_vector(7), weight, pare_shape_vector(5), &out), PARE_OK);
	assert_true(out.rank == 1 && out.dim[0] == 5);
	assert_true(infer(pare_shape_vector(5), weight, pare_shape_vector(5), &out) < 0);
	assert_true(infer(pare_shape_chw(7, 1, 1), weight, pare_shape_vector(5), &out) < 0);
	assert_int_equal(infer(pare_shape_chw(3, 4, 7), weight, pare_shape_vector(5), &out), PARE_OK);
	assert_true(out.rank == 3 && out.dim[0] == 3 && out.dim[1] == 4 && out.dim[2] == 5);
	assert_true(infer(pare_shape_vector(7), pare_shape_vector(35), pare_shape_vector(5), &out) < 0);
	assert_true(infer(pare_shape_vector(7), weight, pare_shape_vector(7), &out) < 0);
}

static void test_ops_linear__counts_macs(void **state)
{
	struct op_case c = {.name = "macs",
	                    .op = &pare_op_linear,
	                    .reference = reference_linear,
	                    .n_inputs = 1,
	                    .n_params = 1,
	                    .in = {pare_shape_vector(7)},
	                    .param = {{.rank = 2, .dim = {5, 7}}},
	                    .images = 1,
	                    .lanes = 1};
	struct op_rig rig;

	(void)state;
	op_rig_open(&rig, &c);
	assert_int_equal(pare_op_linear.macs(&rig.graph, &rig.node), 35);
	op_rig_close(&rig);
	c.in[0] = pare_shape_chw(2, 3, 7);
	op_rig_open(&rig, &c);
	assert_int_equal(pare_op_linear.macs(&rig.graph, &rig.node), 6 * 35);
	op_rig_close(&rig);
}

/* x -> a -> b -> c: b's inputs are a's outputs, b's outputs are new. */
static void test_ops_linear__features_are_atoms_of_their_own(void **state)
{
	struct pare_error error = {0};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_vector(2), "x");

	(void)state;
	assert_non_null(graph);
	int value = graph->input;
	assert_int_equal(pare_build_linear(graph, "a", 3, true, &value, &error), PARE_OK);
	int in = value;
	assert_int_equal(pare_build_linear(graph, "b", 4, true, &value, &error), PARE_OK);
	int out = value;
	assert_int_equal(pare_build_linear(graph, "c", 2, true, &value, &error), PARE_OK);
	graph->output = value;
	struct pare_channel_map *map = pare_channel_map_new(graph, &error);
	assert_non_null(map);
	int weight = pare_graph_find_param(graph, "b.weight"), bias = pare_graph_find_param(graph, "b.bias");
	for (int o = 0; o < 4; o++) {
		int atom = pare_channel_map_find(map, pare_channel_map_value(map, out, 0)[o]);
		assert_int_equal(pare_channel_map_find(map, map->axis_atoms[0][weight][o]), atom);
		assert_int_equal(pare_channel_map_find(map, map->axis_atoms[0][bias][o]), atom);
		assert_null(map->frozen[atom]);
		for (int i = 0; i < 3; i++) {
			int in_atom = pare_channel_map_find(map, pare_channel_map_value(map, in, 0)[i]);
			assert_int_not_equal(in_atom, atom);
			assert_int_equal(pare_channel_map_find(map, map->axis_atoms[1][weight][i]), in_atom);
		}
	}
	pare_channel_map_free(map);
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_linear__agrees_over_widths_and_batches),
	        cmocka_unit_test(test_ops_linear__agrees_along_the_last_of_several_dimensions),
	        cmocka_unit_test(test_ops_linear__agrees_with_fused_activations),
	        cmocka_unit_test(test_ops_linear__agrees_with_every_instruction_set),
	        cmocka_unit_test(test_ops_linear__infers_its_shape_and_refuses_others),
	        cmocka_unit_test(test_ops_linear__counts_macs),
	        cmocka_unit_test(test_ops_linear__features_are_atoms_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
