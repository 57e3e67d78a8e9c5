/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"
#include "zones.h"

static const char zone_text[] = "$TTL 3600\n"
				"@      SOA   ns1 Host 2026112201 7200 900 1209600 60\n"
				"@      NS    ns1\n"
				"@      NS    NS2.sub\n"
				"@      NS    ns.elsewhere.\n"
				"ns1    A     192.0.2.1\n"
				"www    A     192.0.2.2\n"
				"www    A     192.0.2.3\n"
				"www    AAAA  2001:db8::1\n"
				"mail   MX    10 mail\n"
				"mail   MX    20 mx.mail\n"
				"mail   MX    30 MX.MAIL\n"
				"mail   MX    40 mx.elsewhere.\n"
				"mail   MX    50 mx2.elsewhere.\n"
				"mail   MX    60 .\n"
				"odd    MX    10 \\[.odd\n"
				"odd    MX    20 {.odd\n"
				"alias  CNAME deep.alias\n"
				"ptr    PTR   ptr\n"
				"minfo  MINFO a.minfo b.a.minfo\n"
				"srv    SRV   1 2 3 srv\n"
				"rp     RP    rp rp\n"
				"old    DNAME new.old\n"
				"un     TYPE65280 \\# 5 0102c00c05\n"
				"empty  TYPE65280 \\# 0\n"
				"*.w    MX    10 w\n"
				"sub    NS    ns1\n"
				"       NS    ns1.sub\n"
				"       NS    ns.other\n"
				"       NS    ns.elsewhere.\n"
				"sub    DS    1 8 1 0000000000000000000000000000000000000000\n"
				"ns1.sub  300 A    192.0.2.10\n"
				"ns1.sub  300 AAAA 2001:db8::10\n"
				"ns2.sub      A    192.0.2.11\n"
				"other  NS    ns.other\n"
				"ns.other     A    192.0.2.12\n";

static const struct {
	const char *name;
	uint16_t type; /* 0: the referral */
	const char *want;
	uint16_t size; /* of the block: compression is as it should be */
} sets[] = {
	{"example", DNS_TYPE_SOA,
		"example. 3600 SOA ns1.example. Host.example. 2026112201 7200 900 1209600 60\n",
		45},
	{"example", DNS_TYPE_NS,
		"example. 3600 NS ns1.example.\n"
		"example. 3600 NS NS2.sub.example.\n"
		"example. 3600 NS ns.elsewhere.\n",
		36 + 6 + 10 + 14},
	{"www.example", DNS_TYPE_A,
		"www.example. 3600 A c0000202\n"
		"www.example. 3600 A c0000203\n",
		32},
	{"www.example", DNS_TYPE_AAAA, "www.example. 3600 AAAA 20010db8000000000000000000000001\n",
		28},
	/* the base name; below it; the same in other case; a name of the block; its tail; the root */
	{"mail.example", DNS_TYPE_MX,
		"mail.example. 3600 MX 10 mail.example.\n"
		"mail.example. 3600 MX 20 mx.mail.example.\n"
		"mail.example. 3600 MX 30 mx.mail.example.\n"
		"mail.example. 3600 MX 40 mx.elsewhere.\n"
		"mail.example. 3600 MX 50 mx2.elsewhere.\n"
		"mail.example. 3600 MX 60 .\n",
		6 * 14 + 2 + 5 + 2 + 14 + 6 + 1},
	/* these are no letters, though they differ as letters do */
	{"odd.example", DNS_TYPE_MX,
		"odd.example. 3600 MX 10 [.odd.example.\n"
		"odd.example. 3600 MX 20 {.odd.example.\n",
		2 * 18},
	/* never shortened: the next block of a chain is written for this name */
	{"alias.example", DNS_TYPE_CNAME, "alias.example. 3600 CNAME deep.alias.example.\n",
		12 + 20},
	{"ptr.example", DNS_TYPE_PTR, "ptr.example. 3600 PTR ptr.example.\n", 14},
	{"minfo.example", 14, "minfo.example. 3600 MINFO a.minfo.example. b.a.minfo.example.\n",
		12 + 4 + 4},
	/* RFC 3597 4: whole in all other types */
	{"srv.example", DNS_TYPE_SRV,
		"srv.example. 3600 SRV 00010002000303737276076578616d706c6500\n", 12 + 6 + 13},
	{"rp.example", 17, "rp.example. 3600 RP 027270076578616d706c6500027270076578616d706c6500\n",
		12 + 24},
	{"old.example", DNS_TYPE_DNAME,
		"old.example. 3600 DNAME 036e6577036f6c64076578616d706c6500\n", 12 + 17},
	{"un.example", 65280, "un.example. 3600 TYPE65280 0102c00c05\n", 17},
	{"empty.example", 65280, "empty.example. 3600 TYPE65280\n", 12},
	/* the base name of a wildcard is its parent */
	{"x.w.example", DNS_TYPE_MX, "w.example. 3600 MX 10 w.example.\n", 16},
	{"sub.example", DNS_TYPE_DS,
		"sub.example. 3600 DS 000108010000000000000000000000000000000000000000\n", 36},
	/* first the glue that nobody else has, then what else this zone knows */
	{"sub.example", 0,
		"sub.example. 3600 NS ns1.example.\n"
		"sub.example. 3600 NS ns1.sub.example.\n"
		"sub.example. 3600 NS ns.other.example.\n"
		"sub.example. 3600 NS ns.elsewhere.\n"
		"-- glue\n"
		"ns1.sub.example. 300 A c000020a\n"
		"ns1.sub.example. 300 AAAA 20010db8000000000000000000000010\n"
		"ns1.example. 3600 A c0000201\n"
		"ns.other.example. 3600 A c000020c\n",
		4 * 12 + 6 + 6 + 11 + 14 + 16 + 28 + 16 + 16},
	{"other.example", 0,
		"other.example. 3600 NS ns.other.example.\n"
		"-- glue\n"
		"ns.other.example. 3600 A c000020c\n",
		12 + 5 + 16},
};

