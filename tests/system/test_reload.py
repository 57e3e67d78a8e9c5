# SPDX-License-Identifier: Apache-2.0
"""Reload: all or nothing; what is refused leaves every answer as it was, octet by octet."""

import os
import shutil
import signal
import threading

import wire
from harness import PATIENCE, contains, equal, true, wait_until
from world import (AMERICA, ASIA, EUROPE, NOWHERE, SITES, SOUTH, city_database, four_backends, geography, nearest_pool,
                   steered_world, zone_head)

NAME = "dl.files.example"


def queries():
    """Every kind of answer, with fixed ids."""
    found = [wire.ecs_query(NAME, "A", client) for client in (EUROPE, AMERICA, ASIA, SOUTH, NOWHERE)]
    found += [wire.query(name, rtype) for name, rtype in (
        (NAME, "A"), (NAME, "AAAA"), ("www.files.example", "A"), ("files.example", "SOA"), ("files.example", "NS"),
        ("none.files.example", "A"), ("second.example", "SOA"), ("www.second.example", "A"), ("www.far.example", "A"))]
    return found


def packets(server):
    """Their answers, octet by octet."""
    return [server.ask(query).octets for query in queries()]


def serve(bench, **options):
    """Steered and static names in two zones."""
    bench.zone("second.example", zone_head("second.example") + "www A 192.0.2.22\n")
    steered_world(bench, **options)
    return bench.steerd()


def refused(server, words, *arguments):
    """A reload that must fail: code 1, its mistakes in words, the same answers."""
    before = packets(server)
    generation = server.status()["generation"]
    ran = server.reload(*arguments, check=False)
    equal(ran.code, 1, f"reload: {ran.all}")
    for word in words:
        contains(ran.all, word, "what reload says")
    equal(packets(server), before, "the answers")
    equal(server.status()["generation"], generation, "the generation")
    equal(server.status()["reload"]["ok"], False)


def test_new_data(bench):
    """A reload serves new zones, records and pools at once"""
    server = serve(bench)
    bench.zone("second.example", zone_head("second.example").replace("2026112201", "2026112202") + "www A 192.0.2.23\n")
    bench.zone("third.example", zone_head("third.example") + "www A 192.0.2.33\n")
    before = server.status()["generation"]
    server.reload()
    equal(server.addresses("www.second.example"), ["192.0.2.23"])
    equal(server.addresses("www.third.example"), ["192.0.2.33"])
    equal(server.addresses(NAME, ASIA), [bench.address(3)])
    true(server.status()["generation"] > before, "the generation rises")
    equal({z["name"].rstrip("."): z["serial"] for z in server.status()["zones"]}["second.example"], 2026112202)


def test_broken_zone(bench):
    """A broken zone: refused, every mistake printed, the same answers octet by octet"""
    server = serve(bench)
    bench.zone("files.example", zone_head("files.example") + "a A 1.2.3\n_steer.dl TXT \"pool=nothing\"\n")
    refused(server, ["files.example.zone:8: ", "files.example.zone:9: ", "nothing"])
    bench.zone("files.example", "")
    refused(server, ["files.example.zone"])


def test_broken_zone_holds_all_back(bench):
    """All or nothing: a good change beside a broken zone waits for it"""
    server = serve(bench)
    bench.zone("files.example", "rubbish\n")
    bench.zone("second.example", zone_head("second.example") + "www A 192.0.2.99\n")
    refused(server, ["files.example.zone:1: "])
    steered_world(bench)
    server.reload()
    equal(server.addresses("www.second.example"), ["192.0.2.99"])


def test_broken_yaml(bench):
    """A broken steerd.yaml: refused with line and column, the same answers"""
    server = serve(bench)
    good = open(server.config_path, encoding="utf-8").read()
    for text, words in (
            (good + "poolz: {}\n", ["poolz"]), (good + "  x: [\n", ["steerd.yaml:"]), ("", ["steerd.yaml"]),
            (good.replace("nearest", "nearset"), ["nearset", "nearest"]),
            (good.replace("site: fra", "site: frx"), ["frx"]), ("\0\1\2", ["steerd.yaml"])):
        bench.write("steerd.yaml", text)
        refused(server, words)
    bench.write("steerd.yaml", good)
    server.reload()


