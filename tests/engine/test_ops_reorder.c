/* What moves elements and computes nothing, on any rank: transpose, concat, pad, slice; the views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/graph/exec.h"
#include "engine/ops/builders.h"
#include "tests/support/op_check.h"

static const struct {
	int64_t images;
	int lanes;
} batches[] = {{1, 1}, {3, 1}, {16, 16}, {19, 16}};
#define N_BATCHES ((int)(sizeof(batches) / sizeof(batches[0])))

/* Copies are exact; the tolerance of gradients is the difference quotient's. */
static void check_over_batches(struct op_case c)
{
	char name[96], shape[64];

	for (int b = 0; b < N_BATCHES; b++) {
		struct op_case batch = c;
		snprintf(name, sizeof(name), "%s of %s, %lld images", c.op->name,
		         pare_shape_text(&c.in[0], shape, sizeof(shape)), (long long)batches[b].images);
		batch.name = name;
		batch.images = batches[b].images;
		batch.lanes = batches[b].lanes;
		batch.gradient_tolerance = 1e-7;
		op_check(&batch);
	}
}

static void check_orders(struct pare_shape shape, const int (*orders)[PARE_MAX_RANK], int count)
{
	for (int i = 0; i < count; i++) {
		struct pare_transpose attrs;
		memcpy(attrs.order, orders[i], sizeof(attrs.order));
		check_over_batches((struct op_case){.op = &pare_op_transpose,
		                                    .reference = reference_transpose,
		                                    .attrs = &attrs,
		                                    .n_inputs = 1,
		                                    .in = {shape}});
	}
}

static void test_ops_reorder__transpose_agrees_with_reference(void **state)
{
	const int of_2[][PARE_MAX_RANK] = {{0, 1}, {1, 0}};
	const int of_3[][PARE_MAX_RANK] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const int of_4[][PARE_MAX_RANK] = {{1, 0, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 3, 1, 2}};
	const int of_5[][PARE_MAX_RANK] = {{1, 0, 2, 3, 4}, {4, 2, 0, 3, 1}, {0, 1, 4, 2, 3}};

	(void)state;
	check_orders((struct pare_shape){.rank = 2, .dim = {3, 7}}, of_2, 2);
	check_orders(pare_shape_chw(5, 3, 4), of_3, 6);
	check_orders(pare_shape_chw(5, 1, 4), of_3, 6);
	check_orders((struct pare_shape){.rank = 4, .dim = {2, 3, 4, 3}}, of_4, 4);
	check_orders((struct pare_shape){.rank = 5, .dim = {2, 3, 1, 4, 2}}, of_5, 3);
}

static void test_ops_reorder__concat_agrees_along_every_dimension(void **state)
{
	const struct pare_shape shape = {.rank = 4, .dim = {2, 3, 4, 3}};

	(void)state;
	for (int axis = 0; axis < 4; axis++) {
		const struct pare_concat attrs = {.axis = axis};
		struct pare_shape second = shape, third = shape;
		second.dim[axis] = 1;
		third.dim[axis] = 5;
		check_over_batches((struct op_case){.op = &pare_op_concat,
		                                    .reference = reference_concat,
		                                    .attrs = &attrs,
		                                    .n_inputs = 3,
		                                    .in = {shape, second, third}});
	}
}

static void test_ops_reorder__pad_agrees_on_every_rank(void **state)
{
	const struct pare_shape shape = {.rank = 5, .dim = {2, 3, 1, 4, 2}};
	struct pare_pad attrs = {.begin = {1, 0, 2, 0, 3}, .end = {0, 2, 1, 1, 0}};

	(void)state;
	for (int rank = 5; rank >= 1; rank--) {
		struct pare_shape in = shape;
		in.rank = rank;
		check_over_batches((struct op_case){
		        .op = &pare_op_pad, .reference = reference_pad, .attrs = &attrs, .n_inputs = 1, .in = {in}});
		attrs.begin[rank - 1] = attrs.end[rank - 1] = 0;
	}
}

static void test_ops_reorder__slice_agrees_on_every_rank(void **state)
{
	const struct pare_shape shape = {.rank = 5, .dim = {5, 4, 3, 6, 2}};
	const struct pare_slice attrs = {.start = {1, 0, 2, 1, 1}, .stop = {5, 4, 3, 6, 2}, .step = {2, 3, 1, 2, 1}};

	(void)state;
	for (int rank = 1; rank <= 5; rank++) {
		struct pare_shape in = shape;
		in.rank = rank;
		check_over_batches((struct op_case){.op = &pare_op_slice,
		                                    .reference = reference_slice,
		                                    .attrs = &attrs,
		                                    .n_inputs = 1,
		                                    .in = {in}});
	}
}

