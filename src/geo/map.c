/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The frozen table.  One side for each family:
 *
 *	index   for the upper bits of an address, the range in which the addresses that begin with them begin
 *	starts  where each range begins: 32 bits of IPv4, the upper 64 of IPv6
 *	values  the class of each range, or a mark
 *
 * A look-up is one access to the index, a binary search without a branch among the few starts between
 * this index and the next, and one access to the values.  The scope needs the neighbours' boundaries, which the search has
 * just brought into the cache: a block around an address is of one class as long as it holds neither the last
 * address before the range nor the first behind it, so it must be one bit longer than what the address shares with
 * each of the two.
 *
 * Positions are 64 bits wide in both families; an IPv4 address stands in the upper half.
 */
#include "map.h"

#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steerd/base/memory.h"

#define IPV4_KEYS 65536

/* IPv6: 16 bits of 2000::/3, which is all that is in use; one key for what is below it and one for what is above. */
#define IPV6_KEYS (1 + 65536 + 1)
#define GLOBAL_FIRST (UINT64_C(0x2000) << 48)
#define GLOBAL_END (UINT64_C(0x4000) << 48)
#define GLOBAL_SHIFT 45

/* Of a prefix with more ranges than this, the class is that of most of so many addresses spread evenly over it. */
#define RANGES_WEIGHED_MAX 64

struct side {
	uint32_t *index; /* of the first range for each key; behind the last key, the last range */
	uint32_t *starts32; /* of IPv4, else NULL */
	uint64_t *starts64; /* of IPv6, else NULL */
	uint16_t *values16; /* NULL when there are too many classes */
	uint32_t *values32; /* used then */
	size_t count;
	size_t size_bytes;
};

struct geo_map {
	struct side ipv4;
	struct side ipv6;
	uint32_t class_count; /* marks are values from here on */
	size_t site_count;
	uint8_t *orders;
};

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

static inline size_t side_find_ipv4(const struct side *side, uint32_t position)
{
	size_t key = position >> 16;
	size_t first = side->index[key];
	const uint32_t *base = side->starts32 + first;
	size_t left = side->index[key + 1] - first;

	/* A key has seven ranges or so: their values arrive while the starts are compared. */
	if (side->values16)
		__builtin_prefetch(side->values16 + first);
	while (left > 0) {
		size_t half = (left + 1) / 2;

		base += half & -(size_t)(base[half] <= position); /* never a branch */
		left -= half;
	}
	return (size_t)(base - side->starts32);
}

static inline size_t side_find_ipv6(const struct side *side, uint64_t position)
{
	size_t key = ipv6_key(position);
	const uint64_t *base = side->starts64 + side->index[key];
	size_t left = side->index[key + 1] - side->index[key];

	while (left > 0) {
		size_t half = (left + 1) / 2;

		base += half & -(size_t)(base[half] <= position); /* never a branch */
		left -= half;
	}
	return (size_t)(base - side->starts64);
}

/* The range that holds a position. */
static inline size_t side_find(const struct side *side, uint64_t position)
{
	if (side->starts32)
		return side_find_ipv4(side, (uint32_t)(position >> 32));
	return side_find_ipv6(side, position);
}

static inline uint64_t side_start(const struct side *side, size_t range)
{
	return side->starts32 ? (uint64_t)side->starts32[range] << 32 : side->starts64[range];
}

static inline uint32_t side_value(const struct side *side, size_t range)
{
	return side->values16 ? side->values16[range] : side->values32[range];
}

/* How many bits two positions that differ have in common, and the one in which they differ. */
static inline unsigned shared_bits_and_one(uint64_t a, uint64_t b)
{
	return (unsigned)__builtin_clzll(a ^ b) + 1;
}

/* The length of the largest block around a position that stays inside its range. */
static inline uint8_t side_scope(const struct side *side, size_t range, uint64_t position)
{
	unsigned below = 0;
	unsigned above = 0;

	if (range > 0)
		below = shared_bits_and_one(position, side_start(side, range) - 1);
	if (range + 1 < side->count)
		above = shared_bits_and_one(position, side_start(side, range + 1));
	return (uint8_t)(below > above ? below : above);
}

static inline uint32_t class_of_value(const struct geo_map *map, uint32_t value)
{
	return value < map->class_count ? value : 0;
}

