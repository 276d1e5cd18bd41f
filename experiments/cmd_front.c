/* pare front: the networks of a study that no other one beats. */
#include <string.h>

#include "experiments/cli.h"
#include "experiments/study_report.h"

#define SCHEMA 1 /* of the JSON document */

static json_t *objectives(const struct pare_study_view *view)
{
	json_t *array = json_array();

	for (int k = 0; array && k < view->n_objectives; k++) {
		const struct pare_metric_info *info = &pare_metric_info[view->objectives[k]];
		json_t *one = json_pack("{s:s, s:b, s:o}", "metric", info->name, "maximise", info->maximise, "budget",
		                        pare_json_number(view->budget[view->objectives[k]], false));
		if (json_array_append_new(array, one)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *document(const struct pare_study_view *view, const struct pare_table *front)
{
	struct pare_table finals;
	json_t *result;

	pare_finals_table(view, &finals);
	result = json_pack("{s:i, s:b, s:o, s:o, s:o}", "schema", SCHEMA, "complete", view->complete, "objectives",
	                   objectives(view), "front", pare_table_json(front), "finals", pare_table_json(&finals));
	pare_table_release(&finals);
	return result;
}

static int print_text(const struct pare_cli *cli, const struct pare_study_view *view, const struct pare_table *front)
{
	struct pare_table_style style = pare_cli_style(cli);
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	text.failed |= pare_table_text(front, &style, &text) != 0;
	pare_strbuf_add(&text, "\n");
	pare_front_plot(view, style.width, &text);
	return pare_cli_print(cli, &text);
}

static int run(const struct pare_cli *cli)
{
	const char *format = pare_cli_value(cli, "format");
	struct pare_error error = {0};
	struct pare_study_view view;
	struct pare_table front;
	int code;

	if (pare_study_view_read(&view, cli->operands[0], &error))
		return pare_cli_fail(cli, &error);
	pare_front_table(&view, &front);
	if (strcmp(format, "json") == 0)
		code = pare_cli_print_json(cli, document(&view, &front));
	else if (strcmp(format, "csv") == 0)
		code = pare_cli_print_table(cli, &front);
	else
		code = print_text(cli, &view, &front);
	pare_table_release(&front);
	pare_study_view_release(&view);
	return code;
}

static const char *const formats[] = {"table", "csv", "json", NULL};

static const struct pare_cli_option options[] = {
        {.name = "format", .argument = "FORMAT", .choices = formats, .help = "json has the finalists too"},
        {0},
};

const struct pare_command pare_command_front = {
        .name = "front",
        .operands = "RUN_DIR",
        .n_operands = 1,
        .help = "shows the Pareto front of a study",
        .details = "Accuracy on the search images against every metric that has a budget, over all complete trials and "
                   "the\n"
                   "uncut network (its trial is -1 in csv and json). A study that was killed and resumed has the same "
                   "json "
                   "as\n"
                   "one that was not, but for measured_latency_ms and prediction_error, which are timings (as is "
                   "seconds\n"
                   "in pare trials).\n"
                   "\n"
                   "Example:\n"
                   "  pare front runs/demo --format json | python3 -m json.tool\n",
        .options = options,
        .run = run,
};
