#include "tests/support/data_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PATH_SIZE 600

static void path_in(const char *folder, const char *name, char path[PATH_SIZE])
{
	assert_true(snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
}

void data_file_write(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[PATH_SIZE];
	path_in(folder, name, path);

	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void data_file_write_gz(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[PATH_SIZE];
	path_in(folder, name, path);

	gzFile file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
	assert_int_equal(gzclose(file), Z_OK);
}

void data_file_cut(const char *folder, const char *name, size_t size)
{
	char path[PATH_SIZE];

	path_in(folder, name, path);
	assert_int_equal(truncate(path, (off_t)size), 0);
}

size_t data_file_size(const char *folder, const char *name)
{
	char path[PATH_SIZE];
	struct stat info;

	path_in(folder, name, path);
	assert_int_equal(stat(path, &info), 0);
	return (size_t)info.st_size;
}

void assert_read_refused(const char *reader, const char *path, enum pare_data_part part, int status, const char *needle)
{
	struct pare_reader_options options = {.path = path};
	struct pare_dataset dataset;
	struct pare_error error = {0};

	assert_int_equal(pare_reader_find(reader)->read(&options, part, &dataset, &error), status);
	assert_int_equal(error.code, status);
	if (!strstr(error.text, needle))
		fail_msg("\"%s\" does not contain \"%s\"", error.text, needle);
	assert_null(dataset.pixels);
	assert_null(dataset.labels);
	assert_int_equal(dataset.images, 0);
	/* The error object is optional. */
	assert_int_equal(pare_reader_find(reader)->read(&options, part, &dataset, NULL), status);
}

struct pare_dataset read_part(const char *reader, const char *path, enum pare_data_part part)
{
	struct pare_reader_options options = {.path = path};
	struct pare_dataset dataset;
	struct pare_error error = {0};

	if (pare_reader_find(reader)->read(&options, part, &dataset, &error) != PARE_OK)
		fail_msg("%s: %s", error.file, error.text);
	return dataset;
}
