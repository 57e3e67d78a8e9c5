# SPDX-License-Identifier: Apache-2.0
"""Answers: what RFC 1034 4.3.2 and its successors say, byte by byte where dig is too kind."""

import random
import struct

import wire
from harness import contains, equal, true
from world import zone_head

STATIC = zone_head("static.example") + """\
@      MX   10 mail
mail   A    192.0.2.25
www    A    192.0.2.80
www    AAAA 2001:db8::80
web    CNAME www
chain  CNAME web
away   CNAME www.far.example.
other  CNAME www.other.example.
dead   CNAME nothing.static.example.
loop1  CNAME loop2
loop2  CNAME loop1
deep.under.empty TXT "x"
*.wild TXT "wild"
*.wild A   192.0.2.99
host.wild A 192.0.2.98
sub    NS  ns1.sub
sub    NS  ns2.sub
sub    NS  ns.far.example.
ns1.sub A  198.51.100.11
ns1.sub AAAA 2001:db8::11
ns2.sub A  198.51.100.12
odd    TYPE65280 \\# 4 0a0b0c0d
esc\\.aped A 192.0.2.77
big    TXT "{big}"
huge   TXT "{huge}"
""".replace("{big}", '" "'.join(["b" * 200] * 4)).replace("{huge}", '" "'.join(["h" * 250] * 12))

OTHER = zone_head("other.example") + "www A 203.0.113.80\n"


def serve(bench):
    """A daemon with both zones."""
    bench.zone("static.example", STATIC)
    bench.zone("other.example", OTHER)
    bench.config()
    return bench.steerd()


def kinds(records):
    """What a section holds, without its data."""
    return [(record.name, record.type) for record in records]


def test_positive(bench):
    """An authoritative answer (RFC 1035 4.1.1): AA, no RA, RD as sent, the zone's TTL"""
    server = serve(bench)
    dig = server.dig("www.static.example", "A")
    equal(dig.status, "NOERROR")
    equal(dig.answer, [("www.static.example.", 3600, "A", "192.0.2.80")])
    equal(sorted(dig.flags), ["aa", "qr", "rd"])
    equal(server.dig("+norecurse", "www.static.example").flags, ["qr", "aa"])
    equal(server.dig("www.static.example", "AAAA").data, ["2001:db8::80"])
    equal(server.dig("static.example", "NS").data, ["ns1.static.example.", "ns2.elsewhere.example."])


def test_flags(bench):
    """RFC 1035 4.1.1: RD comes back as sent, AD and RA never, Z is ignored; AA only where we have authority"""
    server = serve(bench)
    for flags in (0, 0x0100, 0x0020, 0x0010, 0x0040, 0x0170):
        reply = server.query("www.static.example", flags=flags)
        equal((reply.rcode, reply.aa, reply.ra, reply.rd), ("NOERROR", True, False, bool(flags & 0x0100)), hex(flags))
        equal(reply.flags & 0x0060, 0, f"AD and Z for {flags:#06x}")


def test_question_echoed(bench):
    """RFC 1035 4.1.2, RFC 4343 4.1: the question comes back octet by octet as it was sent, mixed case included"""
    server = serve(bench)
    for name in ("WwW.StAtIc.ExAmPlE", "NoThInG.sTATIC.example", "a.SuB.static.EXAMPLE", "www.FAR.example"):
        sent = wire.query(name)
        reply = server.ask(sent)
        equal(reply.question_octets, sent[12:], name)
        equal(reply.id, 0x1234)


def test_nxdomain(bench):
    """NXDOMAIN carries the SOA with the smaller of its TTL and MINIMUM (RFC 2308 3)"""
    reply = serve(bench).query("nothing.static.example")
    equal(reply.rcode, "NXDOMAIN")
    true(reply.aa, "NXDOMAIN is authoritative")
    equal(kinds(reply.authority), [("static.example.", "SOA")])
    equal(reply.authority[0].ttl, 60)
    equal(reply.answer, [])


def test_nodata(bench):
    """NODATA: a name without that type gives NOERROR and the SOA (RFC 2308 2.2)"""
    server = serve(bench)
    for name, rtype in (("www.static.example", "TXT"), ("static.example", "A"), ("mail.static.example", "AAAA")):
        reply = server.query(name, rtype)
        equal((reply.rcode, reply.answer), ("NOERROR", []), name)
        equal(kinds(reply.authority), [("static.example.", "SOA")], name)
        equal(reply.authority[0].ttl, 60, name)


