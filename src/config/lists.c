/* SPDX-License-Identifier: Apache-2.0 */

/* How lists are read. */

#include <string.h>

#include "entry.h"
#include "steerd/base/memory.h"
#include "value.h"

#define WORD_MAX_BYTES 4096 /* of a command */

const struct node *entry_first(const struct node *node)
{
	return node->kind == NODE_LIST ? node->first : node;
}

const struct node *entry_next(const struct node *node, const struct node *item)
{
	return node->kind == NODE_LIST ? item->next : NULL;
}

size_t entry_count(struct reader *reader, const struct entry *entry)
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

void entry_read_words(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);
	uint32_t mask = 0;

	if (count == 0)
		return;
	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		size_t at = 0;

		if (!text)
			continue;
		while (entry->setting->words[at] && strcmp(entry->setting->words[at], text) != 0)
			at++;
		if (entry->setting->words[at])
			mask |= UINT32_C(1) << at;
		else
			entry_refuse(reader, entry, item);
	}
	entry_store(entry, mask);
}

void entry_read_files(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	const char **paths = ARENA_ARRAY(reader->settings->arena, const char *, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item))
		paths[at++] = entry_path(reader, entry, item);
	entry_store_list(entry, paths, count);
}

void entry_read_listen(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	struct address_port *items =
		ARENA_ARRAY(reader->settings->arena, struct address_port, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
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
void entry_read_addresses(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	struct address *addresses = ARENA_ARRAY(reader->settings->arena, struct address, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
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

void entry_read_prefixes(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	struct prefix *prefixes = ARENA_ARRAY(reader->settings->arena, struct prefix, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct prefix *prefix = &prefixes[at++];
		struct err err;

		if (text && !prefix_parse(text, prefix, &err))
			complain(reader->complaints, item->place, "%s", err.text);
	}
	entry_store_list(entry, prefixes, count);
}

void entry_read_status(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	struct settings_status_range *ranges =
		ARENA_ARRAY(reader->settings->arena, struct settings_status_range, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct settings_status_range *range = &ranges[at++];

		if (text && !value_status(text, &range->first, &range->last))
			entry_refuse(reader, entry, item);
	}
	entry_store_list(entry, ranges, count);
}

void entry_read_slices(struct reader *reader, const struct entry *entry)
{
	static const char *const words[] = {
		[POSITION_HEAD] = "head", [POSITION_TAIL] = "tail", [POSITION_RANDOM] = "random"};
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	struct settings_position *positions =
		ARENA_ARRAY(reader->settings->arena, struct settings_position, count);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);
		struct settings_position *position = &positions[at++];
		size_t word = 0;

		if (!text)
			continue;
		while (word < COUNT_OF(words) && strcmp(words[word], text) != 0)
			word++;
		position->kind =
			word < COUNT_OF(words) ? (enum settings_position_kind)word : POSITION_FIXED;
		if (position->kind == POSITION_FIXED && !value_size(text, &position->offset))
			entry_refuse(reader, entry, item);
	}
	entry_store_list(entry, positions, count);
}

void entry_read_command(struct reader *reader, const struct entry *entry)
{
	size_t count = entry_count(reader, entry);

	if (count == 0)
		return;

	const char **words = ARENA_ARRAY(reader->settings->arena, const char *, count + 1);
	size_t at = 0;

	for (const struct node *item = entry_first(entry->node); item;
		item = entry_next(entry->node, item)) {
		const char *text = entry_text(reader, entry, item);

		if (text && strlen(text) > WORD_MAX_BYTES)
			complain(reader->complaints, item->place,
				"an argument may have %d bytes, not %zu", WORD_MAX_BYTES,
				strlen(text));
		else if (text)
			words[at++] = arena_text(reader->settings->arena, text);
	}
	if (at == count && words[0][0] != '/')
		complain(reader->complaints, entry_first(entry->node)->place,
			"'%s' must begin with the absolute path of a program, not '%s'",
			table_key(entry->setting), show(words[0]).text);
	entry_store_list(entry, words, at);
}
