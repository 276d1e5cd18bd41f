#include "engine/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/status.h"

static void test_memory__size_multiply_refuses_overflow(void **state)
{
	size_t product;

	(void)state;
	assert_true(pare_size_multiply(SIZE_MAX / 2, 2, &product));
	assert_true(product == SIZE_MAX - 1);
	assert_true(pare_size_multiply(0, SIZE_MAX, &product));
	assert_true(product == 0);
	assert_false(pare_size_multiply(SIZE_MAX / 2 + 1, 2, &product));
	assert_false(pare_size_multiply(SIZE_MAX, SIZE_MAX, &product));
}

static void test_memory__int64_multiply_refuses_overflow_and_negatives(void **state)
{
	int64_t product;

	(void)state;
	assert_true(pare_int64_multiply(INT64_MAX / 2, 2, &product));
	assert_true(product == INT64_MAX - 1);
	assert_true(pare_int64_multiply(0, INT64_MAX, &product));
	assert_false(pare_int64_multiply(INT64_MAX / 2 + 1, 2, &product));
	assert_false(pare_int64_multiply(-1, 2, &product));
	assert_false(pare_int64_multiply(2, -1, &product));
	assert_false(pare_int64_multiply(-2, -2, &product));
}

static void test_memory__float_new_is_zeroed_and_aligned(void **state)
{
	(void)state;
	for (size_t count = 0; count < 70; count++) {
		float *values = pare_float_new(count);

		assert_non_null(values);
		assert_int_equal((uintptr_t)values % 64, 0);
		for (size_t i = 0; i < count; i++)
			assert_true(values[i] == 0.0f);
		free(values);
	}
}

static void test_memory__aligned_new_holds_what_was_asked_for(void **state)
{
	(void)state;
	for (size_t size = 0; size < 200; size += 7) {
		unsigned char *bytes = pare_aligned_new(size);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % 64, 0);
		memset(bytes, 0xff, size);
		free(bytes);
	}
}

static void test_memory__calloc_zeroes_and_never_confuses_none_with_failure(void **state)
{
	unsigned char *bytes = pare_calloc(3, 5);
	void *none = pare_calloc(0, 8);

	(void)state;
	assert_non_null(bytes);
	assert_memory_equal(bytes, (unsigned char[15]){0}, 15);
	assert_non_null(none);
	free(bytes);
	free(none);
}

static void test_memory__sizes_that_overflow_give_null(void **state)
{
	(void)state;
	assert_null(pare_float_new(SIZE_MAX / 4 + 1));
	assert_null(pare_aligned_new(SIZE_MAX));
	assert_null(pare_aligned_new(SIZE_MAX - 62));
}

static void test_memory__array_grows_by_doubling_and_keeps_its_values(void **state)
{
	int *values = NULL;
	size_t capacity = 0, moves = 0;

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		size_t before = capacity;

		assert_int_equal(pare_array_grow((void **)&values, &capacity, i + 1, sizeof(*values)), PARE_OK);
		assert_true(capacity > i);
		moves += capacity != before;
		values[i] = (int)i;
	}
	assert_true(moves < 20);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(values[i], i);
	free(values);
}

static void test_memory__array_that_cannot_grow_is_unchanged(void **state)
{
	int *values = NULL, *before;
	size_t capacity = 0, old;

	(void)state;
	assert_int_equal(pare_array_grow((void **)&values, &capacity, 3, sizeof(*values)), PARE_OK);
	before = values;
	old = capacity;
	assert_int_equal(pare_array_grow((void **)&values, &capacity, SIZE_MAX / 2, sizeof(*values)), PARE_E_NOMEM);
	assert_ptr_equal(values, before);
	assert_int_equal(capacity, old);
	free(values);
}

static void test_memory__strdup_passes_null_on(void **state)
{
	char *text = pare_strdup("abc");

	(void)state;
	assert_null(pare_strdup(NULL));
	assert_string_equal(text, "abc");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_memory__size_multiply_refuses_overflow),
	        cmocka_unit_test(test_memory__int64_multiply_refuses_overflow_and_negatives),
	        cmocka_unit_test(test_memory__float_new_is_zeroed_and_aligned),
	        cmocka_unit_test(test_memory__aligned_new_holds_what_was_asked_for),
	        cmocka_unit_test(test_memory__calloc_zeroes_and_never_confuses_none_with_failure),
	        cmocka_unit_test(test_memory__sizes_that_overflow_give_null),
	        cmocka_unit_test(test_memory__array_grows_by_doubling_and_keeps_its_values),
	        cmocka_unit_test(test_memory__array_that_cannot_grow_is_unchanged),
	        cmocka_unit_test(test_memory__strdup_passes_null_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
