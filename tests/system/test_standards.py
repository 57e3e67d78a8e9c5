# SPDX-License-Identifier: Apache-2.0
"""Standards: rules of RFCs at the size at which they bind, where no other file shows them so."""

import ctypes
import os
import random
import shutil
import socket
import struct
import subprocess

import wire
from harness import PATIENCE, Skipped, equal, true
from world import zone_head

POOLS = {
    "one": {"method": "all", "members": {"m": {"address": ["203.0.113.1"]}}},
    "many": {"method": "all", "members": {
        f"m{n}": {"address": [f"203.0.113.{n}", f"2001:db8:2::{n}"]} for n in range(1, 61)}},
}


def serve(bench, zones, **settings):
    """A daemon with these zones, {name: what follows their head}."""
    for name, text in zones.items():
        bench.zone(name, text if "SOA" in text else zone_head(name) + text)
    bench.config(pools=POOLS, **settings)
    return bench.steerd()


# ---- names ------------------------------------------------------------------------------------------------------


def mixed_case(generator, text):
    """Each letter in either case."""
    return "".join(generator.choice((c.lower(), c.upper())) for c in text)


def test_case(bench):
    """RFC 4343 3, 4.1: 1,000 questions in random case come back octet by octet, with the same answers"""
    server = serve(bench, {"case.example": """\
www    A 192.0.2.1
alias  CNAME www
*.wild A 192.0.2.2
sub    NS ns.sub
ns.sub A 192.0.2.3
_steer.dl TXT "pool=one"
"""})
    generator = random.Random(4343)
    asked = {}
    for name in ("www", "alias", "any.wild", "x.sub", "dl", "not-there", "ns1"):
        reply = server.query(f"{name}.case.example")
        asked[name] = (reply.rcode, [r.text for r in reply.answer], [r.text for r in reply.authority])
    for number in range(1000):
        name = generator.choice(list(asked))
        sent = wire.query(mixed_case(generator, f"{name}.case.example"), ident=number)
        reply = server.ask(sent)
        equal((reply.id, reply.question_octets), (number, sent[12:]), name)
        equal((reply.rcode, [r.text.lower() for r in reply.answer], [r.text.lower() for r in reply.authority]),
              asked[name], reply.questions)


# The zone of RFC 4592 2.2.1, and the same with its wildcard steered.
WILD = """\
*                TXT "this is a wildcard"
*                MX  10 host1
sub.*            TXT "this is not a wildcard"
host1            A   192.0.2.1
_ssh._tcp.host1  SRV 0 0 22 host1
_ssh._tcp.host2  SRV 0 0 22 host1
subdel           NS  ns.example.com.
subdel           NS  ns.example.net.
_steer.*         TXT "pool=one"
"""

# name, type, what comes of it: a text of the answer, or why there is none
WILD_CASES = [
    # those that the RFC itself asks
    ("host3", "MX", "10 host1.wild.example."),
    ("host3", "A", "203.0.113.1"),
    ("foo.bar", "TXT", "this is a wildcard"),
    ("host1", "MX", "no data"),
    ("sub.*", "MX", "no data"),
    ("_telnet._tcp.host1", "SRV", "no name"),
    ("host.subdel", "A", "referral"),
    ("ghost.*", "MX", "no name"),
    # the wildcard's own name, what is beside it and below it
    ("*", "TXT", "this is a wildcard"),
    ("*", "A", "203.0.113.1"),
    ("*", "AAAA", "no data"),
    ("*.*", "A", "no name"),
    ("sub.*", "TXT", "this is not a wildcard"),
    ("sub.*", "A", "no data"),
    ("x.sub.*", "A", "no name"),
    # names that exist, by records or as empty non-terminals, hide it
    ("host1", "A", "192.0.2.1"),
    ("host1", "AAAA", "no data"),
    ("x.host1", "A", "no name"),
    ("*.host1", "A", "no name"),
    ("host2", "A", "no data"),
    ("_tcp.host2", "A", "no data"),
    ("x.host2", "A", "no name"),
    ("x._tcp.host2", "MX", "no name"),
    ("", "A", "no data"),
    # names that do not, do not
    ("host3", "AAAA", "no data"),
    ("host3", "SRV", "no data"),
    ("a.b.c.d", "A", "203.0.113.1"),
    ("a.b.c.d", "MX", "10 host1.wild.example."),
    ("\\.", "A", "203.0.113.1"),
    ("HOST9", "A", "203.0.113.1"),
    ("x*", "A", "203.0.113.1"),
    ("**", "TXT", "this is a wildcard"),
    # a delegation is one below it as well
    ("subdel", "A", "referral"),
    ("subdel", "DS", "no data"),
    ("*.subdel", "A", "referral"),
]


