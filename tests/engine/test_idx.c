/* IDX files: what is read, and every way a file can be wrong. */
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

#define IMAGES "train-images-idx3-ubyte"
#define LABELS "train-labels-idx1-ubyte"
#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

/* Five 3x4 images and their labels, with their headers. */
enum { N = 5, HEIGHT = 3, WIDTH = 4, PIXELS = N * HEIGHT * WIDTH, IMAGES_HEADER = 16, LABELS_HEADER = 8 };

struct fixture {
	char *folder;
	uint8_t images[IMAGES_HEADER + PIXELS + 1]; /* one byte more than the header promises: for trailing bytes */
	uint8_t labels[LABELS_HEADER + N + 1];
};

static void write_good(const struct fixture *fixture)
{
	data_file_write(fixture->folder, IMAGES, fixture->images, IMAGES_HEADER + PIXELS);
	data_file_write(fixture->folder, LABELS, fixture->labels, LABELS_HEADER + N);
}

static int setup(void **state)
{
	static const uint8_t images_header[] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH};
	static const uint8_t labels_header[] = {0, 0, 8, 1, 0, 0, 0, N};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->folder = test_directory_new();
	memcpy(fixture->images, images_header, sizeof(images_header));
	memcpy(fixture->labels, labels_header, sizeof(labels_header));
	for (int i = 0; i < PIXELS; i++)
		fixture->images[IMAGES_HEADER + i] = (uint8_t)(i * 37 + 200);
	for (int i = 0; i < N; i++)
		fixture->labels[LABELS_HEADER + i] = (uint8_t)(9 - 2 * i);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	test_directory_free(fixture->folder);
	free(fixture);
	return 0;
}

static void assert_content(const struct fixture *fixture, enum pare_data_part part)
{
	struct pare_dataset dataset = read_part("idx", fixture->folder, part);

	assert_int_equal(dataset.images, N);
	assert_int_equal(dataset.channels, 1);
	assert_int_equal(dataset.height, HEIGHT);
	assert_int_equal(dataset.width, WIDTH);
	assert_int_equal(dataset.classes, 10);
	assert_memory_equal(dataset.pixels, fixture->images + IMAGES_HEADER, PIXELS);
	assert_memory_equal(dataset.labels, fixture->labels + LABELS_HEADER, N);
	pare_dataset_release(&dataset);
}

static void assert_refused(const struct fixture *fixture, int status, const char *needle)
{
	assert_read_refused("idx", fixture->folder, PARE_DATA_TRAIN, status, needle);
}

static void test_idx__reads_plain_files(void **state)
{
	write_good(*state);
	assert_content(*state, PARE_DATA_TRAIN);
}

static void test_idx__reads_the_test_part(void **state)
{
	struct fixture *fixture = *state;

	data_file_write(fixture->folder, "t10k-images-idx3-ubyte", fixture->images, IMAGES_HEADER + PIXELS);
	data_file_write(fixture->folder, "t10k-labels-idx1-ubyte", fixture->labels, LABELS_HEADER + N);
	assert_content(fixture, PARE_DATA_TEST);
	assert_refused(fixture, PARE_E_NOT_FOUND, IMAGES);
}

static void test_idx__reads_gz_files(void **state)
{
	struct fixture *fixture = *state;

	data_file_write_gz(fixture->folder, IMAGES ".gz", fixture->images, IMAGES_HEADER + PIXELS);
	data_file_write_gz(fixture->folder, LABELS ".gz", fixture->labels, LABELS_HEADER + N);
	assert_content(fixture, PARE_DATA_TRAIN);
}

