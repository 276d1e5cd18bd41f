/*
 * Every operator once more: naive loops in double over plain NCHW, written from the formulas and sharing no code with
 * the engine. Slow on purpose. The output's shape is the caller's (infer_shape has tests of its own).
 */
#ifndef PARE_TESTS_SUPPORT_REFERENCE_OPS_H
#define PARE_TESTS_SUPPORT_REFERENCE_OPS_H

#include "engine/graph/op.h"

#define REFERENCE_MAX 4

struct reference_call {
	const void *attrs; /* the operator's, engine/ops/builders.h */
	bool training;
	int64_t images;
	int n_inputs, n_params;
	struct pare_shape in_shape[REFERENCE_MAX], param_shape[REFERENCE_MAX], out_shape;
	double *in[REFERENCE_MAX];    /* [images][in_shape] */
	double *param[REFERENCE_MAX]; /* [param_shape] */
	double *out;                  /* [images][out_shape] */
};

typedef void (*reference_fn)(const struct reference_call *call);

void reference_conv2d(const struct reference_call *call);
void reference_linear(const struct reference_call *call);
/* The batch's statistics in training, else the parameters'; parameters are not changed. */
void reference_batch_norm(const struct reference_call *call);
void reference_relu(const struct reference_call *call);
void reference_relu6(const struct reference_call *call);
void reference_max_pool(const struct reference_call *call);
void reference_average_pool(const struct reference_call *call);
void reference_global_average_pool(const struct reference_call *call);
void reference_add(const struct reference_call *call);
void reference_concat(const struct reference_call *call);
void reference_flatten(const struct reference_call *call);
void reference_pad(const struct reference_call *call);
void reference_slice(const struct reference_call *call);
void reference_transpose(const struct reference_call *call);
void reference_softmax(const struct reference_call *call);
void reference_layer_norm(const struct reference_call *call);
void reference_scale(const struct reference_call *call);
void reference_reduce_mean(const struct reference_call *call);

void reference_mul(const struct reference_call *call);
void reference_sub(const struct reference_call *call);
void reference_div(const struct reference_call *call);

void reference_sigmoid(const struct reference_call *call);
void reference_hard_sigmoid(const struct reference_call *call);
void reference_hard_swish(const struct reference_call *call);
void reference_silu(const struct reference_call *call);
void reference_gelu(const struct reference_call *call);
void reference_erf(const struct reference_call *call);
void reference_tanh(const struct reference_call *call);
void reference_clip(const struct reference_call *call);
void reference_leaky_relu(const struct reference_call *call);
void reference_elu(const struct reference_call *call);
void reference_sqrt(const struct reference_call *call);
void reference_pow(const struct reference_call *call);
void reference_affine_scalar(const struct reference_call *call);

/* One channel's mean and biased variance over all images and pixels. */
void reference_moments(const double *in, int64_t images, const struct pare_shape *shape, int64_t channel, double *mean,
                       double *variance);
double reference_activation(double x, enum pare_activation activation);

#endif
