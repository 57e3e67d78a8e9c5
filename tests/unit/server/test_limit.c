/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "limit.h"
#include "steerd/base/memory.h"

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS UINT64_C(1000000)
/* Where tests begin: not at the zero of new places. */
#define START_NS (1000 * SECOND_NS)

static const struct settings defaults = {
	.limit_responses = 10,
	.limit_burst = 5,
	.limit_slip = 1,
	.limit_ipv4_bits = 24,
	.limit_ipv6_bits = 56,
	.limit_table = 1024,
};

static struct limit *new_limit(
	size_t places, uint64_t seed, const struct settings *settings, size_t threads)
{
	struct limit *limit = memory_new(sizeof(*limit));
	struct limit_rules rules = limit_rules_of(settings, threads);
	struct random random;

	random_seed_with(&random, seed);
	limit_init(limit, places, &random);
	limit_set_rules(limit, &rules);
	return limit;
}

static void free_limit(struct limit *limit)
{
	limit_done(limit);
	free(limit);
}

/* One query: is it answered as if there were no limit? */
static bool ask(struct limit *limit, uint64_t network, uint64_t now_ns)
{
	struct limit_place *place = limit_find(limit, network);
	struct address somewhere = {.family = ADDRESS_IPV4};

	limit_set_time(limit, now_ns);
	if (limit_is_over(limit, place)) {
		(void)limit_judge(limit, place, &somewhere, 0);
		return false;
	}
	limit_count(limit, place);
	return true;
}

static uint64_t ask_often(struct limit *limit, uint64_t network, uint64_t now_ns, size_t times)
{
	uint64_t granted = 0;

	while (times-- > 0)
		granted += ask(limit, network, now_ns);
	return granted;
}

/* 10 a second, 5 at once: what 20 queries at each of these moments get. */
static const struct {
	const char *about;
	struct {
		int64_t at_ms; /* -1: no more */
		uint64_t want;
	} steps[5];
} schedules[] = {
	{"a bucket that was never used is full", {{0, 5}, {-1, 0}}},
	{"empty is empty", {{0, 5}, {0, 0}, {99, 0}, {-1, 0}}},
	{"it gains one in a tenth of a second", {{0, 5}, {100, 1}, {200, 1}, {300, 1}, {-1, 0}}},
	{"what it gained meanwhile", {{0, 5}, {350, 3}, {399, 0}, {400, 1}, {-1, 0}}},
	{"full is full, however long the silence", {{0, 5}, {500, 5}, {3600000, 5}, {-1, 0}}},
	{"a clock set back by less than a burst takes back as much",
		{{1000, 5}, {800, 0}, {899, 0}, {900, 1}, {-1, 0}}},
	{"a clock set back by an hour empties it, and no more",
		{{3600000, 5}, {0, 0}, {100, 1}, {500, 4}, {-1, 0}}},
};

static void a_bucket_empties_and_fills(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(schedules); i++) {
		struct limit *limit = new_limit(1024, i, &defaults, 1);

		for (size_t k = 0; k < 5 && schedules[i].steps[k].at_ms >= 0; k++) {
			uint64_t at_ns = START_NS + (uint64_t)schedules[i].steps[k].at_ms * MS_NS;
			uint64_t got = ask_often(limit, 7, at_ns, 20);

			if (got != schedules[i].steps[k].want)
				fail_msg("%s: step %zu got %u", schedules[i].about, k,
					(unsigned)got);
		}
		free_limit(limit);
	}
}

static const struct {
	const char *about;
	uint32_t responses;
	uint32_t burst;
	size_t threads;
	uint64_t want_at_once; /* of one thread */
	uint64_t want_in_a_second;
} shares[] = {
	{"one thread has it all", 10, 5, 1, 5, 10},
	{"four threads have a fourth each", 100, 40, 4, 10, 25},
	{"rounded down: all of three never exceed it", 100, 40, 3, 13, 33},
	{"each has one at once, or there would be none", 100, 2, 4, 1, 25},
	{"less than one a second", 2, 8, 4, 2, 0},
	{"the most that can be set", 10000000, 100000000, 1, 20000, 20000},
	{"0: no limit", 0, 1, 1, 20000, 20000},
	{"0: no limit, of many threads", 0, 1, 256, 20000, 20000},
};

