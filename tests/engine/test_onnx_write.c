#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/compress/slim.h"
#include "engine/io/onnx.h"
#include "engine/ops/builders.h"
#include "tests/support/nets.h"
#include "tests/support/onnx_fixture.h"
#include "tests/support/temp_directory.h"

struct written {
	unsigned char *bytes;
	size_t size;
};

static struct written write_graph(const struct pare_graph *graph)
{
	static const struct pare_onnx_metadata metadata[] = {{"pare.study", "s1"}, {"pare.trial", "7"}};
	struct written written;
	struct pare_error error;
	if (pare_onnx_write_bytes(graph, metadata, 2, &written.bytes, &written.size, &error))
		fail_msg("%s: %s", graph->name, error.text);
	return written;
}

static struct pare_graph *read_back(struct written written)
{
	struct pare_graph *graph;
	struct pare_error error;
	if (pare_onnx_read_bytes(written.bytes, written.size, "written", &graph, &error))
		fail_msg("%s", error.text);
	return graph;
}

static void expect_same(const struct pare_graph *graph)
{
	char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE];
	struct written written = write_graph(graph);
	struct pare_graph *again = read_back(written);
	assert_int_equal(pare_graph_hash(graph, before), PARE_OK);
	assert_int_equal(pare_graph_hash(again, after), PARE_OK);
	if (strcmp(before, after) != 0)
		fail_msg("%s is another network after writing and reading", graph->name);
	pare_graph_free(again);
	free(written.bytes);
}

/* What was read computes the same, and is itself read back equal. */
static void expect_same_output(const struct pare_graph *graph)
{
	double difference = 1;
	struct written written = write_graph(graph);
	struct pare_graph *again = read_back(written);
	assert_int_equal(pare_slim_check(again, graph, 2, 3, &difference, NULL), PARE_OK);
	if (!(difference < 1e-6)) /* a spelt-out function that became one operator rounds differently */
		fail_msg("%s differs by %g after writing and reading", graph->name, difference);
	expect_same(again);
	pare_graph_free(again);
	free(written.bytes);
}

/* Some node of it does nothing, or may be a special case of another operator: a pooling, a flatten. */
static bool reads_back_simpler(const struct pare_graph *graph)
{
	static const struct pare_op *const ops[] = {&pare_op_dropout, &pare_op_identity, &pare_op_reduce_mean,
	                                            &pare_op_reshape};
	for (int i = 0; i < graph->n_nodes; i++)
		for (size_t k = 0; k < sizeof(ops) / sizeof(*ops); k++)
			if (graph->nodes[i].op == ops[k])
				return true;
	return false;
}

/* Two nodes have the same bias: reading gives each its own. */
static bool shares_vectors(const struct pare_graph *graph)
{
	int users = 0, vectors = 0;
	for (int i = 0; i < graph->n_nodes; i++)
		for (int k = 0; k < graph->nodes[i].n_params; k++)
			users += graph->params[graph->nodes[i].params[k]].role != PARE_PARAM_WEIGHT;
	for (int i = 0; i < graph->n_params; i++)
		vectors += graph->params[i].role != PARE_PARAM_WEIGHT;
	return users > vectors;
}

static void test_onnx_write__every_network_reads_back_equal(void **state)
{
	(void)state;
	struct pare_graph *graph;
	for (int n = 0; (graph = test_net_build_nth(n)); n++) {
		test_net_randomize(graph, 5);
		if (reads_back_simpler(graph) || shares_vectors(graph))
			expect_same_output(graph);
		else
			expect_same(graph);
		pare_graph_free(graph);
	}
}

