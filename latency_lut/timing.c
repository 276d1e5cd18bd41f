#include "latency_lut/timing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/memory.h"
#include "engine/base/status.h"

#define LEAST_SAMPLES 5
#define MOST_LOOPS 1000000

int pare_samples_add(struct pare_samples *samples, double ms)
{
	void *array = samples->ms;
	size_t at = samples->count;
	if (pare_array_grow(&array, &samples->capacity, samples->count + 1, sizeof(*samples->ms)))
		return PARE_E_NOMEM;
	samples->ms = array;
	while (at > 0 && samples->ms[at - 1] > ms) {
		samples->ms[at] = samples->ms[at - 1];
		at--;
	}
	samples->ms[at] = ms;
	samples->count++;
	return PARE_OK;
}

void pare_samples_release(struct pare_samples *samples)
{
	free(samples->ms);
	*samples = (struct pare_samples){0};
}

bool pare_samples_settled(const struct pare_samples *samples)
{
	double n = (double)samples->count;
	/* Rank of the interval's lower end, 0-based: normal approximation of the binomial, rounded to the safe side. */
	double rank = floor(n / 2.0 - 0.98 * sqrt(n) - 0.5);
	if (rank < 0.0)
		return false;
	size_t low = (size_t)rank, high = samples->count - 1 - low;
	return samples->ms[high] - samples->ms[low] < PARE_SETTLED_RATIO * pare_samples_quantile(samples, 0.5);
}

double pare_samples_quantile(const struct pare_samples *samples, double share)
{
	double position = share * (double)(samples->count - 1);
	size_t low = (size_t)position, high = low + 1 < samples->count ? low + 1 : low;
	return samples->ms[low] + (position - (double)low) * (samples->ms[high] - samples->ms[low]);
}

static double time_loops(const struct pare_timed *timed, int loops)
{
	if (timed->before)
		timed->before(timed->context);
	double start = pare_clock_ms();
	for (int i = 0; i < loops; i++)
		timed->run(timed->context);
	return pare_clock_ms() - start;
}

/* Doubles until a repetition is long enough. A disturbance may end it too early, which only costs accuracy. */
static int find_loops(const struct pare_timed *timed)
{
	int loops = 1;
	timed->run(timed->context);
	for (;;) {
		double ms = time_loops(timed, loops);
		if (ms >= PARE_REPETITION_MS || timed->before || loops >= MOST_LOOPS)
			return loops;
		loops *= 2;
	}
}

int pare_samples_take(struct pare_samples *samples, const struct pare_timed *timed, double max_ms)
{
	double start = pare_clock_ms();
	int loops = find_loops(timed);
	for (int taken = 0;; taken++) {
		if (taken >= LEAST_SAMPLES && (pare_clock_ms() - start >= max_ms || pare_samples_settled(samples)))
			return PARE_OK;
		if (pare_samples_add(samples, time_loops(timed, loops) / loops))
			return PARE_E_NOMEM;
	}
}
