# SPDX-License-Identifier: Apache-2.0
"""Health: real HTTPS probes of real TLS servers, verdicts in answers, causes in words."""

import os
import re
import signal
import time

from harness import PATIENCE, equal, holds_for, true, wait_until
from world import four_backends, nearest_pool, steered_world, zone_head

NAME = "dl.files.example"


def pair(bench, monitor=None, **settings):
    """A failover pool: .1 is the backend under test, .2 is good.  Returns the daemon."""
    bench.backend(2)
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"edge": monitor or bench.monitor()}, pools={"downloads": {
        "method": "failover", "monitor": "edge",
        "members": {"first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}}}, **settings)
    return bench.steerd()


def member(server, name="first"):
    """What status says of a member."""
    members = [m for pool in server.status()["pools"] for m in pool["members"]]
    return next(m for m in members if m["name"] == name)


def first_address(server, name="first"):
    """What status says of its first address."""
    return member(server, name)["addresses"][0]


def goes_down(bench, server, words):
    """Waits until the member leaves the answers; its reason must match `words`."""
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the answer moves to the second member")
    equal(first_address(server)["state"], "down")
    reasons = set()

    def is_named():  # on a busy machine a check may end otherwise, too
        reasons.add(first_address(server)["reason"] or "")
        return any(re.search(words, reason, re.IGNORECASE) for reason in reasons)

    wait_until(is_named, 10, f"a reason that matches {words!r}; there were {reasons}")
    wait_until(lambda: any(reason in server.ctl("status").out for reason in reasons if reason), 10,
               "steerctl status says it in words")


def bad_certificate(bench, certificate, words):
    """A backend whose certificate is no good."""
    backend = bench.backend(1, certificate=certificate)
    server = pair(bench)
    goes_down(bench, server, words)
    equal(backend.heads, [], "no request was sent to it")


def test_wrong_name(bench):
    """A certificate for another name: down, and status says whose it is"""
    bad_certificate(bench, "wrong-name", r"certificate.*(other\.example|dl\.files\.example)")


def test_expired(bench):
    """An expired certificate: down, and status says since when"""
    bad_certificate(bench, "expired", r"certificate expired on 2020-02-01")


def test_not_yet_valid(bench):
    """A certificate that is not valid yet: down, and status says until when"""
    bad_certificate(bench, "not-yet", r"certificate.*2099-01-01")


def test_self_signed(bench):
    """A certificate that no trusted authority signed: down"""
    bad_certificate(bench, "self-signed", r"certificate.*(self.signed|trust|unknown|authority|issuer)")


def test_system_store_is_default(bench):
    """Without `ca` the system's store rules: our private authority is not trusted"""
    bench.backend(1)
    monitor = bench.monitor()
    del monitor["https"]["ca"]
    server = pair(bench, monitor)
    wait_until(lambda: first_address(server)["state"] == "down", 20, "it is down")
    wait_until(lambda: "certificate" in (first_address(server)["reason"] or ""), 20, "the reason is there")


def test_authorities_gone(bench):
    """A CA file that is not there when the daemon starts: it serves, its checks fail and say why; a reload mends it"""
    backend = bench.backend(1)
    server = pair(bench, bench.monitor(https={"ca": "gone.pem"}))
    wait_until(lambda: {first_address(server, name)["state"] for name in ("first", "second")} == {"down"}, 20,
               "both are down")
    wait_until(lambda: "gone.pem': No such file or directory" in (first_address(server)["reason"] or ""), 20,
               "the reason is there")
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "both are believed to be, and all are answered")
    with open(bench.certificate("ca") + ".pem", encoding="ascii") as file:
        bench.write("gone.pem", file.read())
    server.reload()
    wait_until(lambda: first_address(server)["state"] == "up", 20, "it is up")
    os.unlink(bench.path("gone.pem"))
    prober = server.prober()
    os.kill(prober, signal.SIGKILL)
    wait_until(lambda: server.prober() not in (None, prober), 20, "another prober runs")
    asked = backend.requests
    wait_until(lambda: backend.requests > asked + 2, 20, "which needs no file to check")
    equal(first_address(server)["state"], "up")


def behaviour(bench, mode, words, **monitor):
    """A backend that misbehaves while it runs, and recovers."""
    backend = bench.backend(1)
    server = pair(bench, bench.monitor(**monitor))
    wait_until(lambda: first_address(server)["state"] == "up", 20, "it is up")
    equal(server.addresses(NAME), [bench.address(1)])
    backend.mode = mode
    goes_down(bench, server, words)
    backend.mode = "ok"
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "it comes back")
    equal(first_address(server)["reason"], None)


def test_hangs(bench):
    """A backend that takes the request and says nothing: no answer within the timeout"""
    behaviour(bench, "silent", r"no answer within 400 ms", timeout="400ms")


def test_hangs_before_tls(bench):
    """A backend that accepts and never begins TLS: timed out"""
    behaviour(bench, "no-tls", r"timed out after 400 ms", timeout="400ms")


def test_closes(bench):
    """A backend that accepts and closes without a byte: down, and nobody waits for it"""
    behaviour(bench, "close", r"closed|reset")


def test_error_500(bench):
    """A backend that answers 500: down, and status says so"""
    behaviour(bench, "error", r"\b500\b")


def test_redirect(bench):
    """A redirect is not followed: down, 302"""
    behaviour(bench, "redirect", r"\b302\b")


def test_wrong_body(bench):
    """A body without the expected text: down"""
    behaviour(bench, "wrong-body", r"body")


def test_endless_body(bench):
    """A body without end is capped, not swallowed"""
    behaviour(bench, "big", r"body|timed out|large")


def test_not_http(bench):
    """Something that is not HTTP: down"""
    behaviour(bench, "garbage", r"HTTP")


def test_refused(bench):
    """A backend that is killed leaves the answers; it comes back when it does"""
    backend = bench.backend(1)
    server = pair(bench)
    equal(server.addresses(NAME), [bench.address(1)])
    backend.stop()
    goes_down(bench, server, r"refused")
    equal(server.dig(NAME).data, [bench.address(2)])
    backend.start()
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "it comes back")


