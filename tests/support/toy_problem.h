/*
 * Analytic search problems: costs by formula, accuracy separable over the knobs, so that the best answer is known. They
 * stand in for networks wherever a controller is tested.
 */
#ifndef PARE_TESTS_SUPPORT_TOY_PROBLEM_H
#define PARE_TESTS_SUPPORT_TOY_PROBLEM_H

#include "search/controller.h"

#define TOY_MAX_KNOBS 8

enum toy_cost {
	TOY_SUM,   /* sum of price_k * channels_k */
	TOY_CHAIN, /* 3 c_1 + c_1 c_2 + ... + c_(n-1) c_n + 10 c_n: MACs of a chain of 1 x 1 convolutions on one pixel
	            */
	TOY_STAIRCASE, /* TOY_SUM with channels rounded up to multiples of 4 */
	TOY_TEETH,     /* TOY_STAIRCASE, and 7 channels more where 4 does not divide: 17 channels cost more than 24 */
	TOY_LARGEST,   /* the largest price_k * channels_k: a plateau in every single direction */
	TOY_ODD,       /* TOY_SUM of the knobs 0, 2, 4, ... only */
	TOY_EVEN,      /* TOY_SUM of the knobs 1, 3, 5, ... only */
	TOY_UNKNOWN,   /* NaN; only without a budget */
};

struct toy {
	struct pare_problem problem;
	int channels[TOY_MAX_KNOBS];
	double price[TOY_MAX_KNOBS];
	double weight[TOY_MAX_KNOBS]; /* accuracy = 0.95 - sum of weight_k * (1 - ratio_k)^2 */
	enum toy_cost costs[PARE_MAX_RESOURCES];
	long asked;   /* how often a cost was asked for */
	int fails_at; /* cost fails at this call (counted from 1); 0 = never */
};

/* Knob k has the ratios first/channels[k] ... channels[k]/channels[k]; prices are 1 and weights 0.1. */
void toy_init(struct toy *toy, int n_knobs, const int *channels, int first);
void toy_release(struct toy *toy);
/* Adds a resource whose budget is `share` of its baseline (INFINITY: reported only). After prices are set. */
void toy_add_resource(struct toy *toy, enum toy_cost cost, double share);
double toy_accuracy(const struct toy *toy, const double *point);
/* Resource j of a point; fails the test if cost does. */
double toy_cost(struct toy *toy, const double *point, int j);
bool toy_is_allowed(const struct toy *toy, const double *point);

/* Fills the defaults of a controller's options. */
void toy_defaults(const struct pare_controller_kind *kind, double *values);

/* One finished study. */
struct toy_study {
	int n;
	int64_t parent[4096], round[4096];
	double point[4096][TOY_MAX_KNOBS];
	struct pare_observation observed[4096]; /* resources NULL: recomputed */
	const char *reason;
	int status; /* of the last propose if negative, else 0 */
};

typedef struct pare_observation (*toy_evaluate_fn)(struct toy *toy, int64_t trial, const double *point);
struct pare_observation toy_evaluate(struct toy *toy, int64_t trial, const double *point);

/*
 * Runs kind from its beginning, at most `workers` proposals out at once. The first `known` trials of `study` are
 * replayed: proposals must equal the recorded ones, observations are the recorded ones; after that evaluate decides.
 * Ids begin at first_trial. Every point must be allowed. The controller is handed back for questions; close it.
 */
struct pare_controller *toy_run(struct toy *toy, const struct pare_controller_kind *kind, const double *values,
                                int64_t first_trial, int workers, int known, toy_evaluate_fn evaluate,
                                struct toy_study *study);

#endif
