# SPDX-License-Identifier: Apache-2.0
"""Under load: changes while queries come, a second worker, and how long a verdict takes."""

import os
import subprocess
import time

import control
import rig

TURNS = 5  # runs without changes and runs with them
PACE_S = 0.025  # from one change to the next
WANTED_P99 = 1.2
VERSION_TTL = 300  # of version 0

CONFIG = """\
listen: ["127.0.0.1:0"]
workers: 1
zones: {zones}
state: {state}
control: {state}/control
pools:
  steady: {{method: all, members: {{only: {{address: [10.2.0.1, 10.2.0.2]}}}}}}
  turning:
    method: failover
    answers: 2
    members:
      first: {{address: [10.1.1.1, 10.1.1.2]}}
      second: {{address: [10.1.2.1, 10.1.2.2]}}
"""

# Every TTL is the version's, and every IPv4 address that changes has it in the third octet.
ZONE = """\
$TTL {ttl}
@ SOA ns1 host {serial} 7200 900 1209600 {ttl}
@ NS ns1
@ MX 10 set
ns1 A 10.0.{version}.1
set A 10.0.{version}.1
set A 10.0.{version}.2
set A 10.0.{version}.3
set A 10.0.{version}.4
set TXT "version {version}"
alias CNAME alias{version}
alias{version} CNAME set
to CNAME steady
turns CNAME turning
*.wild A 10.0.{version}.5
*.wild A 10.0.{version}.6
_steer.steady TXT "pool=steady"
_steer.turning TXT "pool=turning"
"""
QUERIES = """\
set.v.example A edns
alias.v.example A edns
to.v.example A ecs4
steady.v.example A ecs4
turns.v.example A ecs4
turning.v.example A ecs4
x.wild.v.example A edns
set.v.example TXT edns
v.example MX edns
v.example SOA edns
nothing.v.example A edns
set.v.example AAAA edns
"""


# ---- changes under load -----------------------------------------------------------------------------------------


class World:
    """A daemon with a zone that has two versions and a pool that has two states."""

    def __init__(self, bench):
        self.bench = bench
        self.serial = 1
        self.is_forced = False
        state = os.path.dirname(bench.path("state", "x"))
        zones = os.path.dirname(bench.path("zones", "x"))
        self.write_zone()
        config = bench.write("steerd.yaml", CONFIG.format(zones=zones, state=state))
        self.queries = bench.write("queries.txt", QUERIES)
        self.socket = os.path.join(state, "control")
        cpus = f"{bench.options.server_cpu},{bench.options.load_cpu}"
        self.process, _ = bench.steerd(config, cpus=cpus)
        bench.pin_workers(self.process, [bench.options.server_cpu])  # what makes the changes takes what is free

    def write_zone(self):
        """The zone as of the serial."""
        version = self.serial % 2
        self.bench.write("zones/v.example.zone", ZONE.format(
            serial=self.serial, version=version, ttl=VERSION_TTL + version))

    def reload(self):
        """The other version."""
        self.serial += 1
        self.write_zone()
        control.ask(self.socket, "reload")

    def turn(self):
        """The other state of the pool: what a verdict changes, without the check."""
        self.is_forced = not self.is_forced
        if self.is_forced:
            control.ask(self.socket, "force", state="down", subject="turning/first")
        else:
            control.ask(self.socket, "release", subject="turning/first")

    def load(self, rate, seconds, seed):
        """Starts dnsload."""
        return subprocess.Popen(
            self.bench.load_command(self.process.port, self.queries, "--rate", str(rate), "--seconds", str(seconds),
                                    "--seed", str(seed), "--one-version"),
            stdout=subprocess.PIPE, text=True)


def change_during(load, change, count):
    """Changes so often, evenly, while the load runs; gives how often it did, and what dnsload said."""
    done, begun = 0, time.monotonic()
    while done < count and load.poll() is None:
        change()
        done += 1
        time.sleep(max(0.0, begun + done * PACE_S - time.monotonic()))
    with load:
        return done, rig.fields(load.stdout.read())


def under_load(world, change, rate):
    """A row: what was lost and torn, and how late the slowest hundredth was, with changes and without."""
    count = world.bench.options.changes // TURNS
    seconds = int(count * PACE_S * 1.1) + 2
    quiet, busy, changes = [], [], 0
    for seed in range(TURNS):
        quiet.append(change_during(world.load(rate, 2, seed), change, 0)[1])
        done, said = change_during(world.load(rate, seconds, seed), change, count)
        busy.append(said)
        changes += done
    ratio = rig.median([a["p99_us"] / b["p99_us"] for a, b in zip(busy, quiet)])
    return [f"{changes:,}", rig.number(sum(one["answered"] for one in busy)),
            *(f"{sum(one[key] for one in busy):.0f}" for key in ("lost", "torn", "other")),
            *(f"{rig.median([one['p99_us'] for one in runs]):.0f} µs" for runs in (quiet, busy)), f"{ratio:.2f} ×"]


