/*
 * Latency tables with made-up times, for tests of what is done with a table. A time is a bilinear function of the
 * channels, so interpolation and extrapolation must reproduce it exactly (to rounding).
 */
#ifndef PARE_TESTS_SUPPORT_LUT_TABLES_H
#define PARE_TESTS_SUPPORT_LUT_TABLES_H

#include "latency_lut/lut.h"

/* Batch 16, 2 threads, this machine, no families. */
struct pare_lut *test_table_new(void);
/* Adds the full grid; in = NULL, n_in = 0: one axis. Families must be added in ascending order of their keys. */
void test_table_add(struct pare_lut *lut, const char *key, const int *in, int n_in, const int *out, int n_out);
/* The time of every entry, in ms. */
double test_table_ms(int64_t in, int64_t out);

#endif
