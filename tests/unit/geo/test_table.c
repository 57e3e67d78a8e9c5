/* SPDX-License-Identifier: Apache-2.0 */

/* Frozen ranges: value and scope of addresses at and beside every boundary, against the ranges themselves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "map.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "table.h"

#define ROUNDS 200

static uint64_t last_of(const struct ranges *ranges, size_t range, unsigned space_bits)
{
	return range + 1 < ranges->count ? ranges->starts[range + 1] - 1 : range_mask(space_bits);
}

/* The slow way: the shortest prefix around the address that its range holds. */
static unsigned scope_of(const struct ranges *ranges, uint64_t position, unsigned space_bits)
{
	size_t range = ranges_find(ranges, position);
	unsigned bits = 0;

	for (; bits < space_bits; bits++) {
		uint64_t rest = range_mask(space_bits - bits);

		if ((position & ~rest) >= ranges->starts[range] &&
			(position | rest) <= last_of(ranges, range, space_bits))
			break;
	}
	return bits;
}

/* Starts that are often alike in their upper bits, so that several lie in one bucket. */
static int compare_starts(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a;
	uint64_t second = *(const uint64_t *)b;

	return (first > second) - (first < second);
}

static void draw(struct random *random, unsigned space_bits, uint32_t values, struct ranges *ranges)
{
	uint64_t starts[40] = {0};
	size_t count = 1 + random_below(random, COUNT_OF(starts) - 1);

	for (size_t i = 1; i < count; i++) {
		uint64_t near = starts[random_below(random, (uint32_t)i)];
		unsigned shared = random_below(random, space_bits);

		starts[i] = (near & ~range_mask(space_bits - shared)) |
			(random_next(random) & range_mask(space_bits - shared));
	}
	qsort(starts, count, sizeof(starts[0]), compare_starts);
	for (size_t i = 0; i < count; i++)
		ranges_add(ranges, starts[i], random_below(random, values));
}

static void check_ipv4(const struct ranges *ranges, const struct table_ipv4 *table, uint32_t at)
{
	struct table_hit hit = table_ipv4_find(table, at);

	if (hit.value != ranges->values[ranges_find(ranges, at)] ||
		hit.scope_bits != scope_of(ranges, at, 32))
		fail_msg("%08x: value %u, scope %u", at, hit.value, hit.scope_bits);
}

static void check_ipv6(const struct ranges *ranges, const struct table_ipv6 *table, uint64_t at)
{
	struct table_hit hit = table_ipv6_find(table, at);

	if (hit.value != ranges->values[ranges_find(ranges, at)] ||
		hit.scope_bits != scope_of(ranges, at, 64))
		fail_msg("%016llx: value %u, scope %u", (unsigned long long)at, hit.value,
			hit.scope_bits);
}

/* As many values as 16 bits hold beside the one that marks divided networks, and one more. */
static const size_t value_counts[] = {65535, 65536};

static void ipv4_at_every_boundary(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 41);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t values = value_counts[round % COUNT_OF(value_counts)];
		struct ranges ranges = {0};
		struct table_ipv4 table;

		draw(&random, 32, (uint32_t)values, &ranges);
		table_ipv4_init(&table, &ranges, values);
		for (size_t i = 0; i < ranges.count; i++) {
			check_ipv4(&ranges, &table, (uint32_t)ranges.starts[i]);
			check_ipv4(&ranges, &table, (uint32_t)(ranges.starts[i] - 1));
			check_ipv4(&ranges, &table, (uint32_t)random_next(&random));
		}
		table_ipv4_done(&table);
		ranges_done(&ranges);
	}
}

static void ipv6_at_every_boundary(void **state)
{
	struct random random;

	(void)state;
	random_seed_with(&random, 42);
	for (size_t round = 0; round < ROUNDS; round++) {
		size_t values = value_counts[round % COUNT_OF(value_counts)];
		struct ranges ranges = {0};
		struct table_ipv6 table;

		draw(&random, 64, (uint32_t)values, &ranges);
		table_ipv6_init(&table, &ranges, values);
		for (size_t i = 0; i < ranges.count; i++) {
			check_ipv6(&ranges, &table, ranges.starts[i]);
			check_ipv6(&ranges, &table, ranges.starts[i] - 1);
			check_ipv6(&ranges, &table, random_next(&random));
		}
		table_ipv6_done(&table);
		ranges_done(&ranges);
	}
}

static void no_map_may_be_freed(void **state)
{
	(void)state;
	map_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_at_every_boundary),
		cmocka_unit_test(ipv6_at_every_boundary),
		cmocka_unit_test(no_map_may_be_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
