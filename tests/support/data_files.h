/*
 * Small data files for the tests of readers, in a folder from tests/support/temp_directory.h. Every function fails the
 * running test when the system refuses.
 */
#ifndef PARE_TESTS_SUPPORT_DATA_FILES_H
#define PARE_TESTS_SUPPORT_DATA_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/data/dataset.h"

void data_file_write(const char *folder, const char *name, const void *bytes, size_t size);
void data_file_write_gz(const char *folder, const char *name, const void *bytes, size_t size);
/* Cuts the file to `size` bytes. */
void data_file_cut(const char *folder, const char *name, size_t size);
size_t data_file_size(const char *folder, const char *name);

/* Reads a part that must be refused: with this status, a text that contains `needle`, and nothing left allocated. */
void assert_read_refused(const char *reader, const char *path, enum pare_data_part part, int status,
                         const char *needle);
/* Reads a part that must be accepted; the caller releases it. */
struct pare_dataset read_part(const char *reader, const char *path, enum pare_data_part part);

#endif
