#include "engine/train/schedule.h"

#include <math.h>

static double decayed(const struct pare_schedule_options *o, double progress)
{
	double rate = o->learning_rate;
	switch (o->kind) {
	case PARE_SCHEDULE_CONSTANT:
		break;
	case PARE_SCHEDULE_COSINE:
		rate = o->final_learning_rate +
		       (o->learning_rate - o->final_learning_rate) * 0.5 * (1.0 + cos(3.14159265358979323846 * progress));
		break;
	case PARE_SCHEDULE_STEP:
		for (int i = 0; i < o->n_milestones; i++)
			if (progress >= o->milestones[i])
				rate *= o->gamma;
		break;
	}
	return rate;
}

double pare_schedule_rate(const struct pare_schedule_options *options, int64_t step, int64_t steps)
{
	double warmup = floor(options->warmup * (double)steps), at = (double)step, all = (double)steps;
	if (at < warmup)
		return options->learning_rate * (at + 1.0) / warmup;
	/* Milestones are fractions of all steps; the cosine spans what follows the warm-up. */
	if (options->kind == PARE_SCHEDULE_STEP)
		return decayed(options, at / all);
	return decayed(options, (at - warmup) / (all - warmup));
}
