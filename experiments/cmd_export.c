/* pare export: a network of a study as an ONNX file. */
#include <stdlib.h>

#include "engine/base/file.h"
#include "experiments/cli.h"
#include "experiments/export.h"
#include "experiments/study_view.h"

static int export(const struct pare_cli *cli, struct pare_error *error)
{
	const char *directory = cli->operands[0], *path = pare_cli_value(cli, "output");
	struct pare_export_options options = {.trial = pare_cli_value(cli, "trial"),
	                                      .keep_batch_norm = pare_cli_given(cli, "keep-batch-norm")};
	struct pare_store *store = NULL;
	char *store_path = pare_path_join(directory, "study.db");
	int status = store_path ? pare_cli_check_output(cli, path, error)
	                        : pare_error_set(error, PARE_E_NOMEM, "out of memory");

	if (!status)
		status = pare_store_open(&store, store_path, PARE_STORE_READ, error);
	if (!status)
		status = pare_export(store, directory, &options, path, error);
	pare_store_close(store);
	free(store_path);
	return status;
}

static int run(const struct pare_cli *cli)
{
	const char *directory = cli->operands[0];
	struct pare_error error = {0};
	struct pare_study_view view;
	struct pare_strbuf text;
	int64_t trial;
	int status = pare_study_view_read(&view, directory, &error);

	if (!status) { /* what is asked for, before anything is opened for it */
		status = pare_study_view_trial(&view, pare_cli_value(cli, "trial"), &trial, &error);
		pare_study_view_release(&view);
	}
	if (!status)
		status = export(cli, &error);
	if (status) {
		int code = pare_cli_fail(cli, &error);
		if (status == PARE_E_NOT_FOUND && !error.file[0])
			pare_cli_hint(
			        "`pare trials %s --format csv` tells which trials there are and whose weights are kept",
			        directory);
		return code;
	}
	pare_strbuf_init(&text);
	pare_strbuf_printf(&text, "written to %s\n", pare_cli_value(cli, "output"));
	return pare_cli_print(cli, &text);
}

static const struct pare_cli_option options[] = {
        {.name = "trial",
         .letter = 't',
         .argument = "N|best|baseline",
         .required = true,
         .help = "which network; best: the finalist with the highest search accuracy"},
        {.name = "output", .letter = 'o', .argument = "FILE", .required = true, .help = "the ONNX file"},
        {.name = "keep-batch-norm", .help = "for more training; default: folded into the layers before"},
        PARE_OPTION_FORCE,
        {0},
};

const struct pare_command pare_command_export = {
        .name = "export",
        .operands = "RUN_DIR",
        .n_operands = 1,
        .help = "writes a network of a study as ONNX",
        .details = "A finalist comes as it is after its long fine-tuning, any other trial as it was scored. The plan, "
                   "the\n"
                   "metrics and the origin are in the file's metadata.\n"
                   "\n"
                   "Example:\n"
                   "  pare export runs/demo --trial best -o small.onnx\n",
        .options = options,
        .run = run,
};
