# SPDX-License-Identifier: Apache-2.0
"""Large zones and many: how long they take to load, what is kept of them, what an answer from them costs."""

import os
import random
import time

import control
import part_peers
import rig

NAMES = 1000000
ASKED = 50000  # distinct names: their memory is in no cache
ZONES = 10000
RELOADS = 9

HEAD = "$TTL 3600\n@ SOA ns1 host {serial} 7200 900 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n"
CONFIG = """\
listen: ["127.0.0.1:0"]
workers: 1
zones: {zones}
state: {state}
control: {state}/control
"""


def config(bench, name):
    """steerd.yaml with a directory of zones and nothing else."""
    state = os.path.dirname(bench.path(name, "state", "x"))
    zones = os.path.dirname(bench.path(name, "zones", "x"))
    return bench.write(f"{name}/steerd.yaml", CONFIG.format(zones=zones, state=state))


def address(number):
    """Of a host."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def loaded(bench, name):
    """Starts several times; a process that answers, and the medians of the seconds until it did, and of CPU time."""
    path, seconds, spent = config(bench, name), [], []
    for number in range(3):
        process, took = bench.steerd(path, f"{name}-{number}", f"{bench.options.server_cpu},{bench.options.load_cpu}")
        seconds.append(took)
        spent.append(rig.cpu_ns(process.pid) / 1e9)
        if number < 2:
            bench.stop(process)
    return process, f"{rig.median(seconds):.2f} s ({rig.median(spent):.2f} s of CPU)"


# ---- one zone of a million names --------------------------------------------------------------------------------


def write_large(bench):
    """The zone, and a file of queries for names of it."""
    hosts = (f"host{number} A {address(number)}\n" for number in range(NAMES))
    bench.write("large/zones/large.example.zone", HEAD.format(serial=1) + "".join(hosts))
    draw = random.Random(1)
    return bench.write("large.txt", "".join(
        f"host{draw.randrange(NAMES)}.large.example A edns\n" for _ in range(ASKED)))


def instructions(bench, path, file, name):
    """A query's, in the whole daemon."""
    process, _ = bench.steerd(path, name, wrapper=part_peers.callgrind(bench, name))
    return part_peers.counted(bench, process, [file])[0]


def measure_large(bench):
    """Rows of the table."""
    file = write_large(bench)
    process, seconds = loaded(bench, "large")
    kept, most = rig.resident_mb(process.pid), rig.resident_mb(process.pid, "VmHWM")
    small_config = bench.bench_config("small")
    small, _ = bench.steerd(small_config, "small")
    bench.output("taskset", "-acp", str(bench.options.server_cpu), str(process.pid))
    costs = [(bench.timed(process, file, number)["cpu_ns"],
              bench.timed(small, rig.queries("static"), number)["cpu_ns"])
             for number in range(1, bench.options.rounds + 1)]
    bench.stop()
    counts = (instructions(bench, config(bench, "large"), file, "large-count"),
              instructions(bench, small_config, rig.queries("static"), "small-count"))
    empty = bench.steerd(small_config, "empty")[0]
    base = rig.resident_mb(empty.pid)
    bench.stop()
    inside = bench.output(bench.program("tests/bench/bench_zone"), str(NAMES))
    set_mb = inside.partition("kept")[2].split()[0]
    return [
        ["1,000,000 names: process started to answers", "1.5 s", seconds],
        ["memory kept: the zone set; the process; at most while it loads", "150 MB",
         f"{set_mb} MB; {kept:.0f} MB ({base:.0f} MB with the small zone and its geography); {most:.0f} MB"],
        ["CPU time of an answer against the small zone's", "1.3 ×",
         f"{rig.median([a / b for a, b in costs]):.2f} × ({rig.number(rig.median([a for a, _ in costs]))} ns)"],
        ["instructions of an answer against the small zone's", "1.3 ×",
         f"{counts[0] / counts[1]:.2f} × ({rig.number(counts[0])})"],
    ]


# ---- ten thousand zones -----------------------------------------------------------------------------------------


def write_zone(bench, number, serial):
    """One of 20 records: SOA, NS, A and 17 hosts."""
    hosts = (f"host{host} A {address(number * 32 + host)}\n" for host in range(17))
    bench.write(f"many/zones/zone{number}.example.zone", HEAD.format(serial=serial) + "".join(hosts))


def measure_many(bench):
    """Rows of the table."""
    for number in range(ZONES):
        write_zone(bench, number, 1)
    process, seconds = loaded(bench, "many")
    socket = bench.path("many", "state", "control")
    asked, commanded, spent = [], [], []
    for serial in range(2, 2 + RELOADS):
        write_zone(bench, serial, serial)
        begun, cpu = time.monotonic(), rig.cpu_ns(process.pid)
        control.ask(socket, "reload")
        asked.append(time.monotonic() - begun)
        spent.append((rig.cpu_ns(process.pid) - cpu) / 1e6)
        write_zone(bench, serial, serial + 100)
        begun = time.monotonic()
        bench.output(bench.program("steerctl"), "-s", socket, "reload")
        commanded.append(time.monotonic() - begun)
    kept = rig.resident_mb(process.pid)
    bench.stop()
    return [
        ["10,000 zones of 20 records: process started to answers", "3 s", seconds],
        ["memory kept: the process", "-", f"{kept:.0f} MB"],
        ["reload of one changed zone: at the control socket; `steerctl reload` as a whole", "100 ms",
         f"{rig.median(asked) * 1000:.0f} ms ({rig.median(spent):.0f} ms of CPU); "
         f"{rig.median(commanded) * 1000:.0f} ms"],
    ]


def measure(bench):
    """The table."""
    return rig.table(["what", "wanted", "measured"], measure_large(bench) + measure_many(bench))
