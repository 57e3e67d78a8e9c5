/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The scope of client subnets, on the wire, against a slow reference: networks nested at random, and for each address the
 * longest of them that holds it.
 *
 *	sound      every address within the scope gets the same answer
 *	prefix-free  and the same scope
 *	minimal    in the block twice as large there are two answers
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "world.h"

#define NETWORKS 300
#define ROUNDS 20000
#define MANY 1000000

/* Networks lie where nothing is special-purpose: in 32.0.0.0/3 and in 2a00::/11. */
struct family {
	uint8_t address_family;
	unsigned base_bits;
	uint8_t base;
	unsigned finest_bits; /* the granularity, and so the longest network */
};

static const struct family ipv4 = {ADDRESS_IPV4, 3, 0x20, 24};
static const struct family ipv6 = {ADDRESS_IPV6, 11, 0x2a, 56};

struct network {
	struct prefix prefix;
	unsigned site;
};

static struct network networks[2 * NETWORKS];
static struct world *world;
static struct random rng;
static char csv_path[64];

static struct address any_address(const struct family *family)
{
	struct address address = {.family = family->address_family};
	struct address base = {.family = family->address_family, .bytes = {family->base}};
	struct prefix outer = prefix_of(&base, family->base_bits);

	for (size_t i = 0; i < address_size(&address); i++)
		address.bytes[i] = (uint8_t)random_next(&rng);
	for (unsigned bit = 0; bit < family->base_bits; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		address.bytes[bit / 8] = (uint8_t)((address.bytes[bit / 8] & ~mask) |
			(outer.address.bytes[bit / 8] & mask));
	}
	return address;
}

static void make_networks(struct network *list, const struct family *family)
{
	for (size_t i = 0; i < NETWORKS; i++) {
		struct address address = any_address(family);
		unsigned spread = family->finest_bits - family->base_bits;

		/* half of them inside an earlier one */
		if (i > 0 && random_below(&rng, 2) == 0) {
			const struct prefix *outer = &list[random_below(&rng, (uint32_t)i)].prefix;

			memcpy(address.bytes, outer->address.bytes, (outer->bits + 7u) / 8);
		}
		list[i].prefix = prefix_of(
			&address, family->base_bits + 1 + random_below(&rng, (uint32_t)spread));
		list[i].site = random_below(&rng, 3);
		for (size_t k = 0; k < i; k++)
			if (list[k].prefix.bits == list[i].prefix.bits &&
				address_is_equal(&list[k].prefix.address, &list[i].prefix.address))
				list[i].site = list[k].site; /* the same network again */
	}
}

