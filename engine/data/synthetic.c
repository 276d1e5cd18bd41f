/*
 * Generated images, for quick starts and tests without any download: 1x28x28, 10 classes.
 *
 * An image is a patch of a grating, at a random place and phase, on a random grey, plus noise. The class is the
 * grating's direction (5, 36 degrees apart) and period (2). Because the phase is uniform, every class has the same mean
 * image, so one linear layer learns next to nothing that holds for new images; a convolution followed by a rectifier
 * and pooling measures just what is asked.
 *
 * Integers only: the same (seed, image) gives the same bytes on every machine and with every compiler.
 */
#include <stdlib.h>

#include "engine/base/rng.h"
#include "engine/data/readers.h"

#define SIDE 28
#define CLASSES 10
#define DIRECTIONS 5

/* Images of the test part are drawn from here on: no training part reaches so far (PARE_DATA_MAX_IMAGES). */
#define TEST_FIRST_INDEX ((uint64_t)1 << 40)

/* One turn of a phase; a wave vector is in 1/TURN turns per pixel. */
#define TURN 65536

struct wave_vector {
	int32_t x, y;
};

/* round(TURN / period * (cos, sin)(36 degrees * k)), period 4.5 pixels, then 8 pixels; the class is the row. */
static const struct wave_vector class_waves[CLASSES] = {
        {14564, 0}, {11782, 8560}, {4500, 13851}, {-4500, 13851}, {-11782, 8560},
        {8192, 0},  {6627, 4815},  {2531, 7791},  {-2531, 7791},  {-6627, 4815},
};

struct patch {
	struct wave_vector wave;
	int32_t phase, center_x, center_y, contrast;
};

static int32_t between(struct pare_rng *rng, int32_t low, int32_t high)
{
	return low + (int32_t)pare_rng_below(rng, (uint32_t)(high - low + 1));
}

/* Turns the wave by up to 7 degrees and changes its period by up to 8 %. */
static struct wave_vector jitter(struct wave_vector wave, struct pare_rng *rng)
{
	int32_t along = between(rng, 256 - 20, 256 + 20), across = between(rng, -32, 32);

	return (struct wave_vector){(wave.x * along - wave.y * across) / 256, (wave.y * along + wave.x * across) / 256};
}

static struct patch draw_patch(int label, int32_t contrast, struct pare_rng *rng)
{
	struct patch patch;

	patch.wave = jitter(class_waves[label], rng);
	patch.phase = between(rng, 0, TURN - 1);
	patch.center_x = between(rng, 8, SIDE - 9);
	patch.center_y = between(rng, 8, SIDE - 9);
	patch.contrast = contrast;
	return patch;
}

/* A triangle wave in [-TURN / 4, TURN / 4]. */
static int32_t triangle(int32_t phase)
{
	return abs((phase & (TURN - 1)) - TURN / 2) - TURN / 4;
}

/* 256 at the centre, falling with the squared distance to 0 at 11 pixels. */
static int32_t envelope(int32_t dx, int32_t dy)
{
	int32_t squared = dx * dx + dy * dy, limit = 11 * 11;

	return squared < limit ? 256 - squared * 256 / limit : 0;
}

static int32_t patch_value(const struct patch *patch, int32_t x, int32_t y)
{
	int32_t dx = x - patch->center_x, dy = y - patch->center_y;
	int32_t wave = triangle(patch->phase + patch->wave.x * dx + patch->wave.y * dy);

	return patch->contrast * wave / (TURN / 4) * envelope(dx, dy) / 256;
}

/* Nearly normal, mean 0, standard deviation 32 grey levels: the sum of four uniform bytes, scaled. */
static int32_t noise(struct pare_rng *rng)
{
	uint32_t bits = pare_rng_u32(rng);
	int32_t sum = (int32_t)((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24));

	return (sum - 510) * 56 / 256;
}

static uint8_t clamp_byte(int32_t value)
{
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void draw_image(uint8_t pixels[SIDE * SIDE], int label, struct pare_rng *rng)
{
	int32_t grey = between(rng, 96, 160), contrast = between(rng, 40, 80);
	struct patch main = draw_patch(label, contrast, rng);
	struct patch distractor = draw_patch(between(rng, 0, CLASSES - 1), contrast / 2, rng);

	for (int32_t y = 0; y < SIDE; y++)
		for (int32_t x = 0; x < SIDE; x++)
			pixels[y * SIDE + x] = clamp_byte(grey + patch_value(&main, x, y) +
			                                  patch_value(&distractor, x, y) + noise(rng));
}

static int synthetic_read(const struct pare_reader_options *options, enum pare_data_part part, struct pare_dataset *out,
                          struct pare_error *error)
{
	*out = (struct pare_dataset){0};
	if (options->synthetic_images < 1)
		return pare_error_set(error, PARE_E_INVALID,
		                      "generated data needs the number of images, from 1 to %lld; it is %lld",
		                      (long long)PARE_DATA_MAX_IMAGES, (long long)options->synthetic_images);
	int status =
	        pare_dataset_init(out, options->synthetic_images, (int64_t[3]){1, SIDE, SIDE}, CLASSES, NULL, error);
	if (status)
		return status;

	uint64_t first = part == PARE_DATA_TEST ? TEST_FIRST_INDEX : 0;
	for (int64_t i = 0; i < out->images; i++) {
		struct pare_rng rng = pare_rng_make(options->seed, PARE_STREAM_SYNTHETIC, first + (uint64_t)i);
		out->labels[i] = (uint8_t)(i % CLASSES);
		draw_image(out->pixels + i * SIDE * SIDE, out->labels[i], &rng);
	}
	return PARE_OK;
}

const struct pare_reader pare_reader_synthetic = {
        .name = "synthetic",
        .help = "generated grey images of gratings, 1x28x28, 10 classes; reads no files",
        .read = synthetic_read,
};
