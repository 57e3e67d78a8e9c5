# SPDX-License-Identifier: Apache-2.0
"""What an answer costs: CPU time beside other servers, instructions, and the worst queries."""

import os
import random
import re

import peers
import rig

SAMPLES = 400
COUNTED = 20000
KINDS = {
    "steered": "steered + ECS: a pool, 12 sites, a random client subnet",
    "mixed": "mixed: see `tests/bench/queries/mixed.txt`",
    "static": "static: a record set as the zone has it",
    "nxdomain": "NXDOMAIN: a name that does not exist",
}
LIMITS = {"steered": 1000, "static": 700, "nxdomain": 800}
WORST_TIMES = 3


# ---- the same answers -------------------------------------------------------------------------------------------


def ask(port, octets):
    """The response, read."""
    import wire  # pylint: disable=import-outside-toplevel  # rig.py has told where it is

    reply = wire.ask_udp(("127.0.0.1", port), octets, 5)
    if reply is None:
        raise rig.Missing(f"no answer at port {port}")
    return wire.Response(reply)


def lines_of(kind):
    """(name, type, form) of a file of queries."""
    with open(rig.queries(kind), encoding="utf-8") as file:
        return [tuple(line.split()) for line in file if line.strip() and not line.startswith("#")]


def own_records(response, name, rtype):
    """What it says of the name itself: not every server follows CNAMEs."""
    own = [record for record in response.answer if (record.type, record.name) == (rtype, name + ".")]
    return response.rcode, sorted(record.text for record in own)


def check_data(ours, peer):
    """A peer that says something else of what is written is not measured."""
    import wire  # pylint: disable=import-outside-toplevel

    for name, rtype, _ in sorted({line for kind in ("static", "nxdomain", "mixed") for line in lines_of(kind)}):
        if name.startswith("dl"):
            continue
        octets = wire.query(name, rtype, edns=wire.opt_record())
        got, want = [own_records(ask(port, octets), name, rtype) for port in (peer.port, ours)]
        if got != want:
            raise rig.Missing(f"{peer.name} answers {name} {rtype} with {got}, steerd with {want}")


def same_share(ours, peer):
    """Of random clients, how many get the same addresses."""
    import wire  # pylint: disable=import-outside-toplevel

    draw = random.Random(1)
    ordinary = [number for number in range(1, 224) if number not in (10, 127, 172, 192)]
    same = 0
    for _ in range(SAMPLES):
        subnet = f"{draw.choice(ordinary)}.{draw.randrange(256)}.0.0/24"
        octets = wire.ecs_query("dl0.bench.example", "A", subnet)
        same += ask(peer.port, octets).addresses == ask(ours, octets).addresses
    return same / SAMPLES


# ---- CPU time ---------------------------------------------------------------------------------------------------


def ratio(costs, others):
    """The median of runs that stood side by side; a run without an answer has no cost."""
    return rig.median([a / b for a, b in zip(costs, others) if a and b])


def cell(costs, echo, gdnsd):
    """One figure of the table: ns, times the echo, times gdnsd."""
    if not any(costs):
        return "-"
    ratios = [ratio(costs, others) for others in (echo, gdnsd)]
    return " · ".join([rig.number(rig.median([cost for cost in costs if cost])),
                       *(f"{one:.2f}" if one else "-" for one in ratios)])


def measure_all(bench, servers):
    """{(server, kind): [what dnsload says]} of runs that alternate."""
    runs = {}
    for number in range(1, bench.options.rounds + 1):
        rig.say(f"round {number} of {bench.options.rounds}")
        for kind in KINDS:
            for name, process, kinds in servers:
                if kind in kinds:
                    runs.setdefault((name, kind), []).append(bench.timed(process, rig.queries(kind), number))
    return runs


