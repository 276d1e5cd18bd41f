/* Monotonic time and wall-clock dates. */
#ifndef PARE_ENGINE_BASE_CLOCK_H
#define PARE_ENGINE_BASE_CLOCK_H

#include <stddef.h>

/* Milliseconds since an arbitrary start, monotonic. */
double pare_clock_ms(void);
/* CPU time of this process, all threads, in seconds. */
double pare_clock_cpu_s(void);
/* The present UTC time as "2026-11-23T09:05:12Z" (21 bytes with the NUL). */
void pare_clock_iso(char *text, size_t size);

#endif
