#include "evaluators/metrics.h"

#include <string.h>

const struct pare_metric_info pare_metric_info[PARE_METRIC_COUNT] = {
        [PARE_METRIC_ACCURACY] = {"accuracy", "", true},
        [PARE_METRIC_LATENCY_MS] = {"latency_ms", "ms", false},
        [PARE_METRIC_MACS] = {"macs", "", false},
        [PARE_METRIC_PARAMS] = {"params", "", false},
        [PARE_METRIC_BYTES] = {"bytes", "bytes", false},
        [PARE_METRIC_PEAK_MEMORY_BYTES] = {"peak_memory_bytes", "bytes", false},
};

int pare_metric_find(const char *name)
{
	for (int i = 0; i < PARE_METRIC_COUNT; i++)
		if (strcmp(pare_metric_info[i].name, name) == 0)
			return i;
	return -1;
}

void pare_metrics_set(struct pare_metrics *metrics, enum pare_metric metric, double value)
{
	metrics->value[metric] = value;
	metrics->present[metric] = true;
}
