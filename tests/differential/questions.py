# SPDX-License-Identifier: Apache-2.0
"""Questions about zones: every record set, then names near every name, in every shape of query."""

import copy
import struct

import wire
from messages import lower, name_text

COMMON = [1, 28, 2, 5, 6, 15, 16, 33, 43, 12, 65, 257, 255]
# The rest of what zones hold, what no zone holds, and what nobody has heard of.
UNCOMMON = [13, 17, 35, 39, 46, 47, 48, 50, 51, 52, 59, 64, 99, 256, 1234, 65280, 65281, 65535]
PAYLOADS = [None, 512, 1232, 4096, 65535]
# What else EDNS carries: mostly nothing, else a client subnet or options that nobody knows.
OPTIONS = [()] * 17 + [
    (wire.ecs_option("192.0.2.0/24"),), (wire.ecs_option("2001:db8::/56"),),
    ((65001, b"unknown"), (65002, b""))]


class Question:
    """One query: a name as labels, a type, and how it is sent."""

    def __init__(self, name, rtype, payload=1232, is_tcp=False, dnssec_ok=False, flags=0, options=(), version=0,
                 rclass=1):
        self.name, self.rtype, self.payload, self.is_tcp, self.dnssec_ok, self.flags = (
            name, rtype, payload, is_tcp, dnssec_ok, flags)
        self.options, self.version, self.rclass = options, version, rclass

    def octets(self, ident):
        """The message."""
        edns = None
        if self.payload is not None:
            edns = wire.opt_record(self.payload, self.version, 0x8000 if self.dnssec_ok else 0, self.options)
        return wire.query(name_wire(self.name), self.rtype, ident, self.flags, edns, self.rclass)

    def in_every_shape(self):
        """The same over UDP and TCP, without EDNS and with each payload size."""
        for is_tcp in (False, True):
            for payload in PAYLOADS:
                shaped = copy.copy(self)
                shaped.is_tcp, shaped.payload = is_tcp, payload
                yield shaped

    @property
    def size_max(self):
        """What the client takes; all three servers send no more than 1,232 octets over UDP."""
        return 65535 if self.is_tcp else min(max(self.payload or 512, 512), 1232)

    def __repr__(self):
        rtype = wire.TYPE_NAMES.get(self.rtype, f"TYPE{self.rtype}")
        edns = "no EDNS" if self.payload is None else (
            f"EDNS version {self.version}, {self.payload}{', DO' if self.dnssec_ok else ''}"
            f"{''.join(f', option {code}' for code, _ in self.options)}")
        return (f"{name_text(self.name)} CLASS{self.rclass} {rtype} ({'TCP' if self.is_tcp else 'UDP'}, {edns}, "
                f"flags {self.flags:04x})")


def name_wire(labels):
    """Labels as octets."""
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def fits(labels):
    """Whether it is a name (RFC 1035 2.3.4)."""
    return all(0 < len(label) < 64 for label in labels) and len(name_wire(labels)) <= 255


class Names:
    """Every name that the zones know, by owner or in data, with what lies between them and the root."""

    def __init__(self, records):
        known = {}
        for record in records:
            for name in (record.name, *(part for part in record.data if isinstance(part, tuple))):
                for depth in range(len(name) + 1):
                    known.setdefault(lower(name[depth:]), None)
        self.all = list(known)
        self.deep = [name for name in self.all if len(name) > 1]
        self.wildcards = [name for name in self.all if name and name[0] == b"*"]
        self.types = {}
        for record in records:
            number = wire.TYPES.get(record.type) or int(record.type[4:])
            self.types.setdefault(lower(record.name), set()).add(number)


