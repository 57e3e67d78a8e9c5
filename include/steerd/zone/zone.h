/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_ZONE_H
#define ZONE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steerd/base/report.h"
#include "steerd/dns/name.h"

/*
 * zone - zone files, read by ldns as a stream, made into a frozen tree whose answers are already written.
 *
 * A `struct zone` is one zone: immutable, counted, shared by every zone set that holds it, so that a reload
 * reads only files that changed, and a refused zone leaves its predecessor serving.  A `struct zone_set` is
 * the one table that holds every name of every zone.
 */
struct zone;
struct zone_set;
struct zone_node;

/*
 * A run of records as they stand in a message, made at load.
 *
 * It is written as if the message were: header, a question whose name is the block's base name, then this.
 * In a block of one RRset each record begins with a pointer to the owner, 0xc00c, which is the question's
 * name: right as it stands when the query asked for the owner.  Every other pointer is listed in `fixups`
 * (the offset of its two octets); it leads either into the base name or to an earlier name of the block.  So
 * a block is copied as it is when the base name is the query name, and otherwise zone_block_place() moves it.
 * The base name is the owner; for a wildcard, whose owner no query has, it is the wildcard's parent; the cut for a
 * referral, the apex for a negative SOA.
 * The target of a CNAME or DNAME is never compressed: it is where the next block of a chain finds its base name.
 * A block with `hints_count` > 0 is not copied as it is: some of its records have address hints to be replaced.
 */
struct zone_block {
	const uint8_t *bytes;
	const uint16_t *fixups;
	uint16_t size_bytes;
	uint16_t fixup_count;
	uint16_t record_count;	 /* of its first section */
	uint16_t glue_count;	 /* referrals: records of the additional section behind them */
	uint16_t glue_offset;	 /* referrals: where those begin */
	uint16_t type;		 /* of an RRset block; 0: a referral or the negative SOA */
	uint16_t hints_count;	 /* SVCB and HTTPS: zone_block_hints() */
	uint8_t base_size_bytes; /* of the base name */
};

/*
 * A record of SVCB or HTTPS with address hints that must follow a pool, or not be there (RFC 9460 7.3).
 *
 * Of a steered name's own service (its target is the owner itself) they are the addresses that the pool gives.  Those
 * of a record that leads elsewhere stay as they were written, unless zone_set_hides_hints().
 */
struct zone_hints {
	uint16_t record; /* where the record begins in its block */
	uint16_t at
		[2]; /* [0] ipv4hint, [1] ipv6hint: where the parameter stands in the block, its key included */
	uint16_t size[2]; /* octets of it; 0: there is none, and there must be none */
	uint16_t is_outward;
};

/* In order of their records.  [query path] */
static inline const struct zone_hints *zone_block_hints(const struct zone_block *block)
{
	return (const void *)(block->fixups + block->fixup_count);
}

/* Whether a record of the block has hints of a family ([0] IPv4, [1] IPv6) that are its pool's.  [query path] */
bool zone_block_is_hinted(const struct zone_block *block, unsigned family);

/* No block may begin further into a message: its pointers have 14 bits, and lead up to as far into the block. */
#define ZONE_BLOCK_OFFSET_MAX 8191

/* Where a block's names stand in a real message. */
struct zone_block_place {
	uint16_t owner_offset; /* of the owner of an RRset block; 12 in most answers */
	uint16_t base_offset;  /* of the base name, whole and uncompressed */
	uint16_t block_offset; /* of the block itself */
};

/* Copies the block to `out`, which has room for it, and moves its pointers.  [query path] */
void zone_block_place(
	const struct zone_block *block, const struct zone_block_place *place, uint8_t *out);

/*
 * CNAMEs, of the zone or made of a DNAME, that one answer follows.  A resolver asks for the rest.  More: a query costs as
 * many look-ups more, and a chain of three is already a mistake.
 */
#define ZONE_LINKS_MAX 5

enum zone_outcome {
	ZONE_OUTSIDE,	  /* no hosted zone holds the name: REFUSED */
	ZONE_NODE,	  /* the name exists, perhaps through a wildcard, perhaps empty */
	ZONE_REFERRAL,	  /* at or below a delegation: `node` is the cut (RFC 1034 4.3.2 3b) */
	ZONE_BELOW_DNAME, /* `node` has the DNAME (RFC 6672 3.2 3c) */
	ZONE_MISSING,	  /* NXDOMAIN */
};

#define ZONE_NOT_STEERED UINT32_MAX

