/* Generated data: the same bytes for ever, and worth learning: a linear layer fails, the gratings tell the class. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/hash.h"
#include "engine/base/memory.h"
#include "engine/data/dataset.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10 };

static struct pare_dataset generate(int64_t images, uint64_t seed, enum pare_data_part part)
{
	struct pare_reader_options options = {.synthetic_images = images, .seed = seed};
	struct pare_dataset dataset;
	struct pare_error error = {0};

	if (pare_reader_find("synthetic")->read(&options, part, &dataset, &error) != PARE_OK)
		fail_msg("%s", error.text);
	assert_int_equal(dataset.images, images);
	assert_int_equal(dataset.channels, 1);
	assert_int_equal(dataset.height, SIDE);
	assert_int_equal(dataset.width, SIDE);
	assert_int_equal(dataset.classes, CLASSES);
	return dataset;
}

static void test_synthetic__image_depends_on_seed_and_index_only(void **state)
{
	(void)state;
	struct pare_dataset few = generate(20, 1, PARE_DATA_TRAIN), many = generate(50, 1, PARE_DATA_TRAIN);

	assert_memory_equal(few.pixels, many.pixels, 20 * PIXELS);
	assert_memory_equal(few.labels, many.labels, 20);
	pare_dataset_release(&few);
	pare_dataset_release(&many);
}

/* A change of this hash changes every study on generated data. */
static void test_synthetic__bytes_are_the_same_everywhere(void **state)
{
	(void)state;
	struct pare_dataset dataset = generate(20, 1, PARE_DATA_TRAIN);
	char text[PARE_HASH_TEXT_SIZE];

	pare_hash_bytes(dataset.pixels, 20 * PIXELS, text);
	assert_string_equal(text, "5743bf843d476f0eecaad43d2f17b518");
	pare_dataset_release(&dataset);
}

static void assert_no_common_image(const struct pare_dataset *a, const struct pare_dataset *b)
{
	for (int64_t i = 0; i < a->images; i++)
		for (int64_t j = 0; j < b->images; j++)
			assert_memory_not_equal(a->pixels + i * PIXELS, b->pixels + j * PIXELS, PIXELS);
}

static void test_synthetic__parts_and_seeds_share_no_image(void **state)
{
	(void)state;
	struct pare_dataset train = generate(100, 1, PARE_DATA_TRAIN), test = generate(100, 1, PARE_DATA_TEST);
	struct pare_dataset other = generate(100, 2, PARE_DATA_TRAIN);

	assert_no_common_image(&train, &test);
	assert_no_common_image(&train, &other);
	pare_dataset_release(&train);
	pare_dataset_release(&test);
	pare_dataset_release(&other);
}

static void test_synthetic__classes_are_balanced(void **state)
{
	(void)state;
	for (int part = PARE_DATA_TRAIN; part <= PARE_DATA_TEST; part++) {
		struct pare_dataset dataset = generate(105, 1, (enum pare_data_part)part);
		int counts[CLASSES] = {0};

		for (int i = 0; i < 105; i++)
			counts[dataset.labels[i]]++;
		for (int c = 0; c < CLASSES; c++)
			assert_in_range(counts[c], 10, 11);
		pare_dataset_release(&dataset);
	}
}

static void assert_count_refused(int64_t images, int status, const char *needle)
{
	struct pare_reader_options options = {.synthetic_images = images};
	struct pare_dataset dataset;
	struct pare_error error = {0};

	assert_int_equal(pare_reader_find("synthetic")->read(&options, PARE_DATA_TRAIN, &dataset, &error), status);
	assert_non_null(strstr(error.text, needle));
	assert_null(dataset.pixels);
}

static void test_synthetic__number_of_images_is_checked(void **state)
{
	(void)state;
	assert_count_refused(0, PARE_E_INVALID, "from 1 to 16777216; it is 0");
	assert_count_refused(-5, PARE_E_INVALID, "it is -5");
	assert_count_refused(PARE_DATA_MAX_IMAGES + 1, PARE_E_LIMIT, "the limit is 16777216");
	assert_count_refused(PARE_DATA_MAX_IMAGES, PARE_E_LIMIT, "size of all pixels");
}

