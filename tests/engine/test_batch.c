/* Batches against a naive version that builds the padded float image; the order of an epoch. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/data/batch.h"

enum { IMAGES = 40, HEIGHT = 5, WIDTH = 7 };

static const struct pare_normalization normalization = {.mean = {0.25f, 0.5f, 0.75f, 0.1f},
                                                        .std = {0.2f, 0.3f, 0.5f, 0.7f}};

/* A dataset of random pixels, and a split that goes through it backwards. */
struct fixture {
	struct pare_dataset dataset;
	struct pare_split split;
};

static void fixture_init(struct fixture *fixture, int64_t channels)
{
	struct pare_rng rng = pare_rng_make(1, PARE_STREAM_TEST, (uint64_t)channels);

	assert_int_equal(
	        pare_dataset_init(&fixture->dataset, IMAGES, (int64_t[3]){channels, HEIGHT, WIDTH}, 10, NULL, NULL),
	        PARE_OK);
	for (int64_t i = 0; i < IMAGES * channels * HEIGHT * WIDTH; i++)
		fixture->dataset.pixels[i] = (uint8_t)pare_rng_below(&rng, 256);
	fixture->split = (struct pare_split){.dataset = &fixture->dataset, .images = IMAGES};
	fixture->split.index = pare_calloc(IMAGES, sizeof(int32_t));
	assert_non_null(fixture->split.index);
	for (int32_t i = 0; i < IMAGES; i++) {
		fixture->dataset.labels[i] = (uint8_t)(i * 7 % 10);
		fixture->split.index[i] = IMAGES - 1 - i;
	}
}

static void fixture_release(struct fixture *fixture)
{
	free(fixture->split.index);
	pare_dataset_release(&fixture->dataset);
}

/* A tensor for the fixture's images, full of NaN: what is not written shows. */
static struct pare_tensor tensor_new(const struct fixture *fixture, int64_t images, int lanes)
{
	struct pare_tensor tensor = {
	        .shape = pare_shape_chw(fixture->dataset.channels, HEIGHT, WIDTH), .images = images, .lanes = lanes};

	tensor.data = pare_float_new((size_t)pare_tensor_size(&tensor));
	assert_non_null(tensor.data);
	for (int64_t i = 0; i < pare_tensor_size(&tensor); i++)
		tensor.data[i] = NAN;
	return tensor;
}

/* One normalised value of one channel, and zero outside of the image. */
static float padded_pixel(const struct pare_dataset *dataset, int32_t image, int64_t c, int64_t y, int64_t x)
{
	if (y < 0 || y >= HEIGHT || x < 0 || x >= WIDTH)
		return 0.0f;
	uint8_t value = dataset->pixels[((image * dataset->channels + c) * HEIGHT + y) * WIDTH + x];
	return ((float)value / 255.0f - normalization.mean[c]) / normalization.std[c];
}

/* Crop of the padded image with its top left corner at (row, column) of the padding, then the flip. */
static float naive_value(const struct pare_dataset *dataset, int32_t image, int64_t element,
                         const struct pare_augment *augment, uint64_t position)
{
	int64_t c = element / (HEIGHT * WIDTH), y = element / WIDTH % HEIGHT, x = element % WIDTH;

	if (!augment)
		return padded_pixel(dataset, image, c, y, x);
	struct pare_rng rng = pare_rng_make(augment->seed, PARE_STREAM_AUGMENT, position);
	uint32_t offsets = 2 * (uint32_t)augment->crop_padding + 1;
	bool flip = pare_rng_below(&rng, 2) == 1;
	int64_t row = pare_rng_below(&rng, offsets), column = pare_rng_below(&rng, offsets);
	if (flip && augment->flip)
		x = WIDTH - 1 - x;
	return padded_pixel(dataset, image, c, y + row - augment->crop_padding, x + column - augment->crop_padding);
}

