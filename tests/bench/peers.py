# SPDX-License-Identifier: Apache-2.0
"""Other servers with the zone of the benchmark: what each is configured with, and what it can answer.

Each is a plain process with files of its own in the scratch directory, with one thread that answers.  Who steers by
database does so with the city database: gdnsd by distance, Knot DNS and PowerDNS by country, as that is what they know.
"""

import os
import re
import shutil
import subprocess

import rig
import wire  # rig.py has told where it is

DATA = ("static", "nxdomain")
ALL = ("steered", "mixed", "static", "nxdomain")
STEERED_NAMES = [f"dl{number}" for number in range(10)]


def sites():
    """{site: (coordinates, IPv4 addresses, IPv6 addresses)} as steerd.yaml says it."""
    with open(os.path.join(rig.HERE, "steerd.yaml"), encoding="utf-8") as file:
        text = file.read()
    found = {}
    for site, at in re.findall(r"^  (\w+): \{at: \[(.*?)\]\}", text, re.MULTILINE):
        listed = re.search(rf"{site}-1: .*address: \[(.*?)\]", text).group(1).replace('"', "").split(", ")
        found[site] = (at, [a for a in listed if ":" not in a], [a for a in listed if ":" in a])
    return found


def countries():
    """{country: site}."""
    with open(os.path.join(rig.HERE, "countries.txt"), encoding="utf-8") as file:
        lines = [line.split() for line in file if not line.startswith("#")]
    return {country: site for site, *listed in lines for country in listed}


def records():
    """(owner, ttl or None, type, data) of the zone, without instructions."""
    with open(os.path.join(rig.HERE, "zones", "bench.example.zone"), encoding="utf-8") as file:
        lines = [line.split(";")[0].split(None, 1) for line in file if not line.startswith(("$", ";"))]
    found = []
    for owner, rest in lines:
        first, data = rest.split(None, 1)
        ttl = None
        if first.isdigit():
            ttl = first
            first, data = data.split(None, 1)
        if not owner.startswith("_steer"):
            found.append((owner, ttl, first, data.strip()))
    return found


def zone_text(is_gdnsd=False):
    """The zone as other servers read it."""
    lines = ["$ORIGIN bench.example.", "$TTL 3600"]
    for owner, ttl, rtype, data in records():
        if is_gdnsd and owner in STEERED_NAMES:
            rtype, data = "DYNA", "geoip!downloads"
        lines.append(f"{owner} {ttl or ''} {rtype} {data}")
    return "\n".join(lines) + "\n"


class Peer:
    """One server: how it is called, what starts it, which kinds of queries it is asked."""

    name = package = program = None
    kinds = DATA
    note = ""

    def __init__(self, found):
        self.rig = found
        self.directory = os.path.dirname(found.path(self.name, "x"))
        self.path = rig.need(self.program)
        self.port = wire.port_free_everywhere()
        self.process = None

    def write(self, name, text):
        """One of its files."""
        return self.rig.write(os.path.join(self.name, name), text)

    def start(self, wrapper=()):
        """Starts it and waits until it answers for the zone."""
        self.process = self.rig.start(self.name, [*wrapper, *self.command()])
        self.process.wait(lambda: answers(self.port))
        self.process.port = self.port

    def command(self):
        """Writes its files; what to run."""
        raise NotImplementedError

    def version(self):
        """As its package says."""
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.package], capture_output=True, text=True,
                              check=False)
        return re.sub(r"^\d+:|[-~+].*$", "", done.stdout)


class Gdnsd(Peer):
    """By distance from the sites' coordinates."""

    name = package = program = "gdnsd"
    note = "by distance"

    def command(self):
        steered = bool(self.rig.options.city)
        if steered:
            self.kinds = ALL
        self.write("zones/bench.example", zone_text(steered))
        self.write("config", f"""\
options => {{
  listen => [ 127.0.0.1:{self.port} ]
  run_dir => {self.directory}/run
  state_dir => {self.directory}/state
  udp_threads => 1
  tcp_threads => 1
}}
""" + (self.steering() if steered else ""))
        return [self.path, "-c", self.directory, "start"]

    def steering(self):
        """The geoip plugin."""
        found = sites()
        coordinates = "\n".join(f"        {site} => [ {at} ]" for site, (at, _, _) in found.items())
        places = "\n".join(
            f"        {site} => {{ service_types => up, "
            f"addrs_v4 => {{ {addresses(four)} }}, addrs_v6 => {{ {addresses(six)} }} }}"
            for site, (_, four, six) in found.items())
        return f"""\
plugins => {{
  geoip => {{
    maps => {{ sites => {{
      geoip2_db => {self.rig.options.city}
      datacenters => [ {", ".join(found)} ]
      auto_dc_coords => {{
{coordinates}
      }}
    }} }}
    resources => {{ downloads => {{
      map => sites
      dcmap => {{
{places}
      }}
    }} }}
  }}
}}
"""


def addresses(listed):
    """Of one data centre, as gdnsd wants them."""
    return ", ".join(f"a{number} => {address}" for number, address in enumerate(listed))


class Nsd(Peer):
    """It answers what is written; it does not steer."""

    name = package = program = "nsd"

    def command(self):
        self.write("bench.example.zone", zone_text())
        path = self.write("nsd.conf", f"""\
server:
    server-count: 1
    ip-address: 127.0.0.1@{self.port}
    username: ""
    zonesdir: "{self.directory}"
    database: ""
    pidfile: "{self.directory}/nsd.pid"
    xfrdfile: "{self.directory}/xfrd.state"
    xfrdir: "{self.directory}"
    zonelistfile: "{self.directory}/zone.list"
    minimal-responses: yes
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "bench.example"
    zonefile: "bench.example.zone"
""")
        return [self.path, "-d", "-c", path]


