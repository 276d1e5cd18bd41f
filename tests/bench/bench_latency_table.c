/*
 * How well a latency table predicts: builds one for a reference network, then compares the predicted with the measured
 * time of random slim networks.
 *
 *     bench_latency_table MODEL BATCH THREADS [NETWORKS [MAX_MS [POINTS [STEP]]]]
 *     bench_latency_table resnet20 16 1 30 20 8 8
 *
 * Prints one line a network and the mean absolute percentage error, the worst one, and Spearman's rank correlation,
 * which is what a search lives on. Alone on the machine, please; where that cannot be had, the second summary tells
 * more: with one thread, networks are also timed by the CPU time they take, which leaves out that others had the core.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/compress/fold.h"
#include "engine/compress/slim.h"
#include "engine/zoo/zoo.h"
#include "latency_lut/lut.h"
#include "latency_lut/timing.h"

#define MIN_RATIO 0.25
#define SEED 1
#define NETWORK_MS 300.0

struct setting {
	const char *model;
	int64_t batch, step;
	int threads, networks, points;
	double max_ms;
};

struct pair {
	double predicted, measured;
	double cpu; /* by CPU time; 0 with several threads */
};

static void fail(const struct pare_error *error)
{
	fprintf(stderr, "bench_latency_table: %s\n", error->text);
	exit(1);
}

static struct pare_graph *build_folded(const char *name)
{
	const struct pare_zoo_model *model = pare_zoo_find(name);
	bool grey = strcmp(name, "lenet") == 0 || strcmp(name, "vgg_small") == 0;
	struct pare_zoo_options options = {.input = grey ? pare_shape_chw(1, 28, 28) : pare_shape_chw(3, 32, 32),
	                                   .classes = 10,
	                                   .width = 1.0,
	                                   .seed = SEED};
	struct pare_error error = {0};
	struct pare_graph *graph = NULL, *folded;

	if (!model) {
		fprintf(stderr, "bench_latency_table: no model \"%s\"\n", name);
		exit(1);
	}
	if (model->build(&options, &graph, &error))
		fail(&error);
	folded = pare_fold_batch_norm(graph, &error);
	if (!folded)
		fail(&error);
	pare_graph_free(graph);
	return folded;
}

/* Ratios around a common one, so that small and large networks come up. */
static void draw_plan(struct pare_plan *plan, const struct pare_groups *groups, int64_t step, int network)
{
	struct pare_rng rng = pare_rng_make(SEED, PARE_STREAM_TEST, (uint64_t)network);
	double common = MIN_RATIO + (1.0 - MIN_RATIO) * pare_rng_uniform_double(&rng);
	for (int g = 0; g < groups->n_groups; g++) {
		double ratio = common + 0.5 * (pare_rng_uniform_double(&rng) - 0.5);
		ratio = fmax(MIN_RATIO, fmin(1.0, ratio));
		if (!groups->group[g].frozen)
			plan->kept[g] = pare_plan_round(groups->group[g].channels, ratio, step);
	}
}

/* Median CPU time of one run, in milliseconds. */
static double measure_cpu(const struct pare_graph *graph, int64_t batch)
{
	struct pare_exec_options options = {.images = batch};
	struct pare_samples samples = {0};
	struct pare_error error = {0};
	struct pare_exec *exec;
	double end = pare_clock_cpu_s() + NETWORK_MS / 1e3, start = 0.0, now = 0.0;

	if (pare_exec_new(&exec, graph, &options, &error))
		fail(&error);
	for (int run = 0; run < 8 || now < end; run++) {
		start = pare_clock_cpu_s();
		pare_exec_forward(exec);
		now = pare_clock_cpu_s();
		if (run >= 3 && pare_samples_add(&samples, 1e3 * (now - start)))
			exit(1);
	}
	double median = pare_samples_quantile(&samples, 0.5);
	pare_samples_release(&samples);
	pare_exec_free(exec);
	return median;
}

static struct pair compare(const struct pare_lut *lut, const struct pare_graph *graph)
{
	struct pare_error error = {0};
	struct pare_lut_entry entry;
	struct pair pair;

	if (pare_lut_predict(lut, graph, &pair.predicted, &error) ||
	    pare_lut_measure(graph, lut->batch, lut->threads, NETWORK_MS, &entry, &error))
		fail(&error);
	pair.measured = entry.median_ms;
	pair.cpu = lut->threads == 1 ? measure_cpu(graph, lut->batch) : 0.0;
	printf("  predicted %9.4f ms  measured %9.4f ms (p10 %.4f, p90 %.4f, n %d)  %+6.1f %%", pair.predicted,
	       pair.measured, entry.p10_ms, entry.p90_ms, entry.count, 100.0 * (pair.predicted / pair.measured - 1.0));
	if (pair.cpu > 0.0)
		printf("  cpu %9.4f ms  %+6.1f %%", pair.cpu, 100.0 * (pair.predicted / pair.cpu - 1.0));
	printf("\n");
	fflush(stdout);
	return pair;
}

