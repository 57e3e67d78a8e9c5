/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEOGRAPHY_H
#define GEOGRAPHY_H

#include <stdbool.h>

#include "steerd/base/arena.h"
#include "steerd/base/report.h"
#include "steerd/config/settings.h"
#include "steerd/geo/geo.h"
#include "steerd/plan/snapshot.h"

/*
 * geography - the geo room's work as a snapshot needs it: one map for each distinct list of sites that steered
 * trees choose among, and shared between snapshots as long as neither files nor lists change.
 */
struct geography {
	unsigned holders; /* atomic */
	struct geo *geo;
	char *identity; /* heap: the same text, the same geography */
};

/* Which sites each root's tree chooses among, and the request for all of them.  Memory is from `arena`. */
const struct geo_request *geography_plan(const struct settings *settings,
	const struct steer_pool *pools, struct snapshot_pool *infos, struct arena *arena);

/* `previous` itself, held, if it is for the same request and files; NULL, and errors in `report`, if a file is
 * refused. */
struct geography *geography_get(
	const struct geo_request *request, struct geography *previous, struct report *report);
void geography_release(struct geography *geography); /* NULL is allowed */

#endif
