/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"
#include "steerd/control/words.h"

/* A change is on disk so soon: what a crash may lose is what the prober sees again within a few checks. */
#define SAVE_CHANGES_MS 5000
/* Without changes: so that the file's age says how long steerd did not run. */
#define SAVE_ALWAYS_MS (10 * 60 * 1000)

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

/* The rows of the last member that has begun end at first[member_count]. */
static void add_belief(struct belief_table *table, size_t *capacity, const struct address *address,
	const struct verdict *row)
{
	uint8_t state = row ? row->state : VERDICT_UP;
	uint32_t *end = &table->first[table->member_count];

	table->rows = MEMORY_GROW(table->rows, *end, capacity);
	table->rows[(*end)++] = (struct belief){
		.address = *address,
		.seen = state,
		.state = state,
		.share = state == VERDICT_DOWN ? 0 : BELIEF_WHOLE,
		.since_unix_s = row ? row->since_unix_s : 0,
	};
}

/* What the first monitor of a member saw, as it is. */
static void believe_member(const struct world *world, const struct snapshot_member *checked,
	const struct settings_member *member, struct belief_table *table, size_t *capacity)
{
	const target_id *targets = checked->check_count > 0 && !checked->checks[0].is_watch_only
		? checked->checks[0].targets
		: NULL;
	const struct verdict *rows = NULL;
	size_t count = 0;

	if (member->host)
		rows = verdict_table_find(&world->verdicts, targets[0], &count);
	for (size_t i = 0; i < count; i++)
		add_belief(table, capacity, &rows[i].address, &rows[i]);
	for (size_t i = 0; i < member->address_count; i++) {
		if (targets)
			rows = verdict_table_find(&world->verdicts, targets[i], &count);
		add_belief(table, capacity, &member->addresses[i], count > 0 ? rows : NULL);
	}
}

static void believe(struct world *world, const struct snapshot *snapshot)
{
	const struct settings *settings = snapshot->settings;
	struct belief_table *table = &world->beliefs;
	size_t capacity = 0;

	belief_table_done(table);
	free(world->pools);
	world->pools = memory_new(settings->pool_count * sizeof(world->pools[0]));
	table->first = memory_new((snapshot->member_count + 1) * sizeof(table->first[0]));
	while (table->member_count < snapshot->member_count) {
		const struct snapshot_member *at = &snapshot->members[table->member_count++];

		table->first[table->member_count] = table->first[table->member_count - 1];
		believe_member(world, at, &settings->pools[at->pool].members[at->member], table,
			&capacity);
	}
}

static struct plan *make_plan(
	struct world *world, const struct snapshot *snapshot, const struct plan *previous)
{
	believe(world, snapshot);

	const struct plan_beliefs beliefs = {&world->beliefs, world->pools};

	return plan_build(snapshot, &beliefs, &world->overrides, previous);
}

static void publish(struct world *world, const struct snapshot *snapshot)
{
	const struct plan *current = live_current(world->live);
	struct plan *next = make_plan(world, snapshot, current);
	uint64_t generation = next->generation;

	if (live_publish(world->live, next))
		log_debug("plan %" PRIu64 " answers", generation);
	say_lost_pools(world);
}

/* ---- state on disk ---- */

static void note_saved(struct world *world, bool saved, const struct err *err)
{
	bool was_broken = *world->save_error.text;

	if (!saved) {
		if (!was_broken)
			log_err("state is not saved, answers go on: %s", err->text);
		world->save_error = *err;
		return;
	}
	if (world->has_unsaved_overrides || world->has_unsaved_secrets)
		return;
	if (was_broken)
		log_notice("state is saved again");
	world->save_error.text[0] = '\0';
}

static bool save_overrides(struct world *world, struct err *err)
{
	bool saved = state_write_overrides(world->state, &world->overrides, err);

	world->has_unsaved_overrides = !saved;
	world->tried_at_ms = clock_monotonic_ms();
	note_saved(world, saved, err);
	return saved;
}

/* What no file said: the next start, and other servers, are to know it too. */
static void save_secrets(struct world *world)
{
	const struct snapshot *snapshot = world_snapshot(world);
	char bytes[SECRETS_TEXT_SIZE];
	struct err err;

	world->has_unsaved_secrets = false;
	if (snapshot->secrets != SNAPSHOT_SECRETS_NEW)
		return;

	bool saved = state_write_secrets(
		world->state, bytes, secrets_print(&snapshot->cookies->keys[0], bytes), &err);

	explicit_bzero(bytes, sizeof(bytes));
	world->has_unsaved_secrets = !saved;
	world->tried_at_ms = clock_monotonic_ms();
	if (saved)
		log_notice("DNS cookies have a new secret: '%s'", snapshot->secrets_path);
	note_saved(world, saved, &err);
}

/* What an operator said must not be lost because the disk was full at that moment. */
static void save_again(struct world *world)
{
	struct err err;

	if (clock_monotonic_ms() - world->tried_at_ms < SAVE_CHANGES_MS)
		return;
	if (world->has_unsaved_overrides)
		(void)save_overrides(world, &err);
	if (world->has_unsaved_secrets)
		save_secrets(world);
}

static void print_verdicts(const struct world *world, struct text *ret_bytes)
{
	const struct state_verdicts verdicts = {
		.targets = world_snapshot(world)->targets,
		.verdicts = world->verdicts,
		.saved_at_unix_s = clock_unix_s(),
	};

	state_print_verdicts(&verdicts, ret_bytes);
}

