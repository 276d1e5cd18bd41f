/*
 * One step, as pare_step_graph made it, before the clock.
 */
#ifndef PARE_LATENCY_LUT_MEASURE_H
#define PARE_LATENCY_LUT_MEASURE_H

#include "latency_lut/lut.h"
#include "latency_lut/surroundings.h"
#include "latency_lut/timing.h"

/* An entry's times and count from its samples, rounded to the digits that the file keeps: a table predicts the same
 * before it is written and after it is read back. Channels are left alone. */
void pare_samples_summarise(const struct pare_samples *samples, struct pare_lut_entry *entry);

/* Adds samples of the step at first_node, for about max_ms; between two runs, `bytes` of the surroundings are passed.
 * Fills the graph's parameters. */
int pare_measure_step(struct pare_samples *samples, const struct pare_graph *graph, int first_node, int64_t batch,
                      const struct pare_surroundings *surroundings, size_t bytes, double max_ms,
                      struct pare_error *error);

#endif
