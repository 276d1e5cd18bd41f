#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/base/memory.h"
#include "engine/graph/graph.h"
#include "tests/support/fake_op.h"

/* input 4x6x6 -> a (with a parameter) -> b -> c = a + b, the output */
static struct pare_graph *sample(void)
{
	struct pare_graph *graph = pare_graph_new("sample", pare_shape_chw(4, 6, 6), "image");

	assert_non_null(graph);
	int a = fake_add(graph, "a", graph->input, -1, fake_param(graph, "a.weight", 4, 2.5f));
	int b = fake_add(graph, "b", a, -1, -1);
	graph->output = fake_add(graph, "c", a, b, -1);
	return graph;
}

static void hash_of(const struct pare_graph *graph, char *text)
{
	assert_int_equal(pare_graph_hash(graph, text), PARE_OK);
}

static void test_graph__nodes_get_shapes_values_and_names(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();

	assert_int_equal(graph->n_nodes, 3);
	assert_int_equal(graph->n_values, 4);
	assert_int_equal(graph->values[graph->input].producer, -1);
	assert_string_equal(graph->values[graph->input].name, "image");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(graph->nodes[i].output, i + 1);
		assert_int_equal(graph->values[i + 1].producer, i);
		assert_string_equal(graph->values[i + 1].name, graph->nodes[i].name);
		assert_true(pare_shape_equal(&graph->values[i + 1].shape, &graph->values[0].shape));
	}
	assert_int_equal(pare_graph_find_node(graph, "b"), 1);
	assert_int_equal(pare_graph_find_value(graph, "b"), 2);
	assert_int_equal(pare_graph_find_param(graph, "a.weight"), 0);
	assert_int_equal(pare_graph_find_node(graph, "image"), -1);
	assert_int_equal(pare_graph_find_param(graph, "b"), -1);
	assert_int_equal(pare_graph_infer(graph, NULL), PARE_OK);
	pare_graph_free(graph);
}

static void test_graph__new_refuses_bad_shapes(void **state)
{
	(void)state;
	assert_null(pare_graph_new("g", pare_shape_chw(0, 3, 3), "input"));
	assert_null(pare_graph_new("g", (struct pare_shape){.rank = 0}, "input"));
	assert_null(pare_graph_new("g", (struct pare_shape){.rank = PARE_MAX_RANK + 1}, "input"));
	pare_graph_free(NULL);
}

static void test_graph__refused_node_is_named_and_graph_unchanged(void **state)
{
	(void)state;
	static const int input = 0, no_value = -1, own_output = 4, param = 0, no_param = 1, wrong_param = -2;
	static const int three[3] = {0, 0, 0};
	static const struct fake_attrs fine = {0}, negative = {.crop = -1}, empty = {.crop = 6};
	static const struct {
		struct pare_node_spec spec;
		const char *says;
	} cases[] = {
	        {{.attrs = &fine, .n_inputs = 0}, "has 0 inputs, allowed are 1 to 2"},
	        {{.attrs = &fine, .inputs = three, .n_inputs = 3}, "has 3 inputs, allowed are 1 to 2"},
	        {{.attrs = &fine, .inputs = &input, .n_inputs = -1}, "-1 inputs"},
	        {{.attrs = &fine, .inputs = &no_value, .n_inputs = 1}, "input 0 is index -1"},
	        {{.attrs = &fine, .inputs = &own_output, .n_inputs = 1}, "input 0 is index 4, the graph has 4"},
	        {{.attrs = &fine, .inputs = &input, .n_inputs = 1, .params = &no_param, .n_params = 1},
	         "parameter 0 is index 1"},
	        {{.attrs = &fine, .inputs = &input, .n_inputs = 1, .params = &wrong_param, .n_params = 1},
	         "parameter 0 is index -2"},
	        {{.attrs = &fine, .inputs = &input, .n_inputs = 1, .params = three, .n_params = 2}, "has 2 parameters"},
	        {{.inputs = &input, .n_inputs = 1, .params = &param, .n_params = 1}, "has no attributes"},
	        {{.attrs = &negative, .inputs = &input, .n_inputs = 1}, "crop is -1"},
	        {{.attrs = &empty, .inputs = &input, .n_inputs = 1}, "output shape [4x0x6] is not allowed"},
	};
	struct pare_graph *graph = sample();
	char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE];

	hash_of(graph, before);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pare_node_spec spec = cases[i].spec;
		struct pare_error error = {0};
		int value = 77;

		spec.name = "bad";
		spec.op = &fake_op;
		assert_true(pare_graph_add_node(graph, &spec, &value, &error) < 0);
		assert_true(pare_graph_add_node(graph, &spec, &value, NULL) < 0);
		assert_ptr_equal(strstr(error.text, "node 'bad' (fake): "), error.text);
		if (!strstr(error.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", error.text, cases[i].says);
		assert_int_equal(value, 77);
		hash_of(graph, after);
		assert_string_equal(before, after);
		assert_int_equal(graph->n_nodes, 3);
	}
	pare_graph_free(graph);
}

