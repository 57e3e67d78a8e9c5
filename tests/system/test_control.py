# SPDX-License-Identifier: Apache-2.0
"""Control: steerctl shows what is, says why, and an operator's word is kept."""

import os
import random
import re
import socket
import stat
import struct
import time

import wire
from harness import Failed, contains, equal, true, wait_until
from world import AMERICA, ASIA, EUROPE, SITES, four_backends, geography, nearest_pool, steered_world, zone_head

NAME = "dl.files.example"


def serve(bench, **options):
    """Four sites without checks."""
    steered_world(bench, **options)
    return bench.steerd()


def member(server, name):
    """What status says of a member."""
    return next(m for pool in server.status()["pools"] for m in pool["members"] if m["name"] == name)


# ---- drain and force --------------------------------------------------------------------------------------------


def test_drain_member(bench):
    """drain takes a member out of the answers at once, undrain brings it back; status says who and why"""
    server = serve(bench)
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    server.ctl("drain", "downloads/fra-1", "--reason", "new disks")
    equal(server.addresses(NAME, EUROPE), [bench.address(2)])
    told = member(server, "fra-1")
    equal((told["state"], told["usable"], told["override"]["reason"]), ("drained", False, "new disks"))
    true(told["override"]["by"], "who did it")
    contains(server.ctl("status").out, "new disks")
    server.ctl("undrain", "downloads/fra-1")
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    equal(member(server, "fra-1")["override"], None)


def test_drain_site(bench):
    """A site drained: every member there leaves, its clients go to the next site"""
    members = nearest_pool(bench)["members"]
    members["fra-2"] = {"site": "fra", "address": [bench.address(11)]}
    server = serve(bench, pools={"downloads": {"method": "nearest", "members": members}})
    server.ctl("drain", "site:fra", "--reason", "power work")
    equal(server.all_addresses(NAME, EUROPE, times=50), [bench.address(2)])
    equal(server.addresses(NAME, ASIA), [bench.address(3)], "others stay")
    equal([member(server, name)["state"] for name in ("fra-1", "fra-2")], ["drained", "drained"])
    server.ctl("undrain", "site:fra")
    equal(server.all_addresses(NAME, EUROPE, times=50), [bench.address(1), bench.address(11)])


def test_drain_everything(bench):
    """All members drained: the answer is never empty, and a warning says what happens"""
    server = serve(bench)
    for site in SITES:
        ran = server.ctl("drain", f"site:{site}")
    true("warning" in ran.all.lower() or "all were up" in ran.all, f"the last drain warns: {ran.all}")
    true(server.addresses(NAME, EUROPE), "there is an answer")


def test_force(bench):
    """force up and down rule over checks until released"""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: server.status()["pools"][0]["usable"] == 4, 20, "all are up")
    server.ctl("force", "down", "fra-1", "--reason", "looks odd")
    equal(server.addresses(NAME, EUROPE), [bench.address(2)])
    equal(member(server, "fra-1")["state"], "forced-down")
    server.ctl("release", "fra-1")
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 20, "checks say it is down")
    server.ctl("force", "up", "fra-1", "--reason", "the check is wrong")
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    equal(member(server, "fra-1")["state"], "forced-up")
    server.ctl("release", "fra-1")
    equal(server.addresses(NAME, EUROPE), [bench.address(2)])


def test_override_expires(bench):
    """--for ends an override by itself"""
    server = serve(bench)
    before = int(time.time())
    server.ctl("drain", "fra-1", "--for", "5s")
    equal(server.addresses(NAME, EUROPE), [bench.address(2)])
    until = member(server, "fra-1")["override"]["until_unix_s"]
    true(before + 5 <= until <= time.time() + 5, f"it ends at {until}, and now it is {time.time():.0f}")
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(1)], 15, "the drain is over")
    equal(server.status()["overrides"], [])


def test_overrides_survive_a_restart(bench):
    """Overrides are kept over stop and start, and over kill -9 right after they were given"""
    server = serve(bench)
    server.ctl("drain", "site:fra", "--reason", "kept")
    server.stop()
    server.start()
    equal(server.addresses(NAME, EUROPE), [bench.address(2)])
    server.ctl("drain", "iad-1")
    server.kill()
    server.expected_codes = {0}
    server.start()
    true(server.addresses(NAME, EUROPE)[0] in (bench.address(3), bench.address(4)), "both are kept")
    equal({o["subject"] for o in server.status()["overrides"]}, {"site:fra", "iad-1"})


