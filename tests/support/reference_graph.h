/*
 * A whole network in double, node by node with the reference operators: what the executor must come to.
 *
 *     struct reference_graph r;
 *     reference_graph_open(&r, graph, images, training);
 *     fill r.values[graph->input]; reference_graph_run(&r); read r.values[graph->output];
 *     reference_graph_close(&r);
 *
 * Parameters are copied when it is opened; r.params may be changed between runs, for finite differences.
 */
#ifndef PARE_TESTS_SUPPORT_REFERENCE_GRAPH_H
#define PARE_TESTS_SUPPORT_REFERENCE_GRAPH_H

#include "engine/graph/graph.h"
#include "tests/support/reference_ops.h"

struct reference_graph {
	const struct pare_graph *graph;
	int64_t images;
	bool training;
	double **values; /* [n_values]: [images][shape], dense NCHW */
	double **params; /* [n_params] */
	/* (optional) An operator of the test's own. */
	const struct pare_op *own_op;
	reference_fn own_reference;
};

void reference_graph_open(struct reference_graph *r, const struct pare_graph *graph, int64_t images, bool training);
void reference_graph_close(struct reference_graph *r);
void reference_graph_run(struct reference_graph *r);

#endif
