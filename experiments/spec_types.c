/* Types of keys that hold one value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "experiments/spec_table.h"

/* The value's storage. Fields are copied byte by byte: what type they have is known by the key's type only. */
static void *field(struct pare_spec *spec, const struct pare_spec_key *key)
{
	return (char *)spec + key->offset;
}

static const void *const_field(const struct pare_spec *spec, const struct pare_spec_key *key)
{
	return (const char *)spec + key->offset;
}

/* Numbers, booleans and choices: a double under the key's option, stored as the field's C type. */

static void store_number(struct pare_spec *spec, const struct pare_spec_key *key, double value)
{
	int as_int = key->field == PARE_FIELD_INT ? (int)value : 0;
	int64_t as_int64 = key->field == PARE_FIELD_INT64 ? (int64_t)value : 0;
	uint64_t as_uint64 = key->field == PARE_FIELD_UINT64 ? (uint64_t)value : 0;
	bool as_bool = value != 0;

	switch (key->field) {
	case PARE_FIELD_INT:
		memcpy(field(spec, key), &as_int, sizeof(as_int));
		break;
	case PARE_FIELD_INT64:
		memcpy(field(spec, key), &as_int64, sizeof(as_int64));
		break;
	case PARE_FIELD_UINT64:
		memcpy(field(spec, key), &as_uint64, sizeof(as_uint64));
		break;
	case PARE_FIELD_DOUBLE:
		memcpy(field(spec, key), &value, sizeof(value));
		break;
	case PARE_FIELD_BOOL:
		memcpy(field(spec, key), &as_bool, sizeof(as_bool));
		break;
	}
}

static double load_number(const struct pare_spec *spec, const struct pare_spec_key *key)
{
	union {
		int as_int;
		int64_t as_int64;
		uint64_t as_uint64;
		double as_double;
		bool as_bool;
	} value;

	switch (key->field) {
	case PARE_FIELD_INT:
		memcpy(&value.as_int, const_field(spec, key), sizeof(value.as_int));
		return value.as_int;
	case PARE_FIELD_INT64:
		memcpy(&value.as_int64, const_field(spec, key), sizeof(value.as_int64));
		return (double)value.as_int64;
	case PARE_FIELD_UINT64:
		memcpy(&value.as_uint64, const_field(spec, key), sizeof(value.as_uint64));
		return (double)value.as_uint64;
	case PARE_FIELD_DOUBLE:
		memcpy(&value.as_double, const_field(spec, key), sizeof(value.as_double));
		return value.as_double;
	case PARE_FIELD_BOOL:
		memcpy(&value.as_bool, const_field(spec, key), sizeof(value.as_bool));
		return value.as_bool;
	}
	return 0;
}

static void number_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	store_number(spec, key, key->option.fallback);
}

static void number_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                        const struct pare_yaml_node *node)
{
	double value;

	if (pare_spec_read_option(reader, key->option.name, &key->option, key->open, key->unit, node, &value))
		store_number(reader->spec, key, value);
}

static void number_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	pare_spec_write_option(&key->option, load_number(spec, key), text);
}

const struct pare_key_type pare_key_number = {.reset = number_reset, .read = number_read, .write = number_write};

static void no_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	(void)spec;
	(void)key;
}

/* Strings: malloc'd, NULL when not set. */

static char *string(const struct pare_spec *spec, const struct pare_spec_key *key)
{
	char *text;

	memcpy(&text, const_field(spec, key), sizeof(text));
	return text;
}

/* Takes `text`. */
static void set_string(struct pare_spec_reader *reader, const struct pare_spec_key *key, char *text)
{
	if (!text)
		reader->diagnostics->failed = true;
	free(string(reader->spec, key));
	memcpy(field(reader->spec, key), &text, sizeof(text));
}

static void string_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	if (string(spec, key))
		pare_spec_write_string(string(spec, key), text);
}

