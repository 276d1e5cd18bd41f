#include "experiments/diagnostics.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"

#define LONGEST_WORD 64  /* longer ones have no near candidate */
#define SOURCE_WIDTH 120 /* characters of a source line that are shown */
#define SOURCE_BEFORE 60 /* of them before the caret when the line is longer */
#define RED "\033[1;31m"
#define GREEN "\033[1;32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

void pare_diagnostics_init(struct pare_diagnostics *diagnostics)
{
	*diagnostics = (struct pare_diagnostics){0};
}

static void item_release(struct pare_diagnostic *item)
{
	free(item->origin);
	free(item->text);
	free(item->help);
}

void pare_diagnostics_release(struct pare_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		item_release(&diagnostics->items[i]);
	free(diagnostics->items);
	free(diagnostics->path);
	free(diagnostics->source);
	pare_diagnostics_init(diagnostics);
}

int pare_diagnostics_set_source(struct pare_diagnostics *diagnostics, const char *path, const char *source)
{
	char *own_path = pare_strdup(path);
	char *own_source = pare_strdup(source);

	if ((path && !own_path) || (source && !own_source)) {
		free(own_path);
		free(own_source);
		diagnostics->failed = true;
		return PARE_E_NOMEM;
	}
	free(diagnostics->path);
	free(diagnostics->source);
	diagnostics->path = own_path;
	diagnostics->source = own_source;
	return PARE_OK;
}

bool pare_diagnostics_any(const struct pare_diagnostics *diagnostics)
{
	return diagnostics->count > 0 || diagnostics->dropped > 0 || diagnostics->failed;
}

static bool stands_before(const struct pare_diagnostic *a, const struct pare_diagnostic *b)
{
	if (!a->origin != !b->origin)
		return !a->origin;
	if (a->origin)
		return false; /* overrides keep the order in which they were given */
	if (a->line != b->line)
		return a->line < b->line;
	return a->column < b->column;
}

/* Items are kept sorted; there are never more than PARE_MAX_DIAGNOSTICS. */
static void insert(struct pare_diagnostics *diagnostics, const struct pare_diagnostic *item)
{
	size_t at = diagnostics->count;

	while (at > 0 && stands_before(item, &diagnostics->items[at - 1]))
		at--;
	memmove(&diagnostics->items[at + 1], &diagnostics->items[at],
	        (diagnostics->count - at) * sizeof(*diagnostics->items));
	diagnostics->items[at] = *item;
	diagnostics->count++;
}

void pare_diagnostics_add(struct pare_diagnostics *diagnostics, int line, int column, int end_column, const char *help,
                          const char *format, ...)
{
	struct pare_diagnostic item = {.line = line, .column = column, .end_column = end_column};
	struct pare_strbuf text;
	va_list arguments;

	if (diagnostics->count >= PARE_MAX_DIAGNOSTICS) {
		diagnostics->dropped++;
		return;
	}
	pare_strbuf_init(&text);
	va_start(arguments, format);
	pare_strbuf_vprintf(&text, format, arguments);
	va_end(arguments);
	item.text = pare_strbuf_detach(&text);
	item.help = pare_strdup(help);
	item.origin = pare_strdup(diagnostics->origin);
	if (!item.text || (help && !item.help) || (diagnostics->origin && !item.origin) ||
	    pare_array_grow((void **)&diagnostics->items, &diagnostics->capacity, diagnostics->count + 1,
	                    sizeof(item))) {
		item_release(&item);
		diagnostics->failed = true;
		return;
	}
	insert(diagnostics, &item);
}

