/* SPDX-License-Identifier: Apache-2.0 */

/* How regular expressions and header fields are read. */

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <string.h>
#include <strings.h>

#include "entry.h"
#include "steerd/base/memory.h"
#include "value.h"

#define FIELD_NAME_MAX_BYTES 128
#define FIELD_VALUE_MAX_BYTES 4096
#define REGEX_ERROR_SIZE 256

/* Compiled here as it will be by who uses it: over bytes, without options. */
static bool is_regex(struct reader *reader, const char *what, const struct node *node)
{
	int number;
	size_t offset;
	PCRE2_UCHAR words[REGEX_ERROR_SIZE];
	pcre2_code *code = pcre2_compile(
		(PCRE2_SPTR)node->text, PCRE2_ZERO_TERMINATED, 0, &number, &offset, NULL);

	if (code) {
		pcre2_code_free(code);
		return true;
	}
	pcre2_get_error_message(number, words, sizeof(words));
	complain(reader->complaints, node->place,
		"'%s' is no regular expression: %s at its byte %zu", show(what).text,
		(const char *)words, offset + 1);
	return false;
}

void entry_read_regex(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (strlen(text) < setting->min || strlen(text) > setting->max)
		entry_refuse_count(reader, entry, strlen(text));
	else if (is_regex(reader, table_key(setting), entry->node))
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
}

/* Those that the request has anyway, or that say how it is sent. */
static const struct {
	const char *name;
	const char *instead;
} reserved[] = {
	{"Host", "say it with 'host'"},
	{"Range", "say it with 'range'"},
	{"Content-Length", "it is that of 'send'"},
	{"Transfer-Encoding", "the request is sent whole"},
	{"Connection", "each check has a connection of its own"},
};

static bool is_name(struct reader *reader, const struct node *key)
{
	if (value_is_token(key->text) && strlen(key->text) <= FIELD_NAME_MAX_BYTES)
		return true;
	complain(reader->complaints, key->place, "'%s' cannot be the name of a header field",
		show(key->text).text);
	return false;
}

static bool is_ours(struct reader *reader, const struct node *key)
{
	for (size_t i = 0; i < COUNT_OF(reserved); i++) {
		if (strcasecmp(reserved[i].name, key->text) != 0)
			continue;
		complain(reader->complaints, key->place, "'%s' cannot be set here: %s",
			show(key->text).text, reserved[i].instead);
		return true;
	}
	return false;
}

static bool is_value(struct reader *reader, const struct node *key)
{
	const struct node *value = key->value;

	if (value->kind != NODE_SCALAR || tree_is_null(value))
		complain(reader->complaints, value->place, "'%s' must be text, not %s",
			show(key->text).text, tree_kind_text(value));
	else if (!value_is_line(value->text) || strlen(value->text) > FIELD_VALUE_MAX_BYTES)
		complain(reader->complaints, value->place,
			"'%s' must be text without control characters, of at most %d bytes",
			show(key->text).text, FIELD_VALUE_MAX_BYTES);
	else
		return true;
	return false;
}

/* A value to send, or to look for: there `~` asks for any. */
static void read_field(struct reader *reader, const struct entry *entry, const struct node *key,
	struct settings_header *header)
{
	bool is_pattern = entry->setting->type == SETTING_PATTERNS;

	if (!is_name(reader, key) || (!is_pattern && is_ours(reader, key)))
		return;
	header->name = arena_text(reader->settings->arena, key->text);
	if (is_pattern && tree_is_null(key->value))
		return;
	if (is_value(reader, key) && (!is_pattern || is_regex(reader, key->text, key->value)))
		header->value = arena_text(reader->settings->arena, key->value->text);
}

void entry_read_fields(struct reader *reader, const struct entry *entry)
{
	const struct node *map = entry->node;

	if (map->kind != NODE_MAP) {
		entry_refuse(reader, entry, map);
		return;
	}
	if (map->count < entry->setting->min || map->count > entry->setting->max) {
		entry_refuse_count(reader, entry, map->count);
		return;
	}

	struct settings_header *headers =
		ARENA_ARRAY(reader->settings->arena, struct settings_header, map->count);

	for (const struct node *key = map->first; key; key = key->next)
		read_field(reader, entry, key, &headers[key->index]);
	entry_store_list(entry, headers, map->count);
}