static void test_graph__taken_names_get_a_suffix(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();
	int value = graph->output;

	for (int i = 0; i < 500; i++)
		value = fake_add(graph, i % 2 ? "a" : NULL, value, -1, fake_param(graph, "a.weight", 4, 0.0f));
	fake_add(graph, "", value, -1, -1);
	graph->output = value;
	assert_int_equal(pare_graph_infer(graph, NULL), PARE_OK);
	for (int i = 0; i < graph->n_nodes; i++)
		assert_int_equal(pare_graph_find_node(graph, graph->nodes[i].name), i);
	for (int i = 0; i < graph->n_values; i++)
		assert_int_equal(pare_graph_find_value(graph, graph->values[i].name), i);
	for (int i = 0; i < graph->n_params; i++)
		assert_int_equal(pare_graph_find_param(graph, graph->params[i].name), i);
	assert_string_equal(graph->nodes[3].name, "fake");
	assert_ptr_equal(strstr(graph->nodes[4].name, "a_"), graph->nodes[4].name);
	pare_graph_free(graph);
}

static void test_graph__a_suffix_that_is_taken_is_passed_over(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("g", pare_shape_vector(2), "input");

	/* The third node called x would become x_2. */
	fake_add(graph, "x", 0, -1, -1);
	fake_add(graph, "x_2", 0, -1, -1);
	fake_add(graph, "x", 0, -1, -1);
	assert_string_equal(graph->nodes[2].name, "x_3");
	pare_graph_free(graph);
}

static void test_graph__output_name_is_used(void **state)
{
	(void)state;
	const struct fake_attrs attrs = {0};
	const int input = 0;
	struct pare_graph *graph = pare_graph_new("g", pare_shape_chw(1, 2, 2), "input");
	struct pare_node_spec spec = {
	        .name = "n", .op = &fake_op, .attrs = &attrs, .inputs = &input, .n_inputs = 1, .output_name = "logits"};
	int value;

	assert_int_equal(pare_graph_add_node(graph, &spec, &value, NULL), PARE_OK);
	assert_string_equal(graph->values[value].name, "logits");
	assert_int_equal(pare_graph_find_node(graph, "n"), 0);
	pare_graph_free(graph);
}

static void test_graph__params_are_copied_or_zero(void **state)
{
	(void)state;
	struct pare_graph *graph = pare_graph_new("g", pare_shape_vector(2), "input");
	const struct pare_shape shape = {.rank = 2, .dim = {2, 3}};
	float data[6] = {1, 2, 3, 4, 5, 6};
	int a, b;

	assert_int_equal(pare_graph_add_param(graph, "p", PARE_PARAM_WEIGHT, &shape, data, &a, NULL), PARE_OK);
	assert_int_equal(pare_graph_add_param(graph, "q", PARE_PARAM_BIAS, &shape, NULL, &b, NULL), PARE_OK);
	data[0] = 9;
	for (int i = 0; i < 6; i++) {
		assert_true(graph->params[a].data[i] == (float)(i + 1));
		assert_true(graph->params[b].data[i] == 0.0f);
	}
	assert_int_equal(graph->params[b].role, PARE_PARAM_BIAS);
	assert_true(pare_shape_equal(&graph->params[a].shape, &shape));
	pare_graph_drop_params(graph, 1);
	assert_int_equal(graph->n_params, 1);
	assert_int_equal(pare_graph_find_param(graph, "q"), -1);
	/* The name is free again, the other one is not. */
	assert_int_equal(pare_graph_add_param(graph, "q", PARE_PARAM_BIAS, &shape, NULL, &b, NULL), PARE_OK);
	assert_string_equal(graph->params[b].name, "q");
	assert_int_equal(pare_graph_add_param(graph, "p", PARE_PARAM_BIAS, &shape, NULL, &b, NULL), PARE_OK);
	assert_string_equal(graph->params[b].name, "p_2");
	pare_graph_free(graph);
}

