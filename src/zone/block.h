/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ZONE_BLOCK_H
#define ZONE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draft.h"

#include "steerd/base/text.h"
#include "steerd/zone/zone.h"

/*
 * block - writes records as they will stand in messages.
 *
 * A writer holds the blocks of one node, one behind the other; freeze.c then copies all of them to where they stay.
 */

/* How many names a block remembers to point at; sets have few names, and the first are the ones that repeat. */
#define BLOCK_NAMES_MAX 256

/* What a record of an RRset block begins with: pointer, TYPE, CLASS, TTL, RDLENGTH. */
#define BLOCK_RECORD_HEAD_SIZE 12

/* Hints are kept among the fixups: both are offsets. */
#define BLOCK_HINTS_WORDS (sizeof(struct zone_hints) / sizeof(uint16_t))

struct block_suffix {
	const uint8_t *wire; /* whole, elsewhere */
	uint16_t target;     /* where it stands in the message */
	uint8_t size;
};

struct block_writer {
	struct text bytes; /* of all blocks */
	uint16_t *fixups;  /* of all blocks; behind those of each, its hints */
	size_t fixup_count;
	size_t fixup_capacity;

	/* of the block being written */
	struct zone_block block;
	size_t start;	    /* in `bytes` */
	size_t fixup_start; /* in `fixups` */
	struct block_suffix suffixes[BLOCK_NAMES_MAX];
	size_t suffix_count;
};

/* Starts with `struct block_writer writer = {0};`, ends with block_writer_done(). */
void block_writer_done(struct block_writer *writer);
/* Forgets all blocks. */
void block_writer_clear(struct block_writer *writer);

/* `base` must live until block_end(); `type`: 0 for a block whose owners are fixups. */
void block_begin(struct block_writer *writer, const uint8_t *base, uint16_t type);
/* The owner is the question's name in an RRset block, else `owner`, a wire name. */
void block_add(struct block_writer *writer, const uint8_t *owner, const struct draft_record *record,
	uint32_t ttl_s);
/* To be replaced in the record that was added last; such a block has no pointers but those of its owners. */
void block_add_hints(struct block_writer *writer, const struct zone_hints *hints);
size_t block_size(const struct block_writer *writer);
/* What was written; `bytes` and `fixups` are still those of the writer and valid until the next block_add(). */
struct zone_block block_end(struct block_writer *writer);

#endif
