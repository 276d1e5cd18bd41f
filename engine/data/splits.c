/*
 * The three disjoint splits. Held-out images are drawn by stratified sampling: each class gets the whole part of its
 * share, and the images still missing go to the classes with the largest remainders (Hamilton's method).
 */
#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/data/dataset.h"

#define MAX_CLASSES 256 /* labels are bytes */

/* What a draw is keyed by, beside the seed. Part of what makes a study reproducible: never renumber. */
enum draw { DRAW_SEARCH = 0, DRAW_TRAIN = 1 };

static void release_split(struct pare_split *split)
{
	free(split->index);
	*split = (struct pare_split){0};
}

void pare_splits_release(struct pare_splits *splits)
{
	release_split(&splits->train);
	release_split(&splits->search);
	release_split(&splits->test);
	pare_dataset_release(&splits->train_part);
	pare_dataset_release(&splits->test_part);
}

static int allocate_split(struct pare_split *split, const struct pare_dataset *dataset, int64_t images,
                          struct pare_error *error)
{
	*split = (struct pare_split){.dataset = dataset, .images = images};
	split->index = pare_calloc((size_t)images, sizeof(*split->index));
	if (!split->index)
		return pare_error_set(error, PARE_E_NOMEM, "no memory for a split of %lld images", (long long)images);
	return PARE_OK;
}

/* quota[c] of `wanted` images for class sizes count[c]; wanted is at most the sum of the sizes. */
static void apportion(const int64_t count[MAX_CLASSES], int64_t wanted, int64_t quota[MAX_CLASSES])
{
	int64_t total = 0, missing = wanted;
	int64_t remainder[MAX_CLASSES];

	for (int c = 0; c < MAX_CLASSES; c++)
		total += count[c];
	for (int c = 0; c < MAX_CLASSES; c++) {
		quota[c] = total ? wanted * count[c] / total : 0;
		remainder[c] = total ? wanted * count[c] % total : 0;
		missing -= quota[c];
	}
	for (; missing > 0; missing--) {
		int best = 0;
		for (int c = 1; c < MAX_CLASSES; c++)
			if (remainder[c] > remainder[best])
				best = c;
		quota[best]++;
		remainder[best] = -1;
	}
}

static int check_options(const struct pare_splits_options *options, struct pare_error *error)
{
	if (!options->reader)
		return pare_error_set(error, PARE_E_INVALID, "no data reader is given");
	if (options->search_images < 0 || options->train_images < 0 || options->test_images < 0)
		return pare_error_set(error, PARE_E_INVALID,
		                      "search_images %lld, train_images %lld, test_images %lld: none may be negative",
		                      (long long)options->search_images, (long long)options->train_images,
		                      (long long)options->test_images);
	return PARE_OK;
}

/*
 * A stratified draw of `wanted` images that taken[] does not mark; marks them. Walking through a shuffled deck and
 * keeping what its class still has room for draws uniformly within each class, and leaves the classes mixed.
 */
static int draw_split(struct pare_split *split, const struct pare_dataset *dataset, uint8_t *taken, int64_t wanted,
                      struct pare_rng rng, struct pare_error *error)
{
	int64_t available[MAX_CLASSES] = {0}, quota[MAX_CLASSES], drawn = 0;
	int32_t *deck = pare_calloc((size_t)dataset->images, sizeof(*deck));
	int status = deck ? allocate_split(split, dataset, wanted, error)
	                  : pare_error_set(error, PARE_E_NOMEM, "no memory to draw a split");
	if (status)
		goto out;

	for (int64_t i = 0; i < dataset->images; i++) {
		deck[i] = (int32_t)i;
		available[dataset->labels[i]] += !taken[i];
	}
	apportion(available, wanted, quota);
	pare_rng_shuffle(&rng, deck, dataset->images);
	for (int64_t i = 0; i < dataset->images; i++) {
		int32_t image = deck[i];
		if (taken[image] || quota[dataset->labels[image]] == 0)
			continue;
		quota[dataset->labels[image]]--;
		taken[image] = 1;
		split->index[drawn++] = image;
	}
out:
	free(deck);
	return status;
}