static const struct zone_block *find_set(
	const struct zones *zones, const char *name, uint16_t type, const uint8_t **ret_base)
{
	struct zone_match match = zones_find(zones, name, DNS_TYPE_DS);

	assert_int_equal(match.outcome, ZONE_NODE);
	*ret_base = zone_node_name(match.node);
	if (match.is_wildcard)
		*ret_base += 2;
	return type == 0 ? zone_node_referral(match.node) : zone_node_get_set(match.node, type);
}

static void load(struct zones *zones)
{
	zones_init(zones);
	zones_write("zones/example.zone", zone_text);
	if (!zones_read(zones) || zones->report.error_count > 0)
		fail_msg("%s", zones_said(zones));
}

/* RFC 1035 4.1.4: pointers lead to names that stand before them. */
static void sets_in_place(void **state)
{
	struct zones zones;
	struct text got = {0};

	(void)state;
	load(&zones);
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		const uint8_t *base;
		const struct zone_block *block =
			find_set(&zones, sets[i].name, sets[i].type, &base);

		assert_non_null(block);
		zones_decode(block, base, ZONES_HOME, &got);
		if (strcmp(got.bytes, sets[i].want) != 0)
			fail_msg("%s:\n%s", sets[i].name, got.bytes);
		if (block->size_bytes != sets[i].size)
			fail_msg("%s %u: %u octets", sets[i].name, sets[i].type, block->size_bytes);
		if (block->type != sets[i].type)
			fail_msg("%s: type %u", sets[i].name, block->type);
	}
	text_done(&got);
	zones_done(&zones);
}

/* Below the base name the owner is the name that was asked for; else nothing may differ, wherever the block stands. */
static void same_in_place(
	const struct zone_block *block, const uint8_t *base, enum zones_place place)
{
	struct text home = {0};
	struct text got = {0};

	zones_decode(block, base, ZONES_HOME, &home);
	zones_decode(block, base, place, &got);

	const char *at = got.bytes;

	for (const char *want = home.bytes; *want != '\0';) {
		const char *want_end = strchr(want, '\n') + 1;
		const char *at_end = strchr(at, '\n');

		assert_non_null(at_end);
		at_end++;
		if (block->type != 0) {
			assert_memory_equal(at, "ask.X.", 6); /* as it was asked */
			at += 6;
		}
		assert_int_equal(at_end - at, want_end - want);
		assert_memory_equal(at, want, (size_t)(at_end - at));
		at = at_end;
		want = want_end;
	}
	assert_int_equal(*at, '\0');
	text_done(&home);
	text_done(&got);
}

static void same_anywhere(const struct zone_block *block, const uint8_t *base)
{
	same_in_place(block, base, ZONES_BELOW);
	same_in_place(block, base, ZONES_CHAIN);
}

static void sets_moved(void **state)
{
	struct zones zones;

	(void)state;
	load(&zones);
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		const uint8_t *base;
		const struct zone_block *block =
			find_set(&zones, sets[i].name, sets[i].type, &base);

		same_anywhere(block, base);
	}
	same_anywhere(
		zone_negative(zone_set_zone(zones.set, 0)), zone_name(zone_set_zone(zones.set, 0)));
	zones_done(&zones);
}

