/* Names of the file in one sorted table, and the nodes the output needs in an order in which producers come first. */
#include <stdlib.h>
#include <string.h>

#include "engine/io/onnx_import.h"

#define NAME_BYTES_MAX 4096

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pare_onnx_value *)a)->name, ((const struct pare_onnx_value *)b)->name);
}

static int find_by_name(const void *key, const void *value)
{
	return strcmp(key, ((const struct pare_onnx_value *)value)->name);
}

struct pare_onnx_value *pare_onnx_value_find(const struct pare_onnx_import *import, const char *name)
{
	return bsearch(name, import->values, import->n_values, sizeof(*import->values), find_by_name);
}

/* Names go into messages, tables and other files: no control characters, no endless ones. */
static int check_name(struct pare_onnx_import *import, const char *name)
{
	size_t length = strlen(name);
	if (length > NAME_BYTES_MAX)
		return pare_error_set(import->error, PARE_E_LIMIT, "a name of %zu bytes; at most %d are allowed",
		                      length, NAME_BYTES_MAX);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return pare_error_set(import->error, PARE_E_FORMAT,
			                      "a name has the control character 0x%02x at its byte %zu",
			                      (unsigned char)name[i], i + 1);
	return PARE_OK;
}

static int check_node_names(struct pare_onnx_import *import, const Onnx__NodeProto *node)
{
	int status = PARE_OK;
	if (node->name)
		status = check_name(import, node->name);
	if (!status && node->op_type)
		status = check_name(import, node->op_type);
	if (!status && node->domain)
		status = check_name(import, node->domain);
	for (size_t i = 0; !status && i < node->n_input; i++)
		status = check_name(import, node->input[i]);
	for (size_t i = 0; !status && i < node->n_output; i++)
		status = check_name(import, node->output[i]);
	return status;
}

static void add_value(struct pare_onnx_import *import, const char *name, const Onnx__TensorProto *initializer,
                      int producer)
{
	import->values[import->n_values++] = (struct pare_onnx_value){
	        .name = name, .initializer = initializer, .producer = producer, .value = -1, .param = -1};
}

static int collect_initializers(struct pare_onnx_import *import)
{
	for (size_t i = 0; i < import->proto->n_initializer; i++) {
		const Onnx__TensorProto *tensor = import->proto->initializer[i];
		if (!tensor->name || !*tensor->name)
			return pare_error_set(import->error, PARE_E_FORMAT, "initializer %zu has no name", i);
		int status = check_name(import, tensor->name);
		if (status)
			return status;
		add_value(import, tensor->name, tensor, -1);
	}
	return PARE_OK;
}

static int collect_outputs(struct pare_onnx_import *import)
{
	for (size_t i = 0; i < import->proto->n_node; i++) {
		const Onnx__NodeProto *node = import->proto->node[i];
		int status = check_node_names(import, node);
		if (status)
			return status;
		for (size_t j = 0; j < node->n_output; j++)
			if (*node->output[j])
				add_value(import, node->output[j], NULL, (int)i);
	}
	return PARE_OK;
}

static int collect_values(struct pare_onnx_import *import, const char *input)
{
	size_t capacity = 1 + import->proto->n_initializer;
	for (size_t i = 0; i < import->proto->n_node; i++)
		capacity += import->proto->node[i]->n_output;
	import->values = pare_onnx_take(import, capacity, sizeof(*import->values));
	if (!import->values)
		return import->arena.status;
	int status = check_name(import, input);
	if (status)
		return status;
	add_value(import, input, NULL, -1);
	status = collect_initializers(import);
	if (!status)
		status = collect_outputs(import);
	if (status)
		return status;
	qsort(import->values, import->n_values, sizeof(*import->values), by_name);
	for (size_t i = 1; i < import->n_values; i++)
		if (strcmp(import->values[i - 1].name, import->values[i].name) == 0)
			return pare_error_set(import->error, PARE_E_FORMAT, "the name '%.100s' is given to two values",
			                      import->values[i].name);
	return PARE_OK;
}

