/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/config/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "steerd/base/memory.h"
#include "steerd/config/settings.h"
#include "value.h"

#define SECOND_MS UINT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)

#define FIELD(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define LIST(type, field, count) FIELD(type, field), .count_offset = offsetof(type, count)
#define NAMED(type, field, count, item)                                                            \
	LIST(type, field, count), .item_size = sizeof(item), .place_offset = offsetof(item, place)

/* The reader finds the name of every named thing in the same place. */
static_assert(offsetof(struct settings_site, name) == 0, "the name is first");
static_assert(offsetof(struct settings_monitor, name) == 0, "the name is first");
static_assert(offsetof(struct settings_pool, name) == 0, "the name is first");
static_assert(offsetof(struct settings_member, name) == 0, "the name is first");

static const char *const methods[] = {
	[METHOD_NEAREST] = "nearest",
	[METHOD_FAILOVER] = "failover",
	[METHOD_WEIGHTED] = "weighted",
	[METHOD_ALL] = "all",
	NULL,
};

static const char *const all_downs[] = {
	[ALL_DOWN_SERVE_ALL] = "serve-all",
	[ALL_DOWN_FALLBACK] = "fallback",
	NULL,
};

static const char *const no_yes[] = {[false] = "no", [true] = "yes", NULL};

/* In the order of the manual; a level stands before what it holds. */
const struct setting table_settings[] = {
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
		.words = no_yes,
		.initial = "no",
		.meaning = "Whether the program's version is told to those who ask for "
			   "version.server or version.bind, class CH, type TXT.",
		.example = "yes",
		FIELD(struct settings, says_version)},

	{.path = "cookies",
		.type = SETTING_WORD,
		.words = no_yes,
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
		.words = no_yes,
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

	{.path = "monitors",
		.type = SETTING_NAMED,
		.initial = "{}",
		.min = 0,
		.max = 10000,
		.meaning = "Ways to check whether a member is up.",
		NAMED(struct settings, monitors, monitor_count, struct settings_monitor)},
	{.path = "monitors.NAME", .type = SETTING_MAP, .meaning = "One monitor."},
	{.path = "monitors.NAME.https",
		.type = SETTING_MAP,
		.is_required = true,
		.meaning = "The request: a GET over TLS, sent to each address of each member. The "
			   "certificate is verified; redirects are not followed."},
	{.path = "monitors.NAME.https.host",
		.type = SETTING_HOST,
		.is_required = true,
		.meaning = "The host name that is asked for: in the TLS handshake, in the "
			   "certificate and in the Host header.",
		.example = "dl.files.example",
		FIELD(struct settings_monitor, host)},
	{.path = "monitors.NAME.https.path",
		.type = SETTING_URL_PATH,
		.initial = "/",
		.min = 1,
		.max = 1024,
		.meaning = "What is asked for.",
		.example = "/health",
		FIELD(struct settings_monitor, path)},
	{.path = "monitors.NAME.https.port",
		.type = SETTING_NUMBER,
		.initial = "443",
		.min = 1,
		.max = 65535,
		.meaning = "The TCP port.",
		.example = "8443",
		FIELD(struct settings_monitor, port)},
	{.path = "monitors.NAME.https.ca",
		.type = SETTING_FILE,
		.initial_words = "the system's store",
		.meaning = "A PEM file of the certificate authorities to trust.",
		.example = "ca.pem",
		FIELD(struct settings_monitor, ca_path)},
	{.path = "monitors.NAME.every",
		.type = SETTING_DURATION,
		.initial = "10s",
		.min = 500,
		.max = HOUR_MS,
		.meaning = "The time from one check of an address to the next.",
		.example = "5s",
		FIELD(struct settings_monitor, every_ms)},
	{.path = "monitors.NAME.timeout",
		.type = SETTING_DURATION,
		.initial_words = "4s, or 'every' if that is shorter",
		.min = 100,
		.max = 5 * MINUTE_MS,
		.meaning = "The time that a whole check may take. It cannot exceed 'every'.",
		.example = "2s",
		FIELD(struct settings_monitor, timeout_ms)},
	{.path = "monitors.NAME.fall",
		.type = SETTING_NUMBER,
		.initial = "3",
		.min = 1,
		.max = 100,
		.meaning = "Failures in a row after which an address is down.",
		.example = "5",
		FIELD(struct settings_monitor, fall)},
	{.path = "monitors.NAME.rise",
		.type = SETTING_NUMBER,
		.initial = "2",
		.min = 1,
		.max = 100,
		.meaning = "Successes in a row after which it is up again.",
		.example = "3",
		FIELD(struct settings_monitor, rise)},
	{.path = "monitors.NAME.expect",
		.type = SETTING_MAP,
		.meaning = "What makes a response a success."},
	{.path = "monitors.NAME.expect.status",
		.type = SETTING_STATUS,
		.initial = "[200-299]",
		.min = 1,
		.max = 32,
		.meaning = "Status codes that are a success.",
		.example = "[200-299, 304]",
		LIST(struct settings_monitor, status, status_count)},
	{.path = "monitors.NAME.expect.body",
		.type = SETTING_TEXT,
		.min = 1,
		.max = 1024,
		.initial_words = "any body",
		.meaning = "Text that must be in the first 64 KiB of the body.",
		.example = "ok",
		FIELD(struct settings_monitor, body)},

	{.path = "pools",
		.type = SETTING_NAMED,
		.initial = "{}",
		.min = 0,
		.max = 65535,
		.meaning = "What zones steer to. A pool is a list of members and one method; a "
			   "member is an endpoint or another pool.",
		NAMED(struct settings, pools, pool_count, struct settings_pool)},
	{.path = "pools.NAME", .type = SETTING_MAP, .meaning = "One pool."},
	{.path = "pools.NAME.method",
		.type = SETTING_WORD,
		.is_required = true,
		.words = methods,
		.meaning = "How members are chosen. nearest: those of the site nearest to the "
			   "client, filled up from the next. failover: the first, in the order "
			   "written, that is up. weighted: by chance, in proportion to their "
			   "weights. all: every one.",
		.example = "nearest",
		FIELD(struct settings_pool, method)},
	{.path = "pools.NAME.answers",
		.type = SETTING_NUMBER,
		.initial_words = "1; for the method all as many as there are",
		.min = 1,
		.max = 64,
		.meaning = "Addresses in one answer, at most.",
		.example = "2",
		FIELD(struct settings_pool, answers)},
	{.path = "pools.NAME.monitor",
		.type = SETTING_MONITOR,
		.initial_words = "none: its endpoints always count as up",
		.meaning = "The monitor that checks the endpoints of this pool.",
		.example = "edge",
		FIELD(struct settings_pool, monitor)},
	{.path = "pools.NAME.when-all-down",
		.type = SETTING_WORD,
		.initial = "serve-all",
		.words = all_downs,
		.meaning = "What to answer when no member is up. serve-all: as if all were up, "
			   "because what may work beats no answer. fallback: the name's own "
			   "records in the zone.",
		.example = "fallback",
		FIELD(struct settings_pool, when_all_down)},
	{.path = "pools.NAME.members",
		.type = SETTING_NAMED,
		.is_required = true,
		.min = 1,
		.max = 4096,
		.meaning = "Its members, in the order in which a failover pool tries them. Each "
			   "has exactly one of address, host and pool.",
		NAMED(struct settings_pool, members, member_count, struct settings_member)},
	{.path = "pools.NAME.members.NAME", .type = SETTING_MAP, .meaning = "One member."},
	{.path = "pools.NAME.members.NAME.site",
		.type = SETTING_SITE,
		.meaning = "Where it is. Each member of a nearest pool needs one.",
		.example = "fra",
		FIELD(struct settings_member, site)},
	{.path = "pools.NAME.members.NAME.address",
		.type = SETTING_ADDRESSES,
		.min = 1,
		.max = 64,
		.meaning = "Its addresses, IPv4 and IPv6. Each is checked and answered for itself.",
		.example = "[192.0.2.10, \"2001:db8:1::10\"]",
		LIST(struct settings_member, addresses, address_count)},
	{.path = "pools.NAME.members.NAME.host",
		.type = SETTING_HOST,
		.meaning = "A name whose addresses are looked up again and again. While that "
			   "fails, the last known ones stay.",
		.example = "edge.cdn.example",
		FIELD(struct settings_member, host)},
	{.path = "pools.NAME.members.NAME.pool",
		.type = SETTING_POOL,
		.meaning = "Another pool, which chooses in its own way.",
		.example = "europe",
		FIELD(struct settings_member, pool)},
	{.path = "pools.NAME.members.NAME.weight",
		.type = SETTING_NUMBER,
		.initial = "1",
		.min = 0,
		.max = 65535,
		.meaning = "Its share where some of several members are taken. One of weight 0 is "
			   "taken only when no other is up.",
		.example = "3",
		FIELD(struct settings_member, weight)},
};

