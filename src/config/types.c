/* SPDX-License-Identifier: Apache-2.0 */

/* How a value of each type of the table is read. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "entry.h"
#include "steerd/base/file.h"
#include "value.h"

/* Of more names, finding the one that was meant takes longer than it helps. */
#define SUGGEST_MAX_NAMES 1000

/* A list, or a single item that stands for a list of one. */
static const struct node *first_item(const struct node *node)
{
	return node->kind == NODE_LIST ? node->first : node;
}

static const struct node *next_item(const struct node *node, const struct node *item)
{
	return node->kind == NODE_LIST ? item->next : NULL;
}

/* How many items; 0, and a complaint, if that is not what the setting allows. */
static size_t count_items(struct reader *reader, const struct entry *entry)
{
	size_t count = entry->node->kind == NODE_SCALAR ? 1 : entry->node->count;

	if (entry->node->kind == NODE_MAP) {
		entry_refuse(reader, entry, entry->node);
		return 0;
	}
	if (count < entry->setting->min || count > entry->setting->max) {
		entry_refuse_count(reader, entry, count);
		return 0;
	}
	return count;
}

static void read_number(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);
	uint64_t number;

	if (!text)
		return;
	if (!value_number(text, &number)) {
		entry_refuse(reader, entry, entry->node);
		return;
	}
	if (number < setting->min || number > setting->max)
		entry_refuse_number(reader, entry, text);
	else
		entry_store(entry, number);
}

static void read_duration(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);
	uint64_t ms;

	if (!text)
		return;
	if (!value_duration(text, &ms))
		entry_refuse(reader, entry, entry->node);
	else if (ms < setting->min || ms > setting->max)
		entry_refuse_number(reader, entry, text);
	else
		entry_store(entry, ms);
}

static void read_word(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	for (size_t i = 0; entry->setting->words[i]; i++) {
		if (strcmp(entry->setting->words[i], text) == 0) {
			entry_store(entry, i);
			return;
		}
	}
	entry_refuse(reader, entry, entry->node);
}

static void read_text(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (strlen(text) < setting->min || strlen(text) > setting->max)
		entry_refuse_count(reader, entry, strlen(text));
	else
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
}

static void read_host(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (value_is_host(text))
		entry_store_pointer(entry, arena_text(reader->settings->arena, text));
	else
		entry_refuse(reader, entry, entry->node);
}

static void read_url_path(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);

	if (!text)
		return;
	if (!value_is_url_path(text))
		entry_refuse(reader, entry, entry->node);
	else
		read_text(reader, entry);
}

/* The path beside steerd.yaml; NULL, and a complaint, if the node has none. */
/* In place: people read "zones/a.zone" in messages, not "zones/.//a.zone". */
static void tidy_path(char *path)
{
	char *end = path;

	for (const char *from = path; *from != '\0';) {
		bool is_dot =
			from[0] == '/' && from[1] == '.' && (from[2] == '/' || from[2] == '\0');

		if (is_dot)
			from += 2;
		else if (from[0] == '/' && from[1] == '/')
			from++;
		else
			*end++ = *from++;
	}
	if (end > path + 1 && end[-1] == '/')
		end--;
	if (end == path)
		*end++ = '/';
	*end = '\0';
}

static const char *path_of(
	struct reader *reader, const struct entry *entry, const struct node *node)
{
	const char *text = entry_text(reader, entry, node);

	if (!text)
		return NULL;
	if (*text == '\0') {
		complain(reader->complaints, node->place, "'%s' is an empty path",
			table_key(entry->setting));
		return NULL;
	}

	char *beside = file_path_beside(reader->settings->path, text);

	tidy_path(beside);

	const char *path = arena_text(reader->settings->arena, beside);

	free(beside);
	return path;
}

static void read_file(struct reader *reader, const struct entry *entry)
{
	const char *path = path_of(reader, entry, entry->node);

	if (path)
		entry_store_pointer(entry, path);
}

static void read_socket(struct reader *reader, const struct entry *entry)
{
	const char *path = path_of(reader, entry, entry->node);
	size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (path && strlen(path) > max)
		complain(reader->complaints, entry->node->place,
			"'%s' is a path of %zu bytes; a Unix socket's has %zu at most",
			table_key(entry->setting), strlen(path), max);
	else if (path)
		entry_store_pointer(entry, path);
}

static void read_files(struct reader *reader, const struct entry *entry)
{
	size_t count = count_items(reader, entry);

	if (count == 0)
		return;

	const char **paths = ARENA_ARRAY(reader->settings->arena, const char *, count);
	size_t at = 0;

	for (const struct node *item = first_item(entry->node); item;
		item = next_item(entry->node, item))
		paths[at++] = path_of(reader, entry, item);
	entry_store_list(entry, paths, count);
}

