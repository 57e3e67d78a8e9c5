# SPDX-License-Identifier: Apache-2.0
"""Faults: every way in which a server can be wrong, seen and named; and what is right passes every knob.

The servers are those of tests/tools/backend (`backend --modes`), each on an address of its own, all of them members of
one steerd and all checked at the same time.
"""

import hashlib
import re
import time

from backends import fault_names
from harness import PATIENCE, equal, true, wait_until
from world import zone_head

NAME = "dl.files.example"
HANG_S = 2 * PATIENCE  # the limit of a whole check
HANG = f"{HANG_S * 1000:.0f} ms" if HANG_S != int(HANG_S) else f"{HANG_S:.0f} s"

CERTIFICATES = "CERTIFICATES/"  # in a row: the directory of this run's certificates
TOTAL = 4700000000  # octets of /big
ETAG = '"4700000000-1"'


def file_digest(size):
    """SHA-256 of the first octets of /big: lines of sixteen octets, each of which says where it stands."""
    return hashlib.sha256(b"".join(b"%015d\n" % at for at in range(0, size, 16))).hexdigest()


def http(**changes):
    """A row's settings without TLS."""
    return {"http": changes}


def https(**changes):
    """A row's settings of the request."""
    return {"https": changes}


def http2(**changes):
    """A row's settings in HTTP/2."""
    return {"https": {"version": "2"}, **changes}


def tcp(**changes):
    """A row's settings over TCP alone, with TLS."""
    return {"tcp": {"tls": "yes", **changes}}


def talk(expect):
    """The same, when something is said and the answer must hold that."""
    return tcp(send="HELO probe\r\n\r\n", expect=expect)


def ranged(size="256KiB", at="head", **changes):
    """A row's settings for ranges of /big."""
    return {"https": {"path": "/big"}, "expect": {}, "range": {"size": size, "at": [at], **changes}}


