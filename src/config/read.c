/* SPDX-License-Identifier: Apache-2.0 */
#include "read.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "rows.h"
#include "value.h"

#define DEFAULT_TIMEOUT_MS 4000
#define DEFAULT_RECHECK_MS 1000
#define DEFAULT_PANIC_PERCENT 50

/* ---- unknown keys ----------------------------------------------------------------------------------------------- */

/* The setting that has `key`, if the key is right but its place is not: of the same part of the file. */
static const struct setting *find_elsewhere(const struct level *level, const char *key)
{
	const char *path = level->row->setting ? level->row->setting->path : "";
	size_t room = strcspn(path, ".");

	for (size_t i = 0; i < table_count(); i++) {
		const struct setting *setting = table_get(i);

		if (strcmp(table_key(setting), key) == 0 && setting->type != SETTING_MAP &&
			strncmp(setting->path, path, room) == 0 &&
			(room == 0 || setting->path[room] == '.'))
			return setting;
	}
	return NULL;
}

static void add_known_keys(struct text *text, const struct level *level)
{
	for (size_t i = 0; i < level->row->below_count; i++)
		text_print(text, "%s%s",
			i > 0 ? ", " : "; known here: ", table_key(level->row->below[i]->setting));
}

static void refuse_key(struct reader *reader, const struct level *level, const struct node *key)
{
	struct suggestion suggestion = suggest_begin(key->text);
	const struct setting *elsewhere = find_elsewhere(level, key->text);
	struct text line = {0};

	for (size_t i = 0; i < level->row->below_count; i++)
		suggest_try(&suggestion, table_key(level->row->below[i]->setting));
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
	if (entry->setting->size > 0)
		entry_store(entry, entry->setting->choice);
	read_level(reader, &(struct level){entry->row, where.bytes, entry->level->object},
		entry->node);
	text_done(&where);
}

static bool is_reference(const struct setting *setting)
{
	return setting->type == SETTING_SITE || setting->type == SETTING_POOL;
}

/* Until the file says otherwise, and when what it says is wrong, nothing is referred to. */
static void clear_references(const struct level *level)
{
	for (size_t i = 0; i < level->row->below_count; i++) {
		const struct row *row = level->row->below[i];
		struct entry entry = {level, row, row->setting, NULL};

		if (is_reference(row->setting))
			entry_store(&entry, SETTINGS_NONE);
	}
}

/* One of the things that operators name, into its place in their array. */
static void read_item(
	struct reader *reader, const struct entry *entry, const struct node *key, char *object)
{
	const char *name = arena_text(reader->settings->arena, key->text);
	struct report_place place = key->place;
	struct text where = {0};

	text_add(&where, entry->level->where);
	add_where(&where, table_key(entry->setting));
	add_where(&where, show(name).text);

	struct level level = {entry->row->below[0], where.bytes, object};

