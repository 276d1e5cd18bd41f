/* Damaged configurations are refused or accepted, but never crash, leak or read outside of the text (under the
 * sanitizers). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/rng.h"
#include "experiments/spec.h"
#include "tests/support/text_files.h"

#define FLIPS 2000

/* Whatever it is: it is read, printed, and if it is right its canonical text is right too. Returns the status. */
static int digest(const char *text)
{
	struct pare_diagnostics diagnostics, again_diagnostics;
	struct pare_spec spec, again;
	struct pare_strbuf out;
	int status;

	pare_diagnostics_init(&diagnostics);
	pare_diagnostics_init(&again_diagnostics);
	pare_strbuf_init(&out);
	status = pare_spec_parse(&spec, text, "x.yaml", NULL, &diagnostics);
	assert_true(status == PARE_OK || status == PARE_E_INVALID);
	assert_int_equal(status == PARE_OK, !pare_diagnostics_any(&diagnostics));
	if (status == PARE_OK) {
		assert_int_equal(pare_spec_text(&spec, &out), PARE_OK);
		assert_int_equal(pare_spec_parse(&again, out.text, "x.yaml", NULL, &again_diagnostics), PARE_OK);
		pare_spec_release(&again);
	} else {
		pare_diagnostics_print(&diagnostics, 1, &out);
		assert_true(out.length > 0);
	}
	pare_strbuf_release(&out);
	pare_spec_release(&spec);
	pare_diagnostics_release(&again_diagnostics);
	pare_diagnostics_release(&diagnostics);
	return status;
}

/* The last bytes are cut into a block of their own size, so that a read beyond the end is seen. */
static void test_spec_fuzz__demo_cut_at_every_byte(void **state)
{
	char *text = text_file("configs/demo.yaml");
	size_t length = strlen(text), refused = 0;

	(void)state;
	for (size_t i = 0; i <= length; i++) {
		char *cut = strndup(text, i);

		assert_non_null(cut);
		refused += digest(cut) != PARE_OK;
		free(cut);
	}
	assert_true(refused > length / 3 && refused < length);
	free(text);
}

static void test_spec_fuzz__demo_with_one_wrong_byte(void **state)
{
	char *text = text_file("configs/demo.yaml");
	size_t length = strlen(text), refused = 0;

	(void)state;
	for (uint64_t i = 0; i < FLIPS; i++) {
		struct pare_rng rng = pare_rng_make(1, PARE_STREAM_TEST, i);
		size_t at = pare_rng_u32(&rng) % length;
		char good = text[at], bad = (char)(1 + pare_rng_u32(&rng) % 255);

		/* half of them in characters that mean something to YAML */
		if (pare_rng_u32(&rng) % 2)
			bad = "\n\t :-,?[]{}&*!|>'\"%@`#\r"[pare_rng_u32(&rng) % 23];
		text[at] = bad;
		refused += digest(text) != PARE_OK;
		text[at] = good;
	}
	assert_true(refused > FLIPS / 10 && refused < FLIPS);
	free(text);
}

static void test_spec_fuzz__overrides_of_any_bytes(void **state)
{
	static const char alphabet[] = "train.batch=search.[]{}'\"0129%,:&*!|> \n\t#-";

	(void)state;
	for (uint64_t i = 0; i < FLIPS; i++) {
		struct pare_rng rng = pare_rng_make(2, PARE_STREAM_TEST, i);
		char override[24] = "seed=";
		const char *const overrides[] = {override, NULL};
		struct pare_diagnostics diagnostics;
		struct pare_strbuf out;
		struct pare_spec spec;
		size_t from = pare_rng_u32(&rng) % 6;

		for (size_t k = from; k < 6 + pare_rng_u32(&rng) % 16; k++)
			override[k] = alphabet[pare_rng_u32(&rng) % (sizeof(alphabet) - 1)];
		pare_diagnostics_init(&diagnostics);
		pare_strbuf_init(&out);
		pare_spec_parse(&spec, "data: {format: synthetic}\n", "x.yaml", overrides, &diagnostics);
		pare_diagnostics_print(&diagnostics, 0, &out);
		pare_strbuf_release(&out);
		pare_spec_release(&spec);
		pare_diagnostics_release(&diagnostics);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_spec_fuzz__demo_cut_at_every_byte),
	        cmocka_unit_test(test_spec_fuzz__demo_with_one_wrong_byte),
	        cmocka_unit_test(test_spec_fuzz__overrides_of_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