def test_broken_monitors(bench):
    """A monitor that cannot be: refused with line and column, its files' mistakes as well, the same answers"""
    four_backends(bench)
    server = serve(bench, monitor=bench.monitor())
    bench.write("empty.pem", "no certificate\n")
    for change, words in (
            ({"expect": {"body-matches": "a(b"}},
             ["'body-matches' is no regular expression: missing closing parenthesis at its byte 4"]),
            ({"allow-internal": "no"}, [f"address '{bench.address(1)}' leads to this host or its link", "monitor 'edge'",
                                        "'allow-internal: yes'"]),
            ({"https": {"certificate": "empty.pem"}}, ["'certificate' needs the 'key' of it"]),
            ({"https": {"ca": "gone.pem"}}, ["'ca': cannot open", "gone.pem': No such file or directory"]),
            ({"https": {"ca": "empty.pem"}}, ["'ca': ", "empty.pem' is no PEM file"]),
            ({"tcp": {"port": 22}}, ["monitor 'edge' has 'https' already"])):
        steered_world(bench, bench.monitor(**change))
        refused(server, ["steerd.yaml:", *words])
    steered_world(bench, bench.monitor())
    server.reload()


def test_broken_database(bench):
    """A broken database: refused, the same answers; cut, empty, noise, or not there"""
    server = serve(bench)
    good = city_database()
    for octets in (b"", good[: len(good) // 2], good[:-40], os.urandom(5000), good[:100] + b"\xff" * 200 + good[300:]):
        bench.write("city.mmdb", octets)
        refused(server, ["city.mmdb"])
    os.unlink(bench.path("city.mmdb"))
    refused(server, ["city.mmdb"])
    bench.write("city.mmdb", good)
    server.reload()


def test_database_overwritten_while_serving(bench):
    """`cp` over a database that is in use harms nobody: it is not mapped"""
    server = serve(bench)
    before = packets(server)
    with open(bench.path("city.mmdb"), "wb") as file:
        file.truncate(0)
    equal(packets(server), before)


def test_new_database(bench):
    """A new database is taken over by a reload"""
    server = serve(bench)
    equal(server.addresses(NAME, EUROPE), [bench.address(1)])
    bench.write("city.mmdb", city_database(places={"2.0.0.0/16": (1.3, 103.8, "SG", "Singapore")}))
    server.reload()
    equal(server.addresses(NAME, EUROPE), [bench.address(3)])


def test_zones_directory_missing(bench):
    """A zones directory that is missing or empty is refused, and obeyed with --force only"""
    server = serve(bench)
    os.rename(bench.path("zones"), bench.path("away"))
    refused(server, ["zones"])
    os.mkdir(bench.path("zones"))
    refused(server, ["zones"])
    os.rmdir(bench.path("zones"))
    os.rename(bench.path("away"), bench.path("zones"))
    server.reload()


def test_zone_dropped(bench):
    """A zone that is gone from the directory is refused; with --force it is no longer served"""
    server = serve(bench)
    os.unlink(bench.path("zones/second.example.zone"))
    refused(server, ["second.example"])
    equal(server.addresses("www.second.example"), ["192.0.2.22"])
    server.reload("--force")
    equal(server.query("www.second.example").rcode, "REFUSED")
    equal(server.addresses(NAME, ASIA), [bench.address(3)])


def test_force_does_not_excuse_mistakes(bench):
    """--force drops zones; it does not let a broken zone in"""
    server = serve(bench)
    bench.zone("files.example", "rubbish\n")
    refused(server, ["files.example.zone:1: "], "--force")


def test_serials(bench):
    """RFC 1982 3.2: serial 4294967295 gives way to 1; the way back is refused, but with --force"""
    def zone(serial, last):
        bench.zone("second.example", zone_head("second.example").replace("2026112201", str(serial))
                   + f"www A 192.0.2.{last}\n")

    def serial():
        return {z["name"].rstrip("."): z["serial"] for z in server.status()["zones"]}["second.example"]

    server = serve(bench)
    zone(4294967295, 2)
    server.reload("--force")  # to where it ends
    zone(1, 3)
    server.reload()
    equal((serial(), server.addresses("www.second.example")), (1, ["192.0.2.3"]))
    zone(4294967295, 4)
    refused(server, ["second.example.zone:3: the serial 4294967295 is older than 1", "RFC 1982"])
    equal(server.addresses("www.second.example"), ["192.0.2.3"])
    server.reload("--force")
    equal((serial(), server.addresses("www.second.example")), (4294967295, ["192.0.2.4"]))


def test_unreadable_zone(bench):
    """A zone file that became a directory, a dangling link or a pipe: refused, and nobody hangs"""
    server = serve(bench)
    path = bench.path("zones/second.example.zone")
    os.unlink(path)
    os.mkdir(path)
    refused(server, ["second.example"])
    os.rmdir(path)
    os.symlink("/nonexistent", path)
    refused(server, ["second.example"])
    os.unlink(path)
    os.mkfifo(path)
    refused(server, ["second.example"])


def test_half_written(bench):
    """A zone file cut within its first records: refused, with the old zone whole"""
    server = serve(bench)
    text = zone_head("second.example") + "www A 192.0.2.22\nlast A 192.0.2.200\n"
    bench.zone("second.example", text)
    server.reload()
    whole = server.status()["zones"]
    records = {z["name"]: z["records"] for z in whole}
    for cut in range(0, text.index("@  NS"), 9):
        bench.zone("second.example", text[:cut])
        ran = server.reload(check=False)
        equal(ran.code, 1, f"cut at {cut}: {ran.all}")
        equal({z["name"]: z["records"] for z in server.status()["zones"]}, records)
        equal(server.addresses("last.second.example"), ["192.0.2.200"])


def test_sighup(bench):
    """SIGHUP reloads; a mistake is logged and changes nothing"""
    server = serve(bench)
    bench.zone("second.example", zone_head("second.example") + "www A 192.0.2.24\n")
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: server.addresses("www.second.example") == ["192.0.2.24"], 15, "the new record is served")
    bench.zone("second.example", "rubbish\n")
    os.kill(server.process.pid, signal.SIGHUP)
    wait_until(lambda: "second.example.zone:1: " in server.log(), 15, "the mistake is logged")
    equal(server.addresses("www.second.example"), ["192.0.2.24"])


def test_open_connection(bench):
    """An open TCP connection lives through a reload and gets the new data"""
    server = serve(bench)
    with wire.open_tcp(server.server) as sock:
        def ask():
            sock.sendall(wire.framed(wire.query("www.second.example")))
            return wire.Response(wire.read_tcp(sock)).addresses

        equal(ask(), ["192.0.2.22"])
        bench.zone("second.example", zone_head("second.example") + "www A 192.0.2.25\n")
        server.reload()
        equal(ask(), ["192.0.2.25"])


def test_health_and_overrides_stay(bench):
    """Health and overrides are kept over a reload: no answer falls back to `all are up`"""
    backends = four_backends(bench)
    server = serve(bench, monitor=bench.monitor())
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 20, "Europe is down")
    server.ctl("drain", "sin-1")
    prober = server.prober()
    before = packets(server)
    for number in range(5):
        bench.zone("third.example", zone_head("third.example") + f"www A 192.0.2.{number}\n")
        server.reload()
        equal(packets(server), before, f"after reload {number}")
    equal(server.prober(), prober, "the prober goes on")
    backends[0].start()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(1)], 20, "health goes on")


