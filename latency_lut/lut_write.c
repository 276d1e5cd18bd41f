#include <inttypes.h>

#include "engine/base/file.h"
#include "engine/base/hash.h"
#include "latency_lut/lut_text.h"

static void add_head(struct pare_strbuf *text, const struct pare_lut *lut)
{
	const struct pare_machine *machine = &lut->machine;
	pare_strbuf_printf(text, "%s %d\n", PARE_LUT_TITLE, PARE_LUT_VERSION);
	pare_strbuf_printf(text, "cpu: %s\nflags: %s\nkernels: %s\nblas: %s\ngovernor: %s\ncores: %d\n", machine->cpu,
	                   machine->flags, machine->kernels, machine->blas, machine->governor, machine->cores);
	pare_strbuf_printf(text, "batch_images: %" PRId64 "\nthreads: %d\ndate: %s\npare: %s\n", lut->batch,
	                   lut->threads, lut->date, lut->pare_version);
}

static int64_t add_families(struct pare_strbuf *text, const struct pare_lut *lut)
{
	int64_t entries = 0;
	pare_strbuf_printf(text, "fields: %s\n", PARE_LUT_FIELDS);
	for (int f = 0; f < lut->n_families; f++) {
		const struct pare_lut_family *family = &lut->families[f];
		pare_strbuf_printf(text, "family %s\n", family->key);
		for (int e = 0; e < family->n_entries; e++) {
			const struct pare_lut_entry *entry = &family->entries[e];
			pare_strbuf_printf(text,
			                   "%" PRId32 " %" PRId32 " %" PRId32 " " PARE_LUT_MS_FORMAT
			                   " " PARE_LUT_MS_FORMAT " " PARE_LUT_MS_FORMAT "\n",
			                   entry->in_channels, entry->out_channels, entry->count, entry->median_ms,
			                   entry->p10_ms, entry->p90_ms);
		}
		entries += family->n_entries;
	}
	return entries;
}

int pare_lut_write(const struct pare_lut *lut, const char *path, struct pare_error *error)
{
	struct pare_strbuf text;
	int status;

	pare_strbuf_init(&text);
	add_head(&text, lut);
	int64_t entries = add_families(&text, lut);
	pare_strbuf_printf(&text, "end %" PRId64 "\n", entries);
	if (text.failed)
		status = pare_error_set(error, PARE_E_NOMEM, "out of memory");
	else
		status = pare_file_write_atomic(path, text.text, text.length, error);
	pare_strbuf_release(&text);
	return status;
}

int pare_lut_hash(const struct pare_lut *lut, char digest[33])
{
	struct pare_strbuf text;
	int status = PARE_OK;

	pare_strbuf_init(&text);
	pare_strbuf_printf(&text, "batch_images: %" PRId64 "\nthreads: %d\n", lut->batch, lut->threads);
	add_families(&text, lut);
	if (text.failed)
		status = PARE_E_NOMEM;
	else
		pare_hash_bytes(text.text, text.length, digest);
	pare_strbuf_release(&text);
	return status;
}
