#include "engine/base/clock.h"

#include <time.h>

double pare_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

double pare_clock_cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void pare_clock_iso(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm utc;

	if (!size)
		return;
	/* Neither fails for a present-day time and the 21 bytes asked for; a shorter text comes back empty. */
	if (!gmtime_r(&now, &utc) || !strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &utc))
		text[0] = '\0';
}
