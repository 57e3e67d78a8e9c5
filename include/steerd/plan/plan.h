/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdint.h>

#include "steerd/dns/cookie.h"
#include "steerd/geo/geo.h"
#include "steerd/health/belief.h"
#include "steerd/health/guard.h"
#include "steerd/health/override.h"
#include "steerd/plan/snapshot.h"
#include "steerd/steer/steer.h"
#include "steerd/zone/zone.h"

/*
 * plan - a snapshot plus what is believed about the world now: for every steered name and every class of clients, the
 * finite list of answer sets with their shares.  Immutable; what a query needs is reached from here and
 * from nowhere else.
 */
struct plan_steering {
	const struct geo_map *map;		      /* NULL: one class, scope 0 */
	const struct steer_choice *const *choices[2]; /* [0] IPv4, [1] IPv6; by class */
};

struct plan {
	uint64_t generation; /* only rises, over all snapshots */
	const struct zone_set *zones;
	const struct plan_steering *const *steerings; /* by the index of zone_set_steered() */
	/* What the server says of itself, a character string each (RFC 1035 3.3); NULL: nothing.  The snapshot's. */
	const uint8_t *identity;
	const uint8_t *version;
	const struct cookie_keys *cookies; /* the snapshot's; NULL: no cookies are given */
	uint16_t without_cookie_max; /* octets of a response over UDP to who has no good cookie */
	const struct snapshot *snapshot; /* held */
	struct plan_private *private;
};

/* What the guard believes of a snapshot's members and pools (health/guard.h). */
struct plan_beliefs {
	const struct belief_table *beliefs;
	const struct guard_pool_state *pools;
};

/*
 * [main] Plans from scratch, or, with `previous` of the same snapshot, plans only the pools that a changed row, state or
 * override touches and shares the rest.  The beliefs, which are copied, must be of the snapshot's rules.  The caller owns
 * the plan.
 */
struct plan *plan_build(const struct snapshot *snapshot, const struct plan_beliefs *beliefs,
	const struct override_list *overrides, const struct plan *previous);
void plan_free(struct plan *plan); /* NULL is allowed */

/* The override of each member; NULL: none. */
const struct override *plan_override(const struct plan *plan, uint32_t member_id);
/* What a plan was made from, as the steer room takes it; for as long as the plan lives. */
struct steer_world plan_world(const struct plan *plan);

#endif
