# SPDX-License-Identifier: Apache-2.0
"""Notifications: who is told what, by webhooks that verify and by commands that keep."""

import hashlib
import hmac
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from harness import contains, equal, true, wait_until
from world import zone_head

NAME = "dl.files.example"
SECRET = "correct horse battery staple"
DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/operations.md")


class Receiver:
    """An HTTPS server that keeps what it is sent and answers with the next of `answers`, the last for ever."""

    def __init__(self, address, certificate, answers=(200,)):
        self.answers, self.posts = list(answers), []  # (headers, body, answer) each
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(f"{certificate}.pem", f"{certificate}.key")
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        """Nobody answers any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            with self._context.wrap_socket(sock, server_side=True) as tls:
                self._talk(tls)
        except OSError:
            pass  # who does not trust us goes away

    def _talk(self, tls):
        octets = b""
        while b"\r\n\r\n" not in octets:
            octets += self._more(tls)
        head, body = octets.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(headers["content-length"]):
            body += self._more(tls)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.posts.append((headers, body, answer))
        tls.sendall(f"HTTP/1.1 {answer} as told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    @staticmethod
    def _more(tls):
        more = tls.recv(65536)
        if not more:
            raise OSError("gone")
        return more

    def taken(self):
        """What it said yes to, as JSON."""
        return [json.loads(body) for _, body, answer in self.posts if answer == 200]

    def events(self):
        """The events of those."""
        return [told["event"] for told in self.taken()]


def is_genuine(headers, body):
    """The signature, as the manual describes it."""
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["steerd-signature"])
    true(found, f"a signature: {headers}")
    true(abs(time.time() - int(found.group(1))) < 60, "signed just now")
    want = hmac.new(SECRET.encode(), found.group(1).encode() + b"." + body, hashlib.sha256)
    return hmac.compare_digest(want.hexdigest(), found.group(2))


def shell_says_genuine(bench, headers, body):
    """The same with the lines that the manual gives for a shell."""
    with open(DOCS, encoding="utf-8") as docs:
        lines = [line[4:] for line in docs.read().splitlines() if re.match(r"    (t=|hex=|\[ \"t=)", line)]
    equal(len(lines), 3, "lines of shell in the manual")
    bench.write("body", body)
    done = subprocess.run(
        ["sh", "-c", "\n".join(lines)], cwd=bench.directory, capture_output=True, text=True, check=False,
        env={**os.environ, "signature": headers["steerd-signature"]})
    return done.stdout == "genuine\n"


def receiver(bench, answers=(200,)):
    """One for this test, with its key."""
    os.chmod(bench.write("hook.key", SECRET + "\n"), 0o600)
    made = Receiver(bench.address(200), bench.certificate("good"), answers)
    bench.at_end(made.stop)
    return made


def name_server(bench):
    """Another steerd, where the receiver's name is found; NAMESERVERS for a prober."""
    names = bench.another("names")
    names.zone("files.example", zone_head("files.example") + f"dl A {bench.address(200)}\n")
    names.config()
    address, port = names.steerd().server
    return {"STEERD_PROBER_NAMESERVERS": f"{address}:{port}"}


def webhook(bench, made, **changes):
    """A `notify` of everything, soon."""
    hook = {"url": f"https://{NAME}:{made.port}/steerd?a=1", "secret": "hook.key",
            "ca": bench.certificate("ca") + ".pem", "allow-internal": "yes"}
    return {"webhook": hook, "after": "1s", **changes}


def settings(bench, **notifies):
    """Two members that fail over, watched; and who is told."""
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(
        monitors={"edge": bench.monitor(**{"allow-internal": "yes"})}, identity="ns1.test", notify=notifies,
        pools={"downloads": {"method": "failover", "monitor": "edge", "max-loss": "100%", "members": {
            "first": {"address": [bench.address(1)]}, "second": {"address": [bench.address(2)]}}}})


def is_up(server, count=2):
    """Whether so many members are usable, and seen to be."""
    pool = server.status()["pools"][0]
    return [m["state"] for m in pool["members"]].count("up") == count


def serve(bench, **notifies):
    """The backends and the daemon, when all is well."""
    backends = [bench.backend(1), bench.backend(2)]
    settings(bench, **notifies)
    server = bench.steerd(**name_server(bench))
    wait_until(lambda: is_up(server), 20, "all is well")
    return backends, server


