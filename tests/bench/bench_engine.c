/*
 * The time of one training step or one inference of a reference network: pare's side of bench_train.py.
 *
 *     bench_engine MODEL CxHxW train|infer BATCH THREADS [KERNELS]
 *     echo "1 1 1 1 1" | bench_engine resnet20 3x32x32 train 128 2
 *
 * Writes the number of trained parameters and the multiply-accumulates of one image, then, for every number N read from
 * the standard input, the mean milliseconds of N runs. So another program can take turns with it. KERNELS ("avx512",
 * "avx2", "portable") overrides the choice by CPU.
 *
 * A training step is forward, cross-entropy, backward and SGD with momentum and weight decay on a batch that is already
 * there. Inference is with batch norm folded; from 32 images on, blocks of 16 go through the whole network on one
 * thread each, as engine/train/evaluate.h does it, and smaller batches are one run whose operators are spread over the
 * threads.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/rng.h"
#include "engine/compress/fold.h"
#include "engine/graph/exec.h"
#include "engine/math/lane_kernels.h"
#include "engine/train/loss.h"
#include "engine/train/sgd.h"
#include "engine/zoo/zoo.h"

#define SEED 1
#define CLASSES 10
#define LEARNING_RATE 0.01
#define MAX_THREADS 64

struct bench {
	struct pare_graph *graph;
	struct pare_pool *pool;
	bool training;
	int64_t batch;
	int32_t *labels;                     /* [batch] */
	struct pare_exec *exec;              /* training, small batches */
	struct pare_exec *each[MAX_THREADS]; /* large batches: one a worker */
	struct pare_sgd sgd;
};

static void fail(const char *text)
{
	fprintf(stderr, "bench_engine: %s\n", text);
	exit(1);
}

static struct pare_graph *build(const char *name, const char *shape, bool training)
{
	const struct pare_zoo_model *model = pare_zoo_find(name);
	struct pare_zoo_options options = {.classes = CLASSES, .width = 1.0, .seed = SEED};
	struct pare_error error = {0};
	struct pare_graph *graph = NULL;
	int channels, height, width;

	if (!model)
		fail("no such model");
	if (sscanf(shape, "%dx%dx%d", &channels, &height, &width) != 3)
		fail("the shape is written like 3x32x32");
	options.input = pare_shape_chw(channels, height, width);
	if (model->build(&options, &graph, &error))
		fail(error.text);
	printf("%" PRId64 " %" PRId64 "\n", pare_graph_parameters(graph), pare_graph_macs(graph));
	if (training)
		return graph;
	struct pare_graph *folded = pare_fold_batch_norm(graph, &error);
	if (!folded)
		fail(error.text);
	pare_graph_free(graph);
	return folded;
}

static struct pare_exec *open_exec(const struct bench *b, int64_t images, struct pare_pool *pool)
{
	struct pare_exec_options options = {.images = images, .training = b->training, .pool = pool};
	struct pare_rng rng = pare_rng_make(SEED, PARE_STREAM_TEST, 0);
	struct pare_error error = {0};
	struct pare_exec *exec;

	if (pare_exec_new(&exec, b->graph, &options, &error))
		fail(error.text);
	struct pare_tensor input = pare_exec_input(exec);
	for (int64_t i = 0; i < images; i++)
		for (int64_t e = 0; e < pare_shape_elements(&input.shape); e++)
			*pare_tensor_at(&input, i, e) = (float)pare_rng_normal(&rng);
	return exec;
}

static bool in_blocks(const struct bench *b)
{
	return !b->training && b->batch >= 2 * PARE_LANES;
}

static void open_bench(struct bench *b)
{
	const struct pare_sgd_options sgd = {.momentum = 0.9, .weight_decay = 1e-4};

	b->labels = calloc((size_t)b->batch, sizeof(*b->labels));
	if (!b->labels)
		fail("out of memory");
	for (int64_t i = 0; i < b->batch; i++)
		b->labels[i] = (int32_t)(i % CLASSES);
	if (!in_blocks(b))
		b->exec = open_exec(b, b->batch, b->pool);
	for (int t = 0; in_blocks(b) && t < pare_pool_threads(b->pool); t++)
		b->each[t] = open_exec(b, PARE_LANES, NULL);
	if (b->training && pare_sgd_init(&b->sgd, b->graph, &sgd))
		fail("out of memory");
}

static void close_bench(struct bench *b)
{
	pare_exec_free(b->exec);
	for (int t = 0; t < MAX_THREADS; t++)
		pare_exec_free(b->each[t]);
	if (b->training)
		pare_sgd_release(&b->sgd);
	free(b->labels);
	pare_pool_free(b->pool);
	pare_graph_free(b->graph);
}

static void run_block(void *context, int64_t block, int worker)
{
	struct bench *b = context;
	int64_t left = b->batch - block * PARE_LANES;
	pare_exec_set_images(b->each[worker], left < PARE_LANES ? left : PARE_LANES);
	pare_exec_forward(b->each[worker]);
}

static void run_once(struct bench *b)
{
	if (in_blocks(b)) {
		pare_pool_for(b->pool, (b->batch + PARE_LANES - 1) / PARE_LANES, run_block, b);
		return;
	}
	pare_exec_forward(b->exec);
	if (!b->training)
		return;
	struct pare_tensor logits = pare_exec_output(b->exec), gradient = pare_exec_output_gradient(b->exec);
	pare_cross_entropy(&logits, b->labels, 0.0, &gradient);
	pare_exec_backward(b->exec);
	pare_sgd_step(&b->sgd, b->exec, LEARNING_RATE);
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	int threads = argc > 5 ? atoi(argv[5]) : 0, runs;

	if (argc < 6 || (strcmp(argv[3], "train") != 0 && strcmp(argv[3], "infer") != 0))
		fail("MODEL CxHxW train|infer BATCH THREADS [KERNELS]");
	b.training = strcmp(argv[3], "train") == 0;
	b.batch = atoll(argv[4]);
	if (b.batch < 1 || threads < 1 || threads > MAX_THREADS)
		fail("the batch must be at least 1, threads between 1 and 64");
	if (argc > 6 && !pare_lane_kernels_force(argv[6]))
		fail("no such kernels on this CPU");
	b.graph = build(argv[1], argv[2], b.training);
	b.pool = pare_pool_new(threads);
	if (!b.pool)
		fail("no threads");
	open_bench(&b);
	fflush(stdout);
	while (scanf("%d", &runs) == 1 && runs > 0) {
		double start = pare_clock_ms();
		for (int i = 0; i < runs; i++)
			run_once(&b);
		printf("%.6f\n", (pare_clock_ms() - start) / runs);
		fflush(stdout);
	}
	close_bench(&b);
	return 0;
}
