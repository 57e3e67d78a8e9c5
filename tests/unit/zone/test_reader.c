/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "steerd/dns/type.h"
#include "zones.h"

#define FILE_NAME "zones/example.zone"
#define L60 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

/* A name of every record of these lines is "x", and its first set is asked for. */
static const struct {
	const char *text;
	const char *want; /* of the set, as zones_decode() says it */
} entries[] = {
	{"x A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"x 30 A 192.0.2.1", "x.example. 30 A c0000201\n"},
	{"x IN A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"x IN 30 A 192.0.2.1", "x.example. 30 A c0000201\n"},
	{"x 30 in a 192.0.2.1", "x.example. 30 A c0000201\n"},
	{"x CLASS1 TYPE1 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"x 1h30m A 192.0.2.1", "x.example. 5400 A c0000201\n"},
	{"x 1W2D3H4M5S A 192.0.2.1", "x.example. 788645 A c0000201\n"},
	{"x 2147483647 A 192.0.2.1", "x.example. 2147483647 A c0000201\n"},
	{"x 0 A 192.0.2.1", "x.example. 0 A c0000201\n"},
	{"$TTL 0\nx A 192.0.2.1", "x.example. 0 A c0000201\n"},
	{"$TTL 1d\nx A 192.0.2.1", "x.example. 86400 A c0000201\n"},
	{"x 30 AAAA ::1\nx A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"X.Example. A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"x\tA\t192.0.2.1\t", "x.example. 3600 A c0000201\n"},
	{"x A 192.0.2.1\r", "x.example. 3600 A c0000201\n"},
	{"x A 192.0.2.1;comment \" (", "x.example. 3600 A c0000201\n"},
	{"; ( \"\n\n   \n ; x\nx A 192.0.2.1 ; y", "x.example. 3600 A c0000201\n"},
	{"x (\n A ; one\n\n 192.0.2.1 ; two\n )\n", "x.example. 3600 A c0000201\n"},
	{"x A (192.0.2.1)", "x.example. 3600 A c0000201\n"},
	{"x A 192.0.2.1\n  A 192.0.2.2\n\tA 192.0.2.3",
		"x.example. 3600 A c0000201\nx.example. 3600 A c0000202\nx.example. 3600 A "
		"c0000203\n"},
	{"$ORIGIN sub\n$ORIGIN example.\nx A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"$ORIGIN x.example.\n@ A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"$ORIGIN .\nx.example A 192.0.2.1", "x.example. 3600 A c0000201\n"},
	{"$origin x\n@ MX 1 y", "x.example. 3600 MX 1 y.x.example.\n"},
	{"x MX 10 @", "x.example. 3600 MX 10 example.\n"},
	{"x MX 10 .", "x.example. 3600 MX 10 .\n"},
	{"x MX 10 a\\.b.c\\032d.\\000", "x.example. 3600 MX 10 a\\.b.c\\032d.\\000.example.\n"},
	{"x MX 10 " L60 "abc", "x.example. 3600 MX 10 " L60 "abc.example.\n"},
	{"x TXT a b", "x.example. 3600 TXT 01610162\n"},
	{"x TXT \"a b\"", "x.example. 3600 TXT 03612062\n"},
	{"x TXT \"\"", "x.example. 3600 TXT 00\n"},
	{"x TXT \"a;b(c)\"", "x.example. 3600 TXT 06613b62286329\n"},
	{"x TXT a\\;b", "x.example. 3600 TXT 03613b62\n"},
	{"x TXT a\\(b", "x.example. 3600 TXT 03612862\n"},
	{"x TXT \"a\\\"b\"", "x.example. 3600 TXT 03612262\n"},
	{"x TXT \"a\\\\\" \"b\"", "x.example. 3600 TXT 02615c0162\n"},
	{"x TXT \"\\000\\255\\065\"", "x.example. 3600 TXT 0300ff41\n"},
	{"x TXT ( \"a\"\n \"b\" )", "x.example. 3600 TXT 01610162\n"},
	{"x TYPE65280 \\# 3 abCDef", "x.example. 3600 TYPE65280 abcdef\n"},
	{"x TYPE65280 \\# 3 ab cd ef", "x.example. 3600 TYPE65280 abcdef\n"},
	{"x TYPE65280 ( \\# 3 ab\n cdef )", "x.example. 3600 TYPE65280 abcdef\n"},
	{"x TYPE65280 \\# 0", "x.example. 3600 TYPE65280\n"},
	{"x A \\# 4 c0000201", "x.example. 3600 A c0000201\n"},
	{"x MX \\# 4 000a 01 61", NULL}, /* the name does not end */
	{"x MX \\# 5 000a 0161 00", "x.example. 3600 MX 10 a.\n"},
	{"x TYPE16 \"TXT\"", "x.example. 3600 TXT 03545854\n"},
	{"x CAA 0 issue \"ca.example\"",
		"x.example. 3600 CAA 0005697373756563612e6578616d706c65\n"},
	{"x CAA 0 issue ca.example", "x.example. 3600 CAA 0005697373756563612e6578616d706c65\n"},
	{"x SSHFP 1 1 ab", "x.example. 3600 SSHFP 0101ab\n"},
	{"x TLSA 3 1 1 ab cd", "x.example. 3600 TLSA 030101abcd\n"},
	{"x HTTPS 1 . alpn=h2", "x.example. 3600 HTTPS 00010000010003026832\n"},
	{"x SVCB 0 y", "x.example. 3600 SVCB 00000179076578616d706c6500\n"},
	{"x NAPTR 1 2 \"u\" \"s\" \"!a!b!\" .",
		"x.example. 3600 NAPTR 000100020175017305216121622100\n"},
	{"x LOC 52 N 4 E 0m", "x.example. 3600 LOC 001216138b28720080dbba0000989680\n"},
	{"x URI 1 2 \"http://a/\"", "x.example. 3600 URI 00010002687474703a2f2f612f\n"},
	{"x EUI48 00-01-02-03-04-05", "x.example. 3600 EUI48 000102030405\n"},

	{"x", NULL},
	{"x A", NULL},
	{"x 30", NULL},
	{"x IN", NULL},
	{"x A 192.0.2.256", NULL},
	{"x A 192.0.2.1 192.0.2.2", NULL},
	{"x A ::1", NULL},
	{"x AAAA 192.0.2.1", NULL},
	{"x AAAA ::g", NULL},
	{"x FOO bar", NULL},
	{"x TYPE0 \\# 0", NULL},
	{"x TYPE65536 \\# 0", NULL},
	{"x ANY \\# 0", NULL},
	{"x OPT \\# 0", NULL},
	{"x AXFR \\# 0", NULL},
	{"x CH TXT a", NULL},
	{"x CLASS3 TXT a", NULL},
	{"x IN IN A 192.0.2.1", NULL},
	{"x 30 30 A 192.0.2.1", NULL},
	{"x 1x A 192.0.2.1", NULL},
	{"x 1h2 A 192.0.2.1", NULL},
	{"x -1 A 192.0.2.1", NULL},
	{"x 2147483648 A 192.0.2.1", NULL},
	{"x 99999999999999999999w A 192.0.2.1", NULL},
	{"x MX 65536 a", NULL},
	{"x MX -1 a", NULL},
	{"x MX 1 \\@.foo.", NULL},
	{"x MX 1 @.foo.", NULL},
	{"x SSHFP 1 1 abc", NULL},
	{"x SSHFP 1 1 ab c", NULL},
	{"x SSHFP 1 1 zz", NULL},
	{"x CAA 0 issue", NULL},
	{"x MX +1 a", NULL},
	{"x MX 99999999999999999999999 a", NULL},
	{"x SRV 1 65536 3 a", NULL},
	{"x CAA 256 issue \"a\"", NULL},
	{"x DS 65536 8 1 0000000000000000000000000000000000000000", NULL},
	{"x HTTPS 65536 .", NULL},
	{"x HTTPS 1 . port=65536", NULL},
	{"x HTTPS 1 . ipv4hint=192.0.2.256", NULL},
	{"x MX a", NULL},
	{"x MX 10 a b", NULL},
	{"x MX 10 a..b", NULL},
	{"x MX 10 " L60 "abcd", NULL},
	{"x MX 10 " L60 "." L60 "." L60 "." L60 "." L60, NULL},
	{"x TXT", NULL},
	{"x TXT \"a", NULL},
	{"x TXT \"a\nb\"", NULL},
	{"x TXT a\\", NULL},
	{"x TXT \"\\256\"", NULL},
	{"x TXT \"" L60 L60 L60 L60 L60 "\"", NULL},
	{"x TYPE65280 abcdef", NULL},
	{"x TYPE65280 \\# abcdef", NULL},
	{"x TYPE65280 \\# 3 abcd", NULL},
	{"x TYPE65280 \\# 3 abcdefab", NULL},
	{"x TYPE65280 \\# 3 abcdeg", NULL},
	{"x TYPE65280 \\# 3 a bcdef", NULL},
	{"x TYPE65280 \\# -1 ab", NULL},
	{"x TYPE65280 \\# 65536 ab", NULL},
	{"x TYPE65280 \\#", NULL},
	{"x A \\# 3 c00002", NULL},
	{"x A \\# 5 c000020101", NULL},
	{"x A \\# 0", NULL},
	{"x MX \\# 0", NULL},
	{"x MX \\# 4 000ac000", NULL}, /* a compression pointer (RFC 3597 4) */
	{"x CNAME \\# 2 c000", NULL},
	{"x TXT \\# 3 056162", NULL},
	{"x A )", NULL},
	{"x A ( 192.0.2.1", NULL},
	{"x A 192.0.2.1 )", NULL},
	{L60 "abcd A 192.0.2.1", NULL},
	{"a..x A 192.0.2.1", NULL},
	{".x A 192.0.2.1", NULL},
	{"x\\256 A 192.0.2.1", NULL},
	{"$ORIGIN", NULL},
	{"$ORIGIN a b", NULL},
	{"$ORIGIN a..b", NULL},
	{"$TTL", NULL},
	{"$TTL x", NULL},
	{"$TTL 1 2", NULL},
	{"$TTL 2147483648", NULL},
	{"$GENERATE 1-2 a A 192.0.2.$", NULL},
	{"$", NULL},
	{"$INCLUDE", NULL},
	{"$INCLUDE a b c", NULL},
};

/* RFC 1035 5.1, RFC 2308 4, RFC 3597 5 */
static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		struct zones zones;
		struct text text = {0};

		zones_init(&zones);
		text_print(&text, ZONES_HEAD "%s\n", entries[i].text);
		zones_write(FILE_NAME, text.bytes);
		assert_true(zones_read(&zones));
		if ((zones.report.error_count == 0) != (entries[i].want != NULL))
			fail_msg("%s: %s", entries[i].text, zones_said(&zones));
		if (entries[i].want) {
			const struct zone_node *node =
				zones_find(&zones, "x.example", DNS_TYPE_A).node;
			unsigned position = 0;
			uint16_t type;

			assert_non_null(node);
			text_clear(&text);
			zones_decode(zone_node_next_set(node, &position, &type),
				zone_node_name(node), ZONES_HOME, &text);
			if (strcmp(text.bytes, entries[i].want) != 0)
				fail_msg("%s: %s", entries[i].text, text.bytes);
		}
		text_done(&text);
		zones_done(&zones);
	}
}

static const char many_mistakes[] = "	A 192.0.2.1\n" /* 1 */
				    "@ SOA ns host (\n"
				    "	1 ; serial\n"
				    "	7200 900 1209600 60 )\n"
				    "$TTL 3600\n" /* 5 */
				    "\n"
				    "a A 192.0.2\n"
				    "b (\n"
				    "	FOO\n"
				    "	x )\n" /* 10 */
				    "c TXT \"open\n"
				    "d A 192.0.2.1\n"
				    "$INCLUDE none\n"
				    "$FOO 1-3 a$ A 192.0.2.$\n"
				    "e CH TXT x\n" /* 15 */
				    "f 3000000000 A 192.0.2.1\n"
				    "g..h A 192.0.2.1\n"
				    "i MX 1 a b\n"
				    "j A\n"
				    "k A 192.0.2.1 ( ; 20\n"
				    "l A 192.0.2.1\n";

static void mistakes_go_on(void **state)
{
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write(FILE_NAME, many_mistakes);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		FILE_NAME
		":1: a record without an owner, and none before it\n" FILE_NAME
		":2: no TTL, and none before it (RFC 2308 4)\n" FILE_NAME
		":7: A data '192.0.2' cannot be read\n" FILE_NAME
		":8: 'FOO' is not a type of records\n" FILE_NAME
		":11: '\"' is not closed on its line\n" FILE_NAME
		":13: cannot include 'zones/none': No such file or directory\n" FILE_NAME
		":14: '$FOO' is not a directive; there are $ORIGIN, $TTL and $INCLUDE\n" FILE_NAME
		":15: class 'CH' is not served, only IN\n" FILE_NAME
		":16: TTL '3000000000' is above 2147483647 (RFC 2181 8)\n" FILE_NAME
		":17: 'g..h.example.' has an empty label\n" FILE_NAME
		":18: MX data '1 a b' goes on too long\n" FILE_NAME
		":19: A without data\n" FILE_NAME ":20: '(' is never closed\n" FILE_NAME
		": refused, 13 errors; not served\n");
	zones_done(&zones);
}

