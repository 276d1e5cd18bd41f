/*
 * Coupling groups: the knobs of channel pruning. A group is the set of atoms (engine/graph/channel_map.h) that touch
 * exactly the same parameter axes, each equally often: they are interchangeable, and cutting one of them cuts all
 * layers that touch it. (Atoms that a slice takes and atoms that it leaves are not interchangeable either: some of both
 * must stay.) How many of a group stay, and not which, decides every shape.
 *
 *     struct pare_groups groups;
 *     pare_groups_init(&groups, graph, &error);     // groups.group[g].channels, .name, .frozen
 *     ...
 *     pare_groups_release(&groups);
 *
 * Order: by the first producer, the first convolution or linear layer whose filters (axis 0) the group's atoms are; for
 * atoms without filters (the network's input) the first node that hands them out, the input first. Names: that node's
 * (or the input's) name; with a suffix "#2", "#3"... when one layer's channels fall into several groups. Slimming keeps
 * names, order and count: what smaller counts no longer tell (a depthwise convolution cut to one channel looks like a
 * dense one) it writes into the operators' attributes.
 *
 * Atoms that touch no parameter (padding that meets no convolution) are in no group and always stay.
 */
#ifndef PARE_ENGINE_COMPRESS_GROUPS_H
#define PARE_ENGINE_COMPRESS_GROUPS_H

#include "engine/graph/channel_map.h"

struct pare_group {
	char *name;
	int64_t channels; /* how many atoms there are */
	int *atoms; /* [channels] representatives, in ascending order of the channel index in the first producer */
	const char *frozen; /* why it may not be cut; NULL = it may */
	int *nodes;         /* convolutions and linear layers whose filters (axis 0) it holds, ascending */
	int n_nodes;
	int64_t first_slot; /* its atoms are slots first_slot ... first_slot + channels - 1, in the order of `atoms` */
};

struct pare_groups {
	const struct pare_graph *graph;
	struct pare_channel_map *map;
	struct pare_group *group;
	int n_groups;  /* frozen ones included */
	int64_t *slot; /* [map->n_atoms] any atom's place in all groups' atoms one after the other; -1 = in no group */
	int64_t n_slots; /* sum of all groups' channels */
};

/* The graph must outlive the groups; its structure may not change meanwhile (weights may). */
int pare_groups_init(struct pare_groups *groups, const struct pare_graph *graph, struct pare_error *error);
void pare_groups_release(struct pare_groups *groups);                     /* leaves it zeroed */
int pare_groups_find(const struct pare_groups *groups, const char *name); /* -1 when there is none */

#endif
