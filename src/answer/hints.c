/* SPDX-License-Identifier: Apache-2.0 */
#include "hints.h"

#include <string.h>

#include "steerd/dns/wire.h"

#define POINTER 0xc000 /* RFC 1035 4.1.4 */

/* Where these stand in a record that begins with a pointer. */
#define TTL_AT 6
#define RDLENGTH_AT 10

#define PARAM_HEAD_SIZE 4 /* RFC 9460 2.2: SvcParamKey and length */

static const struct {
	uint16_t type;
	uint16_t key; /* ipv4hint, ipv6hint (RFC 9460 14.3.2) */
	size_t address_size;
} families[2] = {{DNS_TYPE_A, 4, 4}, {DNS_TYPE_AAAA, 6, 16}};

/* ---- which ---- */

void hints_begin(struct hints *hints, const struct plan *plan, const struct zone_block *block)
{
	hints->plan = plan;
	hints->block = block;
	hints->families[0].count = hints->families[1].count = 0;
	hints->ttl_s = wire_read32(block->bytes + TTL_AT);
	hints->is_steered = zone_block_is_hinted(block, 0) || zone_block_is_hinted(block, 1);
}

static void shorten_ttl(struct hints *hints, uint32_t ttl_s)
{
	if (ttl_s < hints->ttl_s)
		hints->ttl_s = ttl_s;
}

static void take_zone(struct hints *hints, unsigned family, const struct zone_block *own)
{
	size_t address_size = families[family].address_size;

	hints->families[family] = (struct hints_family){
		.addresses = own->bytes + REPLY_RECORD_HEAD_SIZE,
		.count = own->record_count,
		.stride = REPLY_RECORD_HEAD_SIZE + address_size,
		.address_size = address_size,
	};
	shorten_ttl(hints, wire_read32(own->bytes + TTL_AT));
}

static void take_pool(struct hints *hints, unsigned family, const struct steer_choice *choice,
	const struct steer_step *step)
{
	size_t address_size = choice->address_size;

	hints->families[family] = (struct hints_family){
		.addresses = choice->addresses + step->first * address_size,
		.count = step->count,
		.stride = address_size,
		.address_size = address_size,
	};
}

enum hints_origin hints_find(
	struct hints *hints, const struct zone_match *match, uint32_t class, uint32_t random)
{
	const struct plan *plan = hints->plan;
	enum hints_origin origin = HINTS_NONE;

	for (unsigned family = 0; family < 2; family++) {
		const struct steer_choice *choice =
			plan->steerings[match->steered]->choices[family][class];
		const struct zone_block *own = choice->kind == STEER_STATIC
			? zone_node_get_set(match->node, families[family].type)
			: NULL;

		if (!zone_block_is_hinted(hints->block, family))
			continue;
		if (own) {
			take_zone(hints, family, own);
			if (origin == HINTS_NONE)
				origin = HINTS_OF_ZONE;
		} else if (choice->step_count > 0) {
			take_pool(hints, family, choice, steer_choice_step(choice, random));
			shorten_ttl(hints, zone_set_steered(plan->zones, match->steered)->ttl_s);
			origin = HINTS_OF_POOL;
		}
	}
	return origin;
}

/* ---- writing ---- */

/* Whether a record keeps the hints that the zone file has. */
static bool is_kept(const struct hints *hints, const struct zone_hints *place)
{
	return place->is_outward && !zone_set_hides_hints(hints->plan->zones, place);
}

/* Octets of the parameter that takes the place of the zone file's. */
static size_t param_size(const struct hints *hints, const struct zone_hints *place, unsigned family)
{
	const struct hints_family *from = &hints->families[family];

	if (place->is_outward || place->size[family] == 0 || from->count == 0)
		return 0;
	return PARAM_HEAD_SIZE + from->count * from->address_size;
}

static size_t hinted_size(const struct hints *hints)
{
	const struct zone_block *block = hints->block;
	const struct zone_hints *place = zone_block_hints(block);
	size_t size = block->size_bytes;

	for (size_t i = 0; i < block->hints_count; i++, place++)
		for (unsigned family = 0; family < 2 && !is_kept(hints, place); family++)
			size += param_size(hints, place, family) - place->size[family];
	return size;
}

static uint8_t *write_param(const struct hints_family *from, uint16_t key, uint8_t *at)
{
	const uint8_t *address = from->addresses;

	wire_write16(at, key);
	wire_write16(at + 2, (uint16_t)(from->count * from->address_size));
	at += PARAM_HEAD_SIZE;
	for (size_t i = 0; i < from->count; i++) {
		wire_copy(at, address, from->address_size);
		at += from->address_size;
		address += from->stride;
	}
	return at;
}

/* The record at `place`, which has `size` octets, with other hints; where it ends. */
static uint8_t *write_hinted(
	const struct hints *hints, const struct zone_hints *place, size_t size, uint8_t *out)
{
	const uint8_t *bytes = hints->block->bytes;
	size_t from = place->record;
	size_t end = from + size;
	uint8_t *at = out;

	for (unsigned family = 0; family < 2; family++) {
		wire_copy(at, bytes + from, place->at[family] - from);
		at += place->at[family] - from;
		from = (size_t)place->at[family] + place->size[family];
		if (param_size(hints, place, family) > 0)
			at = write_param(&hints->families[family], families[family].key, at);
	}
	wire_copy(at, bytes + from, end - from);
	at += end - from;
	wire_write16(out + RDLENGTH_AT, (uint16_t)(at - out - REPLY_RECORD_HEAD_SIZE));
	return at;
}

bool hints_add(const struct hints *hints, struct reply *reply)
{
	const struct zone_block *block = hints->block;
	const struct zone_hints *place = zone_block_hints(block);
	const struct zone_hints *places_end = place + block->hints_count;
	size_t size = hinted_size(hints);

	if (!reply_has_room(reply, size))
		return false;

	uint8_t *at = reply->out + reply->used;

	for (size_t from = 0; from < block->size_bytes;) {
		size_t record_size =
			REPLY_RECORD_HEAD_SIZE + wire_read16(block->bytes + from + RDLENGTH_AT);
		uint8_t *next = at + record_size;

		if (place == places_end || place->record != from)
			wire_copy(at, block->bytes + from, record_size);
		else if (is_kept(hints, place++))
			wire_copy(at, block->bytes + from, record_size);
		else
			next = write_hinted(hints, place - 1, record_size, at);
		wire_write16(at, (uint16_t)(POINTER | reply->place.owner_offset));
		wire_write32(at + TTL_AT, hints->ttl_s);
		at = next;
		from += record_size;
	}
	reply->used += size;
	reply->counts += (uint64_t)block->record_count << REPLY_ANSWER;
	return true;
}
