#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "experiments/yaml_doc.h"

static struct pare_yaml_doc *parse_good(const char *text)
{
	struct pare_diagnostics diagnostics;
	struct pare_yaml_doc *doc;

	pare_diagnostics_init(&diagnostics);
	doc = pare_yaml_parse(text, "x.yaml", &diagnostics);
	assert_non_null(doc);
	assert_false(pare_diagnostics_any(&diagnostics));
	pare_diagnostics_release(&diagnostics);
	return doc;
}

/* Parses a text that must give an error with `needle`; whether there is a document anyway must be `readable`. */
static void assert_complains(const char *text, const char *needle, bool readable)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	struct pare_yaml_doc *doc;

	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&printed);
	doc = pare_yaml_parse(text, "x.yaml", &diagnostics);
	pare_diagnostics_print(&diagnostics, 0, &printed);
	if (!strstr(printed.text, needle))
		fail_msg("'%.100s': no '%s' in\n%s", text, needle, printed.text);
	assert_int_equal(doc != NULL, readable);
	pare_yaml_free(doc);
	pare_strbuf_release(&printed);
	pare_diagnostics_release(&diagnostics);
}

static void test_yaml_doc__a_byte_order_mark_is_passed_over(void **state)
{
	struct pare_yaml_doc *doc = parse_good("\xef\xbb\xbfseed: 1\n");
	const struct pare_yaml_pair *seed = pare_yaml_get(doc->root, "seed");

	(void)state;
	assert_non_null(seed);
	assert_int_equal(seed->column, 1);
	assert_int_equal(seed->value->column, 7);
	pare_yaml_free(doc);
	assert_complains("\xef\xbb\xbfseed: @\n", "x.yaml:1:7", false);
}

static void test_yaml_doc__nodes_know_kind_and_place(void **state)
{
	struct pare_yaml_doc *doc =
	        parse_good("# head\nmodel:\n  zoo: resnet20\n  list: [1, \"2\", {a: b}]\nlast: 'x y'\n");
	const struct pare_yaml_pair *model = pare_yaml_get(doc->root, "model"), *zoo, *list, *last;

	(void)state;
	assert_int_equal(doc->root->kind, PARE_YAML_MAPPING);
	assert_int_equal(doc->root->count, 2);
	assert_int_equal(model->line, 2);
	assert_int_equal(model->column, 1);
	assert_int_equal(model->end_column, 6);
	zoo = pare_yaml_get(model->value, "zoo");
	assert_string_equal(zoo->value->text, "resnet20");
	assert_false(zoo->value->quoted);
	assert_int_equal(zoo->value->line, 3);
	assert_int_equal(zoo->value->column, 8);
	assert_int_equal(zoo->value->end_column, 16);
	list = pare_yaml_get(model->value, "list");
	assert_int_equal(list->value->kind, PARE_YAML_SEQUENCE);
	assert_int_equal(list->value->count, 3);
	assert_int_equal(list->value->end_column, 25);
	assert_true(list->value->items[1]->quoted);
	assert_int_equal(list->value->items[2]->kind, PARE_YAML_MAPPING);
	last = pare_yaml_get(doc->root, "last");
	assert_string_equal(last->value->text, "x y");
	assert_null(pare_yaml_get(doc->root, "zoo"));
	assert_null(pare_yaml_get(zoo->value, "zoo"));
	assert_null(zoo->value->origin);
	pare_yaml_free(doc);
}

static void test_yaml_doc__columns_count_characters(void **state)
{
	struct pare_yaml_doc *doc = parse_good("\xc3\xa9\xc3\xa9: \xe2\x82\xac\n");

	(void)state;
	assert_int_equal(doc->root->pairs[0].end_column, 3);
	assert_int_equal(doc->root->pairs[0].value->column, 5);
	assert_int_equal(doc->root->pairs[0].value->end_column, 6);
	pare_yaml_free(doc);
}

