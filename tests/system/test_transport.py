# SPDX-License-Identifier: Apache-2.0
"""Transport: UDP and TCP (RFC 7766), both families, every address, no root."""

import os
import random
import shutil
import socket
import struct
import time

import wire
from harness import PATIENCE, Skipped, equal, open_to_nobody, true, wait_until
from world import zone_head

ZONE = zone_head("t.example") + "".join(f"h{n} A 192.0.2.{n}\n" for n in range(1, 101))


def serve(bench, *wrapper, **settings):
    """A daemon with h1 to h100 in t.example."""
    bench.zone("t.example", ZONE)
    bench.config(**settings)
    return bench.steerd(*wrapper)


def numbered(number, ident=None):
    """A query for hNUMBER, with its number as id."""
    return wire.query(f"h{number}.t.example", ident=number if ident is None else ident)


def test_udp_batch(bench):
    """2,000 queries from 50 sockets at once: each is answered once, to the socket that asked"""
    server = serve(bench)
    socks = [wire.udp_socket(server.server, 5.0 * PATIENCE) for _ in range(50)]
    for start in range(1, 101, 25):  # a receive buffer holds a round with ease
        for sock in socks:
            for number in range(start, start + 10):
                sock.send(numbered(number))
        for sock in socks:
            replies = [wire.Response(sock.recv(4096)) for _ in range(10)]
            equal(sorted(reply.id for reply in replies), list(range(start, start + 10)))
            for reply in replies:
                equal(reply.addresses, [f"192.0.2.{reply.id}"])
    for sock in socks:
        sock.close()


def test_tcp_pipelining(bench):
    """100 queries in one segment are each answered once (RFC 7766 6.2.1.1)"""
    server = serve(bench)
    with wire.open_tcp(server.server) as sock:
        sock.sendall(b"".join(wire.framed(numbered(number)) for number in range(1, 101)))
        replies = [wire.Response(wire.read_tcp(sock)) for _ in range(100)]
    equal(sorted(reply.id for reply in replies), list(range(1, 101)))
    true(all(reply.addresses == [f"192.0.2.{reply.id}"] for reply in replies), "an answer to another query")


def test_tcp_pieces(bench):
    """A query that comes octet by octet is answered, and so is the one behind it (RFC 7766 8)"""
    server = serve(bench)
    with wire.open_tcp(server.server) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in wire.framed(numbered(1)):
            sock.sendall(bytes([octet]))
        equal(wire.Response(wire.read_tcp(sock)).addresses, ["192.0.2.1"])
        whole = wire.framed(numbered(2)) + wire.framed(numbered(3))
        sock.sendall(whole[:-5])
        equal(wire.Response(wire.read_tcp(sock)).id, 2)
        sock.sendall(whole[-5:])
        equal(wire.Response(wire.read_tcp(sock)).id, 3)


def test_tcp_several(bench):
    """dig over TCP, several queries over one connection (RFC 7766 6.2.1, RFC 1123 6.1.3.2)"""
    server = serve(bench)
    equal(server.dig("+tcp", "h7.t.example").data, ["192.0.2.7"])
    with wire.open_tcp(server.server) as sock:
        for number in (1, 2, 3):
            sock.sendall(wire.framed(numbered(number)))
            equal(wire.Response(wire.read_tcp(sock)).id, number)


def test_tcp_idle(bench):
    """A connection without a query is closed after tcp.idle (RFC 7766 6.2.3, RFC 9210 4.2), one that asks goes on"""
    server = serve(bench, tcp={"idle": "700ms"})
    with wire.open_tcp(server.server, 10 * PATIENCE) as idle, wire.open_tcp(server.server, 10 * PATIENCE) as busy:
        started = time.monotonic()
        for number in range(1, 9):
            busy.sendall(wire.framed(numbered(number)))
            equal(wire.Response(wire.read_tcp(busy)).id, number)
            time.sleep(0.15)  # the pace of the client, not a wait for an event
        equal(wire.read_tcp(idle), None, "what an idle connection gets")
        true(time.monotonic() - started > 0.65, "it was not closed before its time")
        equal(wire.read_tcp(busy), None, "then the busy one ends too")