def outcome(reply):
    """What an answer is, in the words of the table."""
    if reply.rcode == "NXDOMAIN":
        return "no name"
    if reply.answer:
        return " ".join(sorted(record.text for record in reply.answer))
    return "no data" if reply.aa else "referral"


def test_wildcards(bench):
    """RFC 4592 2.2.1: its zone by hand, and a steered wildcard that obeys it like any other"""
    server = serve(bench, {"wild.example": WILD})
    for name, rtype, want in WILD_CASES:
        reply = server.query(f"{name}.wild.example" if name else "wild.example", rtype)
        equal(outcome(reply), want, f"{name} {rtype}")
        equal({r.name for r in reply.answer} - {reply.questions[0][0]}, set(), "owners other than the name asked for")


def random_owners(generator, count):
    """Owners of one to twelve labels, few enough that they share ancestors."""
    labels = ["a", "b", "c", "dd", "x" * 63, "_tcp", "0"]
    owners = set()
    while len(owners) < count:
        owner = ".".join(generator.choice(labels) for _ in range(generator.choice([1, 2, 3, 4, 6, 12])))
        if len(owner) < 200:
            owners.add(owner)
    return sorted(owners)


def test_ancestors(bench):
    """RFC 8020 2, RFC 9156 2.3: label by label down to every name, each ancestor answers NOERROR for every type"""
    generator = random.Random(8020)
    owners = random_owners(generator, 400)
    text = "".join(f"{owner} A 192.0.2.1\n" for owner in owners)
    steered = [f"s.{owner}" for owner in owners[:40]] + [f"*.w.{owner}" for owner in owners[40:60]]
    text += "".join(f'_steer.{owner} TXT "pool=one"\n' for owner in steered)
    server = serve(bench, {"deep.example": text})
    asked = set()
    for owner in owners + steered:
        labels = f"{owner}.deep.example".split(".")
        for depth in range(len(labels) - 2, -1, -1):
            name = ".".join(labels[depth:])
            if name in asked:
                continue
            asked.add(name)
            for rtype in ("A", "NS", "TXT"):
                reply = server.query(name, rtype)
                equal((reply.rcode, reply.aa), ("NOERROR", True), f"{name} {rtype}")
                true(reply.answer or reply.authority[0].type == "SOA", f"{name} {rtype}: an answer or no data")
    true(len(asked) > 600, f"{len(asked)} names are enough")


L63 = b"\x3f" + b"l" * 63


def edge_names():
    """{what it is: (owner in the zone file or None, name on the wire)} in edge.example."""
    apex = b"\4edge\7example\0"
    long = ("l" * 63 + ".") * 3
    return {
        "255 octets": (long + "n" * 48, L63 * 3 + b"\x30" + b"n" * 48 + apex),
        "254 octets": (long + "n" * 47, L63 * 3 + b"\x2f" + b"n" * 47 + apex),
        "122 labels": (".".join("k" * 120), b"\1k" * 120 + apex),
        "a label of NUL": ("\\000", b"\1\0" + apex),
        "NULs within": ("a\\000b\\000", b"\4a\0b\0" + apex),
        "every other octet": ("\\001\\127\\128\\255", b"\4\1\x7f\x80\xff" + apex),
        "a dot within": ("a\\.b", b"\3a.b" + apex),
        "what zone files escape": ("\\\"\\;\\(\\)\\@\\$\\\\", b"\7\";()@$\\" + apex),
        "blanks": ("\\032\\009", b"\2 \t" + apex),
        "markup": ("<script>", b"\x08<script>" + apex),
        "an upper-case label": ("UPPER", b"\5UPPER" + apex),
    }


