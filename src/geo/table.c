/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>

#include "steerd/base/memory.h"

#define BUCKETS 65536

/* IPv6: one key for what is below 2000::/3, one for what is above. */
#define IPV6_KEYS (1 + 65536 + 1)
#define GLOBAL_FIRST (UINT64_C(0x2000) << 48)
#define GLOBAL_END (UINT64_C(0x4000) << 48)
#define GLOBAL_SHIFT 45

static bool is_wide(size_t value_count)
{
	return value_count > (size_t)UINT16_MAX + 1;
}

static uint64_t range_last(const struct ranges *ranges, size_t range, unsigned space_bits)
{
	bool is_last = range + 1 == ranges->count;

	return is_last ? range_mask(space_bits) : ranges->starts[range + 1] - 1;
}

/* The scope of a bucket that is inside a range: 0 to 16 bits. */
static uint32_t bucket_scope(const struct ranges *ranges, size_t range, uint64_t first)
{
	uint64_t range_end = range_last(ranges, range, 32);
	uint32_t bits = 0;

	for (; bits < 16; bits++) {
		uint64_t mask = range_mask(32 - bits);

		if ((first & ~mask) >= ranges->starts[range] && (first | mask) <= range_end)
			break;
	}
	return bits;
}

static size_t count_entries(const struct ranges *ranges)
{
	size_t count = BUCKETS;

	for (size_t i = 0; i < ranges->count; i++)
		count += ranges->starts[i] % 65536 != 0;
	return count;
}

static void add_entry(struct table_ipv4 *table, size_t entry, uint32_t upper, uint32_t value)
{
	table->entries[entry] = upper << 16 | (table->wide_values ? 0 : value);
	if (table->wide_values)
		table->wide_values[entry] = value;
}

void table_ipv4_init(struct table_ipv4 *table, const struct ranges *ranges, size_t value_count)
{
	size_t count = count_entries(ranges);
	size_t range = 0;
	size_t entry = 0;

	table->index = memory_new((BUCKETS + 1) * sizeof(table->index[0]));
	table->entries = memory_new(count * sizeof(table->entries[0]));
	table->wide_values =
		is_wide(value_count) ? memory_new(count * sizeof(table->wide_values[0])) : NULL;
	table->size_bytes =
		(BUCKETS + 1 + count * (is_wide(value_count) ? 2 : 1)) * sizeof(uint32_t);
	for (uint64_t first = 0; first <= UINT32_MAX; first += 65536) {
		uint64_t last = first + 65535;

		table->index[first >> 16] = (uint32_t)entry;
		range += range_last(ranges, range, 32) < first;
		if (range_last(ranges, range, 32) >= last) {
			add_entry(table, entry++, bucket_scope(ranges, range, first),
				ranges->values[range]);
			continue;
		}
		add_entry(table, entry++, 0, ranges->values[range]);
		while (range_last(ranges, range, 32) < last) {
			range++;
			add_entry(table, entry++, (uint32_t)(ranges->starts[range] - first),
				ranges->values[range]);
		}
	}
	table->index[BUCKETS] = (uint32_t)entry;
}

void table_ipv4_done(struct table_ipv4 *table)
{
	free(table->index);
	free(table->entries);
	free(table->wide_values);
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
	table->starts = memory_copy(ranges->starts, count * sizeof(table->starts[0]));
	if (is_wide(value_count)) {
		table->wide_values = memory_copy(ranges->values, count * value_size);
	} else {
		table->values = memory_new(count * value_size);
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
