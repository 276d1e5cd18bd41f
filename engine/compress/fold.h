/*
 * Batch norm folding for inference: y = scale * (conv(x) - mean) / sqrt(var + eps) + shift becomes a convolution (or linear
 * layer) with scaled weights and a bias. Only where the producer's output has no other reader; a batch norm that cannot be folded stays.
 */
#ifndef PARE_ENGINE_COMPRESS_FOLD_H
#define PARE_ENGINE_COMPRESS_FOLD_H

#include "engine/graph/graph.h"

/* A new graph; node names are kept, folded batch norms are gone. NULL when out of memory. */
struct pare_graph *pare_fold_batch_norm(const struct pare_graph *graph, struct pare_error *error);

#endif