def test_unknown_subjects(bench):
    """A word that names nothing is refused, with what may have been meant"""
    server = serve(bench)
    for arguments, words in (
            (("drain", "fra-2"), "fra-1"), (("drain", "site:frx"), "fra"), (("force", "down", "pool/x"), ""),
            (("status", "nothing"), "nothing"), (("drain", "fra-1", "--for", "soon"), "soon"),
            (("force", "sideways", "fra-1"), "sideways")):
        ran = server.ctl(*arguments, check=False)
        true(ran.code in (1, 2), f"{arguments}: code {ran.code}")
        contains(ran.all, words, str(arguments))
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])


# ---- explain ----------------------------------------------------------------------------------------------------


def answered(told):
    """The sets of addresses that explain says are answered, with their shares."""
    return {tuple(sorted(one["addresses"])): one["share"] for one in told["answers"]}


def test_explain_equals_dig(bench):
    """explain's sets are exactly what dig gets, for 100 random clients with members drained and down"""
    four_backends(bench)[2].mode = "error"
    members = nearest_pool(bench)["members"]
    members["fra-2"] = {"site": "fra", "address": [bench.address(11)], "weight": 3}
    members["iad-2"] = {"site": "iad", "address": [bench.address(12)]}
    for number in (11, 12):
        bench.backend(number)
    pool = {"method": "nearest", "answers": 2, "monitor": "edge", "members": members}
    steered_world(bench, bench.monitor(), pools={"downloads": pool})
    server = bench.steerd()
    wait_until(lambda: all(one["state"] == ("down" if one["name"] == "sin-1" else "up")
                           for one in server.status()["pools"][0]["members"]), 20, "each is known, and one is down")
    server.ctl("drain", "iad-1")
    generator = random.Random(5)
    firsts = [2, 3, 4, 5, 9, 10, 100]
    for number in range(100):
        subnet = f"{generator.choice(firsts)}.{generator.choice([0, 0, 1])}.{generator.randrange(256)}.0/24"
        told = server.ctl("explain", NAME, "--client", subnet, "--json").json()
        sets = answered(told)
        seen = {tuple(server.addresses(NAME, subnet)) for _ in range(20)}
        true(seen <= set(sets), f"{subnet}: dig got {seen}, explain says {sets}")
        if number % 10 == 0:
            many = {tuple(server.addresses(NAME, subnet)) for _ in range(150)}
            equal(many, set(sets), f"the sets for {subnet}")
        true(abs(sum(sets.values()) - 1) < 0.001, f"shares sum to {sum(sets.values())}")
        reply = server.ask(wire.ecs_query(NAME, "A", subnet))
        equal(reply.ecs()[2], told["scope_bits"], f"the scope for {subnet}")
        equal(reply.answer[0].ttl, told["ttl_s"], "the TTL")


def test_explain_reasons(bench):
    """Each candidate has its one reason: nearer ones, drained, its check's own words"""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    backends[1].mode = "error"
    wait_until(lambda: member(server, "iad-1")["state"] == "down", 20, "iad-1 is down")
    server.ctl("drain", "sin-1", "--reason", "maintenance")
    told = server.ctl("explain", NAME, "--client", "2.0.5.0/24", "--json").json()
    equal({c["member"]: c["code"] for c in told["candidates"]},
          {"fra-1": "kept", "iad-1": "health-down", "sin-1": "drained", "gru-1": "less-near"})
    def told_to_people():
        return server.ctl("explain", NAME, "--client", "2.0.5.0/24").out

    for word in ("fra-1", "iad-1", "maintenance", "km", "city.mmdb"):
        contains(told_to_people(), word, "explain for people")
    wait_until(lambda: "status 500" in told_to_people(), 10, "explain names the cause")


def test_explain_other_names(bench):
    """explain says what a name is when it is not steered, missing, or of nobody"""
    server = serve(bench)
    told = server.ctl("explain", "www.files.example", "--client", "2.0.5.0/24", "--json").json()
    equal((told["steered"], told["outcome"], told["alias"]), (False, "node", None))
    told = server.ctl("explain", "none.files.example", "--client", "2.0.5.0/24", "--json").json()
    equal((told["steered"], told["outcome"]), (False, "missing"))
    told = server.ctl("explain", "www.far.example", "--client", "2.0.5.0/24", "--json").json()
    equal((told["steered"], told["outcome"]), (False, "outside"))
    contains(server.ctl("explain", "www.far.example", "--client", "2.0.5.0/24").out, "REFUSED")
    true(server.ctl("explain", NAME, "--client", "2.0.5.0/99", check=False).code in (1, 2), "no client like that")
    told = server.ctl("explain", NAME, "AAAA", "--client", "2.0.5.0/24", "--json").json()
    equal(told["kind"], "nodata")


