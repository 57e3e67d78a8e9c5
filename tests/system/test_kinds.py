# SPDX-License-Identifier: Apache-2.0
"""Monitors that are not https: tcp, dns, exec and push, as an operator configures and sees them."""

import os
import re
import signal
import socket
import threading

from harness import PATIENCE, contains, equal, wait_until
from test_health import first_address, member, names_zone
from world import zone_head

NAME = "dl.files.example"
EVERY_MS = round(600 * PATIENCE)
FAST = {"every": f"{EVERY_MS}ms", "timeout": f"{EVERY_MS}ms", "fall": 1, "rise": 1, "hold-down": "0s"}


def pair(bench, monitor):
    """A failover pool of .1 and .2, both checked.  Returns the daemon."""
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"m": {**FAST, **monitor}}, pools={"downloads": {
        "method": "failover", "monitor": "m",
        "members": {"first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}}})
    return bench.steerd()


def becomes(server, state, words="", name="first"):
    """Waits until status says that of the member's address, with such a reason."""
    seen = set()

    def is_so():
        address = first_address(server, name)
        seen.add((address["state"], address["reason"]))
        return address["state"] == state and re.search(words, address["reason"] or "")

    wait_until(is_so, 20, f"{name} is {state}, {words!r}; there were {seen}")


class Greeter:
    """A TCP server that greets, or does not."""

    def __init__(self, address, port, text):
        self.text = text
        self._listener = socket.create_server((address, port), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                sock.sendall(self.text.encode())

    def stop(self):
        """Closes the port."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_tcp(bench):
    """tcp: a greeting is expected; another one, and none, are told apart"""
    port = bench.https_port
    first, second = (Greeter(bench.address(n), port, "SSH-2.0-OpenSSH_9\r\n") for n in (1, 2))
    server = pair(bench, {"tcp": {"port": port, "expect": "SSH-2.0"}, "allow-internal": "yes"})
    becomes(server, "up")
    first.text = "HTTP/1.1 400 Bad Request\r\n"
    becomes(server, "down", r"^closed before 'SSH-2\.0'; 26 octets came: 'HTTP/1\.1 400 Bad Request")
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the answer moves")
    first.stop()
    becomes(server, "down", r"^connection refused$")
    second.stop()


def test_tcp_tls(bench):
    """tcp over TLS: the certificate must be that of the host"""
    bench.backend(1)
    bench.backend(2, certificate="wrong-name")
    server = pair(bench, {"tcp": {
        "port": bench.https_port, "tls": "yes", "host": NAME, "ca": bench.certificate("ca") + ".pem"},
        "allow-internal": "yes"})
    becomes(server, "up")
    becomes(server, "down", r"certificate is for other\.example, not dl\.files\.example", "second")


def test_dns(bench):
    """dns: a name server is asked; its answer, its errors and its silence are told apart"""
    resolver = bench.another("resolver")
    names_zone(resolver, ["192.0.2.1"])
    resolver.config()
    asked = resolver.steerd()
    address, port = asked.server
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=right\"\n")
    ask = {**FAST, "allow-internal": "yes"}
    bench.config(
        monitors={
            "right": {**ask, "dns": {"name": "edge.cdn.example", "expect": ["192.0.2.1"], "port": port}},
            "other": {**ask, "dns": {
                "name": "edge.cdn.example", "expect": ["192.0.2.7"], "port": port, "transport": "tcp"}},
            "nobody": {**ask, "dns": {"name": "nobody.cdn.example", "port": port}},
            "foreign": {**ask, "dns": {"name": "www.elsewhere.example", "type": "AAAA", "port": port}},
        },
        pools={name: {"method": "all", "monitor": name, "members": {name: {"address": [address]}}}
               for name in ("right", "other", "nobody", "foreign")})
    server = bench.steerd()
    becomes(server, "up", "", "right")
    becomes(server, "down", r"^answers 192\.0\.2\.1, expected 192\.0\.2\.7$", "other")
    becomes(server, "down", r"^answers NXDOMAIN: no such name$", "nobody")
    becomes(server, "down", r"^answers REFUSED: ", "foreign")
    asked.stop()
    becomes(server, "down", r"^connection refused$", "right")


def script(bench, text):
    """A shell script as a command; written again in its place by the same call."""
    path = bench.path("check")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\n{text}\n")
    os.chmod(path, 0o755)
    return path


def test_exec(bench):
    """exec: exit codes and the first line become states and reasons; what hangs is ended with its children"""
    first = bench.address(1)
    path = script(bench, f'[ "$STEERD_MEMBER_ADDRESS" = {first} ] && echo disk 3 is gone && exit 1\nexit 0')
    server = pair(bench, {"exec": {"command": [path, "--deep"]}})
    becomes(server, "down", r"^disk 3 is gone$")
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the answer moves")
    equal(first_address(server, "second")["state"], "up")
    script(bench, 'echo "$1 $STEERD_MONITOR $STEERD_TIMEOUT_MS"; exit 3')
    becomes(server, "degraded", rf"^--deep m {EVERY_MS}$")
    script(bench, "sleep 600 & sleep 600")
    becomes(server, "down", rf"^did not end within {EVERY_MS} ms$")
    script(bench, "kill -SEGV $$")
    becomes(server, "down", r"^killed by SIGSEGV$")
    script(bench, "exit 0")
    becomes(server, "up")


def put(bench, text):
    """Writes the watched file as one should: beside it, then renamed."""
    path = bench.path("health/edge.txt")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def test_push_file(bench):
    """push: a watched file says how members are; a mistake in it is named and loses nothing; silence is said"""
    first, second = bench.address(1), bench.address(2)
    put(bench, f"# by the fleet manager\n{first} up\n* degraded 1 of 2 disks\n")
    server = pair(bench, {"push": {"file": "health/edge.txt", "max-age": "5s", "on-stale": "down"}})
    becomes(server, "up")
    becomes(server, "degraded", r"^1 of 2 disks$", "second")
    put(bench, f"{first} down in the workshop\n{second} up\n")
    becomes(server, "down", r"^in the workshop$")
    wait_until(lambda: server.addresses(NAME) == [second], 20, "the answer moves")
    put(bench, f"{first} up\n{second} upp\n")
    wait_until(lambda: "health/edge.txt:2:" in server.log(), 20, "the mistake is logged")
    contains(server.log(), "'upp' is not up, degraded or down")
    contains(server.log(), "refused, 1 error; what it said before goes on")
    equal(first_address(server)["reason"], "in the workshop")
    becomes(server, "down", r"^no word for \d+ s: counts as down$", "second")
    equal(server.log().count("'upp' is not up"), 1, "said once")

    def are_up():  # who feeds it goes on
        put(bench, "* up\n")
        return all(first_address(server, name)["state"] == "up" for name in ("first", "second"))

    wait_until(are_up, 20, "both are up")


def test_push_file_later(bench):
    """push: while the file is not there nothing is believed; the prober killed changes nothing"""
    server = pair(bench, {"push": {"file": "health/edge.txt", "on-stale": "last"}})
    wait_until(lambda: "it says nothing yet" in server.log(), 20, "the log says that there is no file")
    equal(member(server)["state"], "unknown")
    equal(server.addresses(NAME), [bench.address(1)])
    put(bench, f"{bench.address(1)} down\n* up\n")
    becomes(server, "down", r"^said to be down$")
    prober = server.prober()
    os.kill(prober, signal.SIGKILL)
    wait_until(lambda: server.prober() not in (None, prober), 20, "another prober is started")
    equal(first_address(server)["state"], "down")
    put(bench, "* up\n")
    becomes(server, "up")


def test_push_by_hand(bench):
    """push: steerctl push is judged at once, also where the prober is just dead"""
    server = pair(bench, {"every": "60s", "timeout": "1s", "push": {"max-age": "1m", "on-stale": "last"}})
    server.ctl("push", "downloads/first", "down", "--reason", "in the workshop")
    becomes(server, "down", r"^in the workshop$")
    wait_until(lambda: server.addresses(NAME) == [bench.address(2)], 20, "the answer moves")
    os.kill(server.prober(), signal.SIGKILL)
    server.ctl("push", "downloads/first", "degraded", "--reason", "1 of 2 disks")
    becomes(server, "degraded", r"^1 of 2 disks$")
    server.ctl("push", "downloads/first", "up")
    becomes(server, "up")
    wait_until(lambda: server.addresses(NAME) == [bench.address(1)], 20, "the answer is back")