/* 0x11223 images of one pixel: a size that needs more than two bytes. */
static void test_idx__sizes_are_big_endian(void **state)
{
	struct fixture *fixture = *state;
	enum { MANY = 0x11223 };
	uint8_t *bytes = calloc(1, IMAGES_HEADER + MANY);

	assert_non_null(bytes);
	memcpy(bytes, (uint8_t[]){0, 0, 8, 3, 0, 1, 0x12, 0x23, 0, 0, 0, 1, 0, 0, 0, 1}, IMAGES_HEADER);
	bytes[IMAGES_HEADER + MANY - 1] = 77;
	data_file_write(fixture->folder, IMAGES, bytes, IMAGES_HEADER + MANY);
	memcpy(bytes, (uint8_t[]){0, 0, 8, 1, 0, 1, 0x12, 0x23, 0, 0, 0, 0, 0, 0, 0, 0}, IMAGES_HEADER);
	bytes[LABELS_HEADER + MANY - 1] = 7;
	data_file_write(fixture->folder, LABELS, bytes, LABELS_HEADER + MANY);
	free(bytes);

	struct pare_dataset dataset = read_part("idx", fixture->folder, PARE_DATA_TRAIN);
	assert_int_equal(dataset.images, MANY);
	assert_int_equal(dataset.pixels[MANY - 1], 77);
	assert_int_equal(dataset.labels[MANY - 1], 7);
	pare_dataset_release(&dataset);
}

static void test_idx__prefers_the_unpacked_file(void **state)
{
	struct fixture *fixture = *state;

	write_good(fixture);
	data_file_write(fixture->folder, IMAGES ".gz", "rubbish", 7);
	assert_content(fixture, PARE_DATA_TRAIN);
}

static void test_idx__missing_file_names_what_was_looked_for(void **state)
{
	struct fixture *fixture = *state;

	assert_refused(fixture, PARE_E_NOT_FOUND, "neither " IMAGES " nor " IMAGES ".gz");
	assert_refused(fixture, PARE_E_NOT_FOUND, "dataset-fashion-mnist");
	assert_read_refused("idx", fixture->folder, PARE_DATA_TEST, PARE_E_NOT_FOUND, "t10k-images-idx3-ubyte.gz");
	data_file_write(fixture->folder, IMAGES, fixture->images, IMAGES_HEADER + PIXELS);
	assert_refused(fixture, PARE_E_NOT_FOUND, "neither " LABELS " nor " LABELS ".gz");
}

static void test_idx__path_must_be_a_folder(void **state)
{
	struct fixture *fixture = *state;
	char file[400];

	write_good(fixture);
	snprintf(file, sizeof(file), "%s/%s", fixture->folder, IMAGES);
	assert_read_refused("idx", file, PARE_DATA_TRAIN, PARE_E_NOT_FOUND, "must be a folder");
	strcat(file, "-not-there");
	assert_read_refused("idx", file, PARE_DATA_TRAIN, PARE_E_NOT_FOUND, "no such folder");
	assert_read_refused("idx", NULL, PARE_DATA_TRAIN, PARE_E_INVALID, "no path");
	assert_read_refused("idx", "", PARE_DATA_TRAIN, PARE_E_INVALID, "no path");
}

static void test_idx__magic_is_checked(void **state)
{
	struct fixture *fixture = *state;

	fixture->images[1] = 1;
	write_good(fixture);
	assert_refused(fixture, PARE_E_FORMAT, "not an IDX file: it starts with bytes 00 01");
	fixture->images[0] = 'P';
	fixture->images[1] = 0;
	write_good(fixture);
	assert_refused(fixture, PARE_E_FORMAT, "bytes 50 00");
}

static void test_idx__element_type_is_checked(void **state)
{
	struct fixture *fixture = *state;

	fixture->images[2] = 0x0d;
	write_good(fixture);
	assert_refused(fixture, PARE_E_UNSUPPORTED, "type 0x0d");
}

static void test_idx__rank_is_checked(void **state)
{
	struct fixture *fixture = *state;

	fixture->images[3] = 4;
	write_good(fixture);
	assert_refused(fixture, PARE_E_FORMAT, "has 4 dimensions, images have 3");
	fixture->images[3] = 3;
	fixture->labels[3] = 3;
	write_good(fixture);
	assert_refused(fixture, PARE_E_FORMAT, "has 3 dimensions, labels have 1");
}