/* Attributes that the networks above do not use, all different from each other and from the defaults. */
static struct pare_graph *build_attributes(void)
{
	struct pare_graph *graph = pare_graph_new("attributes", pare_shape_chw(4, 20, 24), "x");
	int value = graph->input, left, right, joined[2];
	struct pare_error error;
	const struct pare_conv2d conv = {3, 2, 1, 2, 1, 2, 3, 4, 2, 3, 2, 0};
	assert_int_equal(pare_build_conv2d(graph, "conv", 6, &conv, true, &value, &error), PARE_OK);
	assert_int_equal(pare_build_batch_norm(graph, "bn", &value, &error), PARE_OK);
	struct pare_batch_norm *norm = graph->nodes[1].attrs;
	*norm = (struct pare_batch_norm){.epsilon = 0.125f, .momentum = 0.03f};
	assert_int_equal(pare_build_relu6(graph, "relu6", &value, &error), PARE_OK);
	left = right = value;
	const struct pare_pool2d pool = {3, 2, 2, 3, 1, 0, 1, 1, 1, 0}, mean = {3, 2, 2, 3, 1, 0, 1, 1, 0, 1};
	assert_int_equal(pare_build_max_pool(graph, "max", &pool, &left, &error), PARE_OK);
	assert_int_equal(pare_build_average_pool(graph, "mean", &mean, &right, &error), PARE_OK);
	const struct pare_slice slice = {{1, 0, 2}, {5, 9, 5}, {2, 3, 1}};
	const struct pare_pad pad = {{0, 1, 2}, {3, 1, 0}};
	assert_int_equal(pare_build_slice(graph, "slice", &slice, &left, &error), PARE_OK);
	assert_int_equal(pare_build_pad(graph, "pad", &pad, &left, &error), PARE_OK);
	assert_int_equal(pare_build_slice(graph, "slice2", &slice, &right, &error), PARE_OK);
	assert_int_equal(pare_build_pad(graph, "pad2", &pad, &right, &error), PARE_OK);
	joined[0] = left;
	joined[1] = right;
	assert_int_equal(pare_build_concat(graph, "concat", joined, 2, &value, &error), PARE_OK);
	assert_int_equal(pare_build_flatten(graph, "flatten", &value, &error), PARE_OK);
	assert_int_equal(pare_build_linear(graph, "fc", 3, false, &value, &error), PARE_OK);
	graph->output = value;
	assert_int_equal(pare_graph_infer(graph, &error), PARE_OK);
	test_net_randomize(graph, 3);
	return graph;
}

static void test_onnx_write__attributes_read_back_equal(void **state)
{
	(void)state;
	struct pare_graph *graph = build_attributes();
	expect_same(graph);
	pare_graph_free(graph);
}

static void unary(struct pare_graph *graph, const struct pare_op *op, const void *attrs, int *value)
{
	struct pare_error error;
	if (pare_build_unary(graph, op->name, op, attrs, value, &error))
		fail_msg("%s", error.text);
}

/* Functions of one number, pairs, and what works along a dimension, each at least once. */
static struct pare_graph *build_functions(void)
{
	struct pare_graph *graph = pare_graph_new("functions", pare_shape_chw(4, 6, 5), "x");
	int value = graph->input, other;
	struct pare_error error = {0};
	static const struct pare_op *const plain[] = {&pare_op_hard_swish, &pare_op_silu, &pare_op_gelu, &pare_op_erf,
	                                              &pare_op_tanh};
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		unary(graph, plain[i], NULL, &value);
	unary(graph, &pare_op_leaky_relu, &(struct pare_leaky_relu){0.3f}, &value);
	unary(graph, &pare_op_elu, &(struct pare_elu){0.7f}, &value);
	unary(graph, &pare_op_affine_scalar, &(struct pare_affine_scalar){2, 0.5f}, &value);
	unary(graph, &pare_op_clip, &(struct pare_clip){-1, 4}, &value);
	unary(graph, &pare_op_affine_scalar, &(struct pare_affine_scalar){-3, 0}, &value);
	unary(graph, &pare_op_clip, &(struct pare_clip){-INFINITY, 1.5f}, &value);
	unary(graph, &pare_op_affine_scalar, &(struct pare_affine_scalar){1, 7}, &value);
	other = value;
	unary(graph, &pare_op_hard_sigmoid, &(struct pare_hard_sigmoid){0.3f, 0.4f}, &other);
	assert_int_equal(pare_build_binary(graph, "mul", &pare_op_mul, other, &value, &error), PARE_OK);
	unary(graph, &pare_op_sigmoid, NULL, &other);
	assert_int_equal(pare_build_binary(graph, "sub", &pare_op_sub, other, &value, &error), PARE_OK);
	assert_int_equal(pare_build_binary(graph, "div", &pare_op_div, other, &value, &error), PARE_OK);
	unary(graph, &pare_op_pow, &(struct pare_pow){2}, &value);
	unary(graph, &pare_op_sqrt, NULL, &value);
	for (int axis = 0; axis < 3; axis++) {
		assert_int_equal(pare_build_scale(graph, "scale", axis, axis != 1, &value, &error), PARE_OK);
		assert_int_equal(
		        pare_build_layer_norm(graph, "norm", &(struct pare_layer_norm){axis, 0.25f}, &value, &error),
		        PARE_OK);
		unary(graph, &pare_op_softmax, &(struct pare_softmax){axis}, &value);
	}
	assert_int_equal(pare_build_linear(graph, "rows", 6, true, &value, &error), PARE_OK);
	assert_int_equal(pare_build_linear(graph, "rows2", 3, false, &value, &error), PARE_OK);
	assert_int_equal(pare_build_transpose(graph, "turn", (int[]){2, 0, 1}, &value, &error), PARE_OK);
	unary(graph, &pare_op_reshape, &(struct pare_reshape){.rank = 5, .dim = {3, 2, 2, 3, 2}}, &value);
	unary(graph, &pare_op_pad, &(struct pare_pad){{0, 1, 0, 2, 0}, {0, 0, 3, 0, 1}}, &value);
	unary(graph, &pare_op_slice, &(struct pare_slice){{0, 1, 0, 1, 0}, {3, 3, 4, 5, 3}, {2, 1, 3, 2, 1}}, &value);
	assert_int_equal(pare_build_concat_along(graph, "join", 3, (int[]){value, value}, 2, &value, &error), PARE_OK);
	unary(graph, &pare_op_reduce_mean, &(struct pare_reduce_mean){3 << 3, 0}, &value);
	unary(graph, &pare_op_reduce_mean, &(struct pare_reduce_mean){1, 1}, &value);
	assert_int_equal(pare_build_flatten(graph, "flatten", &value, &error), PARE_OK);
	graph->output = value;
	assert_int_equal(pare_graph_infer(graph, &error), PARE_OK);
	test_net_randomize(graph, 3);
	return graph;
}

