/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEO_RANGE_H
#define GEO_RANGE_H

#include <stddef.h>
#include <stdint.h>

/*
 * range - the whole address space of one family as a sorted list of ranges, each with a value.
 *
 * A range goes from its start to the next one's; the first starts at 0 and neighbours have different values.
 * The space is 32 bits wide for IPv4 and 64 for IPv6, whose lower half no map looks at.
 *
 * Start with `struct ranges ranges = {0};`, end with ranges_done().
 */
#define RANGE_NONE UINT32_MAX

struct ranges {
	uint64_t *starts;
	uint32_t *values;
	size_t count;
	size_t capacity; /* ours */
};

void ranges_done(struct ranges *ranges);

/* Makes room for one more; ranges_add() calls it. */
void ranges_grow(struct ranges *ranges);

/* What follows from `start` on has `value`.  Starts never fall; the same start again replaces the value. */
static inline void ranges_add(struct ranges *ranges, uint64_t start, uint32_t value)
{
	size_t count = ranges->count;

	if (count > 0 && ranges->starts[count - 1] == start)
		count = --ranges->count;
	if (count > 0 && ranges->values[count - 1] == value)
		return;
	if (count == ranges->capacity)
		ranges_grow(ranges);
	ranges->starts[count] = start;
	ranges->values[count] = value;
	ranges->count++;
}

/* The range that holds `position`. */
size_t ranges_find(const struct ranges *ranges, uint64_t position);

/* `over` where it has a value, `under` where that is RANGE_NONE. */
void ranges_lay_over(
	const struct ranges *over, const struct ranges *under, struct ranges *ret_ranges);

/*
 * Blocks of `bits` become whole: each takes the value that most of it has, the first of equals.  All values are below
 * `value_count`.
 */
void ranges_make_coarse(const struct ranges *fine, unsigned space_bits, unsigned bits,
	size_t value_count, struct ranges *ret_ranges);

/* A block of the space: the longest prefix wins; of two that are equal, the one of higher rank. */
struct range_prefix {
	uint64_t start;
	uint32_t value;
	uint8_t bits;
	uint8_t rank;
};

/* Sorts the prefixes and flattens them; RANGE_NONE where there is none. */
void ranges_of_prefixes(struct range_prefix *prefixes, size_t count, unsigned space_bits,
	struct ranges *ret_ranges);

/* The last position of a space, or of a block, that is so many bits wide. */
static inline uint64_t range_mask(unsigned bits)
{
	return bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
}

#endif