static void test_yaml_doc__refuses_what_a_configuration_does_not_need(void **state)
{
	(void)state;
	assert_complains("a: &x 1\n", "x.yaml:1:4: error: anchors", true);
	assert_complains("a: *x\n", "x.yaml:1:4: error: aliases", true);
	assert_complains("a: !!int 1\n", "x.yaml:1:4: error: tags", true);
	assert_complains("!x a: 1\n", "x.yaml:1:1: error: tags", true);
	assert_complains("&x a: 1\n", "x.yaml:1:1: error: anchors", true);
	assert_complains("a: !x [1]\n", "x.yaml:1:4: error: tags", true);
	assert_complains("a: &x {b: 1}\n", "x.yaml:1:4: error: anchors", true);
	assert_complains("a:\n  <<: {b: 1}\n", "x.yaml:2:3: error: merge keys", true);
	assert_complains("? {a: 1}\n: 2\n", "x.yaml:1:3: error: a key must be a plain name", true);
	assert_complains("a: 1\n---\nb: 2\n", "x.yaml:2:1: error: a second document", true);
	assert_complains("a: 1\nb: 2\na: 3\n", "x.yaml:3:1: error: duplicate key 'a': it is already in line 1", true);
	assert_complains("a: \"x\\0y\"\n", "x.yaml:1:4: error: a NUL character", true);
	assert_complains("a: 1\n\xc3\xa9: \"\xc3\xa9\xff\"\n",
	                 "x.yaml:2:6: error: invalid leading UTF-8 octet (byte 0xff)", false);
	assert_complains("", "x.yaml: error: there is nothing", false);
	assert_complains("a: [1\n", "error:", false);
}

static void test_yaml_doc__the_first_of_two_equal_keys_counts(void **state)
{
	struct pare_diagnostics diagnostics;
	struct pare_yaml_doc *doc;

	(void)state;
	pare_diagnostics_init(&diagnostics);
	doc = pare_yaml_parse("a: 1\na: [2, {b: c}]\nd: 4\n", "x.yaml", &diagnostics);
	assert_int_equal(diagnostics.count, 1);
	assert_int_equal(doc->root->count, 2);
	assert_string_equal(pare_yaml_get(doc->root, "a")->value->text, "1");
	assert_string_equal(pare_yaml_get(doc->root, "d")->value->text, "4");
	pare_yaml_free(doc);
	pare_diagnostics_release(&diagnostics);
}

/* "a: [[[...]]]" of that many brackets. */
static void write_nested(char *text, int depth)
{
	text = stpcpy(text, "a: ");
	memset(text, '[', (size_t)depth);
	memset(text + depth, ']', (size_t)depth);
	text[2 * depth] = '\0';
}

static void test_yaml_doc__depth_is_limited(void **state)
{
	char *text = malloc(300000);

	(void)state;
	write_nested(text, PARE_YAML_MAX_DEPTH - 1); /* the mapping is one level */
	pare_yaml_free(parse_good(text));
	write_nested(text, PARE_YAML_MAX_DEPTH);
	assert_complains(text, "nested more than 32 levels deep", false);
	write_nested(text, 100000);
	assert_complains(text, "nested more than 32 levels deep", false);
	free(text);
}

