/*
 * Coupling groups: the knobs of channel pruning. A group is the set of atoms (engine/graph/channel_map.h) that touch exactly
 * the same parameter axes: they are interchangeable, and cutting one of them cuts all layers that touch it.
 *
 *     struct pare_groups groups;
 *     pare_groups_init(&groups, graph, &error);     // groups.group[g].channels, .name, .frozen
 *     ...
 *     pare_groups_release(&groups);
 *
 * Order: by the first node that produces one of the group's atoms. Names: that node's name; with a suffix "#2", "#3"... when
 * one layer's channels fall into several groups (option-A shortcuts). Slimming keeps names, order and count.
 */
#ifndef PARE_ENGINE_COMPRESS_GROUPS_H
#define PARE_ENGINE_COMPRESS_GROUPS_H

#include "engine/graph/channel_map.h"

struct pare_group {
	char *name;
	int64_t channels;    /* how many atoms there are */
	int *atoms;          /* [channels] representatives, in ascending order of the channel index in the first producer */
	const char *frozen;  /* why it may not be cut; NULL = it may */
	int *nodes;          /* convolutions and linear layers whose filters (axis 0) it holds */
	int n_nodes;
};

struct pare_groups {
	const struct pare_graph *graph;
	struct pare_channel_map *map;
	struct pare_group *group;
	int n_groups; /* frozen ones included */
};

int pare_groups_init(struct pare_groups *groups, const struct pare_graph *graph, struct pare_error *error);
void pare_groups_release(struct pare_groups *groups);
int pare_groups_find(const struct pare_groups *groups, const char *name); /* -1 when there is none */

#endif
