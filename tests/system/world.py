# SPDX-License-Identifier: Apache-2.0
"""The world that many tests share: four sites, a small city database, a zone with static and steered names."""

import mmdb

SITES = {
    "fra": {"at": [50.11, 8.68]},
    "iad": {"at": [38.95, -77.45]},
    "sin": {"at": [1.35, 103.99]},
    "gru": {"at": [-23.43, -46.47]},
}

PLACES = {
    "2.0.0.0/16": (52.52, 13.40, "DE", "Berlin"),
    "3.0.0.0/16": (40.71, -74.00, "US", "New York"),
    "4.0.0.0/16": (3.14, 101.69, "MY", "Kuala Lumpur"),
    "5.0.0.0/16": (-34.60, -58.38, "AR", "Buenos Aires"),
    "2a00:1000::/32": (48.85, 2.35, "FR", "Paris"),
    "2600:1000::/32": (41.88, -87.63, "US", "Chicago"),
    "2400:1000::/32": (35.68, 139.69, "JP", "Tokyo"),
}

# A client of each place, as a resolver would tell of it.
EUROPE, AMERICA, ASIA, SOUTH = "2.0.5.0/24", "3.0.5.0/24", "4.0.5.0/24", "5.0.5.0/24"
NOWHERE = "9.0.5.0/24"
EUROPE6, AMERICA6, ASIA6 = "2a00:1000:5::/56", "2600:1000:5::/56", "2400:1000:5::/56"

HEAD = """\
$ORIGIN {name}.
$TTL 3600
@  SOA ns1 hostmaster 2026112201 7200 900 1209600 60
@  NS  ns1
@  NS  ns2.elsewhere.example.
ns1  A     198.51.100.1
ns1  AAAA  2001:db8::53
"""


def zone_head(name):
    """SOA, NS and the name server's addresses: seven lines."""
    return HEAD.format(name=name)


def city_database(form=mmdb.nested, places=None):
    """PLACES as an .mmdb file of either schema."""
    return mmdb.write({prefix: form(*place) for prefix, place in (places or PLACES).items()})


def geography(bench):
    """Writes city.mmdb; the `geo` setting."""
    bench.write("city.mmdb", city_database())
    return {"city": "city.mmdb"}


def nearest_pool(bench, **changes):
    """One member at each site: .1 in fra, .2 in iad, .3 in sin, .4 in gru."""
    members = {
        f"{site}-1": {"site": site, "address": [bench.address(number)]}
        for number, site in enumerate(SITES, 1)}
    return {"method": "nearest", "members": members, **changes}


def steered_world(bench, monitor=None, pools=None, **settings):
    """files.example with `dl` steered by the pool `downloads`; with a monitor if one is given."""
    extra = {"monitor": "edge"} if monitor else {}
    bench.zone("files.example", zone_head("files.example") + """\
@    A   192.0.2.1
www  A   192.0.2.2
dl 30 A  192.0.2.10
_steer.dl 30 TXT "pool=downloads"
""")
    if monitor:
        settings["monitors"] = {"edge": monitor}
    bench.config(
        geo=geography(bench), sites=SITES, pools=pools or {"downloads": nearest_pool(bench, **extra)}, **settings)


def four_backends(bench, **options):
    """Backends for nearest_pool(), in its order."""
    return [bench.backend(number, **options) for number in range(1, 5)]
