/*
 * Convolution (cross-correlation), dense, grouped or depthwise:
 *
 *     y[o][v][u] = b[o] + sum over i, ky, kx of w[o][i][ky][kx] * x[i][v * stride - pad + ky * dilation][...]
 *     dx[i] = sum over o, ky, kx of w[o][i][ky][kx] * dy[o][...]       dw[o][i][ky][kx] = sum over images, v, u of
 * dy[o] * x[i]
 *
 * Input {C, H, W}; output {O, OH, OW}; parameters: weight [O][C / groups][kernel_h][kernel_w], bias [O] (optional).
 * Output channel o belongs to group o / (O / groups) and reads that group's C / groups input channels.
 */
#include <stdlib.h>

#include "engine/graph/channel_map.h"
#include "engine/ops/builders.h"
#include "engine/ops/conv2d_paths.h"

static int check_attributes(const struct pare_conv2d *a, struct pare_error *error)
{
	if (a->kernel_h < 1 || a->kernel_w < 1 || a->stride_h < 1 || a->stride_w < 1 || a->dilation_h < 1 ||
	    a->dilation_w < 1 || a->groups < 1)
		return pare_error_set(error, PARE_E_INVALID,
		                      "kernel %dx%d, stride %dx%d, dilation %dx%d, groups %d: all must be at least 1",
		                      a->kernel_h, a->kernel_w, a->stride_h, a->stride_w, a->dilation_h, a->dilation_w,
		                      a->groups);
	if ((int64_t)a->kernel_h * a->kernel_w > CONV_MOST_TAPS)
		return pare_error_set(error, PARE_E_LIMIT, "kernel %dx%d: at most %d weights a channel pair",
		                      a->kernel_h, a->kernel_w, CONV_MOST_TAPS);
	if (a->pad_top < 0 || a->pad_left < 0 || a->pad_bottom < 0 || a->pad_right < 0)
		return pare_error_set(error, PARE_E_INVALID, "padding %d,%d,%d,%d: must not be negative", a->pad_top,
		                      a->pad_left, a->pad_bottom, a->pad_right);
	/* Positions are counted in 32 bits (engine/math/axis.h). */
	const int32_t numbers[] = {a->stride_h, a->stride_w,   a->dilation_h, a->dilation_w,
	                           a->pad_top,  a->pad_bottom, a->pad_left,   a->pad_right};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i] > PARE_MAX_DIMENSION)
			return pare_error_set(error, PARE_E_LIMIT, "a stride, dilation or padding of %d: at most %d",
			                      numbers[i], PARE_MAX_DIMENSION);
	return PARE_OK;
}

static int infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                       struct pare_error *error)
{
	const struct pare_conv2d *a = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0);
	const struct pare_shape *w = pare_node_param_shape(graph, node, 0);
	char in_text[64], w_text[64];
	int status = check_attributes(a, error);

	if (status)
		return status;
	pare_shape_text(in, in_text, sizeof in_text);
	pare_shape_text(w, w_text, sizeof w_text);
	if (in->rank != 3 || w->rank != 4)
		return pare_error_set(error, PARE_E_INVALID,
		                      "input %s, weight %s: a 2-d convolution takes {C, H, W} and "
		                      "[O][C/groups][kernel_h][kernel_w]",
		                      in_text, w_text);
	if (w->dim[2] != a->kernel_h || w->dim[3] != a->kernel_w || w->dim[1] * a->groups != in->dim[0] ||
	    w->dim[0] % a->groups)
		return pare_error_set(error, PARE_E_INVALID,
		                      "input %s, weight %s, kernel %dx%d, groups %d do not fit together", in_text,
		                      w_text, a->kernel_h, a->kernel_w, a->groups);
	if (node->n_params > 1 && (pare_node_param_shape(graph, node, 1)->rank != 1 ||
	                           pare_node_param_shape(graph, node, 1)->dim[0] != w->dim[0]))
		return pare_error_set(error, PARE_E_INVALID, "the bias must have %lld values", (long long)w->dim[0]);
	int64_t height = pare_window_output(in->dim[1], a->kernel_h, a->stride_h, a->pad_top, a->pad_bottom,
	                                    a->dilation_h, false);
	int64_t width = pare_window_output(in->dim[2], a->kernel_w, a->stride_w, a->pad_left, a->pad_right,
	                                   a->dilation_w, false);
	if (height < 1 || width < 1)
		return pare_error_set(error, PARE_E_INVALID, "a %dx%d kernel does not fit into input %s", a->kernel_h,
		                      a->kernel_w, in_text);
	*out = pare_shape_chw(w->dim[0], height, width);
	return PARE_OK;
}

