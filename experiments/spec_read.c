/* From YAML to struct pare_spec: the walk along the key table, and the complaints that all keys share. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "experiments/spec_table.h"

struct pare_place pare_place_of_key(const struct pare_yaml_pair *pair)
{
	return (struct pare_place){pair->line, pair->column, pair->end_column, pair->value->origin};
}

struct pare_place pare_place_of_value(const struct pare_yaml_node *node)
{
	return (struct pare_place){node->line, node->column, node->end_column, node->origin};
}

void pare_spec_complain(struct pare_spec_reader *reader, struct pare_place place, const char *help, const char *format,
                        ...)
{
	struct pare_diagnostics *diagnostics = reader->diagnostics;
	struct pare_strbuf text;
	va_list arguments;

	pare_strbuf_init(&text);
	va_start(arguments, format);
	pare_strbuf_vprintf(&text, format, arguments);
	va_end(arguments);
	diagnostics->origin = place.origin;
	pare_diagnostics_add(diagnostics, place.line, place.column, place.end_column, help, "%s", text.text);
	diagnostics->origin = NULL;
	pare_strbuf_release(&text);
}

bool pare_spec_expect(struct pare_spec_reader *reader, const char *path, const struct pare_yaml_node *node,
                      enum pare_yaml_kind kind, const char *what)
{
	static const char *const names[] = {[PARE_YAML_SCALAR] = "a single value",
	                                    [PARE_YAML_MAPPING] = "a section",
	                                    [PARE_YAML_SEQUENCE] = "a list"};

	if (node->kind == kind)
		return true;
	if (node->kind == PARE_YAML_REFUSED)
		return false;
	if (node->kind == PARE_YAML_SCALAR)
		pare_spec_complain(reader, pare_place_of_value(node),
		                   kind == PARE_YAML_MAPPING && strchr(node->text, ':') ? "put a space after the colon"
		                                                                        : NULL,
		                   "%s: expected %s, found %s%s%s", path, what, *node->text ? "'" : "nothing",
		                   node->text, *node->text ? "'" : "");
	else
		pare_spec_complain(reader, pare_place_of_value(node), NULL, "%s: expected %s, found %s", path, what,
		                   names[node->kind]);
	return false;
}

void pare_spec_suggest(struct pare_strbuf *help, const char *word, const char *const *candidates, const char *label)
{
	const char *nearest = pare_did_you_mean(word, candidates);

	if (nearest) {
		pare_strbuf_printf(help, "did you mean '%s'?", nearest);
		return;
	}
	pare_strbuf_add(help, label);
	for (size_t i = 0; candidates[i]; i++)
		pare_strbuf_printf(help, "%s%s", i ? ", " : "", candidates[i]);
}

int pare_spec_find_key(const char *path)
{
	for (size_t i = 0; i < pare_spec_table_size; i++)
		if (strcmp(pare_spec_table[i].option.name, path) == 0)
			return (int)i;
	return -1;
}

const char *pare_spec_key_name(const struct pare_spec_key *key)
{
	const char *dot = strrchr(key->option.name, '.');

	return dot ? dot + 1 : key->option.name;
}

bool pare_spec_key_is_section(const struct pare_spec_key *key)
{
	return key->type == &pare_key_section || key->type == &pare_key_optional_section;
}

bool pare_spec_key_in_section(const struct pare_spec_key *key, const char *section)
{
	size_t length = strlen(section);
	const char *path = key->option.name, *name = pare_spec_key_name(key);

	if (length == 0)
		return name == path;
	return strncmp(path, section, length) == 0 && path[length] == '.' && name == path + length + 1;
}

/* Sections. */

/* The keys of a section, and the plug-ins whose names are keys too. */
static void list_keys(const char *section, const char *names[PARE_MAX_SPEC_KEYS + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];
		const char *name;

		if (!pare_spec_key_in_section(key, section))
			continue;
		if (!key->type->claims)
			names[count++] = pare_spec_key_name(key);
		for (size_t k = 0; key->type->claims && count < PARE_MAX_SPEC_KEYS && key->plug_ins(k, &name); k++)
			names[count++] = name;
	}
	names[count] = NULL;
}

