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
#include "zones.h"

#define FILE_NAME "zones/example.zone"
#define REFUSED(errors) FILE_NAME ": refused, " errors "; not served\n"

/* Line 4 is the first behind ZONES_HEAD. */
static const struct {
	const char *about;
	const char *text;
	const char *want; /* the whole report */
} cases[] = {
	{"nothing wrong", ZONES_HEAD "www A 192.0.2.1\n", ""},
	{"no SOA", "@ 60 NS ns.elsewhere.\n",
		FILE_NAME ": the zone has no SOA (RFC 1035 5.2)\n" REFUSED("1 error")},
	{"nothing at all", "",
		FILE_NAME
		": the zone has no SOA (RFC 1035 5.2)\n" FILE_NAME
		": the zone has no NS at its apex (RFC 1034 4.2.1)\n" REFUSED("2 errors")},
	{"two SOAs", ZONES_HEAD "@ SOA ns.elsewhere. host 8 7200 900 1209600 60\n",
		FILE_NAME
		":4: '@' has a second SOA; the first is at line 2 (RFC 1035 5.2)\n" REFUSED(
			"1 error")},
	{"a SOA elsewhere", ZONES_HEAD "x SOA . . 8 7200 900 1209600 60\n",
		FILE_NAME ":4: 'x' has a SOA, which only the apex 'example.' may have (RFC 1035 "
			  "5.2)\n" REFUSED("1 error")},
	{"no NS at the apex", "@ 60 SOA . . 1 2 3 4 5\nsub 60 NS ns.elsewhere.\n",
		FILE_NAME ": the zone has no NS at its apex (RFC 1034 4.2.1)\n" REFUSED("1 error")},
	{"what could not be read is not called missing", "@ 60 SOA . . 1 2 3 4\n",
		FILE_NAME ":1: SOA data '. . 1 2 3 4' ends too early\n" REFUSED("1 error")},

	{"CNAME first", ZONES_HEAD "www CNAME a\nwww A 192.0.2.1\nwww AAAA ::1\n",
		FILE_NAME ":4: 'www' has a CNAME, so it cannot also have the A at line 5 (RFC 1034 "
			  "3.6.2)\n" REFUSED("1 error")},
	{"CNAME last", ZONES_HEAD "www TXT x\nwww CNAME a\n",
		FILE_NAME
		":5: 'www' has a CNAME, so it cannot also have the TXT at line 4 (RFC 1034 "
		"3.6.2)\n" REFUSED("1 error")},
	{"CNAME at the apex", ZONES_HEAD "@ CNAME a\n",
		FILE_NAME ":4: '@' has a CNAME, so it cannot also have the NS at line 3 (RFC 1034 "
			  "3.6.2)\n" REFUSED("1 error")},
	{"two CNAMEs", ZONES_HEAD "www CNAME a\nwww CNAME b\n",
		FILE_NAME
		":5: 'www' has a second CNAME; the first is at line 4 (RFC 2181 10.1)\n" REFUSED(
			"1 error")},
	{"CNAME beside its signature",
		ZONES_HEAD
		"www CNAME a\n"
		"www RRSIG CNAME 8 2 3600 20300101000000 20200101000000 1 example. AAAA\n"
		"www NSEC @ CNAME RRSIG NSEC\n",
		""},
	{"CNAME and DNAME", ZONES_HEAD "www CNAME a\nwww DNAME b\n",
		FILE_NAME
		":4: 'www' has a CNAME, so it cannot also have the DNAME at line 5 (RFC 1034 "
		"3.6.2)\n" REFUSED("1 error")},

	{"outside",
		ZONES_HEAD "www.other. A 192.0.2.1\nexample.com. A 192.0.2.1\nxexample. TXT x\n",
		FILE_NAME
		":4: 'www.other.' is outside of the zone 'example.'\n" FILE_NAME
		":5: 'example.com.' is outside of the zone 'example.'\n" FILE_NAME
		":6: 'xexample.' is outside of the zone 'example.'\n" REFUSED("3 errors")},
	{"a label that only ends like the zone", ZONES_HEAD "x\\007example. A 192.0.2.1\n",
		FILE_NAME
		":4: 'x\\007example.' is outside of the zone 'example.'\n" REFUSED("1 error")},
	{"not outside", ZONES_HEAD "www.EXAMPLE. A 192.0.2.1\n", ""},

	{"an unknown pool", ZONES_HEAD "_steer.www TXT \"pool=wbe\"\n",
		FILE_NAME
		":4: '_steer.www' names the pool 'wbe', which does not exist\n" REFUSED("1 error")},
	{"no pool", ZONES_HEAD "_steer.www TXT \"pool=\"\n",
		FILE_NAME ":4: '_steer.www' must say \"pool=NAME\"\n" REFUSED("1 error")},
	{"another word", ZONES_HEAD "_steer TXT \"pol=web\"\n",
		FILE_NAME ":4: '_steer' must say \"pool=NAME\"\n" REFUSED("1 error")},
	{"two strings", ZONES_HEAD "_steer TXT \"pool=web\" \"x\"\n",
		FILE_NAME ":4: '_steer' must say \"pool=NAME\"\n" REFUSED("1 error")},
	{"a zero byte", ZONES_HEAD "_steer TXT \"pool=web\\000\"\n",
		FILE_NAME ":4: '_steer' must say \"pool=NAME\"\n" REFUSED("1 error")},
	{"two instructions", ZONES_HEAD "_steer.www TXT pool=web\n_STEER.WWW TXT pool=site\n",
		FILE_NAME ":5: '_steer.www' has a second record; the first is at line 4\n" REFUSED(
			"1 error")},
	{"not a TXT", ZONES_HEAD "_steer.www A 192.0.2.1\n",
		FILE_NAME
		":4: '_steer.www' may have a TXT record alone, not A\n" REFUSED("1 error")},
	{"a CNAME steered", ZONES_HEAD "_steer.www TXT pool=web\nwww CNAME x\n",
		FILE_NAME ":4: 'www' has a CNAME at line 5, so it cannot be steered (RFC 1034 "
			  "3.6.2)\n" REFUSED("1 error")},
	{"a delegation steered", ZONES_HEAD "sub NS ns.elsewhere.\n_steer.sub TXT pool=web\n",
		FILE_NAME
		":5: 'sub' cannot be steered: it belongs to the delegation of 'sub' at line "
		"4\n" REFUSED("1 error")},
	{"below a delegation", ZONES_HEAD "_steer.a.sub TXT pool=web\nsub NS ns.elsewhere.\n",
		FILE_NAME
		":4: 'a.sub' cannot be steered: it belongs to the delegation of 'sub' at line "
		"5\n" REFUSED("1 error")},
	{"a wildcard steered, and a fallback",
		ZONES_HEAD "_steer.*.s TXT pool=web\n*.s A 192.0.2.1\n", ""},

	{"hints of a steered name are the pool's (RFC 9460 7.3)",
		ZONES_HEAD "_steer.www TXT pool=web\nwww HTTPS 1 . ipv4hint=192.0.2.1\n", ""},
	{"so they cannot be mandatory (RFC 9460 8)",
		ZONES_HEAD "www HTTPS 1 www mandatory=ipv6hint ipv6hint=::1\n"
			   "_steer.www TXT pool=web\n",
		FILE_NAME
		":4: 'www' is steered: the address hints of its HTTPS come and go with "
		"the pool, so they cannot be 'mandatory' (RFC 9460 8)\n" REFUSED("1 error")},
	{"other parameters can",
		ZONES_HEAD "_steer.www TXT pool=web\n"
			   "www HTTPS 1 . mandatory=port port=1 ipv4hint=192.0.2.1\n",
		""},
	{"of a name that is not steered they can",
		ZONES_HEAD "www SVCB 1 . mandatory=ipv4hint ipv4hint=192.0.2.1\n", ""},
	{"hints alone make no two records of a steered name",
		ZONES_HEAD "_steer.www TXT pool=web\n"
			   "www HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1\n"
			   "www HTTPS 1 . alpn=h2 ipv6hint=::1\n"
			   "www HTTPS 1 . alpn=h3 ipv4hint=192.0.2.1\n"
			   "www HTTPS 1 . alpn=h2\n"
			   "www HTTPS 1 . alpn=h2 port=1\n"
			   "www HTTPS 2 . alpn=h2\n",
		"warning: " FILE_NAME
		":6: 'www' has the same HTTPS at line 5; this one is dropped\n"
		"warning: " FILE_NAME
		":8: 'www' has the same HTTPS at line 5; this one is dropped\n"},
	{"of another name they do",
		ZONES_HEAD "www HTTPS 1 . ipv4hint=192.0.2.1\nwww HTTPS 1 . ipv4hint=192.0.2.2\n",
		""},
	{"an alias with parameters (RFC 9460 2.4.2)",
		ZONES_HEAD "www HTTPS 0 a alpn=h2 ipv4hint=192.0.2.1\nwww HTTPS 0 a\n",
		"warning: " FILE_NAME
		":4: the HTTPS at 'www' has priority 0, which makes it an alias: "
		"its parameters are dropped (RFC 9460 2.4.2)\n"
		"warning: " FILE_NAME
		":5: 'www' has the same HTTPS at line 4; this one is dropped\n"},
	{"a target that is steered",
		ZONES_HEAD "www HTTPS 1 dl ipv4hint=192.0.2.1\n_steer.dl TXT pool=web\n",
		"warning: " FILE_NAME
		":4: the address hints of the HTTPS at 'www.example.' are not "
		"served: its target 'dl.example.' is steered, and they would pass the pool by\n"},
	{"a target that is steered, of a steered name, and no hints",
		ZONES_HEAD "_steer.www TXT pool=web\n_steer.dl TXT pool=web\n"
			   "www HTTPS 1 dl alpn=h2\n",
		""},
	{"critical CAA (RFC 8659 4.1)", ZONES_HEAD "@ CAA 128 issue \"a\"\n", ""},
	{"CAA with another flag (RFC 8659 4.1)", ZONES_HEAD "@ CAA 1 issue \"a\"\n",
		"warning: " FILE_NAME
		":4: the CAA at '@' has the flags 1, but only 128, critical, means "
		"anything (RFC 8659 4.1)\n"},

	{"a file that ends within a line", ZONES_HEAD "www A 192.0.2.1",
		"warning: " FILE_NAME ":4: the last line has no line end: is the file whole?\n"},
	{"a file that ends within a comment", ZONES_HEAD "; www A 192.0.2.1",
		"warning: " FILE_NAME ":4: the last line has no line end: is the file whole?\n"},
	{"TTLs differ", ZONES_HEAD "www 60 A 192.0.2.1\nwww 30 A 192.0.2.2\nwww 90 A 192.0.2.3\n",
		"warning: " FILE_NAME
		":5: 'www' has A records with TTL 30 and, at line 4, 60; the lowest, "
		"30, serves (RFC 2181 5.2)\n"},
	{"TTLs of other types", ZONES_HEAD "www 60 A 192.0.2.1\nwww 30 AAAA ::1\n", ""},
	{"the same twice", ZONES_HEAD "www A 192.0.2.1\nwww A 192.0.2.1\nwww 30 A 192.0.2.1\n",
		"warning: " FILE_NAME ":5: 'www' has the same A at line 4; this one is dropped\n"
		"warning: " FILE_NAME ":6: 'www' has the same A at line 4; this one is dropped\n"},
	{"the same name in other case", ZONES_HEAD "x PTR Www\nx PTR wWW\n",
		"warning: " FILE_NAME ":5: 'x' has the same PTR at line 4; this one is dropped\n"},
	{"other text in other case", ZONES_HEAD "x TXT a\nx TXT A\n", ""},
	{"a CNAME twice is one", ZONES_HEAD "x CNAME a\nx CNAME a\n",
		"warning: " FILE_NAME
		":5: 'x' has the same CNAME at line 4; this one is dropped\n"},

	{"a server without address", ZONES_HEAD "@ NS ns1\n",
		"warning: " FILE_NAME
		":4: the name server 'ns1' of '@' has no address here (RFC 1912 "
		"2.8)\n"},
	{"a server with an IPv6 address", ZONES_HEAD "@ NS ns1\nns1 AAAA ::1\n", ""},
	{"a server that a wildcard is", ZONES_HEAD "@ NS a.b\n* A 192.0.2.1\n", ""},
	{"a server that a wildcard is not", ZONES_HEAD "@ NS a.b\n* A 192.0.2.1\nx.b A 192.0.2.1\n",
		"warning: " FILE_NAME
		":4: the name server 'a.b' of '@' has no address here (RFC 1912 "
		"2.8)\n"},
	{"a server that is steered", ZONES_HEAD "@ NS ns1\n_steer.ns1 TXT pool=web\n", ""},
	{"a server that is an alias", ZONES_HEAD "@ NS ns1\nns1 CNAME x\n",
		"warning: " FILE_NAME
		":4: the name server 'ns1' of '@' is an alias (RFC 2181 10.3)\n"},
	{"a server whose address could not be read", ZONES_HEAD "@ NS ns1\nns1 A 192.0.2\n",
		FILE_NAME ":5: A data '192.0.2' cannot be read\n" REFUSED("1 error")},
	{"a hidden delegation without glue", ZONES_HEAD "sub NS ns.elsewhere.\na.sub NS ns.a.sub\n",
		"warning: " FILE_NAME ":5: the NS at 'a.sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"},
	{"a delegation without glue", ZONES_HEAD "sub NS ns.sub\n",
		"warning: " FILE_NAME
		":4: the name server 'ns.sub' of 'sub' has no address here (RFC 1912 "
		"2.8)\n"},
	{"a server below another delegation", ZONES_HEAD "a NS ns.b\nb NS ns.elsewhere.\n", ""},

	{"hidden by a delegation",
		ZONES_HEAD "sub NS ns.sub\n"
			   "ns.sub A 192.0.2.1\n"
			   "www.sub A 192.0.2.1\n"
			   "www.sub A 192.0.2.2\n"
			   "sub TXT x\n"
			   "ns.sub TXT x\n"
			   "sub DS 1 8 1 0000000000000000000000000000000000000000\n",
		"warning: " FILE_NAME ":8: the TXT at 'sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"
		"warning: " FILE_NAME
		":9: the TXT at 'ns.sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"
		"warning: " FILE_NAME ":6: the A at 'www.sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"},
	{"a delegation below a delegation",
		ZONES_HEAD "sub NS ns.elsewhere.\na.sub NS ns.elsewhere.\n",
		"warning: " FILE_NAME ":5: the NS at 'a.sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"},
	{"a wildcard delegated", ZONES_HEAD "*.x NS ns.elsewhere.\n",
		FILE_NAME
		":4: the wildcard '*.x' cannot be delegated (RFC 4592 4.2)\n" REFUSED("1 error")},
	{"a DNAME", ZONES_HEAD "d DNAME x\nd A 192.0.2.1\n", ""},
	{"a DNAME at the apex", ZONES_HEAD "@ DNAME x.other.\n", ""},
	{"a wildcard with a DNAME", ZONES_HEAD "*.x DNAME y\n",
		FILE_NAME
		":4: the wildcard '*.x' cannot have a DNAME (RFC 6672 3.3)\n" REFUSED("1 error")},
	{"a DNAME at a delegation", ZONES_HEAD "sub NS ns.elsewhere.\nsub DNAME x\n",
		"warning: " FILE_NAME ":5: the DNAME at 'sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"},
	{"a delegation below a DNAME", ZONES_HEAD "d DNAME x\na.d NS ns.elsewhere.\n",
		"warning: " FILE_NAME
		":5: the NS at 'a.d' is never served: it lies below a DNAME, where nothing may be "
		"(RFC 6672 2.4)\n"},
	{"a wildcard below a DNAME", ZONES_HEAD "d DNAME x\n*.d DNAME y\n",
		"warning: " FILE_NAME
		":5: the DNAME at '*.d' is never served: it lies below a DNAME, where nothing may "
		"be (RFC 6672 2.4)\n"},
	{"steered below a DNAME", ZONES_HEAD "d DNAME x\n_steer.a.d TXT \"pool=web\"\n",
		FILE_NAME
		":5: 'a.d' cannot be steered: it lies below a DNAME (RFC 6672 2.4)\n" REFUSED(
			"1 error")},
	{"steered at a DNAME", ZONES_HEAD "d DNAME x\n_steer.d TXT \"pool=web\"\n", ""},
	{"a server below a DNAME",
		ZONES_HEAD "d DNAME x\nsub NS ns.d\nother NS n.s.d\nns.d A 192.0.2.1\n",
		"warning: " FILE_NAME
		":5: the name server 'ns.d' of 'sub' is an alias (RFC 2181 10.3)\n"
		"warning: " FILE_NAME
		":6: the name server 'n.s.d' of 'other' is an alias (RFC 2181 10.3)\n"
		"warning: " FILE_NAME
		":7: the A at 'ns.d' is never served: it lies below a DNAME, where nothing may be "
		"(RFC 6672 2.4)\n"},
	{"a hidden DNAME", ZONES_HEAD "sub NS ns.elsewhere.\nd.sub DNAME x\n",
		"warning: " FILE_NAME
		":5: the DNAME at 'd.sub' is never served: it is hidden by the "
		"delegation of 'sub' at line 4\n"},
	{"below a DNAME", ZONES_HEAD "d DNAME x\na.b.d A 192.0.2.1\nd A 192.0.2.1\n",
		"warning: " FILE_NAME
		":5: the A at 'a.b.d' is never served: it lies below a DNAME, where nothing may be "
		"(RFC 6672 2.4)\n"},
	{"two DNAMEs", ZONES_HEAD "d DNAME x\nd DNAME y\n",
		FILE_NAME
		":5: 'd' has a second DNAME; the first is at line 4 (RFC 6672 2.4)\n" REFUSED(
			"1 error")},
	{"names in messages", ZONES_HEAD "a\\.b\\032c CNAME x\na\\.b\\032c A 192.0.2.1\n",
		FILE_NAME
		":4: 'a\\.b\\032c' has a CNAME, so it cannot also have the A at line 5 (RFC 1034 "
		"3.6.2)\n" REFUSED("1 error")},
};

