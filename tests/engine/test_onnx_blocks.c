/* Blocks of torchvision's classifiers, as PyTorch exports them (tests/networks/export_blocks.py made the files). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "engine/base/rng.h"
#include "engine/compress/fold.h"
#include "engine/compress/slim.h"
#include "engine/graph/exec.h"
#include "engine/io/onnx.h"
#include "engine/ops/builders.h"
#include "tests/support/nets.h"

#define IMAGES 2
#define PIXELS (3 * 8 * 8)
#define CLASSES 5

struct block {
	const char *name;
	int cuttable, frozen;           /* groups */
	const struct pare_op *has[4];   /* operators that the import must come to */
	const struct pare_op *hasnt[4]; /* and those that it must have merged away */
};

static const struct block blocks[] = {
        {"convnext",
         1,
         4,
         {&pare_op_layer_norm, &pare_op_gelu, &pare_op_scale, &pare_op_transpose},
         {&pare_op_erf, &pare_op_sqrt}},
        {"dense", 6, 2, {&pare_op_concat, &pare_op_batch_norm, &pare_op_average_pool}, {NULL}},
        {"dense_kept", 6, 2, {&pare_op_concat, &pare_op_batch_norm, &pare_op_average_pool}, {NULL}},
        {"fire", 4, 2, {&pare_op_concat, &pare_op_max_pool}, {NULL}},
        {"flatten", 2, 2, {&pare_op_flatten}, {NULL}},
        {"functions", 1, 2, {&pare_op_softmax, &pare_op_gelu, &pare_op_silu, &pare_op_clip}, {&pare_op_sigmoid}},
        {"gate", 2, 2, {&pare_op_mul, &pare_op_hard_sigmoid}, {NULL}},
        {"grouped", 3, 2, {&pare_op_add}, {NULL}},
        {"hard_swish_gate", 3, 2, {&pare_op_mul, &pare_op_hard_swish, &pare_op_hard_sigmoid}, {NULL}},
        {"inception", 7, 2, {&pare_op_concat, &pare_op_average_pool}, {NULL}},
        {"inverted", 2, 2, {&pare_op_relu6, &pare_op_add}, {NULL}},
        {"mnasnet", 2, 2, {&pare_op_global_average_pool}, {NULL}},
        {"regnet", 5, 2, {&pare_op_mul, &pare_op_sigmoid}, {NULL}},
        {"residual", 2, 2, {&pare_op_add}, {&pare_op_batch_norm}},
        {"residual_kept", 2, 2, {&pare_op_batch_norm}, {NULL}},
        {"shuffle", 5, 2, {&pare_op_reshape, &pare_op_transpose, &pare_op_slice}, {NULL}},
        {"split", 3, 3, {&pare_op_slice, &pare_op_leaky_relu, &pare_op_elu, &pare_op_sub}, {NULL}},
        {"swish_gate", 3, 2, {&pare_op_silu, &pare_op_mul, &pare_op_sigmoid}, {NULL}},
};
#define N_BLOCKS (sizeof(blocks) / sizeof(*blocks))

static char *path_of(const char *name, const char *suffix)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/tests/networks/blocks/%s%s", PARE_SOURCE_DIR, name, suffix);
	return path;
}

static struct pare_graph *read_graph(const char *path)
{
	struct pare_error error = {0};
	struct pare_graph *graph;
	if (pare_onnx_read(path, &graph, &error))
		fail_msg("%s: %s", path, error.text);
	return graph;
}

