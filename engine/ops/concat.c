/*
 *     y = the inputs one after the other along one dimension       dx_i = the input's share of dy
 *
 * One or more inputs of one rank that agree in every other dimension. No parameters.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/strided.h"

static int axis_of(const struct pare_node *node)
{
	const struct pare_concat *attrs = node->attrs;
	return attrs->axis;
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_shape *first = pare_node_input_shape(graph, node, 0);
	const int axis = axis_of(node);
	int64_t size = 0;

	if (axis < 0 || axis >= first->rank)
		return pare_error_set(error, PARE_E_INVALID, "joins along dimension %d; allowed are 0 to %d", axis,
		                      first->rank - 1);
	for (int i = 0; i < node->n_inputs; i++) {
		const struct pare_shape *in = pare_node_input_shape(graph, node, i);
		struct pare_shape expected = *first;
		char text[64], text_first[64];

		expected.dim[axis] = in->dim[axis];
		if (!pare_shape_equal(in, &expected))
			return pare_error_set(error, PARE_E_INVALID,
			                      "input %d is %s, input 0 is %s; only dimension %d may differ", i,
			                      pare_shape_text(in, text, sizeof(text)),
			                      pare_shape_text(first, text_first, sizeof(text_first)), axis);
		size += in->dim[axis];
	}
	if (size > PARE_MAX_DIMENSION)
		return pare_error_set(error, PARE_E_LIMIT, "%lld channels; one dimension holds at most %d",
		                      (long long)size, PARE_MAX_DIMENSION);
	*out = *first;
	out->dim[axis] = size;
	return PARE_OK;
}

/* first: where the input begins in the output, along the axis. */
static struct pare_box box_of(const struct pare_op_args *args, int input, int64_t first)
{
	const struct pare_shape *in = pare_node_input_shape(args->graph, args->node, input);
	struct pare_box box = {.rank = in->rank};

	memcpy(box.size, in->dim, sizeof(box.size));
	pare_box_steps(in, box.in_step);
	pare_box_steps(pare_node_output_shape(args->graph, args->node), box.out_step);
	box.out_start = first * box.out_step[axis_of(args->node)];
	return box;
}

static void forward(const struct pare_op_args *args)
{
	int64_t first = 0;

	for (int i = 0; i < args->node->n_inputs; i++) {
		struct pare_box box = box_of(args, i, first);
		pare_box_forward(args->pool, &box, &args->in[i], &args->out);
		first += box.size[axis_of(args->node)];
	}
}

/* Input by input: the same value may be there twice, and then adds to itself. */
static void backward(const struct pare_op_args *args)
{
	int64_t first = 0;

	for (int i = 0; i < args->node->n_inputs; i++) {
		struct pare_box box = box_of(args, i, first);
		if (args->din[i].data)
			pare_box_backward(args->pool, &box, &args->dout, &args->din[i], args->din_accumulate[i]);
		first += box.size[axis_of(args->node)];
	}
}

/* The axis itself. What cannot be cut in one input gets atoms that cannot, if another input has some that can. */
static int couple_axis(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const int axis = axis_of(node);
	int *atoms = pare_calloc((size_t)pare_node_output_shape(graph, node)->dim[axis], sizeof(*atoms));
	int64_t first = 0;
	int status = atoms ? PARE_OK : PARE_E_NOMEM;
	bool any = false;

	for (int i = 0; i < node->n_inputs; i++)
		any |= pare_channel_map_value(map, node->inputs[i], axis) != NULL;
	for (int i = 0; i < node->n_inputs && any && status == PARE_OK; i++) {
		const int *in = pare_channel_map_value(map, node->inputs[i], axis);
		int64_t size = pare_node_input_shape(graph, node, i)->dim[axis];
		if (in)
			memcpy(atoms + first, in, sizeof(*atoms) * (size_t)size);
		else
			status = pare_channel_map_new_atoms(map, size, atoms + first);
		for (int64_t c = 0; c < size && !in && status == PARE_OK; c++)
			pare_channel_map_freeze(map, atoms[first + c], "not channels of a layer");
		first += size;
	}
	if (status == PARE_OK)
		status = pare_channel_map_set_value(map, node->output, axis, any ? atoms : NULL);
	free(atoms);
	return status;
}

/* Another dimension: all inputs have it in common. */
static int couple_across(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                         int d)
{
	const int *atoms = pare_channel_map_value(map, node->inputs[0], d);

	for (int i = 1; i < node->n_inputs; i++) {
		const int *other = pare_channel_map_value(map, node->inputs[i], d);
		pare_channel_map_unite_all(map, atoms, other, pare_node_output_shape(graph, node)->dim[d],
		                           "joined with what cannot be cut");
		atoms = atoms && other ? atoms : NULL;
	}
	return pare_channel_map_set_value(map, node->output, d, atoms);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	int status = couple_axis(map, graph, node);

	for (int d = 0; d < pare_node_output_shape(graph, node)->rank && status == PARE_OK; d++)
		if (d != axis_of(node))
			status = couple_across(map, graph, node, d);
	return status;
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	if (axis_of(node) != 0)
		pare_strbuf_printf(text, "a%d", axis_of(node));
}

const struct pare_op pare_op_concat = {
        .name = "concat",
        .attrs_bytes = sizeof(struct pare_concat),
        .min_inputs = 1,
        .max_inputs = -1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