def measure_changes(bench):
    """The table of changes under load."""
    world = World(bench)
    most = bench.load(world.process.port, world.queries, "--seconds", "2")["qps"]
    before = control.ask(world.socket, "status")
    rows = [["reloads, two versions of a zone in turn", *under_load(world, world.reload, int(most / 2))],
            ["a member forced down and released", *under_load(world, world.turn, int(most / 2))]]
    after = control.ask(world.socket, "status")
    if after["plan"] - before["plan"] < 2 * (bench.options.changes // TURNS * TURNS):
        raise rig.Missing(f"too few plans were made: {before['plan']} to {after['plan']}")
    return rig.table(["change", "times", "answers", "lost", "of two versions", "errors", "p99 without", "p99 with",
                      f"ratio; at most {WANTED_P99}"], rows) + (
        f"\n\nHalf load: {rig.number(most / 2)} queries a second. An answer is of two versions if its TTLs, or the "
        "third octets of its addresses, differ. Forcing a member makes a plan as a verdict does.")


# ---- two workers ------------------------------------------------------------------------------------------------


def cost_of(bench, processes, kind, seed):
    """CPU time of a query, with two load generators: one for each process, or both for the one."""
    ports = [processes[0].port, processes[-1].port]
    before = sum(rig.cpu_ns(process.pid) for process in processes)
    loads = [subprocess.Popen(
        bench.load_command(port, rig.queries(kind), "--sockets", "8", "--seconds", str(bench.options.seconds),
                           "--seed", str(seed + number)), stdout=subprocess.PIPE, text=True)
             for number, port in enumerate(ports)]
    answered = 0
    for load in loads:
        with load:
            answered += rig.fields(load.stdout.read())["answered"]
    return (sum(rig.cpu_ns(process.pid) for process in processes) - before) / answered


def plan_costs(bench, kind):
    """[ns] of answer_query() alone: one thread, two processes of one, one process of two."""
    cores = [str(cpu) for cpu in (bench.options.server_cpu, bench.options.load_cpu)]
    count = str(bench.options.seconds * 1000000)

    def run(*commands):
        running = [subprocess.Popen([*command, kind, count, threads], stdout=subprocess.PIPE, text=True,
                                    env={**os.environ, "srcdir": rig.SOURCE}) for *command, threads in commands]
        found = []
        for process in running:
            with process:
                found.append(float(process.stdout.read().split()[1]))
        return sum(found) / len(found)

    program = bench.program("tests/bench/bench_answer")
    one, other = (("taskset", "-c", core, program, "1") for core in cores)
    return run(one), run(one, other), run(("taskset", "-c", ",".join(cores), program, "2"))


def daemon_costs(bench):
    """A function that gives the same for the daemon, kernel and all."""
    cores = [str(cpu) for cpu in (bench.options.server_cpu, bench.options.load_cpu)]
    one, _ = bench.steerd(bench.bench_config("one"), "one")
    other, _ = bench.steerd(bench.bench_config("other"), "other", cores[1])
    both, _ = bench.steerd(bench.bench_config("both", WORKERS="2"), "both", ",".join(cores))
    bench.pin_workers(both, cores)
    return lambda kind, seed: [cost_of(bench, group, kind, seed) for group in ((one,), (one, other), (both,))]


def measure_workers(bench):
    """Two workers of one process beside two processes, which share no memory: what sharing costs is the difference."""
    rounds = range(1, bench.options.rounds + 1)
    daemons = daemon_costs(bench)
    runs = {f"answer_query() alone, {kind}": [plan_costs(bench, kind) for _ in rounds]
            for kind in ("steered-subnet", "static-edns")}
    runs.update({f"the daemon, {kind}": [daemons(kind, number) for number in rounds] for kind in ("steered", "static")})
    rows = [[name, *(f"{rig.number(rig.median(listed))} ns" for listed in zip(*costs)),
             f"{rig.median([together / apart for _, apart, together in costs]):.2f} ×"]
            for name, costs in runs.items()]
    return rig.table(["CPU time of a query", "one worker", "two processes of one worker", "one process of two workers",
                      "together to apart"], rows) + (
        "\n\nThe load generators share the second core with the second worker, so that batches are smaller there, and each "
        "query dearer; and clients fall on the sockets of one process as the kernel's hash has it. answer_query() alone "
        "has no kernel in it.")


# ---- verdicts ---------------------------------------------------------------------------------------------------


def measure_verdict(bench):
    """One line."""
    prefix = bench.program("installed")
    if not os.path.isdir(prefix):
        raise rig.Missing(f"{prefix} is not there: configure with that prefix, and make install")
    return bench.output(os.path.join(rig.HERE, "verdict_latency.py"), "--prefix", prefix).strip()
