# SPDX-License-Identifier: Apache-2.0
"""What steerd believes: real backends fail, and answers follow only as far as they should."""

import os
import threading

import wire
from harness import Failed, contains, equal, holds_for, true, wait_until
from world import AMERICA, EUROPE, SITES, geography, zone_head

NAME = "dl.files.example"


class World:
    """dl.files.example steered by the pool `downloads`, over backends at addresses that are far from each other."""

    def __init__(self, bench):
        self.bench = bench
        self.backends = {}
        self.server = None

    def address(self, number):
        """One in a /16 of its own, as if each were another provider's; of this test alone."""
        _, second, third = self.bench.network.split(".")
        return f"127.{number}.{second}.{third}"

    def backend(self, number):
        """Starts one."""
        self.backends[number] = self.bench.backend(self.address(number))

    def members(self, *numbers, **changes):
        """m1, m2, ...: a backend each."""
        for number in numbers:
            self.backend(number)
        return {f"m{number}": {"address": [self.address(number)], **changes} for number in numbers}

    def serve(self, pools, monitors=None, **settings):
        """Starts steerd and waits until all that is checked is up."""
        bench = self.bench
        bench.zone("files.example", zone_head("files.example")
                   + "dl 30 A 192.0.2.10\n_steer.dl 30 TXT \"pool=downloads\"\n")
        settings.setdefault("observer", {"suspect-above": "100%"})
        bench.config(geo=geography(bench), sites=SITES, pools=pools,
                     monitors={"edge": bench.monitor(), **(monitors or {})}, **settings)
        self.server = bench.steerd()
        wait_until(self.is_settled, 20, "all backends are up")
        return self.server

    def is_settled(self):
        """Whether each address has passed a check."""
        return all(address["seen"] == "up" for pool in self.server.status()["pools"]
                   for member in pool["members"] for address in member["addresses"])

    def stop(self, *numbers):
        """Kills some."""
        for number in numbers:
            self.backends[number].stop()

    def start(self, *numbers):
        """Starts them again."""
        for number in numbers:
            self.backends[number].start()

    def answered(self, subnet=None, times=12):
        """The numbers of those that may be answered."""
        found = self.server.all_addresses(NAME, subnet, times=times)
        return sorted(int(address.split(".")[1]) if address.startswith("127.") else address for address in found)

    def becomes(self, *numbers, subnet=None, limit_s=20):
        """Waits until just these are answered."""
        wait_until(lambda: self.answered(subnet) == sorted(numbers), limit_s,
                   f"just {sorted(numbers)} are answered, now {self.answered(subnet)}")

    def says(self, words, limit_s=20):
        """Waits until the log has these words."""
        wait_until(lambda: words in self.server.log(), limit_s, f"the log says {words!r}")

    def is_seen_down(self, number):
        """Waits until its checks, at least, say so."""
        self.says(f"{self.address(number)} went down")

    def why(self, number, subnet="9.0.5.0/24"):
        """What explain says of it."""
        told = self.server.ctl("explain", NAME, "--client", subnet, "--json").json()
        return next(c["reason"] for c in told["candidates"] if c["address"] == self.address(number))


def everything(**changes):
    """A pool that answers with all of its members."""
    return {"method": "all", "monitor": "edge", **changes}


class Questions:
    """A client that never stops asking: each answer must be NOERROR with an address."""

    def __init__(self, server):
        self._server, self._stop, self._failure, self.count = server, False, None, 0
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop = True
        self._thread.join()
        if self._failure:
            raise self._failure

    def _ask(self):
        while not self._stop and not self._failure:
            try:
                response = self._server.ask(wire.query(NAME, "A", ident=self.count % 65536))
                equal(response.rcode, "NOERROR", "rcode")
                true(response.addresses, "an empty answer")
                self.count += 1
            except Failed as failure:
                self._failure = failure


