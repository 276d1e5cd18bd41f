/* The three splits: disjoint, stratified, keyed by the seed; every refusal. A reader of made-up parts stands in for
 * files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/data/dataset.h"

enum { TRAIN = 200, TEST = 30, CLASSES = 4 };

/* Sorted by class, as bad as a file can be: 100, 60, 33 and 7 images. */
static const int class_end[CLASSES] = {100, 160, 193, 200};

static int label_of(int64_t image)
{
	int c = 0;

	while (image >= class_end[c])
		c++;
	return c;
}

static int fake_read(const struct pare_reader_options *options, enum pare_data_part part, struct pare_dataset *out,
                     struct pare_error *error)
{
	(void)options;
	int status = pare_dataset_init(out, part == PARE_DATA_TRAIN ? TRAIN : TEST, (int64_t[3]){1, 1, 1}, CLASSES,
	                               NULL, error);
	for (int64_t i = 0; !status && i < out->images; i++)
		out->labels[i] = (uint8_t)label_of(i);
	return status;
}

static int read_without_train(const struct pare_reader_options *options, enum pare_data_part part,
                              struct pare_dataset *out, struct pare_error *error)
{
	if (part == PARE_DATA_TRAIN)
		return pare_error_set(error, PARE_E_NOT_FOUND, "no such file");
	return fake_read(options, part, out, error);
}

static int read_without_test(const struct pare_reader_options *options, enum pare_data_part part,
                             struct pare_dataset *out, struct pare_error *error)
{
	if (part == PARE_DATA_TEST)
		return pare_error_set(error, PARE_E_NOT_FOUND, "no such file");
	return fake_read(options, part, out, error);
}

static int read_with_wide_test(const struct pare_reader_options *options, enum pare_data_part part,
                               struct pare_dataset *out, struct pare_error *error)
{
	if (part == PARE_DATA_TEST)
		return pare_dataset_init(out, 1, (int64_t[3]){1, 1, 2}, CLASSES, NULL, error);
	return fake_read(options, part, out, error);
}

static const struct pare_reader fake = {.name = "fake", .help = "", .read = fake_read};
static const struct pare_reader no_train = {.name = "no_train", .help = "", .read = read_without_train};
static const struct pare_reader no_test = {.name = "no_test", .help = "", .read = read_without_test};
static const struct pare_reader wide_test = {.name = "wide_test", .help = "", .read = read_with_wide_test};

static void load(struct pare_splits *splits, int64_t search, int64_t train, int64_t test, uint64_t seed)
{
	struct pare_splits_options options = {
	        .reader = &fake, .search_images = search, .train_images = train, .test_images = test, .seed = seed};
	struct pare_error error = {0};

	if (pare_splits_load(splits, &options, &error) != PARE_OK)
		fail_msg("%s", error.text);
}

static void count_classes(const struct pare_split *split, int counts[CLASSES])
{
	memset(counts, 0, CLASSES * sizeof(*counts));
	for (int64_t i = 0; i < split->images; i++)
		counts[split->dataset->labels[split->index[i]]]++;
}

/* Marks the images of a split; none may be marked before. */
static void mark(const struct pare_split *split, bool seen[TRAIN])
{
	for (int64_t i = 0; i < split->images; i++) {
		assert_in_range(split->index[i], 0, split->dataset->images - 1);
		assert_false(seen[split->index[i]]);
		seen[split->index[i]] = true;
	}
}

/* How often neighbours differ in class. */
static int class_changes(const struct pare_split *split)
{
	int changes = 0;

	for (int64_t i = 1; i < split->images; i++)
		changes += split->dataset->labels[split->index[i]] != split->dataset->labels[split->index[i - 1]];
	return changes;
}

static void test_splits__train_and_search_share_out_the_training_part(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct pare_splits splits;
		bool seen[TRAIN] = {false};

		load(&splits, 50, 0, 0, seed);
		assert_int_equal(splits.search.images, 50);
		assert_int_equal(splits.train.images, 150);
		assert_ptr_equal(splits.search.dataset, &splits.train_part);
		assert_ptr_equal(splits.train.dataset, &splits.train_part);
		mark(&splits.search, seen);
		mark(&splits.train, seen);
		for (int i = 0; i < TRAIN; i++)
			assert_true(seen[i]);
		pare_splits_release(&splits);
	}
}

/* Shares of 50 among 100, 60, 33, 7 of 200: 25, 15, 8.25, 1.75. */
static void test_splits__search_is_stratified(void **state)
{
	(void)state;
	const int expected[CLASSES] = {25, 15, 8, 2};
	struct pare_splits splits;
	int counts[CLASSES];

	load(&splits, 50, 0, 0, 1);
	count_classes(&splits.search, counts);
	assert_memory_equal(counts, expected, sizeof(counts));
	pare_splits_release(&splits);
}

