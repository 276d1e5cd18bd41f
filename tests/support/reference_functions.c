/* The reference's element-wise functions, from the C library in double. */
#include <math.h>

#include "engine/ops/builders.h"
#include "tests/support/reference_ops.h"

static void for_each_element(const struct reference_call *call, double (*f)(double x, const void *attributes))
{
	int64_t elements = call->images;

	for (int d = 0; d < call->out_shape.rank; d++)
		elements *= call->out_shape.dim[d];
	for (int64_t e = 0; e < elements; e++)
		call->out[e] = f(call->in[0][e], call->attrs);
}

static double sigmoid_of(double x, const void *attributes)
{
	(void)attributes;
	return 1.0 / (1.0 + exp(-x));
}

void reference_sigmoid(const struct reference_call *call)
{
	for_each_element(call, sigmoid_of);
}

static double hard_sigmoid_of(double x, const void *attributes)
{
	const struct pare_hard_sigmoid *attrs = attributes;
	return fmin(fmax((double)attrs->alpha * x + (double)attrs->beta, 0.0), 1.0);
}

void reference_hard_sigmoid(const struct reference_call *call)
{
	for_each_element(call, hard_sigmoid_of);
}

static double hard_swish_of(double x, const void *attributes)
{
	(void)attributes;
	return x * fmin(fmax(x + 3.0, 0.0), 6.0) / 6.0;
}

void reference_hard_swish(const struct reference_call *call)
{
	for_each_element(call, hard_swish_of);
}

static double silu_of(double x, const void *attributes)
{
	(void)attributes;
	return x / (1.0 + exp(-x));
}

void reference_silu(const struct reference_call *call)
{
	for_each_element(call, silu_of);
}

static double gelu_of(double x, const void *attributes)
{
	(void)attributes;
	return x * 0.5 * erfc(-x / sqrt(2.0));
}

void reference_gelu(const struct reference_call *call)
{
	for_each_element(call, gelu_of);
}

static double erf_of(double x, const void *attributes)
{
	(void)attributes;
	return erf(x);
}

void reference_erf(const struct reference_call *call)
{
	for_each_element(call, erf_of);
}

static double tanh_of(double x, const void *attributes)
{
	(void)attributes;
	return tanh(x);
}

void reference_tanh(const struct reference_call *call)
{
	for_each_element(call, tanh_of);
}

static double clip_of(double x, const void *attributes)
{
	const struct pare_clip *attrs = attributes;
	return fmin(fmax(x, (double)attrs->min), (double)attrs->max);
}

void reference_clip(const struct reference_call *call)
{
	for_each_element(call, clip_of);
}

static double leaky_relu_of(double x, const void *attributes)
{
	const struct pare_leaky_relu *attrs = attributes;
	return x > 0.0 ? x : (double)attrs->slope * x;
}

void reference_leaky_relu(const struct reference_call *call)
{
	for_each_element(call, leaky_relu_of);
}

static double elu_of(double x, const void *attributes)
{
	const struct pare_elu *attrs = attributes;
	return x > 0.0 ? x : (double)attrs->alpha * expm1(x);
}

void reference_elu(const struct reference_call *call)
{
	for_each_element(call, elu_of);
}

static double sqrt_of(double x, const void *attributes)
{
	(void)attributes;
	return sqrt(x);
}

void reference_sqrt(const struct reference_call *call)
{
	for_each_element(call, sqrt_of);
}

static double pow_of(double x, const void *attributes)
{
	const struct pare_pow *attrs = attributes;
	return pow(x, (double)attrs->exponent);
}

void reference_pow(const struct reference_call *call)
{
	for_each_element(call, pow_of);
}

static double affine_scalar_of(double x, const void *attributes)
{
	const struct pare_affine_scalar *attrs = attributes;
	return (double)attrs->factor * x + (double)attrs->addend;
}

void reference_affine_scalar(const struct reference_call *call)
{
	for_each_element(call, affine_scalar_of);
}