def test_edge_names(bench):
    """RFC 1035 2.3.4, RFC 2181 11: names of 255 octets, 122 labels, NUL and any other octet are served and echoed"""
    names = edge_names()
    server = serve(bench, {"edge.example": "".join(
        f"{owner} A 192.0.2.{number}\n" for number, (owner, _) in enumerate(names.values(), 1))}, identity="edge")
    options = [(3, b""), wire.ecs_option("2001:db8:1:2::/56")]
    for number, (about, (_, name)) in enumerate(names.items(), 1):
        for ask in (server.ask, server.ask_tcp):
            for edns in (None, wire.opt_record(payload=512), wire.opt_record(payload=512, options=options)):
                reply = ask(wire.query(name, edns=edns))
                equal((reply.rcode, reply.addresses), ("NOERROR", [f"192.0.2.{number}"]), about)
                equal(reply.question_octets, name + b"\0\1\0\1", about)
            equal(ask(wire.query(name, "TXT")).authority[0].type, "SOA", about)
            equal(ask(wire.query(name, "ANY")).rcode, "NOERROR", about)


def test_names_without_zone(bench):
    """RFC 1035 2.3.4: the root, single labels, 255 octets outside and below: an answer to each; 256 are FORMERR"""
    server = serve(bench, {"edge.example": "sub NS ns.far.example.\n"})
    apex = b"\4edge\7example\0"
    cases = {
        "the root": (b"\0", "REFUSED"),
        "one label of one octet": (b"\1x\0", "REFUSED"),
        "one label of NUL": (b"\1\0\0", "REFUSED"),
        "one label of 63": (L63 + b"\0", "REFUSED"),
        "the last label of the zone": (b"\7example\0", "REFUSED"),
        "its first label alone": (b"\4edge\0", "REFUSED"),
        "an asterisk": (b"\1*\0", "REFUSED"),
        "255 octets outside": (L63 * 3 + b"\x3d" + b"o" * 61 + b"\0", "REFUSED"),
        "127 labels outside": (b"\1o" * 127 + b"\0", "REFUSED"),
        "255 octets below the apex": (L63 * 3 + b"\x30" + b"n" * 48 + apex, "NXDOMAIN"),
        "255 octets below a cut": (L63 * 3 + b"\x2c" + b"n" * 44 + b"\3sub" + apex, "NOERROR"),
        "122 labels below the apex": (b"\1o" * 120 + apex, "NXDOMAIN"),
        "256 octets": (L63 * 3 + b"\x31" + b"n" * 49 + apex, "FORMERR"),
        "256 octets outside": (L63 * 3 + b"\x3e" + b"o" * 62 + b"\0", "FORMERR"),
        "128 labels": (b"\1o" * 128 + b"\0", "FORMERR"),
        "a label of 64": (b"\x40" + b"x" * 64 + b"\0", "FORMERR"),
    }
    for about, (name, want) in cases.items():
        for rtype in ("A", "SOA", "DS", "ANY", 65535):
            for edns in (None, wire.opt_record(payload=512, options=[(3, b""), wire.ecs_option("2.0.5.0/24")])):
                for ask in (server.ask, server.ask_tcp):
                    equal(ask(wire.query(name, rtype, edns=edns)).rcode, want, f"{about} {rtype}")


# ---- records ----------------------------------------------------------------------------------------------------


def test_unknown_types(bench):
    """RFC 3597 4, 5: 1,000 random TYPEnnn records come back octet by octet, pointers in their data untouched"""
    generator = random.Random(3597)
    types = generator.sample([n for n in range(270, 65535) if n not in (32768, 32769)], 1000)
    data = [generator.randbytes(generator.choice([0, 1, 4, 16, 100, 255, generator.randrange(4000)])) for _ in types]
    data[0], data[1] = b"\xc0\x0c" * 8, b"\4type\7example\0"
    server = serve(bench, {"type.example": "".join(
        f"n{n % 300} TYPE{types[n]} \\# {len(data[n])} {data[n].hex()}\n" for n in range(1000))})
    for n in range(1000):
        query = wire.query(f"n{n % 300}.type.example", types[n], edns=wire.opt_record())
        reply = server.ask_tcp(query)
        equal([(r.type, r.rdata) for r in reply.answer], [(f"TYPE{types[n]}", data[n])], f"TYPE{types[n]}")
        reply = server.ask(query)
        equal(reply.tc or reply.answer[0].rdata == data[n], True, f"TYPE{types[n]} over UDP")


