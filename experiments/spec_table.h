/*
 * The parts that spec*.c share: the key table, the types of keys, and how a key's reader complains.
 *
 * A new key is a field in struct pare_spec and a line in spec_table.c; a new kind of value is a struct pare_key_type.
 */
#ifndef PARE_EXPERIMENTS_SPEC_TABLE_H
#define PARE_EXPERIMENTS_SPEC_TABLE_H

#include "engine/base/option.h"
#include "experiments/spec.h"
#include "experiments/yaml_doc.h"

struct pare_spec_key;
struct pare_spec_reader;

/* What a key's value is. All functions know the key's range, choices and place in struct pare_spec from its line in the
 * table. */
struct pare_key_type {
	const char *name; /* "a list of numbers"; NULL where option.kind says it */
	/* Writes the default into a zeroed spec. */
	void (*reset)(struct pare_spec *spec, const struct pare_spec_key *key);
	/* Complains, or puts the value into reader->spec. */
	void (*read)(struct pare_spec_reader *reader, const struct pare_spec_key *key,
	             const struct pare_yaml_node *node);
	/* The value as YAML; nothing at all when it is not set. */
	void (*write)(const struct pare_spec *spec, const struct pare_spec_key *key, struct pare_strbuf *text);
	/* (optional) For "section.*": whether that key of the section is this line's; read then gets the whole section.
	 */
	bool (*claims)(const char *key);
};

/* Plug-ins by index; NULL and *name = NULL behind the last. */
typedef const void *(*pare_plug_in_list)(size_t index, const char **name);

/* The C type of a number's field. A choice is stored as the int that its enum is. */
enum pare_field { PARE_FIELD_INT, PARE_FIELD_INT64, PARE_FIELD_UINT64, PARE_FIELD_DOUBLE, PARE_FIELD_BOOL };

#define PARE_OPEN_LOW 1  /* low itself is not allowed */
#define PARE_OPEN_HIGH 2 /* high itself is not allowed */

struct pare_spec_key {
	struct pare_option
	        option; /* name: the whole path, "train.batch"; low and high of a list are those of its items */
	const struct pare_key_type *type;
	enum pare_field field; /* numbers */
	size_t offset;         /* of the value in struct pare_spec */
	size_t count_offset;   /* lists: of the int with the number of items */
	int least, most;       /* lists: how many items */
	unsigned open;         /* PARE_OPEN_* */
	pare_plug_in_list plug_ins;
	enum pare_metric metric; /* budgets */
	const char *unit;        /* "images"; NULL = none */
	const char *only_with;   /* "schedule=step": has no effect unless that key of the same section has that value;
	                            NULL = always */
	bool required;
	bool cosmetic; /* not part of the hash */
};

extern const struct pare_spec_key pare_spec_table[];
extern const size_t pare_spec_table_size;
#define PARE_MAX_SPEC_KEYS 128

extern const struct pare_key_type pare_key_section, pare_key_optional_section, pare_key_controller_options;
extern const struct pare_key_type pare_key_number;
extern const struct pare_key_type pare_key_name, pare_key_path, pare_key_auto_path, pare_key_plug_in, pare_key_budget;
extern const struct pare_key_type pare_key_floats, pare_key_fractions, pare_key_globs;
extern const struct pare_key_type pare_key_controller, pare_key_baselines;

const void *pare_list_zoo(size_t index, const char **name);
const void *pare_list_readers(size_t index, const char **name);
const void *pare_list_criteria(size_t index, const char **name);
const void *pare_list_controllers(size_t index, const char **name);

/* A specification under construction. */
struct pare_spec_reader {
	struct pare_spec *spec;
	struct pare_diagnostics *diagnostics;
	char *file_folder, *current_folder; /* absolute: where relative paths of the file and of --set start */
	const struct pare_yaml_pair *given[PARE_MAX_SPEC_KEYS]; /* parallel to the table; NULL = not in the file */
	bool wrong[PARE_MAX_SPEC_KEYS];                         /* given, but complained about */
};

/* Where something stands: an override's text, or a place in the file (line 0 = all of it). */
struct pare_place {
	int line, column, end_column;
	const char *origin;
};

struct pare_place pare_place_of_key(const struct pare_yaml_pair *pair);
struct pare_place pare_place_of_value(const struct pare_yaml_node *node);
/* help may be NULL. */
void pare_spec_complain(struct pare_spec_reader *reader, struct pare_place place, const char *help, const char *format,
                        ...) __attribute__((format(printf, 4, 5)));
/* "expected <what>, found <the node>"; true if the node is of that kind. Says nothing about a refused node, which is
 * never right. */
bool pare_spec_expect(struct pare_spec_reader *reader, const char *path, const struct pare_yaml_node *node,
                      enum pare_yaml_kind kind, const char *what);
/* "did you mean 'x'?", or "<label> a, b, c" when nothing is near. */
void pare_spec_suggest(struct pare_strbuf *help, const char *word, const char *const *candidates, const char *label);

/* One number, bool or choice by its rule (option->kind, low, high, choices); `path` names it in messages. */
bool pare_spec_read_option(struct pare_spec_reader *reader, const char *path, const struct pare_option *option,
                           unsigned open, const char *unit, const struct pare_yaml_node *node, double *value);
void pare_spec_write_option(const struct pare_option *option, double value, struct pare_strbuf *text);
/* The shortest decimal that reads back as the same double. */
void pare_spec_write_double(double value, struct pare_strbuf *text);
void pare_spec_write_string(const char *value, struct pare_strbuf *text);
/* "1 to 4096 (images)", "true or false", "a, b or c". */
void pare_spec_describe_option(const struct pare_option *option, unsigned open, const char *unit,
                               struct pare_strbuf *text);
/* A plain scalar that is a finite YAML 1.2 float or integer. */
bool pare_spec_parse_number(const char *text, double *value);

/* The entry named by the node, or NULL after a complaint. */
const void *pare_spec_read_plug_in(struct pare_spec_reader *reader, const char *path, pare_plug_in_list list,
                                   const struct pare_yaml_node *node);
/* Names of a list, NULL-terminated, malloc'd; NULL when out of memory. */
const char **pare_plug_in_names(pare_plug_in_list list);

/* Index in the table, or -1. */
int pare_spec_find_key(const char *path);
/* The key's name within its section. */
const char *pare_spec_key_name(const struct pare_spec_key *key);
bool pare_spec_key_is_section(const struct pare_spec_key *key);
/* `section` is "" for the root. */
bool pare_spec_key_in_section(const struct pare_spec_key *key, const char *section);

/* What no single key can know: rules between keys. Called when all keys are read. */
void pare_spec_check(struct pare_spec_reader *reader);

#endif