static void test_graph__params_of_bad_shape_are_refused(void **state)
{
	(void)state;
	static const struct pare_shape bad[] = {
	        {.rank = 0},
	        {.rank = 2, .dim = {3, 0}},
	        {.rank = 2, .dim = {-1, -1}},
	        {.rank = 4, .dim = {1 << 20, 1 << 20, 1 << 20, 1 << 4}},
	        {.rank = 99},
	};
	struct pare_graph *graph = pare_graph_new("g", pare_shape_vector(2), "input");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pare_error error = {0};
		int param = 5;
		assert_int_equal(pare_graph_add_param(graph, "big", PARE_PARAM_WEIGHT, &bad[i], NULL, &param, &error),
		                 PARE_E_LIMIT);
		assert_non_null(strstr(error.text, "'big'"));
		assert_int_equal(graph->n_params, 0);
		assert_int_equal(param, 5);
	}
	pare_graph_free(graph);
}

static void test_graph__copy_is_equal_and_deep(void **state)
{
	(void)state;
	struct pare_graph *graph = sample(), *copy = pare_graph_copy(graph);
	char before[PARE_HASH_TEXT_SIZE], after[PARE_HASH_TEXT_SIZE], of_copy[PARE_HASH_TEXT_SIZE];

	assert_non_null(copy);
	hash_of(graph, before);
	hash_of(copy, of_copy);
	assert_string_equal(before, of_copy);

	/* Whatever the copy shares would change the original's hash. */
	copy->params[0].data[1] = 8;
	copy->params[0].name[0] = 'z';
	copy->values[1].name[0] = 'z';
	copy->values[1].shape.dim[0] = 3;
	for (int i = 0; i < 3; i++) {
		copy->nodes[i].name[0] = 'z';
		((struct fake_attrs *)copy->nodes[i].attrs)->crop = 1;
		copy->nodes[i].inputs[0] = 9;
	}
	copy->nodes[0].params[0] = 9;
	copy->name[0] = 'z';
	hash_of(graph, after);
	assert_string_equal(before, after);
	pare_graph_free(copy);

	/* A copy can grow, and outlives its original. */
	copy = pare_graph_copy(graph);
	pare_graph_free(graph);
	copy->output = fake_add(copy, "a", copy->output, -1, fake_param(copy, "a.weight", 4, 1.0f));
	assert_int_equal(pare_graph_infer(copy, NULL), PARE_OK);
	assert_int_equal(copy->n_nodes, 4);
	assert_string_equal(copy->nodes[3].name, "a_3");
	pare_graph_free(copy);
}

static void change_weight(struct pare_graph *graph)
{
	graph->params[0].data[3] = 2.5000002f;
}
static void change_sign_of_zero(struct pare_graph *graph)
{
	graph->params[0].data[3] = -graph->params[0].data[3];
}
static void change_role(struct pare_graph *graph)
{
	graph->params[0].role = PARE_PARAM_BIAS;
}
static void change_param_name(struct pare_graph *graph)
{
	graph->params[0].name[0] = 'b';
}
static void change_attribute(struct pare_graph *graph)
{
	((struct fake_attrs *)graph->nodes[1].attrs)->macs_per_pixel = 1;
}
static void change_node_name(struct pare_graph *graph)
{
	graph->nodes[1].name[0] = 'q';
}
static void change_value_name(struct pare_graph *graph)
{
	graph->values[1].name[0] = 'q';
}
static void change_name(struct pare_graph *graph)
{
	graph->name[0] = 'q';
}
static void change_input_order(struct pare_graph *graph)
{
	graph->nodes[2].inputs[0] = 2;
	graph->nodes[2].inputs[1] = 1;
}
static void change_operator(struct pare_graph *graph)
{
	graph->nodes[1].op = &fake_op_uncoupled;
}
static void change_output(struct pare_graph *graph)
{
	graph->output = 2;
}
static void change_shape(struct pare_graph *graph)
{
	graph->values[0].shape.dim[2] = 5;
}
static void change_params_of_node(struct pare_graph *graph)
{
	graph->nodes[0].n_params = 0;
}