static void mistakes_end(void **state)
{
	struct zones zones;
	struct text text = {0};

	(void)state;
	zones_init(&zones);
	for (unsigned i = 0; i < 5000; i++)
		text_add(&text, "not a zone at all\n");
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_int_equal(zones.report.error_count, 101);
	assert_non_null(strstr(zones_said(&zones),
		FILE_NAME ":100: too many mistakes: nothing is read behind here\n" FILE_NAME
			  ": refused, 101 errors; not served\n"));
	text_done(&text);
	zones_done(&zones);
}

static void zero_bytes(void **state)
{
	static const char text[] = ZONES_HEAD "x A 192.0.2.1\0\ny A 192.0.2.1\n";
	struct zones zones;
	FILE *file;

	(void)state;
	zones_init(&zones);
	file = fopen(FILE_NAME, "w");
	assert_non_null(file);
	fwrite(text, 1, sizeof(text) - 1, file);
	fclose(file);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		FILE_NAME ":4: a zero byte\n" FILE_NAME ": refused, 1 error; not served\n");
	zones_done(&zones);
}

static void longest_entry(void **state)
{
	struct zones zones;
	struct text text = {0};

	(void)state;
	zones_init(&zones);
	text_add(&text, ZONES_HEAD "x TXT (");
	for (unsigned i = 0; i < 300; i++)
		text_add(&text, " " L60 L60 L60 "\n");
	text_add(&text, ")\n");
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");

	const struct zone_node *node = zones_find(&zones, "x.example", DNS_TYPE_TXT).node;

	assert_int_equal(zone_node_get_set(node, DNS_TYPE_TXT)->size_bytes, 12 + 300 * 181);
	/* what is longer is never cut in silence */
	text.size -= 2;
	for (unsigned i = 0; i < 100; i++)
		text_add(&text, " " L60 L60 L60 "\n");
	text_add(&text, ")\n");
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_non_null(strstr(zones_said(&zones), ": an entry of more than 65000 characters\n"));
	text_done(&text);
	zones_done(&zones);
}

