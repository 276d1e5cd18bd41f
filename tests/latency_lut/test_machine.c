#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/math/lane_kernels.h"
#include "latency_lut/machine.h"

static const char intel[] = "processor\t: 0\n"
                            "vendor_id\t: GenuineIntel\n"
                            "cpu family\t: 6\n"
                            "model\t\t: 143\n"
                            "model name\t: Intel(R) Xeon(R) Platinum 8480C\n"
                            "stepping\t: 8\n"
                            "flags\t\t: fpu sse4_2 avx fma avx2 avx512f avx512_vnni amx_tile\n"
                            "\n"
                            "processor\t: 1\n"
                            "model name\t: another core\n";

static const char arm[] = "processor\t: 0\n"
                          "BogoMIPS\t: 2100.00\n"
                          "Features\t: fp asimd evtstrm sve sve2\n"
                          "CPU implementer\t: 0x41\n";

static void test_machine__the_first_core_describes_the_cpu(void **state)
{
	struct pare_machine machine = {0};
	(void)state;
	pare_machine_parse_cpuinfo(&machine, intel);
	assert_string_equal(machine.cpu, "Intel(R) Xeon(R) Platinum 8480C (family 6 model 143 stepping 8)");
	assert_string_equal(machine.flags, "sse4_2 avx avx2 fma avx512f avx512_vnni amx_tile");
}

/* "sve2" is not "sve", and "avx" is in none of the words. */
static void test_machine__flags_are_whole_words(void **state)
{
	struct pare_machine machine = {0};
	(void)state;
	pare_machine_parse_cpuinfo(&machine, arm);
	assert_string_equal(machine.flags, "asimd sve");
	assert_string_equal(machine.cpu, "unknown");
	pare_machine_parse_cpuinfo(&machine, "flags : avx2x xavx avx512fx sve2\n");
	assert_string_equal(machine.flags, "none");
}

static void test_machine__odd_texts_leave_printable_words(void **state)
{
	static const char *const texts[] = {
	        "", "\n\n\n", "model name", "model name\t:", "flags\t:\n", ":", "model name : \x01\xff\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pare_machine machine = {0};
		pare_machine_parse_cpuinfo(&machine, texts[i]);
		assert_true(strlen(machine.cpu) > 0 && strlen(machine.flags) > 0);
		for (const char *c = machine.cpu; *c; c++)
			assert_true(isprint((unsigned char)*c));
	}
}

static void test_machine__a_very_long_name_is_cut(void **state)
{
	char text[4096] = "cpu family: 1\nmodel: 2\nstepping: 3\nmodel name: ";
	struct pare_machine machine = {0};
	size_t length = strlen(text);
	(void)state;
	memset(text + length, 'x', sizeof(text) - length - 1);
	pare_machine_parse_cpuinfo(&machine, text);
	assert_true(strlen(machine.cpu) < sizeof(machine.cpu));
	assert_non_null(strstr(machine.cpu, "(family 1 model 2 stepping 3)"));
}

static void test_machine__this_one_has_every_field(void **state)
{
	struct pare_machine machine;
	(void)state;
	pare_machine_describe(&machine);
	const char *const fields[] = {machine.cpu, machine.flags, machine.kernels, machine.blas, machine.governor};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		assert_true(strlen(fields[i]) > 0);
		for (const char *c = fields[i]; *c; c++)
			assert_true(isprint((unsigned char)*c));
	}
	assert_true(machine.cores >= 1);
	assert_string_equal(machine.kernels, pare_lane_kernels()->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_machine__the_first_core_describes_the_cpu),
	        cmocka_unit_test(test_machine__flags_are_whole_words),
	        cmocka_unit_test(test_machine__odd_texts_leave_printable_words),
	        cmocka_unit_test(test_machine__a_very_long_name_is_cut),
	        cmocka_unit_test(test_machine__this_one_has_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
