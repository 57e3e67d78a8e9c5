# SPDX-License-Identifier: Apache-2.0
"""DNS cookies and the other options that a query may ask for, as dig and resolvers see them."""

import os
import re
import shutil
import stat
import subprocess

import wire
from harness import Skipped, contains, equal, true, wait_until
from world import zone_head

ZONE = zone_head("files.example") + 'www A 192.0.2.80\nlong TXT "' + '" "'.join(["x" * 250] * 3) + '"\n'
OLD, NEW = "e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962"
CLIENT = bytes.fromhex("2464c4abcf10c957")


def serve(bench, secrets=None, **settings):
    """A daemon with a zone, and a secret if it is said."""
    bench.zone("files.example", ZONE)
    bench.config(**settings)
    if secrets:
        keep(bench, secrets)
    return bench.steerd()


def path(bench):
    """Where the secrets are."""
    return bench.path("state", "cookie-secrets")


def keep(bench, *secrets):
    """Writes them as an operator does."""
    bench.write("state/cookie-secrets", "".join(secret + "\n" for secret in secrets))
    os.chmod(path(bench), 0o600)


def ask(server, cookie, name="www.files.example", rtype="A"):
    """A query with a cookie: the response."""
    return server.ask(wire.query(name, rtype, edns=wire.opt_record(options=[(wire.OPTION_COOKIE, cookie)])))


def cookie_of(server):
    """A whole cookie, as a client gets it by its first query."""
    cookie = ask(server, CLIENT).cookie()
    equal((len(cookie), cookie[:8]), (24, CLIENT))
    return cookie


def is_good(server, cookie):
    """Whether the daemon takes it for its own: then the long answer comes over UDP."""
    response = ask(server, cookie, "long.files.example", "TXT")
    return not response.tc and len(response.answer) == 1


def test_dig(bench):
    """dig learns a cookie and uses it: RFC 7873 5.2; without one, a long answer is cut (TC)"""
    server = serve(bench)
    found = re.search(r"COOKIE: ([0-9a-f]{48}) \(good\)", server.dig("+cookie", "www.files.example").text)
    true(found, "dig shows a whole cookie")
    long = ("+bufsize=1232", "+ignore", "long.files.example", "TXT")
    cut = server.dig("+nocookie", *long)
    equal(("tc" in cut.flags, cut.answer), (True, []))
    true("COOKIE" not in cut.text, "no cookie where none was sent")
    true("tc" in server.dig("+cookie=2464c4abcf10c957", *long).flags, "a client cookie alone")
    whole = server.dig(f"+cookie={found.group(1)}", *long)
    equal(("tc" in whole.flags, len(whole.answer)), (False, 1))
    contains(whole.text, "(good)")
    over_tcp = server.dig("+tcp", "+cookie", "www.files.example")
    contains(over_tcp.text, "(good)", "over TCP")
    counters = server.status()["counters"]
    true(counters["with_cookie"] >= 1 and counters["client_cookie"] >= 3, f"counted: {counters}")


def test_limit(bench):
    """`udp.without-cookie` is what clients without a cookie get; from the next reload on"""
    server = serve(bench)
    long = wire.query("long.files.example", "TXT", edns=wire.opt_record())
    equal(server.ask(long).tc, True)
    true(len(server.ask(long).octets) <= 512, "short")
    bench.config(udp={"without-cookie": 1232})
    server.reload()
    equal(server.ask(long).tc, False)
    equal(server.query("long.files.example", "TXT").tc, True, "without EDNS it is 512 octets")


def test_switched_off(bench):
    """`cookies: no`: nobody gets one, and nothing else changes; no file is made"""
    server = serve(bench, cookies="no")
    response = ask(server, CLIENT)
    equal((response.rcode, response.cookie(), response.addresses), ("NOERROR", None, ["192.0.2.80"]))
    true(not os.path.exists(path(bench)), "no secrets")
    equal(server.status()["cookies"], None)
    bench.config()
    server.reload()
    cookie = cookie_of(server)
    true(is_good(server, cookie), "from the reload on")
    true(os.path.exists(path(bench)), "the secret is kept")


def test_first_start(bench):
    """The first start makes a secret, for its owner alone; a restart, and a crash, leave every cookie good"""
    server = serve(bench)
    true(stat.S_IMODE(os.stat(path(bench)).st_mode) == 0o600, "its mode")
    with open(path(bench), encoding="ascii") as file:
        before = file.read()
    secret = [line for line in before.splitlines() if not line.startswith("#")]
    true(len(secret) == 1 and re.fullmatch("[0-9a-f]{32}", secret[0]), f"one secret: {len(secret)}")
    cookie = cookie_of(server)
    equal(server.status()["cookies"]["secrets"], 1)
    for text in (server.log(), server.ctl("status").all, server.ctl("status", "--json").all):
        true(secret[0] not in text.lower(), "nobody says the secret")
    server.stop()
    server = bench.steerd()
    true(is_good(server, cookie), "after a restart")
    server.kill()
    server = bench.steerd()
    true(is_good(server, cookie), "after kill -9")
    with open(path(bench), encoding="ascii") as file:
        equal(file.read(), before, "the file")


