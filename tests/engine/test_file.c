#include "engine/base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "tests/support/temp_directory.h"

#define LIMIT ((size_t)1 << 20)
#define NOBODY 65534

/* One folder and the names of two files in it. */
struct place {
	char *folder, *file, *other;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place->folder = test_directory_new();
	place->file = pare_path_join(place->folder, "file");
	place->other = pare_path_join(place->folder, "other");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	test_directory_free(place->folder);
	free(place->file);
	free(place->other);
	free(place);
	return 0;
}

static void expect_content(const char *path, const char *expected)
{
	struct pare_bytes bytes;

	assert_int_equal(pare_file_read(path, LIMIT, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, strlen(expected));
	assert_string_equal((char *)bytes.data, expected);
	pare_bytes_release(&bytes);
}

/* Writing fails with this code, the error names the path, and the folder holds what it held. */
static void expect_refused(const struct place *place, const char *path, enum pare_status code, size_t entries)
{
	struct pare_error error = {0};
	static const char bytes[10000];

	assert_int_equal(pare_file_write_atomic(path, bytes, sizeof(bytes), &error), code);
	assert_int_equal(error.code, code);
	assert_string_equal(error.file, path);
	assert_true(strlen(error.text) > 0);
	assert_int_equal(test_directory_count(place->folder), entries);
}

static void test_file__write_makes_and_replaces(void **state)
{
	struct place *place = *state;

	assert_int_equal(pare_file_write_atomic(place->file, "first", 5, NULL), PARE_OK);
	expect_content(place->file, "first");
	assert_int_equal(pare_file_write_atomic(place->file, "2nd", 3, NULL), PARE_OK);
	expect_content(place->file, "2nd");
	assert_int_equal(pare_file_write_atomic(place->file, NULL, 0, NULL), PARE_OK);
	expect_content(place->file, "");
	assert_int_equal(test_directory_count(place->folder), 1);
}

/* A reader that opened the old file goes on reading the old bytes: the new ones are in another file. */
static void test_file__write_never_touches_the_old_bytes(void **state)
{
	struct place *place = *state;
	char text[4] = "";
	int fd;

	assert_int_equal(pare_file_write_atomic(place->file, "old", 3, NULL), PARE_OK);
	fd = open(place->file, O_RDONLY);
	assert_int_equal(pare_file_write_atomic(place->file, "new", 3, NULL), PARE_OK);
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "old");
	close(fd);
}