def test_ipv4_only(bench):
    """RFC 3596 2, RFC 4074 3: what has an A and no AAAA answers AAAA with NOERROR, no records and the SOA"""
    server = serve(bench, {"four.example": """\
static   A 192.0.2.1
alias    CNAME static
*.wild   A 192.0.2.2
_steer.dl TXT "pool=one"
_steer.*.s TXT "pool=one"
todl     CNAME dl
"""})
    for name in ("static", "alias", "x.wild", "dl", "x.s", "todl"):
        equal(len(server.query(f"{name}.four.example").addresses), 1, name)
        for rtype in ("AAAA", 38, 65):
            reply = server.query(f"{name}.four.example", rtype)
            equal((reply.rcode, reply.addresses), ("NOERROR", []), f"{name} {rtype}")
            equal([(r.type, r.ttl) for r in reply.authority], [("SOA", 60)], f"{name} {rtype}")
    dig = server.dig("dl.four.example", "AAAA")
    equal((dig.status, dig.answer, dig.authority[0][2]), ("NOERROR", [], "SOA"))


def test_any(bench):
    """RFC 8482 4.1: ANY over UDP is at most 512 octets, however many and large the sets of a name are"""
    sets = {
        "many": "".join(f"many A 192.0.2.{n}\n" for n in range(1, 200)) + 'many TXT "x"\nmany MX 1 many\n',
        "texts": "".join(f'texts TXT "{n:03d}{"t" * 250}"\n' for n in range(8)) + "texts AAAA 2001:db8::1\n",
        "types": "".join(f"types TYPE{65000 + n} \\# 4 0000{n:04x}\n" for n in range(300)),
        "few": "few A 192.0.2.1\n",
    }
    server = serve(bench, {"any.example": "".join(sets.values()) + '_steer.dl TXT "pool=one"\n'})
    for name in (*sets, "dl"):
        for edns in (None, wire.opt_record(payload=4096)):
            reply = server.query(f"{name}.any.example", "ANY", edns=edns)
            equal((reply.rcode, reply.tc, len({r.type for r in reply.answer})), ("NOERROR", False, 1), name)
            true(len(reply.octets) <= 512, f"{name}: {len(reply.octets)} octets")
    equal(len(server.dig("+notcp", "+ignore", "many.any.example", "ANY").answer), 1)


def test_glue(bench):
    """RFC 9471 3.1: 13 servers with two addresses each: TC where they have no room, and TCP has all 26"""
    names = [f"ns{n}.sub" for n in range(1, 14)]
    server = serve(bench, {"glue.example": "".join(
        f"sub NS {name}\n{name} A 198.51.100.{n}\n{name} AAAA 2001:db8:1::{n}\n" for n, name in enumerate(names, 1))})
    for edns in (None, wire.opt_record(payload=512)):
        reply = server.query("www.sub.glue.example", edns=edns)
        equal((reply.tc, reply.additional), (True, []), "half of the glue is none")
    for reply in (server.ask_tcp(wire.query("www.sub.glue.example")),
                  server.query("www.sub.glue.example", edns=wire.opt_record(payload=1232, options=[server.cookie()]))):
        equal((reply.tc, reply.aa, len(reply.authority), len(reply.additional)), (False, False, 13, 26))
        equal(len({(r.name, r.type, r.text) for r in reply.additional}), 26)
    dig = server.dig("+bufsize=512", "+norecurse", "www.sub.glue.example")
    equal(len(dig.additional), 26, "dig comes back over TCP")


