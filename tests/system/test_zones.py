# SPDX-License-Identifier: Apache-2.0
"""Zones: ordinary zone files, steered by `_steer` records, checked line by line."""

import os

import wire
from harness import contains, equal, true
from world import geography, zone_head

POOLS = {
    "one": {"method": "all", "members": {"m": {"address": ["203.0.113.1"]}}},
    "two": {"method": "all", "members": {"m": {"address": ["203.0.113.2", "2001:db8:2::2"]}}},
}

STEERED = zone_head("files.example") + """\
@         A   192.0.2.1
_steer    TXT "pool=one"
dl    30  A   192.0.2.10
_steer.dl 45 TXT "pool=two"
*.s       A   192.0.2.20
_steer.*.s TXT "pool=one"
fixed.s   A   192.0.2.21
_steer.only TXT "pool=two"
"""

TYPES = """\
a       A          192.0.2.1
aaaa    AAAA       2001:db8::1
afsdb   AFSDB      1 host.types.example.
caa     CAA        0 issue "ca.example"
cdnskey CDNSKEY    257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
cds     CDS        60485 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
hinfo   HINFO      "PC" "Linux"
https   HTTPS      1 . alpn="h2,h3" port=8443
loc     LOC        52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m
mx      MX         10 mail.types.example.
naptr   NAPTR      100 50 "s" "http" "" _http._tcp.types.example.
ptr     PTR        host.types.example.
rp      RP         admin.types.example. txt.types.example.
spf     TXT        "v=spf1 -all"
srv     SRV        1 2 443 host.types.example.
sshfp   SSHFP      4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789
svcb    SVCB       1 svc.types.example. port=853
tlsa    TLSA       3 1 1 D2ABDE240D7CD3EE6B4B28C54DF034B97983A1D16E8A410E4561CB106618E971
txt     TXT        "one \\"two\\"" "three"
uri     URI        10 1 "https://types.example/"
"""


def serve(bench, **zones):
    """A daemon with these zones and POOLS; `_` in a keyword is a dot."""
    for name, text in zones.items():
        bench.zone(name.replace("_", "."), text)
    bench.config(pools=POOLS)
    return bench.steerd()


def check(bench):
    """`steerd --check`: its exit code and lines."""
    ran = bench.run("steerd", "--check", "-c", bench.path("steerd.yaml"))
    return ran.code, ran.all


# ---- steering in zones ------------------------------------------------------------------------------------------


def test_steered_name(bench):
    """_steer.NAME steers NAME: addresses of the pool, the TTL of the _steer record"""
    server = serve(bench, files_example=STEERED)
    equal(server.dig("dl.files.example").answer, [("dl.files.example.", 45, "A", "203.0.113.2")])
    equal(server.dig("dl.files.example", "AAAA").answer, [("dl.files.example.", 45, "AAAA", "2001:db8:2::2")])
    equal(server.addresses("only.files.example"), ["203.0.113.2"], "a name that has no other record")


def test_steered_apex(bench):
    """_steer at the zone's top steers the apex, and only its addresses"""
    server = serve(bench, files_example=STEERED)
    equal(server.dig("files.example").answer, [("files.example.", 3600, "A", "203.0.113.1")])
    equal(server.query("files.example", "SOA").answer[0].type, "SOA")
    equal(len(server.query("files.example", "NS").answer), 2)


def test_steered_wildcard(bench):
    """_steer.*.NAME steers the wildcard; a name that exists is not steered by it"""
    server = serve(bench, files_example=STEERED)
    for name in ("a.s.files.example", "b.c.s.files.example"):
        dig = server.dig(name)
        equal(dig.answer, [(name + ".", 3600, "A", "203.0.113.1")])
    equal(server.addresses("fixed.s.files.example"), ["192.0.2.21"])