static void mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct zones zones;

		zones_init(&zones);
		zones_write(FILE_NAME, cases[i].text);
		assert_true(zones_read(&zones));
		if (strcmp(zones_said(&zones), cases[i].want) != 0)
			fail_msg("%s:\n%s", cases[i].about, zones_said(&zones));
		assert_int_equal(zone_set_count(zones.set), zones.report.error_count == 0);
		zones_done(&zones);
	}
}

static void lowest_ttl_serves(void **state)
{
	struct zones zones;
	struct text got = {0};

	(void)state;
	zones_init(&zones);
	zones_write(FILE_NAME,
		ZONES_HEAD
		"www 60 A 192.0.2.1\nwww 30 A 192.0.2.2\n"
		"www 60 A 192.0.2.1\n"
		"www 60 RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AA==\n"
		"www 90 RRSIG AAAA 8 2 90 20300101000000 20200101000000 1 example. AA==\n");
	assert_true(zones_read(&zones));
	assert_int_equal(zones.report.warning_count, 2);

	const struct zone_node *node = zones_find(&zones, "www.example", DNS_TYPE_A).node;

	zones_decode(zone_node_get_set(node, DNS_TYPE_A), zone_node_name(node), ZONES_HOME, &got);
	assert_string_equal(got.bytes, "www.example. 30 A c0000201\nwww.example. 30 A c0000202\n");
	/* RFC 4034 3: a signature has the TTL of what it signs */
	zones_decode(zone_node_get_set(node, 46), zone_node_name(node), ZONES_HOME, &got);
	assert_non_null(strstr(got.bytes, "www.example. 60 RRSIG"));
	assert_non_null(strstr(got.bytes, "www.example. 90 RRSIG"));
	text_done(&got);
	zones_done(&zones);
}

static void set_too_large(void **state)
{
	struct zones zones;
	struct text text = {0};

	(void)state;
	zones_init(&zones);
	text_add(&text, ZONES_HEAD);
	for (unsigned i = 0; i < 4063; i++)
		text_print(&text, "big A 10.0.%u.%u\n", i / 256, i % 256);
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		FILE_NAME
		":4: the A records of 'big' take 65008 octets, more than a message holds\n" REFUSED(
			"1 error"));
	text.size -= strlen("big A 10.0.15.222\n");
	text.bytes[text.size] = '\0';
	zones_write(FILE_NAME, text.bytes);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");
	text_done(&text);
	zones_done(&zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(lowest_ttl_serves),
		cmocka_unit_test(set_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