static void threads_share_the_rate(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		struct settings settings = defaults;

		settings.limit_responses = shares[i].responses;
		settings.limit_burst = shares[i].burst;

		struct limit *limit = new_limit(1024, i, &settings, shares[i].threads);
		uint64_t at_once = ask_often(limit, 7, START_NS, 20000);
		uint64_t later = 0;

		for (uint64_t ms = 1; ms <= 1000; ms++)
			later += ask_often(limit, 7, START_NS + ms * MS_NS, 20);
		if (at_once != shares[i].want_at_once || later != shares[i].want_in_a_second)
			fail_msg("%s: %u, %u", shares[i].about, (unsigned)at_once, (unsigned)later);
		free_limit(limit);
	}
}

static const struct {
	const char *a;
	const char *b;
	unsigned ipv4_bits;
	unsigned ipv6_bits;
	bool is_same;
} networks[] = {
	{"192.0.2.1", "192.0.2.254", 24, 56, true},
	{"192.0.2.1", "192.0.3.1", 24, 56, false},
	{"192.0.2.1", "192.0.3.1", 23, 56, true},
	{"192.0.2.1", "192.0.2.2", 32, 56, false},
	{"192.0.2.1", "192.0.2.1", 32, 56, true},
	{"10.0.0.1", "10.255.255.255", 8, 56, true},
	{"10.0.0.1", "11.0.0.1", 8, 56, false},
	{"2001:db8::1", "2001:db8:0:ff:ffff::", 24, 56, true},
	{"2001:db8::1", "2001:db8:0:100::1", 24, 56, false},
	{"2001:db8:0:1::", "2001:db8:0:1:ffff::", 24, 64, true},
	{"2001:db8:0:1::", "2001:db8:0:2::", 24, 64, false},
	{"2001:db8::", "2001:ffff::", 24, 16, true},
	{"2001:db8::", "2002:db8::", 24, 16, false},
	{"::1", "0.0.0.1", 24, 56, false},
	{"192.0.2.0", "c000:200::", 24, 56, false},
	{"192.0.2.0", "::c000:200:0:0", 24, 56, false},
};

static void addresses_of_one_prefix_are_one_network(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(networks); i++) {
		struct settings settings = defaults;
		struct address a, b;

		settings.limit_ipv4_bits = (uint16_t)networks[i].ipv4_bits;
		settings.limit_ipv6_bits = (uint16_t)networks[i].ipv6_bits;

		struct limit *limit = new_limit(1024, i, &settings, 1);

		assert_true(address_parse(networks[i].a, &a) && address_parse(networks[i].b, &b));
		if ((network_of(&limit->rules.masks, &a) == network_of(&limit->rules.masks, &b)) !=
			networks[i].is_same)
			fail_msg("%s and %s", networks[i].a, networks[i].b);
		free_limit(limit);
	}
}

static const struct {
	const char *about;
	uint32_t slip;
	const char *from;
	uint32_t random;
	enum limit_outcome want;
} outcomes[] = {
	{"slip 0: none", 0, "192.0.2.1", 0, LIMIT_DROP},
	{"slip 0: none, whatever the chance", 0, "192.0.2.1", UINT32_MAX, LIMIT_DROP},
	{"slip 1: all", 1, "192.0.2.1", 0, LIMIT_SLIP},
	{"slip 1: all, whatever the chance", 1, "192.0.2.1", UINT32_MAX, LIMIT_SLIP},
	{"slip 2: the lower half", 2, "192.0.2.1", UINT32_MAX / 2, LIMIT_SLIP},
	{"slip 2: not the upper half", 2, "192.0.2.1", UINT32_MAX / 2 + 1, LIMIT_DROP},
	{"slip 100: one in a hundred", 100, "192.0.2.1", UINT32_MAX / 100, LIMIT_SLIP},
	{"slip 100: no more", 100, "192.0.2.1", UINT32_MAX / 100 + 1, LIMIT_DROP},
	{"an exempt network", 0, "198.51.100.200", 0, LIMIT_GRANT},
	{"beside it", 0, "198.51.101.0", 0, LIMIT_DROP},
	{"an exempt network, IPv6", 0, "2001:db8:1::1", 0, LIMIT_GRANT},
	{"beside it, IPv6", 0, "2001:db8:2::1", 0, LIMIT_DROP},
};

