/*
 * Which channels hang together. Every channel of every value, and every index along axis 0 or 1 of every parameter, carries
 * an *atom*: the smallest thing that can be cut. Operators say, one by one, how the atoms of their inputs, parameters and
 * output relate (struct pare_op.couple); atoms that must stay or go together are united. Nothing here knows architectures:
 * residual adds, concats, depthwise and grouped convolutions fall out of it (compare DepGraph, Fang et al., CVPR 2023).
 *
 *     conv2d:      out channel o: a new atom, also on weight axis 0 (and bias); in channel i: its atom on weight axis 1
 *     depthwise:   out channel c has in channel c's atom; so has weight axis 0
 *     add:         atom(a, c) and atom(b, c) are united
 *     concat:      the inputs' atoms one after the other
 *     flatten:     each channel's atom repeated height * width times
 *     pad (channels): new atoms without weights around the input's
 */
#ifndef PARE_ENGINE_GRAPH_CHANNEL_MAP_H
#define PARE_ENGINE_GRAPH_CHANNEL_MAP_H

#include "engine/graph/graph.h"

struct pare_channel_map {
	const struct pare_graph *graph;
	int *parent;          /* union-find over atoms */
	const char **frozen;  /* per atom: why it may not be cut; NULL = it may. Read it at the representative */
	size_t n_atoms, parent_capacity, frozen_capacity;
	int **value_atoms;    /* [n_values][dim[0]] */
	int **axis_atoms[2];  /* [axis][n_params][dim[axis]]; NULL where the axis is not cut (kernel sizes) */
};

/* Which channels of a value stay, for struct pare_op.slim. */
struct pare_channel_keep {
	const unsigned char *kept; /* [channels] 1 = stays */
	int64_t channels;          /* before */
	int64_t n_kept;            /* after */
};

/* Runs every operator's couple over the graph. The graph's input and output channels are frozen. The map keeps a pointer to the
 * graph. NULL when out of memory or an operator refuses (error says which). */
struct pare_channel_map *pare_channel_map_new(const struct pare_graph *graph, struct pare_error *error);
void pare_channel_map_free(struct pare_channel_map *map);

/* The representative of an atom's set. */
int pare_channel_map_find(const struct pare_channel_map *map, int atom);

/* For operators' couple functions. All return 0 or PARE_E_NOMEM. The output's atoms must be set by each couple. */
int pare_channel_map_new_atoms(struct pare_channel_map *map, int64_t count, int *atoms /* [count] */);
void pare_channel_map_unite(struct pare_channel_map *map, int a, int b);
void pare_channel_map_freeze(struct pare_channel_map *map, int atom, const char *reason /* kept by pointer */);
/* Atoms of a value's channels, [dim[0]]. */
const int *pare_channel_map_value(const struct pare_channel_map *map, int value);
int pare_channel_map_set_value(struct pare_channel_map *map, int value, const int *atoms);
/* Ties index i along `axis` (0 or 1) of a parameter to atoms[i]. A parameter tied twice (shared weights) unites both. */
int pare_channel_map_set_axis(struct pare_channel_map *map, int param, int axis, const int *atoms);

/* couple for element-wise operators with any number of inputs: united, and the output's are theirs. */
int pare_couple_elementwise(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node);

#endif
