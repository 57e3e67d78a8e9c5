# SPDX-License-Identifier: Apache-2.0
"""Responses in a form in which two servers' can be compared: names as labels, data without compression."""

import wire

# Where names stand in RDATA: `N` one that may be compressed (RFC 3597 4: the types of RFC 1035 alone), `n` one that
# must not be, a digit for so many octets before it.
LAYOUTS = {
    "NS": "N", "TYPE3": "N", "TYPE4": "N", "CNAME": "N", "SOA": "NN", "TYPE7": "N", "TYPE8": "N", "TYPE9": "N",
    "PTR": "N", "TYPE14": "NN", "MX": "2N", "TYPE17": "nn", "TYPE18": "2n", "TYPE21": "2n", "TYPE26": "2nn",
    "SRV": "6n", "TYPE36": "2n", "TYPE39": "n", "TYPE58": "nn", "TYPE64": "2n", "TYPE65": "2n", "TYPE107": "2n",
}


def lower(labels):
    """Names are equal in either case (RFC 4343 3)."""
    return tuple(label.lower() for label in labels)


def name_text(labels):
    """A name as people write it."""
    def octet(value):
        char = chr(value)
        return char if char.isalnum() and value < 128 or char in "-_*" else f"\\{value:03d}"
    return "".join("".join(map(octet, label)) + "." for label in labels) or "."


class Message(wire.Response):
    """A response whose names are tuples of labels.  Each record has `data`, its RDATA with names without compression,
    and `key`, by which records are equal."""

    def _name(self, at=None):
        return tuple(self._labels(at))

    def _record(self):
        record = super()._record()
        end = self.position
        record.data = self._data(record, end - len(record.rdata), end)
        self.position = end
        folded = tuple(lower(part) if isinstance(part, tuple) else part for part in record.data)
        record.key = (lower(record.name), record.type, record.rclass, record.ttl, folded)
        return record

    def _data(self, record, start, end):
        parts, self.position = [], start
        for step in LAYOUTS.get(record.type, ""):
            if step.isdigit():
                parts.append(self._take(int(step)))
                continue
            begin = self.position
            labels = self._name()
            size = sum(map(len, labels)) + len(labels) + 1
            if step == "n" and self.position - begin != size:
                raise ValueError(f"a compressed name within a {record.type} (RFC 3597 4)")
            parts.append(labels)
        if self.position > end:
            raise ValueError(f"a name that goes on behind its {record.type}")
        parts.append(self.octets[self.position : end])
        return tuple(parts)

    @property
    def target(self):
        """The name that the answer section's CNAMEs lead to: the question's own if there are none."""
        links = {lower(r.name): r.data[0] for r in self.answer if r.type == "CNAME"}
        name, seen = self.questions[0][0], set()
        while lower(name) in links and lower(name) not in seen:
            seen.add(lower(name))
            name = links[lower(name)]
        return name


def record_text(key):
    """One line for a record's key."""
    name, rtype, _class, ttl, data = key
    words = [name_text(part) if isinstance(part, tuple) else part.hex() for part in data]
    return f"{name_text(name)} {ttl} {rtype} {' '.join(filter(None, words))[:160]}"
