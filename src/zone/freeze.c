/* SPDX-License-Identifier: Apache-2.0 */
#include "freeze.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "service.h"

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"

/* A referral that is larger fits no message; glue beyond is left out. */
#define REFERRAL_SIZE_MAX 65000

struct freezer {
	const struct draft *draft;
	struct zone *zone;
	struct block_writer writer;
	struct zone_block *blocks; /* of the node being made */
	size_t block_count;
	size_t block_capacity;
	struct zone_outward *outwards;
	size_t outward_count;
	size_t outward_capacity;
};

static void end_block(struct freezer *freezer)
{
	freezer->blocks =
		MEMORY_GROW(freezer->blocks, freezer->block_count, &freezer->block_capacity);
	freezer->blocks[freezer->block_count++] = block_end(&freezer->writer);
}

/* The base name: the owner; for a wildcard, whose owner no query name is, its parent. */
static const uint8_t *base_of(const struct draft_name *name)
{
	bool is_wildcard = name->wire[0] == 1 && name->wire[1] == '*';

	return is_wildcard ? name->wire + 2 : name->wire;
}

/* Where the hints of the record that was written last stand, if they are not to be served as they are. */
static void write_hints(
	struct freezer *freezer, const struct draft_name *name, const struct draft_record *record)
{
	struct zone_hints hints;

	if (!service_find_hints(name, record, &hints))
		return;

	/* what is written behind, as offsets into RDATA, becomes offsets into the block */
	size_t rdata = block_size(&freezer->writer) - record->rdata_size;

	hints.record = (uint16_t)(rdata - BLOCK_RECORD_HEAD_SIZE);
	for (unsigned i = 0; i < COUNT_OF(hints.at); i++)
		hints.at[i] = (uint16_t)(hints.at[i] + rdata);
	block_add_hints(&freezer->writer, &hints);
}

static void write_sets(struct freezer *freezer, const struct draft_name *name)
{
	const struct draft_record *record = name->records;

	while (record) {
		uint16_t type = record->type;

		block_begin(&freezer->writer, base_of(name), type);
		for (; record && record->type == type; record = record->next) {
			block_add(&freezer->writer, NULL, record, record->ttl_s);
			if (service_has_params(type))
				write_hints(freezer, name, record);
			freezer->zone->record_count++;
		}
		end_block(freezer);
	}
}

/* Remembers where hints of a node lead elsewhere: whether that is steered, all zones together tell. */
static void list_outwards(
	struct freezer *freezer, const struct draft_name *name, const struct zone_block *block)
{
	const struct zone_hints *hints = zone_block_hints(block);
	const struct draft_record *record = draft_first(name, block->type);

	for (; record; record = draft_next(record)) {
		struct zone_hints found;

		if (!service_find_hints(name, record, &found))
			continue;
		if (found.is_outward) {
			freezer->outwards = MEMORY_GROW(freezer->outwards, freezer->outward_count,
				&freezer->outward_capacity);
			freezer->outwards[freezer->outward_count++] = (struct zone_outward){
				.owner = name->node->name,
				.block = block,
				.hints = hints,
				.path = freezer->zone->files[record->file].path,
				.line = record->line,
				.is_mandatory = service_needs_hints(record),
			};
		}
		hints++;
	}
}

/* ---- referrals ---- */

/* Adds the addresses of one name server. */
static void write_glue(struct freezer *freezer, const struct draft_name *server)
{
	const struct draft_record *record = server->records;
	struct block_writer *writer = &freezer->writer;

	for (; record; record = record->next) {
		if (record->type != DNS_TYPE_A && record->type != DNS_TYPE_AAAA)
			continue;
		if (block_size(writer) > REFERRAL_SIZE_MAX)
			return;
		block_add(writer, server->wire, record, record->ttl_s);
		writer->block.record_count--;
		writer->block.glue_count++;
	}
}

/*
 * The addresses that this zone knows of the servers of `cut`: first those that nobody else knows (in-domain glue,
 * RFC 9471 3.1), then the others (sibling glue, and names of this zone itself).
 */
