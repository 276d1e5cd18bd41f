/*
 * What a step finds when its turn comes in a network that runs again and again: its input was written just now by the
 * step before, and since its last turn the rest of the network's weights and activations have gone through the caches.
 * Between two timed runs of a step we do the same: read as much other memory as the network would have touched, then
 * write the input.
 *
 * Measured against whole networks on a Zen 5 core with 1 MiB of second-level cache (mean absolute error of the sum over
 * random slim networks, batch 1 / batch 16): running a step in a hot loop gave 13 % / 12 % for mobilenet_v1, whose 17
 * MB of weights do not stay in that cache, and always too little; reading 18 MB in between gave 12 % / 5 % there, but
 * 13 % too much for resnet20 at batch 1, whose weights do stay. So the amount read is the network's own.
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
