/*
 * The element-wise functions, f above and its slope f' below, from x or from y = f(x), whichever is cheaper to keep:
 *
 *     sigmoid        1 / (1 + e^-x)                             y (1 - y)
 *     hard_sigmoid   min(max(alpha x + beta, 0), 1)             alpha where 0 < y < 1
 *     hard_swish     x min(max(x / 6 + 1/2, 0), 1)              x / 3 + 1/2 between -3 and 3; 0 below, 1 above
 *     silu           x s, s = sigmoid(x)                        s (1 + x (1 - s))
 *     gelu           x P(x), P the normal distribution          P(x) + x e^(-x^2 / 2) / sqrt(2 pi)
 *     erf            2 / sqrt(pi) integral of e^(-t^2)          2 / sqrt(pi) e^(-x^2)
 *     tanh           2 sigmoid(2 x) - 1                         1 - y^2
 *     clip           min(max(x, min), max)                      1 where min < y < max
 *     leaky_relu     x above 0, slope x below                   1 where y > 0, else slope
 *     elu            x above 0, alpha (e^x - 1) below           1 where y > 0, else y + alpha
 *     sqrt           x^(1/2)                                    1 / (2 y)
 *     pow            x^exponent                                 exponent x^(exponent - 1)
 *     affine_scalar  factor x + addend                          factor
 *
 * GELU: Hendrycks and Gimpel 2016, with erf; SiLU and hard swish: Ramachandran et al. 2017, Howard et al. (MobileNetV3)
 * 2019; ELU: Clevert et al. 2016. NaN is handed on.
 */
#include <math.h>

#include "engine/math/lane_kernels.h"
#include "engine/ops/builders.h"
#include "engine/ops/unary.h"

typedef float (*point_fn)(float x_or_y, struct pare_unary_numbers k);

/* Inlined with a constant `value`, so that each function becomes a loop of its own. */
static inline __attribute__((always_inline)) void map(const float *restrict x, float *restrict y, int64_t count,
                                                      struct pare_unary_numbers k, point_fn value)
{
	for (int64_t i = 0; i < count; i++)
		y[i] = value(x[i], k);
}

/* at: x or y, whichever slope wants. */
static inline __attribute__((always_inline)) void chain(const float *restrict at, const float *restrict dy,
                                                        float *restrict dx, int64_t count, struct pare_unary_numbers k,
                                                        bool accumulate, point_fn slope)
{
	if (accumulate)
		for (int64_t i = 0; i < count; i++)
			dx[i] += dy[i] * slope(at[i], k);
	else
		for (int64_t i = 0; i < count; i++)
			dx[i] = dy[i] * slope(at[i], k);
}

/* A NaN fails both comparisons and is handed on. */
static inline float limit(float x, float min, float max)
{
	x = x < min ? min : x;
	return x > max ? max : x;
}

/* Functions of exponentials, with the kernels of engine/math. */
static void map_smooth(enum pare_smooth function, const float *x, float *y, int64_t count)
{
	pare_lane_kernels()->smooth(function, x, y, count);
}

/* Slopes that are written down before they are used; 8 KiB. */
#define CHUNK 2048

static void chain_smooth(enum pare_smooth slope, const float *x, const float *dy, float *dx, int64_t count,
                         bool accumulate)
{
	float slopes[CHUNK];

	for (int64_t i = 0; i < count; i += CHUNK) {
		int64_t left = count - i, some = left < CHUNK ? left : CHUNK;
		pare_lane_kernels()->smooth(slope, x + i, slopes, some);
		for (int64_t j = 0; j < some; j++)
			dx[i + j] = accumulate ? dx[i + j] + dy[i + j] * slopes[j] : dy[i + j] * slopes[j];
	}
}

static inline float sigmoid_slope(float y, struct pare_unary_numbers k)
{
	(void)k;
	return y * (1.0f - y);
}

static void sigmoid_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	map_smooth(PARE_SMOOTH_SIGMOID, x, y, count);
}

static void sigmoid_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                             bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, sigmoid_slope);
}

