# SPDX-License-Identifier: Apache-2.0
"""The cage: what the prober, which parses what strangers send, cannot do."""

import ctypes
import json
import os
import shutil
import socket
import subprocess
import tempfile

import wire
from harness import Skipped, contains, equal, open_to_nobody, true, wait_until
from world import four_backends, steered_world, zone_head

NAME = "dl.files.example"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def read(path):
    """A file of /proc; None if it is not for us."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except PermissionError:
        return None


def fields(pid):
    """/proc/PID/status."""
    return dict(line.split(":\t", 1) for line in read(f"/proc/{pid}/status").decode().splitlines())


def is_closed(server):
    """The prober, once it has its orders and has closed the cage."""
    pid = server.prober()
    return pid if pid and fields(pid)["Seccomp"] == "2" else None


def has_no_rights(server):
    """No capability, no way to one, a filter of system calls."""
    pid = wait_until(lambda: is_closed(server), 20, "the cage is closed")
    has = fields(pid)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(int(has[name], 16), 0, name)
    equal((has["NoNewPrivs"], has["Seccomp"]), ("1", "2"), "NoNewPrivs, Seccomp")
    return pid


def test_no_rights(bench):
    """As root: no capability is left, not even in the bounding set; none can be gained; a seccomp filter holds"""
    if os.getuid() != 0:
        raise Skipped("only root has capabilities to lose")
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    has_no_rights(server)
    wait_until(lambda: server.status()["pools"][0]["usable"] == 4, 20, "it checks all the same")


def test_no_rights_as_nobody(bench):
    """As nobody, with no capability from the start: the same"""
    if os.getuid() == 0 and not shutil.which("setpriv"):
        raise Skipped("no setpriv on this machine")
    four_backends(bench)
    steered_world(bench, bench.monitor())
    if os.getuid() == 0:
        open_to_nobody(bench)
    server = bench.steerd(*(NOBODY + ("--inh-caps=-all", "--bounding-set=-all") if os.getuid() == 0 else ()))
    pid = wait_until(lambda: is_closed(server), 20, "the cage is closed")
    has = fields(pid)
    equal([int(has[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")], [0, 0, 0, 0])
    equal((has["NoNewPrivs"], has["Seccomp"]), ("1", "2"), "NoNewPrivs, Seccomp")
    wait_until(lambda: server.status()["pools"][0]["usable"] == 4, 20, "it checks all the same")


def test_nothing_inherited(bench):
    """Descriptors 0 to 3 and what it opened itself, no argument, and of the environment what is harmless"""
    if os.getuid() != 0:
        raise Skipped("/proc of a process that is not dumpable is for root")
    steered_world(bench, bench.monitor())
    server = bench.steerd(STEERD_TEST_SECRET="a secret", AWS_SECRET_ACCESS_KEY="another", TZ="UTC")
    pid = wait_until(lambda: is_closed(server), 20, "the cage is closed")
    equal(read(f"/proc/{pid}/cmdline").split(b"\0")[1:], [b""], "its arguments")
    names = {entry.split(b"=")[0] for entry in read(f"/proc/{pid}/environ").split(b"\0") if entry}
    true(b"TZ" in names and b"PATH" in names, f"what it needs is there: {names}")
    true(not [name for name in names if b"SECRET" in name], f"no secret: {names}")
    inherited, own = (
        {os.readlink(f"/proc/{one}/fd/{fd}") for fd in os.listdir(f"/proc/{one}/fd")}
        for one in (server.process.pid, pid))
    shared = {path for path in inherited & own if not path.startswith("anon_inode:")}
    equal(shared - {"/dev/null", os.path.realpath(server.log_path)}, set(), "descriptors of steerd in the prober")


# What a prober that was taken over would try, as a command of its own does: it lives in the same cage.
TRIES = """#!/usr/bin/python3
import ctypes, errno, json, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    return errno.errorcode.get(ctypes.get_errno()) if getattr(libc, name)(*arguments) < 0 else "done"
def attempt(action):
    try:
        action()
        return "done"
    except OSError as error:
        return errno.errorcode.get(error.errno)