def test_outage(bench):
    """An outage: told once it has lasted, signed; refused, it comes again with the same id; then its end"""
    made = receiver(bench, answers=[500, 200])
    backends, server = serve(bench, ops=webhook(bench, made))
    backends[0].stop()
    wait_until(made.taken, 30, "the outage is told")
    equal([answer for _, _, answer in made.posts], [500, 200], "answers")
    equal(made.posts[0][1], made.posts[1][1], "the same body each time")
    told = made.taken()[0]
    for key, want in {"event": "member-down", "repeat": False, "pool": "downloads", "member": "first",
                      "address": bench.address(1), "subject": f"downloads/first {bench.address(1)}",
                      "monitor": None, "host": "ns1.test", "generation": server.status()["generation"]}.items():
        equal(told[key], want, key)
    true(re.fullmatch(r"[0-9a-f]{16}", told["id"]), f"an id: {told['id']}")
    true(told["since_unix_s"] <= told["at_unix_s"] <= time.time() + 1, f"times: {told}")
    contains(told["reason"], "refused", "the reason")
    check = told["checks"][0]
    equal((check["monitor"], check["state"], check["passed"]), ("edge", "down", False))
    true(check["outcomes"].endswith("x"), f"outcomes: {check['outcomes']}")
    equal(told["pool_state"]["state"], "sound")
    for headers, body, _ in made.posts:
        true(is_genuine(headers, body), "the signature fits")
        true(not is_genuine(headers, body + b" "), "and fits nothing else")
        equal((headers["content-type"], headers["steerd-event"]), ("application/json", "member-down"))
        equal(headers["host"], f"{NAME}:{made.port}")
    true(shell_says_genuine(bench, *made.posts[0][:2]), "the shell of the manual finds it genuine")
    true(not shell_says_genuine(bench, made.posts[0][0], b"{}"), "and a forged one not")
    backends[0].start()
    wait_until(lambda: made.events() == ["member-down", "member-up"], 30, "its end is told")
    contains(made.taken()[1]["reason"], "it is over; it was: ", "the reason")
    true(made.taken()[1]["id"] != told["id"], "another id")


def test_blip(bench):
    """A blip shorter than `after` is not told, nor is its end; what comes after it is"""
    made = receiver(bench)
    backends, server = serve(bench, ops=webhook(bench, made, after="8s"))
    backends[0].stop()
    wait_until(lambda: is_up(server, 1), 20, "it is seen")
    backends[0].start()
    wait_until(lambda: is_up(server), 20, "it is over")
    backends[1].stop()
    wait_until(made.taken, 40, "the next one is told")
    equal([told["member"] for told in made.taken()], ["second"])


def test_pool_and_repeat(bench):
    """A pool that is lost, again and again while it lasts, to who hears of pools alone; and that it is back"""
    made = receiver(bench)
    backends, _ = serve(bench, ops=webhook(bench, made, on=["pool"], repeat="2s"))
    for backend in backends:
        backend.stop()
    wait_until(lambda: len(made.taken()) >= 3, 40, "told, and repeated")
    for backend in backends:
        backend.start()
    wait_until(lambda: made.events()[-1] == "pool-back", 40, "its end is told")
    told = made.taken()
    true({one["event"] for one in told[:-1]} <= {"pool-panic", "pool-lost"}, f"{made.events()}")
    equal(told[-2]["event"], "pool-lost")
    true(told[-2]["repeat"] and not told[0]["repeat"], "what was told before says so")
    contains(told[-2]["reason"], "serve-all", "what it answers")
    equal(len({one["id"] for one in told}), len(told), "each its own id")


def test_command(bench):
    """A command: JSON to read, the event in its environment; one that fails is run again"""
    keep = tempfile.mkdtemp(prefix="steerd-notices-", dir="/var/tmp")
    os.chmod(keep, 0o777)
    bench.at_end(lambda: subprocess.run(["rm", "-rf", keep], check=True))
    script = bench.write("page", f"""#!/bin/sh
cd {keep} || exit 1
[ -e failed ] || {{ : >failed; exit 3; }}
cat >body
env >environment
cat {bench.path("steerd.yaml")} >forbidden 2>/dev/null
mv body told
""")
    os.chmod(script, 0o755)
    backends, server = serve(bench, pager={"command": [script, "now"], "after": "1s"})
    backends[0].stop()
    wait_until(lambda: os.path.exists(f"{keep}/told"), 30, "it was run")
    with open(f"{keep}/told", encoding="utf-8") as file:
        told = json.load(file)
    equal((told["event"], told["member"]), ("member-down", "first"))
    with open(f"{keep}/environment", encoding="utf-8") as file:
        environment = dict(line.split("=", 1) for line in file.read().splitlines())
    equal(environment["STEERD_EVENT"], "member-down")
    equal(environment["STEERD_SUBJECT"], f"downloads/first {bench.address(1)}")
    equal(environment["STEERD_REASON"], told["reason"])
    equal(os.path.getsize(f"{keep}/forbidden"), 0, "what it could read of steerd.yaml")
    contains(server.log(), "'pager' cannot be told: the command ended with exit code 3", "the log")


