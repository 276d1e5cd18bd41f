/* The reference operators that work on any rank: one output element at a time, by its indices. */
#include <math.h>

#include "engine/ops/builders.h"
#include "tests/support/reference_ops.h"

static void indices_of(const struct pare_shape *shape, int64_t element, int64_t index[PARE_MAX_RANK])
{
	for (int d = shape->rank - 1; d >= 0; d--) {
		index[d] = element % shape->dim[d];
		element /= shape->dim[d];
	}
}

/* An element of an input; 0 outside of it. A dimension of 1 has the same element at every index. */
static double input_at(const struct reference_call *call, int input, int64_t n, const int64_t index[PARE_MAX_RANK])
{
	const struct pare_shape *shape = &call->in_shape[input];
	int64_t element = 0, elements = 1;

	for (int d = 0; d < shape->rank; d++) {
		if (index[d] < 0 || (index[d] >= shape->dim[d] && shape->dim[d] != 1))
			return 0.0;
		element = element * shape->dim[d] + (shape->dim[d] == 1 ? 0 : index[d]);
		elements *= shape->dim[d];
	}
	return call->in[input][n * elements + element];
}

/* Calls one(call, n, index) for every output element and stores what it returns. */
static void for_each_output(const struct reference_call *call,
                            double (*one)(const struct reference_call *, int64_t, int64_t *))
{
	int64_t elements = 1, index[PARE_MAX_RANK];

	for (int d = 0; d < call->out_shape.rank; d++)
		elements *= call->out_shape.dim[d];
	for (int64_t n = 0; n < call->images; n++)
		for (int64_t e = 0; e < elements; e++) {
			indices_of(&call->out_shape, e, index);
			call->out[n * elements + e] = one(call, n, index);
		}
}

static double linear_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const int last = call->in_shape[0].rank - 1;
	int64_t features = call->in_shape[0].dim[last], o = index[last];
	double sum = call->n_params > 1 ? call->param[1][o] : 0.0;

	for (int64_t i = 0; i < features; i++) {
		index[last] = i;
		sum += input_at(call, 0, n, index) * call->param[0][o * features + i];
	}
	return sum;
}

void reference_linear(const struct reference_call *call)
{
	for_each_output(call, linear_element);
}

static double add_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	return input_at(call, 0, n, index) + input_at(call, 1, n, index);
}

void reference_add(const struct reference_call *call)
{
	for_each_output(call, add_element);
}

static double mul_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	return input_at(call, 0, n, index) * input_at(call, 1, n, index);
}

void reference_mul(const struct reference_call *call)
{
	for_each_output(call, mul_element);
}

static double sub_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	return input_at(call, 0, n, index) - input_at(call, 1, n, index);
}

void reference_sub(const struct reference_call *call)
{
	for_each_output(call, sub_element);
}

static double div_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	return input_at(call, 0, n, index) / input_at(call, 1, n, index);
}

void reference_div(const struct reference_call *call)
{
	for_each_output(call, div_element);
}

/* The same elements in the same order, whatever the shapes. */
void reference_flatten(const struct reference_call *call)
{
	int64_t elements = call->images;

	for (int d = 0; d < call->in_shape[0].rank; d++)
		elements *= call->in_shape[0].dim[d];
	for (int64_t e = 0; e < elements; e++)
		call->out[e] = call->in[0][e];
}

static double concat_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_concat *attrs = call->attrs;
	int input = 0;

	for (; index[attrs->axis] >= call->in_shape[input].dim[attrs->axis]; input++)
		index[attrs->axis] -= call->in_shape[input].dim[attrs->axis];
	return input_at(call, input, n, index);
}

void reference_concat(const struct reference_call *call)
{
	for_each_output(call, concat_element);
}

/* A dimension of 1 is no exception here: outside of it there are zeros. */
static double pad_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_pad *attrs = call->attrs;

	for (int d = 0; d < call->out_shape.rank; d++) {
		index[d] -= attrs->begin[d];
		if (index[d] >= call->in_shape[0].dim[d])
			return 0.0;
	}
	return input_at(call, 0, n, index);
}

void reference_pad(const struct reference_call *call)
{
	for_each_output(call, pad_element);
}

static double slice_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_slice *attrs = call->attrs;

	for (int d = 0; d < call->out_shape.rank; d++)
		index[d] = attrs->start[d] + index[d] * attrs->step[d];
	return input_at(call, 0, n, index);
}

void reference_slice(const struct reference_call *call)
{
	for_each_output(call, slice_element);
}

static double transpose_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_transpose *attrs = call->attrs;
	int64_t from[PARE_MAX_RANK] = {0};

	for (int d = 0; d < call->out_shape.rank; d++)
		from[attrs->order[d]] = index[d];
	return input_at(call, 0, n, from);
}

void reference_transpose(const struct reference_call *call)
{
	for_each_output(call, transpose_element);
}

static double softmax_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_softmax *attrs = call->attrs;
	double own = input_at(call, 0, n, index), sum = 0.0;

	for (int64_t k = 0; k < call->in_shape[0].dim[attrs->axis]; k++) {
		index[attrs->axis] = k;
		sum += exp(input_at(call, 0, n, index) - own);
	}
	return 1.0 / sum;
}

void reference_softmax(const struct reference_call *call)
{
	for_each_output(call, softmax_element);
}

static double layer_norm_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_layer_norm *attrs = call->attrs;
	int64_t c = index[attrs->axis], size = call->in_shape[0].dim[attrs->axis];
	double own = input_at(call, 0, n, index), mean = 0.0, variance = 0.0;

	for (index[attrs->axis] = 0; index[attrs->axis] < size; index[attrs->axis]++)
		mean += input_at(call, 0, n, index) / (double)size;
	for (index[attrs->axis] = 0; index[attrs->axis] < size; index[attrs->axis]++)
		variance += pow(input_at(call, 0, n, index) - mean, 2) / (double)size;
	return call->param[0][c] * (own - mean) / sqrt(variance + (double)attrs->epsilon) + call->param[1][c];
}

void reference_layer_norm(const struct reference_call *call)
{
	for_each_output(call, layer_norm_element);
}

static double scale_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_scale *attrs = call->attrs;
	double shift = call->n_params > 1 ? call->param[1][index[attrs->axis]] : 0.0;

	return call->param[0][index[attrs->axis]] * input_at(call, 0, n, index) + shift;
}

void reference_scale(const struct reference_call *call)
{
	for_each_output(call, scale_element);
}

/* All input elements whose other indices are the output's. */
static double reduce_mean_element(const struct reference_call *call, int64_t n, int64_t *index)
{
	const struct pare_reduce_mean *attrs = call->attrs;
	const struct pare_shape *in = &call->in_shape[0];
	int64_t elements = 1, at[PARE_MAX_RANK], count = 0;
	double sum = 0.0;

	for (int d = 0; d < in->rank; d++)
		elements *= in->dim[d];
	for (int64_t e = 0; e < elements; e++) {
		bool same = true;
		int out = 0;
		indices_of(in, e, at);
		for (int d = 0; d < in->rank; d++) {
			bool reduced = attrs->axes >> d & 1;
			same = same && (reduced || at[d] == index[out]);
			out += !reduced || attrs->keep_dims;
		}
		if (same) {
			sum += call->in[0][n * elements + e];
			count++;
		}
	}
	return sum / (double)count;
}

void reference_reduce_mean(const struct reference_call *call)
{
	for_each_output(call, reduce_mean_element);
}
