/*
 * How long something takes: repetitions, and the median with its confidence.
 *
 *     struct pare_samples samples = {0};
 *     pare_samples_take(&samples, &(struct pare_timed){run, NULL, context}, 20.0);   // again and again: samples add up
 *     pare_samples_release(&samples);
 *
 * A repetition calls `run` as often as it takes to fill PARE_REPETITION_MS, so that the clock's own cost and resolution
 * do not show; but only once when something has to be done before each run. Medians, because disturbances only ever
 * make a run longer.
 */
#ifndef PARE_LATENCY_LUT_TIMING_H
#define PARE_LATENCY_LUT_TIMING_H

#include <stdbool.h>
#include <stddef.h>

#define PARE_REPETITION_MS 0.05
/* Width of the median's confidence interval, relative to the median, from which on more samples are not worth their
 * time. */
#define PARE_SETTLED_RATIO 0.02

struct pare_timed {
	void (*run)(void *context);
	void (*before)(void *context); /* (optional) before every repetition, not timed */
	void *context;
};

/* Milliseconds of one run, ascending. */
struct pare_samples {
	double *ms;
	size_t count, capacity;
};

int pare_samples_add(struct pare_samples *samples, double ms);
void pare_samples_release(struct pare_samples *samples);

/* Runs to warm up and to find the length of a repetition, then at least five repetitions, and more until max_ms are
 * used up or all samples together have settled. PARE_E_NOMEM or 0. */
int pare_samples_take(struct pare_samples *samples, const struct pare_timed *timed, double max_ms);

/* The 95 % confidence interval of the median, from order statistics (no assumption on the distribution), is narrower
 * than PARE_SETTLED_RATIO of it. Never with fewer than six samples: such an interval does not exist then. */
bool pare_samples_settled(const struct pare_samples *samples);

/* The value with `share` of the samples below it, by linear interpolation; there must be a sample. */
double pare_samples_quantile(const struct pare_samples *samples, double share);

#endif
