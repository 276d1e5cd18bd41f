/* Spelt-out functions: the exact spelling becomes one operator, anything else stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/io/onnx.h"
#include "engine/ops/builders.h"
#include "tests/support/onnx_fixture.h"

static const int64_t images[] = {-1, 6, 4, 5};

static void open_file(struct onnx_fixture *file)
{
	onnx_fixture_init(file, 13);
	onnx_fixture_input(file, "x", 4, images);
	onnx_fixture_output(file, "y");
}

static void number(struct onnx_fixture *file, const char *name, float value)
{
	onnx_fixture_floats(file, name, 0, NULL, &value);
}

/* The file has become this one operator called `name`; NULL: it has not become `op`. */
static struct pare_graph *expect(struct onnx_fixture *file, const struct pare_op *op, const char *name)
{
	struct pare_graph *graph = onnx_fixture_read(file);
	if (!name) {
		assert_true(graph->n_nodes > 1);
		for (int i = 0; i < graph->n_nodes; i++)
			assert_ptr_not_equal(graph->nodes[i].op, op);
		return graph;
	}
	assert_int_equal(graph->n_nodes, 1);
	assert_int_equal(graph->n_values, 2);
	assert_ptr_equal(graph->nodes[0].op, op);
	assert_string_equal(graph->nodes[0].name, name);
	assert_string_equal(graph->values[graph->output].name, "y");
	assert_int_equal(graph->nodes[0].inputs[0], graph->input);
	return graph;
}

static void test_onnx_merge__silu(void **state)
{
	(void)state;
	static const struct {
		const char *inputs;
		bool merges;
	} cases[] = {{"x s", true}, {"s x", true}, {"s s", false}};
	for (size_t i = 0; i < 3; i++) {
		struct onnx_fixture file;
		open_file(&file);
		onnx_fixture_node(&file, "Sigmoid", "sigmoid", "x", "s");
		onnx_fixture_node(&file, "Mul", "mul", cases[i].inputs, "y");
		pare_graph_free(expect(&file, &pare_op_silu, cases[i].merges ? "mul" : NULL));
	}
}

/* Squeeze-and-excitation's gate is of another value. */
static void test_onnx_merge__a_gate_of_another_value_stays(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file);
	onnx_fixture_node(&file, "GlobalAveragePool", "mean", "x", "m");
	onnx_fixture_node(&file, "Sigmoid", "sigmoid", "m", "s");
	onnx_fixture_node(&file, "Mul", "mul", "x s", "y");
	pare_graph_free(expect(&file, &pare_op_silu, NULL));
}

static void test_onnx_merge__what_somebody_else_reads_stays(void **state)
{
	(void)state;
	struct onnx_fixture file;
	open_file(&file);
	onnx_fixture_node(&file, "Sigmoid", "sigmoid", "x", "s");
	onnx_fixture_node(&file, "Mul", "mul", "x s", "m");
	onnx_fixture_node(&file, "Add", "add", "m s", "y");
	pare_graph_free(expect(&file, &pare_op_silu, NULL));
}

static void test_onnx_merge__hard_swish(void **state)
{
	(void)state;
	static const float numbers[][2] = {{1.0f / 6.0f, 0.5f}, {0.2f, 0.5f}, {1.0f / 6.0f, 0.4f}};
	for (size_t i = 0; i < 3; i++) {
		struct onnx_fixture file;
		open_file(&file);
		onnx_fixture_node(&file, "HardSigmoid", "gate", "x", "s");
		onnx_fixture_attr_float(&file, "alpha", numbers[i][0]);
		onnx_fixture_attr_float(&file, "beta", numbers[i][1]);
		onnx_fixture_node(&file, "Mul", "mul", "x s", "y");
		pare_graph_free(expect(&file, &pare_op_hard_swish, i == 0 ? "mul" : NULL));
	}
}

