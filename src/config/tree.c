/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "steerd/base/memory.h"

/* The deepest setting, pools.NAME.members.NAME.monitor, lies at 5, and a condition has two levels for each that it
 * nests; nobody writes 24. */
#define DEPTH_MAX 24
/* A node costs about 120 bytes of memory, and as little as 2 of a file. */
#define NODES_MAX 1000000
/* The time that libyaml takes for %TAG directives grows with the square of their number: 100,000 take a minute. */
#define TAGS_MAX 100

struct builder {
	yaml_parser_t parser;
	const char *bytes;
	size_t size;
	struct arena *arena;
	struct complaints *complaints;
	struct node *root;
	struct node *open[DEPTH_MAX]; /* lists and maps that have begun, outermost first */
	struct node *key[DEPTH_MAX];  /* of an open map: the key that waits for its value */
	size_t depth;
	size_t node_count;
	size_t document_count;
	bool is_done;
};

static struct report_place place_of(const struct builder *builder, const yaml_mark_t *mark)
{
	return (struct report_place){
		.path = builder->complaints->path,
		.line = (unsigned)mark->line + 1,
		.column = (unsigned)mark->column + 1,
	};
}

/* Stops reading. */
static bool stop(struct builder *builder, struct report_place place, const char *why)
{
	complain(builder->complaints, place, "%s", why);
	return false;
}

/* ---- what libyaml cannot read ---------------------------------------------------------------------------------- */

/* libyaml says where bytes are wrong by their number alone. */
static struct report_place place_of_byte(const struct builder *builder, size_t at)
{
	struct report_place place = {.path = builder->complaints->path, .line = 1, .column = 1};

