/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spread.h"
#include "steerd/steer/steer.h"

/*
 * walk - a pool tree, walked for one family and one order of sites.
 *
 * The tree is the operator's, free of loops and of bounded depth (room config sees to both), so walking it by
 * recursion is safe.
 */

/* How much of what is known counts.  When nothing is usable, less and less of it does. */
enum trust {
	TRUST_BELIEFS, /* beliefs and overrides */
	TRUST_LAST_GOOD, /* what was usable when its pool last was sound; what operators took out stays out */
	TRUST_OVERRIDES, /* all are down: what operators took out stays out */
	TRUST_NOTHING,	 /* they took out everything that is there: an answer is better than none */
};

struct walk {
	struct arena *arena; /* for what is thrown away when the choice is made */
	const struct steer_world *world;
	enum address_family family;
	enum trust trust;
	uint8_t floor; /* of what is believed, shares above it are usable */
	bool is_far; /* for clients from elsewhere: a fence with nothing left inside holds none of them */
	const uint16_t *sites; /* those of `order` */
	size_t site_count;
	const uint8_t *order; /* nearest first; NULL: the tree has no nearest pool */
};

/* The override that rules below a member: its own, else the one from above. */
enum override_kind walk_override(
	const struct walk *walk, const struct steer_member *member, enum override_kind above);

/* The addresses of an endpoint, usable or not; a host that was not resolved yet has none. */
const struct belief *walk_rows(
	const struct walk *walk, const struct steer_member *endpoint, size_t *ret_count);

/* The same for clients from elsewhere. */
struct walk walk_from_afar(const struct walk *walk);

/* Whether the member has an address of the family, usable or not. */
bool walk_is_there(const struct walk *walk, const struct steer_member *member);
/* Whether an endpoint below the pool has an address of the family; `ret_may_get` becomes true where one may get it. */
bool walk_has_family(const struct walk *walk, const struct steer_pool *pool, bool *ret_may_get);

/* Whether an answer could hold an address of the member. */
bool walk_is_usable(
	const struct walk *walk, const struct steer_member *member, enum override_kind above);
/* The same of a member of the pool, however the pool as a whole is. */
bool walk_has_usable(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above);
/* Whether the pool as a whole counts as failed: its parents and its names do without what is left of it. */
bool walk_is_failed(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above);

/*
 * Lowers the floor and then the trust until something of the pool is usable, for a pool in whose place nothing is used: not
 * at all if it has something usable and is not failed, and not below `least` as long as that leaves something.
 */
void walk_settle(struct walk *walk, const struct steer_pool *pool, enum override_kind above,
	enum trust least);
/* The walk as it goes on below the pool: one with a fence settles for what is inside. */
struct walk walk_enter(
	const struct walk *walk, const struct steer_pool *pool, enum override_kind above);

/* Whether a member counts in its group, which has members of other weights. */
bool walk_has_weight(const struct walk *walk, const struct steer_pool *pool,
	const struct steer_member *member, enum override_kind above);

/* What the pool contributes where `want` addresses are wanted. */
struct spread walk_pool(const struct walk *walk, const struct steer_pool *pool,
	enum override_kind above, size_t want);

#endif
