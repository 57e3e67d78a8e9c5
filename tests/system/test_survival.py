# SPDX-License-Identifier: Apache-2.0
"""Survival: what happens to answers when the prober, the daemon or the disk is lost.  kill -9 is a supported stop."""

import os
import signal
import time

import wire
from harness import equal, holds_for, true, wait_until
from world import AMERICA, ASIA, EUROPE, NOWHERE, SOUTH, four_backends, steered_world

NAME = "dl.files.example"
CLIENTS = (EUROPE, AMERICA, ASIA, SOUTH, NOWHERE)


def serve(bench):
    """Four backends, of which the one in Europe is down.  Returns the backends and the daemon."""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: usable(server) == 4 and not server.status()["problems"], 20, "all are up")
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 20, "Europe is down")
    return backends, server


def usable(server):
    """Members that may be answered."""
    return server.status()["pools"][0]["usable"]


def packets(server):
    """Answers, octet by octet, for each client and some static names."""
    queries = [wire.ecs_query(NAME, "A", client) for client in CLIENTS]
    queries += [wire.query("www.files.example"), wire.query("none.files.example"), wire.query(NAME, "AAAA")]
    return [server.ask(query).octets for query in queries]


def restarted(server, before):
    """Whether another prober runs."""
    return lambda: server.prober() not in (None, before)


def test_prober_killed(bench):
    """kill -9 of the prober changes no answer; it is started again and health goes on"""
    backends, server = serve(bench)
    before = packets(server)
    first = server.prober()
    os.kill(first, signal.SIGKILL)
    holds_for(lambda: packets(server) == before, 1.0, "the answers are as before")
    wait_until(restarted(server, first), 20, "a new prober runs")
    holds_for(lambda: packets(server) == before, 1.0, "the answers are as before")
    wait_until(lambda: server.status()["prober"]["state"] == "running", 20, "it is heard")
    true(server.status()["prober"]["restarts"] >= 1, "the restart is counted")
    equal(packets(server), before)
    backends[0].start()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(1)], 20, "health goes on")


def test_prober_killed_again_and_again(bench):
    """Ten kills: the answers stay, and the prober comes back each time"""
    _, server = serve(bench)
    before = packets(server)
    for _ in range(10):
        pid = wait_until(server.prober, 20, "a prober runs")
        os.kill(pid, signal.SIGKILL)
        wait_until(restarted(server, pid), 20, "a new prober runs")
        equal(packets(server), before)


def test_prober_hangs(bench):
    """A prober that is stopped (SIGSTOP) changes no answer, and status says so"""
    backends, server = serve(bench)
    before = packets(server)
    pid = server.prober()
    os.kill(pid, signal.SIGSTOP)
    try:
        backends[1].stop()
        wait_until(lambda: server.status()["prober"]["state"] != "running", 30, "status says that it is silent")
        true(server.status()["problems"], "it is a problem")
        equal(packets(server), before, "verdicts are frozen")
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # the daemon has replaced it
    wait_until(lambda: server.addresses(NAME, AMERICA) != [bench.address(2)], 30, "what it missed is seen")


def test_prober_missing(bench):
    """A prober that cannot be started: answers all the same, and status says why"""
    steered_world(bench, bench.monitor())
    server = bench.steerd_of(bench.path("steerd.yaml"), options=["--prober", "/nonexistent/steerd-prober"])
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    told = wait_until(lambda: server.status()["problems"], 20, "it is a problem")
    true(any("prober" in line for line in told), f"problems: {told}")
    equal(server.addresses(NAME, ASIA), [bench.address(3)])


def test_steerd_killed(bench):
    """kill -9 of steerd: started again, it serves the same from its first answer, verdicts and all"""
    _, server = serve(bench)
    before = packets(server)
    first = server.prober()
    seen = time.time()
    wait_until(lambda: state_is_saved(bench, seen), 30, "the verdicts are on disk")
    server.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{first}") or is_zombie(first), 10, "its prober ends with it")
    server.expected_codes = {0}
    server.start()
    equal(packets(server), before, "the first answers")
    equal([m["state"] for m in server.status()["pools"][0]["members"]][0], "down", "what was down is down")
    wait_until(server.prober, 10, "a prober runs")


def state_is_saved(bench, since):
    """Whether what was known at that time is on disk: written since then, and not to be written again soon.

    A change is written within five seconds; what is being written while it happens is the state before it.
    """
    paths = [os.path.join(d, n) for d, _, names in os.walk(bench.path("state")) for n in names]
    newest = max((os.stat(path).st_mtime for path in paths), default=0)
    return newest > since and time.time() - newest > 6


def is_zombie(pid):
    """Whether only its parent still has to hear of its end."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_state_file_torn(bench):
    """A state file that is cut, empty or noise is left aside: the daemon starts and answers"""
    _, server = serve(bench)
    server.stop()
    files = [os.path.join(d, n) for d, _, names in os.walk(bench.path("state")) for n in names]
    kept = {path: open(path, "rb").read() for path in files}
    true(files, "there is state")
    for cut in (lambda octets: b"", lambda octets: octets[: len(octets) // 2], lambda octets: octets[:-1],
                lambda octets: os.urandom(len(octets)), lambda octets: octets[:20] + b"\xff" + octets[21:]):
        for path, octets in kept.items():
            with open(path, "wb") as file:
                file.write(cut(octets))
        server.start()
        true(server.addresses(NAME, EUROPE), "it answers")
        equal(len(server.status()["pools"][0]["members"]), 4)
        server.stop()


def test_state_directory_lost(bench):
    """A state directory that goes away, or cannot be written, stops nothing"""
    _, server = serve(bench)
    before = packets(server)
    os.rename(bench.path("state"), bench.path("gone"))
    server.ctl("drain", "sin-1", check=False)
    wait_until(lambda: server.addresses(NAME, ASIA) != [bench.address(3)], 10, "the drain holds")
    equal(packets(server)[0], before[0])
    true(server.status()["problems"], "it is a problem that state cannot be saved")


def test_start_without_anything(bench):
    """At start without prober, backends or state every member counts as up"""
    steered_world(bench, bench.monitor(every="60s", timeout="30s"))
    server = bench.steerd()
    for client, number in ((EUROPE, 1), (AMERICA, 2), (ASIA, 3), (SOUTH, 4)):
        equal(server.addresses(NAME, client), [bench.address(number)])


def test_term_and_int(bench):
    """SIGTERM and SIGINT end it in order, with code 0, and leave nothing running"""
    steered_world(bench, bench.monitor())
    for number in (signal.SIGTERM, signal.SIGINT):
        server = bench.steerd()
        wait_until(server.prober, 10, "the prober runs")
        os.kill(server.process.pid, number)
        wait_until(lambda server=server: not server.is_running(), 15, "it has ended")
        equal(server.process.returncode, 0)
