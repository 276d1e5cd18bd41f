/*
 * One step of a network alone, at other channel counts: what the table times.
 */
#ifndef PARE_LATENCY_LUT_STEP_GRAPH_H
#define PARE_LATENCY_LUT_STEP_GRAPH_H

#include "engine/graph/channel_map.h"
#include "engine/graph/exec.h"

/* A graph that ends in the step's node (and its fused activation), with the attributes and parameter shapes that a cut
 * to these widths leaves. in_channels 0: a one-axis step; every input keeps its share of out_channels. Run it from
 * *first_node on (struct pare_exec_options): nodes before that only stand for further inputs. Parameters are zero.
 * PARE_E_UNSUPPORTED when the operator cannot be brought to that width. */
int pare_step_graph(struct pare_graph **graph, int *first_node, const struct pare_channel_map *map,
                    const struct pare_step *step, int64_t in_channels, int64_t out_channels, struct pare_error *error);

#endif