static void test_idx__images_and_labels_swapped(void **state)
{
	struct fixture *fixture = *state;

	data_file_write(fixture->folder, IMAGES, fixture->labels, LABELS_HEADER + N);
	data_file_write(fixture->folder, LABELS, fixture->images, IMAGES_HEADER + PIXELS);
	assert_refused(fixture, PARE_E_FORMAT, "has 1 dimensions, images have 3");
}

static void test_idx__every_truncation_is_refused(void **state)
{
	struct fixture *fixture = *state;

	for (size_t size = 0; size < IMAGES_HEADER + PIXELS; size++) {
		write_good(fixture);
		data_file_cut(fixture->folder, IMAGES, size);
		assert_refused(fixture, PARE_E_FORMAT, "truncated");
	}
	for (size_t size = 0; size < LABELS_HEADER + N; size++) {
		write_good(fixture);
		data_file_cut(fixture->folder, LABELS, size);
		assert_refused(fixture, PARE_E_FORMAT, "truncated");
	}
}

static void test_idx__trailing_bytes_are_refused(void **state)
{
	struct fixture *fixture = *state;

	write_good(fixture);
	data_file_write(fixture->folder, IMAGES, fixture->images, IMAGES_HEADER + PIXELS + 1);
	assert_refused(fixture, PARE_E_FORMAT,
	               "trailing bytes: the header promises 60 bytes of values, the file has 61");
	write_good(fixture);
	data_file_write(fixture->folder, LABELS, fixture->labels, LABELS_HEADER + N + 1);
	assert_refused(fixture, PARE_E_FORMAT, "promises 5 bytes of values, the file has 6");
}

static void test_idx__zero_dimensions_are_refused(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		uint8_t *low_byte = &fixture->images[7 + 4 * i], kept = *low_byte;
		char needle[32];
		*low_byte = 0;
		snprintf(needle, sizeof(needle), "dimension %d is 0", i);
		write_good(fixture);
		assert_refused(fixture, PARE_E_FORMAT, needle);
		*low_byte = kept;
	}
}

static void test_idx__overflowing_sizes_are_refused(void **state)
{
	struct fixture *fixture = *state;

	/* 2^32 - 1 in each dimension; then 2^31 x 2^31 x 4 = 2^64, which is 0 in 64 bits. */
	memset(fixture->images + 4, 0xff, 12);
	write_good(fixture);
	assert_refused(fixture, PARE_E_LIMIT, "over 1073741824 bytes");
	memcpy(fixture->images + 4, (uint8_t[]){0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4}, 12);
	data_file_write(fixture->folder, IMAGES, fixture->images, IMAGES_HEADER);
	assert_refused(fixture, PARE_E_LIMIT, "over 1073741824 bytes");
}

static void test_idx__oversized_images_are_refused(void **state)
{
	struct fixture *fixture = *state;
	uint8_t *wide = calloc(1, IMAGES_HEADER + N * 4097);

	assert_non_null(wide);
	memcpy(wide, (uint8_t[]){0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, 1, 0, 0, 0x10, 1}, IMAGES_HEADER);
	write_good(fixture);
	data_file_write(fixture->folder, IMAGES, wide, IMAGES_HEADER + N * 4097);
	free(wide);
	assert_refused(fixture, PARE_E_LIMIT, "width is 4097, the limit is 4096");
}

static void test_idx__counts_must_agree(void **state)
{
	struct fixture *fixture = *state;

	fixture->labels[7] = N - 1;
	write_good(fixture);
	data_file_cut(fixture->folder, LABELS, LABELS_HEADER + N - 1);
	assert_refused(fixture, PARE_E_FORMAT, "holds 4 labels, but");
	assert_refused(fixture, PARE_E_FORMAT, "holds 5 images");
}

static void test_idx__labels_must_be_in_range(void **state)
{
	struct fixture *fixture = *state;

	fixture->labels[LABELS_HEADER + 3] = 10;
	write_good(fixture);
	assert_refused(fixture, PARE_E_FORMAT, "the label of image 3 is 10, allowed are 0 to 9");
}

