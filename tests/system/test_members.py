# SPDX-License-Identifier: Apache-2.0
"""One member, looked at closely: a probe made now, its last checks, what is loud about it."""

from harness import contains, equal, true, wait_until
from world import zone_head

NAME = "dl.files.example"


def one_pool(bench, monitors, **pool):
    """A pool of two members, .1 under test and .2 beside it.  Returns the daemon."""
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors=monitors, pools={"downloads": {
        "method": "failover", "monitor": "edge",
        "members": {"first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}, **pool}})
    return bench.steerd()


def check_of(server, subject="downloads/first", monitor="edge"):
    """What `status SUBJECT --json` says of one check of its only address."""
    address = server.ctl("status", subject, "--json").json()["pools"][0]["members"][0]["addresses"][0]
    return next(check for check in address["checks"] if check["monitor"] == monitor)


def is_up(server):
    """Whether all of the pool are up, and the words of it have come."""
    return all(address["state"] == "up" and address["passed"] for pool in server.status()["pools"]
               for member in pool["members"] for address in member["addresses"])


def test_probe(bench):
    """steerctl probe: each phase, the certificates, the header fields, the verdict; exit code 1 when a check fails"""
    bench.backend(1)
    second = bench.backend(2)
    server = one_pool(bench, {"edge": bench.monitor()})
    wait_until(lambda: is_up(server), 20, "both are up")
    told = server.ctl("probe", "downloads/first")
    equal(told.code, 0)
    for words in (f"downloads/first {bench.address(1)}, monitor edge: up", "GET", f"{NAME}:{bench.https_port}/health",
                  "connect", "TLSv1.3", "certificates", "Content-Length"):
        contains(told.out, words)

    second.mode = "error"
    whole = server.ctl("probe", "second", "--json", check=False).json()
    equal([(check["member"], check["verdict"], check["reason"]) for check in whole["checks"]],
          [("second", "down", "status 500, expected 200-299")])
    true(all(phase["ms"] >= 0 for phase in whole["checks"][0]["phases"]), "phases have times")
    true(whole["checks"][0]["certificates"][0]["until_unix_s"] > 0, "the certificate has an end")
    second.stop()
    told = server.ctl("probe", "second", check=False)
    equal(told.code, 1)
    contains(told.out, "connection refused")
    contains(server.ctl("probe", "third", check=False).all, "no member or site is called 'third'")


def test_last_checks(bench):
    """steerctl status MEMBER: the last checks as marks, p50 and p95, the certificate, why it is down"""
    first = bench.backend(1)
    bench.backend(2)
    server = one_pool(bench, {"edge": bench.monitor()})
    wait_until(lambda: check_of(server)["outcomes"].endswith("..."), 20, "it passed thrice")
    first.mode = "error"
    wait_until(lambda: check_of(server)["outcomes"].endswith("xx"), 20, "it failed twice")
    check = check_of(server)
    true(check["latency_p50_ms"] <= check["latency_p95_ms"], "p50 is not above p95")
    equal(check["reason"], "status 500, expected 200-299")
    equal(check["certificate"]["name"], NAME)
    text = server.ctl("status", "downloads/first").out
    for words in ("P50", "P95", "...x", "the newest last", f"certificate for {NAME}", "status 500"):
        contains(text, words)


def test_unverified_is_loud(bench):
    """verify: no passes a self-signed certificate, and status says that it does; one that ends soon is said as well"""
    bench.backend(1, certificate="self-signed")
    bench.backend(2, certificate="ends-in-2-days")
    monitor = bench.monitor(https={"verify": "no"})
    server = one_pool(bench, {"edge": monitor})
    wait_until(lambda: is_up(server), 20, "both are up")
    wait_until(lambda: any("steerd test CA ends in 1 d" in line for line in server.status()["problems"]), 10,
               "that a certificate ends soon is said")
    contains("\n".join(server.status()["problems"]), "monitor edge does not verify certificates (verify: no)")
    contains(server.ctl("status").out, "verify: no")


def test_return(bench):
    """manual-return: a member that is well again waits for steerctl return, and says so"""
    first = bench.backend(1)
    bench.backend(2)
    server = one_pool(bench, {"edge": bench.monitor()}, **{"manual-return": "yes"})
    wait_until(lambda: is_up(server), 20, "both are up")
    contains(server.ctl("return", "first", check=False).all, "'first' does not wait to be returned")
    first.mode = "error"
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the second takes over")
    first.mode = "ok"
    wait_until(lambda: any("steerctl return downloads/first" in line for line in server.status()["problems"]), 20,
               "it waits, and status says how to end that")
    equal(server.addresses(NAME), [bench.address(2)])
    contains(server.ctl("return", "downloads/first").out, "downloads/first: returned (1 address of 1 member)")
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 10, "it is answered again")
