/*
 * Running graphs for the clock: a whole network, or one step as pare_step_graph made it.
 */
#ifndef PARE_LATENCY_LUT_MEASURE_H
#define PARE_LATENCY_LUT_MEASURE_H

#include "engine/base/pool.h"
#include "engine/graph/graph.h"
#include "latency_lut/lut.h"
#include "latency_lut/timing.h"

/* An entry's times and count from its samples, rounded to the digits that the file keeps: a table predicts the same
 * before it is written and after it is read back. Channels are left alone. */
void pare_samples_summarise(const struct pare_samples *samples, struct pare_lut_entry *entry);

/* Adds samples of the first step from first_node on. */
int pare_measure_step(const struct pare_graph *graph, int first_node, int64_t batch, struct pare_pool *pool,
                      double max_ms, struct pare_samples *samples, struct pare_error *error);

#endif
