/*
 * Which channels hang together. Along each dimension of a value, and along axis 0 and 1 of each parameter, every index
 * may carry an *atom*: the smallest thing that can be cut. An element of a value stays when the atoms of all its
 * indices stay, so what is left of a value is always a box. A dimension without atoms (NULL: height and width of an
 * image, say) is never cut.
 *
 * Operators say, one by one, how the atoms of their inputs, parameters and output relate (struct pare_op.couple); atoms
 * that must stay or go together are united, atoms that must stay are frozen, with a reason. Nothing here knows
 * architectures: residual adds, concats, depthwise and grouped convolutions, channel shuffles and
 * squeeze-and-excitation gates fall out of it (compare DepGraph, Fang et al., CVPR 2023).
 *
 *     conv2d:       out channel o: a new atom, also on weight axis 0 (and bias); in channel i: its atom on weight axis
 * 1 depthwise:    out channel c has in channel c's atom; so has weight axis 0 linear:       as conv2d, along the last
 * dimension; the other dimensions keep their atoms element-wise: atoms at the same index of the same dimension are
 * united; a dimension of 1 that is spread over many is frozen concat:       the inputs' atoms one after the other;
 * slice: some of them; transpose: the dimensions change places reshape:      each channel's atom repeated (flattening),
 * or channel c and channel c + C/g united for all g groups (splitting C into g x C/g), so that the box stays a box pad:
 * new atoms without weights around the input's layer_norm, softmax, reduce_mean along a dimension with atoms: frozen,
 * see below
 *
 * What cut means (engine/compress/slim.h, "slim equals masked"): in the masked network the weights of a cut channel are
 * 0, and so are those of whoever reads it, so its activation may be anything finite (sigmoid makes 0.5 of its 0, a
 * shift leaks into it): nobody who stays hears of it. An operator that mixes indices of a dimension without weights of
 * its own would hear of it, and must freeze them: statistics over channels (layer_norm, softmax, reduce_mean) would
 * change. So must one that can make infinities or NaN of a 0 (dividing by a channel), since 0 * NaN is NaN.
 */
#ifndef PARE_ENGINE_GRAPH_CHANNEL_MAP_H
#define PARE_ENGINE_GRAPH_CHANNEL_MAP_H

#include "engine/graph/graph.h"

/* A map holds at most so many atoms and array entries together; more is PARE_E_LIMIT. 512 MiB. */
#define PARE_MAX_CHANNEL_ENTRIES ((size_t)1 << 27)

struct pare_channel_map {
	const struct pare_graph *graph;
	int *parent;         /* union-find over atoms */
	const char **frozen; /* per atom: why it may not be cut; NULL = it may. Read it at the representative */
	size_t n_entries;    /* of all arrays below; at most PARE_MAX_CHANNEL_ENTRIES */
	size_t n_atoms, parent_capacity, frozen_capacity;
	int **value_atoms;            /* [n_values][PARE_MAX_RANK][dim[d]]; NULL where the dimension is never cut */
	unsigned char *value_known;   /* [n_values] the producer's couple has spoken */
	int **axis_atoms[2];          /* [axis][n_params][dim[axis]]; NULL where the axis is not cut (kernel sizes) */
	unsigned char *axis_fixed[2]; /* [axis][n_params] some user of the parameter never cuts this axis */
};

/* Which indices of one dimension stay; `kept` is NULL when the dimension is never cut. */
struct pare_dim_keep {
	const unsigned char *kept; /* [size] 1 = stays */
	int64_t size;              /* before */
	int64_t n_kept;            /* after */
};

/* What stays of a value, for struct pare_op.slim. */
struct pare_channel_keep {
	int rank;
	struct pare_dim_keep dim[PARE_MAX_RANK];
};

/* How many of the indices begin ... end - 1 stay. */
int32_t pare_dim_keep_count(const struct pare_dim_keep *keep, int64_t begin, int64_t end);

/* Runs every operator's couple over the graph. Dimension 0 of the graph's input has atoms; they, and all that reach
 * the output, are frozen. The map keeps a pointer to the graph. NULL when out of memory or an operator refuses (error
 * says which). */
struct pare_channel_map *pare_channel_map_new(const struct pare_graph *graph, struct pare_error *error);
void pare_channel_map_free(struct pare_channel_map *map);

/* The representative of an atom's set. */
int pare_channel_map_find(const struct pare_channel_map *map, int atom);
/* Atoms along dimension d of a value, [dim[d]]; NULL when it is never cut. */
const int *pare_channel_map_value(const struct pare_channel_map *map, int value, int d);

/* For operators' couple functions. Those that return something return 0 or PARE_E_NOMEM. */
int pare_channel_map_new_atoms(struct pare_channel_map *map, int64_t count, int *atoms /* [count] */);
void pare_channel_map_unite(struct pare_channel_map *map, int a, int b);
/* a[i] with b[i]; when one of them is NULL the other cannot be cut any more, for that `reason`. */
void pare_channel_map_unite_all(struct pare_channel_map *map, const int *a, const int *b, int64_t count,
                                const char *reason);
void pare_channel_map_freeze(struct pare_channel_map *map, int atom, const char *reason /* kept by pointer */);
void pare_channel_map_freeze_dim(struct pare_channel_map *map, int value, int d, const char *reason);
/* Every couple must call this for its output, at least once; dimensions it is not called for, or with NULL, are never
 * cut. */
int pare_channel_map_set_value(struct pare_channel_map *map, int value, int d, const int *atoms);
/* Ties index i along `axis` (0 or 1) of a parameter to atoms[i]; NULL: this axis is not cut. A parameter tied twice
 * (shared weights) unites both. */
int pare_channel_map_set_axis(struct pare_channel_map *map, int param, int axis, const int *atoms);

/* couple for element-wise operators with any number of inputs of one shape: united, and the output's are theirs. */
int pare_couple_elementwise(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node);
/* The same for two inputs of one rank. Bit d of spread[k]: input k has one index along dimension d for all of the other
 * input's (a gate); it is frozen. */
int pare_couple_pair(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node,
                     const unsigned spread[2]);
/* couple for operators that keep dimension 0 of their only input and mix the others (pooling): those are frozen. */
int pare_couple_planes(struct pare_channel_map *map, const struct pare_graph *graph, const struct pare_node *node);

#endif
