/*
 * A folder of its own for a test, below $TMPDIR or /tmp.
 *
 *     char *folder = test_directory_new();
 *     ...
 *     test_directory_free(folder);    // removes it and everything in it
 */
#ifndef PARE_TESTS_SUPPORT_TEMP_DIRECTORY_H
#define PARE_TESTS_SUPPORT_TEMP_DIRECTORY_H

#include <stddef.h>

char *test_directory_new(void); /* fails the test when it cannot be made */
void test_directory_free(char *directory);
/* Entries in the folder, "." and ".." not counted: to show that nothing was left behind. */
size_t test_directory_count(const char *directory);

#endif