/* All that taken[] leaves, in the order of the files. */
static int take_rest(struct pare_split *split, const struct pare_dataset *dataset, const uint8_t *taken, int64_t rest,
                     struct pare_error *error)
{
	int status = allocate_split(split, dataset, rest, error);
	int64_t n = 0;

	for (int64_t i = 0; !status && i < dataset->images; i++)
		if (!taken[i])
			split->index[n++] = (int32_t)i;
	return status;
}

static int split_train_part(struct pare_splits *splits, const struct pare_splits_options *options,
                            struct pare_error *error)
{
	const struct pare_dataset *part = &splits->train_part;
	int64_t rest = part->images - options->search_images;

	if (rest < 1)
		return pare_error_set(
		        error, PARE_E_INVALID,
		        "search_images is %lld, but the training part has %lld images and at least one must stay "
		        "for training",
		        (long long)options->search_images, (long long)part->images);
	uint8_t *taken = pare_calloc((size_t)part->images, 1);
	if (!taken)
		return pare_error_set(error, PARE_E_NOMEM, "no memory to split %lld images", (long long)part->images);

	int status = draw_split(&splits->search, part, taken, options->search_images,
	                        pare_rng_make(options->seed, PARE_STREAM_SPLIT, DRAW_SEARCH), error);
	bool cut = options->train_images > 0 && options->train_images < rest;
	if (!status && cut)
		status = draw_split(&splits->train, part, taken, options->train_images,
		                    pare_rng_make(options->seed, PARE_STREAM_SPLIT, DRAW_TRAIN), error);
	else if (!status)
		status = take_rest(&splits->train, part, taken, rest, error);
	free(taken);
	return status;
}

static int load_test_part(struct pare_splits *splits, const struct pare_splits_options *options,
                          struct pare_error *error)
{
	int status = options->reader->read(&options->reader_options, PARE_DATA_TEST, &splits->test_part, error);
	if (status)
		return pare_error_prefix(error, status, "test part");

	int64_t present = splits->test_part.images, wanted = options->test_images ? options->test_images : present;
	if (wanted > present)
		return pare_error_set(error, PARE_E_INVALID, "test_images is %lld, but the test part has %lld images",
		                      (long long)wanted, (long long)present);
	status = allocate_split(&splits->test, &splits->test_part, wanted, error);
	for (int64_t i = 0; !status && i < wanted; i++)
		splits->test.index[i] = (int32_t)i;
	return status;
}

static int check_same_kind(const struct pare_dataset *train, const struct pare_dataset *test, struct pare_error *error)
{
	if (train->channels == test->channels && train->height == test->height && train->width == test->width &&
	    train->classes == test->classes)
		return PARE_OK;
	return pare_error_set(error, PARE_E_FORMAT,
	                      "the training part has %dx%dx%d images of %d classes, the test part %dx%dx%d of %d",
	                      train->channels, train->height, train->width, train->classes, test->channels,
	                      test->height, test->width, test->classes);
}

int pare_splits_load(struct pare_splits *splits, const struct pare_splits_options *options, struct pare_error *error)
{
	*splits = (struct pare_splits){0};
	int status = check_options(options, error);
	if (status)
		return status;
	status = options->reader->read(&options->reader_options, PARE_DATA_TRAIN, &splits->train_part, error);
	if (status)
		pare_error_prefix(error, status, "training part");
	if (!status)
		status = load_test_part(splits, options, error);
	if (!status)
		status = check_same_kind(&splits->train_part, &splits->test_part, error);
	if (!status)
		status = split_train_part(splits, options, error);
	if (status)
		pare_splits_release(splits);
	return status;
}

int pare_splits_load_test(struct pare_splits *splits, const struct pare_splits_options *options,
                          struct pare_error *error)
{
	*splits = (struct pare_splits){0};
	int status = check_options(options, error);
	if (!status)
		status = load_test_part(splits, options, error);
	if (status)
		pare_splits_release(splits);
	return status;
}
