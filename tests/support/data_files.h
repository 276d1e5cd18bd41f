/*
 * A temporary folder and small data files in it. Every function fails the running test when the system refuses.
 *
 *     struct data_folder folder;
 *     data_folder_init(&folder);
 *     data_folder_write(&folder, "test_batch.bin", bytes, size);
 *     ... folder.path ...
 *     data_folder_release(&folder);    // removes the folder and the files in it
 */
#ifndef PARE_TESTS_SUPPORT_DATA_FILES_H
#define PARE_TESTS_SUPPORT_DATA_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/data/dataset.h"

struct data_folder {
	char path[256];
};

void data_folder_init(struct data_folder *folder);
void data_folder_release(struct data_folder *folder);

void data_folder_write(const struct data_folder *folder, const char *name, const void *bytes, size_t size);
void data_folder_write_gz(const struct data_folder *folder, const char *name, const void *bytes, size_t size);
/* Cuts the file to `size` bytes. */
void data_folder_cut(const struct data_folder *folder, const char *name, size_t size);
size_t data_folder_size(const struct data_folder *folder, const char *name);

/* Reads a part that must be refused: with this status, a text that contains `needle`, and nothing left allocated. */
void assert_read_refused(const char *reader, const char *path, enum pare_data_part part, int status,
                         const char *needle);
/* Reads a part that must be accepted; the caller releases it. */
struct pare_dataset read_part(const char *reader, const char *path, enum pare_data_part part);

#endif
