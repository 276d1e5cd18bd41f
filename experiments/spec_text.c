/* From struct pare_spec to its canonical text, its hash, and the manual of the keys. */
#include <string.h>

#include "experiments/spec_table.h"

void pare_spec_write_string(const char *value, struct pare_strbuf *text)
{
	pare_strbuf_add(text, "\"");
	for (; *value; value++) {
		unsigned char byte = (unsigned char)*value;

		if (byte == '"' || byte == '\\')
			pare_strbuf_printf(text, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			pare_strbuf_printf(text, "\\x%02X", byte);
		else
			pare_strbuf_add_bytes(text, value, 1);
	}
	pare_strbuf_add(text, "\"");
}

static int depth(const struct pare_spec_key *key)
{
	int dots = 0;

	for (const char *c = key->option.name; *c; c++)
		dots += *c == '.';
	return dots;
}

static bool starts_with(const char *path, const char *section)
{
	size_t length = strlen(section);

	return strncmp(path, section, length) == 0 && (path[length] == '.' || path[length] == '\0');
}

/* In a section that was not given? */
static bool is_left_out(const struct pare_spec *spec, const struct pare_spec_key *key)
{
	return (!spec->zoo && !spec->onnx && starts_with(key->option.name, "model")) ||
	       (!spec->has_train && starts_with(key->option.name, "train")) ||
	       (!spec->has_search && starts_with(key->option.name, "search")) ||
	       (spec->n_constraints == 0 && starts_with(key->option.name, "constraints"));
}

static void write_key(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	struct pare_strbuf value;

	pare_strbuf_init(&value);
	key->type->write(spec, key, &value);
	if (pare_spec_key_is_section(key))
		pare_strbuf_printf(text, "%*s%s:\n", 2 * depth(key), "", pare_spec_key_name(key));
	else if (key->type->claims)
		pare_strbuf_add(text, value.text);
	else if (value.length > 0)
		pare_strbuf_printf(text, "%*s%s: %s\n", 2 * depth(key), "", pare_spec_key_name(key), value.text);
	text->failed |= value.failed;
	pare_strbuf_release(&value);
}

static void write_spec(const struct pare_spec *spec, bool cosmetic, struct pare_strbuf *text)
{
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];

		if (!is_left_out(spec, key) && (cosmetic || !key->cosmetic))
			write_key(spec, key, text);
	}
}

int pare_spec_text(const struct pare_spec *spec, struct pare_strbuf *text)
{
	write_spec(spec, true, text);
	return text->failed ? PARE_E_NOMEM : PARE_OK;
}

int pare_spec_hash(const struct pare_spec *spec, char hash[PARE_HASH_TEXT_SIZE])
{
	struct pare_strbuf text;
	int status;

	pare_strbuf_init(&text);
	write_spec(spec, false, &text);
	status = text.failed ? PARE_E_NOMEM : PARE_OK;
	if (status == PARE_OK)
		pare_hash_bytes(text.text, text.length, hash);
	pare_strbuf_release(&text);
	return status;
}

/* The manual. */

static void describe_plug_ins(pare_plug_in_list list, struct pare_strbuf *text)
{
	const char *name;

	for (size_t i = 0; list(i, &name); i++)
		pare_strbuf_printf(text, "%s%s", i ? ", " : "", name);
}

static void describe_value(const struct pare_spec_key *key, struct pare_strbuf *text)
{
	if (key->type->name)
		pare_strbuf_add(text, key->type->name);
	if (key->type->name && (key->plug_ins || key->type == &pare_key_floats || key->type == &pare_key_fractions))
		pare_strbuf_add(text, ": ");
	if (key->plug_ins)
		describe_plug_ins(key->plug_ins, text);
	else if (key->type == &pare_key_number || key->type == &pare_key_floats || key->type == &pare_key_fractions)
		pare_spec_describe_option(&key->option, key->open, key->unit, text);
	else if (key->unit)
		pare_strbuf_printf(text, " (%s)", key->unit);
}

static void describe_key(const struct pare_spec *defaults, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	struct pare_strbuf normal;

	pare_strbuf_init(&normal);
	key->type->write(defaults, key, &normal);
	pare_strbuf_printf(text, "%s: ", key->option.name);
	describe_value(key, text);
	if (key->required)
		pare_strbuf_add(text, "; required");
	else if (normal.length > 0 && !key->cosmetic)
		pare_strbuf_printf(text, "; default %s", normal.text);
	if (key->only_with)
		pare_strbuf_printf(text, "; only with %s", key->only_with);
	pare_strbuf_printf(text, "\n    %s\n", key->option.help);
	text->failed |= normal.failed;
	pare_strbuf_release(&normal);
}

static void describe_controller(const struct pare_controller_kind *kind, struct pare_strbuf *text)
{
	pare_strbuf_printf(text, "search.%s: options of the controller\n    %s\n", kind->name, kind->help);
	for (const struct pare_option *option = kind->options; option->name; option++) {
		pare_strbuf_printf(text, "search.%s.%s: ", kind->name, option->name);
		pare_spec_describe_option(option, 0, NULL, text);
		pare_strbuf_add(text, "; default ");
		pare_spec_write_option(option, option->fallback, text);
		pare_strbuf_printf(text, "\n    %s\n", option->help);
	}
}

int pare_spec_manual(struct pare_strbuf *text)
{
	struct pare_spec defaults = {0};

	for (size_t i = 0; i < pare_spec_table_size; i++)
		pare_spec_table[i].type->reset(&defaults, &pare_spec_table[i]);
	for (size_t i = 0; i < pare_spec_table_size; i++)
		if (!pare_spec_table[i].type->claims)
			describe_key(&defaults, &pare_spec_table[i], text);
	for (size_t i = 0; pare_controller_table[i]; i++)
		describe_controller(pare_controller_table[i], text);
	return text->failed ? PARE_E_NOMEM : PARE_OK;
}