def test_tcp_slow(bench):
    """A message that has begun and does not end is cut off after tcp.io"""
    server = serve(bench, tcp={"idle": "60s", "io": "300ms"})
    with wire.open_tcp(server.server, 10 * PATIENCE) as sock:
        sock.sendall(wire.framed(numbered(1))[:10])
        started = time.monotonic()
        equal(wire.read_tcp(sock), None)
        true(time.monotonic() - started < 8 * PATIENCE, "it took too long")
    equal(server.ask_tcp(numbered(2)).id, 2)


def test_tcp_cap(bench):
    """Above tcp.connections the longest idle is closed (RFC 9210 4.5), and the newcomer is served"""
    server = serve(bench, tcp={"connections": 20, "per-address": 0, "idle": "60s"})
    socks = []
    for number in range(1, 41):
        sock = wire.open_tcp(server.server, 5 * PATIENCE)
        sock.sendall(wire.framed(numbered(number)))
        equal(wire.Response(wire.read_tcp(sock)).id, number, f"connection {number}")
        socks.append(sock)
    equal(wire.read_tcp(socks[0]), None, "the first one is closed")
    socks[-1].sendall(wire.framed(numbered(50)))
    equal(wire.Response(wire.read_tcp(socks[-1])).id, 50, "the last one is open")
    true(server.status()["tcp_open"] <= 20, "the cap holds")
    for sock in socks:
        sock.close()


def test_tcp_garbage(bench):
    """Length 0, noise and half-closed connections harm nobody; a half-closed one gets its answer"""
    server = serve(bench)
    for octets in (b"\0\0", b"\0\1\0", b"\xff\xff" + os.urandom(2000), os.urandom(500)):
        with wire.open_tcp(server.server) as sock:
            sock.sendall(octets)
    with wire.open_tcp(server.server, 5 * PATIENCE) as sock:
        sock.sendall(wire.framed(numbered(9)))
        sock.shutdown(socket.SHUT_WR)
        equal(wire.Response(wire.read_tcp(sock)).id, 9)
        equal(wire.read_tcp(sock), None)
    equal(server.ask_tcp(numbered(2)).id, 2)


def test_tcp_does_not_block_udp(bench):
    """200 connections that say nothing: UDP is answered as ever"""
    server = serve(bench, tcp={"idle": "60s", "per-address": 0})
    socks = [wire.open_tcp(server.server) for _ in range(200)]
    for sock in socks[::2]:
        sock.sendall(b"\0\x30half")
    for number in range(1, 101):
        equal(server.ask(numbered(number)).id, number)
    for sock in socks:
        sock.close()


def test_udp_equals_tcp(bench):
    """UDP and TCP give the same octets"""
    server = serve(bench)
    for octets in (numbered(5), wire.query("none.t.example"), wire.query("x.far.example"),
                   wire.ecs_query("h9.t.example", "A", "2.0.5.0/24"), wire.query("t.example", "NS")):
        equal(server.ask(octets).octets, server.ask_tcp(octets).octets)


def test_ipv6(bench):
    """IPv6, UDP and TCP, beside IPv4"""
    if not wire.has_ipv6():
        raise Skipped("no IPv6 on this machine")
    server = serve(bench, listen=["127.0.0.1:0", "[::1]:0"])
    six = next(one for one in server.servers if ":" in one[0])
    equal(wire.Response(wire.ask_udp(six, numbered(3))).addresses, ["192.0.2.3"])
    equal(wire.Response(wire.ask_tcp(six, numbered(4))).addresses, ["192.0.2.4"])
    equal(server.ask(numbered(5)).addresses, ["192.0.2.5"])
    equal(len(server.servers), 2)


def test_reply_address(bench):
    """On a wildcard address replies leave from the address that was asked (RFC 2181 4.1)"""
    server = serve(bench, listen=["0.0.0.0:0"])
    port = server.server[1]
    for number in range(1, 101):
        asked = (f"{bench.network}.{number}", port)  # the client's socket is connected: it takes no other source
        equal(wire.Response(wire.ask_udp(asked, numbered(number), 5 * PATIENCE)).id, number)