/* Of any size, every class gets its share rounded down or up. */
static void test_splits__every_class_is_near_its_share(void **state)
{
	(void)state;
	for (int64_t wanted = 1; wanted < TRAIN; wanted++) {
		struct pare_splits splits;
		int counts[CLASSES], begin = 0;

		load(&splits, wanted, 0, 0, 1);
		count_classes(&splits.search, counts);
		for (int c = 0; c < CLASSES; begin = class_end[c++]) {
			int64_t share_times_train = wanted * (class_end[c] - begin);
			assert_in_range(counts[c], share_times_train / TRAIN, (share_times_train + TRAIN - 1) / TRAIN);
		}
		pare_splits_release(&splits);
	}
}

static void test_splits__search_order_mixes_the_classes(void **state)
{
	(void)state;
	struct pare_splits splits;

	load(&splits, 100, 0, 0, 1);
	/* Sorted by class there would be 3; at random about 63. */
	assert_in_range(class_changes(&splits.search), 40, 100);
	pare_splits_release(&splits);
}

static void test_splits__cut_train_is_stratified_and_disjoint(void **state)
{
	(void)state;
	struct pare_splits splits;
	bool seen[TRAIN] = {false};
	int counts[CLASSES];

	load(&splits, 50, 30, 0, 1);
	assert_int_equal(splits.train.images, 30);
	mark(&splits.search, seen);
	mark(&splits.train, seen);
	/* Left are 75, 45, 25, 5 of 150: shares of 30 are whole. */
	count_classes(&splits.train, counts);
	assert_memory_equal(counts, ((const int[]){15, 9, 5, 1}), sizeof(counts));
	assert_in_range(class_changes(&splits.train), 8, 30);
	pare_splits_release(&splits);
}

/* Whatever is held out, each class of what is left gets its share of the cut rounded down or up. */
static void check_cut(int64_t search, int64_t train)
{
	struct pare_splits splits;
	bool seen[TRAIN] = {false};
	int held_out[CLASSES], counts[CLASSES], begin = 0;

	load(&splits, search, train, 0, 1);
	assert_int_equal(splits.train.images, train);
	mark(&splits.search, seen);
	mark(&splits.train, seen);
	count_classes(&splits.search, held_out);
	count_classes(&splits.train, counts);
	for (int c = 0; c < CLASSES; begin = class_end[c++]) {
		int64_t left = TRAIN - search, share_times_left = train * (class_end[c] - begin - held_out[c]);
		assert_in_range(counts[c], share_times_left / left, (share_times_left + left - 1) / left);
	}
	pare_splits_release(&splits);
}

static void test_splits__cut_train_follows_what_is_left(void **state)
{
	(void)state;
	for (int64_t search = 1; search < TRAIN; search++)
		for (int64_t train = 1; train < TRAIN - search; train += 5)
			check_cut(search, train);
}

static void test_splits__train_images_is_an_upper_bound(void **state)
{
	(void)state;
	struct pare_splits splits;

	load(&splits, 50, 151, 0, 1);
	assert_int_equal(splits.train.images, 150);
	pare_splits_release(&splits);
}

static void test_splits__uncut_train_keeps_the_order_of_the_files(void **state)
{
	(void)state;
	struct pare_splits splits;

	load(&splits, 50, 0, 0, 1);
	for (int64_t i = 1; i < splits.train.images; i++)
		assert_true(splits.train.index[i] > splits.train.index[i - 1]);
	pare_splits_release(&splits);
}

static void test_splits__search_may_be_empty(void **state)
{
	(void)state;
	struct pare_splits splits;

	load(&splits, 0, 0, 0, 1);
	assert_int_equal(splits.search.images, 0);
	assert_int_equal(splits.train.images, TRAIN);
	pare_splits_release(&splits);
}

static void test_splits__test_is_the_first_of_the_test_part(void **state)
{
	(void)state;
	struct pare_splits all, some;

	load(&all, 10, 0, 0, 1);
	load(&some, 10, 0, 12, 1);
	assert_int_equal(all.test.images, TEST);
	assert_int_equal(some.test.images, 12);
	assert_ptr_equal(some.test.dataset, &some.test_part);
	for (int32_t i = 0; i < 12; i++)
		assert_int_equal(some.test.index[i], i);
	assert_int_equal(all.test.index[TEST - 1], TEST - 1);
	pare_splits_release(&all);
	pare_splits_release(&some);
}