	place.path = reader->settings->path; /* which lives as long as the settings */
	memcpy(object, &name, sizeof(name));
	memcpy(object + entry->setting->place_offset, &place, sizeof(place));
	clear_references(&level); /* what is no map is not read */
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
static void read_absent(struct reader *reader, const struct level *level, const struct row *row,
	const struct node *map)
{
	const struct node nothing = {.kind = NODE_MAP, .place = map->place};
	const struct setting *setting = row->setting;
	struct entry entry = {level, row, setting, row->initial ? row->initial : &nothing};

	if (setting->is_required)
		complain(reader->complaints, map->place, "missing key '%s' in '%s'",
			table_key(setting), level->where);
	else if (row->initial || (setting->type == SETTING_MAP && !setting->is_optional))
		read_value(reader, &entry);
}

static const struct row *find_row(const struct level *level, const char *key)
{
	for (size_t i = 0; i < level->row->below_count; i++)
		if (strcmp(table_key(level->row->below[i]->setting), key) == 0)
			return level->row->below[i];
	return NULL;
}

/* Calls itself through read_value(), as deep as the table is: 5 levels. */
static void read_level(struct reader *reader, const struct level *level, const struct node *map)
{
	clear_references(level);
	for (const struct node *key = map->first; key; key = key->next) {
		const struct row *row = find_row(level, key->text);

		if (key->is_duplicate)
			continue;
		if (row)
			read_value(reader, &(struct entry){level, row, row->setting, key->value});
		else
			refuse_key(reader, level, key);
	}
	for (size_t i = 0; i < level->row->below_count; i++)
		if (!tree_find_key(map, table_key(level->row->below[i]->setting)))
			read_absent(reader, level, level->row->below[i], map);
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

/* Defaults are read as if the file had them, so they are parsed like it: once. */
static const struct node *parse_initial(struct reader *reader, const char *text)
{
	const struct node *initial =
		tree_read(text, strlen(text), reader->scratch, reader->complaints);

	assert(initial);
	return initial;
}

/* What is below a level, by the rows of all settings. */
static void fill_level(struct reader *reader, struct row *level, const struct row *rows)
{
	const struct setting **below =
		ARENA_ARRAY(reader->scratch, const struct setting *, table_count());

	level->below_count = table_list(level->setting, below);
	level->below = ARENA_ARRAY(reader->scratch, const struct row *, level->below_count);
	for (size_t i = 0; i < level->below_count; i++) {
		size_t at = 0;

		while (rows[at].setting != below[i])
			at++;
		level->below[i] = &rows[at];
	}
}

static void make_rows(struct reader *reader)
{
	size_t count = table_count();
	struct row *rows = ARENA_ARRAY(reader->scratch, struct row, count + 1);

	for (size_t i = 0; i < count; i++) {
		rows[i].setting = table_get(i);
		if (rows[i].setting->initial)
			rows[i].initial = parse_initial(reader, rows[i].setting->initial);
	}
	for (size_t i = 0; i < count; i++)
		if (rows[i].setting->type == SETTING_MAP || rows[i].setting->type == SETTING_NAMED)
			fill_level(reader, &rows[i], rows);
	fill_level(reader, &rows[count], rows); /* the top */
	reader->top = &rows[count];
}

static uint32_t core_count(void)
{
	cpu_set_t cores;

	/* those that this process may use, which a container or taskset may have made fewer */
	if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
		return 1;
	return (uint32_t)CPU_COUNT(&cores);
}

static uint32_t shorter(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Nothing stays of what belongs to other kinds, their defaults. */
static void clear_foreign(struct settings_monitor *monitor)
{
	for (size_t i = 0; i < table_monitor_count; i++) {
		const struct setting *setting = &table_monitors[i];

		if (setting->type == SETTING_MAP || setting->kinds == 0 ||
			(setting->kinds & TABLE_KIND(monitor->kind)))
			continue;
		memset((char *)monitor + setting->offset, 0, setting->size);
		if (setting->count_offset > 0)
			memset((char *)monitor + setting->count_offset, 0, sizeof(size_t));
	}
}

static void compute_monitor(struct settings_monitor *monitor)
{
	static const struct settings_status_range success[] = {{200, 299}};
	static const struct settings_status_range slice[] = {{206, 206}};
	bool is_http = monitor->kind == KIND_HTTPS || monitor->kind == KIND_HTTP;

	clear_foreign(monitor);
	if (monitor->timeout_ms == 0)
		monitor->timeout_ms = shorter(monitor->every_ms, DEFAULT_TIMEOUT_MS);
	if (monitor->recheck_ms == 0)
		monitor->recheck_ms = shorter(monitor->every_ms, DEFAULT_RECHECK_MS);
	if (monitor->kind == KIND_HTTPS)
		monitor->is_tls = true;
	if (monitor->kind == KIND_HTTP)
		monitor->verifies = true; /* where a redirect leads to https */
	if (!monitor->is_tls)
		monitor->certificate_warn_days = 0;
	if (is_http && monitor->status_count == 0) {
		monitor->status = monitor->range_bytes > 0 ? slice : success;
		monitor->status_count = 1;
	}
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
		compute_monitor(&monitors[i]);
	for (size_t i = 0; i < settings->pool_count; i++)
		if (pools[i].answers == 0)
			pools[i].answers = pools[i].method == METHOD_ALL ? UINT16_MAX : 1;
}

/* Half of the capacity, where that is known: else a pool of two would fail with one of them. */
static void compute_panic(const struct node *root, const struct settings *settings)
{
	struct settings_pool *pools = (struct settings_pool *)settings->pools;
	const struct node *map = tree_find(root, "pools");

	if (settings->pool_count == 0)
		return;
	for (const struct node *key = map->first; key; key = key->next) {
		struct settings_pool *pool = &pools[key->index];

		if (key->value->kind != NODE_MAP || tree_find_key(key->value, "panic-below"))
			continue;
		for (size_t i = 0; i < pool->member_count; i++)
			if (pool->members[i].capacity > 0)
				pool->panic_percent = DEFAULT_PANIC_PERCENT;
	}
}

/* Those that are named, for who reads them. */
static void keep_files(struct reader *reader)
{
	struct settings *settings = reader->settings;
	size_t size = reader->file_count * sizeof(reader->files[0]);

	settings->files = size > 0 ? arena_copy(settings->arena, reader->files, size) : NULL;
	settings->file_count = reader->file_count;
	free(reader->files);
}

void read_settings(
	const struct node *root, struct settings *settings, struct complaints *complaints)
{
	struct reader reader = {.settings = settings,
		.complaints = complaints,
		.root = root,
		.scratch = arena_new()};

	make_rows(&reader);
	read_level(&reader, &(struct level){reader.top, "", (char *)settings}, root);
	keep_files(&reader);
	compute_defaults(settings);
	compute_panic(root, settings);
	arena_free(reader.scratch);
}
