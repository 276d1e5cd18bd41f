/*
 * IDX, the format of MNIST (LeCun, Cortes, Burges, "The MNIST database of handwritten digits") and Fashion-MNIST
 * (Xiao, Rasul, Vollgraf 2017), plain or gzip-compressed:
 *
 *     0 0 type rank | rank big-endian 32-bit sizes | values, the last dimension fastest
 *
 * Images are type 8 (unsigned byte), rank 3 {images, height, width}; labels type 8, rank 1 {images}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/data/readers.h"

#define IDX_UNSIGNED_BYTE 0x08
#define IDX_CLASSES 10
#define IDX_MAX_RANK 3
#define IDX_MAX_HEADER_BYTES (4 + 4 * IDX_MAX_RANK)

/* A file read whole, with its header understood. */
struct idx_file {
	char *path;
	struct pare_bytes bytes;
	int64_t dim[IDX_MAX_RANK]; /* of the rank that was asked for; the rest are 1 */
	const uint8_t *values;     /* into bytes */
};

static void idx_file_release(struct idx_file *file)
{
	pare_bytes_release(&file->bytes);
	free(file->path);
	*file = (struct idx_file){0};
}

static int64_t big_endian_32(const uint8_t *bytes)
{
	return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static int check_magic(const struct idx_file *file, int rank, struct pare_error *error)
{
	const uint8_t *magic = file->bytes.data;

	if (file->bytes.size < 4)
		return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
		                         "truncated: the file is %zu bytes, an IDX header of %d dimensions is %d",
		                         file->bytes.size, rank, 4 + 4 * rank);
	if (magic[0] != 0 || magic[1] != 0)
		return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
		                         "not an IDX file: it starts with bytes %02x %02x, IDX with 00 00", magic[0],
		                         magic[1]);
	if (magic[2] != IDX_UNSIGNED_BYTE)
		return pare_error_set_at(error, PARE_E_UNSUPPORTED, file->path, 0, 0,
		                         "IDX element type 0x%02x; only 0x08 (unsigned byte) can be read", magic[2]);
	if (magic[3] != rank)
		return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0, "has %d dimensions, %s have %d",
		                         magic[3], rank == 1 ? "labels" : "images", rank);
	return PARE_OK;
}

/* The product of the dimensions must be what follows the header: no more, no less. */
static int check_value_bytes(const struct idx_file *file, int rank, struct pare_error *error)
{
	size_t header = 4 + 4 * (size_t)rank;
	int64_t present = (int64_t)(file->bytes.size - header), promised = 1;

	for (int i = 0; i < rank; i++) {
		if (file->dim[i] == 0)
			return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
			                         "dimension %d is 0, must be at least 1", i);
		if (file->dim[i] > PARE_DATA_MAX_BYTES / promised)
			return pare_error_set_at(error, PARE_E_LIMIT, file->path, 0, 0,
			                         "the header promises over %lld bytes of values, the limit",
			                         (long long)PARE_DATA_MAX_BYTES);
		promised *= file->dim[i];
	}
	if (present != promised)
		return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
		                         "%s: the header promises %lld bytes of values, the file has %lld",
		                         present < promised ? "truncated" : "trailing bytes", (long long)promised,
		                         (long long)present);
	return PARE_OK;
}

static int parse_header(struct idx_file *file, int rank, struct pare_error *error)
{
	size_t header = 4 + 4 * (size_t)rank;
	int status = check_magic(file, rank, error);

	if (status)
		return status;
	if (file->bytes.size < header)
		return pare_error_set_at(error, PARE_E_FORMAT, file->path, 0, 0,
		                         "truncated: the file is %zu bytes, an IDX header of %d dimensions is %zu",
		                         file->bytes.size, rank, header);
	for (int i = 0; i < IDX_MAX_RANK; i++)
		file->dim[i] = i < rank ? big_endian_32(file->bytes.data + 4 + 4 * i) : 1;
	file->values = file->bytes.data + header;
	return check_value_bytes(file, rank, error);
}

