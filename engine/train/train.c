#include "engine/train/train.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/graph/exec.h"
#include "engine/train/loss.h"
#include "engine/train/sgd.h"

/* Far beyond any training, and its steps still fit into 64 bits. */
#define MOST_EPOCHS 1e9

/* One training run. */
struct run {
	struct pare_graph *graph;
	const struct pare_split *split;
	const struct pare_train_options *options;
	struct pare_exec *exec;
	struct pare_sgd sgd;
	int32_t *order, *labels;
	struct pare_train_progress progress;
	int64_t steps_an_epoch;
	struct pare_loss this_epoch; /* so far */
};

static int check(const struct pare_graph *graph, const struct pare_split *split,
                 const struct pare_train_options *options, struct pare_error *error)
{
	const struct pare_shape *input = &graph->values[graph->input].shape,
	                        *output = &graph->values[graph->output].shape;
	const struct pare_dataset *data = split->dataset;
	struct pare_shape wanted = pare_shape_chw(data->channels, data->height, data->width);
	char a[64], b[64];

	if (options->batch < 1 || options->batch > split->images)
		return pare_error_set(error, PARE_E_INVALID, "a batch of %lld images from a training split of %lld",
		                      (long long)options->batch, (long long)split->images);
	if (options->steps <= 0 && !(options->epochs >= 0.0 && options->epochs <= MOST_EPOCHS))
		return pare_error_set(error, PARE_E_INVALID, "%g epochs: 0 to %g are allowed", options->epochs,
		                      MOST_EPOCHS);
	if (!pare_shape_equal(input, &wanted))
		return pare_error_set(error, PARE_E_INVALID, "the network takes %s images, the data set has %s",
		                      pare_shape_text(input, a, sizeof a), pare_shape_text(&wanted, b, sizeof b));
	if (output->rank != 1 || output->dim[0] < data->classes)
		return pare_error_set(error, PARE_E_INVALID, "the network's output is %s, the data set has %d classes",
		                      pare_shape_text(output, a, sizeof a), data->classes);
	return PARE_OK;
}

static int start(struct run *run, struct pare_error *error)
{
	const struct pare_train_options *o = run->options;
	struct pare_exec_options exec = {.images = o->batch, .training = true, .pool = o->pool};
	int status = pare_exec_new(&run->exec, run->graph, &exec, error);

	if (status)
		return status;
	run->order = pare_calloc((size_t)run->split->images, sizeof *run->order);
	run->labels = pare_calloc((size_t)o->batch, sizeof *run->labels);
	if (!run->order || !run->labels || pare_sgd_init(&run->sgd, run->graph, &o->sgd))
		return pare_error_set(error, PARE_E_NOMEM, "out of memory for training");
	run->steps_an_epoch = run->split->images / o->batch;
	double steps = o->steps > 0 ? (double)o->steps : o->epochs * (double)run->steps_an_epoch;
	run->progress.steps = (int64_t)ceil(steps);
	run->progress.epochs = (run->progress.steps + run->steps_an_epoch - 1) / run->steps_an_epoch;
	return PARE_OK;
}

static void finish(struct run *run)
{
	pare_exec_free(run->exec);
	pare_sgd_release(&run->sgd);
	free(run->order);
	free(run->labels);
}

/* Each worker fills one block of the batch. */
struct filler {
	struct run *run;
	struct pare_tensor input;
	int64_t first, position;
	struct pare_augment augment;
};

static void fill_block(void *context, int64_t block, int worker)
{
	struct filler *f = context;
	int64_t first = block * f->input.lanes;
	struct pare_tensor part = f->input;
	(void)worker;
	part.data += block * pare_tensor_block_size(&f->input);
	part.images = f->input.images - first < part.lanes ? f->input.images - first : part.lanes;
	pare_batch_fill(f->run->split, f->run->order, f->first + first, &f->run->options->normalization, &f->augment,
	                (uint64_t)(f->position + first), &part, f->run->labels + first);
}

static void fill_batch(struct run *run, int64_t step)
{
	const struct pare_train_options *o = run->options;
	struct filler f = {.run = run,
	                   .input = pare_exec_input(run->exec),
	                   .first = step % run->steps_an_epoch * o->batch,
	                   .position = step * o->batch,
	                   .augment = {.flip = o->flip, .crop_padding = o->crop_padding, .seed = o->seed}};
	pare_pool_for(o->pool, pare_tensor_blocks(&f.input), fill_block, &f);
}

static int train_step(struct run *run, int64_t step, struct pare_error *error)
{
	const struct pare_train_options *o = run->options;
	double rate = pare_schedule_rate(&o->schedule, step, run->progress.steps);

	if (step % run->steps_an_epoch == 0) {
		run->this_epoch = (struct pare_loss){0};
		pare_epoch_order(o->seed, (uint64_t)(step / run->steps_an_epoch), run->order, run->split->images);
	}
	fill_batch(run, step);
	pare_exec_forward(run->exec);
	struct pare_tensor logits = pare_exec_output(run->exec), gradient = pare_exec_output_gradient(run->exec);
	struct pare_loss loss = pare_cross_entropy(&logits, run->labels, o->label_smoothing, &gradient);
	if (!isfinite(loss.sum))
		return pare_error_set(error, PARE_E_DIVERGED,
		                      "the loss became %g at step %lld of %lld (learning rate %g)", loss.sum,
		                      (long long)step + 1, (long long)run->progress.steps, rate);
	pare_exec_backward(run->exec);
	pare_sgd_step(&run->sgd, run->exec, rate);
	run->this_epoch.sum += loss.sum;
	run->this_epoch.correct += loss.correct;
	run->progress.learning_rate = rate;
	return PARE_OK;
}

static int report(struct run *run, int64_t done, struct pare_error *error)
{
	const struct pare_train_options *o = run->options;
	struct pare_train_progress *p = &run->progress;

	p->step = done;
	p->epoch = (done - 1) / run->steps_an_epoch;
	p->epoch_end = done % run->steps_an_epoch == 0 || done == p->steps;
	if (!o->progress || (!p->epoch_end && (o->report_steps <= 0 || done % o->report_steps)))
		return PARE_OK;
	int64_t images = (done - p->epoch * run->steps_an_epoch) * o->batch;
	p->loss = run->this_epoch.sum / (double)images;
	p->accuracy = (double)run->this_epoch.correct / (double)images;
	if (o->progress(o->progress_context, p))
		return pare_error_set(error, PARE_E_STOPPED, "stopped at step %lld of %lld", (long long)done,
		                      (long long)p->steps);
	return PARE_OK;
}

int pare_train(struct pare_graph *graph, const struct pare_split *split, const struct pare_train_options *options,
               struct pare_error *error)
{
	struct run run = {.graph = graph, .split = split, .options = options};
	int status = check(graph, split, options, error);

	if (status)
		return status;
	status = start(&run, error);
	for (int64_t step = 0; !status && step < run.progress.steps; step++) {
		status = train_step(&run, step, error);
		if (!status)
			status = report(&run, step + 1, error);
	}
	finish(&run);
	return status;
}
