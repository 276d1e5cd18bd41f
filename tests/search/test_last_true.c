#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "search/last_true.h"

struct answers {
	const char *yes; /* 'y' or 'n' per index; '!' is an error */
	int asked;
};

static int ask(void *context, int index)
{
	struct answers *answers = context;

	answers->asked++;
	assert_in_range(index, 0, strlen(answers->yes) - 1);
	return answers->yes[index] == '!' ? -4 : answers->yes[index] == 'y';
}

static void expect(const char *yes, int window, int index)
{
	struct answers answers = {yes, 0};
	int found = -7;

	assert_int_equal(pare_last_true((int)strlen(yes), window, ask, &answers, &found), 0);
	assert_int_equal(found, index);
}

static void test_last_true__all_cuts_of_short_ranges(void **state)
{
	char yes[12] = "";

	(void)state;
	expect("", 4, -1);
	for (int n = 1; n <= 10; n++)
		for (int cut = 0; cut <= n; cut++) {
			memset(yes, 'n', sizeof(yes));
			memset(yes, 'y', (size_t)cut);
			yes[n] = '\0';
			expect(yes, 0, cut - 1);
			expect(yes, 3, cut - 1);
			expect(yes, 100, cut - 1);
		}
}

static void test_last_true__teeth_within_the_window_are_exact(void **state)
{
	(void)state;
	expect("yyyynyynyyyynnnn", 4, 11);
	expect("nnnyn", 4, 3);
	expect("ynnnnnnnnnnnnnny", 16, 15);
	expect("nynynynynynynynnnn", 2, 13);
}

static void test_last_true__monotone_answers_are_bisected(void **state)
{
	char yes[4097];
	struct answers answers = {yes, 0};
	int found;

	(void)state;
	memset(yes, 'n', 4096);
	memset(yes, 'y', 1000);
	yes[4096] = '\0';
	assert_int_equal(pare_last_true(4096, 16, ask, &answers, &found), 0);
	assert_int_equal(found, 999);
	assert_in_range(answers.asked, 1, 13 + 16);
}

static void test_last_true__errors_end_the_search(void **state)
{
	struct answers first = {"yyy!nnn", 0}, window = {"yyynnn!", 0};
	int found;

	(void)state;
	assert_int_equal(pare_last_true(7, 3, ask, &first, &found), -4);
	assert_int_equal(pare_last_true(7, 1, ask, &window, &found), 0);
	assert_int_equal(found, 2);
	assert_int_equal(pare_last_true(7, 7, ask, &window, &found), -4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_last_true__all_cuts_of_short_ranges),
	        cmocka_unit_test(test_last_true__teeth_within_the_window_are_exact),
	        cmocka_unit_test(test_last_true__monotone_answers_are_bisected),
	        cmocka_unit_test(test_last_true__errors_end_the_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
