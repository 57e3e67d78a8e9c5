/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tool/hex.h"
#include "ask.h"
#include "steerd/base/memory.h"
#include "world.h"

#define SOA "authority example. 60 SOA ns1.example. hostmaster.example. 7 7200 900 1209600 60"
#define OTHER_SOA "authority other. 30 SOA ns1.example. hostmaster.other. 3 7200 900 1209600 30"
#define COOKIE_NOW " cookie 1763985600"
#define IDENTITY "05616e742d31"
#define SELF_VERSION                                                                               \
	"08737465657264"                                                                           \
	"2037"
#define REFERRAL                                                                                   \
	"authority sub.example. 3600 NS ns.sub.example., sub.example. 3600 NS ns1.example.; "      \
	"additional ns.sub.example. 3600 A 198.51.100.2, ns.sub.example. 3600 AAAA 2001:db8::2, "  \
	"ns1.example. 3600 A 198.51.100.1, ns1.example. 3600 AAAA 2001:db8::1"
#define WWW "www.example. 3600 A 192.0.2.1, www.example. 3600 A 192.0.2.2"
#define LABEL "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
#define LABEL_40 "cccccccccccccccccccccccccccccccccccccccc."
#define LONG                                                                                       \
	LABEL LABEL LABEL "ccccccccccccccccccccccccccccccccccccccccc.t.example." /* 245 octets */
#define TWO(owner, ttl) owner " " ttl " A 192.0.2.11, " owner " " ttl " A 192.0.2.12"

