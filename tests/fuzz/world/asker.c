/* SPDX-License-Identifier: Apache-2.0 */
#include "asker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/bytes.h"
#include "steerd/base/memory.h"
#include "steerd/dns/name.h"
#include "steerd/dns/wire.h"

size_t asker_name(const struct zone_steered *steered, uint8_t ret_wire[static DNS_NAME_MAX])
{
	const uint8_t *wire = zone_node_name(steered->node);
	size_t size = name_size(wire);

	memcpy(ret_wire, wire, size);
	if (wire[0] == 1 && wire[1] == '*')
		ret_wire[1] = 'x';
	return size;
}

/* ---- what may be answered ---------------------------------------------------------------------------- */

static size_t family_size(uint16_t type)
{
	return type == DNS_TYPE_A ? 4 : 16;
}

/* Whether a pool, as the root of a tree, has such an address of its own: one at all if `bytes` is NULL.  Those of a host
 * are among the rows. */
static bool has_address(const struct steer_world *world, const struct steer_pool *pool,
	const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct steer_member *member = &pool->members[i];

		if (member->pool &&
			has_address(world, member->pool, bytes, size)) /* no deeper than the file */
			return true;

		size_t count;
		const struct belief *rows = belief_table_find(world->beliefs, member->id, &count);

		for (size_t k = 0; k < count; k++)
			if (address_size(&rows[k].address) == size &&
				(!bytes || memcmp(rows[k].address.bytes, bytes, size) == 0))
				return true;
	}
	return false;
}

/* A rendered set of addresses has each of them behind twelve octets (zone.h). */
static bool is_zones_own(
	const struct zone_node *node, uint16_t type, const uint8_t *bytes, size_t size)
{
	const struct zone_block *block = zone_node_get_set(node, type);

	for (size_t i = 0; block && i < block->record_count; i++)
		if (memcmp(block->bytes + i * (12 + size) + 12, bytes, size) == 0)
			return true;
	return false;
}

static void check_steered(const struct asker *asker, const struct plan *plan, uint32_t index)
{
	const struct zone_steered *steered = zone_set_steered(plan->zones, index);
	const struct steer_pool *pool =
		&plan->snapshot->pools[plan->snapshot->steered_pools[index]];
	const struct steer_world world = plan_world(plan);
	const struct decoded *decoded = &asker->decoded;
	size_t size = family_size(decoded->type);

	assert(decoded->rcode == DNS_RCODE_NOERROR);
	assert(decoded->flags & DNS_FLAG_AA);
	if (has_address(&world, pool, NULL, size))
		assert(decoded->count > 0 && decoded->records[0].section == DECODE_ANSWER);
	for (size_t i = 0; i < decoded->count; i++) {
		const struct decode_record *record = &decoded->records[i];

		if (record->section != DECODE_ANSWER)
			continue;
		assert(record->type == decoded->type && record->rdata_size == size);
		assert(has_address(&world, pool, record->rdata, size) ||
			is_zones_own(steered->node, decoded->type, record->rdata, size));
	}
}

/* ---- questions --------------------------------------------------------------------------------------- */

/* In the networks file, in the database, private, and of no known place. */
static const struct prefix clients[] = {
	{{ADDRESS_IPV4, {198, 18, 7}}, 24},
	{{ADDRESS_IPV4, {198, 19, 7}}, 24},
	{{ADDRESS_IPV4, {20, 1}}, 16},
	{{ADDRESS_IPV4, {20}}, 8},
	{{ADDRESS_IPV4, {10, 1, 2}}, 24},
	{{ADDRESS_IPV6, {0x2a, 0x00, 1}}, 48},
	{{ADDRESS_IPV6, {0x2a, 0x01, 1}}, 56},
	{{ADDRESS_IPV4, {0}}, 0},
};

static void make_question(struct asker *asker, const uint8_t *name, uint16_t type, uint32_t draw)
{
	const struct prefix *client = &clients[draw >> 1 & 7];
	const struct ask_parts parts = {
		.name = name,
		.type = type,
		.class = DNS_CLASS_IN,
		.has_edns = true,
		.udp_size = DNS_UDP_MAX,
		.subnet = draw & 16 ? client : NULL,
	};

	asker->ask.client = (struct answer_client){.address = client->address};
	if (client->address.family == ADDRESS_NONE || client->bits == 0)
		asker->ask.client.address = (struct address){ADDRESS_IPV4, {192, 0, 2, 1}};
	asker->ask.random = (uint64_t)draw << 32;
	asker->ask.size = ask_write(&parts, asker->ask.message);
}

static void ask_plan(struct asker *asker, const struct plan *plan)
{
	/* of the exact sizes, for the address sanitizer */
	uint8_t *query = memory_copy(asker->ask.message, asker->ask.size);
	uint8_t *out = memory_new(ANSWER_UDP_MAX);
	struct err err;

	asker->size = answer_query(plan, &asker->ask.client, query, asker->ask.size,
		asker->ask.random, &asker->stats, out)
			      .size;
	assert(asker->size <= ANSWER_UDP_MAX);
	memcpy(asker->out, out, asker->size);
	free(out);
	free(query);
	if (asker->size > 0 && !decode(asker->out, asker->size, &asker->decoded, &err)) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
}

