# SPDX-License-Identifier: Apache-2.0
"""What bounds a flood: rate limiting over UDP, caps on TCP connections, and answers that are never fragmented."""

import ctypes
import os
import resource
import shutil
import socket
import struct
import subprocess
import time

import wire
from harness import PATIENCE, Failed, Skipped, contains, equal, true, wait_until
from world import zone_head

NAMES = 100
ZONE = zone_head("t.example") + "".join(f"h{n} A 192.0.2.{n}\n" for n in range(1, NAMES + 1))


def serve(bench, *wrapper, zone=ZONE, **settings):
    """A daemon with h1 to h100 in t.example."""
    bench.zone("t.example", zone)
    bench.config(**settings)
    return bench.steerd(*wrapper)


def numbered(number):
    """A query for hNUMBER, with its number as id."""
    return wire.query(f"h{number % NAMES + 1}.t.example", ident=number)


def answers(server, count, source=None):
    """(in full, with TC) of `count` queries, one after the other, from one address; the rest got none."""
    whole = slipped = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sock.bind((source or "127.0.0.1", 0))
        sock.connect(server.server)
        sock.settimeout(5 * PATIENCE)
        for number in range(count):
            sock.send(numbered(number))
        sock.send(b"\0")  # a runt: it is counted when all before it are done
        wait_until(lambda: server.status()["counters"]["silent"] == answers.runts + 1, 10, "all are looked at")
        answers.runts += 1
        sock.settimeout(0)
        for reply in map(wire.Response, wire.pending(sock)):
            true(not (reply.tc and reply.answer), "a truncated reply has no record")
            whole += bool(reply.answer)
            slipped += reply.tc
    return whole, slipped


answers.runts = 0


# ---- response rate limiting ----------------------------------------------------------------------------------------


LIMIT = {"responses": 1, "burst": 20}  # a second more or less makes one answer of difference


def limited(server):
    """The counters of the rate limit: slipped, dropped, would have slipped, would have dropped."""
    counters = server.status()["counters"]
    return [counters[name] for name in
            ("limited_slipped", "limited_dropped", "would_have_slipped", "would_have_dropped")]


def near(got, want, about):
    """Equal but for what a bucket gains while a slow machine asks."""
    true(abs(got - want) <= 30 * PATIENCE, f"{about}: got {got}, want about {want}")


def test_dry_run(bench):
    """By default a network above its rate is answered all the same, and status and log say what would have been"""
    server = serve(bench, workers=1, **{"rate-limit": LIMIT})
    equal(answers(server, 300), (300, 0))
    slipped, dropped, would_slip, would_drop = limited(server)
    equal((slipped, dropped, would_drop), (0, 0, 0))
    near(would_slip, 280, "what would have slipped")
    contains(server.ctl("status").out, f"in a dry run {would_slip} would have slipped", "status")
    wait_until(lambda: "queries exceed the rate limit" in server.log(), 10, "the log says so")
    contains(server.log(), "they are answered all the same, as rate-limit.dry-run says", "the log")


def test_switched_on_and_off(bench):
    """A reload switches the dry run off, and on again: no restart, and each time it holds at once"""
    server = serve(bench, workers=1, **{"rate-limit": LIMIT})
    equal(answers(server, 100, "127.0.0.2"), (100, 0))
    bench.config(workers=1, **{"rate-limit": {**LIMIT, "dry-run": "no"}})
    server.reload()
    whole, slipped = answers(server, 300, "127.1.0.2")
    equal(whole + slipped, 300, "with slip 1 each query gets something")
    near(whole, 20, "answered in full")
    bench.config(workers=1, **{"rate-limit": {**LIMIT, "dry-run": "no", "slip": 0}})
    server.reload()
    whole, slipped = answers(server, 300, "127.2.0.2")
    equal(slipped, 0, "with slip 0 nothing has TC")
    near(whole, 20, "answered in full")
    bench.config(workers=1, **{"rate-limit": {"responses": 0, "dry-run": "no"}})
    server.reload()
    equal(answers(server, 300, "127.1.0.2"), (300, 0))
    slipped, dropped, _, _ = limited(server)
    near(slipped, 280, "slipped")
    near(dropped, 280, "dropped")


