#include "engine/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_status__every_code_has_its_own_text(void **state)
{
	(void)state;
	for (int code = PARE_OK; code >= PARE_E_LIMIT; code--) {
		assert_true(strlen(pare_status_text(code)) > 0);
		assert_string_not_equal(pare_status_text(code), pare_status_text(12345));
		for (int other = PARE_OK; other > code; other--)
			assert_string_not_equal(pare_status_text(code), pare_status_text(other));
	}
}

static void test_status__set_returns_the_code_without_an_error_object(void **state)
{
	(void)state;
	assert_int_equal(pare_error_set(NULL, PARE_E_FORMAT, "x %d", 1), PARE_E_FORMAT);
	assert_int_equal(pare_error_set_at(NULL, PARE_E_IO, "f", 1, 2, "x"), PARE_E_IO);
	assert_int_equal(pare_error_prefix(NULL, PARE_E_LIMIT, "x"), PARE_E_LIMIT);
}

static void test_status__set_forgets_the_place_of_the_error_before(void **state)
{
	struct pare_error error = {0};

	(void)state;
	pare_error_set_at(&error, PARE_E_FORMAT, "a.yaml", 3, 7, "bad");
	assert_int_equal(pare_error_set(&error, PARE_E_INVALID, "got %d, allowed: 1 to 8", 9), PARE_E_INVALID);
	assert_int_equal(error.code, PARE_E_INVALID);
	assert_string_equal(error.text, "got 9, allowed: 1 to 8");
	assert_string_equal(error.file, "");
	assert_int_equal(error.line, 0);
	assert_int_equal(error.column, 0);
}

static void expect_formatted(const char *file, int64_t line, int64_t column, const char *expected)
{
	struct pare_error error = {0};
	char text[128];

	pare_error_set_at(&error, PARE_E_FORMAT, file, line, column, "bad");
	pare_error_format(&error, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_status__format_shows_the_parts_that_are_known(void **state)
{
	(void)state;
	expect_formatted("a.yaml", 3, 7, "a.yaml:3:7: bad");
	expect_formatted("a.yaml", 3, 0, "a.yaml:3: bad");
	expect_formatted("a.yaml", 0, 0, "a.yaml: bad");
	expect_formatted("a.yaml", 0, 7, "a.yaml: bad");
	expect_formatted(NULL, 0, 0, "bad");
}

static void test_status__format_cuts_to_size(void **state)
{
	struct pare_error error = {0};
	char text[6] = "-----";

	(void)state;
	pare_error_set(&error, PARE_E_IO, "0123456789");
	pare_error_format(&error, text, 0);
	assert_string_equal(text, "-----");
	pare_error_format(&error, text, 4);
	assert_string_equal(text, "012");
	assert_int_equal(text[4], '-');
}

static void test_status__prefix_keeps_code_and_place(void **state)
{
	struct pare_error error = {0};
	char text[128];

	(void)state;
	pare_error_set_at(&error, PARE_E_FORMAT, "a.onnx", 3, 0, "bad");
	assert_int_equal(pare_error_prefix(&error, PARE_E_IO, "layer %d", 4), PARE_E_FORMAT);
	pare_error_format(&error, text, sizeof(text));
	assert_string_equal(text, "a.onnx:3: layer 4: bad");
}

static void test_status__prefix_of_an_empty_error_names_the_code(void **state)
{
	struct pare_error error = {0};

	(void)state;
	assert_int_equal(pare_error_prefix(&error, PARE_E_NOMEM, "layer 4"), PARE_E_NOMEM);
	assert_int_equal(error.code, PARE_E_NOMEM);
	assert_string_equal(error.text, "layer 4: out of memory");
}

static void test_status__texts_too_long_are_cut(void **state)
{
	char text[4 * PARE_ERROR_TEXT_SIZE];
	struct pare_error error = {0};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	pare_error_set_at(&error, PARE_E_IO, text, 1, 1, "%s", text);
	assert_int_equal(strlen(error.text), PARE_ERROR_TEXT_SIZE - 1);
	assert_int_equal(strlen(error.file), PARE_ERROR_FILE_SIZE - 1);
	pare_error_prefix(&error, PARE_E_IO, "p");
	assert_memory_equal(error.text, "p: xxx", 6);
	assert_int_equal(strlen(error.text), PARE_ERROR_TEXT_SIZE - 1);
	pare_error_prefix(&error, PARE_E_IO, "%s", text);
	assert_int_equal(strlen(error.text), PARE_ERROR_TEXT_SIZE - 1);
}

static void test_status__arguments_may_come_from_the_error_itself(void **state)
{
	struct pare_error error = {0};

	(void)state;
	pare_error_set_at(&error, PARE_E_IO, "a.yaml", 0, 0, "inner");
	pare_error_set_at(&error, PARE_E_FORMAT, error.file, 2, 0, "outer (%s)", error.text);
	assert_string_equal(error.file, "a.yaml");
	assert_string_equal(error.text, "outer (inner)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_status__every_code_has_its_own_text),
	        cmocka_unit_test(test_status__set_returns_the_code_without_an_error_object),
	        cmocka_unit_test(test_status__set_forgets_the_place_of_the_error_before),
	        cmocka_unit_test(test_status__format_shows_the_parts_that_are_known),
	        cmocka_unit_test(test_status__format_cuts_to_size),
	        cmocka_unit_test(test_status__prefix_keeps_code_and_place),
	        cmocka_unit_test(test_status__prefix_of_an_empty_error_names_the_code),
	        cmocka_unit_test(test_status__texts_too_long_are_cut),
	        cmocka_unit_test(test_status__arguments_may_come_from_the_error_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
