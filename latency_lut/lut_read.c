/*
 * Reading a table. The file may come from anywhere: whatever pare_lut_write would not write is refused with its line.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "latency_lut/lut_text.h"

#define FILE_BYTES ((size_t)64 << 20)

struct reader {
	const char *path;
	char *next, *end;
	char *line; /* the current one, NUL-terminated in place */
	int64_t number;
	struct pare_lut *lut;
	int64_t entries;
	struct pare_error *error;
};

#define FAIL(reader, ...)                                                                                              \
	pare_error_set_at((reader)->error, PARE_E_FORMAT, (reader)->path, (reader)->number, 0, __VA_ARGS__)

/* ---- lines and numbers ---- */

static int next_line(struct reader *reader)
{
	char *newline =
	        reader->next < reader->end ? memchr(reader->next, '\n', (size_t)(reader->end - reader->next)) : NULL;
	reader->number++;
	if (!newline)
		return FAIL(reader, "the file is cut off: its last line must be \"end\" and the number of entries");
	for (const char *c = reader->next; c < newline; c++)
		if (!isprint((unsigned char)*c))
			return FAIL(reader, "character %d is not printable ASCII", (int)(c - reader->next) + 1);
	*newline = '\0';
	reader->line = reader->next;
	reader->next = newline + 1;
	return PARE_OK;
}

/* The next line, which must begin with `prefix`; *rest is what follows. */
static int line_after(struct reader *reader, const char *prefix, char **rest)
{
	int status = next_line(reader);
	if (status)
		return status;
	if (strncmp(reader->line, prefix, strlen(prefix)) != 0)
		return FAIL(reader, "\"%.80s\" where \"%s\" is expected", reader->line, prefix);
	*rest = reader->line + strlen(prefix);
	return PARE_OK;
}

/* Digits only, no sign, no blanks. Moves *at behind them. */
static bool parse_integer(char **at, int64_t low, int64_t high, int64_t *number)
{
	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*number = strtoll(*at, at, 10);
	return !errno && *number >= low && *number <= high;
}

/* Decimal notation only: no sign (so no negative time), no blanks, no hexadecimal, no inf, no nan. */
static bool parse_ms(char **at, double *ms)
{
	char *start = *at;
	if (!isdigit((unsigned char)*start))
		return false;
	*ms = strtod(start, at);
	return strspn(start, "0123456789.e+-") >= (size_t)(*at - start) && isfinite(*ms);
}

static bool skip_blank(char **at)
{
	return *(*at)++ == ' ';
}

/* ---- head ---- */

static int read_text(struct reader *reader, const char *prefix, char *text, size_t size)
{
	char *rest = NULL;
	int status = line_after(reader, prefix, &rest);
	if (status)
		return status;
	if (!*rest || strlen(rest) >= size)
		return FAIL(reader, "\"%s\" needs 1 to %zu characters, found %zu", prefix, size - 1, strlen(rest));
	memcpy(text, rest, strlen(rest) + 1);
	return PARE_OK;
}

static int read_number(struct reader *reader, const char *prefix, int64_t high, int64_t *number)
{
	char *rest = NULL;
	int status = line_after(reader, prefix, &rest);
	if (status)
		return status;
	if (!parse_integer(&rest, 1, high, number) || *rest)
		return FAIL(reader, "\"%.80s\": allowed is a number from 1 to %" PRId64, reader->line, high);
	return PARE_OK;
}

static int read_title(struct reader *reader)
{
	char *rest = NULL;
	int64_t version;
	int status = line_after(reader, PARE_LUT_TITLE " ", &rest);
	if (status)
		return status;
	if (!parse_integer(&rest, PARE_LUT_VERSION, PARE_LUT_VERSION, &version) || *rest)
		return FAIL(reader, "\"%.80s\": this is not version %d, the one that can be read", reader->line,
		            PARE_LUT_VERSION);
	return PARE_OK;
}

static int read_fields(struct reader *reader)
{
	char *rest = NULL;
	int status = line_after(reader, "fields: ", &rest);
	if (!status && strcmp(rest, PARE_LUT_FIELDS) != 0)
		return FAIL(reader, "the fields are \"%.120s\"; only \"%s\" can be read", rest, PARE_LUT_FIELDS);
	return status;
}

