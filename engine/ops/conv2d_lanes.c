/*
 * Convolution with 16 images in the SIMD lanes (engine/math/lane_kernels.h). All three products are direct: no im2col,
 * and border pixels take shorter tap lists.
 *
 *   forward    an item is (block, strip of output rows)
 *   dx         the same with weights transposed, strips of input rows; strides fall apart into phases
 * (engine/math/axis.h) dw         an item is (group, tile of output channels, chunk of input channels) over the whole
 * batch, so that every weight's sum is made by one item in one order, whatever the number of threads
 */
#include <string.h>

#include "engine/math/lane_kernels.h"
#include "engine/ops/activation.h"
#include "engine/ops/conv2d_paths.h"

/* Floats of dy that stay in the first-level cache while all input channels pass by: 24 KiB. */
#define STRIP_FLOATS 6144

/* Input channels x taps of one weight gradient item: its accumulators stay in the second-level cache. */
#define CHUNK_COLUMNS 96

/* At least so many items are made of a small batch, so that a few workers find work. */
#define LEAST_ITEMS 8

/* The shared workspace: packed weights for both directions, and both directions' axes. */
struct shared {
	float *forward_weights, *backward_weights;
	void *row_memory, *column_memory;
};

static size_t align_up(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

static size_t weight_floats(const struct conv_shape *s)
{
	return (size_t)s->groups * (size_t)s->out * (size_t)s->in * (size_t)s->taps;
}

static size_t axis_bytes(const struct pare_window *w)
{
	return align_up(pare_axis_bytes(w->out > w->in ? w->out : w->in, w->kernel));
}

size_t pare_conv_lanes_shared(const struct conv_shape *s, bool training)
{
	return align_up(weight_floats(s) * sizeof(float)) * (training ? 2 : 1) + axis_bytes(&s->rows) +
	       axis_bytes(&s->columns);
}

static struct shared shared_at(const struct conv_shape *s, void *memory)
{
	char *at = memory;
	struct shared shared = {.row_memory = at, .column_memory = at + axis_bytes(&s->rows)};
	at += axis_bytes(&s->rows) + axis_bytes(&s->columns);
	shared.forward_weights = (float *)at;
	shared.backward_weights = (float *)(at + align_up(weight_floats(s) * sizeof(float)));
	return shared;
}

static int chunk_inputs(const struct conv_shape *s)
{
	int chunk = CHUNK_COLUMNS / s->taps;
	chunk = chunk < 1 ? 1 : chunk;
	return chunk < s->in ? chunk : s->in;
}

size_t pare_conv_lanes_workspace(const struct conv_shape *s)
{
	int tile = pare_lane_kernels()->gradient_outputs;
	return (size_t)chunk_inputs(s) * (size_t)s->taps * (size_t)tile * PARE_LANES * sizeof(float);
}

static int64_t group_weights(const struct conv_shape *s)
{
	return (int64_t)s->out * s->in * s->taps;
}

void pare_conv_lanes_prepare(const struct pare_op_args *args)
{
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	struct shared shared = shared_at(&s, args->shared_workspace);
	for (int g = 0; g < s.groups; g++)
		pare_pack_weights(args->param[0] + g * group_weights(&s), s.out, s.in, s.taps, (int64_t)s.in * s.taps,
		                  s.taps, 1, pare_lane_kernels()->conv_outputs,
		                  shared.forward_weights + g * group_weights(&s));
}

/* One direction of the convolution as jobs over target rows: forward (targets are outputs) or data gradient. */
struct direction {
	const struct pare_lane_kernels *kernels;
	struct pare_axis rows, columns;
	int groups, sources, targets; /* channels of one group */
	int taps, kernel_w;
	const float *weights; /* packed, all groups */
	const float *bias;    /* all channels, or NULL */
	enum pare_kernel_activation activation;
	bool accumulate;
	struct pare_tensor from, to;
	int64_t from_row, to_row; /* floats */
	int64_t strips;
};

/* Taps of the pixels where a row segment and a column segment meet, relative to (row 0's source row, column 0's
 * source). */
static int meet(const struct direction *d, const struct pare_axis_segment *row, const struct pare_axis_segment *column,
                struct pare_tap *taps)
{
	int n = 0;
	for (int y = 0; y < row->n_taps; y++)
		for (int x = 0; x < column->n_taps; x++)
			taps[n++] = (struct pare_tap){.x_offset = row->taps[y].first * d->from_row +
			                                          (int64_t)column->taps[x].first * PARE_LANES,
			                              .weight = row->taps[y].tap * d->kernel_w + column->taps[x].tap};
	return n;
}

/* Target rows number [begin, end) of one row segment, in all channels. */
static void run_rows(const struct direction *d, int64_t block, const struct pare_axis_segment *row, int begin, int end)
{
	struct pare_tap taps[CONV_MOST_TAPS];
	int64_t from_plane = pare_shape_plane(&d->from.shape) * PARE_LANES;
	int64_t to_plane = pare_shape_plane(&d->to.shape) * PARE_LANES;
	const float *from = d->from.data + block * pare_tensor_block_size(&d->from);
	float *to = d->to.data + block * pare_tensor_block_size(&d->to);

	for (int c = 0; c < d->columns.n_segments; c++) {
		const struct pare_axis_segment *column = &d->columns.segments[c];
		struct pare_pixels_job job = {.x_plane = from_plane,
		                              .x_step = (int64_t)column->source_step * PARE_LANES,
		                              .inputs = d->sources,
		                              .taps = taps,
		                              .n_taps = meet(d, row, column, taps),
		                              .taps_in_all = d->taps,
		                              .y_plane = to_plane,
		                              .y_step = (int64_t)column->step * PARE_LANES,
		                              .outputs = d->targets,
		                              .pixels = column->count,
		                              .activation = d->activation,
		                              .accumulate = d->accumulate};
		for (int i = begin; i < end; i++) {
			for (int g = 0; g < d->groups; g++) {
				job.x = from + g * d->sources * from_plane + i * row->source_step * d->from_row;
				job.y = to + g * d->targets * to_plane +
				        (row->first + (int64_t)i * row->step) * d->to_row +
				        (int64_t)column->first * PARE_LANES;
				job.w = d->weights + (int64_t)g * d->sources * d->targets * d->taps;
				job.bias = d->bias ? d->bias + g * d->targets : NULL;
				d->kernels->pixels(&job);
			}
		}
	}
}

/* A strip takes its share of every row segment's rows. */
static void direction_item(void *context, int64_t item, int worker)
{
	const struct direction *d = context;
	int64_t block = item / d->strips, strip = item % d->strips;
	(void)worker;
	for (int r = 0; r < d->rows.n_segments; r++) {
		const struct pare_axis_segment *row = &d->rows.segments[r];
		int begin = (int)(row->count * strip / d->strips), end = (int)(row->count * (strip + 1) / d->strips);
		if (end > begin)
			run_rows(d, block, row, begin, end);
	}
}

static void run_direction(struct direction *d, struct pare_pool *pool)
{
	int64_t blocks = pare_tensor_blocks(&d->to);
	d->kernels = pare_lane_kernels();
	d->strips = pool ? (LEAST_ITEMS + blocks - 1) / blocks : 1;
	pare_pool_for(pool, blocks * d->strips, direction_item, d);
}

void pare_conv_lanes_forward(const struct pare_op_args *args)
{
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	struct shared shared = shared_at(&s, args->shared_workspace);
	struct direction d = {.rows = pare_axis_forward(&s.rows, shared.row_memory),
	                      .columns = pare_axis_forward(&s.columns, shared.column_memory),
	                      .groups = s.groups,
	                      .sources = s.in,
	                      .targets = s.out,
	                      .taps = s.taps,
	                      .kernel_w = s.columns.kernel,
	                      .weights = shared.forward_weights,
	                      .bias = args->node->n_params > 1 ? args->param[1] : NULL,
	                      .activation = pare_kernel_activation(args->activation),
	                      .from = args->in[0],
	                      .to = args->out,
	                      .from_row = (int64_t)s.columns.in * PARE_LANES,
	                      .to_row = (int64_t)s.columns.out * PARE_LANES};
	run_direction(&d, args->pool);
}

static void data_gradient(const struct pare_op_args *args, const struct conv_shape *s, struct shared *shared)
{
	for (int g = 0; g < s->groups; g++)
		pare_pack_weights(args->param[0] + g * group_weights(s), s->in, s->out, s->taps, s->taps,
		                  (int64_t)s->in * s->taps, 1, pare_lane_kernels()->conv_outputs,
		                  shared->backward_weights + g * group_weights(s));
	struct direction d = {.rows = pare_axis_backward(&s->rows, shared->row_memory),
	                      .columns = pare_axis_backward(&s->columns, shared->column_memory),
	                      .groups = s->groups,
	                      .sources = s->out,
	                      .targets = s->in,
	                      .taps = s->taps,
	                      .kernel_w = s->columns.kernel,
	                      .weights = shared->backward_weights,
	                      .accumulate = args->din_accumulate[0],
	                      .from = args->dout,
	                      .to = args->din[0],
	                      .from_row = (int64_t)s->columns.out * PARE_LANES,
	                      .to_row = (int64_t)s->columns.in * PARE_LANES};
	run_direction(&d, args->pool);
}

/* The weight gradient of the whole batch. */
struct weight_gradient {
	const struct pare_op_args *args;
	const struct pare_lane_kernels *kernels;
	struct conv_shape s;
	struct pare_axis columns;
	int tiles, chunk, chunks;
};

/* One item: outputs [first_out, first_out + outs) and inputs [first_in, first_in + ins) of a group. */
struct gradient_item {
	int group, first_out, outs, first_in, ins;
	float *acc; /* [ins][taps][outs][lanes] */
};

static struct gradient_item gradient_item_at(const struct weight_gradient *wg, int64_t item, int worker)
{
	struct gradient_item it = {.acc = wg->args->workspace[worker]};
	int chunk = (int)(item % wg->chunks), tile = (int)(item / wg->chunks % wg->tiles);
	it.group = (int)(item / wg->chunks / wg->tiles);
	pare_tile_range(wg->s.out, wg->tiles, tile, &it.first_out, &it.outs);
	it.first_in = chunk * wg->chunk;
	it.ins = wg->s.in - it.first_in < wg->chunk ? wg->s.in - it.first_in : wg->chunk;
	return it;
}

/* All columns (input channel, tap) whose kernel row is ky, for dy rows [begin, end), one column segment of one block.
 */
static void gradient_rows(const struct weight_gradient *wg, const struct gradient_item *it,
                          struct pare_gradient_job job, const float *x, int ky,
                          const struct pare_axis_segment *segment)
{
	const struct conv_shape *s = &wg->s;
	int64_t plane = (int64_t)s->rows.in * s->columns.in * PARE_LANES, tile = (int64_t)it->outs * PARE_LANES;
	int n_columns = it->ins * segment->n_taps, done = 0;
	int64_t offset[PARE_GRADIENT_COLUMNS];
	float *acc[PARE_GRADIENT_COLUMNS];

	job.x = x;
	job.x_offset = offset;
	job.acc = acc;
	while (done < n_columns) {
		/* Columns of one kernel row stay together; 1x1 kernels take neighbouring channels instead. */
		int most = segment->n_taps > 1 ? segment->n_taps - done % segment->n_taps : n_columns - done;
		job.columns = most < PARE_GRADIENT_COLUMNS ? most : PARE_GRADIENT_COLUMNS;
		for (int j = 0; j < job.columns; j++, done++) {
			const struct pare_axis_tap *tap = &segment->taps[done % segment->n_taps];
			int i = done / segment->n_taps;
			offset[j] = i * plane + (int64_t)tap->first * PARE_LANES;
			acc[j] = it->acc + ((int64_t)i * s->taps + ky * s->columns.kernel + tap->tap) * tile;
		}
		wg->kernels->gradient(&job);
	}
}

/* dy rows [begin, end) of one block. */
static void gradient_strip(const struct weight_gradient *wg, const struct gradient_item *it, int64_t block, int begin,
                           int end)
{
	const struct conv_shape *s = &wg->s;
	const struct pare_tensor *in = &wg->args->in[0], *dout = &wg->args->dout;
	int64_t out_row = (int64_t)s->columns.out * PARE_LANES, in_row = (int64_t)s->columns.in * PARE_LANES;
	int64_t out_plane = s->rows.out * out_row, in_plane = s->rows.in * in_row;
	const float *dy =
	        dout->data + block * pare_tensor_block_size(dout) + (it->group * s->out + it->first_out) * out_plane;
	const float *x = in->data + block * pare_tensor_block_size(in) + (it->group * s->in + it->first_in) * in_plane;
	struct pare_gradient_job job = {.dy_plane = out_plane,
	                                .dy_row = out_row,
	                                .dy_step = PARE_LANES,
	                                .outputs = it->outs,
	                                .x_row = s->rows.stride * in_row};

	for (int ky = 0; ky < s->rows.kernel; ky++) {
		int32_t first, last;
		pare_axis_tap_range(&s->rows, ky, &first, &last);
		first = first > begin ? first : begin;
		last = last < end ? last : end;
		if (first >= last)
			continue;
		job.rows = last - first;
		int64_t source_row = (int64_t)first * s->rows.stride - s->rows.pad + (int64_t)ky * s->rows.dilation;
		for (int c = 0; c < wg->columns.n_segments; c++) {
			const struct pare_axis_segment *segment = &wg->columns.segments[c];
			if (segment->n_taps == 0)
				continue;
			job.dy = dy + first * out_row + (int64_t)segment->first * PARE_LANES;
			job.x_step = (int64_t)segment->source_step * PARE_LANES;
			job.pixels = segment->count;
			gradient_rows(wg, it, job, x + source_row * in_row, ky, segment);
		}
	}
}

/* Adds the lanes up, in order, into the weights' gradient. */
static void add_lanes(const struct weight_gradient *wg, const struct gradient_item *it)
{
	const struct conv_shape *s = &wg->s;
	float *dw = wg->args->dparam[0] + it->group * group_weights(s);
	const float *acc = it->acc;

	for (int i = 0; i < it->ins; i++)
		for (int t = 0; t < s->taps; t++)
			for (int o = 0; o < it->outs; o++, acc += PARE_LANES) {
				float sum = 0.0f;
				for (int lane = 0; lane < PARE_LANES; lane++)
					sum += acc[lane];
				dw[((int64_t)(it->first_out + o) * s->in + it->first_in + i) * s->taps + t] += sum;
			}
}

static void weight_gradient_item(void *context, int64_t item, int worker)
{
	const struct weight_gradient *wg = context;
	struct gradient_item it = gradient_item_at(wg, item, worker);
	int rows_out = wg->s.rows.out;
	int strip = (int)(STRIP_FLOATS / ((int64_t)it.outs * wg->s.columns.out * PARE_LANES));

	strip = strip < 1 ? 1 : strip;
	memset(it.acc, 0, (size_t)it.ins * (size_t)wg->s.taps * (size_t)it.outs * PARE_LANES * sizeof(float));
	for (int64_t block = 0; block < pare_tensor_blocks(&wg->args->dout); block++)
		for (int row = 0; row < rows_out; row += strip)
			gradient_strip(wg, &it, block, row, row + strip < rows_out ? row + strip : rows_out);
	add_lanes(wg, &it);
}

static void weight_gradient(const struct pare_op_args *args, const struct conv_shape *s, struct shared *shared)
{
	struct weight_gradient wg = {.args = args,
	                             .kernels = pare_lane_kernels(),
	                             .s = *s,
	                             .columns = pare_axis_forward(&s->columns, shared->column_memory),
	                             .chunk = chunk_inputs(s)};
	wg.tiles = pare_tile_count(s->out, wg.kernels->gradient_outputs);
	wg.chunks = pare_tile_count(s->in, wg.chunk);
	pare_pool_for(args->pool, (int64_t)s->groups * wg.tiles * wg.chunks, weight_gradient_item, &wg);
}

static void bias_gradient_item(void *context, int64_t channel, int worker)
{
	const struct pare_op_args *args = context;
	int64_t plane = pare_shape_plane(&args->dout.shape) * PARE_LANES;
	double total = 0.0;
	(void)worker;
	for (int64_t block = 0; block < pare_tensor_blocks(&args->dout); block++) {
		const float *dy = args->dout.data + block * pare_tensor_block_size(&args->dout) + channel * plane;
		float sum[PARE_LANES] = {0};
		for (int64_t i = 0; i < plane; i += PARE_LANES)
			for (int lane = 0; lane < PARE_LANES; lane++)
				sum[lane] += dy[i + lane];
		for (int lane = 0; lane < PARE_LANES; lane++)
			total += sum[lane];
	}
	args->dparam[1][channel] += (float)total;
}

static void mask_item(void *context, int64_t block, int worker)
{
	const struct pare_op_args *args = context;
	int64_t size = pare_tensor_block_size(&args->dout);
	float *dy = args->dout.data + block * size;
	(void)worker;
	pare_activation_mask(args->out.data + block * size, dy, size, args->activation);
}

void pare_conv_lanes_backward(const struct pare_op_args *args)
{
	struct conv_shape s = pare_conv_shape(args->graph, args->node);
	struct shared shared = shared_at(&s, args->shared_workspace);

	if (args->activation != PARE_ACTIVATION_NONE)
		pare_pool_for(args->pool, pare_tensor_blocks(&args->dout), mask_item, (void *)args);
	if (args->dparam[0])
		weight_gradient(args, &s, &shared);
	if (args->node->n_params > 1 && args->dparam[1])
		pare_pool_for(args->pool, args->dout.shape.dim[0], bias_gradient_item, (void *)args);
	if (args->din[0].data)
		data_gradient(args, &s, &shared);
}