def test_explain_edge_names(bench):
    """explain takes names that break programs: the root, one label, NUL, 255 octets (RFC 1035 2.3.4), and no more"""
    steered_world(bench)
    bench.zone("edge.example", zone_head("edge.example") + '_steer.*.s TXT "pool=downloads"\n')
    server = bench.steerd()
    long = ".".join(["l" * 63] * 3)  # 192 octets on the wire; edge.example. has 14
    for name, outcome, is_steered in (
            (".", "outside", False), ("example", "outside", False), ("x", "outside", False),
            ("l" * 63, "outside", False), ("\\000", "outside", False), (f"{long}.{'l' * 61}", "outside", False),
            ("edge.example", "node", False), ("\\000.edge.example", "missing", False),
            (f"{long}.{'l' * 48}.edge.example", "missing", False), ("\\000.s.edge.example", "node", True),
            ("a\\.b.s.edge.example", "node", True), ("\\255\\128.s.edge.example.", "node", True),
            ("<b>.s.edge.example", "node", True), (f"{long}.{'l' * 46}.s.edge.example", "node", True)):
        told = server.ctl("explain", name, "--client", EUROPE, "--json").json()
        equal((told["outcome"], told["steered"]), (outcome, is_steered), name)
        contains(server.ctl("explain", name, "--client", EUROPE).out.lower(), name.rstrip(".").lower(), name)
    for name in (f"{long}.{'l' * 62}", f"{long}.{'l' * 47}.s.edge.example", "l" * 64, "a..b", "", "..", "\\256.example",
                 "a\\"):
        ran = server.ctl("explain", name, "--client", EUROPE, check=False)
        equal((ran.code in (1, 2), len(ran.err.strip().splitlines())), (True, 1), f"{name!r}: {ran.all}")


# ---- status, check, stop, the socket ----------------------------------------------------------------------------


def test_status(bench):
    """status has zones, pools, members, counters, the prober; in words and as JSON"""
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: member(server, "fra-1")["addresses"][0]["passed"], 20, "it is up, and more is known of it")
    before = server.status()["counters"]
    server.addresses(NAME, EUROPE)
    server.ask_tcp(wire.query("none.files.example"))
    told = server.status()
    equal(told["counters"]["udp_queries"] - before["udp_queries"], 1)
    equal(told["counters"]["steered"] - before["steered"], 1)
    equal(told["counters"]["tcp_queries"] - before["tcp_queries"], 1)
    equal(told["counters"]["nxdomain"] - before["nxdomain"], 1)
    equal(told["pid"], server.process.pid)
    equal(told["pools"][0]["steers"], ["dl.files.example."] if told["pools"][0]["steers"][0].endswith(".")
          else ["dl.files.example"])
    zone = told["zones"][0]
    equal((zone["name"].rstrip("."), zone["serial"], zone["steered"]), ("files.example", 2026112201, 1))
    wait_until(lambda: member(server, "fra-1")["addresses"][0]["passed"], 10, "the words of its first check are there")
    address = member(server, "fra-1")["addresses"][0]
    equal((address["state"], address["passed"], address["reason"]), ("up", True, None))
    true(abs(address["checked_at_unix_s"] - time.time()) < 10, "it was checked just now")
    text = server.ctl("status").out
    for word in ("downloads", "fra-1", "up", "files.example"):
        contains(text, word, "status for people")


def test_check(bench):
    """steerctl check names every mistake, changes nothing and ends with 1; 0 when all is well"""
    server = serve(bench)
    equal(server.ctl("check").code, 0)
    equal(bench.run("steerctl", "-c", server.config_path, "check").code, 0, "read by steerctl itself")
    bench.zone("files.example", zone_head("files.example") + "a A 1.2.3\nb A 1.2.3\n")
    ran = server.ctl("check", check=False)
    equal(ran.code, 1)
    contains(ran.all, "files.example.zone:8: ")
    contains(ran.all, "files.example.zone:9: ")
    alone = bench.run("steerctl", "-c", server.config_path, "check")
    equal((alone.code, len(re.findall(r"\.zone:\d+: ", alone.all))), (1, 2), "the same, read by steerctl itself")
    equal(server.addresses(NAME, AMERICA), [bench.address(2)])