static inline float hard_sigmoid_value(float x, struct pare_unary_numbers k)
{
	return limit(k.a * x + k.b, 0.0f, 1.0f);
}

static inline float hard_sigmoid_slope(float y, struct pare_unary_numbers k)
{
	return (float)((y > 0.0f) & (y < 1.0f)) * k.a;
}

static void hard_sigmoid_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, hard_sigmoid_value);
}

static void hard_sigmoid_backward(const float *at, const float *dy, float *dx, int64_t count,
                                  struct pare_unary_numbers k, bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, hard_sigmoid_slope);
}

/* The bounds 0 and 1, as numbers that the compiler does not know: of constants it makes branches. k is 0. */
static inline float hard_swish_value(float x, struct pare_unary_numbers k)
{
	return x * limit(x * (1.0f / 6.0f) + 0.5f, k.a, k.a + 1.0f);
}

static inline float hard_swish_slope(float x, struct pare_unary_numbers k)
{
	(void)k;
	return (float)((x > -3.0f) & (x < 3.0f)) * (x * (1.0f / 3.0f) + 0.5f) + (float)(x >= 3.0f);
}

static void hard_swish_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, hard_swish_value);
}

static void hard_swish_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                                bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, hard_swish_slope);
}

static void silu_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	map_smooth(PARE_SMOOTH_SILU, x, y, count);
}

static void silu_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                          bool accumulate)
{
	(void)k;
	chain_smooth(PARE_SMOOTH_SILU_SLOPE, at, dy, dx, count, accumulate);
}

static void gelu_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	map_smooth(PARE_SMOOTH_GELU, x, y, count);
}

static void gelu_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                          bool accumulate)
{
	(void)k;
	chain_smooth(PARE_SMOOTH_GELU_SLOPE, at, dy, dx, count, accumulate);
}

static void erf_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	map_smooth(PARE_SMOOTH_ERF, x, y, count);
}

static void erf_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                         bool accumulate)
{
	(void)k;
	chain_smooth(PARE_SMOOTH_ERF_SLOPE, at, dy, dx, count, accumulate);
}

static inline float tanh_slope(float y, struct pare_unary_numbers k)
{
	(void)k;
	return 1.0f - y * y;
}

static void tanh_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	for (int64_t i = 0; i < count; i++)
		y[i] = 2.0f * x[i];
	map_smooth(PARE_SMOOTH_SIGMOID, y, y, count);
	for (int64_t i = 0; i < count; i++)
		y[i] = 2.0f * y[i] - 1.0f;
}

static void tanh_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                          bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, tanh_slope);
}

static inline float clip_value(float x, struct pare_unary_numbers k)
{
	return limit(x, k.a, k.b);
}

static inline float clip_slope(float y, struct pare_unary_numbers k)
{
	return (float)((y > k.a) & (y < k.b));
}

static void clip_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, clip_value);
}

static void clip_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                          bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, clip_slope);
}

static inline float leaky_relu_value(float x, struct pare_unary_numbers k)
{
	return x < 0.0f ? k.a * x : x;
}

static inline float leaky_relu_slope(float y, struct pare_unary_numbers k)
{
	return (float)(y > 0.0f) + (float)(y <= 0.0f) * k.a;
}

static void leaky_relu_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, leaky_relu_value);
}

static void leaky_relu_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                                bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, leaky_relu_slope);
}

static inline float elu_slope(float y, struct pare_unary_numbers k)
{
	return (float)(y > 0.0f) + (float)(y <= 0.0f) * (y + k.a);
}

static void elu_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map_smooth(PARE_SMOOTH_EXP, x, y, count);
	for (int64_t i = 0; i < count; i++) {
		float above = x[i], below = k.a * (y[i] - 1.0f);
		y[i] = above > 0.0f ? above : below;
	}
}

static void elu_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                         bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, elu_slope);
}

static inline float sqrt_slope(float y, struct pare_unary_numbers k)
{
	(void)k;
	return 0.5f / y;
}

