/*
 * Batch norm folding for inference: y = scale * (conv(x) - mean) / sqrt(var + eps) + shift becomes a convolution (or
 * linear layer) with scaled weights and a bias (Jacob et al., "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference", CVPR 2018, 3.2). Only where the producer's output has no other reader
 * and its parameters no other user; a batch norm that cannot be folded stays, and so does the second of two in a row.
 */
#ifndef PARE_ENGINE_COMPRESS_FOLD_H
#define PARE_ENGINE_COMPRESS_FOLD_H

#include "engine/graph/graph.h"

/* A new graph; node names are kept, folded batch norms are gone. The layer's output carries the name of the batch
 * norm's, so that the network's output keeps its name. NULL when out of memory. */
struct pare_graph *pare_fold_batch_norm(const struct pare_graph *graph, struct pare_error *error);

#endif