/* name: becomes a folder's name, so it is kept to what needs no quoting anywhere. */
static void name_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                      const struct pare_yaml_node *node)
{
	size_t length;

	if (!pare_spec_expect(reader, key->option.name, node, PARE_YAML_SCALAR, "a name"))
		return;
	length = strspn(node->text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	if (length == 0 || length > 64 || node->text[length] || *node->text == '-')
		pare_spec_complain(reader, pare_place_of_value(node),
		                   "allowed: up to 64 of a-z, 0-9, _ and -, not starting with -",
		                   "%s: '%.80s' is not a name", key->option.name, node->text);
	else
		set_string(reader, key, pare_strdup(node->text));
}

const struct pare_key_type pare_key_name = {
        .name = "a name of a-z, 0-9, _ and -", .reset = no_reset, .read = name_read, .write = string_write};

/* Drops "." and doubled slashes, and leading ".." steps together with the folder they leave: that folder is absolute
 * and free of links, which cannot be said of what follows. Works in place. */
static void tidy_path(char *path, size_t folder_length)
{
	char *end = path, *next = path;
	size_t solid = folder_length; /* "x/.." may be dropped while x lies within the first so many bytes */

	while (*next) {
		size_t length = strcspn(next, "/");

		if (length == 2 && memcmp(next, "..", 2) == 0 && (size_t)(end - path) <= solid) {
			while (end > path && *--end != '/')
				;
			solid = (size_t)(end - path);
		} else if (length > 0 && !(length == 1 && *next == '.')) {
			*end++ = '/';
			memmove(end, next, length);
			end += length;
		}
		next += length;
		next += *next == '/';
	}
	if (end == path)
		*end++ = '/';
	*end = '\0';
}

static char *resolve_path(const struct pare_spec_reader *reader, const struct pare_yaml_node *node)
{
	const char *folder = node->origin ? reader->current_folder : reader->file_folder;
	bool absolute = *node->text == '/';
	char *path = absolute ? pare_strdup(node->text) : pare_path_join(folder, node->text);

	if (path)
		tidy_path(path, absolute ? 0 : strlen(folder));
	return path;
}

static void path_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                      const struct pare_yaml_node *node)
{
	if (!pare_spec_expect(reader, key->option.name, node, PARE_YAML_SCALAR, "a path"))
		return;
	if (!*node->text)
		pare_spec_complain(reader, pare_place_of_value(node), NULL, "%s: expected a path, found nothing",
		                   key->option.name);
	else
		set_string(reader, key, resolve_path(reader, node));
}

const struct pare_key_type pare_key_path = {
        .name = "a path", .reset = no_reset, .read = path_read, .write = string_write};

static void auto_path_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                           const struct pare_yaml_node *node)
{
	if (node->kind != PARE_YAML_SCALAR || node->quoted || strcmp(node->text, "auto") != 0)
		path_read(reader, key, node);
}

static void auto_path_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	if (string(spec, key))
		string_write(spec, key, text);
	else
		pare_strbuf_add(text, "auto");
}

const struct pare_key_type pare_key_auto_path = {
        .name = "auto or a path", .reset = no_reset, .read = auto_path_read, .write = auto_path_write};

/* Budgets: a share of the uncut network with a % sign, or a plain number. */

static bool parse_budget(const char *text, double *value, bool *relative)
{
	size_t length = strlen(text);
	char number[64];

	*relative = length > 0 && text[length - 1] == '%';
	if (length >= sizeof(number))
		return false;
	memcpy(number, text, length + 1);
	if (*relative)
		number[length - 1] = '\0';
	if (!pare_spec_parse_number(number, value) || *value <= 0)
		return false;
	if (*relative)
		*value /= 100;
	return !*relative || *value <= 1;
}

static void budget_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                        const struct pare_yaml_node *node)
{
	struct pare_spec *spec = reader->spec;
	struct pare_spec_constraint constraint = {.metric = key->metric};
	struct pare_strbuf help;

	if (!pare_spec_expect(reader, key->option.name, node, PARE_YAML_SCALAR, "a share or a number"))
		return;
	if (parse_budget(node->text, &constraint.value, &constraint.relative)) {
		spec->constraints[spec->n_constraints++] = constraint;
		return;
	}
	pare_strbuf_init(&help);
	pare_strbuf_printf(&help,
	                   "allowed: a share of the uncut network, above 0%%, at most 100%%, or a number above 0%s%s",
	                   key->unit ? " in " : "", key->unit ? key->unit : "");
	pare_spec_complain(reader, pare_place_of_value(node), help.text, "%s: '%s' is not a limit", key->option.name,
	                   node->text);
	pare_strbuf_release(&help);
}

/* A share as the shortest percentage that reads back as the same double. */
static void write_share(double share, struct pare_strbuf *text)
{
	char percent[40];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(percent, sizeof(percent), "%.*g", precision, share * 100);
		if (strtod(percent, NULL) / 100 == share)
			break;
	}
	pare_strbuf_printf(text, "%s%%", percent);
}

static void budget_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	for (int i = 0; i < spec->n_constraints; i++) {
		const struct pare_spec_constraint *constraint = &spec->constraints[i];

		if (constraint->metric == key->metric && constraint->relative)
			write_share(constraint->value, text);
		else if (constraint->metric == key->metric)
			pare_spec_write_double(constraint->value, text);
	}
}

const struct pare_key_type pare_key_budget = {
        .name = "a share (50%) or a number", .reset = no_reset, .read = budget_read, .write = budget_write};