static void check_batch(const struct fixture *fixture, int64_t images, int lanes, const int32_t *order, int64_t first,
                        const struct pare_augment *augment, uint64_t position)
{
	struct pare_tensor tensor = tensor_new(fixture, images, lanes);
	int32_t labels[IMAGES + 1];
	int64_t elements = pare_shape_elements(&tensor.shape);

	memset(labels, 0x7f, sizeof(labels));
	pare_batch_fill(&fixture->split, order, first, &normalization, augment, position, &tensor, labels);
	for (int64_t i = 0; i < images; i++) {
		int32_t image = fixture->split.index[order ? order[first + i] : first + i];
		assert_int_equal(labels[i], fixture->dataset.labels[image]);
		for (int64_t e = 0; e < elements; e++)
			/* The same operations on the same floats: equal, not near. */
			assert_true(*pare_tensor_at(&tensor, i, e) ==
			            naive_value(&fixture->dataset, image, e, augment, position + (uint64_t)i));
	}
	assert_int_equal(labels[images], 0x7f7f7f7f);
	for (int64_t i = images; i < pare_tensor_blocks(&tensor) * lanes; i++)
		for (int64_t e = 0; e < elements; e++)
			assert_true(*pare_tensor_at(&tensor, i, e) == 0.0f);
	free(tensor.data);
}

static void check_all_sizes(const struct pare_augment *augment, uint64_t position)
{
	const int64_t images[] = {1, 5, 16, 21, 37};

	for (int64_t channels = 1; channels <= PARE_DATA_MAX_CHANNELS; channels++) {
		struct fixture fixture;
		fixture_init(&fixture, channels);
		for (int i = 0; i < 5; i++) {
			check_batch(&fixture, images[i], 1, NULL, 0, augment, position);
			check_batch(&fixture, images[i], PARE_LANES, NULL, 0, augment, position);
		}
		fixture_release(&fixture);
	}
}

static void test_batch__plain_images_are_normalised(void **state)
{
	(void)state;
	check_all_sizes(NULL, 0);
}

static void test_batch__flips(void **state)
{
	(void)state;
	check_all_sizes(&(struct pare_augment){.flip = true, .seed = 3}, 1000);
}

static void test_batch__crops_with_padding(void **state)
{
	(void)state;
	check_all_sizes(&(struct pare_augment){.crop_padding = 1, .seed = 4}, 2000);
	check_all_sizes(&(struct pare_augment){.crop_padding = 4, .seed = 4}, 3000);
}

static void test_batch__flips_after_the_crop(void **state)
{
	(void)state;
	check_all_sizes(&(struct pare_augment){.flip = true, .crop_padding = 2, .seed = 5}, (uint64_t)1 << 40);
}

/* Most crops then miss the image altogether. */
static void test_batch__padding_may_exceed_the_image(void **state)
{
	(void)state;
	check_all_sizes(&(struct pare_augment){.flip = true, .crop_padding = 40, .seed = 6}, 0);
	check_all_sizes(&(struct pare_augment){.crop_padding = INT32_MAX, .seed = 6}, 0);
}

static void test_batch__follows_the_order(void **state)
{
	(void)state;
	struct fixture fixture;
	int32_t order[IMAGES];

	fixture_init(&fixture, 3);
	pare_epoch_order(9, 0, order, IMAGES);
	check_batch(&fixture, 21, PARE_LANES, order, 10, NULL, 0);
	check_batch(&fixture, 3, 1, order, 37, NULL, 0);
	check_batch(&fixture, 21, PARE_LANES, NULL, 19, NULL, 0);
	fixture_release(&fixture);
}

static void test_batch__labels_are_optional(void **state)
{
	(void)state;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	struct pare_tensor tensor = tensor_new(&fixture, 20, PARE_LANES);
	pare_batch_fill(&fixture.split, NULL, 0, &normalization, NULL, 0, &tensor, NULL);
	assert_true(*pare_tensor_at(&tensor, 19, 3) == naive_value(&fixture.dataset, IMAGES - 20, 3, NULL, 0));
	free(tensor.data);
	fixture_release(&fixture);
}