# (what the server does, the monitor's own settings, the state, the reason whole as a regular expression)
ROWS = [
    ("ok", {}, "up", ""),
    ("ok", {"expect": {}}, "up", ""),
    ("ok", http(), "up", ""),
    ("ok", {"limits": {"connect": "1s", "tls": "1s", "first-byte": "1s"}}, "up", ""),
    ("delay=700", {"expect": {"body": "ok", "slower-than": "500ms"}}, "degraded",
     r"slow: took \d+ ms, more than 500 ms"),
    ("delay=700", {"expect": {"body": "ok"}}, "up", ""),
    ("ok", {"expect": {"body": "ok", "slower-than": f"{HANG_S * 900:.0f}ms"}}, "up", ""),
    ("delay=700", {"limits": {"first-byte": "400ms"}}, "down", r"no answer within 400 ms"),
    ("status=503", {}, "down", r"status 503, expected 200-299"),
    ("status=503", {"expect": {"status": ["200-299", 503]}}, "up", ""),
    ("status=503", http2(), "down", r"status 503, expected 200-299"),

    # nobody there, or nobody at home
    ("refused", {}, "down", r"connection refused"),
    ("unanswered", {}, "down", rf"connect timed out after {HANG}"),
    ("unanswered", {"limits": {"connect": "300ms"}}, "down", r"connect timed out after 300 ms"),
    ("half-open", {}, "down", rf"TLS handshake timed out after {HANG}"),
    ("hang", {}, "down", rf"TLS handshake timed out after {HANG}"),
    ("hang", {"limits": {"tls": "300ms"}}, "down", r"TLS handshake timed out after 300 ms"),
    ("hang", http(), "down", rf"no answer within {HANG}"),
    ("close", {}, "down", r"closed without a byte"),
    ("close", http(), "down", r"(closed without an answer|connection reset before an answer)"),
    ("reset", {}, "down", r"closed without a byte"),

    # the handshake
    ("plain", {}, "down", r"TLS handshake failed: the server does not speak TLS"),
    ("close-hello", {}, "down", r"closed without a byte"),
    ("reset-hello", {}, "down", r"closed without a byte"),
    ("tls-alert", {}, "down", r"TLS handshake refused by the server: handshake failure"),
    ("tls-garbage", {}, "down", r"TLS handshake failed: unexpected message"),
    ("close-handshake", {}, "down", r"closed during TLS handshake"),
    ("reset-handshake", {}, "down", r"closed during TLS handshake"),
    ("hang-handshake", {}, "down", rf"TLS handshake timed out after {HANG}"),
    ("slow-tls", {}, "down", rf"TLS handshake timed out after {HANG}"),
    ("tls-1.0", {}, "down", r"TLS handshake refused by the server: protocol version"),
    ("tls-1.1", {}, "down", r"TLS handshake refused by the server: protocol version"),
    ("tls-1.2", {}, "up", ""),
    ("client-cert", {}, "down", r"TLS ended by the server: certificate required"),
    ("client-cert", https(certificate=CERTIFICATES + "client.pem", key=CERTIFICATES + "client.key"), "up", ""),
    ("client-cert", https(certificate=CERTIFICATES + "other-client.pem", key=CERTIFICATES + "other-client.key"),
     "down", r"TLS ended by the server: unknown CA"),
    ("close-tls", {}, "down", r"closed without an answer"),
    ("reset-tls", {}, "down", r"(connection reset before an answer|closed without an answer)"),

    # certificates
    ("wrong-name", {}, "down", r"certificate is for other\.example, not dl\.files\.example"),
    ("wrong-name", https(host="other.example"), "up", ""),
    ("wrong-name", https(sni="other.example"), "up", ""),
    ("ok", https(sni="other.example"), "down", r"certificate is for dl\.files\.example, not other\.example"),
    ("no-name", {}, "down", r"certificate has no name but its common one, which does not count"),
    ("expired", {}, "down", r"certificate expired on 2020-02-01"),
    ("expired", https(verify="no"), "up", ""),
    ("not-yet", {}, "down", r"certificate not valid before 2099-01-01"),
    ("self-signed", {}, "down", r"certificate is not trusted: self-signed certificate"),
    ("self-signed", https(ca=CERTIFICATES + "self-signed.pem"), "up", ""),
    ("self-signed", https(verify="no"), "up", ""),
    ("ok", https(ca=CERTIFICATES + "self-signed.pem"), "down",
     r"certificate is not trusted: unable to get local issuer certificate"),
    ("other-ca", {}, "down", r"certificate is not trusted: unable to get local issuer certificate"),
    ("chain", {}, "up", ""),
    ("no-chain", {}, "down", r"certificate is not trusted: unable to get local issuer certificate"),
    ("expired-issuer", {}, "down", r"issuer's certificate expired on 2020-02-01"),
    ("wrong-usage", {}, "down", r"certificate is not trusted: unsuitable certificate purpose"),
    ("short-key", {}, "down", r"certificate is not trusted: EE certificate key too weak"),
    ("ends-in-2-days", {"certificate-days": {"warn": 14, "degrade": 3, "fail": 0}}, "degraded",
     r"certificate of dl\.files\.example \(steerd test CA\) ends in 1 d 2\d h, on \d{4}-\d\d-\d\d"),
    ("ends-in-2-days", {"certificate-days": {"warn": 14, "degrade": 7, "fail": 3}}, "down",
     r"certificate of dl\.files\.example \(steerd test CA\) ends in 1 d 2\d h, on \d{4}-\d\d-\d\d"),
    ("ends-in-2-days", {"certificate-days": {"warn": 0, "degrade": 0, "fail": 0}}, "up", ""),
    ("ends-in-10-days", {"certificate-days": {"warn": 14, "degrade": 3, "fail": 0}}, "up", ""),

    # in place of an answer
    ("stall", {}, "down", rf"no answer within {HANG}"),
    ("stall", {"limits": {"first-byte": "300ms"}}, "down", r"no answer within 300 ms"),
    ("stall", http(), "down", rf"no answer within {HANG}"),
    ("close-late", {}, "down", r"closed without an answer"),
    ("reset-late", {}, "down", r"connection reset before an answer"),
    ("not-http", {}, "down", r"the answer is not HTTP"),
    ("http-0.9", {}, "down", r"the answer is not HTTP"),
    ("http-1.0", {}, "up", ""),
    ("bad-status", {}, "down", r"the answer is not HTTP"),
    ("close-status", {}, "down", r"closed without an answer"),
    ("reset-status", {}, "down", r"connection reset before an answer"),
    ("hang-status", {}, "down", rf"no answer within {HANG}"),
    ("slow-answer", {}, "down", rf"(no answer|answer not complete) within {HANG}"),
    ("endless-1xx", {}, "down", r"header fields without end: more than 64 KB"),

    # header fields
    ("close-headers", {"expect": {}}, "down", r"closed within the header fields"),
    ("reset-headers", {}, "down", r"connection reset in the middle of the answer"),
    ("hang-headers", {}, "down", rf"answer not complete within {HANG}"),
    ("slow-headers", {}, "down", rf"answer not complete within {HANG}"),
    ("endless-headers", {}, "down", r"header fields without end: more than 64 KB"),
    ("endless-line", {}, "down", r"header fields without end: more than 64 KB"),
    ("bad-header", {}, "down", r"the answer is not HTTP: header without colon"),
    ("zero-header", {}, "down", r"the answer is not HTTP: nul byte in header"),
    ("two-lengths", {}, "down", r"the answer is not HTTP: .*Content-Length.*"),
    ("negative-length", {}, "down", r"the answer is not HTTP: .*Content-Length.*"),
    ("bad-length", {}, "down", r"the answer is not HTTP: .*Content-Length.*"),
    ("ok", {"expect": {"headers": {"X-Cache": "HIT", "Age": r"^\d+$", "Content-Type": None}}}, "up", ""),
    ("ok", http2(expect={"headers": {"X-Cache": "HIT"}}), "up", ""),
    ("missing-header", {"expect": {"headers": {"X-Cache": None}}}, "down", r"no header field X-Cache"),
    ("missing-header", {"expect": {}}, "up", ""),
    ("wrong-header", {"expect": {"headers": {"X-Cache": "^HIT"}}}, "down",
     r"X-Cache is 'MISS', which does not match '\^HIT'"),
    ("wrong-header", {"expect": {"headers": {"X-Cache": None}}}, "up", ""),

    # the body
    ("wrong-body", {}, "down", r"body does not hold 'ok'"),
    ("wrong-body", {"expect": {}}, "up", ""),
    ("wrong-body", http2(), "down", r"body does not hold 'ok'"),
    ("ok", {"expect": {"body-matches": r"^served by r\d+-ok$"}}, "down", r"body does not match '.*'"),
    ("ok", {"expect": {"body-matches": r"(?m)^served by r\d+-ok$"}}, "up", ""),
    ("empty-body", {}, "down", r"body does not hold 'ok'"),
    ("empty-body", {"expect": {}}, "up", ""),
    ("late-body", {}, "down", r"first 64 KiB of body do not hold 'ok'"),
    ("late-body", {"expect": {"body": "ok", "body-limit": "256KiB"}}, "up", ""),
    ("flipped-bit", {}, "down", r"body does not hold 'ok'"),
    ("chunked", {"expect": {"sha256": hashlib.sha256(b"ok\n").hexdigest()}}, "up", ""),
    ("wrong-body", {"expect": {"sha256": hashlib.sha256(b"ok\n").hexdigest()}}, "down",
     r"SHA-256 of the body is [0-9a-f]{16}\.\.\., expected dc51b8c96c2d745d\.\.\."),
    ("short-body", {}, "down", r"closed in the middle of the answer"),
    ("reset-body", {}, "down", r"connection reset in the middle of the answer"),
    ("hang-body", {}, "down", rf"answer not complete within {HANG}"),
    ("slow-body", {}, "down", rf"answer not complete within {HANG}"),
    ("endless-body", {}, "up", ""),
    ("endless-body", {"expect": {"body": "it is I"}}, "down", r"first 64 KiB of body do not hold 'it is I'"),
    ("long-body", {}, "up", ""),
    ("long-body", {"expect": {"body": "it is I"}}, "down", r"first 64 KiB of body do not hold 'it is I'"),
    ("gzip", {}, "up", ""),
    ("bad-gzip", {}, "down", r"body cannot be decoded: .*"),
    ("gzip-bomb", {}, "down", r"first 64 KiB of body do not hold 'ok'"),
    ("bad-encoding", {}, "down", r"body cannot be decoded: .*"),
    ("chunked", {}, "up", ""),
    ("close-chunk", {}, "down", r"closed in the middle of the answer"),
    ("reset-chunk", {}, "down", r"connection reset in the middle of the answer"),
    ("hang-chunk", {}, "down", rf"answer not complete within {HANG}"),
    ("chunk-size", {}, "down", r"the answer is not HTTP: .*chunk.*"),
    ("chunk-negative", {}, "down", r"the answer is not HTTP: .*chunk.*"),
    ("chunk-huge", {}, "down", r"the answer is not HTTP: .*chunk.*"),
    ("chunk-end", {}, "down", r"the answer is not HTTP: .*chunk.*"),
    ("endless-extension", {}, "down", r"sends without end, but no answer"),
    ("endless-trailers", {}, "down", r"header fields without end: more than 64 KB"),
    ("endless-chunks", {"expect": {"body": "it is I"}}, "down", r"first 64 KiB of body do not hold 'it is I'"),

    # what is asked
    ("want-post", https(method="POST", headers={"X-Probe": "steerd"}, send="ping"), "up", ""),
    ("want-post", {}, "down", r"status 405, expected 200-299"),
    ("want-post", https(method="POST", send="ping"), "down", r"status 403, expected 200-299"),
    ("want-post", https(method="POST", headers={"X-Probe": "steerd"}), "down", r"status 400, expected 200-299"),
    ("want-head", {"https": {"method": "HEAD"}, "expect": {}}, "up", ""),
    ("want-head", {"expect": {}}, "down", r"status 405, expected 200-299"),
    ("want-host", https(host="www.files.example", sni=NAME), "up", ""),
    ("want-host", {}, "down", r"status 421, expected 200-299"),

    # redirects
    ("redirect", {}, "down", r"status 302, expected 200-299"),
    ("redirect", {"expect": {"status": [302]}}, "up", ""),
    ("redirect", https(**{"redirects-to": NAME}), "down",
     rf"redirects in a loop: back to https://{NAME}:\d+/elsewhere"),
    ("redirect-once", https(**{"redirects-to": NAME}), "up", ""),
    ("redirect-once", {}, "down", r"status 302, expected 200-299"),
    ("redirect-host", {}, "down", r"status 302, expected 200-299"),
    ("redirect-host", https(**{"redirects-to": NAME}), "down", rf"redirects to elsewhere\.example, not to {NAME}"),
    ("redirect-file", https(**{"redirects-to": NAME}), "down", r"redirects to 'file:///etc/passwd', which is no URL"),
    ("redirect-nowhere", https(**{"redirects-to": NAME}), "down", r"status 302, expected 200-299"),

    # ranges
    ("ok", ranged(), "up", ""),
    ("ok", ranged(total=TOTAL, etag=ETAG, floor="1Mbit/s", **{"warm-up": "64KiB"}), "up", ""),
    ("ok", ranged(size="64KiB", sha256=file_digest(65536)), "up", ""),
    ("ok", ranged(at="tail"), "up", ""),
    ("ok", ranged(at="random", total=TOTAL), "up", ""),
    ("ok", ranged(at="4GiB", total=TOTAL), "up", ""),
    ("ok", ranged(total=TOTAL - 1), "down", rf"the file has {TOTAL} octets, expected {TOTAL - 1}"),
    ("range-ignored", ranged(), "down", r"answers 200 to a range: downloads cannot be resumed"),
    ("range-other", ranged(), "down", r"range 0-262143 was asked for, 16-262159 came"),
    ("range-half", ranged(), "down", r"range 0-262143 was asked for, 0-131071 came"),
    ("range-short", ranged(), "down", r"closed in the middle of the answer"),
    ("range-total", ranged(total=TOTAL), "down", rf"the file has {TOTAL + 1} octets, expected {TOTAL}"),
    ("range-unsaid", ranged(), "down", r"206 without Content-Range"),
    ("range-garbled", ranged(), "down", r"Content-Range 'bytes all of it' makes no sense"),
    ("range-416", ranged(), "down", rf"range 0-262143 refused: the file has {TOTAL} octets"),
    ("range-etag", ranged(etag=ETAG), "down", r'ETag is "4700000000-2", expected "4700000000-1"'),
    ("range-etag", ranged(), "up", ""),
    ("range-parts", ranged(), "down", r"206 without Content-Range"),
    ("flipped-bit", ranged(size="64KiB", sha256=file_digest(65536)), "down", r"SHA-256 of the range is another one"),
    ("slow-rate", ranged(floor="5Mbit/s", **{"warm-up": "64KiB"}), "degraded",
     r"[0-9.]+ Mbit/s after the first 64 KiB, less than 5 Mbit/s"),
    ("slow-rate", ranged(floor="1Mbit/s", **{"warm-up": "64KiB"}), "up", ""),
    ("cut-rate", ranged(size="448KiB", floor="5Mbit/s", **{"warm-up": "300KiB"}), "degraded",
     r"[0-9.]+ Mbit/s after the first 300 KiB, less than 5 Mbit/s"),

    # TCP, with TLS and without
    ("ok", tcp(), "up", ""),
    ("not-http", talk("220 mail.example"), "up", ""),
    ("ok", talk("220 mail.example"), "down",
     r"closed before '220 mail\.example'; \d+ octets came: 'HTTP/1\.1 200 OK.*'"),
    ("stall", talk("220 mail.example"), "down", rf"no answer within {HANG}"),
    ("close-late", talk("220 mail.example"), "down", r"closed without an answer"),
    ("reset-late", talk("220 mail.example"), "down", r"connection reset without an answer"),
    ("endless-body", talk("220 mail.example"), "down", r"first 65536 octets do not hold '220 mail\.example'"),
    ("refused", tcp(), "down", r"connection refused"),
    ("unanswered", {**tcp(), "limits": {"connect": "300ms"}}, "down", r"connect timed out after 300 ms"),
    ("half-open", tcp(), "down", rf"TLS handshake timed out after {HANG}"),
    ("half-open", tcp(tls="no"), "up", ""),
    ("close", tcp(), "down", r"closed without a byte"),
    ("plain", tcp(), "down", r"TLS handshake failed: the server does not speak TLS"),
    ("tls-alert", tcp(), "down", r"TLS handshake refused by the server: handshake failure"),
    ("close-handshake", tcp(), "down", r"closed during TLS handshake"),
    ("slow-tls", {**tcp(), "limits": {"tls": "300ms"}}, "down", r"TLS handshake timed out after 300 ms"),
    ("expired", tcp(), "down", r"certificate expired on 2020-02-01"),
    ("wrong-name", tcp(), "down", r"certificate is for other\.example, not dl\.files\.example"),
    ("wrong-name", tcp(sni="other.example"), "up", ""),
    ("no-name", tcp(), "down", r"certificate has no name but its common one, which does not count"),
    ("self-signed", tcp(verify="no"), "up", ""),

    # HTTP/2
    ("ok", http2(), "up", ""),
    ("no-http2", {}, "up", ""),
    ("no-http2", http2(), "down", r"the server does not speak HTTP/2"),
    ("http2-goaway", http2(), "down", r"HTTP/2 GOAWAY from the server: ENHANCE_YOUR_CALM"),
    ("http2-reset", http2(), "down", r"HTTP/2 stream reset by the server: INTERNAL_ERROR"),
    ("http2-settings", http2(), "down", r"HTTP/2 broken: .*"),
    ("http2-pings", http2(), "down", r"sends without end, but no answer"),
    ("http2-empty", http2(), "down", r"sends without end, but no answer"),
    ("http2-continuation", http2(), "down", r"HTTP/2 broken: .*"),
    ("http2-garbled", http2(), "down", r"closed without an answer, or its answer is not HTTP/2"),
    ("http2-frame", http2(), "down", r"closed without an answer, or its answer is not HTTP/2"),
    ("http2-close", http2(), "down", r"closed in the middle of the answer"),
    ("http2-hang", http2(), "down", rf"answer not complete within {HANG}"),
    ("http2-http1", http2(), "down", r"closed without an answer, or its answer is not HTTP/2"),
]


