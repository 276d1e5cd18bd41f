/*
 * Small hand-made networks, one for each way in which channels can hang together, and what tests need to try them:
 * random weights and statistics, random plans. A builder that fails fails the test.
 */
#ifndef PARE_TESTS_SUPPORT_NETS_H
#define PARE_TESTS_SUPPORT_NETS_H

#include "engine/compress/plan.h"
#include "engine/graph/graph.h"

struct test_net {
	const char *name;
	struct pare_graph *(*build)(void);
	bool block; /* from net_blocks.h: needs all operators */
};

/* The last one has the name NULL. Inputs are 3x8x8, outputs 5 classes. */
extern const struct test_net test_nets[];
/* Builds one of them; fails the test when there is none of that name. */
struct pare_graph *test_net_build(const char *name);

/* A zoo network with few channels on a small image. */
struct pare_graph *test_net_build_zoo(const char *name);
/* Hand-made ones without blocks, then the zoo; NULL after the last. What the latency table and ONNX files can hold. */
struct pare_graph *test_net_build_nth(int n);
/* The same, then the blocks. */
struct pare_graph *test_net_build_any(int n);

/* Weights, biases and batch norm parameters such that no entry is 0 or 1, variances in [0.5, 2]. */
void test_net_randomize(struct pare_graph *graph, uint64_t seed);

/* Values are usually called like their nodes; an ONNX file's are not. */
void test_net_name_output(struct pare_graph *graph, const char *name);

/* Every group that is not frozen keeps between `least` and all channels (all if it has fewer), around ratio * channels.
 */
void test_plan_randomize(struct pare_plan *plan, const struct pare_groups *groups, double ratio, int64_t least,
                         uint64_t seed);

#endif
