/* SPDX-License-Identifier: Apache-2.0 */

/* The settings of pools and their members. */

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

static const char *const all_downs[] = {
	[ALL_DOWN_SERVE_ALL] = "serve-all",
	[ALL_DOWN_FALLBACK] = "fallback",
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
		.meaning = "The monitor that checks the endpoints of this pool.",
		.example = "edge",
		FIELD(struct settings_pool, condition)},
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

const size_t table_pool_count = COUNT_OF(table_pools);
