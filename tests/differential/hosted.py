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

    def zone_of(self, name):
        """The apex of the hosted zone that a name lies in, or None."""
        name = lower(name)
        for depth in range(len(name) + 1):
            if name[depth:] in self.zones:
                return name[depth:]
        return None
