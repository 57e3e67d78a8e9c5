/* SPDX-License-Identifier: Apache-2.0 */

/* Records that tell clients of a service more than its address: SVCB and HTTPS (RFC 9460), CAA (RFC 8659). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tool/hex.h"
#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "zones.h"

#define FILE_NAME "zones/example.zone"
#define FOO_COM "03 'foo' 07 'example' 03 'com' 00"
#define FOO_ORG "03 'foo' 07 'example' 03 'org' 00"
#define MANDATORY_ALPN_HINT                                                                        \
	"0010" FOO_ORG "0000 0004 0001 0004 0001 0009 02 'h2' 05 'h3-19' 0004 0004 c0000201"
#define ESCAPED_ALPN "0010" FOO_ORG "0001 000c 08 'f' 5c 'oo,bar' 02 'h2'"

static const struct {
	const char *about;
	const char *data; /* type and data of a record of 'x' */
	const char *want; /* octets, as hex_read() takes them */
} good[] = {
	/* RFC 9460 D.1 and D.2, its vectors */
	{"AliasMode", "HTTPS 0 foo.example.com.", "0000" FOO_COM},
	{"the target is the owner", "SVCB 1 .", "0001 00"},
	{"a port", "SVCB 16 foo.example.com. port=53", "0010" FOO_COM "0003 0002 0035"},
	{"a generic key and unquoted value", "SVCB 1 foo.example.com. key667=hello",
		"0001" FOO_COM "029b 0005 'hello'"},
	{"a generic key and quoted value with a decimal escape",
		"SVCB 1 foo.example.com. key667=\"hello\\210qoo\"",
		"0001" FOO_COM "029b 0009 'hello' d2 'qoo'"},
	{"two quoted IPv6 hints",
		"SVCB 1 foo.example.com. ( ipv6hint=\"2001:db8::1,2001:db8::53:1\" )",
		"0001" FOO_COM "0006 0020 20010db8000000000000000000000001"
		"20010db8000000000000000000530001"},
	{"an IPv6 hint in the IPv4 syntax",
		"SVCB 1 example.com. ( ipv6hint=\"2001:db8:122:344::192.0.2.33\" )",
		"0001 07 'example' 03 'com' 00 0006 0010 20010db8012203440000 0000c0000221"},
	{"parameters and mandatory keys out of order",
		"SVCB 16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn "
		"ipv4hint=192.0.2.1 )",
		MANDATORY_ALPN_HINT},
	{"alpn with an escaped comma and backslash, quoted",
		"SVCB 16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"", ESCAPED_ALPN},
	{"and in decimal", "SVCB 16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2", ESCAPED_ALPN},

	/* and ours */
	{"the target as it was written", "HTTPS 1 Foo.example.COM.",
		"0001 03 'Foo' 07 'example' 03 'COM' 00"},
	{"a relative target", "SVCB 2 y", "0002 01 'y' 07 'example' 00"},
	{"the origin", "SVCB 3 @", "0003 07 'example' 00"},
	{"the highest priority and no parameter", "HTTPS 65535 .", "ffff 00"},
	{"quotes around one octet are gone", "HTTPS 1 . alpn=\"h2\"", "0001 00 0001 0003 02 'h2'"},
	{"without the default protocol", "HTTPS 1 . no-default-alpn alpn=h3",
		"0001 00 0001 0003 02 'h3' 0002 0000"},
	{"an empty value where none may be", "HTTPS 1 . no-default-alpn= alpn=h3",
		"0001 00 0001 0003 02 'h3' 0002 0000"},
	{"port 0", "HTTPS 1 . port=0", "0001 00 0003 0002 0000"},
	{"port 65535, quoted", "HTTPS 1 . port=\"65535\"", "0001 00 0003 0002 ffff"},
	{"two IPv4 hints", "HTTPS 1 . ipv4hint=192.0.2.1,192.0.2.2",
		"0001 00 0004 0008 c0000201 c0000202"},
	{"ech", "HTTPS 1 . ech=AAT+DQAA", "0001 00 0005 0006 0004 fe0d 0000"},
	{"dohpath (RFC 9461 5)", "SVCB 1 dns alpn=h2 dohpath=/q{?dns}",
		"0001 03 'dns' 07 'example' 00 0001 0003 02 'h2' 0007 0008 '/q{?dns}'"},
	{"dohpath with more variables", "SVCB 1 . dohpath=/q{?dns,a}{&b}",
		"0001 00 0007 000e '/q{?dns,a}{&b}'"},
	{"ohttp (RFC 9540 4)", "SVCB 1 . ohttp", "0001 00 0008 0000"},
	{"a known key by its number: its value is octets", "HTTPS 1 . key3=\\002\\031",
		"0001 00 0003 0002 021f"},
	{"a key that nobody knows, without a value", "HTTPS 1 . key65534", "0001 00 fffe 0000"},
	{"all keys in order",
		"HTTPS 1 . key9=a ohttp ipv6hint=::1 ech=AAT+DQAA ipv4hint=0.0.0.1 "
		"port=1 no-default-alpn alpn=x mandatory=key9,port",
		"0001 00 0000 0004 0003 0009 0001 0002 01 'x' 0002 0000 0003 0002 0001 "
		"0004 0004 00000001 0005 0006 0004 fe0d 0000 "
		"0006 0010 00000000000000000000000000000001 0008 0000 0009 0001 'a'"},
	{"octets (RFC 3597 5)", "HTTPS \\# 10 0001 00 0001 0003 026832",
		"0001 00 0001 0003 02 'h2'"},
	{"octets of the other type", "TYPE64 \\# 3 000100", "0001 00"},

	/* RFC 8659 */
	{"CAA", "CAA 0 issue \"ca.example.net\"", "00 05 'issueca.example.net'"},
	{"CAA: without quotes", "CAA 0 issue ca.example.net", "00 05 'issueca.example.net'"},
	{"CAA: with blanks", "CAA 0 issue \"ca.example.net; policy=ev\"",
		"00 05 'issueca.example.net; policy=ev'"},
	{"CAA: nobody may", "CAA 0 issue \";\"", "00 05 'issue;'"},
	{"CAA: an empty value", "CAA 0 issue \"\"", "00 05 'issue'"},
	{"CAA: critical", "CAA 128 tbs \"Unknown\"", "80 03 'tbsUnknown'"},
	{"CAA: the tag in lower case (RFC 8659 4.1.1)", "CAA 0 IssueWild \"A\"",
		"00 09 'issuewildA'"},
	{"CAA: escapes", "CAA 0 iodef \"a\\\"\\\\\\065\"", "00 05 'iodefa' 225c 'A'"},
	{"CAA: octets", "CAA \\# 8 00 05 6973737565 3b", "00 05 'issue;'"},
};

static const struct {
	const char *data;
	const char *want; /* what is said behind "data '...'" */
} bad[] = {
	/* RFC 9460 D.3, its vectors */
	{"SVCB 1 foo.example.com. ( key123=abc key123=def )",
		": parameter 'key123' comes twice (RFC 9460 2.1)"},
	{"SVCB 1 foo.example.com. mandatory", ": parameter 'mandatory' has no value (RFC 9460 8)"},
	{"SVCB 1 foo.example.com. alpn", ": parameter 'alpn' has no value (RFC 9460 7.1.1)"},
	{"SVCB 1 foo.example.com. port", ": parameter 'port' has no value (RFC 9460 7.2)"},
	{"SVCB 1 foo.example.com. ipv4hint", ": parameter 'ipv4hint' has no value (RFC 9460 7.3)"},
	{"SVCB 1 foo.example.com. ipv6hint", ": parameter 'ipv6hint' has no value (RFC 9460 7.3)"},
	{"SVCB 1 foo.example.com. no-default-alpn=abc",
		": parameter 'no-default-alpn' takes no value (RFC 9460 7.1.1)"},
	{"SVCB 1 foo.example.com. mandatory=key123",
		": parameter 'mandatory' names 'key123', which is not there (RFC 9460 8)"},
	{"SVCB 1 foo.example.com. mandatory=mandatory",
		": parameter 'mandatory' names itself (RFC 9460 8)"},
	{"SVCB 1 foo.example.com. ( mandatory=key123,key123 key123=abc )",
		": parameter 'mandatory' names a key twice (RFC 9460 8)"},

	/* and ours */
	{"HTTPS", ""},
	{"HTTPS 1", ": priority or target ends too early"},
	{"HTTPS 65536 .", ": priority or target has a number out of range"},
	{"HTTPS -1 .", ": priority or target has a number out of range"},
	{"HTTPS 1 a..b", ": priority or target cannot be read"},
	{"HTTPS 1 . foo=bar", ": 'foo' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . ALPN=h2", ": 'ALPN' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . \"alpn=h2\"", ": '\"alpn' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . =h2", ": '' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . key=a", ": 'key' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . key01=a", ": 'key01' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . key65536=a", ": 'key65536' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . key65535=a", ": 'key65535' is no key of a parameter (RFC 9460 14.3.2)"},
	{"HTTPS 1 . alpn=h2 key1=\\002h3", ": parameter 'alpn' comes twice (RFC 9460 2.1)"},
	{"HTTPS 1 . alpn=", ": parameter 'alpn' has no value (RFC 9460 7.1.1)"},
	{"HTTPS 1 . alpn=h2,", ": parameter 'alpn' is not a list of protocols (RFC 9460 7.1.1)"},
	{"HTTPS 1 . alpn=,h2", ": parameter 'alpn' is not a list of protocols (RFC 9460 7.1.1)"},
	{"HTTPS 1 . alpn=h2\\092",
		": parameter 'alpn' is not a list of protocols (RFC 9460 7.1.1)"},
	{"HTTPS 1 . alpn=h2\\256", ": parameter 'alpn': '\\256' is no escape (RFC 1035 5.1)"},
	{"HTTPS 1 . no-default-alpn",
		": parameter 'no-default-alpn' needs an 'alpn' (RFC 9460 7.1.1)"},
	{"HTTPS 1 . port=65536",
		": parameter 'port' is not a number from 0 to 65535 (RFC 9460 7.2)"},
	{"HTTPS 1 . port=-1", ": parameter 'port' is not a number from 0 to 65535 (RFC 9460 7.2)"},
	{"HTTPS 1 . key3=8", ": parameter 'port' is not a number of two octets (RFC 9460 7.2)"},
	{"HTTPS 1 . ipv4hint=192.0.2.256",
		": parameter 'ipv4hint' is not a list of IPv4 addresses (RFC 9460 7.3)"},
	{"HTTPS 1 . ipv4hint=192.0.2.1,",
		": parameter 'ipv4hint' is not a list of IPv4 addresses (RFC 9460 7.3)"},
	{"HTTPS 1 . ipv4hint=::1",
		": parameter 'ipv4hint' is not a list of IPv4 addresses (RFC 9460 7.3)"},
	{"HTTPS 1 . ipv6hint=192.0.2.1",
		": parameter 'ipv6hint' is not a list of IPv6 addresses (RFC 9460 7.3)"},
	{"HTTPS 1 . ech=####", ": parameter 'ech' is not base64 (RFC 9848 3)"},
	{"HTTPS 1 . ech=\"AAT+ DQAA\"", ": parameter 'ech' is not base64 (RFC 9848 3)"},
	{"HTTPS 1 . ech=AAT+DQA=", ": parameter 'ech' is cut, or is no ECHConfigList (RFC 9848 3)"},
	{"HTTPS 1 . dohpath=q{?dns}",
		": parameter 'dohpath' is not a path with the variable "
		"'dns', as in /q{?dns} (RFC 9461 5)"},
	{"HTTPS 1 . dohpath=/q?dns",
		": parameter 'dohpath' is not a path with the variable 'dns', "
		"as in /q{?dns} (RFC 9461 5)"},
	{"HTTPS 1 . dohpath=\"/q {?dns}\"",
		": parameter 'dohpath' has a blank or control character (RFC 9461 5)"},
	{"HTTPS 1 . ohttp=1", ": parameter 'ohttp' takes no value (RFC 9540 4)"},
	{"HTTPS 1 . mandatory=alpn,foo alpn=h2",
		": parameter 'mandatory' is not a list of keys (RFC 9460 8)"},
	{"HTTPS 0 y mandatory=alpn",
		": parameter 'mandatory' names 'alpn', which is not there (RFC 9460 8)"},

	/* octets are not believed either (RFC 3597 5) */
	{"HTTPS \\# 0", ": no priority and whole name of a target (RFC 9460 2.2)"},
	{"HTTPS \\# 2 0001", ": no priority and whole name of a target (RFC 9460 2.2)"},
	{"HTTPS \\# 4 0001 c00c", ": no priority and whole name of a target (RFC 9460 2.2)"},
	{"HTTPS \\# 4 0001 00 00", ": the last parameter is cut (RFC 9460 2.2)"},
	{"HTTPS \\# 9 0001 00 0001 0003 0268", ": the last parameter is cut (RFC 9460 2.2)"},
	{"HTTPS \\# 17 0001 00 0003 0002 0001 0001 0004 0368 3233",
		": parameter 'alpn' is not in order (RFC 9460 2.2)"},
	{"HTTPS \\# 15 0001 00 0003 0002 0001 0003 0002 0002",
		": parameter 'port' comes twice (RFC 9460 2.1)"},
	{"HTTPS \\# 10 0001 00 0001 0003 036832",
		": parameter 'alpn' is not a list of protocols (RFC 9460 7.1.1)"},
	{"HTTPS \\# 8 0001 00 0001 0001 00",
		": parameter 'alpn' is not a list of protocols (RFC 9460 7.1.1)"},
	{"HTTPS \\# 7 0001 00 0004 0000", ": parameter 'ipv4hint' has no value (RFC 9460 7.3)"},
	{"HTTPS \\# 10 0001 00 0004 0003 010203",
		": parameter 'ipv4hint' is not a list of IPv4 addresses (RFC 9460 7.3)"},
	{"HTTPS \\# 11 0001 00 0006 0004 01020304",
		": parameter 'ipv6hint' is not a list of IPv6 addresses (RFC 9460 7.3)"},
	{"HTTPS \\# 8 0001 00 0000 0001 00",
		": parameter 'mandatory' is not a list of keys (RFC 9460 8)"},
	{"HTTPS \\# 23 0001 00 0000 0004 0003 0001 0001 0002 0178 0003 0002 0001",
		": parameter 'mandatory' is not in order (RFC 9460 8)"},
	{"HTTPS \\# 7 0001 00 ffff 0000",
		": 'key65535' is no key of a parameter (RFC 9460 14.3.2)"},

	/* RFC 8659 */
	{"CAA 256 issue \"a\"", ": the flags are not a number from 0 to 255 (RFC 8659 4.1.1)"},
	{"CAA critical issue \"a\"", ": the flags are not a number from 0 to 255 (RFC 8659 4.1.1)"},
	{"CAA 0", ": it ends before the value (RFC 8659 4.1.1)"},
	{"CAA 0 issue", ": it ends before the value (RFC 8659 4.1.1)"},
	{"CAA 0 issue a b", ": it goes on behind the value (RFC 8659 4.1.1)"},
	{"CAA 0 is-sue \"a\"", ": the tag is not of letters and digits alone (RFC 8659 4.1)"},
	{"CAA 0 \"\" \"a\"", ": the tag is not of letters and digits alone (RFC 8659 4.1)"},
	{"CAA 0 issue \"\\999\"", ": '\\999' is no escape (RFC 1035 5.1)"},
	{"CAA \\# 1 00", ": it has no tag (RFC 8659 4.1)"},
	{"CAA \\# 3 00 00 61", ": it has no tag (RFC 8659 4.1)"},
	{"CAA \\# 6 00 05 69737375", ": it has no tag (RFC 8659 4.1)"},
	{"CAA \\# 4 00 02 612d", ": the tag is not of letters and digits alone (RFC 8659 4.1)"},
};

/* The zone with one more record, of 'x'. */
static void read_record(struct zones *zones, const char *data)
{
	struct text text = {0};

	zones_init(zones);
	text_print(&text, ZONES_HEAD "x %s\n", data);
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(zones));
	text_done(&text);
}