static void write_networks(void)
{
	static const char *const sites[] = {"ant", "bee", "sea"};
	int fd = mkstemp(csv_path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	for (size_t i = 0; i < COUNT_OF(networks); i++) {
		char text[PREFIX_TEXT_SIZE];
		bool is_repeated = false;

		for (size_t k = 0; k < i; k++)
			is_repeated |= networks[k].prefix.bits == networks[i].prefix.bits &&
				address_is_equal(
					&networks[k].prefix.address, &networks[i].prefix.address);
		prefix_print(&networks[i].prefix, text);
		if (!is_repeated)
			fprintf(file, "%s,%s\n", text, sites[networks[i].site]);
	}
	fclose(file);
}

/* The reference: the site whose clients an address is among; none is as the first, in configured order. */
static unsigned site_of(const struct address *address)
{
	unsigned best_bits = 0;
	unsigned site = 0;

	for (size_t i = 0; i < COUNT_OF(networks); i++)
		if (networks[i].prefix.bits > best_bits &&
			prefix_contains(&networks[i].prefix, address)) {
			best_bits = networks[i].prefix.bits;
			site = networks[i].site;
		}
	return site;
}

struct told {
	unsigned site; /* the first of the answer */
	unsigned scope_bits;
};

static struct told ask_near(const struct address *address, unsigned bits)
{
	static struct decoded decoded;
	static uint8_t out[ANSWER_TCP_MAX];
	static struct ask ask;
	struct prefix subnet = prefix_of(address, bits);
	uint8_t name[] = "\4near\7example";
	const struct ask_parts parts = {.name = name,
		.type = DNS_TYPE_A,
		.class = DNS_CLASS_IN,
		.has_edns = true,
		.udp_size = 1232,
		.subnet = &subnet};
	struct stats stats = {0};

	ask.client.address = (struct address){ADDRESS_IPV4, {198, 51, 100, 53}};
	ask.size = ask_write(&parts, ask.message);
	assert_true(ask_answer(&world->plan, &ask, &stats, out, &decoded) > 0);
	assert_true(decoded.has_ecs);
	assert_int_equal(decoded.count, 2);
	return (struct told){decoded.records[0].rdata[3] - 101u, decoded.scope_bits};
}

/* Sets the bits behind the scope at random. */
static struct address neighbour(const struct address *address, unsigned scope_bits)
{
	struct address other = *address;

	for (unsigned bit = scope_bits; bit < address_bits(address); bit++)
		if (random_below(&rng, 2))
			other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
	return other;
}

/* Whether two addresses in a block differ: it is enough to look where networks begin and behind their ends. */
static bool has_two_sites(const struct prefix *block)
{
	unsigned first = site_of(&block->address);

	for (size_t i = 0; i < COUNT_OF(networks); i++) {
		const struct prefix *network = &networks[i].prefix;
		struct address behind = network->address;
		unsigned bit = network->bits;

		if (!prefix_contains(block, &network->address))
			continue;
		if (site_of(&network->address) != first)
			return true;
		/* the first address behind it: one more in the bits of the prefix */
		while (bit > 0) {
			uint8_t mask = (uint8_t)(0x80 >> (bit - 1) % 8);

			behind.bytes[(bit - 1) / 8] ^= mask;
			if (behind.bytes[(bit - 1) / 8] & mask)
				break;
			bit--;
		}
		if (prefix_contains(block, &behind) && site_of(&behind) != first)
			return true;
	}
	return false;
}

static void check_address(const struct family *family, const struct address *address)
{
	struct told told = ask_near(address, family->finest_bits);
	struct prefix scope = prefix_of(address, told.scope_bits);

	assert_true(told.scope_bits > 0 && told.scope_bits <= family->finest_bits);
	assert_int_equal(told.site, site_of(address));
	assert_false(has_two_sites(&scope));
	if (told.scope_bits > family->base_bits + 1) {
		struct prefix twice = prefix_of(address, told.scope_bits - 1);

		assert_true(has_two_sites(&twice));
	}
	for (int i = 0; i < 3; i++) {
		struct address other = neighbour(address, told.scope_bits);
		struct told again = ask_near(&other, family->finest_bits);

		assert_int_equal(again.site, told.site);
		assert_int_equal(again.scope_bits, told.scope_bits);
	}
}

static void check_family(const struct family *family)
{
	for (int i = 0; i < ROUNDS / 10; i++) {
		struct address address = any_address(family);

		check_address(family, &address);
	}
	for (size_t i = 0; i < COUNT_OF(networks); i++) {
		const struct prefix *network = &networks[i].prefix;
		struct address last = network->address;

		if (network->address.family != family->address_family)
			continue;
		for (unsigned bit = network->bits; bit < address_bits(&last); bit++)
			last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		check_address(family, &network->address);
		check_address(family, &last);
	}
}

static void scopes_of_ipv4(void **state)
{
	(void)state;
	check_family(&ipv4);
}

static void scopes_of_ipv6(void **state)
{
	(void)state;
	check_family(&ipv6);
}

/* A subnet larger than its answer's scope is told so by a scope longer than it is, and never by a wrong one. */
static void short_subnets(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct address address = any_address(&ipv4);
		unsigned bits = 4 + random_below(&rng, 21);
		struct prefix subnet = prefix_of(&address, bits);
		struct told told = ask_near(&address, bits);

		if (has_two_sites(&subnet)) {
			assert_true(told.scope_bits > bits);
		} else {
			struct prefix scope = prefix_of(&subnet.address, told.scope_bits);

			assert_true(told.scope_bits <= bits);
			assert_false(has_two_sites(&scope));
			assert_int_equal(told.site, site_of(&subnet.address));
		}
	}
}

/*
 * A million subnets of any length (RFC 7871 7.2.1): whoever is in the scope of an answer gets that answer, for that
 * scope.  A scope that is longer than the subnet says that the subnet was too large to tell, and is not believed
 * without a reason.
 */
static void a_million_subnets(void **state)
{
	static const struct family *const families[] = {&ipv4, &ipv6};
	unsigned too_large = 0;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		const struct family *family = families[i % 2];
		struct address address = any_address(family);
		unsigned bits = 1 + random_below(&rng, address_bits(&address));
		struct prefix subnet = prefix_of(&address, bits);
		struct told told = ask_near(&address, bits);

		assert_true(told.scope_bits <= family->finest_bits);
		if (told.scope_bits > bits) {
			assert_true(bits < family->base_bits || has_two_sites(&subnet));
			too_large++;
			continue;
		}

		struct address other = neighbour(&subnet.address, told.scope_bits);
		struct told again = ask_near(&other, address_bits(&other));

		if (again.site != told.site || again.scope_bits != told.scope_bits) {
			char text[PREFIX_TEXT_SIZE];

			prefix_print(&subnet, text);
			fail_msg("%s: site %u, scope %u; within it: site %u, scope %u", text,
				told.site, told.scope_bits, again.site, again.scope_bits);
		}
	}
	assert_true(too_large < MANY / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scopes_of_ipv4),
		cmocka_unit_test(scopes_of_ipv6),
		cmocka_unit_test(short_subnets),
		cmocka_unit_test(a_million_subnets),
	};

	snprintf(csv_path, sizeof(csv_path), "test_subnet.XXXXXX");
	random_seed_with(&rng, 7871);
	make_networks(networks, &ipv4);
	make_networks(networks + NETWORKS, &ipv6);
	write_networks();
	world = world_new(csv_path);
	unlink(csv_path);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	world_free(world);
	return failed;
}