static void write_glue_of(struct freezer *freezer, const struct draft_name *cut, bool in_domain)
{
	const struct draft_record *ns = draft_first(cut, DNS_TYPE_NS);

	for (; ns; ns = draft_next(ns)) {
		struct name_key key;
		const struct draft_name *server;

		if (name_key_read(ns->rdata, ns->rdata_size, &key) == 0 ||
			!draft_holds(freezer->draft, &key))
			continue;
		server = draft_find(freezer->draft, &key, 0);
		if (server && !(server->flags & DRAFT_IS_BELOW_DNAME) &&
			(server->cut == cut) == in_domain)
			write_glue(freezer, server);
	}
}

static void write_referral(struct freezer *freezer, const struct draft_name *cut)
{
	const struct draft_record *ns = draft_first(cut, DNS_TYPE_NS);

	block_begin(&freezer->writer, cut->wire, 0);
	for (; ns; ns = draft_next(ns))
		block_add(&freezer->writer, cut->wire, ns, ns->ttl_s);
	freezer->writer.block.glue_offset = (uint16_t)block_size(&freezer->writer);
	write_glue_of(freezer, cut, true);
	write_glue_of(freezer, cut, false);
	end_block(freezer);
}

/* ---- nodes ---- */

/* Moves what the writer holds behind the blocks of the node. */
static void settle(
	const struct freezer *freezer, struct zone_block *blocks, uint16_t *fixups, uint8_t *bytes)
{
	const struct block_writer *writer = &freezer->writer;
	size_t byte = 0;
	size_t fixup = 0;

	if (writer->fixup_count > 0)
		memcpy(fixups, writer->fixups, writer->fixup_count * sizeof(fixups[0]));
	if (writer->bytes.size > 0)
		memcpy(bytes, writer->bytes.bytes, writer->bytes.size);
	for (size_t i = 0; i < freezer->block_count; i++) {
		blocks[i] = freezer->blocks[i];
		blocks[i].bytes = bytes + byte;
		blocks[i].fixups = fixups + fixup;
		byte += blocks[i].size_bytes;
		fixup += blocks[i].fixup_count + blocks[i].hints_count * BLOCK_HINTS_WORDS;
	}
}

static struct zone_node *make_node(struct freezer *freezer, const struct draft_name *name)
{
	const struct block_writer *writer = &freezer->writer;
	struct zone_node *node;
	size_t head_size = node_head_size(name->size);
	size_t blocks_size = freezer->block_count * sizeof(struct zone_block);
	size_t fixups_size = writer->fixup_count * sizeof(writer->fixups[0]);

	node = arena_alloc_raw(freezer->zone->arena,
		head_size + blocks_size + fixups_size + writer->bytes.size,
		alignof(struct zone_node));
	memset(node, 0, head_size);
	node->hash = name->hash;
	node->steered = ZONE_NOT_STEERED;
	node->name_size = name->size;
	memcpy(node->name, name->wire, name->size);

	uint8_t *blocks = (uint8_t *)node + head_size;
	uint8_t *fixups = blocks + blocks_size;

	settle(freezer, (struct zone_block *)(void *)blocks, (uint16_t *)(void *)fixups,
		fixups + fixups_size);
	return node;
}

static struct zone_node *freeze_name(struct freezer *freezer, struct draft_name *name)
{
	size_t sets;
	struct zone_node *node;

	block_writer_clear(&freezer->writer);
	freezer->block_count = 0;
	write_sets(freezer, name);
	sets = freezer->block_count;
	if (name->cut == name)
		write_referral(freezer, name);
	node = make_node(freezer, name);
	node->set_count = (uint16_t)sets;
	if (name->cut) {
		node->flags =
			name->cut == name ? NODE_IS_CUT | NODE_IS_BELOW_CUT : NODE_IS_BELOW_CUT;
		node->link = name->cut == name ? node : name->cut->node;
	} else if (name->flags & DRAFT_HAS_DNAME) {
		node->flags = NODE_HAS_DNAME;
	} else if (name->parent && base_of(name) != name->wire) {
		name->parent->node->link = node;
	}
	return node;
}