static void on_the_wire(void **state)
{
	static uint8_t want[1024];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct zones zones;
		unsigned position = 0;
		uint16_t type;
		size_t size = hex_read(good[i].want, want, sizeof(want));

		read_record(&zones, good[i].data);
		if (zones.report.error_count > 0)
			fail_msg("%s: %s", good[i].about, zones_said(&zones));

		const struct zone_node *node = zones_find(&zones, "x.example", DNS_TYPE_A).node;
		const struct zone_block *block = zone_node_next_set(node, &position, &type);

		assert_non_null(block);
		if (block->size_bytes != 12 + size || memcmp(block->bytes + 12, want, size) != 0)
			fail_msg("%s: other octets", good[i].about);
		assert_int_equal(block->fixup_count, 0); /* no name is compressed (RFC 9460 2.2) */
		zones_done(&zones);
	}
}

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct zones zones;
		struct text want = {0};
		const char *data = strchr(bad[i].data, ' ');

		read_record(&zones, bad[i].data);
		if (data)
			text_print(&want, FILE_NAME ":4: %.*s data '%.60s%s'%s\n",
				(int)(data - bad[i].data), bad[i].data, data + 1,
				strlen(data + 1) > 60 ? "..." : "", bad[i].want);
		else
			text_print(&want, FILE_NAME ":4: %s without data\n", bad[i].data);
		text_add(&want, FILE_NAME ": refused, 1 error; not served\n");
		/* parentheses are no part of the data */
		if (!strchr(bad[i].data, '(') && strcmp(zones_said(&zones), want.bytes) != 0)
			fail_msg("%s\n got: %swant: %s", bad[i].data, zones_said(&zones),
				want.bytes);
		if (!strstr(zones_said(&zones), bad[i].want))
			fail_msg("%s: %s", bad[i].data, zones_said(&zones));
		text_done(&want);
		zones_done(&zones);
	}
}

