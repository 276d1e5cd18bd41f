/* pare model info: layers, what they cost, and which channels hang together. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/compress/fold.h"
#include "engine/compress/groups.h"
#include "evaluators/evaluator.h"
#include "experiments/cli.h"

#define WIDTH 80 /* where there is no terminal */

struct info {
	struct pare_graph *graph, *folded;
	struct pare_groups groups;
	struct pare_metrics metrics;
	struct pare_table layers, group_table; /* as JSON has them */
	struct pare_table brief;               /* the layers, as text has them: each group of a layer once */
};

static const struct pare_column layer_columns[] = {
        {.name = "name", .title = "layer", .kind = PARE_COLUMN_TEXT, .middle = true},
        {.name = "op", .kind = PARE_COLUMN_TEXT},
        {.name = "output", .kind = PARE_COLUMN_TEXT},
        {.name = "macs", .title = "MACs", .kind = PARE_COLUMN_INT},
        {.name = "params", .kind = PARE_COLUMN_INT},
        {.name = "bytes", .kind = PARE_COLUMN_INT, .not_text = true}, /* the names need the room */
        {.name = "group", .title = "channels of group", .kind = PARE_COLUMN_TEXT, .middle = true},
};

static const struct pare_column group_columns[] = {
        {.name = "name", .title = "group", .kind = PARE_COLUMN_TEXT, .middle = true},
        {.name = "channels", .kind = PARE_COLUMN_INT},
        {.name = "layers", .kind = PARE_COLUMN_INT},
        {.name = "frozen", .title = "frozen, because", .kind = PARE_COLUMN_TEXT},
};

static bool is_trained(enum pare_param_role role)
{
	return role != PARE_PARAM_BN_MEAN && role != PARE_PARAM_BN_VAR;
}

static void count_params(const struct pare_graph *graph, const struct pare_node *node, int64_t *params, int64_t *bytes)
{
	*params = *bytes = 0;
	for (int p = 0; p < node->n_params; p++) {
		const struct pare_param *param = &graph->params[node->params[p]];
		int64_t elements = pare_shape_elements(&param->shape);
		*params += is_trained(param->role) ? elements : 0;
		*bytes += elements * (int64_t)sizeof(float);
	}
}

/* The group that an atom is in, or -1: it touches no parameter. */
static int group_of(const struct pare_groups *groups, int atom)
{
	int64_t slot = groups->slot[atom];

	for (int g = 0; slot >= 0 && g < groups->n_groups; g++)
		if (slot < groups->group[g].first_slot + groups->group[g].channels)
			return slot < groups->group[g].first_slot ? -1 : g;
	return -1;
}

/* The groups of a value's channels, in order, each once in a row: "conv1, conv2". Frozen ones say why. */
static void describe_groups(const struct pare_groups *groups, int value, struct pare_strbuf *text)
{
	const struct pare_shape *shape = &groups->graph->values[value].shape;
	int last = -1;

	for (int d = 0; d < shape->rank; d++) {
		const int *atoms = pare_channel_map_value(groups->map, value, d);
		for (int64_t c = 0; atoms && c < shape->dim[d]; c++) {
			int g = group_of(groups, atoms[c]);
			if (g < 0 || g == last)
				continue;
			pare_strbuf_printf(text, "%s%s", text->length ? ", " : "", groups->group[g].name);
			if (groups->group[g].frozen)
				pare_strbuf_printf(text, " (frozen: %s)", groups->group[g].frozen);
			last = g;
		}
	}
}

/* The same for a person, each name once: a padded shortcut has the same few groups again and again. */
static void name_groups(const struct pare_groups *groups, int value, struct pare_strbuf *text)
{
	const struct pare_shape *shape = &groups->graph->values[value].shape;
	bool *named = pare_calloc((size_t)groups->n_groups + 1, sizeof(*named));

	for (int d = 0; named && d < shape->rank; d++) {
		const int *atoms = pare_channel_map_value(groups->map, value, d);
		for (int64_t c = 0; atoms && c < shape->dim[d]; c++) {
			int g = group_of(groups, atoms[c]);
			if (g < 0 || named[g])
				continue;
			pare_strbuf_printf(text, "%s%s", text->length ? ", " : "", groups->group[g].name);
			named[g] = true;
		}
	}
	text->failed |= !named;
	free(named);
}

static void add_layer(const struct info *info, const struct pare_node *node, const char *groups,
                      struct pare_table *table)
{
	char shape[64];
	int64_t params, bytes;

	count_params(info->graph, node, &params, &bytes);
	pare_table_string(table, node->name);
	pare_table_string(table, node->op->name);
	pare_table_string(table, pare_shape_text(pare_node_output_shape(info->graph, node), shape, sizeof(shape)));
	pare_table_int(table, pare_node_macs(info->graph, node));
	pare_table_int(table, params);
	pare_table_int(table, bytes);
	pare_table_string(table, groups[0] ? groups : NULL);
}

static void add_layers(struct info *info, const struct pare_node *node)
{
	struct pare_strbuf all, once;

	pare_strbuf_init(&all);
	pare_strbuf_init(&once);
	describe_groups(&info->groups, node->output, &all);
	name_groups(&info->groups, node->output, &once);
	add_layer(info, node, all.text, &info->layers);
	add_layer(info, node, once.text, &info->brief);
	info->layers.failed |= all.failed;
	info->brief.failed |= once.failed;
	pare_strbuf_release(&all);
	pare_strbuf_release(&once);
}

