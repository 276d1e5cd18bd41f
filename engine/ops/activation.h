/*
 * ReLU and ReLU6 over contiguous floats, for the stand-alone operators and for those that fuse them.
 *
 *     ReLU:  y = max(x, 0)           dx = dy where y > 0
 *     ReLU6: y = min(max(x, 0), 6)   dx = dy where 0 < y < 6
 *
 * NaN stays NaN on the way forward: a diverged network must be visible. PARE_ACTIVATION_NONE is the identity.
 */
#ifndef PARE_ENGINE_OPS_ACTIVATION_H
#define PARE_ENGINE_OPS_ACTIVATION_H

#include "engine/graph/op.h"

static inline float pare_activate(float x, enum pare_activation activation)
{
	/* Written so that a NaN fails the comparison and is handed on; compiles to one max and one min. */
	if (activation != PARE_ACTIVATION_NONE)
		x = 0.0f > x ? 0.0f : x;
	if (activation == PARE_ACTIVATION_RELU6)
		x = 6.0f < x ? 6.0f : x;
	return x;
}

/* dy where the activation with output y lets the gradient through, else 0. */
static inline float pare_activation_gradient(float y, float dy, enum pare_activation activation)
{
	if (activation != PARE_ACTIVATION_NONE)
		dy = y > 0.0f ? dy : 0.0f;
	if (activation == PARE_ACTIVATION_RELU6)
		dy = y < 6.0f ? dy : 0.0f;
	return dy;
}

/* y[i] = activation(x[i]). y may be x. */
void pare_activation_forward(const float *x, float *y, int64_t count, enum pare_activation activation);

/* dy[i] *= activation'(y[i]), in place. */
void pare_activation_mask(const float *y, float *dy, int64_t count, enum pare_activation activation);

/* dx[i] = (accumulate ? dx[i] : 0) + dy[i] * activation'. y is not read (may be NULL) for PARE_ACTIVATION_NONE. */
void pare_activation_backward(const float *y, const float *dy, float *dx, int64_t count,
                              enum pare_activation activation, bool accumulate);

/* The forward, backward and infer_shape of a stand-alone activation operator. */
int pare_activation_infer_shape(const struct pare_graph *graph, const struct pare_node *node, struct pare_shape *out,
                                struct pare_error *error);
void pare_activation_op_forward(const struct pare_op_args *args, enum pare_activation activation);
void pare_activation_op_backward(const struct pare_op_args *args, enum pare_activation activation);

#endif
