/* SPDX-License-Identifier: Apache-2.0 */
#include "block.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"
#include "steerd/dns/wire.h"

#define QUESTION_FIXED_SIZE 4 /* QTYPE and QCLASS */
#define POINTER 0xc000
#define RECORD_FIXED_SIZE 10 /* TYPE, CLASS, TTL, RDLENGTH */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* Where a block begins in the message that it is written for. */
static size_t block_home(const struct zone_block *block)
{
	return DNS_HEADER_SIZE + (size_t)block->base_size_bytes + QUESTION_FIXED_SIZE;
}

/* ---- query path ---- */

static void move_owners(const struct zone_block *block, uint16_t owner_offset, uint8_t *out)
{
	for (size_t i = 0, at = 0; i < block->record_count; i++) {
		put16(out + at, POINTER | owner_offset);
		at += 2 + RECORD_FIXED_SIZE + (size_t)get16(out + at + 10);
	}
}

/* By how much pointers move: those into the base name, and those into the block itself. */
struct shifts {
	size_t base;
	size_t block;
};

static void move_pointers(const struct zone_block *block, struct shifts shifts, uint8_t *out)
{
	size_t base_end = POINTER | (block_home(block) - QUESTION_FIXED_SIZE);
	const uint16_t *end = block->fixups + block->fixup_count;

	/* alike, unless a CNAME stands before the block */
	if (shifts.base == shifts.block) {
		for (const uint16_t *fixup = block->fixups; fixup < end; fixup++)
			put16(out + *fixup, get16(out + *fixup) + shifts.base);
		return;
	}
	for (const uint16_t *fixup = block->fixups; fixup < end; fixup++) {
		size_t target = get16(out + *fixup);

		put16(out + *fixup, target + (target < base_end ? shifts.base : shifts.block));
	}
}

void zone_block_place(
	const struct zone_block *block, const struct zone_block_place *place, uint8_t *out)
{
	struct shifts shifts = {
		.base = place->base_offset - (size_t)DNS_HEADER_SIZE,
		.block = place->block_offset - block_home(block),
	};

	wire_copy(out, block->bytes, block->size_bytes);
	move_pointers(block, shifts, out);
	if (block->type != 0 && place->owner_offset != DNS_HEADER_SIZE)
		move_owners(block, place->owner_offset, out);
}

bool zone_block_is_hinted(const struct zone_block *block, unsigned family)
{
	const struct zone_hints *hints = zone_block_hints(block);

	for (size_t i = 0; i < block->hints_count; i++)
		if (!hints[i].is_outward && hints[i].size[family] > 0)
			return true;
	return false;
}

/* ---- load ---- */

void block_writer_done(struct block_writer *writer)
{
	text_done(&writer->bytes);
	free(writer->fixups);
}

void block_writer_clear(struct block_writer *writer)
{
	text_clear(&writer->bytes);
	writer->fixup_count = 0;
}

size_t block_size(const struct block_writer *writer)
{
	return writer->bytes.size - writer->start;
}

/* Remembers each suffix of a name that stands at `target`, up to the first that is a pointer. */
static void remember(
	struct block_writer *writer, const uint8_t *wire, size_t own_size, size_t target)
{
	size_t size = name_size(wire);

	for (size_t at = 0; at < own_size && wire[at] != 0; at += wire[at] + 1u) {
		if (writer->suffix_count == BLOCK_NAMES_MAX)
			return;
		writer->suffixes[writer->suffix_count++] = (struct block_suffix){
			.wire = wire + at,
			.target = (uint16_t)(target + at),
			.size = (uint8_t)(size - at),
		};
	}
}

/* Names are equal in either case (RFC 4343 3); length octets are no letters. */
static bool is_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned x = a[i] | 0x20u;

		if (a[i] != b[i] && (x != (b[i] | 0x20u) || x < 'a' || x > 'z'))
			return false;
	}
	return true;
}

static const struct block_suffix *find_suffix(
	const struct block_writer *writer, const uint8_t *wire, size_t size)
{
	for (size_t i = 0; i < writer->suffix_count; i++)
		if (writer->suffixes[i].size == size &&
			is_equal(writer->suffixes[i].wire, wire, size))
			return &writer->suffixes[i];
	return NULL;
}

