/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_TREE_H
#define ZONE_TREE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "steerd/base/arena.h"
#include "steerd/zone/zone.h"

/*
 * tree - a frozen zone.
 *
 * A node is one piece of memory: what a query needs stands in a row.
 *
 *	+------+------+---------+-----+----------+--------+-------+-----+
 *	| node | name | set     | ... | referral | fixups | bytes | ... |
 *	|      |      | (block) |     | (block)  | of all blocks        |
 *	+------+------+---------+-----+----------+--------+-------+-----+
 *
 * There are no pointers from parent to child but the one to a wildcard child: names are found by their hash.
 */
enum node_flag {
	NODE_IS_BELOW_CUT = 1, /* at or below a delegation: `link` is the cut */
	NODE_IS_CUT = 2,    /* behind the sets, which are in order of type, stands the referral */
	NODE_HAS_DNAME = 4, /* no node is below it (RFC 6672 2.4) */
};

struct zone_node {
	const struct zone_node *link; /* the cut; else the wildcard child, or NULL */
	const struct zone_node *next; /* every node of the zone, the apex first */
	uint32_t hash;		      /* of its name, as in struct name_key */
	uint32_t steered;	      /* index among those of the zone, or ZONE_NOT_STEERED */
	uint16_t set_count;
	uint8_t flags; /* enum node_flag */
	uint8_t name_size;
	uint8_t name[]; /* lower case; what is behind it, see node_blocks() */
};

/* Octets of a node and its name, up to where the blocks begin. */
static inline size_t node_head_size(size_t name_size)
{
	const size_t boundary = alignof(struct zone_block);

	return (offsetof(struct zone_node, name) + name_size + boundary - 1) & ~(boundary - 1);
}

static inline const struct zone_block *node_blocks(const struct zone_node *node)
{
	return (const void *)((const uint8_t *)node + node_head_size(node->name_size));
}

/* What tells whether a file is the one that was read. */
struct file_identity {
	const char *path; /* lives in the zone's arena */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
	struct timespec changed; /* catches a content put under an old time of modification */
};

struct file_identities {
	struct file_identity *items;
	size_t count;
	size_t capacity;
};

struct stat;
void file_identity_set(struct file_identity *identity, const struct stat *status);

/* Hints of a record whose target is another name, which may be steered. */
struct zone_outward {
	const uint8_t *owner; /* wire name */
	const struct zone_block *block;
	const struct zone_hints *hints; /* of `block` */
	const char *path;
	unsigned line;
	bool is_mandatory; /* RFC 9460 8: the record is malformed without them */
};

struct zone {
	atomic_uint holders;
	struct arena *arena;
	const struct zone_node *apex;
	const char *path;
	uint32_t serial;
	size_t name_count;
	size_t record_count;
	uint8_t label_count; /* of the apex */
	struct zone_block negative;
	const struct zone_steered *steered;
	uint32_t steered_count;
	const struct zone_outward *outwards;
	size_t outward_count;
	const struct file_identity *files; /* its own is the first */
	size_t file_count;
};

struct zone *zone_hold(struct zone *zone);
void zone_release(struct zone *zone); /* NULL is allowed */
/* Whether every file is still the one that was read: its own, which is `own` now, and those that it includes. */
bool zone_is_current(const struct zone *zone, const struct stat *own);

#endif