def test_prober_dies_before_it_is_told(bench):
    """What the prober did not yet deliver when it was killed, the next one delivers, with the same id"""
    made = receiver(bench, answers=[500])
    backends, server = serve(bench, ops=webhook(bench, made))
    backends[0].stop()
    wait_until(lambda: made.posts, 30, "it is tried")
    equal(server.status()["notices"]["waiting"] > 0, True, "it waits")
    os.kill(server.prober(), signal.SIGKILL)
    made.answers = [200]
    wait_until(made.taken, 30, "it is told")
    told = made.taken()
    equal([one["event"] for one in told if one["member"] == "first"][:1], ["member-down"])
    equal(told[0]["id"], json.loads(made.posts[0][1])["id"], "the same one")
    wait_until(lambda: server.status()["notices"]["waiting"] == 0, 20, "nothing waits any more")
    true(server.status()["notices"]["told"] >= 1, "it is counted")


def test_prober_hangs(bench):
    """A prober that hangs is told by the next one, and that there is one"""
    made = receiver(bench)
    _, server = serve(bench, ops=webhook(bench, made, on=["observer"]))
    os.kill(server.prober(), signal.SIGSTOP)
    wait_until(lambda: made.events() == ["prober-gone", "prober-back"], 40, "both are told")
    equal(made.taken()[0]["subject"], "prober")
    contains(made.taken()[0]["reason"], "says nothing", "the reason")


def test_restart(bench):
    """A restart does not tell again what was told, and tells what is over by then"""
    made = receiver(bench)
    backends, server = serve(bench, ops=webhook(bench, made))
    backends[0].stop()
    wait_until(made.taken, 30, "it is told")
    wait_until(lambda: os.path.exists(bench.path("state/notices")), 20, "that is on disk")
    server.stop()
    server.start()
    wait_until(lambda: is_up(server, 1), 20, "it is seen again")
    backends[1].stop()
    wait_until(lambda: len(made.taken()) >= 2, 30, "something else is told")
    true(all(one["member"] != "first" for one in made.taken()[1:]), "the first not again")
    backends[0].start()
    wait_until(lambda: ("first", "member-up") in [(one["member"], one["event"]) for one in made.taken()], 30,
               "its end is told")


def test_removed(bench):
    """What was told of and is not configured any more is told to be removed"""
    made = receiver(bench)
    backends, server = serve(bench, ops=webhook(bench, made))
    backends[0].stop()
    wait_until(made.taken, 30, "it is told")
    text = open(bench.path("steerd.yaml"), encoding="utf-8").read()
    bench.write("steerd.yaml", text.replace("first:", "third:"))
    server.reload()
    wait_until(lambda: "removed" in made.events(), 30, "that it is gone is told")
    told = next(one for one in made.taken() if one["event"] == "removed")
    equal((told["member"], told["reason"], told["checks"]), ("first", "it is not configured any more", []))
    wait_until(lambda: ("third", "member-down") in [(one["member"], one["event"]) for one in made.taken()], 30,
               "the one that came is down")


def test_never_up(bench):
    """A member that never passed a check is told as that, and not as down"""
    made = receiver(bench)
    bench.backend(2)
    settings(bench, ops=webhook(bench, made))
    bench.steerd(**name_server(bench))
    wait_until(made.taken, 30, "it is told")
    equal([(one["event"], one["member"]) for one in made.taken()], [("member-never-up", "first")])


def test_internal_receiver(bench):
    """A webhook whose name leads to loopback is not connected to unless that is allowed"""
    made = receiver(bench)
    hook = webhook(bench, made)
    del hook["webhook"]["allow-internal"]
    backends, server = serve(bench, ops=hook)
    backends[0].stop()
    wait_until(lambda: "cannot be told" in server.log(), 30, "it is tried")
    contains(server.log(), f"'ops' cannot be told: {bench.address(200)} is loopback; 'allow-internal: yes'", "the log")
    equal(made.posts, [])


def test_untrusted_receiver(bench):
    """A webhook whose certificate is not trusted is told nothing"""
    made = receiver(bench)
    hook = webhook(bench, made)
    hook["webhook"]["ca"] = bench.certificate("other-ca") + ".pem"
    backends, server = serve(bench, ops=hook)
    backends[0].stop()
    wait_until(lambda: "'ops' cannot be told: SSL" in server.log(), 30, "it is tried")
    equal(made.posts, [])