/* Lists as long as an entry may be: no limit is passed, and what does not fit a record is refused. */
static void long_values(void **state)
{
	static const struct {
		const char *key;
		const char *item;
		size_t count;
		const char *want; /* "": it is served */
	} lists[] = {
		{"ipv4hint=", "1.2.3.4", 8000, ""},
		{"ipv6hint=", "::", 4000, ""},
		{"ipv6hint=", "::", 5000, "parameter 'ipv6hint' is larger than a message"},
		{"alpn=", "h2", 20000, ""},
		{"key9=", "x", 30000, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lists); i++) {
		struct zones zones;
		struct text text = {0};

		text_print(&text, "HTTPS 1 . %s%s", lists[i].key, lists[i].item);
		for (size_t k = 1; k < lists[i].count; k++)
			text_print(&text, ",%s", lists[i].item);
		read_record(&zones, text.bytes);
		if (!strstr(zones_said(&zones), lists[i].want) ||
			(*lists[i].want == '\0' && zones.report.error_count > 0))
			fail_msg("%s: %s", lists[i].key, zones_said(&zones));
		text_done(&text);
		zones_done(&zones);
	}
}

static bool is_hidden(const struct zones *zones, const char *name)
{
	const struct zone_node *node = zones_find(zones, name, DNS_TYPE_HTTPS).node;
	const struct zone_block *block = zone_node_get_set(node, DNS_TYPE_HTTPS);

	assert_int_equal(block->hints_count, 1);
	assert_true(zone_block_hints(block)->is_outward);
	return zone_set_hides_hints(zones->set, zone_block_hints(block));
}