/* A key in the wrong section is mostly one in the wrong column. */
static bool suggest_section(struct pare_strbuf *help, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];
		const char *path = key->option.name, *own_name = pare_spec_key_name(key);

		if (strcmp(own_name, name) != 0)
			continue;
		if (!found)
			pare_strbuf_printf(help, "'%s' is a key of ", name);
		else
			pare_strbuf_add(help, ", ");
		if (own_name == path)
			pare_strbuf_add(help, "the top level");
		else
			pare_strbuf_add_bytes(help, path, (size_t)(own_name - path - 1));
		found = true;
	}
	return found;
}

static void complain_unknown_key(struct pare_spec_reader *reader, const char *section,
                                 const struct pare_yaml_pair *pair)
{
	const char *names[PARE_MAX_SPEC_KEYS + 1];
	struct pare_strbuf help;

	pare_strbuf_init(&help);
	list_keys(section, names);
	if (!suggest_section(&help, pair->key))
		pare_spec_suggest(&help, pair->key, names, "known keys: ");
	pare_spec_complain(reader, pare_place_of_key(pair), help.text, "unknown key '%s'%s%s", pair->key,
	                   *section ? " in " : "", section);
	pare_strbuf_release(&help);
}

static bool is_known_key(const char *section, const char *name)
{
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];

		if (!pare_spec_key_in_section(key, section))
			continue;
		if (key->type->claims ? key->type->claims(name) : strcmp(pare_spec_key_name(key), name) == 0)
			return true;
	}
	return false;
}

static size_t complaints(const struct pare_spec_reader *reader)
{
	return reader->diagnostics->count + reader->diagnostics->dropped;
}

static void read_section(struct pare_spec_reader *reader, const char *section, const struct pare_yaml_node *mapping,
                         struct pare_place place)
{
	for (size_t i = 0; i < mapping->count; i++)
		if (!is_known_key(section, mapping->pairs[i].key))
			complain_unknown_key(reader, section, &mapping->pairs[i]);
	for (size_t i = 0; i < pare_spec_table_size; i++) {
		const struct pare_spec_key *key = &pare_spec_table[i];
		const struct pare_yaml_pair *pair = pare_yaml_get(mapping, pare_spec_key_name(key));
		size_t before = complaints(reader);

		if (!pare_spec_key_in_section(key, section))
			continue;
		reader->given[i] = pair;
		if (key->type->claims)
			key->type->read(reader, key, mapping);
		else if (pair)
			key->type->read(reader, key, pair->value);
		else if (key->required)
			pare_spec_complain(reader, place, key->option.help, "missing key '%s'", key->option.name);
		reader->wrong[i] = complaints(reader) > before;
	}
}

static void section_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	(void)spec;
	(void)key;
}

static void section_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                         const struct pare_yaml_node *node)
{
	const struct pare_yaml_pair *pair = reader->given[key - pare_spec_table];

	if (node->kind == PARE_YAML_SCALAR && !*node->text && !node->quoted) /* "train:" with nothing under it */
		pare_spec_complain(reader, pare_place_of_key(pair), "indent its keys, or write {} for defaults only",
		                   "section '%s' is empty", key->option.name);
	else if (pare_spec_expect(reader, key->option.name, node, PARE_YAML_MAPPING, "a section"))
		read_section(reader, key->option.name, node, pare_place_of_key(pair));
}

/* The keys of a section have lines of their own. */
static void section_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	(void)spec;
	(void)key;
	(void)text;
}

const struct pare_key_type pare_key_section = {
        .name = "a section", .reset = section_reset, .read = section_read, .write = section_write};

static void optional_section_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                                  const struct pare_yaml_node *node)
{
	bool given = true;

	memcpy((char *)reader->spec + key->offset, &given, sizeof(given));
	section_read(reader, key, node);
}

const struct pare_key_type pare_key_optional_section = {
        .name = "a section", .reset = section_reset, .read = optional_section_read, .write = section_write};

/* The whole. */

/* The file's name without folder and extension, as a name of a study. */
static char *default_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	char *name = pare_strdup(*last ? last : "study");
	char *dot = name ? strrchr(name, '.') : NULL;

	if (dot && dot > name && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
		*dot = '\0';
	for (char *c = name; c && *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '_' &&
		         (*c != '-' || c == name))
			*c = '_';
		if (c - name == 63)
			c[1] = '\0';
	}
	return name;
}

