/* pare validate: all that is wrong with a configuration, or what it says. */
#include <inttypes.h>

#include "experiments/cli.h"

static void add_model(const struct pare_spec *spec, struct pare_strbuf *text)
{
	if (spec->zoo)
		pare_strbuf_printf(text, "The built-in network %s", spec->zoo->name);
	else if (spec->onnx)
		pare_strbuf_printf(text, "The network in %s", spec->onnx);
	else
		pare_strbuf_add(text, "No network");
	if (spec->zoo && spec->width != 1.0)
		pare_strbuf_printf(text, ", %g times as wide", spec->width);
	pare_strbuf_printf(text, "; %s data", spec->data.reader->name);
	if (spec->data_path)
		pare_strbuf_printf(text, " from %s", spec->data_path);
	pare_strbuf_printf(text, ", %" PRId64 " images held out for the search", spec->data.search_images);
}

static void add_training(const struct pare_spec *spec, struct pare_strbuf *text)
{
	if (!spec->has_train)
		pare_strbuf_add(text, "; no training first");
	else if (spec->train.steps > 0)
		pare_strbuf_printf(text, "; training for %" PRId64 " steps", spec->train.steps);
	else
		pare_strbuf_printf(text, "; training for %g epochs", spec->train.epochs);
}

static void add_search(const struct pare_spec *spec, struct pare_strbuf *text)
{
	pare_strbuf_printf(text, ". Searched by %s (seed %" PRIu64 ")", spec->controller.kind->name, spec->seed);
	for (int b = 0; b < spec->n_baselines; b++)
		pare_strbuf_printf(text, "%s%s", b ? ", " : " against ", spec->baselines[b].kind->name);
	for (int c = 0; c < spec->n_constraints; c++) {
		const struct pare_spec_constraint *constraint = &spec->constraints[c];
		pare_strbuf_printf(text, "%s%s at most %g%s", c ? ", " : ", with ",
		                   pare_metric_info[constraint->metric].name,
		                   constraint->relative ? 100.0 * constraint->value : constraint->value,
		                   constraint->relative ? " % of the uncut network's" : "");
	}
}

static int run(const struct pare_cli *cli)
{
	struct pare_strbuf text, clean;
	struct pare_spec spec;
	int code = pare_cli_spec(cli, cli->operands[0], &spec);

	pare_strbuf_init(&text);
	pare_strbuf_init(&clean);
	if (code) {
		pare_spec_release(&spec);
		return code;
	}
	if (pare_cli_given(cli, "print-effective")) {
		clean.failed |= pare_spec_text(&spec, &clean) != 0;
	} else {
		add_model(&spec, &text);
		add_training(&spec, &text);
		if (spec.has_search)
			add_search(&spec, &text);
		else
			pare_strbuf_add(&text, ". No search");
		pare_printable(cli->operands[0], &clean);
		pare_strbuf_add(&clean, ": ok\n");
		pare_printable(text.text, &clean);
		pare_strbuf_add(&clean, ".\n");
		clean.failed |= text.failed;
	}
	pare_strbuf_release(&text);
	pare_spec_release(&spec);
	return pare_cli_print(cli, &clean);
}

static const struct pare_cli_option options[] = {
        PARE_OPTION_SET,
        {.name = "print-effective", .help = "prints the whole configuration, defaults filled in"},
        {0},
};

const struct pare_command pare_command_validate = {
        .name = "validate",
        .operands = "CONFIG",
        .n_operands = 1,
        .help = "checks a configuration, and says what it means",
        .details = "Tells all that is wrong with it at once, with line and column (exit code 2). Data and networks are "
                   "not\n"
                   "opened. `pare help config` lists all keys.\n"
                   "\n"
                   "Example:\n"
                   "  pare validate configs/demo.yaml --set search.controller=uniform --print-effective\n",
        .options = options,
        .run = run,
};
