/*
 *     y[begin[0] + i][begin[1] + j]... = x[i][j]..., 0 elsewhere       dx[i][j]... = dy at the same place
 *
 * Any rank, no parameters. Padding channels is how an option-A shortcut (He et al., CVPR 2016, section 3.3) widens its
 * input; the new channels are atoms of their own, so a cut may take some of them: slim counts what is left on either
 * side.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/strided.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_pad *attrs = node->attrs;
	char text[128];

	*out = *pare_node_input_shape(graph, node, 0);
	for (int d = 0; d < PARE_MAX_RANK; d++) {
		if (attrs->begin[d] < 0 || attrs->end[d] < 0)
			return pare_error_set(error, PARE_E_INVALID,
			                      "pads dimension %d by %d,%d; amounts must be at least 0", d,
			                      attrs->begin[d], attrs->end[d]);
		if (d >= out->rank && (attrs->begin[d] || attrs->end[d]))
			return pare_error_set(error, PARE_E_INVALID, "pads dimension %d; the input has %d dimensions",
			                      d, out->rank);
		if (d < out->rank)
			out->dim[d] += (int64_t)attrs->begin[d] + attrs->end[d];
	}
	if (!pare_shape_valid(out))
		return pare_error_set(error, PARE_E_LIMIT, "the padded shape %s is too large",
		                      pare_shape_text(out, text, sizeof(text)));
	return PARE_OK;
}

static struct pare_box box_of(const struct pare_op_args *args)
{
	const struct pare_pad *attrs = args->node->attrs;
	const struct pare_shape *in = pare_node_input_shape(args->graph, args->node, 0);
	struct pare_box box = {.rank = in->rank};

	pare_box_steps(in, box.in_step);
	pare_box_steps(pare_node_output_shape(args->graph, args->node), box.out_step);
	for (int d = 0; d < in->rank; d++) {
		box.size[d] = in->dim[d];
		box.out_start += attrs->begin[d] * box.out_step[d];
	}
	return box;
}

static void forward(const struct pare_op_args *args)
{
	struct pare_box box = box_of(args);

	pare_tensor_clear(args->pool, &args->out);
	pare_box_forward(args->pool, &box, &args->in[0], &args->out);
}

static void backward(const struct pare_op_args *args)
{
	struct pare_box box = box_of(args);
	if (args->din[0].data)
		pare_box_backward(args->pool, &box, &args->dout, &args->din[0], args->din_accumulate[0]);
}

static int couple_dimension(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                            int d)
{
	const struct pare_pad *attrs = node->attrs;
	const int *in = pare_channel_map_value(map, node->inputs[0], d);
	int64_t size = pare_node_input_shape(graph, node, 0)->dim[d], begin = attrs->begin[d], end = attrs->end[d];
	int *atoms;
	int status;

	if (!in || begin + end == 0)
		return pare_channel_map_set_value(map, node->output, d, in);
	atoms = pare_calloc((size_t)(begin + size + end), sizeof(*atoms));
	if (!atoms)
		return PARE_E_NOMEM;
	memcpy(atoms + begin, in, sizeof(*atoms) * (size_t)size);
	status = pare_channel_map_new_atoms(map, begin, atoms);
	if (status == PARE_OK)
		status = pare_channel_map_new_atoms(map, end, atoms + begin + size);
	if (status == PARE_OK)
		status = pare_channel_map_set_value(map, node->output, d, atoms);
	free(atoms);
	return status;
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	int status = PARE_OK;

	for (int d = 0; d < pare_node_output_shape(graph, node)->rank && status == PARE_OK; d++)
		status = couple_dimension(map, graph, node, d);
	return status;
}

static void slim(void *attributes, const struct pare_channel_keep *in, int n_inputs,
                 const struct pare_channel_keep *out)
{
	struct pare_pad *attrs = attributes;

	(void)n_inputs;
	for (int d = 0; d < out->rank; d++) {
		int64_t begin = attrs->begin[d];
		if (!out->dim[d].kept)
			continue;
		attrs->begin[d] = pare_dim_keep_count(&out->dim[d], 0, begin);
		attrs->end[d] = pare_dim_keep_count(&out->dim[d], begin + in[0].dim[d].size, out->dim[d].size);
	}
}

/* Dimension 0 holds the channels nearly always; its amounts are counts. */
static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_pad *attrs = node->attrs;
	pare_strbuf_printf(text, "p%d,%d,%d,%d", attrs->begin[1], attrs->begin[2], attrs->end[1], attrs->end[2]);
}

const struct pare_op pare_op_pad = {
        .name = "pad",
        .attrs_bytes = sizeof(struct pare_pad),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .slim = slim,
        .describe = describe,
};
