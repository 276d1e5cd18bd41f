/* The one list of evaluators, cheap ones first: a new evaluator is its file and a line here. */
#include "evaluators/evaluators.h"

#include <stddef.h>

const struct pare_evaluator *const pare_evaluator_table[] = {
        &pare_evaluator_macs,    &pare_evaluator_size,     &pare_evaluator_memory,
        &pare_evaluator_latency, &pare_evaluator_accuracy, NULL,
};
