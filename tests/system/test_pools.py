# SPDX-License-Identifier: Apache-2.0
"""Pools: each method, nested, for each family, and what is answered when nobody is up."""

import collections
import math

import wire
from harness import Skipped, equal, true, wait_until
from world import AMERICA, ASIA, EUROPE, SITES, SOUTH, four_backends, geography, nearest_pool, zone_head

NAME = "dl.files.example"


def serve(bench, pools, monitor=None, **settings):
    """dl.files.example steered by the pool `downloads`; 192.0.2.10 is its own record."""
    bench.zone("files.example", zone_head("files.example")
               + "dl 30 A 192.0.2.10\ndl 30 AAAA 2001:db8::10\n_steer.dl 30 TXT \"pool=downloads\"\n")
    if monitor:
        settings["monitors"] = {"edge": monitor}
    bench.config(geo=geography(bench), sites=SITES, pools=pools, **settings)
    return bench.steerd()


def plain(addresses, **changes):
    """Members m1, m2, ... with these addresses."""
    return {**changes, "members": {f"m{n}": {"address": [a]} for n, a in enumerate(addresses, 1)}}


def shares(server, queries, rtype="A"):
    """How often each address was answered."""
    counts = collections.Counter()
    for ident in range(queries):
        counts.update(server.ask(wire.query(NAME, rtype, ident=ident)).addresses)
    return counts


def within_chance(got, queries, share, about):
    """Fails outside five standard deviations of a binomial distribution: once in two million runs by chance."""
    spread = 5 * math.sqrt(queries * share * (1 - share))
    true(abs(got - queries * share) <= spread + 1,
         f"{about}: {got} of {queries}, expected {queries * share:.0f} ± {spread:.0f}")


def test_weighted(bench):
    """Weights are shares: 2,000 queries, each member within chance of its own; weight 0 is never answered"""
    server = serve(bench, {"downloads": {"method": "weighted", "members": {
        "a": {"address": ["203.0.113.1"], "weight": 50}, "b": {"address": ["203.0.113.2"], "weight": 30},
        "c": {"address": ["203.0.113.3"], "weight": 20}, "d": {"address": ["203.0.113.4"], "weight": 0}}}})
    counts = shares(server, 2000)
    for last, share in (("1", 0.5), ("2", 0.3), ("3", 0.2)):
        within_chance(counts[f"203.0.113.{last}"], 2000, share, f"member {last}")
    equal(counts["203.0.113.4"], 0, "weight 0")


def test_weighted_answers(bench):
    """With `answers: 2` each query gets two different members, each in proportion"""
    server = serve(bench, {"downloads": {"method": "weighted", "answers": 2, "members": {
        "a": {"address": ["203.0.113.1"], "weight": 2}, "b": {"address": ["203.0.113.2"], "weight": 1},
        "c": {"address": ["203.0.113.3"], "weight": 1}}}})
    for _ in range(50):
        equal(len(set(server.addresses(NAME))), 2)
    counts = shares(server, 2000)
    for last, share in (("1", 1.0), ("2", 0.5), ("3", 0.5)):
        within_chance(counts[f"203.0.113.{last}"], 2000, share, f"member {last}")


def test_all(bench):
    """`all` answers every member, `answers: N` limits it"""
    addresses = [f"203.0.113.{n}" for n in range(1, 9)]
    server = serve(bench, {"downloads": plain(addresses, method="all")})
    equal(server.addresses(NAME), addresses)
    equal(server.dig(NAME).data, addresses)
    bench.config(pools={"downloads": plain(addresses, method="all", answers=3)}, geo=geography(bench))
    server.reload()
    equal(len(set(server.addresses(NAME))), 3)