def test_steer_records_are_not_served(bench):
    """_steer records (RFC 8552) are consumed: NXDOMAIN for their names, at a name, the apex, a wildcard"""
    server = serve(bench, files_example=STEERED)
    for name in ("_steer.files.example", "_steer.dl.files.example", "_steer.only.files.example",
                 "_steer.*.s.files.example"):
        for rtype in ("TXT", "ANY", "A"):
            reply = server.query(name, rtype)
            true(b"pool=" not in reply.octets, f"{name} {rtype} tells the instruction")
            true(all(r.type != "TXT" for r in reply.answer), f"{name} {rtype} is served")
    equal(server.query("_steer.dl.files.example", "TXT").rcode, "NXDOMAIN")
    true(b"pool=" not in server.query("dl.files.example", "ANY").octets, "ANY tells the instruction")


def test_family_without_members(bench):
    """A family without members is NODATA with the SOA (RFC 3596 2), never the zone's own record"""
    server = serve(bench, files_example=STEERED + "v4 AAAA 2001:db8::9\n_steer.v4 TXT \"pool=one\"\n")
    reply = server.query("v4.files.example", "AAAA")
    equal((reply.rcode, reply.answer, reply.authority[0].type), ("NOERROR", [], "SOA"))
    equal(server.addresses("v4.files.example"), ["203.0.113.1"])


# ---- reading zone files -----------------------------------------------------------------------------------------


def test_record_types(bench):
    """Every type that ldns knows comes back from dig as it was written; CAA (RFC 8659 4.1), HTTPS (RFC 9460 2.1) too"""
    server = serve(bench, types_example=zone_head("types.example") + TYPES)
    for line in TYPES.splitlines():
        name, rtype, data = line.split(None, 2)
        got = server.dig(f"{name}.types.example", rtype).data
        equal([text.replace(" ", "").lower() for text in got], [data.replace(" ", "").lower()], rtype)


def test_text_forms(bench):
    """RFC 1035 5.1, RFC 2308 4: $ORIGIN, $TTL, several lines, comments, escapes and absent owners are read"""
    server = serve(bench, forms_example="""\
$ORIGIN forms.example.
$TTL 1h30m
@ IN SOA ns1 hostmaster (
        2026112201 ; serial
        7200 900
        1209600 60 )
  NS ns1
ns1 A 192.0.2.1
    A 192.0.2.2 ; the owner above
$ORIGIN deep.forms.example.
x TXT ( "one"
        "two" )
$TTL 77
y 5 A 192.0.2.3
z A 192.0.2.4
\\065bc A 192.0.2.5
abs.forms.example. A 192.0.2.6
semi TXT "a;b"
""")
    equal(server.addresses("ns1.forms.example"), ["192.0.2.1", "192.0.2.2"])
    equal(server.dig("ns1.forms.example").answer[0][1], 5400)
    equal(server.query("x.deep.forms.example", "TXT").answer[0].text, "onetwo")
    equal(server.dig("y.deep.forms.example").answer[0][1], 5)
    equal(server.dig("z.deep.forms.example").answer[0][1], 77)
    equal(server.addresses("Abc.deep.forms.example"), ["192.0.2.5"])
    equal(server.addresses("abs.forms.example"), ["192.0.2.6"])
    equal(server.query("semi.deep.forms.example", "TXT").answer[0].text, "a;b")


def test_include(bench):
    """$INCLUDE reads files below the zones directory, with an origin of its own"""
    bench.write("zones/parts/hosts", "h1 A 192.0.2.11\n")
    server = serve(bench, inc_example=zone_head("inc.example")
                   + "$INCLUDE parts/hosts\n$INCLUDE parts/hosts sub.inc.example.\nafter A 192.0.2.12\n")
    equal(server.addresses("h1.inc.example"), ["192.0.2.11"])
    equal(server.addresses("h1.sub.inc.example"), ["192.0.2.11"])
    equal(server.addresses("after.inc.example"), ["192.0.2.12"], "the origin is as before")


