/* SPDX-License-Identifier: Apache-2.0 */

/* The settings of the server itself, of geography and of sites. */

#include "rows.h"

#include "steerd/base/memory.h"
#include "steerd/config/settings.h"

static_assert(offsetof(struct settings_site, name) == 0, "the name is first");

const struct setting table_server[] = {
	{.path = "listen",
		.type = SETTING_LISTEN,
		.is_fixed = true,
		.initial = "[\"0.0.0.0:53\", \"[::]:53\"]",
		.min = 1,
		.max = 64,
		.meaning = "Where queries are taken, over UDP and TCP alike. Port 0 lets the "
			   "kernel choose one.",
		.example = "[\"192.0.2.53:53\", \"[2001:db8::53]:53\"]",
		LIST(struct settings, listen, listen_count)},
	{.path = "workers",
		.type = SETTING_NUMBER,
		.is_fixed = true,
		.initial_words = "one for each core",
		.min = 1,
		.max = 256,
		.meaning = "Threads that answer queries. Each has its own sockets.",
		.example = "2",
		FIELD(struct settings, workers)},
	{.path = "zones",
		.type = SETTING_FILE,
		.initial = "zones/",
		.meaning = "The directory of the zone files. Every NAME.zone in it is read; the "
			   "file's name is the zone's.",
		.example = "/etc/steerd/zones",
		FIELD(struct settings, zones_path)},
	{.path = "state",
		.type = SETTING_FILE,
		.is_fixed = true,
		.initial = "/var/lib/steerd",
		.meaning = "The directory of what must survive a restart: verdicts, overrides and "
			   "the secrets of cookies.",
		.example = "/var/lib/steerd",
		FIELD(struct settings, state_path)},
	{.path = "control",
		.type = SETTING_SOCKET,
		.is_fixed = true,
		.initial = "/run/steerd/control",
		.meaning = "The Unix socket that steerctl(1) speaks to. Who may write to it may do "
			   "everything.",
		.example = "/run/steerd/control",
		FIELD(struct settings, control_path)},

	{.path = "identity",
		.type = SETTING_TEXT,
		.min = 1,
		.max = 64,
		.meaning = "What this server calls itself, for those who ask which of several "
			   "answers: with the option NSID (RFC 5001), or for id.server or "
			   "hostname.bind, class CH, type TXT (RFC 4892).",
		.example = "ns1-fra",
		FIELD(struct settings, identity)},
	{.path = "version",
		.type = SETTING_WORD,
		.words = table_no_yes,
		.initial = "no",
		.meaning = "Whether the program's version is told to those who ask for "
			   "version.server or version.bind, class CH, type TXT.",
		.example = "yes",
		FIELD(struct settings, says_version)},

	{.path = "cookies",
		.type = SETTING_WORD,
		.words = table_no_yes,
		.initial = "yes",
		.meaning =
			"Whether DNS cookies are given to clients that ask for them (RFC 7873), "
			"so that who has one is known not to forge its address. Their secret is "
			"the file cookie-secrets in the state directory, made when it is missing; "
			"servers that share a copy take each other's cookies (RFC 9018).",
		.example = "no",
		FIELD(struct settings, gives_cookies)},

	{.path = "geo", .type = SETTING_MAP, .meaning = "Where clients are."},
	{.path = "geo.city",
		.type = SETTING_FILES,
		.initial_words = "the database that comes with steerd",
		.min = 1,
		.max = 16,
		.meaning = "Databases in MaxMind's format that say where an address is. Of "
			   "several, the first that knows an address is believed.",
		.example = "GeoLite2-City.mmdb",
		LIST(struct settings, city_paths, city_path_count)},
	{.path = "geo.networks",
		.type = SETTING_FILE,
		.meaning = "A file of prefixes whose place the operator knows better, one a line: "
			   "PREFIX,SITE or PREFIX,LATITUDE,LONGITUDE.",
		.example = "networks.csv",
		FIELD(struct settings, networks_path)},
	{.path = "geo.granularity",
		.type = SETTING_GRANULARITY,
		.initial = "24/56",
		.meaning = "The longest prefixes, for IPv4 and for IPv6, that clients are told "
			   "apart by. No client subnet scope is longer.",
		.example = "24/48",
		.offset = offsetof(struct settings, granularity_ipv4),
		.count_offset = offsetof(struct settings, granularity_ipv6)},

	{.path = "udp", .type = SETTING_MAP, .meaning = "Limits of answers over UDP."},
	{.path = "udp.without-cookie",
		.type = SETTING_NUMBER,
		.initial = "512",
		.min = 512,
		.max = 1232,
		.meaning =
			"The longest answer, in octets, to a query without a cookie that was "
			"made for its address. A longer one is cut to nothing and says so (TC): "
			"the client asks again with the cookie that it got, or over TCP. So "
			"nobody can have much sent to another under whose address he asks. 1232, "
			"the most that any client gets, switches it off; without cookies it is "
			"for all clients.",
		.example = "1232",
		FIELD(struct settings, udp_without_cookie)},

	{.path = "tcp", .type = SETTING_MAP, .meaning = "Limits of queries over TCP (RFC 7766)."},
	{.path = "tcp.connections",
		.type = SETTING_NUMBER,
		.is_fixed = true,
		.initial = "10000",
		.min = 1,
		.max = 1000000,
		.meaning = "How many connections may be open. One more closes the one that has "
			   "been idle longest.",
		.example = "50000",
		FIELD(struct settings, tcp_connections)},
	{.path = "tcp.per-address",
		.type = SETTING_NUMBER,
		.is_fixed = true,
		.initial = "16",
		.min = 0,
		.max = 4096,
		.meaning = "How many of them one IPv4 address, or one IPv6 /64, may have. One more "
			   "closes the one of its own that has asked nothing for longest. 0: any "
			   "number.",
		.example = "100",
		FIELD(struct settings, tcp_per_address)},
	{.path = "tcp.per-network",
		.type = SETTING_NUMBER,
		.is_fixed = true,
		.initial = "256",
		.min = 0,
		.max = 4096,
		.meaning = "The same for an IPv4 /24, or an IPv6 /48.",
		.example = "1000",
		FIELD(struct settings, tcp_per_network)},
	{.path = "tcp.idle",
		.type = SETTING_DURATION,
		.is_fixed = true,
		.initial = "10s",
		.min = 100,
		.max = HOUR_MS,
		.meaning = "How long a connection may stay without a query.",
		.example = "30s",
		FIELD(struct settings, tcp_idle_ms)},
	{.path = "tcp.io",
		.type = SETTING_DURATION,
		.is_fixed = true,
		.initial = "500ms",
		.min = 10,
		.max = MINUTE_MS,
		.meaning = "How long a message that has begun may take to arrive, or an answer to "
			   "be taken.",
		.example = "2s",
		FIELD(struct settings, tcp_io_ms)},

	{.path = "rate-limit",
		.type = SETTING_MAP,
		.meaning = "How many answers each network gets over UDP, where anyone may write "
			   "anyone's address into a query. What exceeds it is answered as 'slip' "
			   "says. Queries with a valid cookie (RFC 7873) and queries over TCP are "
			   "neither counted nor limited."},
	{.path = "rate-limit.responses",
		.type = SETTING_NUMBER,
		.initial = "2000",
		.min = 0,
		.max = 10000000,
		.meaning =
			"Answers that one network gets in a second, from each listen address. 0: "
			"nothing is limited. Each worker grants an equal share, so one that always "
			"asks from the same port gets no more than that; a resolver asks from "
			"many.",
		.example = "500",
		FIELD(struct settings, limit_responses)},
	{.path = "rate-limit.burst",
		.type = SETTING_NUMBER,
		.initial = "4000",
		.min = 1,
		.max = 100000000,
		.meaning = "Answers that a network which was silent for long gets at once.",
		.example = "1000",
		FIELD(struct settings, limit_burst)},
	{.path = "rate-limit.slip",
		.type = SETTING_NUMBER,
		.initial = "1",
		.min = 0,
		.max = 100,
		.meaning =
			"Of so many queries above the limit one, chosen at random, gets an empty "
			"answer with TC, so that a client whose address is no forgery asks again "
			"over TCP (or with BADCOOKIE, if it sent a cookie that is not good: it "
			"asks "
			"again with the one that it gets); the others get none. 1: each gets it. "
			"0: "
			"none does.",
		.example = "2",
		FIELD(struct settings, limit_slip)},
	{.path = "rate-limit.ipv4-prefix",
		.type = SETTING_NUMBER,
		.initial = "24",
		.min = 8,
		.max = 32,
		.meaning = "IPv4 addresses that have so many bits in common are one network.",
		.example = "32",
		FIELD(struct settings, limit_ipv4_bits)},
	{.path = "rate-limit.ipv6-prefix",
		.type = SETTING_NUMBER,
		.initial = "56",
		.min = 16,
		.max = 64,
		.meaning = "The same for IPv6.",
		.example = "48",
		FIELD(struct settings, limit_ipv6_bits)},
	{.path = "rate-limit.exempt",
		.type = SETTING_PREFIXES,
		.min = 1,
		.max = 64,
		.meaning =
			"Networks that are never limited: your own monitoring, or a resolver that "
			"you know.",
		.example = "[192.0.2.0/24, \"2001:db8::/32\"]",
		LIST(struct settings, limit_exempt, limit_exempt_count)},
	{.path = "rate-limit.dry-run",
		.type = SETTING_WORD,
		.words = table_no_yes,
		.initial = "yes",
		.meaning = "Whether everything is answered all the same, and only counted: "
			   "would_have_slipped and would_have_dropped in steerctl status say what "
			   "the limit would have done.",
		.example = "no",
		FIELD(struct settings, limit_is_dry_run)},
	{.path = "rate-limit.table",
		.type = SETTING_NUMBER,
		.is_fixed = true,
		.initial = "65536",
		.min = 1024,
		.max = 16777216,
		.meaning =
			"Networks that each worker remembers for each listen address, 16 bytes "
			"each, rounded up to a power of two. When there are more, those that got "
			"least are forgotten.",
		.example = "1000000",
		FIELD(struct settings, limit_table)},

	{.path = "sites",
		.type = SETTING_NAMED,
		.initial = "{}",
		.min = 0,
		.max = 255, /* orders of sites are kept as bytes */
		.meaning = "Places where members of pools are.",
		NAMED(struct settings, sites, site_count, struct settings_site)},
	{.path = "sites.NAME", .type = SETTING_MAP, .meaning = "One site."},
	{.path = "sites.NAME.at",
		.type = SETTING_POSITION,
		.is_required = true,
		.meaning = "Its latitude (north is positive) and longitude (east is positive).",
		.example = "[50.11, 8.68]",
		.offset = offsetof(struct settings_site, latitude),
		.count_offset = offsetof(struct settings_site, longitude)},
};

const size_t table_server_count = COUNT_OF(table_server);