def test_empty_non_terminal(bench):
    """An empty non-terminal exists: NODATA, never NXDOMAIN (RFC 8020 2, RFC 4592 2.2.2)"""
    server = serve(bench)
    equal(server.query("deep.under.empty.static.example", "TXT").answer[0].text, "x")
    for name in ("under.empty.static.example", "empty.static.example", "wild.static.example"):
        reply = server.query(name)
        equal((reply.rcode, reply.answer), ("NOERROR", []), name)
    equal(server.query("else.empty.static.example").rcode, "NXDOMAIN")


def test_wildcard(bench):
    """Wildcards by RFC 4592 3.3.1: the closest encloser rules, an existing name blocks"""
    server = serve(bench)
    for name in ("a.wild.static.example", "a.b.wild.static.example", "*.wild.static.example"):
        reply = server.query(name)
        equal(reply.addresses, ["192.0.2.99"], name)
        equal(reply.answer[0].name, name + ".", "the owner is the name asked for")
        equal(server.query(name, "MX").rcode, "NOERROR", "NODATA at a wildcard")
    equal(server.query("host.wild.static.example").addresses, ["192.0.2.98"])
    equal(server.query("host.wild.static.example", "TXT").answer, [], "the name exists, so no wildcard")
    equal(server.query("a.host.wild.static.example").rcode, "NXDOMAIN", "host.wild is the closest encloser")


def test_referral(bench):
    """A referral (RFC 1034 4.3.2): no AA, the NS set, all glue (RFC 9471 3.1); DS is the parent's (RFC 4035 3.1.4.1)"""
    server = serve(bench)
    for name in ("sub.static.example", "deep.sub.static.example"):
        reply = server.query(name)
        equal((reply.rcode, reply.aa, reply.answer), ("NOERROR", False, []), name)
        equal({r.type for r in reply.authority}, {"NS"}, name)
        equal(len(reply.authority), 3, name)
        equal(sorted(r.text for r in reply.additional),
              ["198.51.100.11", "198.51.100.12", "2001:db8::11"], name)
    reply = server.query("sub.static.example", "DS")
    equal((reply.rcode, reply.aa, reply.answer), ("NOERROR", True, []))
    equal(kinds(reply.authority), [("static.example.", "SOA")])
    equal(server.dig("x.sub.static.example").status, "NOERROR")


def test_cname(bench):
    """CNAMEs are followed inside hosted zones (RFC 1034 3.6.2), into another one too, and not beyond"""
    server = serve(bench)
    equal([(r.type, r.text) for r in server.query("chain.static.example").answer],
          [("CNAME", "web.static.example."), ("CNAME", "www.static.example."), ("A", "192.0.2.80")])
    equal(server.query("other.static.example").addresses, ["203.0.113.80"])
    equal(server.query("web.static.example", "CNAME").answer[0].text, "www.static.example.")
    away = server.query("away.static.example")
    equal((away.rcode, kinds(away.answer)), ("NOERROR", [("away.static.example.", "CNAME")]))
    nodata = server.query("web.static.example", "MX")
    equal((nodata.rcode, kinds(nodata.answer), kinds(nodata.authority)),
          ("NOERROR", [("web.static.example.", "CNAME")], [("static.example.", "SOA")]))


def test_cname_ends(bench):
    """The code is that of the chain's last name (RFC 6604 3); a loop ends"""
    server = serve(bench)
    dead = server.query("dead.static.example")
    equal((dead.rcode, kinds(dead.answer)), ("NXDOMAIN", [("dead.static.example.", "CNAME")]))
    equal(kinds(dead.authority), [("static.example.", "SOA")])
    loop = server.query("loop1.static.example")
    true(1 <= len(loop.answer) <= 20, f"a loop gives {len(loop.answer)} records")
    true(loop.rcode in ("NOERROR", "SERVFAIL"), loop.rcode)


