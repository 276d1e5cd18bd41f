/* Every file in configs/ is a right configuration, and stays one when it is made canonical. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "experiments/spec.h"
#include "tests/support/spec_helper.h"
#include "tests/support/text_files.h"

static void load(struct pare_spec *spec, const char *name)
{
	struct pare_diagnostics diagnostics;
	struct pare_strbuf printed;
	char path[600];

	snprintf(path, sizeof(path), "%s/configs/%s", PARE_SOURCE_DIR, name);
	pare_diagnostics_init(&diagnostics);
	pare_strbuf_init(&printed);
	if (pare_spec_read(spec, path, NULL, &diagnostics)) {
		pare_diagnostics_print(&diagnostics, 0, &printed);
		fail_msg("%s", printed.text);
	}
	pare_strbuf_release(&printed);
	pare_diagnostics_release(&diagnostics);
}

static void test_configs__load_without_errors(void **state)
{
	struct file_names names = files_with_ending("configs", ".yaml");

	(void)state;
	assert_true(names.count >= 4);
	for (size_t i = 0; i < names.count; i++) {
		struct pare_spec spec, again;
		char *text, *text_again;

		load(&spec, names.name[i]);
		text = spec_to_text(&spec);
		spec_from_text(&again, text, "/elsewhere/x.yaml", NULL);
		text_again = spec_to_text(&again);
		assert_string_equal(text, text_again);
		/* A study's name is its file's, so that runs/<name> is where one looks for it. */
		assert_int_equal(strncmp(spec.name, names.name[i], strlen(names.name[i]) - strlen(".yaml")), 0);
		free(text);
		free(text_again);
		pare_spec_release(&spec);
		pare_spec_release(&again);
	}
	file_names_release(&names);
}

static void test_configs__teach(void **state)
{
	struct file_names names = files_with_ending("configs", ".yaml");

	(void)state;
	for (size_t i = 0; i < names.count; i++) {
		char path[300];
		char *text;

		snprintf(path, sizeof(path), "configs/%s", names.name[i]);
		text = text_file(path);
		assert_int_equal(text[0], '#'); /* what it is for comes first */
		assert_null(strchr(text, '\t'));
		free(text);
	}
	file_names_release(&names);
}

static void test_configs__cifar10_subset_finds_its_default_data(void **state)
{
	struct pare_spec spec;
	bool is_there;

	(void)state;
	load(&spec, "cifar10_subset.yaml");
	is_there = pare_file_is_directory(PARE_SOURCE_DIR "/../shared/data/cifar10-subset");
	if (is_there)
		assert_true(pare_file_is_directory(spec.data_path));
	pare_spec_release(&spec);
	if (!is_there)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_configs__load_without_errors),
	        cmocka_unit_test(test_configs__teach),
	        cmocka_unit_test(test_configs__cifar10_subset_finds_its_default_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
