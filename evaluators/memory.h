/* Peak activation memory. */
#ifndef PARE_EVALUATORS_MEMORY_H
#define PARE_EVALUATORS_MEMORY_H

#include "engine/graph/graph.h"

/* The most bytes of activations of one image that are alive at once while a (folded) network runs step by step: a value
 * lives from the step that writes it to the last one that reads it, input and output of a step are alive together,
 * views cost nothing, weights and scratch memory do not count. PARE_E_NOMEM or 0. */
int pare_peak_activation_bytes(const struct pare_graph *graph, int64_t *bytes);

#endif