/* Whether a target is steered, another zone may say, and say otherwise while this one's file stays as it is. */
static void targets_in_other_zones(void **state)
{
#define AT_EXAMPLE "zones/example.zone:4: the address hints of the HTTPS at 'x.example.' "
#define STEERED "its target 'dl.other.' is steered, and they would pass the pool by\n"
	static const struct {
		const char *other;
		bool is_hidden;
		const char *want;
	} steps[] = {
		{ZONES_HEAD "dl A 192.0.2.1\n", false, ""},
		{ZONES_HEAD "_steer.dl TXT pool=web\n", true,
			"warning: " AT_EXAMPLE "are not served: " STEERED},
		{ZONES_HEAD "dl CNAME w.dl\n_steer.*.dl TXT pool=web\n", true,
			"warning: " AT_EXAMPLE "are not served: " STEERED},
		{ZONES_HEAD "dl NS ns.elsewhere.\n", false, ""},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write(FILE_NAME, ZONES_HEAD "x HTTPS 1 dl.other. ipv4hint=192.0.2.1\n");
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		zones_write("zones/other.zone", steps[i].other);
		assert_true(zones_read(&zones));
		assert_string_equal(zones_said(&zones), steps[i].want);
		assert_int_equal(is_hidden(&zones, "x.example"), steps[i].is_hidden);
	}
	zones_done(&zones);
}