def test_request(bench):
    """The request: GET of the path, Host and SNI of the monitor, on a fresh connection each time"""
    backend = bench.backend(1)
    pair(bench)
    wait_until(lambda: len(backend.heads) >= 3, 20, "three checks")
    for head in backend.heads[:3]:
        lines = head.split("\r\n")
        equal(lines[0].rsplit(" ", 1)[0], "GET /health")
        hosts = [line for line in lines if line.lower().startswith("host:")]
        true(hosts in ([f"Host: {NAME}"], [f"Host: {NAME}:{bench.https_port}"]), f"Host: {hosts}")
    true(set(backend.server_names) == {NAME}, f"SNI: {set(backend.server_names)}")
    true(len(backend.server_names) >= 3, "a handshake for each check")


def test_before_the_first_check(bench):
    """Answers are there before the first probe returns; what was never checked counts as up"""
    bench.backend(1, mode="silent")
    started = time.monotonic()
    server = pair(bench, bench.monitor(every="60s", timeout="20s"))
    equal(server.addresses(NAME), [bench.address(1)])
    true(time.monotonic() - started < 15 * PATIENCE, "nobody waited for a probe")
    equal(member(server)["state"], "unknown")


def test_thresholds(bench):
    """fall: one failure is not enough; the count is in status"""
    backend = bench.backend(1)
    server = pair(bench, bench.monitor(fall=5))
    wait_until(lambda: first_address(server)["state"] == "up", 20, "it is up")
    backend.mode = "error"
    wait_until(lambda: first_address(server)["passed"] is False, 20, "a check failed")
    backend.mode = "ok"
    wait_until(lambda: first_address(server)["passed"], 20, "the next ones pass")
    equal(first_address(server)["state"], "up")
    true("went down" not in server.log(), "it never went down")


