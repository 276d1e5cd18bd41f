#include "tests/support/lut_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/base/memory.h"

struct pare_lut *test_table_new(void)
{
	struct pare_lut *lut = pare_calloc(1, sizeof(*lut));
	assert_non_null(lut);
	pare_machine_describe(&lut->machine);
	lut->batch = 16;
	lut->threads = 2;
	snprintf(lut->date, sizeof(lut->date), "2026-11-23T09:05:12Z");
	snprintf(lut->pare_version, sizeof(lut->pare_version), "0.1.0");
	return lut;
}

/* Sixteenths: six digits hold them exactly. */
double test_table_ms(int64_t in, int64_t out)
{
	return 0.25 + 0.0625 * (double)in + 0.125 * (double)out + 0.0625 * (double)(in * out);
}

void test_table_add(struct pare_lut *lut, const char *key, const int *in, int n_in, const int *out, int n_out)
{
	int zero = 0, rows = n_in ? n_in : 1;
	void *array = lut->families;
	assert_int_equal(pare_array_grow(&array, &lut->capacity, (size_t)lut->n_families + 1, sizeof(*lut->families)),
	                 0);
	lut->families = array;
	struct pare_lut_family *family = &lut->families[lut->n_families++];
	*family = (struct pare_lut_family){.capacity = (size_t)(rows * n_out)};
	snprintf(family->key, sizeof(family->key), "%s", key);
	family->entries = pare_calloc(family->capacity, sizeof(*family->entries));
	assert_non_null(family->entries);
	for (int i = 0; i < rows; i++)
		for (int o = 0; o < n_out; o++) {
			int32_t channels = n_in ? in[i] : zero;
			double ms = test_table_ms(channels, out[o]);
			family->entries[family->n_entries++] = (struct pare_lut_entry){.in_channels = channels,
			                                                               .out_channels = out[o],
			                                                               .count = 57,
			                                                               .median_ms = ms,
			                                                               .p10_ms = ms / 2,
			                                                               .p90_ms = ms * 2};
		}
}
