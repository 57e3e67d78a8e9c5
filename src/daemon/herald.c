/* SPDX-License-Identifier: Apache-2.0 */
#include "herald.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outbox.h"
#include "steerd/base/clock.h"
#include "steerd/base/log.h"
#include "steerd/base/memory.h"
#include "steerd/base/random.h"
#include "steerd/control/bulletin.h"
#include "steerd/health/notice.h"
#include "steerd/health/trouble.h"

static_assert((int)NOTIFY_DOWN == NOTICE_HEARS_DOWN &&
		(int)NOTIFY_DEGRADED == NOTICE_HEARS_DEGRADED &&
		(int)NOTIFY_POOL == NOTICE_HEARS_POOL &&
		(int)NOTIFY_NEVER_UP == NOTICE_HEARS_NEVER_UP &&
		(int)NOTIFY_CERTIFICATE == NOTICE_HEARS_CERTIFICATE &&
		(int)NOTIFY_OBSERVER == NOTICE_HEARS_OBSERVER,
	"what a receiver hears is the same in settings and notices");

/* A disk that is full is tried again so often. */
#define SAVE_EVERY_MS 5000

struct herald {
	struct herald_options options;
	struct notices *notices;
	struct outbox outbox;
	char host[256];
	uint64_t prober_since_unix_s; /* it is gone; 0: it is not */
	bool is_unsaved;
	bool is_saving;
	bool is_disk_broken; /* and it was said */
	uint64_t tried_at_ms;
	uint64_t told;
	uint64_t given_up;
	char given_up_why[256]; /* the last one; "" */
};

/* In words, for pools that zones name; the others have someone above them. */
static const char *const last_resorts[] = {
	[ALL_DOWN_SERVE_ALL] = "it answers with all of them (serve-all)",
	[ALL_DOWN_FALLBACK] = "the name's own records are answered (fallback)",
	[ALL_DOWN_LAST_GOOD] = "it answers with what was usable last (last-good)",
	[ALL_DOWN_FENCED] = "it answers with its own members alone (fenced)",
};

static struct notice_clock clock_now(void)
{
	return (struct notice_clock){.now_ms = clock_monotonic_ms(), .now_unix_s = clock_unix_s()};
}

static const struct settings *settings_of(const struct herald *herald)
{
	return world_snapshot(herald->options.world)->settings;
}

/* ---- the disk ---- */

struct save {
	struct herald *herald;
	struct text bytes;
	struct err err;
	bool saved;
};

static void note_saved(struct herald *herald, bool saved, const struct err *err)
{
	if (!saved && !herald->is_disk_broken)
		log_err("what people were told is not saved, a restart would tell it again: %s",
			err->text);
	if (saved && herald->is_disk_broken)
		log_notice("what people were told is saved again");
	herald->is_disk_broken = !saved;
	herald->is_unsaved = herald->is_unsaved || !saved;
}

static void save_run(void *context)
{
	struct save *save = context;

	save->saved = state_write_notices(
		save->herald->options.world->keep.state, &save->bytes, &save->err);
}

static void save_done(void *context)
{
	struct save *save = context;

	save->herald->is_saving = false;
	note_saved(save->herald, save->saved, &save->err);
	text_done(&save->bytes);
	free(save);
}

static void print_state(struct herald *herald, struct text *ret_bytes)
{
	struct notice_clock clock = clock_now();

	state_print_notices(herald->notices, &clock, ret_bytes);
	herald->is_unsaved = false;
	herald->tried_at_ms = clock.now_ms;
}

static void save_when_due(struct herald *herald)
{
	uint64_t now_ms = clock_monotonic_ms();

	herald->is_unsaved = notices_is_changed(herald->notices) || herald->is_unsaved;
	if (!herald->is_unsaved || herald->is_saving ||
		(herald->is_disk_broken && now_ms - herald->tried_at_ms < SAVE_EVERY_MS))
		return;

	struct save *save = memory_new(sizeof(*save));

	save->herald = herald;
	print_state(herald, &save->bytes);
	herald->is_saving = true;
	jobs_add(herald->options.jobs, &(struct job){save_run, save_done, save});
}

void herald_save(struct herald *herald)
{
	struct text bytes = {0};
	struct err err;

	if (!herald || !(notices_is_changed(herald->notices) || herald->is_unsaved))
		return;
	print_state(herald, &bytes);
	note_saved(
		herald, state_write_notices(herald->options.world->keep.state, &bytes, &err), &err);
	text_done(&bytes);
}

/* ---- the outbox ---- */

static void send_item(struct herald *herald, const struct outbox_item *item)
{
	const struct settings *settings = settings_of(herald);
	struct link_notice notice;

	if (outbox_address(item, settings->notifies, settings->notify_count, &notice))
		herald->options.send(herald->options.context, &notice);
}

static void give_up(struct herald *herald, const struct outbox_item *item, const char *why)
{
	log_warning("'%s' was not told of %s of %s: %s", item->receiver, item->notice.event,
		item->notice.subject, why);
	herald->given_up++;
	snprintf(herald->given_up_why, sizeof(herald->given_up_why), "%s", why);
	notices_settle(herald->notices, item->notice.id);
	outbox_drop(&herald->outbox, item->notice.id);
}

