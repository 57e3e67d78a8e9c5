/* SPDX-License-Identifier: Apache-2.0 */
#include "survey.h"

#include <stdlib.h>

#include "steerd/base/memory.h"

/* ---- From the tree to descriptions --------------------------------------------------------------- */

/* One /64, of which several descriptions have a part. */
struct deep {
	uint64_t start;
	struct {
		uint32_t description;
		uint64_t weight;
	} items[64]; /* more than so many in one /64 are not told apart */
	size_t count;
};

/* Ranges of where in the data section networks are described. */
struct collection {
	struct ranges *ranges;
	struct deep deep;
};

static void deep_end(struct deep *deep, struct ranges *ranges)
{
	size_t best = 0;

	for (size_t i = 1; i < deep->count; i++)
		if (deep->items[i].weight > deep->items[best].weight)
			best = i;
	ranges_add(ranges, deep->start, deep->items[best].description);
	deep->count = 0;
}

static void deep_add(struct deep *deep, struct ranges *ranges, const struct mmdb_network *network,
	uint32_t description)
{
	uint64_t weight = network->bits < 128 ? UINT64_C(1) << (127 - network->bits) : 0;
	size_t i = 0;

	if (deep->count > 0 && deep->start != network->start)
		deep_end(deep, ranges);
	deep->start = network->start;
	while (i < deep->count && deep->items[i].description != description)
		i++;
	if (i == COUNT_OF(deep->items))
		return;
	if (i == deep->count) {
		deep->items[i].description = description;
		deep->items[i].weight = 0;
		deep->count++;
	}
	deep->items[i].weight += weight;
}

static bool collect_network(void *context, const struct mmdb_network *network, struct err *err)
{
	struct collection *collection = context;
	/* the offsets that a tree can express are below RANGE_NONE */
	uint32_t description = network->described_at == MMDB_NOTHING
		? RANGE_NONE
		: (uint32_t)network->described_at;

	(void)err;
	if (network->bits > 64) {
		deep_add(&collection->deep, collection->ranges, network, description);
		return true;
	}
	if (collection->deep.count > 0)
		deep_end(&collection->deep, collection->ranges);
	ranges_add(collection->ranges, network->start, description);
	return true;
}

static bool collect(const struct mmdb *mmdb, enum address_family family, struct ranges *ret_ranges,
	struct err *err)
{
	struct collection collection = {.ranges = ret_ranges, .deep.count = 0};
	bool done = mmdb_walk(mmdb, family, collect_network, &collection, err);

	if (collection.deep.count > 0)
		deep_end(&collection.deep, ret_ranges);
	return done;
}

/* ---- From descriptions to points ----------------------------------------------------------------- */

/*
 * The descriptions that networks lead to, numbered as they stand in the file: a bit for each byte of the data section
 * where one begins, and for each 64 of these how many come before.
 */
struct descriptions {
	uint64_t *begins;
	uint32_t *before;
	size_t word_count;
	size_t count;
};

static void mark(struct descriptions *descriptions, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t offset = ranges->values[i];

		if (offset != RANGE_NONE)
			descriptions->begins[offset / 64] |= UINT64_C(1) << offset % 64;
	}
}

static void count_marked(struct descriptions *descriptions)
{
	for (size_t word = 0; word < descriptions->word_count; word++) {
		descriptions->before[word] = (uint32_t)descriptions->count;
		descriptions->count += (size_t)__builtin_popcountll(descriptions->begins[word]);
	}
}

static inline uint32_t number_of(const struct descriptions *descriptions, uint32_t offset)
{
	uint64_t lower = descriptions->begins[offset / 64] & ((UINT64_C(1) << offset % 64) - 1);

	return descriptions->before[offset / 64] + (uint32_t)__builtin_popcountll(lower);
}

/* The number of the point that each description names, RANGE_NONE if it names none. */
static bool read_points(const struct mmdb *mmdb, const struct descriptions *descriptions,
	struct points *points, uint32_t *ret_numbers, struct err *err)
{
	size_t count = 0;

	for (size_t word = 0; word < descriptions->word_count; word++)
		for (uint64_t left = descriptions->begins[word]; left != 0; left &= left - 1) {
			size_t offset = word * 64 + (size_t)__builtin_ctzll(left);
			struct mmdb_position position;

			if (!mmdb_read_position(mmdb, offset, &position, err))
				return false;
			ret_numbers[count++] = position.is_known
				? points_add(points, (struct point){position.at, POINT_NO_SITE})
				: RANGE_NONE;
		}
	return true;
}

static void to_points(
	const struct descriptions *descriptions, const uint32_t *points, struct ranges *ranges)
{
	size_t count = ranges->count;

	/* added anew, for neighbours may have become equal; that never overtakes what is still to be read */
	ranges->count = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t value = ranges->values[i];

		if (value != RANGE_NONE)
			value = points[number_of(descriptions, value)];
		ranges_add(ranges, ranges->starts[i], value);
	}
}

bool survey_mmdb(const struct mmdb *mmdb, struct points *points, struct ranges *ret_ipv4,
	struct ranges *ret_ipv6, struct err *err)
{
	struct descriptions descriptions = {.word_count = mmdb->data_size / 64 + 1};
	uint32_t *numbers = NULL;

	if (!collect(mmdb, ADDRESS_IPV4, ret_ipv4, err) ||
		!collect(mmdb, ADDRESS_IPV6, ret_ipv6, err))
		return false;
	descriptions.begins = memory_new(descriptions.word_count * sizeof(descriptions.begins[0]));
	descriptions.before = memory_new(descriptions.word_count * sizeof(descriptions.before[0]));
	mark(&descriptions, ret_ipv4);
	mark(&descriptions, ret_ipv6);
	count_marked(&descriptions);
	numbers = memory_new(descriptions.count * sizeof(numbers[0]));

	bool done = read_points(mmdb, &descriptions, points, numbers, err);

	if (done) {
		to_points(&descriptions, numbers, ret_ipv4);
		to_points(&descriptions, numbers, ret_ipv6);
	}
	free(numbers);
	free(descriptions.before);
	free(descriptions.begins);
	return done;
}