static void sqrt_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	(void)k;
	for (int64_t i = 0; i < count; i++)
		y[i] = sqrtf(x[i]);
}

static void sqrt_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                          bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, sqrt_slope);
}

static inline float pow_value(float x, struct pare_unary_numbers k)
{
	return k.a == 2.0f ? x * x : powf(x, k.a);
}

static inline float pow_slope(float x, struct pare_unary_numbers k)
{
	if (k.a == 0.0f) /* a constant; 0 * powf(0, -1) would be NaN */
		return 0.0f;
	return k.a == 2.0f ? 2.0f * x : k.a * powf(x, k.a - 1.0f);
}

static void pow_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, pow_value);
}

static void pow_backward(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers k,
                         bool accumulate)
{
	chain(at, dy, dx, count, k, accumulate, pow_slope);
}

static inline float affine_scalar_value(float x, struct pare_unary_numbers k)
{
	return k.a * x + k.b;
}

static inline float affine_scalar_slope(float x, struct pare_unary_numbers k)
{
	(void)x;
	return k.a;
}

static void affine_scalar_forward(const float *x, float *y, int64_t count, struct pare_unary_numbers k)
{
	map(x, y, count, k, affine_scalar_value);
}

static void affine_scalar_backward(const float *at, const float *dy, float *dx, int64_t count,
                                   struct pare_unary_numbers k, bool accumulate)
{
	(void)at;
	chain(dy, dy, dx, count, k, accumulate, affine_scalar_slope); /* the slope looks at nothing */
}

static bool is_finite(struct pare_unary_numbers k)
{
	return isfinite(k.a) && isfinite(k.b);
}

static bool is_order(struct pare_unary_numbers k)
{
	return k.a <= k.b;
}

static bool is_not_negative(struct pare_unary_numbers k)
{
	return k.a >= 0.0f && isfinite(k.a);
}

/* Below 0, or at it, there may be no value. */
static bool is_partial_sqrt(struct pare_unary_numbers k)
{
	(void)k;
	return true;
}

static bool is_partial_pow(struct pare_unary_numbers k)
{
	return k.a < 0.0f || k.a != rintf(k.a);
}

const struct pare_unary pare_unary_table[] = {
        {.op = &pare_op_sigmoid, .forward = sigmoid_forward, .backward = sigmoid_backward},
        {.op = &pare_op_hard_sigmoid,
         .forward = hard_sigmoid_forward,
         .backward = hard_sigmoid_backward,
         .valid = is_finite,
         .allowed = "finite numbers"},
        {.op = &pare_op_hard_swish, .forward = hard_swish_forward, .backward = hard_swish_backward},
        {.op = &pare_op_silu, .forward = silu_forward, .backward = silu_backward},
        {.op = &pare_op_gelu, .forward = gelu_forward, .backward = gelu_backward},
        {.op = &pare_op_erf, .forward = erf_forward, .backward = erf_backward},
        {.op = &pare_op_tanh, .forward = tanh_forward, .backward = tanh_backward},
        {.op = &pare_op_clip,
         .forward = clip_forward,
         .backward = clip_backward,
         .valid = is_order,
         .allowed = "min <= max"},
        {.op = &pare_op_leaky_relu,
         .forward = leaky_relu_forward,
         .backward = leaky_relu_backward,
         .valid = is_not_negative,
         .allowed = "a slope of at least 0"},
        {.op = &pare_op_elu,
         .forward = elu_forward,
         .backward = elu_backward,
         .valid = is_not_negative,
         .allowed = "an alpha of at least 0"},
        {.op = &pare_op_sqrt, .forward = sqrt_forward, .backward = sqrt_backward, .partial = is_partial_sqrt},
        {.op = &pare_op_pow,
         .forward = pow_forward,
         .backward = pow_backward,
         .valid = is_finite,
         .allowed = "a finite exponent",
         .partial = is_partial_pow},
        {.op = &pare_op_affine_scalar,
         .forward = affine_scalar_forward,
         .backward = affine_scalar_backward,
         .valid = is_finite,
         .allowed = "finite numbers"},
        {0},
};
