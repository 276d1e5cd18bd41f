#include "evaluators/evaluator.h"
#include "evaluators/memory.h"

/* Written so that a NaN is over every limit. */
static int check_limits(const struct pare_limit *limits, int n_limits, const struct pare_metrics *metrics,
                        struct pare_error *error)
{
	for (int i = 0; i < n_limits; i++) {
		const struct pare_metric_info *info = &pare_metric_info[limits[i].metric];
		double value = metrics->value[limits[i].metric];
		if (metrics->present[limits[i].metric] && !(value <= limits[i].limit))
			return pare_error_set(error, PARE_E_INFEASIBLE, "%s is %g, over the limit of %g", info->name,
			                      value, limits[i].limit);
	}
	return PARE_OK;
}

/* A limit that nothing was held against has not been kept. */
static int check_present(const struct pare_limit *limits, int n_limits, const struct pare_metrics *metrics,
                         struct pare_error *error)
{
	for (int i = 0; i < n_limits; i++)
		if (!metrics->present[limits[i].metric])
			return pare_error_set(error, PARE_E_INVALID,
			                      "there is a limit on %s, but nothing finds its value",
			                      pare_metric_info[limits[i].metric].name);
	return PARE_OK;
}

int pare_evaluate_candidate(const struct pare_evaluation_setup *setup, struct pare_candidate *candidate,
                            const struct pare_limit *limits, int n_limits, struct pare_metrics *metrics,
                            struct pare_error *error)
{
	*metrics = (struct pare_metrics){0};
	for (const struct pare_evaluator *const *e = pare_evaluator_table; *e; e++) {
		int status = (*e)->evaluate(setup, candidate, metrics, error);
		if (!status)
			status = check_limits(limits, n_limits, metrics, error);
		if (status)
			return status;
	}
	return check_present(limits, n_limits, metrics, error);
}

int pare_evaluate_cost(const struct pare_lut *lut, const struct pare_graph *trainable, const struct pare_graph *folded,
                       struct pare_metrics *metrics, struct pare_error *error)
{
	int64_t peak = 0;
	double ms = 0.0;
	int status;

	*metrics = (struct pare_metrics){0};
	pare_metrics_set(metrics, PARE_METRIC_MACS, (double)pare_graph_macs(trainable));
	pare_metrics_set(metrics, PARE_METRIC_PARAMS, (double)pare_graph_parameters(trainable));
	pare_metrics_set(metrics, PARE_METRIC_BYTES, (double)pare_graph_bytes(trainable));
	if (pare_peak_activation_bytes(folded, &peak))
		return pare_error_set(error, PARE_E_NOMEM, "out of memory");
	pare_metrics_set(metrics, PARE_METRIC_PEAK_MEMORY_BYTES, (double)peak);
	if (!lut)
		return PARE_OK;
	status = pare_lut_predict(lut, folded, &ms, error);
	if (!status)
		pare_metrics_set(metrics, PARE_METRIC_LATENCY_MS, ms);
	return status;
}