def measure(bench):
    """The table of peers."""
    notes = [f"{one} runs already: stop it" for one in peers.already_running()]
    echo = bench.start("echo", [bench.program("tests/bench/echo")])
    echo.wait_ready()
    steerd, _ = bench.steerd(bench.bench_config("steerd"))
    found, reasons = peers.installed(bench)
    agreement = {}
    for peer in found:
        check_data(steerd.port, peer)
        if "steered" in peer.kinds:
            agreement[peer.name] = f"{same_share(steerd.port, peer):.0%}, {peer.note}"
    servers = [("echo", echo, peers.ALL), ("steerd", steerd, peers.ALL)]
    servers += [(peer.name, peer.process, peer.kinds) for peer in found]
    runs = measure_all(bench, servers)
    costs = {key: [run.get("cpu_ns", 0) for run in listed] for key, listed in runs.items()}
    versions = {peer.name: f"{peer.name} {peer.version()}" for peer in found}
    rows = []
    for name, _, _ in servers:
        cells = [cell(*(costs.get((one, kind), []) for one in (name, "echo", "gdnsd"))) for kind in KINDS]
        rows.append([versions.get(name, name), *cells, agreement.get(name, "-")])
    bad = {name: max(sum(run["lost"] + run["other"] for run in listed)
                     for (one, _), listed in runs.items() if one == name) for name, _, _ in servers}
    worst = ", ".join(f"{name} {count:.0f}" for name, count in bad.items() if count)
    if worst:
        notes.append(f"Queries lost or answered with an error, of all that one kind sent, at the most: {worst}.")
    rates = {kind: rig.median([run["qps"] for run in runs["steerd", kind]]) for kind in KINDS}
    return "\n".join([
        rig.table(["CPU time of a query: ns · times the echo · times gdnsd", *KINDS, "same addresses as steerd"],
                  rows), "",
        f"{bench.options.rounds} runs of {bench.options.seconds} s each, in turn. A - is what a server cannot do: NSD "
        "does not steer, BIND does not read client subnets. steerd's queries a second with a load generator of one core: "
        f"{', '.join(f'{kind} {rig.number(rate)}' for kind, rate in rates.items())}.",
        *(f"* {note}" for note in notes + reasons)])


# ---- instructions ------------------------------------------------------------------------------------------------


def total(path):
    """What callgrind counted."""
    with open(path, encoding="utf-8") as file:
        return int(re.search(r"^totals: (\d+)", file.read(), re.MULTILINE).group(1))


def callgrind(bench, name):
    """The wrapper that counts from when counted() says so: until then a server runs five times as fast."""
    return ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={bench.path('count', name)}"]


def counted(bench, process, files):
    """[instructions a query] of a server that callgrind() has wrapped, for each file of queries."""
    slow = ("--window", "8", "--timeout-ms", "60000")
    path = bench.path("count", process.name)
    bench.output("callgrind_control", "-i", "on", str(process.pid))
    found = []
    for file in files:
        bench.load(process.port, file, "--count", "500", *slow)
        bench.output("callgrind_control", "-z", str(process.pid))
        bench.load(process.port, file, "--count", str(COUNTED), *slow)
        bench.output("callgrind_control", "-d", str(process.pid))
        found.append(total(f"{path}.{len(found) + 1}") / COUNTED)
    bench.stop(process)
    return found


def count_peers(bench):
    """{name: {kind: instructions}} of those that steer."""
    found = {}
    for peer in (peers.Gdnsd, peers.Knot):
        try:
            one = peer(bench)
            one.start(callgrind(bench, one.name))
            found[one.name] = dict(zip(one.kinds, counted(bench, one.process, map(rig.queries, one.kinds))))
        except rig.Missing as missing:
            rig.say(str(missing))
    return found


def count(bench):
    """The table of instructions: the whole daemon, everything between its two system calls."""
    rig.need("valgrind")
    ours, _ = bench.steerd(bench.bench_config("steerd"), wrapper=callgrind(bench, "steerd"))
    servers = {"steerd": dict(zip(KINDS, counted(bench, ours, map(rig.queries, KINDS)))), **count_peers(bench)}
    rows = [[about, rig.number(LIMITS[kind]) if kind in LIMITS else "-",
             *(rig.number(one[kind]) if kind in one else "-" for one in servers.values())]
            for kind, about in KINDS.items()]
    return rig.table(["instructions of a query", "wanted", *servers], rows)


def worst(bench):
    """The table of the worst queries, answer_query() alone."""
    figures = bench.output(os.path.join(rig.SOURCE, "scripts/count-instructions"), "--print", bench.build)
    counts = {kind: int(value) for kind, value in (line.split() for line in figures.splitlines())}
    usual = counts["mixed"]
    rows = [[kind, rig.number(value), f"{value / usual:.1f}" + (" (above)" if value > WORST_TIMES * usual else "")]
            for kind, value in counts.items()]
    return rig.table(["kind", "instructions", f"times mixed; at most {WORST_TIMES}"], rows)
