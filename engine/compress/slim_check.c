#include <math.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/rng.h"
#include "engine/compress/slim.h"
#include "engine/graph/exec.h"

static void fill_input(const struct pare_exec *exec, int64_t images, uint64_t seed)
{
	struct pare_tensor input = pare_exec_input(exec);
	for (int64_t i = 0; i < images; i++) {
		struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_SYNTHETIC, (uint64_t)i);
		for (int64_t e = 0; e < pare_shape_elements(&input.shape); e++)
			*pare_tensor_at(&input, i, e) = (float)pare_rng_normal(&rng);
	}
}

/* *output: malloc'd, [images][elements], plain order. */
static int run(const struct pare_graph *graph, int64_t images, uint64_t seed, float **output, struct pare_error *error)
{
	struct pare_exec *exec = NULL;
	int status = pare_exec_new(&exec, graph, &(struct pare_exec_options){.images = images}, error);
	if (status)
		return status;
	struct pare_tensor out = pare_exec_output(exec);
	*output = pare_float_new((size_t)(images * pare_shape_elements(&out.shape)));
	if (*output) {
		struct pare_tensor in = pare_exec_input(exec);
		for (int64_t i = 0; i < pare_tensor_size(&in); i++)
			in.data[i] = 0.0f;
		fill_input(exec, images, seed);
		pare_exec_forward(exec);
		out = pare_exec_output(exec);
		pare_tensor_to_nchw(&out, *output);
	} else {
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	}
	pare_exec_free(exec);
	return status;
}

static double relative_difference(const float *slim, const float *masked, int64_t count)
{
	double difference = 0.0, magnitude = 0.0;
	for (int64_t i = 0; i < count; i++) {
		double d = fabs((double)slim[i] - (double)masked[i]), m = fabs((double)masked[i]);
		if (isnan(d))
			return NAN;
		difference = d > difference ? d : difference;
		magnitude = m > magnitude ? m : magnitude;
	}
	return difference > 0.0 ? difference / magnitude : 0.0;
}

int pare_slim_check(const struct pare_graph *slim, const struct pare_graph *masked, int64_t images, uint64_t seed,
                    double *max_relative_difference, struct pare_error *error)
{
	const struct pare_shape *shape = &masked->values[masked->output].shape;
	float *slim_output = NULL, *masked_output = NULL;
	char slim_text[64], masked_text[64];
	if (!pare_shape_equal(&slim->values[slim->output].shape, shape))
		return pare_error_set(error, PARE_E_INVALID, "outputs differ in shape: slim %s, masked %s",
		                      pare_shape_text(&slim->values[slim->output].shape, slim_text, sizeof(slim_text)),
		                      pare_shape_text(shape, masked_text, sizeof(masked_text)));
	int status = run(slim, images, seed, &slim_output, error);
	if (!status)
		status = run(masked, images, seed, &masked_output, error);
	if (!status)
		*max_relative_difference =
		        relative_difference(slim_output, masked_output, images * pare_shape_elements(shape));
	free(slim_output);
	free(masked_output);
	return status;
}