/* ---- $INCLUDE ---- */

static void includes(void **state)
{
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write(FILE_NAME,
		ZONES_HEAD "$INCLUDE parts/one\n"
			   "a A 192.0.2.1\n"
			   "$INCLUDE \"parts/two\" sub ; with an origin\n"
			   "	A 192.0.2.2\n"
			   "c MX 1 c\n");
	zones_write("zones/parts/one", "$ORIGIN one\n$TTL 5\nx A 192.0.2.3\n$INCLUDE more/three\n");
	zones_write("zones/parts/more/three", "y A 192.0.2.4\n");
	zones_write("zones/parts/two", "z A 192.0.2.5\n@ MX 1 z\n");
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");
	assert_non_null(zones_find(&zones, "x.one.example", DNS_TYPE_A).node);
	assert_non_null(zones_find(&zones, "y.one.example", DNS_TYPE_A).node);
	assert_non_null(zones_find(&zones, "z.sub.example", DNS_TYPE_A).node);
	assert_non_null(zones_find(&zones, "sub.example", DNS_TYPE_A).node);

	/* origin, TTL and owner are again those of before */
	struct text got = {0};
	const struct zone_node *node = zones_find(&zones, "a.example", DNS_TYPE_A).node;

	zones_decode(zone_node_get_set(node, DNS_TYPE_A), zone_node_name(node), ZONES_HOME, &got);
	assert_string_equal(got.bytes, "a.example. 3600 A c0000201\na.example. 3600 A c0000202\n");
	node = zones_find(&zones, "c.example", DNS_TYPE_A).node;
	zones_decode(zone_node_get_set(node, DNS_TYPE_MX), zone_node_name(node), ZONES_HOME, &got);
	assert_string_equal(got.bytes, "c.example. 3600 MX 1 c.example.\n");
	node = zones_find(&zones, "sub.example", DNS_TYPE_A).node;
	zones_decode(zone_node_get_set(node, DNS_TYPE_MX), zone_node_name(node), ZONES_HOME, &got);
	assert_string_equal(got.bytes, "sub.example. 3600 MX 1 z.sub.example.\n");
	text_done(&got);

	/* mistakes are where they are, also between files */
	zones_write("zones/parts/one", "\nx A 192.0.2\n");
	zones_write("zones/parts/two", "$ORIGIN example.\na CNAME x\n_steer.q TXT pool=none\n");
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/parts/one:2: A data '192.0.2' cannot be read\n"
		"zones/parts/two:3: '_steer.q' names the pool 'none', which does not exist\n"
		"zones/parts/two:2: 'a' has a CNAME, so it cannot also have the A at "
		"zones/example.zone:5 (RFC 1034 3.6.2)\n"
		"zones/example.zone: refused, 3 errors; still answering from serial 7\n");
	zones_done(&zones);
}

