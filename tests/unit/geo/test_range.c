/* SPDX-License-Identifier: Apache-2.0 */

/* Operations on ranges, each against the same on an array with an element for every position of a small space. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "range.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"

#define SPACE_BITS 10
#define SPACE_SIZE 1024
#define VALUE_COUNT 5
#define ROUNDS 2000

static void spread(const struct ranges *ranges, uint32_t values[SPACE_SIZE])
{
	size_t range = 0;

	assert_true(ranges->count > 0);
	assert_int_equal(ranges->starts[0], 0);
	for (size_t i = 1; i < ranges->count; i++) {
		assert_true(ranges->starts[i] > ranges->starts[i - 1]);
		if (ranges->values[i] == ranges->values[i - 1])
			fail_msg("neighbours %zu and %zu are not merged", i - 1, i);
	}
	for (uint64_t position = 0; position < SPACE_SIZE; position++) {
		if (range + 1 < ranges->count && ranges->starts[range + 1] == position)
			range++;
		assert_int_equal(ranges_find(ranges, position), range);
		values[position] = ranges->values[range];
	}
	assert_int_equal(range + 1, ranges->count);
}

static void draw(struct random *random, bool has_holes, struct ranges *ranges)
{
	uint32_t boundaries = random_below(random, 60);
	bool is_boundary[SPACE_SIZE] = {true};

	for (uint32_t i = 0; i < boundaries; i++)
		is_boundary[random_below(random, SPACE_SIZE)] = true;
	for (size_t i = 0; i < SPACE_SIZE; i++) {
		uint32_t value = random_below(random, VALUE_COUNT);

		if (is_boundary[i])
			ranges_add(ranges, i, has_holes && value == 0 ? RANGE_NONE : value);
	}
}

static void one_layer_over_another(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 1);
	for (size_t round = 0; round < ROUNDS; round++) {
		uint32_t over[SPACE_SIZE], under[SPACE_SIZE], got[SPACE_SIZE];
		struct ranges layers[3] = {{0}};

		draw(&random, true, &layers[0]);
		draw(&random, round % 2 == 0, &layers[1]);
		ranges_lay_over(&layers[0], &layers[1], &layers[2]);
		spread(&layers[0], over);
		spread(&layers[1], under);
		spread(&layers[2], got);
		for (size_t i = 0; i < SPACE_SIZE; i++)
			assert_int_equal(got[i], over[i] != RANGE_NONE ? over[i] : under[i]);
		for (size_t i = 0; i < COUNT_OF(layers); i++)
			ranges_done(&layers[i]);
	}
}

static uint32_t most_of(const uint32_t *values, size_t count)
{
	uint32_t best = values[0];
	size_t best_count = 0;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t j = 0; j < count; j++)
			same += values[j] == values[i];
		if (same > best_count) {
			best = values[i];
			best_count = same;
		}
	}
	return best;
}

static void blocks_take_the_value_of_most(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 2);
	for (size_t round = 0; round < ROUNDS; round++) {
		uint32_t fine[SPACE_SIZE], got[SPACE_SIZE];
		unsigned bits = random_below(&random, SPACE_BITS + 1);
		size_t block = (size_t)1 << (SPACE_BITS - bits);
		struct ranges before = {0}, after = {0};

		if (bits < 4)
			bits = 4, block = 64; /* most_of() is slow */
		draw(&random, false, &before);
		ranges_make_coarse(&before, SPACE_BITS, bits, VALUE_COUNT, &after);
		spread(&before, fine);
		spread(&after, got);
		for (size_t first = 0; first < SPACE_SIZE; first += block) {
			uint32_t want = most_of(fine + first, block);

			for (size_t i = 0; i < block; i++)
				if (got[first + i] != want)
					fail_msg("round %zu: block %zu of %zu is %u, not %u", round,
						first, block, got[first + i], want);
		}
		ranges_done(&before);
		ranges_done(&after);
	}
}

/* The value at a position: the longest prefix, of equal ones the highest rank. */
static uint32_t value_at(const struct range_prefix *prefixes, size_t count, uint64_t position)
{
	const struct range_prefix *best = NULL;

	for (size_t i = 0; i < count; i++) {
		uint64_t mask = range_mask(SPACE_BITS - prefixes[i].bits);

		if ((position & ~mask) != prefixes[i].start)
			continue;
		if (!best || prefixes[i].bits > best->bits ||
			(prefixes[i].bits == best->bits && prefixes[i].rank > best->rank))
			best = &prefixes[i];
	}
	return best ? best->value : RANGE_NONE;
}

static void the_longest_prefix_wins(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 3);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct range_prefix prefixes[40];
		size_t count = random_below(&random, COUNT_OF(prefixes));
		struct ranges ranges = {0};
		uint32_t got[SPACE_SIZE];

		for (size_t i = 0; i < count; i++) {
			unsigned bits = random_below(&random, SPACE_BITS + 1);

			prefixes[i] = (struct range_prefix){
				.start = random_below(&random, SPACE_SIZE) &
					~range_mask(SPACE_BITS - bits),
				.value = random_below(&random, VALUE_COUNT),
				.bits = (uint8_t)bits,
				.rank = (uint8_t)i,
			};
		}
		ranges_of_prefixes(prefixes, count, SPACE_BITS, &ranges);
		spread(&ranges, got);
		for (uint64_t i = 0; i < SPACE_SIZE; i++)
			if (got[i] != value_at(prefixes, count, i))
				fail_msg(
					"round %zu: position %u is %u", round, (unsigned)i, got[i]);
		ranges_done(&ranges);
	}
}

/* The ends of the space, where sums wrap. */
static void the_whole_space(void **state)
{
	struct range_prefix prefixes[] = {
		{0, 1, 0, 0},
		{UINT64_MAX, 2, 64, 0},
		{0, 3, 64, 0},
	};
	struct ranges ranges = {0}, coarse = {0};

	(void)state;
	ranges_of_prefixes(prefixes, COUNT_OF(prefixes), 64, &ranges);
	assert_int_equal(ranges.count, 3);
	assert_int_equal(ranges.values[0], 3);
	assert_int_equal(ranges.starts[1], 1);
	assert_int_equal(ranges.values[1], 1);
	assert_true(ranges.starts[2] == UINT64_MAX);
	assert_int_equal(ranges.values[2], 2);
	ranges_make_coarse(&ranges, 64, 56, 4, &coarse);
	assert_int_equal(coarse.count, 1);
	assert_int_equal(coarse.values[0], 1);
	ranges_done(&coarse);
	ranges_make_coarse(&ranges, 64, 64, 4, &coarse);
	assert_int_equal(coarse.count, 3);
	ranges_done(&coarse);
	ranges_done(&ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_layer_over_another),
		cmocka_unit_test(blocks_take_the_value_of_most),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(the_whole_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
