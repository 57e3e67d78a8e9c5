# SPDX-License-Identifier: Apache-2.0
"""Address hints of HTTPS and SVCB records: what a client connects to without asking for A, so never anything else."""

import wire
from harness import contains, equal, true, wait_until
from world import AMERICA, EUROPE, SITES, geography, nearest_pool, zone_head

NAME = "dl.files.example"
STALE = "203.0.113.1"  # what the zone file says: for a plain secondary, never served here

ZONE = zone_head("files.example") + f"""\
dl 300 HTTPS 1 . alpn=h2,h3 ipv4hint={STALE} ipv6hint=2001:db8:bad::1
dl 300 HTTPS 2 . alpn=h2 port=8443 ipv4hint={STALE}
dl  40 A     192.0.2.10
_steer.dl 30 TXT "pool=downloads"
alias  CNAME dl
*.s    HTTPS 1 . ipv4hint={STALE}
_steer.*.s 20 TXT "pool=downloads"
cdn    HTTPS 1 cdn.elsewhere.example. alpn=h2 ipv4hint=198.51.100.7
"""


def world(bench, zone=ZONE, **changes):
    """`dl` steered by a pool of two members, .1 and .2; the daemon."""
    monitor = {"monitor": "edge"} if "monitors" in changes else {}
    pool = {"method": "all", "members": {
        f"m{n}": {"address": [bench.address(n)]} for n in (1, 2)}, **monitor, **changes.pop("pool", {})}
    bench.zone("files.example", zone)
    bench.config(pools={"downloads": pool}, **changes)
    return bench.steerd()


def test_hints_follow_health(bench):
    """RFC 9460 7.3: a backend is killed; from the first A without it on, no HTTPS hints at it, until it is back"""
    backends = [bench.backend(n) for n in (1, 2)]
    server = world(bench, monitors={"edge": bench.monitor()})
    both = [bench.address(1), bench.address(2)]
    wait_until(lambda: server.status()["pools"][0]["usable"] == 2, 20, "both are up")
    equal(server.query(NAME, "HTTPS").hints, [both, both])

    backends[1].stop()
    wait_until(lambda: server.addresses(NAME) == both[:1], 20, "A leaves it out")
    for _ in range(500):
        equal(server.query(NAME, "HTTPS").hints, [both[:1], both[:1]], "not even once")
    backends[1].start()
    wait_until(lambda: server.query(NAME, "HTTPS").hints == [both, both], 20, "the hint comes back")
    equal(server.addresses(NAME), both)


def test_hints_never_outlive_addresses(bench):
    """A and HTTPS asked in turns while a backend dies and returns: no hint that the A answers around it lack"""
    backends = [bench.backend(n) for n in (1, 2)]
    server = world(bench, monitors={"edge": bench.monitor()})
    wait_until(lambda: server.status()["pools"][0]["usable"] == 2, 20, "both are up")
    for is_up in (False, True, False):
        if is_up:
            backends[0].start()
        else:
            backends[0].stop()
        want = [bench.address(2)] if not is_up else [bench.address(1), bench.address(2)]

        def settled(want=want):
            before = server.addresses(NAME)
            hints = server.query(NAME, "HTTPS").hints
            after = server.addresses(NAME)
            true(all(h in (before, after) for h in hints), f"A {before}, then HTTPS {hints}, then A {after}")
            return after == want

        wait_until(settled, 20, f"the answer is {want}")


def test_hints_when_all_are_down(bench):
    """Every member drained: with `fallback` the hints are the name's own A, for no longer than those"""
    server = world(bench, pool={"when-all-down": "fallback"})
    for member in ("m1", "m2"):
        server.ctl("drain", member)
    reply = server.query(NAME, "HTTPS")
    equal(reply.hints, [["192.0.2.10"], ["192.0.2.10"]])
    equal({record.ttl for record in reply.answer}, {40})
    told = server.ctl("explain", NAME, "HTTPS", "--client", "9.9.9.9", "--json").json()
    equal((told["kind"], told["ttl_s"], told["answers"]),
          ("hints", 40, [{"share": 1.0, "addresses": ["192.0.2.10"]}]))


