# SPDX-License-Identifier: Apache-2.0
"""What the zones hold, as far as the reasons for differences need to know."""

from messages import lower


def labels(text):
    """A plain name as labels."""
    return tuple(label.encode() for label in text.split(".") if label)


class World:
    """All zones: `zones` maps the apex's labels to records."""

    def __init__(self, transfers):
        self.zones = {labels(zone): records for zone, records in transfers.items()}
        self.records = [record for records in self.zones.values() for record in records]
        self._sets = {}
        for record in (r for zone, records in self.zones.items() for r in records if self.zone_of(r.name) == zone):
            self._sets.setdefault(record.key[0], {}).setdefault(record.type, set()).add(record.key[3:])

    def has_set(self, name, rtype):
        """Whether a name itself has records of a type."""
        return rtype in self._sets.get(lower(name), ())

    def set_at(self, name, rtype):
        """TTL and data of a record set of a name or of the wildcard that makes it: the nearest above that has any."""
        name = lower(name)
        found = self._sets.get(name)
        for depth in range(1, len(name)):
            found = found or self._sets.get((b"*",) + name[depth:])
        return (found or {}).get(rtype)

    def is_delegated(self, apex):
        """Whether the zone above has an NS set for a zone, and none that hides it."""
        above = self.zone_of(apex, 43) or ()
        cuts = {r.key[0] for r in self.zones.get(above, ()) if r.type == "NS"}
        return apex in cuts and not any(apex[depth:] in cuts for depth in range(1, len(apex) - len(above)))

    def zone_of(self, name, rtype=None):
        """The apex of the hosted zone that answers for a name, or None; for a DS (RFC 4035 3.1.4.1), the parent's."""
        name = lower(name)
        for depth in range(1 if rtype == 43 else 0, len(name) + 1):
            if name[depth:] in self.zones:
                return name[depth:]
        return None