def test_slip(bench):
    """Of slip N about one in N gets TC, the others nothing"""
    server = serve(bench, workers=1, **{"rate-limit": {**LIMIT, "dry-run": "no", "slip": 4}})
    whole, slipped = answers(server, 1000)
    near(whole, 20, "answered in full")
    true(150 < slipped < 350, f"{slipped} of some 980 slipped; with 1 in 4 chance leaves this by 7 deviations")


def test_others_are_not_limited(bench):
    """One network is flooded: its own /24 is limited, another is not, nor is one that is exempt"""
    server = serve(bench, workers=1, **{
        "rate-limit": {**LIMIT, "dry-run": "no", "exempt": ["127.9.0.0/16"]}})
    near(answers(server, 300, "127.1.1.1")[0], 20, "the flooded address")
    near(answers(server, 20, "127.1.1.2")[0], 0, "its neighbour")
    equal(answers(server, 20, "127.1.2.1"), (20, 0), "another network")
    equal(answers(server, 300, "127.9.0.1"), (300, 0), "an exempt network")


def test_a_cookie_is_never_limited(bench):
    """RFC 7873 5.2.5: who has a good cookie is not limited, nor counted; who has none yet gets it with BADCOOKIE"""
    server = serve(bench, workers=1, **{"rate-limit": {"responses": 1, "burst": 1, "dry-run": "no"}})

    def ask(cookie):
        return server.ask(wire.query("h1.t.example", edns=wire.opt_record(options=[(wire.OPTION_COOKIE, cookie)])))

    for _ in range(20):
        answers(server, 1)  # until the network is at its limit, and beyond
    wait_until(lambda: limited(server)[0] > 0, 10, "the network is limited")
    answers(server, 50)
    reply = ask(b"8 octets")
    equal((reply.rcode, reply.answer), ("BADCOOKIE", []), "without a whole cookie")
    before = limited(server)
    for _ in range(300):
        equal(ask(reply.cookie()).addresses, ["192.0.2.1"], "with one")
    equal(limited(server), before, "they are not counted")


def test_limited_clients_use_tcp(bench):
    """Whom the limit hits gets the answer over TCP, where dig goes by itself when it sees TC, or else with its cookie"""
    server = serve(bench, workers=1, **{"rate-limit": {"responses": 1, "burst": 1, "dry-run": "no"}})
    for number in range(1, 11):
        equal(server.dig("+nocookie", f"h{number}.t.example").data, [f"192.0.2.{number}"])
        equal(server.dig("+cookie", f"h{number}.t.example").data, [f"192.0.2.{number}"])
    counters = server.status()["counters"]
    true(counters["limited_slipped"] > 0, "some were limited")
    true(counters["tcp_queries"] > 0, "those without a cookie came back over TCP")
    true(counters["with_cookie"] > 0, "those with one, with a whole one")


def test_threads_share_the_rate(bench):
    """Four workers together grant what is set, and not four times that"""
    server = serve(bench, workers=4, **{"rate-limit": {"responses": 1, "burst": 40, "dry-run": "no"}})
    socks = [wire.udp_socket(server.server, 0) for _ in range(100)]  # ports enough to meet every worker
    for number in range(1000):
        socks[number % 100].send(numbered(number))
    wait_until(lambda: server.status()["counters"]["udp_queries"] == 1000, 10, "all are looked at")
    whole = sum(bool(wire.Response(octets).answer) for sock in socks for octets in wire.pending(sock))
    true(36 <= whole <= 40 + 30 * PATIENCE, f"{whole} are answered in full")
    for sock in socks:
        sock.close()


