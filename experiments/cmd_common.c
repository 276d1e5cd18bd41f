/* What several commands do with what users name, and with signals. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/io/onnx.h"
#include "engine/zoo/zoo.h"
#include "experiments/cli.h"

#define ZOO_PREFIX "zoo:"
#define ZOO_CLASSES 10

int pare_cli_spec(const struct pare_cli *cli, const char *path, struct pare_spec *spec)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf text;
	int status;

	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&text);
	status = pare_spec_read(spec, path, cli->repeated, &diagnostics);
	if (status) {
		pare_diagnostics_print(&diagnostics, cli->color_err, &text);
		fputs(text.text, stderr);
		if (diagnostics.source)
			pare_cli_hint("`pare help config` lists all keys");
	}
	pare_strbuf_release(&text);
	pare_diagnostics_release(&diagnostics);
	return status ? PARE_EXIT_USAGE : PARE_EXIT_OK;
}

/* ---- models ---- */

static int unknown_zoo_model(const char *name, struct pare_error *error)
{
	const char *names[32] = {0}, *near;
	struct pare_strbuf list;

	pare_strbuf_init(&list);
	for (int i = 0; pare_zoo_table[i] && i < 31; i++) {
		names[i] = pare_zoo_table[i]->name;
		pare_strbuf_printf(&list, "%s%s", i ? ", " : "", names[i]);
	}
	near = pare_did_you_mean(name, names);
	pare_error_set(error, PARE_E_INVALID, "there is no built-in network '%s'%s%s%s (there are %s)", name,
	               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "", list.text);
	pare_strbuf_release(&list);
	return PARE_E_INVALID;
}

/* "resnet20", "lenet:1x28x28" */
static int build_zoo(const char *text, struct pare_graph **graph, struct pare_error *error)
{
	int64_t c = 3, h = 32, w = 32;
	char name[64], end;
	size_t length = strcspn(text, ":");
	struct pare_zoo_options options = {.classes = ZOO_CLASSES, .width = 1.0, .seed = 1};
	const struct pare_zoo_model *model;

	snprintf(name, sizeof(name), "%.*s", (int)(length < sizeof(name) ? length : sizeof(name) - 1), text);
	model = pare_zoo_find(name);
	if (!model)
		return unknown_zoo_model(name, error);
	if (text[length] && sscanf(text + length, ":%9" SCNd64 "x%9" SCNd64 "x%9" SCNd64 "%c", &c, &h, &w, &end) != 3)
		return pare_error_set(error, PARE_E_INVALID,
		                      "'" ZOO_PREFIX "%s': expected an image size such as :3x32x32 behind the name",
		                      text);
	options.input = pare_shape_chw(c, h, w);
	if (!pare_shape_valid(&options.input))
		return pare_error_set(error, PARE_E_INVALID,
		                      "an image of %" PRId64 "x%" PRId64 "x%" PRId64 " is not possible", c, h, w);
	return model->build(&options, graph, error);
}

int pare_cli_model(const char *name, struct pare_graph **graph, struct pare_error *error)
{
	*graph = NULL;
	if (strncmp(name, ZOO_PREFIX, strlen(ZOO_PREFIX)) == 0)
		return build_zoo(name + strlen(ZOO_PREFIX), graph, error);
	return pare_onnx_read(name, graph, error);
}

void pare_cli_blame(const char *model, struct pare_error *error)
{
	if (!error->file[0])
		snprintf(error->file, sizeof(error->file), "%s", model);
}

/* ---- outputs ---- */

int pare_cli_check_output(const struct pare_cli *cli, const char *path, struct pare_error *error)
{
	char *directory;
	int status = PARE_OK;

	if (pare_file_is_directory(path))
		return pare_error_set_at(error, PARE_E_INVALID, path, 0, 0,
		                         "this is a directory: expected the name of a file");
	if (pare_file_exists(path) && !pare_cli_given(cli, "force"))
		return pare_error_set_at(error, PARE_E_EXISTS, path, 0, 0, "is there already; --force overwrites it");
	directory = pare_path_directory(path);
	if (!directory)
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (access(directory, W_OK | X_OK))
		status = pare_error_set_at(error, PARE_E_IO, path, 0, 0, "the folder %s cannot be written to: %s",
		                           directory, strerror(errno));
	free(directory);
	return status;
}

/* ---- stopping ---- */

/* A signal handler can reach nothing else; written by it alone. */
static volatile sig_atomic_t stop_signal;

static void note_signal(int number)
{
	static const char text[] = "\npare: stopping at the next safe point; once more stops at once\n";

	stop_signal = number;
	if (number == SIGINT && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		stop_signal = number; /* nobody is left to read it */
}

/* What whoever started us wants ignored (a shell its background jobs' SIGINT) stays ignored. */
static void catch (int number, const struct sigaction *action)
{
	struct sigaction before;

	if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(number, action, NULL);
}

void pare_cli_catch_signals(void)
{
	/* SA_RESETHAND: the second one has its usual effect. */
	struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART | (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	catch (SIGINT, &action);
	catch (SIGTERM, &action);
	catch (SIGHUP, &action); /* the terminal was closed; under nohup it stays ignored */
}

bool pare_cli_stopped(void)
{
	return stop_signal != 0;
}

/* ---- the terminal ---- */

bool pare_cli_live(void)
{
	const char *term = getenv("TERM"), *ci = getenv("CI");
	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 && !(ci && *ci);
}

int pare_cli_stderr_width(void)
{
	struct winsize size;
	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
