/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "beliefs.h"
#include "changes.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/control/words.h"

/* A prober says its whole table every second; after three that did not come nothing is believed that only time makes true. */
#define SILENT_MS 3000

const struct snapshot *world_snapshot(const struct world *world)
{
	return live_current(world->live)->snapshot;
}

/* Said apart from the members, and louder: it is when people must act. */
static void say_lost_pools(struct world *world)
{
	const struct control_facts facts = {
		.plan = live_current(world->live),
		.verdicts = &world->verdicts,
		.overrides = &world->overrides,
	};
	struct text lost = {0};
	struct text back = {0};

	lost_update(&world->lost, &facts, &lost, &back);
	if (back.size > 0)
		log_lines(LOG_LEVEL_NOTICE, back.bytes);
	if (lost.size > 0)
		log_lines(LOG_LEVEL_ERR, lost.bytes);
	text_done(&lost);
	text_done(&back);
}

/* ---- beliefs ---- */

/* Which override holds for each member: asked of the list when that, or the members, change. */
static void apply_overrides(struct world *world, const struct snapshot *snapshot)
{
	const struct settings *settings = snapshot->settings;

	free(world->overridden);
	world->overridden = memory_new(snapshot->member_count + 1);
	for (uint32_t id = 0; id < snapshot->member_count; id++) {
		const struct settings_pool *pool = &settings->pools[snapshot->members[id].pool];
		const struct settings_member *member = &pool->members[snapshot->members[id].member];
		const struct override *override = override_list_find(&world->overrides, pool->name,
			member->name,
			member->site == SETTINGS_NONE ? NULL : settings->sites[member->site].name);

		world->overridden[id] = override ? (uint8_t) override->kind : OVERRIDE_NONE;
	}
}

static bool is_silent(const struct world *world)
{
	return world->heard_at_ms == 0 || clock_monotonic_ms() - world->heard_at_ms > SILENT_MS;
}

/* True if something else is believed now. */
static bool step(struct world *world)
{
	const struct guard_input input = {
		.verdicts = &world->verdicts,
		.overrides = world->overridden,
		.is_stale = is_silent(world),
		.now_ms = clock_monotonic_ms(),
		.now_unix_s = clock_unix_s(),
	};
	bool has_changed = guard_step(world->guard, &input);

	if (world->due)
		world->due(world->due_context, guard_due_at_ms(world->guard));
	return has_changed;
}

static struct plan *make_plan(
	struct world *world, const struct snapshot *snapshot, const struct plan *previous)
{
	const struct plan_beliefs beliefs = {
		guard_beliefs(world->guard), guard_pools(world->guard)};

	return plan_build(snapshot, &beliefs, &world->overrides, previous);
}

static void publish(struct world *world, const struct snapshot *snapshot)
{
	struct plan *next = make_plan(world, snapshot, live_current(world->live));
	uint64_t generation = next->generation;

	if (live_publish(world->live, next))
		log_debug("plan %" PRIu64 " answers", generation);
}

/* Answers have followed already.  What states alone had changed waits for the table that says why. */
static void say(struct world *world)
{
	if (world->said.rows || !world->has_news)
		return;
	world->has_news = false;
	if (world->notices.size > 0)
		log_lines(LOG_LEVEL_NOTICE, world->notices.bytes);
	if (world->alarms.size > 0)
		log_lines(LOG_LEVEL_ERR, world->alarms.bytes);
	text_clear(&world->notices);
	text_clear(&world->alarms);
	say_lost_pools(world);
}

/* Shows the guard what is known; what it believes is answered, and is to be said.  `must`: even if it is nothing else. */
static void look(struct world *world, const struct snapshot *snapshot, bool must)
{
	const struct beliefs_change change = {
		.before = live_current(world->live),
		.snapshot = snapshot,
		.guard = world->guard,
		.overrides = world->overridden,
		.observer = *guard_observer(world->guard),
		.now_unix_s = clock_unix_s(),
	};

	if (!step(world) && !must)
		return;
	beliefs_print(&change, &world->notices, &world->alarms);
	publish(world, snapshot);
	world->has_news = true;
	world->keep.is_unsaved = true;
}

