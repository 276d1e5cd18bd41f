/*
 * One network that export_torchvision.py wrote: does pare compute what PyTorch computed, count what it counted, and cut
 * it so that slim equals masked?
 *
 *     check_network DIRECTORY NAME OUT_DIRECTORY [STEP]
 *
 * STEP: the random plans keep multiples of it (default 1; ONNX Runtime is at its best with multiples of 16).
 * Prints one row (check_networks.sh has the head) and writes NAME.full.onnx, NAME.cut30.onnx and NAME.cut60.onnx, batch
 * norms folded, each with its output for DIRECTORY/NAME.input.bin beside it, for run_onnxruntime.js. Exits with 1 when
 * a bound is broken.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/compress/fold.h"
#include "engine/compress/slim.h"
#include "engine/graph/exec.h"
#include "engine/io/onnx.h"
#include "tests/support/nets.h"

#define IMAGES 2
#define BOUND 1e-4
#define SMALLEST_GROUP 4 /* channels that a random plan leaves at least */

struct check {
	const char *directory, *name, *out;
	struct pare_graph *graph;
	struct pare_groups groups;
	float *input, *reference; /* [IMAGES][elements] */
	int64_t step;             /* channels are cut down to multiples of it */
	int broken;
};

static void die(const char *what, const struct pare_error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->text);
	exit(EXIT_FAILURE);
}

static char *path_of(const char *directory, const char *name, const char *suffix)
{
	static char path[1024];
	snprintf(path, sizeof(path), "%s/%s%s", directory, name, suffix);
	return path;
}

static struct pare_bytes read_file(const struct check *check, const char *suffix)
{
	struct pare_error error = {0};
	struct pare_bytes bytes;
	if (pare_file_read(path_of(check->directory, check->name, suffix), (size_t)1 << 30, &bytes, &error))
		die(check->name, &error);
	return bytes;
}

static float *read_floats(const struct check *check, const char *suffix, const struct pare_shape *shape)
{
	struct pare_bytes bytes = read_file(check, suffix);
	size_t count = (size_t)(IMAGES * pare_shape_elements(shape));
	float *floats = pare_float_new(count);
	if (!floats || bytes.size != count * sizeof(*floats)) {
		fprintf(stderr, "%s%s: %zu bytes, %zu are needed\n", check->name, suffix, bytes.size,
		        count * sizeof(*floats));
		exit(EXIT_FAILURE);
	}
	memcpy(floats, bytes.data, bytes.size);
	pare_bytes_release(&bytes);
	return floats;
}

static long long wanted_macs(const struct check *check)
{
	struct pare_bytes bytes = read_file(check, ".json");
	char text[512];
	snprintf(text, sizeof(text), "%.*s", (int)bytes.size, (const char *)bytes.data);
	pare_bytes_release(&bytes);
	const char *found = strstr(text, "\"macs\":");
	return found ? atoll(found + strlen("\"macs\":")) : -1;
}

/* [IMAGES][elements], the caller's. */
static float *run(const struct check *check, const struct pare_graph *graph)
{
	struct pare_error error = {0};
	struct pare_exec *exec;
	if (pare_exec_new(&exec, graph, &(struct pare_exec_options){.images = IMAGES}, &error))
		die(check->name, &error);
	struct pare_tensor in = pare_exec_input(exec);
	pare_tensor_from_nchw(&in, check->input);
	pare_exec_forward(exec);
	struct pare_tensor out = pare_exec_output(exec);
	float *output = pare_float_new((size_t)(IMAGES * pare_shape_elements(&out.shape)));
	if (output)
		pare_tensor_to_nchw(&out, output);
	pare_exec_free(exec);
	return output;
}

static double relative_error(const float *found, const float *wanted, int64_t count)
{
	double difference = 0, most = 0;
	for (int64_t i = 0; i < count; i++) {
		double d = fabs((double)found[i] - (double)wanted[i]);
		if (isnan(d))
			return NAN;
		difference = fmax(difference, d);
		most = fmax(most, fabs((double)wanted[i]));
	}
	return difference / most;
}

static double bounded(struct check *check, double number)
{
	check->broken += !(number <= BOUND);
	return number;
}

/* A pass forth and back in training; false unless every gradient is finite and one is not zero. */
static bool trains(const struct check *check, const struct pare_graph *graph)
{
	struct pare_error error = {0};
	struct pare_exec *exec;
	struct pare_exec_options options = {.images = IMAGES, .training = true};
	bool finite = true, moves = false;
	if (pare_exec_new(&exec, graph, &options, &error))
		die(check->name, &error);
	struct pare_tensor in = pare_exec_input(exec);
	pare_tensor_from_nchw(&in, check->input);
	pare_exec_forward(exec);
	struct pare_tensor gradient = pare_exec_output_gradient(exec);
	for (int64_t i = 0; i < pare_tensor_size(&gradient); i++)
		gradient.data[i] = 0.0f;
	for (int64_t i = 0; i < IMAGES; i++)
		*pare_tensor_at(&gradient, i, i) = 1.0f;
	pare_exec_backward(exec);
	for (int p = 0; p < graph->n_params; p++) {
		const float *g = pare_exec_param_gradient(exec, p);
		for (int64_t i = 0; g && i < pare_shape_elements(&graph->params[p].shape); i++) {
			finite = finite && isfinite(g[i]);
			moves = moves || g[i] != 0;
		}
	}
	pare_exec_free(exec);
	return finite && moves;
}

