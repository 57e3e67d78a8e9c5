/* SPDX-License-Identifier: Apache-2.0 */
#include "beliefs.h"

#include "changes.h"
#include "steerd/control/words.h"
#include "steerd/health/override.h"

/* ---- addresses ---- */

/* One address of one member, before and now. */
struct turn {
	const struct beliefs_change *change;
	uint32_t member;
	const struct belief *before;
	const struct belief *now;
};

static const struct settings_pool *pool_of(const struct turn *turn)
{
	const struct snapshot *snapshot = turn->change->snapshot;

	return &snapshot->settings->pools[snapshot->members[turn->member].pool];
}

static const char *member_name(const struct turn *turn)
{
	return pool_of(turn)->members[turn->change->snapshot->members[turn->member].member].name;
}

static bool is_held_up(const struct belief *belief)
{
	return words_stays_up(belief->why) != NULL;
}

static bool is_held_down(const struct belief *belief)
{
	return (belief->why == BELIEF_FAILBACK && belief->seen != VERDICT_UNKNOWN) ||
		belief->why == BELIEF_RETURN;
}

static void print_stays_down(const struct turn *turn, struct text *line)
{
	char span[TEXT_DURATION_SIZE];

	if (turn->now->why == BELIEF_RETURN) {
		text_print(line, " stays down until it is returned: 'steerctl return %s/%s'",
			pool_of(turn)->name, member_name(turn));
		return;
	}
	text_duration(pool_of(turn)->failback_ms, span);
	text_print(line, " stays down: its failback delay is %s", span);
}

static void print_is_back(const struct turn *turn, struct text *line)
{
	char span[TEXT_DURATION_SIZE];

	text_add(line, " is answered again");
	if (turn->now->why != BELIEF_RAMP)
		return;
	text_duration(pool_of(turn)->slow_start_ms, span);
	text_print(line, ": its share grows for %s", span);
}

/* What several monitors say together: each alone is told by changes.h. */
static void print_together(const struct turn *turn, struct text *line)
{
	static const char *const words[] = {
		[VERDICT_UNKNOWN] = "unknown",
		[VERDICT_UP] = "up",
		[VERDICT_DEGRADED] = "degraded",
		[VERDICT_DOWN] = "down",
	};

	text_print(line, " is %s: its monitors together say so", words[turn->now->state]);
}

static bool has_several_monitors(const struct turn *turn)
{
	const struct snapshot_member *member = &turn->change->snapshot->members[turn->member];

	return member->check_count > 1 && !member->checks[1].is_watch_only;
}

/* What there is to say; nothing is added if there is nothing. */
static void print_turn(const struct turn *turn, struct text *line)
{
	const struct belief *before = turn->before;
	const struct belief *now = turn->now;
	bool has_changed = before->state != now->state;

	if (is_held_up(now) && now->why != before->why)
		text_print(line, " stays up: %s", words_stays_up(now->why));
	else if (is_held_down(now) && now->why != before->why)
		print_stays_down(turn, line);
	else if (is_held_up(before) && has_changed && now->seen == VERDICT_DOWN)
		text_add(line, " goes down: it still fails");
	else if (before->state == VERDICT_DOWN && has_changed &&
		(is_held_down(before) || now->why == BELIEF_RAMP))
		print_is_back(turn, line);
	else if (has_changed && has_several_monitors(turn) && now->why != BELIEF_WITHOUT &&
		before->why != BELIEF_WITHOUT)
		print_together(turn, line);
}

static bool say_turn(const struct turn *turn, struct text *lines, size_t count)
{
	struct text words = {0};
	char address[ADDRESS_TEXT_SIZE];
	bool has_words;

	print_turn(turn, &words);
	has_words = words.size > 0;
	if (has_words && count < CHANGES_LINES_MAX) {
		address_print(&turn->now->address, address);
		text_print(lines, "%s/%s %s%s\n", pool_of(turn)->name, member_name(turn), address,
			words.bytes);
	}
	text_done(&words);
	return has_words;
}

static const struct belief *find_address(
	const struct belief_table *table, uint32_t member, const struct address *address)
{
	size_t count;
	const struct belief *rows = belief_table_find(table, member, &count);

	for (size_t i = 0; i < count; i++)
		if (address_is_equal(&rows[i].address, address))
			return &rows[i];
	return NULL;
}

static void print_addresses(const struct beliefs_change *change, struct text *lines)
{
	const struct belief_table *before = plan_world(change->before).beliefs;
	const struct belief_table *now = guard_beliefs(change->guard);
	size_t said = 0;

	for (uint32_t id = 0; id < now->member_count; id++) {
		size_t count;
		const struct belief *rows = belief_table_find(now, id, &count);

		for (size_t i = 0; i < count && change->overrides[id] == OVERRIDE_NONE; i++) {
			const struct turn turn = {
				.change = change,
				.member = id,
				.before = find_address(before, id, &rows[i].address),
				.now = &rows[i],
			};

			said += turn.before && say_turn(&turn, lines, said);
		}
	}
	if (said > CHANGES_LINES_MAX)
		text_print(lines, "... and %zu more of that kind; 'steerctl status' shows all\n",
			said - CHANGES_LINES_MAX);
}

