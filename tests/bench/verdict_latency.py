#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a verdict takes from the prober to the answers.

usage: tests/bench/verdict_latency.py --prefix PREFIX [--rounds N]

A backend fails and recovers in turn, each judged by one check.  The clock starts when the prober logs its verdict and
stops when the answer has moved; both are watched without a pause.  It ends with the median and the worst of N changes
(40).  The clock starts a little late, by the time that a line takes through the log file: less than a millisecond.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))

import wire  # noqa: E402  # pylint: disable=wrong-import-position
from harness import Bench  # noqa: E402  # pylint: disable=wrong-import-position
from world import zone_head  # noqa: E402  # pylint: disable=wrong-import-position

NAME = "dl.files.example"


class VerdictWatch(threading.Thread):
    """Notes when the prober says that a target is up or down."""

    def __init__(self, log_path):
        super().__init__(daemon=True)
        self.log_path = log_path
        self.said = {}
        self.start()

    def run(self):
        with open(self.log_path, encoding="utf-8") as log:
            rest = ""
            while True:
                piece = log.read()
                if not piece:
                    time.sleep(0.0002)
                    continue
                now = time.monotonic()
                *lines, rest = (rest + piece).split("\n")
                for line in lines:
                    if "steerd-prober:" in line and ".1' is " in line:
                        self.said["down" if " is down" in line else "up"] = now


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
    bench.backend(2)
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"edge": bench.monitor(every="500ms", fall=1, rise=1)}, pools={"downloads": {
        "method": "failover", "monitor": "edge",
        "members": {"first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}}})
    server = bench.steerd()
    watch = VerdictWatch(server.log_path)
    latencies = []
    while "up" not in watch.said:
        time.sleep(0.01)
    for turn in range(rounds):
        state, mode, want = ("down", "error", 2) if turn % 2 == 0 else ("up", "ok", 1)
        watch.said.clear()
        backend.mode = mode
        moved_at = wait_for_answer(server, bench.address(want))
        while state not in watch.said:
            time.sleep(0.001)
        latencies.append(max(0.0, moved_at - watch.said[state]))
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
    print(f"verdict to answer, {len(latencies)} changes: median {statistics.median(latencies) * 1000:.1f} ms, "
          f"worst {max(latencies) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