def test_member_addresses(bench):
    """A member with several addresses answers them; A and AAAA are apart"""
    server = serve(bench, {"downloads": {"method": "all", "members": {
        "a": {"address": ["203.0.113.1", "203.0.113.2", "2001:db8:1::1"]}, "b": {"address": ["2001:db8:1::2"]}}}})
    equal(server.addresses(NAME), ["203.0.113.1", "203.0.113.2"])
    equal(server.addresses(NAME, rtype="AAAA"), ["2001:db8:1::1", "2001:db8:1::2"])


def test_no_member_of_a_family(bench):
    """A family without members gives NODATA with the SOA, even where the zone has such a record"""
    server = serve(bench, {"downloads": plain(["203.0.113.1"], method="all")})
    reply = server.query(NAME, "AAAA")
    equal((reply.rcode, reply.answer, [r.type for r in reply.authority]), ("NOERROR", [], ["SOA"]))
    equal(server.dig(NAME, "AAAA").status, "NOERROR")


def test_failover(bench):
    """failover answers the first member that is up, and returns to it"""
    backends = [bench.backend(n) for n in (1, 2, 3)]
    pool = plain([bench.address(n) for n in (1, 2, 3)], method="failover", monitor="edge")
    server = serve(bench, {"downloads": pool}, bench.monitor())
    for down, number in ((None, 1), (0, 2), (1, 3)):
        if down is not None:
            backends[down].stop()
        wait_until(lambda want=number: server.all_addresses(NAME, times=5) == [bench.address(want)], 15,
                   f"member {number} is answered")
    backends[0].start()
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 15, "the first one is back")


def test_nearest_moves_on(bench):
    """nearest goes to the next site when the nearest is lost, for each client its own next"""
    backends = four_backends(bench)
    server = serve(bench, {"downloads": nearest_pool(bench, monitor="edge")}, bench.monitor())
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 15, "Europe goes to America")
    backends[1].stop()
    wait_until(lambda: server.addresses(NAME, AMERICA) == [bench.address(4)], 15, "America goes south")
    equal(server.addresses(NAME, ASIA), [bench.address(3)], "Asia stays")
    equal(server.addresses(NAME, SOUTH), [bench.address(4)], "the south stays")


def test_nearest_fills_up(bench):
    """nearest with `answers: 2` fills up from the next site; several members of a site share it"""
    members = nearest_pool(bench)["members"]
    members["fra-2"] = {"site": "fra", "address": [bench.address(11)]}
    server = serve(bench, {"downloads": {"method": "nearest", "answers": 2, "members": members}})
    equal(server.addresses(NAME, EUROPE), [bench.address(1), bench.address(11)])
    for _ in range(20):
        true(bench.address(3) in server.addresses(NAME, ASIA), "the nearest is always among the two")
        equal(len(server.addresses(NAME, ASIA)), 2)
    one = {"method": "nearest", "members": members}
    bench.config(geo=geography(bench), sites=SITES, pools={"downloads": one})
    server.reload()
    equal(server.all_addresses(NAME, EUROPE), [bench.address(1), bench.address(11)], "one of the site's two each time")
    equal(len(server.addresses(NAME, EUROPE)), 1)


def test_nested(bench):
    """Pools in pools: nearest over regions, each failing over from a weighted CDN to its origin"""
    backends = {n: bench.backend(n) for n in (1, 2, 3, 4, 5)}
    pools = {
        "downloads": {"method": "nearest", "members": {
            "europe": {"site": "fra", "pool": "europe"}, "america": {"site": "iad", "pool": "america"}}},
        "europe": {"method": "failover", "members": {"cdn": {"pool": "europe-cdn"}, "origin": {"pool": "origin"}}},
        "europe-cdn": {"method": "weighted", "monitor": "edge", "members": {
            "a": {"address": [bench.address(1)], "weight": 3}, "b": {"address": [bench.address(2)], "weight": 1}}},
        "origin": plain([bench.address(3)], method="all", monitor="edge"),
        "america": plain([bench.address(4), bench.address(5)], method="failover", monitor="edge"),
    }
    server = serve(bench, pools, bench.monitor())
    equal(server.all_addresses(NAME, EUROPE), [bench.address(1), bench.address(2)])
    equal(server.addresses(NAME, AMERICA), [bench.address(4)])
    backends[1].stop()
    wait_until(lambda: server.all_addresses(NAME, EUROPE, times=20) == [bench.address(2)], 15, "the CDN's other half")
    backends[2].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(3)], 15, "the origin")
    backends[3].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(4)], 15, "the other region")
    equal(server.addresses(NAME, AMERICA), [bench.address(4)])
    for backend in backends.values():
        if backend.is_stopped():
            backend.start()
    wait_until(lambda: server.all_addresses(NAME, EUROPE, times=50) == [bench.address(1), bench.address(2)], 15,
               "all as before")