static void fill_tables(struct info *info)
{
	for (int n = 0; n < info->graph->n_nodes; n++)
		add_layers(info, &info->graph->nodes[n]);
	for (int g = 0; g < info->groups.n_groups; g++) {
		const struct pare_group *group = &info->groups.group[g];
		pare_table_string(&info->group_table, group->name);
		pare_table_int(&info->group_table, group->channels);
		pare_table_int(&info->group_table, group->n_nodes);
		pare_table_string(&info->group_table, group->frozen);
	}
}

static int load(struct info *info, const char *name, struct pare_error *error)
{
	int status = pare_cli_model(name, &info->graph, error);

	if (!status)
		status = pare_groups_init(&info->groups, info->graph, error);
	if (!status && !(info->folded = pare_fold_batch_norm(info->graph, error)))
		status = PARE_E_NOMEM;
	return status ? status : pare_evaluate_cost(NULL, info->graph, info->folded, &info->metrics, error);
}

static void release(struct info *info)
{
	pare_table_release(&info->layers);
	pare_table_release(&info->brief);
	pare_table_release(&info->group_table);
	pare_groups_release(&info->groups);
	pare_graph_free(info->folded);
	pare_graph_free(info->graph);
}

static json_t *document(const struct info *info)
{
	const struct pare_graph *graph = info->graph;
	char input[64], output[64];

	return json_pack("{s:i, s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "schema", 1, "name",
	                 pare_json_string(graph->name), "input",
	                 pare_shape_text(&graph->values[graph->input].shape, input, sizeof(input)), "output",
	                 pare_shape_text(&graph->values[graph->output].shape, output, sizeof(output)), "macs",
	                 (json_int_t)pare_graph_macs(graph), "params", (json_int_t)pare_graph_parameters(graph),
	                 "bytes", (json_int_t)pare_graph_bytes(graph), "peak_memory_bytes",
	                 pare_json_number(info->metrics.value[PARE_METRIC_PEAK_MEMORY_BYTES], true), "layers",
	                 pare_table_json(&info->layers), "groups", pare_table_json(&info->group_table));
}

static void add_total(struct pare_strbuf *text, const char *label, int64_t value, const char *unit)
{
	pare_strbuf_add(text, label);
	pare_grouped(value, text);
	pare_strbuf_add(text, unit);
}

static int print_text(const struct pare_cli *cli, const struct info *info)
{
	struct pare_table_style style = pare_cli_style(cli);
	const struct pare_graph *graph = info->graph;
	struct pare_strbuf text;
	char input[64];
	int status;

	pare_strbuf_init(&text);
	pare_printable(graph->name, &text);
	pare_strbuf_printf(&text, ": input %s, %d layers, %d groups of coupled channels\n\n",
	                   pare_shape_text(&graph->values[graph->input].shape, input, sizeof(input)), graph->n_nodes,
	                   info->groups.n_groups);
	if (style.width == 0)
		style.width = WIDTH;
	status = pare_table_text(&info->brief, &style, &text);
	pare_strbuf_add(&text, "\n");
	if (!status)
		status = pare_table_text(&info->group_table, &style, &text);
	add_total(&text, "\ntotal: ", pare_graph_macs(graph), " MACs (one image), ");
	add_total(&text, "", pare_graph_parameters(graph), " trained parameters, ");
	add_total(&text, "", pare_graph_bytes(graph), " bytes,\n       activations at most ");
	add_total(&text, "", (int64_t)info->metrics.value[PARE_METRIC_PEAK_MEMORY_BYTES], " bytes (one image)\n");
	text.failed |= status != 0;
	return pare_cli_print(cli, &text);
}

static int run(const struct pare_cli *cli)
{
	struct info info = {0};
	struct pare_error error = {0};
	int code;

	pare_table_init(&info.layers, layer_columns, sizeof(layer_columns) / sizeof(*layer_columns));
	pare_table_init(&info.brief, layer_columns, sizeof(layer_columns) / sizeof(*layer_columns));
	pare_table_init(&info.group_table, group_columns, sizeof(group_columns) / sizeof(*group_columns));
	if (load(&info, cli->operands[0], &error)) {
		code = pare_cli_fail(cli, &error);
	} else {
		fill_tables(&info);
		code = pare_cli_given(cli, "json") ? pare_cli_print_json(cli, document(&info)) : print_text(cli, &info);
	}
	release(&info);
	return code;
}

static const struct pare_cli_option options[] = {PARE_OPTION_JSON, {0}};

const struct pare_command pare_command_model_info = {
        .name = "model info",
        .operands = "MODEL",
        .n_operands = 1,
        .help = "lists a network's layers, costs and coupled channels",
        .details = "MODEL is an ONNX file, or zoo:NAME[:CxHxW] for a built-in network (3x32x32 if no size is given).\n"
                   "Channels of one group can only be cut together; a frozen group cannot be cut, and says why.\n"
                   "\n"
                   "Example:\n"
                   "  pare model info zoo:resnet20\n",
        .options = options,
        .run = run,
};
