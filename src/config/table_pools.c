/* SPDX-License-Identifier: Apache-2.0 */

/* The settings of pools and their members, and of what is believed of the observer. */

#include "rows.h"

#include "steerd/base/memory.h"
#include "steerd/config/settings.h"

static_assert(offsetof(struct settings_pool, name) == 0, "the name is first");
static_assert(offsetof(struct settings_member, name) == 0, "the name is first");

static const char *const methods[] = {
	[METHOD_NEAREST] = "nearest",
	[METHOD_FAILOVER] = "failover",
	[METHOD_WEIGHTED] = "weighted",
	[METHOD_ALL] = "all",
	NULL,
};

const char *const table_all_downs[] = {
	[ALL_DOWN_SERVE_ALL] = "serve-all",
	[ALL_DOWN_FALLBACK] = "fallback",
	[ALL_DOWN_LAST_GOOD] = "last-good",
	[ALL_DOWN_FENCED] = "fenced",
	NULL,
};

static const char *const withouts[] = {
	[WITHOUT_DEGRADED] = "degraded",
	[WITHOUT_UP] = "up",
	[WITHOUT_DOWN] = "down",
	NULL,
};

const struct setting table_pools[] = {
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
		.type = SETTING_CONDITION,
		.initial_words = "none: its endpoints always count as up",
		.meaning =
			"The monitor that checks the endpoints of this pool, or a condition over "
			"several: {all-of: [...]}, {any-of: [...]}, {at-least: 2, of: [...]} or "
			"{not: ...}, of monitors and of conditions, up to 8 deep. Each of them "
			"checks for itself, and what they found is combined.",
		.example = "{any-of: [edge, {not: maintenance}]}",
		FIELD(struct settings_pool, condition)},
	{.path = "pools.NAME.watch-only",
		.type = SETTING_MONITORS,
		.min = 1,
		.max = 16,
		.meaning = "Monitors that check the endpoints as well, are shown, and decide "
			   "nothing.",
		.example = "[deep]",
		LIST(struct settings_pool, watch_only, watch_only_count)},
	{.path = "pools.NAME.panic-below",
		.type = SETTING_PERCENT,
		.initial_words = "50% where a member has a capacity, else 0%",
		.min = 0,
		.max = 100,
		.meaning = "When less of its capacity than this is up, the pool counts as failed: "
			   "what is left would not carry what comes. A failover pool is judged by "
			   "what its later members take over. 0%: when nothing is up.",
		.example = "30%",
		FIELD(struct settings_pool, panic_percent)},
	{.path = "pools.NAME.max-loss",
		.type = SETTING_PERCENT,
		.initial = "50%",
		.min = 1,
		.max = 100,
		.meaning = "How much of its capacity checks may take away within a minute; what "
			   "fails beyond that stays until the next. One address always may go. "
			   "100%: no limit.",
		.example = "100%",
		FIELD(struct settings_pool, loss_percent)},
	{.path = "pools.NAME.degraded-share",
		.type = SETTING_PERCENT,
		.initial = "50%",
		.min = 1,
		.max = 100,
		.meaning = "What a degraded address gets of its usual share.",
		.example = "25%",
		FIELD(struct settings_pool, degraded_percent)},
	{.path = "pools.NAME.slow-start",
		.type = SETTING_DURATION,
		.initial = "0s",
		.min = 0,
		.max = HOUR_MS,
		.meaning = "How long the share of an address that has come back grows until it is "
			   "the usual one.",
		.example = "60s",
		FIELD(struct settings_pool, slow_start_ms)},
	{.path = "pools.NAME.failback-delay",
		.type = SETTING_DURATION,
		.initial = "0s",
		.min = 0,
		.max = 24 * HOUR_MS,
		.meaning = "How long an address must have been up again before it is answered.",
		.example = "120s",
		FIELD(struct settings_pool, failback_ms)},
	{.path = "pools.NAME.manual-return",
		.type = SETTING_WORD,
		.words = table_no_yes,
		.initial = "no",
		.meaning = "Whether what went down comes back by steerctl return alone.",
		.example = "yes",
		FIELD(struct settings_pool, has_manual_return)},
	{.path = "pools.NAME.needs",
		.type = SETTING_POOL,
		.meaning = "Another pool that its members cannot serve without, such as the origin "
			   "behind a CDN.",
		.example = "origin",
		FIELD(struct settings_pool, needs)},
	{.path = "pools.NAME.without",
		.type = SETTING_WORD,
		.initial = "degraded",
		.words = withouts,
		.meaning = "What its addresses are at best while that pool has nothing that is up.",
		.example = "down",
		FIELD(struct settings_pool, without)},
	{.path = "pools.NAME.when-all-down",
		.type = SETTING_WORD,
		.initial = "serve-all",
		.words = table_all_downs,
		.meaning = "What to answer when no member is up. serve-all: as if all were up, "
			   "because what may work beats no answer. fallback: the name's own "
			   "records in the zone. last-good: those that were up last. fenced: as "
			   "serve-all, and a pool that holds this one looks no further: nothing "
			   "else is answered in its place. A nearest pool sends it only those for "
			   "whom it is the nearest, as long as it has others for the rest.",
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
	{.path = "pools.NAME.members.NAME.capacity",
		.type = SETTING_NUMBER,
		.initial_words = "as much as any other",
		.min = 1,
		.max = 1000000000,
		.meaning = "How much it can serve, in a unit of yours: what panic-below and "
			   "max-loss count.",
		.example = "40",
		FIELD(struct settings_member, capacity)},
	{.path = "pools.NAME.members.NAME.monitor",
		.type = SETTING_CONDITION,
		.initial_words = "that of its pool",
		.meaning = "The monitor of this endpoint, or a condition over several.",
		.example = "edge",
		FIELD(struct settings_member, condition)},

	{.path = "observer",
		.type = SETTING_MAP,
		.meaning = "When steerd takes failures for its own fault: while so much fails anew "
			   "at once that its network is the likelier cause, or while its canaries "
			   "are down, nothing else goes down."},
	{.path = "observer.canaries",
		.type = SETTING_POOL,
		.meaning = "A pool of addresses of others that always answer, unless this host is "
			   "cut off. Its members need a monitor.",
		.example = "canaries",
		FIELD(struct settings, canaries)},
	{.path = "observer.suspect-above",
		.type = SETTING_PERCENT,
		.initial = "50%",
		.min = 1,
		.max = 100,
		.meaning = "More of all that is checked must begin to fail within 'window'. "
			   "100%: it is never suspected.",
		.example = "30%",
		FIELD(struct settings, suspect_percent)},
	{.path = "observer.networks",
		.type = SETTING_NUMBER,
		.initial = "3",
		.min = 1,
		.max = 100,
		.meaning = "In so many networks (IPv4 /16, IPv6 /32) at least.",
		.example = "2",
		FIELD(struct settings, suspect_networks)},
	{.path = "observer.window",
		.type = SETTING_DURATION,
		.initial = "20s",
		.min = SECOND_MS,
		.max = HOUR_MS,
		.meaning = "Within such a time.",
		.example = "1m",
		FIELD(struct settings, suspect_window_ms)},
	{.path = "observer.confirm",
		.type = SETTING_DURATION,
		.initial = "60s",
		.min = SECOND_MS,
		.max = HOUR_MS,
		.meaning = "Without canaries, failures are believed after this time, if anything "
			   "still passes.",
		.example = "2m",
		FIELD(struct settings, confirm_ms)},
};

const size_t table_pool_count = COUNT_OF(table_pools);