static void test_file__write_heeds_the_umask(void **state)
{
	struct place *place = *state;
	mode_t old = umask(027);
	struct stat info;

	assert_int_equal(pare_file_write_atomic(place->file, "x", 1, NULL), PARE_OK);
	umask(old);
	assert_int_equal(stat(place->file, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
}

static void test_file__write_follows_a_link(void **state)
{
	struct place *place = *state;
	struct stat info;

	assert_int_equal(pare_file_write_atomic(place->file, "old", 3, NULL), PARE_OK);
	assert_int_equal(symlink("file", place->other), 0);
	assert_int_equal(pare_file_write_atomic(place->other, "new", 3, NULL), PARE_OK);
	expect_content(place->file, "new");
	assert_int_equal(lstat(place->other, &info), 0);
	assert_true(S_ISLNK(info.st_mode));
}

static void test_file__write_passes_over_a_temporary_left_by_a_crash(void **state)
{
	struct place *place = *state;
	char left[4096];

	snprintf(left, sizeof(left), "%s.%ld-0.tmp", place->file, (long)getpid());
	assert_int_equal(pare_file_write_atomic(left, "torn", 4, NULL), PARE_OK);
	assert_int_equal(pare_file_write_atomic(place->file, "whole", 5, NULL), PARE_OK);
	expect_content(place->file, "whole");
	expect_content(left, "torn");
}

/* The file size limit lets the first 4096 bytes through and refuses the rest: a short write, then an error, as on a
 * full disk. */
static void test_file__full_disk_keeps_the_old_file(void **state)
{
	struct place *place = *state;
	struct rlimit old, small;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

	assert_int_equal(pare_file_write_atomic(place->file, "old", 3, NULL), PARE_OK);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	expect_refused(place, place->file, PARE_E_IO, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, handler);
	expect_content(place->file, "old");
}

static void test_file__write_refuses_a_directory(void **state)
{
	struct place *place = *state;

	assert_int_equal(pare_file_make_directories(place->other, NULL), PARE_OK);
	expect_refused(place, place->other, PARE_E_INVALID, 1);
	assert_true(pare_file_is_directory(place->other));
}

/* As does a device; but a pipe of our own is no loss should the refusal ever fail. */
static void test_file__write_refuses_a_pipe(void **state)
{
	struct place *place = *state;
	struct stat info;

	assert_int_equal(mkfifo(place->file, 0600), 0);
	expect_refused(place, place->file, PARE_E_INVALID, 1);
	assert_int_equal(stat(place->file, &info), 0);
	assert_true(S_ISFIFO(info.st_mode));
}

static void test_file__write_needs_the_directory(void **state)
{
	struct place *place = *state;
	char *path = pare_path_join(place->folder, "missing/file");

	expect_refused(place, path, PARE_E_NOT_FOUND, 0);
	expect_refused(place, "", PARE_E_NOT_FOUND, 0);
	free(path);
}

/* Root may write anywhere, so root becomes nobody for a moment. */
static void test_file__read_only_directory_keeps_the_old_file(void **state)
{
	struct place *place = *state;
	bool is_root = geteuid() == 0;

	assert_int_equal(pare_file_write_atomic(place->file, "old", 3, NULL), PARE_OK);
	assert_int_equal(chmod(place->folder, 0555), 0);
	if (is_root)
		assert_int_equal(seteuid(NOBODY), 0);
	expect_refused(place, place->file, PARE_E_IO, 1);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(place->folder, 0755), 0);
	expect_content(place->file, "old");
}

static void test_file__read_takes_exactly_up_to_the_limit(void **state)
{
	struct place *place = *state;
	struct pare_error error = {0};
	struct pare_bytes bytes;

	assert_int_equal(pare_file_write_atomic(place->file, "12345", 5, NULL), PARE_OK);
	assert_int_equal(pare_file_read(place->file, 5, &bytes, NULL), PARE_OK);
	assert_int_equal(bytes.size, 5);
	assert_int_equal(bytes.data[5], 0);
	pare_bytes_release(&bytes);
	assert_null(bytes.data);
	assert_int_equal(pare_file_read(place->file, 4, &bytes, &error), PARE_E_LIMIT);
	assert_null(bytes.data);
	assert_string_equal(error.file, place->file);
	assert_non_null(strstr(error.text, "4 bytes"));
}

/* One terabyte of nothing: were the limit looked at after the file, the memory would not do. */
static void test_file__read_looks_at_the_limit_before_it_allocates(void **state)
{
	struct place *place = *state;
	struct pare_bytes bytes;

	assert_int_equal(pare_file_write_atomic(place->file, "x", 1, NULL), PARE_OK);
	if (truncate(place->file, (off_t)1 << 40) < 0)
		skip();
	assert_int_equal(pare_file_read(place->file, LIMIT, &bytes, NULL), PARE_E_LIMIT);
	assert_int_equal(pare_file_read_gz(place->file, LIMIT, &bytes, NULL), PARE_E_LIMIT);
}

/* A file in /proc says that its size is 0. */
static void test_file__read_does_not_trust_the_stated_size(void **state)
{
	struct pare_bytes bytes;

	(void)state;
	assert_int_equal(pare_file_read("/proc/self/status", LIMIT, &bytes, NULL), PARE_OK);
	assert_non_null(strstr((char *)bytes.data, "VmSize"));
	pare_bytes_release(&bytes);
	assert_int_equal(pare_file_read("/proc/self/status", 10, &bytes, NULL), PARE_E_LIMIT);
}

static void test_file__all_sizes_come_back_as_written(void **state)
{
	static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 2500000};
	struct place *place = *state;
	unsigned char *expected = malloc(2500000);
	struct pare_rng rng = pare_rng_make(0, PARE_STREAM_TEST, 1);
	struct pare_bytes bytes;

	for (size_t i = 0; i < 2500000; i++)
		expected[i] = (unsigned char)pare_rng_u32(&rng);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(pare_file_write_atomic(place->file, expected, sizes[i], NULL), PARE_OK);
		assert_int_equal(pare_file_read(place->file, 2500000, &bytes, NULL), PARE_OK);
		assert_int_equal(bytes.size, sizes[i]);
		assert_memory_equal(bytes.data, expected, sizes[i]);
		pare_bytes_release(&bytes);
	}
	free(expected);
}

static void expect_unreadable(const char *path, enum pare_status code, const char *word)
{
	struct pare_error error = {0};
	struct pare_bytes bytes;

	assert_int_equal(pare_file_read(path, LIMIT, &bytes, &error), code);
	assert_null(bytes.data);
	assert_string_equal(error.file, path);
	assert_non_null(strstr(error.text, word));
	assert_int_equal(pare_file_read_gz(path, LIMIT, &bytes, NULL), code);
}

static void test_file__read_refuses_what_is_no_file(void **state)
{
	struct place *place = *state;

	expect_unreadable(place->folder, PARE_E_INVALID, "directory");
	expect_unreadable(place->file, PARE_E_NOT_FOUND, "No such file");
	expect_unreadable("/dev/zero", PARE_E_INVALID, "regular file");
	assert_int_equal(mkfifo(place->file, 0600), 0);
	expect_unreadable(place->file, PARE_E_INVALID, "regular file");
}

