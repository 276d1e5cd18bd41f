/*
 * Linear (fully connected) layer:
 *
 *     y[o] = b[o] + sum over i of w[o][i] * x[i]        dx[i] = sum over o of w[o][i] * dy[o]        dw[o][i] = sum
 * over images of dy[o] * x[i]
 *
 * Input {..., I}, output {..., O}: the layer works along the last dimension, on each *row*, an index of the others, alike.
 * Parameters: weight [O][I], bias [O] (optional). With lanes it runs on the convolution's kernels, the rows of all blocks
 * being the pixels; else it is a GEMM.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/graph/channel_map.h"
#include "engine/math/gemm.h"
#include "engine/ops/activation.h"
#include "engine/ops/builders.h"
#include "engine/ops/conv2d_paths.h"

/* Pixels that one forward item takes: the kernels' register tile has up to 4, and packed weights are read once for each. */
#define ITEM_PIXELS 4
#define ITEM_PIXELS_MOST 32

/* Input features of one weight gradient item. */
#define CHUNK_FEATURES 96

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	const struct pare_shape *w = pare_node_param_shape(graph, node, 0);
	char in_text[64], w_text[64];

	if (w->rank != 2 || w->dim[1] != in->dim[in->rank - 1])
		return pare_error_set(error, PARE_E_INVALID, "input %s, weight %s: a linear layer takes {..., I} and [O][I]",
		                      pare_shape_text(in, in_text, sizeof in_text),
		                      pare_shape_text(w, w_text, sizeof w_text));
	if (node->n_params > 1 && (pare_node_param_shape(graph, node, 1)->rank != 1 ||
	                           pare_node_param_shape(graph, node, 1)->dim[0] != w->dim[0]))
		return pare_error_set(error, PARE_E_INVALID, "the bias must have %lld values", (long long)w->dim[0]);
	*out = *in;
	out->dim[in->rank - 1] = w->dim[0];
	return PARE_OK;
}

static int64_t last_dim(const struct pare_shape *shape)
{
	return shape->dim[shape->rank - 1];
}

/* Rows of one image. */
static int64_t rows_of(const struct pare_shape *shape)
{
	return pare_shape_elements(shape) / last_dim(shape);
}

static int64_t weight_count(const struct pare_graph *graph, const struct pare_node *node)
{
	return pare_shape_elements(pare_node_param_shape(graph, node, 0));
}

static int64_t macs(const struct pare_graph *graph, const struct pare_node *node)
{
	return weight_count(graph, node) * rows_of(pare_node_input_shape(graph, node, 0));
}

static int64_t features_in(const struct pare_op_args *args)
{
	return last_dim(&args->in[0].shape);
}

static int64_t features_out(const struct pare_op_args *args)
{
	return last_dim(&args->out.shape);
}

/* Rows of the whole batch, without lanes. */
static int64_t pixel_count(const struct pare_tensor *tensor)
{
	return pare_tensor_blocks(tensor) * rows_of(&tensor->shape);
}

/* Floats from one row to the next, over block borders too. */
static int64_t pixel_step(const struct pare_tensor *tensor)
{
	return last_dim(&tensor->shape) * tensor->lanes;
}

static const float *bias_of(const struct pare_op_args *args)
{
	return args->node->n_params > 1 ? args->param[1] : NULL;
}

static size_t packed_bytes(const struct pare_graph *graph, const struct pare_node *node)
{
	return ((size_t)weight_count(graph, node) * sizeof(float) + 63) & ~(size_t)63;
}

static size_t shared_workspace_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images,
                                     int lanes, bool training)
{
	(void)images;
	return lanes == 1 ? 0 : packed_bytes(graph, node) * (training ? 2 : 1);
}

static size_t workspace_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes,
                              bool training)
{
	(void)graph;
	(void)node;
	(void)images;
	if (lanes == 1 || !training)
		return 0;
	return (size_t)CHUNK_FEATURES * (size_t)pare_lane_kernels()->gradient_outputs * PARE_LANES * sizeof(float);
}

static void prepare(const struct pare_op_args *args)
{
	int64_t in = features_in(args), out = features_out(args);
	if (args->in[0].lanes != 1)
		pare_pack_weights(args->param[0], (int)out, (int)in, 1, in, 1, 1, pare_lane_kernels()->conv_outputs,
		                  args->shared_workspace);
}

/* One direction, item_pixels at a time: y = W x or dx = W^T dy. */
struct direction {
	struct pare_tensor from, to;
	const float *weights, *bias;
	enum pare_kernel_activation activation;
	bool accumulate;
	int64_t item_pixels;
};