static void refuse_transpose(const int order[PARE_MAX_RANK])
{
	struct pare_transpose attrs;
	struct op_case c = {.op = &pare_op_transpose, .attrs = &attrs, .n_inputs = 1, .in = {pare_shape_chw(2, 3, 4)}};
	struct pare_shape out;

	memcpy(attrs.order, order, sizeof(attrs.order));
	assert_int_equal(op_infer(&c, &out, NULL), PARE_E_INVALID);
}

static void test_ops_reorder__transpose_refuses_what_is_no_permutation(void **state)
{
	(void)state;
	refuse_transpose((const int[PARE_MAX_RANK]){0, 1, 1});
	refuse_transpose((const int[PARE_MAX_RANK]){0, 1, 3});
	refuse_transpose((const int[PARE_MAX_RANK]){-1, 1, 2});
}

static void test_ops_reorder__reshape_refuses_other_sizes(void **state)
{
	const struct pare_reshape refused[] = {{.rank = 2, .dim = {4, 7}},
	                                       {.rank = 0},
	                                       {.rank = 6, .dim = {24, 1, 1, 1, 1}},
	                                       {.rank = 2, .dim = {-4, -6}},
	                                       {.rank = 2, .dim = {24, 0}}};

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct op_case c = {
		        .op = &pare_op_reshape, .attrs = &refused[i], .n_inputs = 1, .in = {pare_shape_chw(2, 3, 4)}};
		struct pare_shape out;
		struct pare_error error = {0};
		assert_int_equal(op_infer(&c, &out, &error), PARE_E_INVALID);
		assert_non_null(strstr(error.text, "2x3x4"));
	}
}

/* A shuffle with two groups in between: input -> views -> output, values and gradients by hand. */
static void run_shuffle(int64_t images)
{
	struct pare_graph *graph = pare_graph_new("shuffle", pare_shape_chw(6, 2, 2), "x");
	const struct pare_shape split = {.rank = 4, .dim = {2, 3, 2, 2}}, whole = pare_shape_chw(6, 2, 2);
	const int order[] = {1, 0, 2, 3};
	struct pare_exec_options options = {.images = images, .training = true, .input_gradient = true};
	struct pare_exec *exec;
	int value = 0;

	assert_int_equal(pare_build_unary(graph, "drop", &pare_op_dropout, NULL, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_reshape(graph, "split", &split, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_transpose(graph, "swap", order, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_reshape(graph, "join", &whole, &value, NULL), PARE_OK);
	assert_int_equal(pare_build_unary(graph, "same", &pare_op_identity, NULL, &value, NULL), PARE_OK);
	graph->output = value;
	assert_int_equal(pare_exec_new(&exec, graph, &options, NULL), PARE_OK);
	struct pare_tensor in = pare_exec_input(exec), out = pare_exec_output(exec),
	                   dout = pare_exec_output_gradient(exec);
	for (int64_t i = 0; i < images; i++)
		for (int64_t e = 0; e < 24; e++)
			*pare_tensor_at(&in, i, e) = (float)(100 * i + e);
	pare_exec_forward(exec);
	for (int64_t i = 0; i < images; i++)
		for (int64_t e = 0; e < 24; e++) {
			/* Channel g * 3 + c goes to c * 2 + g. */
			int64_t channel = e / 4, from = channel % 2 * 3 + channel / 2;
			assert_true(*pare_tensor_at(&out, i, e) == (float)(100 * i + 4 * from + e % 4));
			*pare_tensor_at(&dout, i, e) = (float)(7 * i + e);
		}
	pare_exec_backward(exec);
	struct pare_tensor din = pare_exec_input_gradient(exec);
	for (int64_t i = 0; i < images; i++)
		for (int64_t e = 0; e < 24; e++) {
			int64_t channel = e / 4, to = channel % 3 * 2 + channel / 3;
			assert_true(*pare_tensor_at(&din, i, e) == (float)(7 * i + 4 * to + e % 4));
		}
	pare_exec_free(exec);
	pare_graph_free(graph);
}

static void test_ops_reorder__views_and_transpose_shuffle_channels(void **state)
{
	(void)state;
	run_shuffle(3);
	run_shuffle(9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_ops_reorder__transpose_agrees_with_reference),
	        cmocka_unit_test(test_ops_reorder__concat_agrees_along_every_dimension),
	        cmocka_unit_test(test_ops_reorder__pad_agrees_on_every_rank),
	        cmocka_unit_test(test_ops_reorder__slice_agrees_on_every_rank),
	        cmocka_unit_test(test_ops_reorder__transpose_refuses_what_is_no_permutation),
	        cmocka_unit_test(test_ops_reorder__reshape_refuses_other_sizes),
	        cmocka_unit_test(test_ops_reorder__views_and_transpose_shuffle_channels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