static int64_t macs(const struct pare_graph *graph, const struct pare_node *node)
{
	return pare_shape_elements(pare_node_param_shape(graph, node, 0)) *
	       pare_shape_plane(pare_node_output_shape(graph, node));
}

struct conv_shape pare_conv_shape(const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_conv2d *a = node->attrs;
	const struct pare_shape *in = pare_node_input_shape(graph, node, 0), *out = pare_node_output_shape(graph, node);
	struct conv_shape shape = {
	        .rows = {.in = (int32_t)in->dim[1],
	                 .out = (int32_t)out->dim[1],
	                 .kernel = a->kernel_h,
	                 .stride = a->stride_h,
	                 .pad = a->pad_top,
	                 .dilation = a->dilation_h},
	        .columns = {.in = (int32_t)in->dim[2],
	                    .out = (int32_t)out->dim[2],
	                    .kernel = a->kernel_w,
	                    .stride = a->stride_w,
	                    .pad = a->pad_left,
	                    .dilation = a->dilation_w},
	        .groups = a->groups,
	        .in = (int)(in->dim[0] / a->groups),
	        .out = (int)(out->dim[0] / a->groups),
	        .taps = a->kernel_h * a->kernel_w,
	};
	if (shape.taps == 1 && a->stride_h == 1 && a->stride_w == 1 && pare_shape_plane(in) == pare_shape_plane(out)) {
		shape.columns.in = shape.columns.out = (int32_t)pare_shape_plane(in);
		shape.rows.in = shape.rows.out = 1;
	}
	return shape;
}

static size_t workspace_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images, int lanes,
                              bool training)
{
	struct conv_shape shape = pare_conv_shape(graph, node);
	(void)images;
	if (lanes == 1)
		return pare_conv_gemm_workspace(&shape, training);
	return training ? pare_conv_lanes_workspace(&shape) : 0;
}

static size_t shared_workspace_bytes(const struct pare_graph *graph, const struct pare_node *node, int64_t images,
                                     int lanes, bool training)
{
	struct conv_shape shape = pare_conv_shape(graph, node);
	(void)images;
	return lanes == 1 ? 0 : pare_conv_lanes_shared(&shape, training);
}

static void prepare(const struct pare_op_args *args)
{
	if (args->in[0].lanes != 1)
		pare_conv_lanes_prepare(args);
}

static void forward(const struct pare_op_args *args)
{
	if (args->in[0].lanes == 1)
		pare_conv_gemm_forward(args);
	else
		pare_conv_lanes_forward(args);
}

static void backward(const struct pare_op_args *args)
{
	if (args->in[0].lanes == 1)
		pare_conv_gemm_backward(args);
	else
		pare_conv_lanes_backward(args);
}

/* One filter, or several, for each input channel. Counts tell unless a cut has made them ambiguous. */
static bool is_depthwise(const struct pare_conv2d *a, int64_t in_channels)
{
	if (a->coupling != PARE_CONV_BY_COUNTS)
		return a->coupling == PARE_CONV_DEPTHWISE;
	return a->groups > 1 && a->groups == in_channels;
}