const size_t table_setting_count = COUNT_OF(table_settings);

const char *table_key(const struct setting *setting)
{
	const char *dot = strrchr(setting->path, '.');

	return dot ? dot + 1 : setting->path;
}

bool table_is_below(const struct setting *setting, const char *level)
{
	const char *key = table_key(setting);
	size_t size = strlen(level);

	if (size == 0)
		return key == setting->path;
	return setting->path + size + 1 == key && strncmp(setting->path, level, size) == 0;
}

const struct setting *table_find(const char *level, const char *key)
{
	for (size_t i = 0; i < table_setting_count; i++)
		if (table_is_below(&table_settings[i], level) &&
			strcmp(table_key(&table_settings[i]), key) == 0)
			return &table_settings[i];
	return NULL;
}

/* What the limits count; NULL: nothing has limits. */
static const char *const limit_units[] = {
	[SETTING_NAMED] = " entries",
	[SETTING_NUMBER] = "",
	[SETTING_DURATION] = "",
	[SETTING_TEXT] = " bytes",
	[SETTING_URL_PATH] = " bytes",
	[SETTING_FILES] = " items",
	[SETTING_LISTEN] = " items",
	[SETTING_ADDRESSES] = " items",
	[SETTING_PREFIXES] = " items",
	[SETTING_STATUS] = " items",
	[SETTING_POOL] = NULL, /* the last one: the table is as long as the types */
};

