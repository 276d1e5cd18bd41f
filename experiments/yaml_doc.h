/*
 * YAML as a tree of nodes that know where they stand; the only user of libyaml.
 *
 * The subset is what a configuration needs: one document, mappings with unique scalar keys, sequences, scalars.
 * Anchors, aliases, tags and merge keys are refused. Scalars are typed by YAML 1.2's core schema, by the reader of the
 * value: only true/false are booleans.
 */
#ifndef PARE_EXPERIMENTS_YAML_DOC_H
#define PARE_EXPERIMENTS_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "experiments/diagnostics.h"

#define PARE_YAML_MAX_DEPTH 32
#define PARE_YAML_MAX_NODES 100000
#define PARE_YAML_MAX_KEYS 1000 /* of one mapping */
#define PARE_YAML_MAX_BYTES ((size_t)4 << 20)

enum pare_yaml_kind {
	PARE_YAML_SCALAR,
	PARE_YAML_MAPPING,
	PARE_YAML_SEQUENCE,
	PARE_YAML_REFUSED, /* an alias: already reported, its value is unknown; a reader passes over it in silence */
};

struct pare_yaml_node {
	enum pare_yaml_kind kind;
	int line, column, end_column; /* 1-based, of the value's first and behind its last character on that line */
	const char *origin;           /* not from the file but from this override (its text, the caller's); else NULL */
	char *text;                   /* scalar, unquoted */
	bool quoted;
	struct pare_yaml_pair *pairs;  /* mapping, in file order */
	struct pare_yaml_node **items; /* sequence */
	size_t count;                  /* pairs or items */
};

struct pare_yaml_pair {
	char *key;
	int line, column, end_column; /* of the key; value->origin holds for the key too */
	struct pare_yaml_node *value;
};

struct pare_yaml_doc {
	char *path;   /* as given; used in messages */
	char *source; /* whole text, for the caret lines */
	struct pare_yaml_node *root;
};

/* Problems go to `diagnostics` (syntax errors stop the parse; duplicate keys, anchors, aliases and tags do not: the
 * first of two equal keys counts). NULL when it cannot be read at all. The source goes to `diagnostics` too, for the
 * caret lines. */
struct pare_yaml_doc *pare_yaml_read(const char *path, struct pare_diagnostics *diagnostics);
struct pare_yaml_doc *pare_yaml_parse(const char *text, const char *path, struct pare_diagnostics *diagnostics);
void pare_yaml_free(struct pare_yaml_doc *doc);

/* Puts what an override "key.subkey=value" says into the document, over what is there; missing mappings on the way are
 * made. The value is a scalar or a flow sequence; null (or ~) takes the key out. Problems go to `diagnostics` with
 * `origin` ("--set key.subkey=value") as their place; `origin` must outlive the document. */
void pare_yaml_override(struct pare_yaml_doc *doc, const char *override, const char *origin,
                        struct pare_diagnostics *diagnostics);

/* NULL when there is no such key. */
const struct pare_yaml_pair *pare_yaml_get(const struct pare_yaml_node *mapping, const char *key);

#endif
