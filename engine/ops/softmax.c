/*
 * Along dimension `axis`, for every index of the others:
 *
 *     y_j = e^(x_j - max x) / sum over k of e^(x_k - max x)       dx_j = y_j (dy_j - sum over k of dy_k y_k)
 *
 * Any shape; no parameters. A sum over channels: they are frozen.
 */
#include "engine/graph/channel_map.h"
#include "engine/math/smooth.h"
#include "engine/ops/builders.h"
#include "engine/ops/lines.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_softmax *attrs = node->attrs;

	*out = *pare_node_input_shape(graph, node, 0);
	if (attrs->axis < 0 || attrs->axis >= out->rank)
		return pare_error_set(error, PARE_E_INVALID, "along dimension %d; allowed are 0 to %d", attrs->axis,
		                      out->rank - 1);
	return PARE_OK;
}

struct work {
	const struct pare_op_args *args;
	struct pare_lines lines;
};

static struct work work_of(const struct pare_op_args *args)
{
	const struct pare_softmax *attrs = args->node->attrs;
	return (struct work){args, pare_lines_make(&args->out, attrs->axis, attrs->axis)};
}

static void forward_strip(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	struct pare_strip strip = pare_strip_at(&work->lines, item);
	const float *x = work->args->in[0].data + strip.begin;
	float *restrict y = work->args->out.data + strip.begin;
	float max[PARE_STRIP_FLOATS], sum[PARE_STRIP_FLOATS] = {0};

	(void)worker;
	for (int i = 0; i < strip.width; i++)
		max[i] = x[i];
	for (int64_t j = 1; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++)
			max[i] = x[j * strip.step + i] > max[i] ? x[j * strip.step + i] : max[i];
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++) {
			float e = pare_exp(x[j * strip.step + i] - max[i]);
			y[j * strip.step + i] = e;
			sum[i] += e;
		}
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++)
			y[j * strip.step + i] /= sum[i];
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
	const float *restrict y = work->args->out.data + strip.begin, *restrict dy = work->args->dout.data + strip.begin;
	float *restrict dx = work->args->din[0].data + strip.begin;
	const bool accumulate = work->args->din_accumulate[0];
	float sum[PARE_STRIP_FLOATS] = {0};

	(void)worker;
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++)
			sum[i] += y[j * strip.step + i] * dy[j * strip.step + i];
	for (int64_t j = 0; j < work->lines.size; j++)
		for (int i = 0; i < strip.width; i++) {
			int64_t at = j * strip.step + i;
			float gradient = y[at] * (dy[at] - sum[i]);
			dx[at] = accumulate ? dx[at] + gradient : gradient;
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
	const struct pare_softmax *attrs = node->attrs;

	pare_channel_map_freeze_dim(map, node->inputs[0], attrs->axis, "a softmax sums over its channels");
	return pare_couple_elementwise(map, graph, node);
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_softmax *attrs = node->attrs;
	pare_strbuf_printf(text, "a%d", attrs->axis);
}

const struct pare_op pare_op_softmax = {
        .name = "softmax",
        .attrs_bytes = sizeof(struct pare_softmax),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
