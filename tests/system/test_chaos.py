# SPDX-License-Identifier: Apache-2.0
"""Chaos: backends, configuration and processes change at random, all at once.  The seed is said, and the world is the same
for the same seed; how it goes depends on the machine.  STEERD_TEST_CHAOS_S: for how many seconds (10)."""

import os
import random
import signal
import subprocess
import threading
import time

import wire
from harness import Failed, equal, true, wait_until
from world import AMERICA, EUROPE, SITES, geography, zone_head

DURATION_S = float(os.environ.get("STEERD_TEST_CHAOS_S", "10"))
NAMES = ("dl.files.example", "api.files.example", "mix.files.example")
FALLBACK = "192.0.2.10"

# One of each way to be wrong: refused, silent, cut, slow, endless, lying.
MODES = (
    "ok", "ok", "ok", "delay=100", "status=503", "refused", "half-open", "hang", "reset", "plain", "close-hello", "slow-tls",
    "hang-handshake", "close-tls", "wrong-name", "expired", "chain", "stall", "reset-late", "not-http", "slow-answer",
    "endless-1xx", "close-headers", "endless-headers", "two-lengths", "missing-header", "wrong-body", "short-body", "slow-body",
    "endless-body", "gzip", "gzip-bomb", "chunk-size", "endless-chunks", "redirect", "redirect-once", "range-ignored",
    "range-short", "http2-goaway", "http2-hang", "http2-close")


def signal_to(pid, number):
    """Whether it was there to get it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Chaos:
    """The world, and what may happen in it."""

    def __init__(self, bench, seed):
        self.bench, self.random = bench, random.Random(seed)
        self.asking, self.stopped = [], None
        self.serial, self.number = 2026112201, 0
        self.names = [f"s{number}" for number in range(1, 7)]
        self.servers = bench.faults([(name, number, "ok") for number, name in enumerate(self.names, 1)])
        bench.write("hook", "#!/bin/sh\ncat >/dev/null\nexit $(($$ % 2))\n")
        os.chmod(bench.path("hook"), 0o755)
        bench.write("health/word.txt", "* up\n")
        self.write_zone()
        self.write_config()
        self.server = bench.steerd()

    # what is written

    def write_zone(self):
        """The same names, and another serial."""
        self.bench.zone("files.example", zone_head("files.example").replace("2026112201", str(self.serial)) + f"""\
