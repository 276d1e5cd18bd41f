/* Reading a configuration from a text in a test. `overrides` may be NULL. */
#ifndef PARE_TESTS_SUPPORT_SPEC_HELPER_H
#define PARE_TESTS_SUPPORT_SPEC_HELPER_H

#include "experiments/spec.h"

/* Fails the running test, with the messages, unless the text is right. The caller releases the spec. */
void spec_from_text(struct pare_spec *spec, const char *text, const char *path, const char *const *overrides);
/* Fails the running test unless the text is refused and the messages contain `needle`. */
void assert_spec_refused(const char *text, const char *const *overrides, const char *needle);
/* The canonical text, malloc'd. */
char *spec_to_text(const struct pare_spec *spec);

#endif
