#include "engine/ops/binary.h"

#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/lane_sum.h"
#include "engine/ops/planes.h"
#include "engine/ops/strided.h"

/* Floats that a formula gets at once: what is spread is repeated, and what is summed is kept, in arrays of this size.
 */
#define CHUNK PARE_LANE_SUM_CHUNK

int pare_binary_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                            struct pare_error *error)
{
	const struct pare_shape *a = pare_node_input_shape(graph, node, 0), *b = pare_node_input_shape(graph, node, 1);
	bool fit = a->rank == b->rank;
	char text_a[64], text_b[64];

	*out = *a;
	for (int d = 0; d < a->rank && fit; d++) {
		fit = a->dim[d] == b->dim[d] || a->dim[d] == 1 || b->dim[d] == 1;
		out->dim[d] = a->dim[d] > b->dim[d] ? a->dim[d] : b->dim[d];
	}
	return fit ? PARE_OK
	           : pare_error_set(
	                     error, PARE_E_INVALID,
	                     "inputs %s and %s: the rank must be equal, and each dimension equal or 1 in one of them",
	                     pare_shape_text(a, text_a, sizeof(text_a)), pare_shape_text(b, text_b, sizeof(text_b)));
}

/* The dimensions along which each input is spread; sizes of the two inputs along one dimension tell. */
static void add_spread(unsigned spread[2], int d, int64_t a, int64_t b)
{
	spread[0] |= (unsigned)(a < b) << d;
	spread[1] |= (unsigned)(b < a) << d;
}

int pare_binary_couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_spread *attrs = node->attrs;
	const struct pare_shape *a = pare_node_input_shape(graph, node, 0), *b = pare_node_input_shape(graph, node, 1);
	unsigned spread[2] = {(unsigned)attrs->input[0], (unsigned)attrs->input[1]};

	for (int d = 0; d < a->rank && !attrs->decided; d++)
		add_spread(spread, d, a->dim[d], b->dim[d]);
	return pare_couple_pair(map, graph, node, spread);
}

/* Only what sizes no longer tell is written down. */
void pare_binary_slim(void *attributes, const struct pare_channel_keep *in, int n_inputs,
                      const struct pare_channel_keep *out)
{
	struct pare_spread *attrs = attributes;
	unsigned before[2] = {0}, after[2] = {0};

	(void)n_inputs;
	for (int d = 0; d < out->rank; d++) {
		add_spread(before, d, in[0].dim[d].size, in[1].dim[d].size);
		add_spread(after, d, in[0].dim[d].n_kept, in[1].dim[d].n_kept);
	}
	if (attrs->decided || (before[0] == after[0] && before[1] == after[1]))
		return;
	*attrs = (struct pare_spread){1, {(int32_t)before[0], (int32_t)before[1]}};
}

enum { A, B, Y, N_TENSORS };

/* Nested loops over the output's elements, neighbouring dimensions with the same steps joined. A step of 0 is a spread
 * input. */
struct loops {
	int rank;
	int64_t size[PARE_MAX_RANK], step[N_TENSORS][PARE_MAX_RANK];
};

static struct loops make_loops(const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_shape *shape[N_TENSORS] = {pare_node_input_shape(graph, node, 0),
	                                             pare_node_input_shape(graph, node, 1),
	                                             pare_node_output_shape(graph, node)};
	struct loops loops = {.rank = 0};
	int64_t elements[N_TENSORS] = {1, 1, 1};

	/* From the last dimension to the first; turned round at the end. */
	for (int d = shape[Y]->rank - 1; d >= 0; d--) {
		int64_t size = shape[Y]->dim[d];
		int last = loops.rank - 1;
		bool joins = last >= 0;
		if (size == 1)
			continue;
		for (int t = 0; t < N_TENSORS && last >= 0; t++)
			joins = joins && (shape[t]->dim[d] > 1) == (loops.step[t][last] > 0);
		if (!joins)
			loops.size[++last] = 1;
		loops.size[last] *= size;
		for (int t = 0; t < N_TENSORS; t++) {
			if (!joins)
				loops.step[t][last] = shape[t]->dim[d] > 1 ? elements[t] : 0;
			elements[t] *= shape[t]->dim[d];
		}
		loops.rank = last + 1;
	}
	if (loops.rank == 0)
		loops = (struct loops){.rank = 1, .size = {1}, .step = {{1}, {1}, {1}}};
	for (int i = 0, j = loops.rank - 1; i < j; i++, j--) {
		int64_t size = loops.size[i];
		loops.size[i] = loops.size[j];
		loops.size[j] = size;
		for (int t = 0; t < N_TENSORS; t++) {
			int64_t step = loops.step[t][i];
			loops.step[t][i] = loops.step[t][j];
			loops.step[t][j] = step;
		}
	}
	return loops;
}

static bool is_spread(const struct loops *loops, int input)
{
	for (int d = 0; d < loops->rank; d++)
		if (loops->step[input][d] == 0)
			return true;
	return false;
}

struct work {
	const struct pare_op_args *args;
	const struct pare_binary *binary;
	struct loops loops;
	const float *data[2];     /* inputs; NULL where backward may not read them */
	int target;               /* input whose gradient is computed; -1 = forward */
	bool add;                 /* to the gradient that is there */
	int64_t turns, turn_size; /* dimension 0 is handed out in `turns` pieces */
};

/* `count` floats of an input: as they are, or its `lanes` floats again and again. */
static const float *operand(const float *x, bool spread, float *repeated, int64_t count, int lanes)
{
	if (!x || !spread)
		return x;
	for (int64_t i = 0; i < count; i += lanes)
		for (int lane = 0; lane < lanes; lane++)
			repeated[i + lane] = x[lane];
	return repeated;
}