/* Bytes of the UTF-8 character at `text`; 0 if there is none that is whole and printable. */
static size_t printable_size(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t size = bytes[0] < 0x80   ? 1
	              : bytes[0] < 0xc2 ? 0
	              : bytes[0] < 0xe0 ? 2
	              : bytes[0] < 0xf0 ? 3
	              : bytes[0] < 0xf5 ? 4
	                                : 0;

	if (bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	return size;
}

/* One character: what a configuration from elsewhere contains must not drive the terminal. */
static size_t add_character(struct pare_strbuf *out, const char *text)
{
	size_t size = printable_size(text);

	if (size)
		pare_strbuf_add_bytes(out, text, size);
	else
		pare_strbuf_add(out, "?");
	return size ? size : 1;
}

static void add_printable(struct pare_strbuf *out, const char *text)
{
	while (*text)
		text += add_character(out, text);
}

static const char *find_line(const char *source, int line)
{
	for (int i = 1; source && i < line; i++) {
		source = strchr(source, '\n');
		source = source ? source + 1 : NULL;
	}
	return source;
}

static bool line_goes_on(const char *text)
{
	return *text != '\0' && *text != '\n' && *text != '\r';
}

/* The source line with the carets under it. A long line is cut to the part around the caret. */
static void print_source(const struct pare_diagnostic *item, const char *line, bool color, struct pare_strbuf *out)
{
	struct pare_strbuf carets;
	int first = item->column > SOURCE_WIDTH - 20 ? item->column - SOURCE_BEFORE : 1;
	int end = item->end_column > item->column ? item->end_column : item->column + 1;

	pare_strbuf_init(&carets);
	pare_strbuf_printf(out, "%5d | ", item->line);
	for (int column = 1; column < first + SOURCE_WIDTH; column++) {
		bool more = line_goes_on(line);

		if (!more && column >= end)
			break;
		if (column < first) {
			size_t skip = more ? printable_size(line) : 0;
			line += more ? (skip ? skip : 1) : 0;
			continue;
		}
		if (column < end) /* a tab stays a tab, so that the carets stand right whatever its width is */
			pare_strbuf_add(&carets, column >= item->column ? "^" : more && *line == '\t' ? "\t" : " ");
		if (more && *line == '\t') {
			pare_strbuf_add(out, "\t");
			line++;
		} else if (more) {
			line += add_character(out, line);
		}
	}
	pare_strbuf_printf(out, "\n      | %s%s%s\n", color ? GREEN : "", carets.text, color ? PLAIN : "");
	out->failed |= carets.failed;
	pare_strbuf_release(&carets);
}

static void print_item(const struct pare_diagnostics *diagnostics, const struct pare_diagnostic *item, bool color,
                       struct pare_strbuf *out)
{
	const char *place = item->origin ? item->origin : diagnostics->path ? diagnostics->path : "configuration";
	const char *line = item->line > 0 && !item->origin ? find_line(diagnostics->source, item->line) : NULL;

	pare_strbuf_add(out, color ? BOLD : "");
	add_printable(out, place);
	if (item->line > 0 && !item->origin)
		pare_strbuf_printf(out, ":%d:%d", item->line, item->column);
	pare_strbuf_printf(out, ": %serror:%s ", color ? RED : "", color ? PLAIN : "");
	add_printable(out, item->text);
	pare_strbuf_add(out, "\n");
	if (line)
		print_source(item, line, color, out);
	if (item->help) {
		pare_strbuf_add(out, "      = help: ");
		add_printable(out, item->help);
		pare_strbuf_add(out, "\n");
	}
}

void pare_diagnostics_print(const struct pare_diagnostics *diagnostics, int color, struct pare_strbuf *out)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		print_item(diagnostics, &diagnostics->items[i], color != 0, out);
	if (diagnostics->dropped)
		pare_strbuf_printf(out, "and %zu more errors\n", diagnostics->dropped);
	if (diagnostics->failed)
		pare_strbuf_add(out, "out of memory: the list of errors is not complete\n");
}

static int min3(int a, int b, int c)
{
	int least = a < b ? a : b;

	return least < c ? least : c;
}

/* Damerau-Levenshtein distance in its restricted form (optimal string alignment: no substring is edited twice). */
static int distance(const char *a, int a_length, const char *b, int b_length)
{
	int row[3][LONGEST_WORD + 1];
	int *before = row[0], *last = row[1], *now = row[2];

	for (int j = 0; j <= b_length; j++)
		last[j] = j;
	for (int i = 1; i <= a_length; i++) {
		int *oldest = before;

		now[0] = i;
		for (int j = 1; j <= b_length; j++) {
			int swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] ? before[j - 2] + 1
			                                                                          : INT_MAX;

			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
			now[j] = now[j] < swap ? now[j] : swap;
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[b_length];
}

const char *pare_did_you_mean(const char *word, const char *const *candidates)
{
	size_t length = strlen(word);
	int best = 1 + (int)(length / 4);
	const char *nearest = NULL;

	if (length > LONGEST_WORD)
		return NULL;
	for (; *candidates; candidates++) {
		size_t candidate_length = strlen(*candidates);
		int d = candidate_length > LONGEST_WORD
		                ? INT_MAX
		                : distance(word, (int)length, *candidates, (int)candidate_length);

		if (d < best || (d == best && !nearest)) {
			best = d;
			nearest = *candidates;
		}
	}
	return nearest;
}
