# SPDX-License-Identifier: Apache-2.0
"""Zones from dice: few labels and many records, so that cuts, wildcards, aliases and empty names meet everywhere."""

LABELS = ["a", "b", "c", "d", "*", "*", "ns"]
APEXES = ["dice.test", "a.dice.test", "b.a.dice.test", "c.b.dice.test", "d.d.dice.test", "two.test", "a.two.test"]


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
        lines = [
            "$TTL 300", f"{apex}. SOA ns.{apex}. hostmaster.{apex}. 1 7200 900 1209600 60",
            *(f"{apex}. {line}" for line in self._cut(apex) if line.startswith("NS"))]
        for name in sorted(names):
            draw = self.random.random()
            if draw < 0.25:
                records = [f"CNAME {self._target(apex)}"]
            elif draw < 0.4 and not name.startswith("*"):
                records = self._cut(apex)
            else:
                records = self._data(apex)
            lines += [f"{name}. {record}" for record in dict.fromkeys(records)]
        # every server of the family gets an address now and then, or no cut would have glue
        lines += [
            f"{line.split()[-1]} A {self._address()}" for line in list(lines)
            if " NS " in line and line.endswith(f".{apex}.") and self._may_hold(line.split()[-1], lines)
            and self.random.random() < 0.8]
        return "\n".join(dict.fromkeys(lines)) + "\n"

    @staticmethod
    def _may_hold(name, lines):
        """Whether a name may have an address as well."""
        return not any(line.startswith(f"{name} CNAME ") for line in lines)


def zones(random):
    """{name: text}."""
    maker = Maker(random)
    return {apex: maker.zone(apex) for apex in APEXES}
