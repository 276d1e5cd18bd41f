/*
 * exp and erf in single precision, as branch-free inline code: loops over them become SIMD code on every machine, which
 * loops over the C library's do not. Both hand NaN on.
 */
#ifndef PARE_ENGINE_MATH_SMOOTH_H
#define PARE_ENGINE_MATH_SMOOTH_H

#include <stdint.h>
#include <string.h>

/* e^x, relative error below 2e-7 for results that are normal floats; below e^-87 it gives e^-87, above e^88 e^88.
 *
 * x = n * ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial of degree 7 (remainder r^8/8! < 6e-9); 2^n by
 * writing n into the exponent. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits. */
static inline float pare_exp(float x)
{
	const float shift = 12582912.0f, log2_e = 1.44269504f;
	const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f; /* high has 9 bits: n * high is exact */
	int32_t bits, shift_bits;
	float power;

	x = x < -87.0f ? -87.0f : x;
	x = x > 88.0f ? 88.0f : x;
	float rounded = x * log2_e + shift;
	float n = rounded - shift;
	float r = (x - n * ln2_high) - n * ln2_low;
	float p = 1.0f / 5040.0f;
	p = p * r + 1.0f / 720.0f;
	p = p * r + 1.0f / 120.0f;
	p = p * r + 1.0f / 24.0f;
	p = p * r + 1.0f / 6.0f;
	p = p * r + 0.5f;
	p = (p * r) * r + r + 1.0f;
	memcpy(&bits, &rounded, sizeof(bits));
	memcpy(&shift_bits, &shift, sizeof(shift_bits));
	bits = (int32_t)(((uint32_t)bits - (uint32_t)shift_bits + 127u) << 23);
	memcpy(&power, &bits, sizeof(power));
	return p * power;
}

/* 1 / (1 + e^-x) */
static inline float pare_sigmoid(float x)
{
	return 1.0f / (1.0f + pare_exp(-x));
}

/* erf(x), absolute error below 3e-7, and relative below 1e-6 near 0. Up to 0.75 the Taylor series to x^15 (remainder 1e-8);
 * from there Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26 (1.5e-7, and rounding). */
static inline float pare_erf(float x)
{
	float size = x < 0.0f ? -x : x, square = x * x;
	float t = 1.0f / (1.0f + 0.3275911f * size);
	float p = 1.061405429f;
	p = p * t - 1.453152027f;
	p = p * t + 1.421413741f;
	p = p * t - 0.284496736f;
	p = p * t + 0.254829592f;
	float large = 1.0f - p * t * pare_exp(-square);
	/* 2 / sqrt(pi) * sum of (-1)^k x^(2k + 1) / (k! (2k + 1)) */
	float q = -1.0f / 75600.0f;
	q = q * square + 1.0f / 9360.0f;
	q = q * square - 1.0f / 1320.0f;
	q = q * square + 1.0f / 216.0f;
	q = q * square - 1.0f / 42.0f;
	q = q * square + 1.0f / 10.0f;
	q = q * square - 1.0f / 3.0f;
	q = q * square + 1.0f;
	float small = 1.12837917f * x * q;
	large = x < 0.0f ? -large : large;
	return size < 0.75f ? small : large;
}

#endif
