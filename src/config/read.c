/* SPDX-License-Identifier: Apache-2.0 */
#include "read.h"

#include <assert.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "steerd/base/file.h"
#include "steerd/base/memory.h"
#include "steerd/config/table.h"
#include "suggest.h"
#include "value.h"

/* Room for "pools.NAME.members.NAME.address". */
#define WHERE_SIZE 192
/* Of more names, finding the one that was meant takes longer than it helps. */
#define SUGGEST_MAX_NAMES 1000
#define DEFAULT_TIMEOUT_MS 4000

struct reader {
	struct settings *settings;
	struct complaints *complaints;
	const struct node *root;
	struct arena *scratch;	      /* of defaults */
	const struct node **initials; /* beside table_settings: defaults, as trees; NULL: none */
};

/* A map in the file, the settings that it may hold, and the struct that they go to. */
struct level {
	const char *pattern; /* "pools.NAME" */
	const char *where;   /* "pools.downloads" */
	char *object;
};

/* Ours: the level holds the setting, and the node is its value. */
struct entry {
	const struct level *level;
	const struct setting *setting;
	const struct node *node;
};

/* ---- mistakes --------------------------------------------------------------------------------------------------- */

/* What stands behind "must be". */
static const char *const wanted[] = {
	[SETTING_MAP] = "a map of keys",
	[SETTING_NAMED] = "a map of names",
	[SETTING_NUMBER] = "a whole number",
	[SETTING_DURATION] = "a duration such as 500ms, 5s, 2m or 1h",
	[SETTING_TEXT] = "text",
	[SETTING_HOST] = "a host name",
	[SETTING_URL_PATH] = "a path that begins with '/' and has no blanks",
	[SETTING_FILE] = "a path",
	[SETTING_SOCKET] = "a path",
	[SETTING_FILES] = "a path or a list of paths",
	[SETTING_LISTEN] = "a list of ADDRESS:PORT",
	[SETTING_ADDRESSES] = "an IP address or a list of them",
	[SETTING_POSITION] = "[LATITUDE, LONGITUDE] in degrees",
	[SETTING_STATUS] =
		"status codes and ranges of them from 100 to 599, such as [200-299, 304]",
	[SETTING_GRANULARITY] = "the lengths of an IPv4 and an IPv6 prefix, such as 24/56",
	[SETTING_SITE] = "the name of a site",
	[SETTING_MONITOR] = "the name of a monitor",
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

static void add_suggestion(struct text *text, const struct suggestion *suggestion)
{
	if (suggestion->best)
		text_print(text, "; did you mean '%s'?", suggestion->best);
}

/* 'KEY' must be this, not that. */
static void refuse(struct reader *reader, const struct entry *entry, const struct node *node)
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
		add_suggestion(&line, &suggestion);
	}
	complain(reader->complaints, node->place, "%s", line.bytes);
	text_done(&line);
}

/* The level of the table that knows `key`, if the key is right but its place is not. */
static const struct setting *find_elsewhere(const struct level *level, const char *key)
{
	size_t room = strcspn(level->pattern, ".");

	for (size_t i = 0; i < table_setting_count; i++) {
		const struct setting *setting = &table_settings[i];

		if (strcmp(table_key(setting), key) == 0 && setting->type != SETTING_MAP &&
			strncmp(setting->path, level->pattern, room) == 0 &&
			(room == 0 || setting->path[room] == '.'))
			return setting;
	}
	return NULL;
}

static void add_known_keys(struct text *text, const struct level *level)
{
	const char *separator = "; known here: ";

	for (size_t i = 0; i < table_setting_count; i++) {
		if (!table_is_below(&table_settings[i], level->pattern))
			continue;
		text_print(text, "%s%s", separator, table_key(&table_settings[i]));
		separator = ", ";
	}
}

