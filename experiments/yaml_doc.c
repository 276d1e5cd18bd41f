#include "experiments/yaml_doc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* some editors put it before UTF-8 text */

/* The parse under way. `stopped` after the first error that makes the rest unreadable. */
struct builder {
	yaml_parser_t parser;
	struct pare_diagnostics *diagnostics;
	const char *source;
	size_t nodes;
	int depth;
	bool stopped;
};

static struct pare_yaml_node *build_node(struct builder *builder, const yaml_event_t *event);

static void node_free(struct pare_yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; node->kind == PARE_YAML_MAPPING && i < node->count; i++) {
		free(node->pairs[i].key);
		node_free(node->pairs[i].value);
	}
	for (size_t i = 0; node->kind == PARE_YAML_SEQUENCE && i < node->count; i++)
		node_free(node->items[i]);
	free(node->pairs);
	free(node->items);
	free(node->text);
	free(node);
}

void pare_yaml_free(struct pare_yaml_doc *doc)
{
	if (!doc)
		return;
	node_free(doc->root);
	free(doc->path);
	free(doc->source);
	free(doc);
}

static void out_of_memory(struct builder *builder)
{
	builder->diagnostics->failed = true;
	builder->stopped = true;
}

/* 1-based column of a byte, in characters, as libyaml's marks count. */
static int column_of(const char *line, const char *byte)
{
	int column = 1;

	for (; line < byte; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

static const char *line_start(const char *source, int line)
{
	while (line > 1 && (source = strchr(source, '\n'))) {
		source++;
		line--;
	}
	return source;
}

/* What libyaml says of frequent mistakes does not help to find them. An error that starts `where` something was opened
 * is placed there if it was found in another line only. */
enum where { AT_PROBLEM, AT_OPENING };

static const struct {
	const char *problem, *help;
	enum where where;
} syntax_help[] = {
        {"mapping values are not allowed in this context",
         "indent the keys of a section alike; put a text that contains ': ' in quotes", AT_PROBLEM},
        {"did not find expected key", "indent the keys of a section alike", AT_PROBLEM},
        {"could not find expected ':'", "a key is followed by ': ' and its value", AT_PROBLEM},
        {"did not find expected ',' or ']'", "a list is written [a, b] and closed in the same way", AT_OPENING},
        {"did not find expected ',' or '}'", "a section in one line is written {key: value, key: value}", AT_OPENING},
        {"found unexpected end of stream", "the quote that opens here is never closed", AT_OPENING},
        {"found character that cannot start any token", "put a text that starts with @, ` or % in quotes", AT_PROBLEM},
};

/* A tab in the white space that a line starts with: the obscure messages it leads to do not name it. */
static bool report_tab(struct builder *builder, int line)
{
	const char *text = line_start(builder->source, line);
	size_t blank = text ? strspn(text, " \t") : 0;
	const char *tab = blank ? memchr(text, '\t', blank) : NULL;

	if (!tab)
		return false;
	pare_diagnostics_add(builder->diagnostics, line, column_of(text, tab), 0,
	                     "YAML allows no tabs there: set your editor to insert spaces", "a tab in the indentation");
	return true;
}

static void report_bad_bytes(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	size_t offset = parser->problem_offset;
	const char *line = builder->source;
	int number = 1;

	if (offset > strlen(builder->source))
		offset = strlen(builder->source);
	for (const char *c = builder->source; c < builder->source + offset; c++)
		if (*c == '\n') {
			line = c + 1;
			number++;
		}
	pare_diagnostics_add(builder->diagnostics, number, column_of(line, builder->source + offset), 0,
	                     "write the file as UTF-8 text", "%s (byte 0x%02x)", parser->problem,
	                     (unsigned)parser->problem_value & 0xff);
}

static void report_problem(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	const char *problem = parser->problem ? parser->problem : "not readable as YAML", *help = NULL;
	yaml_mark_t mark = parser->problem_mark;

	for (size_t i = 0; i < sizeof(syntax_help) / sizeof(*syntax_help); i++) {
		if (strcmp(problem, syntax_help[i].problem) != 0)
			continue;
		help = syntax_help[i].help;
		if (syntax_help[i].where == AT_OPENING && parser->context && parser->context_mark.line < mark.line)
			mark = parser->context_mark;
	}
	pare_diagnostics_add(builder->diagnostics, (int)mark.line + 1, (int)mark.column + 1, 0, help, "%s%s%s%s",
	                     problem, parser->context ? " (" : "", parser->context ? parser->context : "",
	                     parser->context ? ")" : "");
}

static void report_syntax(struct builder *builder)
{
	builder->stopped = true;
	if (builder->parser.error == YAML_MEMORY_ERROR)
		out_of_memory(builder);
	else if (builder->parser.error == YAML_READER_ERROR)
		report_bad_bytes(builder);
	else if (!report_tab(builder, (int)builder->parser.problem_mark.line + 1))
		report_problem(builder);
}

static bool next_event(struct builder *builder, yaml_event_t *event)
{
	if (builder->stopped)
		return false;
	if (yaml_parser_parse(&builder->parser, event))
		return true;
	report_syntax(builder);
	return false;
}

static int end_column(const yaml_event_t *event)
{
	if (event->end_mark.line == event->start_mark.line)
		return (int)event->end_mark.column + 1;
	return (int)event->start_mark.column + 2;
}

static void report(struct builder *builder, const yaml_event_t *event, const char *help, const char *text)
{
	pare_diagnostics_add(builder->diagnostics, (int)event->start_mark.line + 1, (int)event->start_mark.column + 1,
	                     end_column(event), help, "%s", text);
}

static void stop(struct builder *builder, const yaml_event_t *event, const char *help, const char *text)
{
	report(builder, event, help, text);
	builder->stopped = true;
}

static void refuse_anchor_and_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *anchor,
                                  const yaml_char_t *tag)
{
	if (anchor)
		report(builder, event, "write the value out where it is needed", "anchors (&name) are not allowed");
	if (tag)
		report(builder, event, "the key decides how its value is read", "tags (!type) are not allowed");
}

static struct pare_yaml_node *new_node(struct builder *builder, const yaml_event_t *event)
{
	struct pare_yaml_node *node;

	if (++builder->nodes > PARE_YAML_MAX_NODES) {
		stop(builder, event, NULL, "more than 100000 values");
		return NULL;
	}
	node = pare_calloc(1, sizeof(*node));
	if (!node) {
		out_of_memory(builder);
		return NULL;
	}
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	node->end_column = end_column(event);
	return node;
}

static void build_scalar(struct builder *builder, const yaml_event_t *event, struct pare_yaml_node *node)
{
	const char *text = (const char *)event->data.scalar.value;

	refuse_anchor_and_tag(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
	node->kind = PARE_YAML_SCALAR;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(text) != event->data.scalar.length)
		report(builder, event, NULL, "a NUL character in a text");
	node->text = pare_strdup(text);
	if (!node->text)
		out_of_memory(builder);
}

static void build_sequence(struct builder *builder, const yaml_event_t *event, struct pare_yaml_node *node)
{
	size_t capacity = 0;
	yaml_event_t item;
	bool end = false;

	refuse_anchor_and_tag(builder, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
	node->kind = PARE_YAML_SEQUENCE;
	while (!end && next_event(builder, &item)) {
		end = item.type == YAML_SEQUENCE_END_EVENT;
		if (end && item.end_mark.line == event->start_mark.line)
			node->end_column = (int)item.end_mark.column + 1;
		if (!end && pare_array_grow((void **)&node->items, &capacity, node->count + 1, sizeof(*node->items)))
			out_of_memory(builder);
		else if (!end && (node->items[node->count] = build_node(builder, &item)))
			node->count++;
		yaml_event_delete(&item);
	}
}

/* Takes `value`. */
static void add_pair(struct builder *builder, struct pare_yaml_node *node, size_t *capacity, const yaml_event_t *key,
                     struct pare_yaml_node *value)
{
	const char *text = (const char *)key->data.scalar.value;
	const struct pare_yaml_pair *first = pare_yaml_get(node, text);
	struct pare_yaml_pair pair = {.line = (int)key->start_mark.line + 1,
	                              .column = (int)key->start_mark.column + 1,
	                              .end_column = end_column(key),
	                              .value = value};

	refuse_anchor_and_tag(builder, key, key->data.scalar.anchor, key->data.scalar.tag);
	if (node->count == PARE_YAML_MAX_KEYS) {
		stop(builder, key, NULL, "more than 1000 keys in one section");
		node_free(value);
		return;
	}
	if (first) {
		pare_diagnostics_add(builder->diagnostics, pair.line, pair.column, pair.end_column, NULL,
		                     "duplicate key '%s': it is already in line %d", text, first->line);
		node_free(value);
		return;
	}
	pair.key = pare_strdup(text);
	if (!pair.key || pare_array_grow((void **)&node->pairs, capacity, node->count + 1, sizeof(pair))) {
		free(pair.key);
		node_free(value);
		out_of_memory(builder);
		return;
	}
	node->pairs[node->count++] = pair;
}

/* One pair, whose key event is already here. A key that cannot be used is reported and passed over with its value. */
static void build_pair(struct builder *builder, const yaml_event_t *key, struct pare_yaml_node *node, size_t *capacity)
{
	bool usable = key->type == YAML_SCALAR_EVENT;
	struct pare_yaml_node *value;
	yaml_event_t event;

	if (usable && strcmp((const char *)key->data.scalar.value, "<<") == 0 &&
	    key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
		report(builder, key, "write the keys out where they are needed", "merge keys (<<) are not allowed");
		usable = false;
	} else if (!usable) {
		report(builder, key, NULL, "a key must be a plain name");
		node_free(build_node(builder, key));
	}
	if (!next_event(builder, &event))
		return;
	value = build_node(builder, &event);
	yaml_event_delete(&event);
	if (usable && value)
		add_pair(builder, node, capacity, key, value);
	else
		node_free(value);
}

static void build_mapping(struct builder *builder, const yaml_event_t *event, struct pare_yaml_node *node)
{
	size_t capacity = 0;
	yaml_event_t key;
	bool end = false;

	refuse_anchor_and_tag(builder, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
	node->kind = PARE_YAML_MAPPING;
	while (!end && next_event(builder, &key)) {
		end = key.type == YAML_MAPPING_END_EVENT;
		if (end && key.end_mark.line == event->start_mark.line)
			node->end_column = (int)key.end_mark.column + 1;
		if (!end)
			build_pair(builder, &key, node, &capacity);
		yaml_event_delete(&key);
	}
}

/* The value that starts with `event`. NULL when the parse was stopped before there was anything. */
static struct pare_yaml_node *build_node(struct builder *builder, const yaml_event_t *event)
{
	struct pare_yaml_node *node = new_node(builder, event);

	if (!node)
		return NULL;
	if (event->type == YAML_SCALAR_EVENT) {
		build_scalar(builder, event, node);
	} else if (event->type == YAML_ALIAS_EVENT) {
		node->kind = PARE_YAML_REFUSED;
		report(builder, event, "write the value out", "aliases (*name) are not allowed");
	} else if (builder->depth == PARE_YAML_MAX_DEPTH) {
		node->kind = PARE_YAML_REFUSED;
		stop(builder, event, NULL, "nested more than 32 levels deep");
	} else {
		builder->depth++;
		if (event->type == YAML_SEQUENCE_START_EVENT)
			build_sequence(builder, event, node);
		else
			build_mapping(builder, event, node);
		builder->depth--;
	}
	if (node->kind == PARE_YAML_SCALAR && !node->text) {
		node_free(node);
		return NULL;
	}
	return node;
}

/* The one document of the stream. */
static struct pare_yaml_node *build_document(struct builder *builder)
{
	struct pare_yaml_node *root = NULL;
	bool end = false, second = false;
	yaml_event_t event;

	while (!end && next_event(builder, &event)) {
		end = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && root) {
			stop(builder, &event, "remove the line with ---", "a second document in the file");
			second = true;
		} else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
		           event.type != YAML_DOCUMENT_END_EVENT && !end) {
			root = build_node(builder, &event);
		}
		yaml_event_delete(&event);
	}
	if (end && !root && !builder->stopped)
		pare_diagnostics_add(builder->diagnostics, 0, 0, 0, NULL, "%s",
		                     builder->diagnostics->origin ? "no value"
		                                                  : "there is nothing but comments and white space");
	if (builder->stopped && !second) {
		node_free(root);
		return NULL;
	}
	return root;
}

static struct pare_yaml_node *parse_text(const char *text, struct pare_diagnostics *diagnostics)
{
	struct builder builder = {.diagnostics = diagnostics, .source = text};
	struct pare_yaml_node *root;

	if (!yaml_parser_initialize(&builder.parser)) {
		diagnostics->failed = true;
		return NULL;
	}
	yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, strlen(text));
	yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
	root = build_document(&builder);
	yaml_parser_delete(&builder.parser);
	return root;
}

