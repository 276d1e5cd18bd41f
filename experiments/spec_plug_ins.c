/* Types of keys that name plug-ins: networks, data formats, criteria, and controllers with their options. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "experiments/spec_table.h"

const char **pare_plug_in_names(pare_plug_in_list list)
{
	size_t count = 0;
	const char **names, *name;

	while (list(count, &name))
		count++;
	names = pare_calloc(count + 1, sizeof(*names));
	for (size_t i = 0; names && i < count; i++)
		list(i, &names[i]);
	return names;
}

static void complain_unknown(struct pare_spec_reader *reader, const char *path, pare_plug_in_list list,
                             const struct pare_yaml_node *node)
{
	const char **names = pare_plug_in_names(list);
	struct pare_strbuf help;

	pare_strbuf_init(&help);
	if (names)
		pare_spec_suggest(&help, node->text, names, "there are: ");
	pare_spec_complain(reader, pare_place_of_value(node), help.text, "%s: unknown name '%s'", path, node->text);
	pare_strbuf_release(&help);
	free(names);
}

const void *pare_spec_read_plug_in(struct pare_spec_reader *reader, const char *path, pare_plug_in_list list,
                                   const struct pare_yaml_node *node)
{
	const void *entry;
	const char *name;

	if (!pare_spec_expect(reader, path, node, PARE_YAML_SCALAR, "a name"))
		return NULL;
	for (size_t i = 0; (entry = list(i, &name)); i++)
		if (strcmp(name, node->text) == 0)
			return entry;
	complain_unknown(reader, path, list, node);
	return NULL;
}

/* Pointers to different structs are copied byte by byte: POSIX gives all of them one representation. */
static void store_pointer(struct pare_spec *spec, const struct pare_spec_key *key, const void *entry)
{
	memcpy((char *)spec + key->offset, &entry, sizeof(entry));
}

/* A key with a default names it in `choices`: {"l2", NULL}. */
static void plug_in_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	const char *name;
	const void *entry = NULL;

	for (size_t i = 0; key->option.choices && (entry = key->plug_ins(i, &name)); i++)
		if (strcmp(name, key->option.choices[0]) == 0)
			break;
	store_pointer(spec, key, entry);
}

static void plug_in_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                         const struct pare_yaml_node *node)
{
	const void *entry = pare_spec_read_plug_in(reader, key->option.name, key->plug_ins, node);

	if (entry)
		store_pointer(reader->spec, key, entry);
}

static void plug_in_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	const void *wanted, *entry;
	const char *name;

	memcpy(&wanted, (const char *)spec + key->offset, sizeof(wanted));
	for (size_t i = 0; wanted && (entry = key->plug_ins(i, &name)); i++)
		if (entry == wanted)
			pare_strbuf_add(text, name);
}

const struct pare_key_type pare_key_plug_in = {.reset = plug_in_reset, .read = plug_in_read, .write = plug_in_write};

/* Controllers. */

static void choose(struct pare_spec_controller *controller, const struct pare_controller_kind *kind)
{
	controller->kind = kind;
	for (int i = 0; i < PARE_MAX_CONTROLLER_OPTIONS && kind->options[i].name; i++)
		controller->values[i] = kind->options[i].fallback;
}

static void no_reset(struct pare_spec *spec, const struct pare_spec_key *key)
{
	(void)spec;
	(void)key;
}

static void controller_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                            const struct pare_yaml_node *node)
{
	const struct pare_controller_kind *kind = pare_spec_read_plug_in(reader, key->option.name, key->plug_ins, node);

	if (kind)
		choose(&reader->spec->controller, kind);
}

static void controller_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	(void)key;
	if (spec->controller.kind)
		pare_strbuf_add(text, spec->controller.kind->name);
}

const struct pare_key_type pare_key_controller = {
        .reset = no_reset, .read = controller_read, .write = controller_write};

/* The chosen controller or baseline of that kind, or NULL. */
static struct pare_spec_controller *chosen(struct pare_spec *spec, const struct pare_controller_kind *kind)
{
	if (spec->controller.kind == kind)
		return &spec->controller;
	for (int i = 0; i < spec->n_baselines; i++)
		if (spec->baselines[i].kind == kind)
			return &spec->baselines[i];
	return NULL;
}

static void add_baseline(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                         const struct pare_yaml_node *node)
{
	const struct pare_controller_kind *kind = pare_spec_read_plug_in(reader, key->option.name, key->plug_ins, node);
	struct pare_spec *spec = reader->spec;

	if (!kind)
		return;
	if (chosen(spec, kind))
		pare_spec_complain(reader, pare_place_of_value(node), NULL, "%s: '%s' is %s", key->option.name,
		                   kind->name,
		                   spec->controller.kind == kind ? "search.controller itself" : "named twice");
	else
		choose(&spec->baselines[spec->n_baselines++], kind);
}