def test_panic_counts_capacity(bench):
    """panic-below counts capacity, not heads: three of four small ones may go, but not the big one and a small one"""
    world = World(bench)
    members = world.members(1, 2, 3, 4)
    members["m1"]["capacity"] = 70
    for name in ("m2", "m3", "m4"):
        members[name]["capacity"] = 10
    world.serve({"downloads": everything(members=members, **{"panic-below": "50%"})})
    world.stop(2, 3)
    world.becomes(1, 4)
    world.start(2, 3)
    world.becomes(1, 2, 3, 4)
    world.stop(1)
    world.says("pool downloads is in panic: 30% of its capacity is left, and panic-below is 50%: it counts as failed")
    world.becomes(1, 2, 3, 4)
    contains(world.why(1), "too little of its pool is left")
    world.start(1)
    world.says("pool downloads is sound again after")
    world.becomes(1, 2, 3, 4)


def test_panic_after_spill(bench):
    """A pool in panic is spilled from first: its failover pool answers the next member, and no address that is down"""
    world = World(bench)
    world.serve({
        "downloads": {"method": "failover", "members": {"cdn": {"pool": "cdn"}, "origin": {"pool": "origin"}}},
        "cdn": everything(members=world.members(1, 2, 3), **{"panic-below": "50%"}),
        "origin": everything(members=world.members(4)),
    })
    world.becomes(1, 2, 3)
    world.stop(1)
    world.becomes(2, 3)
    world.stop(2)
    world.becomes(4)
    contains(world.why(3), "too little of its pool is left")
    world.start(2)
    world.becomes(2, 3)


def test_loss_limit(bench):
    """max-loss: of four that fail at once one goes, a second a minute later; the others are answered though they fail"""
    world = World(bench)
    server = world.serve({"downloads": everything(members=world.members(1, 2, 3, 4), **{"max-loss": "25%"})})
    world.stop(1, 2, 3)
    world.says("stays up: its pool lost as much as health may take away in a minute")
    for number in (1, 2, 3):
        world.is_seen_down(number)
    first = world.answered()
    equal(len(first), 3, "one has gone")
    true(4 in first, "the good one stays")
    holds_for(lambda: world.answered() == first, 3, "no other goes")
    held = next(number for number in first if number != 4)
    contains(world.why(held), "lost as much as health may take")
    wait_until(lambda: len(world.answered()) == 2, 70, "a minute later a second goes")
    equal(server.log().count("goes down: it still fails"), 1)


def test_last_one_needs_evidence(bench):
    """The last that is up goes later than the first: it must fail for another fall x every"""
    world = World(bench)
    server = world.serve({"downloads": everything(members=world.members(1, 2), **{"when-all-down": "fallback"})},
                         {"edge": bench.monitor(every="2s", recheck="100ms")})
    world.stop(1)
    world.becomes(2)
    equal("stays up" in server.log(), False, "the first goes at once")
    world.stop(2)
    world.says("stays up: it is one of the last of its pool, and more failures are needed")
    equal(world.answered(), [2], "while it is sure of nothing")
    wait_until(lambda: server.addresses(NAME) == ["192.0.2.10"], 20, "its own records are answered")
    contains(server.log(), f"downloads/m2 {world.address(2)} goes down: it still fails")


def test_observer_suspect(bench):
    """Most of unrelated networks fail at once: nothing goes down until it is confirmed; while nothing passes, never"""
    world = World(bench)
    # a table each second says which have begun to fail, before the first of them has failed five times
    server = world.serve({"downloads": everything(members=world.members(1, 2, 3, 4, 5, 6))},
                         {"edge": bench.monitor(every="1s", fall=5)}, observer={"networks": 3, "confirm": "8s"})
    world.stop(1, 2, 3, 4)
    world.says("the fault may be ours: ")
    for number in (1, 2, 3, 4):
        world.is_seen_down(number)
    equal(world.answered(), [1, 2, 3, 4, 5, 6])
    contains(world.why(1), "the fault may be ours")
    world.becomes(5, 6)
    contains(server.log(), "the fault is not ours, after")
    world.start(1, 2, 3, 4)
    world.becomes(1, 2, 3, 4, 5, 6)
    world.stop(1, 2, 3, 4, 5, 6)
    wait_until(lambda: server.log().count("the fault may be ours: ") == 2, 20, "it is suspect again")
    holds_for(lambda: world.answered() == [1, 2, 3, 4, 5, 6], 10, "nothing passes, so nothing goes")
    world.start(1)
    world.becomes(1)


