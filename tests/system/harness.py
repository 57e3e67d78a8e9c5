# SPDX-License-Identifier: Apache-2.0
"""What every system test stands on: a scratch directory, the real programs, real backends, and waiting for events.

A test is a function that takes a `Bench`; its docstring says what it shows, in one line.  Everything that the
bench starts it also ends, and what a program left behind fails the test.
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import wire
from backends import Backend, FaultServer

PATIENCE = float(os.environ.get("STEERD_TEST_PATIENCE", "1"))  # above 1 for slow builds and machines
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer")


class Failed(Exception):
    """The test's own verdict: what was expected and what came."""


class Skipped(Exception):
    """The machine cannot show this; the reason is printed."""


def equal(got, want, about=""):
    """Fails unless both are the same."""
    if got != want:
        raise Failed(f"{about or 'value'}: got {got!r}, want {want!r}")


def true(value, about):
    """Fails unless it holds."""
    if not value:
        raise Failed(about)


def contains(text, part, about=""):
    """Fails unless `part` stands in `text`."""
    if part not in text:
        raise Failed(f"{about or 'text'}: no {part!r} in:\n{text}")


def wait_until(check, limit_s, about):
    """Polls until `check()` gives something true, and returns that; the limit is for machines that hang."""
    end = time.monotonic() + limit_s * PATIENCE
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"after {limit_s * PATIENCE:.0f} s still not: {about}")
        time.sleep(0.02)


def holds_for(check, duration_s, about):
    """The opposite of wait_until: fails as soon as `check()` is false within that time."""
    end = time.monotonic() + duration_s
    while time.monotonic() < end:
        if not check():
            raise Failed(f"no longer: {about}")
        time.sleep(0.02)


# ---- processes --------------------------------------------------------------------------------------------------


def adopt_orphans():
    """Makes this process the parent of whatever its children leave behind (PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)


def process_table():
    """{pid: (parent, state, name)} of every process that can be seen."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="latin-1") as stat:
                text = stat.read()
        except OSError:
            continue  # gone meanwhile
        name = text[text.index("(") + 1 : text.rindex(")")]
        state, parent = text[text.rindex(")") + 2 :].split()[:2]
        table[int(entry)] = (int(parent), state, name)
    return table


def descendants(pid):
    """{pid: name} of all living processes below one."""
    table = process_table()
    found, parents = {}, {pid}
    while parents:
        children = {p for p, (parent, state, _) in table.items() if parent in parents and state != "Z"}
        children -= found.keys()
        found.update({p: table[p][2] for p in children})
        parents = children
    return found


def kill_descendants(pid):
    """Ends them all; returns their names."""
    killed = descendants(pid)
    for child in killed:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return killed


# ---- dig --------------------------------------------------------------------------------------------------------


class Dig:
    """What dig printed, taken apart."""

    def __init__(self, text):
        self.text = text
        found = re.search(r"status: (\w+)", text)
        self.status = found.group(1) if found else None
        found = re.search(r"flags: ([a-z ]*);", text)
        self.flags = found.group(1).split() if found else []
        found = re.search(r"CLIENT-SUBNET: (\S+)", text)
        self.subnet = found.group(1) if found else None
        self.answer = self._section("ANSWER")
        self.authority = self._section("AUTHORITY")
        self.additional = self._section("ADDITIONAL")

    def _section(self, title):
        records, within = [], False
        for line in self.text.splitlines():
            if line.startswith(";; "):
                within = line.startswith(f";; {title} SECTION:")
            elif within and line and not line.startswith(";"):
                name, ttl, _class, rtype, data = line.split(None, 4)
                records.append((name, int(ttl), rtype, data))
        return records

    @property
    def data(self):
        """The answer's data, sorted."""
        return sorted(record[3] for record in self.answer)


