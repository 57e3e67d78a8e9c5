/* SPDX-License-Identifier: Apache-2.0 */

/* How names of sites, monitors and pools are read, and conditions over monitors. */

#include <stdio.h>
#include <string.h>

#include "entry.h"
#include "steerd/base/memory.h"
#include "value.h"

/* Of more names, finding the one that was meant takes longer than it helps. */
#define SUGGEST_MAX_NAMES 1000

#define CONDITION_ITEMS_MAX 64

/* The position of a name in one of the maps at the top: "site" is found in "sites". */
static bool find_name(
	struct reader *reader, const char *kind, const struct node *node, uint32_t *ret_index)
{
	char map_key[16];
	struct text line = {0};

	snprintf(map_key, sizeof(map_key), "%ss", kind);

	const struct node *map = tree_find(reader->root, map_key);
	struct suggestion suggestion = suggest_begin(node->text);

	if (map && map->kind == NODE_MAP) {
		const struct node *key = tree_find_key(map, node->text);

		if (key) {
			*ret_index = (uint32_t)key->index;
			return true;
		}
		for (key = map->first; key && map->count <= SUGGEST_MAX_NAMES; key = key->next)
			suggest_try(&suggestion, key->text);
	}
	text_print(&line, "unknown %s '%s'", kind, show(node->text).text);
	entry_add_suggestion(&line, &suggestion);
	complain(reader->complaints, node->place, "%s", line.bytes);
	text_done(&line);
	return false;
}

void entry_read_reference(struct reader *reader, const struct entry *entry)
{
	const char *kind = entry->setting->type == SETTING_SITE ? "site" : "pool";
	uint32_t index;

	if (entry_text(reader, entry, entry->node) && find_name(reader, kind, entry->node, &index))
		entry_store(entry, index);
}

void entry_read_monitors(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	uint32_t *indices = ARENA_ARRAY(reader->settings->arena, uint32_t, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		indices[at] = SETTINGS_NONE;
		if (entry_text(reader, entry, item))
			find_name(reader, "monitor", item, &indices[at]);
		at++;
	}
	entry_store_list(entry, indices, count);
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

/* The forms of a condition over others, and the keys of each. */
static const char *const forms[] = {"all-of", "any-of", "at-least", "not"};
enum { ALL_OF, ANY_OF, AT_LEAST, NOT };
static const char *const keys[] = {"all-of", "any-of", "at-least", "of", "not"};

static bool read_condition(struct reader *reader, const struct entry *entry,
	const struct node *node, size_t depth, struct settings_condition *condition);

static void refuse_key(struct reader *reader, const struct node *key)
{
	struct suggestion suggestion = suggest_begin(key->text);
	struct text line = {0};

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		suggest_try(&suggestion, keys[i]);
	text_print(&line, "unknown key '%s'", show(key->text).text);
	if (suggestion.best)
		entry_add_suggestion(&line, &suggestion);
	else
		text_add(&line, "; known here: all-of, any-of, at-least, of, not");
	complain(reader->complaints, key->place, "%s", line.bytes);
	text_done(&line);
}

static bool are_known(struct reader *reader, const struct node *map)
{
	bool are = true;

	for (const struct node *key = map->first; key; key = key->next) {
		bool is_known = false;

		for (size_t i = 0; i < COUNT_OF(keys); i++)
			is_known |= strcmp(keys[i], key->text) == 0;
		if (!is_known)
			refuse_key(reader, key);
		are &= is_known;
	}
	return are;
}

/* The one form that the map has; its key, or NULL and a complaint. */
static const struct node *find_form(
	struct reader *reader, const struct entry *entry, const struct node *map, size_t *ret_form)
{
	const struct node *found = NULL;

	if (!are_known(reader, map))
		return NULL;
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		const struct node *key = tree_find_key(map, forms[i]);

		if (key && found) {
			complain(reader->complaints, key->place,
				"this condition has '%s' already; it can have one of all-of, "
				"any-of, at-least and not",
				found->text);
			return NULL;
		}
		if (key) {
			found = key;
			*ret_form = i;
		}
	}

	const struct node *of = tree_find_key(map, "of");

	if (!found && !of)
		entry_refuse(reader, entry, map);
	else if (!found || (of && *ret_form != AT_LEAST))
		complain(reader->complaints, of->place, "'of' stands beside 'at-least' alone");
	else if (*ret_form == AT_LEAST && !of)
		complain(reader->complaints, found->place, "missing key 'of' beside 'at-least'");
	else
		return found;
	return NULL;
}