void world_look(struct world *world)
{
	look(world, world_snapshot(world), false);
	say(world);
}

size_t world_return(struct world *world, uint32_t member_id)
{
	size_t count = guard_return(world->guard, member_id);

	if (count == 0)
		return 0;
	world_look(world);
	world->keep.saved_at_ms = 0; /* it is on disk with the next tick */
	return count;
}

/* ---- the start ---- */

void world_init(struct world *world, const struct snapshot *snapshot, struct state *state,
	struct jobs *jobs)
{
	*world = (struct world){.guard = guard_new()};
	keep_init(&world->keep, state, jobs);
	guard_set_rules(world->guard, snapshot->rules);
	keep_read_verdicts(&world->keep, snapshot, world->guard, &world->verdicts);
	keep_read_overrides(&world->keep, &world->overrides);
	apply_overrides(world, snapshot);
	(void)step(world);
	world->live = live_new(make_plan(world, snapshot, NULL));
	snapshot_release(snapshot); /* the plan holds it */
	keep_secrets(&world->keep, world_snapshot(world));
	say_lost_pools(world);
}

/* What goes to disk. */
static struct keep_view view_of(const struct world *world)
{
	return (struct keep_view){
		.snapshot = world_snapshot(world),
		.verdicts = &world->verdicts,
		.guard = world->guard,
		.overrides = &world->overrides,
	};
}

void world_save(struct world *world)
{
	const struct keep_view view = view_of(world);

	keep_now(&world->keep, &view);
}

void world_done(struct world *world)
{
	live_free(world->live);
	verdict_table_done(&world->verdicts);
	verdict_table_done(&world->said);
	guard_free(world->guard);
	free(world->overridden);
	text_done(&world->notices);
	text_done(&world->alarms);
	override_list_done(&world->overrides);
	lost_done(&world->lost);
	keep_done(&world->keep);
}

/* ---- changes ---- */

/* The prober's rows must be those of the targets that it was given: one for each address, in order. */
static bool fits(const struct target_list *targets, const struct verdict_table *table)
{
	size_t row = 0;

	if (table->generation != targets->generation)
		return false;
	for (target_id target = 0; target < targets->count; target++) {
		const struct address *address = &targets->targets[target].address;

		if (address->family != ADDRESS_NONE) {
			if (row == table->count || table->rows[row].target != target ||
				!address_is_equal(&table->rows[row].address, address))
				return false;
			row++;
			continue;
		}
		while (row < table->count && table->rows[row].target == target)
			row++;
	}
	return row == table->count;
}

/* What changed since `before`, in words. */
static void say_changes(const struct world *world, const struct verdict_table *before)
{
	struct text lines = {0};

	if (changes_print(world_snapshot(world), before, &world->verdicts, &lines) > 0)
		log_lines(LOG_LEVEL_NOTICE, lines.bytes);
	text_done(&lines);
}

/* What states alone had changed: said now that the reasons are there, or must be said without. */
static void say_states(struct world *world)
{
	if (!world->said.rows)
		return;
	say_changes(world, &world->said);
	verdict_table_done(&world->said);
}

bool world_take_verdicts(struct world *world, struct verdict_table *table)
{
	if (!fits(&world_snapshot(world)->targets, table))
		return false;

	bool matters = changes_matter(&world->verdicts, table);
	struct verdict_table before = world->verdicts;

	/* first the answers, then the words */
	world->verdicts = *table;
	*table = (struct verdict_table){0};
	world->heard_at_ms = clock_monotonic_ms();
	world->keep.is_unsaved = world->keep.is_unsaved || matters;
	look(world, world_snapshot(world), false);
	if (world->said.rows)
		say_states(world);
	else if (matters)
		say_changes(world, &before);
	say(world);
	verdict_table_done(&before);
	return true;
}

