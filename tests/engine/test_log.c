#include "engine/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct record {
	int messages;
	enum pare_log_level level;
	char last[2048];
};

static void keep(void *context, enum pare_log_level level, const char *message)
{
	struct record *record = context;

	record->messages++;
	record->level = level;
	snprintf(record->last, sizeof(record->last), "%s", message);
}

static void test_log__passes_messages_up_to_its_level(void **state)
{
	struct record record = {0};
	struct pare_log log = {PARE_LOG_WARNING, keep, &record};

	(void)state;
	pare_log(&log, PARE_LOG_INFO, "dropped");
	assert_int_equal(record.messages, 0);
	pare_log(&log, PARE_LOG_WARNING, "%d groups", 7);
	assert_int_equal(record.messages, 1);
	assert_int_equal(record.level, PARE_LOG_WARNING);
	assert_string_equal(record.last, "7 groups");
	pare_log(&log, PARE_LOG_ERROR, "x");
	assert_int_equal(record.messages, 2);
}

static void test_log__no_logger_is_silent(void **state)
{
	struct pare_log log = {.level = PARE_LOG_DEBUG};

	(void)state;
	pare_log(NULL, PARE_LOG_ERROR, "%s", "x");
	pare_log(&log, PARE_LOG_ERROR, "%s", "x");
}

static void test_log__long_messages_are_cut(void **state)
{
	struct record record = {0};
	struct pare_log log = {PARE_LOG_DEBUG, keep, &record};

	(void)state;
	pare_log(&log, PARE_LOG_INFO, "%5000d", 1);
	assert_in_range(strlen(record.last), 500, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_log__passes_messages_up_to_its_level),
	        cmocka_unit_test(test_log__no_logger_is_silent),
	        cmocka_unit_test(test_log__long_messages_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