directory, keep, steerd = sys.argv[1], sys.argv[2], int(sys.argv[3])
found = {
    "state": attempt(lambda: os.listdir(f"{directory}/state")),
    "secrets": attempt(lambda: open(f"{directory}/state/cookie-secrets")),
    "settings": attempt(lambda: open(f"{directory}/steerd.yaml")),
    "zones": attempt(lambda: os.listdir(f"{directory}/zones")),
    "home": attempt(lambda: os.listdir("/root")),
    "write": attempt(lambda: open(f"{directory}/state/new", "w")),
    "tmp": attempt(lambda: open("/tmp/steerd-cage-new", "w")),
    "environ": attempt(lambda: open(f"/proc/{steerd}/environ")),
    "signal": attempt(lambda: os.kill(steerd, 0)),
    "ptrace": call("ptrace", 16, steerd, 0, 0),
    "mount": call("mount", b"none", b"/mnt", b"tmpfs", 0, 0),
    "unshare": call("unshare", 0x10000000),
    "chroot": call("chroot", b"/"),
    "control": attempt(lambda: socket.socket(socket.AF_UNIX).connect(f"{directory}/control")),
    "raw": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "listen": attempt(lambda: socket.create_server(("127.0.0.1", 0))),
    "network": attempt(lambda: socket.socket(socket.AF_INET)),
    "certificates": attempt(lambda: os.listdir("/etc/ssl/certs")),
}
with open(f"{keep}/found.new", "w") as file:
    json.dump(found, file)
os.rename(f"{keep}/found.new", f"{keep}/found")
"""

CAGED = {
    "state": "EACCES", "secrets": "EACCES", "settings": "EACCES", "zones": "EACCES", "home": "EACCES",
    "write": "EACCES", "tmp": "EACCES", "environ": "EACCES", "signal": "EPERM", "ptrace": "EPERM", "mount": "EPERM",
    "unshare": "EPERM", "chroot": "EPERM", "control": "EAFNOSUPPORT", "raw": "EAFNOSUPPORT", "network": "done",
    "certificates": "done"}


def needs_landlock(version):
    """Skips the test where the kernel has none, or not this version."""
    has = ctypes.CDLL(None, use_errno=True).syscall(444, None, ctypes.c_size_t(0), 1)
    if has < version:
        raise Skipped(f"the kernel's Landlock is of version {max(has, 0)}, not {version}")


def script_monitor(*command):
    """An `exec` monitor."""
    return {"exec": {"command": list(command)}, "every": "20s", "timeout": "20s", "fall": 1, "rise": 1}


def script_world(bench, monitor, **more):
    """A pool of one member, watched by that."""
    bench.zone("files.example", zone_head("files.example") + "_steer.dl 30 TXT \"pool=downloads\"\n")
    bench.config(monitors={"edge": monitor}, pools={"downloads": {
        "method": "failover", "monitor": "edge", "members": {"first": {"address": [bench.address(1)]}}}}, **more)


def what_it_finds(bench, wrapper=()):
    """Runs the daemon with the program as a monitor; what that could do."""
    keep = tempfile.mkdtemp(prefix="steerd-cage-", dir="/var/tmp")
    os.chmod(keep, 0o777)
    bench.at_end(lambda: subprocess.run(["rm", "-rf", keep], check=True))
    program = bench.write("tries", TRIES)
    os.chmod(program, 0o755)
    script_world(bench, script_monitor(program, bench.directory, keep, str(os.getpid())))
    if wrapper:
        open_to_nobody(bench)
    bench.steerd(*wrapper)
    wait_until(lambda: os.path.exists(f"{keep}/found"), 30, "the program ran")
    with open(f"{keep}/found", encoding="utf-8") as file:
        return json.load(file)


def test_caged(bench):
    """What is run in the cage reads no state, settings, zones or homes, writes nowhere, and reaches no other process"""
    needs_landlock(6)
    found = what_it_finds(bench)
    equal({name: found[name] for name in CAGED}, CAGED)


def test_caged_as_nobody(bench):
    """As nobody: the same"""
    needs_landlock(6)
    if os.getuid() != 0 or not shutil.which("setpriv"):
        raise Skipped("only root can become nobody")
    found = what_it_finds(bench, NOBODY)
    equal({name: found[name] for name in CAGED}, CAGED)


def test_secrets_are_not_shown(bench):
    """A webhook's secret and a client's key are neither in the arguments nor in the environment of the prober"""
    if os.getuid() != 0:
        raise Skipped("/proc of a process that is not dumpable is for root")
    os.chmod(bench.write("hook.key", "webhook secret\n"), 0o600)
    good = bench.certificate("good")
    monitor = bench.monitor(https={"certificate": good + ".pem", "key": good + ".key"})
    four_backends(bench)
    steered_world(bench, monitor, notify={"ops": {"webhook": {
        "url": "https://hooks.example/", "secret": "hook.key"}}})
    server = bench.steerd()
    pid = wait_until(lambda: is_closed(server), 20, "the cage is closed")
    wait_until(lambda: server.status()["pools"][0]["members"][0]["state"] == "up", 20, "it checks with that key")
    shown = read(f"/proc/{pid}/cmdline") + read(f"/proc/{pid}/environ")
    with open(good + ".key", "rb") as key:
        line = key.read().splitlines()[1]
    true(b"webhook secret" not in shown and line not in shown, "no secret is shown")


def test_other_rights(bench):
    """A reload that needs more than the cage has: the prober begins anew, which is no death, and health goes on"""
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd()
    wait_until(lambda: all(m["state"] == "up" for m in server.status()["pools"][0]["members"]), 20, "it checks")
    first = server.prober()
    before = [m["since_unix_s"] for m in server.status()["pools"][0]["members"]]
    text = open(bench.path("steerd.yaml"), encoding="utf-8").read()
    bench.write("steerd.yaml", text.replace("monitors:\n", """monitors:
  script:
    exec: {command: [/bin/true]}
