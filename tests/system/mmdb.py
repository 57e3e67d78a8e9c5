# SPDX-License-Identifier: Apache-2.0
"""A writer of small .mmdb files (MaxMind DB format 2.0), so that tests decide who is where."""

import ipaddress
import struct

DATA_SEPARATOR = b"\0" * 16
METADATA_MARK = b"\xab\xcd\xefMaxMind.com"

TEXT, DOUBLE, UINT16, UINT32, MAP, UINT64, ARRAY, FLOAT = 2, 3, 5, 6, 7, 9, 11, 15


class Float(float):
    """A number that is written with four octets, as the flat schema has it."""


class Unsigned:
    """A whole number of a given kind."""

    def __init__(self, kind, number):
        self.kind, self.number = kind, number


def _control(kind, size):
    first = kind if kind < 8 else 0
    extended = b"" if kind < 8 else bytes([kind - 7])
    if size < 29:
        return bytes([first << 5 | size]) + extended
    if size < 29 + 256:
        return bytes([first << 5 | 29]) + extended + bytes([size - 29])
    return bytes([first << 5 | 30]) + extended + struct.pack("!H", size - 285)


def encode(value):
    """A value as the data section holds it."""
    if isinstance(value, dict):
        return _control(MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return _control(ARRAY, len(value)) + b"".join(encode(item) for item in value)
    if isinstance(value, Float):
        return _control(FLOAT, 4) + struct.pack("!f", value)
    if isinstance(value, float):
        return _control(DOUBLE, 8) + struct.pack("!d", value)
    if isinstance(value, Unsigned):
        octets = value.number.to_bytes(8, "big").lstrip(b"\0")
        return _control(value.kind, len(octets)) + octets
    octets = value.encode()
    return _control(TEXT, len(octets)) + octets


def nested(latitude, longitude, country="", city=""):
    """A record as GeoLite2-City has it: doubles inside a map `location`."""
    record = {"location": {"latitude": float(latitude), "longitude": float(longitude)}}
    if country:
        record["country"] = {"iso_code": country}
    if city:
        record["city"] = {"names": {"en": city}}
    return record


def flat(latitude, longitude, country="", city=""):
    """A record as the small redistributed databases have it: floats at the top."""
    return {"city": city, "country_code": country, "latitude": Float(latitude), "longitude": Float(longitude)}


def _bits(network, version):
    number = int(network.network_address)
    length, width = network.prefixlen, 32
    if network.version == 6:
        width = 128
    elif version == 6:
        length, width = length + 96, 128  # IPv4 lives at ::/96 of a combined file
    return [number >> (width - 1 - i) & 1 for i in range(length)]


def write(places, version=6, database_type="Test-City", record_size=28):
    """The bytes of a database: `places` maps "PREFIX" to a record; later and longer prefixes win."""
    data, offsets, root = b"", {}, [None, None]
    for prefix in sorted(places, key=lambda p: ipaddress.ip_network(p).prefixlen):
        network, octets = ipaddress.ip_network(prefix), encode(places[prefix])
        if octets not in offsets:
            offsets[octets] = len(data)
            data += octets
        _insert(root, _bits(network, version), offsets[octets])
    nodes = _all_nodes(root)
    numbers = {id(node): number for number, node in enumerate(nodes)}
    tree = b"".join(_node(node, numbers, record_size) for node in nodes)
    metadata = {
        "binary_format_major_version": Unsigned(UINT16, 2), "binary_format_minor_version": Unsigned(UINT16, 0),
        "build_epoch": Unsigned(UINT64, 1790000000), "database_type": database_type,
        "description": {"en": "test"}, "ip_version": Unsigned(UINT16, version), "languages": ["en"],
        "node_count": Unsigned(UINT32, len(nodes)), "record_size": Unsigned(UINT16, record_size)}
    return tree + DATA_SEPARATOR + data + METADATA_MARK + encode(metadata)


def _insert(root, bits, offset):
    node = root
    for bit in bits[:-1]:
        if not isinstance(node[bit], list):
            node[bit] = [node[bit], node[bit]]
        node = node[bit]
    node[bits[-1]] = offset


def _all_nodes(root):
    nodes, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting += [child for child in node if isinstance(child, list)]
    return nodes


def _node(node, numbers, record_size):
    def record(child):
        if child is None:
            return len(numbers)  # not found
        return numbers[id(child)] if isinstance(child, list) else len(numbers) + 16 + child

    left, right = (record(child) for child in node)
    if record_size == 28:
        middle = left >> 24 << 4 | right >> 24
        return (left & 0xFFFFFF).to_bytes(3, "big") + bytes([middle]) + (right & 0xFFFFFF).to_bytes(3, "big")
    size = record_size // 8
    return left.to_bytes(size, "big") + right.to_bytes(size, "big")
