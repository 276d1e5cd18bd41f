/*
 * Text of files in the source tree, for tests. Paths are relative to the repository root.
 *
 *     char *text = text_file("configs/demo.yaml");       // malloc'd; fails the running test when it cannot be read
 *     struct file_names names = files_with_ending("configs", ".yaml");
 *     ... names.name[i] ...                               // sorted, without the folder
 *     file_names_release(&names);
 */
#ifndef PARE_TESTS_SUPPORT_TEXT_FILES_H
#define PARE_TESTS_SUPPORT_TEXT_FILES_H

#include <stddef.h>

struct file_names {
	char **name;
	size_t count;
};

char *text_file(const char *path);
struct file_names files_with_ending(const char *folder, const char *ending);
void file_names_release(struct file_names *names);

#endif
