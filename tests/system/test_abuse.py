# SPDX-License-Identifier: Apache-2.0
"""Abuse: what steerd is worth to those who forge queries, and how a loop of two servers ends."""

import ctypes
import os
import re
import select
import shutil
import socket
import struct

import wire
from harness import Skipped, equal, true
from world import zone_head

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
HEADERS = 28  # of IPv4 and UDP
UDP_MAX = 1232
ATTACH_FILTER = 26  # SO_ATTACH_FILTER, which Python does not name

# How a forger may ask; none has a cookie of ours.
SHAPES = {
    "no EDNS": None,
    "EDNS": wire.opt_record(payload=4096),
    "EDNS, DO": wire.opt_record(payload=65535, flags=0x8000),
    "EDNS, what is given to those who ask": wire.opt_record(
        payload=4096, options=[(wire.OPTION_COOKIE, b"a client"), (11, b""), (wire.OPTION_ZONEVERSION, b"")]),
    "EDNS, options": wire.opt_record(payload=4096, options=[(3, b""), wire.ecs_option("2.0.5.0/24")]),
}


# ---- amplification ----------------------------------------------------------------------------------------------


def type_numbers():
    """Every type that steerd knows by name, and some that nobody does."""
    with open(os.path.join(TREE, "src/dns/type.c"), encoding="utf-8") as table:
        known = [int(number) for number in re.findall(r'^\t\{(\d+), "', table.read(), re.MULTILINE)]
    true(len(known) > 80, "the table of types was found")
    return sorted({*known, 0, 54, 200, 1000, 32767, 65280, 65534, 65535})


def demo(bench):
    """The example zones as they ship."""
    shutil.copytree(os.path.join(TREE, "zones"), bench.path("zones"))
    shutil.copy(bench.certificate("ca") + ".pem", bench.path("zones/ca.pem"))
    with open(bench.path("zones/steerd.yaml"), encoding="utf-8") as file:
        text = file.read()
    bench.write("zones/steerd.yaml", text.replace("127.0.0.1:5300", "127.0.0.1:0"))
    return bench.steerd_of(bench.path("zones/steerd.yaml"))


def demo_names():
    """Every owner, what lies between it and the root, and names that are not there."""
    names = {""}
    for entry in os.listdir(os.path.join(TREE, "zones")):
        if not entry.endswith(".zone"):
            continue
        zone = entry.removesuffix(".zone")
        with open(os.path.join(TREE, "zones", entry), encoding="utf-8") as file:
            owners = re.findall(r"^([^\s;$]+)", file.read(), re.MULTILINE)
        true(len(owners) >= 4, f"{entry} was read")
        for owner in owners:
            name = zone if owner == "@" else f"{owner}.{zone}"
            labels = name.split(".")
            names.update(".".join(labels[depth:]) for depth in range(len(labels)))
            names.update((f"x.{name}", f"x.y.{name}", f"{'l' * 63}.{name}"))
    return sorted(names)


def test_amplification(bench):
    """Every name and type of the demo zones, without a cookie: no response is worth more than three requests"""
    server = demo(bench)
    worst = {shape: (0, "") for shape in SHAPES}
    names, types = demo_names(), type_numbers()
    for name in names:
        for rtype in types:
            for shape, edns in SHAPES.items():
                query = wire.query(name, rtype, edns=edns)
                reply = server.ask(query)
                sizes = f"{name or '.'} TYPE{rtype}, {shape}: {len(query)} octets in, {len(reply.octets)} out"
                # RFC 9715 3.1: no response that could be a fragment; and none of these is anywhere near it
                true(len(reply.octets) <= 512, sizes)
                true(len(reply.octets) + HEADERS <= 3 * (len(query) + HEADERS), f"of packets: {sizes}")
                ratio = len(reply.octets) / len(query)
                # The shortest queries alone, and of those the ones for aliases, whose targets are written whole, get
                # a little more: an alias and a SOA behind it.
                is_alias = bool(reply.answer) and reply.answer[0].type == "CNAME"
                limit = 3.4 if edns is None and is_alias else 3.0
                true(ratio <= limit, f"of payload: {sizes}")
                worst[shape] = max(worst[shape], (ratio, sizes))
    print(f"{len(names)} names, {len(types)} types", *(f"{r:.2f}: {sizes}" for r, sizes in worst.values()), sep="\n")


