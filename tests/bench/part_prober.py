# SPDX-License-Identifier: Apache-2.0
"""The prober: what many targets cost it, what the exchange of verdicts costs, how soon a dead backend has left the answers."""

import os
import re

import rig

TARGETS, EVERY_S = 10000, 10
WATCHED_S = 60
HANGING, HANGING_MS = 3000, 5000
FAILING = 2000
EXCHANGE_S, EXCHANGE_ROUNDS = 10, 5


def certificates(bench):
    """The directory of a CA for tests."""
    directory = os.path.dirname(bench.path("certificates", "x"))
    bench.output(os.path.join(rig.SOURCE, "scripts/make-test-ca"), directory, "dl.files.example")
    return directory


def watch_targets(bench, seconds, hanging=0):
    """What bench_prober says: the prober on the server's core and the backends on the other."""
    directory = certificates(bench)
    core = str(bench.options.load_cpu)
    backend = bench.start("backend", [
        bench.program("tests/tools/backend"), "--cert", f"{directory}/good.pem", "--key", f"{directory}/good.key",
        "--listen", "0.0.0.0:0", "--name", "all", "--listen", "0.0.0.0:0", "--name", "mute", "--mode", "hang"], core)
    ports = backend.wait(lambda: re.search(r"ready \S*:(\d+) \S*:(\d+)", backend.said())).groups()
    said = bench.output("taskset", "-c", core, bench.program("tests/bench/bench_prober"), bench.program("steerd-prober"),
                        f"{directory}/ca.pem", ports[0], str(TARGETS), str(EVERY_S * 1000), str(seconds),
                        str(bench.options.server_cpu), *([str(hanging), ports[1], str(HANGING_MS)] if hanging else []))
    bench.stop()
    return rig.fields(said)


def measure_targets(bench):
    """Rows of the table: HTTPS targets that are all well."""
    got = watch_targets(bench, WATCHED_S)
    what = f"{rig.number(TARGETS)} HTTPS targets every {EVERY_S} s"
    return [
        [f"{what}: checks made, of those that were due", "100%", f"{got['checks'] / got['expected']:.1%}"],
        [f"{what}: in time, failed", "99%, 0", f"{got['on_time'] / got['checks']:.1%}, {got['failed']:.0f}"
         if got["checks"] else "none was made"],
        [f"{what}: CPU time of the prober, of one core", "100%", f"{got['cpu']:.0f}%"],
        [f"{what}: the most memory that it had", "100 MB", f"{got['rss_mb']:.0f} MB"],
    ]


def measure_hanging(bench):
    """A row of the table: a region is gone."""
    got = watch_targets(bench, WATCHED_S, HANGING)
    return [[f"{rig.number(HANGING)} of them take connections and hang for {HANGING_MS / 1000:.0f} s: the others in time, failed; "
             "the most memory", "99%, 0; -", f"{got['on_time'] / got['checks']:.1%}, {got['failed']:.0f}; {got['rss_mb']:.0f} MB"
             if got["checks"] else "none was made"]]


def measure_exchange(bench):
    """Rows of the table: calm and stormy seconds in turn."""
    said = bench.output("taskset", "-c", str(bench.options.server_cpu), bench.program("tests/bench/bench_exchange"),
                        str(TARGETS), str(FAILING), str(EXCHANGE_S), str(EXCHANGE_ROUNDS))
    runs = {kind: [rig.fields(line) for line in said.splitlines() if line.startswith(f"kind={kind}")]
            for kind in ("calm", "storm")}
    for run in runs["calm"] + runs["storm"]:
        run["cpu_ms"] = run["prober_cpu_ms"] + run["steerd_cpu_ms"]
    rows = []
    for about, key, unit, digits in (
            ("octets a second", "bytes", "", 0), ("CPU time of both ends a second", "cpu_ms", " ms", 1),
            ("CPU time of the prober's end a second", "prober_cpu_ms", " ms", 1),
            ("CPU time of steerd's end a second", "steerd_cpu_ms", " ms", 1)):
        calm, storm = (rig.median([run[key] for run in runs[kind]]) for kind in ("calm", "storm"))
        ratio = rig.median([b[key] / a[key] for a, b in zip(runs["calm"], runs["storm"])])
        rows.append([f"exchange of {rig.number(TARGETS)} verdicts, {about}: none changes; {rig.number(FAILING)} fail each second",
                     "1.00 ± 0.05 ×", f"{rig.number(calm, digits)}{unit}; {rig.number(storm, digits)}{unit}: {ratio:.2f} ×"])
    return rows


def measure_guard(bench):
    """A row of the table."""
    said = bench.output("taskset", "-c", str(bench.options.server_cpu), bench.program("tests/bench/bench_guard"),
                        str(TARGETS), str(bench.options.rounds))
    runs = [rig.fields(line) for line in said.splitlines()]
    calm, worst = runs[0]["median_us"] / 1000, max(run["worst_us"] for run in runs) / 1000
    return [[f"what is believed of {rig.number(TARGETS)} addresses: a look, CPU time; the worst while all fail and come back",
             "", f"{calm:.1f} ms; {worst:.1f} ms"]]


def measure_detection(bench):
    """A row of the table."""
    prefix = bench.program("installed")
    if not os.path.isdir(prefix):
        raise rig.Missing(f"{prefix} is not there: configure with that prefix, and make install")
    got = rig.fields(bench.output(os.path.join(rig.HERE, "detection.py"), "--prefix", prefix))
    return [[
        f"{got['kills']:.0f} backends killed: left the answers within fall × every + timeout + 100 ms ({got['bound_ms']:.0f} ms)",
        "99%", f"{got['within'] / got['kills']:.1%}; median {got['median_ms']:.0f} ms, 99% {got['p99_ms']:.0f} ms, "
        f"worst {got['worst_ms']:.0f} ms"]]


def measure(bench):
    """The table."""
    return rig.table(["what", "wanted", "measured"],
                     measure_targets(bench) + measure_hanging(bench) + measure_exchange(bench) + measure_guard(bench)
                     + measure_detection(bench))
