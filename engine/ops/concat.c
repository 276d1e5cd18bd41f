/*
 *     y = the inputs' channels one after the other       dx_i = the input's share of dy
 *
 * One or more inputs that agree in everything but channels. No attributes, no parameters.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "engine/ops/planes.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_shape *first = pare_node_input_shape(graph, node, 0);
	int64_t channels = 0;

	for (int i = 0; i < node->n_inputs; i++) {
		const struct pare_shape *in = pare_node_input_shape(graph, node, i);
		struct pare_shape expected = *first;
		char text[64], text_first[64];

		expected.dim[0] = in->dim[0];
		if (!pare_shape_equal(in, &expected))
			return pare_error_set(error, PARE_E_INVALID,
			                      "input %d is %s, input 0 is %s; only channels may differ", i,
			                      pare_shape_text(in, text, sizeof(text)),
			                      pare_shape_text(first, text_first, sizeof(text_first)));
		channels += in->dim[0];
	}
	if (channels > PARE_MAX_DIMENSION)
		return pare_error_set(error, PARE_E_LIMIT, "%lld channels; one dimension holds at most %d",
		                      (long long)channels, PARE_MAX_DIMENSION);
	*out = *first;
	out->dim[0] = channels;
	return PARE_OK;
}

/* One input of one block lies in one piece in the output, too. */
struct work {
	const struct pare_op_args *args;
	int input;
	int64_t first_channel; /* in the output */
};

static void forward_block(void *context, int64_t block, int worker)
{
	const struct work *work = context;
	const struct pare_tensor *in = &work->args->in[work->input], *out = &work->args->out;
	int64_t size = pare_tensor_block_size(in);

	(void)worker;
	memcpy(out->data + block * pare_tensor_block_size(out) + work->first_channel * pare_plane_floats(out),
	       in->data + block * size, sizeof(float) * (size_t)size);
}

static void backward_block(void *context, int64_t block, int worker)
{
	const struct work *work = context;
	const struct pare_tensor *din = &work->args->din[work->input], *dout = &work->args->dout;
	int64_t size = pare_tensor_block_size(din);

	(void)worker;
	pare_activation_backward(
	        NULL, dout->data + block * pare_tensor_block_size(dout) + work->first_channel * pare_plane_floats(dout),
	        din->data + block * size, size, PARE_ACTIVATION_NONE, work->args->din_accumulate[work->input]);
}

static void forward(const struct pare_op_args *args)
{
	struct work work = {.args = args};

	for (; work.input < args->node->n_inputs; work.input++) {
		pare_pool_for(args->pool, pare_tensor_blocks(&args->out), forward_block, &work);
		work.first_channel += args->in[work.input].shape.dim[0];
	}
}

/* Input by input: the same value may be there twice, and then adds to itself. */
static void backward(const struct pare_op_args *args)
{
	struct work work = {.args = args};

	for (; work.input < args->node->n_inputs; work.input++) {
		if (args->din[work.input].data)
			pare_pool_for(args->pool, pare_tensor_blocks(&args->dout), backward_block, &work);
		work.first_channel += pare_node_input_shape(args->graph, args->node, work.input)->dim[0];
	}
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	int *atoms = pare_calloc((size_t)pare_node_output_shape(graph, node)->dim[0], sizeof(*atoms));
	int64_t first = 0;
	int status;

	if (!atoms)
		return PARE_E_NOMEM;
	for (int i = 0; i < node->n_inputs; i++) {
		int64_t channels = pare_node_input_shape(graph, node, i)->dim[0];
		memcpy(atoms + first, pare_channel_map_value(map, node->inputs[i]), sizeof(*atoms) * (size_t)channels);
		first += channels;
	}
	status = pare_channel_map_set_value(map, node->output, atoms);
	free(atoms);
	return status;
}

const struct pare_op pare_op_concat = {
        .name = "concat",
        .min_inputs = 1,
        .max_inputs = -1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
};