static void test_onnx_write__functions_read_back_equal(void **state)
{
	(void)state;
	struct pare_graph *graph = build_functions();
	expect_same(graph);
	pare_graph_free(graph);
}

/* Identity and dropout do nothing: they are written, and reading forgets them. */
static void test_onnx_write__what_does_nothing_is_gone(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("nothing", pare_shape_chw(2, 3, 3), "x");
	int value = graph->input;
	unary(graph, &pare_op_identity, NULL, &value);
	unary(graph, &pare_op_dropout, NULL, &value);
	unary(graph, &pare_op_relu, NULL, &value);
	graph->output = value;
	struct written written = write_graph(graph);
	struct pare_graph *again = read_back(written);
	assert_int_equal(again->n_nodes, 1);
	assert_ptr_equal(again->nodes[0].op, &pare_op_relu);
	pare_graph_free(again);
	pare_graph_free(graph);
	free(written.bytes);
}

/* A file has one order of dimensions for a weight; a Gemm and a MatMul need two. */
static void test_onnx_write__weights_in_two_orders_are_refused(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("tied", pare_shape_chw(2, 3, 4), "x");
	int value = graph->input;
	struct pare_error error;
	assert_int_equal(pare_build_linear(graph, "rows", 24, false, &value, &error), PARE_OK);
	unary(graph, &pare_op_reduce_mean, &(struct pare_reduce_mean){3, 0}, &value);
	assert_int_equal(pare_build_linear(graph, "flat", 4, false, &value, &error), PARE_OK);
	graph->output = value;
	graph->params[0].shape = graph->params[1].shape;
	graph->nodes[2].params[0] = 0;
	struct written written;
	assert_int_equal(pare_onnx_write_bytes(graph, NULL, 0, &written.bytes, &written.size, &error),
	                 PARE_E_UNSUPPORTED);
	assert_non_null(strstr(error.text, "node 'flat': another node needs its parameter 'rows.weight'"));
	pare_graph_free(graph);
}

/* ONNX stores 1 - momentum as a float. */
static void test_onnx_write__momentum_survives(void **state)
{
	(void)state;
	static const float momenta[] = {0, 0.001f, 0.01f, 0.03f, 0.1f, 0.2f, 0.3f, 0.9f, 0.99f, 1};
	for (size_t i = 0; i < sizeof(momenta) / sizeof(*momenta); i++) {
		struct pare_graph *graph = pare_graph_new("bn", pare_shape_chw(2, 3, 3), "x");
		int value = graph->input;
		assert_int_equal(pare_build_batch_norm(graph, "bn", &value, NULL), PARE_OK);
		((struct pare_batch_norm *)graph->nodes[0].attrs)->momentum = momenta[i];
		graph->output = value;
		struct written written = write_graph(graph);
		struct pare_graph *again = read_back(written);
		assert_true(((struct pare_batch_norm *)again->nodes[0].attrs)->momentum == momenta[i]);
		pare_graph_free(again);
		pare_graph_free(graph);
		free(written.bytes);
	}
}

static void test_onnx_write__same_graph_same_bytes(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build_zoo("resnet8");
	struct pare_graph *copy = pare_graph_copy(graph);
	struct written first = write_graph(graph), second = write_graph(copy);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.bytes, second.bytes, first.size);
	free(first.bytes);
	free(second.bytes);
	pare_graph_free(copy);
	pare_graph_free(graph);
}

