/*
 * What is known about a candidate. Units are in the names; see the table in metrics.c for direction and unit.
 */
#ifndef PARE_EVALUATORS_METRICS_H
#define PARE_EVALUATORS_METRICS_H

#include <stdbool.h>

enum pare_metric {
	PARE_METRIC_ACCURACY,          /* on the search split, in [0, 1]; higher is better, all others lower */
	PARE_METRIC_LATENCY_MS,        /* by the latency table, for its batch and threads */
	PARE_METRIC_MACS,              /* multiply-accumulates of one image: convolutions and linear layers */
	PARE_METRIC_PARAMS,            /* trained parameters */
	PARE_METRIC_BYTES,             /* of all parameters as stored */
	PARE_METRIC_PEAK_MEMORY_BYTES, /* activations of one image alive at once, at most (inference) */
	PARE_METRIC_COUNT
};

struct pare_metrics {
	double value[PARE_METRIC_COUNT];
	bool present[PARE_METRIC_COUNT];
};

struct pare_metric_info {
	const char *name; /* "latency_ms" */
	const char *unit; /* "ms", "" */
	bool maximise;
};

extern const struct pare_metric_info pare_metric_info[PARE_METRIC_COUNT];
int pare_metric_find(const char *name); /* -1 when unknown */
void pare_metrics_set(struct pare_metrics *metrics, enum pare_metric metric, double value);

#endif