class Generator:
    """Questions without end; the same from the same seed."""

    def __init__(self, records, random):
        self.names, self.random = Names(records), random
        self.shapes = [
            (35, self._existing), (12, self._one_octet_off), (15, self._below), (10, self._beside),
            (5, self._without_a_label), (5, self._asterisk), (12, self._from_wildcard), (4, self._outside)]

    def thorough(self):
        """Every name with each of its types and the common ones, over UDP with room and over TCP."""
        for name in self.names.all:
            for rtype in sorted(self.names.types.get(name, set()) | set(COMMON)):
                yield Question(name, rtype)
                if rtype in self.names.types.get(name, ()):
                    yield Question(name, rtype, payload=None)
                    yield Question(name, rtype, is_tcp=True)

    def random_one(self):
        """Any."""
        name = None
        while name is None or not fits(name):
            weights, makers = zip(*self.shapes)
            name = self.random.choices(makers, weights)[0]()
        rtype = self._type(name)
        if self.random.random() < 0.4:
            name = tuple(self._mixed(label) for label in name)
        return Question(
            name, rtype, self.random.choice(PAYLOADS), self.random.random() < 0.15, self.random.random() < 0.25,
            self.random.choice([0, 0, 0x0100, 0x0110, 0x0010, 0x0020]), self.random.choice(OPTIONS),
            self.random.choice([0] * 99 + [1]), self.random.choice([1] * 99 + [self._class()]))

    def _type(self, name):
        own = self.names.types.get(lower(name))
        draw = self.random.random()
        if own and draw < 0.45:
            return self.random.choice(sorted(own))
        if draw < 0.85:
            return self.random.choice(COMMON)
        if draw < 0.97:
            return self.random.choice(UNCOMMON)
        return self.random.randrange(*self.random.choice([(1, 41), (42, 128), (256, 65536)]))  # no OPT, no QTYPEs

    def _class(self):
        return self.random.choice([0, 2, 3, 4, 254, 255, 256, 65535])

    def _mixed(self, label):
        return bytes(o ^ 0x20 if chr(o).isalpha() and o < 128 and self.random.random() < 0.5 else o for o in label)

    def _label(self):
        kind = self.random.random()
        if kind < 0.45:
            size = self.random.choice([1, 1, 2, 3, 5, 8])
            return bytes(self.random.choice(b"abcdefghijklmnopqrstuvwxyz0123456789-_") for _ in range(size))
        if kind < 0.8:
            return self.random.choice(self.random.choice(self.names.deep))
        if kind < 0.9:
            return self.random.choice([b"*", b"**", b"a*", b"\0", b".", b"\\", b"www", b"ns", b"@", b"a.b", b"\xff"])
        return struct.pack("B", self.random.randrange(256)) * self.random.choice([1, 2, 31, 63])

    def _existing(self):
        return self.random.choice(self.names.all)

    def _one_octet_off(self):
        name = list(self.random.choice(self.names.deep))
        at = self.random.randrange(len(name))
        label, where = name[at], self.random.randrange(len(name[at]))
        octet = bytes([self.random.choice(b"az09-*_\0\xff.")])
        name[at] = self.random.choice([
            label[:where] + label[where + 1 :], label[:where] + octet + label[where:],
            label[:where] + octet + label[where + 1 :], label[::-1]])
        return tuple(name)

    def _below(self):
        depth = self.random.choice([1, 1, 1, 2, 3])
        return tuple(self._label() for _ in range(depth)) + self.random.choice(self.names.all)

    def _beside(self):
        return (self._label(),) + self.random.choice(self.names.deep)[1:]

    def _without_a_label(self):
        name = list(self.random.choice(self.names.deep))
        del name[self.random.randrange(len(name))]
        return tuple(name)

    def _asterisk(self):
        name = list(self.random.choice(self.names.deep))
        at = self.random.randrange(len(name))
        if self.random.random() < 0.5:
            name[at] = b"*"
        else:
            name.insert(at, b"*")
        return tuple(name)

    def _from_wildcard(self):
        name = self.random.choice(self.names.wildcards)
        return tuple(self._label() for _ in range(self.random.choice([1, 1, 2, 3]))) + name[1:]

    def _outside(self):
        base = self.random.choice([(), (b"test",), (b"invalid",), (b"example", b"com"), (b"main", b"tes"), (b"arpa",)])
        return tuple(self._label() for _ in range(self.random.choice([0, 1, 2]))) + base