static int read_head(struct reader *reader)
{
	struct pare_lut *lut = reader->lut;
	struct pare_machine *machine = &lut->machine;
	int64_t cores = 0, threads = 0;
	int status = read_title(reader);
	if (!status)
		status = read_text(reader, "cpu: ", machine->cpu, sizeof(machine->cpu));
	if (!status)
		status = read_text(reader, "flags: ", machine->flags, sizeof(machine->flags));
	if (!status)
		status = read_text(reader, "kernels: ", machine->kernels, sizeof(machine->kernels));
	if (!status)
		status = read_text(reader, "blas: ", machine->blas, sizeof(machine->blas));
	if (!status)
		status = read_text(reader, "governor: ", machine->governor, sizeof(machine->governor));
	if (!status)
		status = read_number(reader, "cores: ", INT32_MAX, &cores);
	if (!status)
		status = read_number(reader, "batch_images: ", INT32_MAX, &lut->batch);
	if (!status)
		status = read_number(reader, "threads: ", INT32_MAX, &threads);
	if (!status)
		status = read_text(reader, "date: ", lut->date, sizeof(lut->date));
	if (!status)
		status = read_text(reader, "pare: ", lut->pare_version, sizeof(lut->pare_version));
	if (!status)
		status = read_fields(reader);
	machine->cores = (int)cores;
	lut->threads = (int)threads;
	return status;
}

/* ---- families and entries ---- */

static struct pare_lut_family *newest_family(struct reader *reader)
{
	return reader->lut->n_families ? &reader->lut->families[reader->lut->n_families - 1] : NULL;
}

/* The full product of both axes: the output widths of the first input width come again for every other. */
static int check_family(struct reader *reader)
{
	const struct pare_lut_family *family = newest_family(reader);
	const struct pare_lut_entry *entries = family ? family->entries : NULL;
	int n_out = 0;
	if (!family)
		return PARE_OK;
	if (!family->n_entries)
		return FAIL(reader, "family \"%s\" has no entries", family->key);
	while (n_out < family->n_entries && entries[n_out].in_channels == entries[0].in_channels)
		n_out++;
	bool complete = family->n_entries % n_out == 0 && (entries[0].in_channels > 0 || n_out == family->n_entries);
	for (int e = n_out; e < family->n_entries && complete; e++)
		complete = entries[e].out_channels == entries[e % n_out].out_channels &&
		           entries[e].in_channels == entries[e - e % n_out].in_channels;
	if (!complete)
		return FAIL(reader,
		            "family \"%s\" before this line has gaps: its entries must be every input width with every "
		            "output width",
		            family->key);
	return PARE_OK;
}

static int read_family(struct reader *reader, const char *key)
{
	struct pare_lut *lut = reader->lut;
	const struct pare_lut_family *previous = newest_family(reader);
	void *array = lut->families;
	int status = check_family(reader);
	if (status)
		return status;
	if (!*key || strlen(key) >= PARE_LUT_FAMILY_SIZE)
		return FAIL(reader, "a family's key needs 1 to %d characters", PARE_LUT_FAMILY_SIZE - 1);
	if (previous && strcmp(previous->key, key) >= 0)
		return FAIL(reader, "family \"%s\" %s \"%s\"", key,
		            strcmp(previous->key, key) ? "is out of order after" : "is there twice:", previous->key);
	if (pare_array_grow(&array, &lut->capacity, (size_t)lut->n_families + 1, sizeof(*lut->families)))
		return pare_error_set(reader->error, PARE_E_NOMEM, "out of memory");
	lut->families = array;
	lut->families[lut->n_families] = (struct pare_lut_family){0};
	memcpy(lut->families[lut->n_families++].key, key, strlen(key) + 1);
	return PARE_OK;
}

static bool parse_entry(char *at, struct pare_lut_entry *entry)
{
	int64_t in, out, count;
	if (!parse_integer(&at, 0, PARE_MAX_DIMENSION, &in) || !skip_blank(&at) ||
	    !parse_integer(&at, 1, PARE_MAX_DIMENSION, &out) || !skip_blank(&at) ||
	    !parse_integer(&at, 1, INT32_MAX, &count) || !skip_blank(&at) || !parse_ms(&at, &entry->median_ms) ||
	    !skip_blank(&at) || !parse_ms(&at, &entry->p10_ms) || !skip_blank(&at) || !parse_ms(&at, &entry->p90_ms))
		return false;
	entry->in_channels = (int32_t)in;
	entry->out_channels = (int32_t)out;
	entry->count = (int32_t)count;
	return *at == '\0';
}

