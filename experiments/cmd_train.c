/* pare train: the network of a configuration, trained and written as ONNX. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/rng.h"
#include "engine/compress/fold.h"
#include "engine/io/onnx.h"
#include "engine/train/evaluate.h"
#include "experiments/cmd_watch.h"

struct job {
	const struct pare_cli *cli;
	const struct pare_spec *spec;
	const char *path;
	struct pare_pool *pool;
	struct pare_splits splits;
	struct pare_graph *graph, *folded;
};

static void release(struct job *job)
{
	pare_splits_release(&job->splits);
	pare_graph_free(job->graph);
	pare_graph_free(job->folded);
	pare_pool_free(job->pool);
}

/* A network that does not fit the data. */
static void blame_model(const struct job *job, int status, struct pare_error *error)
{
	if (status == PARE_E_INVALID && job->spec->onnx)
		pare_cli_blame(job->spec->onnx, error);
}

static int train(struct job *job, struct pare_error *error)
{
	/* Seeded like a study's baseline, so that both train the same network. */
	uint64_t seed = pare_rng_derive(job->spec->seed, PARE_STREAM_TRAIN, 0);
	struct pare_train_options options;
	struct pare_watch watch;
	int status = pare_spec_network(job->spec, &job->splits.train_part, &job->graph, error);

	if (status) {
		blame_model(job, status, error);
		return status;
	}
	options = pare_spec_train_options(job->spec, &job->spec->train, seed, job->pool);
	options.progress = pare_watch_training;
	options.progress_context = &watch;
	options.report_steps = 10;
	pare_watch_begin(&watch, pare_cli_given(job->cli, "quiet"), NULL);
	pare_watch_phase(&watch, "training", job->graph->name);
	status = pare_train(job->graph, &job->splits.train, &options, error);
	blame_model(job, status, error);
	pare_watch_end(&watch);
	return status;
}

static int add_accuracy(struct job *job, const char *name, const struct pare_split *split, struct pare_strbuf *text,
                        struct pare_error *error)
{
	struct pare_evaluation result;
	int status;

	if (split->images == 0)
		return PARE_OK;
	status = pare_evaluate(job->folded, split, &job->spec->normalization, job->pool, &result, error);
	if (!status)
		pare_strbuf_printf(text, "%s accuracy %.2f %% (%" PRId64 " of %" PRId64 "), loss %.4f\n", name,
		                   100.0 * result.accuracy, result.correct, result.total, result.loss);
	return status;
}

static int work(struct job *job, struct pare_strbuf *text, struct pare_error *error)
{
	int status = pare_cli_check_output(job->cli, job->path, error);

	if (!status)
		status = pare_spec_load_data(job->spec, false, &job->splits, error);
	if (!status && !(job->pool = pare_pool_new(job->spec->threads)))
		status = pare_error_set(error, PARE_E_NOMEM, "cannot start %d threads", job->spec->threads);
	if (!status)
		status = train(job, error);
	if (!status && !(job->folded = pare_fold_batch_norm(job->graph, error)))
		status = PARE_E_NOMEM;
	if (!status)
		status = add_accuracy(job, "search", &job->splits.search, text, error);
	if (!status)
		status = add_accuracy(job, "test", &job->splits.test, text, error);
	if (!status) /* as it was trained, batch norm kept: a study can start from this file */
		status = pare_onnx_write(job->graph, job->path, NULL, 0, error);
	if (!status)
		pare_strbuf_printf(text, "written to %s\n", job->path);
	return status;
}

static int run(const struct pare_cli *cli)
{
	const char *given = pare_cli_value(cli, "output");
	struct pare_error error = {0};
	struct pare_strbuf text;
	struct pare_spec spec;
	struct job job = {.cli = cli, .spec = &spec};
	char path[300];
	int code = pare_cli_spec(cli, cli->operands[0], &spec);

	pare_strbuf_init(&text);
	if (!code && (!spec.has_train || (!spec.zoo && !spec.onnx)))
		code = pare_cli_refuse(cli, "%s needs a model and a train section", cli->operands[0]);
	if (code)
		goto out;
	snprintf(path, sizeof(path), "%s.onnx", spec.name);
	job.path = given ? given : path;
	if (work(&job, &text, &error)) {
		code = pare_cli_fail(cli, &error);
		if (error.code == PARE_E_DIVERGED)
			pare_cli_hint("a smaller train.learning_rate or a longer train.warmup usually helps");
	} else {
		code = pare_cli_print(cli, &text);
	}
out:
	release(&job);
	pare_strbuf_release(&text);
	pare_spec_release(&spec);
	return code;
}

static const struct pare_cli_option options[] = {
        {.name = "output", .letter = 'o', .argument = "FILE", .help = "the ONNX file; default: NAME.onnx"},
        PARE_OPTION_FORCE,
        PARE_OPTION_SET,
        {.name = "quiet", .letter = 'q', .help = "no progress"},
        {0},
};

const struct pare_command pare_command_train = {
        .name = "train",
        .operands = "CONFIG",
        .n_operands = 1,
        .help = "trains the network of a configuration and writes it as ONNX",
        .details = "Trains on the train split, then tells the accuracy on the search split and on the test split. The "
                   "file\n"
                   "keeps batch norm, so that `model: {onnx: FILE}` of another configuration can start from it.\n"
                   "\n"
                   "Example:\n"
                   "  pare train configs/demo.yaml -o demo.onnx --set train.epochs=2\n",
        .options = options,
        .run = run,
};