def test_slow_backend_delays_nobody(bench):
    """Forty backends that hang delay no other: the good one's failure is seen as fast as ever"""
    for number in range(101, 141):
        bench.backend(number, mode="no-tls")
    backend = bench.backend(1)
    bench.backend(2)
    bench.zone("files.example", zone_head("files.example") + """\
_steer.dl 30 TXT "pool=downloads"
_steer.slow 30 TXT "pool=slow"
""")
    bench.config(
        monitors={"edge": bench.monitor(), "patient": bench.monitor(every="5s", timeout="5s")},
        pools={
            "downloads": {"method": "failover", "monitor": "edge", "members": {
                "first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}},
            "slow": {"method": "all", "monitor": "patient", "members": {
                f"s{n}": {"address": [bench.address(n)]} for n in range(101, 141)}}})
    server = bench.steerd()
    wait_until(lambda: first_address(server)["state"] == "up", 20, "it is up")
    backend.stop()
    started = time.monotonic()
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the answer moves")
    true(time.monotonic() - started < 4 * PATIENCE, f"it took {time.monotonic() - started:.1f} s")


def test_shared_target(bench):
    """An address in several pools with one monitor is checked once"""
    backend = bench.backend(1)
    bench.zone("files.example", zone_head("files.example") + "".join(
        f"_steer.n{n} 30 TXT \"pool=p{n}\"\n" for n in range(1, 9)))
    bench.config(monitors={"edge": bench.monitor(every="1s")}, pools={
        f"p{n}": {"method": "all", "monitor": "edge", "members": {"m": {"address": [bench.address(1)]}}}
        for n in range(1, 9)})
    server = bench.steerd()
    wait_until(lambda: backend.requests >= 4, 20, "four checks")
    seen = backend.requests
    started = time.monotonic()
    wait_until(lambda: backend.requests >= seen + 3, 20, "three more")
    true(time.monotonic() - started > 1.5, "eight pools would have made three checks at once")
    equal(server.all_addresses("n8.files.example", times=5), [bench.address(1)])


def test_many_states(bench):
    """Four regions, each wrong in its own way: status has a cause for each, and all are answered"""
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()

    def states():
        return [m["state"] for m in server.status()["pools"][0]["members"]]

    wait_until(lambda: states() == ["up"] * 4, 20, "all are up")
    equal(server.status()["problems"], [])
    equal(server.status()["prober"]["state"], "running")


def names_zone(bench, addresses):
    """cdn.example with the addresses of `edge`, each with a TTL of a second."""
    bench.zone("cdn.example", zone_head("cdn.example") + "".join(f"edge 1 A {address}\n" for address in addresses))


def host_world(bench):
    """A failover pool whose first member is edge.cdn.example, and a second daemon that knows that name."""
    for number in (1, 2, 3):
        bench.backend(number)
    resolver = bench.another("resolver")
    names_zone(resolver, [bench.address(1)])
    resolver.config()
    names = resolver.steerd()
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"edge": bench.monitor()}, pools={"downloads": {
        "method": "failover", "monitor": "edge", "answers": 2,
        "members": {"named": {"host": "edge.cdn.example"}, "second": {"address": [bench.address(2)]}}}})
    server = bench.steerd(STEERD_PROBER_NAMESERVERS=f"{names.server[0]}:{names.server[1]}")
    return resolver, names, server


def test_host_member(bench):
    """A member with `host:` is resolved; its addresses are probed and answered, and new ones in time"""
    resolver, names, server = host_world(bench)
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "the name's address is answered")
    named = member(server, "named")
    equal((named["host"], [a["address"] for a in named["addresses"]]), ("edge.cdn.example", [bench.address(1)]))
    wait_until(lambda: first_address(server, "named")["state"] == "up", 20, "it was probed")
    names_zone(resolver, [bench.address(1), bench.address(3)])
    names.reload()
    both = [bench.address(1), bench.address(3)]
    wait_until(lambda: server.addresses(NAME) == both, 60, "the second address is answered, too")
    names_zone(resolver, [bench.address(3)])
    names.reload()
    wait_until(lambda: server.addresses(NAME) == [bench.address(3)], 60, "the first one is gone")


def test_host_resolution_fails(bench):
    """When a name can no longer be resolved, its last known addresses stay, and are probed as ever"""
    resolver, names, server = host_world(bench)
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "the name's address is answered")
    names_zone(resolver, [])
    names.reload()
    wait_until(lambda: "cannot be resolved" in server.log(), 60, "the log says that the name is lost")
    equal(server.addresses(NAME), [bench.address(1)])
    names.stop()
    holds_for(lambda: server.addresses(NAME) == [bench.address(1)], 3, "the address stays")
    equal(first_address(server, "named")["state"], "up")


def test_verdict_reaches_answers(bench):
    """While a backend fails, the others' answers do not change at all"""
    backends = four_backends(bench)
    steered_world(bench, bench.monitor(), pools={"downloads": nearest_pool(bench, monitor="edge")})
    server = bench.steerd()
    wait_until(lambda: server.status()["pools"][0]["usable"] == 4, 20, "all are up")
    backends[3].mode = "error"
    holds_for(lambda: server.addresses(NAME, "4.0.5.0/24") == [bench.address(3)], 2.0, "Asia stays where it is")
    wait_until(lambda: server.status()["pools"][0]["usable"] == 3, 20, "one is down")
    equal(server.addresses(NAME, "4.0.5.0/24"), [bench.address(3)])