/* A file of verdicts on its way to the disk. */
struct save {
	struct world *world;
	struct text bytes;
	struct err err;
	bool saved;
};

static void save_run(void *context)
{
	struct save *save = context;

	save->saved = state_write_verdicts(save->world->state, &save->bytes, &save->err);
}

static void save_done(void *context)
{
	struct save *save = context;

	note_saved(save->world, save->saved, &save->err);
	save->world->is_saving = false;
	save->world->is_unsaved = save->world->is_unsaved || !save->saved;
	text_done(&save->bytes);
	free(save);
}

static void save_when_due(struct world *world)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t age_ms = now_ms - world->saved_at_ms;

	if (world->is_saving || age_ms < (world->is_unsaved ? SAVE_CHANGES_MS : SAVE_ALWAYS_MS))
		return;

	struct save *save = memory_new(sizeof(*save));

	save->world = world;
	print_verdicts(world, &save->bytes);
	world->saved_at_ms = now_ms;
	world->is_saving = true;
	world->is_unsaved = false;
	jobs_add(world->jobs, &(struct job){save_run, save_done, save});
}

void world_save(struct world *world)
{
	struct text bytes = {0};
	struct err err;

	if (world->has_unsaved_overrides)
		(void)save_overrides(world, &err);
	print_verdicts(world, &bytes);
	note_saved(world, state_write_verdicts(world->state, &bytes, &err), &err);
	text_done(&bytes);
}

/* ---- the start ---- */

static void restore_verdicts(struct world *world, const struct snapshot *snapshot)
{
	struct arena *arena = arena_new();
	struct state_verdicts saved = {0};
	struct err err;
	uint64_t now_unix_s = clock_unix_s();
	enum state_found found = state_read_verdicts(world->state, arena, &saved, &err);
	/* a clock that was set back does not make them old */
	uint64_t age_s =
		now_unix_s > saved.saved_at_unix_s ? now_unix_s - saved.saved_at_unix_s : 0;
	bool is_young = found == STATE_READ && age_s <= STATE_VERDICTS_KEPT_S;
	char span[TEXT_DURATION_SIZE];

	if (found == STATE_BROKEN)
		log_warning("%s; every member counts as up until it is checked", err.text);
	if (found == STATE_READ) {
		text_duration(age_s * 1000, span);
		log_info(is_young ? "verdicts go on from %s ago"
				  : "verdicts are %s old and say nothing about now",
			span);
	}
	verdict_table_carry(&snapshot->targets, is_young ? &saved.verdicts : NULL,
		is_young ? &saved.targets : NULL, now_unix_s, &world->verdicts);
	verdict_table_done(&saved.verdicts);
	arena_free(arena);
}

static void restore_overrides(struct world *world)
{
	struct err err;

	if (state_read_overrides(world->state, &world->overrides, &err) == STATE_BROKEN)
		log_err("%s; what was drained or forced is not any more", err.text);
	if (override_list_expire(&world->overrides, clock_unix_s()))
		log_notice("some overrides ended while steerd did not run");
	if (world->overrides.count > 0)
		log_notice("%zu override%s in force; 'steerctl status' lists them",
			world->overrides.count, world->overrides.count == 1 ? " is" : "s are");
}

void world_init(struct world *world, const struct snapshot *snapshot, struct state *state,
	struct jobs *jobs)
{
	*world = (struct world){.state = state, .jobs = jobs, .saved_at_ms = clock_monotonic_ms()};
	restore_verdicts(world, snapshot);
	restore_overrides(world);
	world->live = live_new(make_plan(world, snapshot, NULL));
	snapshot_release(snapshot); /* the plan holds it */
	save_secrets(world);
	say_lost_pools(world);
}

void world_done(struct world *world)
{
	live_free(world->live);
	verdict_table_done(&world->verdicts);
	belief_table_done(&world->beliefs);
	free(world->pools);
	verdict_table_done(&world->said);
	override_list_done(&world->overrides);
	lost_done(&world->lost);
	state_close(world->state);
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
	if (matters) {
		publish(world, world_snapshot(world));
		world->is_unsaved = true;
	}
	if (world->said.rows)
		say_states(world);
	else if (matters)
		say_changes(world, &before);
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
		if (state == VERDICT_UP) /* why it was not is no news any more */
			memset(table->rows[i].reason, 0, sizeof(table->rows[i].reason));
		matters = true;
	}
	if (!matters)
		return;
	publish(world, world_snapshot(world));
	world->is_unsaved = true;
}

void world_take_snapshot(struct world *world, const struct snapshot *snapshot)
{
	struct verdict_table carried = {0};

	say_states(world);
	verdict_table_carry(&snapshot->targets, &world->verdicts, &world_snapshot(world)->targets,
		clock_unix_s(), &carried);
	verdict_table_done(&world->verdicts);
	world->verdicts = carried;
	world->is_unsaved = true;
	publish(world, snapshot);
	snapshot_release(snapshot); /* the plan holds it */
	save_secrets(world);
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

bool world_override(struct world *world, const struct override *override, struct err *err)
{
	if (!override_list_set(&world->overrides, override))
		return true;
	publish(world, world_snapshot(world));
	log_override(override);
	return save_overrides(world, err);
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
	publish(world, world_snapshot(world));
	(void)save_overrides(world, &err);
}

void world_tick(struct world *world)
{
	expire_overrides(world);
	save_again(world);
	save_when_due(world);
}
