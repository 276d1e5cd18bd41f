/*
 * Generated images and a convolutional network that learns them in a few hundred steps, for tests of training and
 * evaluation.
 */
#ifndef PARE_TESTS_SUPPORT_SMALL_DATA_H
#define PARE_TESTS_SUPPORT_SMALL_DATA_H

#include "engine/data/dataset.h"
#include "engine/graph/graph.h"

/* `train` images, and `test` of the test part; nothing is held out. pare_splits_release it. */
void small_data_load(struct pare_splits *splits, int64_t train, int64_t test);
extern const struct pare_normalization small_data_normalization;

/* 1x28x28 -> 10: two strided convolutions, average pool, linear. With or without batch norm. */
struct pare_graph *small_net(bool batch_norm, uint64_t seed);

#endif
