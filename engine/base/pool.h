/*
 * The one thread pool. `threads` workers including the caller (threads = 1 starts no thread).
 *
 *     struct pare_pool *pool = pare_pool_new(2);
 *     pare_pool_for(pool, n_items, do_item, context);    // returns when all items are done
 *     pare_pool_free(pool);
 *
 * Items are handed out one by one, so which worker does which item is not fixed: results must not depend on it. `worker`
 * is in [0, threads) and is for picking scratch memory only. Calls do not nest, and one pool serves one caller at a time.
 * A NULL pool is serial: the caller runs all items in order as worker 0.
 */
#ifndef PARE_ENGINE_BASE_POOL_H
#define PARE_ENGINE_BASE_POOL_H

#include <stdint.h>

struct pare_pool;

typedef void (*pare_pool_fn)(void *context, int64_t item, int worker);

struct pare_pool *pare_pool_new(int threads); /* NULL when out of memory or threads cannot be started */
void pare_pool_free(struct pare_pool *pool);  /* NULL is fine */
int pare_pool_threads(const struct pare_pool *pool); /* 1 for NULL */
void pare_pool_for(struct pare_pool *pool, int64_t items, pare_pool_fn fn, void *context);

#endif