# ---- TCP connections -----------------------------------------------------------------------------------------------


def open_from(server, source):
    """A connection from an address of loopback."""
    sock = socket.create_connection(server.server, 5 * PATIENCE, source_address=(source, 0))
    sock.settimeout(5 * PATIENCE)
    return sock


def await_open(server, count):
    """Waits until so many connections are open."""
    try:
        wait_until(lambda: server.status()["tcp_open"] == count, 10, "they are open")
    except Failed:
        status = server.status()
        counters = {name: value for name, value in status["counters"].items() if name.startswith("tcp")}
        raise Failed(f"{status['tcp_open']} connections of {count} are open: {counters}") from None


def ask_on(sock, number):
    """One query on an open connection."""
    sock.sendall(wire.framed(numbered(number)))
    reply = wire.read_tcp(sock)
    true(reply is not None, f"connection {number} was closed")
    equal(wire.Response(reply).id, number)


def test_cap_of_an_address(bench):
    """One address has tcp.per-address connections; one more closes its own longest idle, and nobody else's"""
    server = serve(bench)  # 16, as it comes
    other = open_from(server, bench.address(9))
    ask_on(other, 1)
    socks = []
    for number in range(30):
        socks.append(open_from(server, bench.address(1)))
        ask_on(socks[-1], number)
        time.sleep(0.005)  # so that clocks tell who asked last
    for sock in socks[:14]:
        equal(wire.read_tcp(sock), None, "those that asked first are closed")
    for number, sock in enumerate(socks[14:]):
        ask_on(sock, number)
    ask_on(other, 2)
    equal(server.status()["counters"]["tcp_capped"], 14)
    for sock in (other, *socks):
        sock.close()


def test_cap_of_a_network(bench):
    """One /24 has tcp.per-network connections, however many addresses it has"""
    server = serve(bench, tcp={"per-network": 40})
    socks = []
    for number in range(60):
        socks.append(open_from(server, bench.address(1 + number)))
        ask_on(socks[-1], number)
        time.sleep(0.005)
    for sock in socks[:20]:
        equal(wire.read_tcp(sock), None, "those that asked first are closed")
    for number, sock in enumerate(socks[20:]):
        ask_on(sock, number)
    equal(server.status()["tcp_open"], 40)
    for sock in socks:
        sock.close()


