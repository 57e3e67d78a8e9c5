# SPDX-License-Identifier: Apache-2.0
"""The cage: what the prober, which parses what strangers send, cannot do."""

import os
import shutil

from harness import Skipped, equal, open_to_nobody, true, wait_until
from world import four_backends, steered_world

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
    inherited = {os.readlink(f"/proc/{server.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{server.process.pid}/fd")}
    own = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    shared = {path for path in inherited & own if not path.startswith("anon_inode:")}
    equal(shared - {"/dev/null", server.log_path}, set(), "descriptors of steerd in the prober")
