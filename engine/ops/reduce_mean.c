/*
 *     y = sum of x over the named dimensions / how many elements that is       dx = dy / how many, everywhere
 *
 * Neighbouring dimensions of any shape; no parameters. Backward needs dy only. A mean over channels is frozen: it
 * would change when some go.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/lane_sum.h"
#include "engine/ops/lines.h"

/* First and last dimension; false unless the bits are neighbours among the first `rank`. */
static bool find_axes(const struct pare_reduce_mean *attrs, int rank, int *first, int *last)
{
	unsigned axes = (unsigned)attrs->axes;

	if (axes == 0 || axes >> rank)
		return false;
	*first = __builtin_ctz(axes);
	*last = 31 - __builtin_clz(axes);
	return axes >> *first == (1u << (*last - *first + 1)) - 1;
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_reduce_mean *attrs = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	int first, last;

	*out = (struct pare_shape){.rank = 0};
	if (!find_axes(attrs, in->rank, &first, &last))
		return pare_error_set(error, PARE_E_INVALID,
		                      "axes 0x%x: bits of neighbouring dimensions among the input's %d are needed",
		                      (unsigned)attrs->axes, in->rank);
	if (!attrs->keep_dims && last - first + 1 == in->rank)
		return pare_error_set(error, PARE_E_INVALID, "takes the mean of a whole image; keep its dimensions");
	for (int d = 0; d < in->rank; d++) {
		bool reduced = d >= first && d <= last;
		if (!reduced || attrs->keep_dims)
			out->dim[out->rank++] = reduced ? 1 : in->dim[d];
	}
	return PARE_OK;
}

struct work {
	const struct pare_op_args *args;
	struct pare_lines lines;
};

static struct work work_of(const struct pare_op_args *args)
{
	struct pare_tensor in = args->out; /* images and lanes are the same in backward */
	int first, last;

	in.shape = *pare_node_input_shape(args->graph, args->node, 0);
	find_axes(args->node->attrs, in.shape.rank, &first, &last);
	return (struct work){args, pare_lines_make(&in, first, last)};
}

/* One lane, and nothing behind the dimensions: the line is contiguous. */
static void forward_line(const struct work *work, struct pare_strip strip)
{
	double sum[PARE_LANES] = {0};

	pare_lane_sum(work->args->in[0].data + strip.begin, work->lines.size, sum);
	work->args->out.data[strip.number] = (float)(pare_lane_total(sum, 1, 1) / (double)work->lines.size);
}

static void forward_strip(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	struct pare_strip strip = pare_strip_at(&work->lines, item);
	const float *x = work->args->in[0].data + strip.begin;
	float *y = work->args->out.data + strip.number;
	double sum[PARE_STRIP_FLOATS] = {0};

	(void)worker;
	if (work->lines.inner == 1) {
		forward_line(work, strip);
		return;
	}
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++)
			sum[i] += (double)x[j * strip.step + i];
	for (int i = 0; i < strip.width; i++)
		y[i] = (float)(sum[i] / (double)work->lines.size);
}

static void forward(const struct pare_op_args *args)
{
	struct work work = work_of(args);
	pare_pool_for(args->pool, pare_lines_items(&work.lines), forward_strip, &work);
}

static void backward_strip(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	struct pare_strip strip = pare_strip_at(&work->lines, item);
	const float *dy = work->args->dout.data + strip.number;
	float *dx = work->args->din[0].data + strip.begin;
	const bool accumulate = work->args->din_accumulate[0];
	float share[PARE_STRIP_FLOATS];

	(void)worker;
	for (int i = 0; i < strip.width; i++)
		share[i] = dy[i] / (float)work->lines.size;
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++) {
			float *target = &dx[j * strip.step + i];
			*target = accumulate ? *target + share[i] : share[i];
		}
}

static void backward(const struct pare_op_args *args)
{
	struct work work = work_of(args);
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_lines_items(&work.lines), backward_strip, &work);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_reduce_mean *attrs = node->attrs;
	const int rank = pare_node_input_shape(graph, node, 0)->rank;
	int status = pare_channel_map_set_value(map, node->output, 0, NULL), first, last, to = 0;

	find_axes(attrs, rank, &first, &last);
	for (int d = 0; d < rank && status == PARE_OK; d++) {
		bool reduced = d >= first && d <= last;
		if (reduced)
			pare_channel_map_freeze_dim(map, node->inputs[0], d, "a mean is taken over its channels");
		else
			status = pare_channel_map_set_value(map, node->output, to,
			                                    pare_channel_map_value(map, node->inputs[0], d));
		to += !reduced || attrs->keep_dims;
	}
	return status;
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_reduce_mean *attrs = node->attrs;
	pare_strbuf_printf(text, "a0x%x", (unsigned)attrs->axes);
}

const struct pare_op pare_op_reduce_mean = {
        .name = "reduce_mean",
        .attrs_bytes = sizeof(struct pare_reduce_mean),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
