/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

#define BUCKETS 65536

/* IPv6: one key for what is below 2000::/3, one for what is above. */
#define IPV6_KEYS (1 + 65536 + 1)
#define GLOBAL_FIRST (UINT64_C(0x2000) << 48)
#define GLOBAL_END (UINT64_C(0x4000) << 48)
#define GLOBAL_SHIFT 45

static bool is_wide(size_t value_count)
{
	return value_count > UINT16_MAX; /* which says something else */
}

static uint64_t range_last(const struct ranges *ranges, size_t range, unsigned space_bits)
{
	bool is_last = range + 1 == ranges->count;

	return is_last ? range_mask(space_bits) : ranges->starts[range + 1] - 1;
}

/* The scope of a bucket that is inside a range: 0 to 16 bits. */
static uint8_t bucket_scope(const struct ranges *ranges, size_t range, uint64_t first)
{
	uint64_t range_end = range_last(ranges, range, 32);
	uint8_t bits = 0;

	for (; bits < 16; bits++) {
		uint64_t mask = range_mask(32 - bits);

		if ((first & ~mask) >= ranges->starts[range] && (first | mask) <= range_end)
			break;
	}
	return bits;
}

/* A table while it is made of ranges. */
struct making {
	struct table_ipv4 *table;
	const struct ranges *ranges;
	size_t range;
	uint8_t *networks;
	size_t size;
	size_t capacity;
	size_t start_capacity;
	size_t start_value_capacity;
};

/* On to the range that holds `position`: this one or the next; returns where that ends. */
static uint64_t go_to(struct making *making, uint64_t position)
{
	making->range += range_last(making->ranges, making->range, 32) < position;
	return range_last(making->ranges, making->range, 32) + 1;
}

static void add_start(struct making *making, uint64_t start)
{
	struct table_ipv4 *table = making->table;

	table->starts = MEMORY_GROW(table->starts, table->start_count, &making->start_capacity);
	table->start_values =
		MEMORY_GROW(table->start_values, table->start_count, &making->start_value_capacity);
	table->starts[table->start_count] = (uint32_t)start;
	table->start_values[table->start_count++] = making->ranges->values[making->range];
}

/* The value of the network at `first`, and in `ret_next` how far it goes. */
static uint32_t next_value(struct making *making, uint64_t first, uint64_t *ret_next)
{
	uint64_t range_end = go_to(making, first);

	if (range_end >= first + 256) {
		*ret_next = range_end & ~UINT64_C(255);
		return making->ranges->values[making->range];
	}
	add_start(making, first);
	while (range_end < first + 256) {
		uint64_t start = range_end;

		range_end = go_to(making, start);
		add_start(making, start);
	}
	*ret_next = first + 256;
	return making->table->divided;
}

/* Adds the networks of a bucket, and returns where they stand. */
static uint32_t add_networks(
	struct making *making, const uint8_t *begins, const uint32_t *values, size_t count)
{
	size_t value_size = making->table->value_size;
	size_t at = making->size;

	making->size += count * (1 + value_size);
	if (making->size > making->capacity) {
		making->capacity = making->size * 2;
		making->networks = memory_resize(making->networks, making->capacity);
	}
	memcpy(making->networks + at, begins, count);
	for (size_t i = 0; i < count; i++) {
		uint8_t *value = making->networks + at + count + i * value_size;
		uint16_t narrow = (uint16_t)values[i];

		memcpy(value, value_size == 2 ? (const void *)&narrow : &values[i], value_size);
	}
	return (uint32_t)at;
}

static struct table_bucket make_bucket(struct making *making, uint64_t first)
{
	uint64_t end = first + 65536;
	uint8_t begins[256];
	uint32_t values[256];
	uint16_t count = 0;

	if (go_to(making, first) >= end)
		return (struct table_bucket){
			.at = making->ranges->values[making->range],
			.scope_bits = bucket_scope(making->ranges, making->range, first),
		};
	for (uint64_t position = first; position < end; count++) {
		begins[count] = (uint8_t)(position >> 8);
		values[count] = next_value(making, position, &position);
	}
	return (struct table_bucket){add_networks(making, begins, values, count), count, 0};
}

