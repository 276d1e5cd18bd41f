#include "engine/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "engine/base/rng.h"
#include "tests/support/temp_directory.h"

/* Over one megabyte, so that unpacking takes several pieces. */
#define PLAIN_BYTES ((size_t)2500000)

/* Text that packs well, its gzip form, and a file name to write it to. */
struct sample {
	char *folder, *file;
	unsigned char *plain, *packed;
	size_t packed_bytes;
};

static size_t pack(const unsigned char *plain, size_t size, unsigned char *packed, size_t capacity)
{
	z_stream stream = {0};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (unsigned char *)plain;
	stream.avail_in = (uInt)size;
	stream.next_out = packed;
	stream.avail_out = (uInt)capacity;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return capacity - stream.avail_out;
}

static int set_up(void **state)
{
	struct sample *sample = calloc(1, sizeof(*sample));
	struct pare_rng rng = pare_rng_make(0, PARE_STREAM_TEST, 2);

	sample->folder = test_directory_new();
	sample->file = pare_path_join(sample->folder, "sample.gz");
	sample->plain = malloc(PLAIN_BYTES);
	sample->packed = malloc(2 * PLAIN_BYTES);
	for (size_t i = 0; i < PLAIN_BYTES; i++)
		sample->plain[i] = (unsigned char)pare_rng_below(&rng, 4);
	sample->packed_bytes = pack(sample->plain, PLAIN_BYTES, sample->packed, 2 * PLAIN_BYTES);
	*state = sample;
	return 0;
}

static int tear_down(void **state)
{
	struct sample *sample = *state;

	test_directory_free(sample->folder);
	free(sample->file);
	free(sample->plain);
	free(sample->packed);
	free(sample);
	return 0;
}

static void write_packed(const struct sample *sample, size_t bytes)
{
	assert_int_equal(pare_file_write_atomic(sample->file, sample->packed, bytes, NULL), PARE_OK);
}

static void expect_status(const struct sample *sample, size_t limit_bytes, enum pare_status code)
{
	struct pare_error error = {0};
	struct pare_bytes bytes;

	assert_int_equal(pare_file_read_gz(sample->file, limit_bytes, &bytes, &error), code);
	assert_int_equal(error.code, code);
	assert_string_equal(error.file, sample->file);
	assert_null(bytes.data);
	assert_int_equal(bytes.size, 0);
}

static void test_file_gz__unpacks(void **state)
{
	struct sample *sample = *state;
	struct pare_bytes bytes;

	write_packed(sample, sample->packed_bytes);
	assert_int_equal(pare_file_read_gz(sample->file, PLAIN_BYTES, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, PLAIN_BYTES);
	assert_memory_equal(bytes.data, sample->plain, PLAIN_BYTES);
	assert_int_equal(bytes.data[PLAIN_BYTES], 0);
	pare_bytes_release(&bytes);
}

static void test_file_gz__unpacks_an_empty_stream(void **state)
{
	struct sample *sample = *state;
	struct pare_bytes bytes;

	write_packed(sample, pack(sample->plain, 0, sample->packed, 100));
	assert_int_equal(pare_file_read_gz(sample->file, 0, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, 0);
	assert_non_null(bytes.data);
	pare_bytes_release(&bytes);
}

static void test_file_gz__unpacks_several_members(void **state)
{
	struct sample *sample = *state;
	struct pare_bytes bytes;
	size_t first = pack(sample->plain, 10, sample->packed, 1000);

	write_packed(sample, first + pack(sample->plain + 10, 20, sample->packed + first, 1000));
	assert_int_equal(pare_file_read_gz(sample->file, 100, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, 30);
	assert_memory_equal(bytes.data, sample->plain, 30);
	pare_bytes_release(&bytes);
}

static void test_file_gz__reads_plain_files_as_they_are(void **state)
{
	struct sample *sample = *state;
	struct pare_bytes bytes;

	assert_int_equal(pare_file_write_atomic(sample->file, "plain", 5, NULL), PARE_OK);
	assert_int_equal(pare_file_read_gz(sample->file, 5, &bytes, NULL), PARE_OK);
	assert_string_equal((char *)bytes.data, "plain");
	pare_bytes_release(&bytes);
	expect_status(sample, 4, PARE_E_LIMIT);
}

static void test_file_gz__limit_is_on_the_unpacked_size(void **state)
{
	struct sample *sample = *state;

	write_packed(sample, sample->packed_bytes);
	expect_status(sample, PLAIN_BYTES - 1, PARE_E_LIMIT);
	expect_status(sample, 10, PARE_E_LIMIT);
}

/* Whatever the place of the cut: in the header, in the data, in the checksum. */
static void test_file_gz__truncated_stream_is_an_error(void **state)
{
	struct sample *sample = *state;
	size_t whole = sample->packed_bytes;
	const size_t cuts[] = {2, 5, 9, 10, 11, 100, whole / 2, whole - 9, whole - 8, whole - 4, whole - 1};

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		write_packed(sample, cuts[i]);
		expect_status(sample, PLAIN_BYTES, PARE_E_FORMAT);
	}
}

static void test_file_gz__damaged_stream_is_an_error(void **state)
{
	struct sample *sample = *state;

	sample->packed[sample->packed_bytes / 2] ^= 1;
	write_packed(sample, sample->packed_bytes);
	expect_status(sample, PLAIN_BYTES, PARE_E_FORMAT);
}

static void test_file_gz__wrong_length_field_is_an_error(void **state)
{
	struct sample *sample = *state;

	sample->packed[sample->packed_bytes - 1] ^= 1;
	write_packed(sample, sample->packed_bytes);
	expect_status(sample, PLAIN_BYTES, PARE_E_FORMAT);
}

static void test_file_gz__bytes_after_the_stream_are_an_error(void **state)
{
	struct sample *sample = *state;

	memset(sample->packed + sample->packed_bytes, 'x', 40);
	write_packed(sample, sample->packed_bytes + 40);
	expect_status(sample, PLAIN_BYTES, PARE_E_FORMAT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_file_gz__unpacks),
	        TEST(test_file_gz__unpacks_an_empty_stream),
	        TEST(test_file_gz__unpacks_several_members),
	        TEST(test_file_gz__reads_plain_files_as_they_are),
	        TEST(test_file_gz__limit_is_on_the_unpacked_size),
	        TEST(test_file_gz__truncated_stream_is_an_error),
	        TEST(test_file_gz__damaged_stream_is_an_error),
	        TEST(test_file_gz__wrong_length_field_is_an_error),
	        TEST(test_file_gz__bytes_after_the_stream_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