def test_refused(bench):
    """Names outside every hosted zone, and other classes, are REFUSED"""
    server = serve(bench)
    for name in ("www.far.example", "example", "", "xstatic.example"):
        reply = server.query(name)
        equal((reply.rcode, reply.aa, reply.answer, reply.authority), ("REFUSED", False, [], []), name)
    equal(server.query("www.static.example", rclass=3).rcode, "REFUSED", "class CHAOS")
    equal(server.dig("www.far.example").status, "REFUSED")


def test_identity(bench):
    """Who answers: NSID (RFC 5001 2.1) and class CHAOS (RFC 4892) say it if it is set, from the next reload on"""
    server = serve(bench)
    asked = [("CH", "TXT", name) for name in ("id.server", "hostname.bind", "version.server", "version.bind")]
    equal([server.dig(*words).status for words in asked], ["REFUSED"] * 4)
    true("NSID" not in server.dig("+nsid", "www.static.example").text, "nothing is said of what is not set")
    bench.config(identity="ns1 fra")
    server.reload()
    contains(server.dig("+nsid", "www.static.example").text, '("ns1 fra")', "NSID")
    contains(server.dig("+nsid", "+tcp", "nothing.static.example").text, '("ns1 fra")', "NSID over TCP")
    true("NSID" not in server.dig("+nonsid", "www.static.example").text, "nobody asked")
    said = [server.dig(*words) for words in asked]
    equal([dig.status for dig in said], ["NOERROR", "NOERROR", "REFUSED", "REFUSED"])
    equal(said[0].answer, [("id.server.", 0, "TXT", '"ns1 fra"')])
    equal(said[1].data, ['"ns1 fra"'])
    bench.config(version="yes")
    server.reload()
    said = [server.dig(*words) for words in asked]
    equal([dig.status for dig in said], ["REFUSED", "REFUSED", "NOERROR", "NOERROR"])
    equal(said[2].data, said[3].data)
    contains(said[2].data[0], '"steerd ', "the version")
    true("NSID" not in server.dig("+nsid", "www.static.example").text, "what is set no more is not said")


def test_extended_error(bench):
    """A name outside every zone: the refusal says why (RFC 8914 4.21), to those who speak EDNS"""
    server = serve(bench)
    dig = server.dig("www.far.example")
    equal(dig.status, "REFUSED")
    contains(dig.text, "EDE: 20 (Not Authoritative)", "the extended error")
    true("EDE" not in server.dig("www.static.example").text, "no error where there is none")
    equal(server.query("www.far.example").opts, [])
    equal(server.query("www.far.example", edns=wire.opt_record()).options(), [(15, b"\x00\x14")])


def test_edns(bench):
    """RFC 6891 6.1.1, 6.1.4: OPT only if asked, ours says 1232; unknown options and flags are ignored"""
    server = serve(bench)
    equal(server.query("www.static.example").opts, [])
    reply = server.query("www.static.example", edns=wire.opt_record(payload=4096, options=[(65001, b"what")]))
    equal(len(reply.opts), 1)
    equal(reply.opts[0].rclass, 1232, "our payload size")
    equal(reply.options(), [], "an unknown option is not sent back")
    equal(reply.addresses, ["192.0.2.80"])
    reply = server.query("www.static.example", edns=wire.opt_record(flags=0x7FFF))
    equal((reply.rcode, reply.opts[0].ttl & 0x7FFF), ("NOERROR", 0), "Z flags are not sent back")
    equal(len(server.query("nothing.static.example", edns=wire.opt_record()).opts), 1)
    equal(len(server.query("www.far.example", edns=wire.opt_record()).opts), 1)


def test_edns_errors(bench):
    """BADVERS for another version (RFC 6891 6.1.3); two OPTs, or one not at the root (RFC 6891 6.1.1), are FORMERR"""
    server = serve(bench)
    reply = server.query("www.static.example", edns=wire.opt_record(version=1))
    equal((reply.rcode, reply.answer, reply.opts[0].ttl >> 16 & 255), ("BADVERS", [], 0))
    one = wire.opt_record()
    two = bytearray(wire.query("www.static.example", edns=one) + one)
    two[11] = 2
    equal(server.ask(bytes(two)).rcode, "FORMERR", "two OPTs")
    equal(server.query("www.static.example", edns=wire.opt_record(owner=b"\1x\0")).rcode, "FORMERR")
    equal(server.dig("+edns=5", "+noednsnegotiation", "www.static.example").status, "BADVERS")


