/* Types of keys that hold lists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "experiments/spec_table.h"

static void set_count(struct pare_spec *spec, const struct pare_spec_key *key, int count)
{
	memcpy((char *)spec + key->count_offset, &count, sizeof(count));
}

static int get_count(const struct pare_spec *spec, const struct pare_spec_key *key)
{
	int count;

	memcpy(&count, (const char *)spec + key->count_offset, sizeof(count));
	return count;
}

/* A list of the allowed length. */
static bool expect_list(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                        const struct pare_yaml_node *node)
{
	if (!pare_spec_expect(reader, key->option.name, node, PARE_YAML_SEQUENCE, "a list [..]"))
		return false;
	if (node->count >= (size_t)key->least && node->count <= (size_t)key->most)
		return true;
	pare_spec_complain(reader, pare_place_of_value(node), NULL, "%s: %zu entries; allowed: %d to %d",
	                   key->option.name, node->count, key->least, key->most);
	return false;
}

static void store_item(struct pare_spec *spec, const struct pare_spec_key *key, int i, double value)
{
	char *field = (char *)spec + key->offset;
	float single = (float)value;

	if (key->type == &pare_key_floats)
		memcpy(field + (size_t)i * sizeof(single), &single, sizeof(single));
	else
		memcpy(field + (size_t)i * sizeof(value), &value, sizeof(value));
}

/* Without a list, `least` items have the default value. */
static void numbers_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	for (int i = 0; i < key->least; i++)
		store_item(spec, key, i, key->option.fallback);
	set_count(spec, key, key->least);
}

static void numbers_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                         const struct pare_yaml_node *node)
{
	bool good = expect_list(reader, key, node);

	for (size_t i = 0; good && i < node->count; i++) {
		double value = 0;

		if (pare_spec_read_option(reader, key->option.name, &key->option, key->open, key->unit, node->items[i],
		                          &value))
			store_item(reader->spec, key, (int)i, value);
	}
	if (good)
		set_count(reader->spec, key, (int)node->count);
}

/* The shortest decimal that reads back as the same float. */
static void write_float(float value, struct pare_strbuf *text)
{
	for (int precision = 6; precision <= 9; precision++) {
		char digits[40];

		snprintf(digits, sizeof(digits), "%.*g", precision, (double)value);
		if (precision == 9 || (float)strtod(digits, NULL) == value) {
			pare_strbuf_add(text, digits);
			return;
		}
	}
}

static void numbers_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	const char *field = (const char *)spec + key->offset;
	int count = get_count(spec, key);

	pare_strbuf_add(text, "[");
	for (int i = 0; i < count; i++) {
		float single;
		double value;

		pare_strbuf_add(text, i ? ", " : "");
		if (key->type == &pare_key_floats) {
			memcpy(&single, field + (size_t)i * sizeof(single), sizeof(single));
			write_float(single, text);
		} else {
			memcpy(&value, field + (size_t)i * sizeof(value), sizeof(value));
			pare_spec_write_double(value, text);
		}
	}
	pare_strbuf_add(text, "]");
}

const struct pare_key_type pare_key_floats = {
        .name = "a list of numbers", .reset = numbers_reset, .read = numbers_read, .write = numbers_write};
const struct pare_key_type pare_key_fractions = {
        .name = "a list of numbers", .reset = numbers_reset, .read = numbers_read, .write = numbers_write};

/* ignore: the items are malloc'd strings, freed by pare_spec_release. */

static void globs_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	set_count(spec, key, 0);
}

static void globs_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                       const struct pare_yaml_node *node)
{
	struct pare_spec *spec = reader->spec;

	if (!expect_list(reader, key, node))
		return;
	for (size_t i = 0; i < node->count; i++) {
		const struct pare_yaml_node *item = node->items[i];

		if (!pare_spec_expect(reader, key->option.name, item, PARE_YAML_SCALAR, "a glob"))
			continue;
		if (!*item->text)
			pare_spec_complain(reader, pare_place_of_value(item), NULL, "%s: an empty glob matches nothing",
			                   key->option.name);
		else if (!(spec->ignore[spec->n_ignore] = pare_strdup(item->text)))
			reader->diagnostics->failed = true;
		else
			spec->n_ignore++;
	}
}

static void globs_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	(void)key;
	pare_strbuf_add(text, "[");
	for (int i = 0; i < spec->n_ignore; i++) {
		pare_strbuf_add(text, i ? ", " : "");
		pare_spec_write_string(spec->ignore[i], text);
	}
	pare_strbuf_add(text, "]");
}

const struct pare_key_type pare_key_globs = {
        .name = "a list of globs", .reset = globs_reset, .read = globs_read, .write = globs_write};
