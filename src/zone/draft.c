/* SPDX-License-Identifier: Apache-2.0 */
#include "draft.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/dns/wire.h"

#define FIRST_SLOTS 64

void draft_init(struct draft *draft, const struct name_key *apex, struct report *report)
{
	*draft = (struct draft){
		.arena = arena_new(),
		.report = report,
		.apex_key = *apex,
		.slots = memory_new(FIRST_SLOTS * sizeof(draft->slots[0])),
		.slot_count = FIRST_SLOTS,
	};
	draft->last_steer = &draft->steers;
	name_print(apex->wire, draft->apex_text);
	draft->apex = draft_get(draft, apex, 0);
}

void draft_done(struct draft *draft)
{
	arena_free(draft->arena);
	free(draft->slots);
	free(draft->files);
}

uint16_t draft_add_file(struct draft *draft, const char *path)
{
	draft->files = MEMORY_GROW(draft->files, draft->file_count, &draft->file_capacity);
	draft->files[draft->file_count] = arena_text(draft->arena, path);
	return (uint16_t)draft->file_count++;
}

bool draft_holds(const struct draft *draft, const struct name_key *key)
{
	const struct name_key *apex = &draft->apex_key;

	return key->size >= apex->size && key->label_count >= apex->label_count &&
		key->offset[key->label_count - apex->label_count] == key->size - apex->size &&
		memcmp(key->wire + key->size - apex->size, apex->wire, apex->size) == 0;
}

static struct draft_name **slot_of(
	const struct draft *draft, uint32_t hash, const uint8_t *wire, size_t size)
{
	size_t at = hash & (draft->slot_count - 1);

	for (; draft->slots[at]; at = (at + 1) & (draft->slot_count - 1)) {
		const struct draft_name *name = draft->slots[at];

		if (name->hash == hash && name->size == size && memcmp(name->wire, wire, size) == 0)
			break;
	}
	return &draft->slots[at];
}

struct draft_name *draft_find(const struct draft *draft, const struct name_key *key, unsigned label)
{
	size_t offset = key->offset[label];

	return *slot_of(draft, name_key_hash(key, label), key->wire + offset, key->size - offset);
}

/* At most half full. */
static void make_room(struct draft *draft)
{
	if (draft->name_count * 2 < draft->slot_count)
		return;
	free(draft->slots);
	draft->slot_count *= 2;
	draft->slots = memory_new(draft->slot_count * sizeof(draft->slots[0]));
	for (struct draft_name *name = draft->apex; name; name = name->next)
		*slot_of(draft, name->hash, name->wire, name->size) = name;
}

static struct draft_name *add_name(
	struct draft *draft, const struct name_key *key, unsigned label, struct draft_name *parent)
{
	size_t offset = key->offset[label];
	size_t size = key->size - offset;
	struct draft_name *name =
		arena_alloc_raw(draft->arena, sizeof(*name) + size, alignof(struct draft_name));

	make_room(draft);
	*name = (struct draft_name){
		.parent = parent, .hash = name_key_hash(key, label), .size = (uint8_t)size};
	memcpy(name->wire, key->wire + offset, size);
	if (draft->last)
		draft->last->next = name;
	draft->last = name;
	draft->name_count++;
	*slot_of(draft, name->hash, name->wire, size) = name;
	return name;
}

struct draft_name *draft_get(struct draft *draft, const struct name_key *key, unsigned label)
{
	unsigned apex_label = (unsigned)(key->label_count - draft->apex_key.label_count);
	struct draft_name *name = draft_find(draft, key, label);
	unsigned at = label;

	if (name)
		return name;
	/* up to what exists, then down again: a parent is made before its child */
	while (at < apex_label && !name)
		name = draft_find(draft, key, ++at);
	if (!name)
		name = add_name(draft, key, at, NULL);
	while (at > label)
		name = add_name(draft, key, --at, name);
	return name;
}

void draft_add_record(struct draft *draft, struct draft_name *name,
	const struct draft_record *record, const void *rdata)
{
	struct draft_record *fresh = arena_alloc_raw(
		draft->arena, sizeof(*fresh) + record->rdata_size, alignof(struct draft_record));
	struct draft_record **at = &name->records;

	memcpy(fresh, record, sizeof(*fresh));
	if (record->rdata_size > 0)
		memcpy(fresh->rdata, rdata, record->rdata_size);
	if (name->last_record && name->last_record->type <= record->type)
		at = &name->last_record->next;
	while (*at && (*at)->type <= record->type)
		at = &(*at)->next;
	fresh->next = *at;
	*at = fresh;
	if (!fresh->next)
		name->last_record = fresh;
}

struct draft_steer *draft_add_steer(
	struct draft *draft, struct draft_name *name, const struct draft_steer *steer)
{
	struct draft_steer *fresh = arena_copy(draft->arena, steer, sizeof(*steer));

	fresh->next = NULL;
	fresh->name = name;
	*draft->last_steer = fresh;
	draft->last_steer = &fresh->next;
	draft->steer_count++;
	name->flags |= DRAFT_IS_STEERED;
	return fresh;
}

struct draft_record *draft_first(const struct draft_name *name, uint16_t type)
{
	struct draft_record *record = name->records;

	while (record && record->type < type)
		record = record->next;
	return record && record->type == type ? record : NULL;
}

struct draft_record *draft_next(const struct draft_record *record)
{
	return record->next && record->next->type == record->type ? record->next : NULL;
}

#define SOA_NUMBERS_SIZE 20 /* five of 32 bits: the serial is first, MINIMUM last */

struct draft_soa draft_read_soa(const struct draft_record *soa)
{
	const uint8_t *numbers = soa->rdata + soa->rdata_size - SOA_NUMBERS_SIZE;

	return (struct draft_soa){
		.serial = wire_read32(numbers),
		.minimum_s = wire_read32(numbers + SOA_NUMBERS_SIZE - 4),
	};
}

const char *draft_print(const struct draft *draft, const uint8_t *wire, struct draft_text *ret_text)
{
	uint8_t relative[DNS_NAME_MAX];
	struct name_key key;
	size_t size;

	name_key_of(wire, &key);
	if (!draft_holds(draft, &key)) {
		name_print(wire, ret_text->bytes);
		return ret_text->bytes;
	}
	size = key.size - (size_t)draft->apex_key.size;
	if (size == 0) {
		memcpy(ret_text->bytes, "@", 2);
		return ret_text->bytes;
	}
	memcpy(relative, wire, size);
	relative[size] = 0;
	name_print(relative, ret_text->bytes);
	ret_text->bytes[strlen(ret_text->bytes) - 1] = '\0';
	return ret_text->bytes;
}

struct report_place draft_place(const struct draft *draft, unsigned file, unsigned line)
{
	return (struct report_place){.path = draft->files[file], .line = line};
}

const char *draft_where(const struct draft *draft, const struct draft_record *record, unsigned file,
	struct draft_where *ret_where)
{
	if (record->file == file)
		snprintf(ret_where->bytes, sizeof(ret_where->bytes), "line %u", record->line);
	else
		snprintf(ret_where->bytes, sizeof(ret_where->bytes), "%s:%u",
			draft->files[record->file], record->line);
	return ret_where->bytes;
}