void herald_repeat(struct herald *herald)
{
	const struct outbox_item *item;

	TAILQ_FOREACH(item, &herald->outbox.items, link)
	send_item(herald, item);
}

void herald_settle(struct herald *herald, const struct link_delivered *delivered)
{
	const struct outbox_item *item = outbox_find(&herald->outbox, delivered->id);

	/* it may tell of one that was dropped meanwhile */
	if (!item)
		return;
	if (!delivered->done) {
		give_up(herald, item, delivered->why);
		return;
	}
	log_debug("'%s' was told of %s of %s", item->receiver, item->notice.event,
		item->notice.subject);
	herald->told++;
	notices_settle(herald->notices, delivered->id);
	outbox_drop(&herald->outbox, delivered->id);
}

/* ---- what is due ---- */

/* What a look at the world needs, for as long as it takes. */
struct look {
	const struct herald *herald;
	const struct snapshot *snapshot;
	struct arena *arena;
	struct trouble_input input;
	struct notice_clock clock;
};

static void name_monitors(struct look *look)
{
	const struct settings *settings = look->snapshot->settings;
	const char **names = ARENA_ARRAY(look->arena, const char *, settings->monitor_count);
	uint32_t *warn_days = ARENA_ARRAY(look->arena, uint32_t, settings->monitor_count);

	for (size_t i = 0; i < settings->monitor_count; i++) {
		names[i] = settings->monitors[i].name;
		warn_days[i] = settings->monitors[i].certificate_warn_days;
	}
	look->input.monitors = names;
	look->input.warn_days = warn_days;
}

static void name_last_resorts(struct look *look)
{
	const struct settings *settings = look->snapshot->settings;
	const char **words = ARENA_ARRAY(look->arena, const char *, settings->pool_count);

	for (size_t i = 0; i < settings->pool_count; i++)
		words[i] = look->snapshot->pool_infos[i].is_root
			? last_resorts[settings->pools[i].when_all_down]
			: "who names it goes on without";
	look->input.last_resorts = words;
}

static void look_at(struct herald *herald, struct look *look)
{
	const struct world *world = herald->options.world;
	const struct plan *plan = live_current(world->live);

	*look = (struct look){
		.herald = herald,
		.snapshot = plan->snapshot,
		.arena = arena_new(),
		.clock = clock_now(),
	};
	look->input = (struct trouble_input){
		.rules = look->snapshot->rules,
		.beliefs = guard_beliefs(world->guard),
		.pools = guard_pools(world->guard),
		.observer = guard_observer(world->guard),
		.verdicts = &world->verdicts,
		.targets = &look->snapshot->targets,
		.overrides = plan_world(plan).overrides,
		.prober_since_unix_s = herald->prober_since_unix_s,
		.now_unix_s = look->clock.now_unix_s,
	};
	name_monitors(look);
	name_last_resorts(look);
}

/* The member that is meant, by its id; GUARD_NONE: there is none any more. */
static uint32_t find_member(const struct look *look, const struct notice_subject *subject)
{
	const struct settings *settings = look->snapshot->settings;

	for (uint32_t id = 0; id < look->snapshot->member_count; id++) {
		const struct snapshot_member *at = &look->snapshot->members[id];
		const struct settings_pool *pool = &settings->pools[at->pool];

		if (strcmp(pool->name, subject->pool) == 0 &&
			strcmp(pool->members[at->member].name, subject->member) == 0)
			return id;
	}
	return GUARD_NONE;
}

