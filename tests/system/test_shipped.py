# SPDX-License-Identifier: Apache-2.0
"""What ships: the examples in zones/, the first zone in README, and the manual, as a reader would try them."""

import os
import re
import shutil
import subprocess

import wire
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
    equal(server.ask(wire.ecs_query("dl.files.example", "HTTPS", "165.21.0.0/24")).hints, [["127.0.1.3"]])
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


def list_rfcs(bench, *arguments):
    """scripts/list-rfcs in a tree of its own: its exit code, and what it says."""
    done = subprocess.run([bench.path("scripts/list-rfcs"), *arguments], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).replace("RFC ", "R.F.C. ")


def write_mention(bench, path, text):
    """A file; what it names is no mention here, where the tree's own list-rfcs reads."""
    bench.write(path, text.replace("R.F.C.", "RFC"))


def test_list_rfcs(bench):
    """scripts/list-rfcs finds what code and tests name, and fails where the page claims what is not so"""
    os.makedirs(bench.path("scripts"))
    shutil.copy(os.path.join(TREE, "scripts/list-rfcs"), bench.path("scripts/list-rfcs"))
    os.makedirs(bench.path("include"))
    write_mention(bench, "docs/standards.in", "# words\n\nR.F.C. 1001 bound\nOne\nAll of it.\nBut: not that.\n\n"
                  "R.F.C. 1002 pending\nTwo\nLater.\n\nR.F.C. 1003\nThree\n")
    write_mention(bench, "src/room/code.c", "/* R.F.C. 1001 4.1, 4.2.3 and R.F.C.\n * 1003 5 */\n")
    test = ('#include "x.h"\n/* (R.F.C. 1001 4.10) */\nstatic const int cases[1];\n'
            'static void first(void **state)\n{\n}\n'
            'static void second(void **state)\n{\n\tsay("R.F.C. "\n\t\t"1001 4.2");\n}\n')
    write_mention(bench, "tests/unit/room/test_code.c", test)
    code, said = list_rfcs(bench)
    equal((code, said.splitlines()), (0, [
        "R.F.C. 1001  One", "  code  4.1       src/room/code.c:1", "  code  4.2.3     src/room/code.c:1",
        "  test  4.2       tests/unit/room/test_code.c:9: second",
        "  test  4.10      tests/unit/room/test_code.c:2: first",
        "R.F.C. 1002  Two", "R.F.C. 1003  Three", "  code  5         src/room/code.c:1"]))
    equal(list_rfcs(bench, "--check")[0], 1, "there is no page")
    page = list_rfcs(bench, "--markdown")[1]
    write_mention(bench, "docs/standards.md", page)
    contains(page, "| 1001 | One | All of it. | not that. | room/code.c | unit/room/code: first, second |")
    contains(page, "Not yet: R.F.C. 1002, Two.")
    equal((list_rfcs(bench, "--check")[0], list_rfcs(bench, "--strict")[0]), (0, 0), "the page is right")
    write_mention(bench, "src/room/more.c", "/* R.F.C. 1001 6 */\n")
    equal((list_rfcs(bench, "--check")[0], list_rfcs(bench, "--strict")[0]), (0, 1), "another mention may wait")
    write_mention(bench, "src/room/more.c", "/* R.F.C. 1004 6 */\n")
    contains(list_rfcs(bench, "--check")[1], "src/room/more.c:1: R.F.C. 1004 is not in docs/standards.in")
    write_mention(bench, "src/room/more.c", "")
    write_mention(bench, "tests/unit/room/test_code.c", test.replace("4.10", "").replace("R.F.C. 1001", "R.F.C. one"))
    contains(list_rfcs(bench, "--check")[1], "R.F.C. 1001: this test does not name it any more: unit/room/code: first")
    write_mention(bench, "tests/unit/room/test_code.c", "")
    code, said = list_rfcs(bench, "--check")
    equal(code, 1)
    contains(said, "R.F.C. 1001 binds us, and no test names it")
