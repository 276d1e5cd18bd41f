/* pare lut build, pare lut show: latency tables. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "engine/compress/fold.h"
#include "experiments/cmd_watch.h"
#include "latency_lut/lut.h"

/* Without a configuration: what a configuration has by default. */
#define DEFAULT_BATCH 16
#define DEFAULT_THREADS 1
#define DEFAULT_POINTS 7
#define DEFAULT_STEP 1
#define DEFAULT_MIN_RATIO 0.1
#define DEFAULT_MAX_MS 40.0

/* ---- build ---- */

static void log_line(void *context, enum pare_log_level level, const char *message)
{
	(void)context;
	(void)level;
	pare_cli_note("%s", message);
}

static struct pare_lut_build_options build_options(const struct pare_cli *cli, const struct pare_spec *spec)
{
	struct pare_lut_build_options options = {.batch = DEFAULT_BATCH,
	                                         .threads = DEFAULT_THREADS,
	                                         .points = DEFAULT_POINTS,
	                                         .step = DEFAULT_STEP,
	                                         .min_ratio = DEFAULT_MIN_RATIO,
	                                         .max_ms = DEFAULT_MAX_MS};

	if (spec) {
		options.batch = spec->latency_batch;
		options.threads = spec->latency_threads;
		options.points = spec->latency_points;
		options.step = spec->step;
		options.min_ratio = spec->min_ratio;
		options.max_ms = spec->latency_max_ms;
	}
	options.batch = pare_cli_number(cli, "batch", options.batch);
	options.threads = (int)pare_cli_number(cli, "threads", options.threads);
	options.points = (int)pare_cli_number(cli, "points", options.points);
	options.step = pare_cli_number(cli, "step", options.step);
	return options;
}

/* The configuration's network; its weights do not matter for its latency. */
static int spec_graph(const struct pare_spec *spec, struct pare_graph **graph, struct pare_error *error)
{
	struct pare_splits splits;
	int status = pare_spec_load_data(spec, true, &splits, error);

	*graph = NULL;
	if (status)
		return status;
	status = pare_spec_network(spec, &splits.test_part, graph, error);
	pare_splits_release(&splits);
	return status;
}

static int measure(const struct pare_graph *graph, struct pare_lut_build_options *options, const char *path,
                   struct pare_error *error)
{
	struct pare_log log = {.level = PARE_LOG_WARNING, .write = log_line};
	struct pare_graph *folded = pare_fold_batch_norm(graph, error);
	struct pare_groups groups = {0};
	struct pare_lut *lut = NULL;
	struct pare_watch watch;
	int status = folded ? pare_groups_init(&groups, folded, error) : PARE_E_NOMEM;

	if (!status) {
		options->log = &log;
		options->progress = pare_watch_table;
		options->progress_context = &watch;
		pare_watch_begin(&watch, false, NULL);
		pare_watch_phase(&watch, "latency table", graph->name);
		status = pare_lut_build(&lut, folded, &groups, options, error);
		pare_watch_end(&watch);
	}
	if (!status)
		status = pare_lut_write(lut, path, error);
	pare_lut_free(lut);
	pare_groups_release(&groups);
	pare_graph_free(folded);
	return status;
}

static int build(const struct pare_cli *cli, const struct pare_spec *spec)
{
	const char *path = pare_cli_value(cli, "output");
	struct pare_lut_build_options options = build_options(cli, spec);
	struct pare_graph *graph = NULL;
	struct pare_error error = {0};
	struct pare_strbuf text;
	int status = pare_cli_check_output(cli, path, &error);

	if (!status)
		status = spec ? spec_graph(spec, &graph, &error)
		              : pare_cli_model(pare_cli_value(cli, "model"), &graph, &error);
	if (!status)
		status = measure(graph, &options, path, &error);
	pare_graph_free(graph);
	if (status)
		return pare_cli_fail(cli, &error);
	pare_strbuf_init(&text);
	pare_strbuf_printf(&text, "written to %s\n", path);
	return pare_cli_print(cli, &text);
}

