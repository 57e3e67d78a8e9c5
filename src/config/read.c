/* SPDX-License-Identifier: Apache-2.0 */
#include "read.h"

#include <assert.h>
#include <sched.h>
#include <string.h>

#include "entry.h"
#include "value.h"

#define DEFAULT_TIMEOUT_MS 4000

/* ---- unknown keys ----------------------------------------------------------------------------------------------- */

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
		entry_add_suggestion(&line, &suggestion);
	else if (elsewhere)
		text_print(&line, "; it belongs at %s", elsewhere->path);
	else
		add_known_keys(&line, level);
	complain(reader->complaints, key->place, "%s", line.bytes);
	text_done(&line);
}

/* ---- levels ----------------------------------------------------------------------------------------------------- */

static void read_level(struct reader *reader, const struct level *level, const struct node *map);

/* "pools" and "downloads": "pools.downloads". */
static void add_where(struct text *where, const char *key)
{
	text_print(where, "%s%s", where->size > 0 ? "." : "", key);
}

static void read_map(struct reader *reader, const struct entry *entry)
{
	struct text where = {0};

	if (entry->node->kind != NODE_MAP) {
		entry_refuse(reader, entry, entry->node);
		return;
	}
	text_add(&where, entry->level->where);
	add_where(&where, table_key(entry->setting));
	read_level(reader, &(struct level){entry->setting->path, where.bytes, entry->level->object},
		entry->node);
	text_done(&where);
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
			entry_store(&entry, SETTINGS_NONE);
	}
}

/* One of the things that operators name, into its place in their array. */
static void read_item(
	struct reader *reader, const struct entry *entry, const struct node *key, char *object)
{
	const struct setting *item = table_find(entry->setting->path, "NAME");
	const char *name = arena_text(reader->settings->arena, key->text);
	struct report_place place = key->place;
	struct text where = {0};

	text_add(&where, entry->level->where);
	add_where(&where, table_key(entry->setting));
	add_where(&where, show(name).text);

	struct level level = {item->path, where.bytes, object};

	place.path = reader->settings->path; /* which lives as long as the settings */
	memcpy(object, &name, sizeof(name));
	memcpy(object + entry->setting->place_offset, &place, sizeof(place));
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
			"'%s' must be a map of keys, not %s", level.where,
			tree_kind_text(key->value));
	text_done(&where);
}

static void read_named(struct reader *reader, const struct entry *entry)
{
	const struct setting *setting = entry->setting;
	const struct node *node = entry->node;

	if (node->kind != NODE_MAP) {
		entry_refuse(reader, entry, node);
		return;
	}
	if (node->count < setting->min || node->count > setting->max) {
		entry_refuse_count(reader, entry, node->count);
		return;
	}

	char *items = arena_alloc_array(reader->settings->arena, node->count, setting->item_size);

	for (const struct node *key = node->first; key; key = key->next)
		read_item(reader, entry, key, items + key->index * setting->item_size);
	entry_store_list(entry, items, node->count);
}

static void read_value(struct reader *reader, const struct entry *entry)
{
	if (tree_is_null(entry->node)) {
		complain(reader->complaints, entry->node->place, "'%s' has no value",
			table_key(entry->setting));
		return;
	}
	if (entry->setting->type == SETTING_MAP)
		read_map(reader, entry);
	else if (entry->setting->type == SETTING_NAMED)
		read_named(reader, entry);
	else
		entry_read(reader, entry);
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
	/* const for everyone else, and for us once they are returned */
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
