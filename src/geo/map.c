/* SPDX-License-Identifier: Apache-2.0 */
#include "map.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "table.h"

/* A prefix is weighed block by block up to so many; of a larger one, so many addresses spread evenly over it. */
#define BLOCKS_WEIGHED_MAX 64

struct geo_map {
	struct table_ipv4 ipv4;
	struct table_ipv6 ipv6;
	uint32_t class_count; /* marks are values from here on */
	size_t site_count;
	uint8_t *orders;
};

/*
 * Positions are 64 bits wide here in both families: an IPv4 address stands in the upper half, and of an IPv6 address
 * it is the upper half.
 */
static inline struct table_hit find_position(
	const struct geo_map *map, enum address_family family, uint64_t position)
{
	if (family == ADDRESS_IPV4)
		return table_ipv4_find(&map->ipv4, (uint32_t)(position >> 32));
	return table_ipv6_find(&map->ipv6, position);
}

static inline uint64_t position_of(const struct address *address)
{
	uint64_t position;

	/* the bytes behind an IPv4 address are zero */
	memcpy(&position, address->bytes, sizeof(position));
	return be64toh(position);
}

static inline uint32_t class_of_value(const struct geo_map *map, uint32_t value)
{
	return value < map->class_count ? value : 0;
}

static inline struct geo_hit hit_of_value(
	const struct geo_map *map, uint32_t value, uint8_t scope_bits)
{
	return (struct geo_hit){
		.class = class_of_value(map, value),
		.scope_bits = scope_bits,
		.is_special = value == map->class_count + MAP_MARK_SPECIAL,
	};
}

static inline bool is_embedded(const struct geo_map *map, uint32_t value)
{
	uint32_t mark = value - map->class_count; /* of a class: very large */

	return mark >= MAP_MARK_EMBEDDED && mark < MAP_MARK_COUNT;
}

/* Classes in a prefix, with the room that each has in it. */
struct ballot {
	struct {
		uint32_t class;
		uint64_t votes;
	} items[BLOCKS_WEIGHED_MAX];
	size_t count;
};

static void ballot_add(struct ballot *ballot, uint32_t class, uint64_t votes)
{
	size_t i = 0;

	while (i < ballot->count && ballot->items[i].class != class)
		i++;
	if (i == ballot->count) {
		ballot->items[i].class = class;
		ballot->items[i].votes = 0;
		ballot->count++;
	}
	ballot->items[i].votes += votes;
}

static uint32_t ballot_winner(const struct ballot *ballot)
{
	size_t best = 0;

	for (size_t i = 1; i < ballot->count; i++)
		if (ballot->items[i].votes > ballot->items[best].votes)
			best = i;
	return ballot->items[best].class;
}

/* The class of most of a prefix that is of several. */
static uint32_t class_of_most(const struct geo_map *map, const struct prefix *prefix)
{
	enum address_family family = (enum address_family)prefix->address.family;
	uint64_t first = position_of(&prefix->address);
	uint64_t rest = UINT64_MAX >> prefix->bits; /* of several classes: it is shorter than 64 */
	uint64_t step = rest / BLOCKS_WEIGHED_MAX + 1;
	uint64_t position = first;
	struct ballot ballot;

	ballot.count = 0;
	for (size_t i = 0; i < BLOCKS_WEIGHED_MAX; i++) {
		struct table_hit hit = find_position(map, family, position);
		uint64_t last = position | UINT64_MAX >> hit.scope_bits % 64;

		if (hit.scope_bits == 64)
			last = position;
		/* If all are of one class the sum may wrap to 0, and still no other has more. */
		ballot_add(&ballot, class_of_value(map, hit.value), last - position + 1);
		if (last == (first | rest))
			return ballot_winner(&ballot);
		position = last + 1;
	}

	ballot.count = 0;
	for (uint64_t i = 0; i < BLOCKS_WEIGHED_MAX; i++) {
		struct table_hit hit = find_position(map, family, first + i * step + step / 2);

		ballot_add(&ballot, class_of_value(map, hit.value), 1);
	}
	return ballot_winner(&ballot);
}

/* A hit of the first address of a prefix is one of the prefix if its block is as large. */
static inline struct geo_hit hit_of_prefix(
	const struct geo_map *map, const struct prefix *prefix, struct table_hit first)
{
	if (first.scope_bits <= prefix->bits)
		return hit_of_value(map, first.value, first.scope_bits);
	return (struct geo_hit){class_of_most(map, prefix), (uint8_t)(prefix->bits + 1), false};
}

/* How many of its first bits an address shares with a prefix of the same family. */
static unsigned common_bits(const struct prefix *prefix, const struct address *address)
{
	unsigned bits = 0;

	while (bits < prefix->bits &&
		((prefix->address.bytes[bits / 8] ^ address->bytes[bits / 8]) & 0x80 >> bits % 8) ==
			0)
		bits++;
	return bits;
}

