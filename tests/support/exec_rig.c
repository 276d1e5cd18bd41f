#include "tests/support/exec_rig.h"

#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"

static float *new_floats(int64_t count)
{
	float *floats = malloc((size_t)(count > 0 ? count : 1) * sizeof(*floats));
	assert_non_null(floats);
	return floats;
}

float *exec_normal(const struct pare_shape *shape, int64_t images, uint64_t seed)
{
	struct pare_rng rng = pare_rng_make(seed, PARE_STREAM_TEST, 3);
	int64_t count = images * pare_shape_elements(shape);
	float *floats = new_floats(count);
	for (int64_t i = 0; i < count; i++)
		floats[i] = (float)pare_rng_normal(&rng);
	return floats;
}

float *exec_images(const struct pare_graph *graph, int64_t images, uint64_t seed)
{
	return exec_normal(&graph->values[graph->input].shape, images, seed);
}

struct pare_exec *exec_open(const struct pare_graph *graph, const struct pare_exec_options *options)
{
	struct pare_error error;
	struct pare_exec *exec;
	if (pare_exec_new(&exec, graph, options, &error))
		fail_msg("%s", error.text);
	return exec;
}

void exec_forward(struct pare_exec *exec, const float *images)
{
	struct pare_tensor input = pare_exec_input(exec);
	pare_tensor_from_nchw(&input, images);
	pare_exec_forward(exec);
}

void exec_backward(struct pare_exec *exec, const float *output_gradient)
{
	struct pare_tensor gradient = pare_exec_output_gradient(exec);
	pare_tensor_from_nchw(&gradient, output_gradient);
	pare_exec_backward(exec);
}

float *tensor_read(const struct pare_tensor *tensor)
{
	assert_non_null(tensor->data);
	float *floats = new_floats(tensor->images * pare_shape_elements(&tensor->shape));
	pare_tensor_to_nchw(tensor, floats);
	return floats;
}

float *exec_read(const struct pare_exec *exec, int value)
{
	struct pare_tensor tensor = pare_exec_value(exec, value);
	return tensor_read(&tensor);
}

bool exec_is_trained(const struct pare_graph *graph, int param)
{
	enum pare_param_role role = graph->params[param].role;
	return role != PARE_PARAM_BN_MEAN && role != PARE_PARAM_BN_VAR;
}

int64_t exec_gradient_count(const struct pare_graph *graph)
{
	int64_t count = 0;
	for (int p = 0; p < graph->n_params; p++)
		if (exec_is_trained(graph, p))
			count += pare_shape_elements(&graph->params[p].shape);
	return count;
}

float *exec_read_gradients(const struct pare_exec *exec, const struct pare_graph *graph)
{
	float *floats = new_floats(exec_gradient_count(graph)), *to = floats;
	for (int p = 0; p < graph->n_params; p++) {
		const float *gradient = pare_exec_param_gradient(exec, p);
		if (!exec_is_trained(graph, p)) {
			assert_null(gradient);
			continue;
		}
		int64_t count = pare_shape_elements(&graph->params[p].shape);
		memcpy(to, gradient, (size_t)count * sizeof(*to));
		to += count;
	}
	return floats;
}

void assert_close(const char *what, const float *a, const float *b, int64_t count, double tolerance)
{
	double largest = 0.0;
	for (int64_t i = 0; i < count; i++)
		largest = fmax(largest, fabs((double)b[i]));
	for (int64_t i = 0; i < count; i++)
		if (!(fabs((double)a[i] - (double)b[i]) <= tolerance * largest))
			fail_msg("%s: number %lld of %lld is %.9g, not %.9g (largest %.4g, off by %.3g of it)", what,
			         (long long)i, (long long)count, (double)a[i], (double)b[i], largest,
			         fabs((double)a[i] - (double)b[i]) / largest);
}

void assert_same(const char *what, const float *a, const float *b, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		if (memcmp(&a[i], &b[i], sizeof(*a)) != 0)
			fail_msg("%s: number %lld of %lld is %.9g, not %.9g", what, (long long)i, (long long)count,
			         (double)a[i], (double)b[i]);
}

/* Defined by the sanitizers' run time, absent in other builds. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

size_t heap_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
}