def test_stop(bench):
    """steerctl stop ends the daemon, the prober with it, and the socket"""
    server = serve(bench)
    wait_until(server.prober, 10, "the prober runs")
    server.ctl("stop")
    wait_until(lambda: not server.is_running(), 10, "it has ended")
    equal(server.process.returncode, 0)
    equal(server.ctl("status", check=False).code, 3)


def test_exit_codes(bench):
    """Wrong command lines end with 2, an absent daemon with 3; --help and --version with 0"""
    server = serve(bench)
    for arguments in (("nonsense",), ("drain",), ("force", "up"), ("status", "--nonsense"), ()):
        equal(server.ctl(*arguments, check=False).code, 2, str(arguments))
    for program in ("steerctl", "steerd"):
        equal(bench.run(program, "--help").code, 0)
        contains(bench.run(program, "--version").out, f"{program} 0.")
        equal(bench.run(program, "--nonsense").code, 2)
    server.stop()
    equal(server.ctl("status", check=False).code, 3)


def test_json_of_refusals(bench):
    """With --json all that goes wrong is JSON as well: command lines, an absent daemon, a check without a daemon"""
    server = serve(bench)

    def refused(code, *arguments):
        ran = bench.run("steerctl", "--json", *arguments)
        equal(ran.code, code, str(arguments))
        told = ran.json()
        equal(told["ok"], False)
        return told

    contains(refused(2, "nonsense")["error"], "unknown command 'nonsense'")
    equal(refused(2, "explain")["error"], "'explain' needs 'name'")
    contains(refused(3, "-s", "nowhere", "status")["error"], "cannot connect to nowhere")
    contains(refused(1, "-s", server.control_path(), "drain", "nobody")["error"], "nobody")
    good = bench.run("steerctl", "--json", "-c", server.config_path, "check").json()
    equal(good["ok"], True)
    contains(good["message"], "no mistake found")
    with open(server.config_path, "a", encoding="utf-8") as config:
        config.write("nonsense: 1\n")
    told = refused(1, "-c", server.config_path, "check")
    contains(told["error"], "refused, 1 error")
    contains(told["lines"][0], "unknown key 'nonsense'")
    # a file with a mistake still says where the socket is
    equal(bench.run("steerctl", "--json", "-c", server.config_path, "status").json()["ok"], True)


def talk(bench, octets, limit=5.0):
    """Sends octets to the control socket and reads what comes back until it is closed."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(limit)
        sock.connect(bench.path("control"))
        try:
            sock.sendall(octets)
            sock.shutdown(socket.SHUT_WR)
            reply = b""
            while more := sock.recv(65536):
                reply += more
            return reply
        except (BrokenPipeError, ConnectionResetError):
            return b""


def test_socket(bench):
    """The socket has mode 0660; frames that are too long, cut, or no JSON harm nobody"""
    server = serve(bench)
    equal(stat.S_IMODE(os.stat(bench.path("control")).st_mode), 0o660)
    good = b'{"command": "status"}'
    contains(talk(bench, struct.pack("!I", len(good)) + good)[4:].decode(), '"ok"')
    for octets in (b"", b"\0", b"\xff\xff\xff\xff", struct.pack("!I", 65537) + b"x" * 70000,
                   struct.pack("!I", 10) + b"not JSON..", struct.pack("!I", 100) + b"{", struct.pack("!I", 0),
                   struct.pack("!I", 60000) + b"[" * 60000, struct.pack("!I", 2) + b"{}",
                   struct.pack("!I", 22) + b'{"command": "shut up"}', struct.pack("!I", 14) + b'{"command": 5}'):
        talk(bench, octets)
    equal(server.status()["ok"], True)
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])


def test_stale_socket(bench):
    """A socket left by a daemon that was killed is replaced; one that is in use is not"""
    server = serve(bench)
    server.kill()
    server.expected_codes = {0}
    true(os.path.exists(bench.path("control")), "it was left")
    server.start()
    equal(server.status()["ok"], True)
    try:
        bench.steerd()
    except Failed as failure:
        contains(str(failure), "ended with code 1")
    else:
        raise Failed("a second daemon took the control socket of the first")
    equal(server.status()["pid"], server.process.pid)


def test_drain_after_pools_changed(bench):
    """A drain of a member that a reload removes does not come back on another"""
    server = serve(bench)
    server.ctl("drain", "downloads/gru-1")
    members = nearest_pool(bench)["members"]
    del members["gru-1"]
    bench.config(geo=geography(bench), sites=SITES, pools={"downloads": {"method": "nearest", "members": members}})
    server.reload()
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    equal([m["override"] for m in server.status()["pools"][0]["members"]], [None] * 3)