def test_chains(bench):
    """RFC 6604 3, RFC 1034 3.6.2: a loop of 1,000 aliases, and chains to every end: answered, and no more than that"""
    server = serve(bench, {
        "chain.example": "".join(f"n{n} CNAME n{(n + 1) % 1000}\n" for n in range(1000)) + """\
x1 CNAME x2
x2 CNAME x3
x3 CNAME nothing
y1 CNAME y2
y2 CNAME y3
y3 CNAME ns2.elsewhere.example.
z1 CNAME z2
z2 CNAME ns1
"""})
    for n in range(0, 1000, 37):
        for ask in (server.ask, server.ask_tcp):
            reply = ask(wire.query(f"n{n}.chain.example", edns=wire.opt_record()))
            equal((reply.rcode, reply.tc), ("NOERROR", False))
            true(1 <= len(reply.answer) <= 18, f"{len(reply.answer)} links")
            equal([r.name for r in reply.answer],
                  [f"n{(n + i) % 1000}.chain.example." for i in range(len(reply.answer))])
    equal([server.query(f"{name}.chain.example").rcode for name in ("x1", "x3", "y1", "z1")],
          ["NXDOMAIN", "NXDOMAIN", "NOERROR", "NOERROR"], "the code is that of the last name")
    equal(server.query("z1.chain.example").addresses, ["198.51.100.1"])


# ---- messages ---------------------------------------------------------------------------------------------------

UNKNOWN_OPTION = (100, b"")
# Every kind of query that the compliance tests of ISC ask of an authoritative server, in words of our own:
# flags, EDNS or None, (rcode, whether an answer comes).
COMPLIANCE = {
    "plain": (0, None, ("NOERROR", True)),
    "AA set": (0x0400, None, ("NOERROR", True)),
    "TC set": (0x0200, None, ("NOERROR", True)),
    "RD set": (0x0100, None, ("NOERROR", True)),
    "RA set": (0x0080, None, ("NOERROR", True)),
    "Z set": (0x0040, None, ("NOERROR", True)),
    "AD set": (0x0020, None, ("NOERROR", True)),
    "CD set": (0x0010, None, ("NOERROR", True)),
    "every flag": (0x07F0, None, ("NOERROR", True)),
    "opcode 15": (15 << 11, None, ("NOTIMP", False)),
    "opcode 15, EDNS": (15 << 11, wire.opt_record(), ("NOTIMP", False)),
    "opcode 1": (1 << 11, None, ("NOTIMP", False)),
    "EDNS": (0, wire.opt_record(payload=4096), ("NOERROR", True)),
    "EDNS, 512": (0, wire.opt_record(payload=512), ("NOERROR", True)),
    "EDNS, 0": (0, wire.opt_record(payload=0), ("NOERROR", True)),
    "EDNS version 1": (0, wire.opt_record(version=1), ("BADVERS", False)),
    "EDNS version 255": (0, wire.opt_record(version=255), ("BADVERS", False)),
    "unknown option": (0, wire.opt_record(options=[UNKNOWN_OPTION]), ("NOERROR", True)),
    "unknown option with data": (0, wire.opt_record(options=[(65001, bytes(100))]), ("NOERROR", True)),
    "EDNS version 1, unknown option": (0, wire.opt_record(version=1, options=[UNKNOWN_OPTION]), ("BADVERS", False)),
    "unknown EDNS flag": (0, wire.opt_record(flags=0x0080), ("NOERROR", True)),
    "every unknown EDNS flag": (0, wire.opt_record(flags=0x7FFF), ("NOERROR", True)),
    "EDNS version 1, unknown flag": (0, wire.opt_record(version=1, flags=0x0080), ("BADVERS", False)),
    "DO": (0, wire.opt_record(flags=0x8000), ("NOERROR", True)),
    "DO, AD": (0x0020, wire.opt_record(flags=0x8000), ("NOERROR", True)),
    "EDNS version 1, DO": (0, wire.opt_record(version=1, flags=0x8000), ("BADVERS", False)),
    "NSID": (0, wire.opt_record(options=[(3, b"")]), ("NOERROR", True)),
    "client subnet": (0, wire.opt_record(options=[wire.ecs_option("192.0.2.0/24")]), ("NOERROR", True)),
    "expire": (0, wire.opt_record(options=[(9, b"")]), ("NOERROR", True)),
    "cookie": (0, wire.opt_record(options=[(10, b"\1\2\3\4\5\6\7\x08")]), ("NOERROR", True)),
    "keepalive": (0, wire.opt_record(options=[(11, b"")]), ("NOERROR", True)),
    "padding": (0, wire.opt_record(options=[(12, bytes(50))]), ("NOERROR", True)),
    "NSID, subnet, expire and cookie at once": (0, wire.opt_record(flags=0x8000, options=[
        (3, b""), wire.ecs_option("192.0.2.0/24"), (9, b""), (10, b"\1\2\3\4\5\6\7\x08")]), ("NOERROR", True)),
}
# What is asked so: name and type, the rcode and whether an answer comes where the table says NOERROR.
COMPLIANCE_QUESTIONS = {
    ("edns.example", "SOA"): ("NOERROR", True),
    ("edns.example", 1000): ("NOERROR", False),
    ("edns.example", 65280): ("NOERROR", False),
    ("nothing.edns.example", "A"): ("NXDOMAIN", False),
}