def test_shares_are_explained(bench):
    """explain's shares are what 2,000 queries get, for both families, in a tree of weighted pools"""
    def weighted(first, weights, **members):
        numbers = enumerate(weights, first)
        ends = {f"m{n}": {"address": [f"203.0.113.{n}", f"2001:db8::{n}"], "weight": w} for n, w in numbers}
        return {"method": "weighted", "members": {**ends, **members}}

    pools = {
        "downloads": {**weighted(1, [4], east={"pool": "east", "weight": 3}, west={"pool": "west", "weight": 1}),
                      "answers": 1},
        "east": weighted(11, [1, 2, 3]),
        "west": {**weighted(21, [5, 1]), "answers": 2},
    }
    server = serve(bench, pools)
    for rtype in ("A", "AAAA"):
        told = server.ctl("explain", NAME, rtype, "--client", "2.0.5.0/24", "--json").json()
        expected = collections.Counter()
        for one in told["answers"]:
            for address in one["addresses"]:
                expected[address] += one["share"]
        equal(len(expected), 6, f"addresses that may be answered: {expected}")
        counts = shares(server, 2000, rtype)
        equal(set(counts) - set(expected), set(), "addresses that explain does not know")
        for address, share in expected.items():
            within_chance(counts[address], 2000, share, f"{address}, {share:.3f} by explain")
        equal({c["address"]: round(c["share"], 6) for c in told["candidates"]},
              {address: round(share, 6) for address, share in expected.items()}, "the shares of candidates")
        within_chance(counts["203.0.113.1" if rtype == "A" else "2001:db8::1"], 2000, 0.5, "weight 4 of 8")


def test_last_backend_serve_all(bench):
    """The last backend lost: serve-all answers as if all were up, never empty, never SERVFAIL"""
    backends = [bench.backend(n) for n in (1, 2)]
    addresses = [bench.address(n) for n in (1, 2)]
    server = serve(bench, {"downloads": plain(addresses, method="all", monitor="edge")}, bench.monitor())
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME) == addresses[1:], 15, "the first one leaves")
    backends[1].stop()
    wait_until(lambda: server.addresses(NAME) == addresses, 15, "both are answered again")
    pool = server.status()["pools"][0]
    equal((pool["state"], pool["usable"]), ("down", 0))
    backends[1].start()
    wait_until(lambda: server.addresses(NAME) == addresses[1:], 15, "only the one that is up")


def test_last_backend_fallback(bench):
    """The last backend lost: fallback answers the name's own records in the zone"""
    backend = bench.backend(1)
    pool = plain([bench.address(1)], method="all", monitor="edge")
    pool["when-all-down"] = "fallback"
    server = serve(bench, {"downloads": pool}, bench.monitor())
    equal(server.addresses(NAME), [bench.address(1)])
    backend.stop()
    wait_until(lambda: server.addresses(NAME) == ["192.0.2.10"], 15, "the zone's own record")
    backend.start()
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 15, "the backend is back")


def codes(server):
    """Each address of dl and why it is, or is not, answered."""
    told = server.ctl("explain", NAME, "--client", "2.0.5.0/24", "--json").json()
    return {one["address"]: one["code"] for one in told["candidates"]}


