/*
 * What a step finds when its turn comes in a network that runs again and again: its input was written just now by the
 * step before, and since its last turn the rest of the network's weights and activations have gone through the caches.
 * Between two timed runs of a step we do the same: read as much other memory as the network would have touched, then
 * write the input.
 *
 * What it is worth: mean absolute error of the sum over 16 random slim networks, four tables each, the methods side by
 * side in one process (Zen 5, one thread; networks by the 10th percentile of CPU time, since other programs were
 * running, so small differences mean nothing):
 *
 *                                          mobilenet_v1          plain_cnn
 *                                       batch 1   batch 16   batch 1   batch 16
 *     hot loop                            6.6 %      8.2 %     2.0 %      1.8 %
 *     the network's memory in between,
 *     scaled with the entry's width       5.8 %      6.8 %     1.5 %      1.6 %
 *     all of it at every width            6.1 %      6.0 %     1.8 %      1.8 %
 *
 * So it gains a little, mostly where the weights (17 MB in mobilenet_v1) do not stay in a second-level cache; the
 * second line was ahead of the first in all eight mobilenet_v1 tables. What is left there is a prediction too low.
 */
#ifndef PARE_LATENCY_LUT_SURROUNDINGS_H
#define PARE_LATENCY_LUT_SURROUNDINGS_H

#include "engine/graph/exec.h"

/* More than this says nothing new: it is past the last cache. */
#define PARE_SURROUNDINGS_MOST_BYTES ((size_t)64 << 20)

struct pare_surroundings {
	unsigned char *memory;
	size_t capacity;
	struct pare_pool *pool; /* of the caller */
};

/* Memory for at most `bytes`. PARE_E_NOMEM or 0. */
int pare_surroundings_init(struct pare_surroundings *surroundings, size_t bytes, struct pare_pool *pool);
void pare_surroundings_release(struct pare_surroundings *surroundings);

/* Reads `bytes` (or all, if fewer) of the memory with all workers, so that the caches of all cores see it. */
void pare_surroundings_pass(const struct pare_surroundings *surroundings, size_t bytes);
/* Writes the tensor with all workers, which leaves them awake. Ordinary numbers: no zeros, denormals or NaN, which some
 * units handle faster or slower. */
void pare_surroundings_write(const struct pare_surroundings *surroundings, const struct pare_tensor *tensor);

/* What one run of the graph touches: activations, workspaces, parameters (or the operators' packed copies of them). */
int pare_working_set(const struct pare_graph *graph, int64_t images, struct pare_pool *pool, size_t *bytes,
                     struct pare_error *error);

#endif