def check_compliance(about, reply, sent, want):
    """One response."""
    flags, edns, (rcode, is_answered) = sent
    equal((reply.rcode, bool(reply.answer)), (rcode, is_answered) if rcode != "NOERROR" else want, about)
    equal((reply.qr, reply.opcode, reply.tc, reply.ra), (True, flags >> 11, False, False), about)
    equal((reply.rd, reply.flags & 0x0060), (bool(flags & 0x0100), 0), f"{about}: RD comes back, Z and AD do not")
    equal(len(reply.opts), 1 if edns else 0, f"{about}: OPT if and only if there was one")
    if not edns:
        return
    opt = reply.opts[0]
    asked_do = struct.unpack("!I", edns[5:9])[0] & 0x8000
    equal(opt.ttl >> 16 & 255, 0, f"{about}: the version is ours")
    equal(opt.ttl & 0xFFFF, asked_do, f"{about}: DO comes back, unknown flags do not")
    true(opt.rclass >= 512, f"{about}: our payload size")
    unknown = [code for code, _ in reply.options() if code in (UNKNOWN_OPTION[0], 65001, 9)]
    equal(unknown, [], f"{about}: an option that is not understood does not come back")


def test_compliance(bench):
    """RFC 8906 3, RFC 6891 6, 7: each query of ISC's compliance tests is answered as it should be, none with silence"""
    server = serve(bench, {"edns.example": f'big TXT {" ".join(chr(34) + "b" * 250 + chr(34) for _ in range(4))}\n'})
    for (name, rtype), want in COMPLIANCE_QUESTIONS.items():
        for about, sent in COMPLIANCE.items():
            query = wire.query(name, rtype, flags=sent[0], edns=sent[1])
            for ask in (server.ask, server.ask_tcp):
                check_compliance(f"{name} {rtype}: {about}", ask(query), sent, want)
    reply = server.query("big.edns.example", "TXT", edns=wire.opt_record(payload=512, flags=0x8000))
    equal((reply.tc, len(reply.opts)), (True, 1), "what is truncated has its OPT all the same")
    true(len(reply.octets) <= 512, f"{len(reply.octets)} octets in a packet for 512")
    dig = server.dig("+bufsize=512", "+ignore", "big.edns.example", "TXT")
    true("tc" in dig.flags, f"dig sees TC: {dig.flags}")
    equal(server.dig("+ednsopt=100", "+ednsflags=0x80", "+nocookie", "edns.example", "SOA").status, "NOERROR")


def test_question_count(bench):
    """RFC 9619 4: a QUERY with no question, with two, or with a count that lies, is FORMERR over UDP and TCP"""
    server = serve(bench, {"q.example": ""})
    question = wire.query("q.example", "SOA")[12:]
    header = wire.query("q.example")[:4]
    cases = {
        "none": (0, b"", 0), "none, with EDNS": (0, wire.opt_record(), 1), "two": (2, question * 2, 0),
        "two that are different": (2, question + wire.query("ns1.q.example")[12:], 0),
        "two, with EDNS": (2, question * 2 + wire.opt_record(), 1), "three": (3, question * 3, 0),
        "two claimed, one there": (2, question, 0), "65,535 claimed": (65535, question, 0),
        "none claimed, one there": (0, question, 0),
    }
    for about, (count, body, additional) in cases.items():
        query = header + struct.pack("!HHHH", count, 0, 0, additional) + body
        for ask in (server.ask, server.ask_tcp):
            reply = ask(query)
            equal((reply.rcode, reply.answer, reply.id), ("FORMERR", [], 0x1234), about)
    equal(server.query("q.example", "SOA").rcode, "NOERROR")