static void write_output(const struct check *check, const struct pare_graph *graph, const char *variant)
{
	struct pare_error error = {0};
	char suffix[64];
	struct pare_graph *folded = pare_fold_batch_norm(graph, &error);
	if (!folded)
		die(check->name, &error);
	float *output = run(check, folded);
	size_t bytes = IMAGES * (size_t)pare_shape_elements(&folded->values[folded->output].shape) * sizeof(float);
	snprintf(suffix, sizeof(suffix), ".%s.onnx", variant);
	if (pare_onnx_write(folded, path_of(check->out, check->name, suffix), NULL, 0, &error))
		die(check->name, &error);
	snprintf(suffix, sizeof(suffix), ".%s.output.bin", variant);
	if (pare_file_write_atomic(path_of(check->out, check->name, suffix), output, bytes, &error))
		die(check->name, &error);
	free(output);
	pare_graph_free(folded);
}

static void random_plan(const struct check *check, int percent, struct pare_plan *plan)
{
	if (pare_plan_init(plan, &check->groups))
		exit(EXIT_FAILURE);
	test_plan_randomize(plan, &check->groups, 1 - percent / 100.0, SMALLEST_GROUP, (uint64_t)percent);
	for (int g = 0; g < plan->n_groups; g++) {
		int64_t channels = check->groups.group[g].channels;
		plan->kept[g] = pare_plan_round(channels, (double)plan->kept[g] / (double)channels, check->step);
	}
}

static void check_cut(struct check *check, int percent)
{
	struct pare_error error = {0};
	struct pare_graph *slim, *masked;
	struct pare_plan plan;
	double difference;
	char variant[16];
	random_plan(check, percent, &plan);
	if (pare_slim(&check->groups, &plan, &pare_criterion_l2, &slim, &error) ||
	    pare_mask(&check->groups, &plan, &pare_criterion_l2, &masked, &error) ||
	    pare_slim_check(slim, masked, 1, 3, &difference, &error))
		die(check->name, &error);
	printf(" %8.1e %5.1f %%", bounded(check, difference),
	       100.0 * (double)pare_graph_macs(slim) / (double)pare_graph_macs(check->graph));
	snprintf(variant, sizeof(variant), "cut%d", percent);
	write_output(check, slim, variant);
	bool trained = percent < 50 || trains(check, slim);
	check->broken += !trained;
	printf("%s", percent < 50 ? "" : trained ? "   yes" : "    NO");
	fflush(stdout);
	pare_plan_release(&plan);
	pare_graph_free(slim);
	pare_graph_free(masked);
}

static void open_network(struct check *check)
{
	struct pare_error error = {0};
	double start = pare_clock_ms();
	if (pare_onnx_read(path_of(check->directory, check->name, ".onnx"), &check->graph, &error))
		die(check->name, &error);
	double import_ms = pare_clock_ms() - start;
	if (pare_groups_init(&check->groups, check->graph, &error))
		die(check->name, &error);
	const struct pare_graph *graph = check->graph;
	check->input = read_floats(check, ".input.bin", &graph->values[graph->input].shape);
	check->reference = read_floats(check, ".output.bin", &graph->values[graph->output].shape);
	printf("%-20s %5d %6.0f", check->name, graph->n_nodes, import_ms);
	fflush(stdout);
}

static void check_whole(struct check *check)
{
	const struct pare_graph *graph = check->graph;
	long long macs = (long long)pare_graph_macs(graph);
	int frozen = 0;
	float *output = run(check, graph);
	int64_t count = IMAGES * pare_shape_elements(&graph->values[graph->output].shape);
	for (int g = 0; g < check->groups.n_groups; g++)
		frozen += check->groups.group[g].frozen != NULL;
	bool same = macs == wanted_macs(check);
	check->broken += !same;
	printf(" %8.1e %9.1f %5s %4d/%-3d", bounded(check, relative_error(output, check->reference, count)),
	       (double)macs / 1e6, same ? "equal" : "OTHER", check->groups.n_groups - frozen, frozen);
	fflush(stdout);
	free(output);
	write_output(check, graph, "full");
}

int main(int argc, char **argv)
{
	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: %s DIRECTORY NAME OUT_DIRECTORY [STEP]\n", argv[0]);
		return 2;
	}
	struct check check = {.directory = argv[1], .name = argv[2], .out = argv[3], .step = 1};
	if (argc == 5)
		check.step = atoll(argv[4]);
	open_network(&check);
	check_whole(&check);
	check_cut(&check, 30);
	check_cut(&check, 60);
	printf("%s\n", check.broken ? "  BROKEN" : "");
	free(check.input);
	free(check.reference);
	pare_groups_release(&check.groups);
	pare_graph_free(check.graph);
	return check.broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