static void refuse_key(struct reader *reader, const struct level *level, const struct node *key)
{
	struct suggestion suggestion = suggest_begin(key->text);
	const struct setting *elsewhere = find_elsewhere(level, key->text);
	struct text line = {0};

	for (size_t i = 0; i < table_setting_count; i++)
		if (table_is_below(&table_settings[i], level->pattern))
			suggest_try(&suggestion, table_key(&table_settings[i]));
	text_print(&line, "unknown key '%s'", show(key->text).text);
	if (suggestion.best)
		add_suggestion(&line, &suggestion);
	else if (elsewhere)
		text_print(&line, "; it belongs at %s", elsewhere->path);
	else
		add_known_keys(&line, level);
	complain(reader->complaints, key->place, "%s", line.bytes);
	text_done(&line);
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static void store(const struct entry *entry, uint64_t number)
{
	char *field = entry->level->object + entry->setting->offset;

	switch (entry->setting->size) {
	case sizeof(uint16_t):
		memcpy(field, &(uint16_t){(uint16_t)number}, sizeof(uint16_t));
		return;
	case sizeof(uint32_t): /* enums as well */
		memcpy(field, &(uint32_t){(uint32_t)number}, sizeof(uint32_t));
		return;
	}
	assert(!"a field of another size");
}

static void store_pointer(const struct entry *entry, const void *pointer)
{
	memcpy(entry->level->object + entry->setting->offset, &pointer, sizeof(pointer));
}

static void store_list(const struct entry *entry, const void *items, size_t count)
{
	store_pointer(entry, items);
	memcpy(entry->level->object + entry->setting->count_offset, &count, sizeof(count));
}

/* The text of a scalar; NULL, and a complaint, for what has none. */
static const char *text_of(
	struct reader *reader, const struct entry *entry, const struct node *node)
{
	if (node->kind == NODE_SCALAR && !tree_is_null(node))
		return node->text;
	refuse(reader, entry, node);
	return NULL;
}

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
		refuse(reader, entry, entry->node);
		return 0;
	}
	if (count < entry->setting->min || count > entry->setting->max) {
		complain(reader->complaints, entry->node->place,
			"'%s' must have from %" PRIu64 " to %" PRIu64 " items, not %zu",
			table_key(entry->setting), entry->setting->min, entry->setting->max, count);
		return 0;
	}
	return count;
}

static void read_number(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = text_of(reader, entry, entry->node);
	uint64_t number;

	if (!text)
		return;
	if (!value_number(text, &number)) {
		refuse(reader, entry, entry->node);
		return;
	}
	if (number < setting->min || number > setting->max)
		complain(reader->complaints, entry->node->place,
			"'%s' must be from %" PRIu64 " to %" PRIu64 ", not %" PRIu64,
			table_key(setting), setting->min, setting->max, number);
	else
		store(entry, number);
}

static void read_duration(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = text_of(reader, entry, entry->node);
	uint64_t ms;

	if (!text)
		return;
	if (!value_duration(text, &ms)) {
		refuse(reader, entry, entry->node);
	} else if (ms < setting->min || ms > setting->max) {
		char min[VALUE_DURATION_SIZE], max[VALUE_DURATION_SIZE];

		value_duration_print(setting->min, min);
		value_duration_print(setting->max, max);
		complain(reader->complaints, entry->node->place,
			"'%s' must be from %s to %s, not %s", table_key(setting), min, max, text);
	} else {
		store(entry, ms);
	}
}

static void read_word(struct reader *reader, const struct entry *entry)
{
	const char *text = text_of(reader, entry, entry->node);

	if (!text)
		return;
	for (size_t i = 0; entry->setting->words[i]; i++) {
		if (strcmp(entry->setting->words[i], text) == 0) {
			store(entry, i);
			return;
		}
	}
	refuse(reader, entry, entry->node);
}