static void what_becomes_of_a_query_above_the_limit(void **state)
{
	struct prefix exempt[2];
	struct err err;

	(void)state;
	assert_true(prefix_parse("198.51.100.0/24", &exempt[0], &err));
	assert_true(prefix_parse("2001:db8:1::/48", &exempt[1], &err));
	for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
		struct settings settings = defaults;
		struct limit_place place = {7, START_NS};
		struct address from;

		settings.limit_slip = outcomes[i].slip;
		settings.limit_exempt = exempt;
		settings.limit_exempt_count = COUNT_OF(exempt);

		struct limit *limit = new_limit(1024, i, &settings, 1);

		limit_set_time(limit, START_NS);
		assert_true(address_parse(outcomes[i].from, &from));
		if (limit_judge(limit, &place, &from, outcomes[i].random) != outcomes[i].want)
			fail_msg("%s", outcomes[i].about);
		free_limit(limit);
	}
}

/* A reload may ask for less at once than a network has been granted. */
static void other_rules_hold_at_once(void **state)
{
	struct settings settings = defaults;

	(void)state;
	settings.limit_burst = 1000;

	struct limit *limit = new_limit(1024, 1, &settings, 1);
	struct limit_rules after = limit_rules_of(&defaults, 1);

	assert_int_equal(ask_often(limit, 7, START_NS, 2000), 1000);
	limit_set_rules(limit, &after);
	assert_int_equal(ask_often(limit, 7, START_NS, 20), 0);
	assert_int_equal(ask_often(limit, 7, START_NS + 500 * MS_NS, 20), 5);
	free_limit(limit);
}

/* Networks that share a line with `first`, as whoever knows the key could find. */
static void find_neighbours(
	const struct limit *limit, uint64_t first, uint64_t *ret_networks, size_t count)
{
	uint64_t line = network_hash(&limit->key, first) >> limit->shift;

	for (uint64_t network = first + 1; count > 0; network++)
		if (network_hash(&limit->key, network) >> limit->shift == line)
			ret_networks[--count] = network;
}

/* Collisions of hashes limit nobody: the fifth of a line takes the place of the fullest bucket. */
static void a_full_line_forgets_who_got_least(void **state)
{
	struct limit *limit = new_limit(1024, 5, &defaults, 1);
	uint64_t others[8];

	(void)state;
	find_neighbours(limit, 1, others, COUNT_OF(others));
	assert_int_equal(ask_often(limit, others[0], START_NS, 20), 5);
	assert_int_equal(ask_often(limit, others[1], START_NS, 2), 2);
	assert_int_equal(ask_often(limit, others[2], START_NS, 3), 3);
	assert_int_equal(ask_often(limit, others[3], START_NS, 4), 4);

	/* each newcomer is granted its own five, though the four before it got many */
	assert_int_equal(ask_often(limit, others[4], START_NS, 1), 1);
	assert_int_equal(ask_often(limit, others[0], START_NS, 1), 0);
	assert_int_equal(ask_often(limit, others[2], START_NS, 20), 2);
	assert_int_equal(ask_often(limit, others[3], START_NS, 20), 1);
	assert_int_equal(ask_often(limit, others[1], START_NS, 20), 5); /* was forgotten */
	free_limit(limit);
}