/* RFC 2308 3: for a negative answer, the smaller of the SOA's TTL and its MINIMUM. */
static void freeze_soa(struct freezer *freezer)
{
	struct zone *zone = freezer->zone;
	const struct draft_record *soa = draft_first(freezer->draft->apex, DNS_TYPE_SOA);
	struct draft_soa read = draft_read_soa(soa);

	zone->serial = read.serial;
	block_writer_clear(&freezer->writer);
	block_begin(&freezer->writer, freezer->draft->apex->wire, 0);
	block_add(&freezer->writer, freezer->draft->apex->wire, soa,
		soa->ttl_s < read.minimum_s ? soa->ttl_s : read.minimum_s);
	zone->negative = block_end(&freezer->writer);
	zone->negative.bytes =
		arena_copy(zone->arena, zone->negative.bytes, zone->negative.size_bytes);
	zone->negative.fixups = arena_copy(zone->arena, zone->negative.fixups,
		zone->negative.fixup_count * sizeof(zone->negative.fixups[0]));
}

static void freeze_names(struct freezer *freezer)
{
	const struct zone_node **link = &freezer->zone->apex;

	for (struct draft_name *name = freezer->draft->apex; name; name = name->next) {
		struct zone_node *node;

		if (name->flags & DRAFT_IS_BELOW_DNAME)
			continue; /* so that no look-up finds it */
		node = freeze_name(freezer, name);
		freezer->zone->name_count++;
		name->node = node;
		for (unsigned i = 0; i < node->set_count && !name->cut; i++)
			if (node_blocks(node)[i].hints_count > 0)
				list_outwards(freezer, name, &node_blocks(node)[i]);
		*link = node;
		link = &node->next;
	}
}

static void freeze_steers(struct freezer *freezer)
{
	struct zone *zone = freezer->zone;
	const struct draft *draft = freezer->draft;
	struct zone_steered *steered =
		ARENA_ARRAY(zone->arena, struct zone_steered, draft->steer_count);

	for (const struct draft_steer *steer = draft->steers; steer; steer = steer->next) {
		steer->name->node->steered = zone->steered_count;
		steered[zone->steered_count++] = (struct zone_steered){
			.zone = zone,
			.node = steer->name->node,
			.pool = arena_text(zone->arena, steer->pool),
			.ttl_s = steer->ttl_s,
			.path = zone->files[steer->file].path,
			.line = steer->line,
		};
	}
	zone->steered = steered;
}

static void freeze_files(struct zone *zone, const struct file_identities *identities)
{
	struct file_identity *files =
		ARENA_ARRAY(zone->arena, struct file_identity, identities->count);

	for (size_t i = 0; i < identities->count; i++) {
		files[i] = identities->items[i];
		files[i].path = arena_text(zone->arena, files[i].path);
	}
	zone->files = files;
	zone->file_count = identities->count;
	zone->path = files[0].path;
}

struct zone *freeze_draft(const struct draft *draft, const struct file_identities *identities)
{
	struct arena *arena = arena_new();
	struct zone *zone = ARENA_NEW(arena, struct zone);
	struct freezer freezer = {.draft = draft, .zone = zone};

	zone->arena = arena;
	zone->label_count = draft->apex_key.label_count;
	atomic_init(&zone->holders, 1);
	freeze_files(zone, identities);
	freeze_names(&freezer);
	freeze_soa(&freezer);
	freeze_steers(&freezer);
	zone->outwards = arena_copy(
		arena, freezer.outwards, freezer.outward_count * sizeof(freezer.outwards[0]));
	zone->outward_count = freezer.outward_count;
	block_writer_done(&freezer.writer);
	free(freezer.blocks);
	free(freezer.outwards);
	return zone;
}