def test_no_fragments(bench):
    """RFC 9715 3.1: no UDP response is longer than 1,232 octets, whatever the client offers; TCP has the rest"""
    sets = {size: " ".join(f'"{"x" * 250}"' for _ in range(size)) for size in range(1, 12)}
    bench.zone("big.example", zone_head("big.example") + "".join(
        f"t{size} TXT {text}\n" for size, text in sets.items()) + "".join(
            f"a A 192.0.2.{n}\n_a._tcp SRV 0 0 {n} srv-{n}.with.a.long.name.big.example.\n" for n in range(200)))
    bench.config()
    server = bench.steerd()
    cookie = server.cookie()
    truncated = 0
    for name, rtype in [*((f"t{size}", "TXT") for size in sets), ("a", "A"), ("_a._tcp", "SRV"), ("a", "ANY")]:
        whole = server.ask_tcp(wire.query(f"{name}.big.example", rtype))
        equal(whole.tc, False)
        for payload in (None, 0, 512, 1231, 1232, 1233, 4096, 65535):
            edns = None if payload is None else wire.opt_record(payload=payload, options=[cookie])
            reply = server.query(f"{name}.big.example", rtype, edns=edns)
            about = f"{name} {rtype}, {payload}: {len(reply.octets)} octets"
            true(len(reply.octets) <= min(max(payload or 512, 512), UDP_MAX), about)
            equal(reply.tc or len(reply.answer) == len(whole.answer), True, about)
            truncated += reply.tc
    true(truncated > 40, f"{truncated} were truncated")


# ---- loops ------------------------------------------------------------------------------------------------------


class Wire:
    """The loopback interface: sends with any source, and sees what others send."""

    def __init__(self, servers):
        self.ports = {server[1] for server in servers}
        self.hosts = {server[0] for server in servers}
        try:
            self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
            self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        except PermissionError:
            raise Skipped("needs root for raw sockets") from None
        self._listen_to(min(self.hosts))
        self.tap.bind(("lo", 0x0800))

    def _listen_to(self, host):
        """Others use the interface too: the kernel hands on what comes from our network (127.T.U.0/24) alone."""
        network = struct.unpack("!I", socket.inet_aton(host))[0] & 0xFFFFFF00
        load, mask, is_equal, give = 0x20, 0x54, 0x15, 0x06  # of the kernel's packet filter: linux/filter.h
        steps = [(load, 0, 0, 12), (mask, 0, 0, 0xFFFFFF00), (is_equal, 0, 1, network), (give, 0, 0, 65535),
                 (give, 0, 0, 0)]
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
        self.tap.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HL", len(steps), ctypes.addressof(code)))

    def close(self):
        """Closes both sockets."""
        self.out.close()
        self.tap.close()

    def forge(self, source, target, octets):
        """A datagram that claims to come from `source`."""
        size = 28 + len(octets)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 17, 0,
                         socket.inet_aton(source[0]), socket.inet_aton(target[0]))
        udp = struct.pack("!HHHH", source[1], target[1], size - 20, 0)  # no checksum (RFC 768)
        self.out.sendto(ip + udp + octets, target)

    def seen(self, quiet_s):
        """[(source, target, payload)] between the servers, until nothing has come for a while; a loop has no end."""
        found = []
        while len(found) < 1000 and select.select([self.tap], [], [], quiet_s)[0]:
            packet = self.tap.recv(65535)
            head = (packet[0] & 15) * 4
            if packet[9] != socket.IPPROTO_UDP:
                continue
            ports = struct.unpack("!HH", packet[head : head + 4])
            hosts = [socket.inet_ntoa(packet[at : at + 4]) for at in (12, 16)]
            if set(ports) <= self.ports and set(hosts) <= self.hosts:
                found.append(((hosts[0], ports[0]), (hosts[1], ports[1]), packet[head + 8 :]))
        return found


def server_of(bench, name, last):
    """Where another daemon listens, on an address of its own."""
    other = bench.another(name)
    other.zone("loop.example", zone_head("loop.example") + "www A 192.0.2.1\n")
    other.config(listen=[f"{bench.address(last)}:0"])
    return other.steerd().server


def test_loops(bench):
    """Two servers made to ask each other, or one itself: a forged query gets one reply at most, and that none"""
    one, two = server_of(bench, "one", 1), server_of(bench, "two", 2)
    air = Wire([one, two])
    bench.at_end(air.close)
    good = wire.query("www.loop.example", edns=wire.opt_record())
    kinds = {
        "a query": (good, 1),
        "outside of the zones": (wire.query("www.far.example"), 1),
        "malformed": (good[:-3], 1),
        "another opcode": (wire.query("loop.example", "SOA", flags=4 << 11), 1),
        "another EDNS": (wire.query("loop.example", "SOA", edns=wire.opt_record(version=1)), 1),
        "a response": (wire.query("www.loop.example", flags=0x8000), 0),
        "a malformed response": (wire.query("www.loop.example", flags=0x8001)[:17], 0),
        "a runt": (good[:11], 0),
        "nothing": (b"", 0),
    }
    for about, (octets, most) in kinds.items():
        for source, target in ((one, two), (one, one)):
            for _ in range(10):
                air.forge(source, target, octets)
            sent = air.seen(0.2)
            forged = [packet for packet in sent if packet == (source, target, octets)]
            replies = [packet for packet in sent if packet not in forged]
            equal(len(forged), 10, f"{about}: the forged ones were seen")
            true(len(replies) <= 10 * most, f"{about}: {len(replies)} replies to 10 forged queries: {replies[:20]}")
            for reply in replies:
                equal(reply[:2], (target, source), f"{about}: who replies to whom")
                true(reply[2][2] & 0x80, f"{about}: a reply is a response")