static bool find_address(
	const struct look *look, uint32_t member, const struct address *address, size_t *ret_index)
{
	size_t count;
	const struct belief *rows = belief_table_find(look->input.beliefs, member, &count);

	for (size_t i = 0; i < count; i++) {
		if (!address_is_equal(&rows[i].address, address))
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

static bool has_monitor(const struct look *look, const char *name)
{
	for (size_t i = 0; i < look->snapshot->settings->monitor_count; i++)
		if (strcmp(look->input.monitors[i], name) == 0)
			return true;
	return false;
}

/* What the bulletin says beside the notice itself; `rows` is where its rows are kept. */
static void add_evidence(
	const struct look *look, const struct verdict **rows, struct bulletin *bulletin)
{
	const struct notice_subject *subject = &bulletin->notice->subject;
	uint32_t pool = subject->pool ? settings_find_pool(look->snapshot->settings, subject->pool)
				      : SETTINGS_NONE;
	uint32_t member = subject->member ? find_member(look, subject) : GUARD_NONE;
	size_t index;

	if (pool != SETTINGS_NONE)
		bulletin->pool = &look->input.pools[pool];
	bulletin->is_gone = (subject->pool && pool == SETTINGS_NONE) ||
		(subject->monitor && !has_monitor(look, subject->monitor)) ||
		(subject->member && member == GUARD_NONE);
	if (!subject->member || bulletin->is_gone)
		return;
	bulletin->is_gone = !find_address(look, member, &subject->address, &index);
	if (!bulletin->is_gone)
		bulletin->row_count = trouble_rows(&look->input, member, index, rows);
	bulletin->rows = rows;
}

static void tell(struct herald *herald, const struct look *look, const struct notice *notice)
{
	const struct verdict *rows[TROUBLE_ROWS_MAX];
	struct bulletin bulletin = {
		.notice = notice,
		.host = herald->host,
		.generation = look->snapshot->generation,
		.now_unix_s = look->clock.now_unix_s,
		.targets = look->input.targets,
		.monitors = look->input.monitors,
	};
	struct text texts[3] = {0};

	add_evidence(look, rows, &bulletin);
	bulletin_print(&bulletin, &texts[0]);
	bulletin_print_subject(&bulletin, &texts[1]);
	bulletin_print_reason(&bulletin, &texts[2]);
	outbox_put(&herald->outbox,
		&(struct link_notice){.id = notice->id,
			.body = texts[0].bytes,
			.event = bulletin_event(&bulletin),
			.subject = texts[1].bytes,
			.reason = texts[2].bytes},
		settings_of(herald)->notifies[notice->listener].name, look->clock.now_ms);
	send_item(herald, outbox_find(&herald->outbox, notice->id));
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		text_done(&texts[i]);
}

static void note_prober(struct herald *herald, const char *why)
{
	if (!why)
		herald->prober_since_unix_s = 0;
	else if (herald->prober_since_unix_s == 0)
		herald->prober_since_unix_s = clock_unix_s();
}

static void tell_what_is_due(struct herald *herald, const char *prober_why)
{
	struct trouble_list troubles = {0};
	struct look look;
	size_t count;

	look_at(herald, &look);
	look.input.prober_why = prober_why;
	trouble_find(&look.input, look.arena, &troubles);

	const struct notice *due =
		notices_step(herald->notices, troubles.items, troubles.count, &look.clock, &count);

	for (size_t i = 0; i < count; i++)
		tell(herald, &look, &due[i]);
	free(troubles.items);
	arena_free(look.arena);
}

void herald_tick(struct herald *herald, const char *prober_why)
{
	const struct outbox_item *surplus;

	note_prober(herald, prober_why);
	/* whom nobody listens to need not look */
	if (settings_of(herald)->notify_count > 0)
		tell_what_is_due(herald, prober_why);
	while ((surplus = outbox_surplus(&herald->outbox)))
		give_up(herald, surplus, "too many others wait");
	save_when_due(herald);
}

/* ---- the whole ---- */

void herald_describe(const struct herald *herald, struct control_notices *ret_notices)
{
	const struct outbox_item *oldest = TAILQ_FIRST(&herald->outbox.items);

	*ret_notices = (struct control_notices){
		.receivers = settings_of(herald)->notify_count,
		.waiting = herald->outbox.count,
		.oldest_ms = oldest ? clock_monotonic_ms() - oldest->put_at_ms : 0,
		.told = herald->told,
		.given_up = herald->given_up,
		.given_up_why = *herald->given_up_why ? herald->given_up_why : NULL,
	};
}

void herald_renew(struct herald *herald)
{
	const struct settings *settings = settings_of(herald);
	size_t count = settings->notify_count < NOTICE_LISTENERS_MAX ? settings->notify_count
								     : NOTICE_LISTENERS_MAX;
	struct notice_listener *listeners = memory_new((count + 1) * sizeof(listeners[0]));
	const struct outbox_item *orphan;

	for (size_t i = 0; i < count; i++)
		listeners[i] = (struct notice_listener){
			.name = settings->notifies[i].name,
			.after_ms = settings->notifies[i].after_ms,
			.repeat_ms = settings->notifies[i].repeat_ms,
			.hears = settings->notifies[i].events,
		};
	notices_set_listeners(herald->notices, listeners, count);
	free(listeners);
	while ((orphan =
			outbox_orphan(&herald->outbox, settings->notifies, settings->notify_count)))
		outbox_drop(&herald->outbox, orphan->notice.id);
	if (settings->identity)
		snprintf(herald->host, sizeof(herald->host), "%s", settings->identity);
	else if (gethostname(herald->host, sizeof(herald->host)) < 0)
		snprintf(herald->host, sizeof(herald->host), "unknown");
	herald->host[sizeof(herald->host) - 1] = '\0';
}

struct herald *herald_new(const struct herald_options *options)
{
	struct herald *herald = memory_new(sizeof(*herald));
	struct notice_clock clock = clock_now();
	uint64_t first_id;
	struct err err;

	herald->options = *options;
	outbox_init(&herald->outbox);
	random_octets(&first_id, sizeof(first_id));
	herald->notices = notices_new(first_id);
	if (state_read_notices(options->world->keep.state, herald->notices, &clock, &err) ==
		STATE_BROKEN)
		log_warning("%s; what lasts is told again", err.text);
	herald_renew(herald);
	return herald;
}

void herald_free(struct herald *herald)
{
	if (!herald)
		return;
	outbox_done(&herald->outbox);
	notices_free(herald->notices);
	free(herald);
}