def test_observer_one_network(bench):
    """Most of what is checked fails, but in one network: that is the network's fault, and is believed"""
    world = World(bench)
    members = {}
    for last in (1, 2, 3, 4):
        world.backends[last] = bench.backend(bench.address(last))
        members[f"m{last}"] = {"address": [bench.address(last)]}
    server = world.serve({"downloads": everything(members=members)}, observer={"networks": 3, "confirm": "60s"})
    world.stop(1, 2, 3)
    wait_until(lambda: server.all_addresses(NAME, times=5) == [bench.address(4)], 20, "three are gone")
    equal("the fault may be ours" in server.log(), False)


def test_canaries(bench):
    """While all canaries fail nothing goes down; the first that passes ends that"""
    world = World(bench)
    server = world.serve({
        "downloads": everything(members=world.members(1, 2, 3)),
        "others": everything(members=world.members(8, 9)),
    }, observer={"canaries": "others", "confirm": "1s"})
    world.stop(8)
    world.is_seen_down(8)
    world.stop(9)
    world.says("the fault may be ours: all of pool others fails; nothing goes down until one of pool others passes")
    world.stop(1)
    world.is_seen_down(1)
    holds_for(lambda: world.answered() == [1, 2, 3], 4, "it stays in answers")
    world.start(9)
    world.becomes(2, 3)
    contains(server.log(), "the fault is not ours, after")


def test_canaries_pass(bench):
    """Most fail at once, but a canary passes: it is not our fault, and is believed with the canary's next check"""
    world = World(bench)
    server = world.serve({
        "downloads": everything(members=world.members(1, 2, 3, 4, 5)),
        "others": everything(members=world.members(9)),
    }, observer={"canaries": "others", "confirm": "1h"})
    world.stop(1, 2, 3, 4)
    world.becomes(5)
    equal("the fault may be ours: all of" in server.log(), False)


def test_last_good(bench):
    """when-all-down: last-good answers what was up when the pool last was sound, and nothing that was down before"""
    world = World(bench)
    world.serve({"downloads": everything(
        members=world.members(1, 2, 3), **{"panic-below": "60%", "when-all-down": "last-good"})})
    world.stop(1)
    world.becomes(2, 3)
    world.stop(2)
    world.says("pool downloads is in panic")
    world.becomes(2, 3)
    world.stop(3)
    world.says("pool downloads has no usable member")
    world.becomes(2, 3)
    world.start(1)
    world.says(f"{world.address(1)} is up again")
    world.becomes(2, 3)  # in panic still: a third of it is up
    world.start(2)
    world.becomes(1, 2)


def test_fenced(bench):
    """when-all-down: fenced answers its own clients within the fence though all of it fails, and sends it no others"""
    world = World(bench)
    pools = {
        "downloads": {"method": "nearest", "when-all-down": "fallback", "members": {
            "europe": {"site": "fra", "pool": "europe"}, "america": {"site": "iad", "pool": "america"},
            "asia": {"site": "sin", "pool": "asia"}}},
        "europe": everything(members=world.members(1, 2), **{"when-all-down": "fenced"}),
        "america": everything(members=world.members(3)),
        "asia": everything(members=world.members(4)),
    }
    server = world.serve(pools)
    world.becomes(1, 2, subnet=EUROPE)
    world.stop(1)
    world.becomes(2, subnet=EUROPE)
    world.stop(2)
    world.says("pool europe has no usable member")
    world.becomes(1, 2, subnet=EUROPE)
    world.becomes(3, subnet=AMERICA)
    # those of a region that has no fence are not sent into one that has nothing left, though it is the next nearest
    world.stop(3)
    world.says("pool america has no usable member")
    world.becomes(4, subnet=AMERICA)
    contains(world.why(1, subnet=AMERICA), "too little of its pool is left")
    world.becomes(1, 2, subnet=EUROPE)
    # nor does the pool above go further, to its fallback, when nothing else is left
    world.stop(4)
    world.says("pool asia has no usable member")
    world.becomes(1, 2, subnet=AMERICA)
    world.becomes(1, 2, subnet=EUROPE)
    world.start(3)
    world.becomes(3, subnet=AMERICA)
    pools["europe"]["when-all-down"] = "serve-all"
    bench.config(geo=geography(bench), sites=SITES, pools=pools, monitors={"edge": bench.monitor()},
                 observer={"suspect-above": "100%"})
    server.reload()
    world.becomes(3, subnet=EUROPE)