static int run_build(const struct pare_cli *cli)
{
	struct pare_spec spec;
	int code;

	if (pare_cli_given(cli, "config") == pare_cli_given(cli, "model"))
		return pare_cli_refuse(cli, "needs either --config or --model");
	if (!pare_cli_given(cli, "config"))
		return build(cli, NULL);
	code = pare_cli_spec(cli, pare_cli_value(cli, "config"), &spec);
	if (!code && !spec.zoo && !spec.onnx)
		code = pare_cli_refuse(cli, "%s has no model section", pare_cli_value(cli, "config"));
	if (!code)
		code = build(cli, &spec);
	pare_spec_release(&spec);
	return code;
}

/* ---- show ---- */

static const struct pare_column family_columns[] = {
        {.name = "step", .kind = PARE_COLUMN_TEXT},
        {.name = "entries", .kind = PARE_COLUMN_INT},
        {.name = "in_low", .title = "in from", .kind = PARE_COLUMN_INT},
        {.name = "in_high", .title = "to", .kind = PARE_COLUMN_INT},
        {.name = "out_low", .title = "out from", .kind = PARE_COLUMN_INT},
        {.name = "out_high", .title = "to", .kind = PARE_COLUMN_INT},
        {.name = "low_ms", .title = "ms from", .kind = PARE_COLUMN_REAL, .decimals = 4},
        {.name = "high_ms", .title = "to", .kind = PARE_COLUMN_REAL, .decimals = 4},
        {.name = "spread", .title = "p10-p90 %", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 1},
};

static const struct pare_column entry_columns[] = {
        {.name = "step", .kind = PARE_COLUMN_TEXT},        {.name = "in_channels", .kind = PARE_COLUMN_INT},
        {.name = "out_channels", .kind = PARE_COLUMN_INT}, {.name = "median_ms", .kind = PARE_COLUMN_REAL},
        {.name = "p10_ms", .kind = PARE_COLUMN_REAL},      {.name = "p90_ms", .kind = PARE_COLUMN_REAL},
        {.name = "repetitions", .kind = PARE_COLUMN_INT},
};

/* Spread: (p90 - p10) / median, the entries' mean. */
static void add_family(struct pare_table *table, const struct pare_lut_family *family)
{
	const struct pare_lut_entry *entries = family->entries;
	double low_ms = DBL_MAX, high_ms = 0.0, spread = 0.0;
	int32_t in_low = INT32_MAX, in_high = 0, out_low = INT32_MAX, out_high = 0;

	for (int i = 0; i < family->n_entries; i++) {
		const struct pare_lut_entry *entry = &entries[i];
		in_low = entry->in_channels < in_low ? entry->in_channels : in_low;
		in_high = entry->in_channels > in_high ? entry->in_channels : in_high;
		out_low = entry->out_channels < out_low ? entry->out_channels : out_low;
		out_high = entry->out_channels > out_high ? entry->out_channels : out_high;
		low_ms = fmin(low_ms, entry->median_ms);
		high_ms = fmax(high_ms, entry->median_ms);
		spread += entry->median_ms > 0.0 ? (entry->p90_ms - entry->p10_ms) / entry->median_ms : 0.0;
	}
	pare_table_string(table, family->key);
	pare_table_int(table, family->n_entries);
	pare_table_int(table, in_low);
	pare_table_int(table, in_high);
	pare_table_int(table, out_low);
	pare_table_int(table, out_high);
	pare_table_real(table, low_ms);
	pare_table_real(table, high_ms);
	pare_table_real(table, family->n_entries > 0 ? spread / family->n_entries : NAN);
}

static void add_entries(struct pare_table *table, const struct pare_lut_family *family)
{
	for (int i = 0; i < family->n_entries; i++) {
		const struct pare_lut_entry *entry = &family->entries[i];
		pare_table_string(table, family->key);
		pare_table_int(table, entry->in_channels);
		pare_table_int(table, entry->out_channels);
		pare_table_real(table, entry->median_ms);
		pare_table_real(table, entry->p10_ms);
		pare_table_real(table, entry->p90_ms);
		pare_table_int(table, entry->count);
	}
}

