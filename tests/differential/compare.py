# SPDX-License-Identifier: Apache-2.0
"""What two responses differ in, and the table of the reasons that are good ones."""

from messages import lower, record_text

HEADER = ("opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd", "question", "edns", "size")
SECTIONS = ("answer", "authority", "additional")


def header(message, question, octets):
    """What the header, the question and EDNS say."""
    opt = message.opts[0] if message.opts else None
    return {
        "opcode": message.opcode, "rcode": message.rcode, "aa": message.aa, "tc": message.tc, "rd": message.rd,
        "ra": message.ra, "ad": bool(message.flags & 0x20), "cd": bool(message.flags & 0x10),
        "question": message.question_octets == octets[12 : 12 + len(message.question_octets)],
        "edns": opt and (opt.ttl, opt.rclass, message.options()), "size": len(message.octets) <= question.size_max}


class Difference:
    """One value of the header, or one record that only one of two has."""

    def __init__(self, where, ours=None, theirs=None):
        self.where, self.ours, self.theirs = where, ours, theirs

    def __repr__(self):
        if self.where in SECTIONS:
            who, key = ("steerd only", self.ours) if self.ours else ("peer only", self.theirs)
            return f"{self.where}: {who}: {record_text(key)}"
        return f"{self.where}: steerd {self.ours!r}, peer {self.theirs!r}"


class Case:
    """A question and two responses to it."""

    def __init__(self, question, octets, ours, theirs, peer, world):
        self.question, self.octets, self.ours, self.theirs, self.peer, self.world = (
            question, octets, ours, theirs, peer, world)

    def differences(self):
        """All of them."""
        ours, theirs = header(self.ours, self.question, self.octets), header(self.theirs, self.question, self.octets)
        found = [Difference(k, ours[k], theirs[k]) for k in HEADER if ours[k] != theirs[k]]
        for section in SECTIONS:
            mine, other = (
                {record.key for record in getattr(message, section)} for message in (self.ours, self.theirs))
            found += [Difference(section, ours=key) for key in sorted(mine - other, key=repr)]
            found += [Difference(section, theirs=key) for key in sorted(other - mine, key=repr)]
        return found


# ---- the table: peers, where, why, and when that is so ----------------------------------------------------------

RULES = []


def explain(case):
    """(reasons, differences without one)."""
    reasons, unexplained = [], []
    for difference in case.differences():
        for peers, where, why, holds in RULES:
            if case.peer in peers and difference.where in where and holds(case, difference):
                reasons.append(why)
                break
        else:
            unexplained.append(difference)
    return reasons, unexplained
