#include "engine/graph/memory_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "engine/base/status.h"

#define MAX_ITEMS 120
#define MAX_TIME 60

static bool alive_together(const struct pare_memory_item *a, const struct pare_memory_item *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static bool overlap(const struct pare_memory_item *a, const struct pare_memory_item *b)
{
	return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void check_plan(const struct pare_memory_item *items, int n, size_t total)
{
	size_t end = 0;
	for (int i = 0; i < n; i++) {
		assert_int_equal(items[i].offset % 64, 0);
		end = items[i].offset + items[i].bytes > end ? items[i].offset + items[i].bytes : end;
		for (int j = 0; j < i; j++)
			assert_false(alive_together(&items[i], &items[j]) && overlap(&items[i], &items[j]));
	}
	assert_int_equal(total, end);
}

static size_t align_up(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

/* No plan can do with less than the bytes that are alive at the fullest moment. */
static size_t fullest_moment(const struct pare_memory_item *items, int n)
{
	size_t most = 0;
	for (int time = -1; time <= MAX_TIME; time++) {
		size_t alive = 0;
		for (int i = 0; i < n; i++)
			alive += items[i].first <= time && time <= items[i].last ? items[i].bytes : 0;
		most = alive > most ? alive : most;
	}
	return most;
}

static int random_items(struct pare_memory_item *items, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 0);
	int n = (int)pare_rng_below(&rng, MAX_ITEMS + 1);
	uint32_t largest = seed % 3 ? 5000 : 5; /* few sizes: many ties */

	for (int i = 0; i < n; i++) {
		int first = (int)pare_rng_below(&rng, MAX_TIME) - 1;
		int room = MAX_TIME - first;
		items[i] = (struct pare_memory_item){.bytes = 1 + pare_rng_below(&rng, largest),
		                                     .first = first,
		                                     .last = first + (int)pare_rng_below(&rng, (uint32_t)room + 1),
		                                     .offset = SIZE_MAX / 2};
	}
	return n;
}

static void test_memory_plan__buffers_alive_together_never_overlap(void **state)
{
	struct pare_memory_item items[MAX_ITEMS];
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		int n = random_items(items, seed);
		size_t total = 1, sum = 0;
		assert_int_equal(pare_memory_plan(items, n, &total), PARE_OK);
		check_plan(items, n, total);
		for (int i = 0; i < n; i++)
			sum += align_up(items[i].bytes);
		assert_true(total >= fullest_moment(items, n));
		assert_true(total <= sum);
	}
}

/* Sizes that are multiples of the alignment: what one moment needs is a bound that greedy by size nearly reaches. */
static void test_memory_plan__stays_near_the_lower_bound(void **state)
{
	struct pare_memory_item items[MAX_ITEMS];
	double worst = 0.0;
	(void)state;
	for (uint64_t seed = 1; seed < 200; seed++) {
		int n = random_items(items, seed);
		size_t total;
		for (int i = 0; i < n; i++)
			items[i].bytes *= 64;
		assert_int_equal(pare_memory_plan(items, n, &total), PARE_OK);
		if (n > 0)
			worst = total / (double)fullest_moment(items, n) > worst
			                ? total / (double)fullest_moment(items, n)
			                : worst;
	}
	assert_true(worst < 1.5);
}

static void test_memory_plan__a_chain_needs_its_two_largest_neighbours(void **state)
{
	/* Layer i reads buffer i and writes buffer i + 1. */
	struct pare_memory_item items[] = {{.bytes = 640, .first = 0, .last = 1},
	                                   {.bytes = 1280, .first = 1, .last = 2},
	                                   {.bytes = 320, .first = 2, .last = 3},
	                                   {.bytes = 1024, .first = 3, .last = 4}};
	size_t total;
	(void)state;
	assert_int_equal(pare_memory_plan(items, 4, &total), PARE_OK);
	check_plan(items, 4, total);
	assert_int_equal(total, 1280 + 640);
}

static void test_memory_plan__one_moment_in_common_is_together(void **state)
{
	struct pare_memory_item items[] = {{.bytes = 64, .first = 0, .last = 5}, {.bytes = 64, .first = 5, .last = 9}};
	struct pare_memory_item apart[] = {{.bytes = 64, .first = 0, .last = 5}, {.bytes = 64, .first = 6, .last = 9}};
	size_t total;
	(void)state;
	assert_int_equal(pare_memory_plan(items, 2, &total), PARE_OK);
	assert_int_equal(total, 128);
	assert_int_equal(pare_memory_plan(apart, 2, &total), PARE_OK);
	assert_int_equal(total, 64);
}

static void test_memory_plan__a_gap_is_used_only_if_large_enough(void **state)
{
	/* Two long-lived buffers leave a hole of 192 bytes where a short-lived one was. */
	struct pare_memory_item items[] = {{.bytes = 512, .first = 0, .last = 9},
	                                   {.bytes = 256, .first = 0, .last = 1},
	                                   {.bytes = 200, .first = 0, .last = 9},
	                                   {.bytes = 192, .first = 5, .last = 6},
	                                   {.bytes = 65, .first = 5, .last = 6}};
	size_t total;
	(void)state;
	assert_int_equal(pare_memory_plan(items, 5, &total), PARE_OK);
	check_plan(items, 5, total);
	assert_int_equal(items[3].offset, 512);
	assert_int_equal(items[4].offset, 512 + 256 + 256);
}

static void test_memory_plan__does_not_depend_on_the_order_of_different_items(void **state)
{
	struct pare_memory_item items[MAX_ITEMS], reversed[MAX_ITEMS];
	size_t total, total_reversed;
	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		int n = random_items(items, seed);
		for (int i = 0; i < n; i++)
			items[i].bytes = items[i].bytes * MAX_ITEMS + (size_t)i; /* no two alike */
		for (int i = 0; i < n; i++)
			reversed[i] = items[n - 1 - i];
		assert_int_equal(pare_memory_plan(items, n, &total), PARE_OK);
		assert_int_equal(pare_memory_plan(reversed, n, &total_reversed), PARE_OK);
		assert_int_equal(total, total_reversed);
		for (int i = 0; i < n; i++)
			assert_int_equal(items[i].offset, reversed[n - 1 - i].offset);
	}
}

static void test_memory_plan__no_items_need_nothing(void **state)
{
	size_t total = 7;
	(void)state;
	assert_int_equal(pare_memory_plan(NULL, 0, &total), PARE_OK);
	assert_int_equal(total, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_memory_plan__buffers_alive_together_never_overlap),
	        cmocka_unit_test(test_memory_plan__stays_near_the_lower_bound),
	        cmocka_unit_test(test_memory_plan__a_chain_needs_its_two_largest_neighbours),
	        cmocka_unit_test(test_memory_plan__one_moment_in_common_is_together),
	        cmocka_unit_test(test_memory_plan__a_gap_is_used_only_if_large_enough),
	        cmocka_unit_test(test_memory_plan__does_not_depend_on_the_order_of_different_items),
	        cmocka_unit_test(test_memory_plan__no_items_need_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