/* Classes of the ranges in a prefix, with the room that each has in it. */
struct ballot {
	struct {
		uint32_t class;
		uint64_t votes;
	} items[RANGES_WEIGHED_MAX];
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

/* The class of most of the block [first, last], which is of several ranges. */
static uint32_t class_of_most(
	const struct geo_map *map, const struct side *side, uint64_t first, uint64_t last)
{
	struct ballot ballot;
	size_t begin = side_find(side, first);
	size_t end = side_find(side, last);
	uint64_t step = (last - first) / RANGES_WEIGHED_MAX + 1;

	ballot.count = 0;
	if (end - begin >= RANGES_WEIGHED_MAX) {
		for (uint64_t i = 0; i < RANGES_WEIGHED_MAX; i++) {
			size_t range = side_find(side, first + i * step + step / 2);

			ballot_add(&ballot, class_of_value(map, side_value(side, range)), 1);
		}
		return ballot_winner(&ballot);
	}
	for (size_t range = begin; range <= end; range++) {
		uint64_t from = range == begin ? first : side_start(side, range);
		uint64_t to = range == end ? last : side_start(side, range + 1) - 1;

		/* If all are of one class the sum may wrap to 0, and still no other has more. */
		ballot_add(&ballot, class_of_value(map, side_value(side, range)), to - from + 1);
	}
	return ballot_winner(&ballot);
}

/* A prefix with `first` as its first position, whose range is `range`. */
static inline struct geo_hit side_hit(const struct geo_map *map, const struct side *side,
	size_t range, uint64_t first, unsigned bits)
{
	uint64_t last = bits == 0 ? UINT64_MAX : first | ((UINT64_MAX >> (bits - 1)) >> 1);

	if (range + 1 == side->count || side_start(side, range + 1) > last)
		return (struct geo_hit){class_of_value(map, side_value(side, range)),
			side_scope(side, range, first)};
	return (struct geo_hit){class_of_most(map, side, first, last), (uint8_t)(bits + 1)};
}

static inline uint64_t read_64(const uint8_t *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return be64toh(number);
}

/* The position of an IPv4 address. */
static inline uint64_t read_32(const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return (uint64_t)be32toh(number) << 32;
}

static inline struct geo_hit find_ipv4(const struct geo_map *map, uint64_t position, unsigned bits)
{
	size_t range = side_find_ipv4(&map->ipv4, (uint32_t)(position >> 32));

	return side_hit(map, &map->ipv4, range, position, bits);
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
	const struct geo_map *map, const struct prefix *prefix, enum embedded which)
{
	const struct prefix *outer = embedded_prefix(which);
	unsigned before_bits;
	struct prefix inner;

	if (embedded_find(prefix, &inner, &before_bits)) {
		struct geo_hit hit = find_ipv4(map, read_32(inner.address.bytes), inner.bits);

		hit.scope_bits = (uint8_t)(hit.scope_bits + before_bits);
		return hit;
	}

	/* Beside the IPv4 addresses, or with them and more. */
	unsigned common = common_bits(outer, &prefix->address);

	if (common > prefix->bits)
		common = prefix->bits;
	return (struct geo_hit){0, (uint8_t)(common + 1)};
}

static inline struct geo_hit find_ipv6(
	const struct geo_map *map, const struct address *address, unsigned bits)
{
	const struct side *side = &map->ipv6;
	uint64_t position = read_64(address->bytes);
	size_t range = side_find_ipv6(side, position);
	uint32_t mark = side_value(side, range) - map->class_count; /* of a class: very large */
	struct geo_hit hit = side_hit(map, side, range, position, bits < 64 ? bits : 64);
	bool is_of_several = hit.scope_bits > bits;

	if (mark < MAP_MARK_EMBEDDED || mark >= MAP_MARK_COUNT || is_of_several)
		return hit;

	struct prefix prefix = {*address, (uint8_t)bits};

	return find_embedded(map, &prefix, (enum embedded)(mark - MAP_MARK_EMBEDDED));
}

struct geo_hit geo_map_find_prefix(const struct geo_map *map, const struct prefix *prefix)
{
	if (prefix->address.family == ADDRESS_IPV4)
		return find_ipv4(map, read_32(prefix->address.bytes), prefix->bits);
	return find_ipv6(map, &prefix->address, prefix->bits);
}

struct geo_hit geo_map_find(const struct geo_map *map, const struct address *address)
{
	if (address->family == ADDRESS_IPV4)
		return find_ipv4(map, read_32(address->bytes), 32);
	return find_ipv6(map, address, 128);
}

size_t geo_map_class_count(const struct geo_map *map)
{
	return map->class_count;
}

const uint8_t *geo_map_order(const struct geo_map *map, uint32_t class)
{
	return map->orders + class * map->site_count;
}

size_t geo_map_site_count(const struct geo_map *map)
{
	return map->site_count;
}

static void side_index(struct side *side, size_t key_count)
{
	size_t range = 0;

	side->index = memory_new((key_count + 1) * sizeof(side->index[0]));
	for (size_t key = 0; key < key_count; key++) {
		uint64_t first = side->starts32 ? (uint64_t)key << 48 : ipv6_key_first(key);

		while (range + 1 < side->count && side_start(side, range + 1) <= first)
			range++;
		side->index[key] = (uint32_t)range;
	}
	side->index[key_count] = (uint32_t)(side->count - 1);
	side->size_bytes += (key_count + 1) * sizeof(side->index[0]);
}

static void side_fill_starts(struct side *side, const struct ranges *ranges, bool is_ipv4)
{
	if (is_ipv4) {
		side->starts32 = memory_new(side->count * sizeof(side->starts32[0]));
		for (size_t i = 0; i < side->count; i++)
			side->starts32[i] = (uint32_t)ranges->starts[i];
	} else {
		side->starts64 =
			memory_copy(ranges->starts, side->count * sizeof(side->starts64[0]));
	}
	side->size_bytes += side->count * (is_ipv4 ? sizeof(uint32_t) : sizeof(uint64_t));
}

/* Old numbers of classes become new ones; marks follow behind the last. */
struct renumbering {
	uint32_t *numbers; /* of classes; RANGE_NONE: not used by any range */
	uint32_t count;
};

static uint32_t new_value(const struct renumbering *renumbering, uint32_t value)
{
	if (value >= MAP_MARK_FIRST)
		return renumbering->count + (value - MAP_MARK_FIRST);
	return renumbering->numbers[value];
}

static void side_fill_values(
	struct side *side, const struct ranges *ranges, const struct renumbering *renumbering)
{
	bool is_narrow = renumbering->count + MAP_MARK_COUNT <= UINT16_MAX;

