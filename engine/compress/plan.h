/*
 * The plan: how many channels of each coupling group stay (later also bits per layer). A plain value with a canonical
 * text and a hash. Rounding to whole channels happens here and nowhere else; budgets are checked on the rounded plan.
 */
#ifndef PARE_ENGINE_COMPRESS_PLAN_H
#define PARE_ENGINE_COMPRESS_PLAN_H

#include "engine/base/hash.h"
#include "engine/compress/groups.h"

struct pare_plan {
	int n_groups;
	int64_t *kept; /* [n_groups] channels that stay, in [1, channels]; equal to channels for frozen groups */
};

/* Nothing cut. */
int pare_plan_init(struct pare_plan *plan, const struct pare_groups *groups);
void pare_plan_release(struct pare_plan *plan); /* leaves it zeroed */
int pare_plan_copy(struct pare_plan *to, const struct pare_plan *from);

/* PARE_E_INVALID unless the plan is one for these groups, within the bounds stated at `kept`; names the group. */
int pare_plan_check(const struct pare_plan *plan, const struct pare_groups *groups, struct pare_error *error);

/* ratio * channels rounded to the nearest allowed count, halves up. Allowed are the multiples of step below `channels`,
 * and `channels` itself, multiple or not. So ratio 1 cuts nothing, and ratios below one step (NaN too) give one step,
 * or all channels if there are fewer. A step below 1 counts as 1. */
int64_t pare_plan_round(int64_t channels, double ratio, int64_t step);

/* "conv1=12/16 layer1.0.conv2=7/16" with every group, in order. PARE_E_NOMEM or 0. */
int pare_plan_text(const struct pare_plan *plan, const struct pare_groups *groups, struct pare_strbuf *text);
/* Reads that text back, for the same groups (of the unpruned network). White space around entries is free; anything
 * else must be as pare_plan_text writes it. On failure the plan is zeroed. */
int pare_plan_parse(struct pare_plan *plan, const struct pare_groups *groups, const char *text,
                    struct pare_error *error);
/* Of the canonical text. PARE_E_NOMEM or 0. */
int pare_plan_hash(const struct pare_plan *plan, const struct pare_groups *groups, char text[PARE_HASH_TEXT_SIZE]);

#endif