void table_print_limits(const struct setting *setting, struct text *text)
{
	const char *unit = limit_units[setting->type];
	char min[VALUE_DURATION_SIZE], max[VALUE_DURATION_SIZE];

	if (!unit)
		return;
	snprintf(min, sizeof(min), "%" PRIu64, setting->min);
	snprintf(max, sizeof(max), "%" PRIu64, setting->max);
	if (setting->type == SETTING_DURATION) {
		value_duration_print(setting->min, min);
		value_duration_print(setting->max, max);
	}
	if (setting->min == 0 && *unit)
		text_print(text, "at most %s%s", max, unit);
	else
		text_print(text, "from %s to %s%s", min, max, unit);
}

static const char *const type_texts[] = {
	[SETTING_MAP] = "map",
	[SETTING_NAMED] = "map of names",
	[SETTING_NUMBER] = "number",
	[SETTING_DURATION] = "duration",
	[SETTING_WORD] = "word",
	[SETTING_TEXT] = "text",
	[SETTING_HOST] = "host name",
	[SETTING_URL_PATH] = "URL path",
	[SETTING_FILE] = "path",
	[SETTING_SOCKET] = "path",
	[SETTING_FILES] = "path or list of paths",
	[SETTING_LISTEN] = "list of ADDRESS:PORT",
	[SETTING_ADDRESSES] = "IP address or list of them",
	[SETTING_PREFIXES] = "ADDRESS/LENGTH or list of them",
	[SETTING_POSITION] = "[LATITUDE, LONGITUDE]",
	[SETTING_STATUS] = "list of status codes",
	[SETTING_GRANULARITY] = "IPV4/IPV6",
	[SETTING_SITE] = "name of a site",
	[SETTING_MONITOR] = "name of a monitor",
	[SETTING_POOL] = "name of a pool",
};

const char *table_type_text(enum setting_type type)
{
	return type_texts[type];
}
