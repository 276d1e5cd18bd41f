#include "engine/base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_strbuf__is_an_empty_string_after_init(void **state)
{
	struct pare_strbuf buffer;

	(void)state;
	pare_strbuf_init(&buffer);
	assert_string_equal(buffer.text, "");
	assert_int_equal(buffer.length, 0);
	pare_strbuf_clear(&buffer);
	pare_strbuf_add(&buffer, "");
	assert_string_equal(buffer.text, "");
	pare_strbuf_release(&buffer);
}

static void test_strbuf__appends_in_order(void **state)
{
	struct pare_strbuf buffer;

	(void)state;
	pare_strbuf_init(&buffer);
	pare_strbuf_add(&buffer, "ab");
	pare_strbuf_add_bytes(&buffer, "cdef", 2);
	pare_strbuf_printf(&buffer, "-%d-%s", 12, "x");
	assert_string_equal(buffer.text, "abcd-12-x");
	assert_int_equal(buffer.length, 9);
	assert_true(buffer.capacity > buffer.length);
	assert_false(buffer.failed);
	pare_strbuf_release(&buffer);
	assert_string_equal(buffer.text, "");
	assert_int_equal(buffer.capacity, 0);
}

static void test_strbuf__grows_past_any_first_size(void **state)
{
	struct pare_strbuf buffer;

	(void)state;
	pare_strbuf_init(&buffer);
	for (int i = 0; i < 10000; i++) {
		pare_strbuf_printf(&buffer, "%04d", i);
		assert_int_equal(buffer.text[buffer.length], '\0');
	}
	assert_int_equal(buffer.length, 40000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(strtol((char[5]){buffer.text[4 * i], buffer.text[4 * i + 1], buffer.text[4 * i + 2],
		                                  buffer.text[4 * i + 3]},
		                        NULL, 10),
		                 i);
	pare_strbuf_printf(&buffer, "%5000d", 1);
	assert_int_equal(buffer.length, 45000);
	pare_strbuf_release(&buffer);
}

static void test_strbuf__keeps_zero_bytes(void **state)
{
	struct pare_strbuf buffer;

	(void)state;
	pare_strbuf_init(&buffer);
	pare_strbuf_add_bytes(&buffer, "a\0b", 3);
	assert_int_equal(buffer.length, 3);
	assert_memory_equal(buffer.text, "a\0b", 4);
	pare_strbuf_release(&buffer);
}

static void test_strbuf__clear_keeps_the_memory(void **state)
{
	struct pare_strbuf buffer;
	size_t capacity;

	(void)state;
	pare_strbuf_init(&buffer);
	pare_strbuf_add(&buffer, "something long enough to be allocated");
	capacity = buffer.capacity;
	pare_strbuf_clear(&buffer);
	assert_string_equal(buffer.text, "");
	assert_int_equal(buffer.capacity, capacity);
	pare_strbuf_add(&buffer, "b");
	assert_string_equal(buffer.text, "b");
	pare_strbuf_release(&buffer);
}

static void test_strbuf__detach_hands_the_text_over(void **state)
{
	struct pare_strbuf buffer;
	char *text;

	(void)state;
	pare_strbuf_init(&buffer);
	pare_strbuf_add(&buffer, "abc");
	text = pare_strbuf_detach(&buffer);
	assert_string_equal(text, "abc");
	free(text);
	assert_string_equal(buffer.text, "");
	text = pare_strbuf_detach(&buffer);
	assert_string_equal(text, "");
	free(text);
}

static void test_strbuf__failure_is_sticky(void **state)
{
	struct pare_strbuf buffer;

	(void)state;
	pare_strbuf_init(&buffer);
	pare_strbuf_add(&buffer, "abc");
	pare_strbuf_add_bytes(&buffer, "x", SIZE_MAX - 1);
	assert_true(buffer.failed);
	pare_strbuf_add(&buffer, "d");
	pare_strbuf_printf(&buffer, "%d", 1);
	assert_string_equal(buffer.text, "abc");
	assert_true(buffer.failed);
	assert_null(pare_strbuf_detach(&buffer));
	assert_false(buffer.failed);
	assert_string_equal(buffer.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_strbuf__is_an_empty_string_after_init),
	        cmocka_unit_test(test_strbuf__appends_in_order),
	        cmocka_unit_test(test_strbuf__grows_past_any_first_size),
	        cmocka_unit_test(test_strbuf__keeps_zero_bytes),
	        cmocka_unit_test(test_strbuf__clear_keeps_the_memory),
	        cmocka_unit_test(test_strbuf__detach_hands_the_text_over),
	        cmocka_unit_test(test_strbuf__failure_is_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
