/* SPDX-License-Identifier: Apache-2.0 */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"
#include "steerd/health/guard.h"
#include "world.h"

/* A change is on disk so soon: what a crash may lose is what the prober sees again within a few checks. */
#define SAVE_CHANGES_MS 5000
/* Without changes: so that the file's age says how long steerd did not run. */
#define SAVE_ALWAYS_MS (10 * 60 * 1000)

/* ---- saving ---- */

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

bool keep_overrides(struct world *world, struct err *err)
{
	bool saved = state_write_overrides(world->state, &world->overrides, err);

	world->has_unsaved_overrides = !saved;
	world->tried_at_ms = clock_monotonic_ms();
	note_saved(world, saved, err);
	return saved;
}

/* What no file said: the next start, and other servers, are to know it too. */
void keep_secrets(struct world *world)
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
void keep_again(struct world *world)
{
	struct err err;

	if (clock_monotonic_ms() - world->tried_at_ms < SAVE_CHANGES_MS)
		return;
	if (world->has_unsaved_overrides)
		(void)keep_overrides(world, &err);
	if (world->has_unsaved_secrets)
		keep_secrets(world);
}

static void print_verdicts(const struct world *world, struct text *ret_bytes)
{
	struct text believed = {0};

	guard_write(world->guard, &believed);

	const struct state_verdicts verdicts = {
		.targets = world_snapshot(world)->targets,
		.verdicts = world->verdicts,
		.believed = believed.bytes,
		.believed_size = believed.size,
		.saved_at_unix_s = clock_unix_s(),
	};

	state_print_verdicts(&verdicts, ret_bytes);
	text_done(&believed);
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

void keep_when_due(struct world *world)
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

void keep_now(struct world *world)
{
	struct text bytes = {0};
	struct err err;

	if (world->has_unsaved_overrides)
		(void)keep_overrides(world, &err);
	print_verdicts(world, &bytes);
	note_saved(world, state_write_verdicts(world->state, &bytes, &err), &err);
	text_done(&bytes);
}

/* ---- reading ---- */

static void restore_beliefs(struct world *world, const struct state_verdicts *saved)
{
	struct err err;

	if (saved->believed_size > 0 &&
		!guard_read(world->guard, saved->believed, saved->believed_size,
			clock_monotonic_ms(), &err))
		log_warning("%s; members are what their last checks say", err.text);
}

void keep_read_verdicts(struct world *world, const struct snapshot *snapshot)
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
	if (is_young)
		restore_beliefs(world, &saved);
	verdict_table_done(&saved.verdicts);
	arena_free(arena);
}

void keep_read_overrides(struct world *world)
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