static const struct {
	const char *soa;
	const char *want;
} negatives[] = {
	{"@ 3600 SOA a b 1 2 3 4 60\n", "example. 60 SOA a.example. b.example. 1 2 3 4 60\n"},
	{"@ 30 SOA a b 1 2 3 4 60\n", "example. 30 SOA a.example. b.example. 1 2 3 4 60\n"},
	{"@ 3600 SOA . . 4294967295 2 3 4 0\n", "example. 0 SOA . . 4294967295 2 3 4 0\n"},
	{"@ 3600 SOA x.Example. @ 1 2 3 4 1h\n",
		"example. 3600 SOA x.example. example. 1 2 3 4 3600\n"},
};

/* RFC 2308 3 */
static void negative_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(negatives); i++) {
		struct zones zones;
		struct text text = {0};

		zones_init(&zones);
		text_print(&text, "%s@ 5 NS ns.elsewhere.\n", negatives[i].soa);
		zones_write("zones/example.zone", text.bytes);
		if (!zones_read(&zones) || zones.report.error_count > 0)
			fail_msg("%s", zones_said(&zones));

		const struct zone *zone = zone_set_zone(zones.set, 0);

		text_clear(&text);
		zones_decode(zone_negative(zone), zone_name(zone), ZONES_HOME, &text);
		assert_string_equal(text.bytes, negatives[i].want);
		/* the set itself keeps its TTL */
		assert_int_equal(
			zone_node_get_set(zones_find(&zones, "example", 0).node, DNS_TYPE_SOA)
				->record_count,
			1);
		text_done(&text);
		zones_done(&zones);
	}
}

/* Names so far into a block that no pointer may lead to them from every place. */
static void large_sets(void **state)
{
	struct zones zones;
	struct text text = {0};
	struct text got = {0};

	(void)state;
	zones_init(&zones);
	text_add(&text, ZONES_HEAD);
	for (unsigned i = 0; i < 1200; i++)
		text_print(&text, "big MX %u host%u.some-rather-long-label.net.\n", i, i / 2);
	for (unsigned i = 0; i < 200; i++)
		text_print(&text, "cut NS ns%u.cut\nns%u.cut A 192.0.2.%u\n", i, i, i);
	zones_write("zones/example.zone", text.bytes);
	if (!zones_read(&zones) || zones.report.error_count > 0)
		fail_msg("%s", zones_said(&zones));

	const uint8_t *base;
	const struct zone_block *big = find_set(&zones, "big.example", DNS_TYPE_MX, &base);

	assert_int_equal(big->record_count, 1200);
	assert_true(big->size_bytes > 3 * ZONE_BLOCK_OFFSET_MAX);
	assert_true(big->size_bytes < 1200 * 28);
	same_anywhere(big, base);
	zones_decode(big, base, ZONES_CHAIN, &got);
	assert_non_null(strstr(
		got.bytes, "big.example. 3600 MX 1199 host599.some-rather-long-label.net.\n"));

	const struct zone_block *cut = find_set(&zones, "cut.example", 0, &base);

	assert_int_equal(cut->record_count, 200);
	assert_int_equal(cut->glue_count, 200);
	same_anywhere(cut, base);
	text_done(&text);
	text_done(&got);
	zones_done(&zones);
}

/* The longest names there are: 255 octets, and 127 labels. */
static void longest_names(void **state)
{
	struct zones zones;
	struct text name = {0};
	struct text text = {0};
	const uint8_t *base;

	(void)state;
	for (unsigned i = 0; i < 126; i++)
		text_add(&name, "a.");
	text_add(&name, "b."); /* 127 labels, 255 octets */
	zones_init(&zones);
	text_print(&text, ZONES_HEAD "%s MX 1 %s\n*%s MX 1 %s\n", name.bytes, name.bytes,
		name.bytes + 1, name.bytes);
	zones_write("zones/b.zone", text.bytes);
	if (!zones_read(&zones) || zones.report.error_count > 0)
		fail_msg("%s", zones_said(&zones));

	const struct zone_block *block = find_set(&zones, name.bytes, DNS_TYPE_MX, &base);

	assert_int_equal(block->base_size_bytes, 255);
	assert_int_equal(block->size_bytes, 16);
	zones_decode(block, base, ZONES_HOME, &text);
	assert_int_equal(zone_name_count(zone_set_zone(zones.set, 0)), 128);

	struct zone_match match = zones_find(&zones, "B", DNS_TYPE_MX);

	assert_int_equal(match.outcome, ZONE_NODE);
	name.bytes[0] = 'x';
	match = zones_find(&zones, name.bytes, DNS_TYPE_MX);
	assert_true(match.is_wildcard);
	block = zone_node_get_set(match.node, DNS_TYPE_MX);
	assert_int_equal(block->base_size_bytes, 253);
	text_done(&name);
	text_done(&text);
	zones_done(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_in_place),
		cmocka_unit_test(sets_moved),
		cmocka_unit_test(negative_answers),
		cmocka_unit_test(large_sets),
		cmocka_unit_test(longest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