static const struct {
	const char *include;
	const char *want;
} escapes[] = {
	{"$INCLUDE ../secret", "'zones/../secret' lies outside of the directory of the zones"},
	{"$INCLUDE parts/../../secret",
		"'zones/parts/../../secret' lies outside of the directory of the zones"},
	{"$INCLUDE ../zones-too/secret",
		"'zones/../zones-too/secret' lies outside of the directory of the zones"},
	{"$INCLUDE /etc/hostname", "'/etc/hostname' lies outside of the directory of the zones"},
	{"$INCLUDE parts/link", "'zones/parts/link' lies outside of the directory of the zones"},
	{"$INCLUDE linked/secret",
		"'zones/linked/secret' lies outside of the directory of the zones"},
	{"$INCLUDE parts", "'zones/parts' is not a regular file"},
	{"$INCLUDE .", "'zones/.' lies outside of the directory of the zones"},
	{"$INCLUDE example.zone", "'zones/example.zone' includes itself"},
	{"$INCLUDE parts/loop", "'zones/parts/../parts/loop' includes itself"},
	{"$INCLUDE deep/1", "'zones/deep/8' is included more than 8 files deep"},
};

static void include_escapes(void **state)
{
	struct zones zones;
	struct text text = {0};
	char path[32];

	(void)state;
	zones_init(&zones);
	zones_write("secret", "x A 192.0.2.1\n");
	zones_write("zones-too/secret", "x A 192.0.2.1\n");
	zones_write("zones/parts/loop", "$INCLUDE ../parts/loop\n");
	assert_int_equal(symlink("../../secret", "zones/parts/link"), 0);
	assert_int_equal(symlink("../zones-too", "zones/linked"), 0);
	for (int i = 1; i <= 9; i++) {
		snprintf(path, sizeof(path), "zones/deep/%d", i);
		text_clear(&text);
		text_print(&text, "$INCLUDE %d\n", i + 1);
		zones_write(path, text.bytes);
	}
	for (size_t i = 0; i < COUNT_OF(escapes); i++) {
		text_clear(&text);
		text_print(&text, ZONES_HEAD "%s\n", escapes[i].include);
		zones_write(FILE_NAME, text.bytes);
		assert_true(zones_read(&zones));
		text_clear(&text);
		text_print(&text, ": %s\n" FILE_NAME ": refused, 1 error; not served\n",
			escapes[i].want);

		const char *colon = strchr(strchr(zones_said(&zones), ':') + 1, ':');

		if (!colon || strcmp(colon, text.bytes) != 0)
			fail_msg("%s: %s", escapes[i].include, zones_said(&zones));
	}
	/* a link that stays inside is as good as a file */
	assert_int_equal(unlink("zones/parts/link"), 0);
	zones_write("zones/real", "x A 192.0.2.1\n");
	assert_int_equal(symlink("../real", "zones/parts/link"), 0);
	zones_write(FILE_NAME, ZONES_HEAD "$INCLUDE parts/link\n$INCLUDE parts/link sub\n");
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");
	assert_non_null(zones_find(&zones, "x.sub.example", DNS_TYPE_A).node);
	text_done(&text);
	zones_done(&zones);
}