def resident_kb(pid):
    """Memory of a process that is its own."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    raise Failed("no RssAnon")


def test_many_idle_connections(bench):
    """Tens of thousands of idle connections stay open and cost next to nothing; UDP loses no answer meanwhile"""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(20000, hard - 1500)  # both ends have a limit of their own
    if count < 3000:
        raise Skipped(f"the limit on open files is {hard}")
    server = serve(bench, tcp={"connections": count + 1000, "idle": "1h"})  # chance gives one thread more
    before_kb = resident_kb(server.process.pid)
    socks = []
    for number in range(count):  # 250 of each /24, 10 of each address: below every cap
        source = f"127.200.{number // 250}.{1 + number % 25}"
        socks.append(open_from(server, source))
        if number % 20 == 0:
            equal(server.ask(numbered(number % 65536)).id, number % 65536, "UDP beside them")
        if number % 1000 == 0:  # the kernel keeps 4,096 for a daemon that is slow, and is slow about those beyond
            await_open(server, len(socks))
    await_open(server, count)
    each = (resident_kb(server.process.pid) - before_kb) * 1024 / count
    true(each < 1024, f"an idle connection takes {each:.0f} octets")
    for number in range(200):
        equal(server.ask(numbered(number)).id, number, "UDP beside all of them")
    for number, sock in enumerate(socks):
        ask_on(sock, number % 65536)
    each_served = (resident_kb(server.process.pid) - before_kb) * 1024 / count
    true(each_served < 1024, f"one that was served takes {each_served:.0f} octets")
    begun = socks[0]
    begun.sendall(wire.framed(numbered(1))[:10])
    equal(wire.read_tcp(begun), None, "a begun message has tcp.io, among as many as there are")
    counters = server.status()["counters"]
    equal((counters["tcp_evicted"], counters["tcp_capped"], counters["tcp_timeouts"]), (0, 0, 1))
    for sock in socks:
        sock.close()


def test_descriptors_lower_the_cap(bench):
    """A limit on open files below tcp.connections: a warning says what fits, and that much is served"""
    if not shutil.which("prlimit"):
        raise Skipped("no prlimit on this machine")
    server = serve(bench, "prlimit", "--nofile=300:300", tcp={"connections": 5000, "per-address": 0}, workers=2)
    room = 300 - 128 - 2 * 3
    contains(server.log(), f"tcp.connections is 5000, but the limit on open files has room for {room}: ", "the log")
    socks = [open_from(server, bench.address(1)) for _ in range(room + 50)]
    ask_on(socks[-1], 7)
    true(server.status()["tcp_open"] <= room, "the cap holds")
    server.reload()  # which needs descriptors of its own
    for sock in socks:
        sock.close()


# ---- fragments -----------------------------------------------------------------------------------------------------


CLONE_NEWNET = 0x40000000
SERVER4, CLIENT4, SERVER6, CLIENT6 = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"
SIZES = range(100, 1400, 25)  # octets of text


def big_zone():
    """tSIZE has a TXT set of that many octets."""
    lines = [zone_head("t.example")]
    for size in SIZES:
        texts = [f'"{"x" * min(200, size - at)}"' for at in range(0, size, 200)]
        lines.append(f"t{size} TXT {' '.join(texts)}\n")
    return "".join(lines)


def run(*command):
    """A command that must not fail."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    true(done.returncode == 0, f"{' '.join(command)}: {done.stderr}")


class Link:
    """A network of two machines: this process is one, and `wrapper` starts programs on the other."""

    def __init__(self, bench, mtu):
        if os.getuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
            raise Skipped("needs root, ip, unshare and nsenter to make a network")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise Skipped("no network of its own is to be had here")
        other = subprocess.Popen(["unshare", "--net", "sleep", "1000"])
        bench.at_end(lambda: (other.kill(), other.wait()))
        here = os.readlink("/proc/self/ns/net")
        there = f"/proc/{other.pid}/ns/net"
        wait_until(lambda: os.readlink(there) != here, 5, "the other machine is there")
        self.wrapper = ["nsenter", f"--net={there}"]
        run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", str(other.pid))
        for wrapper, name, ipv4, ipv6 in ([], "veth0", CLIENT4, CLIENT6), (self.wrapper, "veth1", SERVER4, SERVER6):
            run(*wrapper, "ip", "link", "set", "lo", "up")
            run(*wrapper, "ip", "link", "set", name, "mtu", str(mtu), "up")
            run(*wrapper, "ip", "address", "add", f"{ipv4}/24", "dev", name)
            if mtu >= 1280:
                run(*wrapper, "ip", "address", "add", f"{ipv6}/64", "dev", name, "nodad")
        self.capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # ETH_P_ALL
        self.capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.capture.bind(("veth0", 0))
        self.capture.settimeout(0)

    def seen(self):
        """(fragments, the largest UDP payload) of what the other machine has sent since the last look."""
        fragments = largest = 0
        while True:
            try:
                packet, source = self.capture.recvfrom(65535)
            except BlockingIOError:
                return fragments, largest
            if source[2] == socket.PACKET_OUTGOING:
                continue
            if packet[0] >> 4 == 4:
                fragments += struct.unpack("!H", packet[6:8])[0] & 0x3FFF != 0  # MF, offset
                protocol, header = packet[9], (packet[0] & 15) * 4
            else:
                fragments += packet[6] == 44
                protocol, header = packet[6], 40
            if protocol == socket.IPPROTO_UDP:
                largest = max(largest, struct.unpack("!H", packet[header + 4 : header + 6])[0] - 8)


