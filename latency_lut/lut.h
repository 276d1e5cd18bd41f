/*
 * The latency table: from the shape of a step (an operator plus its fused activation, engine/graph/exec.h) to
 * milliseconds on this machine, at one batch size and thread count.
 *
 *     build:    pare_lut_build(&lut, folded graph, its groups, options, ...)   measures; minutes
 *     keep:     pare_lut_write / pare_lut_read        text, versioned, names the machine
 *     ask:      pare_lut_predict(lut, graph, ...)     sum over the graph's steps, interpolated along channels
 *
 * Keys never hold layer names: two layers of one shape share their entries. A *family* is everything about a step but
 * its channel counts ("conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 28x28"); within a family, entries lie on a grid of (input
 * channels, output channels). Depthwise steps ("gdw") and element-wise ones have one axis: output channels.
 */
#ifndef PARE_LATENCY_LUT_LUT_H
#define PARE_LATENCY_LUT_LUT_H

#include "engine/base/log.h"
#include "engine/compress/groups.h"
#include "engine/graph/exec.h"
#include "latency_lut/machine.h"

#define PARE_LUT_FAMILY_SIZE 160
#define PARE_LUT_VERSION 1

struct pare_lut_entry {
	int32_t in_channels; /* 0 in one-axis families */
	int32_t out_channels;
	int32_t count; /* timed repetitions */
	double median_ms, p10_ms, p90_ms;
};

struct pare_lut_family {
	char key[PARE_LUT_FAMILY_SIZE];
	struct pare_lut_entry *entries; /* sorted by (in_channels, out_channels) */
	int n_entries;
	size_t capacity;
};

struct pare_lut {
	struct pare_machine machine;
	int64_t batch;
	int threads;
	char date[32];                    /* UTC, ISO 8601 */
	char pare_version[16];            /* that measured it */
	struct pare_lut_family *families; /* sorted by key */
	int n_families;
	size_t capacity;
};

struct pare_lut_build_options {
	int64_t batch;    /* images a run */
	int threads;      /* workers of the pool the steps are run with */
	int64_t step;     /* the search's channel step */
	int points;       /* at most so many widths on each axis (all multiples of step if fewer); >= 2 */
	double min_ratio; /* smallest width the search may choose, in (0, 1] */
	double max_ms;    /* about the longest time spent on one entry */
	const struct pare_log *log;
	/* (optional) after each entry; a result other than 0 stops with PARE_E_STOPPED. */
	int (*progress)(void *context, int64_t done, int64_t total);
	void *progress_context;
};

/* Measures every step of `graph` (batch norm folded) at every combination of input and output widths that its groups
 * can reach (on the axes' grid). */
int pare_lut_build(struct pare_lut **lut, const struct pare_graph *graph, const struct pare_groups *groups,
                   const struct pare_lut_build_options *options, struct pare_error *error);
void pare_lut_free(struct pare_lut *lut);

/* Sum over the steps of a folded graph (weights are not looked at), bilinear within a family's grid, linear beyond its
 * lowest width if it has two. A family that is not in the table, a width above the grid, and one below a grid of a
 * single width are PARE_E_NOT_FOUND, which names the step. Views cost nothing. */
int pare_lut_predict(const struct pare_lut *lut, const struct pare_graph *graph, double *ms, struct pare_error *error);
/* One step: its family key and coordinates, and its time. */
int pare_lut_step(const struct pare_lut *lut, const struct pare_graph *graph, const struct pare_step *step, double *ms,
                  struct pare_error *error);

/* Times the whole network end to end: median of repetitions, same batch and threads as the table's. */
int pare_lut_measure(const struct pare_graph *graph, int64_t batch, int threads, double max_ms,
                     struct pare_lut_entry *result, struct pare_error *error);

int pare_lut_write(const struct pare_lut *lut, const char *path, struct pare_error *error);
/* PARE_E_FORMAT with file and line for anything wrong in it. Unless `foreign`, a table of another machine (CPU model,
 * kernel set) is refused (PARE_E_INVALID), and so is one of another batch or thread count when these are not 0. */
int pare_lut_read(struct pare_lut **lut, const char *path, bool foreign, int64_t batch, int threads,
                  struct pare_error *error);
/* Hash of what decides predictions: batch, threads and all entries; the head's other lines (date, machine) do not
 * matter. PARE_E_NOMEM or 0. */
int pare_lut_hash(const struct pare_lut *lut, char digest[33]);

#endif