static void read_text(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const char *text = text_of(reader, entry, entry->node);

	if (!text)
		return;
	if (strlen(text) < setting->min || strlen(text) > setting->max)
		complain(reader->complaints, entry->node->place,
			"'%s' must have from %" PRIu64 " to %" PRIu64 " bytes, not %zu",
			table_key(setting), setting->min, setting->max, strlen(text));
	else
		store_pointer(entry, arena_text(reader->settings->arena, text));
}

static void read_host(struct reader *reader, const struct entry *entry)
{
	const char *text = text_of(reader, entry, entry->node);

	if (!text)
		return;
	if (value_is_host(text))
		store_pointer(entry, arena_text(reader->settings->arena, text));
	else
		refuse(reader, entry, entry->node);
}

static void read_url_path(struct reader *reader, const struct entry *entry)
{
	const char *text = text_of(reader, entry, entry->node);

	if (!text)
		return;
	if (!value_is_url_path(text))
		refuse(reader, entry, entry->node);
	else
		read_text(reader, entry);
}

/* The path beside steerd.yaml; NULL, and a complaint, if the node has none. */
static const char *path_of(
	struct reader *reader, const struct entry *entry, const struct node *node)
{
	const char *text = text_of(reader, entry, node);

	if (!text)
		return NULL;
	if (*text == '\0') {
		complain(reader->complaints, node->place, "'%s' is an empty path",
			table_key(entry->setting));
		return NULL;
	}

	char *beside = file_path_beside(reader->settings->path, text);
	const char *path = arena_text(reader->settings->arena, beside);

	free(beside);
	return path;
}

static void read_file(struct reader *reader, const struct entry *entry)
{
	const char *path = path_of(reader, entry, entry->node);

	if (path)
		store_pointer(entry, path);
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
		store_pointer(entry, path);
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
	store_list(entry, paths, count);
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
		const char *text = text_of(reader, entry, item);
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
	store_list(entry, items, count);
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
		const char *text = text_of(reader, entry, item);
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
	store_list(entry, addresses, count);
}

static void read_degrees(struct reader *reader, const struct entry *entry, const struct node *node,
	const char *what, double max, size_t offset)
{
	const char *text = text_of(reader, entry, node);
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
		refuse(reader, entry, node);
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
		const char *text = text_of(reader, entry, item);
		struct settings_status_range *range = &ranges[at++];

		if (text && !value_status(text, &range->first, &range->last))
			refuse(reader, entry, item);
	}
	store_list(entry, ranges, count);
}

static void read_granularity(struct reader *reader, const struct entry *entry)
{
	const char *text = text_of(reader, entry, entry->node);
	uint8_t ipv4, ipv6;

	if (!text)
		return;
	if (!value_granularity(text, &ipv4, &ipv6)) {
		refuse(reader, entry, entry->node);
		return;
	}
	entry->level->object[entry->setting->offset] = (char)ipv4;
	entry->level->object[entry->setting->count_offset] = (char)ipv6;
}

