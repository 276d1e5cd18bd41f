#include "tests/support/data_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PATH_SIZE 600

static void path_in(const struct data_folder *folder, const char *name, char path[PATH_SIZE])
{
	assert_true(snprintf(path, PATH_SIZE, "%s/%s", folder->path, name) < PATH_SIZE);
}

void data_folder_init(struct data_folder *folder)
{
	const char *parent = getenv("TMPDIR");

	assert_true(snprintf(folder->path, sizeof(folder->path), "%s/pare-test-XXXXXX", parent ? parent : "/tmp") <
	            (int)sizeof(folder->path));
	assert_non_null(mkdtemp(folder->path));
}

void data_folder_release(struct data_folder *folder)
{
	char path[PATH_SIZE];
	DIR *directory = opendir(folder->path);

	assert_non_null(directory);
	for (struct dirent *entry; (entry = readdir(directory));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			path_in(folder, entry->d_name, path);
			assert_int_equal(unlink(path), 0);
		}
	closedir(directory);
	assert_int_equal(rmdir(folder->path), 0);
}

void data_folder_write(const struct data_folder *folder, const char *name, const void *bytes, size_t size)
{
	char path[PATH_SIZE];
	path_in(folder, name, path);

	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void data_folder_write_gz(const struct data_folder *folder, const char *name, const void *bytes, size_t size)
{
	char path[PATH_SIZE];
	path_in(folder, name, path);

	gzFile file = gzopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
	assert_int_equal(gzclose(file), Z_OK);
}

void data_folder_cut(const struct data_folder *folder, const char *name, size_t size)
{
	char path[PATH_SIZE];

	path_in(folder, name, path);
	assert_int_equal(truncate(path, (off_t)size), 0);
}

size_t data_folder_size(const struct data_folder *folder, const char *name)
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