def test_file_is_gone(bench):
    """A file that is removed while steerd runs comes back at a reload, with the same secret"""
    server = serve(bench)
    cookie = cookie_of(server)
    os.unlink(path(bench))
    server.reload()
    wait_until(lambda: os.path.exists(path(bench)), 5, "the file is back")
    server.stop()
    true(is_good(bench.steerd(), cookie), "the same secret")


def test_two_servers(bench):
    """RFC 9018 4: a cookie of one server is good at another that has the same file, and at no third"""
    one = serve(bench, OLD)
    two = serve(bench.another("two"), OLD)
    three = serve(bench.another("three"), NEW)
    cookie = cookie_of(one)
    true(is_good(two, cookie), "the other takes it")
    true(is_good(one, cookie_of(two)), "and the other way round")
    true(not is_good(three, cookie), "who does not know the secret does not")
    equal(three.status()["counters"]["bad_cookie"], 1)


def test_roll_over(bench):
    """RFC 9018 5: a secret is rolled over on two servers, one after the other, without one bad cookie"""
    benches = [bench, bench.another("two")]
    servers = [serve(one, OLD) for one in benches]
    cookie = cookie_of(servers[0])
    held = [cookie]
    for secrets in ((OLD, NEW), (NEW, OLD), (NEW,)):
        if secrets == (NEW,):
            held = held[-1:]  # an hour has passed: the cookies of the old secret are out of use
        for one, server in zip(benches, servers):
            keep(one, *secrets)
            server.reload()
            for other in servers:
                for cookie in held:
                    true(is_good(other, cookie), f"every cookie is good with {len(secrets)} secrets")
                held.append(ask(other, held[-1]).cookie())  # a client goes on with what it gets
    equal([server.status()["counters"]["bad_cookie"] for server in servers], [0, 0])
    true(not is_good(servers[0], cookie_with_old(servers, benches)), "in the end the old secret is dropped")


def cookie_with_old(servers, benches):
    """A cookie of the old secret, of a server that is given it again for a moment."""
    keep(benches[1], OLD)
    servers[1].reload()
    return cookie_of(servers[1])


NAMED = """\
options { directory "%(directory)s"; pid-file none; recursion no; listen-on-v6 { none; };
  dnssec-validation no; notify no;
  listen-on port %(port)d { %(address)s; }; cookie-algorithm siphash24; cookie-secret "%(secret)s"; };
controls { };
zone files.example { type primary; file "%(zone)s"; };
"""


def start_named(bench, secret):
    """BIND with the same zone and secret; where it answers."""
    program = shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not program:
        raise Skipped("no named: scripts/packages install differential")
    address = "127.0.0.1"  # it listens at addresses that an interface has and at no other
    port = wire.port_free_everywhere()
    config = bench.write("named.conf", NAMED % {
        "directory": bench.directory, "port": port, "address": address, "secret": secret,
        "zone": bench.path("zones", "files.example.zone")})
    with open(bench.path("named.log"), "wb") as log:
        process = subprocess.Popen([program, "-g", "-c", config], stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT)
    bench.at_end(lambda: (process.terminate(), process.wait(20)))

    def is_ready():
        try:
            return wire.ask_udp((address, port), wire.query("files.example", "SOA"), 0.3)
        except OSError:
            return False  # nobody listens yet

    wait_until(is_ready, 20, "named answers")
    return (address, port)


def test_bind(bench):
    """RFC 9018: steerd takes the cookies of BIND with the same secret, and BIND those of steerd"""
    server = serve(bench, OLD)
    named = start_named(bench, OLD)

    def ask_named(cookie):
        octets = wire.query("www.files.example", edns=wire.opt_record(options=[(wire.OPTION_COOKIE, cookie)]))
        return wire.Response(wire.ask_udp(named, octets)).cookie()

    ours, theirs = cookie_of(server), ask_named(CLIENT)
    true(is_good(server, theirs), "of BIND's cookie")
    equal(ask_named(ours), ours, "BIND keeps a good cookie; of ours")
    true(ask_named(CLIENT + b"\1" + bytes(15)) not in (None, CLIENT + b"\1" + bytes(15)), "and replaces a bad one")


def test_malformed_reload(bench):
    """A malformed file refuses the reload with file, line and column; the old secret goes on, and is not told"""
    server = serve(bench, OLD)
    cookie = cookie_of(server)
    keep(bench, OLD, NEW[:-1])
    bench.zone("files.example", ZONE + "new A 192.0.2.1\n")
    ran = server.reload(check=False)
    equal(ran.code, 1)
    contains(ran.all, f"{path(bench)}:2:32: a secret is 32 hexadecimal digits and nothing else")
    true(NEW[:-1] not in ran.all + server.log(), "what stands there is not repeated")
    equal(server.query("new.files.example").rcode, "NXDOMAIN", "nothing of the reload is served")
    true(is_good(server, cookie), "cookies go on")
    equal(server.ctl("check", check=False).code, 1)
    keep(bench, OLD, NEW)
    server.reload()
    equal(server.query("new.files.example").rcode, "NOERROR")
    true(is_good(server, cookie), "and go on")