/* Runs the block on its images and compares with PyTorch's output. */
static void expect_output(const struct block *block, const struct pare_graph *graph, double bound)
{
	struct pare_exec *exec;
	struct pare_bytes bytes;
	float input[IMAGES * PIXELS], wanted[IMAGES * CLASSES], found[IMAGES * CLASSES];
	double difference = 0, most = 0;
	assert_int_equal(pare_file_read(path_of(block->name, ".bin"), 1 << 20, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, sizeof(input) + sizeof(wanted));
	memcpy(input, bytes.data, sizeof(input));
	memcpy(wanted, bytes.data + sizeof(input), sizeof(wanted));
	pare_bytes_release(&bytes);
	assert_int_equal(pare_exec_new(&exec, graph, &(struct pare_exec_options){.images = IMAGES}, NULL), PARE_OK);
	struct pare_tensor in = pare_exec_input(exec), out = pare_exec_output(exec);
	pare_tensor_from_nchw(&in, input);
	pare_exec_forward(exec);
	pare_tensor_to_nchw(&out, found);
	pare_exec_free(exec);
	for (int i = 0; i < IMAGES * CLASSES; i++) {
		difference = fmax(difference, fabs((double)found[i] - (double)wanted[i]));
		most = fmax(most, fabs((double)wanted[i]));
		assert_true(isfinite(found[i]));
	}
	if (!(difference <= bound * most))
		fail_msg("%s differs from PyTorch by %g of %g", block->name, difference, most);
}

static bool has_operator(const struct pare_graph *graph, const struct pare_op *op)
{
	for (int i = 0; i < graph->n_nodes; i++)
		if (graph->nodes[i].op == op)
			return true;
	return false;
}

/* The bound is some steps of float rounding. */
static void test_onnx_blocks__compute_what_pytorch_computes(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct pare_graph *graph = read_graph(path_of(blocks[i].name, ".onnx"));
		expect_output(&blocks[i], graph, 1e-5);
		struct pare_graph *folded = pare_fold_batch_norm(graph, NULL);
		expect_output(&blocks[i], folded, 1e-5);
		pare_graph_free(folded);
		pare_graph_free(graph);
	}
}

static void test_onnx_blocks__come_to_the_operators_they_mean(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct pare_graph *graph = read_graph(path_of(blocks[i].name, ".onnx"));
		for (int k = 0; k < 4; k++) {
			if (blocks[i].has[k] && !has_operator(graph, blocks[i].has[k]))
				fail_msg("%s has no %s", blocks[i].name, blocks[i].has[k]->name);
			if (blocks[i].hasnt[k] && has_operator(graph, blocks[i].hasnt[k]))
				fail_msg("%s still has a %s", blocks[i].name, blocks[i].hasnt[k]->name);
		}
		pare_graph_free(graph);
	}
}

static void expect_equal(const struct pare_graph *graph, const struct pare_graph *again)
{
	char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE];
	assert_int_equal(pare_graph_hash(graph, before), PARE_OK);
	assert_int_equal(pare_graph_hash(again, after), PARE_OK);
	if (strcmp(before, after) != 0)
		fail_msg("%s is another network after writing and reading", graph->name);
}

static void test_onnx_blocks__read_back_equal(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct pare_graph *graph = read_graph(path_of(blocks[i].name, ".onnx")), *again;
		unsigned char *bytes;
		size_t size;
		struct pare_error error = {0};
		if (pare_onnx_write_bytes(graph, NULL, 0, &bytes, &size, &error) ||
		    pare_onnx_read_bytes(bytes, size, blocks[i].name, &again, &error))
			fail_msg("%s: %s", blocks[i].name, error.text);
		expect_equal(graph, again);
		pare_graph_free(again);
		pare_graph_free(graph);
		free(bytes);
	}
}

static void count_groups(const struct block *block, const struct pare_groups *groups)
{
	int frozen = 0;
	for (int g = 0; g < groups->n_groups; g++)
		frozen += groups->group[g].frozen != NULL;
	if (groups->n_groups - frozen != block->cuttable || frozen != block->frozen)
		fail_msg("%s: %d groups can be cut and %d not; %d and %d were expected", block->name,
		         groups->n_groups - frozen, frozen, block->cuttable, block->frozen);
}

