#include "tests/support/grad_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/rng.h"

static void move(const struct grad_check *check, const double *start, const double *direction, double step)
{
	for (int64_t i = 0; i < check->count; i++)
		check->values[i] = start[i] + step * direction[i];
}

static double difference(const struct grad_check *check, const double *start, const double *direction)
{
	move(check, start, direction, check->epsilon);
	double above = check->loss(check->context);
	move(check, start, direction, -check->epsilon);
	double below = check->loss(check->context);
	move(check, start, direction, 0.0);
	return (above - below) / (2.0 * check->epsilon);
}

static bool check_direction(const struct grad_check *check, const double *start, double *direction,
                            struct pare_rng *rng, char *text, size_t size)
{
	double claimed = 0.0, norm = 0.0;

	for (int64_t i = 0; i < check->count; i++) {
		double gradient = (double)check->gradient[i];
		direction[i] = pare_rng_normal(rng);
		claimed += gradient * direction[i];
		norm += gradient * gradient;
	}
	norm = sqrt(norm);
	double found = difference(check, start, direction);
	if (fabs(claimed - found) <= check->tolerance * norm)
		return true;
	snprintf(text, size, "along a random direction: gradient %.9g, difference %.9g, off by %.3g of the norm %.4g",
	         claimed, found, fabs(claimed - found) / norm, norm);
	return false;
}

static bool check_coordinate(const struct grad_check *check, const double *start, double *direction, int64_t i,
                             double largest, char *text, size_t size)
{
	double claimed = (double)check->gradient[i];

	memset(direction, 0, sizeof(*direction) * (size_t)check->count);
	direction[i] = 1.0;
	double found = difference(check, start, direction);
	if (fabs(claimed - found) <= check->tolerance * largest)
		return true;
	snprintf(text, size, "entry %lld of %lld: gradient %.9g, difference %.9g (largest %.4g)", (long long)i,
	         (long long)check->count, claimed, found, largest);
	return false;
}

bool grad_check(const struct grad_check *check, char *text, size_t size)
{
	struct pare_rng rng = pare_rng_make(check->seed, PARE_STREAM_TEST, 0);
	size_t bytes = sizeof(double) * (size_t)check->count;
	double *start = malloc(bytes), *direction = malloc(bytes), largest = 0.0;
	bool good = start && direction;

	snprintf(text, size, "out of memory");
	if (good) {
		memcpy(start, check->values, bytes);
		good = check_direction(check, start, direction, &rng, text, size);
	}
	for (int64_t i = 0; good && i < check->count; i++)
		largest = fmax(largest, fabs((double)check->gradient[i]));
	for (int sample = 0; good && sample < check->samples; sample++)
		good = check_coordinate(check, start, direction, pare_rng_below(&rng, (uint32_t)check->count), largest,
		                        text, size);
	free(direction);
	free(start);
	return good;
}
