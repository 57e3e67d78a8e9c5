/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_SNAPSHOT_H
#define PLAN_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/report.h"
#include "steerd/config/settings.h"
#include "steerd/geo/geo.h"
#include "steerd/health/target.h"
#include "steerd/steer/steer.h"
#include "steerd/zone/zone.h"

/*
 * snapshot - what operators wrote: settings, zones, pools, geography; built aside, checked, frozen.
 *
 * Counted: a plan holds its snapshot, so it is freed with the last plan that was made from it.
 */
struct snapshot {
	uint64_t generation; /* only rises */
	const struct settings *settings;
	const struct zone_set *zones;
	const struct geo *geo;
	struct target_list targets;
	const struct steer_pool *pools; /* settings->pool_count of them, in the same order */
	const struct snapshot_pool *pool_infos; /* beside each pool */
	uint32_t member_count;			/* ids of steer_member */
	const struct snapshot_member *members;	/* by id */
	struct snapshot_private *private;
};

struct snapshot_pool {
	uint32_t map; /* index of the geo map of the tree below this pool, or SETTINGS_NONE */
	const uint16_t *sites; /* the map's sites: indices of settings->sites */
	size_t site_count;
	bool is_root; /* a zone names it */
};

/* Whose member an id is, for overrides and for status. */
struct snapshot_member {
	uint32_t pool;	 /* index of settings->pools */
	uint32_t member; /* index of that pool's members */
};

struct snapshot_options {
	bool may_drop_zones; /* --force */
	const struct snapshot
		*previous; /* its unchanged zones and geography are shared; NULL: none */
};

/* NULL, and errors in `report`, if anything is refused: the old snapshot serves on. */
const struct snapshot *snapshot_read(
	const char *settings_path, const struct snapshot_options *options, struct report *report);
/* The rest of snapshot_read() for settings that are read: takes ownership of them. */
const struct snapshot *snapshot_build(
	struct settings *settings, const struct snapshot_options *options, struct report *report);
const struct snapshot *snapshot_hold(const struct snapshot *snapshot);
void snapshot_release(const struct snapshot *snapshot); /* NULL is allowed */

#endif