static double rank_of(const struct pair *pairs, int n, int i, bool predicted)
{
	double rank = 0.0, own = predicted ? pairs[i].predicted : pairs[i].measured;
	for (int k = 0; k < n; k++) {
		double other = predicted ? pairs[k].predicted : pairs[k].measured;
		rank += other < own ? 1.0 : other == own ? 0.5 : 0.0;
	}
	return rank;
}

static double spearman(const struct pair *pairs, int n)
{
	double mean = n / 2.0, products = 0.0, squares_a = 0.0, squares_b = 0.0;
	for (int i = 0; i < n; i++) {
		double a = rank_of(pairs, n, i, true) - mean, b = rank_of(pairs, n, i, false) - mean;
		products += a * b;
		squares_a += a * a;
		squares_b += b * b;
	}
	return products / sqrt(squares_a * squares_b);
}

static void report(const struct setting *setting, const char *what, const struct pair *pairs, int n)
{
	double sum = 0.0, worst = 0.0, bias = 0.0;
	for (int i = 0; i < n; i++) {
		double relative = pairs[i].predicted / pairs[i].measured - 1.0;
		sum += fabs(relative);
		bias += relative;
		worst = fabs(relative) > fabs(worst) ? relative : worst;
	}
	printf("%s batch %" PRId64
	       " threads %d, %s: MAPE %.1f %%  bias %+.1f %%  worst %+.1f %%  Spearman %.4f  (%d networks)\n",
	       setting->model, setting->batch, setting->threads, what, 100.0 * sum / n, 100.0 * bias / n, 100.0 * worst,
	       spearman(pairs, n), n);
}

static struct pare_lut *build_table(const struct setting *setting, const struct pare_graph *graph,
                                    const struct pare_groups *groups)
{
	struct pare_lut_build_options options = {.batch = setting->batch,
	                                         .threads = setting->threads,
	                                         .step = setting->step,
	                                         .points = setting->points,
	                                         .min_ratio = MIN_RATIO,
	                                         .max_ms = setting->max_ms};
	struct pare_error error = {0};
	struct pare_lut *lut;
	double start = pare_clock_ms();
	int64_t entries = 0;

	if (pare_lut_build(&lut, graph, groups, &options, &error))
		fail(&error);
	for (int f = 0; f < lut->n_families; f++)
		entries += lut->families[f].n_entries;
	printf("%d families, %" PRId64 " entries, built in %.1f s\n", lut->n_families, entries,
	       (pare_clock_ms() - start) / 1e3);
	return lut;
}

static void run(const struct setting *setting)
{
	struct pare_graph *graph = build_folded(setting->model);
	struct pair *pairs = pare_calloc((size_t)setting->networks, sizeof(*pairs));
	struct pare_error error = {0};
	struct pare_groups groups;
	struct pare_plan plan;

	if (!pairs || pare_groups_init(&groups, graph, &error) || pare_plan_init(&plan, &groups))
		fail(&error);
	struct pare_lut *lut = build_table(setting, graph, &groups);
	printf("uncut:\n");
	compare(lut, graph);
	printf("slim:\n");
	for (int n = 0; n < setting->networks; n++) {
		struct pare_graph *slim;
		draw_plan(&plan, &groups, setting->step, n);
		if (pare_slim(&groups, &plan, &pare_criterion_l2, &slim, &error))
			fail(&error);
		pairs[n] = compare(lut, slim);
		pare_graph_free(slim);
	}
	report(setting, "wall clock", pairs, setting->networks);
	for (int n = 0; n < setting->networks; n++)
		pairs[n].measured = pairs[n].cpu;
	if (setting->threads == 1)
		report(setting, "CPU time", pairs, setting->networks);
	pare_lut_free(lut);
	pare_plan_release(&plan);
	pare_groups_release(&groups);
	pare_graph_free(graph);
	free(pairs);
}

int main(int argc, char **argv)
{
	struct setting setting = {.networks = 20, .max_ms = 20.0, .points = 8, .step = 8};
	if (argc < 4) {
		fprintf(stderr, "usage: bench_latency_table MODEL BATCH THREADS [NETWORKS [MAX_MS [POINTS [STEP]]]]\n");
		return 2;
	}
	setting.model = argv[1];
	setting.batch = atoll(argv[2]);
	setting.threads = atoi(argv[3]);
	setting.networks = argc > 4 ? atoi(argv[4]) : setting.networks;
	setting.max_ms = argc > 5 ? atof(argv[5]) : setting.max_ms;
	setting.points = argc > 6 ? atoi(argv[6]) : setting.points;
	setting.step = argc > 7 ? atoll(argv[7]) : setting.step;
	run(&setting);
	return 0;
}
