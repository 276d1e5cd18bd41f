/*
 * Physical slimming: a smaller graph, never a mask; and the proof that both agree.
 */
#ifndef PARE_ENGINE_COMPRESS_SLIM_H
#define PARE_ENGINE_COMPRESS_SLIM_H

#include "engine/compress/criterion.h"
#include "engine/compress/plan.h"

/* A new graph in which each group keeps plan->kept[g] channels: the highest by the criterion on this graph's weights,
 * ties to the lower index; the survivors stay in their order. Parameters, attributes and shapes are cut; names are
 * kept, and nodes and parameters keep their indices. NaN scores are PARE_E_DIVERGED. On failure *slim is NULL. */
int pare_slim(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **slim, struct pare_error *error);

/* Shapes only: a slim graph with zero weights, for counting MACs, parameters and latency without touching data. On
 * failure *slim is NULL. */
int pare_slim_shape(const struct pare_groups *groups, const struct pare_plan *plan, struct pare_graph **slim,
                    struct pare_error *error);

/* pare_slim_shape for whoever prices thousands of plans: one graph that is cut again and again, without allocating.
 *
 *     struct pare_shape_slimmer *slimmer;
 *     pare_shape_slimmer_new(&slimmer, &groups, &error);
 *     for each plan: pare_shape_slimmer_cut(slimmer, &plan, &graph, &error); pare_graph_macs(graph);
 *     pare_shape_slimmer_free(slimmer);
 *
 * The groups must outlive the slimmer. One slimmer serves one thread at a time. */
struct pare_shape_slimmer;
int pare_shape_slimmer_new(struct pare_shape_slimmer **slimmer, const struct pare_groups *groups,
                           struct pare_error *error);
void pare_shape_slimmer_free(struct pare_shape_slimmer *slimmer); /* NULL is fine */
/* *graph is the slimmer's, its weights are zero, and the next cut changes it. After a failure it must not be read, but
 * the slimmer can cut again. */
int pare_shape_slimmer_cut(struct pare_shape_slimmer *slimmer, const struct pare_plan *plan,
                           const struct pare_graph **graph, struct pare_error *error);

/* The same cut as pare_slim by zeros in the full-size graph: every parameter entry of a cut channel is 0, in the layers that
 * make it and in those that read it (BN scale and shift too), except the running variance, which batch norm divides by: it
 * becomes 1. A cut channel need not be 0 itself (a sigmoid makes 0.5 of 0): nobody who stays hears of it, since operators
 * that mix channels without weights freeze them (engine/graph/channel_map.h). On failure *masked is NULL. */
int pare_mask(const struct pare_groups *groups, const struct pare_plan *plan, const struct pare_criterion *criterion,
              struct pare_graph **masked, struct pare_error *error);

/* Runs both on `images` random inputs (inference) and gives max |slim - masked| / max |masked|; NaN when an output is
 * NaN. */
int pare_slim_check(const struct pare_graph *slim, const struct pare_graph *masked, int64_t images, uint64_t seed,
                    double *max_relative_difference, struct pare_error *error);

#endif
