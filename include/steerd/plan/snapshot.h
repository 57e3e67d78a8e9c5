/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_SNAPSHOT_H
#define PLAN_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "steerd/base/report.h"
#include "steerd/config/settings.h"
#include "steerd/dns/cookie.h"
#include "steerd/geo/geo.h"
#include "steerd/health/guard.h"
#include "steerd/health/target.h"
#include "steerd/steer/steer.h"
#include "steerd/zone/zone.h"

/*
 * snapshot - what operators wrote: settings, zones, pools, geography; built aside, checked, frozen.
 *
 * Counted: a plan holds its snapshot, so it is freed with the last plan that was made from it.  Any thread
 * may build, hold and release; nobody changes one.
 */

/* Beside each pool of the settings. */
struct snapshot_pool {
	bool is_root;	       /* a zone names it */
	uint32_t map;	       /* geo map of the tree below a root, or SETTINGS_NONE */
	const uint16_t *sites; /* the map's sites: indices of the settings' */
	size_t site_count;
};

/* One monitor of an endpoint, and what it is applied to. */
struct snapshot_check {
	uint32_t
		monitor; /* index of settings->monitors; SETTINGS_NONE: its host name is resolved and no more */
	bool is_watch_only; /* shown, and decides nothing */
	const target_id
		*targets; /* one for each written address, in that order; of a host, one in all */
	size_t target_count;
};

/* Whose member an id is, for overrides and for status. */
struct snapshot_member {
	uint32_t pool;	 /* index of settings->pools */
	uint32_t member; /* index of that pool's members */
	const struct snapshot_check
		*checks; /* those that decide come first; none: always up, or a pool */
	size_t check_count;
};

/* Where the secrets of DNS cookies are from. */
enum snapshot_secrets {
	SNAPSHOT_SECRETS_NONE,	 /* no cookies are given */
	SNAPSHOT_SECRETS_KEPT,	 /* from the file */
	SNAPSHOT_SECRETS_NEW,	 /* there was no file: who has the state directory writes it */
	SNAPSHOT_SECRETS_OF_RUN, /* at a start with a file that is wrong: it is left as it is */
};

struct snapshot {
	uint64_t generation; /* only rises */
	const struct settings *settings;
	const struct zone_set *zones;
	const struct geo *geo;
	const struct geo_request *geo_request; /* what `geo` was built from, for geo_find_place() */
	struct target_list targets;
	const struct steer_pool *pools; /* one for each of the settings', in the same order */
	const struct snapshot_pool *pool_infos;
	const struct snapshot_member *members; /* by steer_member.id */
	uint32_t member_count;
	const struct guard_rules *rules; /* of the same pools and members */
	const uint32_t *steered_pools;	 /* the pool of each of zone_set_steered() */
	/* What the server says of itself, a character string each (RFC 1035 3.3); NULL: nothing. */
	const uint8_t *identity;
	const uint8_t *version;
	const struct cookie_keys *cookies; /* NULL: none are given */
	enum snapshot_secrets secrets;
	uint64_t secrets_since_unix_s;
	const char *secrets_path;
	struct snapshot_private *private;
};

struct snapshot_options {
	/* Its unchanged zones and geography are shared, and any mistake refuses the new one.  NULL: the
	 * first one; broken zones are left out of it and a broken geography is done without, because at
	 * a start answering for the others is better than for none.  The report says so. */
	const struct snapshot *previous;
	bool is_forced; /* --force */
};

/* NULL, and errors in `report`, if it is refused: the old snapshot serves on. */
const struct snapshot *snapshot_read(
	const char *settings_path, const struct snapshot_options *options, struct report *report);
/* The rest of snapshot_read() for settings that are read: takes ownership of them, also on failure. */
const struct snapshot *snapshot_build(
	struct settings *settings, const struct snapshot_options *options, struct report *report);

const struct snapshot *snapshot_hold(const struct snapshot *snapshot);
void snapshot_release(const struct snapshot *snapshot); /* NULL is allowed */

#endif
