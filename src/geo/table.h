/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_TABLE_H
#define GEO_TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "range.h"

/*
 * table - ranges, frozen for look-ups: a value and a scope for each address.
 *
 * The scope is the length of the largest block around the address that stays inside its range.  Such a block holds neither
 * the last address before the range nor the first behind it, so it is one bit longer than what the address
 * shares with the nearer of the two; the search has just brought both into the cache.
 *
 * IPv4: a bucket for each upper 16 bits.  One that is of one value has it at hand, with its scope.  Of another, the
 * networks of 24 bits in which another value begins, an octet each, stand together with the values; nearly all
 * boundaries are between such networks.  What of a range lies outside the bucket does not matter: a boundary inside is
 * always the nearer one.  So most look-ups cost an access to memory or two, and those are what a look-up costs.
 *
 *	buckets   20.0: all A, scope 14   20.1: 3 networks, at 7   ...
 *	networks  ... | 7: 0 64 65, A B A | ...          20.1.64.0/24 is B, what is around it A
 *
 * The few networks of 24 bits that are divided have no value there; they are searched among themselves.
 *
 * IPv6: the upper 64 bits of where each range begins, sorted, under an index of 16 bits of 2000::/3, which is all that
 * is in use.  [query path]
 */
struct table_hit {
	uint32_t value;
	uint8_t scope_bits;
};

struct table_bucket {
	uint32_t at;	    /* where its networks stand; or the value of all of it */
	uint16_t count;	    /* of its networks, 2 at least; 0: it is of one value */
	uint8_t scope_bits; /* then */
};

/* Where a bucket's networks stand are the octets, of which the first is 0, then the values, which are not aligned. */
struct table_ipv4 {
	struct table_bucket *buckets;
	uint8_t *networks; /* in the same piece of memory as the buckets */
	size_t value_size; /* 2, or 4 when 16 bits cannot hold all values */
	uint32_t divided;  /* the value of that size that says so */
	uint32_t *
		starts; /* of ranges in divided networks, sorted; one at the first address of each */
	uint32_t *start_values;
	size_t start_count;
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

/* For an address in a divided network. */
struct table_hit table_ipv4_find_divided(const struct table_ipv4 *table, uint32_t position);

static inline uint32_t table_read16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t table_read32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* How many bits a number that is not 0 has. */
static inline unsigned table_width(uint32_t number)
{
	return 32 - (unsigned)__builtin_clz(number);
}

static inline struct table_hit table_ipv4_find(const struct table_ipv4 *table, uint32_t position)
{
	const struct table_bucket *bucket = &table->buckets[position >> 16];

	if (bucket->count == 0)
		return (struct table_hit){bucket->at, bucket->scope_bits};

	const uint8_t *begins = table->networks + bucket->at;
	unsigned network = position >> 8 & 0xff;
	size_t count = bucket->count;
	size_t at = 0;
	uint32_t value = 0;
	unsigned below = 0;
	unsigned above = 0;

	for (size_t left = count - 1; left > 0;) {
		size_t half = (left + 1) / 2;

		at += half & -(size_t)(begins[at + half] <= network); /* never a branch */
		left -= half;
	}
	if (table->value_size == 2)
		value = table_read16(begins + count + 2 * at);
	else
		value = table_read32(begins + count + 4 * at);
	if (value == table->divided)
		return table_ipv4_find_divided(table, position);
	/* A bit more than is shared with the last network before the range or the first behind it, of 16 + 8 bits. */
	if (at > 0)
		below = 25 - table_width(network ^ (begins[at] - 1u));
	if (at + 1 < count)
		above = 25 - table_width(network ^ begins[at + 1]);
	return (struct table_hit){value, (uint8_t)(below > above ? below : above)};
}

#endif