static void add_pointer(struct block_writer *writer, uint16_t target)
{
	uint8_t pointer[2];

	writer->fixups = MEMORY_GROW(writer->fixups, writer->fixup_count, &writer->fixup_capacity);
	writer->fixups[writer->fixup_count++] = (uint16_t)block_size(writer);
	put16(pointer, POINTER | target);
	text_add_bytes(&writer->bytes, pointer, sizeof(pointer));
}

static void add_name(struct block_writer *writer, const uint8_t *wire)
{
	size_t size = name_size(wire);
	size_t offset = block_size(writer);
	const struct block_suffix *found = NULL;
	size_t own = 0; /* octets before the pointer */

	while (wire[own] != 0 && !(found = find_suffix(writer, wire + own, size - own)))
		own += wire[own] + 1u;
	if (offset + own <= ZONE_BLOCK_OFFSET_MAX)
		remember(writer, wire, own, block_home(&writer->block) + offset);
	text_add_bytes(&writer->bytes, wire, found ? own : size);
	if (found)
		add_pointer(writer, found->target);
}

/* RDATA by its layout; what does not fit the layout stays as it is. */
static void add_rdata(struct block_writer *writer, const struct draft_record *record)
{
	const char *layout = record->type == DNS_TYPE_CNAME ? "" : type_layout(record->type);
	const uint8_t *at = record->rdata;
	size_t rest = record->rdata_size;

	for (; *layout != '\0'; layout++) {
		struct name_key key;
		size_t size = *layout == 's' ? 2
			: *layout == 'l'     ? 4
					     : name_key_read(at, rest, &key);

		if (size == 0 || size > rest)
			break;
		if (*layout == 'N')
			add_name(writer, at);
		else
			text_add_bytes(&writer->bytes, at, size);
		at += size;
		rest -= size;
	}
	text_add_bytes(&writer->bytes, at, rest);
}

void block_begin(struct block_writer *writer, const uint8_t *base, uint16_t type)
{
	writer->block = (struct zone_block){
		.base_size_bytes = (uint8_t)name_size(base),
		.type = type,
	};
	writer->start = writer->bytes.size;
	writer->fixup_start = writer->fixup_count;
	writer->suffix_count = 0;
	remember(writer, base, writer->block.base_size_bytes, DNS_HEADER_SIZE);
}

void block_add(struct block_writer *writer, const uint8_t *owner, const struct draft_record *record,
	uint32_t ttl_s)
{
	uint8_t fixed[RECORD_FIXED_SIZE] = {0};

	if (writer->block.type != 0)
		text_add_bytes(&writer->bytes, (uint8_t[]){0xc0, DNS_HEADER_SIZE}, 2);
	else
		add_name(writer, owner);
	put16(fixed, record->type);
	put16(fixed + 2, DNS_CLASS_IN);
	put16(fixed + 4, ttl_s >> 16);
	put16(fixed + 6, ttl_s & 0xffff);
	text_add_bytes(&writer->bytes, fixed, sizeof(fixed));

	size_t start = writer->bytes.size;

	add_rdata(writer, record);
	put16((uint8_t *)writer->bytes.bytes + start - 2, writer->bytes.size - start);
	writer->block.record_count++;
}

void block_add_hints(struct block_writer *writer, const struct zone_hints *hints)
{
	uint16_t words[BLOCK_HINTS_WORDS];

	memcpy(words, hints, sizeof(words));
	for (size_t i = 0; i < BLOCK_HINTS_WORDS; i++) {
		writer->fixups =
			MEMORY_GROW(writer->fixups, writer->fixup_count, &writer->fixup_capacity);
		writer->fixups[writer->fixup_count++] = words[i];
	}
	writer->block.hints_count++;
}

struct zone_block block_end(struct block_writer *writer)
{
	writer->block.bytes = (const uint8_t *)writer->bytes.bytes + writer->start;
	writer->block.fixups = writer->fixups ? writer->fixups + writer->fixup_start : NULL;
	writer->block.size_bytes = (uint16_t)block_size(writer);
	writer->block.fixup_count = (uint16_t)(writer->fixup_count - writer->fixup_start -
		(size_t)writer->block.hints_count * BLOCK_HINTS_WORDS);
	return writer->block;
}
