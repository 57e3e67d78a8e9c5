# SPDX-License-Identifier: Apache-2.0
"""What two responses differ in, and the table of the reasons that are good ones."""

import wire
from messages import lower, record_text

HEADER = ("opcode", "rcode", "aa", "tc", "rd", "ra", "ad", "cd", "question", "edns", "size", "once")
SECTIONS = ("answer", "authority", "additional")


def header(message, question, octets):
    """What the header, the question and EDNS say."""
    opt = message.opts[0] if message.opts else None
    return {
        "opcode": message.opcode, "rcode": message.rcode, "aa": message.aa, "tc": message.tc, "rd": message.rd,
        "ra": message.ra, "ad": bool(message.flags & 0x20), "cd": bool(message.flags & 0x10),
        "question": message.question_octets == octets[12 : 12 + len(message.question_octets)],
        "edns": opt and (opt.ttl, opt.rclass, message.options()), "size": len(message.octets) <= question.size_max,
        "once": all(len(keys(getattr(message, section))) == len(getattr(message, section)) for section in SECTIONS)}


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

ALL = ("NSD", "Knot")
LINKS_MAX = 5  # CNAMEs that steerd follows in one answer
DS, RRSIG, NSEC, NSEC3, ANY = 43, 46, 47, 50, 255
CLASS_IN, CLASS_ANY = 1, 255
OPTION_EDE = 15
NOT_SUPPORTED = b"\0\x15"
RECORD_SIZE = 60  # of an address with a name that is compressed little


def keys(records):
    """What records are told apart by."""
    return {record.key for record in records}


def is_referral(message):
    """Whether it says where to ask on and nothing else."""
    return not message.answer and not message.aa and any(r.type == "NS" for r in message.authority)


def apex_servers(case, difference):
    """The NS set of a zone, beside an answer."""
    key = difference.theirs
    return bool(key and case.ours.answer and key[1] == "NS" and key[0] in case.world.zones)


def addresses(case, difference):
    """An address beside an answer; the glue of referrals is no matter of taste."""
    key = difference.theirs
    return bool(key and key[1] in ("A", "AAAA") and not any(r.type == "NS" for r in case.ours.authority))


def wildcard_glue(case, difference):
    """An address that a wildcard makes, for a server that has none of its own."""
    key = difference.theirs
    return bool(key and any(r.type == "NS" for r in case.ours.authority) and not case.world.has_set(*key[:2]))


def glue_without_need(case, difference):
    """Glue that is not the delegation's own: it may be left out where it does not fit (RFC 9471 3.2), and theirs does
    not, because they compress less."""
    cuts = {r.key[0] for r in case.ours.authority if r.type == "NS"}
    return bool(difference.ours and cuts and not case.theirs.tc
                and len(case.theirs.octets) + RECORD_SIZE > case.question.size_max
                and all(difference.ours[0][-len(cut):] != cut for cut in cuts))


def checking_disabled(case, difference):
    """CD comes back as it was sent."""
    return difference.ours == bool(case.question.flags & 0x0010)


def extended_error(case, difference):
    """A DNAME makes too long a name: no Extended DNS Error says what the rcode says."""
    return (case.ours.rcode == "YXDOMAIN" and OPTION_EDE not in dict(case.ours.options())
            and same_but_for(difference, OPTION_EDE, wire.OPTION_ECS))


def unsupported(case, difference):
    """Another class is refused, and an Extended DNS Error says that it is not supported.  Knot says nothing; NSD says the
    same, but of QCLASS *, which it takes for IN."""
    return (case.question.rclass != CLASS_IN and case.ours.rcode == "REFUSED"
            and dict(case.ours.options()).get(OPTION_EDE) == NOT_SUPPORTED
            and same_but_for(difference, OPTION_EDE, wire.OPTION_ECS))


def client_subnet(case, difference):
    """The client subnet comes back, with scope 0: nothing in these zones is steered (RFC 7871 7.2.1)."""
    sent = [data for code, data in case.question.options if code == wire.OPTION_ECS]
    return bool(sent) and same_but_for(difference, wire.OPTION_ECS) and sent == [
        data for code, data in case.ours.options() if code == wire.OPTION_ECS]


def bad_version(case, difference):
    """DO comes back in a BADVERS as in every other response (RFC 3225 3)."""
    return case.ours.rcode == "BADVERS" and difference.ours == (difference.theirs[0] | 0x8000, *difference.theirs[1:])


def class_any(case, _difference):
    """QCLASS * is refused like every class but IN; they answer it from IN."""
    return case.question.rclass == CLASS_ANY and case.ours.rcode == "REFUSED" and not case.ours.authority


