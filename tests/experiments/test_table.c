#include "experiments/table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pare_column columns[] = {
        {.name = "name", .title = "network", .kind = PARE_COLUMN_TEXT},
        {.name = "macs", .title = "MACs", .kind = PARE_COLUMN_INT},
        {.name = "accuracy", .title = "acc. %", .kind = PARE_COLUMN_REAL, .scale = 100, .decimals = 1},
        {.name = "hash", .kind = PARE_COLUMN_TEXT, .not_text = true},
        {.name = "good", .kind = PARE_COLUMN_BOOL},
};

static void add_row(struct pare_table *table, const char *name, int64_t macs, double accuracy, bool good)
{
	pare_table_string(table, name);
	pare_table_int(table, macs);
	pare_table_real(table, accuracy);
	pare_table_string(table, "0123");
	pare_table_bool(table, good);
}

static void two_rows(struct pare_table *table)
{
	pare_table_init(table, columns, 5);
	add_row(table, "big", 40551040, 0.9125, true);
	add_row(table, "smaller", -999, NAN, false);
	assert_int_equal(pare_table_rows(table), 2);
}

static void test_table__text_aligns_and_groups(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	two_rows(&table);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){0}, &out), 0);
	assert_string_equal(out.text, "network        MACs  acc. %  good\n"
	                              "big      40,551,040    91.2  yes\n"
	                              "smaller        -999       -  no\n");
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

static void test_table__color_is_in_the_head_only(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	two_rows(&table);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){.color = true}, &out), 0);
	assert_ptr_equal(strstr(out.text, "\033[1m"), out.text);
	assert_non_null(strstr(out.text, "good\033[0m\n"));
	assert_null(strchr(strchr(out.text, '\n'), '\033'));
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

/* The longest text gives way; numbers never do, even where nothing fits. */
static void test_table__cuts_texts_to_the_width(void **state)
{
	static const char long_name[] = "layer1.0.a_rather_long_n\xc3\xa4me";
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	pare_table_init(&table, columns, 5);
	add_row(&table, long_name, 1234567, 0.5, true);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){.width = 40}, &out), 0);
	assert_string_equal(out.text, "network               MACs  acc. %  good\n"
	                              "layer1.0.a_r...  1,234,567    50.0  yes\n");
	pare_strbuf_clear(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){.width = 5}, &out), 0);
	assert_string_equal(out.text, "network        MACs  acc. %  good\n"
	                              "layer...  1,234,567    50.0  yes\n");
	pare_strbuf_clear(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){.width = 200}, &out), 0);
	assert_non_null(strstr(out.text, long_name));
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

static void test_table__cuts_names_in_the_middle_where_asked(void **state)
{
	static const struct pare_column names[] = {{.name = "name", .kind = PARE_COLUMN_TEXT, .middle = true}};
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	pare_table_init(&table, names, 1);
	pare_table_string(&table, "lay\xc3\xa4r1.0.conv1.w\xc3\xa4");
	pare_table_string(&table, "short");
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){.width = 10}, &out), 0);
	assert_string_equal(out.text, "name\nlay\xc3\xa4....w\xc3\xa4\nshort\n");
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

static void test_table__csv_keeps_every_digit_and_quotes(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	pare_table_init(&table, columns, 5);
	add_row(&table, "a,b \"c\"\nd", 40551040, 1.0 / 3.0, true);
	add_row(&table, "plain", 0, INFINITY, false);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_csv(&table, &out), 0);
	assert_string_equal(out.text, "name,macs,accuracy,hash,good\n"
	                              "\"a,b \"\"c\"\"\nd\",40551040,0.33333333333333331,0123,true\n"
	                              "plain,0,,0123,false\n");
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

static void test_table__json_gives_back_the_same_values(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;
	json_t *array, *row;

	(void)state;
	pare_table_init(&table, columns, 5);
	add_row(&table, "a\"\\\n", INT64_MAX, 0.1 + 0.2, true);
	add_row(&table, NULL, -1, NAN, false);
	pare_strbuf_init(&out);
	assert_int_equal(pare_json_text(pare_table_json(&table), &out), 0);
	assert_non_null(strstr(out.text, "0.30000000000000004"));
	array = json_loads(out.text, 0, NULL);
	assert_int_equal(json_array_size(array), 2);
	row = json_array_get(array, 0);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "a\"\\\n");
	assert_true(json_integer_value(json_object_get(row, "macs")) == INT64_MAX);
	assert_true(json_real_value(json_object_get(row, "accuracy")) == 0.1 + 0.2);
	assert_true(json_is_true(json_object_get(row, "good")));
	row = json_array_get(array, 1);
	assert_true(json_is_null(json_object_get(row, "name")));
	assert_true(json_is_null(json_object_get(row, "accuracy")));
	assert_true(json_is_false(json_object_get(row, "good")));
	json_decref(array);
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

