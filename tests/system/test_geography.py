# SPDX-License-Identifier: Apache-2.0
"""Geography: where a client is, what is near to it, and for how large a network that holds."""

import ipaddress
import random

import mmdb
import wire
from harness import contains, equal, true
from world import (AMERICA, AMERICA6, ASIA, ASIA6, EUROPE, EUROPE6, NOWHERE, PLACES, SITES, SOUTH, city_database,
                   nearest_pool, steered_world, zone_head)

NAME = "dl.files.example"


def scope(server, subnet, name=NAME, rtype="A"):
    """The scope that comes back for a subnet; the rest of the option must be as sent (RFC 7871 7.2.1, 11.2)."""
    reply = server.ask(wire.ecs_query(name, rtype, subnet))
    sent = wire.ecs_option(subnet)[1]
    family, source, got, octets = reply.ecs()
    equal((family, source, octets), (int.from_bytes(sent[:2], "big"), sent[2], sent[4:]), f"the echo of {subnet}")
    return got


def nearest(bench, server, clients):
    """Checks {subnet: last octet of the member's address}."""
    for subnet, number in clients.items():
        equal(server.addresses(NAME, subnet), [bench.address(number)], subnet)


def test_nearest(bench):
    """Each client gets the nearest of four sites, whichever resolver asks"""
    steered_world(bench)
    server = bench.steerd()
    nearest(bench, server, {EUROPE: 1, AMERICA: 2, ASIA: 3, SOUTH: 4})
    equal(server.dig(f"+subnet={ASIA}", NAME).data, [bench.address(3)])
    equal(server.ask_tcp(wire.ecs_query(NAME, "A", SOUTH)).addresses, [bench.address(4)], "over TCP")


def test_nearest_ipv6_clients(bench):
    """IPv6 clients have places, too; IPv4 inside IPv6 is looked up as IPv4"""
    steered_world(bench)
    server = bench.steerd()
    nearest(bench, server, {EUROPE6: 1, AMERICA6: 2, ASIA6: 3, "2002:0300:0500::/56": 2, "64:ff9b::400:500/128": 3})


def test_unknown_place(bench):
    """A place that is unknown, and a private one, get the configured order"""
    steered_world(bench)
    server = bench.steerd()
    nearest(bench, server, {
        NOWHERE: 1, "10.1.2.0/24": 1, "192.168.7.0/24": 1, "127.0.0.0/24": 1, "100.64.1.0/24": 1,
        "fd00:1234::/48": 1, "2001:db8::/48": 1})
    equal(server.addresses(NAME), [bench.address(1)], "no subnet: the resolver's own address counts")


def test_default_order_is_configured(bench):
    """The configured order is the order of the members, not of the sites"""
    members = nearest_pool(bench)["members"]
    turned = dict(reversed(members.items()))
    steered_world(bench, pools={"downloads": {"method": "nearest", "members": turned}})
    nearest(bench, bench.steerd(), {NOWHERE: 4, EUROPE: 1})


def test_networks_file(bench):
    """networks.csv overrides databases: by site, by position, the longest prefix first, private ones too"""
    bench.write("networks.csv", """\
# office networks
2.0.5.0/24,sin
10.1.0.0/16,gru
10.1.2.0/24,38.9,-77.0
2a00:1000:5::/48,iad
""")
    steered_world(bench)
    bench.config(geo={"city": "city.mmdb", "networks": "networks.csv"}, sites=SITES,
                 pools={"downloads": nearest_pool(bench)})
    server = bench.steerd()
    nearest(bench, server, {
        EUROPE: 3, "2.0.6.0/24": 1, "10.1.1.0/24": 4, "10.1.2.0/24": 2, "10.2.0.0/24": 1, EUROPE6: 2,
        "2a00:1000:6::/56": 1})


def test_networks_file_mistakes(bench):
    """A mistake in networks.csv is named with its line and refuses the whole"""
    steered_world(bench)
    bench.config(geo={"city": "city.mmdb", "networks": "networks.csv"}, sites=SITES,
                 pools={"downloads": nearest_pool(bench)})
    bench.write("networks.csv", "2.0.5.0/24,sin\n2.0.6.0/33,fra\n2.0.7.0/24,nowhere\n2.0.8.0/24,91,0\nx\n")
    ran = bench.run("steerd", "--check", "-c", bench.path("steerd.yaml"))
    equal(ran.code, 1)
    for line in (2, 3, 4, 5):
        contains(ran.all, f"networks.csv:{line}")


def test_schemas(bench):
    """Both schemas, nested doubles and flat floats, and every record size give the same places"""
    steered_world(bench)
    for form in (mmdb.nested, mmdb.flat):
        for size in (24, 28, 32):
            database = mmdb.write({prefix: form(*place) for prefix, place in PLACES.items()}, record_size=size)
            bench.write("city.mmdb", database)
            server = bench.steerd()
            nearest(bench, server, {EUROPE: 1, AMERICA: 2, ASIA: 3, SOUTH: 4, EUROPE6: 1, ASIA6: 3})
            server.stop()