def test_needs(bench):
    """An edge whose origin is lost: down without it, or degraded and answered for a part, or up all the same"""
    world = World(bench)
    pools = {
        "downloads": {"method": "failover", "members": {"edge": {"pool": "edge"}, "backup": {"pool": "backup"}}},
        "edge": everything(members=world.members(1, 2), needs="origin", without="down"),
        "origin": everything(members=world.members(3)),
        "backup": everything(members=world.members(4)),
    }
    server = world.serve(pools)
    world.becomes(1, 2)
    world.stop(3)
    world.says("pool edge is without pool origin, which it needs: its addresses are down")
    world.becomes(4)
    contains(world.why(1), "what its pool needs is lost")
    for without, numbers in (("degraded", (1, 2, 4)), ("up", (1, 2))):  # what it gives up goes to the next
        pools["edge"]["without"] = without
        bench.config(geo=geography(bench), sites=SITES, pools=pools, monitors={"edge": bench.monitor()},
                     observer={"suspect-above": "100%"})
        server.reload()
        world.becomes(*numbers)
        contains(world.why(1), "serves without what its pool needs")
    world.start(3)
    world.says("pool edge has pool origin again, which it needs")
    equal(world.why(1), "kept")


def test_manual_return(bench):
    """manual-return: what went down stays out when it is well, over kill -9 and reloads, until steerctl return"""
    world = World(bench)
    server = world.serve({"downloads": everything(members=world.members(1, 2), **{"manual-return": "yes"})})
    world.stop(1)
    world.becomes(2)
    world.start(1)
    world.says(f"downloads/m1 {world.address(1)} stays down until it is returned: 'steerctl return downloads/m1'")
    saved = bench.path("state", "verdicts")
    before = os.stat(saved).st_mtime_ns if os.path.exists(saved) else 0
    wait_until(lambda: os.path.exists(saved) and os.stat(saved).st_mtime_ns > before, 30, "that is on disk")
    server.kill()
    server = world.server = bench.steerd()
    wait_until(world.is_settled, 20, "the checks of both pass")
    equal(world.answered(), [2])
    server.reload()
    equal(world.answered(), [2])
    contains(world.why(1), "waits for its return")
    equal(server.ctl("return", "downloads/m2", check=False).code, 1, "it does not wait")
    server.ctl("return", "downloads/m1")
    equal(world.answered(), [1, 2])
    contains(server.log(), f"downloads/m1 {world.address(1)} is answered again")


def test_failback_delay(bench):
    """failback-delay: what is well again is answered after it, not before"""
    world = World(bench)
    server = world.serve({"downloads": everything(members=world.members(1, 2), **{"failback-delay": "5s"})})
    world.stop(1)
    world.becomes(2)
    world.start(1)
    world.says(f"downloads/m1 {world.address(1)} stays down: its failback delay is 5 s")
    holds_for(lambda: world.answered() == [2], 3, "it is not answered yet")
    world.becomes(1, 2)
    contains(server.log(), f"downloads/m1 {world.address(1)} is answered again")


def share_of(world, number, queries):
    """The part of answers that hold it."""
    address = world.address(number)
    got = sum(address in world.server.ask(wire.query(NAME, "A", ident=n)).addresses for n in range(queries))
    return got / queries