class Knot(Peer):
    """Its module geoip, by country."""

    name, package, program = "knot", "knot", "knotd"
    note = "by country"

    def command(self):
        self.write("bench.example.zone", zone_text())
        module = ""
        if self.rig.options.city:
            self.kinds = ALL
            places = self.write("geo.conf", self.places())
            module = f"""\
mod-geoip:
  - id: geo
    config-file: "{places}"
    ttl: 30
    mode: geodb
    geodb-file: "{self.rig.options.city}"
    geodb-key: [country/iso_code]
"""
        path = self.write("knot.conf", f"""\
server:
    rundir: "{self.directory}"
    listen: 127.0.0.1@{self.port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    edns-client-subnet: on
log:
  - target: stderr
    any: warning
database:
    storage: "{self.directory}"
{module}template:
  - id: default
    storage: "{self.directory}"
    file: "%s.zone"
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: bench.example
{"    module: mod-geoip/geo" if module else ""}
""")
        return [self.path, "-c", path]

    @staticmethod
    def places():
        """What each country gets, for every steered name."""
        found, text = sites(), ""
        for name in STEERED_NAMES:
            text += f"{name}.bench.example:\n"
            for country, site in countries().items():
                _, four, six = found[site]
                text += f'  - geo: "{country}"\n    A: [ {", ".join(four)} ]\n'
                text += "    AAAA: [ " + ", ".join(f'"{address}"' for address in six) + " ]\n"
        return text


class Bind(Peer):
    """Static: its views choose by the resolver's address, for it does not read client subnets."""

    name, package, program = "bind", "bind9", "named"

    def command(self):
        self.write("bench.example.zone", zone_text())
        path = self.write("named.conf", f"""\
options {{
    directory "{self.directory}";
    listen-on port {self.port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    minimal-responses yes;
    pid-file none;
    session-keyfile none;
}};
controls {{ }};
zone "bench.example" {{ type primary; file "bench.example.zone"; }};
""")
        return [self.path, "-f", "-n", "1", "-c", path]


class Powerdns(Peer):
    """Its geoip backend, by country."""

    name, package, program = "pdns", "pdns-server", "pdns_server"
    note = "by country"

    def command(self):
        if not self.rig.options.city:
            raise rig.Missing("pdns: its geoip backend needs --city")
        self.kinds = ALL
        zones = self.write("zones.yaml", self.zones())
        self.write("pdns.conf", f"""\
launch=geoip
geoip-database-files=mmdb:{self.rig.options.city}
geoip-zones-file={zones}
edns-subnet-processing=yes
local-address=127.0.0.1:{self.port}
receiver-threads=1
distributor-threads=1
socket-dir={self.directory}
daemon=no
guardian=no
disable-syslog=yes
loglevel=3
security-poll-suffix=
""")
        return [self.path, f"--config-dir={self.directory}"]

    @staticmethod
    def zones():
        """The zone, in its own form."""
        owners = {}
        for owner, _, rtype, data in records():
            if owner in STEERED_NAMES:
                continue
            words = [word if word[-1] in "." or word[0].isdigit() else f"{word}.bench.example" for word in data.split()]
            content = " ".join(word.rstrip(".") for word in words) if rtype not in ("A", "AAAA") else data
            name = "bench.example" if owner == "@" else f"{owner}.bench.example"
            owners.setdefault(name, []).append((rtype, content))
        for site, (_, four, six) in sites().items():
            owners[f"{site}.pool.bench.example"] = [("A", a) for a in four] + [("AAAA", a) for a in six]
        text = "domains:\n- domain: bench.example\n  ttl: 3600\n  records:\n"
        for owner, listed in owners.items():
            text += f'    "{owner}":\n' + "".join(f'      - {rtype.lower()}: "{data}"\n' for rtype, data in listed)
        text += "  services:\n"
        for name in STEERED_NAMES:
            text += f'    {name}.bench.example:\n      default: ["%mp.pool.bench.example", "iad.pool.bench.example"]\n'
        text += "  mapping_lookup_formats: ['%cc']\n  custom_mapping:\n"
        return text + "".join(f"    '{country.lower()}': {site}\n" for country, site in countries().items())


PEERS = (Gdnsd, Nsd, Knot, Bind, Powerdns)


def answers(port):
    """Whether somebody answers for the zone there."""
    try:
        reply = wire.ask_udp(("127.0.0.1", port), wire.query("bench.example", "SOA"), 0.2)
    except OSError:
        return False
    return reply is not None and wire.Response(reply).rcode == "NOERROR"


def already_running():
    """Daemons of these names that somebody else started: they would be measured with ours."""
    names = {peer.program for peer in PEERS}
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/comm", encoding="ascii", errors="replace") as comm:
                    name = comm.read().strip()
            except OSError:
                continue
            if name in names:
                found.append(f"{name} ({entry})")
    return found


def installed(found):
    """Those that are there, and the reasons of those that are not."""
    peers, reasons = [], []
    for peer in PEERS:
        if not shutil.which(peer.program, path="/usr/sbin:/usr/local/sbin:/usr/bin"):
            reasons.append(f"{peer.name} is not installed")
            continue
        try:
            one = peer(found)
            one.start()
        except rig.Missing as missing:
            reasons.append(str(missing))
            continue
        peers.append(one)
    return peers, reasons
