#include "tests/support/temp_directory.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *test_directory_new(void)
{
	const char *parent = getenv("TMPDIR");
	char *name = NULL;

	assert_true(asprintf(&name, "%s/pare-test-XXXXXX", parent && parent[0] ? parent : "/tmp") > 0);
	assert_non_null(mkdtemp(name));
	return name;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	return remove(path);
}

void test_directory_free(char *directory)
{
	nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(directory);
}

size_t test_directory_count(const char *directory)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(stream);
	while ((entry = readdir(stream)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(stream);
	return count;
}