/* A value may be called like a parameter in the graph, not in ONNX; and a node's constant like another parameter. */
static void test_onnx_write__names_never_collide(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("names", pare_shape_chw(2, 3, 3), "conv.weight");
	int value = graph->input;
	struct pare_error error;
	assert_int_equal(pare_build_conv(graph, "conv", 2, 3, 1, 1, true, &value, &error), PARE_OK);
	assert_int_equal(pare_build_relu6(graph, "clip.min", &value, &error), PARE_OK);
	assert_int_equal(pare_build_relu6(graph, "clip", &value, &error), PARE_OK);
	graph->output = value;
	struct written written = write_graph(graph);
	struct pare_graph *again = read_back(written);
	assert_int_equal(again->n_nodes, 3);
	assert_int_equal(again->n_params, 2);
	for (int i = 0; i < 3; i++)
		assert_string_equal(again->nodes[i].name, graph->nodes[i].name);
	pare_graph_free(again);
	pare_graph_free(graph);
	free(written.bytes);
}

static void test_onnx_write__metadata_is_in_the_file(void **state)
{
	(void)state;
	struct pare_graph *graph = test_net_build_zoo("lenet");
	struct written written = write_graph(graph);
	struct pare_strbuf pair, wanted;
	pare_strbuf_init(&pair);
	pare_strbuf_init(&wanted);
	message_text(&pair, 1, "pare.study");
	message_text(&pair, 2, "s1");
	message_nest(&wanted, 14, &pair);
	assert_non_null(memmem(written.bytes, written.size, wanted.text, wanted.length));
	pare_strbuf_release(&wanted);
	pare_graph_free(graph);
	free(written.bytes);
}

static void test_onnx_write__a_file_read_twice_is_one_graph(void **state)
{
	(void)state;
	struct onnx_fixture file;
	onnx_fixture_network(&file);
	struct pare_graph *graph = onnx_fixture_read(&file);
	expect_same(graph);
	pare_graph_free(graph);
}

static void test_onnx_write__to_a_file(void **state)
{
	(void)state;
	char *folder = test_directory_new(), path[512];
	struct pare_graph *graph = test_net_build_zoo("plain_cnn"), *again;
	struct pare_error error;
	snprintf(path, sizeof(path), "%s/net.onnx", folder);
	assert_int_equal(pare_onnx_write(graph, path, NULL, 0, &error), PARE_OK);
	assert_int_equal(test_directory_count(folder), 1);
	assert_int_equal(pare_onnx_read(path, &again, &error), PARE_OK);
	assert_int_equal(again->n_nodes, graph->n_nodes);
	snprintf(path, sizeof(path), "%s/missing/net.onnx", folder);
	pare_graph_free(again);
	assert_int_equal(pare_onnx_write(graph, path, NULL, 0, &error), PARE_E_NOT_FOUND);
	assert_int_equal(pare_onnx_read(path, &again, &error), PARE_E_NOT_FOUND);
	assert_null(again);
	pare_graph_free(graph);
	test_directory_free(folder);
}

struct extras {
	bool functions, attributes; /* were built */
};

/* Every network, then the ones with all functions and all attributes; NULL after the last. */
static struct pare_graph *build_nth(int n, struct extras *last)
{
	struct pare_graph *graph = last->functions || last->attributes ? NULL : test_net_build_nth(n);
	if (graph || last->attributes)
		return graph;
	if (!last->functions) {
		last->functions = true;
		return build_functions();
	}
	last->attributes = true;
	return build_attributes();
}

/* For test_onnx_checker.sh: every network as <folder>/<number>-<name>.onnx. */
static int write_all(const char *folder)
{
	struct pare_graph *graph;
	int status = PARE_OK;
	struct extras last = {false, false};
	for (int n = 0; !status && (graph = build_nth(n, &last)); n++) {
		char path[512];
		struct pare_error error;
		snprintf(path, sizeof(path), "%s/%d-%s.onnx", folder, n, graph->name);
		test_net_randomize(graph, 5);
		status = pare_onnx_write(graph, path, NULL, 0, &error);
		if (status)
			fprintf(stderr, "%s: %s\n", path, error.text);
		pare_graph_free(graph);
	}
	return status ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return write_all(argv[1]);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_write__every_network_reads_back_equal),
	        cmocka_unit_test(test_onnx_write__attributes_read_back_equal),
	        cmocka_unit_test(test_onnx_write__functions_read_back_equal),
	        cmocka_unit_test(test_onnx_write__what_does_nothing_is_gone),
	        cmocka_unit_test(test_onnx_write__weights_in_two_orders_are_refused),
	        cmocka_unit_test(test_onnx_write__momentum_survives),
	        cmocka_unit_test(test_onnx_write__same_graph_same_bytes),
	        cmocka_unit_test(test_onnx_write__names_never_collide),
	        cmocka_unit_test(test_onnx_write__metadata_is_in_the_file),
	        cmocka_unit_test(test_onnx_write__a_file_read_twice_is_one_graph),
	        cmocka_unit_test(test_onnx_write__to_a_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