def merged(base, changes):
    """A monitor: `changes` over `base`; what is said of the request goes together, what is expected is replaced."""
    whole = {**base, **changes, "https": {**base["https"], **changes.get("https", {})}}
    if "tcp" in changes:
        keys = ("port", "host", "ca") if changes["tcp"]["tls"] == "yes" else ("port",)
        whole["tcp"] = {key: whole["https"][key] for key in keys} | changes["tcp"]
        del whole["https"], whole["expect"]
    if "http" in changes:
        whole["http"] = {key: whole["https"][key] for key in ("host", "path", "port")} | changes["http"]
        del whole["https"]
    return whole


def placed(value, directory):
    """The same settings, with the certificates where they are."""
    if isinstance(value, dict):
        return {key: placed(item, directory) for key, item in value.items()}
    return value.replace(CERTIFICATES, directory) if isinstance(value, str) else value


class World:
    """One steerd whose members are the rows, each a pool and a monitor of its own, and three that are well."""

    HEALTHY = ("well-1", "well-2", "well-3")

    def __init__(self, bench, rows):
        self.rows = {f"r{number}-{row[0].replace('=', '-')}": row for number, row in enumerate(rows, 1)}
        lasts = {name: last for last, name in enumerate([*self.rows, *self.HEALTHY], 1)}
        base = bench.monitor(every=f"{2 * HANG_S:.0f}s", timeout=f"{HANG_S * 1000:.0f}ms", fall=1)
        monitors = {name: placed(merged(base, row[1]), bench.certificate("")) for name, row in self.rows.items()}
        monitors["well"] = merged(base, {"every": "1s", "timeout": "1s", "fall": 3})
        pools = {name: {
            "method": "all", "monitor": name if name in self.rows else "well",
            "members": {name: {"address": [bench.address(last)]}}} for name, last in lasts.items()}
        self.servers = bench.faults(
            [(name, lasts[name], row[0], "http" in row[1] and bench.https_port) for name, row in self.rows.items()]
            + [(name, lasts[name], "ok") for name in self.HEALTHY])
        bench.zone("files.example", zone_head("files.example") + f"_steer.dl 30 TXT \"pool={self.HEALTHY[0]}\"\n")
        bench.config(monitors=monitors, pools=pools)
        self.server = bench.steerd()

    def addresses(self):
        """{row: what status says of its address}."""
        return {pool["name"]: pool["members"][0]["addresses"][0] for pool in self.server.status()["pools"]}

    def wrong(self):
        """Lines about rows that are not as they should be, yet."""
        found = []
        for name, said in self.addresses().items():
            _, _, state, words = self.rows.get(name, ("ok", {}, "up", ""))
            reason = said["reason"] or ""
            if said["state"] != state or not re.fullmatch(words, reason):
                found.append(f"{name}: {said['state']}, {reason!r}, not {state}, {words!r}")
        return found

    def wrong_on_screen(self):
        """The same of the lines that people read."""
        lines = {line.split()[0]: line for line in self.server.ctl("status").out.splitlines() if line.strip()}
        found = []
        for name, (_, _, state, words) in self.rows.items():
            if not re.search(rf"  {state}( at 50 %)?  .*  ({words or 'passed in .*'}|passed in .*, but {words})$", lines[name]):
                found.append(lines[name])
        return found

    def settle(self, limit_s, find_wrong):
        """Waits until every row is as it should be; a check that a busy machine disturbed is made again."""
        end = time.monotonic() + limit_s * PATIENCE
        while (wrong := find_wrong()) and time.monotonic() < end:
            time.sleep(0.2)
        true(not wrong, f"{len(wrong)} of {len(self.rows)}:\n" + "\n".join(wrong))


