/* One SGD step over all trained parameters of a graph. */
#ifndef PARE_ENGINE_TRAIN_SGD_H
#define PARE_ENGINE_TRAIN_SGD_H

#include "engine/graph/exec.h"
#include "engine/train/train.h"

struct pare_sgd {
	struct pare_graph *graph;
	struct pare_sgd_options options;
	float **velocity; /* [n_params]; NULL where not trained */
};

int pare_sgd_init(struct pare_sgd *sgd, struct pare_graph *graph, const struct pare_sgd_options *options);
void pare_sgd_release(struct pare_sgd *sgd);
/* Updates the graph's parameters from exec's gradients. */
void pare_sgd_step(struct pare_sgd *sgd, const struct pare_exec *exec, double learning_rate);

#endif
