#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/strbuf.h"
#include "engine/compress/plan.h"
#include "tests/support/nets.h"

struct fixture {
	struct pare_graph *graph;
	struct pare_groups groups;
	struct pare_plan plan;
};

/* Groups: input:3 (frozen), conv1:8, conv2:12, conv3:7, fc:5 (frozen). */
static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	assert_non_null(fixture);
	fixture->graph = test_net_build("plain");
	assert_int_equal(pare_groups_init(&fixture->groups, fixture->graph, NULL), PARE_OK);
	assert_int_equal(pare_plan_init(&fixture->plan, &fixture->groups), PARE_OK);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	pare_plan_release(&fixture->plan);
	pare_groups_release(&fixture->groups);
	pare_graph_free(fixture->graph);
	free(fixture);
	return 0;
}

static void test_plan__starts_with_nothing_cut(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(fixture->plan.n_groups, 5);
	for (int g = 0; g < 5; g++)
		assert_int_equal(fixture->plan.kept[g], fixture->groups.group[g].channels);
	assert_int_equal(pare_plan_check(&fixture->plan, &fixture->groups, NULL), PARE_OK);
}

static void test_plan__rounds_to_the_nearest_allowed_count(void **state)
{
	(void)state;
	static const struct {
		int channels;
		double ratio;
		int step, expected;
	} cases[] = {
	        {16, 0.5, 1, 8},   {16, 0.53, 1, 8},  {16, 0.54, 1, 9},  {16, 0.53125, 1, 9}, /* halves go up */
	        {16, 1.0, 1, 16},  {16, 1.7, 1, 16},  {16, 0.0, 1, 1},   {16, -3.0, 1, 1},    {16, 0.001, 1, 1},
	        {64, 0.5, 8, 32},  {64, 0.55, 8, 32}, {64, 0.57, 8, 40}, {64, 0.01, 8, 8},    {64, 0.99, 8, 64},
	        {20, 1.0, 8, 20},  {20, 0.95, 8, 20}, {20, 0.85, 8, 16}, {20, 0.9, 8, 20}, /* all is always allowed */
	        {17, 0.99, 8, 17}, {17, 0.9, 8, 16},  {6, 0.1, 8, 6},    {8, 0.1, 8, 8},      {1, 0.2, 1, 1},
	        {10, 0.5, 0, 5},   {10, 0.5, -4, 5},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(pare_plan_round(cases[i].channels, cases[i].ratio, cases[i].step), cases[i].expected);
	assert_int_equal(pare_plan_round(16, (double)NAN, 1), 1);
	assert_int_equal(pare_plan_round(16, (double)INFINITY, 1), 16);
}

/* Whatever comes in: within [1, channels], and a multiple of step or all. */
static void test_plan__rounding_stays_in_range_and_grows_with_the_ratio(void **state)
{
	(void)state;
	for (int64_t channels = 1; channels < 40; channels++) {
		for (int64_t step = 1; step < 20; step++) {
			int64_t before = 1;
			for (double ratio = 0.0; ratio <= 1.0; ratio += 1.0 / 128) {
				int64_t kept = pare_plan_round(channels, ratio, step);
				assert_true(kept >= before && kept <= channels);
				assert_true(kept % step == 0 || kept == channels);
				before = kept;
			}
			assert_int_equal(before, channels);
		}
	}
}

static void test_plan__text_names_every_group_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct pare_strbuf text;
	fixture->plan.kept[1] = 3;
	fixture->plan.kept[3] = 1;
	pare_strbuf_init(&text);
	assert_int_equal(pare_plan_text(&fixture->plan, &fixture->groups, &text), PARE_OK);
	assert_string_equal(text.text, "input=3/3 conv1=3/8 conv2=12/12 conv3=1/7 fc=5/5");
	pare_strbuf_release(&text);
}

static void test_plan__text_is_read_back(void **state)
{
	struct fixture *fixture = *state;
	struct pare_plan plan;
	const char *text = "  input=3/3 conv1=3/8\tconv2=12/12\nconv3=1/7 fc=5/5 \n";
	assert_int_equal(pare_plan_parse(&plan, &fixture->groups, text, NULL), PARE_OK);
	const int64_t expected[] = {3, 3, 12, 1, 5};
	for (int g = 0; g < 5; g++)
		assert_int_equal(plan.kept[g], expected[g]);
	pare_plan_release(&plan);
}

static void expect_refused(struct fixture *fixture, const char *text, int status, const char *message)
{
	struct pare_plan plan;
	struct pare_error error = {0};
	assert_int_equal(pare_plan_parse(&plan, &fixture->groups, text, &error), status);
	if (!strstr(error.text, message))
		fail_msg("\"%s\" gives \"%s\", without \"%s\"", text, error.text, message);
	assert_null(plan.kept);
	assert_int_equal(plan.n_groups, 0);
}