/* RFC 3597: what is written as bytes is served as those bytes, whatever the type. */
static void unknown_types(void **state)
{
	struct zones zones;
	struct text text = {0};
	struct text want = {0};
	struct text got = {0};
	uint32_t seed = 1;

	(void)state;
	zones_init(&zones);
	text_add(&text, ZONES_HEAD);
	text_add(&want, "");
	for (unsigned i = 0; i < 1000; i++) {
		unsigned size = i % 300;

		text_print(&text, "x TYPE%u \\# %u ", 50000 + i, size);
		text_print(&want, "x.example. 3600 TYPE%u%s", 50000 + i, size > 0 ? " " : "");
		for (unsigned k = 0; k < size; k++) {
			seed = seed * 1664525 + 1013904223;
			text_print(&text, "%02x", seed >> 24);
			text_print(&want, "%02x", seed >> 24);
		}
		text_add(&text, "\n");
		text_add(&want, "\n");
	}
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");

	const struct zone_node *node = zones_find(&zones, "x.example", DNS_TYPE_A).node;
	const struct zone_block *block;
	const char *at = want.bytes;
	unsigned position = 0;
	uint16_t type;

	while ((block = zone_node_next_set(node, &position, &type))) {
		zones_decode(block, zone_node_name(node), ZONES_HOME, &got);
		assert_memory_equal(got.bytes, at, got.size);
		at += got.size;
	}
	assert_int_equal(*at, '\0');
	text_done(&text);
	text_done(&want);
	text_done(&got);
	zones_done(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(mistakes_go_on),
		cmocka_unit_test(mistakes_end),
		cmocka_unit_test(zero_bytes),
		cmocka_unit_test(longest_entry),
		cmocka_unit_test(includes),
		cmocka_unit_test(include_escapes),
		cmocka_unit_test(unknown_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