struct pare_yaml_doc *pare_yaml_parse(const char *text, const char *path, struct pare_diagnostics *diagnostics)
{
	struct pare_yaml_doc *doc;

	/* here, not in libyaml, which would count it as the first line's first column */
	if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		text += strlen(BYTE_ORDER_MARK);
	/* an override's text has no lines worth showing: its errors are placed by diagnostics->origin */
	if (!diagnostics->origin && pare_diagnostics_set_source(diagnostics, path, text))
		return NULL;
	if (strlen(text) > PARE_YAML_MAX_BYTES) {
		pare_diagnostics_add(diagnostics, 0, 0, 0, NULL, "%zu bytes; at most %zu are read", strlen(text),
		                     PARE_YAML_MAX_BYTES);
		return NULL;
	}
	doc = pare_calloc(1, sizeof(*doc));
	if (doc) {
		doc->path = pare_strdup(path);
		doc->source = pare_strdup(text);
	}
	if (!doc || !doc->path || !doc->source)
		diagnostics->failed = true;
	else
		doc->root = parse_text(text, diagnostics);
	if (doc && !doc->root) {
		pare_yaml_free(doc);
		doc = NULL;
	}
	return doc;
}

struct pare_yaml_doc *pare_yaml_read(const char *path, struct pare_diagnostics *diagnostics)
{
	struct pare_bytes bytes = {0};
	struct pare_error error = {0};
	struct pare_yaml_doc *doc = NULL;

	if (pare_file_read(path, PARE_YAML_MAX_BYTES, &bytes, &error)) {
		if (!pare_diagnostics_set_source(diagnostics, path, NULL))
			pare_diagnostics_add(diagnostics, 0, 0, 0, NULL, "%s", error.text);
		return NULL;
	}
	if (memchr(bytes.data, '\0', bytes.size)) {
		if (!pare_diagnostics_set_source(diagnostics, path, NULL))
			pare_diagnostics_add(diagnostics, 0, 0, 0, "is it the right file?",
			                     "contains NUL bytes: this is not text");
	} else {
		doc = pare_yaml_parse((const char *)bytes.data, path, diagnostics);
	}
	pare_bytes_release(&bytes);
	return doc;
}

const struct pare_yaml_pair *pare_yaml_get(const struct pare_yaml_node *mapping, const char *key)
{
	for (size_t i = 0; mapping->kind == PARE_YAML_MAPPING && i < mapping->count; i++)
		if (strcmp(mapping->pairs[i].key, key) == 0)
			return &mapping->pairs[i];
	return NULL;
}