def test_several_databases(bench):
    """One file for IPv4 and one for IPv6 are one source"""
    steered_world(bench)
    four = {prefix: mmdb.flat(*place) for prefix, place in PLACES.items() if ":" not in prefix}
    six = {prefix: mmdb.flat(*place) for prefix, place in PLACES.items() if ":" in prefix}
    bench.write("four.mmdb", mmdb.write(four, version=4, database_type="city ipv4"))
    bench.write("six.mmdb", mmdb.write(six, version=6, database_type="city ipv6"))
    bench.config(geo={"city": ["four.mmdb", "six.mmdb"]}, sites=SITES, pools={"downloads": nearest_pool(bench)})
    nearest(bench, bench.steerd(), {EUROPE: 1, AMERICA: 2, ASIA: 3, EUROPE6: 1, AMERICA6: 2, ASIA6: 3})


def test_default_database(bench):
    """The database that ships knows Germany, the USA and Singapore without any download"""
    steered_world(bench)
    bench.config(sites=SITES, pools={"downloads": nearest_pool(bench)})
    server = bench.steerd()
    nearest(bench, server, {
        "46.4.0.0/24": 1,  # Hetzner, Falkenstein
        "141.24.0.0/24": 1,  # a university in Thuringia
        "73.31.0.0/24": 2,  # Comcast, Virginia
        "128.8.0.0/24": 2,  # University of Maryland
        "165.21.0.0/24": 3,  # SingNet
        "137.132.0.0/24": 3,  # National University of Singapore
        "143.107.0.0/24": 4,  # University of Sao Paulo
    })


def test_scope_of_steered_answers(bench):
    """A steered answer's scope says how far it holds, and is never finer than asked by more than it must"""
    steered_world(bench)
    server = bench.steerd()
    for subnet in (EUROPE, AMERICA, ASIA, SOUTH):
        true(1 <= scope(server, subnet) <= 24, f"scope of {subnet}")
    true(1 <= scope(server, EUROPE6, rtype="A") <= 56, "scope for an IPv6 client")
    equal(scope(server, "0.0.0.0/0"), 0, "who opts out gets scope 0 (RFC 7871 7.1.2)")
    equal(scope(server, "::/0"), 0)
    equal(server.query(NAME).ecs(), None, "no option in, none out")
    equal(server.query(NAME, edns=wire.opt_record()).ecs(), None, "no option in, none out, with EDNS")


def test_scope_zero_elsewhere(bench):
    """Static and negative answers of the same zone have scope 0 (RFC 7871 7.2.1, 7.4)"""
    steered_world(bench)
    server = bench.steerd()
    for name, rtype in (("www.files.example", "A"), ("none.files.example", "A"), (NAME, "MX"), (NAME, "AAAA"),
                        ("www.far.example", "A")):
        equal(scope(server, EUROPE, name, rtype), 0, f"{name} {rtype}")


def test_scope_without_geography(bench):
    """A pool that never looks at the client has scope 0"""
    bench.zone("files.example", zone_head("files.example") + "_steer.dl TXT \"pool=plain\"\n")
    bench.config(pools={"plain": {"method": "weighted", "members": {"a": {"address": ["203.0.113.1"]}}}})
    server = bench.steerd()
    equal(scope(server, EUROPE), 0)
    equal(scope(server, EUROPE6), 0)


def test_scope_is_sound(bench):
    """RFC 7871 7.2.1 on the wire: every client in an answer's scope gets the same answer and the same scope"""
    places = dict(PLACES)
    generator = random.Random(7871)
    spots = list(PLACES.values())
    for _ in range(300):
        length = generator.randrange(9, 25)
        network = ipaddress.ip_network((generator.randrange(1 << 24, 200 << 24), length), strict=False)
        if not any(network.overlaps(ipaddress.ip_network(p)) for p in places if ":" not in p):
            places[str(network)] = generator.choice(spots)
    steered_world(bench)
    bench.write("city.mmdb", city_database(places=places))
    server = bench.steerd()
    for _ in range(500):
        prefix = generator.choice(list(places))
        if ":" in prefix:
            continue
        start = int(ipaddress.ip_network(prefix).network_address)
        edge = max(0, start + generator.choice([-256, 0, 256, generator.randrange(1 << 16)]))
        check_scope(server, ipaddress.ip_network((edge & 0xFFFFFF00, 24)), generator)


def check_scope(server, subnet, generator):
    """One answer, then others within its scope."""
    answer, length = server.addresses(NAME, str(subnet)), scope(server, str(subnet))
    if length > 24:
        return
    block = subnet.supernet(new_prefix=length)
    for _ in range(3):
        inside = int(block.network_address) + (generator.randrange(block.num_addresses) & ~0xFF)
        other = str(ipaddress.ip_network((inside, 24)))
        equal(server.addresses(NAME, other), answer, f"{other} is in {block}, the scope of {subnet}")
        equal(scope(server, other), length, f"the scope of {other}, in {block}")


def test_explain_place(bench):
    """explain says where a client is believed to be, which file says so, and how far each site is"""
    steered_world(bench)
    server = bench.steerd()
    told = server.ctl("explain", NAME, "--client", "2.0.5.9", "--json").json()
    place = told["place"]
    true(place["known"], "the place is known")
    equal((round(place["latitude"]), round(place["longitude"])), (53, 13))
    contains(place["source"], "city.mmdb")
    distances = {c["site"]: c["distance_km"] for c in told["candidates"]}
    true(400 < distances["fra"] < 440, f"Berlin to Frankfurt: {distances['fra']} km")
    true(distances["fra"] < distances["iad"] < distances["gru"], f"the order of distances: {distances}")
    equal(server.ctl("explain", NAME, "--client", "9.0.5.9", "--json").json()["place"]["known"], False)
