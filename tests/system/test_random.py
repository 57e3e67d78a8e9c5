# SPDX-License-Identifier: Apache-2.0
"""Random lives: long sequences of what operators, backends and crashes do, compared with a simple model."""

import random

import wire
from harness import equal, true, wait_until
from world import (
    AMERICA, ASIA, EUROPE, NOWHERE, SITES, SOUTH, four_backends, geography, nearest_pool, steered_world, zone_head)

NAME = "dl.files.example"

# The order of sites for each client, by distance; unknown places get the configured one.
ORDERS = {
    EUROPE: ["fra", "iad", "sin", "gru"],
    AMERICA: ["iad", "fra", "gru", "sin"],
    ASIA: ["sin", "fra", "iad", "gru"],
    SOUTH: ["gru", "iad", "fra", "sin"],
    NOWHERE: ["fra", "iad", "sin", "gru"],
}


class Model:
    """What steerd should believe: overrides by subject, oldest first, and the members that there are."""

    def __init__(self):
        self.overrides, self.members = {}, list(SITES)

    def kind(self, site):
        """The override that rules a member: the narrowest subject (health/override.h)."""
        for subject in (f"downloads/{site}-1", f"{site}-1", f"site:{site}"):
            if subject in self.overrides:
                return self.overrides[subject]
        return None

    def answer(self, client, is_up=lambda site: True):
        """The site that a client gets."""
        order = [site for site in ORDERS[client] if site in self.members]
        if client == NOWHERE:
            order = list(self.members)
        usable = [site for site in order if self.kind(site) == "up" or (self.kind(site) is None and is_up(site))]
        wanted = [site for site in order if self.kind(site) in ("up", None)]  # the last resort leaves out the drained
        return (usable or wanted or order)[0]


def subjects(site):
    """The three ways to name a member, broad to narrow."""
    return [f"site:{site}", f"{site}-1", f"downloads/{site}-1"]


def numbers(bench):
    """Address of each site's member."""
    return {site: bench.address(number) for number, site in enumerate(SITES, 1)}


def configure(bench, members, **settings):
    """The pool with these members only."""
    pool = nearest_pool(bench, **({"monitor": "edge"} if "monitors" in settings else {}))
    pool["members"] = {f"{site}-1": pool["members"][f"{site}-1"] for site in members}
    bench.config(geo=geography(bench), sites=SITES, pools={"downloads": pool}, **settings)


def one_step(bench, server, model, generator):
    """Does something at random, to the daemon and to the model."""
    act = generator.choice(["drain", "drain", "up", "down", "undrain", "release", "release", "reload", "kill"])
    subject = generator.choice(subjects(generator.choice(model.members)))
    if act == "drain":
        server.ctl("drain", subject)
        model.overrides[subject] = "drain"
    elif act in ("up", "down"):
        server.ctl("force", act, subject)
        model.overrides[subject] = act
    elif act in ("undrain", "release"):
        server.ctl(act, subject, check=False)
        if act == "release" or model.overrides.get(subject) == "drain":
            model.overrides.pop(subject, None)
    elif act == "reload":
        model.members = generator.sample(list(SITES), generator.randrange(2, 5))
        configure(bench, model.members)
        server.reload()
    elif generator.random() < 0.3:
        server.kill()
        server.expected_codes = {0}
        server.start()
    return f"{act} {subject}"


def hinted_zone(bench):
    """`dl` has an HTTPS record too, whose hint in the file must never be seen."""
    bench.zone("files.example", zone_head("files.example") + """\
dl 300 HTTPS 1 . alpn=h2 ipv4hint=203.0.113.1
_steer.dl 30 TXT "pool=downloads"
""")


def hints(server, client):
    """What the client's HTTPS record hints at."""
    return server.ask(wire.ecs_query(NAME, "HTTPS", client)).hints


def test_overrides(bench):
    """200 random drains, forces, releases, reloads and kills: every client gets what a simple model says, in A and HTTPS"""
    steered_world(bench)
    hinted_zone(bench)
    server, model, generator = bench.steerd(), Model(), random.Random(2026)
    done, address = [], numbers(bench)
    for _ in range(200):
        done.append(one_step(bench, server, model, generator))
        for client in ORDERS:
            want = [address[model.answer(client)]]
            about = f"{client} after {done[-12:]}; members {model.members}, overrides {model.overrides}"
            equal(server.addresses(NAME, client), want, about)
            equal(hints(server, client), [want], about)


def test_health(bench):
    """40 random failures and recoveries under drains: never an empty answer, and each settles as the model says"""
    backends = dict(zip(SITES, four_backends(bench)))
    steered_world(bench, bench.monitor(fall=1))
    server, model, generator = bench.steerd(), Model(), random.Random(4034)
    address, known = numbers(bench), set(numbers(bench).values())
    wait_until(lambda: all(seen(server).values()), 20, "each was checked")
    for _ in range(40):
        site = generator.choice(list(SITES))
        act = generator.choice(["fail", "heal", "fail", "heal", "drain", "undrain", "undrain"])
        if act in ("fail", "heal"):
            backends[site].mode = generator.choice(["error", "close", "wrong-body"]) if act == "fail" else "ok"
        else:
            server.ctl(act, f"site:{site}", check=False)
            model.overrides.pop(f"site:{site}", None)
            if act == "drain":
                model.overrides[f"site:{site}"] = "drain"

        def settled():
            got = {client: server.addresses(NAME, client) for client in ORDERS}
            for addresses in got.values():
                true(len(addresses) == 1 and set(addresses) <= known, f"an impossible answer: {got}")
            return seen(server) == {s: b.mode == "ok" for s, b in backends.items()} and all(
                got[client] == [address[model.answer(client, lambda s: backends[s].mode == "ok")]]
                for client in ORDERS)

        wait_until(settled, 15, f"the answers after '{act} {site}': "
                   f"{ {s: b.mode for s, b in backends.items()} }, {model.overrides}")


def seen(server):
    """{site: whether its checks say up}."""
    return {m["site"]: m["addresses"][0]["state"] == "up" for m in server.status()["pools"][0]["members"]}