def test_truncation(bench):
    """RFC 6891 6.2.3, RFC 2181 9: over UDP TC is set beyond 512 octets, or 1232 with EDNS and a cookie; TCP gives all"""
    server = serve(bench)
    cookie = [server.cookie()]
    plain = server.query("big.static.example", "TXT")
    equal((plain.tc, plain.answer), (True, []))
    equal(server.query("big.static.example", "TXT", edns=wire.opt_record()).tc, True)
    equal(len(server.query("big.static.example", "TXT", edns=wire.opt_record(options=cookie)).answer), 1)
    small = server.query("big.static.example", "TXT", edns=wire.opt_record(payload=100, options=cookie))
    equal(small.tc, True, "less than 512 counts as 512")
    huge = server.query("huge.static.example", "TXT", edns=wire.opt_record(payload=4096, options=cookie))
    equal((huge.tc, len(huge.opts)), (True, 1))
    true(len(huge.octets) <= 1232, "never more than 1232 octets")
    equal(len(server.ask_tcp(wire.query("huge.static.example", "TXT")).answer[0].text), 3000)
    dig = server.dig("huge.static.example", "TXT")
    equal(len(dig.answer), 1)
    contains(dig.text, "(TCP)", "dig came back over TCP")


def test_ecs_static(bench):
    """A client subnet is echoed with scope 0 where the answer does not depend on it (RFC 7871 7.2.1, 7.4)"""
    server = serve(bench)
    for name, rtype in (("www.static.example", "A"), ("nothing.static.example", "A"), ("www.static.example", "MX"),
                        ("a.sub.static.example", "A"), ("web.static.example", "A")):
        for subnet in ("2.0.5.0/24", "2.0.5.5/32", "2a00:1000:5::/56", "0.0.0.0/0", "128.0.0.0/1"):
            sent = wire.ecs_option(subnet)[1]
            reply = server.ask(wire.ecs_query(name, rtype, subnet))
            equal(dict(reply.options()), {wire.OPTION_ECS: sent}, f"{name} {subnet}")
    equal(server.dig("+subnet=2.0.5.0/24", "www.static.example").subnet, "2.0.5.0/24/0")
    equal(server.dig("+subnet=0", "www.static.example").status, "NOERROR", "family 0, as dig sends it")


def test_ecs_malformed(bench):
    """A malformed client subnet is FORMERR (RFC 7871 7.2.1)"""
    server = serve(bench)
    cases = {
        "unknown family": b"\0\3\x18\0\1\2\3",
        "too few octets": b"\0\1\x18\0\1\2",
        "too many octets": b"\0\1\x18\0\1\2\3\4",
        "a bit beyond the source": b"\0\1\x17\0\1\2\3",
        "longer than an address": b"\0\1\x21\0\1\2\3\4\5",
        "longer than an IPv6 address": b"\0\2\x81\0" + bytes(17),
        "a scope in a query": b"\0\1\x18\x18\1\2\3",
        "shorter than four octets": b"\0\1\x18",
        "empty": b"",
    }
    for about, option in cases.items():
        reply = server.query("www.static.example", edns=wire.opt_record(options=[(wire.OPTION_ECS, option)]))
        equal(reply.rcode, "FORMERR", about)


def test_formerr(bench):
    """What cannot be read as a query is FORMERR, and never costs more than that (RFC 9267)"""
    server = serve(bench)
    good = wire.query("www.static.example")

    def counted(counts):
        return good[:4] + struct.pack("!HHHH", *counts) + good[12:]

    cases = {
        # RFC 9619 4
        "no question": counted((0, 0, 0, 0))[:12],
        "two questions": counted((2, 0, 0, 0)) + good[12:],
        "a question that is not there": counted((1, 0, 0, 0))[:12],
        "cut within the name": good[:20],
        "cut before the class": good[:-2],
        # RFC 9267 2: the shortest message that leads a reader round for ever
        "a pointer in the name": good[:12] + b"\xc0\x0c\0\1\0\1",
        "a pointer behind a label": good[:12] + b"\3www\xc0\x0c\0\1\0\1",
        "a label of 64": good[:12] + b"\x40" + b"x" * 64 + b"\0\0\1\0\1",
        "a name of more than 255": good[:12] + (b"\x3f" + b"x" * 63) * 4 + b"\0\0\1\0\1",
        "an OPT that is cut": counted((1, 0, 0, 1)) + wire.opt_record()[:-4],
        "an OPT whose data is cut": counted((1, 0, 0, 1)) + wire.opt_record(options=[(10, b"12345678")])[:-3],
    }
    for about, octets in cases.items():
        reply = wire.ask_udp(server.server, octets)
        true(reply is not None, f"{about}: no answer")
        equal(reply[3] & 15, 1, f"{about}: rcode")
        equal(reply[:2], good[:2], f"{about}: id")
        equal(reply[2] & 0x80, 0x80, f"{about}: QR")
    equal(server.query("www.static.example").rcode, "NOERROR")