def test_last_backend_last_good(bench):
    """The last backend lost: last-good answers those that were up together last, not one that was down before"""
    backends = [bench.backend(n) for n in (1, 2, 3)]
    first, second, third = (bench.address(n) for n in (1, 2, 3))
    pool = plain([first, second, third], **{
        "method": "all", "monitor": "edge", "max-loss": "100%", "panic-below": "60%", "when-all-down": "last-good"})
    server = serve(bench, {"downloads": pool}, bench.monitor())
    backends[2].stop()
    wait_until(lambda: server.addresses(NAME) == [first, second], 15, "the third leaves")
    backends[0].stop()
    backends[1].stop()
    wait_until(lambda: codes(server) == {first: "last-usable", second: "last-usable", third: "health-down"}, 20,
               "all are down")
    equal(server.addresses(NAME), [first, second])
    equal(server.dig(NAME).data, [first, second])


def test_last_backend_fenced(bench):
    """A fenced pool that lost all of its backends answers with them; nothing outside it is used, until it is drained"""
    backends = [bench.backend(n) for n in (1, 2)]
    inside, outside = [bench.address(1), bench.address(2)], bench.address(3)
    pools = {
        "downloads": {"method": "failover", "answers": 2, "max-loss": "100%", "members": {
            "inside": {"pool": "inside"}, "outside": {"pool": "outside"}}},
        "inside": plain(inside, **{
            "method": "all", "monitor": "edge", "max-loss": "100%", "when-all-down": "fenced"}),
        "outside": plain([outside], method="all"),
    }
    server = serve(bench, pools, bench.monitor())
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME) == inside[1:], 15, "one is left inside")
    backends[1].stop()
    wait_until(lambda: codes(server)[inside[1]] == "last-resort", 20, "nothing is up inside")
    equal(server.all_addresses(NAME, times=20), inside)
    server.ctl("drain", "downloads/inside")
    equal(server.addresses(NAME), [outside], "an operator opens the fence")
    server.ctl("undrain", "downloads/inside")
    equal(server.all_addresses(NAME, times=20), inside)


def test_panic(bench):
    """With less capacity than panic-below a pool counts as failed: another takes over; with none left, all answer"""
    backends = [bench.backend(n) for n in (1, 2, 3, 4)]
    addresses = [bench.address(n) for n in (1, 2, 3, 4)]
    shape = {"monitor": "edge", "max-loss": "100%", "panic-below": "60%"}
    pools = {
        "downloads": {"method": "failover", "answers": 4, "max-loss": "100%", "members": {
            "cdn": {"pool": "cdn"}, "origin": {"pool": "origin"}}},
        "cdn": plain(addresses[:3], method="all", **shape),
        "origin": plain(addresses[3:], method="all", **shape),
    }
    server = serve(bench, pools, bench.monitor())
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME) == addresses[1:3], 15, "two thirds are enough")
    backends[1].stop()
    wait_until(lambda: server.addresses(NAME) == addresses[3:], 20, "a third is not: the origin takes over")
    equal(codes(server), dict(zip(addresses, ["health-down", "health-down", "pool-failed", "kept"])))
    backends[3].stop()
    wait_until(lambda: server.addresses(NAME) == addresses[:3], 20, "the origin is lost as well: all of the first")
    equal(codes(server), dict(zip(addresses, ["panic", "panic", "kept", "lower-priority"])))