static int link_inputs(struct pare_onnx_import *import)
{
	size_t n_nodes = import->proto->n_node, total = 0;
	for (size_t i = 0; i < n_nodes; i++)
		total += import->proto->node[i]->n_input;
	import->first_input = pare_onnx_take(import, n_nodes + 1, sizeof(*import->first_input));
	import->inputs = import->first_input ? pare_onnx_take(import, total, sizeof(*import->inputs)) : NULL;
	if (!import->inputs)
		return import->arena.status;
	size_t next = 0;
	for (size_t i = 0; i < n_nodes; i++) {
		const Onnx__NodeProto *node = import->proto->node[i];
		import->first_input[i] = next;
		for (size_t j = 0; j < node->n_input; j++, next++) {
			if (!*node->input[j])
				continue;
			import->inputs[next] = pare_onnx_value_find(import, node->input[j]);
			if (!import->inputs[next])
				return pare_error_set(
				        import->error, PARE_E_FORMAT,
				        "node '%.100s' (%.40s) reads '%.100s', which no node, initializer or "
				        "input of the graph gives",
				        node->name ? node->name : "", node->op_type ? node->op_type : "",
				        node->input[j]);
		}
	}
	import->first_input[n_nodes] = next;
	return PARE_OK;
}

struct frame {
	int node;
	size_t next; /* input to look at next */
};

enum mark { UNSEEN, OPEN, DONE };

/* Depth first from the output's producer, with a stack of our own: order gets each node after its producers. */
static int visit(struct pare_onnx_import *import, int root, struct frame *stack, unsigned char *marks)
{
	int depth = 0;
	stack[depth++] = (struct frame){root, import->first_input[root]};
	marks[root] = OPEN;
	while (depth > 0) {
		struct frame *top = &stack[depth - 1];
		if (top->next == import->first_input[top->node + 1]) {
			marks[top->node] = DONE;
			import->order[import->n_order++] = top->node;
			depth--;
			continue;
		}
		struct pare_onnx_value *input = import->inputs[top->next++];
		if (!input)
			continue;
		input->readers++;
		if (input->producer < 0 || marks[input->producer] == DONE)
			continue;
		if (marks[input->producer] == OPEN)
			return pare_error_set(import->error, PARE_E_FORMAT, "the graph has a cycle through '%.100s'",
			                      input->name);
		marks[input->producer] = OPEN;
		stack[depth++] = (struct frame){input->producer, import->first_input[input->producer]};
	}
	return PARE_OK;
}

/* Most files are in order already; then theirs is kept, for it is what people see in other tools. */
static void prefer_file_order(struct pare_onnx_import *import, const unsigned char *marks)
{
	for (int i = 0; i < import->n_order; i++) {
		int node = import->order[i];
		for (size_t j = import->first_input[node]; j < import->first_input[node + 1]; j++)
			if (import->inputs[j] && import->inputs[j]->producer >= node)
				return;
	}
	import->n_order = 0;
	for (size_t i = 0; i < import->proto->n_node; i++)
		if (marks[i] == DONE)
			import->order[import->n_order++] = (int)i;
}

int pare_onnx_order(struct pare_onnx_import *import, const char *input, const char *output)
{
	size_t n_nodes = import->proto->n_node;
	if (n_nodes > PARE_ONNX_MAX_FILE_NODES)
		return pare_error_set(import->error, PARE_E_LIMIT, "%zu nodes; at most %d are supported", n_nodes,
		                      PARE_ONNX_MAX_FILE_NODES);
	int status = check_name(import, output);
	if (!status)
		status = collect_values(import, input);
	if (!status)
		status = link_inputs(import);
	if (status)
		return status;
	struct pare_onnx_value *end = pare_onnx_value_find(import, output);
	if (!end || end->producer < 0)
		return pare_error_set(import->error, PARE_E_FORMAT, "no node gives the graph's output '%.100s'",
		                      output);
	struct frame *stack = pare_onnx_take(import, n_nodes, sizeof(*stack));
	unsigned char *marks = stack ? pare_onnx_take(import, n_nodes, sizeof(*marks)) : NULL;
	import->order = marks ? pare_onnx_take(import, n_nodes, sizeof(*import->order)) : NULL;
	if (!import->order)
		return import->arena.status;
	end->readers++;
	status = visit(import, end->producer, stack, marks);
	if (!status)
		prefer_file_order(import, marks);
	return status;
}
