#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "latency_lut/lut.h"
#include "tests/support/lut_tables.h"
#include "tests/support/temp_directory.h"

struct place {
	char *folder, *path;
	struct pare_error error;
};

static int open_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	assert_non_null(place);
	place->folder = test_directory_new();
	place->path = pare_path_join(place->folder, "table.txt");
	assert_non_null(place->path);
	*state = place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;
	free(place->path);
	test_directory_free(place->folder);
	free(place);
	return 0;
}

static struct pare_lut *sample(void)
{
	static const int in[] = {4, 8}, out[] = {8, 16, 24};
	struct pare_lut *lut = test_table_new();
	test_table_add(lut, "add in2 8x8", NULL, 0, out, 3);
	test_table_add(lut, "conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 8x8", in, 2, out, 3);
	test_table_add(lut, "linear", in, 2, out, 1);
	return lut;
}

static void write_text(const struct place *place, const char *text, size_t size)
{
	FILE *file = fopen(place->path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static struct pare_bytes sample_text(struct place *place)
{
	struct pare_lut *lut = sample();
	struct pare_bytes bytes;
	assert_int_equal(pare_lut_write(lut, place->path, &place->error), 0);
	assert_int_equal(pare_file_read(place->path, 1 << 20, &bytes, &place->error), 0);
	pare_lut_free(lut);
	return bytes;
}

static int read_table(struct place *place, struct pare_lut **lut)
{
	return pare_lut_read(lut, place->path, true, 0, 0, &place->error);
}

static void test_lut_file__what_is_written_is_read(void **state)
{
	struct place *place = *state;
	struct pare_lut *lut = sample(), *back;
	assert_int_equal(pare_lut_write(lut, place->path, &place->error), 0);
	assert_int_equal(test_directory_count(place->folder), 1);
	assert_int_equal(pare_lut_read(&back, place->path, false, 16, 2, &place->error), 0);
	assert_memory_equal(&back->machine.cpu, lut->machine.cpu, strlen(lut->machine.cpu) + 1);
	assert_string_equal(back->machine.flags, lut->machine.flags);
	assert_string_equal(back->machine.kernels, lut->machine.kernels);
	assert_string_equal(back->machine.blas, lut->machine.blas);
	assert_string_equal(back->machine.governor, lut->machine.governor);
	assert_int_equal(back->machine.cores, lut->machine.cores);
	assert_string_equal(back->date, lut->date);
	assert_string_equal(back->pare_version, lut->pare_version);
	assert_int_equal(back->batch, 16);
	assert_int_equal(back->threads, 2);
	assert_int_equal(back->n_families, lut->n_families);
	for (int f = 0; f < lut->n_families; f++) {
		assert_string_equal(back->families[f].key, lut->families[f].key);
		assert_int_equal(back->families[f].n_entries, lut->families[f].n_entries);
		for (int e = 0; e < lut->families[f].n_entries; e++) {
			const struct pare_lut_entry *a = &lut->families[f].entries[e],
			                            *b = &back->families[f].entries[e];
			assert_int_equal(a->in_channels, b->in_channels);
			assert_int_equal(a->out_channels, b->out_channels);
			assert_int_equal(a->count, b->count);
			assert_true(a->median_ms == b->median_ms && a->p10_ms == b->p10_ms && a->p90_ms == b->p90_ms);
		}
	}
	pare_lut_free(back);
	pare_lut_free(lut);
}

/* Text that is replaced once in a good file, and the line that the error must give. */
struct damage {
	const char *what, *from, *to;
	int line;
};

static const struct damage damages[] = {
        {"another file", "pare latency table", "pear latency table", 1},
        {"unknown version", "table 1", "table 2", 1},
        {"version with a tail", "table 1", "table 1x", 1},
        {"unknown head line", "cpu: ", "cpus: ", 2},
        {"missing head line", "threads: 2\n", "", 9},
        {"head line twice", "threads: 2\n", "threads: 2\nthreads: 2\n", 10},
        {"no threads", "threads: 2", "threads: 0", 9},
        {"negative batch", "batch_images: 16", "batch_images: -16", 8},
        {"batch is no number", "batch_images: 16", "batch_images: 16.5", 8},
        {"batch too large", "batch_images: 16", "batch_images: 99999999999999999999", 8},
        {"empty date", "date: 2026-11-23T09:05:12Z", "date: ", 10},
        {"long date", "date: ", "date: 2026-11-23T09:05:12Z 2026-11-23T09:05:12Z ", 10},
        {"unknown unit", "median_ms", "median_us", 12},
        {"unknown field", "p90_ms", "p90_ms colour", 12},
        {"missing field", " p90_ms", "", 12},
        {"empty key", "family linear", "family ", 24},
        {"entry before a family", "family add in2 8x8\n", "", 13},
        {"negative time", "57 1.25 ", "57 -1.25 ", 14},
        {"time is NaN", "57 1.25 ", "57 nan ", 14},
        {"time is infinite", "57 1.25 ", "57 inf ", 14},
        {"time too large", " 2.5\n", " 1e999\n", 14},
        {"hexadecimal time", "57 1.25 ", "57 0x1p0 ", 14},
        {"two blanks", "57 1.25 ", "57  1.25 ", 14},
        {"missing number", "57 1.25 ", "57 ", 14},
        {"one number more", " 2.5\n", " 2.5 3\n", 14},
        {"median below p10", "57 1.25 ", "57 0.5 ", 14},
        {"median above p90", "57 1.25 ", "57 3.5 ", 14},
        {"no repetitions", "0 8 57 ", "0 8 0 ", 14},
        {"no channels", "0 8 57 ", "0 0 57 ", 14},
        {"negative channels", "0 8 57 ", "-1 8 57 ", 14},
        {"too many channels", "0 8 57 ", "0 99999999 57 ", 14},
        {"duplicate key", "0 16 57 ", "0 8 57 ", 15},
        {"out of order", "0 16 57 ", "0 7 57 ", 15},
        {"duplicate family", "family conv2d k3x3 s1x1 p1,1,1,1 d1x1 g1 relu 8x8", "family add in2 8x8", 17},
        {"families out of order", "family conv2d k3x3", "family a", 17},
        {"family without entries", "family linear\n", "family l\nfamily linear\n", 25},
        {"gap in the grid", "8 8 57 ", "8 9 57 ", 24},
        {"wrong count at the end", "end 11", "end 12", 27},
        {"count with a tail", "end 11", "end 11 ", 27},
        {"no count", "end 11", "end ", 27},
        {"something after the end", "end 11\n", "end 11\n\n", 27},
        {"no newline at the end", "end 11\n", "end 11", 27},
        {"no end", "end 11\n", "", 27},
        {"control character", "flags: ", "flags: \t", 3},
        {"not ASCII", "flags: ", "flags: \xc3\xa9", 3},
        {"carriage returns", "table 1\n", "table 1\r\n", 1},
};

static char *replace_first(const char *text, const char *from, const char *to)
{
	const char *at = NULL;
	char *result;
	for (const char *next = strstr(text, from); next && !at; next = strstr(next + 1, from))
		at = next;
	if (!at || asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) < 0)
		return NULL;
	return result;
}

static void test_lut_file__whatever_pare_would_not_write_is_refused_with_its_line(void **state)
{
	struct place *place = *state;
	struct pare_bytes good = sample_text(place);
	struct pare_lut *lut;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *damage = &damages[i];
		char *bad = replace_first((const char *)good.data, damage->from, damage->to);
		if (!bad)
			fail_msg("%s: \"%s\" is not in the file", damage->what, damage->from);
		write_text(place, bad, strlen(bad));
		int status = read_table(place, &lut);
		if (status != PARE_E_FORMAT || lut || place->error.line != damage->line ||
		    strcmp(place->error.file, place->path) != 0)
			fail_msg("%s: status %d, line %d, \"%s\"", damage->what, status, (int)place->error.line,
			         place->error.text);
		free(bad);
	}
	pare_bytes_release(&good);
}