static int check_order(struct reader *reader, const struct pare_lut_family *family, const struct pare_lut_entry *entry)
{
	const struct pare_lut_entry *last = family->n_entries ? &family->entries[family->n_entries - 1] : NULL;
	if (!last || entry->in_channels > last->in_channels ||
	    (entry->in_channels == last->in_channels && entry->out_channels > last->out_channels))
		return PARE_OK;
	bool twice = entry->in_channels == last->in_channels && entry->out_channels == last->out_channels;
	return FAIL(reader, "%" PRId32 " x %" PRId32 " channels %s", entry->in_channels, entry->out_channels,
	            twice ? "are there twice" : "are out of order");
}

static int read_entry(struct reader *reader)
{
	struct pare_lut_family *family = newest_family(reader);
	struct pare_lut_entry entry;
	if (!family)
		return FAIL(reader, "\"%.80s\" where \"family \" is expected", reader->line);
	if (!parse_entry(reader->line, &entry))
		return FAIL(reader, "\"%.80s\" is not an entry: %s, blank separated, none negative", reader->line,
		            PARE_LUT_FIELDS);
	if (entry.p10_ms > entry.median_ms || entry.median_ms > entry.p90_ms)
		return FAIL(reader, "\"%.80s\": p10_ms <= median_ms <= p90_ms must hold", reader->line);
	int status = check_order(reader, family, &entry);
	if (status)
		return status;
	void *array = family->entries;
	if (pare_array_grow(&array, &family->capacity, (size_t)family->n_entries + 1, sizeof(entry)))
		return pare_error_set(reader->error, PARE_E_NOMEM, "out of memory");
	family->entries = array;
	family->entries[family->n_entries++] = entry;
	reader->entries++;
	return PARE_OK;
}

static int read_end(struct reader *reader, char *count)
{
	int64_t entries;
	int status = check_family(reader);
	if (status)
		return status;
	if (!parse_integer(&count, 0, INT64_MAX, &entries) || *count || entries != reader->entries)
		return FAIL(reader, "\"%.80s\", but there are %" PRId64 " entries", reader->line, reader->entries);
	if (reader->next != reader->end)
		return FAIL(reader, "there is something after the end");
	return PARE_OK;
}

static int read_body(struct reader *reader)
{
	for (;;) {
		int status = next_line(reader);
		if (status)
			return status;
		if (strncmp(reader->line, "end ", 4) == 0)
			return read_end(reader, reader->line + 4);
		if (strncmp(reader->line, "family ", 7) == 0)
			status = read_family(reader, reader->line + 7);
		else
			status = read_entry(reader);
		if (status)
			return status;
	}
}

/* ---- the whole ---- */

static int check_machine(const struct pare_lut *lut, const char *path, struct pare_error *error)
{
	struct pare_machine here;
	pare_machine_describe(&here);
	if (strcmp(lut->machine.cpu, here.cpu) == 0 && strcmp(lut->machine.kernels, here.kernels) == 0)
		return PARE_OK;
	return pare_error_set_at(error, PARE_E_INVALID, path, 0, 0,
	                         "was measured on \"%s\" with %s kernels; this machine is \"%s\" with %s kernels",
	                         lut->machine.cpu, lut->machine.kernels, here.cpu, here.kernels);
}

static int check_use(const struct pare_lut *lut, const char *path, int64_t batch, int threads, struct pare_error *error)
{
	if ((!batch || lut->batch == batch) && (!threads || lut->threads == threads))
		return PARE_OK;
	return pare_error_set_at(
	        error, PARE_E_INVALID, path, 0, 0,
	        "holds times for batch %" PRId64 " and %d threads; wanted are batch %" PRId64 " and %d threads",
	        lut->batch, lut->threads, batch ? batch : lut->batch, threads ? threads : lut->threads);
}

int pare_lut_read(struct pare_lut **lut, const char *path, bool foreign, int64_t batch, int threads,
                  struct pare_error *error)
{
	struct reader reader = {.path = path, .error = error};
	struct pare_bytes bytes;
	int status = pare_file_read(path, FILE_BYTES, &bytes, error);

	*lut = NULL;
	if (status)
		return status;
	reader.next = (char *)bytes.data;
	reader.end = (char *)bytes.data + bytes.size;
	reader.lut = pare_calloc(1, sizeof(*reader.lut));
	status = reader.lut ? PARE_OK : pare_error_set(error, PARE_E_NOMEM, "out of memory");
	if (!status)
		status = read_head(&reader);
	if (!status)
		status = read_body(&reader);
	if (!status && !foreign)
		status = check_machine(reader.lut, path, error);
	if (!status)
		status = check_use(reader.lut, path, batch, threads, error);
	pare_bytes_release(&bytes);
	if (status) {
		pare_lut_free(reader.lut);
		return status;
	}
	*lut = reader.lut;
	return PARE_OK;
}
