/*
 * Filling a batch: pixels -> normalised floats in the tensor's layout, augmented if asked. Random choices are keyed by
 * (seed, PARE_STREAM_AUGMENT, position), so a batch's content does not depend on who fills it when.
 */
#ifndef PARE_ENGINE_DATA_BATCH_H
#define PARE_ENGINE_DATA_BATCH_H

#include <stdbool.h>

#include "engine/data/dataset.h"
#include "engine/graph/tensor.h"

struct pare_augment {
	bool flip;        /* mirror left-right with probability 1/2, after the crop */
	int crop_padding; /* pad by so many zeros (after normalisation) on each side, then crop at random; 0 = off */
	uint64_t seed;
};

/* Fills all of `out` (shape must be the dataset's) with images split->index[order[first + i]] for i < out->images;
 * order NULL = identity. Lanes past the last image are 0. labels[i] (may be NULL) gets the class. augment NULL = none;
 * position of image i for the random key = position + i (three numbers a position, drawn whether used or not: flip,
 * row, column). */
void pare_batch_fill(const struct pare_split *split, const int32_t *order, int64_t first,
                     const struct pare_normalization *normalization, const struct pare_augment *augment,
                     uint64_t position, const struct pare_tensor *out, int32_t *labels);

/* The order of the training images in an epoch: a permutation of 0..images-1 keyed by (seed, PARE_STREAM_SHUFFLE,
 * epoch). */
void pare_epoch_order(uint64_t seed, uint64_t epoch, int32_t *order, int64_t images);

#endif
