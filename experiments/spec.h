/*
 * The spec: a whole experiment as plain data, from YAML. Every key is known, every value in range, every default filled
 * in; relative paths are relative to the YAML file's folder. `pare validate` and configs/ show the keys.
 *
 * One table (spec_table.c) holds each key's name, kind, range, default and help; parsing, `--set`, canonical text and
 * manual come from it.
 *
 *     struct pare_diagnostics diagnostics;
 *     struct pare_spec spec;
 *     pare_diagnostics_init(&diagnostics);
 *     if (pare_spec_read(&spec, path, overrides, &diagnostics))
 *         pare_diagnostics_print(&diagnostics, ...);
 *     pare_spec_release(&spec);
 *     pare_diagnostics_release(&diagnostics);
 */
#ifndef PARE_EXPERIMENTS_SPEC_H
#define PARE_EXPERIMENTS_SPEC_H

#include "engine/base/hash.h"
#include "engine/compress/criterion.h"
#include "engine/data/dataset.h"
#include "engine/train/train.h"
#include "engine/zoo/zoo.h"
#include "evaluators/metrics.h"
#include "experiments/diagnostics.h"
#include "search/controller.h"

#define PARE_MAX_CONTROLLER_OPTIONS 32
#define PARE_MAX_BASELINES 4
#define PARE_MAX_CONSTRAINTS 8
#define PARE_MAX_IGNORED 32

/* train, fine_tune.short, fine_tune.long: all the same keys. */
struct pare_spec_train {
	int64_t batch;
	double epochs;
	int64_t steps; /* 0 = from epochs */
	struct pare_schedule_options
	        schedule; /* learning_rate, schedule: constant|cosine|step, warmup, milestones, gamma, ... */
	struct pare_sgd_options sgd;
	double label_smoothing;
	bool flip;
	int crop_padding;
};

/* constraints: {latency: 50%, macs: 50%, params: 200000}: a share of the baseline ("50%") or an absolute number ("3.5"
 * ms for latency). */
struct pare_spec_constraint {
	enum pare_metric metric; /* keys: latency (ms), macs, params, bytes, peak_memory (bytes) */
	double value;            /* share in (0, 1] if relative, else in the metric's unit */
	bool relative;
};

struct pare_spec_controller {
	const struct pare_controller_kind *kind;
	double values[PARE_MAX_CONTROLLER_OPTIONS]; /* parallel to kind->options, defaults filled in */
};

struct pare_spec {
	char *path;    /* the YAML file */
	char *name;    /* [a-z0-9_-]; default: the file's name without .yaml */
	uint64_t seed; /* default 1 */
	int threads;   /* of the pool; default: number of cores */

	/* model: {zoo: resnet8, width: 1.0} or {onnx: path}; neither when there is no model section (data only: no
	 * train, no search) */
	const struct pare_zoo_model *zoo; /* NULL if onnx */
	double width;
	char *onnx; /* path; NULL if zoo */

	/* data: {format: idx, path: ..., mean: [..], std: [..], search_images: 5000, train_images: 0, test_images: 0,
	 * ...} */
	struct pare_splits_options data;
	char *data_path;
	struct pare_normalization normalization;
	int n_mean, n_std; /* numbers given: 1 (for all channels) or one a channel */

	bool has_train; /* train: section given. A zoo model needs one; an ONNX model may have one (it is fine-tuned
	                   before the search) */
	struct pare_spec_train train;

	bool has_search; /* search: section given: otherwise only train, eval, model info make sense */
	struct pare_spec_constraint constraints[PARE_MAX_CONSTRAINTS];
	int n_constraints;

	/* latency: {batch: 16, threads: 1, table: auto | path, points: 7, max_ms: 40, foreign: false} */
	int64_t latency_batch;
	int latency_threads;
	char *latency_table; /* NULL = auto: built into the run directory */
	int latency_points;
	double latency_max_ms;
	bool latency_foreign;

	/* space: {criterion: l2, step: 1, min_ratio: 0.1, ignore: [globs of group names]} */
	const struct pare_criterion *criterion;
	int64_t step;
	double min_ratio;
	char *ignore[PARE_MAX_IGNORED];
	int n_ignore;
	bool check_slimming; /* prove that slim and masked agree before a candidate is scored */

	/* search: {controller: netadapt, netadapt: {options}, baselines: [uniform], finalists: 1} */
	struct pare_spec_controller controller;
	struct pare_spec_controller baselines[PARE_MAX_BASELINES];
	int n_baselines;
	int finalists; /* of each controller: how many are fine-tuned long */

	/* fine_tune: {short: {...}, long: {...}} */
	struct pare_spec_train fine_tune_short, fine_tune_long;
};

/* "key.subkey=value" overrides (--set), applied after the file; "key=null" takes a key or section out. NULL-terminated
 * or NULL. Everything wrong goes to `diagnostics`; 0 only when there is nothing, else PARE_E_INVALID or PARE_E_NOMEM.
 * The spec is filled with defaults either way and must be released. */
int pare_spec_read(struct pare_spec *spec, const char *path, const char *const *overrides,
                   struct pare_diagnostics *diagnostics);
/* The same for a text at hand (a study's own record of its spec); `path` is where it would stand as a file. */
int pare_spec_parse(struct pare_spec *spec, const char *text, const char *path, const char *const *overrides,
                    struct pare_diagnostics *diagnostics);
void pare_spec_release(struct pare_spec *spec);

/* The effective configuration as YAML: every key, defaults included, paths absolute; reading it gives the same spec. */
int pare_spec_text(const struct pare_spec *spec, struct pare_strbuf *text);
/* Hash of what decides a study's numbers: the text without name and threads. */
int pare_spec_hash(const struct pare_spec *spec, char text[PARE_HASH_TEXT_SIZE]);

/* Every key with what is allowed, its default and what it means, as plain text; then every controller's options. */
int pare_spec_manual(struct pare_strbuf *text);

#endif