	for (size_t i = 0; i < at && i < builder->size; i++) {
		if (builder->bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((uint8_t)builder->bytes[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* What has no meaning where it stands is, nine times in ten, a tab. */
static bool is_tab(const yaml_parser_t *parser)
{
	return parser->error == YAML_SCANNER_ERROR &&
		strstr(parser->problem, "cannot start any token") &&
		*parser->buffer.pointer == '\t';
}

static bool stop_syntax(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;

	switch (parser->error) {
	case YAML_MEMORY_ERROR:
		return stop(builder, (struct report_place){.path = builder->complaints->path},
			"not enough memory to read it");
	case YAML_READER_ERROR:
		complain(builder->complaints, place_of_byte(builder, parser->problem_offset),
			"not text in UTF-8: %s", parser->problem);
		return false;
	case YAML_NO_ERROR:
	case YAML_SCANNER_ERROR:
	case YAML_PARSER_ERROR:
	case YAML_COMPOSER_ERROR:
	case YAML_WRITER_ERROR:
	case YAML_EMITTER_ERROR:
		break;
	}

	struct report_place place = place_of(builder, &parser->problem_mark);

	if (is_tab(parser))
		return stop(builder, place, "not YAML: a tab cannot indent; use spaces");
	if (parser->context)
		complain(builder->complaints, place, "not YAML: %s %s that began at %zu:%zu",
			parser->problem, parser->context, parser->context_mark.line + 1,
			parser->context_mark.column + 1);
	else
		complain(builder->complaints, place, "not YAML: %s", parser->problem);
	return false;
}

/* ---- building --------------------------------------------------------------------------------------------------- */

static void append(struct node *parent, struct node *node)
{
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	node->index = parent->count++;
}

/* Puts a node where the document has come to: at the top, into a list, as a key, as a key's value. */
static bool attach(struct builder *builder, struct node *node)
{
	if (builder->depth == 0) {
		builder->root = node;
		return true;
	}

	struct node *parent = builder->open[builder->depth - 1];
	struct node **key = &builder->key[builder->depth - 1];

	if (parent->kind == NODE_LIST) {
		append(parent, node);
	} else if (*key) {
		(*key)->value = node;
		*key = NULL;
	} else if (node->kind == NODE_SCALAR) {
		append(parent, node);
		*key = node;
	} else {
		return stop(builder, node->place, "a key must be plain text");
	}
	return true;
}

static struct node *node_new(
	struct builder *builder, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = ARENA_NEW(builder->arena, struct node);

	node->kind = kind;
	node->place = place_of(builder, &event->start_mark);
	return node;
}

/* Is there nothing about the node that we do not take? */
static bool is_plain(struct builder *builder, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	struct report_place place = place_of(builder, &event->start_mark);

	if (anchor)
		return stop(builder, place,
			"anchors are not taken; write the value out where it is used");
	if (tag)
		return stop(builder, place, "tags are not taken; each key has a type of its own");
	if (++builder->node_count > NODES_MAX)
		return stop(builder, place, "too many values: there may be 1000000 at most");
	return true;
}

static bool add_scalar(struct builder *builder, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;

	if (!is_plain(builder, event, event->data.scalar.anchor, event->data.scalar.tag))
		return false;

	struct node *node = node_new(builder, NODE_SCALAR, event);

	if (strlen(value) != event->data.scalar.length)
		return stop(builder, node->place, "text cannot hold a zero byte");
	node->text = arena_text(builder->arena, value);
	node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return attach(builder, node);
}

static bool begin(struct builder *builder, enum node_kind kind, const yaml_event_t *event,
	const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (!is_plain(builder, event, anchor, tag))
		return false;

	struct node *node = node_new(builder, kind, event);

	if (builder->depth == DEPTH_MAX)
		return stop(builder, node->place, "nested too deeply: 24 levels at most");
	if (!attach(builder, node))
		return false;
	builder->key[builder->depth] = NULL;
	builder->open[builder->depth++] = node;
	return true;
}

static int compare_keys(const void *left, const void *right)
{
	const struct node *a = *(const struct node *const *)left;
	const struct node *b = *(const struct node *const *)right;
	int order = strcmp(a->text, b->text);

	if (order != 0)
		return order;
	if (a->place.line != b->place.line)
		return a->place.line < b->place.line ? -1 : 1;
	return a->place.column < b->place.column ? -1 : 1;
}

/* Sorts a map's keys for tree_find(), and finds those that stand twice. */
static void finish_map(struct builder *builder, struct node *map)
{
	struct node **keys = ARENA_ARRAY(builder->arena, struct node *, map->count);
	size_t count = 0;

	for (struct node *key = map->first; key; key = key->next)
		keys[count++] = key;
	if (count > 0)
		qsort(keys, count, sizeof(keys[0]), compare_keys);
	map->by_text = (const struct node **)keys;

	for (size_t i = 1, first = 0; i < count; i++) {
		if (strcmp(keys[i]->text, keys[first]->text) != 0) {
			first = i;
			continue;
		}
		keys[i]->is_duplicate = true;
		complain(builder->complaints, keys[i]->place,
			"duplicate key '%s'; the first is at line %u", show(keys[i]->text).text,
			keys[first]->place.line);
	}
}

static bool end(struct builder *builder)
{
	struct node *node = builder->open[--builder->depth];

	if (node->kind == NODE_MAP)
		finish_map(builder, node);
	return true;
}

static bool take(struct builder *builder, const yaml_event_t *event)
{
	struct report_place place = place_of(builder, &event->start_mark);

	switch (event->type) {
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_NO_EVENT:
		return true;
	case YAML_STREAM_END_EVENT:
		builder->is_done = true;
		return true;
	case YAML_DOCUMENT_START_EVENT:
		if (++builder->document_count > 1)
			return stop(builder, place, "a second document begins; there may be one");
		return true;
	case YAML_ALIAS_EVENT:
		return stop(builder, place, "aliases are not taken; write the value out");
	case YAML_SCALAR_EVENT:
		return add_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return begin(builder, NODE_LIST, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return begin(builder, NODE_MAP, event, event->data.mapping_start.anchor,
			event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end(builder);
	}
	return true;
}

static bool build(struct builder *builder)
{
	while (!builder->is_done) {
		yaml_event_t event;

		if (!yaml_parser_parse(&builder->parser, &event))
			return stop_syntax(builder);

		bool done = take(builder, &event);

		yaml_event_delete(&event);
		if (!done)
			return false;
	}
	if (!builder->root)
		return stop(builder, (struct report_place){.path = builder->complaints->path},
			"it is empty");
	return true;
}

/* Wherever they stand: what libyaml takes for the beginning of a line is more than '\n'. */
static bool has_few_tags(struct builder *builder)
{
	static const char tag[] = "%TAG";
	const char *at = builder->bytes;
	const char *end = at + builder->size;

	for (size_t count = 0; (at = memmem(at, (size_t)(end - at), tag, strlen(tag)));
		at += strlen(tag))
		if (++count > TAGS_MAX)
			return stop(builder, place_of_byte(builder, (size_t)(at - builder->bytes)),
				"too many %TAG directives: there may be 100 at most");
	return true;
}

const struct node *tree_read(
	const char *bytes, size_t size, struct arena *arena, struct complaints *complaints)
{
	/* some editors put it there; libyaml, told that all is UTF-8, counts it as a column */
	size_t mark_size = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	struct builder builder = {
		.bytes = bytes + mark_size,
		.size = size - mark_size,
		.arena = arena,
		.complaints = complaints,
	};

	if (!has_few_tags(&builder))
		return NULL;
	if (!yaml_parser_initialize(&builder.parser)) {
		stop_syntax(&builder);
		return NULL;
	}
	yaml_parser_set_input_string(
		&builder.parser, (const unsigned char *)builder.bytes, builder.size);
	yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);

	bool done = build(&builder);

	yaml_parser_delete(&builder.parser);
	return done ? builder.root : NULL;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

const struct node *tree_find_key(const struct node *map, const char *text)
{
	size_t low = 0;
	size_t high = map->count;

	assert(map->kind == NODE_MAP);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(map->by_text[middle]->text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < map->count && strcmp(map->by_text[low]->text, text) == 0)
		return map->by_text[low];
	return NULL;
}

const struct node *tree_find(const struct node *map, const char *text)
{
	const struct node *key = tree_find_key(map, text);

	return key ? key->value : NULL;
}

bool tree_is_null(const struct node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_SCALAR || node->is_quoted)
		return false;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(node->text, words[i]) == 0)
			return true;
	return false;
}

const char *tree_kind_text(const struct node *node)
{
	switch (node->kind) {
	case NODE_SCALAR:
		return tree_is_null(node) ? "nothing" : "text";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a map";
	}
	return "";
}
