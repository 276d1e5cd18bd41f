/* Softmax cross-entropy with label smoothing (Szegedy et al. 2016, section 7). */
#ifndef PARE_ENGINE_TRAIN_LOSS_H
#define PARE_ENGINE_TRAIN_LOSS_H

#include "engine/graph/tensor.h"

struct pare_loss {
	double sum;      /* of the images' losses */
	int64_t correct; /* images whose largest logit is the label's */
};

/* logits {classes}; labels [images]. With gradient.data not NULL: d(mean loss)/d(logits), 0 in unused lanes. */
struct pare_loss pare_cross_entropy(const struct pare_tensor *logits, const int32_t *labels, double smoothing,
                                    const struct pare_tensor *gradient);

#endif
