#include "experiments/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"

#define GAP 2          /* blanks between columns */
#define LEAST_WIDTH 8  /* a text column is not cut below this */
#define CUT_MARK "..." /* where a text was cut: at its end, or in its middle */
#define MAX_COLUMNS 32
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

void pare_table_init(struct pare_table *table, const struct pare_column *columns, int n_columns)
{
	*table = (struct pare_table){.columns = columns, .n_columns = n_columns, .failed = n_columns > MAX_COLUMNS};
}

void pare_table_release(struct pare_table *table)
{
	for (size_t i = 0; i < table->n_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	pare_table_init(table, table->columns, table->n_columns);
}

size_t pare_table_rows(const struct pare_table *table)
{
	return table->n_cells / (size_t)table->n_columns;
}

/* ---- cells ---- */

static void add(struct pare_table *table, struct pare_cell cell)
{
	if (table->failed ||
	    pare_array_grow((void **)&table->cells, &table->capacity, table->n_cells + 1, sizeof(cell))) {
		table->failed = true;
		free(cell.text);
		return;
	}
	table->cells[table->n_cells++] = cell;
}

void pare_table_string(struct pare_table *table, const char *text)
{
	struct pare_cell cell = {.known = text != NULL, .text = pare_strdup(text)};

	if (text && !cell.text)
		table->failed = true;
	add(table, cell);
}

void pare_table_int(struct pare_table *table, int64_t value)
{
	add(table, (struct pare_cell){.known = true, .whole = value});
}

void pare_table_real(struct pare_table *table, double value)
{
	add(table, (struct pare_cell){.known = isfinite(value), .real = value});
}

void pare_table_bool(struct pare_table *table, bool value)
{
	add(table, (struct pare_cell){.known = true, .whole = value});
}

void pare_table_none(struct pare_table *table)
{
	add(table, (struct pare_cell){.known = false});
}

/* ---- characters ---- */

/* Bytes of the UTF-8 character at `text`, 0 if there is none that is whole. Overlong forms and surrogates do not count.
 */
static size_t character_size(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t size = bytes[0] < 0x80                       ? 1
	              : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
	              : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
	              : bytes[0] >= 0xf0 && bytes[0] < 0xf5 ? 4
	                                                    : 0;

	for (size_t i = 1; i < size; i++)
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
	if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] >= 0xa0) ||
	    (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] >= 0x90))
		return 0;
	return size;
}

static bool drives_terminals(const char *text)
{
	const unsigned char *bytes = (const unsigned char *)text;
	/* Also what changes the direction of writing: U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
	bool turns = bytes[0] == 0xe2 && ((bytes[1] == 0x80 && (bytes[2] == 0x8e || bytes[2] == 0x8f ||
	                                                        (bytes[2] >= 0xaa && bytes[2] <= 0xae))) ||
	                                  (bytes[1] == 0x81 && bytes[2] >= 0xa6 && bytes[2] <= 0xa9));
	return bytes[0] < 0x20 || bytes[0] == 0x7f || (bytes[0] == 0xc2 && bytes[1] < 0xa0) || turns;
}

void pare_printable(const char *text, struct pare_strbuf *out)
{
	while (*text) {
		size_t size = character_size(text);
		if (size && !drives_terminals(text))
			pare_strbuf_add_bytes(out, text, size);
		else
			pare_strbuf_add(out, "?");
		text += size ? size : 1;
	}
}

/* Of a printable text: one column a character. */
static int width_of(const char *text)
{
	int width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void add_blanks(struct pare_strbuf *out, int count)
{
	for (int i = 0; i < count; i++)
		pare_strbuf_add(out, " ");
}

void pare_grouped(int64_t value, struct pare_strbuf *out)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, value < 0 ? -(uint64_t)value : (uint64_t)value);

	if (value < 0)
		pare_strbuf_add(out, "-");
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			pare_strbuf_add(out, ",");
		pare_strbuf_add_bytes(out, &digits[i], 1);
	}
}

/* ---- text ---- */

static const char *title_of(const struct pare_column *column)
{
	return column->title ? column->title : column->name;
}