static void test_yaml_doc__size_and_counts_are_limited(void **state)
{
	struct pare_strbuf text;

	(void)state;
	pare_strbuf_init(&text);
	pare_strbuf_add(&text, "a: [");
	for (int i = 0; i < PARE_YAML_MAX_NODES - 2; i++) /* the mapping and the list are two */
		pare_strbuf_add(&text, "1,");
	pare_strbuf_add(&text, "]\n");
	pare_yaml_free(parse_good(text.text));
	text.length -= 2;
	pare_strbuf_add(&text, "1]\n");
	assert_complains(text.text, "more than 100000 values", false);

	pare_strbuf_clear(&text);
	for (int i = 0; i < PARE_YAML_MAX_KEYS; i++)
		pare_strbuf_printf(&text, "k%d: 1\n", i);
	pare_yaml_free(parse_good(text.text));
	pare_strbuf_add(&text, "last: 1\n");
	assert_complains(text.text, "more than 1000 keys in one section", false);

	pare_strbuf_clear(&text);
	pare_strbuf_add(&text, "#");
	while (text.length < PARE_YAML_MAX_BYTES)
		pare_strbuf_add(&text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	assert_complains(text.text, "bytes; at most 4194304 are read", false);
	pare_strbuf_release(&text);
}

static void test_yaml_doc__reads_a_file_or_says_why_not(void **state)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	char path[] = "/tmp/pare-yaml-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	struct pare_yaml_doc *doc;

	(void)state;
	assert_non_null(file);
	fwrite("a: 1\0b", 1, 6, file);
	fclose(file);
	pare_strbuf_init(&printed);
	pare_diagnostics_init(&diagnostics);
	assert_null(pare_yaml_read("/no/such/file.yaml", &diagnostics));
	assert_null(pare_yaml_read("/", &diagnostics));
	assert_null(pare_yaml_read(path, &diagnostics));
	assert_int_equal(diagnostics.count, 3);
	pare_diagnostics_print(&diagnostics, 0, &printed);
	assert_non_null(strstr(printed.text, "NUL bytes"));
	pare_diagnostics_release(&diagnostics);

	assert_int_equal(truncate(path, 4), 0);
	doc = pare_yaml_read(path, &diagnostics);
	assert_non_null(doc);
	assert_string_equal(doc->path, path);
	assert_string_equal(doc->source, "a: 1");
	assert_string_equal(diagnostics.source, "a: 1");
	pare_yaml_free(doc);
	pare_diagnostics_release(&diagnostics);
	pare_strbuf_release(&printed);
	unlink(path);
}

/* Overrides. */

static const struct pare_yaml_node *at(const struct pare_yaml_doc *doc, const char *a, const char *b)
{
	const struct pare_yaml_pair *pair = pare_yaml_get(doc->root, a);

	if (pair && b)
		pair = pare_yaml_get(pair->value, b);
	return pair ? pair->value : NULL;
}

static void test_yaml_override__replaces_and_adds(void **state)
{
	static const char origin[] = "--set";
	struct pare_yaml_doc *doc = parse_good("a: {b: 1, c: 2}\nd: [1]\n");
	struct pare_diagnostics diagnostics;

	(void)state;
	pare_diagnostics_init(&diagnostics);
	pare_yaml_override(doc, "a.b=3", origin, &diagnostics);
	pare_yaml_override(doc, "a.e=\"x = y\"", origin, &diagnostics);
	pare_yaml_override(doc, "d.f=[1, 2]", origin, &diagnostics);
	pare_yaml_override(doc, "g.h=50%", origin, &diagnostics);
	pare_yaml_override(doc, "g.i=5", origin, &diagnostics);
	pare_yaml_override(doc, "g.i=6", origin, &diagnostics);
	pare_yaml_override(doc, "a.c.z=1", origin, &diagnostics);
	assert_false(pare_diagnostics_any(&diagnostics));
	assert_null(diagnostics.origin);
	assert_string_equal(at(doc, "a", "b")->text, "3");
	assert_ptr_equal(at(doc, "a", "b")->origin, origin);
	assert_null(at(doc, "a", NULL)->origin);
	assert_string_equal(at(doc, "a", "e")->text, "x = y");
	assert_true(at(doc, "a", "e")->quoted);
	assert_int_equal(at(doc, "d", "f")->count, 2);
	assert_ptr_equal(at(doc, "d", "f")->items[1]->origin, origin);
	assert_string_equal(at(doc, "g", "h")->text, "50%");
	assert_string_equal(at(doc, "g", "i")->text, "6");
	assert_ptr_equal(at(doc, "g", NULL)->origin, origin);
	assert_int_equal(at(doc, "a", "c")->kind, PARE_YAML_MAPPING);
	pare_yaml_free(doc);
	pare_diagnostics_release(&diagnostics);
}