def test_pools_change(bench):
    """A member added and one removed: the rest keep their verdicts, the new one is checked"""
    backends = four_backends(bench)
    server = serve(bench, monitor=bench.monitor())
    backends[0].stop()
    wait_until(lambda: server.addresses(NAME, EUROPE) == [bench.address(2)], 20, "Europe is down")
    pool = nearest_pool(bench, monitor="edge")
    del pool["members"]["iad-1"]
    pool["members"]["fra-2"] = {"site": "fra", "address": [bench.address(11)]}
    newcomer = bench.backend(11)
    bench.config(geo=geography(bench), sites=SITES, monitors={"edge": bench.monitor()}, pools={"downloads": pool})
    server.reload()
    equal(server.all_addresses(NAME, EUROPE, times=20), [bench.address(11)])
    wait_until(lambda: newcomer.requests > 0, 20, "the new one is checked")


def test_under_load(bench):
    """40 reloads under load, two versions in turn: no query lost, no answer from a mixture"""
    versions = [zone_head("second.example") + f"a A 192.0.2.{n}\na A 192.0.2.{n + 100}\n" for n in (1, 2)]
    bench.zone("second.example", versions[0])
    steered_world(bench)
    server = bench.steerd()
    valid = (["192.0.2.1", "192.0.2.101"], ["192.0.2.102", "192.0.2.2"])
    over, wrong, counts = threading.Event(), [], []

    def ask():
        count = 0
        with wire.udp_socket(server.server, 5 * PATIENCE) as sock:
            while not over.is_set():
                sock.send(wire.query("a.second.example", ident=count & 0xFFFF))
                try:
                    reply = wire.Response(sock.recv(4096))
                except TimeoutError:
                    wrong.append("no answer")
                    return
                if reply.id != count & 0xFFFF or reply.addresses not in valid:
                    wrong.append(repr(reply.answer))
                count += 1
        counts.append(count)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(40):
        bench.zone("second.example", versions[number % 2])
        server.reload()
    over.set()
    for thread in threads:
        thread.join()
    equal(wrong, [], "wrong answers")
    true(min(counts) > 40, f"queries answered: {counts}")
    equal(server.status()["counters"]["refused"], 0)


