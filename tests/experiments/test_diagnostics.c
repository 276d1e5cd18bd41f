#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "experiments/diagnostics.h"

struct fixture {
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	pare_diagnostics_init(&fixture->diagnostics);
	pare_strbuf_init(&fixture->printed);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	pare_diagnostics_release(&fixture->diagnostics);
	pare_strbuf_release(&fixture->printed);
	free(fixture);
	return 0;
}

static const char *print(struct fixture *fixture, int color)
{
	pare_strbuf_clear(&fixture->printed);
	pare_diagnostics_print(&fixture->diagnostics, color, &fixture->printed);
	return fixture->printed.text;
}

static void test_diagnostics__print_as_the_header_shows(void **state)
{
	struct fixture *fixture = *state;

	pare_diagnostics_set_source(&fixture->diagnostics, "bad.yaml", "a: 1\nsearch:\n  stratgey: nsga2\n");
	pare_diagnostics_add(&fixture->diagnostics, 3, 3, 11, "did you mean 'strategy'?", "unknown key '%s' in search",
	                     "stratgey");
	assert_string_equal(print(fixture, 0), "bad.yaml:3:3: error: unknown key 'stratgey' in search\n"
	                                       "    3 |   stratgey: nsga2\n"
	                                       "      |   ^^^^^^^^\n"
	                                       "      = help: did you mean 'strategy'?\n");
}

static void test_diagnostics__the_whole_file_then_places_then_overrides(void **state)
{
	struct fixture *fixture = *state;
	struct pare_diagnostics *diagnostics = &fixture->diagnostics;

	pare_diagnostics_set_source(diagnostics, "x", NULL);
	diagnostics->origin = "--set b=1";
	pare_diagnostics_add(diagnostics, 1, 1, 0, NULL, "sixth");
	diagnostics->origin = "--set a=1";
	pare_diagnostics_add(diagnostics, 0, 0, 0, NULL, "seventh");
	diagnostics->origin = NULL;
	pare_diagnostics_add(diagnostics, 3, 1, 0, NULL, "fifth");
	pare_diagnostics_add(diagnostics, 2, 7, 0, NULL, "third");
	pare_diagnostics_add(diagnostics, 2, 7, 0, NULL, "fourth");
	pare_diagnostics_add(diagnostics, 2, 1, 0, NULL, "second");
	pare_diagnostics_add(diagnostics, 0, 0, 0, NULL, "first");
	assert_string_equal(print(fixture, 0), "x: error: first\n"
	                                       "x:2:1: error: second\n"
	                                       "x:2:7: error: third\n"
	                                       "x:2:7: error: fourth\n"
	                                       "x:3:1: error: fifth\n"
	                                       "--set b=1: error: sixth\n"
	                                       "--set a=1: error: seventh\n");
}

static void test_diagnostics__tabs_and_wide_characters_keep_the_caret_in_place(void **state)
{
	struct fixture *fixture = *state;

	pare_diagnostics_set_source(&fixture->diagnostics, "x", "\tcaf\xc3\xa9: 3\r\n");
	pare_diagnostics_add(&fixture->diagnostics, 1, 8, 9, NULL, "here");
	assert_string_equal(print(fixture, 0), "x:1:8: error: here\n"
	                                       "    1 | \tcaf\xc3\xa9: 3\n"
	                                       "      | \t      ^\n");
}

static void test_diagnostics__long_lines_are_cut_around_the_caret(void **state)
{
	struct fixture *fixture = *state;
	char line[2001];
	const char *caret, *source;

	memset(line, 'x', sizeof(line) - 1);
	line[1500] = '#';
	line[sizeof(line) - 1] = '\0';
	pare_diagnostics_set_source(&fixture->diagnostics, "x", line);
	pare_diagnostics_add(&fixture->diagnostics, 1, 1501, 1502, NULL, "here");
	print(fixture, 0);
	assert_true(strlen(fixture->printed.text) < 400);
	source = strstr(fixture->printed.text, "    1 | ");
	caret = strstr(fixture->printed.text, "      | ");
	assert_non_null(source);
	assert_non_null(caret);
	assert_int_equal(strchr(source, '#') - source, strchr(caret, '^') - caret);
}

