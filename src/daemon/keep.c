/* SPDX-License-Identifier: Apache-2.0 */
#include "keep.h"

#include <stdlib.h>
#include <string.h>

#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/config/secrets.h"

/* A change is on disk so soon: what a crash may lose is what the prober sees again within a few checks. */
#define SAVE_CHANGES_MS 5000
/* Without changes: so that the file's age says how long steerd did not run. */
#define SAVE_ALWAYS_MS (10 * 60 * 1000)

void keep_init(struct keep *keep, struct state *state, struct jobs *jobs)
{
	*keep = (struct keep){.state = state, .jobs = jobs, .saved_at_ms = clock_monotonic_ms()};
}

void keep_done(struct keep *keep)
{
	state_close(keep->state);
}

/* ---- saving ---- */

static void note_saved(struct keep *keep, bool saved, const struct err *err)
{
	bool was_broken = *keep->error.text;

	if (!saved) {
		if (!was_broken)
			log_err("state is not saved, answers go on: %s", err->text);
		keep->error = *err;
		return;
	}
	if (keep->has_unsaved_overrides || keep->has_unsaved_secrets)
		return;
	if (was_broken)
		log_notice("state is saved again");
	keep->error.text[0] = '\0';
}

bool keep_overrides(struct keep *keep, const struct override_list *overrides, struct err *err)
{
	bool saved = state_write_overrides(keep->state, overrides, err);

	keep->has_unsaved_overrides = !saved;
	keep->tried_at_ms = clock_monotonic_ms();
	note_saved(keep, saved, err);
	return saved;
}

/* What no file said: the next start, and other servers, are to know it too. */
void keep_secrets(struct keep *keep, const struct snapshot *snapshot)
{
	char bytes[SECRETS_TEXT_SIZE];
	struct err err;

	keep->has_unsaved_secrets = false;
	if (snapshot->secrets != SNAPSHOT_SECRETS_NEW)
		return;

	bool saved = state_write_secrets(
		keep->state, bytes, secrets_print(&snapshot->cookies->keys[0], bytes), &err);

	explicit_bzero(bytes, sizeof(bytes));
	keep->has_unsaved_secrets = !saved;
	keep->tried_at_ms = clock_monotonic_ms();
	if (saved)
		log_notice("DNS cookies have a new secret: '%s'", snapshot->secrets_path);
	note_saved(keep, saved, &err);
}

/* What an operator said must not be lost because the disk was full at that moment. */
void keep_again(struct keep *keep, const struct keep_view *view)
{
	struct err err;

	if (clock_monotonic_ms() - keep->tried_at_ms < SAVE_CHANGES_MS)
		return;
	if (keep->has_unsaved_overrides)
		(void)keep_overrides(keep, view->overrides, &err);
	if (keep->has_unsaved_secrets)
		keep_secrets(keep, view->snapshot);
}

static void print_verdicts(const struct keep_view *view, struct text *ret_bytes)
{
	struct text believed = {0};

	guard_write(view->guard, &believed);

	const struct state_verdicts verdicts = {
		.targets = view->snapshot->targets,
		.verdicts = *view->verdicts,
		.believed = believed.bytes,
		.believed_size = believed.size,
		.saved_at_unix_s = clock_unix_s(),
	};

	state_print_verdicts(&verdicts, ret_bytes);
	text_done(&believed);
}

/* A file of verdicts on its way to the disk. */
struct save {
	struct keep *keep;
	struct text bytes;
	struct err err;
	bool saved;
};

static void save_run(void *context)
{
	struct save *save = context;

	save->saved = state_write_verdicts(save->keep->state, &save->bytes, &save->err);
}

static void save_done(void *context)
{
	struct save *save = context;

	note_saved(save->keep, save->saved, &save->err);
	save->keep->is_saving = false;
	save->keep->is_unsaved = save->keep->is_unsaved || !save->saved;
	text_done(&save->bytes);
	free(save);
}

void keep_when_due(struct keep *keep, const struct keep_view *view)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t age_ms = now_ms - keep->saved_at_ms;

	if (keep->is_saving || age_ms < (keep->is_unsaved ? SAVE_CHANGES_MS : SAVE_ALWAYS_MS))
		return;

	struct save *save = memory_new(sizeof(*save));

	save->keep = keep;
	print_verdicts(view, &save->bytes);
	keep->saved_at_ms = now_ms;
	keep->is_saving = true;
	keep->is_unsaved = false;
	jobs_add(keep->jobs, &(struct job){save_run, save_done, save});
}

void keep_now(struct keep *keep, const struct keep_view *view)
{
	struct text bytes = {0};
	struct err err;

	if (keep->has_unsaved_overrides)
		(void)keep_overrides(keep, view->overrides, &err);
	print_verdicts(view, &bytes);
	note_saved(keep, state_write_verdicts(keep->state, &bytes, &err), &err);
	text_done(&bytes);
}

/* ---- reading ---- */

static void restore_beliefs(struct guard *guard, const struct state_verdicts *saved)
{
	struct err err;

	if (saved->believed_size > 0 &&
		!guard_read(
			guard, saved->believed, saved->believed_size, clock_monotonic_ms(), &err))
		log_warning("%s; members are what their last checks say", err.text);
}

void keep_read_verdicts(struct keep *keep, const struct snapshot *snapshot, struct guard *guard,
	struct verdict_table *ret_verdicts)
{
	struct arena *arena = arena_new();
	struct state_verdicts saved = {0};
	struct err err;
	uint64_t now_unix_s = clock_unix_s();
	enum state_found found = state_read_verdicts(keep->state, arena, &saved, &err);
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
		is_young ? &saved.targets : NULL, now_unix_s, ret_verdicts);
	if (is_young)
		restore_beliefs(guard, &saved);
	verdict_table_done(&saved.verdicts);
	arena_free(arena);
}

void keep_read_overrides(struct keep *keep, struct override_list *ret_overrides)
{
	struct err err;

	if (state_read_overrides(keep->state, ret_overrides, &err) == STATE_BROKEN)
		log_err("%s; what was drained or forced is not any more", err.text);
	if (override_list_expire(ret_overrides, clock_unix_s()))
		log_notice("some overrides ended while steerd did not run");
	if (ret_overrides->count > 0)
		log_notice("%zu override%s in force; 'steerctl status' lists them",
			ret_overrides->count, ret_overrides->count == 1 ? " is" : "s are");
}
