/* The evaluators that exist; evaluator_table.c names them. */
#ifndef PARE_EVALUATORS_EVALUATORS_H
#define PARE_EVALUATORS_EVALUATORS_H

#include "evaluators/evaluator.h"

extern const struct pare_evaluator pare_evaluator_macs;
extern const struct pare_evaluator pare_evaluator_size;
extern const struct pare_evaluator pare_evaluator_memory;
extern const struct pare_evaluator pare_evaluator_latency;
extern const struct pare_evaluator pare_evaluator_accuracy;

#endif