struct zone_match {
	enum zone_outcome outcome;
	bool is_wildcard;	 /* `node` is the wildcard that the name matched (RFC 4592 3.3) */
	uint32_t steered;	 /* index among zone_set_steered(), or ZONE_NOT_STEERED */
	const struct zone *zone; /* NULL when outside */
	const struct zone_node *node; /* NULL when outside or missing */
};

/*
 * RFC 1034 4.3.2 without the steps of CNAME and DNAME: what the name is.  `type` matters at a delegation alone: DS is
 * asked of the parent side (RFC 4035 3.1.4.1).  [query path]
 */
void zone_set_find(const struct zone_set *set, const struct name_key *name, uint16_t type,
	struct zone_match *ret_match);

/* Whether the target of such a record is, or leads to, a name that is steered: hints would pass its pool by.
 * [query path] */
bool zone_set_hides_hints(const struct zone_set *set, const struct zone_hints *hints);

/* The rendered RRset of that type at a node, NULL if there is none.  [query path] */
const struct zone_block *zone_node_get_set(const struct zone_node *node, uint16_t type);
/* The smallest of the first few RRsets of a node, NULL if it has none (for ANY).  [query path] */
const struct zone_block *zone_node_small_set(const struct zone_node *node);
/* The next RRset of a node in order of type, beginning with `*position` = 0; NULL at the end. */
const struct zone_block *zone_node_next_set(
	const struct zone_node *node, unsigned *position, uint16_t *ret_type);
/* A cut's NS set and glue; base name: the cut's.  All its pointers, owners too, are fixups.  [query path] */
const struct zone_block *zone_node_referral(const struct zone_node *node);
/* The SOA with the TTL of negative answers (RFC 2308 3); base name: the apex.  All pointers are fixups.  [query path] */
const struct zone_block *zone_negative(const struct zone *zone);

/* Wire name, lower case. */
const uint8_t *zone_node_name(const struct zone_node *node);
const uint8_t *zone_name(const struct zone *zone);
uint32_t zone_serial(const struct zone *zone);
/* Of its name, without the root label. */
uint8_t zone_label_count(const struct zone *zone);
/* Where it was read from. */
const char *zone_path(const struct zone *zone);
size_t zone_name_count(const struct zone *zone);
size_t zone_record_count(const struct zone *zone);

/* A name that an `_steer` record steers. */
struct zone_steered {
	const struct zone *zone;
	const struct zone_node *node;
	const char *pool; /* as the zone file says it */
	uint32_t ttl_s;	  /* of steered answers: the TTL of the _steer record */
	const char *path; /* the zone's file, or one that it includes */
	unsigned line;
};

/* What a zone directory is read with. */
struct zone_rules {
	bool (*is_pool)(const void *context, const char *name); /* for `_steer` records */
	const void *context;
	/* --force: a directory that is missing, empty or lacks served zones is obeyed, and so is an older serial */
	bool is_forced;
};

/*
 * Reads every NAME.zone in `directory`; NAME may be escaped as in zone files ("0\\04724.2.0.192.in-addr.arpa.zone").
 * Hidden files, directories and other names are left alone.  The root zone cannot be served.
 *
 * Files that did not change since `previous` (NULL: none) was read, nor those that they include, share its zones when
 * their `_steer` records still name known pools.  Mistakes are collected in `report`; a zone with an error is refused
 * and its predecessor stays in the set, said in a note.  A zone that is refused and has no predecessor is left out.
 *
 * A serial that is older than the predecessor's, in serial arithmetic (RFC 1982 3.2), is such an error without
 * `is_forced`: secondaries would not follow, and a file that was put back by accident is noticed.
 *
 * Fails (NULL, and an error in `report`) only when nothing may be served: the directory is missing, empty, or would
 * drop zones, without `is_forced`; or a refused zone's predecessor steers by a pool that is gone, so that neither
 * can be served.
 *
 * $INCLUDE takes a path relative to the file that has it, and never one outside of the directory, links followed.
 * Origin, TTL and owner are afterwards what they were before.
 */
struct zone_set *zone_set_read(const char *directory, const struct zone_rules *rules,
	const struct zone_set *previous, struct report *report);
void zone_set_free(struct zone_set *set); /* NULL is allowed */

size_t zone_set_count(const struct zone_set *set);
const struct zone *zone_set_zone(const struct zone_set *set, size_t index);
size_t zone_set_steered_count(const struct zone_set *set);
const struct zone_steered *zone_set_steered(const struct zone_set *set, uint32_t index);
/* What the set and its zones hold in memory. */
size_t zone_set_size_bytes(const struct zone_set *set);

#endif
