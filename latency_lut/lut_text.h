/*
 * The table's file, shared by writer and reader: text, one entry a line.
 *
 *     pare latency table 1
 *     cpu: AMD EPYC (family 26 model 2 stepping 1)
 *     flags: sse4_2 avx avx2 fma
 *     kernels: avx2
 *     blas: OpenBLAS 0.3.21 Haswell
 *     governor: performance
 *     cores: 4
 *     batch_images: 16
 *     threads: 1
 *     date: 2026-11-23T09:05:12Z
 *     pare: 0.1.0
 *     fields: in_channels out_channels count median_ms p10_ms p90_ms
 *     family conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 28x28
 *     8 8 57 0.0123 0.0121 0.0130
 *     8 16 57 0.0217 0.0215 0.0223
 *     end 2
 *
 * Families ascend by key, entries by (in_channels, out_channels); in a family they are the full product of both axes.
 * in_channels is 0 in families of one axis. The last line holds the number of entries and ends with a newline like all
 * others. Everything is printable ASCII.
 */
#ifndef PARE_LATENCY_LUT_LUT_TEXT_H
#define PARE_LATENCY_LUT_LUT_TEXT_H

#include "engine/base/strbuf.h"
#include "latency_lut/lut.h"

#define PARE_LUT_TITLE "pare latency table"
#define PARE_LUT_FIELDS "in_channels out_channels count median_ms p10_ms p90_ms"
#define PARE_LUT_MS_FORMAT "%.6g"

#endif