def test_slow_start(bench):
    """slow-start: the share of one that comes back grows from little to its own, counted in answers"""
    world = World(bench)
    world.serve({"downloads": {"method": "weighted", "answers": 1, "monitor": "edge",
                               "members": world.members(1, 2), "slow-start": "16s"}})
    true(0.3 < share_of(world, 1, 400) < 0.7, "each has half of the answers")
    world.stop(1)
    world.is_seen_down(1)  # by chance twelve answers may be those of the other
    world.becomes(2)
    world.start(1)
    world.says(f"downloads/m1 {world.address(1)} is answered again: its share grows for 16 s")
    contains(world.why(1), "its share grows")
    early = share_of(world, 1, 400)
    true(early < 0.25, f"just back it has little: {early:.2f}")
    wait_until(lambda: world.why(1) == "kept", 40, "it has its usual share")
    late = share_of(world, 1, 400)
    true(0.3 < late < 0.7, f"later it has half again: {late:.2f}")


def test_degraded_share(bench):
    """degraded-share: one that is slow is answered, but seldom"""
    world = World(bench)
    slow = bench.monitor(every="2s", timeout="2s")
    slow["expect"]["slower-than"] = "1ms"  # a handshake alone takes longer
    members = world.members(1, 2)
    members["m1"]["monitor"] = "picky"
    world.bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(pools={"downloads": {"method": "weighted", "answers": 1, "monitor": "edge", "members": members,
                                      "degraded-share": "10%"}},
                 monitors={"edge": bench.monitor(), "picky": slow}, geo=geography(bench), sites=SITES)
    world.server = bench.steerd()
    wait_until(lambda: "degraded" in world.why(1), 20, "it is degraded")
    share = share_of(world, 1, 600)
    true(0.02 < share < 0.2, f"a tenth against a whole: {share:.2f}")


def test_combined_monitors(bench):
    """any-of: one monitor that fails is told by its name and takes nothing away; both do; `not` turns one round"""
    world = World(bench)
    other = World(bench)
    world.backend(1)
    world.backend(2)
    deep = bench.monitor()
    deep["https"]["port"] = bench.free_port()
    for number in (1, 2):
        other.backends[number] = bench.backend(world.address(number), start=False)
        other.backends[number].port = deep["https"]["port"]
    other.start(1, 2)
    members = {f"m{number}": {"address": [world.address(number)]} for number in (1, 2)}
    world.serve({"downloads": everything(members=members, monitor={"any-of": ["edge", "deep"]})},
                         {"deep": deep})
    world.stop(1)
    world.says(f"downloads/m1 {world.address(1)}, monitor edge, went down")
    holds_for(lambda: world.answered() == [1, 2], 2, "the other monitor still passes")
    other.stop(1)
    world.becomes(2)
    world.says(f"downloads/m1 {world.address(1)} is down: its monitors together say so")
    other.start(1)
    world.becomes(1, 2)


def test_never_empty(bench):
    """Everything fails, in every kind of pool, again and again: each answer has an address, and none is SERVFAIL"""
    world = World(bench)
    pools = {
        "downloads": {"method": "failover", "members": {
            name: {"pool": name} for name in ("first", "second", "third")}},
        "first": everything(members=world.members(1, 2), needs="third", without="down",
                            **{"panic-below": "80%", "slow-start": "2s"}),
        "second": everything(members=world.members(3, 4), **{"when-all-down": "last-good", "max-loss": "50%"}),
        "third": everything(members=world.members(5), **{"failback-delay": "1s"}),
    }
    server = world.serve(pools, observer={"networks": 3, "confirm": "2s"})
    with Questions(server) as questions:
        for group in ((1, 2), (3, 4), (5,)):
            world.stop(*group)
            for number in group:
                world.is_seen_down(number)
        world.start(3)
        world.says(f"{world.address(3)} is up again")
        world.start(1, 2, 4, 5)
        world.becomes(1, 2, limit_s=40)
        world.stop(1, 2, 3, 4, 5)
        wait_until(lambda: server.log().count("the fault may be ours: ") >= 1, 20, "all fail at once")
        server.reload()
        world.start(1, 2, 3, 4, 5)
        world.becomes(1, 2, limit_s=40)
    true(questions.count > 200, f"only {questions.count} questions were asked")
