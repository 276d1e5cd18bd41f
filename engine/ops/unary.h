/*
 * Element-wise functions: what each is made of, for the operators in unary.c (private to the two).
 */
#ifndef PARE_ENGINE_OPS_UNARY_H
#define PARE_ENGINE_OPS_UNARY_H

#include "engine/graph/op.h"

/* The operator's attributes: none, one or two floats. */
struct pare_unary_numbers {
	float a, b;
};

struct pare_unary {
	const struct pare_op *op;
	/* y = f(x), over contiguous floats */
	void (*forward)(const float *x, float *y, int64_t count, struct pare_unary_numbers numbers);
	/* dx = (accumulate ? dx : 0) + dy * f'. at: y if the operator has PARE_OP_BACKWARD_READS_OUTPUT, else x. */
	void (*backward)(const float *at, const float *dy, float *dx, int64_t count, struct pare_unary_numbers numbers,
	                 bool accumulate);
	bool (*valid)(struct pare_unary_numbers numbers);   /* NULL: always */
	const char *allowed;                                /* what valid asks for */
	bool (*partial)(struct pare_unary_numbers numbers); /* not finite everywhere; NULL: never */
};

/* The last one has no op. */
extern const struct pare_unary pare_unary_table[];

#endif
