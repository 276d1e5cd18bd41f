#include "tests/support/text_files.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"

char *text_file(const char *path)
{
	struct pare_bytes bytes = {0};
	struct pare_error error = {0};
	char *full = pare_path_join(PARE_SOURCE_DIR, path);
	char *text;

	assert_non_null(full);
	if (pare_file_read(full, 1 << 24, &bytes, &error))
		fail_msg("%s: %s", full, error.text);
	text = strndup((const char *)bytes.data, bytes.size);
	assert_non_null(text);
	pare_bytes_release(&bytes);
	free(full);
	return text;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct file_names files_with_ending(const char *folder, const char *ending)
{
	struct file_names names = {0};
	char *full = pare_path_join(PARE_SOURCE_DIR, folder);
	DIR *directory = full ? opendir(full) : NULL;
	struct dirent *entry;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		size_t length = strlen(entry->d_name), end = strlen(ending);

		if (length <= end || strcmp(entry->d_name + length - end, ending) != 0)
			continue;
		names.name = realloc(names.name, (names.count + 1) * sizeof(*names.name));
		assert_non_null(names.name);
		names.name[names.count] = strdup(entry->d_name);
		assert_non_null(names.name[names.count++]);
	}
	closedir(directory);
	free(full);
	if (names.count)
		qsort(names.name, names.count, sizeof(*names.name), by_name);
	return names;
}

void file_names_release(struct file_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct file_names){0};
}