static void test_splits__depend_on_the_seed_only(void **state)
{
	(void)state;
	struct pare_splits first, same, other;
	size_t size = 50 * sizeof(int32_t);

	load(&first, 50, 0, 0, 1);
	load(&same, 50, 20, 5, 1);
	load(&other, 50, 0, 0, 2);
	/* How much is kept for training or testing does not change what is held out. */
	assert_memory_equal(first.search.index, same.search.index, size);
	assert_memory_not_equal(first.search.index, other.search.index, size);
	pare_splits_release(&first);
	pare_splits_release(&same);
	pare_splits_release(&other);
}

static void assert_load_refused(const struct pare_splits_options *options, int status, const char *needle)
{
	static const struct pare_splits released;
	struct pare_splits splits;
	struct pare_error error = {0};

	assert_int_equal(pare_splits_load(&splits, options, &error), status);
	assert_int_equal(error.code, status);
	if (!strstr(error.text, needle))
		fail_msg("\"%s\" does not contain \"%s\"", error.text, needle);
	assert_memory_equal(&splits, &released, sizeof(splits));
}

static void test_splits__sizes_beyond_the_data_are_refused(void **state)
{
	(void)state;
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .search_images = TRAIN}, PARE_E_INVALID,
	                    "search_images is 200, but the training part has 200 images");
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .search_images = INT64_MAX}, PARE_E_INVALID,
	                    "at least one must stay");
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .test_images = TEST + 1}, PARE_E_INVALID,
	                    "test_images is 31, but the test part has 30 images");
}

static void test_splits__negative_sizes_are_refused(void **state)
{
	(void)state;
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .search_images = -1}, PARE_E_INVALID,
	                    "search_images -1");
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .train_images = -2}, PARE_E_INVALID,
	                    "train_images -2");
	assert_load_refused(&(struct pare_splits_options){.reader = &fake, .test_images = -3}, PARE_E_INVALID,
	                    "test_images -3");
	assert_load_refused(&(struct pare_splits_options){.search_images = 1}, PARE_E_INVALID, "no data reader");
}

static void test_splits__reader_errors_name_the_part(void **state)
{
	(void)state;
	assert_load_refused(&(struct pare_splits_options){.reader = &no_train}, PARE_E_NOT_FOUND,
	                    "training part: no such file");
	assert_load_refused(&(struct pare_splits_options){.reader = &no_test}, PARE_E_NOT_FOUND,
	                    "test part: no such file");
}

static void test_splits__parts_must_be_alike(void **state)
{
	(void)state;
	assert_load_refused(&(struct pare_splits_options){.reader = &wide_test}, PARE_E_FORMAT,
	                    "the training part has 1x1x1 images of 4 classes, the test part 1x1x2 of 4");
}

static void test_splits__load_test_reads_the_test_part_only(void **state)
{
	(void)state;
	struct pare_splits splits;
	struct pare_splits_options options = {.reader = &no_train, .search_images = 10, .test_images = 5};

	assert_int_equal(pare_splits_load_test(&splits, &options, NULL), PARE_OK);
	assert_int_equal(splits.test.images, 5);
	assert_int_equal(splits.test.index[4], 4);
	assert_int_equal(splits.train.images, 0);
	assert_int_equal(splits.search.images, 0);
	assert_null(splits.train_part.pixels);
	pare_splits_release(&splits);
	pare_splits_release(&splits);

	options.reader = &no_test;
	assert_int_equal(pare_splits_load_test(&splits, &options, NULL), PARE_E_NOT_FOUND);
	assert_null(splits.test_part.pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_splits__train_and_search_share_out_the_training_part),
	        cmocka_unit_test(test_splits__search_is_stratified),
	        cmocka_unit_test(test_splits__every_class_is_near_its_share),
	        cmocka_unit_test(test_splits__search_order_mixes_the_classes),
	        cmocka_unit_test(test_splits__cut_train_is_stratified_and_disjoint),
	        cmocka_unit_test(test_splits__cut_train_follows_what_is_left),
	        cmocka_unit_test(test_splits__train_images_is_an_upper_bound),
	        cmocka_unit_test(test_splits__uncut_train_keeps_the_order_of_the_files),
	        cmocka_unit_test(test_splits__search_may_be_empty),
	        cmocka_unit_test(test_splits__test_is_the_first_of_the_test_part),
	        cmocka_unit_test(test_splits__depend_on_the_seed_only),
	        cmocka_unit_test(test_splits__sizes_beyond_the_data_are_refused),
	        cmocka_unit_test(test_splits__negative_sizes_are_refused),
	        cmocka_unit_test(test_splits__reader_errors_name_the_part),
	        cmocka_unit_test(test_splits__parts_must_be_alike),
	        cmocka_unit_test(test_splits__load_test_reads_the_test_part_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