def test_degraded_share(bench):
    """A degraded address has exactly its part of its share, and the others take over the rest: 2,000 queries"""
    bench.backend(1, certificate="ends-in-10-days")
    bench.backend(2)
    strict = bench.monitor(**{"certificate-days": {"degrade": 20}})
    pool = {"method": "weighted", "monitor": "edge", "degraded-share": "25%", "members": {
        "degraded": {"address": [bench.address(1)], "monitor": "strict"}, "well": {"address": [bench.address(2)]}}}
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(geo=geography(bench), sites=SITES, pools={"downloads": pool},
                 monitors={"edge": bench.monitor(), "strict": strict})
    server = bench.steerd()
    wait_until(lambda: codes(server) == {bench.address(1): "degraded", bench.address(2): "kept"}, 15, "it is degraded")
    counts = shares(server, 2000)
    within_chance(counts[bench.address(1)], 2000, 0.125, "a quarter of a half")
    within_chance(counts[bench.address(2)], 2000, 0.875, "the rest")
    told = server.ctl("explain", NAME, "--client", "2.0.5.0/24").out
    true("kept: it is degraded (25 % of its usual share)" in told, told)


def test_families_are_judged_apart(bench):
    """A and AAAA of one member are judged apart: what is down is the address"""
    bench.backend(1)
    try:
        six = bench.backend("::1")
    except OSError:
        raise Skipped("no IPv6 on this machine") from None
    pool = {"method": "failover", "monitor": "edge", "members": {
        "first": {"address": [bench.address(1), "::1"]}, "second": {"address": [bench.address(2), "2001:db8::2"]}}}
    bench.backend(2)
    server = serve(bench, {"downloads": pool}, bench.monitor())
    equal((server.addresses(NAME), server.addresses(NAME, rtype="AAAA")), ([bench.address(1)], ["::1"]))
    six.stop()

    def member():
        return server.status()["pools"][0]["members"][0]

    wait_until(lambda: {a["address"]: a["state"] for a in member()["addresses"]}["::1"] == "down", 15, "::1 is down")
    equal(member()["state"], "partly")
    equal(server.addresses(NAME), [bench.address(1)], "IPv4 stays")


def test_pool_mistakes(bench):
    """Loops, unknown keys, a member without a site, an address twice: each named with line and column"""
    head = 'listen: ["127.0.0.1:0"]\nsites:\n  fra: {at: [50, 8]}\npools:\n'
    cases = {
        "a loop": ("  a: {method: all, members: {x: {pool: b}}}\n  b: {method: all, members: {y: {pool: a}}}\n", None),
        "itself": ("  a: {method: all, members: {x: {pool: a}}}\n", 5),
        "an unknown key": ("  a: {method: all, membres: {x: {address: 192.0.2.1}}}\n", 5),
        "an unknown method": ("  a: {method: nearset, members: {x: {address: 192.0.2.1}}}\n", 5),
        "no site": ("  a: {method: nearest, members: {x: {address: 192.0.2.1}}}\n", 5),
        "an unknown site": ("  a: {method: nearest, members: {x: {site: far, address: 192.0.2.1}}}\n", 5),
        "twice": ("  a: {method: all, members: {x: {address: 192.0.2.1}, y: {address: 192.0.2.1}}}\n", 5),
        "no address": ("  a: {method: all, members: {x: {weight: 1}}}\n", 5),
        "two of three": ("  a: {method: all, members: {x: {address: 192.0.2.1, host: a.example}}}\n", 5),
        "a weight": ("  a: {method: weighted, members: {x: {address: 192.0.2.1, weight: -1}}}\n", 5),
        "an unknown monitor": ("  a: {method: all, monitor: none, members: {x: {address: 192.0.2.1}}}\n", 5),
        "a bad address": ("  a: {method: all, members: {x: {address: 192.0.2}}}\n", 5),
    }
    bench.config()
    for about, (text, line) in cases.items():
        path = bench.write("steerd.yaml", head + text)
        ran = bench.run("steerd", "--check", "-c", path)
        equal(ran.code, 1, f"{about}: {ran.all}")
        where = f"steerd.yaml:{line}:" if line else "steerd.yaml:"
        true(any(where in one for one in ran.all.splitlines()), f"{about}: no line with {where} in:\n{ran.all}")
