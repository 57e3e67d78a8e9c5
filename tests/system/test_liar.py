# SPDX-License-Identifier: Apache-2.0
"""A prober that lies (tests/tools/liar), that is killed, or that is stopped: the answers are right all the while.

Every backend is well here, so the right answers are known: for each client its nearest.
"""

import os
import signal

from harness import contains, equal, true, wait_until
from world import AMERICA, ASIA, EUROPE, NOWHERE, SOUTH, four_backends, nearest_pool, steered_world

NAME = "dl.files.example"
CLIENTS = (EUROPE, AMERICA, ASIA, SOUTH, NOWHERE)

# Lies that cannot be: each ends its prober, and the log has the reason.
IMPOSSIBLE = {
    "short": "its table does not fit what is checked",
    "empty": "its table does not fit what is checked",
    "long": "its table does not fit what is checked",
    "targets": "its table does not fit what is checked",
    "addresses": "its table does not fit what is checked",
    "order": "row 2 of the verdicts is out of order",
    "rotten": "the checksum of the verdicts is wrong",
    "cut": "the checksum of the verdicts is wrong",
    "states-first": "its states do not fit its table",
    "states-short": "its states do not fit its table",
    "states-long": "its states do not fit its table",
    "garbage": "what it sent is no frame",
}

# Lies that are passed over: for other orders than ours, or not asked for.  The flood is true, but without end.
DROPPED = ("generation", "old-generation", "states-generation", "findings", "flood")

# Those that say nothing: for a while they may only be busy.
SILENT = ("nothing", "drops")


class Told:
    """A daemon whose prober tells one lie."""

    def __init__(self, bench, lie, settings=None, **pool):
        self.lie = lie
        self.bench = bench.another(lie)
        script = self.bench.write("prober", f"#!/bin/sh\nexec '{liar(bench)}' {lie}\n")
        os.chmod(script, 0o755)
        # max-loss as it is where steerd.yaml does not say it, which the tests' own configurations do
        pools = {"downloads": nearest_pool(self.bench, monitor="edge", **{"max-loss": "50%", **pool})}
        steered_world(self.bench, self.bench.monitor(), pools, **(settings or {}))
        self.server = self.bench.steerd_of(self.bench.path("steerd.yaml"), options=["--prober", script])
        self.right = [[self.bench.address(number)] for number in (1, 2, 3, 4)]

    def check(self):
        """Fails unless each client gets its nearest."""
        for client, right in zip(CLIENTS, self.right):
            equal(self.server.addresses(NAME, client), right, f"{self.lie}: the answer for {client}")
        true(self.server.addresses(NAME, NOWHERE), f"{self.lie}: an answer for anybody")

    def says(self, words, times=1):
        """Whether that is in the log so often."""
        return self.server.log().count(words) >= times


def liar(bench):
    """The program."""
    return os.path.join(os.path.dirname(bench.prefix), "tests/tools/liar")


def await_all(told, is_done, limit_s, about):
    """Until it is so of every daemon; and all the while each answers rightly."""

    def all_done():
        for one in told:
            one.check()
        return all(is_done(one) for one in told)

    wait_until(all_done, limit_s, about)


def test_impossible(bench):
    """Tables and states that cannot be, and garbage: refused, the prober is replaced, the answers are right"""
    told = [Told(bench, lie) for lie in IMPOSSIBLE]
    await_all(told, lambda one: one.server.status()["prober"]["restarts"] >= 3, 60, "each lie is refused thrice")
    for one in told:
        contains(one.server.log(), f"the prober ended, health stays as it was: {IMPOSSIBLE[one.lie]}", one.lie)
        true(one.server.status()["prober"]["refused"] >= 3, f"{one.lie}: it is counted")


def test_dropped(bench):
    """Tables and states of another generation, findings for nobody, a flood: the answers are right"""
    told = [Told(bench, lie) for lie in DROPPED]
    await_all(told, lambda one: one.says("liar: told ten times"), 60, "each lie is told ten times")
    for one in told:
        prober = one.server.status()["prober"]
        equal((prober["restarts"], prober["refused"]), (0, 0), f"{one.lie}: the prober is the first one")
        true(prober["stale"] >= 9 or "generation" not in one.lie, f"{one.lie}: it is counted: {prober}")


def test_silent(bench):
    """A prober that says nothing, or never ends its first word: after ten seconds it is replaced"""
    told = [Told(bench, lie) for lie in SILENT]
    await_all(told, lambda one: one.says("hung: no table came from it for 10 s"), 60, "each is found to hang")
    for one in told:
        wait_until(lambda one=one: one.server.status()["prober"]["restarts"] >= 1, 20, "it is replaced")


def test_everything_down(bench):
    """A prober that says that everything is down, at once, later, or in states alone: nobody is taken out"""
    # with a fallback, so that to believe it would be seen; all our members are in one network
    told = [Told(bench, lie, {"observer": {"networks": 1}}, **{"when-all-down": "fallback"})
            for lie in ("down", "down-at-once", "down-states")]
    await_all(told, lambda one: one.says("liar: told ten times"), 60, "each lie is told ten times")


def test_everything_down_in_one_network(bench):
    """The same where all may be in one network that is cut off: half of the pool stays, and never the fallback"""
    told = [Told(bench, lie, **{"when-all-down": "fallback", "max-loss": "50%"})
            for lie in ("down", "down-at-once", "down-states")]

    def half_stays(one):
        members = {one.bench.address(number) for number in (1, 2, 3, 4)}
        got = {address for client in CLIENTS for address in one.server.addresses(NAME, client)}
        true(got <= members, f"{one.lie}: answers are members: {got}")
        true(len(got) >= 2, f"{one.lie}: two of four stay: {got}")
        return one.says("liar: told ten times")

    wait_until(lambda: all([half_stays(one) for one in told]), 60, "each lie is told ten times")


def test_stopped_is_replaced(bench):
    """SIGSTOP: verdicts stay as they were for ten seconds, then another prober sees what happened meanwhile"""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: all(member["state"] == "up" for member in server.status()["pools"][0]["members"]), 20, "all are up")
    pid = server.prober()
    os.kill(pid, signal.SIGSTOP)
    backends[0].stop()

    def is_replaced():
        now = server.prober()
        if now in (None, pid):
            equal(server.addresses(NAME, EUROPE), [bench.address(1)], "verdicts are frozen")
        return now not in (None, pid)

    wait_until(is_replaced, 30, "another one runs")
    contains(server.log(), "hung: no table came from it for 10 s")
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 20, "what was missed is seen")


def test_killed_between_two_words(bench):
    """kill -9 again and again, each time as soon as it runs: the answers are right, whatever was on its way"""
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    right = [[bench.address(number)] for number in (1, 2, 3, 4)]
    for _ in range(5):
        pid = wait_until(server.prober, 20, "a prober runs")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: server.prober() != pid, 20, "it is gone")
        equal([server.addresses(NAME, client) for client in CLIENTS[:4]], right, "the answers")
    wait_until(lambda: server.status()["prober"]["state"] == "running", 30, "one is heard again")
