/*
 * Building a table: first the grid of every family, then several passes over all of its entries.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "latency_lut/key.h"
#include "latency_lut/measure.h"
#include "latency_lut/step_graph.h"
#include "latency_lut/widths.h"

/* A disturbance of a second spoils one pass of some entries, not all of one entry: samples of all passes are merged. */
#define PASSES 3

/* A family while its grid is made. */
struct grid {
	char key[PARE_LUT_FAMILY_SIZE];
	const struct pare_step *example; /* the step of the network that has the most output channels */
	int64_t example_channels;
	bool two_axes;
	struct pare_widths in, out;
};

struct build {
	struct pare_lut *lut;
	const struct pare_graph *graph;
	const struct pare_groups *groups;
	const struct pare_lut_build_options *options;
	struct pare_step *steps;
	struct grid *grids; /* [n_grids], sorted by key; parallel to lut->families */
	int n_grids;
	struct pare_samples *samples; /* [n_entries], families one after the other */
	int64_t n_entries;
	struct pare_pool *pool;
	struct pare_surroundings surroundings;
	size_t working_set; /* bytes that the whole network touches */
};

/* ---- grids ---- */

/* The grid of this key, a new one if there is none; there is room for one a step. */
static struct grid *grid_of(struct build *build, const char *key)
{
	int at = 0;
	while (at < build->n_grids && strcmp(build->grids[at].key, key) < 0)
		at++;
	struct grid *grid = &build->grids[at];
	if (at < build->n_grids && strcmp(grid->key, key) == 0)
		return grid;
	memmove(grid + 1, grid, (size_t)(build->n_grids - at) * sizeof(*grid));
	*grid = (struct grid){0};
	memcpy(grid->key, key, PARE_LUT_FAMILY_SIZE);
	build->n_grids++;
	return grid;
}

/* Layers of one family share its grid: the union of their widths. */
static int add_step(struct build *build, const struct pare_step *step, struct pare_strbuf *scratch,
                    struct pare_error *error)
{
	const struct pare_node *node = &build->graph->nodes[step->node];
	struct pare_lut_key key;
	int status;

	if (pare_lut_is_free(build->graph, step))
		return PARE_OK;
	status = pare_lut_key_make(&key, build->graph, step, PARE_LUT_SPELLING_USUAL, scratch, error);
	if (status)
		return status;
	struct grid *grid = grid_of(build, key.family);
	grid->two_axes = key.in_channels > 0;
	if (key.out_channels > grid->example_channels) {
		grid->example = step;
		grid->example_channels = key.out_channels;
	}
	status = pare_widths_add(&grid->out, build->groups, node->output, build->options);
	if (!status && grid->two_axes)
		status = pare_widths_add(&grid->in, build->groups, node->inputs[0], build->options);
	return status ? pare_error_set(error, status, "out of memory") : PARE_OK;
}

static int find_grids(struct build *build, struct pare_error *error)
{
	struct pare_strbuf scratch;
	int count = pare_graph_steps(build->graph, &build->steps), status = count < 0 ? count : PARE_OK;
	if (status)
		return pare_error_set(error, status, "out of memory");
	build->grids = pare_calloc((size_t)count, sizeof(*build->grids));
	if (!build->grids)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	pare_strbuf_init(&scratch);
	for (int s = 0; s < count && !status; s++)
		status = add_step(build, &build->steps[s], &scratch, error);
	pare_strbuf_release(&scratch);
	return status;
}

static int make_family(struct pare_lut_family *family, const struct grid *grid)
{
	size_t n_in = grid->two_axes ? grid->in.count : 1;
	memcpy(family->key, grid->key, sizeof(family->key));
	family->capacity = n_in * grid->out.count;
	family->entries = pare_calloc(family->capacity, sizeof(*family->entries));
	if (!family->entries)
		return PARE_E_NOMEM;
	for (size_t i = 0; i < n_in; i++)
		for (size_t o = 0; o < grid->out.count; o++)
			family->entries[family->n_entries++] =
			        (struct pare_lut_entry){.in_channels = grid->two_axes ? (int32_t)grid->in.width[i] : 0,
			                                .out_channels = (int32_t)grid->out.width[o]};
	return PARE_OK;
}

static int make_families(struct build *build, struct pare_error *error)
{
	struct pare_lut *lut = build->lut;
	lut->families = pare_calloc((size_t)build->n_grids, sizeof(*lut->families));
	if (!lut->families)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	lut->capacity = (size_t)build->n_grids;
	for (lut->n_families = 0; lut->n_families < build->n_grids; lut->n_families++) {
		struct pare_lut_family *family = &lut->families[lut->n_families];
		if (make_family(family, &build->grids[lut->n_families]))
			return pare_error_set(error, PARE_E_NOMEM, "out of memory");
		build->n_entries += family->n_entries;
	}
	build->samples = pare_calloc((size_t)build->n_entries, sizeof(*build->samples));
	if (!build->samples)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	return PARE_OK;
}

/* ---- measuring ---- */

/* The other layers are assumed to be cut as much as this one is. */
static size_t surrounding_bytes(const struct build *build, const struct pare_lut_family *family,
                                const struct pare_lut_entry *entry)
{
	const struct pare_lut_entry *full = &family->entries[family->n_entries - 1];
	double share = (double)entry->out_channels / full->out_channels;
	if (full->in_channels)
		share *= (double)entry->in_channels / full->in_channels;
	return (size_t)(share * (double)build->working_set);
}

