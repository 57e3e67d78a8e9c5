# SPDX-License-Identifier: Apache-2.0
"""Numbers for a monitoring system: steerctl metrics, read as strictly as the text format of Prometheus allows."""

import os
import re
import signal
import time

from harness import contains, equal, true, wait_until
from world import EUROPE, four_backends, nearest_pool, steered_world, zone_head

NAME = "dl.files.example"

SERIES = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')


def read_labels(text):
    """{name: value}; whatever is not a list of labels fails."""
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        true(found, f"labels {text!r} at {at}")
        true(found.group(1) not in labels, f"a label twice: {text!r}")
        labels[found.group(1)] = re.sub(r'\\(.)', lambda m: "\n" if m.group(1) == "n" else m.group(1), found.group(2))
        at = found.end()
    return labels


def read_metrics(text):
    """{(name, labels): value}, of a text that keeps every rule of the format."""
    true(text.endswith("\n"), "the last line ends")
    helped, types, found, now = set(), {}, {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, now, about = line.split(" ", 3)
            true(now not in helped and about, f"one HELP each: {line}")
            helped.add(now)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            true(name == now and name not in types and kind in ("gauge", "counter"), f"a TYPE behind its HELP: {line}")
            equal(kind == "counter", name.endswith("_total"), f"counters are called _total: {line}")
            types[name] = kind
        else:
            match = SERIES.fullmatch(line)
            true(match, f"a series: {line!r}")
            name, labels, value = match.groups()
            equal(name, now, f"what belongs together stands together: {line}")
            key = (name, frozenset(read_labels(labels or "").items()))
            true(key not in found, f"no series twice: {line}")
            found[key] = float(value)
    equal(set(types), helped, "each has both")
    return found


class Metrics:
    """What steerctl metrics says now."""

    def __init__(self, server):
        self.found = read_metrics(server.ctl("metrics").out)

    def all(self, name, **labels):
        """The values of the series that have these labels."""
        return [value for (other, has), value in self.found.items() if other == name and labels.items() <= dict(has).items()]

    def one(self, name, **labels):
        """The value of the only one."""
        values = self.all(name, **labels)
        equal(len(values), 1, f"series of {name} with {labels}: {values}")
        return values[0]

    def labels(self, name):
        """Those of each series."""
        return [dict(has) for other, has in self.found if other == name]


def test_operators_view(bench):
    """A member that is down, one whose certificate ends, a drain, queries: each is a number with the labels that name it"""
    backends = [bench.backend(number, certificate="ends-in-2-days" if number == 4 else "good") for number in range(1, 5)]
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    for _ in range(7):
        server.addresses(NAME, EUROPE)
    wait_until(lambda: min(Metrics(server).all("steerd_address_seen")) == 1, 20, "all are up")
    backends[1].stop()
    server.ctl("drain", "sin-1")
    wait_until(lambda: Metrics(server).one("steerd_address_state", member="iad-1") == 3, 20, "one is down")

    def is_told():
        return Metrics(server).one("steerd_check_passed", member="iad-1") == 0

    wait_until(is_told, 10, "its check failed")
    now = Metrics(server)
    equal(now.one("steerd_build_info"), 1)
    equal(now.one("steerd_pool_members", pool="downloads"), 4)
    equal(now.one("steerd_pool_usable_members", pool="downloads"), 2)
    equal([now.one("steerd_member_usable", member=name) for name in ("fra-1", "iad-1", "sin-1", "gru-1")], [1, 0, 0, 1])
    equal([now.one("steerd_member_overridden", member=name) for name in ("fra-1", "sin-1")], [0, 1])
    equal(now.one("steerd_check_state", pool="downloads", member="iad-1", monitor="edge", address=bench.address(2)), 3)
    true(now.one("steerd_udp_queries_total") >= 7 and now.one("steerd_steered_total") >= 7, "queries are counted")
    equal(now.one("steerd_overrides"), 1)
    equal(now.one("steerd_prober_up"), 1)
    true(now.one("steerd_prober_table_age_seconds") < 5, "tables come")
    left_days = (now.one("steerd_certificate_end_seconds", member="gru-1") - time.time()) / 86400
    true(1 < left_days <= 2, f"days that its certificate has: {left_days}")
    true(all(one["name"] == NAME or NAME in one["name"] for one in now.labels("steerd_certificate_end_seconds")), "its name")
    true(now.one("steerd_check_latency_p95_seconds", member="fra-1") >= now.one("steerd_check_latency_p50_seconds", member="fra-1"),
         "quantiles")
    equal(now.one("steerd_zone_serial", zone="files.example."), 2026112201)
    equal(now.all("steerd_reload_ok"), [], "no reload was asked for")


def test_trouble(bench):
    """Nothing is left, a reload is refused, the prober was killed: all of it is in the numbers"""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: min(Metrics(server).all("steerd_address_seen")) == 1, 20, "all are up")
    equal(Metrics(server).one("steerd_problems"), 0)
    for backend in backends:
        backend.stop()
    wait_until(lambda: Metrics(server).one("steerd_pool_capacity_left_ratio") == 0, 30, "nothing is left")
    bench.zone("files.example", "rubbish\n")
    server.reload(check=False)
    now = Metrics(server)
    equal(now.one("steerd_reload_ok"), 0)
    true(abs(now.one("steerd_reload_time_seconds") - time.time()) < 60, "when it was")
    true(now.one("steerd_problems") >= 2, "problems are counted")
    equal(now.one("steerd_pool_ipv4_usable"), 0)
    os.kill(server.prober(), signal.SIGKILL)
    wait_until(lambda: Metrics(server).one("steerd_prober_restarts_total") == 1, 20, "the death is counted")
    bench.zone("files.example", zone_head("files.example"))
    server.reload()
    equal(Metrics(server).one("steerd_reload_ok"), 1)


def test_names_and_json(bench):
    """Whatever members are called; --json has the same text and says what it is"""
    pool = nearest_pool(bench)
    pool["members"]["a-b.c_1"] = pool["members"].pop("gru-1")
    steered_world(bench, pools={"downloads": pool})
    server = bench.steerd()
    equal(len(Metrics(server).all("steerd_member_usable", member="a-b.c_1")), 1)
    told = server.ctl("metrics", "--json").json()
    equal(told["content_type"], "text/plain; version=0.0.4")
    names = [{name for name, _ in found} - {"steerd_prober_table_age_seconds"}
             for found in (read_metrics(told["text"]), Metrics(server).found)]
    equal(names[0], names[1], "the same metrics")
    contains(server.ctl("metrics", "--help").out, "node exporter")