/* What defaults need the machine or the file's name for. */
static void fill_in(struct pare_spec_reader *reader, const char *path)
{
	struct pare_spec *spec = reader->spec;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (spec->threads == 0)
		spec->threads = cores < 1 ? 1 : cores > 1024 ? 1024 : (int)cores;
	if (!spec->name && !(spec->name = default_name(path)))
		reader->diagnostics->failed = true;
	for (int i = 1; i < 4; i++) {
		if (spec->n_mean == 1)
			spec->normalization.mean[i] = spec->normalization.mean[0];
		if (spec->n_std == 1)
			spec->normalization.std[i] = spec->normalization.std[0];
	}
	spec->data.reader_options.path = spec->data_path;
	spec->data.reader_options.seed = spec->data.seed;
}

/* Absolute, without links; where it does not exist (a text that never was a file) as it is written. */
static char *absolute_folder(const char *path)
{
	char *folder = pare_path_directory(path);
	char *real = folder ? realpath(folder, NULL) : NULL;

	if (real) {
		free(folder);
		return real;
	}
	return folder;
}

static void read_document(struct pare_spec_reader *reader, struct pare_yaml_doc *doc, const char *const *overrides,
                          char **origins)
{
	struct pare_diagnostics *diagnostics = reader->diagnostics;

	for (size_t i = 0; overrides && overrides[i]; i++)
		pare_yaml_override(doc, overrides[i], origins[i], diagnostics);
	if (doc->root->kind == PARE_YAML_MAPPING) {
		read_section(reader, "", doc->root, (struct pare_place){0});
		fill_in(reader, doc->path);
		pare_spec_check(reader);
	} else {
		pare_spec_expect(reader, "the configuration", doc->root, PARE_YAML_MAPPING,
		                 "sections (model:, data:, ...)");
	}
}

static void origins_free(char **origins)
{
	for (size_t i = 0; origins && origins[i]; i++)
		free(origins[i]);
	free(origins);
}

/* "--set key=value" for each override; NULL when out of memory. */
static char **origins_new(const char *const *overrides)
{
	size_t count = 0;
	char **origins;

	while (overrides && overrides[count])
		count++;
	origins = pare_calloc(count + 1, sizeof(*origins));
	for (size_t i = 0; origins && i < count; i++)
		if (asprintf(&origins[i], "--set %s", overrides[i]) < 0) {
			origins[i] = NULL;
			origins_free(origins);
			return NULL;
		}
	return origins;
}

/* Takes `doc`, which is NULL after a complaint. */
static int read_spec(struct pare_spec *spec, struct pare_yaml_doc *doc, const char *path, const char *const *overrides,
                     struct pare_diagnostics *diagnostics)
{
	struct pare_spec_reader reader = {.spec = spec, .diagnostics = diagnostics};
	char **origins = origins_new(overrides);

	*spec = (struct pare_spec){.path = pare_strdup(path)};
	for (size_t i = 0; i < pare_spec_table_size; i++)
		pare_spec_table[i].type->reset(spec, &pare_spec_table[i]);
	reader.file_folder = absolute_folder(path);
	reader.current_folder = realpath(".", NULL);
	if (!origins || !spec->path || !reader.file_folder || !reader.current_folder)
		diagnostics->failed = true;
	else if (doc)
		read_document(&reader, doc, overrides, origins);
	free(reader.file_folder);
	free(reader.current_folder);
	origins_free(origins);
	pare_yaml_free(doc);
	if (diagnostics->failed)
		return PARE_E_NOMEM;
	return pare_diagnostics_any(diagnostics) ? PARE_E_INVALID : PARE_OK;
}

int pare_spec_read(struct pare_spec *spec, const char *path, const char *const *overrides,
                   struct pare_diagnostics *diagnostics)
{
	return read_spec(spec, pare_yaml_read(path, diagnostics), path, overrides, diagnostics);
}

int pare_spec_parse(struct pare_spec *spec, const char *text, const char *path, const char *const *overrides,
                    struct pare_diagnostics *diagnostics)
{
	return read_spec(spec, pare_yaml_parse(text, path, diagnostics), path, overrides, diagnostics);
}

void pare_spec_release(struct pare_spec *spec)
{
	free(spec->path);
	free(spec->name);
	free(spec->onnx);
	free(spec->data_path);
	free(spec->latency_table);
	for (int i = 0; i < spec->n_ignore; i++)
		free(spec->ignore[i]);
	*spec = (struct pare_spec){0};
}