/* The position of a name in one of the maps at the top. */
static void read_reference(struct reader *reader, const struct entry *entry, const char *map_key)
{
	const char *text = text_of(reader, entry, entry->node);
	const struct node *map = tree_find(reader->root, map_key);
	struct text line = {0};

	if (!text)
		return;

	struct suggestion suggestion = suggest_begin(text);

	if (map && map->kind == NODE_MAP) {
		const struct node *key = tree_find_key(map, text);

		if (key) {
			store(entry, key->index);
			return;
		}
		for (key = map->first; key && map->count <= SUGGEST_MAX_NAMES; key = key->next)
			suggest_try(&suggestion, key->text);
	}
	text_print(&line, "unknown %.*s '%s'", (int)strlen(map_key) - 1, map_key, show(text).text);
	add_suggestion(&line, &suggestion);
	complain(reader->complaints, entry->node->place, "%s", line.bytes);
	text_done(&line);
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static void read_level(struct reader *reader, const struct level *level, const struct node *map);

static void read_map(struct reader *reader, const struct entry *entry)
{
	char where[WHERE_SIZE];
	struct level level = {entry->setting->path, where, entry->level->object};

	if (entry->node->kind != NODE_MAP) {
		refuse(reader, entry, entry->node);
		return;
	}
	snprintf(where, sizeof(where), "%s%s%s", entry->level->where,
		*entry->level->where != '\0' ? "." : "", table_key(entry->setting));
	read_level(reader, &level, entry->node);
}

static bool is_reference(const struct setting *setting)
{
	return setting->type == SETTING_SITE || setting->type == SETTING_MONITOR ||
		setting->type == SETTING_POOL;
}

/* Until the file says otherwise, and when what it says is wrong, nothing is referred to. */
static void clear_references(const struct level *level)
{
	for (size_t i = 0; i < table_setting_count; i++) {
		struct entry entry = {level, &table_settings[i], NULL};

		if (table_is_below(entry.setting, level->pattern) && is_reference(entry.setting))
			store(&entry, SETTINGS_NONE);
	}
}

/* One of the things that operators name, into its place in their array. */
static void read_item(
	struct reader *reader, const struct entry *entry, const struct node *key, char *object)
{
	const struct setting *item = table_find(entry->setting->path, "NAME");
	const char *name = arena_text(reader->settings->arena, key->text);
	char where[WHERE_SIZE];
	struct level level = {item->path, where, object};
	struct report_place place = key->place;

	place.path = reader->settings->path;
	memcpy(object, &name, sizeof(name));
	memcpy(object + entry->setting->place_offset, &place, sizeof(place));
	snprintf(where, sizeof(where), "%s%s%s.%s", entry->level->where,
		*entry->level->where != '\0' ? "." : "", table_key(entry->setting),
		show(name).text);

	clear_references(&level);
	if (!value_is_name(name))
		complain(reader->complaints, key->place,
			"'%s' cannot be a name: letters, digits, '.', '_' and '-', of which a "
			"letter or digit is first, 63 at most",
			show(name).text);
	if (key->value->kind == NODE_MAP)
		read_level(reader, &level, key->value);
	else
		complain(reader->complaints, key->value->place,
			"'%s' must be a map of keys, not %s", show(where).text,
			tree_kind_text(key->value));
}

static void read_named(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const struct node *node = entry->node;

	if (node->kind != NODE_MAP) {
		refuse(reader, entry, node);
		return;
	}
	if (node->count < setting->min || node->count > setting->max) {
		complain(reader->complaints, node->place,
			"'%s' must have from %" PRIu64 " to %" PRIu64 " entries, not %zu",
			table_key(setting), setting->min, setting->max, node->count);
		return;
	}

	char *items = arena_alloc_array(reader->settings->arena, node->count, setting->item_size);

	for (const struct node *key = node->first; key; key = key->next)
		read_item(reader, entry, key, items + key->index * setting->item_size);
	store_list(entry, items, node->count);
}

static void read_value(struct reader *reader, const struct entry *entry)
{
	if (tree_is_null(entry->node)) {
		complain(reader->complaints, entry->node->place, "'%s' has no value",
			table_key(entry->setting));
		return;
	}
	switch (entry->setting->type) {
	case SETTING_MAP:
		return read_map(reader, entry);
	case SETTING_NAMED:
		return read_named(reader, entry);
	case SETTING_NUMBER:
		return read_number(reader, entry);
	case SETTING_DURATION:
		return read_duration(reader, entry);
	case SETTING_WORD:
		return read_word(reader, entry);
	case SETTING_TEXT:
		return read_text(reader, entry);
	case SETTING_HOST:
		return read_host(reader, entry);
	case SETTING_URL_PATH:
		return read_url_path(reader, entry);
	case SETTING_FILE:
		return read_file(reader, entry);
	case SETTING_SOCKET:
		return read_socket(reader, entry);
	case SETTING_FILES:
		return read_files(reader, entry);
	case SETTING_LISTEN:
		return read_listen(reader, entry);
	case SETTING_ADDRESSES:
		return read_addresses(reader, entry);
	case SETTING_POSITION:
		return read_position(reader, entry);
	case SETTING_STATUS:
		return read_status(reader, entry);
	case SETTING_GRANULARITY:
		return read_granularity(reader, entry);
	case SETTING_SITE:
		return read_reference(reader, entry, "sites");
	case SETTING_MONITOR:
		return read_reference(reader, entry, "monitors");
	case SETTING_POOL:
		return read_reference(reader, entry, "pools");
	}
}

/* A setting that the file does not mention. */
static void read_absent(struct reader *reader, const struct level *level,
	const struct setting *setting, const struct node *map)
{
	const struct node nothing = {.kind = NODE_MAP, .place = map->place};
	const struct node *initial = reader->initials[setting - table_settings];
	struct entry entry = {level, setting, initial ? initial : &nothing};

	if (setting->is_required)
		complain(reader->complaints, map->place, "missing key '%s' in '%s'",
			table_key(setting), level->where);
	else if (initial || setting->type == SETTING_MAP)
		read_value(reader, &entry);
}

/* Calls itself through read_value(), as deep as the table is: 5 levels. */
static void read_level(struct reader *reader, const struct level *level, const struct node *map)
{
	for (const struct node *key = map->first; key; key = key->next) {
		struct entry entry = {level, table_find(level->pattern, key->text), key->value};

		if (key->is_duplicate)
			continue;
		if (entry.setting)
			read_value(reader, &entry);
		else
			refuse_key(reader, level, key);
	}
	for (size_t i = 0; i < table_setting_count; i++)
		if (table_is_below(&table_settings[i], level->pattern) &&
			!tree_find_key(map, table_key(&table_settings[i])))
			read_absent(reader, level, &table_settings[i], map);
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

/* Defaults are read as if the file had them, so they are parsed like it: once. */
static void parse_initials(struct reader *reader)
{
	reader->initials = ARENA_ARRAY(reader->scratch, const struct node *, table_setting_count);
	for (size_t i = 0; i < table_setting_count; i++) {
		const char *text = table_settings[i].initial;

		if (!text)
			continue;
		reader->initials[i] =
			tree_read(text, strlen(text), reader->scratch, reader->complaints);
		assert(reader->initials[i]);
	}
}

static uint32_t core_count(void)
{
	cpu_set_t cores;

	/* those that this process may use, which a container or taskset may have made fewer */
	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return 1;
	return (uint32_t)CPU_COUNT(&cores);
}

/* Those that depend on something else than the table. */
static void compute_defaults(struct settings *settings)
{
	struct settings_monitor *monitors = (struct settings_monitor *)settings->monitors;
	struct settings_pool *pools = (struct settings_pool *)settings->pools;

	if (settings->workers == 0)
		settings->workers = core_count() < 256 ? core_count() : 256;
	for (size_t i = 0; i < settings->monitor_count; i++)
		if (monitors[i].timeout_ms == 0)
			monitors[i].timeout_ms = monitors[i].every_ms < DEFAULT_TIMEOUT_MS
				? monitors[i].every_ms
				: DEFAULT_TIMEOUT_MS;
	for (size_t i = 0; i < settings->pool_count; i++)
		if (pools[i].answers == 0)
			pools[i].answers = pools[i].method == METHOD_ALL ? UINT16_MAX : 1;
}

void read_settings(
	const struct node *root, struct settings *settings, struct complaints *complaints)
{
	struct reader reader = {.settings = settings,
		.complaints = complaints,
		.root = root,
		.scratch = arena_new()};
	struct level top = {"", "", (char *)settings};

	parse_initials(&reader);
	read_level(&reader, &top, root);
	compute_defaults(settings);
	arena_free(reader.scratch);
}