/* Output channels carry their input channel's atom. `in` is NULL when the input's channels are none that can be cut. */
static int couple_depthwise(struct pare_channel_map *map, const struct pare_node *node, const int *in, int *out,
                            int64_t channels, int64_t multiplier)
{
	int status = in ? PARE_OK : pare_channel_map_new_atoms(map, channels * multiplier, out);

	for (int64_t c = 0; c < channels * multiplier && !status; c++) {
		if (in)
			out[c] = in[c / multiplier];
		else
			pare_channel_map_freeze(map, out[c], "filters channels that cannot be cut");
	}
	/* Axis 1 has one entry for all channels: it is never cut. */
	return status ? status : pare_channel_map_set_axis(map, node->params[0], 0, out);
}

/* Groups stay and are cut evenly: channel j of every group is one with channel j of all others. */
static int couple_groups(struct pare_channel_map *map, const struct pare_node *node, const int *in, int *out,
                         int groups, int64_t in_channels, int64_t out_channels)
{
	int64_t in_each = in_channels / groups, out_each = out_channels / groups;
	int status = pare_channel_map_new_atoms(map, out_channels, out);

	if (status)
		return status;
	for (int64_t c = in_each; c < in_channels && in; c++)
		pare_channel_map_unite(map, in[c % in_each], in[c]);
	for (int64_t c = out_each; c < out_channels; c++)
		pare_channel_map_unite(map, out[c % out_each], out[c]);
	status = pare_channel_map_set_axis(map, node->params[0], 0, out);
	return status ? status : pare_channel_map_set_axis(map, node->params[0], 1, in);
}

static int couple(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node)
{
	const struct pare_conv2d *a = node->attrs;
	int64_t in_channels = pare_node_input_shape(graph, node, 0)->dim[0];
	int64_t out_channels = pare_node_output_shape(graph, node)->dim[0];
	const int *in = pare_channel_map_value(map, node->inputs[0], 0);
	int *out = calloc((size_t)out_channels, sizeof *out);
	int status = PARE_E_NOMEM;

	if (!out)
		return status;
	for (int d = 1; d < 3; d++)
		pare_channel_map_freeze_dim(map, node->inputs[0], d, "its channels are seen as the pixels of an image");
	if (is_depthwise(a, in_channels))
		status = couple_depthwise(map, node, in, out, in_channels, out_channels / in_channels);
	else
		status = couple_groups(map, node, in, out, a->groups, in_channels, out_channels);
	if (!status && node->n_params > 1)
		status = pare_channel_map_set_axis(map, node->params[1], 0, out);
	if (!status)
		status = pare_channel_map_set_value(map, node->output, 0, out);
	free(out);
	return status;
}

static void slim(void *attrs, const struct pare_channel_keep *in, int n_inputs, const struct pare_channel_keep *out)
{
	struct pare_conv2d *a = attrs;
	bool depthwise = is_depthwise(a, in[0].dim[0].size);
	(void)n_inputs;
	(void)out;
	if (depthwise)
		a->groups = (int32_t)in[0].dim[0].n_kept;
	if (is_depthwise(a, in[0].dim[0].n_kept) != depthwise)
		a->coupling = depthwise ? PARE_CONV_DEPTHWISE : PARE_CONV_GROUPED;
}

static void describe(const struct pare_node *node, struct pare_strbuf *text)
{
	const struct pare_conv2d *a = node->attrs;
	pare_strbuf_printf(text, "k%dx%d s%dx%d p%d,%d,%d,%d d%dx%d g%d", a->kernel_h, a->kernel_w, a->stride_h,
	                   a->stride_w, a->pad_top, a->pad_left, a->pad_bottom, a->pad_right, a->dilation_h,
	                   a->dilation_w, a->groups);
}

const struct pare_op pare_op_conv2d = {
        .name = "conv2d",
        .attrs_bytes = sizeof(struct pare_conv2d),
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
        .slim = slim,
        .describe = describe,
};