dl  30 A    {FALLBACK}
api 30 A    {FALLBACK}
mix 30 A    {FALLBACK}
_steer.dl 30 TXT "pool=downloads"
_steer.api 30 TXT "pool=services"
_steer.mix 30 TXT "pool=mixed"
""")
        self.serial += 1

    def monitors(self):
        """One of each kind, each a little different each time."""
        every = self.random.choice(("500ms", "700ms", "1s"))
        common = {"every": every, "timeout": every, "fall": self.random.randint(1, 2), "rise": 1, "hold-down": "0s"}
        connects = {**common, "allow-internal": "yes"}
        https = {"host": "dl.files.example", "path": self.random.choice(("/health", "/big")), "port": self.bench.https_port,
                 "ca": self.bench.certificate("ca") + ".pem"}
        expect = {"headers": {"X-Cache": "HIT"}} if self.random.random() < 0.3 else {}
        return {
            "edge": {**connects, "https": https, "expect": expect},
            "slices": {**connects, "https": {**https, "path": "/big"},
                       "range": {"size": "64KiB", "at": ["head", "tail", "random"][:self.random.randint(1, 3)]}},
            "port": {**connects, "tcp": {"port": self.bench.https_port, "tls": "yes", "host": "dl.files.example",
                                       "ca": self.bench.certificate("ca") + ".pem"}},
            "name": {**connects, "dns": {"name": "www.files.example", "port": self.bench.https_port}},
            "script": {**common, "exec": {"command": [self.bench.path("hook"), every]}},
            "word": {**common, "push": {"file": "health/word.txt", "max-age": "1s", "on-stale": "last"}},
        }

    def members(self, count):
        """Some of the six."""
        chosen = self.random.sample(range(1, 7), count)
        return {f"m{number}": {"site": self.random.choice(list(SITES)), "address": [self.bench.address(number)],
                               "weight": self.random.randint(0, 5)} for number in chosen}

    def write_config(self, kinds=("edge", "slices", "port", "name", "script", "word")):
        """Pools of all methods over monitors of these kinds, a part of which is there at a time."""
        one = self.random.choice
        monitors = self.monitors()
        policy = one(("serve-all", "last-good", "fallback", "fenced"))
        pools = {
            "downloads": {"method": "nearest", "monitor": one(kinds[:2]), "members": self.members(4),
                          "when-all-down": policy},
            "services": {"method": "weighted", "monitor": {one(("any-of", "all-of")): self.random.sample(kinds, 2)},
                         "members": self.members(3), "slow-start": one(("0s", "1s")), "max-loss": one(("50%", "100%"))},
            "backstop": {"method": "failover", "monitor": one(kinds), "members": self.members(2)},
            "mixed": {"method": "failover", "members": {
                "first": {"pool": "services"}, "last": {"pool": "backstop"}}},
        }
        used = str(pools)
        pools["downloads"]["needs"] = one(("backstop", "services"))
        self.bench.config(
            geo=geography(self.bench), sites=SITES, pools=pools,
            monitors={name: monitor for name, monitor in monitors.items() if name in used},
            notify={"hook": {"command": [self.bench.path("hook")], "after": "0s"}} if self.random.random() < 0.7 else {})

    # what happens

    def breaks_one(self):
        """A backend is wrong in another way."""
        self.servers.mode(self.random.choice(self.names), self.random.choice(MODES))

    def mends_all(self):
        """All are well."""
        for name in self.names:
            self.servers.mode(name, "ok")

    def reloads(self):
        """Another configuration and zone."""
        self.write_zone()
        self.write_config()
        self.server.reload()

    def reloads_nonsense(self):
        """What cannot be read is refused, and changes nothing."""
        text = open(self.bench.path("steerd.yaml"), encoding="utf-8").read()
        self.bench.write("steerd.yaml", text[:self.random.randrange(len(text))] + "\n{")
        equal(self.server.reload(check=False).code, 1, "it is refused")
        self.bench.write("steerd.yaml", text)

    def signals_prober(self, number):
        """Returns its pid; None: there is none at the moment."""
        pid = self.server.prober()
        return pid if pid and signal_to(pid, number) else None

    def kills_prober(self):
        """kill -9; steerd starts another one, later each time."""
        if self.signals_prober(signal.SIGKILL):
            self.stopped = None

    def stops_prober(self):
        """For a while."""
        pid = None if self.stopped else self.signals_prober(signal.SIGSTOP)
        if pid:
            self.stopped = (pid, time.monotonic() + self.random.uniform(0.1, 1.5))

    def asks(self):
        """steerctl probe, of which nobody awaits the end."""
        member = f"m{self.random.randint(1, 6)}"
        self.asking.append(subprocess.Popen(
            [self.bench.program("steerctl"), "-s", self.server.control_path(), "probe", member],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def gives_up_asking(self):
        """Who asked is gone."""
        for process in self.asking:
            process.kill()
            process.wait()
        self.asking = []

    def overrides(self):
        """What operators do; members come and go with the configuration."""
        member = f"m{self.random.randint(1, 6)}"
        command = self.random.choice(("drain", "force-down", "undrain", "return"))
        self.server.ctl(command, member, check=False)

    def says_word(self):
        """The file that a push monitor watches."""
        self.bench.write("health/word.txt", self.random.choice(
            ("* up\n", "* down of course\n", f"{self.bench.address(1)} degraded slow disk\n", "what?\n", "")))

    def looks(self):
        """Whatever is shown."""
        self.server.ctl(self.random.choice(("status", "metrics")))
        self.server.ctl("explain", self.random.choice(NAMES), "--client", EUROPE)

    def goes_on(self):
        """A prober that was stopped for long enough."""
        if not self.stopped or time.monotonic() < self.stopped[1]:
            return
        signal_to(self.stopped[0], signal.SIGCONT)
        self.stopped = None

    def step(self):
        """One thing happens."""
        happenings = (
            (self.breaks_one, 10), (self.mends_all, 1), (self.reloads, 3), (self.reloads_nonsense, 1), (self.kills_prober, 1),
            (self.stops_prober, 1), (self.asks, 3), (self.gives_up_asking, 1), (self.overrides, 2), (self.says_word, 1),
            (self.looks, 1))
        happening, = self.random.choices([what for what, _ in happenings], [weight for _, weight in happenings])
        happening()
        self.goes_on()
        self.number += 1

    def settles(self):
        """All is well, operators say nothing, and what is checked can be."""
        self.gives_up_asking()
        self.mends_all()
        if self.stopped:
            self.stopped = (self.stopped[0], 0)
            self.goes_on()
        for number in range(1, 7):
            self.server.ctl("undrain", f"m{number}", check=False)
        self.write_config(("edge", "slices", "port"))
        self.server.reload()

    def is_well(self):
        """Whether all that is configured is up, by what is seen of it now."""
        status = self.server.status()
        members = [member for pool in status["pools"] for member in pool["members"]]
        return status["prober"]["state"] == "running" and all(member["state"] == "up" for member in members)


class Asker(threading.Thread):
    """Asks all the time; an answer that is wrong ends it."""

    def __init__(self, server, good):
        super().__init__(daemon=True)
        self.server, self.good = server, good
        self.wrong, self.count, self.is_over = None, 0, False

    def run(self):
        while not self.is_over and not self.wrong:
            try:
                for name in NAMES:
                    self._ask(name)
            except Failed as failure:
                self.wrong = str(failure)
            time.sleep(0.005)

    def _ask(self, name):
        reply = self.server.ask(wire.ecs_query(name, "A", (EUROPE, AMERICA)[self.count % 2]))
        true(reply.rcode == "NOERROR" and reply.addresses and set(reply.addresses) <= self.good,
             f"{name}: {reply.rcode}, {reply.addresses}")
        self.count += 1


def test_anything(bench):
    """Everything happens at random, all at once: each answer has addresses of its pool, nothing ends by itself, and all is well when it is over"""
    seed = int(os.environ.get("STEERD_TEST_CHAOS_SEED", str(time.time_ns() % 1000000)))
    print(f"seed {seed}")
    chaos = Chaos(bench, seed)
    asker = Asker(chaos.server, {bench.address(number) for number in range(1, 7)} | {FALLBACK})
    asker.start()
    end = time.monotonic() + DURATION_S
    try:
        while time.monotonic() < end and not asker.wrong:
            chaos.step()
            time.sleep(chaos.random.uniform(0, 0.1))
        chaos.settles()
        wait_until(chaos.is_well, 30, f"seed {seed}: all is well again")
    finally:
        chaos.gives_up_asking()
        asker.is_over = True
        asker.join()
    true(not asker.wrong, f"seed {seed}, after {chaos.number} happenings: {asker.wrong}")
    true(asker.count > 10 * DURATION_S, f"{asker.count} answers")
    print(f"{chaos.number} happenings, {asker.count} answers")