def two_version_world(bench):
    """A zone whose records all tell its version, by their TTL and by their third octet, and a pool of two states."""
    bench.config(pools={
        "steady": {"method": "all", "members": {"only": {"address": ["10.2.0.1", "10.2.0.2"]}}},
        "turning": {"method": "failover", "answers": 2, "members": {
            "first": {"address": ["10.1.1.1", "10.1.1.2"]}, "second": {"address": ["10.1.2.1", "10.1.2.2"]}}}})

    def write(version):
        bench.zone("v.example", f"""\
$TTL {300 + version}
@ SOA ns.elsewhere. host {version} 7200 900 1209600 {300 + version}
@ NS ns.elsewhere.
set A 10.0.{version % 2}.1
set A 10.0.{version % 2}.2
alias CNAME alias{version}
alias{version} CNAME set
steady A 192.0.2.1
turns CNAME turning
_steer.steady TXT "pool=steady"
_steer.turning TXT "pool=turning"
""")

    write(0)
    return write


def is_of_one_version(reply):
    """Whether every record has the same TTL, and every address the same third octet; and something was said."""
    records = reply.answer + reply.authority
    return (len({record.ttl for record in records}) == 1 and len({a.split(".")[2] for a in reply.addresses}) <= 1
            and (len(reply.addresses) == 2 or reply.rcode == "NXDOMAIN"))


def test_changes_under_load(bench):
    """60 reloads and 60 overrides under load: each answer, chains and negative ones too, is from one version"""
    write = two_version_world(bench)
    server = bench.steerd()
    names = ("set", "alias", "steady", "turns", "turning", "nothing")
    over, wrong, counts = threading.Event(), [], []

    def ask(first):
        count = first
        with wire.udp_socket(server.server, 5 * PATIENCE) as sock:
            while not over.is_set():
                sock.send(wire.query(names[count % len(names)] + ".v.example", ident=count & 0xFFFF))
                try:
                    reply = wire.Response(sock.recv(4096))
                except TimeoutError:
                    wrong.append("no answer")
                    return
                if reply.id != count & 0xFFFF or not is_of_one_version(reply):
                    wrong.append(f"{reply.rcode} {reply.answer} {reply.authority}")
                count += 1
        counts.append(count - first)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 61):
        write(number)
        server.reload()
        server.ctl(*(("force", "down", "turning/first") if number % 2 else ("release", "turning/first")))
    over.set()
    for thread in threads:
        thread.join()
    equal(wrong, [], "wrong answers")
    true(min(counts) > 60, f"queries answered: {counts}")
    equal(server.query("set.v.example").answer[0].ttl, 360, "the last version's TTL")


def test_moved_paths(bench):
    """Relative paths are relative to steerd.yaml, wherever the daemon is started"""
    server = serve(bench)
    server.stop()
    shutil.copytree(bench.directory, bench.path("copy"), ignore=shutil.ignore_patterns("*.log", "control", "copy"))
    server.config_path = bench.path("copy/steerd.yaml")
    server.start()
    equal(server.addresses("www.second.example"), ["192.0.2.22"])
    true(os.path.exists(bench.path("copy/control")), "the control socket stands beside steerd.yaml")