/* A chain of missing parents, double and trailing slashes, and one that exists already. */
static void test_file__make_directories_makes_all_parents(void **state)
{
	struct place *place = *state;
	char *path = pare_path_join(place->folder, "a//b/c/");

	assert_int_equal(pare_file_make_directories(path, NULL), PARE_OK);
	assert_true(pare_file_is_directory(path));
	assert_int_equal(pare_file_make_directories(path, NULL), PARE_OK);
	assert_int_equal(pare_file_make_directories("/", NULL), PARE_OK);
	free(path);
}

static void test_file__make_directories_refuses_a_file_in_the_way(void **state)
{
	struct place *place = *state;
	struct pare_error error = {0};
	char *path = pare_path_join(place->file, "below");

	assert_int_equal(pare_file_write_atomic(place->file, "x", 1, NULL), PARE_OK);
	assert_int_equal(pare_file_make_directories(path, &error), PARE_E_IO);
	assert_string_equal(error.file, place->file);
	assert_int_equal(pare_file_make_directories("", &error), PARE_E_INVALID);
	free(path);
}

static void test_file__exists_tells_files_and_directories(void **state)
{
	struct place *place = *state;

	assert_false(pare_file_exists(place->file));
	assert_int_equal(pare_file_write_atomic(place->file, "x", 1, NULL), PARE_OK);
	assert_true(pare_file_exists(place->file));
	assert_false(pare_file_is_directory(place->file));
	assert_true(pare_file_exists(place->folder));
	assert_true(pare_file_is_directory(place->folder));
}

static void expect_owned_text(char *text, const char *expected)
{
	assert_string_equal(text, expected);
	free(text);
}

static void test_file__paths_join_and_split(void **state)
{
	(void)state;
	expect_owned_text(pare_path_join("a", "b"), "a/b");
	expect_owned_text(pare_path_join("a/", "b"), "a/b");
	expect_owned_text(pare_path_join("", "b"), "b");
	expect_owned_text(pare_path_join("/", "b"), "/b");
	expect_owned_text(pare_path_join("a", "/b"), "/b");
	expect_owned_text(pare_path_directory("a/b"), "a");
	expect_owned_text(pare_path_directory("/a/b/c"), "/a/b");
	expect_owned_text(pare_path_directory("/a"), "/");
	expect_owned_text(pare_path_directory("a"), ".");
	expect_owned_text(pare_path_directory(""), ".");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void test_file__temporaries_of_killed_writers_go(void **state)
{
	static const char *const gone[] = {"study.db.123-0.tmp", "a.1-15.tmp", "x.tmp.9-9.tmp"};
	static const char *const stay[] = {"a.tmp",    "a.1-2.tmp.onnx", "1-2.tmp", "a.12.tmp",
	                                   "a.-1.tmp", "a.1-.tmp",       "a1-1.tmp"};
	char *folder = test_directory_new();
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		char *path = pare_path_join(folder, gone[i]);
		assert_int_equal(pare_file_write_atomic(path, "x", 1, NULL), 0);
		free(path);
	}
	for (size_t i = 0; i < 7; i++) {
		char *path = pare_path_join(folder, stay[i]);
		assert_int_equal(pare_file_write_atomic(path, "x", 1, NULL), 0);
		free(path);
	}
	pare_file_remove_temporaries(folder);
	assert_int_equal(test_directory_count(folder), 7);
	for (size_t i = 0; i < 7; i++) {
		char *path = pare_path_join(folder, stay[i]);
		assert_true(pare_file_exists(path));
		free(path);
	}
	pare_file_remove_temporaries("/no/such/folder");
	test_directory_free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_file__write_makes_and_replaces),
	        TEST(test_file__write_never_touches_the_old_bytes),
	        TEST(test_file__write_heeds_the_umask),
	        TEST(test_file__write_follows_a_link),
	        TEST(test_file__write_passes_over_a_temporary_left_by_a_crash),
	        TEST(test_file__full_disk_keeps_the_old_file),
	        TEST(test_file__write_refuses_a_directory),
	        TEST(test_file__write_refuses_a_pipe),
	        TEST(test_file__write_needs_the_directory),
	        TEST(test_file__read_only_directory_keeps_the_old_file),
	        TEST(test_file__read_takes_exactly_up_to_the_limit),
	        TEST(test_file__read_looks_at_the_limit_before_it_allocates),
	        TEST(test_file__read_does_not_trust_the_stated_size),
	        TEST(test_file__all_sizes_come_back_as_written),
	        TEST(test_file__read_refuses_what_is_no_file),
	        TEST(test_file__make_directories_makes_all_parents),
	        TEST(test_file__make_directories_refuses_a_file_in_the_way),
	        TEST(test_file__exists_tells_files_and_directories),
	        TEST(test_file__paths_join_and_split),
	        cmocka_unit_test(test_file__temporaries_of_killed_writers_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