def test_include_outside(bench):
    """$INCLUDE never leaves the zones directory, not by .., not by a symbolic link"""
    bench.write("secret", "secret TXT \"s3cr3t\"\n")
    bench.config(pools=POOLS)
    os.symlink(bench.path("secret"), bench.path("zones/link"))
    for target in ("../secret", bench.path("secret"), "link"):
        bench.zone("inc.example", zone_head("inc.example") + f"$INCLUDE {target}\n")
        code, text = check(bench)
        equal(code, 1, target)
        contains(text, "inc.example.zone:8: ", target)
        true("s3cr3t" not in text, "the file was read")


def test_several_zones(bench):
    """Several zones, and a subzone beside its parent: the deeper one answers (RFC 1034 4.3.2)"""
    server = serve(
        bench,
        parent_example=zone_head("parent.example") + "child NS ns1.child\nns1.child A 192.0.2.1\nx A 192.0.2.2\n",
        child_parent_example=zone_head("child.parent.example") + "www A 192.0.2.3\n",
        third_example=zone_head("third.example") + "www A 192.0.2.4\n")
    reply = server.query("www.child.parent.example")
    equal((reply.aa, reply.addresses), (True, ["192.0.2.3"]))
    equal(server.query("nothing.child.parent.example").authority[0].name, "child.parent.example.")
    equal(server.addresses("x.parent.example"), ["192.0.2.2"])
    equal(server.addresses("www.third.example"), ["192.0.2.4"])
    equal({zone["name"].rstrip(".") for zone in server.status()["zones"]},
          {"parent.example", "child.parent.example", "third.example"})


def test_other_files(bench):
    """What an editor or a package manager leaves in the directory is no zone, and no mistake"""
    bench.zone("files.example", STEERED)
    for name in ("files.example.zone~", ".files.example.zone.swp", "#files.example.zone#", "files.example.zone.bak",
                 "files.example.zone.dpkg-new", "README", ".hidden.zone"):
        bench.write(f"zones/{name}", "not a zone\n")
    os.mkdir(bench.path("zones/parts"))
    bench.write("zones/parts/inner.example.zone", zone_head("inner.example"))
    bench.config(pools=POOLS)
    server = bench.steerd()
    equal([zone["name"].rstrip(".") for zone in server.status()["zones"]], ["files.example"])


def test_no_zones(bench):
    """A directory without zones, or none at all: no start, and the reason is said"""
    bench.config(pools=POOLS)
    code, said = check(bench)
    equal(code, 1, said)
    contains(said, "zones")
    os.rmdir(bench.path("zones"))
    code, said = check(bench)
    equal(code, 1, said)
    contains(said, "zones")


# ---- mistakes ---------------------------------------------------------------------------------------------------

SOA = "@ SOA ns1 hostmaster 1 2 3 4 5\n"
NS = "@ NS ns1\nns1 A 192.0.2.1\n"
HEAD = "$ORIGIN bad.example.\n$TTL 60\n"