def run_dig(server, *arguments):
    """Real dig: one try, five seconds."""
    address, port = server
    command = ["dig", f"@{address}", "-p", str(port), "+time=5", "+tries=1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return Dig(done.stdout + done.stderr)


# ---- steerd -----------------------------------------------------------------------------------------------------


class Ran:
    """A finished command."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        self.all = done.stdout + done.stderr

    def json(self):
        """Its output as JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failed(f"not JSON (exit code {self.code}):\n{self.all}") from None


class Steerd:
    """One running daemon."""

    def __init__(self, bench, config_path, wrapper=(), environment=None, options=()):
        self.bench, self.config_path, self.wrapper = bench, config_path, list(wrapper)
        self.options = list(options)
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.server = None  # the first address and port that it listens on
        self.servers = []
        self.log_path = None
        self.expected_codes = {0}

    def start(self):
        """Starts it and waits for its `ready` line; returns itself."""
        self.log_path = self.bench.path(f"steerd-{self.bench.count()}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, self.bench.program("steerd"), "-c", self.config_path, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self.environment)
        line = wait_until(self._ready_line, 30, "steerd prints its ready line")
        self.servers = [
            (address.strip("[]"), int(port))
            for address, port in re.findall(r"(\[[0-9a-f:.]+\]|[0-9.]+):(\d+)", line)]
        true(self.servers, f"the ready line names no address: {line}")
        self.server = self.servers[0]
        return self

    def log(self):
        """All that it has said."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def _ready_line(self):
        if self.process.poll() is not None:
            self.expected_codes = {self.process.returncode}  # it is said here, and once is enough
            raise Failed(f"steerd ended with code {self.process.returncode}:\n{self.log()}")
        found = re.search(r"^.*\bready\b.*$", self.log(), re.MULTILINE)
        return found and found.group(0)

    def is_running(self):
        """Whether it has not ended."""
        return self.process is not None and self.process.poll() is None

    def prober(self):
        """The prober's pid, or None."""
        for pid, name in descendants(self.process.pid).items():
            if name.startswith("steerd-prober"):
                return pid
        return None

    def kill(self):
        """kill -9, and what systemd would do then: nothing is left of it."""
        self.expected_codes = {-signal.SIGKILL}
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        """Ends it in order; a wrong exit code or a sanitizer's report fails the test."""
        if self.process is None:
            return  # it was never there
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(15 * PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise Failed("steerd did not end within 15 s of SIGTERM") from None
        report = SANITIZER.search(self.log())
        true(not report, f"a sanitizer says: {report and self.log()[report.start():][:4000]}")
        true(self.process.returncode in self.expected_codes,
             f"steerd ended with code {self.process.returncode}:\n{self.log()[-3000:]}")

    # asking it

    def dig(self, *arguments):
        """dig at it."""
        return run_dig(self.server, *arguments)

    def ask(self, octets):
        """One message over UDP, read, and again as resolvers do it, for datagrams are lost; no answer fails the test."""
        reply = None
        for _ in range(3):
            reply = reply or wire.ask_udp(self.server, octets, 2 * PATIENCE)
        true(reply is not None, f"no answer to {octets.hex()}")
        return wire.Response(reply)

    def ask_tcp(self, octets):
        """The same over TCP."""
        reply = wire.ask_tcp(self.server, octets, 5 * PATIENCE)
        true(reply is not None, f"no answer over TCP to {octets.hex()}")
        return wire.Response(reply)

    def query(self, name, rtype="A", **options):
        """A plain query."""
        return self.ask(wire.query(name, rtype, **options))

    def cookie(self):
        """The EDNS option of a cookie that is good here: who sends it is given long answers over UDP."""
        first = self.ask(wire.no_question(options=[(wire.OPTION_COOKIE, b"a client")]))
        return (wire.OPTION_COOKIE, first.cookie())

    def addresses(self, name, subnet=None, rtype="A"):
        """The addresses that a client gets, sorted; its subnet is told by ECS."""
        if subnet is None:
            return self.query(name, rtype).addresses
        return self.ask(wire.ecs_query(name, rtype, subnet)).addresses

    def all_addresses(self, name, subnet=None, rtype="A", times=200):
        """Every address that a client may get."""
        found = set()
        for _ in range(times):
            found.update(self.addresses(name, subnet, rtype))
        return sorted(found)

    # steerctl

    def control_path(self):
        """The control socket, as every configuration here has it."""
        return os.path.join(os.path.dirname(self.config_path), "control")

    def ctl(self, *arguments, check=True):
        """Runs steerctl; unless `check` is off, a failure fails the test."""
        ran = self.bench.run("steerctl", "-s", self.control_path(), *arguments)
        true(ran.code == 0 or not check, f"steerctl {' '.join(arguments)}: code {ran.code}\n{ran.all}")
        return ran

    def status(self):
        """`steerctl status --json`."""
        return self.ctl("status", "--json").json()

    def reload(self, *arguments, check=True):
        """`steerctl reload`."""
        return self.ctl("reload", *arguments, check=check)


def open_to_nobody(bench):
    """Lets the user nobody at the test's files, or skips the test where a directory above is closed."""
    for path in (bench.path(), bench.path("state")):
        os.chmod(path, 0o777)
    lowest = os.path.realpath(bench.directory)
    while lowest != "/":
        if not os.stat(lowest).st_mode & 0o001:
            raise Skipped(f"nobody cannot enter {lowest}")
        lowest = os.path.dirname(lowest)


# ---- the bench --------------------------------------------------------------------------------------------------


class Bench:
    """A test's own directory, loopback network (127.T.U.0/24) and programs."""

    def __init__(self, directory, prefix, certificates):
        self.directory, self.prefix, self.certificates = directory, prefix, certificates
        self._count = 0
        self._closers = []
        self._servers = []
        number = os.getpid()
        self.network = f"127.{64 + number // 256 % 128}.{number % 256}"
        self.https_port = self.free_port()

    def count(self):
        """A number for each file."""
        self._count += 1
        return self._count

    def address(self, last):
        """An address of this test's own."""
        return f"{self.network}.{last}"

    def free_port(self):
        """A port that is free on our own network."""
        with socket.socket() as sock:
            sock.bind((self.address(250), 0))
            return sock.getsockname()[1]

    def path(self, *parts):
        """A path in the scratch directory."""
        return os.path.join(self.directory, *parts)

    def program(self, name):
        """An installed program."""
        for directory in ("sbin", "bin", "libexec/steerd"):
            path = os.path.join(self.prefix, directory, name)
            if os.path.exists(path):
                return path
        raise Failed(f"{name} is not installed below {self.prefix}")

    def run(self, name, *arguments, timeout=60):
        """Runs one of our programs to its end."""
        done = subprocess.run(
            [self.program(name), *arguments], capture_output=True, text=True, check=False,
            timeout=timeout * PATIENCE, stdin=subprocess.DEVNULL, cwd=self.directory)
        true(not SANITIZER.search(done.stderr), f"a sanitizer says:\n{done.stderr}")
        true(done.returncode >= 0, f"{name} was ended by signal {-done.returncode}\n{done.stderr}")
        return Ran(done)

    def at_end(self, action):
        """Does it when the test is over, last first."""
        self._closers.append(action)

    def close(self):
        """Ends everything; every step is done, and the first that failed is raised."""
        failure = None
        for action in reversed([*self._closers, *(server.stop for server in self._servers)]):
            try:
                action()
            except Exception as error:  # pylint: disable=broad-except  # the rest must be ended all the same
                failure = failure or error
        if failure:
            raise failure

    def another(self, name):
        """A second bench for a second daemon, in a directory below and on the same network."""
        other = Bench(self.path(name), self.prefix, self.certificates)
        self.at_end(other.close)
        return other

    # files

    def write(self, name, text):
        """A file as an editor leaves it: whole, by a rename."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(path + ".new", mode) as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def zone(self, name, text):
        """zones/NAME.zone."""
        return self.write(f"zones/{name}.zone", text)

    def config(self, **settings):
        """steerd.yaml from keyword arguments, over what every test needs: of a pool that says nothing else, health may take
        away all at once, so that answers follow what a test does."""
        for pool in settings.get("pools", {}).values():
            pool.setdefault("max-loss", "100%")
        whole = {
            "listen": ["127.0.0.1:0"], "workers": 2, "zones": "zones/", "state": "state/",
            "control": "control", **settings}
        os.makedirs(self.path("state"), exist_ok=True)
        os.makedirs(self.path("zones"), exist_ok=True)
        return self.write("steerd.yaml", yaml_text(whole))

    def monitor(self, **changes):
        """A monitor of this test's backends that judges fast, but not faster than a busy machine answers: they are in Python,
        and a check that is late looks like a backend that is."""
        every = changes.get("every", f"{800 * PATIENCE:.0f}ms")
        https = {"host": "dl.files.example", "path": "/health", "port": self.https_port,
                 "ca": self.certificate("ca") + ".pem", **changes.pop("https", {})}
        return {"https": https, "every": every, "timeout": every, "fall": 2, "rise": 1, "hold-down": "0s",
                "allow-internal": "yes", "expect": {"body": "ok"}, **changes}

    # programs

    def steerd(self, *wrapper, **environment):
        """A daemon with zones/ and steerd.yaml as they are, started and ready."""
        return self.steerd_of(self.path("steerd.yaml"), wrapper, environment)

    def steerd_of(self, config_path, wrapper=(), environment=None, options=()):
        """The same for another configuration, or with other options."""
        server = Steerd(self, config_path, wrapper, environment, options)
        self._servers.append(server)
        return server.start()

    def certificate(self, name):
        """Path of a certificate of the run, without its ending."""
        return os.path.join(self.certificates, name)

    def backend(self, last, certificate="good", mode="ok", body="ok\n", start=True):
        """An HTTPS backend at 127.T.U.last."""
        address = last if isinstance(last, str) else self.address(last)
        backend = Backend(address, self.https_port, self.certificate(certificate), mode, body)
        self.at_end(backend.stop)
        return backend.start() if start else backend

    def fault_program(self):
        """The fault server, which is not installed."""
        return os.path.join(os.path.dirname(self.prefix), "tests/tools/backend")

    def faults(self, servers):
        """A fault server at 127.T.U.last for each (name, last, mode); a fourth item is its port without TLS."""
        listens = [
            (name, self.address(last), plain[0] if any(plain) else self.https_port, mode, any(plain))
            for name, last, mode, *plain in servers]
        server = FaultServer(self.fault_program(), self.certificate("good"), listens)
        self.at_end(server.stop)
        return server


# ---- YAML -------------------------------------------------------------------------------------------------------


def _yaml_scalar(value):
    if value is None:
        return "~"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return value if re.fullmatch(r"[A-Za-z_/][A-Za-z0-9_./-]*", value) else json.dumps(value)


def yaml_text(value, indent=0):
    """Block style for maps, flow style for lists, as people write steerd.yaml."""
    lines = []
    for key, item in value.items():
        lead = "  " * indent + _yaml_scalar(key) + ":"
        if isinstance(item, dict) and item:
            lines += [lead, yaml_text(item, indent + 1)]
        elif isinstance(item, dict):
            lines.append(lead + " {}")
        elif isinstance(item, (list, tuple)):
            lines.append(lead + " [" + ", ".join(_yaml_scalar(one) for one in item) + "]")
        else:
            lines.append(lead + " " + _yaml_scalar(item))
    return "\n".join(lines) + ("\n" if indent == 0 else "")


def remove_tree(path):
    """rm -rf."""
    shutil.rmtree(path, ignore_errors=True)
