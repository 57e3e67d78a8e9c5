# SPDX-License-Identifier: Apache-2.0
"""Geography: how long a database takes to compile, what is kept of it, what a look-up costs."""

import re
import subprocess

import rig

SITES = (12, 40)
WANTED = {"build": "0.4 / 0.6 s", "kept": "15 / 30 MB", "times": "10 ×"}
RUNS = 3


def build_and_find(bench, sites, path):
    """{"build": s, "kept": MB, "peak": MB, "IPv4": ns, "IPv6": ns} of the fastest build of three."""
    texts = [bench.output(bench.program("tests/bench/bench_geo"), str(sites), path) for _ in range(RUNS)]
    found = {}
    for key, pattern in (("build", r"build: ([0-9.]+)"), ("kept", r"kept: ([0-9.]+)"), ("peak", r"process: ([0-9.]+)"),
                         ("IPv4", r"IPv4: ([0-9.]+)"), ("IPv6", r"IPv6: ([0-9.]+)")):
        found[key] = rig.median([float(re.search(pattern, text).group(1)) for text in texts])
    return found


def library(bench, path):
    """{"IPv4": ns, ...} of libmaxminddb, or nothing where it cannot be built."""
    made = subprocess.run(["make", "-s", "-C", bench.build, "tests/bench/bench_maxminddb"], capture_output=True,
                          text=True, check=False)
    if made.returncode != 0:
        rig.say("libmaxminddb is not compared: it is not installed (scripts/packages install bench)")
        return {}
    text = bench.output(bench.program("tests/bench/bench_maxminddb"), path)
    return {name: float(ns) for name, ns in re.findall(r"^(.*): ([0-9.]+) ns", text, re.MULTILINE)}


def rows_of(bench, name, path):
    """Rows of one database."""
    found = [build_and_find(bench, sites, path) for sites in SITES]

    def both(key, digits):
        return " / ".join(f"{one[key]:.{digits}f}" for one in found)

    return found[0], [
        [f"{name}: build", WANTED["build"], f"{both('build', 2)} s"],
        [f"{name}: kept; the most that the process had", WANTED["kept"], f"{both('kept', 1)} MB; {both('peak', 0)} MB"],
        [f"{name}: class and scope of an IPv4 address", "-", f"{both('IPv4', 0)} ns"],
        [f"{name}: class and scope of an IPv6 address", "-", f"{both('IPv6', 0)} ns"],
    ]


def measure(bench):
    """The table."""
    _, rows = rows_of(bench, "the database that comes with steerd", bench.program("geo/default.geo"))
    if bench.options.city:
        ours, more = rows_of(bench, "city database", bench.options.city)
        rows += more
        theirs = library(bench, bench.options.city)
        for family in ("IPv4", "IPv6"):
            if family in theirs:
                rows.append([f"`MMDB_lookup_sockaddr` of an {family} address; with its position", WANTED["times"],
                             f"{theirs[family] / ours[family]:.0f} × ({theirs[family]:.0f} ns); "
                             f"{theirs[family + ' with position'] / ours[family]:.0f} ×"])
    return rig.table(["what", "wanted for 12 / 40 sites", "measured for 12 / 40 sites"], rows)