void world_take_states(struct world *world, const struct link_states *states)
{
	struct verdict_table *table = &world->verdicts;
	bool matters = false;

	if (states->generation != table->generation || states->row_count != table->count)
		return;
	for (size_t i = 0; i < table->count; i++) {
		enum verdict_state state = link_states_get(states->bits, i);

		if (state == table->rows[i].state)
			continue;
		if (!world->said.rows) {
			world->said = *table;
			world->said.rows =
				memory_copy(table->rows, table->count * sizeof(table->rows[0]));
		}
		table->rows[i].state = (uint8_t)state;
		table->rows[i].since_unix_s = clock_unix_s();
		if (table->rows[i].outcome_count == 0) { /* it was its first check */
			table->rows[i].checked_at_unix_s = clock_unix_s();
			table->rows[i].last_passed = state != VERDICT_DOWN;
		}
		if (state == VERDICT_UP) /* why it was not is no news any more */
			memset(table->rows[i].reason, 0, sizeof(table->rows[i].reason));
		matters = true;
	}
	world->heard_at_ms = clock_monotonic_ms();
	if (matters)
		world_look(world);
}

void world_take_snapshot(struct world *world, const struct snapshot *snapshot)
{
	struct verdict_table carried = {0};

	say_states(world);
	verdict_table_carry(&snapshot->targets, &world->verdicts, &world_snapshot(world)->targets,
		clock_unix_s(), &carried);
	verdict_table_done(&world->verdicts);
	world->verdicts = carried;
	world->keep.is_unsaved = true;
	guard_set_rules(world->guard, snapshot->rules);
	apply_overrides(world, snapshot);
	look(world, snapshot, true);
	snapshot_release(snapshot); /* the plan holds it */
	say(world);
	keep_secrets(&world->keep, world_snapshot(world));
}

static void log_override(const struct override *override)
{
	char time[TEXT_TIME_SIZE];

	text_time(override->until_unix_s, time);
	log_notice("%s: %s by %s%s%s%s%s%s", override->subject, words_kind_done(override->kind),
		override->by, override->until_unix_s ? " until " : "",
		override->until_unix_s ? time : "", override->until_unix_s ? " UTC" : "",
		*override->reason ? ": " : "", override->reason);
}

/* They are of answers whatever the guard believes. */
static void take_overrides(struct world *world)
{
	apply_overrides(world, world_snapshot(world));
	look(world, world_snapshot(world), true);
}

bool world_override(struct world *world, const struct override *override, struct err *err)
{
	if (!override_list_set(&world->overrides, override))
		return true;
	take_overrides(world);
	log_override(override);
	say(world);
	return keep_overrides(&world->keep, &world->overrides, err);
}

static void expire_overrides(struct world *world)
{
	uint64_t now_unix_s = clock_unix_s();
	struct err err;

	for (size_t i = 0; i < world->overrides.count; i++) {
		const struct override *override = &world->overrides.items[i];

		if (override->until_unix_s && override->until_unix_s <= now_unix_s)
			log_notice("%s: no longer %s, its time is over", override->subject,
				words_kind_done(override->kind));
	}
	if (!override_list_expire(&world->overrides, now_unix_s))
		return;
	take_overrides(world);
	say(world);
	(void)keep_overrides(&world->keep, &world->overrides, &err);
}

/* The table that says why may never come. */
static void say_late(struct world *world)
{
	if (!world->said.rows || !is_silent(world))
		return;
	say_states(world);
	say(world);
}

void world_tick(struct world *world)
{
	expire_overrides(world);
	if (guard_due_at_ms(world->guard) <= clock_monotonic_ms())
		world_look(world);
	say_late(world);

	const struct keep_view view = view_of(world);

	keep_again(&world->keep, &view);
	keep_when_due(&world->keep, &view);
}
