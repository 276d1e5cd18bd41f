/*
 * Where a step's time stands in the table: the family's key and the coordinates in it (see latency_lut/lut.h).
 *
 * Key: operator, attributes as the operator describes them, fused activation, number of inputs if there are several,
 * spatial size of the first input. "conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 28x28", "add in2 16x16", "linear".
 *
 * Two axes (input and output channels) for steps with one input and a weight; one axis (output channels) for all
 * others and for depthwise convolutions. Those are "gdw" ("gdw x2" with two filters a channel), since their number of
 * groups is a channel count.
 */
#ifndef PARE_LATENCY_LUT_KEY_H
#define PARE_LATENCY_LUT_KEY_H

#include "latency_lut/lut.h"

struct pare_lut_key {
	char family[PARE_LUT_FAMILY_SIZE];
	int64_t in_channels; /* 0 in one-axis families */
	int64_t out_channels;
};

/* A convolution with one input channel a group is depthwise, unless there is one group only. Slimming can cut a
 * depthwise one down to one channel, and a grouped one to one input channel a group: such a step's times stand under
 * the other spelling. */
enum pare_lut_spelling { PARE_LUT_SPELLING_USUAL, PARE_LUT_SPELLING_OTHER };

/* `scratch` keeps its memory between calls. PARE_E_LIMIT for a key that is too long, PARE_E_NOT_FOUND when the step has
 * no other spelling. */
int pare_lut_key_make(struct pare_lut_key *key, const struct pare_graph *graph, const struct pare_step *step,
                      enum pare_lut_spelling spelling, struct pare_strbuf *scratch, struct pare_error *error);

/* Views cost nothing and are not in the table. */
static inline bool pare_lut_is_free(const struct pare_graph *graph, const struct pare_step *step)
{
	return graph->nodes[step->node].op->flags & PARE_OP_VIEW;
}

#endif