"""))
    server.reload()
    wait_until(lambda: server.prober() not in (None, first), 20, "another prober runs")
    wait_until(lambda: server.status()["prober"]["state"] == "running", 20, "it is heard")
    prober = server.status()["prober"]
    equal((prober["renewals"], prober["restarts"]), (1, 0), "renewals and restarts")
    equal([m["since_unix_s"] for m in server.status()["pools"][0]["members"]], before, "since when all are up")
    true("on purpose" in server.ctl("status").out, "status says so")
    server.reload()
    equal(server.status()["prober"]["renewals"], 1, "what the cage has is not asked for again")


def test_a_file_is_exchanged(bench):
    """Certificates that were replaced by a rename are read: the prober begins anew"""
    needs_landlock(1)
    ca = bench.certificate("ca") + ".pem"
    bench.write("store.pem", open(ca, encoding="utf-8").read())
    four_backends(bench)
    steered_world(bench, bench.monitor())
    server = bench.steerd(SSL_CERT_FILE=bench.path("store.pem"))
    first = wait_until(lambda: is_closed(server), 20, "the cage is closed")
    bench.write("store.pem", open(ca, encoding="utf-8").read() + "\n")
    wait_until(lambda: server.prober() not in (None, first), 20, "another prober runs")
    wait_until(lambda: server.status()["prober"]["renewals"] == 1, 20, "on purpose")
    equal(server.status()["prober"]["restarts"], 0, "deaths")


def own_address():
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1", 53))  # nothing is sent
        except OSError:
            raise Skipped("this machine has no address but loopback's") from None
        address = sock.getsockname()[0]
    if address.startswith("127."):
        raise Skipped("this machine has no address but loopback's")
    return address


def test_own_sockets(bench):
    """A check of steerd's own socket is refused, whichever address of the machine it has, unless it is meant"""
    address, port = own_address(), wire.port_free_everywhere()
    bench.zone("files.example", zone_head("files.example") + "www A 192.0.2.2\n_steer.dl 30 TXT \"pool=downloads\"\n")

    def configure(**changes):
        bench.config(
            listen=[f"0.0.0.0:{port}"], pools={"downloads": {
                "method": "failover", "monitor": "edge", "members": {"first": {"address": [address]}}}},
            monitors={"edge": {"dns": {"name": "www.files.example", "port": port}, "every": "500ms", "timeout": "500ms",
                               "fall": 1, "rise": 1, **changes}})

    def first():
        return server.status()["pools"][0]["members"][0]["addresses"][0]

    configure()
    server = bench.steerd()
    server.server = (address, port)
    wait_until(lambda: first()["reason"], 20, "it is refused")
    contains(first()["reason"], f"not checked: {address}:{port} is a socket of steerd itself; 'allow-internal: yes'")
    configure(**{"allow-internal": "yes"})
    server.reload()
    wait_until(lambda: first()["state"] == "up" and not first()["reason"], 20, "it asks itself, and is answered")
