/* pare export: a network of a study as an ONNX file. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/file.h"
#include "experiments/cli.h"
#include "experiments/export.h"
#include "experiments/study_view.h"

static bool same_file(const char *a, const char *b)
{
	struct stat of_a, of_b;
	return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

/* What a study cannot go on without. */
static bool is_own_name(const char *name)
{
	return strncmp(name, "study.db", strlen("study.db")) == 0 || strcmp(name, "config.yaml") == 0 ||
	       strcmp(name, "latency.lut") == 0;
}

/* The path is another name (a link) of an own file in this folder; own_only: of those with own names, else of any. */
static bool links_into(const char *path, const char *folder, bool own_only)
{
	DIR *listing = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	while (listing && !found && (entry = readdir(listing))) {
		bool asked = own_only ? is_own_name(entry->d_name) : entry->d_name[0] != '.';
		char *file = asked ? pare_path_join(folder, entry->d_name) : NULL;
		found = file && same_file(path, file);
		free(file);
	}
	if (listing)
		closedir(listing);
	return found;
}

/* By its name, whether it is there yet or not, and by what it is a link to: --force must not reach the study itself. */
static int check_not_own(const char *directory, const char *path, struct pare_error *error)
{
	char *weights = pare_path_join(directory, "weights"), *folder = pare_path_directory(path);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int status = PARE_OK;

	if (!weights || !folder)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	else if ((same_file(folder, directory) && is_own_name(name)) || same_file(folder, weights) ||
	         links_into(path, directory, true) || links_into(path, weights, false))
		status = pare_error_set_at(error, PARE_E_INVALID, path, 0, 0,
		                           "this is a file of the study itself; choose another name");
	free(weights);
	free(folder);
	return status;
}

static int export(const struct pare_cli *cli, struct pare_error *error)
{
	const char *directory = cli->operands[0], *path = pare_cli_value(cli, "output");
	struct pare_export_options options = {.trial = pare_cli_value(cli, "trial"),
	                                      .keep_batch_norm = pare_cli_given(cli, "keep-batch-norm")};
	struct pare_store *store = NULL;
	char *store_path = pare_path_join(directory, "study.db");
	int status = store_path ? check_not_own(directory, path, error)
	                        : pare_error_set(error, PARE_E_NOMEM, "out of memory");

	if (!status)
		status = pare_cli_check_output(cli, path, error);
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
