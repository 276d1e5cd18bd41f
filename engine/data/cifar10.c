/*
 * CIFAR-10, the binary version (Krizhevsky, "Learning multiple layers of features from tiny images", 2009): records of
 * 1 label byte and 3072 pixel bytes {3 (red, green, blue), 32, 32}, without any header. Training images are in
 * data_batch_1.bin to data_batch_5.bin, of which those that are there are read, in this order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/data/readers.h"

#define IMAGE_BYTES (3 * 32 * 32)
#define RECORD_BYTES (1 + IMAGE_BYTES)
#define CIFAR_CLASSES 10
#define MAX_FILES 5

struct cifar_file {
	char *path;
	struct pare_bytes bytes;
};

static int64_t records_of(const struct cifar_file *file)
{
	return (int64_t)(file->bytes.size / RECORD_BYTES);
}

static int check_file(const struct cifar_file *file, struct pare_error *error)
{
	size_t size = file->bytes.size;

	if (size == 0 || size % RECORD_BYTES != 0)
		return pare_error_set_at(
		        error, PARE_E_FORMAT, file->path, 0, 0,
		        "the file is %zu bytes, must be a multiple of %d (1 label and %d pixels a record), "
		        "at least one",
		        size, RECORD_BYTES, IMAGE_BYTES);
	for (int64_t i = 0; i < records_of(file); i++) {
		int label = file->bytes.data[i * RECORD_BYTES];
		if (label >= CIFAR_CLASSES)
			return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
			                         "the label of record %lld is %d, allowed are 0 to %d", (long long)i,
			                         label, CIFAR_CLASSES - 1);
	}
	return PARE_OK;
}

/* Leaves file->path NULL when there is no such file. */
static int read_if_there(struct cifar_file *file, const char *folder, const char *name, struct pare_error *error)
{
	char *path = pare_path_join(folder, name);

	if (!path)
		return pare_error_set_at(error, PARE_E_NOMEM, folder, 0, 0, "no memory for a path");
	if (!pare_file_exists(path)) {
		free(path);
		return PARE_OK;
	}
	file->path = path;
	int status = pare_file_read(path, (size_t)PARE_DATA_MAX_BYTES, &file->bytes, error);
	return status ? status : check_file(file, error);
}

/* *images gets the records of all files together; at least one, or it is an error. */
static int read_files(struct cifar_file files[MAX_FILES], const char *folder, enum pare_data_part part, int64_t *images,
                      struct pare_error *error)
{
	int n_files = part == PARE_DATA_TRAIN ? MAX_FILES : 1;

	*images = 0;
	for (int i = 0; i < n_files; i++) {
		char name[32] = "test_batch.bin";
		if (part == PARE_DATA_TRAIN)
			snprintf(name, sizeof(name), "data_batch_%d.bin", i + 1);
		int status = read_if_there(&files[i], folder, name, error);
		if (status)
			return status;
		*images += records_of(&files[i]);
	}
	if (*images == 0)
		return pare_error_set_at(error, PARE_E_NOT_FOUND, folder, 0, 0,
		                         part == PARE_DATA_TRAIN
		                                 ? "none of data_batch_1.bin to data_batch_5.bin is in this folder"
		                                 : "test_batch.bin is not in this folder");
	return PARE_OK;
}

static void unpack(const struct cifar_file files[MAX_FILES], struct pare_dataset *out)
{
	int64_t image = 0;

	for (int i = 0; i < MAX_FILES; i++)
		for (int64_t r = 0; r < records_of(&files[i]); r++, image++) {
			const uint8_t *record = files[i].bytes.data + r * RECORD_BYTES;
			out->labels[image] = record[0];
			memcpy(out->pixels + image * IMAGE_BYTES, record + 1, IMAGE_BYTES);
		}
}

static int cifar10_read(const struct pare_reader_options *options, enum pare_data_part part, struct pare_dataset *out,
                        struct pare_error *error)
{
	struct cifar_file files[MAX_FILES] = {{0}};
	int64_t images;

	*out = (struct pare_dataset){0};
	int status = pare_reader_check_folder(options, error);
	if (!status)
		status = read_files(files, options->path, part, &images, error);
	if (!status)
		status = pare_dataset_init(out, images, (int64_t[3]){3, 32, 32}, CIFAR_CLASSES, options->path, error);
	if (!status)
		unpack(files, out);
	for (int i = 0; i < MAX_FILES; i++) {
		pare_bytes_release(&files[i].bytes);
		free(files[i].path);
	}
	return status;
}

const struct pare_reader pare_reader_cifar10 = {
        .name = "cifar10",
        .help = "CIFAR-10, binary version: data_batch_1.bin to data_batch_5.bin (those that are there), test_batch.bin",
        .read = cifar10_read,
};