def test_reply_address_ipv6(bench):
    """The same over IPv6, and for IPv4 beside it"""
    if not wire.has_ipv6():
        raise Skipped("no IPv6 on this machine")
    server = serve(bench, listen=["[::]:0"])
    equal(wire.Response(wire.ask_udp(("::1", server.server[1]), numbered(3))).id, 3)


def test_both_families_on_one_port(bench):
    """0.0.0.0 and [::] on the same port, as the default has it: two sockets, no conflict"""
    if not wire.has_ipv6():
        raise Skipped("no IPv6 on this machine")
    port = wire.port_free_everywhere()
    server = serve(bench, listen=[f"0.0.0.0:{port}", f"[::]:{port}"])
    for address in (bench.address(7), "::1"):
        equal(wire.Response(wire.ask_udp((address, port), numbered(3))).addresses, ["192.0.2.3"], address)
        equal(wire.Response(wire.ask_tcp((address, port), numbered(4))).addresses, ["192.0.2.4"], address)
    equal(len(server.servers), 2)


def test_many_listeners(bench):
    """Several addresses and ports at once"""
    server = serve(bench, listen=[f"{bench.address(n)}:0" for n in range(1, 9)], workers=3)
    equal(len(server.servers), 8)
    for one in server.servers:
        equal(wire.Response(wire.ask_udp(one, numbered(3))).id, 3)
        equal(wire.Response(wire.ask_tcp(one, numbered(4))).id, 4)


def test_port_taken(bench):
    """A port that is taken: one clear line, exit code 1, nothing left"""
    server = serve(bench)
    bench.write("second/steerd.yaml", open(server.config_path, encoding="utf-8").read()
                .replace("127.0.0.1:0", f"127.0.0.1:{server.server[1]}").replace("zones/", "../zones/"))
    os.makedirs(bench.path("second/state"))
    ran = bench.run("steerd", "-c", bench.path("second/steerd.yaml"))
    equal(ran.code, 1, ran.all)
    lines = [line for line in ran.all.splitlines() if f":{server.server[1]}" in line and "in use" in line]
    equal(len(lines), 1, f"lines about the port in:\n{ran.all}")


def test_without_root(bench):
    """It needs no root above port 1023: the daemon runs as nobody, with no privilege at all"""
    if os.getuid() != 0:
        serve(bench)
        return  # the whole suite runs without root here
    if not shutil.which("setpriv"):
        raise Skipped("no setpriv on this machine")
    bench.zone("t.example", ZONE)
    bench.config()
    open_to_nobody(bench)
    server = bench.steerd("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
                          "--inh-caps=-all", "--bounding-set=-all")
    equal(server.ask(numbered(8)).addresses, ["192.0.2.8"])
    with open(f"/proc/{server.process.pid}/status", encoding="utf-8") as status:
        fields = dict(line.split(":\t", 1) for line in status.read().splitlines())
    equal((fields["Uid"].split()[0], int(fields["CapEff"], 16)), ("65534", 0))
    wait_until(server.prober, 10, "the prober runs, too")


def test_low_port_with_one_capability(bench):
    """CAP_NET_BIND_SERVICE alone is enough for port 53"""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skipped("needs root to give a single capability away")
    bench.zone("t.example", ZONE)
    bench.config(listen=[f"{bench.address(53)}:53"])
    open_to_nobody(bench)
    server = bench.steerd(
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all,+net_bind_service",
        "--ambient-caps=-all,+net_bind_service", "--bounding-set=-all,+net_bind_service")
    equal(server.server, (bench.address(53), 53))
    equal(server.ask(numbered(8)).addresses, ["192.0.2.8"])


def test_udp_and_tcp_mixed_noise(bench):
    """Noise on both transports, then order: nothing was lost of the daemon"""
    server = serve(bench)
    generator = random.Random(7766)
    for _ in range(50):
        with wire.open_tcp(server.server) as sock:
            sock.sendall(struct.pack("!H", generator.randrange(600)) + generator.randbytes(generator.randrange(600)))
            wire.ask_udp(server.server, generator.randbytes(generator.randrange(1, 11)), 0.001)
    equal(server.ask(numbered(1)).id, 1)
    equal(server.ask_tcp(numbered(1)).id, 1)