def nobody_waits(world, hanging):
    """A round of checks of one that hangs, beside which the others are checked as if they were alone."""
    for name in world.HEALTHY:
        world.servers.count(name)
    hung = world.servers.count(hanging)["connections"]
    wait_until(lambda: world.servers.count(hanging)["connections"] >= hung + 2, 20, "two more checks that hang")
    for name in world.HEALTHY:
        seen = world.servers.count(name)
        true(seen["longest-gap-ms"] < HANG_S * 1000, f"{name} waited for one that hangs: {seen}")
        true(seen["longest-ask-ms"] < HANG_S * 1000, f"{name} was slow to be asked: {seen}")


def test_each_fault_by_name(bench):
    """Every fault of the table at the same time: each has its state and its words, and delays nobody"""
    world = World(bench, ROWS)
    world.settle(25, world.wrong)
    nobody_waits(world, next(name for name in world.rows if name.endswith("-hang")))
    equal(world.server.status()["prober"]["restarts"], 0, "nothing that a server sends ends the prober")
    world.settle(10, world.wrong_on_screen)


def test_table_is_whole(bench):
    """Every fault that the server knows has a row"""
    known = fault_names(bench.fault_program())
    shown = {row[0].split("=")[0] for row in ROWS}
    # the one that needs a second server has a test of its own
    equal(sorted(name for name in known if name.rstrip("=") not in shown), ["redirect-tls="])