static void read_listen(struct reader *reader, const struct entry *entry)
{
	size_t count = count_items(reader, entry);

	if (count == 0)
		return;

	struct address_port *items =
		ARENA_ARRAY(reader->settings->arena, struct address_port, count);
	size_t at = 0;

	for (const struct node *item = first_item(entry->node); item;
		item = next_item(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct err err;

		if (text && !address_port_parse(text, &items[at], &err))
			complain(reader->complaints, item->place, "%s", err.text);
		for (size_t i = 0; i < at; i++)
			if (text && items[at].port > 0 && items[at].port == items[i].port &&
				address_is_equal(&items[at].address, &items[i].address))
				complain(reader->complaints, item->place, "'%s' stands twice",
					show(text).text);
		at++;
	}
	entry_store_list(entry, items, count);
}

/* An item that is no address keeps its place with ADDRESS_NONE, so that the list lies beside its nodes. */
static void read_addresses(struct reader *reader, const struct entry *entry)
{
	size_t count = count_items(reader, entry);

	if (count == 0)
		return;

	struct address *addresses = ARENA_ARRAY(reader->settings->arena, struct address, count);
	size_t at = 0;

	for (const struct node *item = first_item(entry->node); item;
		item = next_item(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct address *address = &addresses[at++];

		if (!text)
			continue;
		if (!address_parse(text, address))
			complain(reader->complaints, item->place, "'%s' is not an IP address",
				show(text).text);
		else if (address_is_any(address))
			complain(reader->complaints, item->place,
				"'%s' is not the address of a host", show(text).text);
	}
	entry_store_list(entry, addresses, count);
}

static void read_prefixes(struct reader *reader, const struct entry *entry)
{
	size_t count = count_items(reader, entry);

	if (count == 0)
		return;

	struct prefix *prefixes = ARENA_ARRAY(reader->settings->arena, struct prefix, count);
	size_t at = 0;

	for (const struct node *item = first_item(entry->node); item;
		item = next_item(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct prefix *prefix = &prefixes[at++];
		struct err err;

		if (text && !prefix_parse(text, prefix, &err))
			complain(reader->complaints, item->place, "%s", err.text);
	}
	entry_store_list(entry, prefixes, count);
}

static void read_degrees(struct reader *reader, const struct entry *entry, const struct node *node,
	const char *what, double max, size_t offset)
{
	const char *text = entry_text(reader, entry, node);
	double degrees;

	if (!text)
		return;
	if (!value_decimal(text, &degrees))
		complain(reader->complaints, node->place, "%s must be a number, not '%s'", what,
			show(text).text);
	else if (degrees < -max || degrees > max)
		complain(reader->complaints, node->place, "%s must be from -%.0f to %.0f, not %s",
			what, max, max, show(text).text);
	else
		memcpy(entry->level->object + offset, &degrees, sizeof(degrees));
}

static void read_position(struct reader *reader, const struct entry *entry)
{
	const struct node *node = entry->node;

	if (node->kind != NODE_LIST || node->count != 2) {
		entry_refuse(reader, entry, node);
		return;
	}
	read_degrees(reader, entry, node->first, "the latitude", 90, entry->setting->offset);
	read_degrees(reader, entry, node->last, "the longitude", 180, entry->setting->count_offset);
}

static void read_status(struct reader *reader, const struct entry *entry)
{
	size_t count = count_items(reader, entry);

	if (count == 0)
		return;

	struct settings_status_range *ranges =
		ARENA_ARRAY(reader->settings->arena, struct settings_status_range, count);
	size_t at = 0;

	for (const struct node *item = first_item(entry->node); item;
		item = next_item(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct settings_status_range *range = &ranges[at++];

		if (text && !value_status(text, &range->first, &range->last))
			entry_refuse(reader, entry, item);
	}
	entry_store_list(entry, ranges, count);
}

static void read_granularity(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);
	uint8_t ipv4, ipv6;

	if (!text)
		return;
	if (!value_granularity(text, &ipv4, &ipv6)) {
		entry_refuse(reader, entry, entry->node);
		return;
	}
	entry->level->object[entry->setting->offset] = (char)ipv4;
	entry->level->object[entry->setting->count_offset] = (char)ipv6;
}

/* The position of a name in one of the maps at the top. */
static void read_reference(struct reader *reader, const struct entry *entry)
{
	const char *text = entry_text(reader, entry, entry->node);
	const char *kind = entry->setting->type == SETTING_SITE ? "site"
		: entry->setting->type == SETTING_MONITOR	? "monitor"
								: "pool";
	char map_key[16];
	struct text line = {0};

	if (!text)
		return;

	snprintf(map_key, sizeof(map_key), "%ss", kind);

	const struct node *map = tree_find(reader->root, map_key);
	struct suggestion suggestion = suggest_begin(text);

	if (map && map->kind == NODE_MAP) {
		const struct node *key = tree_find_key(map, text);

		if (key) {
			entry_store(entry, key->index);
			return;
		}
		for (key = map->first; key && map->count <= SUGGEST_MAX_NAMES; key = key->next)
			suggest_try(&suggestion, key->text);
	}
	text_print(&line, "unknown %s '%s'", kind, show(text).text);
	entry_add_suggestion(&line, &suggestion);
	complain(reader->complaints, entry->node->place, "%s", line.bytes);
	text_done(&line);
}

static void (*const readers[])(struct reader *reader, const struct entry *entry) = {
	[SETTING_NUMBER] = read_number,
	[SETTING_DURATION] = read_duration,
	[SETTING_WORD] = read_word,
	[SETTING_TEXT] = read_text,
	[SETTING_HOST] = read_host,
	[SETTING_URL_PATH] = read_url_path,
	[SETTING_FILE] = read_file,
	[SETTING_SOCKET] = read_socket,
	[SETTING_FILES] = read_files,
	[SETTING_LISTEN] = read_listen,
	[SETTING_ADDRESSES] = read_addresses,
	[SETTING_PREFIXES] = read_prefixes,
	[SETTING_POSITION] = read_position,
	[SETTING_STATUS] = read_status,
	[SETTING_GRANULARITY] = read_granularity,
	[SETTING_SITE] = read_reference,
	[SETTING_MONITOR] = read_reference,
	[SETTING_POOL] = read_reference,
};

void entry_read(struct reader *reader, const struct entry *entry)
{
	readers[entry->setting->type](reader, entry);
}
