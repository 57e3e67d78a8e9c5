/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hints of addresses (RFC 9460 7.3) against the answers that they speak of: whoever asks, with whatever random number,
 * HTTPS says what A and AAAA say to the same client with the same number - no more, no less, in the same order, with
 * the same scope, for no longer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "world.h"

#define CLIENTS 10000

/* Of each, the records for the name itself have both hints if the zone file gives them. */
static const struct {
	const char *name;
	bool has_place[2]; /* of IPv4, of IPv6, in the zone file */
} names[] = {
	{"near.example", {true, true}},
	{"tonear.example", {true, true}},
	{"x.n.example", {true, false}},
	{"Any.Name.N.example", {true, false}},
	{"shares.example", {true, false}},
	{"four.example", {true, true}},
	{"none.example", {true, true}},
	{"bare4.svc.example", {false, true}},
	{"spare.example", {true, true}},
	{"down.svc.example", {true, false}},
	{"last.example", {true, false}},
	{"many.example", {true, true}},
};

static struct world *world;
static struct random rng;

/* What an answer says of one family. */
struct said {
	uint8_t addresses[64 * 16];
	size_t size;
	uint32_t ttl_s;
	uint8_t scope_bits;
};

static struct prefix any_subnet(void)
{
	static const uint8_t octets[] = {1, 10, 127, 128, 172, 185, 192, 200, 201};
	bool is_ipv4 = random_below(&rng, 3) > 0;
	struct address address = {.family = is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6};

	for (size_t i = 0; i < address_size(&address); i++)
		address.bytes[i] = random_below(&rng, 2) > 0
			? octets[random_below(&rng, COUNT_OF(octets))]
			: (uint8_t)random_next(&rng);
	if (!is_ipv4)
		memcpy(address.bytes, "\x2a\x00", 2);
	return prefix_of(&address, random_below(&rng, is_ipv4 ? 33 : 129));
}

static void ask(struct ask *query, const struct name_key *name, uint16_t type,
	const struct prefix *subnet, struct decoded *ret_decoded)
{
	static uint8_t out[ANSWER_TCP_MAX];
	struct stats stats = {0};
	struct ask_parts parts = {
		.name = name->wire,
		.type = type,
		.class = DNS_CLASS_IN,
		.has_edns = true,
		.udp_size = 1232,
		.subnet = subnet,
	};

	query->size = ask_write(&parts, query->message);
	assert_true(ask_answer(&world->plan, query, &stats, out, ret_decoded) > 0);
	assert_int_equal(ret_decoded->rcode, DNS_RCODE_NOERROR);
}

static void say_addresses(const struct decoded *decoded, uint16_t type, struct said *said)
{
	*said = (struct said){.scope_bits = decoded->scope_bits, .ttl_s = UINT32_MAX};
	for (size_t i = 0; i < decoded->count; i++) {
		const struct decode_record *record = &decoded->records[i];

		if (record->type != type)
			continue;
		memcpy(said->addresses + said->size, record->rdata, record->rdata_size);
		said->size += record->rdata_size;
		said->ttl_s = record->ttl_s;
	}
}

/* Each record's hints of a family are that family's answer; a family without an answer has none. */
static void check_record(
	size_t n, const struct decode_record *record, unsigned family, const struct said *said)
{
	struct decode_hint hint = {0};
	bool has_hint = decode_find_hint(record, family, &hint);

	if (has_hint != (names[n].has_place[family] && said->size > 0))
		fail_msg("%s: hint %u: %d", names[n].name, family, has_hint);
	if (!has_hint)
		return;
	assert_int_equal(hint.size, said->size);
	assert_memory_equal(hint.bytes, said->addresses, hint.size);
	assert_true(record->ttl_s <= said->ttl_s);
}

static void one_client(size_t n, const struct name_key *name, size_t *hinted)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	static struct decoded decoded;
	struct prefix subnet = any_subnet();
	const struct prefix *sent = random_below(&rng, 3) > 0 ? &subnet : NULL;
	struct ask query = {.client = {.address = any_subnet().address, .is_tcp = true},
		.random = random_next(&rng)};
	struct said said[2];
	uint8_t scope_bits = 0;
	size_t services = 0;

	for (unsigned family = 0; family < 2; family++) {
		ask(&query, name, types[family], sent, &decoded);
		say_addresses(&decoded, types[family], &said[family]);
		if (names[n].has_place[family] && said[family].size > 0 &&
			said[family].scope_bits > scope_bits)
			scope_bits = said[family].scope_bits;
	}
	ask(&query, name, DNS_TYPE_HTTPS, sent, &decoded);
	for (size_t i = 0; i < decoded.count; i++) {
		if (decoded.records[i].type != DNS_TYPE_HTTPS)
			continue;
		services++;
		for (unsigned family = 0; family < 2; family++)
			check_record(n, &decoded.records[i], family, &said[family]);
	}
	assert_true(services > 0);
	assert_int_equal(decoded.scope_bits, scope_bits);
	*hinted += scope_bits > 0;
}

/* RFC 9460 7.3 */
static void hints_are_the_answers(void **state)
{
	size_t hinted = 0;

	(void)state;
	for (size_t n = 0; n < COUNT_OF(names); n++) {
		struct name_key name;
		struct err err;

		assert_true(name_parse(names[n].name, &name, &err));
		for (size_t i = 0; i < CLIENTS; i++)
			one_client(n, &name, &hinted);
	}
	assert_true(hinted > CLIENTS); /* geography had a say */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hints_are_the_answers),
	};

	random_seed_with(&rng, 9460);
	world = world_new(NULL);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	world_free(world);
	return failed;
}