static int show_json(const struct pare_cli *cli, const struct pare_lut *lut)
{
	const struct pare_machine *machine = &lut->machine;
	struct pare_table table;
	json_t *document;

	pare_table_init(&table, entry_columns, sizeof(entry_columns) / sizeof(*entry_columns));
	for (int f = 0; f < lut->n_families; f++)
		add_entries(&table, &lut->families[f]);
	document = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:I, s:i, s:o, s:o}", "schema", 1, "cpu",
	                     pare_json_string(machine->cpu), "flags", pare_json_string(machine->flags), "kernels",
	                     pare_json_string(machine->kernels), "blas", pare_json_string(machine->blas), "governor",
	                     pare_json_string(machine->governor), "batch", (json_int_t)lut->batch, "threads",
	                     lut->threads, "date", pare_json_string(lut->date), "entries", pare_table_json(&table));
	pare_table_release(&table);
	return pare_cli_print_json(cli, document);
}

static int show_text(const struct pare_cli *cli, const struct pare_lut *lut)
{
	struct pare_table_style style = pare_cli_style(cli);
	struct pare_strbuf raw, text;
	struct pare_table table;

	pare_strbuf_init(&raw);
	pare_strbuf_init(&text);
	pare_strbuf_printf(&raw, "batch %lld, %d thread%s, %s kernels, %s, measured %s on %s", (long long)lut->batch,
	                   lut->threads, lut->threads == 1 ? "" : "s", lut->machine.kernels, lut->machine.blas,
	                   lut->date, lut->machine.cpu);
	pare_printable(raw.text, &text);
	pare_strbuf_add(&text, "\n\n");
	pare_table_init(&table, family_columns, sizeof(family_columns) / sizeof(*family_columns));
	for (int f = 0; f < lut->n_families; f++)
		add_family(&table, &lut->families[f]);
	text.failed |= pare_table_text(&table, &style, &text) != 0 || raw.failed;
	pare_table_release(&table);
	pare_strbuf_release(&raw);
	return pare_cli_print(cli, &text);
}

static int run_show(const struct pare_cli *cli)
{
	struct pare_error error = {0};
	struct pare_lut *lut = NULL;
	int code;

	if (pare_lut_read(&lut, cli->operands[0], true, 0, 0, &error))
		return pare_cli_fail(cli, &error);
	code = pare_cli_given(cli, "json") ? show_json(cli, lut) : show_text(cli, lut);
	pare_lut_free(lut);
	return code;
}

/* The ranges are those of the keys latency.* and space.step: a table that no configuration could use is not built. */
static const struct pare_cli_option build_option_table[] = {
        {.name = "config",
         .letter = 'c',
         .argument = "CONFIG",
         .help = "the network and the latency section of a configuration"},
        {.name = "model",
         .letter = 'm',
         .argument = "MODEL",
         .help = "or a network: an ONNX file, or zoo:NAME[:CxHxW]"},
        {.name = "output", .letter = 'o', .argument = "FILE", .required = true, .help = "the table"},
        {.name = "threads",
         .argument = "N",
         .low = 1,
         .high = 1024,
         .help = "of one run; default: the configuration's, or 1"},
        {.name = "batch",
         .argument = "N",
         .low = 1,
         .high = 4096,
         .help = "images a run; default: the configuration's, or 16"},
        {.name = "points",
         .argument = "N",
         .low = 2,
         .high = 64,
         .help = "widths a layer; default: the configuration's, or 7"},
        {.name = "step",
         .argument = "N",
         .low = 1,
         .high = 1024,
         .help = "the search's channel step; default: the configuration's, or 1"},
        PARE_OPTION_SET,
        PARE_OPTION_FORCE,
        {0},
};

static const struct pare_cli_option show_option_table[] = {PARE_OPTION_JSON, {0}};

const struct pare_command pare_command_lut_build = {
        .name = "lut build",
        .operands = "",
        .help = "measures a network's layers on this machine, at all widths",
        .details = "Takes minutes; nothing else should run meanwhile. `latency: {table: FILE}` of a configuration uses "
                   "it.\n"
                   "\n"
                   "Example:\n"
                   "  pare lut build --model zoo:resnet20 --batch 1 -o here.lut\n",
        .options = build_option_table,
        .run = run_build,
};

const struct pare_command pare_command_lut_show = {
        .name = "lut show",
        .operands = "FILE",
        .n_operands = 1,
        .help = "shows a latency table",
        .details = "One line a kind of step; --json has every entry.\n"
                   "\n"
                   "Example:\n"
                   "  pare lut show runs/demo/latency.lut\n",
        .options = show_option_table,
        .run = run_show,
};