static void test_table__an_empty_one_has_its_head(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	pare_table_init(&table, columns, 5);
	pare_strbuf_init(&out);
	assert_int_equal(pare_table_text(&table, &(struct pare_table_style){0}, &out), 0);
	assert_string_equal(out.text, "network  MACs  acc. %  good\n");
	pare_strbuf_clear(&out);
	assert_int_equal(pare_json_text(pare_table_json(&table), &out), 0);
	assert_string_equal(out.text, "[]\n");
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

/* A layer's name from somebody's file may be anything. */
static void test_table__names_cannot_drive_the_terminal(void **state)
{
	static const struct {
		const char *given, *shown;
	} cases[] = {
	        {"\033[2Jx", "?[2Jx"},
	        {"a\tb\r\n", "a?b??"},
	        {"\x7f", "?"},
	        {"\xc2\x9b"
	         "31m",
	         "?31m"}, /* CSI as one character */
	        {"\xff\xfe", "??"},
	        {"caf\xc3\xa9", "caf\xc3\xa9"},
	        {"\xe2\x82\xac", "\xe2\x82\xac"},
	        {"\xe2\x82", "??"},           /* cut */
	        {"\xc0\xaf", "??"},           /* overlong */
	        {"\xed\xa0\x80", "???"},      /* a surrogate */
	        {"\xf4\x90\x80\x80", "????"}, /* above the last character */
	};
	struct pare_strbuf out;

	(void)state;
	pare_strbuf_init(&out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *string = pare_json_string(cases[i].given);
		pare_strbuf_clear(&out);
		pare_printable(cases[i].given, &out);
		assert_string_equal(out.text, cases[i].shown);
		assert_non_null(string);
		json_decref(string);
	}
	pare_strbuf_release(&out);
}

static void test_table__numbers_are_grouped_in_threes(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} cases[] = {{0, "0"},
	             {999, "999"},
	             {1000, "1,000"},
	             {-1000, "-1,000"},
	             {40551040, "40,551,040"},
	             {INT64_MIN, "-9,223,372,036,854,775,808"}};
	struct pare_strbuf out;

	(void)state;
	pare_strbuf_init(&out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		pare_strbuf_clear(&out);
		pare_grouped(cases[i].value, &out);
		assert_string_equal(out.text, cases[i].text);
	}
	pare_strbuf_release(&out);
}

static void test_table__json_numbers_are_whole_only_where_they_are(void **state)
{
	json_t *whole = pare_json_number(40551040.0, true), *real = pare_json_number(0.5, true);
	json_t *kept = pare_json_number(2.0, false), *huge = pare_json_number(1e300, true),
	       *none = pare_json_number(NAN, true);

	(void)state;
	assert_true(json_is_integer(whole) && json_integer_value(whole) == 40551040);
	assert_true(json_is_real(real) && json_is_real(kept) && json_is_real(huge));
	assert_true(json_is_null(none));
	json_decref(whole);
	json_decref(real);
	json_decref(kept);
	json_decref(huge);
	json_decref(none);
}

static void test_table__running_out_of_memory_is_remembered(void **state)
{
	struct pare_table table;
	struct pare_strbuf out;

	(void)state;
	two_rows(&table);
	pare_strbuf_init(&out);
	table.failed = true;
	add_row(&table, "dropped", 1, 1.0, true);
	assert_int_equal(pare_table_rows(&table), 2);
	assert_int_not_equal(pare_table_text(&table, &(struct pare_table_style){0}, &out), 0);
	assert_int_not_equal(pare_table_csv(&table, &out), 0);
	assert_int_not_equal(pare_json_text(pare_table_json(&table), &out), 0);
	assert_string_equal(out.text, "");
	pare_strbuf_release(&out);
	pare_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_table__text_aligns_and_groups),
	        cmocka_unit_test(test_table__color_is_in_the_head_only),
	        cmocka_unit_test(test_table__cuts_texts_to_the_width),
	        cmocka_unit_test(test_table__cuts_names_in_the_middle_where_asked),
	        cmocka_unit_test(test_table__csv_keeps_every_digit_and_quotes),
	        cmocka_unit_test(test_table__json_gives_back_the_same_values),
	        cmocka_unit_test(test_table__an_empty_one_has_its_head),
	        cmocka_unit_test(test_table__names_cannot_drive_the_terminal),
	        cmocka_unit_test(test_table__numbers_are_grouped_in_threes),
	        cmocka_unit_test(test_table__json_numbers_are_whole_only_where_they_are),
	        cmocka_unit_test(test_table__running_out_of_memory_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
