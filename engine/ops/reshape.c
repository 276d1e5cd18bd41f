/*
 *     y = x's elements in the same order, under another shape
 *
 * A view: with lanes innermost, the elements of one image already lie in this order. No parameters.
 *
 * Channels. The dimensions of input and output fall into *runs* with the same number of elements: {2, C/2, H, W} ->
 * {C, H, W} is {2, C/2} -> {C}, {H} -> {H}, {W} -> {W}. Within a run one input dimension may have atoms (two freeze
 * each other), so each element of the run has one. In the output one dimension of the run, the *carrier*, gets them:
 * the largest of those along which they differ, the last of equals. Along the others they are united: {C} -> {2, C/2}
 * makes one of channel c and channel c + C/2, so that a cut leaves a box, as a channel shuffle (Zhang et al., CVPR
 * 2018) needs.
 *
 * After a cut the sizes may suggest other runs ({2, 1, H} -> {2, H}) or another carrier: slim writes down what they
 * were.
 */
#include "engine/ops/reshape.h"

#include <stdlib.h>

#include "engine/base/memory.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_reshape *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	char from[128], to[128];

	*out = (struct pare_shape){.rank = attrs->rank};
	for (int d = 0; d < attrs->rank && d < PARE_MAX_RANK; d++)
		out->dim[d] = attrs->dim[d];
	if (out->rank < 1 || !pare_shape_valid(out) || pare_shape_elements(out) != pare_shape_elements(in))
		return pare_error_set(
		        error, PARE_E_INVALID, "from %s to %s: both need as many elements, in 1 to %d dimensions",
		        pare_shape_text(in, from, sizeof(from)), pare_shape_text(out, to, sizeof(to)), PARE_MAX_RANK);
	return PARE_OK;
}

/* A run: dimensions in_begin ... in_end - 1 of the input and out_begin ... out_end - 1 of the output. */
struct run {
	int in_begin, in_end, out_begin, out_end;
};

static int next_start(unsigned starts, int d, int rank)
{
	do
		d++;
	while (d < rank && !(starts >> d & 1));
	return d < rank ? d : rank;
}

/* The run behind `run`, as small as can be; products meet since both shapes have as many elements. What is left of one
 * shape when the other is used up are ones, and belongs to the last run. */
static struct run next_run(const struct pare_reshape *attrs, const struct run *run, const struct pare_shape *in,
                           const struct pare_shape *out)
{
	struct run next = {run->in_end, run->in_end, run->out_end, run->out_end};

	if (attrs->decided) {
		next.in_end = next_start((unsigned)attrs->in_starts, next.in_begin, in->rank);
		next.out_end = next_start((unsigned)attrs->out_starts, next.out_begin, out->rank);
		return next;
	}
	int64_t in_elements = in->dim[next.in_end++], out_elements = out->dim[next.out_end++];
	while (in_elements != out_elements) {
		if (in_elements < out_elements)
			in_elements *= in->dim[next.in_end++];
		else
			out_elements *= out->dim[next.out_end++];
	}
	if (next.in_end == in->rank || next.out_end == out->rank) {
		next.in_end = in->rank;
		next.out_end = out->rank;
	}
	return next;
}

static int64_t product(const struct pare_shape *shape, int begin, int end)
{
	int64_t elements = 1;
	for (int d = begin; d < end; d++)
		elements *= shape->dim[d];
	return elements;
}

/* The atom of every element of one run. */
struct elements {
	struct pare_channel_map *map;
	const int *atoms;
	int64_t size, inner; /* of the input dimension that has them; elements behind it */
	int64_t count;
};

static int atom_at(const struct elements *e, int64_t i)
{
	return e->atoms[i / e->inner % e->size];
}

/* Where element i would be if its index along a dimension (with `step` elements a step) were 0. */
static int64_t without(int64_t i, int64_t step, int64_t size)
{
	return i - i / step % size * step;
}

static bool differ_along(const struct elements *e, int64_t step, int64_t size)
{
	for (int64_t i = 0; i < e->count; i++)
		if (pare_channel_map_find(e->map, atom_at(e, i)) !=
		    pare_channel_map_find(e->map, atom_at(e, without(i, step, size))))
			return true;
	return false;
}

