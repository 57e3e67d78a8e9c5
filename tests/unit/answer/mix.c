/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "steerd/base/memory.h"

static const char *const names[] = {"example", "www.example", "mx.example", "mail.example",
	"b.ent.example", "alias.example", "alias2.example", "hop.example", "out.example",
	"gone.example", "gone2.example", "empty.example", "into.example", "todl.example",
	"tonear.example", "tomx.example", "towild.example", "toself.example", "loop1.example",
	"c1.example", "c3.example", "wild.example", "sub.wild.example", "jump.example",
	"fall.example", "sub.example", "far.example", "big.example", "long.example",
	"longer.example", "long2.example", "dl.example", "near.example", "near.example",
	"near.example", "shares.example", "last.example", "many.example", "none.example",
	"four.example", "spare.example", "bare.example", "s.example", "n.example", "nx.example",
	"d.example", "d1.example", "dself.example", "dcirc.example", "dgrow.example",
	"dother.example", "droot.example", "dlong.example", "tolongd.example", "todname.example",
	"svc.example", "to1.example", "into.other", "www.moved", "other", "www.other", "back.other",
	"nx.other", "elsewhere.test", "."};

/* Single octets of subnets, so that many fall into and beside the networks of the file. */
static const uint8_t octets[] = {0, 1, 2, 10, 42, 127, 128, 172, 185, 192, 200, 201, 254};

static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_A, DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_AAAA,
	DNS_TYPE_NS, DNS_TYPE_SOA, DNS_TYPE_MX, DNS_TYPE_TXT, DNS_TYPE_CNAME, DNS_TYPE_DS,
	DNS_TYPE_HTTPS, DNS_TYPE_HTTPS, DNS_TYPE_SVCB, DNS_TYPE_ANY, DNS_TYPE_AXFR, DNS_TYPE_IXFR,
	DNS_TYPE_OPT, DNS_TYPE_NXNAME, 0, 65280};

void mix_init(struct mix *mix, uint64_t seed)
{
	static_assert(COUNT_OF(names) <= MIX_NAMES_MAX, "room for the names");
	random_seed_with(&mix->random, seed);
	mix->name_count = COUNT_OF(names);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct err err;
		bool done = name_parse(names[i], &mix->names[i], &err);

		assert(done);
		(void)done;
	}
}

static bool one_in(struct mix *mix, uint32_t n)
{
	return random_below(&mix->random, n) == 0;
}

static uint8_t any_octet(struct mix *mix)
{
	uint32_t chosen = random_below(&mix->random, COUNT_OF(octets) * 2);

	return chosen < COUNT_OF(octets) ? octets[chosen] : (uint8_t)random_next(&mix->random);
}

static struct prefix any_subnet(struct mix *mix)
{
	bool is_ipv4 = !one_in(mix, 3);
	struct address address = {.family = is_ipv4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
	uint32_t bits = is_ipv4 ? 24 : 56;

	for (size_t i = 0; i < address_size(&address); i++)
		address.bytes[i] = any_octet(mix);
	if (!is_ipv4)
		memcpy(address.bytes, "\x2a\x00", 2);
	if (one_in(mix, 2))
		bits = random_below(&mix->random, is_ipv4 ? 33 : 129);
	return prefix_of(&address, bits);
}

/* A name of the list, perhaps with labels in front, in a case of its own. */
static void any_name(struct mix *mix, uint8_t wire[DNS_NAME_MAX])
{
	const struct name_key *name =
		&mix->names[random_below(&mix->random, (uint32_t)mix->name_count)];
	size_t used = 0;

	while (used < 100 && one_in(mix, 3)) {
		uint8_t size = (uint8_t)(1 + random_below(&mix->random, one_in(mix, 8) ? 63 : 4));

		wire[used++] = size;
		while (size-- > 0)
			wire[used++] = one_in(mix, 20)
				? (uint8_t)random_next(&mix->random)
				: (uint8_t)('a' + random_below(&mix->random, 3));
	}
	memcpy(wire + used, name->wire, name->size);
	if (one_in(mix, 2))
		return;
	for (size_t i = 0; wire[i] != 0; i += wire[i] + 1u)
		for (size_t k = i + 1; k <= i + wire[i]; k++)
			if (one_in(mix, 2))
				wire[k] = (uint8_t)toupper(wire[k]);
}

/* One of every kind, now and then one with changes: it must be taken for what it is, and nothing worse. */
static size_t any_cookie(
	struct mix *mix, const struct address *client, uint8_t cookie[ASK_COOKIE_MAX])
{
	static const char *const kinds[] = {
		"client", "good", "young", "stale", "rolled", "late", "forged", "foreign"};
	size_t size =
		ask_cookie(kinds[random_below(&mix->random, COUNT_OF(kinds))], client, cookie);