static void baselines_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                           const struct pare_yaml_node *node)
{
	if (!pare_spec_expect(reader, key->option.name, node, PARE_YAML_SEQUENCE, "a list [..] of controllers"))
		return;
	if (node->count > PARE_MAX_BASELINES) {
		pare_spec_complain(reader, pare_place_of_value(node), NULL, "%s: %zu entries; allowed: at most %d",
		                   key->option.name, node->count, PARE_MAX_BASELINES);
		return;
	}
	for (size_t i = 0; i < node->count; i++)
		add_baseline(reader, key, node->items[i]);
}

static void baselines_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	(void)key;
	pare_strbuf_add(text, "[");
	for (int i = 0; i < spec->n_baselines; i++)
		pare_strbuf_printf(text, "%s%s", i ? ", " : "", spec->baselines[i].kind->name);
	pare_strbuf_add(text, "]");
}

const struct pare_key_type pare_key_baselines = {
        .name = "a list of controllers", .reset = no_reset, .read = baselines_read, .write = baselines_write};

/* search.<controller>: {option: value} */

static bool options_claims(const char *key)
{
	return pare_controller_find(key) != NULL;
}

static int find_option(const struct pare_option *options, const char *name)
{
	for (int i = 0; i < PARE_MAX_CONTROLLER_OPTIONS && options[i].name; i++)
		if (strcmp(options[i].name, name) == 0)
			return i;
	return -1;
}

static void complain_unknown_option(struct pare_spec_reader *reader, const struct pare_controller_kind *kind,
                                    const struct pare_yaml_pair *pair)
{
	const char *names[PARE_MAX_CONTROLLER_OPTIONS + 1] = {NULL};
	struct pare_strbuf help;

	for (int i = 0; i < PARE_MAX_CONTROLLER_OPTIONS && kind->options[i].name; i++)
		names[i] = kind->options[i].name;
	pare_strbuf_init(&help);
	if (names[0])
		pare_spec_suggest(&help, pair->key, names, "known keys: ");
	else
		pare_strbuf_printf(&help, "'%s' has no options", kind->name);
	pare_spec_complain(reader, pare_place_of_key(pair), help.text, "unknown key '%s' in search.%s", pair->key,
	                   kind->name);
	pare_strbuf_release(&help);
}

static void read_option(struct pare_spec_reader *reader, struct pare_spec_controller *controller,
                        const struct pare_yaml_pair *pair)
{
	int index = find_option(controller->kind->options, pair->key);
	struct pare_strbuf path;

	if (index < 0) {
		complain_unknown_option(reader, controller->kind, pair);
		return;
	}
	pare_strbuf_init(&path);
	pare_strbuf_printf(&path, "search.%s.%s", controller->kind->name, pair->key);
	pare_spec_read_option(reader, path.text, &controller->kind->options[index], 0, NULL, pair->value,
	                      &controller->values[index]);
	pare_strbuf_release(&path);
}

static void read_controller_section(struct pare_spec_reader *reader, const struct pare_yaml_pair *pair)
{
	const struct pare_controller_kind *kind = pare_controller_find(pair->key);
	struct pare_spec_controller *controller = chosen(reader->spec, kind);
	struct pare_strbuf path;

	if (!controller) {
		/* a name that was misspelt may well have meant this one */
		if (reader->spec->controller.kind && !reader->wrong[pare_spec_find_key("search.baselines")])
			pare_spec_complain(reader, pare_place_of_key(pair), "remove it, or name it in search.baselines",
			                   "options for '%s', which is neither search.controller ('%s') nor a baseline",
			                   pair->key, reader->spec->controller.kind->name);
		return;
	}
	pare_strbuf_init(&path);
	pare_strbuf_printf(&path, "search.%s", pair->key);
	if (pare_spec_expect(reader, path.text, pair->value, PARE_YAML_MAPPING, "a section"))
		for (size_t i = 0; i < pair->value->count; i++)
			read_option(reader, controller, &pair->value->pairs[i]);
	pare_strbuf_release(&path);
}

static void options_read(struct pare_spec_reader *reader, const struct pare_spec_key *key,
                         const struct pare_yaml_node *node)
{
	(void)key;
	for (size_t i = 0; i < node->count; i++)
		if (options_claims(node->pairs[i].key))
			read_controller_section(reader, &node->pairs[i]);
}

static void write_controller_section(const struct pare_spec_controller *controller, struct pare_strbuf *text)
{
	const struct pare_option *options = controller->kind->options;

	if (!options[0].name)
		return;
	pare_strbuf_printf(text, "  %s:\n", controller->kind->name);
	for (int i = 0; i < PARE_MAX_CONTROLLER_OPTIONS && options[i].name; i++) {
		pare_strbuf_printf(text, "    %s: ", options[i].name);
		pare_spec_write_option(&options[i], controller->values[i], text);
		pare_strbuf_add(text, "\n");
	}
}

/* Whole lines, indented as the rest of the search section. */
static void options_write(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text)
{
	(void)key;
	if (spec->controller.kind)
		write_controller_section(&spec->controller, text);
	for (int i = 0; i < spec->n_baselines; i++)
		write_controller_section(&spec->baselines[i], text);
}

const struct pare_key_type pare_key_controller_options = {
        .reset = no_reset, .read = options_read, .write = options_write, .claims = options_claims};
