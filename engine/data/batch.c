/*
 * This runs for every image of every epoch, so a pixel costs one table look-up: 256 normalised values a channel, worked
 * out once a call. Rows are the unit of work: the rows of the 16 images of a block interleave into the same cache
 * lines, and written one after the other they are still in the first-level cache.
 */
#include "engine/data/batch.h"

#include "engine/base/rng.h"

/* How one image of a block is read. */
struct source {
	const uint8_t *pixels;    /* NULL: a lane past the last image */
	int64_t shift_x, shift_y; /* output (x, y) is pixel (x + shift_x, y + shift_y), before the flip */
	bool flip;
};

struct value_table {
	float of[PARE_DATA_MAX_CHANNELS][256];
};

static void make_table(struct value_table *table, const struct pare_normalization *normalization, int32_t channels)
{
	for (int32_t c = 0; c < channels; c++)
		for (int value = 0; value < 256; value++)
			table->of[c][value] = ((float)value / 255.0f - normalization->mean[c]) / normalization->std[c];
}

static void choose_augmentation(struct source *source, const struct pare_augment *augment, uint64_t position)
{
	struct pare_rng rng = pare_rng_make(augment->seed, PARE_STREAM_AUGMENT, position);
	uint32_t choices = 2 * (uint32_t)augment->crop_padding + 1;

	source->flip = pare_rng_below(&rng, 2) == 1 && augment->flip;
	source->shift_y = (int64_t)pare_rng_below(&rng, choices) - augment->crop_padding;
	source->shift_x = (int64_t)pare_rng_below(&rng, choices) - augment->crop_padding;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* `row` is one row of pixels; out[x * lanes] gets it shifted, flipped and normalised. */
static void fill_row(float *out, int64_t lanes, const uint8_t *row, const struct source *source, int64_t width,
                     const float values[256])
{
	int64_t begin = clamp(-source->shift_x, 0, width), end = clamp(width - source->shift_x, 0, width);
	int64_t step = lanes;

	if (source->flip) {
		out += (width - 1) * lanes;
		step = -lanes;
	}
	for (int64_t x = 0; x < begin; x++)
		out[x * step] = 0.0f;
	for (int64_t x = begin; x < end; x++)
		out[x * step] = values[row[x + source->shift_x]];
	for (int64_t x = end; x < width; x++)
		out[x * step] = 0.0f;
}

static void zero_row(float *out, int64_t lanes, int64_t width)
{
	for (int64_t x = 0; x < width; x++)
		out[x * lanes] = 0.0f;
}

static void fill_block(float *block, const struct source *sources, int64_t lanes, const struct pare_dataset *dataset,
                       const struct value_table *table)
{
	int64_t height = dataset->height, width = dataset->width;

	for (int32_t c = 0; c < dataset->channels; c++)
		for (int64_t y = 0; y < height; y++) {
			float *out = block + (c * height + y) * width * lanes;
			for (int64_t lane = 0; lane < lanes; lane++) {
				const struct source *source = &sources[lane];
				int64_t from = y + source->shift_y;
				if (!source->pixels || from < 0 || from >= height)
					zero_row(out + lane, lanes, width);
				else
					fill_row(out + lane, lanes, source->pixels + (c * height + from) * width,
					         source, width, table->of[c]);
			}
		}
}

void pare_batch_fill(const struct pare_split *split, const int32_t *order, int64_t first,
                     const struct pare_normalization *normalization, const struct pare_augment *augment,
                     uint64_t position, const struct pare_tensor *out, int32_t *labels)
{
	const struct pare_dataset *dataset = split->dataset;
	int64_t image_bytes = (int64_t)dataset->channels * dataset->height * dataset->width;
	struct value_table table;

	make_table(&table, normalization, dataset->channels);
	for (int64_t block = 0; block < pare_tensor_blocks(out); block++) {
		struct source sources[PARE_LANES] = {{0}};
		for (int lane = 0; lane < out->lanes; lane++) {
			int64_t i = block * out->lanes + lane;
			if (i >= out->images)
				break;
			int32_t image = split->index[order ? order[first + i] : first + i];
			sources[lane].pixels = dataset->pixels + image * image_bytes;
			if (augment)
				choose_augmentation(&sources[lane], augment, position + (uint64_t)i);
			if (labels)
				labels[i] = dataset->labels[image];
		}
		fill_block(out->data + block * pare_tensor_block_size(out), sources, out->lanes, dataset, &table);
	}
}

void pare_epoch_order(uint64_t seed, uint64_t epoch, int32_t *order, int64_t images)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_SHUFFLE, epoch);

	for (int64_t i = 0; i < images; i++)
		order[i] = (int32_t)i;
	pare_rng_shuffle(&rng, order, images);
}
