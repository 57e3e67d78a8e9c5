# SPDX-License-Identifier: Apache-2.0
"""What ships: the examples in zones/, the first zone in README, and the manual, as a reader would try them."""

import os
import re
import shutil

from harness import contains, equal, true

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def read(name):
    """A file of the tree."""
    with open(os.path.join(TREE, name), encoding="utf-8") as file:
        return file.read()


def block_after(text, words):
    """The indented block that follows a line with these words."""
    lines = text[text.index(words) :].splitlines()[1:]
    block = []
    for line in lines:
        if line.startswith("    "):
            block.append(line[4:])
        elif block and line:
            break
        elif block:
            block.append("")
    return "\n".join(block).rstrip() + "\n"


def test_examples(bench):
    """zones/ as it ships is without a mistake, and serves as its comments say"""
    shutil.copytree(os.path.join(TREE, "zones"), bench.path("zones"))
    shutil.copy(bench.certificate("ca") + ".pem", bench.path("zones/ca.pem"))
    ran = bench.run("steerd", "--check", "-c", bench.path("zones/steerd.yaml"))
    equal((ran.code, "warning" in ran.all), (0, False), ran.all)
    text = read("zones/steerd.yaml")
    bench.write("zones/steerd.yaml", text.replace("127.0.0.1:5300", "127.0.0.1:0"))
    server = bench.steerd_of(bench.path("zones/steerd.yaml"))
    equal(server.addresses("dl.files.example", "46.4.0.0/24"), ["127.0.1.1"])
    equal(server.addresses("dl.files.example", "165.21.0.0/24"), ["127.0.1.3"])
    equal(server.all_addresses("files.example"), ["127.0.1.1", "127.0.1.2"])
    equal(server.all_addresses("any.mirror.files.example"), ["127.0.1.3", "127.0.1.4"])
    equal(server.addresses("dl.static.example", "165.21.0.0/24"), ["127.0.1.3"], "a CNAME into the steered name")
    equal(len(server.query("x.lab.files.example").authority), 1)


def test_readme(bench):
    """The first zone of README, copied as it stands, passes the check and steers"""
    readme = read("README")
    bench.write("files.example.zone", block_after(readme, "`files.example.zone`, a zone file"))
    yaml = block_after(readme, "`steerd.yaml`, in the same directory")
    path = bench.write("steerd.yaml", yaml)
    ran = bench.run("steerd", "--check", "-c", path)
    equal(ran.code, 0, ran.all)
    bench.write("steerd.yaml", yaml.replace("127.0.0.1:5300", "127.0.0.1:0"))
    server = bench.steerd()
    equal(server.addresses("dl.files.example", "46.4.0.0/24"), ["192.0.2.10"])
    equal(server.addresses("dl.files.example", "73.31.0.0/24"), ["192.0.2.20"])


def test_manual(bench):
    """The manual pages are installed, and name every command and option that the programs have"""
    pages = {}
    for number, name in ((8, "steerd"), (1, "steerctl"), (5, "steerd.yaml")):
        with open(os.path.join(bench.prefix, f"share/man/man{number}/{name}.{number}"), encoding="utf-8") as file:
            pages[name] = file.read().replace("\\-", "-")
    for program in ("steerd", "steerctl"):
        for option in re.findall(r"^\s+(?:-\w, | {4})(--[a-z-]+)", bench.run(program, "--help").out, re.MULTILINE):
            contains(pages[program], option.lstrip("-"), f"{program}'s page")
    commands = re.findall(r"^  ([a-z]+) {2,}\S", bench.run("steerctl", "--help").out, re.MULTILINE)
    true({"status", "explain", "reload"} <= set(commands), f"commands: {commands}")
    for command in commands:
        contains(pages["steerctl"], command)
    for key in ("listen", "when-all-down", "granularity", "expect", "weight"):
        contains(pages["steerd.yaml"], key)


def test_installed(bench):
    """`make install` put the default database, the prober and the examples where they belong"""
    for path in ("share/steerd/default.geo", "libexec/steerd/steerd-prober", "share/doc/steerd/examples/steerd.yaml",
                 "share/doc/steerd/README"):
        true(os.path.exists(os.path.join(bench.prefix, path)), f"{path} is not installed")