static int find_carrier(const struct pare_reshape *attrs, const struct elements *e, const struct run *run,
                        const struct pare_shape *out)
{
	int carrier = run->out_end - 1;
	int64_t largest = 0;

	for (int d = run->out_begin; d < run->out_end; d++) {
		int64_t step = product(out, d + 1, run->out_end);
		if (attrs->decided && (attrs->carriers >> d & 1))
			return d;
		if (!attrs->decided && out->dim[d] >= largest && differ_along(e, step, out->dim[d])) {
			carrier = d;
			largest = out->dim[d];
		}
	}
	return carrier;
}

static int couple_run(struct elements *e, const struct pare_reshape *attrs, const struct run *run, int value,
                      const struct pare_shape *out)
{
	const int carrier = find_carrier(attrs, e, run, out);
	const int64_t step = product(out, carrier + 1, run->out_end), size = out->dim[carrier];
	int *atoms = pare_calloc((size_t)size, sizeof(*atoms));
	int status;

	if (!atoms)
		return PARE_E_NOMEM;
	for (int64_t c = 0; c < size; c++)
		atoms[c] = atom_at(e, c * step);
	for (int64_t i = 0; i < e->count; i++)
		pare_channel_map_unite(e->map, atoms[i / step % size], atom_at(e, i));
	status = pare_channel_map_set_value(e->map, value, carrier, atoms);
	free(atoms);
	return status;
}

/* The input dimension of the run that has atoms; -1 when none has, or several have. */
static int find_source(struct pare_channel_map *map, int value, const struct run *run)
{
	int source = -1, found = 0;

	for (int d = run->in_begin; d < run->in_end; d++)
		if (pare_channel_map_value(map, value, d)) {
			source = d;
			found++;
		}
	for (int d = run->in_begin; d < run->in_end && found > 1; d++)
		pare_channel_map_freeze_dim(map, value, d, "two dimensions with channels are reshaped into one");
	return found == 1 ? source : -1;
}

int pare_couple_reshape(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                        const struct pare_reshape *attrs)
{
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0), *out = pare_node_output_shape(graph, node);
	int status = pare_channel_map_set_value(map, node->output, 0, NULL);

	for (struct run run = {0}; run.in_end < in->rank && status == PARE_OK;) {
		run = next_run(attrs, &run, in, out);
		int source = find_source(map, node->inputs[0], &run);
		if (source < 0)
			continue;
		struct elements e = {.map = map,
		                     .atoms = pare_channel_map_value(map, node->inputs[0], source),
		                     .size = in->dim[source],
		                     .inner = product(in, source + 1, run.in_end),
		                     .count = product(in, run.in_begin, run.in_end)};
		status = couple_run(&e, attrs, &run, node->output, out);
	}
	return status;
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	return pare_couple_reshape(map, graph, node, node->attrs);
}

static struct pare_shape old_shape(const struct pare_channel_keep *keep)
{
	struct pare_shape shape = {.rank = keep->rank};
	for (int d = 0; d < keep->rank; d++)
		shape.dim[d] = keep->dim[d].size;
	return shape;
}

static void decide(struct pare_reshape *attrs, const struct pare_channel_keep *in, const struct pare_channel_keep *out)
{
	struct pare_shape in_shape = old_shape(in), out_shape = old_shape(out);
	int32_t in_starts = 0, out_starts = 0;

	for (struct run run = {0}; run.in_end < in_shape.rank;) {
		run = next_run(attrs, &run, &in_shape, &out_shape);
		in_starts |= 1 << run.in_begin;
		out_starts |= 1 << run.out_begin;
	}
	for (int d = 0; d < out->rank; d++)
		attrs->carriers |= (out->dim[d].kept != NULL) << d;
	attrs->in_starts = in_starts;
	attrs->out_starts = out_starts;
	attrs->decided = 1;
}

static void slim(void *attributes, const struct pare_channel_keep *in, int n_inputs,
                 const struct pare_channel_keep *out)
{
	struct pare_reshape *attrs = attributes;
	bool cut = false;

	(void)n_inputs;
	for (int d = 0; d < out->rank; d++)
		cut |= out->dim[d].n_kept != out->dim[d].size;
	if (cut && !attrs->decided)
		decide(attrs, &in[0], out);
	for (int d = 0; d < out->rank; d++)
		attrs->dim[d] = (int32_t)out->dim[d].n_kept;
}

const struct pare_op pare_op_reshape = {
        .name = "reshape",
        .attrs_bytes = sizeof(struct pare_reshape),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_VIEW,
        .infer_shape = infer_shape,
        .couple = couple,
        .slim = slim,
};
