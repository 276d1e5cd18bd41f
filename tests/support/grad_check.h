/*
 * A gradient against central finite differences of a scalar loss:
 *
 *     along one random direction v (normal entries):  |<gradient, v> - difference| <= tolerance * |gradient|_2
 *     along `samples` random coordinates i:            |gradient[i] - difference|  <= tolerance * |gradient|_max
 *
 * The direction sees every entry at once, the coordinates say which one is wrong. The loss is in double (a reference
 * operator), so that the difference itself is good to about 1e-8 and the tolerance is the operator's own rounding.
 */
#ifndef PARE_TESTS_SUPPORT_GRAD_CHECK_H
#define PARE_TESTS_SUPPORT_GRAD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grad_check {
	double (*loss)(void *context);
	void *context;
	double *values;        /* [count] what loss reads; as before on return */
	const float *gradient; /* [count] claimed d loss / d values */
	int64_t count;
	double epsilon; /* step */
	double tolerance;
	int samples;
	uint64_t seed;
};

/* False: text says where and by how much. */
bool grad_check(const struct grad_check *check, char *text, size_t size);

#endif