# ---- transport --------------------------------------------------------------------------------------------------


def test_reply_source(bench):
    """RFC 2181 4.1, 4.2: 4 local addresses times 1,000 queries: each reply leaves from the address and port asked"""
    server = serve(bench, {"t.example": "www A 192.0.2.1\n"}, listen=["0.0.0.0:0"])
    port = server.server[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:  # not connected: it takes replies from anywhere
        sock.settimeout(5 * PATIENCE)
        for host in range(1, 5):
            asked = (bench.address(host), port)
            for start in range(0, 1000, 50):  # a receive buffer holds a round with ease
                for number in range(start, start + 50):
                    sock.sendto(wire.query("www.t.example", ident=number), asked)
                replies = [sock.recvfrom(4096) for _ in range(50)]
                equal({source for _, source in replies}, {asked})
                equal(sorted(wire.Response(octets).id for octets, _ in replies), list(range(start, start + 50)))


def test_tcp_kept_open(bench):
    """RFC 7766 6.2.1, 8: kdig asks three times over one connection; length and message come in one segment"""
    if not shutil.which("kdig"):
        raise Skipped("no kdig: scripts/packages install test")
    server = serve(bench, {"t.example": "".join(f"h{n} A 192.0.2.{n}\n" for n in (1, 2, 3))})
    dig = run_kdig(server, "+tcp", "+keepopen", "h1.t.example", "h2.t.example", "h3.t.example")
    equal([line.split()[-1] for line in dig.splitlines() if line.startswith("h") and "\tA\t" in line],
          ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
    counters = server.status()["counters"]
    equal((counters["tcp_queries"], counters["tcp_connections"]), (3, 1), "three queries over one connection")
    with wire.open_tcp(server.server, 5 * PATIENCE) as sock:
        for number in range(100):
            sock.sendall(wire.framed(wire.query("h1.t.example", ident=number)))
            octets = sock.recv(65535)  # once
            equal(struct.unpack("!H", octets[:2])[0], len(octets) - 2, "the length stands before its whole message")
            equal(wire.Response(octets[2:]).id, number)


def run_kdig(server, *arguments):
    """What real kdig prints."""
    done = subprocess.run(
        ["kdig", f"@{server.server[0]}", "-p", str(server.server[1]), *arguments],
        capture_output=True, text=True, timeout=30, check=True)
    return done.stdout


def socket_of(pid, fd):
    """A copy of another process's socket, or None if the file is none."""
    if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
        return None
    handle = os.pidfd_open(pid)
    copied = ctypes.CDLL(None, use_errno=True).syscall(438, handle, fd, 0)  # pidfd_getfd
    os.close(handle)
    if copied < 0:
        raise Skipped(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=copied)


def test_path_mtu(bench):
    """RFC 9715 3.1: sockets ignore path MTU messages, and never fragment"""
    ip_mtu_discover, ipv6_mtu_discover, ipv6_dontfrag, interface = 10, 23, 62, 4
    server = serve(bench, {"t.example": ""}, listen=["127.0.0.1:0", "[::1]:0"] if wire.has_ipv6() else ["127.0.0.1:0"])
    seen = {socket.AF_INET: 0, socket.AF_INET6: 0}
    for fd in os.listdir(f"/proc/{server.process.pid}/fd"):
        sock = socket_of(server.process.pid, int(fd))
        if sock is None:
            continue
        with sock:
            if sock.type != socket.SOCK_DGRAM or sock.family not in seen:
                continue
            if sock.family == socket.AF_INET:
                equal(sock.getsockopt(socket.IPPROTO_IP, ip_mtu_discover), interface)
            else:
                equal(sock.getsockopt(socket.IPPROTO_IPV6, ipv6_mtu_discover), interface)
                equal(sock.getsockopt(socket.IPPROTO_IPV6, ipv6_dontfrag), 1)
            seen[sock.family] += 1
    true(seen[socket.AF_INET] > 0, f"UDP sockets were found: {seen}")
    true(seen[socket.AF_INET6] > 0 or len(server.servers) == 1, f"of IPv6, too: {seen}")
