/* Sizes of a dataset against the limits, and the table of readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/data/dataset.h"

static void assert_init_refused(int64_t images, int64_t channels, int64_t height, int64_t width, int status,
                                const char *needle)
{
	struct pare_dataset dataset = {.images = 7};
	struct pare_error error = {0};

	assert_int_equal(
	        pare_dataset_init(&dataset, images, (int64_t[3]){channels, height, width}, 10, "a/file", &error),
	        status);
	assert_non_null(strstr(error.text, needle));
	assert_string_equal(error.file, "a/file");
	assert_int_equal(dataset.images, 0);
	assert_null(dataset.pixels);
}

static void test_dataset__init_allocates_zeroed(void **state)
{
	(void)state;
	struct pare_dataset dataset;

	assert_int_equal(pare_dataset_init(&dataset, 2, (int64_t[3]){3, 4, 5}, 7, NULL, NULL), PARE_OK);
	assert_int_equal(dataset.images, 2);
	assert_int_equal(dataset.channels, 3);
	assert_int_equal(dataset.height, 4);
	assert_int_equal(dataset.width, 5);
	assert_int_equal(dataset.classes, 7);
	for (int i = 0; i < 2 * 3 * 4 * 5; i++)
		assert_int_equal(dataset.pixels[i], 0);
	assert_int_equal(dataset.labels[1], 0);
	pare_dataset_release(&dataset);
	assert_null(dataset.pixels);
	pare_dataset_release(&dataset);
}

static void test_dataset__sizes_must_be_positive(void **state)
{
	(void)state;
	assert_init_refused(0, 1, 1, 1, PARE_E_FORMAT, "number of images is 0, must be at least 1");
	assert_init_refused(1, 0, 1, 1, PARE_E_FORMAT, "channels is 0");
	assert_init_refused(1, 1, -1, 1, PARE_E_FORMAT, "height is -1");
	assert_init_refused(1, 1, 1, 0, PARE_E_FORMAT, "width is 0");
}

static void test_dataset__sizes_have_limits(void **state)
{
	(void)state;
	assert_init_refused(PARE_DATA_MAX_IMAGES + 1, 1, 1, 1, PARE_E_LIMIT, "16777217, the limit is 16777216");
	assert_init_refused(1, 5, 1, 1, PARE_E_LIMIT, "channels is 5, the limit is 4");
	assert_init_refused(1, 1, 4097, 1, PARE_E_LIMIT, "height is 4097, the limit is 4096");
	assert_init_refused(1, 1, 1, INT64_MAX, PARE_E_LIMIT, "width is 9223372036854775807");
}

static void test_dataset__all_pixels_have_a_limit(void **state)
{
	(void)state;
	assert_init_refused(65, 1, 4096, 4096, PARE_E_LIMIT, "1090519040, the limit is 1073741824");
	assert_init_refused(PARE_DATA_MAX_IMAGES, 4, 4096, 4096, PARE_E_LIMIT, "size of all pixels");
}

static void test_dataset__table_has_every_reader(void **state)
{
	(void)state;
	const char *names[] = {"idx", "cifar10", "synthetic"};

	for (int i = 0; i < 3; i++) {
		assert_non_null(pare_reader_find(names[i]));
		assert_string_equal(pare_reader_find(names[i])->name, names[i]);
		assert_true(strlen(pare_reader_find(names[i])->help) > 0);
	}
	assert_null(pare_reader_table[3]);
	assert_null(pare_reader_find("imagenet"));
	assert_null(pare_reader_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_dataset__init_allocates_zeroed),
	        cmocka_unit_test(test_dataset__sizes_must_be_positive),
	        cmocka_unit_test(test_dataset__sizes_have_limits),
	        cmocka_unit_test(test_dataset__all_pixels_have_a_limit),
	        cmocka_unit_test(test_dataset__table_has_every_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
