#include "engine/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_ITEMS 1000
#define MAX_THREADS 5

/* Plain, unsynchronised memory on purpose: a pool that shares items or workers is a data race for ThreadSanitizer. */
struct visits {
	int items[MAX_ITEMS];
	int64_t workers[MAX_THREADS];
	int threads;
	bool worker_out_of_range;
};

static void visit(void *context, int64_t item, int worker)
{
	struct visits *visits = context;

	if (worker < 0 || worker >= visits->threads) {
		visits->worker_out_of_range = true;
		return;
	}
	visits->items[item]++;
	visits->workers[worker]++;
}

static void check_each_once(struct pare_pool *pool, int64_t items)
{
	struct visits visits = {.threads = pare_pool_threads(pool)};
	int64_t total = 0;

	pare_pool_for(pool, items, visit, &visits);
	assert_false(visits.worker_out_of_range);
	for (int64_t i = 0; i < MAX_ITEMS; i++)
		assert_int_equal(visits.items[i], i < items);
	for (int i = 0; i < MAX_THREADS; i++)
		total += visits.workers[i];
	assert_int_equal(total, items);
}

static void test_pool__does_every_item_exactly_once(void **state)
{
	static const int64_t counts[] = {0, 1, 2, 3, 7, 64, MAX_ITEMS};

	(void)state;
	for (int threads = 1; threads <= MAX_THREADS; threads++) {
		struct pare_pool *pool = pare_pool_new(threads);

		assert_non_null(pool);
		assert_int_equal(pare_pool_threads(pool), threads);
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			check_each_once(pool, counts[i]);
		pare_pool_free(pool);
	}
}

static void add_item(void *context, int64_t item, int worker)
{
	(void)worker;
	((int64_t *)context)[item] += item + 1;
}

static void test_pool__survives_many_small_regions(void **state)
{
	struct pare_pool *pool = pare_pool_new(3);
	int64_t sums[4] = {0};

	(void)state;
	for (int region = 0; region < 5000; region++)
		pare_pool_for(pool, 1 + region % 4, add_item, sums);
	for (int64_t i = 0; i < 4; i++)
		assert_int_equal(sums[i], (i + 1) * 1250 * (4 - i));
	pare_pool_free(pool);
}

/* Pauses long enough for the helpers to fall asleep, and items long enough for the caller to. */
static void sleep_then_add(void *context, int64_t item, int worker)
{
	nanosleep(&(struct timespec){.tv_nsec = worker ? 2000000 : 100000}, NULL);
	add_item(context, item, worker);
}

static void test_pool__wakes_sleeping_helpers_and_caller(void **state)
{
	struct pare_pool *pool = pare_pool_new(3);
	int64_t sums[3] = {0};

	(void)state;
	for (int region = 0; region < 20; region++) {
		pare_pool_for(pool, 3, sleep_then_add, sums);
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(sums[i], 20 * (i + 1));
	pare_pool_free(pool);
}

struct meeting {
	atomic_int present;
	int expected;
	atomic_int gave_up;
};

/* Comes to an end only when all items run at the same time, or after ten seconds. */
static void meet(void *context, int64_t item, int worker)
{
	struct meeting *meeting = context;

	(void)item;
	(void)worker;
	atomic_fetch_add(&meeting->present, 1);
	for (int i = 0; i < 10000 && atomic_load(&meeting->present) < meeting->expected; i++)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	if (atomic_load(&meeting->present) < meeting->expected)
		atomic_fetch_add(&meeting->gave_up, 1);
}

static void test_pool__works_with_all_threads_at_once(void **state)
{
	struct meeting meeting = {.expected = 4};
	struct pare_pool *pool = pare_pool_new(4);

	(void)state;
	pare_pool_for(pool, 4, meet, &meeting);
	assert_int_equal(atomic_load(&meeting.gave_up), 0);
	pare_pool_free(pool);
}

struct partial_sums {
	double values[64];
};

/* Work whose rounding depends on order: one item, one sum, so that the threads cannot change it. */
static void sum_harmonic(void *context, int64_t item, int worker)
{
	struct partial_sums *sums = context;

	(void)worker;
	for (int64_t i = 1; i <= 200; i++)
		sums->values[item] += 1.0 / (double)(i * (item + 1));
}

static void test_pool__results_do_not_depend_on_threads(void **state)
{
	struct partial_sums serial = {0};

	(void)state;
	pare_pool_for(NULL, 64, sum_harmonic, &serial);
	for (int threads = 1; threads <= MAX_THREADS; threads++) {
		struct pare_pool *pool = pare_pool_new(threads);
		struct partial_sums sums = {0};

		pare_pool_for(pool, 64, sum_harmonic, &sums);
		assert_memory_equal(&sums, &serial, sizeof(sums));
		pare_pool_free(pool);
	}
}

struct order {
	int64_t next;
	bool broken;
};

static void check_order(void *context, int64_t item, int worker)
{
	struct order *order = context;

	order->broken |= item != order->next++ || worker != 0;
}

static void test_pool__null_is_serial_and_in_order(void **state)
{
	struct order order = {0};

	(void)state;
	pare_pool_for(NULL, 100, check_order, &order);
	assert_int_equal(order.next, 100);
	assert_false(order.broken);
	assert_int_equal(pare_pool_threads(NULL), 1);
	pare_pool_free(NULL);
}

static void test_pool__no_threads_is_refused(void **state)
{
	(void)state;
	assert_null(pare_pool_new(0));
	assert_null(pare_pool_new(-1));
}

static void test_pool__can_be_freed_unused(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		pare_pool_free(pare_pool_new(1 + i % MAX_THREADS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_pool__does_every_item_exactly_once),
	        cmocka_unit_test(test_pool__survives_many_small_regions),
	        cmocka_unit_test(test_pool__wakes_sleeping_helpers_and_caller),
	        cmocka_unit_test(test_pool__works_with_all_threads_at_once),
	        cmocka_unit_test(test_pool__results_do_not_depend_on_threads),
	        cmocka_unit_test(test_pool__null_is_serial_and_in_order),
	        cmocka_unit_test(test_pool__no_threads_is_refused),
	        cmocka_unit_test(test_pool__can_be_freed_unused),
	};

	alarm(120); /* a lost wake-up ends the program instead of blocking the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