static const struct pare_tap here = {0, 0};

static void direction_item(void *context, int64_t item, int worker)
{
	const struct direction *d = context;
	int64_t first = item * d->item_pixels, left = pixel_count(&d->to) - first;
	struct pare_pixels_job job = {.x = d->from.data + first * pixel_step(&d->from),
	                              .x_plane = PARE_LANES,
	                              .x_step = pixel_step(&d->from),
	                              .inputs = (int)last_dim(&d->from.shape),
	                              .taps = &here,
	                              .n_taps = 1,
	                              .w = d->weights,
	                              .taps_in_all = 1,
	                              .y = d->to.data + first * pixel_step(&d->to),
	                              .y_plane = PARE_LANES,
	                              .y_step = pixel_step(&d->to),
	                              .outputs = (int)last_dim(&d->to.shape),
	                              .pixels = left < d->item_pixels ? left : d->item_pixels,
	                              .bias = d->bias,
	                              .activation = d->activation,
	                              .accumulate = d->accumulate};
	(void)worker;
	pare_lane_kernels()->pixels(&job);
}

static void run_direction(struct direction *d, struct pare_pool *pool)
{
	int64_t pixels = pixel_count(&d->to);
	d->item_pixels = rows_of(&d->to.shape) > 1 ? ITEM_PIXELS_MOST : ITEM_PIXELS;
	pare_pool_for(pool, (pixels + d->item_pixels - 1) / d->item_pixels, direction_item, d);
}

static void forward_gemm(const struct pare_op_args *args)
{
	int64_t in = features_in(args), out = features_out(args), rows = pixel_count(&args->out);
	const float *bias = bias_of(args);
	for (int64_t row = 0; row < rows; row++) {
		if (bias)
			memcpy(args->out.data + row * out, bias, (size_t)out * sizeof *bias);
		else
			memset(args->out.data + row * out, 0, (size_t)out * sizeof(float));
	}
	pare_gemm(&(struct pare_gemm){.transpose_b = true,
	                              .m = rows,
	                              .n = out,
	                              .k = in,
	                              .a = args->in[0].data,
	                              .lda = in,
	                              .b = args->param[0],
	                              .ldb = in,
	                              .beta = 1.0f,
	                              .c = args->out.data,
	                              .ldc = out});
	if (args->activation != PARE_ACTIVATION_NONE)
		pare_activation_forward(args->out.data, args->out.data, rows * out, args->activation);
}

static void forward(const struct pare_op_args *args)
{
	if (args->in[0].lanes == 1) {
		forward_gemm(args);
		return;
	}
	struct direction d = {.from = args->in[0],
	                      .to = args->out,
	                      .weights = args->shared_workspace,
	                      .bias = bias_of(args),
	                      .activation = pare_kernel_activation(args->activation)};
	run_direction(&d, args->pool);
}

static void weight_item(void *context, int64_t item, int worker)
{
	const struct pare_op_args *args = context;
	const struct pare_lane_kernels *kernels = pare_lane_kernels();
	int64_t in = features_in(args), out = features_out(args);
	int tiles = pare_tile_count((int)out, kernels->gradient_outputs), first, outs;
	int64_t begin = item / tiles * CHUNK_FEATURES, end = begin + CHUNK_FEATURES < in ? begin + CHUNK_FEATURES : in;
	float *acc = args->workspace[worker];

	pare_tile_range((int)out, tiles, (int)(item % tiles), &first, &outs);
	memset(acc, 0, (size_t)(end - begin) * (size_t)outs * PARE_LANES * sizeof *acc);
	struct pare_gradient_job job = {.dy = args->dout.data + (int64_t)first * PARE_LANES,
	                                .dy_plane = PARE_LANES,
	                                .dy_step = pixel_step(&args->dout),
	                                .outputs = outs,
	                                .x = args->in[0].data,
	                                .x_step = pixel_step(&args->in[0]),
	                                .rows = 1,
	                                .pixels = pixel_count(&args->dout)};
	for (int64_t i = begin; i < end; i += job.columns) {
		int64_t offset[PARE_GRADIENT_COLUMNS];
		float *columns[PARE_GRADIENT_COLUMNS];
		job.columns = end - i < PARE_GRADIENT_COLUMNS ? (int)(end - i) : PARE_GRADIENT_COLUMNS;
		for (int j = 0; j < job.columns; j++) {
			offset[j] = (i + j) * PARE_LANES;
			columns[j] = acc + (i - begin + j) * outs * PARE_LANES;
		}
		job.x_offset = offset;
		job.acc = columns;
		kernels->gradient(&job);
	}
	for (int64_t i = begin; i < end; i++)
		for (int o = 0; o < outs; o++, acc += PARE_LANES) {
			float sum = 0.0f;
			for (int lane = 0; lane < PARE_LANES; lane++)
				sum += acc[lane];
			args->dparam[0][(first + o) * in + i] += sum;
		}
}