static void mandatory_hints_that_must_hide(void **state)
{
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write(FILE_NAME,
		ZONES_HEAD "x HTTPS 1 dl.other. mandatory=ipv4hint ipv4hint=192.0.2.1\n");
	zones_write("zones/other.zone", ZONES_HEAD "_steer.dl TXT pool=web\n");
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		FILE_NAME
		":4: the HTTPS at 'x.example.' makes address hints 'mandatory', but its target "
		"'dl.other.' is steered: they would pass the pool by\n");
	assert_true(is_hidden(&zones, "x.example"));
	zones_done(&zones);
}

/* Many hidden hints are told from many that are not. */
static void many_targets(void **state)
{
	struct zones zones;
	struct text text = {0};

	(void)state;
	zones_init(&zones);
	text_add(&text, ZONES_HEAD "_steer.dl TXT pool=web\n");
	for (unsigned i = 0; i < 200; i++)
		text_print(&text, "x%u HTTPS 1 %s ipv4hint=192.0.2.1\n", i,
			i % 3 == 0 ? "dl" : "elsewhere");
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_int_equal(zones.report.warning_count, 67);
	for (unsigned i = 0; i < 200; i++) {
		text_clear(&text);
		text_print(&text, "x%u.example", i);
		assert_int_equal(is_hidden(&zones, text.bytes), i % 3 == 0);
	}
	text_done(&text);
	zones_done(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_wire),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(long_values),
		cmocka_unit_test(targets_in_other_zones),
		cmocka_unit_test(mandatory_hints_that_must_hide),
		cmocka_unit_test(many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