def test_malformed_start(bench):
    """With a malformed file at the start everything is answered; cookies are of that run, and status says so"""
    bench.zone("files.example", ZONE)
    bench.config()
    keep(bench, "swordfish")
    ran = bench.run("steerd", "--check", "-c", bench.path("steerd.yaml"))
    equal(ran.code, 1)
    contains(ran.all, f"{path(bench)}:1:1: a secret is 32 hexadecimal digits")
    server = bench.steerd()
    equal(server.query("www.files.example").addresses, ["192.0.2.80"])
    true(is_good(server, cookie_of(server)), "cookies are given")
    contains(server.log(), "DNS cookies are made with a secret of this run")
    problems = " ".join(server.status()["problems"])
    contains(problems, "cookie-secrets' is wrong", "status")
    equal(server.status()["cookies"]["kept"], False)
    with open(path(bench), encoding="ascii") as file:
        equal(file.read(), "swordfish\n", "the operator's file is left alone")
    keep(bench, OLD)
    server.reload()
    equal((server.status()["problems"], server.status()["cookies"]["kept"]), ([], True))


def test_cookie_alone(bench):
    """RFC 7873 5.4: a query without a question gets a cookie, or BADCOOKIE and a cookie"""
    server = serve(bench)

    def alone(cookie):
        return server.ask(wire.no_question(options=[(wire.OPTION_COOKIE, cookie)]))

    first = alone(CLIENT)
    equal((first.rcode, first.questions, len(first.cookie())), ("NOERROR", [], 24))
    again = alone(first.cookie())
    equal((again.rcode, again.cookie()), ("NOERROR", first.cookie()))
    bad = alone(CLIENT + b"\1" + bytes(15))
    equal((bad.rcode, len(bad.cookie())), ("BADCOOKIE", 24))
    equal(server.ask(wire.no_question(options=[(3, b"")])).rcode, "FORMERR", "without a cookie")
    equal(ask(server, CLIENT + b"x").rcode, "FORMERR", "a cookie of 9 octets (RFC 7873 5.2.2)")


def test_keepalive(bench):
    """RFC 7828: over TCP, who asks is told how long a connection may be idle; over UDP nobody is"""
    server = serve(bench, tcp={"idle": "12s"})
    contains(server.dig("+tcp", "+keepalive", "www.files.example").text, "TCP KEEPALIVE: 12.0 secs")
    true("KEEPALIVE" not in server.dig("+tcp", "www.files.example").text, "not asked for")
    true("KEEPALIVE" not in server.dig("+keepalive", "www.files.example").text, "over UDP")
    timed = wire.query("www.files.example", edns=wire.opt_record(options=[(11, b"\0\x64")]))
    equal(server.ask_tcp(timed).rcode, "FORMERR", "RFC 7828 3.2.1: a client says no time")
    equal(server.ask(timed).rcode, "NOERROR", "RFC 7828 3.3.1: over UDP the option is ignored")


def test_zone_version(bench):
    """RFC 9660: the serial of the zone that answers, before and after a reload; none outside"""
    server = serve(bench)

    def version(name, content=b""):
        octets = wire.query(name, edns=wire.opt_record(options=[(wire.OPTION_ZONEVERSION, content)]))
        response = server.ask(octets)
        return response.rcode, dict(response.options()).get(wire.OPTION_ZONEVERSION, b"").hex()

    serial = f"0200{2026112201:08x}"  # two labels, SOA-SERIAL
    equal(version("www.files.example"), ("NOERROR", serial))
    equal(version("none.files.example"), ("NXDOMAIN", serial))
    equal(version("www.elsewhere.example"), ("REFUSED", ""))
    equal(version("www.files.example", b"\2\0\0\0\0\1"), ("FORMERR", ""), "only who answers says a version")
    bench.zone("files.example", ZONE.replace("2026112201", "2026112202"))
    server.reload()
    equal(version("www.files.example"), ("NOERROR", f"0200{2026112202:08x}"))
    contains(server.dig("+ednsopt=19", "www.files.example").text, "OPT=19: 02 00 78 c4 04 ca", "dig")


def test_errors_explained(bench):
    """RFC 8914: an opcode and a transfer are not supported (21), RFC 9824 3.5: NXNAME is no type to ask for (30)"""
    server = serve(bench)
    contains(server.dig("+opcode=notify", "+edns=0", "files.example", "SOA").text, "EDE: 21 (Not Supported)")
    transfer = server.ask_tcp(wire.query("files.example", "AXFR", edns=wire.opt_record()))
    equal((transfer.rcode, dict(transfer.options())[15]), ("REFUSED", b"\0\x15"))
    nxname = server.query("www.files.example", 128, edns=wire.opt_record())
    equal((nxname.rcode, dict(nxname.options())[15]), ("FORMERR", b"\0\x1e"))
