/* Learning-rate schedules, as a function of the step. */
#ifndef PARE_ENGINE_TRAIN_SCHEDULE_H
#define PARE_ENGINE_TRAIN_SCHEDULE_H

#include <stdint.h>

#define PARE_MAX_MILESTONES 8

enum pare_schedule_kind { PARE_SCHEDULE_CONSTANT, PARE_SCHEDULE_COSINE, PARE_SCHEDULE_STEP };

struct pare_schedule_options {
	enum pare_schedule_kind kind;
	double learning_rate;       /* the peak */
	double final_learning_rate; /* cosine ends here */
	double warmup;              /* fraction of all steps, in [0, 1), with a linear rise from learning_rate / warm-up steps */
	double milestones[PARE_MAX_MILESTONES]; /* step: fractions of all steps in (0, 1), ascending */
	int n_milestones;
	double gamma; /* step: factor at each milestone */
};

/* Cosine: final + (peak - final) * (1 + cos(pi * t)) / 2 over the steps after the warm-up (Loshchilov & Hutter 2017). */
double pare_schedule_rate(const struct pare_schedule_options *options, int64_t step, int64_t steps);

#endif