	if (one_in(mix, 8))
		cookie[random_below(&mix->random, ASK_COOKIE_MAX)] =
			(uint8_t)random_next(&mix->random);
	if (one_in(mix, 8)) /* of any length that a server may have chosen */
		size = 16 + random_below(&mix->random, ASK_COOKIE_MAX - 16 + 1);
	return size;
}

void mix_next_whole(struct mix *mix, struct ask *ret_ask)
{
	uint8_t wire[DNS_NAME_MAX];
	uint8_t cookie[ASK_COOKIE_MAX];
	struct prefix subnet = any_subnet(mix);
	struct ask_parts parts = {
		.name = wire,
		.type = types[random_below(&mix->random, COUNT_OF(types))],
		.class = one_in(mix, 20) ? DNS_CLASS_CH : DNS_CLASS_IN,
		.flags = (uint16_t)(random_next(&mix->random) & 0x07ff),
		.has_edns = !one_in(mix, 4),
		.dnssec_ok = one_in(mix, 2),
		.udp_size = (uint16_t)random_below(&mix->random, 1500),
		.subnet = one_in(mix, 3) ? NULL : &subnet,
	};

	any_name(mix, wire);
	ret_ask->client = (struct answer_client){
		.address = any_subnet(mix).address,
		.is_tcp = one_in(mix, 8),
		.idle_ds = 100,
		.now_unix_s = ASK_NOW,
	};
	for (uint8_t wish = 1; wish <= ASK_NSID; wish = (uint8_t)(wish << 1))
		if (one_in(mix, 6))
			parts.wishes |= wish;
	if (one_in(mix, 3)) {
		parts.cookie = cookie;
		parts.cookie_size = any_cookie(mix, &ret_ask->client.address, cookie);
	}
	ret_ask->size = ask_write(&parts, ret_ask->message);
	ret_ask->random = random_next(&mix->random);
}

/* What is left is for a cookie, if it has one (RFC 7873 5.4). */
static void remove_question(struct ask *ask)
{
	uint8_t *question = ask->message + DNS_HEADER_SIZE;
	size_t size = name_size(question) + 4;

	memmove(question, question + size, ask->size - DNS_HEADER_SIZE - size);
	ask->size -= size;
	ask->message[5] = 0; /* QDCOUNT */
}

void mix_next(struct mix *mix, struct ask *ret_ask)
{
	mix_next_whole(mix, ret_ask);
	if (one_in(mix, 40))
		remove_question(ret_ask);
	if (!one_in(mix, 3))
		return;
	for (uint32_t changes = random_below(&mix->random, 4); changes > 0; changes--)
		ret_ask->message[random_below(&mix->random, (uint32_t)ret_ask->size)] =
			(uint8_t)random_next(&mix->random);
	if (one_in(mix, 4))
		ret_ask->size = random_below(&mix->random, (uint32_t)ret_ask->size + 1);
	if (one_in(mix, 8)) /* what follows is what the last query left there */
		ret_ask->size += random_below(&mix->random, 20);
}