static void test_diagnostics__nothing_drives_the_terminal(void **state)
{
	struct fixture *fixture = *state;

	pare_diagnostics_set_source(&fixture->diagnostics, "a\033b",
	                            "\033[31m \xff \xc2\x9b \xf0\x9f\x98\x80 \xe2\x82\n");
	pare_diagnostics_add(&fixture->diagnostics, 1, 1, 2, "\a", "\033]0;title\a\n\xc3");
	print(fixture, 0);
	for (const char *c = fixture->printed.text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n');
	assert_non_null(strstr(fixture->printed.text, "?[31m ? ?? \xf0\x9f\x98\x80 ??\n"));
	assert_non_null(strstr(fixture->printed.text, "a?b:1:1: error: ?]0;title???\n"));
}

static void test_diagnostics__color_marks_but_says_the_same(void **state)
{
	struct fixture *fixture = *state;
	char plain[256];
	size_t length = 0;

	pare_diagnostics_set_source(&fixture->diagnostics, "x", "a: 1\n");
	pare_diagnostics_add(&fixture->diagnostics, 1, 1, 2, "help", "text");
	snprintf(plain, sizeof(plain), "%s", print(fixture, 0));
	assert_null(strchr(plain, '\033'));
	print(fixture, 1);
	assert_non_null(strchr(fixture->printed.text, '\033'));
	for (char *c = fixture->printed.text; *c; c++) {
		if (*c == '\033')
			c = strchr(c, 'm');
		else
			assert_int_equal(*c, plain[length++]);
	}
	assert_int_equal(plain[length], '\0');
}

static void test_diagnostics__more_than_are_kept_are_counted(void **state)
{
	struct fixture *fixture = *state;

	assert_false(pare_diagnostics_any(&fixture->diagnostics));
	pare_diagnostics_set_source(&fixture->diagnostics, "x", NULL);
	for (int i = 0; i < PARE_MAX_DIAGNOSTICS + 23; i++)
		pare_diagnostics_add(&fixture->diagnostics, i + 1, 1, 2, NULL, "number %d", i);
	assert_true(pare_diagnostics_any(&fixture->diagnostics));
	assert_int_equal(fixture->diagnostics.count, PARE_MAX_DIAGNOSTICS);
	assert_non_null(strstr(print(fixture, 0), "number 99\nand 23 more errors\n"));
}

static void test_diagnostics__a_place_beyond_the_source_has_no_caret(void **state)
{
	struct fixture *fixture = *state;

	pare_diagnostics_set_source(&fixture->diagnostics, "x", "a: 1");
	pare_diagnostics_add(&fixture->diagnostics, 3, 9, 12, NULL, "far");
	pare_diagnostics_add(&fixture->diagnostics, 1, 9, 12, NULL, "right");
	assert_string_equal(print(fixture, 0), "x:1:9: error: right\n"
	                                       "    1 | a: 1\n"
	                                       "      |         ^^^\n"
	                                       "x:3:9: error: far\n");
}

static void test_did_you_mean__finds_the_nearest(void **state)
{
	static const char *const words[] = {"trials", "train", "seed", "strategy", "l1", "l2", NULL};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
	        {"trails", "trials"},      /* "train" would be three away */
	        {"stratgey", "strategy"},  /* swap */
	        {"stratgy", "strategy"},   /* missing letter */
	        {"seeed", "seed"},         /* one too many */
	        {"sead", "seed"},          /* another letter */
	        {"1l", "l1"},              /* a swap is one edit, not two */
	        {"l3", "l1"},              /* equally near: the first */
	        {"sttrategi", "strategy"}, /* 2 edits of at most 1 + 9 / 4 */
	        {"strtgi", NULL},          /* 3 edits of at most 1 + 6 / 4 */
	        {"sxyd", "seed"},          /* 2 of at most 1 + 4 / 4 */
	        {"sxd", NULL},             /* 2 of at most 1 + 3 / 4 */
	        {"", NULL},
	        {"banana", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *nearest = pare_did_you_mean(cases[i].word, words);

		if (!cases[i].nearest)
			assert_null(nearest);
		else if (!nearest || strcmp(nearest, cases[i].nearest) != 0)
			fail_msg("'%s': '%s' instead of '%s'", cases[i].word, nearest ? nearest : "nothing",
			         cases[i].nearest);
	}
}

static void test_did_you_mean__takes_words_of_any_length(void **state)
{
	static const char *const none[] = {NULL};
	char word[301];
	const char *const words[] = {word, "seed", NULL};

	(void)state;
	memset(word, 's', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(pare_did_you_mean(word, words));
	assert_string_equal(pare_did_you_mean("sed", words), "seed");
	assert_null(pare_did_you_mean("sed", none));
	word[64] = '\0';
	assert_string_equal(pare_did_you_mean(word, words), word);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_diagnostics__print_as_the_header_shows),
	        TEST(test_diagnostics__the_whole_file_then_places_then_overrides),
	        TEST(test_diagnostics__tabs_and_wide_characters_keep_the_caret_in_place),
	        TEST(test_diagnostics__long_lines_are_cut_around_the_caret),
	        TEST(test_diagnostics__nothing_drives_the_terminal),
	        TEST(test_diagnostics__color_marks_but_says_the_same),
	        TEST(test_diagnostics__more_than_are_kept_are_counted),
	        TEST(test_diagnostics__a_place_beyond_the_source_has_no_caret),
	        cmocka_unit_test(test_did_you_mean__finds_the_nearest),
	        cmocka_unit_test(test_did_you_mean__takes_words_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