static float centred(uint8_t pixel)
{
	return ((float)pixel - 128.0f) / 48.0f;
}

/* Class scores of one linear layer; returns the best class. */
static int linear_scores(float weights[CLASSES][PIXELS + 1], const uint8_t *pixels, float scores[CLASSES])
{
	int best = 0;

	for (int c = 0; c < CLASSES; c++) {
		scores[c] = weights[c][PIXELS];
		for (int p = 0; p < PIXELS; p++)
			scores[c] += weights[c][p] * centred(pixels[p]);
		if (scores[c] > scores[best])
			best = c;
	}
	return best;
}

/* One step of stochastic gradient descent on softmax cross-entropy. */
static void linear_learn(float weights[CLASSES][PIXELS + 1], const uint8_t *pixels, int label, float rate)
{
	float scores[CLASSES], sum = 0.0f;
	int best = linear_scores(weights, pixels, scores);
	float top = scores[best];

	for (int c = 0; c < CLASSES; c++)
		sum += scores[c] = expf(scores[c] - top);
	for (int c = 0; c < CLASSES; c++) {
		float step = rate * (scores[c] / sum - (c == label ? 1.0f : 0.0f));
		for (int p = 0; p < PIXELS; p++)
			weights[c][p] -= step * centred(pixels[p]);
		weights[c][PIXELS] -= step;
	}
}

static void test_synthetic__a_linear_layer_does_not_learn_it(void **state)
{
	(void)state;
	struct pare_dataset train = generate(2000, 1, PARE_DATA_TRAIN), test = generate(500, 1, PARE_DATA_TEST);
	float(*weights)[PIXELS + 1] = pare_calloc(CLASSES, sizeof(*weights));
	float scores[CLASSES];
	int right = 0;

	assert_non_null(weights);
	for (int epoch = 0; epoch < 3; epoch++)
		for (int64_t i = 0; i < train.images; i++)
			linear_learn(weights, train.pixels + i * PIXELS, train.labels[i], 0.002f);
	for (int64_t i = 0; i < test.images; i++)
		right += linear_scores(weights, test.pixels + i * PIXELS, scores) == test.labels[i];
	/* Chance is 50 of 500. */
	free(weights);
	pare_dataset_release(&train);
	pare_dataset_release(&test);
}

/* Power of the image at one class's wave vector: it does not depend on the grating's place and phase. */
static double wave_power(const uint8_t *pixels, int class_index)
{
	double turns = 1.0 / (class_index < 5 ? 4.5 : 8.0), angle = class_index % 5 * 36.0 * acos(-1.0) / 180.0;
	double real = 0.0, imaginary = 0.0, mean = 0.0;

	for (int p = 0; p < PIXELS; p++)
		mean += pixels[p] / (double)PIXELS;
	for (int p = 0; p < PIXELS; p++) {
		double phase = 2.0 * acos(-1.0) * turns * (p % SIDE * cos(angle) + p / SIDE * sin(angle));
		real += (pixels[p] - mean) * cos(phase);
		imaginary += (pixels[p] - mean) * sin(phase);
	}
	return real * real + imaginary * imaginary;
}

static void test_synthetic__the_strongest_wave_tells_the_class(void **state)
{
	(void)state;
	struct pare_dataset dataset = generate(500, 1, PARE_DATA_TEST);
	int right = 0;

	for (int64_t i = 0; i < dataset.images; i++) {
		double power[CLASSES];
		int best = 0;
		for (int c = 0; c < CLASSES; c++) {
			power[c] = wave_power(dataset.pixels + i * PIXELS, c);
			if (power[c] > power[best])
				best = c;
		}
		right += best == dataset.labels[i];
	}
	pare_dataset_release(&dataset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_synthetic__image_depends_on_seed_and_index_only),
	        cmocka_unit_test(test_synthetic__bytes_are_the_same_everywhere),
	        cmocka_unit_test(test_synthetic__parts_and_seeds_share_no_image),
	        cmocka_unit_test(test_synthetic__classes_are_balanced),
	        cmocka_unit_test(test_synthetic__number_of_images_is_checked),
	        cmocka_unit_test(test_synthetic__a_linear_layer_does_not_learn_it),
	        cmocka_unit_test(test_synthetic__the_strongest_wave_tells_the_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