/* The factor 1/2 behind, at x, or at x on the other side; then with a number that is another. */
static void test_onnx_merge__gelu(void **state)
{
	(void)state;
	for (int how = 0; how < 6; how++) {
		struct onnx_fixture file;
		open_file(&file);
		number(&file, "root", how == 3 ? 1.5f : 1.41421356f);
		number(&file, "one", how == 4 ? 1.1f : 1);
		number(&file, "half", how == 5 ? 0.25f : 0.5f);
		onnx_fixture_node(&file, "Div", "div", "x root", "d");
		onnx_fixture_node(&file, "Erf", "erf", "d", "e");
		onnx_fixture_node(&file, "Add", "add", "one e", "a");
		if (how == 1 || how == 2) {
			onnx_fixture_node(&file, "Mul", "mul", "x half", "h");
			onnx_fixture_node(&file, "Mul", "last", how == 1 ? "h a" : "a h", "y");
		} else {
			onnx_fixture_node(&file, "Mul", "mul", how == 3 ? "a x" : "x a", "h");
			onnx_fixture_node(&file, "Mul", "last", "half h", "y");
		}
		pare_graph_free(expect(&file, &pare_op_gelu, how < 3 ? "last" : NULL));
	}
}

enum { FINE, SQUARE_BY_MUL, OTHER_POWER, OTHER_AXIS, OTHER_VARIANCE_AXIS, OTHER_VECTOR, NO_SHIFT, READ_TWICE };

static void layer_norm(struct onnx_fixture *file, int how)
{
	const int64_t axis = how == OTHER_AXIS ? 2 : 1, variance_axis = how == OTHER_VARIANCE_AXIS ? 2 : axis;
	const int64_t vector[3] = {how == OTHER_VECTOR ? 1 : 6, 1, how == OTHER_VECTOR ? 5 : 1};
	open_file(file);
	number(file, "two", how == OTHER_POWER ? 4 : 2);
	number(file, "epsilon", 0.125f);
	onnx_fixture_floats(file, "w", 3, vector, NULL);
	onnx_fixture_floats(file, "b", 3, vector, NULL);
	onnx_fixture_node(file, "ReduceMean", "mean", "x", "m");
	onnx_fixture_attr_ints(file, "axes", 1, &axis);
	onnx_fixture_node(file, "Sub", "sub", "x m", "d");
	onnx_fixture_node(file, how == SQUARE_BY_MUL ? "Mul" : "Pow", "pow", how == SQUARE_BY_MUL ? "d d" : "d two",
	                  "p");
	onnx_fixture_node(file, "ReduceMean", "variance", "p", "v");
	onnx_fixture_attr_ints(file, "axes", 1, &variance_axis);
	onnx_fixture_node(file, "Add", "add", "v epsilon", "a");
	onnx_fixture_node(file, "Sqrt", "sqrt", "a", "s");
	onnx_fixture_node(file, "Div", "div", "d s", "q");
	onnx_fixture_node(file, "Mul", "scale", "q w", how == NO_SHIFT ? "y" : "z");
	if (how != NO_SHIFT)
		onnx_fixture_node(file, "Add", "shift", "z b", how == READ_TWICE ? "t" : "y");
	if (how == READ_TWICE)
		onnx_fixture_node(file, "Add", "again", "t d", "y");
}

static void test_onnx_merge__layer_norm(void **state)
{
	(void)state;
	for (int how = FINE; how <= SQUARE_BY_MUL; how++) {
		struct onnx_fixture file;
		layer_norm(&file, how);
		struct pare_graph *graph = expect(&file, &pare_op_layer_norm, "scale");
		const struct pare_layer_norm *attrs = graph->nodes[0].attrs;
		assert_int_equal(attrs->axis, 0);
		assert_true(attrs->epsilon == 0.125f);
		assert_int_equal(graph->nodes[0].n_params, 2);
		assert_int_equal(graph->n_params, 2);
		assert_string_equal(graph->params[graph->nodes[0].params[0]].name, "w");
		assert_string_equal(graph->params[graph->nodes[0].params[1]].name, "b");
		assert_true(graph->params[1].data[5] == 0.01f * 6);
		pare_graph_free(graph);
	}
}

static void test_onnx_merge__other_layer_norms_stay(void **state)
{
	(void)state;
	for (int how = OTHER_POWER; how <= READ_TWICE; how++) {
		struct onnx_fixture file;
		layer_norm(&file, how);
		pare_graph_free(expect(&file, &pare_op_layer_norm, NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_onnx_merge__silu),
	        cmocka_unit_test(test_onnx_merge__a_gate_of_another_value_stays),
	        cmocka_unit_test(test_onnx_merge__what_somebody_else_reads_stays),
	        cmocka_unit_test(test_onnx_merge__hard_swish),
	        cmocka_unit_test(test_onnx_merge__gelu),
	        cmocka_unit_test(test_onnx_merge__layer_norm),
	        cmocka_unit_test(test_onnx_merge__other_layer_norms_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