def single(bench, servers, monitor):
    """One member at .1, judged by single checks; the fault server and the daemon."""
    faults = bench.faults(servers)
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=one\"\n")
    bench.config(monitors={"edge": monitor}, pools={"one": {
        "method": "all", "monitor": "edge", "members": {"one": {"address": [bench.address(1)]}}}})
    return faults, bench.steerd()


def comes(server, state, words, about):
    """Waits until its one address has that state and reason."""
    def address():
        return server.status()["pools"][0]["members"][0]["addresses"][0]

    wait_until(lambda: address()["seen"] == state and re.fullmatch(words, address()["reason"] or ""), 20,
               f"{about}: {state}, {words!r}, now {address()}")


def test_faults_begin_and_end(bench):
    """What is wrong from one check to the next is named, and over when it is over: the certificate is swapped, too"""
    monitor = bench.monitor(fall=1)
    faults, server = single(bench, [("one", 1, "ok")], monitor)

    def swap(name):
        stem = bench.certificate(name)
        faults.tell(f"cert one {stem}.pem {stem}.key")

    comes(server, "up", "", "it begins well")
    for mode, words in [
            ("refused", r"connection refused"), ("unanswered", r"connect timed out after .*"),
            ("reset-body", r"connection reset in the middle of the answer"), ("expired", r"certificate expired on .*")]:
        faults.mode("one", mode)
        comes(server, "down", words, mode)
        faults.mode("one", "ok")
        comes(server, "up", "", f"after {mode}")
    swap("wrong-name")
    comes(server, "down", rf"certificate is for other\.example, not {NAME}", "another certificate")
    swap("chain")
    comes(server, "up", "", "a good one, from an intermediate")
    swap("self-signed")
    comes(server, "down", r"certificate is not trusted: self-signed certificate", "one of its own")


