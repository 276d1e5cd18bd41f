/*
 * One region at a time: pare_pool_for publishes (fn, context, items), raises `generation`, works along, and waits until
 * every helper has reported back. A training step has some 200 regions of about 100 us, and waking a sleeping thread
 * costs 5 to 50 us, so both sides watch the atomics for a moment before they sleep on a condition variable.
 *
 * Every helper reports for every region, even when there was no item left for it: no helper can then still be inside an
 * old region when the next one is published, and the fields of a region need no lock.
 */
#include "engine/base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/clock.h"

/* How long a thread watches before it sleeps: about what sleeping and being woken would cost. */
#define WATCH_MS 0.03
#define TURNS_PER_CLOCK_READING 32

struct helper {
	struct pare_pool *pool;
	pthread_t thread;
	int worker;
};

struct pare_pool {
	/* The region; written by the caller only while no helper is working. */
	pare_pool_fn fn;
	void *context;
	int64_t items;
	atomic_int_fast64_t next_item;

	atomic_uint generation; /* raised once per region; helpers wait for it to change */
	atomic_int busy;        /* helpers that have not reported back */
	atomic_bool stopping;

	pthread_mutex_t lock; /* guards only falling asleep and waking up */
	pthread_cond_t wake;  /* generation changed */
	pthread_cond_t done;  /* busy became 0 */

	int threads; /* workers, the caller included */
	struct helper *helpers;
};

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void run_items(struct pare_pool *pool, int worker)
{
	int64_t item;

	while ((item = atomic_fetch_add_explicit(&pool->next_item, 1, memory_order_relaxed)) < pool->items)
		pool->fn(pool->context, item, worker);
}

static bool region_published(struct pare_pool *pool, unsigned seen)
{
	return atomic_load_explicit(&pool->generation, memory_order_acquire) != seen;
}

static bool helpers_reported(struct pare_pool *pool, unsigned seen)
{
	(void)seen;
	return !atomic_load_explicit(&pool->busy, memory_order_acquire);
}

/* Returns once is_reached(pool, seen): watches for WATCH_MS, then sleeps on `condition`. */
static void wait_until(struct pare_pool *pool, bool (*is_reached)(struct pare_pool *, unsigned), unsigned seen,
                       pthread_cond_t *condition)
{
	double start_ms = pare_clock_ms();

	do {
		for (int turn = 0; turn < TURNS_PER_CLOCK_READING; turn++) {
			if (is_reached(pool, seen))
				return;
			relax();
		}
	} while (pare_clock_ms() - start_ms < WATCH_MS);
	pthread_mutex_lock(&pool->lock);
	while (!is_reached(pool, seen))
		pthread_cond_wait(condition, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

/* The generation is raised under the lock, or a helper could check it, miss the signal and sleep for ever. */
static void publish(struct pare_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
}

static void report_back(struct pare_pool *pool)
{
	if (atomic_fetch_sub_explicit(&pool->busy, 1, memory_order_acq_rel) != 1)
		return;
	/* Taking the lock orders this signal after the caller's check, as in publish(). */
	pthread_mutex_lock(&pool->lock);
	pthread_cond_signal(&pool->done);
	pthread_mutex_unlock(&pool->lock);
}

static void *helper_main(void *argument)
{
	struct helper *helper = argument;
	struct pare_pool *pool = helper->pool;
	unsigned seen = 0;

	/* Generations rise by one and the next waits for every helper, so none is ever missed. */
	for (;; seen++) {
		wait_until(pool, region_published, seen, &pool->wake);
		if (atomic_load_explicit(&pool->stopping, memory_order_relaxed))
			return NULL;
		run_items(pool, helper->worker);
		report_back(pool);
	}
}

/* Ends and joins the first `started` helpers, and frees everything. */
static void shut_down(struct pare_pool *pool, int started)
{
	atomic_store_explicit(&pool->stopping, true, memory_order_relaxed);
	publish(pool);
	for (int i = 0; i < started; i++)
		pthread_join(pool->helpers[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->lock);
	free(pool->helpers);
	free(pool);
}

struct pare_pool *pare_pool_new(int threads)
{
	struct pare_pool *pool;

	if (threads < 1)
		return NULL;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return NULL;
	pool->threads = threads;
	pool->helpers = calloc((size_t)threads, sizeof(*pool->helpers));
	if (!pool->helpers) {
		free(pool);
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wake, NULL);
	pthread_cond_init(&pool->done, NULL);
	for (int i = 0; i < threads - 1; i++) {
		pool->helpers[i] = (struct helper){.pool = pool, .worker = i + 1};
		if (pthread_create(&pool->helpers[i].thread, NULL, helper_main, &pool->helpers[i])) {
			shut_down(pool, i);
			return NULL;
		}
	}
	return pool;
}

void pare_pool_free(struct pare_pool *pool)
{
	if (pool)
		shut_down(pool, pool->threads - 1);
}

int pare_pool_threads(const struct pare_pool *pool)
{
	return pool ? pool->threads : 1;
}

void pare_pool_for(struct pare_pool *pool, int64_t items, pare_pool_fn fn, void *context)
{
	/* One item gains nothing from waking anybody. */
	if (!pool || pool->threads == 1 || items <= 1) {
		for (int64_t item = 0; item < items; item++)
			fn(context, item, 0);
		return;
	}
	pool->fn = fn;
	pool->context = context;
	pool->items = items;
	atomic_store_explicit(&pool->next_item, 0, memory_order_relaxed);
	atomic_store_explicit(&pool->busy, pool->threads - 1, memory_order_relaxed);
	publish(pool);
	run_items(pool, 0);
	wait_until(pool, helpers_reported, 0, &pool->done);
}