/* A hundred thousand sources of one query each, in 16 lines, beside three that get all they may. */
static void a_flood_of_random_sources_hides_nobody(void **state)
{
	struct limit *limit = new_limit(64, 6, &defaults, 1);
	uint64_t hit[3] = {1};

	(void)state;
	find_neighbours(limit, hit[0], hit + 1, 2);
	for (size_t i = 0; i < COUNT_OF(hit); i++)
		assert_int_equal(ask_often(limit, hit[i], START_NS, 20), 5);
	for (uint64_t i = 0; i < 100000; i++)
		assert_true(ask(limit, i << 32 | 0xffff, START_NS + MS_NS));
	for (size_t i = 0; i < COUNT_OF(hit); i++)
		assert_false(ask(limit, hit[i], START_NS + 2 * MS_NS));
	free_limit(limit);
}

/*
 * Any schedule of three networks, which no line of four forgets: none gets more than its burst and
 * its rate, beside any flood that leaves their buckets the emptier ones.
 */
static void nobody_gets_more_than_rate_and_burst(void **state)
{
	enum { RUNS = 200, STEPS = 3000, NETWORKS = 3 };
	struct random random;

	(void)state;
	random_seed_with(&random, 42);
	for (size_t run = 0; run < RUNS; run++) {
		struct settings settings = defaults;
		size_t threads = 1 + random_below(&random, 8);

		settings.limit_responses = 1 + random_below(&random, 2000);
		settings.limit_burst = (uint32_t)threads + random_below(&random, 3000);

		struct limit *limit = new_limit(1024, run, &settings, threads);
		uint64_t granted[NETWORKS] = {0};
		uint64_t now_ns = START_NS;

		for (size_t step = 0; step < STEPS; step++) {
			size_t who = random_below(&random, NETWORKS);

			now_ns += random_below(&random, 2) * random_below(&random, 20000000);
			granted[who] += ask_often(limit, who, now_ns,
				random_below(&random, 2 * settings.limit_burst / STEPS + 3));

			/* of one thread; all of them together get no more than `threads` times that */
			uint64_t most = settings.limit_burst * SECOND_NS +
				settings.limit_responses * (now_ns - START_NS);

			if (granted[who] * threads * SECOND_NS > most)
				fail_msg("run %zu, step %zu: %u granted", run, step,
					(unsigned)granted[who]);
		}
		free_limit(limit);
	}
}

/* However many others there are and whatever they do: 16 lines, 20,000 networks that flood. */
static void who_keeps_to_the_rate_is_never_limited(void **state)
{
	enum { STEPS = 200000 };
	struct limit *limit = new_limit(64, 7, &defaults, 1);
	struct random random;
	uint64_t now_ns = START_NS;
	uint64_t next_ns[4] = {0};
	size_t asked = 0;
	size_t refused = 0;

	(void)state;
	random_seed_with(&random, 7);
	for (size_t step = 0; step < STEPS; step++) {
		now_ns += random_below(&random, 2000000);
		refused += !ask(limit, 1000 + random_below(&random, 20000) % 300, now_ns);
		(void)ask(limit, 1000 + random_below(&random, 20000), now_ns);
		for (uint64_t good = 0; good < COUNT_OF(next_ns); good++) {
			if (now_ns < next_ns[good])
				continue;
			if (!ask(limit, good, now_ns))
				fail_msg("step %zu: network %u is limited", step, (unsigned)good);
			next_ns[good] = now_ns + SECOND_NS / defaults.limit_responses;
			asked++;
		}
	}
	assert_true(asked > 1000);
	assert_true(refused > 0); /* others were, so it was a test */
	free_limit(limit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_empties_and_fills),
		cmocka_unit_test(threads_share_the_rate),
		cmocka_unit_test(addresses_of_one_prefix_are_one_network),
		cmocka_unit_test(what_becomes_of_a_query_above_the_limit),
		cmocka_unit_test(other_rules_hold_at_once),
		cmocka_unit_test(a_full_line_forgets_who_got_least),
		cmocka_unit_test(a_flood_of_random_sources_hides_nobody),
		cmocka_unit_test(nobody_gets_more_than_rate_and_burst),
		cmocka_unit_test(who_keeps_to_the_rate_is_never_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