def test_file_changes(bench):
    """A file that is another one from one check to the next: the range monitor says so once, and what it was"""
    # the next check has forgotten why, and the table with the words comes once a second
    monitor = merged(bench.monitor(every="3s", recheck="3s", fall=1), ranged())
    faults, server = single(bench, [("one", 1, "ok")], monitor)
    comes(server, "up", "", "the first version")
    faults.mode("one", "range-etag")
    comes(server, "down", r'ETag is "4700000000-2", it was "4700000000-1"', "another version")
    comes(server, "up", "", "which is what is compared with from then on")


def test_redirect_to_https(bench):
    """From HTTP to HTTPS of the same host: asked at the same address, if it may be, and its certificate is checked"""
    plain_port = bench.free_port()
    monitor = bench.monitor(fall=1)
    del monitor["https"]
    monitor["http"] = {"host": NAME, "path": "/health", "port": plain_port, "redirects-to": NAME}
    faults, server = single(bench, [
        ("tls", 1, "ok"), ("one", 1, f"redirect-tls={bench.https_port}", plain_port)], monitor)
    # a monitor of HTTP names no authority of its own: the system's are asked, which do not know ours
    comes(server, "down", r"certificate is not trusted: unable to get local issuer certificate", "over there")
    true(faults.count("tls")["connections"] > 0, "it was asked there")
    faults.mode("one", "ok")
    comes(server, "up", "", "no redirect any more")