def test_hints_everywhere(bench):
    """dig sees the pool's hints at the name, through a CNAME and at a wildcard; another's stay as they are"""
    server = world(bench)
    hint = f"ipv4hint={bench.address(1)},{bench.address(2)}"
    dl = [f"1 . alpn=\"h2,h3\" {hint}", f"2 . alpn=\"h2\" port=8443 {hint}"]
    reply = server.dig(NAME, "HTTPS")
    equal(reply.data, dl)
    equal({record[1] for record in reply.answer}, {30}, "the TTL of steered answers")
    equal([data for data in server.dig("alias.files.example", "HTTPS").data if data[0] in "12"], dl)
    equal(server.dig("any.s.files.example", "HTTPS").data, [f"1 . {hint}"])
    equal(server.dig("cdn.files.example", "HTTPS").data,
          ["1 cdn.elsewhere.example. alpn=\"h2\" ipv4hint=198.51.100.7"])
    equal(server.dig("dl.files.example", "SVCB").status, "NOERROR")


def test_hints_by_geography(bench):
    """Hints and their scope are those of the client's A; explain says the same"""
    bench.zone("files.example", ZONE)
    bench.config(geo=geography(bench), sites=SITES, pools={"downloads": nearest_pool(bench)})
    server = bench.steerd()
    for subnet, number in ((EUROPE, 1), (AMERICA, 2)):
        ask = {rtype: server.ask(wire.ecs_query(NAME, rtype, subnet)) for rtype in ("A", "HTTPS")}
        equal(ask["A"].addresses, [bench.address(number)])
        equal(ask["HTTPS"].hints, [[bench.address(number)]] * 2)
        equal(ask["HTTPS"].ecs(), ask["A"].ecs())
        told = server.ctl("explain", NAME, "HTTPS", "--client", subnet, "--json").json()
        equal(told["answers"], [{"share": 1.0, "addresses": [bench.address(number)]}])
        equal((told["scope_bits"], told["ttl_s"]), (ask["A"].ecs()[2], 30))
        contains(server.ctl("explain", NAME, "HTTPS", "--client", subnet).out,
                 "with what A and AAAA get as hints:")


def test_hints_too_large(bench):
    """More hints than a packet holds: TC over UDP, all of them over TCP"""
    addresses = [f"192.0.2.{n}" for n in range(1, 65)]
    bench.zone("files.example", ZONE.replace("dl 300 HTTPS 2", "dl 300 HTTPS 2 . key7=/{?dns}\ndl 300 HTTPS 3").replace(
        "3 . alpn=h2", "3 . ipv6hint=::1\ndl 300 HTTPS 4 . alpn=h2"))
    bench.config(pools={"downloads": {"method": "all", "members": {
        f"m{n}": {"address": [a, f"2001:db8::{n:x}"]} for n, a in enumerate(addresses, 1)}}})
    server = bench.steerd()
    reply = server.query(NAME, "HTTPS", edns=wire.opt_record(4096))
    equal((reply.tc, reply.answer), (True, []))
    hints = server.ask_tcp(wire.query(NAME, "HTTPS")).hints
    equal([len(h) for h in hints], [128, 0, 64, 64])
    equal(sorted(hints[3]), sorted(addresses))


def test_hints_that_lead_to_a_steered_name(bench):
    """Hints of a record whose target is steered, in whatever zone, are not served, and check says where they are"""
    bench.zone("other.example", zone_head("other.example") + f"""\
www  HTTPS 1 {NAME}. alpn=h2 ipv4hint={STALE}
far  HTTPS 1 alias.files.example. ipv4hint={STALE}
""")
    server = world(bench)
    contains(server.log(), "zones/other.example.zone:8: the address hints of the HTTPS at 'www.other.example.' are not "
                           f"served: its target '{NAME}.' is steered, and they would pass the pool by")
    contains(server.ctl("check").out, "zones/other.example.zone:9: the address hints of the HTTPS at "
                                      "'far.other.example.' are not served")
    for name in ("www", "far"):
        equal(server.query(f"{name}.other.example", "HTTPS").hints, [[]])

    bench.zone("other.example", zone_head("other.example") + f"""\
www  HTTPS 1 {NAME}. mandatory=ipv4hint ipv4hint={STALE}
""")
    ran = server.ctl("reload", check=False)
    equal(ran.code, 1)
    contains(ran.all, "makes address hints 'mandatory', but its target")


def test_hints_cannot_be_mandatory(bench):
    """A steered name whose record needs its hints is refused with its line; what served goes on"""
    server = world(bench)
    bench.zone("files.example", ZONE.replace("2 . alpn=h2", "2 . mandatory=ipv4hint alpn=h2"))
    ran = server.ctl("reload", check=False)
    equal(ran.code, 1)
    contains(ran.all, "zones/files.example.zone:9: 'dl' is steered: the address hints of its HTTPS come and go with the "
                      "pool, so they cannot be 'mandatory' (RFC 9460 8)")
    equal(server.query(NAME, "HTTPS").hints, [[bench.address(1), bench.address(2)]] * 2)