static void test_graph__hash_changes_with_everything(void **state)
{
	(void)state;
	static void (*const changes[])(struct pare_graph *) = {
	        change_weight,    change_sign_of_zero, change_role,           change_param_name,  change_attribute,
	        change_node_name, change_value_name,   change_name,           change_input_order, change_operator,
	        change_output,    change_shape,        change_params_of_node,
	};
	enum { N = sizeof(changes) / sizeof(changes[0]) };
	char hashes[N + 1][PARE_HASH_TEXT_SIZE];

	for (int i = 0; i <= N; i++) {
		struct pare_graph *graph = sample();
		if (i < N)
			changes[i](graph);
		hash_of(graph, hashes[i]);
		pare_graph_free(graph);
		for (int k = 0; k < i; k++)
			if (!strcmp(hashes[k], hashes[i]))
				fail_msg("changes %d and %d give the same hash", k, i);
	}
}

static void test_graph__hash_is_repeatable(void **state)
{
	(void)state;
	struct pare_graph *a = sample(), *b = sample();
	char hash_a[PARE_HASH_TEXT_SIZE], hash_b[PARE_HASH_TEXT_SIZE];

	hash_of(a, hash_a);
	hash_of(b, hash_b);
	assert_string_equal(hash_a, hash_b);
	pare_graph_free(a);
	pare_graph_free(b);
}

static void test_graph__infer_follows_changed_attributes(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();

	((struct fake_attrs *)graph->nodes[0].attrs)->crop = 2;
	assert_int_equal(pare_graph_infer(graph, NULL), PARE_OK);
	for (int i = 1; i < 4; i++)
		assert_int_equal(graph->values[i].shape.dim[1], 4);
	pare_graph_free(graph);
}

static void break_cycle(struct pare_graph *graph)
{
	graph->nodes[0].inputs[0] = 2;
}
static void break_self(struct pare_graph *graph)
{
	graph->nodes[1].inputs[0] = 2;
}
static void break_input_range(struct pare_graph *graph)
{
	graph->nodes[1].inputs[0] = 4;
}
static void break_param_range(struct pare_graph *graph)
{
	graph->nodes[0].params[0] = 1;
}
static void break_output_range(struct pare_graph *graph)
{
	graph->nodes[1].output = -1;
}
static void break_two_writers(struct pare_graph *graph)
{
	graph->nodes[1].output = 1;
}
static void break_producer(struct pare_graph *graph)
{
	graph->values[2].producer = 2;
}
static void break_output_unset(struct pare_graph *graph)
{
	graph->output = -1;
}
static void break_output_beyond(struct pare_graph *graph)
{
	graph->output = 4;
}
static void break_input(struct pare_graph *graph)
{
	graph->input = 1;
}
static void break_node_names(struct pare_graph *graph)
{
	graph->nodes[2].name[0] = 'a';
}
static void break_value_names(struct pare_graph *graph)
{
	graph->values[3].name[0] = 'b';
}
static void break_shapes(struct pare_graph *graph)
{
	((struct fake_attrs *)graph->nodes[1].attrs)->crop = 2;
}
static void break_unmade(struct pare_graph *graph)
{
	graph->n_nodes = 2;
}

