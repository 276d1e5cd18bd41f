/* Every file in tests/experiments/bad is refused with exactly the text beside it. After a wanted change of a message,
 * PARE_UPDATE_EXPECTED=1 writes the texts anew: read the difference before committing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "experiments/spec.h"
#include "tests/support/text_files.h"

#define FOLDER "tests/experiments/bad"

static char *diagnose(const char *name)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	struct pare_spec spec;
	char path[300];
	char *text;

	snprintf(path, sizeof(path), FOLDER "/%s", name);
	text = text_file(path);
	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&printed);
	assert_int_equal(pare_spec_parse(&spec, text, name, NULL, &diagnostics), PARE_E_INVALID);
	assert_true(pare_diagnostics_any(&diagnostics));
	pare_diagnostics_print(&diagnostics, 0, &printed);
	pare_spec_release(&spec);
	pare_diagnostics_release(&diagnostics);
	free(text);
	return pare_strbuf_detach(&printed);
}

/* Length of the lines at the start that both have. */
static size_t equal_lines(const char *a, const char *b)
{
	size_t line = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	return line;
}

static void compare(const char *name)
{
	char path[300], full[600];
	char *found = diagnose(name), *expected;
	struct pare_error error = {0};

	assert_non_null(found);
	snprintf(path, sizeof(path), FOLDER "/%.*s.expected", (int)(strlen(name) - strlen(".yaml")), name);
	if (getenv("PARE_UPDATE_EXPECTED")) {
		snprintf(full, sizeof(full), "%s/%s", PARE_SOURCE_DIR, path);
		assert_int_equal(pare_file_write_atomic(full, found, strlen(found), &error), PARE_OK);
	}
	expected = text_file(path);
	if (strcmp(found, expected) != 0) {
		size_t same = equal_lines(found, expected);

		fail_msg("%s: expected\n%.400s\nfound\n%.400s", name, expected + same, found + same);
	}
	free(expected);
	free(found);
}

static void test_bad_configs__are_refused_with_exactly_the_expected_text(void **state)
{
	struct file_names names = files_with_ending(FOLDER, ".yaml");

	(void)state;
	assert_true(names.count >= 30);
	for (size_t i = 0; i < names.count; i++)
		compare(names.name[i]);
	file_names_release(&names);
}

static void test_bad_configs__every_expected_text_has_its_file(void **state)
{
	struct file_names files = files_with_ending(FOLDER, ".yaml"), texts = files_with_ending(FOLDER, ".expected");

	(void)state;
	assert_int_equal(files.count, texts.count);
	file_names_release(&files);
	file_names_release(&texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_bad_configs__are_refused_with_exactly_the_expected_text),
	        cmocka_unit_test(test_bad_configs__every_expected_text_has_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