def said_once(_case, difference):
    """An alias that leads to itself is one record."""
    return difference.ours


def same_but_for(difference, *codes):
    """Whether two OPT records tell the same apart from some options."""
    ours, theirs = difference.ours, difference.theirs
    return bool(ours and theirs and ours[:2] == theirs[:2]
                and [o for o in ours[2] if o[0] not in codes] == [o for o in theirs[2] if o[0] not in codes])


def one_set(case, _difference):
    """ANY: one whole set of the name (RFC 8482 4.1), or one that leads on; they chose another, or all."""
    sets = {(r.key[0], r.key[1]) for r in case.ours.answer}
    return (case.question.rtype == ANY and len(sets) == 1
            and case.world.set_at(case.question.name, sets.pop()[1]) == {r.key[3:] for r in case.ours.answer})


def truncated(case, _difference):
    """TC and nothing else, where the whole would not fit; they send what fits, with TC or (NSD, glue) without."""
    ours = case.ours
    return (ours.tc and not ours.answer + ours.authority + ours.additional and not case.question.is_tcp
            and (case.theirs.tc or is_referral(case.theirs)))


def cut_short(case, difference):
    """A link that does not fit is not followed; they tell the rcode of the name behind it, with TC too.  Or it is their
    link that does not fit, and we come to a name that does not exist, whose SOA has no room."""
    is_ours = bool(case.theirs.answer) and case.ours.rcode == "NOERROR"
    return truncated(case, difference) and case.theirs.tc and (is_ours or case.theirs.rcode == "NOERROR")


def over_size(case, difference):
    """NSD sends more than the client takes where it makes a CNAME of a DNAME."""
    return difference.ours and any(r.type == "TYPE39" for r in case.theirs.answer)


def links_alone(message):
    """The CNAMEs of a response that holds nothing else but the DNAMEs that some of them are made of; else none."""
    links = [r for r in message.answer if r.type == "CNAME"]
    is_chain = all(r.type in ("CNAME", "TYPE39") for r in message.answer) and not message.authority
    return links if is_chain else []


def long_chain(case, difference):
    """A chain that is longer than ours: five links, and what they have behind the fifth."""
    links = links_alone(case.ours)
    return (len(links) == LINKS_MAX and keys(links) <= keys(case.theirs.answer) and difference.theirs is not None)


def longer_than_theirs(case, difference):
    """Knot ends chains after five links."""
    links = links_alone(case.theirs)
    return len(links) == 5 and keys(links) < keys(case.ours.answer) and difference.ours is not None


def too_long(case, _difference):
    """A DNAME that makes too long a name: YXDOMAIN (RFC 6672 3.2), which is NXDOMAIN to Knot."""
    return (case.ours.rcode == "YXDOMAIN" and case.theirs.rcode == "NXDOMAIN" and case.ours.answer[-1].type == "TYPE39"
            and keys(case.ours.answer) == keys(case.theirs.answer))


def leads_to_its_dname(message):
    """Whether a chain ends at a name below a DNAME that it came by."""
    links = links_alone(message)
    dnames = {r.key[0] for r in message.answer if r.type == "TYPE39"}
    target = lower(links[-1].data[0]) if links else ()
    return any(target[depth:] in dnames for depth in range(1, len(target)))


def used_twice(case, difference):
    """NSD ends a chain where it comes to a DNAME for the second time."""
    return (difference.ours is not None and leads_to_its_dname(case.theirs)
            and keys(links_alone(case.theirs)) < keys(case.ours.answer))


def round_again(case, _difference):
    """Knot goes round a circle until it has five links, and says TC where a record has no room for a second time."""
    links = [r for r in case.ours.answer if r.type == "CNAME"]
    return (case.theirs.tc and bool(links) and keys(case.theirs.answer) == keys(case.ours.answer)
            and lower(links[-1].data[0]) in {r.key[0] for r in links})


def no_room_for_ours(case, _difference):
    """A chain that they end early, NSD at a DNAME for the second time, Knot after five links, fits into a packet; our
    five links do not, and TC says so."""
    ours, links = case.ours, links_alone(case.theirs)
    return (ours.tc and not ours.answer + ours.authority + ours.additional and not case.question.is_tcp
            and (leads_to_its_dname(case.theirs) if case.peer == "NSD" else len(links) == 5))


def no_room_for_theirs(case, _difference):
    """A chain of DNAMEs that has no room in theirs, TC or not all of it, though it has in ours, in as few octets as the
    client takes: each name that it makes leads on with a pointer."""
    ours, theirs = case.ours, case.theirs
    return (theirs.tc and not ours.tc and not case.question.is_tcp and any(r.type == "TYPE39" for r in ours.answer)
            and keys(theirs.answer) <= keys(ours.answer) and keys(theirs.authority) <= keys(ours.authority))


