/* pare eval: accuracy and loss of a network on the data of a configuration. */
#include <inttypes.h>
#include <string.h>

#include "engine/compress/fold.h"
#include "engine/train/evaluate.h"
#include "experiments/cli.h"
#include "experiments/study.h"

static int load(const struct pare_spec *spec, bool search, struct pare_splits *splits, struct pare_error *error)
{
	int status = pare_spec_load_data(spec, !search, splits, error);

	if (!status && search && splits->search.images == 0) {
		pare_splits_release(splits);
		status = pare_error_set(error, PARE_E_INVALID, "the search split is empty: data.search_images is 0");
	}
	return status;
}

static int evaluate(const struct pare_cli *cli, const struct pare_spec *spec, struct pare_evaluation *result,
                    struct pare_error *error)
{
	bool search = strcmp(pare_cli_value(cli, "split"), "search") == 0;
	struct pare_graph *graph = NULL, *folded = NULL;
	struct pare_splits splits = {0};
	struct pare_pool *pool = pare_pool_new(spec->threads);
	int status = pool ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "cannot start %d threads", spec->threads);

	if (!status)
		status = pare_cli_model(cli->operands[0], &graph, error);
	if (!status && !(folded = pare_fold_batch_norm(graph, error)))
		status = PARE_E_NOMEM;
	if (!status)
		status = load(spec, search, &splits, error);
	if (!status && (status = pare_evaluate(folded, search ? &splits.search : &splits.test, &spec->normalization,
	                                       pool, result, error)))
		pare_cli_blame(cli->operands[0], error);
	pare_splits_release(&splits);
	pare_graph_free(folded);
	pare_graph_free(graph);
	pare_pool_free(pool);
	return status;
}

static int print(const struct pare_cli *cli, const struct pare_evaluation *result)
{
	struct pare_strbuf text;

	if (pare_cli_given(cli, "json"))
		return pare_cli_print_json(
		        cli, json_pack("{s:s, s:I, s:I, s:o, s:o}", "split", pare_cli_value(cli, "split"), "correct",
		                       (json_int_t)result->correct, "total", (json_int_t)result->total, "accuracy",
		                       pare_json_number(result->accuracy, false), "loss",
		                       pare_json_number(result->loss, false)));
	pare_strbuf_init(&text);
	pare_strbuf_printf(&text, "%s split: %" PRId64 " of %" PRId64 " correct, accuracy %.2f %%, loss %.6f\n",
	                   pare_cli_value(cli, "split"), result->correct, result->total, 100.0 * result->accuracy,
	                   result->loss);
	return pare_cli_print(cli, &text);
}

static int run(const struct pare_cli *cli)
{
	struct pare_error error = {0};
	struct pare_evaluation result;
	struct pare_spec spec;
	int code = pare_cli_spec(cli, pare_cli_value(cli, "config"), &spec);

	if (!code)
		code = evaluate(cli, &spec, &result, &error) ? pare_cli_fail(cli, &error) : print(cli, &result);
	pare_spec_release(&spec);
	return code;
}

static const char *const splits[] = {"test", "search", NULL};

static const struct pare_cli_option options[] = {
        {.name = "config",
         .letter = 'c',
         .argument = "CONFIG",
         .required = true,
         .help = "only its data section counts"},
        {.name = "split", .argument = "SPLIT", .choices = splits, .help = "which images"},
        PARE_OPTION_SET,
        PARE_OPTION_JSON,
        {0},
};

const struct pare_command pare_command_eval = {
        .name = "eval",
        .operands = "MODEL",
        .n_operands = 1,
        .help = "tells accuracy and loss of an ONNX network",
        .details = "Batch norm is folded first, as it is for whatever pare exports.\n"
                   "\n"
                   "Example:\n"
                   "  pare eval small.onnx --config configs/demo.yaml --json\n",
        .options = options,
        .run = run,
};
