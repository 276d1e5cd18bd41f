/* CIFAR-10's binary files: what is read, and every way a file can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "tests/support/data_files.h"
#include "tests/support/temp_directory.h"

enum { IMAGE = 3072, RECORD = 3073, MAX_RECORDS = 4 };

#define SUBSET PARE_SOURCE_DIR "/../shared/data/cifar10-subset"

/* Pixel p of the record with this label: the three planes differ. */
static uint8_t pixel(int label, int p)
{
	return (uint8_t)(label * 50 + p * 3 + p / 1024);
}

static int setup(void **state)
{
	*state = test_directory_new();
	return 0;
}

static int teardown(void **state)
{
	test_directory_free(*state);
	return 0;
}

/* A file with one record per label. */
static void write_records(const char *folder, const char *name, const uint8_t *labels, int n)
{
	uint8_t *bytes = malloc(MAX_RECORDS * RECORD);

	assert_non_null(bytes);
	assert_true(n <= MAX_RECORDS);
	for (int i = 0; i < n; i++) {
		bytes[i * RECORD] = labels[i];
		for (int p = 0; p < IMAGE; p++)
			bytes[i * RECORD + 1 + p] = pixel(labels[i], p);
	}
	data_file_write(folder, name, bytes, (size_t)n * RECORD);
	free(bytes);
}

static void assert_content(const struct pare_dataset *dataset, const uint8_t *labels, int64_t images)
{
	assert_int_equal(dataset->images, images);
	assert_int_equal(dataset->channels, 3);
	assert_int_equal(dataset->height, 32);
	assert_int_equal(dataset->width, 32);
	assert_int_equal(dataset->classes, 10);
	assert_memory_equal(dataset->labels, labels, (size_t)images);
	for (int64_t i = 0; i < images; i++)
		for (int p = 0; p < IMAGE; p++)
			assert_int_equal(dataset->pixels[i * IMAGE + p], pixel(labels[i], p));
}

static void test_cifar10__reads_the_batches_that_are_there_in_order(void **state)
{
	write_records(*state, "data_batch_5.bin", (const uint8_t[]){8, 0}, 2);
	write_records(*state, "data_batch_2.bin", (const uint8_t[]){9, 3, 3}, 3);
	write_records(*state, "data_batch_6.bin", (const uint8_t[]){1}, 1);
	struct pare_dataset dataset = read_part("cifar10", *state, PARE_DATA_TRAIN);
	assert_content(&dataset, (const uint8_t[]){9, 3, 3, 8, 0}, 5);
	pare_dataset_release(&dataset);
}

static void test_cifar10__reads_the_test_batch(void **state)
{
	write_records(*state, "test_batch.bin", (const uint8_t[]){4, 5, 6, 7}, 4);
	struct pare_dataset dataset = read_part("cifar10", *state, PARE_DATA_TEST);
	assert_content(&dataset, (const uint8_t[]){4, 5, 6, 7}, 4);
	pare_dataset_release(&dataset);
}

static void test_cifar10__missing_files_are_named(void **state)
{
	const char *path = *state;

	assert_read_refused("cifar10", path, PARE_DATA_TRAIN, PARE_E_NOT_FOUND, "data_batch_1.bin to data_batch_5.bin");
	assert_read_refused("cifar10", path, PARE_DATA_TEST, PARE_E_NOT_FOUND, "test_batch.bin");
}

static void test_cifar10__path_must_be_a_folder(void **state)
{
	(void)state;
	assert_read_refused("cifar10", "/nowhere/at/all", PARE_DATA_TRAIN, PARE_E_NOT_FOUND, "no such folder");
	assert_read_refused("cifar10", NULL, PARE_DATA_TRAIN, PARE_E_INVALID, "no path");
}

static void test_cifar10__size_must_be_whole_records(void **state)
{
	const char *folder = *state;
	const size_t sizes[] = {0, 1, RECORD - 1, RECORD + 1, 2 * RECORD - 1};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char needle[64];
		snprintf(needle, sizeof(needle), "is %zu bytes, must be a multiple of 3073", sizes[i]);
		write_records(folder, "data_batch_1.bin", (const uint8_t[]){1, 2}, 2);
		data_file_cut(folder, "data_batch_1.bin", sizes[i]);
		assert_read_refused("cifar10", folder, PARE_DATA_TRAIN, PARE_E_FORMAT, needle);
	}
}

static void test_cifar10__labels_must_be_in_range(void **state)
{
	const char *folder = *state;

	write_records(folder, "data_batch_1.bin", (const uint8_t[]){1, 2}, 2);
	write_records(folder, "data_batch_3.bin", (const uint8_t[]){9, 10}, 2);
	assert_read_refused("cifar10", folder, PARE_DATA_TRAIN, PARE_E_FORMAT,
	                    "the label of record 1 is 10, allowed are 0 to 9");
}

static void assert_subset_part(enum pare_data_part part, int64_t images, const int64_t expected[10])
{
	struct pare_dataset dataset = read_part("cifar10", SUBSET, part);
	int64_t histogram[10] = {0};

	assert_int_equal(dataset.images, images);
	for (int64_t i = 0; i < images; i++)
		histogram[dataset.labels[i]]++;
	assert_memory_equal(histogram, expected, sizeof(histogram));
	pare_dataset_release(&dataset);
}

static void test_cifar10__reads_the_real_subset(void **state)
{
	(void)state;
	if (!pare_file_is_directory(SUBSET))
		skip();
	assert_subset_part(PARE_DATA_TRAIN, 5085, (const int64_t[]){517, 524, 490, 493, 537, 475, 503, 516, 529, 501});
	assert_subset_part(PARE_DATA_TEST, 1017, (const int64_t[]){105, 93, 100, 104, 92, 87, 114, 102, 110, 110});
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WITH_FOLDER(test_cifar10__reads_the_batches_that_are_there_in_order),
	        WITH_FOLDER(test_cifar10__reads_the_test_batch),
	        WITH_FOLDER(test_cifar10__missing_files_are_named),
	        cmocka_unit_test(test_cifar10__path_must_be_a_folder),
	        WITH_FOLDER(test_cifar10__size_must_be_whole_records),
	        WITH_FOLDER(test_cifar10__labels_must_be_in_range),
	        cmocka_unit_test(test_cifar10__reads_the_real_subset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