/* *path gets "folder/name" if there is such a file, else "folder/name.gz"; malloc'd. */
static int find_file(const char *folder, const char *name, char **path, struct pare_error *error)
{
	char packed_name[64];
	snprintf(packed_name, sizeof(packed_name), "%s.gz", name);

	const char *candidates[] = {name, packed_name};
	for (int i = 0; i < 2; i++) {
		*path = pare_path_join(folder, candidates[i]);
		if (!*path)
			return pare_error_set_at(error, PARE_E_NOMEM, folder, 0, 0, "no memory for a path");
		if (pare_file_exists(*path))
			return PARE_OK;
		free(*path);
		*path = NULL;
	}
	return pare_error_set_at(error, PARE_E_NOT_FOUND, folder, 0, 0,
	                         "neither %s nor %s is in this folder (Debian's package dataset-fashion-mnist puts "
	                         "Fashion-MNIST into /usr/share/datasets/fashion-mnist)",
	                         name, packed_name);
}

/* After an error *file is as after release. */
static int read_file(struct idx_file *file, const char *folder, const char *name, int rank, struct pare_error *error)
{
	*file = (struct idx_file){0};
	int status = find_file(folder, name, &file->path, error);
	if (!status)
		status = pare_file_read_gz(file->path, (size_t)PARE_DATA_MAX_BYTES + IDX_MAX_HEADER_BYTES, &file->bytes,
		                           error);
	if (!status)
		status = parse_header(file, rank, error);
	if (status)
		idx_file_release(file);
	return status;
}

static int check_labels(const struct idx_file *labels, const struct idx_file *images, struct pare_error *error)
{
	if (labels->dim[0] != images->dim[0])
		return pare_error_set_at(error, PARE_E_FORMAT, labels->path, 0, 0,
		                         "holds %lld labels, but %s holds %lld images", (long long)labels->dim[0],
		                         images->path, (long long)images->dim[0]);
	for (int64_t i = 0; i < labels->dim[0]; i++)
		if (labels->values[i] >= IDX_CLASSES)
			return pare_error_set_at(error, PARE_E_FORMAT, labels->path, 0, 0,
			                         "the label of image %lld is %d, allowed are 0 to %d", (long long)i,
			                         labels->values[i], IDX_CLASSES - 1);
	return PARE_OK;
}

static int idx_read(const struct pare_reader_options *options, enum pare_data_part part, struct pare_dataset *out,
                    struct pare_error *error)
{
	bool train = part == PARE_DATA_TRAIN;
	struct idx_file images = {0}, labels = {0};

	*out = (struct pare_dataset){0};
	int status = pare_reader_check_folder(options, error);
	if (!status)
		status = read_file(&images, options->path, train ? "train-images-idx3-ubyte" : "t10k-images-idx3-ubyte",
		                   3, error);
	if (!status)
		status = read_file(&labels, options->path, train ? "train-labels-idx1-ubyte" : "t10k-labels-idx1-ubyte",
		                   1, error);
	if (!status)
		status = check_labels(&labels, &images, error);
	if (!status)
		status = pare_dataset_init(out, images.dim[0], (int64_t[3]){1, images.dim[1], images.dim[2]},
		                           IDX_CLASSES, images.path, error);
	if (!status) {
		memcpy(out->pixels, images.values, (size_t)(images.dim[0] * images.dim[1] * images.dim[2]));
		memcpy(out->labels, labels.values, (size_t)labels.dim[0]);
	}
	idx_file_release(&images);
	idx_file_release(&labels);
	return status;
}

const struct pare_reader pare_reader_idx = {
        .name = "idx",
        .help = "MNIST, Fashion-MNIST: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
                "t10k-labels-idx1-ubyte, each plain or .gz",
        .read = idx_read,
};
