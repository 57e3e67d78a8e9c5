# SPDX-License-Identifier: Apache-2.0
"""What every part of the benchmark stands on: processes on a core, load on another, medians, tables."""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(SOURCE, "tests", "bench")
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))

READY = re.compile(r"ready: .*?127\.0\.0\.1:(\d+)")


class Missing(Exception):
    """A part cannot be measured here; the reason is printed."""


def say(text):
    """Tells what is done, for that takes minutes."""
    print(text, file=sys.stderr, flush=True)


def table(heads, rows):
    """A table of Markdown; every cell is text."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def number(value, digits=0):
    """1234.5 as "1,234"."""
    return f"{value:,.{digits}f}"


def median(values):
    """The median; of nothing, None."""
    return statistics.median(values) if values else None


def children(pid):
    """The process and all below it that live."""
    found = [pid]
    for parent in found:
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/stat", encoding="latin-1") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            if entry.isdigit() and int(fields[1]) == parent and fields[0] != "Z":
                found.append(int(entry))
    return found


def cpu_ns(pid):
    """CPU time of all threads of a process so far: clock_getcpuclockid(3), which Python has not."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def resident_mb(pid, field="VmRSS"):
    """Of one process; VmHWM is the most that it ever was."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(rf"^{field}:\s+(\d+)", status.read(), re.MULTILINE).group(1)) * 1024 / 1e6


class Process:
    """One that runs until the bench ends or stop() is called."""

    def __init__(self, name, command, log_path):
        self.name, self.log_path = name, log_path
        self.started_at = time.monotonic()
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with  # stop() ends it
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        self.port = None

    def said(self):
        """Its output so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait(self, check, limit_s=120):
        """Waits until check() gives something, and returns that."""
        while True:
            found = check()
            if found:
                return found
            if self.process.poll() is not None or time.monotonic() > self.started_at + limit_s:
                raise Missing(f"{self.name} does not start:\n{self.said()[-2000:]}")
            time.sleep(0.002)

    def wait_ready(self, limit_s=120):
        """Waits for a line with "ready:" and takes the port from it; gives the seconds since the start."""
        self.port = int(self.wait(lambda: READY.search(self.said()), limit_s).group(1))
        return time.monotonic() - self.started_at

    def stop(self):
        """Ends it and waits."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Rig:
    """The build, the options, a scratch directory and what runs."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.build = os.path.abspath(options.build)
        self.running = []

    def path(self, *parts):
        """A path in the scratch directory; directories on the way are made."""
        path = os.path.join(self.work, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text):
        """A file as an editor leaves it: whole, by a rename."""
        path = self.path(name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def program(self, name):
        """One that was built."""
        return os.path.join(self.build, name)

    def start(self, name, command, cpus=None):
        """Starts one, on the server's core unless others are named."""
        cpus = str(self.options.server_cpu) if cpus is None else cpus
        process = Process(name, ["taskset", "-c", cpus, *command], self.path("logs", name))
        self.running.append(process)
        return process

    def stop(self, *processes):
        """Ends these, or all."""
        for process in processes or list(self.running):
            process.stop()
            self.running.remove(process)

    def steerd_command(self, config_path):
        """The command that serves a configuration."""
        return [self.program("steerd"), "-c", config_path, "--prober", self.program("steerd-prober")]

    def steerd(self, config_path, name="steerd", cpus=None, wrapper=()):
        """A daemon that answers, and the seconds that it took."""
        process = self.start(name, [*wrapper, *self.steerd_command(config_path)], cpus)
        return process, process.wait_ready()

    def city(self):
        """The city database, or the default one."""
        return self.options.city or self.program("geo/default.geo")

    def pin_workers(self, process, cpus):
        """Gives each UDP worker a core of its own; the other threads take what is free."""
        tasks = f"/proc/{process.pid}/task"
        workers = []
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="ascii") as comm:
                if comm.read().strip() == "udp":
                    workers.append(task)
        for task, cpu in zip(sorted(workers, key=int), cpus):
            self.output("taskset", "-pc", str(cpu), task)

    def bench_config(self, directory, **changes):
        """tests/bench/steerd.yaml, filled in."""
        with open(os.path.join(HERE, "steerd.yaml"), encoding="utf-8") as file:
            text = file.read()
        state = os.path.dirname(self.path(directory, "state", "x"))
        values = {"SOURCE": SOURCE, "STATE": state, "CITY": self.city(), "WORKERS": "1",
                  "ZONES": os.path.join(HERE, "zones"), **changes}
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        return self.write(os.path.join(directory, "steerd.yaml"), text)

    def load_command(self, port, queries, *options):
        """dnsload on the load's core."""
        return ["taskset", "-c", str(self.options.load_cpu), self.program("tests/bench/dnsload"),
                "--server", f"127.0.0.1:{port}", *options, queries]

    def load(self, port, queries, *options):
        """What dnsload says, as {field: number}."""
        done = subprocess.run(self.load_command(port, queries, *options), capture_output=True, text=True, check=False)
        if not done.stdout:
            raise Missing(f"dnsload: {done.stderr}")
        return fields(done.stdout)

    def timed(self, process, queries, seed):
        """A run of so many seconds as the options say."""
        pids = ",".join(str(pid) for pid in children(process.pid))
        return self.load(process.port, queries, "--seconds", str(self.options.seconds), "--seed", str(seed),
                         "--pid", pids)

    def output(self, *command, environment=None):
        """Standard output of a program that must succeed."""
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              env={**os.environ, **(environment or {})})
        if done.returncode != 0:
            raise Missing(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout


def fields(line):
    """{"qps": 1.0, ...} of "qps=1 ..."."""
    return {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", line)}


def queries(kind):
    """The file of a kind."""
    return os.path.join(HERE, "queries", f"{kind}.txt")


def need(program):
    """Its path."""
    path = shutil.which(program, path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if not path:
        raise Missing(f"{program} is not installed (scripts/packages install bench)")
    return path


def machine():
    """One line for what was measured on what."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        found = re.search(r"^model name\s*:\s*(.*)$", info.read(), re.MULTILINE)
    commit = subprocess.run(["git", "-C", SOURCE, "log", "-1", "--format=%h"], capture_output=True, text=True,
                            check=False).stdout.strip()
    return (f"{time.strftime('%Y-%m-%d', time.gmtime())}, {commit or 'no commit'}, {os.cpu_count()} cores of "
            f"{found.group(1) if found else platform.machine()}, Linux {platform.release().split('-')[0]}")
