/*
 * Images in memory and the three disjoint splits.
 *
 * A dataset is 8-bit pixels as they are on disk; normalisation and augmentation happen when a batch is filled
 * (engine/data/batch.h). Readers: one file each and one line in reader_table.c.
 *
 *     struct pare_splits_options options = {
 *             .reader = pare_reader_find("idx"), .reader_options.path = "data", .search_images = 5000, .seed = 1};
 *     struct pare_splits splits;
 *     if (pare_splits_load(&splits, &options, &error) == PARE_OK)
 *             ... pare_batch_fill(&splits.train, ...) ...
 *     pare_splits_release(&splits);
 *
 * Data files are not trusted: magic, type, dimensions, file size and labels are checked against each other and against
 * the limits below before anything is allocated or kept. Errors name the file, what it holds and what is allowed.
 */
#ifndef PARE_ENGINE_DATA_DATASET_H
#define PARE_ENGINE_DATA_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* Limits of one part (train or test) of a data set; beyond them: PARE_E_LIMIT. */
#define PARE_DATA_MAX_IMAGES ((int64_t)1 << 24)
#define PARE_DATA_MAX_CHANNELS 4
#define PARE_DATA_MAX_SIDE 4096                /* height and width, in pixels */
#define PARE_DATA_MAX_BYTES ((int64_t)1 << 30) /* all pixels together */

struct pare_dataset {
	int64_t images;
	int32_t channels, height, width;
	int32_t classes;
	uint8_t *pixels; /* [images][channels][height][width]; owned */
	uint8_t *labels; /* [images], each < classes; owned */
};

/* For readers: checks the sizes against the limits and allocates zeroed pixels and labels. All sizes must be at
 * least 1. `path` (may be NULL) goes into the error. After an error the dataset is as after release. */
int pare_dataset_init(struct pare_dataset *dataset, int64_t images, const int64_t chw[3], int32_t classes,
                      const char *path, struct pare_error *error);
/* Safe on a zeroed dataset; leaves it zeroed. */
void pare_dataset_release(struct pare_dataset *dataset);

/* What a reader is asked for. */
enum pare_data_part { PARE_DATA_TRAIN, PARE_DATA_TEST };

struct pare_reader_options {
	const char *path;         /* folder of the data set; generated data needs none */
	int64_t synthetic_images; /* generated data: how many images the part has */
	uint64_t seed;            /* generated data */
};

struct pare_reader {
	const char *name; /* "idx", "cifar10", "synthetic" */
	const char *help; /* the files it looks for */
	/* Fills *out, which the caller releases; after an error *out is as after release. Deterministic. */
	int (*read)(const struct pare_reader_options *options, enum pare_data_part part, struct pare_dataset *out,
	            struct pare_error *error);
};

/*
 * - idx: train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], t10k-... (MNIST's and Fashion-MNIST's files): 1
 *   channel, 10 classes. An unpacked file is preferred to a .gz beside it.
 * - cifar10: data_batch_1.bin ... data_batch_5.bin (those that are there, at least one), test_batch.bin; 1 + 3072 bytes
 *   a record.
 * - synthetic: 1x28x28, 10 classes: class-dependent gratings plus noise, learnable to > 90 % by a small CNN within a
 *   few hundred steps, not by one linear layer. The test part is drawn from other indices than the training part.
 */
extern const struct pare_reader *const pare_reader_table[];   /* NULL-terminated */
const struct pare_reader *pare_reader_find(const char *name); /* NULL when there is none of that name */

/* Pixels / 255, then (x - mean) / std, per channel; std > 0. */
struct pare_normalization {
	float mean[PARE_DATA_MAX_CHANNELS], std[PARE_DATA_MAX_CHANNELS];
};

/* Indices into one dataset. */
struct pare_split {
	const struct pare_dataset *dataset;
	int32_t *index; /* [images]; owned */
	int64_t images;
};

/* train and search come from the training part, test from the test part. search is stratified: drawn with
 * (seed, PARE_STREAM_SPLIT), every class as near to its share as possible; its order mixes the classes. So is train
 * when train_images cuts it; uncut it keeps the order of the files. The splits point into train_part and test_part: do
 * not copy or move the struct. */
struct pare_splits {
	struct pare_dataset train_part, test_part; /* owned */
	struct pare_split train, search, test;
};

struct pare_splits_options {
	const struct pare_reader *reader;
	struct pare_reader_options reader_options;
	int64_t search_images; /* held out of the training part, >= 0; at least one image must stay for training */
	int64_t train_images;  /* at most this many stay for training; 0 = all the rest */
	int64_t test_images;   /* the first so many of the test part, which must have them; 0 = all */
	uint64_t seed;
};

/* `splits` needs no initialisation; after an error it is as after release. A test part whose images or classes differ
 * from the training part's is PARE_E_FORMAT; split sizes that the data set cannot give are PARE_E_INVALID. */
int pare_splits_load(struct pare_splits *splits, const struct pare_splits_options *options, struct pare_error *error);
/* Only the test part is read; train and search stay empty. */
int pare_splits_load_test(struct pare_splits *splits, const struct pare_splits_options *options,
                          struct pare_error *error);
void pare_splits_release(struct pare_splits *splits);

#endif
