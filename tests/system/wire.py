# SPDX-License-Identifier: Apache-2.0
"""DNS messages as bytes: a small client with fixed ids, for what dig cannot send or show.

The writer builds messages field by field, right or wrong as the test asks.  The reader is strict: a response
that it cannot read fails the test.
"""

import ipaddress
import socket
import struct

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33,
    "OPT": 41, "DS": 43, "SVCB": 64, "HTTPS": 65, "AXFR": 252, "ANY": 255, "CAA": 257,
}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]

OPTION_ECS = 8
OPTION_COOKIE = 10
OPTION_ZONEVERSION = 19


def name_bytes(name):
    """A name as on the wire, uncompressed; labels are taken as they are, escapes apart (`\\.`); bytes are one."""
    if isinstance(name, bytes):
        return name
    wire = b""
    for label in name.rstrip(".").replace("\\.", "\0").split("."):
        if label:
            octets = label.replace("\0", ".").encode("latin-1")
            wire += bytes([len(octets)]) + octets
    return wire + b"\0"


def ecs_option(subnet, source=None, scope=0):
    """An EDNS Client Subnet option for "ADDRESS/LENGTH", cut to its octets (RFC 7871 6)."""
    network = ipaddress.ip_network(subnet, strict=False)
    length = network.prefixlen if source is None else source
    octets = network.network_address.packed[: (length + 7) // 8]
    family = 1 if network.version == 4 else 2
    return (OPTION_ECS, struct.pack("!HBB", family, length, scope) + octets)


def opt_record(payload=1232, version=0, flags=0, options=(), owner=b"\0"):
    """An OPT record; `options` are pairs of a code and octets."""
    rdata = b"".join(struct.pack("!HH", code, len(data)) + data for code, data in options)
    ttl = (version << 16) | flags
    return owner + struct.pack("!HHIH", TYPES["OPT"], payload, ttl, len(rdata)) + rdata


def query(name, rtype="A", ident=0x1234, flags=0, edns=None, rclass=1):
    """A query; `edns` is an OPT record's octets or None."""
    number = TYPES[rtype] if isinstance(rtype, str) else rtype
    header = struct.pack("!HHHHHH", ident, flags, 1, 0, 0, 1 if edns else 0)
    return header + name_bytes(name) + struct.pack("!HH", number, rclass) + (edns or b"")


def no_question(ident=0x1234, **opt):
    """A query without a question (RFC 7873 5.4)."""
    return struct.pack("!HHHHHH", ident, 0, 0, 0, 0, 1) + opt_record(**opt)


def ecs_query(name, rtype, subnet, ident=0x1234):
    """A query with a client subnet, as a large public resolver sends it."""
    return query(name, rtype, ident, edns=opt_record(options=[ecs_option(subnet)]))


class Record:
    """One resource record; `text` is its data as people write it, for the types that tests look at."""

    def __init__(self, name, rtype, rclass, ttl, rdata, text):
        self.name, self.type, self.rclass, self.ttl, self.rdata, self.text = (
            name, rtype, rclass, ttl, rdata, text)

    def __repr__(self):
        return f"{self.name} {self.ttl} {self.type} {self.text}"


class Response:
    """A message, read whole; anything that does not fit together is an error."""

    def __init__(self, octets):
        self.octets = octets
        self.position = 12
        (self.id, self.flags, *counts) = struct.unpack("!HHHHHH", octets[:12])
        self.question_start = 12
        self.questions = [self._question() for _ in range(counts[0])]
        self.question_octets = octets[12 : self.position]
        self.answer = [self._record() for _ in range(counts[1])]
        self.authority = [self._record() for _ in range(counts[2])]
        additional = [self._record() for _ in range(counts[3])]
        self.additional = [r for r in additional if r.type != "OPT"]
        self.opts = [r for r in additional if r.type == "OPT"]
        if self.position != len(octets):
            raise ValueError(f"{len(octets) - self.position} octets behind the last record")

    @property
    def rcode(self):
        """The response code, with the upper bits that EDNS adds."""
        number = self.flags & 15
        if self.opts:
            number |= self.opts[0].ttl >> 24 << 4
        return RCODES[number] if number < len(RCODES) else {6: "YXDOMAIN", 16: "BADVERS", 23: "BADCOOKIE"}.get(number, str(number))

    qr = property(lambda self: bool(self.flags & 0x8000))
    aa = property(lambda self: bool(self.flags & 0x0400))
    tc = property(lambda self: bool(self.flags & 0x0200))
    rd = property(lambda self: bool(self.flags & 0x0100))
    ra = property(lambda self: bool(self.flags & 0x0080))
    opcode = property(lambda self: self.flags >> 11 & 15)

    @property
    def addresses(self):
        """Addresses of the answer section, sorted."""
        return sorted(r.text for r in self.answer if r.type in ("A", "AAAA"))

    @property
    def hints(self):
        """Addresses that the parameters of each record of SVCB and HTTPS hint at, sorted."""
        return [sorted(service_hints(r.rdata)) for r in self.answer if r.type in ("SVCB", "HTTPS")]

    def options(self):
        """EDNS options as a list of pairs of code and octets."""
        found, data = [], self.opts[0].rdata if self.opts else b""
        while data:
            code, size = struct.unpack("!HH", data[:4])
            found.append((code, data[4 : 4 + size]))
            data = data[4 + size :]
        return found

    def ecs(self):
        """(family, source, scope, octets) of the client subnet option, or None."""
        for code, data in self.options():
            if code == OPTION_ECS:
                return struct.unpack("!HBB", data[:4]) + (data[4:],)
        return None

    def cookie(self):
        """The cookie, or None."""
        return dict(self.options()).get(OPTION_COOKIE)

    def _name(self, at=None):
        return "".join(label.decode("latin-1") + "." for label in self._labels(at)) or "."

    def _labels(self, at=None):
        """The labels of the name that comes next, or that stands at `at`."""
        labels, jumped, position = [], 0, self.position if at is None else at
        start = position  # a pointer leads before all that was read, or a name could go round for ever
        while True:
            length = self.octets[position]
            if length >= 0xC0:
                target = struct.unpack("!H", self.octets[position : position + 2])[0] & 0x3FFF
                if at is None and not jumped:
                    self.position = position + 2
                if target >= start:
                    raise ValueError("a compression pointer that does not point backwards")
                start = position = target
                jumped += 1
                continue
            if length > 63:
                raise ValueError("a label of an unknown kind")
            position += 1
            if length == 0:
                break
            labels.append(self.octets[position : position + length])
            position += length
        if at is None and not jumped:
            self.position = position
        return labels

    def _take(self, size):
        taken = self.octets[self.position : self.position + size]
        if len(taken) != size:
            raise ValueError("the message ends within a record")
        self.position += size
        return taken

    def _question(self):
        name = self._name()
        number, rclass = struct.unpack("!HH", self._take(4))
        return (name, TYPE_NAMES.get(number, f"TYPE{number}"), rclass)

    def _record(self):
        name = self._name()
        number, rclass, ttl, size = struct.unpack("!HHIH", self._take(10))
        start = self.position
        rdata = self._take(size)
        rtype = TYPE_NAMES.get(number, f"TYPE{number}")
        return Record(name, rtype, rclass, ttl, rdata, self._text(rtype, rdata, start))

    def _text(self, rtype, rdata, start):
        if rtype in ("A", "AAAA"):
            return str(ipaddress.ip_address(rdata))
        if rtype in ("NS", "CNAME", "PTR"):
            return self._name(start)
        if rtype == "MX":
            return f"{struct.unpack('!H', rdata[:2])[0]} {self._name(start + 2)}"
        if rtype == "TXT":
            texts = []
            while rdata:
                texts.append(rdata[1 : 1 + rdata[0]].decode("latin-1"))
                rdata = rdata[1 + rdata[0] :]
            return "".join(texts)
        if rtype == "SOA":
            return " ".join(str(n) for n in struct.unpack("!IIIII", rdata[-20:]))
        return rdata.hex()


def service_hints(rdata):
    """The addresses in ipv4hint and ipv6hint (RFC 9460 7.3) of a record whose parameters must be in order."""
    at, last, found = 2, -1, []
    while rdata[at]:
        at += 1 + rdata[at]
    at += 1
    while at < len(rdata):
        key, size = struct.unpack("!HH", rdata[at : at + 4])
        value = rdata[at + 4 : at + 4 + size]
        if key <= last or len(value) != size:
            raise ValueError(f"parameter {key} of {size} octets behind {last}: {rdata.hex()}")
        width = {4: 4, 6: 16}.get(key)
        if width and (not value or size % width):
            raise ValueError(f"hints of {size} octets: {rdata.hex()}")
        if width:
            found += [str(ipaddress.ip_address(value[i : i + width])) for i in range(0, size, width)]
        at, last = at + 4 + size, key
    return found


def ask_udp(server, octets, timeout=5.0):
    """Sends one datagram; the response's octets, or None when none came in time."""
    with udp_socket(server, timeout) as sock:  # connected: a reply from another address is not taken
        sock.send(octets)
        try:
            return sock.recv(65535)
        except TimeoutError:
            return None


def udp_socket(server, timeout=5.0):
    """A socket for many datagrams; with timeout 0 nothing waits."""
    sock = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    sock.connect(server)
    return sock


def has_ipv6():
    """Whether ::1 can be used here."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def port_free_everywhere():
    """A port that is free on every address of both families, for UDP and TCP: those of other programs included."""
    family, everywhere = (socket.AF_INET6, "::") if has_ipv6() else (socket.AF_INET, "0.0.0.0")
    while True:
        with socket.socket(family) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
            if family == socket.AF_INET6:  # IPv4 as well
                for sock in (tcp, udp):
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            tcp.bind((everywhere, 0))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]


def pending(sock):
    """The datagrams that have come in."""
    while True:
        try:
            yield sock.recv(65535)
        except (BlockingIOError, TimeoutError):
            return


def framed(octets):
    """A message as TCP carries it."""
    return struct.pack("!H", len(octets)) + octets


def open_tcp(server, timeout=5.0):
    """A connection to the server."""
    sock = socket.create_connection(server, timeout)
    sock.settimeout(timeout)
    return sock


def read_exactly(sock, size):
    """`size` octets, or None if the connection ends before."""
    octets = b""
    while len(octets) < size:
        try:
            more = sock.recv(size - len(octets))
        except ConnectionResetError:
            return None
        if not more:
            return None
        octets += more
    return octets


def read_tcp(sock):
    """The next message of a connection, or None at its end."""
    length = read_exactly(sock, 2)
    return None if length is None else read_exactly(sock, struct.unpack("!H", length)[0])


def ask_tcp(server, octets, timeout=5.0):
    """One query over a connection of its own."""
    with open_tcp(server, timeout) as sock:
        sock.sendall(framed(octets))
        return read_tcp(sock)
