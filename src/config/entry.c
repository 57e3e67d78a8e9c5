/* SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <assert.h>
#include <string.h>

/* What stands behind "must be"; words stand for themselves. */
static const char *const wanted[] = {
	[SETTING_MAP] = "a map of keys",
	[SETTING_NAMED] = "a map of names",
	[SETTING_NUMBER] = "a whole number",
	[SETTING_DURATION] = "a duration such as 500ms, 5s, 2m or 1h",
	[SETTING_SIZE] = "a size such as 4700000000, 64KiB, 4MiB or 1GiB",
	[SETTING_RATE] = "a rate such as 800kbit/s, 50Mbit/s or 1Gbit/s",
	[SETTING_PERCENT] = "a percentage such as 50%",
	[SETTING_TEXT] = "text",
	[SETTING_LINE] = "text without control characters",
	[SETTING_REGEX] = "a regular expression",
	[SETTING_DIGEST] = "a SHA-256 of 64 hexadecimal digits",
	[SETTING_METHOD] = "a method such as GET, HEAD or POST",
	[SETTING_HEADERS] = "a map of header fields",
	[SETTING_PATTERNS] = "a map of header fields and regular expressions",
	[SETTING_SLICES] = "head, tail, random, an offset such as 1GiB, or a list of them",
	[SETTING_COMMAND] = "a program's path, or a list of it and its arguments",
	[SETTING_HOST] = "a host name",
	[SETTING_URL_PATH] = "a path that begins with '/' and has no blanks",
	[SETTING_URL] = "a URL such as https://hooks.example/steerd",
	[SETTING_FILE] = "a path",
	[SETTING_SOCKET] = "a path",
	[SETTING_CONTENT] = "a path",
	[SETTING_FILES] = "a path or a list of paths",
	[SETTING_LISTEN] = "a list of ADDRESS:PORT",
	[SETTING_ADDRESSES] = "an IP address or a list of them",
	[SETTING_PREFIXES] = "a prefix such as 192.0.2.0/24 or a list of them",
	[SETTING_POSITION] = "[LATITUDE, LONGITUDE] in degrees",
	[SETTING_STATUS] =
		"status codes and ranges of them from 100 to 599, such as [200-299, 304]",
	[SETTING_GRANULARITY] = "the lengths of an IPv4 prefix (1 to 32) and an IPv6 prefix (1 to "
				"64), such as 24/56",
	[SETTING_SITE] = "the name of a site",
	[SETTING_MONITORS] = "the name of a monitor or a list of them",
	[SETTING_CONDITION] = "the name of a monitor, or a map of all-of, any-of, at-least or not",
	[SETTING_POOL] = "the name of a pool",
};

/* "nearest, failover, weighted or all" */
static void add_alternatives(struct text *text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			text_add(text, words[i + 1] ? ", " : " or ");
		text_add(text, words[i]);
	}
}

void entry_add_suggestion(struct text *text, const struct suggestion *suggestion)
{
	if (suggestion->best)
		text_print(text, "; did you mean '%s'?", show(suggestion->best).text);
}

void entry_refuse(struct reader *reader, const struct entry *entry, const struct node *node)
{
	const struct setting *setting = entry->setting;
	struct text line = {0};

	text_print(&line, "'%s' must be ", table_key(setting));
	if (setting->words)
		add_alternatives(&line, setting->words);
	else
		text_add(&line, wanted[setting->type]);
	if (node->kind != NODE_SCALAR || tree_is_null(node))
		text_print(&line, ", not %s", tree_kind_text(node));
	else
		text_print(&line, ", not '%s'", show(node->text).text);
	if (setting->words && node->kind == NODE_SCALAR) {
		struct suggestion suggestion = suggest_begin(node->text);

		for (size_t i = 0; setting->words[i]; i++)
			suggest_try(&suggestion, setting->words[i]);
		entry_add_suggestion(&line, &suggestion);
	}
	complain(reader->complaints, node->place, "%s", line.bytes);
	text_done(&line);
}

void entry_refuse_number(struct reader *reader, const struct entry *entry, const char *number)
{
	struct text limits = {0};

	table_print_limits(entry->setting, &limits);
	complain(reader->complaints, entry->node->place, "'%s' must be %s, not %s",
		table_key(entry->setting), limits.bytes, number);
	text_done(&limits);
}

void entry_refuse_count(struct reader *reader, const struct entry *entry, size_t count)
{
	struct text limits = {0};

	table_print_limits(entry->setting, &limits);
	complain(reader->complaints, entry->node->place, "'%s' must have %s, not %zu",
		table_key(entry->setting), limits.bytes, count);
	text_done(&limits);
}

void entry_store(const struct entry *entry, uint64_t number)
{
	char *field = entry->level->object + entry->setting->offset;
	bool truth = number != 0;
	uint16_t half = (uint16_t)number;
	uint32_t whole = (uint32_t)number; /* of enums as well */

	if (entry->setting->size == sizeof(number)) {
		memcpy(field, &number, sizeof(number));
	} else if (entry->setting->size == sizeof(truth)) {
		memcpy(field, &truth, sizeof(truth));
	} else if (entry->setting->size == sizeof(half)) {
		memcpy(field, &half, sizeof(half));
	} else {
		assert(entry->setting->size == sizeof(whole));
		memcpy(field, &whole, sizeof(whole));
	}
}

void entry_store_pointer(const struct entry *entry, const void *pointer)
{
	memcpy(entry->level->object + entry->setting->offset, &pointer, sizeof(pointer));
}

void entry_store_list(const struct entry *entry, const void *items, size_t count)
{
	entry_store_pointer(entry, items);
	memcpy(entry->level->object + entry->setting->count_offset, &count, sizeof(count));
}

const char *entry_text(struct reader *reader, const struct entry *entry, const struct node *node)
{
	if (node->kind == NODE_SCALAR && !tree_is_null(node))
		return node->text;
	entry_refuse(reader, entry, node);
	return NULL;
}