static const struct {
	const char *about;
	const char *ask;
	const char *want;
} cases[] = {
	/* what the zone holds */
	{"a set", "www.example A", "NOERROR aa; www.example. A; answer " WWW},
	{"a set at the apex", "example NS",
		"NOERROR aa; example. NS; answer example. 3600 NS ns1.example., "
		"example. 3600 NS ns2.elsewhere.test."},
	{"the SOA has its own TTL when it is asked for", "example SOA",
		"NOERROR aa; example. SOA; answer "
		"example. 3600 SOA ns1.example. hostmaster.example. 7 7200 900 1209600 60"},
	{"names inside RDATA", "mx.example MX",
		"NOERROR aa; mx.example. MX; answer mx.example. 3600 MX 10 mail.example., "
		"mx.example. 3600 MX 20 mx.example."},
	{"the question is echoed as it was sent, the records point at it", "wWw.EXample A",
		"NOERROR aa; wWw.EXample. A; answer wWw.EXample. 3600 A 192.0.2.1, "
		"wWw.EXample. 3600 A 192.0.2.2"},
	{"a class that is not served", "www.example A class=3", "REFUSED; www.example. A"},
	{"any class", "www.example A class=255", "REFUSED; www.example. A"},
	{"no such type", "www.example AAAA", "NOERROR aa; www.example. AAAA; " SOA},
	{"a type that nobody knows", "www.example TYPE65280",
		"NOERROR aa; www.example. TYPE65280; " SOA},
	{"type OPT in a question", "www.example OPT", "NOERROR aa; www.example. OPT; " SOA},
	{"nothing of that name", "nx.example A", "NXDOMAIN aa; nx.example. A; " SOA},
	{"nor below a name that exists", "x.www.example A", "NXDOMAIN aa; x.www.example. A; " SOA},
	{"an empty non-terminal", "b.ent.example TXT", "NOERROR aa; b.ent.example. TXT; " SOA},
	{"an empty non-terminal above it", "ent.example A", "NOERROR aa; ent.example. A; " SOA},
	{"beside an empty non-terminal", "c.ent.example A", "NXDOMAIN aa; c.ent.example. A; " SOA},
	{"outside", "www.elsewhere.test A", "REFUSED; www.elsewhere.test. A"},
	{"above", "test A", "REFUSED; test. A"},
	{"the root", ". NS", "REFUSED; . NS"},
	{"the other zone", "nx.other A", "NXDOMAIN aa; nx.other. A; " OTHER_SOA},
	{"steering instructions are not served", "_steer.dl.example TXT",
		"NXDOMAIN aa; _steer.dl.example. TXT; " SOA},

	/* what is not answered with data */
	{"a transfer", "example AXFR tcp", "REFUSED; example. AXFR"},
	{"an incremental transfer", "example IXFR", "REFUSED; example. IXFR"},
	{"ANY: one set, the smallest (RFC 8482 4.1)", "mail.example ANY",
		"NOERROR aa; mail.example. ANY; answer mail.example. 3600 TXT 016d"},
	{"ANY: one set over TCP too", "mail.example ANY tcp",
		"NOERROR aa; mail.example. ANY; answer mail.example. 3600 TXT 016d"},
	{"ANY: a CNAME is not followed", "alias.example ANY",
		"NOERROR aa; alias.example. ANY; answer alias.example. 3600 CNAME www.example."},
	{"ANY: of nothing", "b.ent.example ANY", "NOERROR aa; b.ent.example. ANY; " SOA},
	{"ANY: of no name", "nx.example ANY", "NXDOMAIN aa; nx.example. ANY; " SOA},
	{"ANY: outside", "elsewhere.test ANY", "REFUSED; elsewhere.test. ANY"},
	{"ANY: below a cut", "host.sub.example ANY", "NOERROR; host.sub.example. ANY; " REFERRAL},

	/* flags */
	{"RD and CD are copied, AD is not", "nx.example A rd cd ad",
		"NXDOMAIN aa rd cd; nx.example. A; " SOA},
	{"RD of a refusal", "elsewhere.test A rd", "REFUSED rd; elsewhere.test. A"},
	{"NOTIFY", "example SOA opcode=4", "NOTIMP opcode 4; example. SOA"},
	{"UPDATE with EDNS", "example SOA opcode=5 edns=1232",
		"NOTIMP opcode 5; example. SOA; edns 1232 ede 21"},

	/* chains (RFC 1034 3.6.2, RFC 6604 3) */
	{"a CNAME", "alias.example A",
		"NOERROR aa; alias.example. A; answer alias.example. 3600 CNAME "
		"www.example., " WWW},
	{"two, each with its TTL", "alias2.example A",
		"NOERROR aa; alias2.example. A; answer alias2.example. 300 CNAME alias.example., "
		"alias.example. 3600 CNAME www.example., " WWW},
	{"the CNAME itself", "alias.example CNAME",
		"NOERROR aa; alias.example. CNAME; answer alias.example. 3600 CNAME www.example."},
	{"names in RDATA at the end of a chain", "tomx.example MX",
		"NOERROR aa; tomx.example. MX; answer tomx.example. 3600 CNAME mx.example., "
		"mx.example. 3600 MX 10 mail.example., mx.example. 3600 MX 20 mx.example."},
	{"into another zone that is served", "hop.example A",
		"NOERROR aa; hop.example. A; answer hop.example. 3600 CNAME www.other., "
		"www.other. 600 A 192.0.2.99"},
	{"and back", "back.other A",
		"NOERROR aa; back.other. A; answer back.other. 600 CNAME alias.example., "
		"alias.example. 3600 CNAME www.example., " WWW},
	{"out of what is served", "out.example A",
		"NOERROR aa; out.example. A; answer out.example. 3600 CNAME www.elsewhere.test."},
	{"to no name: the rcode is the last name's", "gone.example A",
		"NXDOMAIN aa; gone.example. A; answer gone.example. 3600 CNAME "
		"nothing.example.; " SOA},
	{"to no name of the other zone", "gone2.example A",
		"NXDOMAIN aa; gone2.example. A; "
		"answer gone2.example. 3600 CNAME nothing.other.; " OTHER_SOA},
	{"to a name without the type", "alias.example AAAA",
		"NOERROR aa; alias.example. AAAA; "
		"answer alias.example. 3600 CNAME www.example.; " SOA},
	{"to an empty non-terminal", "empty.example A",
		"NOERROR aa; empty.example. A; answer empty.example. 3600 CNAME "
		"b.ent.example.; " SOA},
	{"below a cut", "into.example A",
		"NOERROR aa; into.example. A; "
		"answer into.example. 3600 CNAME host.sub.example.; " REFERRAL},
	{"to itself", "toself.example A",
		"NOERROR aa; toself.example. A; answer toself.example. 3600 CNAME toself.example."},
	{"to itself in other letters", "tosELF.example A",
		"NOERROR aa; tosELF.example. A; answer tosELF.example. 3600 CNAME toself.example."},
	{"in a circle", "loop1.example A",
		"NOERROR aa; loop1.example. A; answer loop1.example. 3600 CNAME loop2.example., "
		"loop2.example. 3600 CNAME loop1.example."},
	{"five links and no more", "c1.example A",
		"NOERROR aa; c1.example. A; answer c1.example. 3600 CNAME c2.example., "
		"c2.example. 3600 CNAME c3.example., c3.example. 3600 CNAME c4.example., "
		"c4.example. 3600 CNAME c5.example., c5.example. 3600 CNAME c6.example."},
	{"four links, and the name that is behind them", "c6.example A",
		"NOERROR aa; c6.example. A; answer c6.example. 3600 CNAME c7.example., c7.example. "
		"3600 CNAME c8.example., "
		"c8.example. 3600 CNAME c9.example., c9.example. 3600 CNAME www.example., " WWW},

	/* wildcards (RFC 4592 3.3.1) */
	{"the owner is the name that was asked for", "a.wild.example TXT",
		"NOERROR aa; a.wild.example. TXT; answer a.wild.example. 3600 TXT 0177"},
	{"of several labels", "a.b.wild.example TXT",
		"NOERROR aa; a.b.wild.example. TXT; answer a.b.wild.example. 3600 TXT 0177"},
	{"its RDATA points into the name that was asked for", "aaa.wild.example MX",
		"NOERROR aa; aaa.wild.example. MX; answer aaa.wild.example. 3600 MX 10 "
		"mail.example., "
		"aaa.wild.example. 3600 MX 20 host.wild.example."},
	{"in upper case", "A.WILD.example MX",
		"NOERROR aa; A.WILD.example. MX; answer A.WILD.example. 3600 MX 10 mail.example., "
		"A.WILD.example. 3600 MX 20 host.WILD.example."},
	{"asked for by its own name", "*.wild.example MX",
		"NOERROR aa; *.wild.example. MX; answer *.wild.example. 3600 MX 10 mail.example., "
		"*.wild.example. 3600 MX 20 host.wild.example."},
	{"no such type", "a.wild.example A", "NOERROR aa; a.wild.example. A; " SOA},
	{"not for a name that exists", "sub.wild.example MX",
		"NOERROR aa; sub.wild.example. MX; " SOA},
	{"nor below one", "a.sub.wild.example TXT", "NXDOMAIN aa; a.sub.wild.example. TXT; " SOA},
	{"nor for its parent", "wild.example TXT", "NOERROR aa; wild.example. TXT; " SOA},
	{"a CNAME", "a.jump.example A",
		"NOERROR aa; a.jump.example. A; answer a.jump.example. 3600 CNAME "
		"www.example., " WWW},
	{"a CNAME that leads to itself", "a.fall.example A",
		"NOERROR aa; a.fall.example. A; answer a.fall.example. 3600 CNAME x.fall.example., "
		"x.fall.example. 3600 CNAME x.fall.example."},
	{"at the end of a chain", "towild.example MX",
		"NOERROR aa; towild.example. MX; answer towild.example. 3600 CNAME "
		"q.wild.example., "
		"q.wild.example. 3600 MX 10 mail.example., "
		"q.wild.example. 3600 MX 20 host.wild.example."},

	/* delegations (RFC 1034 4.3.2, RFC 4035 3.1.4.1) */
	{"at the cut", "sub.example A", "NOERROR; sub.example. A; " REFERRAL},
	{"below the cut", "a.b.sub.example A", "NOERROR; a.b.sub.example. A; " REFERRAL},
	{"glue is not an answer", "ns.sub.example A", "NOERROR; ns.sub.example. A; " REFERRAL},
	{"without glue", "x.far.example A",
		"NOERROR; x.far.example. A; authority far.example. 3600 NS ns.elsewhere.test."},
	{"DS is the parent's", "far.example DS",
		"NOERROR aa; far.example. DS; answer far.example. 3600 DS "
		"30390d020000000000000000000000000000000000000000000000000000000000000000"},
	{"no DS: no data, not a referral", "sub.example DS", "NOERROR aa; sub.example. DS; " SOA},
	{"DS below the cut", "a.sub.example DS", "NOERROR; a.sub.example. DS; " REFERRAL},

	/* DNAMEs (RFC 6672 3.2) */
	{"what lies below it is another name", "www.d.example A",
		"NOERROR aa; www.d.example. A; answer d.example. 100 DNAME t.example., "
		"www.d.example. 100 CNAME www.t.example., www.t.example. 3600 A 192.0.2.52"},
	{"letters: the prefix as it was sent", "wWW.D.example A",
		"NOERROR aa; wWW.D.example. A; answer D.example. 100 DNAME t.example., "
		"wWW.D.example. 100 CNAME wWW.t.example., wWW.t.example. 3600 A 192.0.2.52"},
	{"its owner", "d.example A",
		"NOERROR aa; d.example. A; answer d.example. 3600 A 192.0.2.50"},
	{"the DNAME itself", "d.example DNAME",
		"NOERROR aa; d.example. DNAME; answer d.example. 100 DNAME t.example."},
	{"its owner has no such type", "d.example TXT", "NOERROR aa; d.example. TXT; " SOA},
	{"no such name behind it", "nx.d.example A",
		"NXDOMAIN aa; nx.d.example. A; answer d.example. 100 DNAME t.example., "
		"nx.d.example. 100 CNAME nx.t.example.; " SOA},
	{"a type that is not there", "www.d.example AAAA",
		"NOERROR aa; www.d.example. AAAA; answer d.example. 100 DNAME t.example., "
		"www.d.example. 100 CNAME www.t.example.; " SOA},
	{"asked for a CNAME: the one that is made", "www.d.example CNAME",
		"NOERROR aa; www.d.example. CNAME; answer d.example. 100 DNAME t.example., "
		"www.d.example. 100 CNAME www.t.example."},
	{"names in RDATA behind it", "mx.d.example MX",
		"NOERROR aa; mx.d.example. MX; answer d.example. 100 DNAME t.example., "
		"mx.d.example. 100 CNAME mx.t.example., mx.t.example. 3600 MX 10 www.t.example."},
	{"to a steered name", "s.d.example A",
		"NOERROR aa; s.d.example. A; answer d.example. 100 DNAME t.example., s.d.example. "
		"100 CNAME s.t.example., s.t.example. 20 A 192.0.2.11, s.t.example. 20 A "
		"192.0.2.12"},
	{"below a cut behind it", "h.sub.d.example A",
		"NOERROR aa; h.sub.d.example. A; answer d.example. 100 DNAME t.example., "
		"h.sub.d.example. 100 CNAME h.sub.t.example.; authority sub.t.example. 3600 NS "
		"ns.elsewhere.test."},
	{"behind a CNAME", "todname.example A",
		"NOERROR aa; todname.example. A; answer todname.example. 3600 CNAME "
		"www.d.example., d.example. 100 DNAME t.example., www.d.example. 100 CNAME "
		"www.t.example., www.t.example. 3600 A 192.0.2.52"},
	{"two DNAMEs", "www.d1.example A",
		"NOERROR aa; www.d1.example. A; answer d1.example. 3600 DNAME d2.example., "
		"www.d1.example. 3600 CNAME www.d2.example., d2.example. 3600 DNAME t.example., "
		"www.d2.example. 3600 CNAME www.t.example., www.t.example. 3600 A 192.0.2.52"},
	{"a DNAME that leads to itself", "x.dself.example A",
		"NOERROR aa; x.dself.example. A; answer dself.example. 3600 DNAME dself.example., "
		"x.dself.example. 3600 CNAME x.dself.example."},
	{"two in a circle", "x.dloop1.example A",
		"NOERROR aa; x.dloop1.example. A; answer dloop1.example. 3600 DNAME "
		"dloop2.example., x.dloop1.example. 3600 CNAME x.dloop2.example., dloop2.example. "
		"3600 DNAME dloop1.example., x.dloop2.example. 3600 CNAME x.dloop1.example."},
	{"a circle with a CNAME in it", "x.dcirc.example A",
		"NOERROR aa; x.dcirc.example. A; answer dcirc.example. 3600 DNAME dt.example., "
		"x.dcirc.example. 3600 CNAME x.dt.example., x.dt.example. 3600 CNAME "
		"x.dcirc.example."},
	{"one that never ends: five links, and the DNAME once", "a.dgrow.example A",
		"NOERROR aa; a.dgrow.example. A; answer dgrow.example. 3600 DNAME "
		"x.dgrow.example., a.dgrow.example. 3600 CNAME a.x.dgrow.example., "
		"a.x.dgrow.example. 3600 CNAME a.x.x.dgrow.example., a.x.x.dgrow.example. 3600 "
		"CNAME a.x.x.x.dgrow.example., a.x.x.x.dgrow.example. 3600 CNAME "
		"a.x.x.x.x.dgrow.example., a.x.x.x.x.dgrow.example. 3600 CNAME "
		"a.x.x.x.x.x.dgrow.example."},
	{"out of what is served", "x.dout.example A",
		"NOERROR aa; x.dout.example. A; answer dout.example. 3600 DNAME elsewhere.test., "
		"x.dout.example. 3600 CNAME x.elsewhere.test."},
	{"into another zone", "www.dother.example A",
		"NOERROR aa; www.dother.example. A; answer dother.example. 3600 DNAME other., "
		"www.dother.example. 3600 CNAME www.other., www.other. 600 A 192.0.2.99"},
	{"to the root, and so to a steered apex", "other.droot.example A",
		"NOERROR aa; other.droot.example. A; answer droot.example. 3600 DNAME ., "
		"other.droot.example. 3600 CNAME other., other. 25 A 192.0.2.11, other. 25 A "
		"192.0.2.12"},
	{"at the apex", "www.moved A",
		"NOERROR aa; www.moved. A; answer moved. 50 DNAME example., www.moved. 50 CNAME "
		"www.example., " WWW},
	{"the apex itself", "moved SOA",
		"NOERROR aa; moved. SOA; answer moved. 600 SOA ns1.example. hostmaster.moved. 3 "
		"7200 900 1209600 30"},
	{"255 octets", "xxxxxxxxx.dlong.example A edns=1232 cookie=good",
		"NXDOMAIN aa; xxxxxxxxx.dlong.example. A; answer dlong.example. 3600 DNAME " LONG
		", xxxxxxxxx.dlong.example. 3600 CNAME xxxxxxxxx." LONG "; " SOA
		"; edns 1232" COOKIE_NOW},
	{"a link that does not fit", "xxxxxxxxx.dlong.example A",
		"NOERROR aa tc; xxxxxxxxx.dlong.example. A"},
	{"256 octets", "xxxxxxxxxx.dlong.example A",
		"YXDOMAIN aa; xxxxxxxxxx.dlong.example. A; answer dlong.example. 3600 DNAME " LONG},
	{"256 octets behind a CNAME", "tolongd.example A",
		"YXDOMAIN aa; tolongd.example. A; answer tolongd.example. 3600 CNAME "
		"xxxxxxxxxx.dlong.example., dlong.example. 3600 DNAME " LONG},
	{"the scope of what it leads to", "near.d.example TXT ecs=185.1.2.0/24",
		"NOERROR aa; near.d.example. TXT; answer d.example. 100 DNAME t.example., "
		"near.d.example. 100 CNAME near.t.example.; " SOA
		"; edns 1232 ecs 1/24/0 185.1.2.0"},

	/* EDNS (RFC 6891 6.1.1, RFC 3225 3) */
	{"OPT only if there was one", "www.example A edns=4096 do",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 do"},
	{"OPT in a refusal", "elsewhere.test A edns=512",
		"REFUSED; elsewhere.test. A; edns 1232 ede 20"},
	{"OPT in a negative answer", "nx.example A edns=512",
		"NXDOMAIN aa; nx.example. A; " SOA "; edns 1232"},

	/* who answers (RFC 5001 2.1) */
	{"NSID", "www.example A nsid",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 nsid ant-1"},
	{"NSID: no name", "nx.example A nsid",
		"NXDOMAIN aa; nx.example. A; " SOA "; edns 1232 nsid ant-1"},
	{"NSID: a referral", "sub.example A nsid do",
		"NOERROR; sub.example. A; " REFERRAL "; edns 1232 do nsid ant-1"},
	{"NSID: a refusal", "elsewhere.test A nsid",
		"REFUSED; elsewhere.test. A; edns 1232 nsid ant-1 ede 20"},
	{"NSID: another opcode", "example SOA opcode=4 nsid",
		"NOTIMP opcode 4; example. SOA; edns 1232 nsid ant-1 ede 21"},
	{"NSID beside a client subnet", "near.example A nsid ecs=185.1.0.0/24",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 nsid ant-1 ecs 1/24/17 185.1.0.0"},
	{"NSID, client subnet and extended error", "elsewhere.test A nsid ecs=185.1.2.0/24",
		"REFUSED; elsewhere.test. A; edns 1232 nsid ant-1 ede 20 ecs 1/24/0 185.1.2.0"},
	{"NSID: over TCP", "dl.example A nsid tcp",
		"NOERROR aa; dl.example. A; answer " TWO(
			"dl.example.", "30") "; edns 1232 nsid ant-1"},

	/* who answers, in class CH (RFC 4892) */
	{"identity", "id.server TXT class=3",
		"NOERROR aa; id.server. TXT; answer id.server. 0 CH TXT " IDENTITY},
	{"identity, as BIND calls it", "hostname.bind TXT class=3 rd",
		"NOERROR aa rd; hostname.bind. TXT; answer hostname.bind. 0 CH TXT " IDENTITY},
	{"version", "version.server TXT class=3",
		"NOERROR aa; version.server. TXT; answer version.server. 0 CH TXT " SELF_VERSION},
	{"version, as BIND calls it", "VERSION.bind TXT class=3",
		"NOERROR aa; VERSION.bind. TXT; answer VERSION.bind. 0 CH TXT " SELF_VERSION},
	{"identity twice", "id.server TXT class=3 nsid ecs=185.1.2.0/24",
		"NOERROR aa; id.server. TXT; answer id.server. 0 CH TXT " IDENTITY
		"; edns 1232 nsid ant-1 ecs 1/24/0 185.1.2.0"},
	{"identity: another type", "id.server A class=3", "REFUSED; id.server. A"},
	{"identity: any type", "id.server ANY class=3", "REFUSED; id.server. ANY"},
	{"identity: another class", "id.server TXT", "REFUSED; id.server. TXT"},
	{"identity: any class", "id.server TXT class=255", "REFUSED; id.server. TXT"},
	{"identity: class HS", "id.server TXT class=4", "REFUSED; id.server. TXT"},
	{"identity: above", "server TXT class=3", "REFUSED; server. TXT"},
	{"identity: below", "x.id.server TXT class=3", "REFUSED; x.id.server. TXT"},
	{"identity: a name that is as long", "ad.server TXT class=3", "REFUSED; ad.server. TXT"},
	{"identity: another opcode", "id.server TXT class=3 opcode=4",
		"NOTIMP opcode 4; id.server. TXT"},
	{"who wrote it is nobody's business", "authors.bind TXT class=3",
		"REFUSED; authors.bind. TXT"},
	{"the root of class CH", ". NS class=3", "REFUSED; . NS"},

	/* extended errors (RFC 8914 4.21) */
	{"not authoritative", "elsewhere.test A edns=1232 do rd",
		"REFUSED rd; elsewhere.test. A; edns 1232 do ede 20"},
	{"not authoritative: the root", ". NS edns=1232", "REFUSED; . NS; edns 1232 ede 20"},
	{"RFC 8914 4.22: a transfer is refused for another reason", "example AXFR tcp edns=1232",
		"REFUSED; example. AXFR; edns 1232 ede 21"},
	{"an incremental one as well", "elsewhere.test IXFR edns=1232",
		"REFUSED; elsewhere.test. IXFR; edns 1232 ede 21"},
	{"RFC 8914 4.22: another class as well", "www.example A class=3 edns=1232",
		"REFUSED; www.example. A; edns 1232 ede 21"},
	{"RFC 8914 4.22: an opcode that is not served", "example SOA opcode=4 edns=1232",
		"NOTIMP opcode 4; example. SOA; edns 1232 ede 21"},
	{"RFC 9824 3.5: a type that no name has", "www.example TYPE128 edns=1232",
		"FORMERR; www.example. NXNAME; edns 1232 ede 30"},
	{"RFC 9824 3.5: even where there is no name", "nx.example TYPE128",
		"FORMERR; nx.example. NXNAME"},
	{"RFC 8906 3.1.2: other types that stand in no zone are no error", "www.example TYPE249",
		"NOERROR aa; www.example. TKEY; " SOA},
	{"RFC 8906 3.1.2: nor is type 0", "www.example TYPE0",
		"NOERROR aa; www.example. TYPE0; " SOA},
	{"RFC 8906 3.1.2: nor MAILB", "www.example TYPE253",
		"NOERROR aa; www.example. MAILB; " SOA},
	{"a chain that leaves us is no error", "out.example A edns=1232",
		"NOERROR aa; out.example. A; answer out.example. 3600 CNAME www.elsewhere.test.; "
		"edns 1232"},

	/* cookies (RFC 7873) */
	{"RFC 7873 5.2.3: a client's part alone gets the whole", "www.example A cookie=client",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.5: a good one", "www.example A cookie=good",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 9018 4.3: a young one stays", "www.example A cookie=young",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 cookie 1763985000"},
	{"RFC 9018 4.3: after half an hour there is another", "www.example A cookie=stale",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 9018 5: of the old secret: one of the new", "www.example A cookie=rolled",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.4: too old: answered, and another", "www.example A cookie=late",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.4: forged", "www.example A cookie=forged",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.4: another server's", "www.example A cookie=foreign",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"a cookie over TCP", "www.example A cookie=client tcp",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},
	{"a cookie from IPv6", "www.example A cookie=young from=2001:db8::53",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 cookie 1763985000"},
	{"a cookie in a refusal", "elsewhere.test A cookie=client",
		"REFUSED; elsewhere.test. A; edns 1232 ede 20" COOKIE_NOW},
	{"a cookie of another opcode", "example SOA opcode=4 cookie=client",
		"NOTIMP opcode 4; example. SOA; edns 1232 ede 21" COOKIE_NOW},
	{"without a good one: 512 octets", "long3.example TXT edns=1232 cookie=client",
		"NOERROR aa tc; long3.example. TXT; edns 1232" COOKIE_NOW},
	{"without any", "long3.example TXT edns=1232",
		"NOERROR aa tc; long3.example. TXT; edns 1232"},
	{"with a forged one", "long3.example TXT edns=1232 cookie=forged",
		"NOERROR aa tc; long3.example. TXT; edns 1232" COOKIE_NOW},
	{"with one that is too old", "long3.example TXT edns=1232 cookie=late",
		"NOERROR aa tc; long3.example. TXT; edns 1232" COOKIE_NOW},
	{"with a good one: what the client takes", "long3.example TXT edns=1232 cookie=good",
		"NOERROR aa; long3.example. TXT; answer long3.example. 3600 TXT @, long3.example. "
		"3600 "
		"TXT @, long3.example. 3600 TXT @; edns 1232" COOKIE_NOW},
	{"with one of the old secret", "long3.example TXT edns=1232 cookie=rolled",
		"NOERROR aa; long3.example. TXT; answer long3.example. 3600 TXT @, long3.example. "
		"3600 "
		"TXT @, long3.example. 3600 TXT @; edns 1232" COOKIE_NOW},
	{"but no more than it takes", "long3.example TXT edns=512 cookie=good",
		"NOERROR aa tc; long3.example. TXT; edns 1232" COOKIE_NOW},

	/* limited */
	{"a limit: TC", "www.example A limited", "NOERROR tc; www.example. A"},
	{"a limit, EDNS without a cookie", "www.example A limited edns=1232",
		"NOERROR tc; www.example. A; edns 1232"},
	{"RFC 7873 5.2.3: a limit, a client's part", "www.example A limited cookie=client",
		"BADCOOKIE; www.example. A; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.4: a limit, a forged cookie", "www.example A limited cookie=forged",
		"BADCOOKIE; www.example. A; edns 1232" COOKIE_NOW},
	{"RFC 7873 5.2.5: a good cookie is not limited", "www.example A limited cookie=good",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232" COOKIE_NOW},

	/* how long a connection may be idle (RFC 7828) */
	{"RFC 7828 3.3.2: over TCP, asked for", "www.example A keepalive tcp",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 keepalive 100"},
	{"RFC 7828 3.3.2: not asked for", "www.example A edns=1232 tcp",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232"},
	{"RFC 7828 3.3.1: over UDP it is ignored", "www.example A keepalive",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232"},
	{"in a refusal as well", "elsewhere.test A keepalive tcp",
		"REFUSED; elsewhere.test. A; edns 1232 ede 20 keepalive 100"},

	/* the zone's version (RFC 9660) */
	{"RFC 9660 3.2: an answer", "www.example A zoneversion",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 zone 1 7"},
	{"of the other zone", "www.other A zoneversion",
		"NOERROR aa; www.other. A; answer www.other. 600 A 192.0.2.99; edns 1232 zone 1 3"},
	{"not asked for", "www.other A edns=1232",
		"NOERROR aa; www.other. A; answer www.other. 600 A 192.0.2.99; edns 1232"},
	{"RFC 9660 3.2: no data", "www.example AAAA zoneversion",
		"NOERROR aa; www.example. AAAA; " SOA "; edns 1232 zone 1 7"},
	{"RFC 9660 3.2: no name", "nx.example A zoneversion",
		"NXDOMAIN aa; nx.example. A; " SOA "; edns 1232 zone 1 7"},
	{"RFC 9660 3.2: a referral", "sub.example A zoneversion",
		"NOERROR; sub.example. A; " REFERRAL "; edns 1232 zone 1 7"},
	{"a steered name", "dl.example A zoneversion",
		"NOERROR aa; dl.example. A; answer " TWO(
			"dl.example.", "30") "; edns 1232 zone 1 7"},
	{"RFC 9660 3.2: of a chain, the zone that has the name that was asked for",
		"hop.example A zoneversion",
		"NOERROR aa; hop.example. A; answer hop.example. 3600 CNAME www.other., "
		"www.other. 600 A 192.0.2.99; edns 1232 zone 1 7"},
	{"RFC 9660 3.2: none outside", "elsewhere.test A zoneversion",
		"REFUSED; elsewhere.test. A; edns 1232 ede 20"},
	{"none of another class", "id.server TXT class=3 zoneversion",
		"NOERROR aa; id.server. TXT; answer id.server. 0 CH TXT " IDENTITY "; edns 1232"},
	{"none of a transfer that is refused", "example AXFR zoneversion tcp",
		"REFUSED; example. AXFR; edns 1232 ede 21"},
	{"none of another opcode", "example SOA opcode=4 zoneversion",
		"NOTIMP opcode 4; example. SOA; edns 1232 ede 21"},

	/* room (RFC 2181 9, RFC 6891 6.2.3) */
	{"too long for any packet", "long.example TXT edns=4096 cookie=good",
		"NOERROR aa tc; long.example. TXT; edns 1232" COOKIE_NOW},
	{"a chain to it", "longer.example TXT edns=4096 cookie=good ecs=203.0.113.0/24",
		"NOERROR aa tc; longer.example. TXT; edns 1232" COOKIE_NOW
		" ecs 1/24/0 203.0.113.0"},
	{"512 octets to the last", "long2.example TXT edns=512 do",
		"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
		"long2.example. 3600 TXT @; edns 1232 do"},
	{"no room for the client subnet", "long2.example TXT edns=512 ecs=203.0.113.0/24",
		"NOERROR aa tc; long2.example. TXT; edns 1232 ecs 1/24/0 203.0.113.0"},
	{"an octet less than it takes with a cookie",
		"long2.example TXT edns=550 ecs=203.0.113.0/24 cookie=good",
		"NOERROR aa tc; long2.example. TXT; edns 1232" COOKIE_NOW
		" ecs 1/24/0 203.0.113.0"},
	{"just what it takes", "long2.example TXT edns=551 ecs=203.0.113.0/24 cookie=good",
		"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
		"long2.example. 3600 TXT @; edns 1232" COOKIE_NOW " ecs 1/24/0 203.0.113.0"},
	{"no room for who answers", "long2.example TXT edns=512 nsid",
		"NOERROR aa tc; long2.example. TXT; edns 1232 nsid ant-1"},
	{"an octet less than who answers takes", "long2.example TXT edns=548 nsid cookie=good",
		"NOERROR aa tc; long2.example. TXT; edns 1232 nsid ant-1" COOKIE_NOW},
	{"just what it takes with who answers", "long2.example TXT edns=549 nsid cookie=good",
		"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
		"long2.example. 3600 TXT @; edns 1232 nsid ant-1" COOKIE_NOW},
	{"all options over TCP",
		"long2.example TXT edns=512 nsid cookie=good keepalive zoneversion tcp",
		"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
		"long2.example. 3600 TXT @; edns 1232 nsid ant-1 keepalive 100 zone 1 "
		"7" COOKIE_NOW},
	{"without EDNS there is no OPT to pay for", "long2.example TXT",
		"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
		"long2.example. 3600 TXT @"},
	{"glue that does not fit (RFC 9471)", "a.big.example A", "NOERROR tc; a.big.example. A"},
	{"addresses that do not fit", "many.example A", "NOERROR aa tc; many.example. A"},
	{"nor fit the interface", "many.example A edns=1232 short",
		"NOERROR aa tc; many.example. A; edns 1232"},
	{"what fits all the same", "dl.example A edns=1232 short",
		"NOERROR aa; dl.example. A; answer " TWO("dl.example.", "30") "; edns 1232"},

	{"a CNAME that does not fit", LABEL LABEL LABEL LABEL_40 "jumplong.example A",
		"NOERROR aa tc; " LABEL LABEL LABEL LABEL_40 "jumplong.example. A"},
	{"a limited client", "www.example A limited edns=1232 ecs=203.0.113.0/24 nsid",
		"NOERROR tc; www.example. A; edns 1232 nsid ant-1 ecs 1/24/0 203.0.113.0"},

	/* steered */
	{"both addresses, in the pool's order", "dl.example A",
		"NOERROR aa; dl.example. A; answer " TWO("dl.example.", "30")},
	{"in other letters", "DL.example A",
		"NOERROR aa; DL.example. A; answer " TWO("DL.example.", "30")},
	/* RFC 3596 2 */
	{"a family without members", "dl.example AAAA", "NOERROR aa; dl.example. AAAA; " SOA},
	{"a family without members, though the zone has one", "four.example A",
		"NOERROR aa; four.example. A; " SOA},
	{"IPv6", "four.example AAAA",
		"NOERROR aa; four.example. AAAA; answer four.example. 20 AAAA 2001:db8::6"},
	{"other types are the zone's", "dl.example TXT",
		"NOERROR aa; dl.example. TXT; answer dl.example. 3600 TXT 0164"},
	{"or nobody's", "dl.example MX", "NOERROR aa; dl.example. MX; " SOA},
	{"a name that only steering makes", "none.example A", "NOERROR aa; none.example. A; " SOA},
	{"ANY: its addresses", "dl.example ANY",
		"NOERROR aa; dl.example. ANY; answer " TWO("dl.example.", "30")},
	{"ANY: of the family that it has", "four.example ANY",
		"NOERROR aa; four.example. ANY; answer four.example. 20 AAAA 2001:db8::6"},
	{"ANY: of neither", "none.example ANY", "NOERROR aa; none.example. ANY; " SOA},
	{"ANY: the name's own records", "spare.example ANY",
		"NOERROR aa; spare.example. ANY; answer spare.example. 3600 A 192.0.2.30"},
	{"the name's own records", "spare.example A",
		"NOERROR aa; spare.example. A; answer spare.example. 3600 A 192.0.2.30"},
	{"of a name that has none", "bare.example A", "NOERROR aa; bare.example. A; " SOA},
	{"of that family", "spare.example AAAA", "NOERROR aa; spare.example. AAAA; " SOA},
	{"the apex", "other A", "NOERROR aa; other. A; answer " TWO("other.", "25")},
	{"a wildcard", "x.y.s.example A",
		"NOERROR aa; x.y.s.example. A; answer " TWO("x.y.s.example.", "20")},
	{"a wildcard's other types", "x.s.example TXT",
		"NOERROR aa; x.s.example. TXT; answer x.s.example. 3600 TXT 0473746172"},
	{"at the end of a chain", "todl.example A",
		"NOERROR aa; todl.example. A; answer todl.example. 3600 CNAME dl.example., " TWO(
			"dl.example.", "30")},
	{"no data at the end of a chain", "todl.example AAAA",
		"NOERROR aa; todl.example. AAAA; answer todl.example. 3600 CNAME "
		"dl.example.; " SOA},
	{"the lowest random number", "shares.example A random=00000000",
		"NOERROR aa; shares.example. A; answer shares.example. 20 A 192.0.2.21"},
	{"the last of a quarter", "shares.example A random=3fffffff",
		"NOERROR aa; shares.example. A; answer shares.example. 20 A 192.0.2.21"},
	{"the first behind it", "shares.example A random=40000000",
		"NOERROR aa; shares.example. A; answer shares.example. 20 A 192.0.2.22"},
	{"the highest", "shares.example A random=ffffffff",
		"NOERROR aa; shares.example. A; answer shares.example. 20 A 192.0.2.22"},

	/* hints of addresses (RFC 9460 7.3) */
	{"a steered name's: those of its A; parameters stay in order, none of its AAAA",
		"svc.example HTTPS edns=1232",
		"NOERROR aa; svc.example. HTTPS; answer svc.example. 20 HTTPS 1 . 1=026832 3=20fb "
		"ipv4hint=192.0.2.11,192.0.2.12 5=0004fe0d0000 7=2f717b3f646e737d, "
		"svc.example. 20 HTTPS 2 svc.example. ipv4hint=192.0.2.11,192.0.2.12 9=7a, "
		"svc.example. 20 HTTPS 3 ., svc.example. 20 HTTPS 4 . 1=026833, "
		"svc.example. 20 HTTPS 5 cdn.elsewhere.test. ipv4hint=203.0.113.5 "
		"ipv6hint=2001:db8:bad::5 9=79; edns 1232"},
	{"SVCB as well", "svc.example SVCB",
		"NOERROR aa; svc.example. SVCB; answer "
		"svc.example. 20 SVCB 1 . ipv4hint=192.0.2.11,192.0.2.12"},
	{"no address of the only family that has hints: none, and the set's own TTL",
		"bare4.svc.example HTTPS",
		"NOERROR aa; bare4.svc.example. HTTPS; answer bare4.svc.example. 300 HTTPS 1 . "
		"1=026832"},
	{"a TTL that is shorter than the pool's stays", "quick.svc.example HTTPS",
		"NOERROR aa; quick.svc.example. HTTPS; answer quick.svc.example. 5 HTTPS 1 . "
		"1=026832 ipv4hint=192.0.2.11,192.0.2.12"},
	{"a pool of neither family", "none.example HTTPS ecs=185.1.0.0/24",
		"NOERROR aa; none.example. HTTPS; answer none.example. 300 HTTPS 1 . 1=026832; "
		"edns 1232 ecs 1/24/0 185.1.0.0"},
	{"of IPv6 alone", "four.example HTTPS",
		"NOERROR aa; four.example. HTTPS; answer four.example. 20 HTTPS 1 . "
		"ipv6hint=2001:db8::6"},
	{"of the client's class, with its scope", "near.example HTTPS ecs=185.1.0.0/24",
		"NOERROR aa; near.example. HTTPS; answer near.example. 20 HTTPS 1 . "
		"1=0268320268"
		"33 ipv4hint=192.0.2.102,192.0.2.101 "
		"ipv6hint=2001:db8:f::2,2001:db8:f::1; edns 1232 ecs 1/24/17 185.1.0.0"},
	{"of the resolver's", "near.example HTTPS from=185.1.200.3",
		"NOERROR aa; near.example. HTTPS; answer near.example. 20 HTTPS 1 . 1=026832026833 "
		"ipv4hint=192.0.2.101,192.0.2.102 ipv6hint=2001:db8:f::1,2001:db8:f::2"},
	{"of the random number, low", "shares.example HTTPS random=3fffffff",
		"NOERROR aa; shares.example. HTTPS; answer shares.example. 20 HTTPS 1 . "
		"ipv4hint=192.0.2.21"},
	{"of the random number, high", "shares.example HTTPS random=40000000",
		"NOERROR aa; shares.example. HTTPS; answer shares.example. 20 HTTPS 1 . "
		"ipv4hint=192.0.2.22"},
	{"all are down: the name's own A, and it has no AAAA", "spare.example HTTPS",
		"NOERROR aa; spare.example. HTTPS; answer spare.example. 300 HTTPS 1 . "
		"ipv4hint=192.0.2.30"},
	{"all are down: no longer than its own A", "down.svc.example HTTPS",
		"NOERROR aa; down.svc.example. HTTPS; answer down.svc.example. 10 HTTPS 1 . "
		"ipv4hint=192.0.2.61,192.0.2.62"},
	{"all are down, by geography", "last.example HTTPS ecs=185.1.0.0/24",
		"NOERROR aa; last.example. HTTPS; answer last.example. 300 HTTPS 1 . "
		"ipv4hint=192.0.2.40; edns 1232 ecs 1/24/17 185.1.0.0"},
	{"a wildcard", "x.n.example HTTPS ecs=185.1.0.0/24",
		"NOERROR aa; x.n.example. HTTPS; answer x.n.example. 20 HTTPS 1 . "
		"ipv4hint=192.0.2.102,192.0.2.101 9=78; edns 1232 ecs 1/24/17 185.1.0.0"},
	{"at the end of a chain: of the name that has the records", "tosvc.example SVCB",
		"NOERROR aa; tosvc.example. SVCB; answer tosvc.example. 300 CNAME svc.example., "
		"svc.example. 20 SVCB 1 . ipv4hint=192.0.2.11,192.0.2.12"},
	{"at the end of a chain: its scope", "tonear.example HTTPS ecs=185.1.0.0/24",
		"NOERROR aa; tonear.example. HTTPS; answer tonear.example. 3600 CNAME "
		"near.example., near.example. 20 HTTPS 1 . 1=026832026833 "
		"ipv4hint=192.0.2.102,192.0.2.101 ipv6hint=2001:db8:f::2,2001:db8:f::1; "
		"edns 1232 ecs 1/24/17 185.1.0.0"},
	{"that do not fit", "many.example HTTPS edns=4096",
		"NOERROR aa tc; many.example. HTTPS; edns 1232"},
	{"an alias is the client's to follow (RFC 9460 2.4.2)", "alias.svc.example HTTPS",
		"NOERROR aa; alias.svc.example. HTTPS; answer alias.svc.example. 300 HTTPS 0 "
		"svc.example."},
	{"a steered name without such records", "dl.example HTTPS",
		"NOERROR aa; dl.example. HTTPS; " SOA},
	{"of a name that is not steered: as they are", "plain.example HTTPS",
		"NOERROR aa; plain.example. HTTPS; answer plain.example. 300 HTTPS 1 . 1=026832 "
		"ipv4hint=192.0.2.1"},
	{"and that leads to one that is not", "plain2.example HTTPS",
		"NOERROR aa; plain2.example. HTTPS; answer plain2.example. 300 HTTPS 1 "
		"plain.example. ipv4hint=192.0.2.1"},
	{"that leads to a steered name: none; the other record's stay", "to1.example HTTPS",
		"NOERROR aa; to1.example. HTTPS; answer to1.example. 300 HTTPS 1 svc.example. "
		"1=026832, to1.example. 300 HTTPS 2 plain.example. ipv4hint=192.0.2.1"},
	{"through a CNAME", "to2.example HTTPS",
		"NOERROR aa; to2.example. HTTPS; answer to2.example. 300 HTTPS 1 todl.example."},
	{"asked for by ANY", "to2.example ANY",
		"NOERROR aa; to2.example. ANY; answer to2.example. 300 HTTPS 1 todl.example."},
	{"through a DNAME", "to3.example HTTPS",
		"NOERROR aa; to3.example. HTTPS; answer to3.example. 300 HTTPS 1 s.d.example."},
	{"to a wildcard", "to4.example HTTPS",
		"NOERROR aa; to4.example. HTTPS; answer to4.example. 300 HTTPS 1 any.n.example."},
	{"in another zone", "to5.example HTTPS",
		"NOERROR aa; to5.example. HTTPS; answer to5.example. 300 HTTPS 1 other."},
	{"from another zone", "into.other HTTPS",
		"NOERROR aa; into.other. HTTPS; answer into.other. 300 HTTPS 1 near.example."},
	{"into a circle", "to6.example HTTPS",
		"NOERROR aa; to6.example. HTTPS; answer to6.example. 300 HTTPS 1 loop1.example. "
		"ipv4hint=192.0.2.2"},
	{"below a cut", "to7.example HTTPS",
		"NOERROR aa; to7.example. HTTPS; answer to7.example. 300 HTTPS 1 "
		"host.sub.example. ipv4hint=192.0.2.3"},
	{"CAA", "example CAA",
		"NOERROR aa; example. CAA; answer example. 300 CAA 0005697373756563612e74657374"},

	/* client subnets (RFC 7871 7.2.1, 7.4) */
	{"scope 0: static", "www.example A ecs=185.1.2.0/24",
		"NOERROR aa; www.example. A; answer " WWW "; edns 1232 ecs 1/24/0 185.1.2.0"},
	{"scope 0: a pool without geography", "dl.example A ecs=185.1.2.0/24",
		"NOERROR aa; dl.example. A; answer " TWO(
			"dl.example.", "30") "; edns 1232 ecs 1/24/0 185.1.2.0"},
	{"scope 0: no data", "near.example TXT ecs=185.1.2.0/24",
		"NOERROR aa; near.example. TXT; " SOA "; edns 1232 ecs 1/24/0 185.1.2.0"},
	{"scope 0: no name", "nx.example A ecs=185.1.2.0/24",
		"NXDOMAIN aa; nx.example. A; " SOA "; edns 1232 ecs 1/24/0 185.1.2.0"},
	{"scope 0: referral", "sub.example A ecs=2a00::/56",
		"NOERROR; sub.example. A; " REFERRAL "; edns 1232 ecs 2/56/0 2a00::"},
	{"scope 0: refused", "elsewhere.test A ecs=185.1.2.0/24",
		"REFUSED; elsewhere.test. A; edns 1232 ede 20 ecs 1/24/0 185.1.2.0"},
	{"scope 0: another opcode", "example SOA opcode=4 ecs=185.1.2.0/24",
		"NOTIMP opcode 4; example. SOA; edns 1232 ede 21 ecs 1/24/0 185.1.2.0"},
	{"scope 0: truncated", "long.example TXT ecs=185.1.2.0/24",
		"NOERROR aa tc; long.example. TXT; edns 1232 ecs 1/24/0 185.1.2.0"},
	{"over TCP", "nx.example A ecs=185.1.2.0/24 tcp",
		"NXDOMAIN aa; nx.example. A; " SOA "; edns 1232 ecs 1/24/0 185.1.2.0"},

	{"the resolver's address decides; no option in, none out", "near.example A from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101"},
	{"nor with EDNS", "near.example A edns=1232 from=185.1.200.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.101, "
		"near.example. 20 A 192.0.2.102; edns 1232"},
	{"nobody knows where", "near.example A from=8.8.8.8",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.101, "
		"near.example. 20 A 192.0.2.102"},
	{"the subnet decides, not the resolver", "near.example A ecs=185.1.0.0/24 from=185.1.128.1",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/24/17 185.1.0.0"},
	{"an exception makes the scope longer", "near.example A ecs=185.1.201.0/24",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.103, "
		"near.example. 20 A 192.0.2.102; edns 1232 ecs 1/24/24 185.1.201.0"},
	{"the exception", "near.example A ecs=185.1.200.0/24",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.101, "
		"near.example. 20 A 192.0.2.102; edns 1232 ecs 1/24/24 185.1.200.0"},
	{"a subnet of several classes: longer than it is", "near.example A ecs=185.1.0.0/16",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/16/17 185.1.0.0"},
	{"IPv6", "near.example AAAA ecs=2a00:8000:1::/48",
		"NOERROR aa; near.example. AAAA; answer near.example. 20 AAAA 2001:db8:f::3, "
		"near.example. 20 AAAA 2001:db8:f::2; edns 1232 ecs 2/48/20 2a00:8000:1::"},
	{"IPv6 subnet, IPv4 question", "near.example A ecs=2a00:0:1::/48",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 2/48/17 2a00:0:1::"},
	{"opted out: the resolver's address, scope 0",
		"near.example A ecs=0.0.0.0/0 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/0/0 0.0.0.0"},
	{"opted out of IPv6", "near.example A ecs=::/0 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 2/0/0 ::"},
	{"opted out without a family", "near.example A ecs=none from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 0/0/0 none"},
	{"a private subnet: the resolver's address, the block's scope",
		"near.example A ecs=192.168.7.0/24 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/24/16 192.168.7.0"},
	{"a private subnet that the networks file names",
		"near.example A ecs=10.1.2.0/24 from=185.1.200.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/24/16 10.1.2.0"},
	{"its neighbour, which it does not name", "near.example A ecs=10.2.3.0/24 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 1/24/15 10.2.3.0"},
	{"a private subnet at the site that is the first in the configured order, too",
		"near.example A ecs=172.16.5.0/24 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.101, "
		"near.example. 20 A 192.0.2.102; edns 1232 ecs 1/24/16 172.16.5.0"},
	{"unique local", "near.example A ecs=fd00:1::/48 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.102, "
		"near.example. 20 A 192.0.2.101; edns 1232 ecs 2/48/7 fd00:1::"},
	{"a subnet larger than the block that it begins in",
		"near.example A ecs=192.0.0.0/10 from=185.1.2.3",
		"NOERROR aa; near.example. A; answer near.example. 20 A 192.0.2.101, "
		"near.example. 20 A 192.0.2.102; edns 1232 ecs 1/10/11 192.0.0.0"},
	{"the name's own records, by geography", "last.example A ecs=185.1.0.0/24",
		"NOERROR aa; last.example. A; answer last.example. 3600 A 192.0.2.40; "
		"edns 1232 ecs 1/24/17 185.1.0.0"},
	{"scope 0: no records of its own, by geography", "last.example AAAA ecs=185.1.0.0/24",
		"NOERROR aa; last.example. AAAA; " SOA "; edns 1232 ecs 1/24/0 185.1.0.0"},
	{"a wildcard of geography", "x.n.example A ecs=185.1.0.0/24",
		"NOERROR aa; x.n.example. A; answer x.n.example. 20 A 192.0.2.102, "
		"x.n.example. 20 A 192.0.2.101; edns 1232 ecs 1/24/17 185.1.0.0"},
	{"the end of a chain decides the scope", "tonear.example A ecs=185.1.0.0/24",
		"NOERROR aa; tonear.example. A; answer tonear.example. 3600 CNAME near.example., "
		"near.example. 20 A 192.0.2.102, near.example. 20 A 192.0.2.101; "
		"edns 1232 ecs 1/24/17 185.1.0.0"},
};

static struct world *world;
static struct decoded decoded;
static uint8_t out[ANSWER_TCP_MAX];

/* TXT of more than 100 octets is written as '@' in the table. */
static void shorten(struct text *line)
{
	char *to = line->bytes;

	for (const char *from = line->bytes; *from;) {
		size_t hex = strspn(from, "0123456789abcdef");

		if (hex > 200) {
			*to++ = '@';
			from += hex;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static void check_case(
	const struct plan *plan, const char *about, const char *text, const char *want)
{
	struct stats stats = {0};
	struct text line = {0};
	struct ask ask;

	ask_parse(text, &ask);
	assert_true(ask_answer(plan, &ask, &stats, out, &decoded) > 0);
	decode_print(out, &decoded, &line);
	shorten(&line);
	if (strcmp(line.bytes, want) != 0)
		fail_msg("%s: %s\n got: %s\nwant: %s", about, text, line.bytes, want);
	text_done(&line);
}

static void each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check_case(&world->plan, cases[i].about, cases[i].ask, cases[i].want);
}

/* Messages that no builder of queries makes. */
static const struct {
	const char *about;
	const char *message;
	const char *want; /* NULL: silence */
} raw[] = {
	{"a runt", "1234 0100", NULL},
	{"a response", "1234 8100 0001 0000 0000 0000 00 0002 0001", NULL},
	{"a header alone: nothing to echo", "1234 0100 0000 0000 0000 0000", "FORMERR rd"},
	{"two questions: none is echoed", "1234 0100 0002 0000 0000 0000 00 0002 0001 00 0002 0001",
		"FORMERR rd"},
	{"a pointer in the question", "1234 0000 0001 0000 0000 0000 c00c 0002 0001", "FORMERR"},
	{"garbage behind the question", "1234 0110 0001 0000 0000 0000 00 0002 0001 ff",
		"FORMERR rd cd; . NS"},
	{"two OPT",
		"1234 0000 0001 0000 0000 0002 00 0002 0001"
		"00 0029 1000 00008000 0000 00 0029 1000 00008000 0000",
		"FORMERR; . NS; edns 1232 do"},
	{"a malformed client subnet: the OPT comes back, the option does not",
		"1234 0000 0001 0000 0000 0001 00 0002 0001"
		"00 0029 1000 00000000 000b 0008 0007 0001 17 00 cb0071",
		"FORMERR; . NS; edns 1232"},
	{"EDNS 1",
		"1234 0000 0001 0000 0000 0001 07'example' 00 0002 0001"
		"00 0029 1000 00018000 0000",
		"BADVERS; example. NS; edns 1232 do"},
	{"malformed behind an NSID",
		"1234 0000 0001 0000 0000 0001 00 0002 0001"
		"00 0029 1000 00000000 0007 0003 0000 fde9 00",
		"FORMERR; . NS; edns 1232 nsid ant-1"},
	{"an NSID with content, and twice",
		"1234 0000 0001 0000 0000 0001 00 0002 0001"
		"00 0029 1000 00000000 000a 0003 0002 6162 0003 0000",
		"REFUSED; . NS; edns 1232 nsid ant-1 ede 20"},
	{"EDNS 1, the options of which are not ours to read",
		"1234 0000 0001 0000 0000 0001 07'example' 00 0002 0001"
		"00 0029 1000 00010000 000b 0008 0007 0001 18 00 cb0071",
		"BADVERS; example. NS; edns 1232"},
	{"RFC 7873 5.4: no question, a client cookie",
		"1234 0100 0000 0000 0000 0001 00 0029 1000 00000000 000c 000a 0008 'cookies!'",
		"NOERROR rd; edns 1232 cookie 1763985600"},
	{"RFC 7873 5.4: no question, a server cookie that is not ours",
		"1234 0100 0000 0000 0000 0001 00 0029 1000 00000000 0014 000a 0010 "
		"'cookies!cookies!'",
		"BADCOOKIE rd; edns 1232 cookie 1763985600"},
	{"RFC 7873 5.4: no question, no cookie: malformed (RFC 9619 4)",
		"1234 0100 0000 0000 0000 0001 00 0029 1000 00000000 0004 0003 0000",
		"FORMERR rd; edns 1232 nsid ant-1"},
	{"RFC 7873 5.2.2: a cookie of 9 octets",
		"1234 0000 0001 0000 0000 0001 07'example' 00 0002 0001"
		"00 0029 1000 00000000 000d 000a 0009 'cookies!!'",
		"FORMERR; example. NS; edns 1232"},
	{"RFC 7828 3.3.1: a keepalive with a time is ignored over UDP",
		"1234 0000 0001 0000 0000 0001 07'example' 00 00fa 0001"
		"00 0029 1000 00000000 0006 000b 0002 0064",
		"NOERROR aa; example. TSIG; " SOA "; edns 1232"},
	{"RFC 9660 2.1: a zone version that says one",
		"1234 0000 0001 0000 0000 0001 07'example' 00 0002 0001"
		"00 0029 1000 00000000 000a 0013 0006 01 00 00000007",
		"FORMERR; example. NS; edns 1232"},
	{"malformed behind a cookie",
		"1234 0000 0001 0000 0000 0001 00 0002 0001"
		"00 0029 1000 00000000 000f 000a 0008 'cookies!' fde9 00",
		"FORMERR; . NS; edns 1232 cookie 1763985600"},
	{"an opcode without a question", "1234 7900 0000 0000 0000 0000", "NOTIMP opcode 15 rd"},
	{"options that we do not know",
		"1234 0000 0001 0000 0000 0001 07'example' 00 00fa 0001"
		"00 0029 1000 00000000 000c 000d 0000 fde9 0004 01020304",
		"NOERROR aa; example. TSIG; " SOA "; edns 1232"},
};

static void each_raw_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(raw); i++) {
		struct ask ask = {
			.client.address = {ADDRESS_IPV4, {198, 51, 100, 53}},
			.client.now_unix_s = ASK_NOW,
		};
		struct stats stats = {0};
		struct text line = {0};

		ask.size = hex_read(raw[i].message, ask.message, sizeof(ask.message));

		size_t size = ask_answer(&world->plan, &ask, &stats, out, &decoded);

		if (size > 0)
			decode_print(out, &decoded, &line);
		if ((size > 0) != (raw[i].want != NULL) ||
			(size > 0 && strcmp(line.bytes, raw[i].want) != 0))
			fail_msg("%s: got  %s\nwant %s", raw[i].about, size > 0 ? line.bytes : "",
				raw[i].want);
		text_done(&line);
	}
}

/* What is not set is not told, and costs no room. */
static void nothing_is_said(void **state)
{
	static const struct {
		const char *ask;
		const char *want;
	} silent[] = {
		{"www.example A nsid", "NOERROR aa; www.example. A; answer " WWW "; edns 1232"},
		{"elsewhere.test A nsid", "REFUSED; elsewhere.test. A; edns 1232 ede 20"},
		{"long2.example TXT edns=512 nsid",
			"NOERROR aa; long2.example. TXT; answer long2.example. 3600 TXT @, "
			"long2.example. 3600 TXT @; edns 1232"},
		{"id.server TXT class=3", "REFUSED; id.server. TXT"},
		{"hostname.bind TXT class=3", "REFUSED; hostname.bind. TXT"},
		{"version.server TXT class=3", "REFUSED; version.server. TXT"},
		{"www.example A cookie=client",
			"NOERROR aa; www.example. A; answer " WWW "; edns 1232"},
		{"www.example A cookie=good",
			"NOERROR aa; www.example. A; answer " WWW "; edns 1232"},
		{"www.example A cookie=client limited", "NOERROR tc; www.example. A; edns 1232"},
		{"version.bind TXT class=3 nsid", "REFUSED; version.bind. TXT; edns 1232 ede 21"},
	};
	struct plan plan = world->plan;

	(void)state;
	plan.identity = NULL;
	plan.version = NULL;
	plan.cookies = NULL;
	for (size_t i = 0; i < COUNT_OF(silent); i++)
		check_case(&plan, silent[i].ask, silent[i].ask, silent[i].want);
}

/* RFC 7828 3.2.1: over TCP, a keepalive that says a time is malformed. */
static void a_clients_keepalive(void **state)
{
	struct ask ask = {.client.is_tcp = true, .client.idle_ds = 100};
	struct stats stats = {0};
	struct text line = {0};

	(void)state;
	ask.size = hex_read("1234 0000 0001 0000 0000 0001 07'example' 00 0002 0001"
			    "00 0029 1000 00000000 0006 000b 0002 0064",
		ask.message, sizeof(ask.message));
	assert_true(ask_answer(&world->plan, &ask, &stats, out, &decoded) > 0);
	decode_print(out, &decoded, &line);
	assert_string_equal(line.bytes, "FORMERR; example. NS; edns 1232");
	text_done(&line);
}

/* RFC 7873 5.4: without a question, a cookie of ours is confirmed; where none are given, there is nothing to ask for. */
static void a_cookie_alone(void **state)
{
	struct ask ask = {
		.client.address = {ADDRESS_IPV4, {198, 51, 100, 53}}, .client.now_unix_s = ASK_NOW};
	struct plan plan = world->plan;
	struct stats stats = {0};
	size_t head = hex_read("1234 0000 0000 0000 0000 0001 00 0029 1000 00000000 001c 000a 0018",
		ask.message, sizeof(ask.message));

	(void)state;
	ask.size = head + ask_cookie("good", &ask.client.address, ask.message + head);
	assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) > 0);
	assert_int_equal(decoded.rcode, DNS_RCODE_NOERROR);
	assert_memory_equal(decoded.cookie, ask.message + head, COOKIE_SIZE);
	ask_cookie("forged", &ask.client.address, ask.message + head);
	assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) > 0);
	assert_int_equal(decoded.rcode, DNS_RCODE_BADCOOKIE);
	assert_int_equal(stats.counters[STATS_COOKIES], 2);
	plan.cookies = NULL;
	assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) > 0);
	assert_int_equal(decoded.rcode, DNS_RCODE_FORMERR);
	assert_null(decoded.cookie);
}

/* What the server room is told: who is no forgery. */
static void who_has_a_cookie(void **state)
{
	static const struct {
		const char *kind;
		bool has_cookie;
	} kinds[] = {{"good", true}, {"young", true}, {"stale", true}, {"rolled", true},
		{"late", false}, {"forged", false}, {"foreign", false}, {"client", false}};
	struct stats stats = {0};
	struct ask ask;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct text text = {0};

		text_print(&text, "www.example A cookie=%s", kinds[i].kind);
		ask_parse(text.bytes, &ask);

		struct answered answered = answer_query(
			&world->plan, &ask.client, ask.message, ask.size, 0, &stats, out);

		if (answered.has_cookie != kinds[i].has_cookie)
			fail_msg("%s", kinds[i].kind);
		text_done(&text);
	}
	ask_parse("www.example A edns=1232", &ask);
	assert_false(answer_query(&world->plan, &ask.client, ask.message, ask.size, 0, &stats, out)
			     .has_cookie);
}

/* The longest question, identity, client subnet and all other options meet in the least that a client takes. */
static void the_longest_options(void **state)
{
	static const char labels[] =
		"123456789012345678901234567890123456789012345678901234567890123."
		"123456789012345678901234567890123456789012345678901234567890123."
		"123456789012345678901234567890123456789012345678901234567890123.";
	static const char *const ends[] = {
		"1234567890123456789012345678901234567890123456789012345678901",
		"1234567890123456789012345678901234567890123456789012345.other"};
	uint8_t identity[1 + 64];
	struct plan plan = world->plan;

	(void)state;
	memset(identity, 'x', sizeof(identity));
	identity[0] = 64;
	plan.identity = identity;
	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		struct text text = {0};
		struct stats stats = {0};
		struct ask ask;

		/* over TCP, where a keepalive is answered, and all the same within 512 octets */
		text_print(&text,
			"%s%s A edns=512 nsid cookie=client keepalive zoneversion "
			"ecs=2001:db8::/128",
			labels, ends[i]);
		ask_parse(text.bytes, &ask);
		ask.client.is_tcp = true;
		assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) <= DNS_UDP_MIN);
		assert_true(decoded.has_keepalive && decoded.cookie && decoded.nsid);
		assert_int_equal(decoded.has_zone_version, i);
		ask.client.is_tcp = false;
		assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) <= DNS_UDP_MIN);
		assert_int_equal(decoded.question_size, DNS_NAME_MAX + 4);
		assert_int_equal(decoded.nsid_size, 64);
		assert_memory_equal(decoded.nsid, identity + 1, 64);
		assert_non_null(decoded.cookie);
		assert_int_equal(decoded.has_zone_version, i);
		assert_int_equal(decoded.has_error, i == 0);
		assert_int_equal(decoded.count, i);
		text_done(&text);
	}
}

/* Of class CH, too: the longest text that a record may have (RFC 1035 3.3). */
static void the_longest_text(void **state)
{
	uint8_t version[1 + 255];
	struct plan plan = world->plan;
	struct stats stats = {0};
	struct ask ask;

	(void)state;
	memset(version, 'x', sizeof(version));
	version[0] = 255;
	plan.version = version;
	ask_parse("version.server TXT class=3 edns=512 nsid ecs=2001:db8::/128", &ask);
	assert_true(ask_answer(&plan, &ask, &stats, out, &decoded) <= DNS_UDP_MIN);
	assert_int_equal(decoded.count, 1);
	assert_int_equal(decoded.records[0].rdata_size, sizeof(version));
	assert_memory_equal(decoded.records[0].rdata, version, sizeof(version));
}

/* Of TCP, all that is there. */
static void answers_over_tcp(void **state)
{
	static const struct {
		const char *ask;
		size_t want; /* records */
	} long_answers[] = {
		{"long.example TXT tcp", 5},
		{"longer.example TXT tcp", 6},
		{"a.big.example A tcp", 24},
		{"many.example A tcp", 64},
		{"many.example AAAA tcp edns=512", 64},
		{"many.example HTTPS tcp", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(long_answers); i++) {
		struct stats stats = {0};
		struct ask ask;

		ask_parse(long_answers[i].ask, &ask);
		assert_true(ask_answer(&world->plan, &ask, &stats, out, &decoded) > 0);
		assert_false(decoded.flags & DNS_FLAG_TC);
		assert_int_equal(decoded.count, long_answers[i].want);
	}
}

/* Whatever fits is there, at every size that a client may take; what does not, is not. */
static void every_payload_size(void **state)
{
	static const char *const names[] = {
		"many.example A", "long2.example TXT", "a.big.example A", "svc.example HTTPS"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct text text = {0};
		struct stats stats = {0};
		struct ask ask;
		size_t whole;

		text_print(&text, "%s edns=65535 tcp ecs=185.1.0.0/16 cookie=good", names[i]);
		ask_parse(text.bytes, &ask);
		whole = ask_answer(&world->plan, &ask, &stats, out, &decoded);
		for (unsigned size = 0; size < 2000; size++) {
			text_clear(&text);
			text_print(
				&text, "%s edns=%u ecs=185.1.0.0/16 cookie=good", names[i], size);
			ask_parse(text.bytes, &ask);

			size_t limit = size < 512 ? 512 : size > 1232 ? 1232 : size;
			size_t got = ask_answer(&world->plan, &ask, &stats, out, &decoded);

			assert_true(got <= limit);
			assert_int_equal((decoded.flags & DNS_FLAG_TC) != 0, whole > limit);
			assert_int_equal(decoded.count == 0, whole > limit);
		}
		text_done(&text);
	}
}

static const struct {
	const char *ask;
	enum stats_counter outcome;
	const char
		*besides; /* S steered, E with a client subnet, T truncated, C B G with a cookie */
} counted[] = {
	{"www.example A", STATS_NOERROR, ""},
	{"out.example A", STATS_NOERROR, ""},
	{"toself.example A", STATS_NOERROR, ""},
	{"dl.example A", STATS_NOERROR, "S"},
	{"todl.example A ecs=185.1.0.0/16", STATS_NOERROR, "SE"},
	{"spare.example A", STATS_NOERROR, ""},
	{"svc.example HTTPS", STATS_NOERROR, "S"},
	{"none.example HTTPS", STATS_NOERROR, ""},
	{"spare.example HTTPS", STATS_NOERROR, ""},
	{"many.example HTTPS", STATS_NOERROR, "ST"},
	{"long.example TXT", STATS_NOERROR, "T"},
	{"many.example A", STATS_NOERROR, "ST"},
	{"www.example TXT ecs=185.1.0.0/16", STATS_NODATA, "E"},
	{"dl.example AAAA", STATS_NODATA, ""},
	{"alias.example AAAA", STATS_NODATA, ""},
	{"nx.example A", STATS_NXDOMAIN, ""},
	{"gone.example A", STATS_NXDOMAIN, ""},
	{"sub.example A", STATS_REFERRALS, ""},
	{"into.example A", STATS_REFERRALS, ""},
	{"a.big.example A", STATS_REFERRALS, "T"},
	{"www.d.example A", STATS_NOERROR, ""},
	{"nx.d.example A", STATS_NXDOMAIN, ""},
	{"s.d.example A", STATS_NOERROR, "S"},
	{"xxxxxxxxxx.dlong.example A", STATS_YXDOMAIN, ""},
	{"elsewhere.test A", STATS_REFUSED, ""},
	{"elsewhere.test A nsid ecs=185.1.0.0/16", STATS_REFUSED, "E"},
	{"id.server TXT class=3", STATS_NOERROR, ""},
	{"authors.bind TXT class=3", STATS_REFUSED, ""},
	{"www.example A class=3", STATS_REFUSED, ""},
	{"example AXFR", STATS_REFUSED, ""},
	{"example SOA opcode=4", STATS_NOTIMP, ""},
	{"www.example TYPE128", STATS_FORMERR, ""},
	{"www.example A cookie=client", STATS_NOERROR, "C"},
	{"www.example A cookie=forged", STATS_NOERROR, "B"},
	{"www.example A cookie=foreign", STATS_NOERROR, "B"},
	{"www.example A cookie=good", STATS_NOERROR, "G"},
	{"dl.example A cookie=rolled ecs=185.1.0.0/16", STATS_NOERROR, "SEG"},
};

static void each_is_counted_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(counted); i++) {
		struct stats stats = {0};
		struct stats want = {0};
		struct ask ask;

		want.counters[counted[i].outcome] = 1;
		want.counters[STATS_STEERED] = strchr(counted[i].besides, 'S') != NULL;
		want.counters[STATS_WITH_ECS] = strchr(counted[i].besides, 'E') != NULL;
		want.counters[STATS_TRUNCATED] = strchr(counted[i].besides, 'T') != NULL;
		want.counters[STATS_CLIENT_COOKIE] = strchr(counted[i].besides, 'C') != NULL;
		want.counters[STATS_BAD_COOKIE] = strchr(counted[i].besides, 'B') != NULL;
		want.counters[STATS_WITH_COOKIE] = strchr(counted[i].besides, 'G') != NULL;
		ask_parse(counted[i].ask, &ask);
		(void)ask_answer(&world->plan, &ask, &stats, out, &decoded);
		if (memcmp(&stats, &want, sizeof(stats)) != 0)
			fail_msg("%s: not counted as it should be", counted[i].ask);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(each_raw_message),
		cmocka_unit_test(nothing_is_said),
		cmocka_unit_test(a_clients_keepalive),
		cmocka_unit_test(a_cookie_alone),
		cmocka_unit_test(who_has_a_cookie),
		cmocka_unit_test(the_longest_options),
		cmocka_unit_test(the_longest_text),
		cmocka_unit_test(answers_over_tcp),
		cmocka_unit_test(every_payload_size),
		cmocka_unit_test(each_is_counted_once),
	};

	world = world_new(NULL);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	world_free(world);
	return failed;
}
