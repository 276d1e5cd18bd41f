/* "--set a.b=value" becomes the tree {a: {b: value}}, which is merged over the file's. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/status.h"
#include "experiments/yaml_doc.h"

static bool is_key_path(const char *path, size_t length)
{
	size_t parts = 1;
	bool in_part = false;

	for (size_t i = 0; i < length; i++) {
		if (path[i] == '.' && !in_part)
			return false;
		parts += path[i] == '.';
		in_part = path[i] != '.';
	}
	return in_part && parts < PARE_YAML_MAX_DEPTH;
}

static void set_origin(struct pare_yaml_node *node, const char *origin)
{
	node->origin = origin;
	for (size_t i = 0; node->kind == PARE_YAML_SEQUENCE && i < node->count; i++)
		set_origin(node->items[i], origin);
}

/* *node becomes {key: *node}. */
static int wrap(struct pare_yaml_node **node, const char *key, size_t length)
{
	struct pare_yaml_node *mapping = pare_calloc(1, sizeof(*mapping));
	struct pare_yaml_pair *pair = pare_calloc(1, sizeof(*pair));
	char *own_key = strndup(key, length);

	if (!mapping || !pair || !own_key) {
		free(mapping);
		free(pair);
		free(own_key);
		return PARE_E_NOMEM;
	}
	*pair = (struct pare_yaml_pair){.key = own_key, .value = *node};
	*mapping = (struct pare_yaml_node){
	        .kind = PARE_YAML_MAPPING, .origin = (*node)->origin, .pairs = pair, .count = 1};
	*node = mapping;
	return PARE_OK;
}

static int wrap_path(struct pare_yaml_node **node, const char *path, size_t length)
{
	int status = PARE_OK;

	while (status == PARE_OK && length > 0) {
		size_t start = length;

		while (start > 0 && path[start - 1] != '.')
			start--;
		status = wrap(node, path + start, length - start);
		length = start > 0 ? start - 1 : 0;
	}
	return status;
}

/* Moves the one pair of `addition` into `mapping`; what it replaces moves to `addition`. */
static int merge(struct pare_yaml_node *mapping, struct pare_yaml_node *addition)
{
	struct pare_yaml_pair *added = &addition->pairs[0], *pairs;

	for (size_t i = 0; i < mapping->count; i++) {
		struct pare_yaml_pair *pair = &mapping->pairs[i];
		struct pare_yaml_node *old = pair->value;

		if (strcmp(pair->key, added->key) != 0)
			continue;
		if (old->kind == PARE_YAML_MAPPING && added->value->kind == PARE_YAML_MAPPING)
			return merge(old, added->value);
		pair->value = added->value;
		added->value = old;
		return PARE_OK;
	}
	pairs = realloc(mapping->pairs, (mapping->count + 1) * sizeof(*pairs));
	if (!pairs)
		return PARE_E_NOMEM;
	mapping->pairs = pairs;
	mapping->pairs[mapping->count++] = *added;
	addition->count = 0;
	return PARE_OK;
}

static bool is_null(const struct pare_yaml_node *node)
{
	return node->kind == PARE_YAML_SCALAR && !node->quoted &&
	       (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0);
}

/* The node of a null becomes an empty list with room for one: what is removed is freed with it. */
static int make_bin(struct pare_yaml_node *node)
{
	struct pare_yaml_node **items = pare_calloc(1, sizeof(*items));

	if (!items)
		return PARE_E_NOMEM;
	free(node->text);
	*node = (struct pare_yaml_node){.kind = PARE_YAML_SEQUENCE, .items = items};
	return PARE_OK;
}

/* Takes "a.b.c" out; its value is added to `bin`, a list with room for it. False when there is no such key. */
static bool remove_path(struct pare_yaml_node *mapping, const char *path, size_t length, struct pare_yaml_node *bin)
{
	size_t part = strcspn(path, ".=");

	for (size_t i = 0; mapping->kind == PARE_YAML_MAPPING && i < mapping->count; i++) {
		struct pare_yaml_pair *pair = &mapping->pairs[i];

		if (strlen(pair->key) != part || memcmp(pair->key, path, part) != 0)
			continue;
		if (part < length)
			return remove_path(pair->value, path + part + 1, length - part - 1, bin);
		bin->items[bin->count++] = pair->value;
		free(pair->key);
		memmove(pair, pair + 1, (mapping->count - i - 1) * sizeof(*pair));
		mapping->count--;
		return true;
	}
	return false;
}

void pare_yaml_override(struct pare_yaml_doc *doc, const char *override, const char *origin,
                        struct pare_diagnostics *diagnostics)
{
	size_t length = strcspn(override, "=");
	struct pare_yaml_doc *value = NULL;

	diagnostics->origin = origin;
	if (override[length] != '=' || !is_key_path(override, length)) {
		pare_diagnostics_add(diagnostics, 0, 0, 0, "for example search.finalists=2",
		                     "not of the form key.subkey=value");
		goto out;
	}
	value = pare_yaml_parse(override + length + 1, origin, diagnostics);
	if (!value)
		goto out;
	if (value->root->kind == PARE_YAML_MAPPING) {
		pare_diagnostics_add(diagnostics, 0, 0, 0, "set the keys of a section one by one",
		                     "the value is a section; a single value or a [list] is expected");
		goto out;
	}
	if (doc->root->kind != PARE_YAML_MAPPING) /* reported by whoever reads the document */
		goto out;
	if (is_null(value->root)) {
		if (make_bin(value->root))
			diagnostics->failed = true;
		else if (!remove_path(doc->root, override, length, value->root))
			pare_diagnostics_add(diagnostics, 0, 0, 0, NULL, "there is no '%.*s' to remove", (int)length,
			                     override);
		goto out;
	}
	set_origin(value->root, origin);
	if (wrap_path(&value->root, override, length) || merge(doc->root, value->root))
		diagnostics->failed = true;
out:
	pare_yaml_free(value);
	diagnostics->origin = NULL;
}