static void bias_gradient(const struct pare_op_args *args)
{
	const int64_t features = features_out(args), rows = rows_of(&args->dout.shape);
	for (int64_t o = 0; o < features; o++) {
		double sum = 0.0;
		for (int64_t image = 0; image < args->dout.images; image++)
			for (int64_t row = 0; row < rows; row++)
				sum += *pare_tensor_at(&args->dout, image, row * features + o);
		args->dparam[1][o] += (float)sum;
	}
}

static void backward_lanes(const struct pare_op_args *args)
{
	int64_t in = features_in(args), out = features_out(args);
	if (args->dparam[0]) {
		int tiles = pare_tile_count((int)out, pare_lane_kernels()->gradient_outputs);
		pare_pool_for(args->pool, (in + CHUNK_FEATURES - 1) / CHUNK_FEATURES * tiles, weight_item,
		              (void *)args);
	}
	if (args->din[0].data) {
		float *packed = (float *)((char *)args->shared_workspace + packed_bytes(args->graph, args->node));
		pare_pack_weights(args->param[0], (int)in, (int)out, 1, 1, in, 1, pare_lane_kernels()->conv_outputs,
		                  packed);
		struct direction d = {.from = args->dout,
		                      .to = args->din[0],
		                      .weights = packed,
		                      .accumulate = args->din_accumulate[0]};
		run_direction(&d, args->pool);
	}
}

static void backward_gemm(const struct pare_op_args *args)
{
	int64_t in = features_in(args), out = features_out(args), rows = pixel_count(&args->dout);
	if (args->dparam[0])
		pare_gemm(&(struct pare_gemm){.transpose_a = true,
		                              .m = out,
		                              .n = in,
		                              .k = rows,
		                              .a = args->dout.data,
		                              .lda = out,
		                              .b = args->in[0].data,
		                              .ldb = in,
		                              .beta = 1.0f,
		                              .c = args->dparam[0],
		                              .ldc = in});
	if (args->din[0].data)
		pare_gemm(&(struct pare_gemm){.m = rows,
		                              .n = in,
		                              .k = out,
		                              .a = args->dout.data,
		                              .lda = out,
		                              .b = args->param[0],
		                              .ldb = in,
		                              .beta = args->din_accumulate[0] ? 1.0f : 0.0f,
		                              .c = args->din[0].data,
		                              .ldc = in});
}

static void backward(const struct pare_op_args *args)
{
	pare_activation_mask(args->out.data, args->dout.data, pare_tensor_size(&args->dout), args->activation);
	if (args->in[0].lanes == 1)
		backward_gemm(args);
	else
		backward_lanes(args);
	if (args->node->n_params > 1 && args->dparam[1])
		bias_gradient(args);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const int last = pare_node_output_shape(graph, node)->rank - 1, input = node->inputs[0];
	int64_t features = last_dim(pare_node_output_shape(graph, node));
	int *out = calloc((size_t)features, sizeof *out);
	int status = out ? pare_channel_map_new_atoms(map, features, out) : PARE_E_NOMEM;

	if (!status)
		status = pare_channel_map_set_axis(map, node->params[0], 0, out);
	if (!status)
		status = pare_channel_map_set_axis(map, node->params[0], 1, pare_channel_map_value(map, input, last));
	if (!status && node->n_params > 1)
		status = pare_channel_map_set_axis(map, node->params[1], 0, out);
	if (!status)
		status = pare_channel_map_set_value(map, node->output, last, out);
	for (int d = 0; d < last && !status; d++)
		status = pare_channel_map_set_value(map, node->output, d, pare_channel_map_value(map, input, d));
	free(out);
	return status;
}

const struct pare_op pare_op_linear = {
        .name = "linear",
        .min_inputs = 1,
        .max_inputs = 1,
        .min_params = 1,
        .max_params = 2,
        .flags = PARE_OP_BACKWARD_READS_INPUT | PARE_OP_FUSES_ACTIVATION | PARE_OP_ACCUMULATES,
        .infer_shape = infer_shape,
        .macs = macs,
        .workspace_bytes = workspace_bytes,
        .shared_workspace_bytes = shared_workspace_bytes,
        .prepare = prepare,
        .forward = forward,
        .backward = backward,
        .couple = couple,
};
