# SPDX-License-Identifier: Apache-2.0
"""Zones from dice: few labels and many records, so that cuts, wildcards, aliases, DNAMEs and empty names meet."""

LABELS = ["a", "b", "c", "d", "*", "*", "ns"]
# Zones within zones.  What is delegated is delegated well in the first family; in the second, parents know nothing of
# their children and hold records that belong to them.
TIDY = ["tidy.test", "a.tidy.test", "b.a.tidy.test", "c.b.tidy.test", "d.d.tidy.test"]
MESSY = ["messy.test", "a.messy.test", "b.a.messy.test", "c.b.messy.test"]
APEXES = TIDY + MESSY


def is_within(name, zone):
    """Whether a name is a zone's apex or below it."""
    return name == zone or name.endswith(f".{zone}")


class Maker:
    """Text of zone files; the same from the same seed."""

    def __init__(self, random):
        self.random = random

    def _below(self, apex):
        depth = self.random.choice([1, 1, 1, 2, 2, 2, 3, 3, 4])
        return ".".join([*(self.random.choice(LABELS) for _ in range(depth)), apex])

    def _target(self, apex):
        """Mostly within the zone, sometimes in another, seldom nowhere."""
        draw = self.random.random()
        if draw < 0.04:
            return f"x{self.random.randrange(3)}.elsewhere.invalid."
        if draw < 0.2:
            apex = self.random.choice(APEXES)
        if draw > 0.93:
            return f"{apex}."
        return f"{self._below(apex)}.".replace("*", self.random.choice("*aabcd"))

    def _address(self):
        return f"192.0.2.{self.random.randrange(256)}"

    def _cut(self, apex):
        lines = [f"NS {self._target(apex)}" for _ in range(self.random.choice([1, 2, 2, 3]))]
        if self.random.random() < 0.3:
            lines.append(f"DS {self.random.randrange(65536)} 13 1 {'ab' * 20}")
        return lines

    def _data(self, apex):
        makers = {
            "A": self._address,
            "AAAA": lambda: f"2001:db8::{self.random.randrange(1, 65536):x}",
            "TXT": lambda: f'"text {self.random.randrange(100)}"',
            "MX": lambda: f"{self.random.randrange(100)} {self._target(apex)}",
            "SRV": lambda: f"0 0 {self.random.randrange(65536)} {self._target(apex)}",
            "PTR": lambda: self._target(apex),
        }
        kinds = self.random.sample(sorted(makers), self.random.choice([1, 1, 1, 2, 3]))
        return [f"{kind} {makers[kind]()}" for kind in kinds for _ in range(self.random.choice([1, 1, 2]))]

    def zone(self, apex):
        """One zone: what is no mistake, whether or not it makes sense."""
        names = {self._below(apex) for _ in range(self.random.choice([10, 25, 60]))}
        if apex in MESSY:
            names |= {self._below(self.random.choice([z for z in MESSY if is_within(z, apex)])) for _ in range(20)}
        aside = self._redirected(names) if apex in TIDY else set()
        names = {name for name in names if not any(name != other and is_within(name, other) for other in aside)}
        children = [] if apex in MESSY else self._children(apex)
        names = {name for name in names if not any(is_within(name, child) for child in children)}
        lines = [
            "$TTL 300", f"{apex}. SOA ns.{apex}. hostmaster.{apex}. 1 7200 900 1209600 60",
            *(f"{apex}. {line}" for line in self._cut(apex) if line.startswith("NS")),
            *(f"{child}. {line}" for child in children for line in dict.fromkeys(self._cut(apex)))]
        for name in sorted(names):
            draw = self.random.random()
            if name in aside:
                records = [f"DNAME {self._target(apex)}", *(self._data(apex) if draw < 0.3 else ())]
            elif draw < 0.25:
                records = [f"CNAME {self._target(apex)}"]
            elif draw < 0.4 and not name.startswith("*"):
                records = self._cut(apex)
            else:
                records = self._data(apex)
            lines += [f"{name}. {record}" for record in dict.fromkeys(records)]
        lines += self._servers(apex, children, aside, lines)
        return "\n".join(dict.fromkeys(lines)) + "\n"

    def _redirected(self, names):
        """Which names have a DNAME: not those with children that are zones, nor wildcards."""
        return {name for name in sorted(names) if self.random.random() < 0.12 and not name.startswith("*")
                and not any(is_within(zone, name) for zone in APEXES)}

    def _servers(self, apex, children, aside, lines):
        """Addresses for most servers that a zone names, or few cuts would have glue."""
        servers = {line.split()[-1] for line in lines if " NS " in line and line.endswith(f".{apex}.")}
        return [
            f"{server} {self.random.choice(['A 192.0.2.250', 'AAAA 2001:db8::250'])}" for server in sorted(servers)
            if not any(line.startswith(f"{server} CNAME ") for line in lines)
            and not any(is_within(server[:-1], other) for other in (*children, *aside)) and self.random.random() < 0.8]

    @staticmethod
    def _children(apex):
        """The hosted zones that a zone delegates itself."""
        below = [other for other in APEXES if other != apex and is_within(other, apex)]
        return [one for one in below if not any(one != other and is_within(one, other) for other in below)]


def zones(random):
    """{name: text}."""
    maker = Maker(random)
    return {apex: maker.zone(apex) for apex in APEXES}