/* A prefix that is inside a block marked as embedding IPv4: 2002::/16, or the /64 around the other prefixes. */
static struct geo_hit find_embedded(
	const struct geo_map *map, const struct prefix *prefix, uint32_t value)
{
	uint32_t mark = value - map->class_count;
	const struct prefix *outer = embedded_prefix((enum embedded)(mark - MAP_MARK_EMBEDDED));
	unsigned before_bits;
	struct prefix inner;

	if (embedded_find(prefix, &inner, &before_bits)) {
		struct geo_hit hit = geo_map_find_prefix(map, &inner); /* IPv4: no deeper */

		hit.scope_bits = (uint8_t)(hit.scope_bits + before_bits);
		return hit;
	}

	/* Beside the IPv4 addresses, or with them and more. */
	unsigned common = common_bits(outer, &prefix->address);

	if (common > prefix->bits)
		common = prefix->bits;
	return (struct geo_hit){0, (uint8_t)(common + 1), false};
}

struct geo_hit geo_map_find_prefix(const struct geo_map *map, const struct prefix *prefix)
{
	enum address_family family = (enum address_family)prefix->address.family;
	struct table_hit first = find_position(map, family, position_of(&prefix->address));

	if (is_embedded(map, first.value) && first.scope_bits <= prefix->bits)
		return find_embedded(map, prefix, first.value);
	return hit_of_prefix(map, prefix, first);
}

struct geo_hit geo_map_find(const struct geo_map *map, const struct address *address)
{
	enum address_family family = (enum address_family)address->family;
	struct table_hit hit = find_position(map, family, position_of(address));

	if (is_embedded(map, hit.value)) {
		struct prefix whole = {*address, 128};

		return find_embedded(map, &whole, hit.value);
	}
	return hit_of_value(map, hit.value, hit.scope_bits);
}

size_t geo_map_class_count(const struct geo_map *map)
{
	return map->class_count;
}

const uint8_t *geo_map_order(const struct geo_map *map, uint32_t class)
{
	return map->orders + class * map->site_count;
}

/* Old numbers of classes become new ones; marks follow behind the last. */
struct renumbering {
	uint32_t *numbers; /* of classes; RANGE_NONE: not used by any range */
	uint32_t count;
};

/* Numbers the classes in the order in which ranges use them; 0 stays 0. */
static void number_used(struct renumbering *renumbering, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t value = ranges->values[i];

		if (value < MAP_MARK_FIRST && renumbering->numbers[value] == RANGE_NONE)
			renumbering->numbers[value] = renumbering->count++;
	}
}

static void renumber(const struct renumbering *renumbering, struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t value = ranges->values[i];
		bool is_mark = value >= MAP_MARK_FIRST;

		ranges->values[i] = is_mark ? renumbering->count + (value - MAP_MARK_FIRST)
					    : renumbering->numbers[value];
	}
}

struct geo_map *map_new(struct ranges *ipv4, struct ranges *ipv6, const struct classes *classes)
{
	struct geo_map *map = memory_new(sizeof(*map));
	size_t site_count = classes->site_count;
	struct renumbering renumbering = {.count = 1};

	renumbering.numbers = memory_new(classes->count * sizeof(renumbering.numbers[0]));
	for (size_t i = 1; i < classes->count; i++)
		renumbering.numbers[i] = RANGE_NONE;
	number_used(&renumbering, ipv4);
	number_used(&renumbering, ipv6);
	renumber(&renumbering, ipv4);
	renumber(&renumbering, ipv6);

	map->site_count = site_count;
	map->class_count = renumbering.count;
	map->orders = memory_new(renumbering.count * site_count);
	for (size_t i = 0; i < classes->count; i++)
		if (renumbering.numbers[i] != RANGE_NONE)
			memcpy(map->orders + renumbering.numbers[i] * site_count,
				classes->orders + i * site_count, site_count);
	free(renumbering.numbers);
	table_ipv4_init(&map->ipv4, ipv4, map->class_count + MAP_MARK_COUNT);
	table_ipv6_init(&map->ipv6, ipv6, map->class_count + MAP_MARK_COUNT);
	return map;
}

void map_free(struct geo_map *map)
{
	if (!map)
		return;
	table_ipv4_done(&map->ipv4);
	table_ipv6_done(&map->ipv6);
	free(map->orders);
	free(map);
}

size_t map_size_bytes(const struct geo_map *map)
{
	return sizeof(*map) + map->ipv4.size_bytes + map->ipv6.size_bytes +
		map->class_count * map->site_count;
}