static void test_graph__infer_refuses_broken_structure(void **state)
{
	(void)state;
	static const struct {
		void (*damage)(struct pare_graph *);
		const char *says;
	} cases[] = {
	        {break_cycle, "node 'a' (fake): input 0, value 'b', is not made by an earlier node"},
	        {break_self, "node 'b' (fake): input 0, value 'b', is not made by an earlier node"},
	        {break_input_range, "node 'b' (fake): input 0 is index 4"},
	        {break_param_range, "node 'a' (fake): parameter 0 is index 1"},
	        {break_output_range, "node 'b' (fake): value -1"},
	        {break_two_writers, "node 'b' (fake): value 1"},
	        {break_producer, "node 'b' (fake): value 2"},
	        {break_output_unset, "the output is value -1"},
	        {break_output_beyond, "the output is value 4"},
	        {break_input, "value 1 cannot be its input"},
	        {break_node_names, "two nodes are called 'a'"},
	        {break_value_names, "two values are called 'b'"},
	        {break_shapes, "node 'c' (fake): inputs differ in shape"},
	        {break_unmade, "no node makes value 'c'"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pare_graph *graph = sample();
		struct pare_error error = {0};
		const int nodes = graph->n_nodes;

		cases[i].damage(graph);
		int status = pare_graph_infer(graph, &error);
		if (status != PARE_E_INVALID || !strstr(error.text, cases[i].says))
			fail_msg("case %zu: status %d, '%s' does not say '%s'", i, status, error.text, cases[i].says);
		graph->n_nodes = nodes;
		pare_graph_free(graph);
	}
}

static void test_graph__infer_refuses_two_params_of_one_name(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();
	struct pare_error error = {0};
	int param = fake_param(graph, "b.weight", 4, 0.0f);

	graph->params[param].name[0] = 'a';
	assert_int_equal(pare_graph_infer(graph, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "two parameters are called 'a.weight'"));
	pare_graph_free(graph);
}

static void test_graph__consumers_count_nodes_and_the_output(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();

	assert_int_equal(pare_graph_consumers(graph, 0), 1);
	assert_int_equal(pare_graph_consumers(graph, 1), 2);
	assert_int_equal(pare_graph_consumers(graph, 2), 1);
	assert_int_equal(pare_graph_consumers(graph, 3), 1);
	/* x + x is one reader */
	int twice = fake_add(graph, "twice", 3, 3, -1);
	assert_int_equal(pare_graph_consumers(graph, 3), 2);
	assert_int_equal(pare_graph_consumers(graph, twice), 0);
	pare_graph_free(graph);
}

static void test_graph__totals(void **state)
{
	(void)state;
	struct pare_graph *graph = sample();
	const struct pare_shape weight = {.rank = 4, .dim = {2, 3, 5, 7}}, vector = pare_shape_vector(10);
	int param;

	((struct fake_attrs *)graph->nodes[0].attrs)->macs_per_pixel = 10;
	((struct fake_attrs *)graph->nodes[2].attrs)->macs_per_pixel = 1;
	assert_int_equal(pare_node_macs(graph, &graph->nodes[0]), 10 * 4 * 6 * 6);
	assert_int_equal(pare_graph_macs(graph), 11 * 4 * 6 * 6);
	graph->nodes[0].op = &fake_op_uncoupled; /* has no macs function */
	assert_int_equal(pare_graph_macs(graph), 4 * 6 * 6);

	assert_int_equal(pare_graph_parameters(graph), 4);
	assert_int_equal(pare_graph_add_param(graph, "w", PARE_PARAM_WEIGHT, &weight, NULL, &param, NULL), PARE_OK);
	assert_int_equal(pare_graph_add_param(graph, "b", PARE_PARAM_BIAS, &vector, NULL, &param, NULL), PARE_OK);
	assert_int_equal(pare_graph_add_param(graph, "s", PARE_PARAM_BN_SHIFT, &vector, NULL, &param, NULL), PARE_OK);
	assert_int_equal(pare_graph_add_param(graph, "m", PARE_PARAM_BN_MEAN, &vector, NULL, &param, NULL), PARE_OK);
	assert_int_equal(pare_graph_add_param(graph, "v", PARE_PARAM_BN_VAR, &vector, NULL, &param, NULL), PARE_OK);
	assert_int_equal(pare_graph_parameters(graph), 4 + 210 + 10 + 10);
	assert_int_equal(pare_graph_bytes(graph), 4 * (4 + 210 + 10 + 10 + 10 + 10));
	pare_graph_free(graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_graph__nodes_get_shapes_values_and_names),
	        cmocka_unit_test(test_graph__new_refuses_bad_shapes),
	        cmocka_unit_test(test_graph__refused_node_is_named_and_graph_unchanged),
	        cmocka_unit_test(test_graph__taken_names_get_a_suffix),
	        cmocka_unit_test(test_graph__a_suffix_that_is_taken_is_passed_over),
	        cmocka_unit_test(test_graph__output_name_is_used),
	        cmocka_unit_test(test_graph__params_are_copied_or_zero),
	        cmocka_unit_test(test_graph__params_of_bad_shape_are_refused),
	        cmocka_unit_test(test_graph__copy_is_equal_and_deep),
	        cmocka_unit_test(test_graph__hash_changes_with_everything),
	        cmocka_unit_test(test_graph__hash_is_repeatable),
	        cmocka_unit_test(test_graph__infer_follows_changed_attributes),
	        cmocka_unit_test(test_graph__infer_refuses_broken_structure),
	        cmocka_unit_test(test_graph__infer_refuses_two_params_of_one_name),
	        cmocka_unit_test(test_graph__consumers_count_nodes_and_the_output),
	        cmocka_unit_test(test_graph__totals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
