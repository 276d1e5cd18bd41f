/*
 * YAML as a tree of nodes that know where they stand; the only user of libyaml.
 *
 * The subset is what a configuration needs: one document, mappings with unique scalar keys, sequences, scalars. Anchors, aliases, tags and
 * merge keys are refused. Scalars are typed by YAML 1.2's core schema, by the reader of the value: only true/false are booleans.
 */
#ifndef PARE_EXPERIMENTS_YAML_DOC_H
#define PARE_EXPERIMENTS_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "experiments/diagnostics.h"

#define PARE_YAML_MAX_DEPTH 32
#define PARE_YAML_MAX_NODES 100000
#define PARE_YAML_MAX_BYTES ((size_t)4 << 20)

enum pare_yaml_kind { PARE_YAML_SCALAR, PARE_YAML_MAPPING, PARE_YAML_SEQUENCE };

struct pare_yaml_node {
	enum pare_yaml_kind kind;
	int line, column, end_column; /* 1-based, of the value's first and behind its last character on that line */
	char *text;                   /* scalar, unquoted */
	bool quoted;
	struct pare_yaml_pair *pairs; /* mapping, in file order */
	struct pare_yaml_node **items; /* sequence */
	size_t count;                  /* pairs or items */
};

struct pare_yaml_pair {
	char *key;
	int line, column, end_column; /* of the key */
	struct pare_yaml_node *value;
};

struct pare_yaml_doc {
	char *path;   /* as given; used in messages */
	char *source; /* whole text, for the caret lines */
	struct pare_yaml_node *root;
};

/* Problems go to `diagnostics` (syntax errors stop the parse; duplicate keys do not). NULL when it cannot be read at all. */
struct pare_yaml_doc *pare_yaml_read(const char *path, struct pare_diagnostics *diagnostics);
struct pare_yaml_doc *pare_yaml_parse(const char *text, const char *path, struct pare_diagnostics *diagnostics);
void pare_yaml_free(struct pare_yaml_doc *doc);

/* NULL when there is no such key. */
const struct pare_yaml_pair *pare_yaml_get(const struct pare_yaml_node *mapping, const char *key);

#endif
