/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "steerd/base/memory.h"
#include "steerd/dns/dns.h"
#include "zones.h"

/* ---- looking up ---- */

struct question {
	const char *name;
	uint16_t type;
	const char *want;
};

static void ask_all(struct zones *zones, const struct question *questions, size_t count)
{
	struct text got = {0};

	if (!zones_read(zones) || zones->report.error_count > 0)
		fail_msg("%s", zones_said(zones));
	for (size_t i = 0; i < count; i++) {
		zones_ask(zones, questions[i].name, questions[i].type, &got);
		if (strcmp(got.bytes, questions[i].want) != 0)
			fail_msg("%s: %s, not %s", questions[i].name, got.bytes, questions[i].want);
	}
	text_done(&got);
}

#define L47 "01234567890123456789012345678901234567890123456"
#define L53 L47 "789012"
#define L63 L53 "3456789012"

/* The zone of RFC 4592 2.2.1, and its questions; then what it leaves out. */
static void wildcards(void **state)
{
	static const struct question questions[] = {
		{"host3.example", DNS_TYPE_MX, "node *.example. in example. by wildcard"},
		{"host3.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{"foo.bar.example", DNS_TYPE_TXT, "node *.example. in example. by wildcard"},
		{"host1.example", DNS_TYPE_MX, "node host1.example. in example."},
		{"sub.*.example", DNS_TYPE_MX, "node sub.*.example. in example."},
		{"_telnet._tcp.host1.example", DNS_TYPE_SRV, "missing in example."},
		{"host.subdel.example", DNS_TYPE_A, "referral subdel.example. in example."},
		{"ghost.*.example", DNS_TYPE_MX, "missing in example."},

		{"example", DNS_TYPE_SOA, "node example. in example."},
		{"*.example", DNS_TYPE_MX, "node *.example. in example."},
		{"_ssh._tcp.host2.example", DNS_TYPE_SRV,
			"node _ssh._tcp.host2.example. in example."},
		{"_tcp.host2.example", DNS_TYPE_SRV, "node _tcp.host2.example. in example."},
		{"host2.example", DNS_TYPE_A, "node host2.example. in example."},
		{"x.host2.example", DNS_TYPE_A, "missing in example."},
		{"x._tcp.host2.example", DNS_TYPE_A, "missing in example."},
		{"a.b.c.d.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{"*.host1.example", DNS_TYPE_A, "missing in example."},
		{"*.*.example", DNS_TYPE_A, "missing in example."},
		{"x.sub.*.example", DNS_TYPE_A, "missing in example."},
		{"subdel.example", DNS_TYPE_NS, "referral subdel.example. in example."},
		{"subdel.example", DNS_TYPE_DS, "node subdel.example. in example."},
		{"host.subdel.example", DNS_TYPE_DS, "referral subdel.example. in example."},
		{"*.subdel.example", DNS_TYPE_A, "referral subdel.example. in example."},
		{"ns.example.com", DNS_TYPE_A, "outside"},
		{".", DNS_TYPE_NS, "outside"},
		{"eexample", DNS_TYPE_NS, "outside"},
		{"HOST1.Example", DNS_TYPE_A, "node host1.example. in example."},
		{"HOST9.Example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{"\\000.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{L63 "." L63 "." L63 "." L53 ".example", DNS_TYPE_A, /* 255 octets */
			"node *.example. in example. by wildcard"},
		{L63 "." L63 "." L63 "." L47 ".host1.example", DNS_TYPE_A, "missing in example."},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write("zones/example.zone",
		"$ORIGIN example.\n"
		"example.                 3600 IN  SOA   ns.example.com. h.example.com. 1 2 3 4 5\n"
		"example.                 3600     NS    ns.example.com.\n"
		"example.                 3600     NS    ns.example.net.\n"
		"*.example.               3600     TXT   \"this is a wildcard\"\n"
		"*.example.               3600     MX    10 host1.example.\n"
		"sub.*.example.           3600     TXT   \"this is not a wildcard\"\n"
		"host1.example.           3600     A     192.0.2.1\n"
		"_ssh._tcp.host1.example. 3600     SRV   0 0 22 host1\n"
		"_ssh._tcp.host2.example. 3600     SRV   0 0 22 host2\n"
		"subdel.example.          3600     NS    ns.example.com.\n"
		"subdel.example.          3600     NS    ns.example.net.\n");
	ask_all(&zones, questions, COUNT_OF(questions));
	zones_done(&zones);
}

static void wildcards_deeper(void **state)
{
	static const struct question questions[] = {
		/* an empty non-terminal stops the wildcard above it */
		{"x.ent.example", DNS_TYPE_A, "missing in example."},
		{"ent.example", DNS_TYPE_A, "node ent.example. in example."},
		{"deep.ent.example", DNS_TYPE_A, "node deep.ent.example. in example."},
		{"x.other.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		/* a wildcard without data of its own is one all the same: no data, not no name */
		{"y.w.example", DNS_TYPE_A, "node *.w.example. in example. by wildcard"},
		{"a.y.w.example", DNS_TYPE_A, "node *.w.example. in example. by wildcard"},
		{"w.example", DNS_TYPE_A, "node w.example. in example."},
		/* a star that is not alone in its label, or not the first label, means itself */
		{"x*.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{"ab.example", DNS_TYPE_A, "node *.example. in example. by wildcard"},
		{"x.a*.example", DNS_TYPE_A, "missing in example."},
		/* an escaped star is a star: escapes are gone on the wire */
		{"\\042.example", DNS_TYPE_A, "node *.example. in example."},
		/* no label is longer than what is there: 127 of them are looked for as few */
		{"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
		 "a."
		 "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
		 "a."
		 "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
		 "a."
		 "example",
			DNS_TYPE_A, "node *.example. in example. by wildcard"},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write("zones/example.zone",
		ZONES_HEAD "*          A 192.0.2.1\n"
			   "x.deep.ent A 192.0.2.2\n"
			   "s.*.w      A 192.0.2.3\n"
			   "a*         A 192.0.2.4\n");
	ask_all(&zones, questions, COUNT_OF(questions));
	zones_done(&zones);
}

static void below_dnames(void **state)
{
	static const struct question questions[] = {
		{"d.example", DNS_TYPE_A, "node d.example. in example."},
		{"d.example", DNS_TYPE_DNAME, "node d.example. in example."},
		{"x.d.example", DNS_TYPE_A, "below-dname d.example. in example."},
		{"X.Y.D.example", DNS_TYPE_DS, "below-dname d.example. in example."},
		/* what the zone holds there is hidden: names, wildcards, delegations, DNAMEs */
		{"www.d.example", DNS_TYPE_A, "below-dname d.example. in example."},
		{"*.d.example", DNS_TYPE_A, "below-dname d.example. in example."},
		{"x.sub.d.example", DNS_TYPE_A, "below-dname d.example. in example."},
		{"sub.d.example", DNS_TYPE_DS, "below-dname d.example. in example."},
		{"x.low.d.example", DNS_TYPE_A, "below-dname d.example. in example."},
		/* neither above it nor beside it */
		{"dd.example", DNS_TYPE_A, "missing in example."},
		{"x.dd.example", DNS_TYPE_A, "missing in example."},
		{"d", DNS_TYPE_A, "outside"},
		/* a wildcard beside it is not for what lies below */
		{"e.w.example", DNS_TYPE_DNAME, "node e.w.example. in example."},
		{"x.e.w.example", DNS_TYPE_A, "below-dname e.w.example. in example."},
		{"f.w.example", DNS_TYPE_A, "node *.w.example. in example. by wildcard"},
		/* below a delegation there is none */
		{"x.d.cut.example", DNS_TYPE_A, "referral cut.example. in example."},
		{"x.both.example", DNS_TYPE_A, "referral both.example. in example."},
		/* a zone below it that is served is one all the same */
		{"zone.d.example", DNS_TYPE_SOA, "node zone.d.example. in zone.d.example."},
		{"x.zone.d.example", DNS_TYPE_A, "missing in zone.d.example."},
		/* at the apex */
		{"top", DNS_TYPE_SOA, "node top. in top."},
		{"x.top", DNS_TYPE_A, "below-dname top. in top."},
		{"www.top", DNS_TYPE_A, "below-dname top. in top."},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write("zones/example.zone",
		ZONES_HEAD "d       DNAME elsewhere.\n"
			   "d       A     192.0.2.1\n"
			   "www.d   A     192.0.2.2\n"
			   "*.d     A     192.0.2.3\n"
			   "sub.d   NS    ns.elsewhere.\n"
			   "low.d   DNAME elsewhere.\n"
			   "e.w     DNAME elsewhere.\n"
			   "*.w     A     192.0.2.4\n"
			   "cut     NS    ns.elsewhere.\n"
			   "d.cut   DNAME elsewhere.\n"
			   "both    NS    ns.elsewhere.\n"
			   "both    DNAME elsewhere.\n");
	zones_write("zones/zone.d.example.zone", ZONES_HEAD);
	zones_write("zones/top.zone", ZONES_HEAD "@ DNAME elsewhere.\nwww A 192.0.2.5\n");
	ask_all(&zones, questions, COUNT_OF(questions));
	zones_done(&zones);
}

static void several_zones(void **state)
{
	static const struct question questions[] = {
		{"www.example", DNS_TYPE_A, "node www.example. in example."},
		/* the child answers at and below its apex ... */
		{"child.example", DNS_TYPE_NS, "node child.example. in child.example."},
		{"child.example", DNS_TYPE_A, "node child.example. in child.example."},
		{"x.child.example", DNS_TYPE_A, "node x.child.example. in child.example."},
		{"ns.child.example", DNS_TYPE_A, "missing in child.example."},
		/* ... but what the parent alone knows (RFC 4035 3.1.4.1) */
		{"child.example", DNS_TYPE_DS, "node child.example. in example."},
		{"x.child.example", DNS_TYPE_DS, "node x.child.example. in child.example."},
		/* two steps down */
		{"a.b.grand.child.example", DNS_TYPE_A, "missing in grand.child.example."},
		{"grand.child.example", DNS_TYPE_DS, "node grand.child.example. in child.example."},
		{"grand.child.example", DNS_TYPE_SOA,
			"node grand.child.example. in grand.child.example."},
		{"example", DNS_TYPE_DS, "node example. in example."},
		/* a child whose parent is silent about it answers itself */
		{"orphan.example", DNS_TYPE_DS, "node orphan.example. in orphan.example."},
		{"x.orphan.example", DNS_TYPE_A, "missing in orphan.example."},
		/* a child that stands below a delegation to others */
		{"hosted.away.example", DNS_TYPE_A,
			"node hosted.away.example. in hosted.away.example."},
		{"hosted.away.example", DNS_TYPE_DS,
			"node hosted.away.example. in hosted.away.example."},
		{"x.away.example", DNS_TYPE_A, "referral away.example. in example."},
		{"other.test", DNS_TYPE_A, "node other.test. in other.test."},
		{"test", DNS_TYPE_A, "outside"},
		{"x.test", DNS_TYPE_A, "outside"},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write("zones/example.zone",
		ZONES_HEAD "www      A 192.0.2.1\n"
			   "child    NS ns.child\n"
			   "child    DS 1 8 2 "
			   "0000000000000000000000000000000000000000000000000000000000000000\n"
			   "ns.child A 192.0.2.2\n"
			   "away     NS ns.elsewhere.\n");
	zones_write("zones/child.example.zone",
		ZONES_HEAD "x     A 192.0.2.3\n"
			   "grand NS ns.elsewhere.\n");
	zones_write("zones/grand.child.example.zone", ZONES_HEAD);
	zones_write("zones/orphan.example.zone", ZONES_HEAD);
	zones_write("zones/hosted.away.example.zone", ZONES_HEAD);
	zones_write("zones/other.test.zone", ZONES_HEAD);
	zones_write("zones/README", "not a zone");
	zones_write("zones/.hidden.zone", "not a zone");
	zones_write("zones/parts/some.zone", "not in the directory");
	ask_all(&zones, questions, COUNT_OF(questions));
	assert_int_equal(zone_set_count(zones.set), 6);
	assert_string_equal(zones_said(&zones),
		"warning: zones/example.zone: nothing here delegates 'orphan.example.', which is "
		"served "
		"as well (RFC 1034 4.2.1)\n");
	zones_done(&zones);
}

/* `count` labels of `letter`, each with its dot. */
static void add_labels(struct text *text, char letter, unsigned count)
{
	while (count-- > 0)
		text_print(text, "%c.", letter);
}

/* A zone whose apex is `depth` times "x." below "w.", with a name at each depth down to the last, all with a wildcard. */
static void write_deep_zone(unsigned depth)
{
	struct text path = {0};
	struct text zone = {0};

	text_add(&path, "zones/");
	add_labels(&path, 'x', depth);
	text_add(&path, "w.zone");
	text_add(&zone, ZONES_HEAD "$ORIGIN w.\n");
	for (unsigned labels = depth; labels < 126; labels++) {
		text_add(&zone, "*.");
		add_labels(&zone, 'x', labels);
		text_add(&zone, "w. A 192.0.2.1\n");
	}
	zones_write(path.bytes, zone.bytes);
	text_done(&path);
	text_done(&zone);
}

/* Asks for `missing` labels below `found` of those that exist, and wants the wildcard right below these (RFC 4592 3.3.1). */
static void ask_deep(
	const struct zones *zones, const char *suffix, unsigned found, unsigned missing)
{
	struct text name = {0};
	struct text want = {0};
	char node[NAME_TEXT_SIZE] = "";
	struct zone_match match;

	add_labels(&name, 'y', missing);
	add_labels(&name, 'x', found);
	text_add(&name, suffix);
	text_add(&want, "*.");
	add_labels(&want, 'x', found);
	text_add(&want, suffix);
	match = zones_find(zones, name.bytes, DNS_TYPE_A);
	if (match.node)
		name_print(zone_node_name(match.node), node);
	if (!match.is_wildcard || strcmp(node, want.bytes) != 0)
		fail_msg("%s: '%s', not '%s'", name.bytes, node, want.bytes);
	text_done(&name);
	text_done(&want);
}

/* However deep a name, and wherever it stops to exist: in one zone, in zones within it, and in one that hangs loose. */
static void deep_names(void **state)
{
	static const char loose[] = "q.q.q.x.x.x.x.w.";
	struct zones zones;

	(void)state;
	zones_init(&zones);
	for (unsigned round = 0; round < 3; round++) {
		if (round < 2)
			write_deep_zone(round * 40);
		else
			zones_write("zones/q.q.q.x.x.x.x.w.zone",
				ZONES_HEAD "* A 192.0.2.1\n*.x.x.x A 192.0.2.1\n"
					   "*.x.x A 192.0.2.1\n*.x A 192.0.2.1\n");
		if (!zones_read(&zones) || zones.report.error_count > 0)
			fail_msg("%s", zones_said(&zones));
		for (unsigned found = 0; found < 126; found++)
			for (unsigned missing = 1; found + missing <= 126; missing++)
				ask_deep(&zones, "w.", found, missing);
	}
	for (unsigned found = 0; found < 4; found++)
		for (unsigned missing = 1; found + missing <= 119; missing++)
			ask_deep(&zones, loose, found, missing);
	assert_int_equal(zones_find(&zones, "a.q.q.x.x.x.x.w", DNS_TYPE_A).is_wildcard, true);
	assert_int_equal(zones_find(&zones, "y.y.y.y.y.v", DNS_TYPE_A).outcome, ZONE_OUTSIDE);
	zones_done(&zones);
}

static void steered_names(void **state)
{
	static const struct question questions[] = {
		{"www.example", DNS_TYPE_A,
			"node www.example. in example. steered by web for 30 s"},
		{"www.example", DNS_TYPE_MX,
			"node www.example. in example. steered by web for 30 s"},
		{"example", DNS_TYPE_A, "node example. in example. steered by site for 3600 s"},
		{"new.ent.example", DNS_TYPE_A,
			"node new.ent.example. in example. steered by web for 60 s"},
		{"ent.example", DNS_TYPE_A, "node ent.example. in example."},
		{"1.s.example", DNS_TYPE_A,
			"node *.s.example. in example. by wildcard steered by web for 3600 s"},
		{"*.s.example", DNS_TYPE_A,
			"node *.s.example. in example. steered by web for 3600 s"},
		{"other.example", DNS_TYPE_A, "missing in example."},
		/* the instructions are nowhere */
		{"_steer.example", DNS_TYPE_TXT, "missing in example."},
		{"_steer.www.example", DNS_TYPE_TXT, "missing in example."},
		{"_steer.*.s.example", DNS_TYPE_TXT, "missing in example."},
		{"_steer.new.ent.example", DNS_TYPE_TXT, "missing in example."},
		/* indices of the second zone begin behind those of the first */
		{"www.test", DNS_TYPE_A, "node www.test. in test. steered by site for 5 s"},
		/* such a label further inside means nothing */
		{"x._steer.test", DNS_TYPE_TXT, "node x._steer.test. in test."},
	};
	struct zones zones;

	(void)state;
	zones_init(&zones);
	zones_write("zones/example.zone",
		ZONES_HEAD "www         30 A 192.0.2.1\n"
			   "_steer.www  30 TXT \"pool=web\"\n"
			   "_STEER         TXT pool=site\n"
			   "_steer.new.ent 60 TXT ( \"pool=web\" )\n"
			   "_steer.*.s     TXT \"pool=web\"\n");
	zones_write("zones/test.zone",
		ZONES_HEAD "_steer.www 5 TXT \"pool=site\"\n"
			   "x._steer TXT \"pool=nowhere\"\n");
	ask_all(&zones, questions, COUNT_OF(questions));
	assert_string_equal(zones_said(&zones), "");
	assert_int_equal(zone_set_steered_count(zones.set), 5);

	const struct zone_steered *last = zone_set_steered(zones.set, 4);

	assert_string_equal(last->path, "zones/test.zone");
	assert_int_equal(last->line, 4);
	/* data beside an instruction stays data: the fallback */
	struct zone_match www = zones_find(&zones, "www.example", DNS_TYPE_A);

	assert_non_null(zone_node_get_set(www.node, DNS_TYPE_A));
	assert_null(zone_node_get_set(www.node, DNS_TYPE_TXT));
	zones_done(&zones);
}

static void accessors(void **state)
{
	struct zones zones;
	const struct zone *zone;
	char name[NAME_TEXT_SIZE];
	uint16_t type;
	unsigned position = 0;
	unsigned types = 0;
	uint16_t last = 0;

	(void)state;
	zones_init(&zones);
	zones_write("zones/Example.zone",
		ZONES_HEAD "www.ent A 192.0.2.1\nwww.ent A 192.0.2.2\n_steer TXT pool=web\n"
			   "many TXT x\nmany AAAA ::1\nmany A 192.0.2.1\nmany TYPE65280 \\# 0\n"
			   "many MX 1 www\nmany TXT y\n");
	assert_true(zones_read(&zones));
	assert_int_equal(zone_set_count(zones.set), 1);
	zone = zone_set_zone(zones.set, 0);
	name_print(zone_name(zone), name);
	assert_string_equal(name, "example.");
	assert_string_equal(zone_path(zone), "zones/Example.zone");
	assert_int_equal(zone_serial(zone), 7);
	assert_int_equal(zone_name_count(zone), 4); /* @, ent, www.ent, many */
	assert_int_equal(zone_record_count(zone), 10);
	assert_true(zone_set_size_bytes(zones.set) > 4096);

	const struct zone_node *many = zones_find(&zones, "many.example", DNS_TYPE_A).node;

	while (zone_node_next_set(many, &position, &type)) {
		assert_true(type > last);
		last = type;
		types++;
	}
	assert_int_equal(types, 5);
	/* the one without data is the smallest (RFC 8482 4.1) */
	assert_int_equal(zone_node_small_set(many)->type, 65280);
	assert_null(zone_node_small_set(zones_find(&zones, "ent.example", DNS_TYPE_A).node));
	assert_int_equal(last, 65280);
	assert_null(zone_node_referral(many));
	assert_null(zone_node_get_set(many, DNS_TYPE_NS));
	assert_int_equal(zone_node_get_set(many, DNS_TYPE_TXT)->record_count, 2);
	zones_done(&zones);
}

/* ---- reading again ---- */

static void unchanged_is_shared(void **state)
{
	struct zones zones;
	const struct zone *a;
	const struct zone *b;

	(void)state;
	zones_init(&zones);
	zones_write("zones/a.zone", ZONES_HEAD "_steer TXT pool=web\n$INCLUDE parts/hosts\n");
	zones_write("zones/parts/hosts", "x A 192.0.2.1\n");
	zones_write("zones/b.zone", ZONES_HEAD "_steer TXT pool=site\n");
	assert_true(zones_read(&zones));
	a = zone_set_zone(zones.set, 0);
	b = zone_set_zone(zones.set, 1);
	assert_true(zones_read(&zones));
	assert_ptr_equal(zone_set_zone(zones.set, 0), a);
	assert_ptr_equal(zone_set_zone(zones.set, 1), b);

	/* an included file is as much part of the zone */
	zones_write("zones/parts/hosts", "y A 192.0.2.1\n");
	assert_true(zones_read(&zones));
	assert_ptr_not_equal(zone_set_zone(zones.set, 0), a);
	assert_ptr_equal(zone_set_zone(zones.set, 1), b);
	assert_int_equal(zones_find(&zones, "x.a", DNS_TYPE_A).outcome, ZONE_MISSING);
	assert_int_equal(zones_find(&zones, "y.a", DNS_TYPE_A).outcome, ZONE_NODE);
	assert_int_equal(zones_find(&zones, "b", DNS_TYPE_A).steered, 1);

	/* a zone that comes in front moves the indices of those that are shared */
	zones_write("zones/a1.zone", ZONES_HEAD "_steer TXT pool=web\n_steer.x TXT pool=web\n");
	assert_true(zones_read(&zones));
	assert_ptr_equal(zone_set_zone(zones.set, 2), b);
	assert_int_equal(zones_find(&zones, "b", DNS_TYPE_A).steered, 3);
	assert_string_equal(zone_set_steered(zones.set, 3)->pool, "site");

	/* the same size under the same time of modification is still another file */
	struct stat status;

	assert_int_equal(stat("zones/b.zone", &status), 0);
	zones_write("zones/b.new", ZONES_HEAD "_steer TXT pool=site\n");

	const struct timespec times[] = {status.st_atim, status.st_mtim};

	assert_int_equal(utimensat(AT_FDCWD, "zones/b.new", times, 0), 0);
	assert_int_equal(rename("zones/b.new", "zones/b.zone"), 0);
	b = zone_set_zone(zones.set, 2);
	assert_true(zones_read(&zones));
	assert_ptr_not_equal(zone_set_zone(zones.set, 2), b);
	zones_done(&zones);
}

static void refused_is_kept(void **state)
{
	struct zones zones;
	const struct zone *a;

	(void)state;
	zones_init(&zones);
	zones_write("zones/a.zone", ZONES_HEAD "x A 192.0.2.1\n");
	zones_write("zones/b.zone", ZONES_HEAD);
	assert_true(zones_read(&zones));
	a = zone_set_zone(zones.set, 0);

	zones_write("zones/a.zone", ZONES_HEAD "x A 192.0.2.300\ny CNAME x\ny A 192.0.2.1\n");
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/a.zone:4: A data '192.0.2.300' cannot be read\n"
		"zones/a.zone:5: 'y' has a CNAME, so it cannot also have the A at line 6 (RFC 1034 "
		"3.6.2)\n"
		"zones/a.zone: refused, 2 errors; still answering from serial 7\n");
	assert_ptr_equal(zone_set_zone(zones.set, 0), a);
	assert_int_equal(zone_set_count(zones.set), 2);

	/* and again, and still the same zone */
	assert_true(zones_read(&zones));
	assert_ptr_equal(zone_set_zone(zones.set, 0), a);
	assert_int_equal(zones_find(&zones, "x.a", DNS_TYPE_A).outcome, ZONE_NODE);

	zones_write("zones/c.zone", "@ 1 NS x.\n");
	assert_true(zones_read(&zones));
	assert_non_null(strstr(zones_said(&zones),
		"zones/c.zone: the zone has no SOA (RFC 1035 5.2)\n"
		"zones/c.zone: refused, 1 error; not served\n"));
	assert_int_equal(zone_set_count(zones.set), 2);

	zones_write("zones/a.zone", ZONES_HEAD "z A 192.0.2.1\n");
	assert_true(zones_read(&zones));
	assert_ptr_not_equal(zone_set_zone(zones.set, 0), a);
	assert_int_equal(zones_find(&zones, "z.a", DNS_TYPE_A).outcome, ZONE_NODE);

	/* one that cannot be read at all */
	assert_int_equal(unlink("zones/b.zone"), 0);
	assert_int_equal(mkfifo("zones/b.zone", 0600), 0);
	assert_int_equal(unlink("zones/c.zone"), 0);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/b.zone: 'zones/b.zone' is not a regular file\n"
		"zones/b.zone: refused, 1 error; still answering from serial 7\n");
	zones_done(&zones);
}

static void lost_pools(void **state)
{
	static const char *const fewer[] = {"web", NULL};
	struct zones zones;
	const struct zone_set *before;

	(void)state;
	zones_init(&zones);
	zones_write("zones/a.zone", ZONES_HEAD "_steer.x TXT pool=web\n_steer.y TXT pool=site\n");
	assert_true(zones_read(&zones));
	before = zones.set;

	/* neither the file, which did not change, nor the zone that is served can be */
	zones.pools = fewer;
	assert_false(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/a.zone:5: the pool 'site' does not exist\n"
		"zones/a.zone: refused, 1 error; serial 7 cannot stay either, for it steers by the "
		"pool 'site', which does not exist\n");
	assert_ptr_equal(zones.set, before);

	/* the same when the file is broken in another way */
	zones_write("zones/a.zone", ZONES_HEAD "x\n");
	assert_false(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/a.zone:4: a record without a type\n"
		"zones/a.zone: refused, 1 error; serial 7 cannot stay either, for it steers by the "
		"pool 'site', which does not exist\n");

	/* a file that was mended is enough */
	zones_write("zones/a.zone", ZONES_HEAD "_steer.x TXT pool=web\n");
	assert_true(zones_read(&zones));
	assert_int_equal(zone_set_steered_count(zones.set), 1);
	zones_done(&zones);
}

static void dropped_zones(void **state)
{
	struct zones zones;

	(void)state;
	zones_init(&zones);
	assert_false(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "zones: there is no NAME.zone in it\n");
	zones_write("zones/a.zone", ZONES_HEAD);
	zones_write("zones/b.zone", ZONES_HEAD);
	assert_true(zones_read(&zones));

	assert_int_equal(unlink("zones/b.zone"), 0);
	assert_false(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones/b.zone: it is gone, and with it the zone 'b.', serial 7, would be\n");
	zones.is_forced = true;
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "zones/b.zone: no longer served: 'b.'\n");
	assert_int_equal(zone_set_count(zones.set), 1);
	assert_int_equal(zones_find(&zones, "b", DNS_TYPE_SOA).outcome, ZONE_OUTSIDE);

	/* a zone may move to a file that spells it otherwise */
	zones.is_forced = false;
	assert_int_equal(rename("zones/a.zone", "zones/A.zone"), 0);
	assert_true(zones_read(&zones));
	assert_string_equal(zones_said(&zones), "");

	assert_int_equal(rename("zones", "gone"), 0);
	assert_false(zones_read(&zones));
	assert_string_equal(zones_said(&zones),
		"zones: cannot read the directory of the zones: No such file or directory\n"
		"zones/A.zone: it is gone, and with it the zone 'a.', serial 7, would be\n");
	assert_int_equal(zones_find(&zones, "a", DNS_TYPE_SOA).outcome, ZONE_NODE);
	zones.is_forced = true;
	assert_true(zones_read(&zones));
	assert_int_equal(zone_set_count(zones.set), 0);
	assert_int_equal(zones_find(&zones, "a", DNS_TYPE_SOA).outcome, ZONE_OUTSIDE);
	zones_done(&zones);
}

static const struct {
	const char *about;
	uint32_t served;
	uint32_t serial;
	bool is_older;
} serials[] = {
	{"the same", 7, 7, false},
	{"one more", 7, 8, false},
	{"one less", 7, 6, true},
	{"the highest, then 0", UINT32_MAX, 0, false},
	{"the highest, then 1", UINT32_MAX, 1, false},
	{"and back", 1, UINT32_MAX, true},
	{"as far ahead as there is", 7, 7 + (uint32_t)INT32_MAX, false},
	{"as far behind", 7 + (uint32_t)INT32_MAX, 7, true},
	{"half the circle: neither, so the file decides", 7, 7 + (UINT32_C(1) << 31), false},
	{"the other half", 7 + (UINT32_C(1) << 31), 7, false},
	{"past the sign", INT32_MAX, UINT32_C(1) << 31, false},
	{"from a date to a counter", 2026112201, 1, true},
};

static void write_serial(uint32_t serial, unsigned round)
{
	char text[256];

	snprintf(text, sizeof(text),
		"$TTL 60\n@ SOA ns. host %u 7200 900 1209600 60\n@ NS ns.\n@ TXT %u\n", serial,
		round);
	zones_write("zones/a.zone", text);
}

/* Serials are compared by RFC 1982 3.2, and never go back without force. */
static void older_serials(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT_OF(serials); i++) {
		struct zones zones;
		char want[256] = "";
		bool is_served;

		zones_init(&zones);
		write_serial(serials[i].served, 0);
		assert_true(zones_read(&zones));
		write_serial(serials[i].serial, 1);
		if (serials[i].is_older)
			snprintf(want, sizeof(want),
				"zones/a.zone:2: the serial %u is older than %u, which is served "
				"(RFC "
				"1982 3.2); with --force it replaces it\n"
				"zones/a.zone: refused, 1 error; still answering from serial %u\n",
				serials[i].serial, serials[i].served, serials[i].served);
		is_served = zones_read(&zones);
		if (!is_served || strcmp(zones_said(&zones), want) != 0)
			fail_msg("%s: %s", serials[i].about, zones_said(&zones));
		assert_int_equal(zone_serial(zone_set_zone(zones.set, 0)),
			serials[i].is_older ? serials[i].served : serials[i].serial);
		zones.is_forced = true;
		assert_true(zones_read(&zones));
		assert_string_equal(zones_said(&zones), "");
		assert_int_equal(zone_serial(zone_set_zone(zones.set, 0)), serials[i].serial);
		zones_done(&zones);
	}
}

static const struct {
	const char *file;
	const char *want;
} file_names[] = {
	{"zones/a..b.zone", "zones/a..b.zone: not the name of a zone: 'a..b' has an empty label\n"},
	{"zones/A.zone", "zones/a.zone: the same zone as 'zones/A.zone'\n"},
	{"zones/a..zone", "zones/a.zone: the same zone as 'zones/a..zone'\n"},
	{"zones/..zone", "zones/..zone: the root zone cannot be served\n"},
	{"zones/0\\04724.2.0.192.in-addr.arpa.zone", ""}, /* RFC 2317: '/' in a name */
	{"zones/b.zone.orig", ""},
	{"zones/zone", ""},
	{"zones/.zone", ""},
};

static void names_of_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(file_names); i++) {
		struct zones zones;

		zones_init(&zones);
		zones_write("zones/a.zone", ZONES_HEAD);
		zones_write(file_names[i].file, ZONES_HEAD);
		assert_true(zones_read(&zones));
		if (strcmp(zones_said(&zones), file_names[i].want) != 0)
			fail_msg("%s: %s", file_names[i].file, zones_said(&zones));
		zones_done(&zones);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards),
		cmocka_unit_test(wildcards_deeper),
		cmocka_unit_test(below_dnames),
		cmocka_unit_test(several_zones),
		cmocka_unit_test(deep_names),
		cmocka_unit_test(steered_names),
		cmocka_unit_test(accessors),
		cmocka_unit_test(unchanged_is_shared),
		cmocka_unit_test(refused_is_kept),
		cmocka_unit_test(lost_pools),
		cmocka_unit_test(dropped_zones),
		cmocka_unit_test(older_serials),
		cmocka_unit_test(names_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
