# SPDX-License-Identifier: Apache-2.0
"""steerd, NSD and Knot DNS with the same zone files, each on an address of its own."""

import os
import socket
import subprocess

import wire
from harness import Failed, wait_until
from messages import Message

NSD = """\
server:
    server-count: 1
    ip-address: {address}@{port}
    username: ""
    zonesdir: "{zones}"
    database: ""
    pidfile: "{directory}/nsd.pid"
    xfrdfile: "{directory}/xfrd.state"
    xfrdir: "{directory}"
    zonelistfile: "{directory}/zone.list"
    ipv4-edns-size: 1232
    tcp-timeout: 600
    refuse-any: no
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""
NSD_ZONE = """\
zone:
    name: "{name}"
    zonefile: "{name}.zone"
    provide-xfr: 127.0.0.0/8 NOKEY
"""
KNOT = """\
server:
    rundir: "{directory}"
    listen: {address}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    tcp-idle-timeout: 600
    tcp-remote-io-timeout: 0
    udp-max-payload: 1232
    version: ""
    identity: ""
log:
  - target: stderr
    any: info
database:
    storage: "{directory}"
acl:
  - id: everybody
    address: 127.0.0.0/8
    action: transfer
template:
  - id: default
    storage: "{zones}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
    acl: everybody
zone:
"""
KNOT_ZONE = "  - domain: {name}\n"


class Server:
    """One that answers, over a UDP socket and a TCP connection that stay open."""

    def __init__(self, name, server):
        self.name, self.server = name, server
        self.udp = wire.udp_socket(server)
        self.tcp = None

    def send(self, octets, is_tcp):
        """Asks; the answer is taken by receive(), so that several servers work at a time."""
        if not is_tcp:
            self.udp.send(octets)
            return
        if self.tcp is None:
            self.tcp = wire.open_tcp(self.server)
            self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tcp.sendall(wire.framed(octets))

    def receive(self, octets, is_tcp):
        """The response to what was sent last, None if there is none."""
        if is_tcp:
            reply = wire.read_tcp(self.tcp)
            if reply is None:  # the connection was at its end: the next gets another try
                self.tcp.close()
                self.tcp = wire.open_tcp(self.server)
                self.tcp.sendall(wire.framed(octets))
                reply = wire.read_tcp(self.tcp)
            return reply
        try:
            while True:  # a late answer to an earlier query is not this one's
                reply = self.udp.recv(65535)
                if reply[:2] == octets[:2]:
                    return reply
        except (TimeoutError, ConnectionRefusedError):
            return None

    def ask(self, octets, is_tcp):
        """Both in one."""
        self.send(octets, is_tcp)
        return self.receive(octets, is_tcp)

    def close(self):
        """Closes the sockets."""
        self.udp.close()
        if self.tcp:
            self.tcp.close()

    def transfer(self, zone):
        """Every record of a zone (RFC 5936)."""
        records = []
        with wire.open_tcp(self.server) as sock:
            sock.sendall(wire.framed(wire.query(zone, "AXFR")))
            while len([r for r in records if r.type == "SOA"]) < 2:
                octets = wire.read_tcp(sock)
                if octets is None:
                    raise Failed(f"{self.name}: the transfer of {zone} broke off")
                message = Message(octets)
                if message.rcode != "NOERROR":
                    raise Failed(f"{self.name}: the transfer of {zone}: {message.rcode}")
                records += message.answer
        return records[:-1]


def serves(server, zones):
    """Whether it answers for every zone."""
    for zone in zones:
        octets = wire.ask_udp(server, wire.query(zone, "SOA"), 0.2)
        if octets is None or not Message(octets).aa:
            return False
    return True


def start_peer(bench, command, server, zones):
    """Starts another's daemon in the foreground, and waits until it answers."""
    name = os.path.basename(command[0])
    log_path = bench.path(f"{name}.log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    bench.at_end(lambda: (process.terminate(), process.wait(20)))

    def is_ready():
        if process.poll() is not None:
            with open(log_path, encoding="utf-8", errors="replace") as said:
                raise Failed(f"{name} ended with code {process.returncode}:\n{said.read()}")
        try:
            return serves(server, zones)
        except OSError:
            return False

    wait_until(is_ready, 30, f"{name} answers for every zone; its log is {log_path}")


def program(name):
    """Path of a daemon that Debian keeps out of the way of ordinary users."""
    for directory in ("/usr/sbin", "/usr/local/sbin", "/usr/bin"):
        if os.path.exists(os.path.join(directory, name)):
            return os.path.join(directory, name)
    raise Failed(f"there is no {name}: scripts/packages install differential")


def configuration(bench, name, head, zone, address, zones):
    """Writes one's configuration; its path, and where it will listen."""
    server = (bench.address(address), wire.port_free_everywhere())
    directory = bench.path(name)
    os.makedirs(directory, exist_ok=True)
    text = head.format(address=server[0], port=server[1], directory=directory, zones=bench.path("zones"))
    return bench.write(f"{name}.conf", text + "".join(zone.format(name=one) for one in zones)), server


def start(bench, zones):
    """All three: steerd first, then its peers."""
    # the peers send as much to clients without a cookie as to any
    bench.config(listen=[f"{bench.address(1)}:0"], workers=1, udp={"without-cookie": 1232})
    found = [Server("steerd", bench.steerd().server)]
    path, server = configuration(bench, "nsd", NSD, NSD_ZONE, 2, zones)
    start_peer(bench, [program("nsd"), "-d", "-c", path], server, zones)
    found.append(Server("NSD", server))
    path, server = configuration(bench, "knot", KNOT, KNOT_ZONE, 3, zones)
    start_peer(bench, [program("knotd"), "-c", path], server, zones)
    found.append(Server("Knot", server))
    for one in found:
        bench.at_end(one.close)
    return found
