/*
 *     y = activation(a + b)       da = db = dy * activation'(y)
 *
 * Equal shapes. No attributes, no parameters. Fuses ReLU and ReLU6 (the end of a residual block); backward needs the
 * output only then.
 */
#include "engine/graph/channel_map.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "engine/ops/planes.h"

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_shape *a = pare_node_input_shape(graph, node, 0), *b = pare_node_input_shape(graph, node, 1);
	char text_a[64], text_b[64];

	if (!pare_shape_equal(a, b))
		return pare_error_set(error, PARE_E_INVALID, "adds %s and %s; the shapes must be equal",
		                      pare_shape_text(a, text_a, sizeof(text_a)),
		                      pare_shape_text(b, text_b, sizeof(text_b)));
	*out = *a;
	return PARE_OK;
}

static void forward_span(void *context, int64_t item, int worker)
{
	const struct pare_op_args *args = context;
	struct pare_span span = pare_span_at(pare_tensor_size(&args->out), item);
	const float *restrict a = args->in[0].data + span.begin;
	const float *restrict b = args->in[1].data + span.begin;
	float *restrict y = args->out.data + span.begin;

	(void)worker;
	for (int64_t i = 0; i < span.count; i++)
		y[i] = a[i] + b[i];
	if (args->activation != PARE_ACTIVATION_NONE)
		pare_activation_forward(y, y, span.count, args->activation);
}

static void forward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_span_count(pare_tensor_size(&args->out)), forward_span, (void *)args);
}

/* x + x has the same gradient memory twice, the second time with din_accumulate: one after the other is right for it
 * too. */
static void backward_span(void *context, int64_t item, int worker)
{
	const struct pare_op_args *args = context;
	struct pare_span span = pare_span_at(pare_tensor_size(&args->dout), item);
	const float *y = args->activation == PARE_ACTIVATION_NONE ? NULL : args->out.data + span.begin;

	(void)worker;
	for (int i = 0; i < 2; i++)
		if (args->din[i].data)
			pare_activation_backward(y, args->dout.data + span.begin, args->din[i].data + span.begin,
			                         span.count, args->activation, args->din_accumulate[i]);
}

static void backward(const struct pare_op_args *args)
{
	pare_pool_for(args->pool, pare_span_count(pare_tensor_size(&args->dout)), backward_span, (void *)args);
}

const struct pare_op pare_op_add = {
        .name = "add",
        .min_inputs = 2,
        .max_inputs = 2,
        .flags = PARE_OP_FUSES_ACTIVATION | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .forward = forward,
        .backward = backward,
        .couple = pare_couple_elementwise,
};
