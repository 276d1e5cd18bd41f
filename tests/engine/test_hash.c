#include "engine/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The digits that `xxhsum -H2` prints. */
static void test_hash__known_answers(void **state)
{
	char text[PARE_HASH_TEXT_SIZE];

	(void)state;
	pare_hash_bytes("", 0, text);
	assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
	pare_hash_bytes("abc", 3, text);
	assert_string_equal(text, "06b05ab6733a618578af5f94892f3950");
}

static void test_hash__every_bit_and_the_length_matter(void **state)
{
	unsigned char bytes[300] = {0};
	char base[PARE_HASH_TEXT_SIZE], text[PARE_HASH_TEXT_SIZE];

	(void)state;
	pare_hash_bytes(bytes, sizeof(bytes), base);
	assert_int_equal(strspn(base, "0123456789abcdef"), 32);
	for (size_t i = 0; i < 8 * sizeof(bytes); i++) {
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
		pare_hash_bytes(bytes, sizeof(bytes), text);
		assert_string_not_equal(text, base);
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
	}
	pare_hash_bytes(bytes, sizeof(bytes) - 1, text);
	assert_string_not_equal(text, base);
	pare_hash_bytes(bytes, sizeof(bytes), text);
	assert_string_equal(text, base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_hash__known_answers),
	        cmocka_unit_test(test_hash__every_bit_and_the_length_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
