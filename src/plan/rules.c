/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <assert.h>

#include "steerd/base/text.h"
#include "steerd/health/verdict.h"
#include "targets.h"

static_assert(GUARD_DEPTH_MAX >= SETTINGS_CONDITION_DEPTH_MAX, "every condition has room");
static_assert(GUARD_NONE == SETTINGS_NONE, "indices are handed on as they are");

struct maker {
	const struct snapshot *snapshot;
	struct arena *arena;
};

/* ---- members -------------------------------------------------------------------------------------- */

static const target_id *find_targets(const struct snapshot_member *member, uint32_t monitor)
{
	for (size_t i = 0; i < member->check_count; i++)
		if (member->checks[i].monitor == monitor)
			return member->checks[i].targets;
	return NULL;
}

/* Conditions are no deeper than config lets them be. */
static void make_condition(const struct maker *maker, const struct snapshot_member *member,
	const struct settings_condition *from, struct guard_condition *ret_condition)
{
	static const enum guard_condition_kind kinds[] = {
		[CONDITION_MONITOR] = GUARD_TARGETS,
		[CONDITION_AT_LEAST] = GUARD_AT_LEAST,
		[CONDITION_NOT] = GUARD_NOT,
	};
	struct guard_condition *items =
		ARENA_ARRAY(maker->arena, struct guard_condition, from->item_count);

	for (size_t i = 0; i < from->item_count; i++)
		make_condition(maker, member, &from->items[i], &items[i]);
	*ret_condition = (struct guard_condition){
		.kind = kinds[from->kind],
		.at_least = from->at_least,
		.items = items,
		.item_count = from->item_count,
	};
	if (from->kind == CONDITION_MONITOR)
		ret_condition->targets = find_targets(member, from->monitor);
}

/* How long the slowest of the monitors that decide needs to find one down. */
static uint32_t find_evidence_ms(
	const struct settings *settings, const struct snapshot_member *member)
{
	uint64_t slowest_ms = 0;

	for (size_t i = 0; i < member->check_count; i++) {
		const struct snapshot_check *check = &member->checks[i];

		if (check->is_watch_only || check->monitor == SETTINGS_NONE)
			continue;

		const struct settings_monitor *monitor = &settings->monitors[check->monitor];
		uint64_t fall_ms = (uint64_t)monitor->fall * monitor->every_ms;

		if (fall_ms > slowest_ms)
			slowest_ms = fall_ms;
	}
	return slowest_ms < UINT32_MAX ? (uint32_t)slowest_ms : UINT32_MAX;
}

/* NULL: always up. */
static const struct guard_condition *decide_by(const struct maker *maker,
	const struct snapshot_member *member, const struct settings_pool *pool,
	const struct settings_member *from)
{
	struct guard_condition *condition = ARENA_NEW(maker->arena, struct guard_condition);
	struct settings_condition written;

	if (targets_find_condition(pool, from, &written))
		make_condition(maker, member, &written, condition);
	else if (from->host) /* its addresses are those of the target that resolves it */
		*condition = (struct guard_condition){
			.kind = GUARD_TARGETS, .targets = find_targets(member, SETTINGS_NONE)};
	else
		return NULL;
	return condition;
}

static const char *make_key(const struct maker *maker, const char *pool, const char *member)
{
	struct text key = {0};

	text_print(&key, "%s/%s", pool, member);

	const char *kept = arena_text(maker->arena, key.bytes);

	text_done(&key);
	return kept;
}

static struct guard_member make_member(const struct maker *maker, uint32_t id)
{
	const struct settings *settings = maker->snapshot->settings;
	const struct snapshot_member *member = &maker->snapshot->members[id];
	const struct settings_pool *pool = &settings->pools[member->pool];
	const struct settings_member *from = &pool->members[member->member];
	struct guard_member made = {
		.key = make_key(maker, pool->name, from->name),
		.pool = member->pool,
		.child = from->pool,
		.capacity = from->capacity,
	};

	if (made.child != GUARD_NONE)
		return made;
	made.addresses = from->addresses;
	made.address_count = from->address_count;
	made.is_host = from->host != NULL;
	made.condition = decide_by(maker, member, pool, from);
	made.evidence_ms = find_evidence_ms(settings, member);
	if (made.capacity == 0)
		made.capacity = 1; /* none was written: all are alike */
	return made;
}

/* ---- pools ---------------------------------------------------------------------------------------- */

static uint8_t share_of(uint32_t percent)
{
	uint32_t share = percent * BELIEF_WHOLE / 100;

	return share == 0 ? 1 : share < BELIEF_WHOLE ? (uint8_t)share : BELIEF_WHOLE;
}

static struct guard_pool make_pool(
	const struct maker *maker, const struct settings_pool *from, uint32_t first_id)
{
	static const uint8_t withouts[] = {
		[WITHOUT_DEGRADED] = VERDICT_DEGRADED,
		[WITHOUT_UP] = VERDICT_UP,
		[WITHOUT_DOWN] = VERDICT_DOWN,
	};
	uint32_t *members = ARENA_ARRAY(maker->arena, uint32_t, from->member_count);

	for (uint32_t i = 0; i < from->member_count; i++)
		members[i] = first_id + i;
	return (struct guard_pool){
		.name = from->name,
		.members = members,
		.member_count = from->member_count,
		.is_failover = from->method == METHOD_FAILOVER,
		.is_fenced = from->when_all_down == ALL_DOWN_FENCED,
		.panic_percent = (uint8_t)from->panic_percent,
		.loss_percent = (uint8_t)from->loss_percent,
		.degraded_share = share_of(from->degraded_percent),
		.slow_start_ms = from->slow_start_ms,
		.failback_ms = from->failback_ms,
		.has_manual_return = from->has_manual_return,
		.needs = from->needs,
		.without = withouts[from->without],
	};
}

const struct guard_rules *rules_make(const struct snapshot *snapshot, struct arena *arena)
{
	const struct settings *settings = snapshot->settings;
	const struct maker maker = {snapshot, arena};
	struct guard_pool *pools = ARENA_ARRAY(arena, struct guard_pool, settings->pool_count);
	struct guard_member *members =
		ARENA_ARRAY(arena, struct guard_member, snapshot->member_count);
	struct guard_rules *rules = ARENA_NEW(arena, struct guard_rules);
	uint32_t first_id = 0;

	for (size_t i = 0; i < settings->pool_count; i++) {
		pools[i] = make_pool(&maker, &settings->pools[i], first_id);
		first_id += (uint32_t)settings->pools[i].member_count;
	}
	for (uint32_t id = 0; id < snapshot->member_count; id++)
		members[id] = make_member(&maker, id);
	*rules = (struct guard_rules){
		.pools = pools,
		.pool_count = settings->pool_count,
		.members = members,
		.member_count = snapshot->member_count,
		.canaries = settings->canaries,
		.suspect_percent = (uint8_t)settings->suspect_percent,
		.suspect_networks = (uint8_t)settings->suspect_networks,
		.suspect_window_ms = settings->suspect_window_ms,
		.confirm_ms = settings->confirm_ms,
	};
	return rules;
}
