/*
 * Physical slimming: a smaller graph, never a mask; and the proof that both agree.
 */
#ifndef PARE_ENGINE_COMPRESS_SLIM_H
#define PARE_ENGINE_COMPRESS_SLIM_H

#include "engine/compress/criterion.h"
#include "engine/compress/plan.h"

/* A new graph in which each group keeps plan->kept[g] channels: the highest by the criterion on this graph's weights, ties to
 * the lower index; the survivors stay in their order. Parameters, attributes and shapes are cut; names are kept. */
int pare_slim(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **slim, struct pare_error *error);

/* Shapes only: a slim graph with zero weights, for counting MACs, parameters and latency without touching data. */
int pare_slim_shape(const struct pare_groups *groups, const struct pare_plan *plan, struct pare_graph **slim,
                    struct pare_error *error);

/* The same cut as pare_slim by zeros in the full-size graph: every parameter entry of a cut channel is 0 (BN scale and shift too, so
 * that a cut channel is exactly 0 behind its batch norm and cannot leak through the shift). */
int pare_mask(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **masked, struct pare_error *error);

/* Runs both on `images` random inputs (inference) and gives max |slim - masked| / max |masked|. */
int pare_slim_check(const struct pare_graph *slim, const struct pare_graph *masked, int64_t images, uint64_t seed,
                    double *max_relative_difference, struct pare_error *error);

#endif