static void store_or_add(const float *g, float *dx, int64_t count, bool add)
{
	for (int64_t i = 0; i < count; i++)
		dx[i] = add ? dx[i] + g[i] : g[i];
}

static void add_total(double sum[PARE_LANES], float *dx, int lanes)
{
	if (lanes == 1)
		sum[0] = pare_lane_total(sum, 1, 1);
	for (int lane = 0; lane < lanes; lane++)
		dx[lane] += (float)sum[lane];
}

/* The innermost loop: `elements` elements at at[A], at[B] and at[Y] of one block. */
static void run(const struct work *work, int64_t block, int64_t elements, const int64_t at[N_TENSORS])
{
	const struct pare_op_args *args = work->args;
	const struct loops *loops = &work->loops;
	const int lanes = args->out.lanes, last = loops->rank - 1;
	const bool spread[2] = {loops->step[A][last] == 0, loops->step[B][last] == 0};
	float repeated[2][CHUNK], g[CHUNK];
	double sum[PARE_LANES] = {0};
	const float *x[2];
	float *dx = NULL;

	for (int t = 0; t < 2; t++)
		x[t] = work->data[t] ? work->data[t] + block * pare_tensor_block_size(&args->in[t]) + at[t] * lanes
		                     : NULL;
	if (work->target >= 0)
		dx = args->din[work->target].data + block * pare_tensor_block_size(&args->din[work->target]) +
		     at[work->target] * lanes;
	for (int64_t i = 0; i < elements * lanes; i += CHUNK) {
		int64_t left = elements * lanes - i, count = left < CHUNK ? left : CHUNK;
		int64_t y = block * pare_tensor_block_size(&args->out) + at[Y] * lanes + i;
		const float *a = operand(x[A] && !spread[A] ? x[A] + i : x[A], spread[A], repeated[A], count, lanes);
		const float *b = operand(x[B] && !spread[B] ? x[B] + i : x[B], spread[B], repeated[B], count, lanes);
		if (work->target < 0) {
			work->binary->forward(a, b, args->out.data + y, count);
			continue;
		}
		work->binary->gradient[work->target](a, b, args->dout.data + y, g, count);
		if (spread[work->target])
			pare_lane_sum(g, count, sum);
		else
			store_or_add(g, dx + i, count, work->add);
	}
	if (work->target >= 0 && spread[work->target])
		add_total(sum, dx, lanes);
}

static void walk(const struct work *work, int64_t block, int d, int64_t begin, int64_t end, const int64_t at[N_TENSORS])
{
	const struct loops *loops = &work->loops;
	int64_t here[N_TENSORS];

	/* The bound on d is for the compiler, which unrolls this otherwise without end. */
	if (d >= PARE_MAX_RANK - 1 || d == loops->rank - 1) {
		for (int t = 0; t < N_TENSORS; t++)
			here[t] = at[t] + begin * loops->step[t][d];
		run(work, block, end - begin, here);
		return;
	}
	for (int64_t i = begin; i < end; i++) {
		for (int t = 0; t < N_TENSORS; t++)
			here[t] = at[t] + i * loops->step[t][d];
		walk(work, block, d + 1, 0, loops->size[d + 1], here);
	}
}

static void item(void *context, int64_t index, int worker)
{
	const struct work *work = context;
	const int64_t start[N_TENSORS] = {0};
	int64_t begin = index % work->turns * work->turn_size, end = begin + work->turn_size;

	(void)worker;
	walk(work, index / work->turns, 0, begin, end < work->loops.size[0] ? end : work->loops.size[0], start);
}

/* Dimension 0 is cut into pieces unless a sum runs along it. */
static void run_all(struct work *work)
{
	const struct loops *loops = &work->loops;
	bool sums = work->target >= 0 && loops->step[work->target][0] == 0;

	work->turn_size = loops->rank > 1 ? 1 : PARE_SPAN_FLOATS / PARE_LANES;
	if (sums)
		work->turn_size = loops->size[0];
	work->turns = (loops->size[0] + work->turn_size - 1) / work->turn_size;
	pare_pool_for(work->args->pool, pare_tensor_blocks(&work->args->out) * work->turns, item, work);
}

void pare_binary_forward(const struct pare_op_args *args, const struct pare_binary *binary)
{
	struct work work = {.args = args,
	                    .binary = binary,
	                    .loops = make_loops(args->graph, args->node),
	                    .data = {args->in[0].data, args->in[1].data},
	                    .target = -1};

	run_all(&work);
	if (binary->partial)
		pare_tensor_clear_unused(&args->out);
}

/* One input after the other: both may be the same value, and then the second adds to the first. */
void pare_binary_backward(const struct pare_op_args *args, const struct pare_binary *binary)
{
	struct work work = {.args = args, .binary = binary, .loops = make_loops(args->graph, args->node)};

	for (int t = 0; t < 2 && (args->node->op->flags & PARE_OP_BACKWARD_READS_INPUT); t++)
		work.data[t] = args->in[t].data;
	for (work.target = 0; work.target < 2; work.target++) {
		const struct pare_tensor *din = &args->din[work.target];
		bool spread = is_spread(&work.loops, work.target);
		if (!din->data)
			continue;
		if (spread && !args->din_accumulate[work.target])
			pare_tensor_clear(args->pool, din);
		work.add = spread || args->din_accumulate[work.target];
		run_all(&work);
		if (binary->partial)
			pare_tensor_clear_unused(din);
	}
}
