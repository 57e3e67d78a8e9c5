/* SPDX-License-Identifier: Apache-2.0 */
#include "range.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "steerd/base/memory.h"

void ranges_done(struct ranges *ranges)
{
	free(ranges->starts);
	free(ranges->values);
	*ranges = (struct ranges){0};
}

void ranges_grow(struct ranges *ranges)
{
	size_t capacity = ranges->capacity > 0 ? ranges->capacity * 2 : 64;

	ranges->starts = memory_resize(ranges->starts, capacity * sizeof(ranges->starts[0]));
	ranges->values = memory_resize(ranges->values, capacity * sizeof(ranges->values[0]));
	ranges->capacity = capacity;
}

size_t ranges_find(const struct ranges *ranges, uint64_t position)
{
	size_t low = 0;
	size_t high = ranges->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ranges->starts[middle] <= position)
			low = middle;
		else
			high = middle;
	}
	return low;
}

void ranges_lay_over(
	const struct ranges *over, const struct ranges *under, struct ranges *ret_ranges)
{
	uint64_t position = 0;
	size_t i = 0;
	size_t j = 0;

	for (;;) {
		bool has_value = over->values[i] != RANGE_NONE;

		ranges_add(ret_ranges, position, has_value ? over->values[i] : under->values[j]);
		if (i + 1 == over->count && j + 1 == under->count)
			return;

		uint64_t next_over = i + 1 < over->count ? over->starts[i + 1] : UINT64_MAX;
		uint64_t next_under = j + 1 < under->count ? under->starts[j + 1] : UINT64_MAX;

		position = next_over < next_under ? next_over : next_under;
		if (i + 1 < over->count && next_over == position)
			i++;
		if (j + 1 < under->count && next_under == position)
			j++;
	}
}

struct tally {
	const struct ranges *fine;
	uint64_t last;	   /* of the space */
	uint64_t *weights; /* of each value; zero between blocks */
};

static uint64_t range_last(const struct tally *tally, size_t range)
{
	const struct ranges *fine = tally->fine;

	return range + 1 < fine->count ? fine->starts[range + 1] - 1 : tally->last;
}

/* The value that most of [first, last] has; `range` holds `first`, and afterwards `last`. */
static uint32_t value_of_most(struct tally *tally, size_t *range, uint64_t first, uint64_t last)
{
	const uint32_t *values = tally->fine->values;
	size_t begin = *range;
	size_t end = begin;

	for (uint64_t position = first;; end++) {
		uint64_t to = range_last(tally, end);

		if (to >= last) {
			tally->weights[values[end]] += last - position + 1;
			break;
		}
		tally->weights[values[end]] += to - position + 1;
		position = to + 1;
	}

	uint32_t best = values[begin];

	for (size_t i = begin; i <= end; i++)
		if (tally->weights[values[i]] > tally->weights[best])
			best = values[i];
	for (size_t i = begin; i <= end; i++)
		tally->weights[values[i]] = 0;
	*range = end;
	return best;
}

void ranges_make_coarse(const struct ranges *fine, unsigned space_bits, unsigned bits,
	size_t value_count, struct ranges *ret_ranges)
{
	struct tally tally = {.fine = fine, .last = range_mask(space_bits)};
	uint64_t mask = range_mask(space_bits - bits);
	uint64_t position = 0; /* where a block begins, in `range` */
	size_t range = 0;

	tally.weights = memory_new(value_count * sizeof(tally.weights[0]));
	for (;;) {
		uint64_t last = range_last(&tally, range);

		if (last >= (position | mask)) {
			/* Whole blocks; on to the one in which the next range begins. */
			ranges_add(ret_ranges, position, fine->values[range]);
			if (last == tally.last)
				break;
			position = (last + 1) & ~mask;
			range += position == last + 1;
			continue;
		}
		last = position | mask;
		ranges_add(ret_ranges, position, value_of_most(&tally, &range, position, last));
		if (last == tally.last)
			break;
		position = last + 1;
		range += range_last(&tally, range) == last;
	}
	free(tally.weights);
}

static int by_start_then_bits(const void *left, const void *right)
{
	const struct range_prefix *a = left;
	const struct range_prefix *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	return a->rank - b->rank;
}

/* The prefixes around a position, the longest on top; each is inside the one below it. */
struct nest {
	struct {
		uint64_t start, last;
		uint32_t value;
	} prefixes[65];
	size_t depth;
};

/* Leaves the prefixes that end before `position`. */
static void nest_leave(struct nest *nest, uint64_t position, struct ranges *ranges)
{
	while (nest->depth > 0 && nest->prefixes[nest->depth - 1].last < position) {
		uint64_t next = nest->prefixes[--nest->depth].last + 1;

		ranges_add(ranges, next,
			nest->depth > 0 ? nest->prefixes[nest->depth - 1].value : RANGE_NONE);
	}
}

void ranges_of_prefixes(
	struct range_prefix *prefixes, size_t count, unsigned space_bits, struct ranges *ret_ranges)
{
	struct nest nest = {.depth = 0};
	uint64_t space_last = range_mask(space_bits);

	if (count > 0)
		qsort(prefixes, count, sizeof(prefixes[0]), by_start_then_bits);
	ranges_add(ret_ranges, 0, RANGE_NONE);
	for (size_t i = 0; i < count; i++) {
		uint64_t start = prefixes[i].start;
		uint64_t last = start | range_mask(space_bits - prefixes[i].bits);

		nest_leave(&nest, start, ret_ranges);
		if (nest.depth > 0 && nest.prefixes[nest.depth - 1].start == start &&
			nest.prefixes[nest.depth - 1].last == last)
			nest.depth--;
		assert(nest.depth < COUNT_OF(nest.prefixes));
		nest.prefixes[nest.depth].start = start;
		nest.prefixes[nest.depth].last = last;
		nest.prefixes[nest.depth].value = prefixes[i].value;
		nest.depth++;
		ranges_add(ret_ranges, start, prefixes[i].value);
	}
	/* Those that end with the space end nowhere. */
	nest_leave(&nest, space_last, ret_ranges);
}