void table_ipv4_init(struct table_ipv4 *table, const struct ranges *ranges, size_t value_count)
{
	struct making making = {.table = table, .ranges = ranges};
	size_t buckets_size = BUCKETS * sizeof(table->buckets[0]);
	struct table_bucket *buckets = memory_new(buckets_size);

	*table = (struct table_ipv4){
		.value_size = is_wide(value_count) ? sizeof(uint32_t) : sizeof(uint16_t),
		.divided = is_wide(value_count) ? UINT32_MAX : UINT16_MAX,
	};
	for (size_t i = 0; i < BUCKETS; i++)
		buckets[i] = make_bucket(&making, (uint64_t)i << 16);

	uint8_t *block = memory_new_table(buckets_size + making.size);

	table->networks = block + buckets_size;
	table->buckets = memcpy(block, buckets, buckets_size);
	if (making.size > 0)
		memcpy(table->networks, making.networks, making.size);
	table->size_bytes = buckets_size + making.size +
		making.start_capacity * sizeof(table->starts[0]) +
		making.start_value_capacity * sizeof(table->start_values[0]);
	free(buckets);
	free(making.networks);
}

struct table_hit table_ipv4_find_divided(const struct table_ipv4 *table, uint32_t position)
{
	size_t at = 0;
	unsigned below = 0;
	unsigned above = 0;

	for (size_t left = table->start_count - 1; left > 0;) {
		size_t half = (left + 1) / 2;

		at += half & -(size_t)(table->starts[at + half] <= position);
		left -= half;
	}
	/* What is outside the network shares less than what divides it. */
	if (at > 0)
		below = 33 - table_width(position ^ (table->starts[at] - 1));
	if (at + 1 < table->start_count)
		above = 33 - table_width(position ^ table->starts[at + 1]);
	return (struct table_hit){
		table->start_values[at], (uint8_t)(below > above ? below : above)};
}

void table_ipv4_done(struct table_ipv4 *table)
{
	free(table->buckets);
	free(table->starts);
	free(table->start_values);
}

static inline size_t ipv6_key(uint64_t position)
{
	if (position < GLOBAL_FIRST)
		return 0;
	if (position >= GLOBAL_END)
		return IPV6_KEYS - 1;
	return 1 + (position >> GLOBAL_SHIFT & 0xffff);
}

static uint64_t ipv6_key_first(size_t key)
{
	if (key == 0)
		return 0;
	return key == IPV6_KEYS - 1 ? GLOBAL_END
				    : GLOBAL_FIRST | (uint64_t)(key - 1) << GLOBAL_SHIFT;
}

void table_ipv6_init(struct table_ipv6 *table, const struct ranges *ranges, size_t value_count)
{
	size_t count = ranges->count;
	size_t value_size = is_wide(value_count) ? sizeof(uint32_t) : sizeof(uint16_t);

	*table = (struct table_ipv6){.count = count};
	table->starts = memory_new_table(count * sizeof(table->starts[0]));
	memcpy(table->starts, ranges->starts, count * sizeof(table->starts[0]));
	if (is_wide(value_count)) {
		table->wide_values = memory_copy(ranges->values, count * value_size);
	} else {
		table->values = memory_new_table(count * value_size);
		for (size_t i = 0; i < count; i++)
			table->values[i] = (uint16_t)ranges->values[i];
	}
	table->index = memory_new((IPV6_KEYS + 1) * sizeof(table->index[0]));
	for (size_t key = 0, range = 0; key < IPV6_KEYS; key++) {
		while (range + 1 < count && table->starts[range + 1] <= ipv6_key_first(key))
			range++;
		table->index[key] = (uint32_t)range;
	}
	table->index[IPV6_KEYS] = (uint32_t)(count - 1);
	table->size_bytes = (IPV6_KEYS + 1) * sizeof(table->index[0]) +
		count * (sizeof(table->starts[0]) + value_size);
}

void table_ipv6_done(struct table_ipv6 *table)
{
	free(table->index);
	free(table->starts);
	free(table->values);
	free(table->wide_values);
}

struct table_hit table_ipv6_find(const struct table_ipv6 *table, uint64_t position)
{
	size_t key = ipv6_key(position);
	const uint64_t *start = table->starts + table->index[key];
	size_t left = table->index[key + 1] - table->index[key];
	unsigned below = 0;
	unsigned above = 0;

	while (left > 0) {
		size_t half = (left + 1) / 2;

		start += half & -(size_t)(start[half] <= position); /* never a branch */
		left -= half;
	}

	size_t range = (size_t)(start - table->starts);

	if (range > 0)
		below = (unsigned)__builtin_clzll(position ^ (*start - 1)) + 1;
	if (range + 1 < table->count)
		above = (unsigned)__builtin_clzll(position ^ start[1]) + 1;
	return (struct table_hit){
		.value = table->values ? table->values[range] : table->wide_values[range],
		.scope_bits = (uint8_t)(below > above ? below : above),
	};
}
