#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a verdict takes from the check to the answers.

usage: tests/bench/verdict_latency.py --prefix PREFIX [--rounds N]

A backend fails and recovers in turn, each judged by one check.  The clock starts when the backend has read the request
of the deciding check and stops when the answer has moved; both are watched without a pause.  So the figure holds the
backend's reply, the prober's verdict, its way to steerd and the plan that is made of it.
It ends with the median and the worst of N changes (40).
"""

import argparse
import os
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

NAME = "dl.files.example"


class TimedHeads(list):
    """Notes when each request was read."""

    def __init__(self):
        super().__init__()
        self.read_at = []

    def append(self, head):
        self.read_at.append(time.monotonic())
        super().append(head)

    def last_before(self, moment):
        """When the last one before that was read."""
        return max(at for at in self.read_at if at <= moment)


def wait_for_answer(server, want):
    """Asks until the answer is `want`; when that was."""
    query = wire.query(NAME)
    while True:
        reply = wire.ask_udp(server.server, query, 5)
        if reply and wire.Response(reply).addresses == [want]:
            return time.monotonic()


def measure(bench, rounds):
    """The latencies in seconds."""
    backend = bench.backend(1)
    backend.heads = TimedHeads()
    bench.backend(2)
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"edge": bench.monitor(every="1s", timeout="1s", fall=1, rise=1)}, pools={"downloads": {
        "method": "failover", "monitor": "edge",
        "members": {"first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}}})
    server = bench.steerd()
    latencies = []
    wait_until(lambda: backend.heads, 20, "the first check")
    for turn in range(rounds):
        mode, want = ("error", 2) if turn % 2 == 0 else ("ok", 1)
        backend.mode = mode
        moved_at = wait_for_answer(server, bench.address(want))
        latencies.append(moved_at - backend.heads.last_before(moved_at))
    return latencies


def main():
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", required=True, help="where steerd is installed")
    parser.add_argument("--rounds", type=int, default=40, help="how many changes (40)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        certificates = os.path.join(directory, "certificates")
        subprocess.run([os.path.join(SOURCE, "scripts/make-test-ca"), certificates, NAME], check=True,
                       stdout=subprocess.DEVNULL)
        bench = Bench(directory, os.path.abspath(options.prefix), certificates)
        try:
            latencies = measure(bench, options.rounds)
        finally:
            bench.close()
    print(f"check to answer, {len(latencies)} changes: median {statistics.median(latencies) * 1000:.1f} ms, "
          f"worst {max(latencies) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