static int measure_entry(struct build *build, int f, const struct pare_lut_entry *entry, struct pare_samples *samples,
                         struct pare_error *error)
{
	const struct pare_lut_build_options *options = build->options;
	size_t bytes = surrounding_bytes(build, &build->lut->families[f], entry);
	struct pare_graph *graph;
	int first_node;
	int status = pare_step_graph(&graph, &first_node, build->groups->map, build->grids[f].example,
	                             entry->in_channels, entry->out_channels, error);
	if (!status)
		status = pare_measure_step(samples, graph, first_node, options->batch, &build->surroundings, bytes,
		                           options->max_ms / PASSES, error);
	pare_graph_free(graph);
	return status;
}

static int run_pass(struct build *build, int pass, struct pare_error *error)
{
	const struct pare_lut_build_options *options = build->options;
	int64_t done = 0;
	for (int f = 0; f < build->lut->n_families; f++) {
		const struct pare_lut_family *family = &build->lut->families[f];
		for (int e = 0; e < family->n_entries; e++, done++) {
			struct pare_samples *samples = &build->samples[done];
			int status = measure_entry(build, f, &family->entries[e], samples, error);
			if (status)
				return status;
			if (options->progress &&
			    options->progress(options->progress_context, pass * build->n_entries + done + 1,
			                      PASSES * build->n_entries))
				return pare_error_set(error, PARE_E_STOPPED,
				                      "stopped while measuring the latency table");
		}
	}
	return PARE_OK;
}

static int measure_all(struct build *build, struct pare_error *error)
{
	struct pare_lut *lut = build->lut;
	int status = PARE_OK;
	int64_t done = 0;
	for (int pass = 0; pass < PASSES && !status; pass++)
		status = run_pass(build, pass, error);
	for (int f = 0; f < lut->n_families && !status; f++)
		for (int e = 0; e < lut->families[f].n_entries; e++)
			pare_samples_summarise(&build->samples[done++], &lut->families[f].entries[e]);
	return status;
}

/* ---- the whole ---- */

static int check_options(const struct pare_lut_build_options *options, const struct pare_graph *graph,
                         const struct pare_groups *groups, struct pare_error *error)
{
	if (groups->graph != graph)
		return pare_error_set(error, PARE_E_INVALID, "the groups are not those of network '%s'", graph->name);
	if (options->batch < 1 || options->threads < 1 || options->step < 1 || options->points < 2)
		return pare_error_set(error, PARE_E_INVALID,
		                      "batch %" PRId64 ", %d threads, step %" PRId64
		                      ", %d points: at least 1, 1, 1 and 2 are allowed",
		                      options->batch, options->threads, options->step, options->points);
	if (!(options->min_ratio > 0.0 && options->min_ratio <= 1.0))
		return pare_error_set(error, PARE_E_INVALID, "smallest ratio %g: allowed is (0, 1]",
		                      options->min_ratio);
	if (!(options->max_ms > 0.0 && isfinite(options->max_ms)))
		return pare_error_set(error, PARE_E_INVALID, "%g ms an entry: must be above 0", options->max_ms);
	return PARE_OK;
}

static void describe_table(struct pare_lut *lut, const struct pare_lut_build_options *options)
{
	pare_machine_describe(&lut->machine);
	lut->batch = options->batch;
	lut->threads = options->threads;
	pare_clock_iso(lut->date, sizeof(lut->date));
	snprintf(lut->pare_version, sizeof(lut->pare_version), "%s", PARE_VERSION);
}

static void release(struct build *build)
{
	for (int64_t e = 0; build->samples && e < build->n_entries; e++)
		pare_samples_release(&build->samples[e]);
	for (int g = 0; g < build->n_grids; g++) {
		pare_widths_release(&build->grids[g].in);
		pare_widths_release(&build->grids[g].out);
	}
	free(build->samples);
	free(build->grids);
	free(build->steps);
	pare_surroundings_release(&build->surroundings);
	pare_pool_free(build->pool);
}

int pare_lut_build(struct pare_lut **lut, const struct pare_graph *graph, const struct pare_groups *groups,
                   const struct pare_lut_build_options *options, struct pare_error *error)
{
	struct build build = {.graph = graph, .groups = groups, .options = options};
	int status = check_options(options, graph, groups, error);

	*lut = NULL;
	if (status)
		return status;
	build.lut = pare_calloc(1, sizeof(*build.lut));
	build.pool = pare_pool_new(options->threads);
	if (!build.lut || !build.pool) {
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory, or %d threads cannot be started",
		                        options->threads);
		goto out;
	}
	describe_table(build.lut, options);
	status = find_grids(&build, error);
	if (!status)
		status = make_families(&build, error);
	if (!status)
		status = pare_working_set(graph, options->batch, build.pool, &build.working_set, error);
	if (!status && pare_surroundings_init(&build.surroundings, build.working_set, build.pool))
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (status)
		goto out;
	pare_log(options->log, PARE_LOG_INFO,
	         "latency table: %d families, %" PRId64 " entries, batch %" PRId64 ", %d threads",
	         build.lut->n_families, build.n_entries, options->batch, options->threads);
	status = measure_all(&build, error);
out:
	release(&build);
	if (status) {
		pare_lut_free(build.lut);
		return pare_error_prefix(error, status, "latency table");
	}
	*lut = build.lut;
	return PARE_OK;
}