static void test_yaml_override__null_takes_a_key_out(void **state)
{
	struct pare_yaml_doc *doc = parse_good("a: {b: 1, c: [2], d: {e: 3}}\nf: 4\n");
	struct pare_diagnostics diagnostics;

	(void)state;
	pare_diagnostics_init(&diagnostics);
	pare_yaml_override(doc, "a.b=null", "--set", &diagnostics);
	pare_yaml_override(doc, "a.d=~", "--set", &diagnostics);
	pare_yaml_override(doc, "f=\"null\"", "--set", &diagnostics);
	assert_false(pare_diagnostics_any(&diagnostics));
	assert_null(at(doc, "a", "b"));
	assert_null(at(doc, "a", "d"));
	assert_int_equal(at(doc, "a", "c")->count, 1);
	assert_string_equal(at(doc, "f", NULL)->text, "null");
	pare_yaml_override(doc, "a.c=null", "--set", &diagnostics);
	assert_int_equal(at(doc, "a", NULL)->count, 0);
	pare_yaml_override(doc, "a=null", "--set", &diagnostics);
	assert_null(at(doc, "a", NULL));
	assert_false(pare_diagnostics_any(&diagnostics));
	pare_yaml_override(doc, "a.c=null", "--set", &diagnostics);
	pare_yaml_override(doc, "f.c=null", "--set", &diagnostics);
	assert_int_equal(diagnostics.count, 2);
	assert_string_equal(diagnostics.items[0].text, "there is no 'a.c' to remove");
	pare_yaml_free(doc);
	pare_diagnostics_release(&diagnostics);
}

static void test_yaml_override__says_what_is_wrong_with_it(void **state)
{
	static const struct {
		const char *override, *text;
	} cases[] = {
	        {"a", "not of the form key.subkey=value"},
	        {"=1", "not of the form"},
	        {".a=1", "not of the form"},
	        {"a.=1", "not of the form"},
	        {"a..b=1", "not of the form"},
	        {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=1", "not of the form"},
	        {"a=", "no value"},
	        {"a={b: 1}", "the value is a section"},
	        {"a=b: 1", "the value is a section"},
	        {"a=[1", "did not find expected"},
	        {"a=&x 1", "anchors"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pare_yaml_doc *doc = parse_good("a: 1\n");
		struct pare_diagnostics diagnostics;

		pare_diagnostics_init(&diagnostics);
		pare_yaml_override(doc, cases[i].override, "--set x", &diagnostics);
		assert_int_equal(diagnostics.count, 1);
		assert_string_equal(diagnostics.items[0].origin, "--set x");
		if (!strstr(diagnostics.items[0].text, cases[i].text))
			fail_msg("'%s': %s", cases[i].override, diagnostics.items[0].text);
		pare_yaml_free(doc);
		pare_diagnostics_release(&diagnostics);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_yaml_doc__a_byte_order_mark_is_passed_over),
	        cmocka_unit_test(test_yaml_doc__nodes_know_kind_and_place),
	        cmocka_unit_test(test_yaml_doc__columns_count_characters),
	        cmocka_unit_test(test_yaml_doc__refuses_what_a_configuration_does_not_need),
	        cmocka_unit_test(test_yaml_doc__the_first_of_two_equal_keys_counts),
	        cmocka_unit_test(test_yaml_doc__depth_is_limited),
	        cmocka_unit_test(test_yaml_doc__size_and_counts_are_limited),
	        cmocka_unit_test(test_yaml_doc__reads_a_file_or_says_why_not),
	        cmocka_unit_test(test_yaml_override__replaces_and_adds),
	        cmocka_unit_test(test_yaml_override__null_takes_a_key_out),
	        cmocka_unit_test(test_yaml_override__says_what_is_wrong_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