/* The same images at the same positions, cut into batches in two ways. */
static void test_batch__augmentation_does_not_depend_on_the_batch(void **state)
{
	(void)state;
	const struct pare_augment augment = {.flip = true, .crop_padding = 2, .seed = 7};
	struct fixture fixture;

	fixture_init(&fixture, 3);
	struct pare_tensor whole = tensor_new(&fixture, 37, PARE_LANES), part = tensor_new(&fixture, 20, 1);
	pare_batch_fill(&fixture.split, NULL, 0, &normalization, &augment, 100, &whole, NULL);
	pare_batch_fill(&fixture.split, NULL, 17, &normalization, &augment, 117, &part, NULL);
	for (int64_t i = 0; i < 20; i++)
		for (int64_t e = 0; e < pare_shape_elements(&part.shape); e++)
			assert_true(*pare_tensor_at(&whole, 17 + i, e) == *pare_tensor_at(&part, i, e));
	free(whole.data);
	free(part.data);
	fixture_release(&fixture);
}

/* What became of image 0 at a position: flip (0, 1), row and column of the crop (0, 1, 2), found from the pixels. */
static int recognise(const struct fixture *fixture, uint64_t position, uint64_t seed)
{
	const struct pare_augment augment = {.flip = true, .crop_padding = 1, .seed = seed};
	struct pare_tensor tensor = tensor_new(fixture, 1, 1);
	int found = -1;

	pare_batch_fill(&fixture->split, NULL, 0, &normalization, &augment, position, &tensor, NULL);
	for (int code = 0; code < 18; code++) {
		int flip = code / 9, row = code / 3 % 3, column = code % 3;
		bool same = true;
		for (int y = 0; y < HEIGHT && same; y++)
			for (int x = 0; x < WIDTH && same; x++)
				same = tensor.data[y * WIDTH + x] ==
				       padded_pixel(&fixture->dataset, IMAGES - 1, 0, y + row - 1,
				                    (flip ? WIDTH - 1 - x : x) + column - 1);
		if (same)
			found = code;
	}
	free(tensor.data);
	assert_true(found >= 0);
	return found;
}

/* 1800 draws of 18 outcomes: 100 each; 60 and 140 are four standard deviations away. */
static void test_batch__all_flips_and_crops_are_equally_likely(void **state)
{
	(void)state;
	int histogram[18] = {0}, equal = 0;
	struct fixture fixture;

	fixture_init(&fixture, 1);
	for (uint64_t position = 0; position < 1800; position++)
		histogram[recognise(&fixture, position, 8)]++;
	for (int code = 0; code < 18; code++)
		assert_in_range(histogram[code], 60, 140);
	for (uint64_t position = 0; position < 180; position++)
		equal += recognise(&fixture, position, 8) == recognise(&fixture, position, 9);
	assert_in_range(equal, 0, 30);
	fixture_release(&fixture);
}

static void test_batch__epoch_order_is_a_permutation(void **state)
{
	(void)state;
	int32_t order[101];
	bool seen[100] = {false};

	order[100] = -5;
	pare_epoch_order(1, 0, order, 100);
	for (int i = 0; i < 100; i++) {
		assert_in_range(order[i], 0, 99);
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
	}
	assert_int_equal(order[100], -5);
	pare_epoch_order(1, 0, order, 0);
}

static void test_batch__epoch_order_is_keyed_by_seed_and_epoch(void **state)
{
	(void)state;
	int32_t first[100], other[100];

	pare_epoch_order(1, 3, first, 100);
	pare_epoch_order(1, 3, other, 100);
	assert_memory_equal(first, other, sizeof(first));
	pare_epoch_order(1, 4, other, 100);
	assert_memory_not_equal(first, other, sizeof(first));
	pare_epoch_order(2, 3, other, 100);
	assert_memory_not_equal(first, other, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_batch__plain_images_are_normalised),
	        cmocka_unit_test(test_batch__flips),
	        cmocka_unit_test(test_batch__crops_with_padding),
	        cmocka_unit_test(test_batch__flips_after_the_crop),
	        cmocka_unit_test(test_batch__padding_may_exceed_the_image),
	        cmocka_unit_test(test_batch__follows_the_order),
	        cmocka_unit_test(test_batch__labels_are_optional),
	        cmocka_unit_test(test_batch__augmentation_does_not_depend_on_the_batch),
	        cmocka_unit_test(test_batch__all_flips_and_crops_are_equally_likely),
	        cmocka_unit_test(test_batch__epoch_order_is_a_permutation),
	        cmocka_unit_test(test_batch__epoch_order_is_keyed_by_seed_and_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
