#include "tests/support/spec_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void spec_from_text(struct pare_spec *spec, const char *text, const char *path, const char *const *overrides)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;

	pare_diagnostics_init(&diagnostics);
	if (pare_spec_parse(spec, text, path, overrides, &diagnostics)) {
		pare_strbuf_init(&printed);
		pare_diagnostics_print(&diagnostics, 0, &printed);
		fail_msg("%s", printed.text);
	}
	assert_false(pare_diagnostics_any(&diagnostics));
	pare_diagnostics_release(&diagnostics);
}

void assert_spec_refused(const char *text, const char *const *overrides, const char *needle)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	struct pare_spec spec;

	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&printed);
	assert_int_equal(pare_spec_parse(&spec, text, "x.yaml", overrides, &diagnostics), PARE_E_INVALID);
	pare_diagnostics_print(&diagnostics, 0, &printed);
	if (!strstr(printed.text, needle))
		fail_msg("no '%s' in\n%s", needle, printed.text);
	pare_strbuf_release(&printed);
	pare_spec_release(&spec);
	pare_diagnostics_release(&diagnostics);
}

char *spec_to_text(const struct pare_spec *spec)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	assert_int_equal(pare_spec_text(spec, &text), PARE_OK);
	return pare_strbuf_detach(&text);
}