/* ---- pools ---- */

static void print_panic(
	const struct settings_pool *pool, const struct guard_pool_state *now, struct text *alarms)
{
	if (pool->method == METHOD_FAILOVER)
		text_print(alarms,
			"pool %s is in panic: none of its members is sound: it counts as failed\n",
			pool->name);
	else if (pool->panic_percent == 0)
		text_print(alarms,
			"pool %s is in panic: what is left of it counts as failed, so it does "
			"too\n",
			pool->name);
	else
		text_print(alarms,
			"pool %s is in panic: %u%% of its capacity is left, and panic-below is "
			"%u%%: it counts as failed\n",
			pool->name, now->percent, pool->panic_percent);
}

static void print_without(const struct snapshot *snapshot, const struct settings_pool *pool,
	bool is_without, struct text *notices)
{
	static const char *const words[] = {
		[WITHOUT_DEGRADED] = "its addresses are degraded",
		[WITHOUT_UP] = "its addresses are up all the same",
		[WITHOUT_DOWN] = "its addresses are down",
	};
	const char *needed = snapshot->settings->pools[pool->needs].name;

	if (is_without)
		text_print(notices, "pool %s is without pool %s, which it needs: %s\n", pool->name,
			needed, words[pool->without]);
	else
		text_print(
			notices, "pool %s has pool %s again, which it needs\n", pool->name, needed);
}

static void print_pool(const struct beliefs_change *change, uint32_t id,
	const struct guard_pool_state *before, struct text *ret_notices, struct text *ret_alarms)
{
	const struct settings_pool *pool = &change->snapshot->settings->pools[id];
	const struct guard_pool_state *now = &guard_pools(change->guard)[id];
	char span[TEXT_DURATION_SIZE];

	if (now->state == BELIEF_POOL_PANIC && before->state != BELIEF_POOL_PANIC)
		print_panic(pool, now, ret_alarms);
	if (now->state == BELIEF_POOL_SOUND && before->state == BELIEF_POOL_PANIC) {
		text_duration(change->now_unix_s > before->since_unix_s
				? (change->now_unix_s - before->since_unix_s) * 1000
				: 0,
			span);
		text_print(ret_notices,
			"pool %s is sound again after %s: %u%% of its capacity is "
			"left\n",
			pool->name, span, now->percent);
	}
	if (pool->needs != SETTINGS_NONE && now->is_without != before->is_without)
		print_without(change->snapshot, pool, now->is_without, ret_notices);
}

static void print_pools(
	const struct beliefs_change *change, struct text *ret_notices, struct text *ret_alarms)
{
	const struct settings *settings = change->snapshot->settings;
	const struct settings *old = change->before->snapshot->settings;
	const struct guard_pool_state *before = plan_world(change->before).pools;
	static const struct guard_pool_state none = {.state = BELIEF_POOL_SOUND};

	for (uint32_t id = 0; id < settings->pool_count; id++) {
		uint32_t as =
			settings == old ? id : settings_find_pool(old, settings->pools[id].name);

		print_pool(change, id, as == SETTINGS_NONE ? &none : &before[as], ret_notices,
			ret_alarms);
	}
}

/* ---- the observer ---- */

static void print_suspicion(const struct beliefs_change *change, struct text *alarms)
{
	const struct guard_observer *now = guard_observer(change->guard);
	const struct settings *settings = change->snapshot->settings;
	bool has_canaries = settings->canaries != SETTINGS_NONE;
	char span[TEXT_DURATION_SIZE];

	text_duration(settings->confirm_ms, span);
	if (now->are_canaries_down)
		text_print(alarms, "the fault may be ours: all of pool %s fails",
			settings->pools[settings->canaries].name);
	else
		text_print(alarms,
			"the fault may be ours: %u of %u checks fail, in %u networks at once",
			now->failing, now->checked, now->networks);
	if (has_canaries)
		text_print(alarms, "; nothing goes down until one of pool %s passes\n",
			settings->pools[settings->canaries].name);
	else
		text_print(alarms,
			"; nothing goes down for %s, nor as long as nothing passes at all\n", span);
}

static void print_observer(
	const struct beliefs_change *change, struct text *ret_notices, struct text *ret_alarms)
{
	const struct guard_observer *now = guard_observer(change->guard);
	const struct guard_observer *before = &change->observer;
	char span[TEXT_DURATION_SIZE];

	if (now->is_suspect && !before->is_suspect)
		print_suspicion(change, ret_alarms);
	if (now->is_suspect || !before->is_suspect)
		return;
	text_duration(change->now_unix_s > before->since_unix_s
			? (change->now_unix_s - before->since_unix_s) * 1000
			: 0,
		span);
	text_print(ret_notices,
		"the fault is not ours, after %s: %u of %u checks fail, and are believed\n", span,
		now->failing, now->checked);
}

void beliefs_print(
	const struct beliefs_change *change, struct text *ret_notices, struct text *ret_alarms)
{
	print_observer(change, ret_notices, ret_alarms);
	/* members have other ids after a reload, which says itself what it did */
	if (change->snapshot == change->before->snapshot)
		print_addresses(change, ret_notices);
	print_pools(change, ret_notices, ret_alarms);
}