static void test_lut_file__a_nul_byte_is_refused(void **state)
{
	struct place *place = *state;
	struct pare_bytes bytes = sample_text(place);
	struct pare_lut *lut;
	bytes.data[bytes.size / 2] = '\0';
	write_text(place, (const char *)bytes.data, bytes.size);
	assert_int_equal(read_table(place, &lut), PARE_E_FORMAT);
	pare_bytes_release(&bytes);
}

static void test_lut_file__a_key_too_long_is_refused(void **state)
{
	struct place *place = *state;
	struct pare_bytes good = sample_text(place);
	struct pare_lut *lut;
	char key[PARE_LUT_FAMILY_SIZE + 16] = "family linear";
	memset(key + strlen(key), 'x', PARE_LUT_FAMILY_SIZE - strlen("linear"));
	char *bad = replace_first((const char *)good.data, "family linear", key);
	assert_non_null(bad);
	write_text(place, bad, strlen(bad));
	assert_int_equal(read_table(place, &lut), PARE_E_FORMAT);
	free(bad);
	pare_bytes_release(&good);
}

static void test_lut_file__cut_off_anywhere_it_is_refused(void **state)
{
	struct place *place = *state;
	struct pare_bytes good = sample_text(place);
	struct pare_lut *lut;
	for (size_t size = 0; size < good.size; size++) {
		write_text(place, (const char *)good.data, size);
		if (read_table(place, &lut) != PARE_E_FORMAT || lut)
			fail_msg("cut to %zu of %zu bytes: \"%s\"", size, good.size, place->error.text);
	}
	pare_bytes_release(&good);
}

/* A changed digit may pass; nothing else may, and nothing may crash or be read out of bounds. */
static void test_lut_file__a_flipped_bit_is_refused_or_read_as_a_valid_table(void **state)
{
	struct place *place = *state;
	struct pare_bytes good = sample_text(place);
	for (size_t at = 0; at < good.size; at++) {
		const unsigned char flip = (unsigned char)(1 << at * 3 % 8);
		struct pare_lut *lut;
		good.data[at] ^= flip;
		write_text(place, (const char *)good.data, good.size);
		int status = read_table(place, &lut);
		if (status != PARE_OK && status != PARE_E_FORMAT)
			fail_msg("byte %zu xor %d: status %d", at, flip, status);
		for (int f = 0; status == PARE_OK && f < lut->n_families; f++)
			assert_true(lut->families[f].entries[0].median_ms >= 0.0);
		pare_lut_free(lut);
		good.data[at] ^= flip;
	}
	pare_bytes_release(&good);
}