static void test_idx__every_gz_truncation_is_refused(void **state)
{
	struct fixture *fixture = *state;

	write_good(fixture);
	data_file_cut(fixture->folder, LABELS, 0);
	data_file_write_gz(fixture->folder, LABELS, fixture->labels, LABELS_HEADER + N);
	for (size_t size = data_file_size(fixture->folder, LABELS); size-- > 0;) {
		data_file_cut(fixture->folder, LABELS, size);
		assert_refused(fixture, PARE_E_FORMAT, "");
	}
}

static void test_idx__gz_values_are_checked_too(void **state)
{
	struct fixture *fixture = *state;

	data_file_write_gz(fixture->folder, IMAGES ".gz", fixture->images, IMAGES_HEADER + PIXELS - 1);
	data_file_write_gz(fixture->folder, LABELS ".gz", fixture->labels, LABELS_HEADER + N);
	assert_refused(fixture, PARE_E_FORMAT, "truncated: the header promises 60 bytes of values, the file has 59");
}

static void assert_fashion_part(enum pare_data_part part, int64_t images, const uint8_t first_labels[4], double mean)
{
	struct pare_dataset dataset = read_part("idx", FASHION_MNIST, part);
	int64_t histogram[10] = {0};
	double sum = 0;

	assert_int_equal(dataset.images, images);
	assert_int_equal(dataset.height, 28);
	assert_int_equal(dataset.width, 28);
	for (int64_t i = 0; i < images; i++)
		histogram[dataset.labels[i]]++;
	for (int c = 0; c < 10; c++)
		assert_int_equal(histogram[c], images / 10);
	assert_memory_equal(dataset.labels, first_labels, 4);
	for (int64_t i = 0; i < images * 784; i++)
		sum += dataset.pixels[i];
	assert_float_equal(sum / 255 / 784 / (double)images, mean, 5e-5);
	pare_dataset_release(&dataset);
}

/* The means are the ones usually quoted for normalising Fashion-MNIST. */
static void test_idx__reads_fashion_mnist(void **state)
{
	(void)state;
	if (!pare_file_is_directory(FASHION_MNIST))
		skip();
	assert_fashion_part(PARE_DATA_TRAIN, 60000, (const uint8_t[]){9, 0, 0, 3}, 0.2860);
	assert_fashion_part(PARE_DATA_TEST, 10000, (const uint8_t[]){9, 2, 1, 1}, 0.2868);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        WITH_FILES(test_idx__reads_plain_files),
	        WITH_FILES(test_idx__reads_the_test_part),
	        WITH_FILES(test_idx__reads_gz_files),
	        WITH_FILES(test_idx__sizes_are_big_endian),
	        WITH_FILES(test_idx__prefers_the_unpacked_file),
	        WITH_FILES(test_idx__missing_file_names_what_was_looked_for),
	        WITH_FILES(test_idx__path_must_be_a_folder),
	        WITH_FILES(test_idx__magic_is_checked),
	        WITH_FILES(test_idx__element_type_is_checked),
	        WITH_FILES(test_idx__rank_is_checked),
	        WITH_FILES(test_idx__images_and_labels_swapped),
	        WITH_FILES(test_idx__every_truncation_is_refused),
	        WITH_FILES(test_idx__trailing_bytes_are_refused),
	        WITH_FILES(test_idx__zero_dimensions_are_refused),
	        WITH_FILES(test_idx__overflowing_sizes_are_refused),
	        WITH_FILES(test_idx__oversized_images_are_refused),
	        WITH_FILES(test_idx__counts_must_agree),
	        WITH_FILES(test_idx__labels_must_be_in_range),
	        WITH_FILES(test_idx__every_gz_truncation_is_refused),
	        WITH_FILES(test_idx__gz_values_are_checked_too),
	        cmocka_unit_test(test_idx__reads_fashion_mnist),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