static void test_plan__text_with_bad_counts_is_refused(void **state)
{
	expect_refused(*state, "input=3/3 conv1=0/8 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "group \"conv1\" cannot keep 0 channels, allowed are 1 to 8");
	expect_refused(*state, "input=3/3 conv1=9/8 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "group \"conv1\" cannot keep 9 channels, allowed are 1 to 8");
	expect_refused(*state, "input=2/3 conv1=8/8 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID, "it is frozen: ");
	expect_refused(*state, "input=3/3 conv1=8/16 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "16 channels in group \"conv1\", the network has 8");
}

static void test_plan__text_with_wrong_names_is_refused(void **state)
{
	expect_refused(*state, "input=3/3 conv7=8/8 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "found \"conv7=8/8\" where group \"conv1\" should stand");
	expect_refused(*state, "input=3/3 conv2=12/12 conv1=8/8 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "found \"conv2=12/12\" where group \"conv1\" should stand");
	expect_refused(*state, "input=3/3 conv1=8/8 conv2=12/12 conv3=1/7", PARE_E_INVALID,
	               "group \"fc\" should follow");
	expect_refused(*state, "input=3/3 conv12=8/8", PARE_E_INVALID,
	               "found \"conv12=8/8\" where group \"conv1\" should stand");
	expect_refused(*state, "input=3/3 conv1:8/8 conv2=12/12 conv3=1/7 fc=5/5", PARE_E_INVALID,
	               "found \"conv1:8/8\" where group \"conv1\" should stand");
	expect_refused(*state, "", PARE_E_INVALID, "group \"input\" should follow");
	expect_refused(*state, "input=3/3 conv1=8/8 conv2=12/12 conv3=1/7 fc=5/5 fc2=5/5", PARE_E_INVALID,
	               "found \"fc2=5/5\" after the last group");
}

static void test_plan__text_with_bad_syntax_is_refused(void **state)
{
	static const char *const entries[] = {"conv1=",
	                                      "conv1=8",
	                                      "conv1=8/",
	                                      "conv1=/8",
	                                      "conv1=-1/8",
	                                      "conv1=+8/8",
	                                      "conv1=8/8x",
	                                      "conv1=8 / 8",
	                                      "conv1=8.0/8",
	                                      "conv1=8//8",
	                                      "conv1=x/8",
	                                      "conv1=99999999999999999999/8",
	                                      "conv1=8/99999999999999999999"};
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		char text[128];
		snprintf(text, sizeof(text), "input=3/3 %s conv2=12/12 conv3=1/7 fc=5/5", entries[i]);
		expect_refused(*state, text, PARE_E_FORMAT, "\"conv1=KEPT/CHANNELS\" should stand");
		snprintf(text, sizeof(text), "input=3/3 %s", entries[i]); /* and right before the end of the text */
		expect_refused(*state, text, PARE_E_FORMAT, "\"conv1=KEPT/CHANNELS\" should stand");
	}
}

static void test_plan__check_refuses_plans_of_other_networks(void **state)
{
	struct fixture *fixture = *state;
	struct pare_error error = {0};
	fixture->plan.n_groups = 4;
	assert_int_equal(pare_plan_check(&fixture->plan, &fixture->groups, &error), PARE_E_INVALID);
	assert_non_null(strstr(error.text, "the plan has 4 groups, the network \"plain\" has 5"));
}

static void test_plan__hash_tells_plans_apart(void **state)
{
	struct fixture *fixture = *state;
	struct pare_plan copy;
	char hash[PARE_HASH_TEXT_SIZE], other[PARE_HASH_TEXT_SIZE];
	assert_int_equal(pare_plan_copy(&copy, &fixture->plan), PARE_OK);
	assert_int_equal(pare_plan_hash(&fixture->plan, &fixture->groups, hash), PARE_OK);
	assert_int_equal(pare_plan_hash(&copy, &fixture->groups, other), PARE_OK);
	assert_string_equal(hash, other);
	copy.kept[2]--;
	assert_int_equal(fixture->plan.kept[2], 12);
	assert_int_equal(pare_plan_hash(&copy, &fixture->groups, other), PARE_OK);
	assert_string_not_equal(hash, other);
	pare_plan_release(&copy);
}

#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        PLAN_TEST(test_plan__starts_with_nothing_cut),
	        cmocka_unit_test(test_plan__rounds_to_the_nearest_allowed_count),
	        cmocka_unit_test(test_plan__rounding_stays_in_range_and_grows_with_the_ratio),
	        PLAN_TEST(test_plan__text_names_every_group_in_order),
	        PLAN_TEST(test_plan__text_is_read_back),
	        PLAN_TEST(test_plan__text_with_bad_counts_is_refused),
	        PLAN_TEST(test_plan__text_with_wrong_names_is_refused),
	        PLAN_TEST(test_plan__text_with_bad_syntax_is_refused),
	        PLAN_TEST(test_plan__check_refuses_plans_of_other_networks),
	        PLAN_TEST(test_plan__hash_tells_plans_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