	if (is_narrow)
		side->values16 = memory_new(side->count * sizeof(side->values16[0]));
	else
		side->values32 = memory_new(side->count * sizeof(side->values32[0]));
	for (size_t i = 0; i < side->count; i++) {
		uint32_t value = new_value(renumbering, ranges->values[i]);

		if (is_narrow)
			side->values16[i] = (uint16_t)value;
		else
			side->values32[i] = value;
	}
	side->size_bytes += side->count * (is_narrow ? sizeof(uint16_t) : sizeof(uint32_t));
}

/* Numbers the classes in the order in which ranges use them; 0 stays 0. */
static void number_used(struct renumbering *renumbering, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		uint32_t value = ranges->values[i];

		if (value < MAP_MARK_FIRST && renumbering->numbers[value] == RANGE_NONE)
			renumbering->numbers[value] = renumbering->count++;
	}
}

struct geo_map *map_new(
	const struct ranges *ipv4, const struct ranges *ipv6, const struct classes *classes)
{
	struct geo_map *map = memory_new(sizeof(*map));
	size_t site_count = classes->site_count;
	struct renumbering renumbering = {.count = 1};

	renumbering.numbers = memory_new(classes->count * sizeof(renumbering.numbers[0]));
	for (size_t i = 1; i < classes->count; i++)
		renumbering.numbers[i] = RANGE_NONE;
	number_used(&renumbering, ipv4);
	number_used(&renumbering, ipv6);

	map->site_count = site_count;
	map->class_count = renumbering.count;
	map->orders = memory_new(renumbering.count * site_count);
	for (size_t i = 0; i < classes->count; i++)
		if (renumbering.numbers[i] != RANGE_NONE)
			memcpy(map->orders + renumbering.numbers[i] * site_count,
				classes->orders + i * site_count, site_count);

	map->ipv4.count = ipv4->count;
	map->ipv6.count = ipv6->count;
	side_fill_starts(&map->ipv4, ipv4, true);
	side_fill_starts(&map->ipv6, ipv6, false);
	side_fill_values(&map->ipv4, ipv4, &renumbering);
	side_fill_values(&map->ipv6, ipv6, &renumbering);
	side_index(&map->ipv4, IPV4_KEYS);
	side_index(&map->ipv6, IPV6_KEYS);
	free(renumbering.numbers);
	return map;
}

static void side_free(struct side *side)
{
	free(side->index);
	free(side->starts32);
	free(side->starts64);
	free(side->values16);
	free(side->values32);
}

void map_free(struct geo_map *map)
{
	if (!map)
		return;
	side_free(&map->ipv4);
	side_free(&map->ipv6);
	free(map->orders);
	free(map);
}

size_t map_size_bytes(const struct geo_map *map)
{
	return sizeof(*map) + map->ipv4.size_bytes + map->ipv6.size_bytes +
		map->class_count * map->site_count;
}
