/* SPDX-License-Identifier: Apache-2.0 */
#include "steerd/plan/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "cookies.h"
#include "geography.h"
#include "rules.h"
#include "steerd/base/memory.h"
#include "targets.h"

struct snapshot_private {
	unsigned holders; /* atomic */
	struct settings *settings;
	struct zone_set *zones;
	struct geography *geography;
	struct arena *arena;
};

static bool is_pool(const void *context, const char *name)
{
	return settings_find_pool(context, name) != SETTINGS_NONE;
}

/* Which pool each steered name has, and so which pools are roots. */
static struct snapshot_pool *find_roots(struct snapshot *snapshot, struct arena *arena)
{
	const struct settings *settings = snapshot->settings;
	size_t steered_count = zone_set_steered_count(snapshot->zones);
	uint32_t *steered_pools = ARENA_ARRAY(arena, uint32_t, steered_count);
	struct snapshot_pool *infos =
		ARENA_ARRAY(arena, struct snapshot_pool, settings->pool_count);

	for (uint32_t i = 0; i < steered_count; i++) {
		steered_pools[i] =
			settings_find_pool(settings, zone_set_steered(snapshot->zones, i)->pool);
		infos[steered_pools[i]].is_root = true;
	}
	snapshot->steered_pools = steered_pools;
	return infos;
}

/* At a start, wrong files must not keep the rest from being answered: every client is of unknown place then. */
static struct geography *do_without_files(
	const struct geo_request *request, struct arena *arena, struct report *report)
{
	struct geo_request *bare = arena_copy(arena, request, sizeof(*request));

	bare->city_path_count = 0;
	bare->networks_path = NULL;
	report_note(report,
		"without its files every place is unknown: answers are in configured order");
	return geography_get(bare, NULL, report);
}

/* RFC 1035 3.3: its length goes before the text, which is no longer than one octet can say. */
static const uint8_t *character_string(const char *text, struct arena *arena)
{
	size_t size = strlen(text);
	uint8_t *string = ARENA_ARRAY(arena, uint8_t, 1 + size);

	string[0] = (uint8_t)size;
	memcpy(string + 1, text, size);
	return string;
}

static void introduce(struct snapshot *snapshot, struct arena *arena)
{
	const struct settings *settings = snapshot->settings;

	if (settings->identity)
		snapshot->identity = character_string(settings->identity, arena);
	if (settings->says_version)
		snapshot->version = character_string("steerd " STEERD_VERSION, arena);
}

/* Fills in all that follows from settings and zones; false if it is refused. */
static bool complete(
	struct snapshot *snapshot, const struct snapshot_options *options, struct report *report)
{
	struct snapshot_private *private = snapshot->private;
	struct snapshot_pool *infos;

	snapshot->zones = private->zones;
	introduce(snapshot, private->arena);
	if (!cookies_init(snapshot, options->previous, report))
		return false;
	targets_make(snapshot, private->arena);
	snapshot->rules = rules_make(snapshot, private->arena);
	infos = find_roots(snapshot, private->arena);
	snapshot->pool_infos = infos;
	snapshot->geo_request =
		geography_plan(private->settings, snapshot->pools, infos, private->arena);
	struct geography *geography = geography_get(snapshot->geo_request,
		options->previous ? options->previous->private->geography : NULL, report);

	if (!geography && !options->previous)
		geography = do_without_files(snapshot->geo_request, private->arena, report);
	if (!geography)
		return false;
	private->geography = geography;
	snapshot->geo = geography->geo;
	return true;
}

const struct snapshot *snapshot_build(
	struct settings *settings, const struct snapshot_options *options, struct report *report)
{
	struct snapshot *snapshot = memory_new(sizeof(*snapshot));
	const struct snapshot *previous = options->previous;
	size_t errors_before = report->error_count;
	struct zone_rules rules = {
		.is_pool = is_pool,
		.context = settings,
		.is_forced = options->is_forced,
	};

	snapshot->private = memory_new(sizeof(*snapshot->private));
	snapshot->private->holders = 1;
	snapshot->private->settings = settings;
	snapshot->private->arena = arena_new();
	snapshot->settings = settings;
	snapshot->generation = previous ? previous->generation + 1 : 1;
	snapshot->targets.generation = snapshot->generation;
	settings_read_files(settings, report);
	snapshot->private->zones = zone_set_read(
		settings->zones_path, &rules, previous ? previous->zones : NULL, report);

	bool done = snapshot->private->zones && complete(snapshot, options, report);

	/* A reload is one transaction: a single mistake anywhere leaves everything as it was. */
	if (done && !(previous && report->error_count > errors_before))
		return snapshot;
	snapshot_release(snapshot);
	return NULL;
}

const struct snapshot *snapshot_read(
	const char *settings_path, const struct snapshot_options *options, struct report *report)
{
	struct settings *settings = settings_read(settings_path, report);

	return settings ? snapshot_build(settings, options, report) : NULL;
}

const struct snapshot *snapshot_hold(const struct snapshot *snapshot)
{
	__atomic_add_fetch(&snapshot->private->holders, 1, __ATOMIC_RELAXED);
	return snapshot;
}

void snapshot_release(const struct snapshot *snapshot)
{
	if (!snapshot || __atomic_sub_fetch(&snapshot->private->holders, 1, __ATOMIC_ACQ_REL) > 0)
		return;

	struct snapshot_private *private = snapshot->private;

	geography_release(private->geography);
	zone_set_free(private->zones);
	arena_free(private->arena);
	settings_free(private->settings);
	free(private);
	cookies_done((struct snapshot *)(uintptr_t)snapshot);
	free((void *)(uintptr_t)snapshot);
}
