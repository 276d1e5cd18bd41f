#include "engine/ops/activation.h"

#include "engine/graph/graph.h"
#include "engine/ops/planes.h"

/* The bodies are inlined with constant arguments, so that each combination becomes one loop without branches. */
static inline void forward_loop(const float *x, float *y, int64_t count, enum pare_activation activation)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = pare_activate(x[i], activation);
}

void pare_activation_forward(const float *x, float *y, int64_t count, enum pare_activation activation)
{
	switch (activation) {
	case PARE_ACTIVATION_NONE:
		forward_loop(x, y, count, PARE_ACTIVATION_NONE);
		break;
	case PARE_ACTIVATION_RELU:
		forward_loop(x, y, count, PARE_ACTIVATION_RELU);
		break;
	case PARE_ACTIVATION_RELU6:
		forward_loop(x, y, count, PARE_ACTIVATION_RELU6);
		break;
	}
}

static inline void mask_loop(const float *restrict y, float *restrict dy, int64_t count,
                             enum pare_activation activation)
{
	for (int64_t i = 0; i < count; i++)
		dy[i] = pare_activation_gradient(y[i], dy[i], activation);
}

void pare_activation_mask(const float *y, float *dy, int64_t count, enum pare_activation activation)
{
	if (activation == PARE_ACTIVATION_RELU)
		mask_loop(y, dy, count, PARE_ACTIVATION_RELU);
	else if (activation == PARE_ACTIVATION_RELU6)
		mask_loop(y, dy, count, PARE_ACTIVATION_RELU6);
}

static inline void backward_loop(const float *restrict y, const float *restrict dy, float *restrict dx, int64_t count,
                                 enum pare_activation activation, bool accumulate)
{
	for (int64_t i = 0; i < count; i++) {
		float gradient = dy[i];
		if (activation != PARE_ACTIVATION_NONE)
			gradient = pare_activation_gradient(y[i], gradient, activation);
		dx[i] = accumulate ? dx[i] + gradient : gradient;
	}
}

void pare_activation_backward(const float *y, const float *dy, float *dx, int64_t count,
                              enum pare_activation activation, bool accumulate)
{
	switch (activation) {
	case PARE_ACTIVATION_NONE:
		accumulate ? backward_loop(y, dy, dx, count, PARE_ACTIVATION_NONE, true)
		           : backward_loop(y, dy, dx, count, PARE_ACTIVATION_NONE, false);
		break;
	case PARE_ACTIVATION_RELU:
		accumulate ? backward_loop(y, dy, dx, count, PARE_ACTIVATION_RELU, true)
		           : backward_loop(y, dy, dx, count, PARE_ACTIVATION_RELU, false);
		break;
	case PARE_ACTIVATION_RELU6:
		accumulate ? backward_loop(y, dy, dx, count, PARE_ACTIVATION_RELU6, true)
		           : backward_loop(y, dy, dx, count, PARE_ACTIVATION_RELU6, false);
		break;
	}
}

int pare_activation_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                                struct pare_error *error)
{
	(void)error;
	*out = *pare_node_input_shape(graph, node, 0);
	return PARE_OK;
}

struct work {
	const struct pare_op_args *args;
	enum pare_activation activation;
	int64_t size;
};

static void forward_span(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	struct pare_span span = pare_span_at(work->size, item);
	(void)worker;
	pare_activation_forward(work->args->in[0].data + span.begin, work->args->out.data + span.begin, span.count,
	                        work->activation);
}

void pare_activation_op_forward(const struct pare_op_args *args, enum pare_activation activation)
{
	struct work work = {args, activation, pare_tensor_size(&args->out)};
	pare_pool_for(args->pool, pare_span_count(work.size), forward_span, &work);
}

static void backward_span(void *context, int64_t item, int worker)
{
	const struct work *work = context;
	const struct pare_op_args *args = work->args;
	struct pare_span span = pare_span_at(work->size, item);
	(void)worker;
	pare_activation_backward(args->out.data + span.begin, args->dout.data + span.begin,
	                         args->din[0].data + span.begin, span.count, work->activation, args->din_accumulate[0]);
}

void pare_activation_op_backward(const struct pare_op_args *args, enum pare_activation activation)
{
	struct work work = {args, activation, pare_tensor_size(&args->out)};
	if (args->din[0].data)
		pare_pool_for(args->pool, pare_span_count(work.size), backward_span, &work);
}