def ask_all_sizes(server, address):
    """{size: response} of each set over UDP; an answer that does not come fails the test."""
    found = {}
    for size in SIZES:
        octets = wire.query(f"t{size}.t.example", "TXT", edns=wire.opt_record(payload=4096))
        reply = wire.ask_udp((address, server.server[1]), octets, 5 * PATIENCE)
        true(reply is not None, f"no answer of {size} octets from {address}")
        found[size] = wire.Response(reply)
        equal(not found[size].tc, bool(found[size].answer), f"{size} octets: all of it, or TC")
    return found


def forge_need_to_fragment(server, mtu):
    """The packet with which anyone can claim that a router needs fragments (ICMP type 3, code 4)."""
    port = server.server[1]
    inner = struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 1260, 0, 0x4000, 64, 17, 0, socket.inet_aton(SERVER4),
                        socket.inet_aton(CLIENT4), port, 5353, 1240, 0)
    message = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + inner
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    message = message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        sock.sendto(message, (SERVER4, 0))


def test_no_fragments(bench):
    """RFC 9715 3.1: over an MTU of 1,280 nothing is fragmented, over either family, whatever routers claim"""
    link = Link(bench, 1280)
    server = serve(bench, *link.wrapper, zone=big_zone(), listen=[f"{SERVER4}:0", f"[{SERVER6}]:0"],
                   udp={"without-cookie": 1232})
    ports = dict(server.servers)
    for address in (SERVER4, SERVER6):
        server.server = (address, ports[address])
        found = ask_all_sizes(server, address)
        true(not found[1000].tc and found[1300].tc, "what fits 1,232 is whole, what does not has TC")
        fragments, largest = link.seen()
        equal(fragments, 0, f"fragments from {address}")
        true(1200 < largest <= 1232, f"the largest answer from {address} has {largest} octets")
    server.server = (SERVER4, ports[SERVER4])
    forge_need_to_fragment(server, 576)
    found = ask_all_sizes(server, SERVER4)
    true(not found[1000].tc, "a forged message makes no answer shorter")
    fragments, largest = link.seen()
    equal(fragments, 0, "fragments after a forged message")
    true(1200 < largest <= 1232, f"the largest answer after it has {largest} octets")
    equal(server.status()["counters"]["send_failed"], 0)


def test_small_mtu(bench):
    """RFC 9715 3.1: what the interface's own MTU is too small for becomes TC, and is whole over TCP"""
    link = Link(bench, 1000)
    server = serve(bench, *link.wrapper, zone=big_zone(), listen=[f"{SERVER4}:0"], udp={"without-cookie": 1232})
    found = ask_all_sizes(server, SERVER4)
    true(not found[900].tc, "what fits is whole")
    for size in SIZES:
        if size > 972:
            true(found[size].tc, f"{size} octets do not fit 1,000 with headers")
            true(found[size].opts, "it has an OPT as the query had")
    fragments, largest = link.seen()
    equal(fragments, 0, "fragments")
    true(900 < largest <= 972, f"the largest answer has {largest} octets")
    counters = server.status()["counters"]
    equal(counters["send_failed"], 0)
    equal(counters["shortened"] + counters["truncated"], sum(reply.tc for reply in found.values()))
    true(counters["shortened"] >= 10, "those between the MTU and 1,232")
    equal(len(server.ask_tcp(wire.query("t1300.t.example", "TXT")).answer), 1)
    for cookie in (b"8 octets", None):  # which makes the answer neither longer nor lost
        whole = cookie or reply.cookie()
        reply = server.ask(wire.query("t1100.t.example", "TXT", edns=wire.opt_record(
            payload=4096, options=[(wire.OPTION_COOKIE, whole)])))
        equal((reply.tc, len(reply.cookie())), (True, 24))
