/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_TABLE_H
#define GEO_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "range.h"

/*
 * table - ranges, frozen for look-ups: a value and a scope for each address.
 *
 * The scope is the length of the largest block around the address that stays inside its range.  Such a block holds neither
 * the last address before the range nor the first behind it, so it is one bit longer than what the address
 * shares with the nearer of the two; the search has just brought both into the cache.
 *
 * IPv4: a bucket for each upper 16 bits.  A bucket that is of one value has one entry, with its scope; another has
 * an entry for each range in it, with the lower 16 bits of where that begins there (the first: 0).  What of a range
 * lies outside the bucket does not matter: a boundary inside is always the nearer one.  So a look-up costs two
 * accesses to memory, an index and an entry.
 *
 *	index    20.0: 7   20.1: 8   20.2: 11 ...
 *	entries  7: scope 14, value A | 8: from 0, A  9: from 256, B  10: from 512, A | ...
 *
 * IPv6: the upper 64 bits of where each range begins, sorted, under an index of 16 bits of 2000::/3, which is all that
 * is in use.  [query path]
 */
struct table_hit {
	uint32_t value;
	uint8_t scope_bits;
};

struct table_ipv4 {
	uint32_t *index;       /* the first entry of each bucket; behind them, the end */
	uint32_t *entries;     /* upper half: scope or beginning; lower half: value */
	uint32_t *wide_values; /* of each entry, when 16 bits cannot hold all of them; else NULL */
	size_t size_bytes;
};

struct table_ipv6 {
	uint32_t *
		index; /* the range in which the first address of each key is; behind them, the last range */
	uint64_t *starts;
	uint16_t *values;      /* NULL when 16 bits cannot hold all of them */
	uint32_t *wide_values; /* used then */
	size_t count;
	size_t size_bytes;
};

/* `value_count`: all values are below it. */
void table_ipv4_init(struct table_ipv4 *table, const struct ranges *ranges, size_t value_count);
void table_ipv6_init(struct table_ipv6 *table, const struct ranges *ranges, size_t value_count);
void table_ipv4_done(struct table_ipv4 *table);
void table_ipv6_done(struct table_ipv6 *table);

struct table_hit table_ipv6_find(const struct table_ipv6 *table, uint64_t position);

/* How many upper bits two different 32-bit numbers share, and the one in which they differ. */
static inline unsigned table_shared_bits_and_one(uint32_t a, uint32_t b)
{
	return (unsigned)__builtin_clz(a ^ b) + 1;
}

static inline struct table_hit table_ipv4_find(const struct table_ipv4 *table, uint32_t position)
{
	uint32_t bucket = position >> 16;
	const uint32_t *first = table->entries + table->index[bucket];
	const uint32_t *end = table->entries + table->index[bucket + 1];
	const uint32_t *entry = first;
	unsigned below = 0;
	unsigned above = 0;

	if (end - first == 1) {
		above = *entry >> 16;
	} else {
		uint32_t key = position << 16 | 0xffff; /* not below an entry that begins here */

		for (size_t left = (size_t)(end - first) - 1; left > 0;) {
			size_t half = (left + 1) / 2;

			entry += half & -(size_t)(entry[half] <= key); /* never a branch */
			left -= half;
		}
		/* Among the lower 16 bits, which stand in the upper half. */
		if (entry > first)
			below = 16 + table_shared_bits_and_one(key, (*entry & 0xffff0000) - 1);
		if (entry + 1 < end)
			above = 16 + table_shared_bits_and_one(key, entry[1] | 0xffff);
	}
	return (struct table_hit){
		.value = table->wide_values ? table->wide_values[entry - table->entries]
					    : *entry & 0xffff,
		.scope_bits = (uint8_t)(below > above ? below : above),
	};
}

#endif