def test_notimp(bench):
    """Every opcode but QUERY is NOTIMP (RFC 8906 3)"""
    server = serve(bench)
    for opcode in (1, 2, 3, 4, 5, 6, 15):
        reply = server.query("static.example", "SOA", flags=opcode << 11)
        equal((reply.rcode, reply.opcode, reply.answer), ("NOTIMP", opcode, []))
    equal(server.dig("+opcode=update", "static.example", "SOA").status, "NOTIMP")


def test_silence(bench):
    """Responses and runts get no reply: no two servers can talk to each other for ever"""
    server = serve(bench)
    response = wire.query("www.static.example", flags=0x8000)
    for octets in (response, response[:12], b"", b"\x12\x34", wire.query("www.static.example")[:11]):
        equal(wire.ask_udp(server.server, octets, 0.3), None, octets.hex())
    equal(server.query("www.static.example").rcode, "NOERROR")


def test_any(bench):
    """ANY over UDP is small (RFC 8482 4.1)"""
    server = serve(bench)
    reply = server.query("www.static.example", "ANY", edns=wire.opt_record(payload=4096))
    equal(reply.rcode, "NOERROR")
    true(reply.answer, "something is answered")
    true(len(reply.octets) <= 512, f"{len(reply.octets)} octets")


def test_transfer_refused(bench):
    """A zone transfer is not for everyone: AXFR is refused"""
    server = serve(bench)
    true(server.ask_tcp(wire.query("static.example", "AXFR")).rcode in ("REFUSED", "NOTIMP"), "AXFR is refused")


def test_unknown_type(bench):
    """RFC 3597 3: a type nobody knows is served as it is, and asked for without harm"""
    server = serve(bench)
    equal(server.query("odd.static.example", 65280).answer[0].rdata, bytes.fromhex("0a0b0c0d"))
    equal(server.query("www.static.example", 65281).rcode, "NOERROR")
    equal(server.query("none.static.example", 65281).rcode, "NXDOMAIN")
    contains(server.dig("odd.static.example", "TYPE65280").text, "0A0B0C0D")


def test_escaped_names(bench):
    """An escaped dot is part of its label (RFC 1035 5.1)"""
    server = serve(bench)
    equal(server.query("esc\\.aped.static.example").addresses, ["192.0.2.77"])
    equal(server.query("esc.aped.static.example").rcode, "NXDOMAIN")


def test_minimal(bench):
    """No additional section but glue; no authority section in a positive answer"""
    reply = serve(bench).query("static.example", "MX", edns=wire.opt_record())
    equal((reply.answer[0].text, reply.authority, reply.additional), ("10 mail.static.example.", [], []))


def test_garbage(bench):
    """20,000 mutated queries: each gets silence or a readable answer, and the daemon stays"""
    server = serve(bench)
    generator = random.Random(20261122)
    seeds = [wire.query("www.static.example"), wire.ecs_query("a.wild.static.example", "A", "2.0.5.0/24"),
             wire.query("x.sub.static.example", edns=wire.opt_record(options=[(10, b"12345678")]))]
    with wire.udp_socket(server.server, 0.0) as sock:
        for _ in range(20000):
            octets = bytearray(generator.choice(seeds))
            for _ in range(generator.randrange(1, 6)):
                octets[generator.randrange(len(octets))] = generator.randrange(256)
            del octets[generator.randrange(1, len(octets) + 1) :]
            sock.send(octets)
            for reply in wire.pending(sock):
                true(reply[2] & 0x80, "what we get is a response")
                wire.Response(reply)
    equal(server.query("www.static.example").addresses, ["192.0.2.80"])
