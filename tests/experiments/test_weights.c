/* Networks by the hash of their content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/zoo/zoo.h"
#include "experiments/weights.h"
#include "tests/support/temp_directory.h"

static int make_directory(void **state)
{
	*state = test_directory_new();
	return 0;
}

static int remove_directory(void **state)
{
	test_directory_free(*state);
	return 0;
}

static struct pare_graph *network(uint64_t seed)
{
	struct pare_zoo_options options = {
	        .input = pare_shape_chw(3, 16, 16), .classes = 7, .width = 0.5, .seed = seed};
	struct pare_graph *graph = NULL;
	struct pare_error error;
	assert_int_equal(pare_zoo_find("resnet8")->build(&options, &graph, &error), 0);
	return graph;
}

static void test_weights__come_back_as_they_were(void **state)
{
	struct pare_graph *graph = network(1), *back = NULL, *other = network(2);
	char hash[PARE_HASH_TEXT_SIZE], again[PARE_HASH_TEXT_SIZE], other_hash[PARE_HASH_TEXT_SIZE];
	struct pare_error error;

	assert_int_equal(pare_weights_put(*state, graph, hash, &error), 0);
	assert_int_equal(pare_weights_put(*state, graph, again, &error), 0);
	assert_string_equal(hash, again);
	assert_int_equal(pare_weights_put(*state, other, other_hash, &error), 0);
	assert_string_not_equal(hash, other_hash);
	assert_int_equal(pare_weights_get(*state, hash, &back, &error), 0);
	/* Exactly: what is read back is stored under the same hash. */
	assert_int_equal(pare_weights_put(*state, back, again, &error), 0);
	assert_string_equal(hash, again);
	for (int p = 0; p < graph->n_params; p++) {
		int q = pare_graph_find_param(back, graph->params[p].name);
		assert_true(q >= 0);
		assert_memory_equal(graph->params[p].data, back->params[q].data,
		                    (size_t)pare_shape_elements(&graph->params[p].shape) * sizeof(float));
	}
	pare_graph_free(graph);
	pare_graph_free(back);
	pare_graph_free(other);
}

static void test_weights__missing_and_changed_files_are_refused(void **state)
{
	struct pare_graph *graph = network(3), *back = NULL;
	char hash[PARE_HASH_TEXT_SIZE], name[64];
	struct pare_bytes bytes;
	struct pare_error error;

	assert_int_equal(pare_weights_put(*state, graph, hash, &error), 0);
	snprintf(name, sizeof name, "%s.onnx", hash);
	char *path = pare_path_join(*state, name);
	assert_int_equal(pare_file_read(path, (size_t)1 << 24, &bytes, &error), 0);
	bytes.data[bytes.size / 2] ^= 1;
	assert_int_equal(pare_file_write_atomic(path, bytes.data, bytes.size, &error), 0);
	assert_int_equal(pare_weights_get(*state, hash, &back, &error), PARE_E_FORMAT);
	assert_null(back);
	assert_non_null(strstr(error.text, "changed"));
	pare_weights_remove(*state, hash);
	assert_false(pare_file_exists(path));
	pare_weights_remove(*state, hash);
	assert_true(pare_weights_get(*state, hash, &back, &error) < 0);
	assert_null(back);
	pare_bytes_release(&bytes);
	free(path);
	pare_graph_free(graph);
}

static void test_weights__sweep_leaves_what_is_named(void **state)
{
	struct pare_graph *graph = network(4), *other = network(5), *back = NULL;
	char hash[PARE_HASH_TEXT_SIZE], other_hash[PARE_HASH_TEXT_SIZE];
	const char *named[] = {hash, ""};
	struct pare_error error;

	assert_int_equal(pare_weights_put(*state, graph, hash, &error), 0);
	assert_int_equal(pare_weights_put(*state, other, other_hash, &error), 0);
	char *note = pare_path_join(*state, "note.onnx");
	assert_int_equal(pare_file_write_atomic(note, "x", 1, &error), 0);
	pare_weights_sweep(*state, named, 2);
	assert_int_equal(test_directory_count(*state), 2);
	assert_true(pare_file_exists(note));
	assert_int_equal(pare_weights_get(*state, hash, &back, &error), 0);
	pare_graph_free(back);
	pare_graph_free(graph);
	pare_graph_free(other);
	free(note);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_weights__come_back_as_they_were, make_directory, remove_directory),
	        cmocka_unit_test_setup_teardown(test_weights__missing_and_changed_files_are_refused, make_directory,
	                                        remove_directory),
	        cmocka_unit_test_setup_teardown(test_weights__sweep_leaves_what_is_named, make_directory,
	                                        remove_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