static void test_lut_file__a_table_of_another_machine_is_refused_unless_foreign(void **state)
{
	struct place *place = *state;
	for (int i = 0; i < 2; i++) {
		struct pare_lut *lut = sample(), *back;
		snprintf(i ? lut->machine.kernels : lut->machine.cpu, sizeof(lut->machine.kernels), "abacus");
		assert_int_equal(pare_lut_write(lut, place->path, &place->error), 0);
		assert_int_equal(pare_lut_read(&back, place->path, false, 0, 0, &place->error), PARE_E_INVALID);
		assert_null(back);
		assert_non_null(strstr(place->error.text, "abacus"));
		assert_int_equal(pare_lut_read(&back, place->path, true, 0, 0, &place->error), 0);
		pare_lut_free(back);
		pare_lut_free(lut);
	}
}

static void test_lut_file__a_table_for_another_batch_or_thread_count_is_refused(void **state)
{
	struct place *place = *state;
	struct pare_lut *lut = sample(), *back;
	assert_int_equal(pare_lut_write(lut, place->path, &place->error), 0);
	assert_int_equal(pare_lut_read(&back, place->path, true, 32, 0, &place->error), PARE_E_INVALID);
	assert_non_null(strstr(place->error.text, "batch 16"));
	assert_non_null(strstr(place->error.text, "batch 32"));
	assert_int_equal(pare_lut_read(&back, place->path, true, 16, 1, &place->error), PARE_E_INVALID);
	assert_int_equal(pare_lut_read(&back, place->path, true, 0, 2, &place->error), 0);
	pare_lut_free(back);
	pare_lut_free(lut);
}

static void test_lut_file__a_missing_file_is_named(void **state)
{
	struct place *place = *state;
	struct pare_lut *lut;
	assert_int_equal(read_table(place, &lut), PARE_E_NOT_FOUND);
	assert_null(lut);
	assert_string_equal(place->error.file, place->path);
}

static void test_lut_file__a_failed_write_leaves_nothing(void **state)
{
	struct place *place = *state;
	struct pare_lut *lut = sample();
	char *path = pare_path_join(place->folder, "no/such/folder.txt");
	assert_true(pare_lut_write(lut, path, &place->error) < 0);
	assert_int_equal(test_directory_count(place->folder), 0);
	free(path);
	pare_lut_free(lut);
}

static void expect_same_hash(const struct pare_lut *a, const struct pare_lut *b, bool same)
{
	char hash_a[PARE_HASH_TEXT_SIZE], hash_b[PARE_HASH_TEXT_SIZE];
	assert_int_equal(pare_lut_hash(a, hash_a), 0);
	assert_int_equal(pare_lut_hash(b, hash_b), 0);
	assert_int_equal(strcmp(hash_a, hash_b) == 0, same);
}

static void test_lut_file__the_hash_is_of_what_decides_predictions(void **state)
{
	struct place *place = *state;
	struct pare_lut *lut = sample(), *other = sample(), *back;
	snprintf(other->date, sizeof(other->date), "1999-12-31T23:59:59Z");
	expect_same_hash(lut, other, true);
	assert_int_equal(pare_lut_write(other, place->path, &place->error), 0);
	assert_int_equal(read_table(place, &back), 0);
	expect_same_hash(lut, back, true);
	back->batch = 17;
	expect_same_hash(lut, back, false);
	back->batch = 16;
	back->threads = 1;
	expect_same_hash(lut, back, false);
	back->threads = 2;
	back->families[1].entries[2].median_ms *= 1.01;
	expect_same_hash(lut, back, false);
	back->families[1].entries[2].median_ms = lut->families[1].entries[2].median_ms;
	expect_same_hash(lut, back, true);
	back->families[0].key[0] = 'b';
	expect_same_hash(lut, back, false);
	pare_lut_free(back);
	pare_lut_free(other);
	pare_lut_free(lut);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_lut_file__what_is_written_is_read),
	        TEST(test_lut_file__whatever_pare_would_not_write_is_refused_with_its_line),
	        TEST(test_lut_file__a_nul_byte_is_refused),
	        TEST(test_lut_file__a_key_too_long_is_refused),
	        TEST(test_lut_file__cut_off_anywhere_it_is_refused),
	        TEST(test_lut_file__a_flipped_bit_is_refused_or_read_as_a_valid_table),
	        TEST(test_lut_file__a_table_of_another_machine_is_refused_unless_foreign),
	        TEST(test_lut_file__a_table_for_another_batch_or_thread_count_is_refused),
	        TEST(test_lut_file__a_missing_file_is_named),
	        TEST(test_lut_file__a_failed_write_leaves_nothing),
	        TEST(test_lut_file__the_hash_is_of_what_decides_predictions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
