/*
 * Private to engine/compress: which atoms stay, and what follows from that for values, parameters and attributes.
 * Slimming, masking and counting all read the same cut, so they cannot disagree about it.
 */
#ifndef PARE_ENGINE_COMPRESS_CUT_H
#define PARE_ENGINE_COMPRESS_CUT_H

#include "engine/compress/criterion.h"
#include "engine/compress/plan.h"

struct pare_cut {
	const struct pare_groups *groups;
	unsigned char *slot_stays;       /* [groups->n_slots] */
	unsigned char *channel_stays;    /* the memory of value[].dim[].kept */
	struct pare_channel_keep *value; /* [n_values] */
	struct pare_channel_keep *in;    /* scratch: the inputs of one node */
};

/* Nothing is cut until one of the choose functions is called; they may be called again and again. */
int pare_cut_init(struct pare_cut *cut, const struct pare_groups *groups, struct pare_error *error);
void pare_cut_release(struct pare_cut *cut);

/* Of each group the first plan->kept[g] atoms stay: right for shapes, whatever the weights are. */
int pare_cut_choose_first(struct pare_cut *cut, const struct pare_plan *plan, struct pare_error *error);
/* Of each group the plan->kept[g] atoms with the highest score stay, ties to the lower index. */
int pare_cut_choose_best(struct pare_cut *cut, const struct pare_plan *plan, const struct pare_criterion *criterion,
                         struct pare_error *error);

/* Whether index i along an axis of a parameter stays; true on axes that are never cut. */
bool pare_cut_index_stays(const struct pare_cut *cut, int param, int axis, int64_t i);
struct pare_shape pare_cut_param_shape(const struct pare_cut *cut, int param);
/* attrs: in the node's original attributes, out those after the cut. */
void pare_cut_attrs(const struct pare_cut *cut, const struct pare_node *node, void *attrs);

#endif