static bool read_items(struct reader *reader, const struct entry *entry, const struct node *key,
	size_t depth, struct settings_condition *condition)
{
	const struct node *list = key->value;
	size_t count = list->kind == NODE_LIST ? list->count : 1;
	struct settings_condition *items;
	bool are_good = true;
	size_t at = 0;

	if (count == 0 || count > CONDITION_ITEMS_MAX) {
		complain(reader->complaints, list->place,
			"'%s' must have from 1 to %d items, not %zu", key->text,
			CONDITION_ITEMS_MAX, count);
		return false;
	}
	items = ARENA_ARRAY(reader->settings->arena, struct settings_condition, count);
	for (const struct node *item = entry_first(list); item; item = entry_next(list, item))
		are_good &= read_condition(reader, entry, item, depth + 1, &items[at++]);
	condition->items = items;
	condition->item_count = count;
	return are_good;
}

/* How many of the items: "at-least: 2". */
static bool read_at_least(
	struct reader *reader, const struct node *key, struct settings_condition *condition)
{
	const struct node *node = key->value;
	uint64_t number;

	if (node->kind != NODE_SCALAR || !value_number(node->text, &number)) {
		complain(reader->complaints, node->place, "'at-least' must be a whole number");
		return false;
	}
	if (number == 0 || number > condition->item_count) {
		complain(reader->complaints, node->place,
			"'at-least' must be from 1 to %zu, as many as stand in 'of', not %s",
			condition->item_count, show(node->text).text);
		return false;
	}
	condition->at_least = (uint16_t)number;
	return true;
}

static bool read_combined(struct reader *reader, const struct entry *entry, const struct node *map,
	size_t depth, struct settings_condition *condition)
{
	size_t form;
	const struct node *key = find_form(reader, entry, map, &form);
	const struct node *items = key;

	if (!key)
		return false;
	if (form == AT_LEAST)
		items = tree_find_key(map, "of");
	if (!read_items(reader, entry, items, depth, condition))
		return false;
	condition->kind = form == NOT ? CONDITION_NOT : CONDITION_AT_LEAST;
	condition->at_least = form == ALL_OF ? (uint16_t)condition->item_count : 1;
	if (form == NOT && condition->item_count > 1) {
		complain(reader->complaints, key->value->place,
			"'not' has one condition; write all-of or any-of within");
		return false;
	}
	return form != AT_LEAST || read_at_least(reader, key, condition);
}

/* Calls itself through read_items(), as deep as SETTINGS_CONDITION_DEPTH_MAX. */
static bool read_condition(struct reader *reader, const struct entry *entry,
	const struct node *node, size_t depth, struct settings_condition *condition)
{
	condition->place = node->place;
	condition->place.path = reader->settings->path; /* which lives as long as the settings */
	condition->monitor = SETTINGS_NONE;
	if (depth > SETTINGS_CONDITION_DEPTH_MAX) {
		complain(reader->complaints, node->place, "conditions nest more than %d deep",
			SETTINGS_CONDITION_DEPTH_MAX);
		return false;
	}
	if (node->kind == NODE_MAP)
		return read_combined(reader, entry, node, depth, condition);
	condition->kind = CONDITION_MONITOR;
	return entry_text(reader, entry, node) &&
		find_name(reader, "monitor", node, &condition->monitor);
}

/* One that is wrong somewhere is left out, so that nobody walks what is not whole. */
void entry_read_condition(struct reader *reader, const struct entry *entry)
{
	struct settings_condition *condition =
		ARENA_NEW(reader->settings->arena, struct settings_condition);

	if (read_condition(reader, entry, entry->node, 1, condition))
		entry_store_pointer(entry, condition);
}
