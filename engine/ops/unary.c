/*
 * The operators of unary_functions.c: any shape, one input, no parameters.
 *
 * A function that is not finite everywhere (sqrt, most powers) writes 0 into lanes without an image, whose inputs mean
 * nothing, and freezes channels: a masked channel's activation may be anything (engine/graph/channel_map.h).
 */
#include "engine/ops/unary.h"

#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/planes.h"

/* By name, so that a copy of an operator is what it was copied from. */
static const struct pare_unary *find(const struct pare_op *op)
{
	const struct pare_unary *unary = pare_unary_table;
	while (strcmp(unary->op->name, op->name) != 0)
		unary++;
	return unary;
}

static struct pare_unary_numbers numbers_of(const struct pare_node *node)
{
	struct pare_unary_numbers numbers = {0.0f, 0.0f};
	if (node->op->attrs_bytes)
		memcpy(&numbers, node->attrs, node->op->attrs_bytes);
	return numbers;
}

static bool is_partial(const struct pare_node *node)
{
	const struct pare_unary *unary = find(node->op);
	return unary->partial && unary->partial(numbers_of(node));
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_unary *unary = find(node->op);
	struct pare_unary_numbers numbers = numbers_of(node);

	if (unary->valid && !unary->valid(numbers))
		return pare_error_set(error, PARE_E_INVALID, "its numbers are %g and %g; it needs %s",
		                      (double)numbers.a, (double)numbers.b, unary->allowed);
	*out = *pare_node_input_shape(graph, node, 0);
	return PARE_OK;
}

struct work {
	const struct pare_op_args *args;
	const struct pare_unary *unary;
	struct pare_unary_numbers numbers;
	int64_t size;
};

static void forward_span(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	struct pare_span span = pare_span_at(work->size, item);

	(void)worker;
	work->unary->forward(work->args->in[0].data + span.begin, work->args->out.data + span.begin, span.count,
	                     work->numbers);
}

static void forward(const struct pare_op_args *args)
{
	struct work work = {args, find(args->node->op), numbers_of(args->node), pare_tensor_size(&args->out)};

	pare_pool_for(args->pool, pare_span_count(work.size), forward_span, &work);
	if (is_partial(args->node))
		pare_tensor_clear_unused(&args->out);
}

static void backward_span(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	struct pare_span span = pare_span_at(work->size, item);
	bool from_output = args->node->op->flags & PARE_OP_BACKWARD_READS_OUTPUT;
	const float *at = from_output ? args->out.data : args->in[0].data;

	(void)worker;
	work->unary->backward(at ? at + span.begin : NULL, args->dout.data + span.begin, args->din[0].data + span.begin,
	                      span.count, work->numbers, args->din_accumulate[0]);
}

static void backward(const struct pare_op_args *args)
{
	struct work work = {args, find(args->node->op), numbers_of(args->node), pare_tensor_size(&args->dout)};

	if (!args->din[0].data)
		return;
	pare_pool_for(args->pool, pare_span_count(work.size), backward_span, &work);
	if (is_partial(args->node))
		pare_tensor_clear_unused(&args->din[0]);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	for (int d = 0; is_partial(node) && d < pare_node_input_shape(graph, node, 0)->rank; d++)
		pare_channel_map_freeze_dim(map, node->inputs[0], d, "goes into a root or power that 0 may not enter");
	return pare_couple_elementwise(map, graph, node);
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	struct pare_unary_numbers numbers = numbers_of(node);

	if (node->op->attrs_bytes >= sizeof(float))
		pare_strbuf_printf(text, "%g", (double)numbers.a);
	if (node->op->attrs_bytes > sizeof(float))
		pare_strbuf_printf(text, ",%g", (double)numbers.b);
}

const struct pare_op pare_op_sigmoid = {
        .name = "sigmoid",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_hard_sigmoid = {
        .name = "hard_sigmoid",
        .attrs_bytes = sizeof(struct pare_hard_sigmoid),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_hard_swish = {
        .name = "hard_swish",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_silu = {
        .name = "silu",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_gelu = {
        .name = "gelu",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_erf = {
        .name = "erf",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_tanh = {
        .name = "tanh",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_clip = {
        .name = "clip",
        .attrs_bytes = sizeof(struct pare_clip),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_leaky_relu = {
        .name = "leaky_relu",
        .attrs_bytes = sizeof(struct pare_leaky_relu),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_elu = {
        .name = "elu",
        .attrs_bytes = sizeof(struct pare_elu),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_sqrt = {
        .name = "sqrt",
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_OUTPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_pow = {
        .name = "pow",
        .attrs_bytes = sizeof(struct pare_pow),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};

const struct pare_op pare_op_affine_scalar = {
        .name = "affine_scalar",
        .attrs_bytes = sizeof(struct pare_affine_scalar),
        .min_inputs = 1,
        .max_inputs = 1,
        .flags = PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = couple,
        .describe = describe,
};