/* Slim equals masked, before and after it went through a file. */
static void check_plan(const struct block *block, const struct pare_groups *groups, double ratio)
{
	struct pare_error error = {0};
	struct pare_graph *slim, *masked, *again;
	struct pare_plan plan;
	unsigned char *bytes;
	size_t size;
	assert_int_equal(pare_plan_init(&plan, groups), PARE_OK);
	test_plan_randomize(&plan, groups, ratio, 1, 9);
	if (pare_slim(groups, &plan, &pare_criterion_l2, &slim, &error) ||
	    pare_mask(groups, &plan, &pare_criterion_l2, &masked, &error) ||
	    pare_onnx_write_bytes(slim, NULL, 0, &bytes, &size, &error) ||
	    pare_onnx_read_bytes(bytes, size, block->name, &again, &error))
		fail_msg("%s: %s", block->name, error.text);
	const struct pare_graph *both[2] = {slim, again};
	for (int i = 0; i < 2; i++) {
		double difference = 1;
		assert_int_equal(pare_slim_check(both[i], masked, IMAGES, 3, &difference, &error), PARE_OK);
		if (!(difference < 1e-5))
			fail_msg("%s, ratio %g, %s: slim and masked differ by %g", block->name, ratio,
			         i ? "through a file" : "as it is", difference);
	}
	assert_true(pare_graph_macs(slim) < pare_graph_macs(groups->graph));
	assert_true(pare_graph_macs(slim) == pare_graph_macs(again));
	pare_plan_release(&plan);
	pare_graph_free(slim);
	pare_graph_free(masked);
	pare_graph_free(again);
	free(bytes);
}

static void test_onnx_blocks__slim_equals_masked(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct pare_graph *graph = read_graph(path_of(blocks[i].name, ".onnx"));
		struct pare_groups groups;
		assert_int_equal(pare_groups_init(&groups, graph, NULL), PARE_OK);
		count_groups(&blocks[i], &groups);
		check_plan(&blocks[i], &groups, 0.7);
		check_plan(&blocks[i], &groups, 0.4);
		check_plan(&blocks[i], &groups, 0.1);
		pare_groups_release(&groups);
		pare_graph_free(graph);
	}
}

/* Whatever one changed byte makes of a file: an error that says something, or a network that can be grouped and
 * written. */
static void test_onnx_blocks__damaged_files_are_no_trouble(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_BLOCKS; i++) {
		struct pare_bytes bytes;
		assert_int_equal(pare_file_read(path_of(blocks[i].name, ".onnx"), 1 << 20, &bytes, NULL), PARE_OK);
		for (uint64_t k = 0; k < 100; k++) {
			struct pare_rng rng = pare_rng_make(i, PARE_STREAM_TEST, k);
			size_t at = pare_rng_below(&rng, (uint32_t)bytes.size);
			unsigned char kept = bytes.data[at], *written = NULL;
			struct pare_error error = {0};
			struct pare_graph *graph = NULL;
			struct pare_groups groups;
			size_t size;
			bytes.data[at] = (unsigned char)pare_rng_below(&rng, 256);
			int status = pare_onnx_read_bytes(bytes.data, bytes.size, "damaged", &graph, &error);
			assert_true(status == PARE_OK || error.text[0]);
			if (!status && pare_groups_init(&groups, graph, NULL) == PARE_OK)
				pare_groups_release(&groups);
			if (!status)
				pare_onnx_write_bytes(graph, NULL, 0, &written, &size, NULL);
			free(written);
			pare_graph_free(graph);
			bytes.data[at] = kept;
		}
		pare_bytes_release(&bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_blocks__compute_what_pytorch_computes),
	        cmocka_unit_test(test_onnx_blocks__come_to_the_operators_they_mean),
	        cmocka_unit_test(test_onnx_blocks__read_back_equal),
	        cmocka_unit_test(test_onnx_blocks__slim_equals_masked),
	        cmocka_unit_test(test_onnx_blocks__damaged_files_are_no_trouble),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