def leaves_the_zone(case, _difference):
    """A chain into another zone, which Knot does not enter; NSD does, so that our answer is compared all the same.
    A name of the other zone that the file of the first one holds as well is what Knot takes for the answer."""
    zone = case.world.zone_of(case.question.name, case.question.rtype)
    targets = [r.data[0] for r in case.ours.answer if r.type == "CNAME"]
    return (any(case.world.zone_of(target, case.question.rtype) != zone for target in targets)
            and (keys(case.theirs.answer) <= keys(case.ours.answer) or is_messy(case)))


def is_messy(case, _difference=None):
    """In zones whose parents hold names that are theirs, NSD takes those for names of the child."""
    names = (case.question.name, case.ours.target, *(record.name for record in case.ours.answer))
    return any(b"messy" in lower(name) for name in names)


def undelegated(case, _difference):
    """DS of a zone that no hosted zone delegates: we say that it has none.  Its parent zone is elsewhere, and that is
    the rule then (RFC 4035 3.1.4.1); or it is a hosted one, which would say that the zone does not exist."""
    target = lower(case.ours.target)
    return (case.question.rtype == DS and target in case.world.zones and not case.world.is_delegated(target)
            and [(r.type, r.key[0]) for r in case.ours.authority] == [("SOA", target)])


def not_followed(case, _difference):
    """A type that may stand beside a CNAME: they say that it does not, we say what the name is an alias of.  That name
    may be one that an alias led to."""
    links = [r for r in case.ours.answer if r.type in ("CNAME", "TYPE39")]
    return (case.question.rtype in (RRSIG, NSEC, NSEC3) and keys(case.theirs.answer) < keys(links))


RULES = [
    (ALL, ("additional",), "minimal: no addresses of names in answers", addresses),
    (("NSD",), ("authority",), "minimal: no NS set of the zone beside answers", apex_servers),
    (ALL, ("additional",), "referral: no address that a wildcard makes", wildcard_glue),
    (ALL, ("additional",), "referral: sibling glue that has no room in theirs", glue_without_need),
    (ALL, ("cd",), "CD is copied (RFC 4035 3; 3.1.6 would have it cleared)", checking_disabled),
    (ALL, ("aa", "tc", "rcode", *SECTIONS), "QCLASS *: refused, as every class but IN", class_any),
    (ALL, ("edns",), "the client subnet is answered (RFC 7871)", client_subnet),
    (("NSD",), ("edns",), "BADVERS: DO is copied (RFC 3225 3)", bad_version),
    (ALL, ("edns",), "YXDOMAIN: no Extended DNS Error (RFC 8914)", extended_error),
    (ALL, ("edns",), "another class: it is not supported (RFC 8914 4.22)", unsupported),
    (ALL, ("tc", *SECTIONS), "truncated: TC and nothing else", truncated),
    (ALL, ("rcode",), "truncated: a link that does not fit is not followed", cut_short),
    (("NSD",), ("size",), "NSD sends more than the client takes beside a DNAME", over_size),
    (ALL, ("answer",), "ANY: one set, and another one (RFC 8482 4.1)", one_set),
    (ALL, ("once",), "no record twice, even where an alias leads to itself", said_once),
    (("Knot",), ("rcode", *SECTIONS), "Knot follows no CNAME into another zone", leaves_the_zone),
    (ALL, ("aa", "rcode", *SECTIONS), "DS of a zone that nothing here delegates: no data", undelegated),
    (("NSD",), ("aa", "rcode", *SECTIONS), "NSD mixes the names of a zone and of one below it", is_messy),
    (ALL, ("rcode", *SECTIONS), "a chain of CNAMEs goes on behind five links", long_chain),
    (("Knot",), ("rcode", *SECTIONS), "Knot ends a chain of CNAMEs after five links", longer_than_theirs),
    (("Knot",), ("rcode", "authority"), "Knot has no YXDOMAIN where a DNAME makes too long a name", too_long),
    (("NSD",), ("rcode", *SECTIONS), "NSD ends a chain where a DNAME would serve twice", used_twice),
    (("Knot",), ("tc",), "Knot goes round a circle until there is no room", round_again),
    (ALL, ("tc", *SECTIONS), "a chain that they end early fits into a packet", no_room_for_ours),
    (ALL, ("tc", "rcode", *SECTIONS), "a chain of DNAMEs has no room in theirs", no_room_for_theirs),
    (ALL, ("rcode", *SECTIONS), "RRSIG, NSEC, NSEC3: an alias is followed (RFC 1034 4.3.2)", not_followed),
]


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