static void cell_text(const struct pare_column *column, const struct pare_cell *cell, struct pare_strbuf *out)
{
	double scale = column->scale != 0.0 ? column->scale : 1.0;

	if (!cell->known || (column->id && cell->whole < 0))
		pare_strbuf_add(out, "-");
	else if (column->kind == PARE_COLUMN_TEXT)
		pare_printable(cell->text, out);
	else if (column->kind == PARE_COLUMN_INT)
		pare_grouped(cell->whole, out);
	else if (column->kind == PARE_COLUMN_BOOL)
		pare_strbuf_add(out, cell->whole ? "yes" : "no");
	else
		pare_strbuf_printf(out, "%.*f", column->decimals, scale * cell->real);
}

static void natural_widths(const struct pare_table *table, int *widths)
{
	struct pare_strbuf text;

	pare_strbuf_init(&text);
	for (int c = 0; c < table->n_columns; c++)
		widths[c] = table->columns[c].not_text ? 0 : width_of(title_of(&table->columns[c]));
	for (size_t i = 0; i < table->n_cells; i++) {
		const struct pare_column *column = &table->columns[i % (size_t)table->n_columns];
		int *width = &widths[i % (size_t)table->n_columns];
		if (column->not_text)
			continue;
		pare_strbuf_clear(&text);
		cell_text(column, &table->cells[i], &text);
		*width = width_of(text.text) > *width ? width_of(text.text) : *width;
	}
	pare_strbuf_release(&text);
}

static int total_width(const struct pare_table *table, const int *widths)
{
	int total = -GAP;
	for (int c = 0; c < table->n_columns; c++)
		total += table->columns[c].not_text ? 0 : widths[c] + GAP;
	return total;
}

/* Takes from the widest text column until the table fits or no text is left to cut; numbers are never cut. */
static void fit(const struct pare_table *table, int width, int *widths)
{
	for (int excess = total_width(table, widths) - width; excess > 0; excess--) {
		int widest = -1;
		for (int c = 0; c < table->n_columns; c++)
			if (table->columns[c].kind == PARE_COLUMN_TEXT && widths[c] > LEAST_WIDTH &&
			    (widest < 0 || widths[c] > widths[widest]))
				widest = c;
		if (widest < 0)
			return;
		widths[widest]--;
	}
}

static const char *skip_characters(const char *text, int count)
{
	while (count-- > 0)
		text += character_size(text);
	return text;
}

enum field_style { FIELD_LEFT, FIELD_MIDDLE, FIELD_RIGHT };

/* The text in a field of this width; a right-hand neighbour wants the blanks behind it. */
static void add_field(struct pare_strbuf *out, const char *text, int width, enum field_style style, bool last)
{
	bool right = style == FIELD_RIGHT;
	int needed = width_of(text);

	if (right)
		add_blanks(out, width - needed);
	if (needed <= width) {
		pare_strbuf_add(out, text);
	} else {
		int keep = width - (int)strlen(CUT_MARK);
		int tail = style == FIELD_MIDDLE ? keep / 2 : 0;
		const char *end = skip_characters(text, keep - tail);
		pare_strbuf_add_bytes(out, text, (size_t)(end - text));
		pare_strbuf_add(out, CUT_MARK);
		pare_strbuf_add(out, skip_characters(text, needed - tail));
	}
	if (!right && !last)
		add_blanks(out, width - needed);
}

/* One line: the head (cells NULL) or a row. */
static void add_line(const struct pare_table *table, const struct pare_cell *cells, const int *widths,
                     struct pare_strbuf *out)
{
	struct pare_strbuf text;
	int last = table->n_columns - 1;
	bool first = true;

	while (last > 0 && table->columns[last].not_text)
		last--;
	pare_strbuf_init(&text);
	for (int c = 0; c <= last; c++) {
		const struct pare_column *column = &table->columns[c];
		bool number = column->kind == PARE_COLUMN_INT || column->kind == PARE_COLUMN_REAL;
		enum field_style style = number ? FIELD_RIGHT : column->middle ? FIELD_MIDDLE : FIELD_LEFT;
		if (column->not_text)
			continue;
		pare_strbuf_clear(&text);
		if (cells)
			cell_text(column, &cells[c], &text);
		else
			pare_strbuf_add(&text, title_of(column));
		add_blanks(out, first ? 0 : GAP);
		add_field(out, text.text, widths[c], style, c == last);
		first = false;
		out->failed |= text.failed;
	}
	pare_strbuf_release(&text);
}