# about: (file, line of the mistake or None, words that must stand in its line)
BROKEN = {
    "no SOA": (HEAD + NS, None, "SOA"),
    "two SOAs": (HEAD + SOA + NS + SOA.replace("hostmaster", "other"), 6, "SOA"),
    "no NS at the apex": (HEAD + SOA + "ns1 A 192.0.2.1\n", None, "NS"),
    "CNAME beside other data": (HEAD + SOA + NS + "www A 192.0.2.2\nwww CNAME ns1\n", 7, "line 6 (RFC 1034 3.6.2)"),
    "other data beside a CNAME": (HEAD + SOA + NS + "www CNAME ns1\nwww A 192.0.2.2\n", 6, "line 7 (RFC 1034 3.6.2)"),
    "two CNAMEs": (HEAD + SOA + NS + "www CNAME ns1\nwww CNAME ns2\n", 7, "CNAME"),
    "outside the zone": (HEAD + SOA + NS + "www.good.example. A 192.0.2.2\n", 6, "good.example"),
    "an unknown pool": (HEAD + SOA + NS + "_steer.www TXT \"pool=oen\"\n", 6, "'oen'"),
    "an instruction that is none": (HEAD + SOA + NS + "_steer.www TXT \"pols=one\"\n", 6, "pool=NAME"),
    "an address that is none": (HEAD + SOA + NS + "www A 192.0.2.256\n", 6, ""),
    "a type that is none": (HEAD + SOA + NS + "www AXXX 192.0.2.2\n", 6, ""),
    "a TTL that is none": (HEAD + SOA + NS + "www 1x A 192.0.2.2\n", 6, ""),
    "open parentheses": (HEAD + SOA + NS + "www TXT ( \"a\"\n", 6, ""),
    "a file that is not there": (HEAD + SOA + NS + "$INCLUDE missing\n", 6, "missing"),
    "a file that includes itself": (HEAD + SOA + NS + "$INCLUDE bad.example.zone\n", 6, ""),
}


def test_mistakes(bench):
    """Each mistake is named as file:line: with the rule, and the check ends with code 1"""
    bench.config(pools=POOLS)
    for about, (text, line, words) in BROKEN.items():
        bench.zone("bad.example", text)
        code, said = check(bench)
        equal(code, 1, about)
        where = f"bad.example.zone:{line}: " if line else "bad.example.zone"
        lines = [one for one in said.splitlines() if where in one and words in one]
        true(lines, f"{about}: no line with {where!r} and {words!r} in:\n{said}")


def test_all_mistakes_at_once(bench):
    """All mistakes of all zones are collected, and a good zone beside them is fine"""
    bench.config(pools=POOLS)
    bench.zone("good.example", zone_head("good.example"))
    bench.zone("bad.example", HEAD + SOA + NS + "a A 1.2.3\nb A 192.0.2.1\nc MX mail\n_steer.d TXT \"pool=none\"\n")
    bench.zone("worse.example", "$TTL 5\nx A 192.0.2.1\n")
    code, said = check(bench)
    equal(code, 1)
    for part in ("bad.example.zone:6: ", "bad.example.zone:8: ", "bad.example.zone:9: ", "worse.example.zone"):
        contains(said, part)
    true("good.example.zone:" not in said, said)


def test_warnings(bench):
    """Differing TTLs, a missing address of a name server, hidden data: warnings, and the zone serves"""
    server = serve(bench, warn_example=zone_head("warn.example") + """\
www 300 A 192.0.2.1
www 100 A 192.0.2.2
@ NS ns3
sub NS ns.sub
ns.sub A 192.0.2.3
hidden.sub TXT "never seen"
""")
    code, said = check(bench)
    equal(code, 0)
    for part in ("warn.example.zone:9: ", "warn.example.zone:10: ", "warn.example.zone:13: "):
        true(any("warning: " in line and part in line for line in said.splitlines()), f"no warning {part}in:\n{said}")
    equal({record[1] for record in server.dig("www.warn.example").answer}, {100}, "the lowest TTL (RFC 2181 5.2)")
    equal(server.query("hidden.sub.warn.example", "TXT").authority[0].type, "NS")


def test_good_check(bench):
    """steerd --check is quiet about what is right, and starts nothing"""
    bench.zone("files.example", STEERED)
    bench.config(pools=POOLS, geo=geography(bench))
    code, said = check(bench)
    equal(code, 0, said)
    true("error" not in said.lower(), said)
    true(not os.path.exists(bench.path("control")), "no socket is made")


def test_steered_names_in_any_case(bench):
    """Names are compared without case (RFC 4343 3), steered ones too, and echoed as asked"""
    server = serve(bench, files_example=STEERED)
    sent = wire.query("DL.fIlEs.example")
    reply = server.ask(sent)
    equal(reply.question_octets, sent[12:])
    equal(reply.addresses, ["203.0.113.2"])