/* A zone inside the zone may have taken the name over. */
static bool is_reached(const struct plan *plan, const uint8_t *name, uint32_t index)
{
	struct zone_match match;
	struct name_key key;

	if (name_key_read(name, DNS_NAME_MAX, &key) == 0)
		return false;
	zone_set_find(plan->zones, &key, DNS_TYPE_A, &match);
	return match.steered == index;
}

static bool ask_type(
	struct asker *asker, const struct plan *plan, uint32_t index, uint16_t type, uint32_t draw)
{
	uint8_t name[DNS_NAME_MAX];

	(void)asker_name(zone_set_steered(plan->zones, index), name);
	make_question(asker, name, type, draw);
	ask_plan(asker, plan);
	assert(asker->size > 0);
	return is_reached(plan, name, index);
}

/* The addresses of the last answer, one behind the other. */
static size_t copy_addresses(const struct asker *asker, uint8_t *out)
{
	size_t used = 0;

	for (size_t i = 0; i < asker->decoded.count; i++) {
		const struct decode_record *record = &asker->decoded.records[i];

		if (record->section != DECODE_ANSWER)
			continue;
		memcpy(out + used, record->rdata, record->rdata_size);
		used += record->rdata_size;
	}
	return used;
}

/* What a client would get for the same random number: A, and AAAA. */
struct addresses {
	uint8_t bytes[2][ANSWER_UDP_MAX];
	size_t sizes[2];
};

/* The parameters of a record whose target is its owner: hints are those answers, or absent. */
static void check_parameters(const struct decode_record *record, const struct addresses *answers)
{
	enum { IPV4HINT = 4, IPV6HINT = 6 };   /* RFC 9460 14.3.2 */
	const uint8_t *at = record->rdata + 3; /* behind SvcPriority and "." */
	const uint8_t *end = record->rdata + record->rdata_size;

	while (at < end) {
		unsigned key = wire_read16(at);
		size_t size = wire_read16(at + 2);

		at += 4;
		assert(size <= (size_t)(end - at));
		if (key == IPV4HINT || key == IPV6HINT) {
			unsigned family = key == IPV6HINT;

			assert(size > 0 && size == answers->sizes[family]);
			assert(memcmp(at, answers->bytes[family], size) == 0);
		}
		at += size;
	}
}

static void ask_hints(struct asker *asker, const struct plan *plan, uint32_t index, uint32_t draw)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	struct addresses answers;

	for (size_t i = 0; i < 2; i++) {
		if (!ask_type(asker, plan, index, types[i], draw))
			return;
		answers.sizes[i] = copy_addresses(asker, answers.bytes[i]);
	}
	(void)ask_type(asker, plan, index, DNS_TYPE_HTTPS, draw);
	assert(asker->decoded.rcode == DNS_RCODE_NOERROR);
	for (size_t i = 0; i < asker->decoded.count; i++) {
		const struct decode_record *record = &asker->decoded.records[i];

		if (record->type == DNS_TYPE_HTTPS && record->rdata_size > 3 &&
			record->rdata[2] == 0)
			check_parameters(record, &answers);
	}
}

static void ask_steered(struct asker *asker, const struct plan *plan, uint32_t index, uint32_t draw)
{
	if (draw % 8 == 7)
		ask_hints(asker, plan, index, draw);
	if (ask_type(asker, plan, index, draw & 1 ? DNS_TYPE_A : DNS_TYPE_AAAA, draw))
		check_steered(asker, plan, index);
}

void asker_ask_steered(struct asker *asker, const struct plan *plan, uint32_t index)
{
	ask_steered(asker, plan, index, (uint32_t)random_next(&asker->random));
}

void asker_ask_all(struct asker *asker, const struct plan *plan)
{
	for (uint32_t i = 0; i < zone_set_steered_count(plan->zones); i++)
		asker_ask_steered(asker, plan, i);
}

void asker_ask_raw(struct asker *asker, const struct plan *plan, const uint8_t *query, size_t size)
{
	memcpy(asker->ask.message, query, size);
	asker->ask.size = size;
	asker->ask.client = (struct answer_client){.address = clients[0].address};
	asker->ask.random = 0;
	ask_plan(asker, plan);
}

uint64_t asker_digest(struct asker *asker, const struct plan *plan)
{
	uint64_t digest = 0;

	for (uint32_t i = 0; i < zone_set_steered_count(plan->zones); i++)
		for (uint32_t draw = 0; draw < 16; draw++) {
			/* every client once; bits of all weights */
			ask_steered(asker, plan, i, draw * UINT32_C(0x9e3779b1));
			digest = digest * 31 + bytes_crc32(asker->out, asker->size);
		}
	return digest;
}