int pare_table_text(const struct pare_table *table, const struct pare_table_style *style, struct pare_strbuf *out)
{
	int widths[MAX_COLUMNS];

	if (table->failed)
		return PARE_E_NOMEM;
	natural_widths(table, widths);
	if (style->width > 0)
		fit(table, style->width, widths);
	pare_strbuf_add(out, style->color ? BOLD : "");
	add_line(table, NULL, widths, out);
	pare_strbuf_add(out, style->color ? PLAIN "\n" : "\n");
	for (size_t row = 0; row < pare_table_rows(table); row++) {
		add_line(table, &table->cells[row * (size_t)table->n_columns], widths, out);
		pare_strbuf_add(out, "\n");
	}
	return out->failed ? PARE_E_NOMEM : PARE_OK;
}

/* ---- CSV ---- */

static void csv_string(const char *text, struct pare_strbuf *out)
{
	if (!strpbrk(text, ",\"\r\n")) {
		pare_strbuf_add(out, text);
		return;
	}
	pare_strbuf_add(out, "\"");
	for (; *text; text++) {
		pare_strbuf_add(out, *text == '"' ? "\"" : "");
		pare_strbuf_add_bytes(out, text, 1);
	}
	pare_strbuf_add(out, "\"");
}

static void csv_cell(const struct pare_column *column, const struct pare_cell *cell, struct pare_strbuf *out)
{
	if (!cell->known)
		return;
	if (column->kind == PARE_COLUMN_TEXT)
		csv_string(cell->text, out);
	else if (column->kind == PARE_COLUMN_INT)
		pare_strbuf_printf(out, "%" PRId64, cell->whole);
	else if (column->kind == PARE_COLUMN_BOOL)
		pare_strbuf_add(out, cell->whole ? "true" : "false");
	else
		pare_strbuf_printf(out, "%.17g", cell->real);
}

int pare_table_csv(const struct pare_table *table, struct pare_strbuf *out)
{
	size_t columns = (size_t)table->n_columns;

	if (table->failed)
		return PARE_E_NOMEM;
	for (size_t c = 0; c < columns; c++)
		pare_strbuf_printf(out, "%s%s", table->columns[c].name, c + 1 < columns ? "," : "\n");
	for (size_t i = 0; i < pare_table_rows(table) * columns; i++) {
		csv_cell(&table->columns[i % columns], &table->cells[i], out);
		pare_strbuf_add(out, (i + 1) % columns ? "," : "\n");
	}
	return out->failed ? PARE_E_NOMEM : PARE_OK;
}

/* ---- JSON ---- */

json_t *pare_json_number(double value, bool whole)
{
	if (!isfinite(value))
		return json_null();
	if (whole && value == floor(value) && fabs(value) < 9007199254740992.0 /* 2^53 */)
		return json_integer((json_int_t)value);
	return json_real(value);
}

json_t *pare_json_string(const char *text)
{
	json_t *string = text ? json_string(text) : json_null();
	struct pare_strbuf clean;

	if (string)
		return string;
	pare_strbuf_init(&clean);
	pare_printable(text, &clean);
	string = clean.failed ? NULL : json_string(clean.text);
	pare_strbuf_release(&clean);
	return string;
}

static json_t *json_cell(const struct pare_column *column, const struct pare_cell *cell)
{
	if (!cell->known)
		return json_null();
	if (column->kind == PARE_COLUMN_TEXT)
		return pare_json_string(cell->text);
	if (column->kind == PARE_COLUMN_INT)
		return json_integer(cell->whole);
	if (column->kind == PARE_COLUMN_BOOL)
		return json_boolean(cell->whole);
	return json_real(cell->real);
}

static json_t *json_row(const struct pare_table *table, size_t row)
{
	json_t *object = json_object();

	for (int c = 0; object && c < table->n_columns; c++) {
		const struct pare_cell *cell = &table->cells[row * (size_t)table->n_columns + (size_t)c];
		if (json_object_set_new(object, table->columns[c].name, json_cell(&table->columns[c], cell))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

json_t *pare_table_json(const struct pare_table *table)
{
	json_t *array = table->failed ? NULL : json_array();

	for (size_t row = 0; array && row < pare_table_rows(table); row++) {
		if (json_array_append_new(array, json_row(table, row))) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

int pare_json_text(json_t *document, struct pare_strbuf *out)
{
	char *text = document ? json_dumps(document, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;

	if (text) {
		pare_strbuf_add(out, text);
		pare_strbuf_add(out, "\n");
	}
	free(text);
	json_decref(document);
	return text && !out->failed ? PARE_OK : PARE_E_NOMEM;
}
