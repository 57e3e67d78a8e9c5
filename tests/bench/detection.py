#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a backend that is killed has left the answers.

usage: tests/bench/detection.py --prefix PREFIX [--kills N]

Many pools, each of which fails over from a backend of its own.  Again and again half of these are killed, each at a random
moment within a second: one in two listens no more, the other takes connections and says nothing.  The names are asked all
the while, in turn; the clock of each starts before the backend is killed and stops when its answer has moved.  It ends with how
many of N kills (1,000) were seen within fall x every + timeout + 100 ms, and the median, the 99th percentile and the worst.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))

import wire  # noqa: E402  # pylint: disable=wrong-import-position
from harness import Bench, wait_until  # noqa: E402  # pylint: disable=wrong-import-position
from world import zone_head  # noqa: E402  # pylint: disable=wrong-import-position

POOLS = 100
FALL, EVERY_S, TIMEOUT_S = 3, 1.0, 0.5
BOUND_S = FALL * EVERY_S + TIMEOUT_S + 0.1
GIVE_UP_S = 5 * BOUND_S
FIRST, SECOND, THIRD = 100, 1, 2  # last octets: of the first pool's own backend, and of those that all share


def name_of(pool):
    """The steered name of a pool."""
    return f"k{pool}.files.example"


def start(bench):
    """The backends and the daemon; returns once every answer is the first member's."""
    servers = [(f"k{pool}", FIRST + pool, "ok") for pool in range(POOLS)]
    faults = bench.faults([*servers, ("second", SECOND, "ok"), ("third", THIRD, "ok")])
    steers = "".join(f'_steer.k{pool} 30 TXT "pool=k{pool}"\n' for pool in range(POOLS))
    bench.zone("files.example", zone_head("files.example") + steers)
    monitor = bench.monitor(every=f"{EVERY_S * 1000:.0f}ms", timeout=f"{TIMEOUT_S * 1000:.0f}ms", fall=FALL, rise=1)
    # what the guard holds back is measured elsewhere: here it is the way from a check to the answer
    bench.config(monitors={"edge": monitor}, observer={"suspect-above": "100%"}, pools={f"k{pool}": {
        "method": "failover", "monitor": "edge", "max-loss": "100%", "panic-below": "0%", "members": {
            "first": {"address": [bench.address(FIRST + pool)]},
            "second": {"address": [bench.address(SECOND)]},
            "third": {"address": [bench.address(THIRD)]}}} for pool in range(POOLS)})
    server = bench.steerd()
    wait_until(lambda: are_first(bench, server, range(POOLS)) and server.status()["prober"]["state"] == "running", 60,
               "all are up")
    return faults, server


def answer(server, pool):
    """The address that is answered now."""
    reply = wire.ask_udp(server.server, wire.query(name_of(pool)), 5)
    return wire.Response(reply).addresses if reply else []


def are_first(bench, server, pools):
    """Whether each answer is the pool's own backend."""
    return all(answer(server, pool) == [bench.address(FIRST + pool)] for pool in pools)


def kill_some(bench, faults, server, chosen):
    """Kills these, and watches; the seconds that each took, or None where it never left."""
    begin = time.monotonic()
    waiting = sorted((begin + random.random(), pool) for pool in chosen)
    killed, took = {}, []
    while waiting or killed:
        while waiting and waiting[0][0] <= time.monotonic():
            _, pool = waiting.pop(0)
            killed[pool] = time.monotonic()
            faults.mode(f"k{pool}", "refused" if pool % 2 else "hang")
        for pool, since in list(killed.items()):
            moved = answer(server, pool) not in ([], [bench.address(FIRST + pool)])
            now = time.monotonic()
            if moved or now - since > GIVE_UP_S:
                took.append(now - since if moved else None)
                del killed[pool]
    return took


def measure(bench, kills):
    """The seconds of each kill."""
    faults, server = start(bench)
    took = []
    while len(took) < kills:
        chosen = random.sample(range(POOLS), min(POOLS // 2, kills - len(took)))
        took += kill_some(bench, faults, server, chosen)
        for pool in chosen:
            faults.mode(f"k{pool}", "ok")
        wait_until(lambda chosen=chosen: are_first(bench, server, chosen), 60, "all are up again")
    return took


def main():
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", required=True, help="where steerd is installed")
    parser.add_argument("--kills", type=int, default=1000, help="how many (1000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        certificates = os.path.join(directory, "certificates")
        subprocess.run([os.path.join(SOURCE, "scripts/make-test-ca"), certificates, "dl.files.example"], check=True,
                       stdout=subprocess.DEVNULL)
        bench = Bench(directory, os.path.abspath(options.prefix), certificates)
        try:
            took = measure(bench, options.kills)
        finally:
            bench.close()
    seen = sorted(seconds for seconds in took if seconds is not None)
    within = sum(seconds <= BOUND_S for seconds in seen)
    print(f"kills={len(took)} seen={len(seen)} within={within} bound_ms={BOUND_S * 1000:.0f} "
          f"median_ms={statistics.median(seen) * 1000:.0f} p99_ms={seen[int(len(seen) * 0.99) - 1] * 1000:.0f} "
          f"worst_ms={seen[-1] * 1000:.0f}")


if __name__ == "__main__":
    main()
